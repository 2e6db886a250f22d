//! Whose backups lie in a place, and what lies beside a database while one is unpacked.

use crate::{
    backups::{calls, create, files, folder, holds_since_2020, in_a_bucket, ready},
    support::{daemon::Daemon, fake_s3::FakeS3},
};

#[test]
fn a_place_is_one_databases_and_a_clock_that_ran_ahead_costs_no_backup() {
    let (webox, other) = (ready(), ready());
    let to = folder(&webox);
    let config = webox.file(
        "webox.toml",
        &format!("[backup]\nto = \"{}\"\nkeep = {{ last = 2 }}\n", to.display()),
    );
    let webox = webox.env("WEBOX_CONFIG", config);
    let first = create(&webox);
    let other = other.env("WEBOX_BACKUP_TO", to.to_str().unwrap());
    let refused = other.run(["backup", "create"]).code(78);
    refused.says("has backups of another database").says(".webox-store");
    assert_eq!(files(&to), [first]);
    let doctor = other.run(["doctor", "--offline", "--only", "backups"]).code(1);
    doctor.prints("has backups of another database");
    webox.run(["doctor", "--offline", "--only", "backups"]).ok();
    // By hand anybody may.
    other.run(["backup", "create", "--to", to.to_str().unwrap()]).ok();
    assert_eq!(files(&to).len(), 2);
    for month in 1..=4 {
        let ahead = format!("webox-2199-{month:02}-01T00-00-00Z.tar.zst.age");
        std::fs::write(to.join(ahead), b"when the clock was wrong").unwrap();
    }
    let made = create(&webox);
    let left = files(&to);
    assert!(left.contains(&made), "{left:?}");
    assert_eq!(left.iter().filter(|name| name.contains("2199")).count(), 4, "{left:?}");
    let seen = webox.run(["backup", "verify", "-o", "ids"]).ok().stdout;
    assert_eq!(seen.trim(), made, "the newest is of now");
}

#[test]
fn what_a_killed_restore_unpacked_is_cleared_out() {
    let webox = ready();
    create(&webox);
    let left = webox.db().parent().unwrap().join(".webox-restore-abc");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("x.db"), b"what callers said").unwrap();
    // One that somebody is at is theirs.
    let held = webox.db().parent().unwrap().join(".webox-restore-def");
    std::fs::create_dir(&held).unwrap();
    let lock = std::fs::File::open(&held).unwrap();
    lock.lock().unwrap();
    webox.run(["backup", "verify"]).ok();
    assert!(!left.exists() && held.exists());
    drop(lock);
    create(&webox);
    assert!(!held.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_database_is_the_database() {
    let webox = ready();
    create(&webox);
    let link = webox.home().join("linked.db");
    std::os::unix::fs::symlink(webox.db(), &link).unwrap();
    let through = ["--db", link.to_str().unwrap()];
    let restore = [&through[..], &["backup", "restore", "latest", "--yes"]].concat();
    let daemon = Daemon::start(&webox);
    webox.run(restore.clone()).code(75).says("stop the daemon first");
    daemon.signal("TERM");
    assert_eq!(daemon.stopped(), Some(0));
    webox.run(restore).ok();
    assert!(link.is_symlink(), "the link stays");
    let beside: Vec<String> =
        files(webox.home()).into_iter().filter(|name| name.starts_with("linked")).collect();
    assert_eq!(beside, ["linked.db"], "nothing lies beside it");
    assert_eq!(calls(&webox, &link), calls(&webox, &webox.db()));
}

#[test]
fn one_that_cannot_be_removed_keeps_neither_the_new_nor_the_others() {
    let storage = FakeS3::start();
    let webox = in_a_bucket(&storage);
    let old = |day: u32| format!("agence/webox-2020-02-{day:02}T00-00-00Z.tar.zst.age");
    for day in 1..=5 {
        storage.lay(&old(day), b"old");
    }
    // The first that would go.
    storage.lock(&old(3));
    holds_since_2020(&webox);
    let made = webox.run(["backup", "create", "-o", "ids"]).ok();
    let made = made.says("2020-02-03T00-00-00Z.tar.zst.age need not be kept, and stays").stdout;
    let left = storage.keys();
    assert!(left.contains(&format!("agence/{}", made.trim())), "{left:?}");
    let stay: Vec<u32> = (1..=5).filter(|day| left.contains(&old(*day))).collect();
    assert_eq!(stay, [3, 4, 5], "{left:?}");
}
