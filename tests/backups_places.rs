//! Whose backups lie in a place, and what lies beside a database while one is unpacked.

use std::{
    io::{Seek as _, Write as _},
    os::unix::fs::{MetadataExt as _, chown, symlink},
    path::Path,
};

use crate::{
    backups::{calls, create, files, folder, holds_since_2020, in_a_bucket, ready},
    support::{cmd::Webox, daemon::Daemon, fake_s3::FakeS3, seed},
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

#[test]
fn what_root_backs_up_is_the_daemons_as_well() {
    let webox = ready();
    let (db, to, somebody) = (webox.db(), webox.home().join("new/backups"), Some(12_345));
    let owner = |path: &Path| std::fs::metadata(path).unwrap().uid();
    for path in [db.parent().unwrap(), &db] {
        if chown(path, somebody, somebody).is_err() {
            eprintln!("passed over: only root may give files away");
            return;
        }
    }
    let webox = webox.env("WEBOX_BACKUP_TO", to.to_str().unwrap());
    let name = create(&webox);
    // A folder that it had to make is the store's owner's, with all in it.
    for made in ["new", "new/backups", "new/backups/.webox-store"] {
        assert_eq!(owner(&webox.home().join(made)), 12_345, "{made}");
    }
    assert_eq!(owner(&to.join(name)), 12_345);
    // One that is there says itself whose it is.
    chown(&to, Some(23_456), None).unwrap();
    let name = create(&webox);
    assert_eq!(owner(&to.join(name)), 23_456);
}

#[test]
fn what_lies_elsewhere_or_cannot_be_opened_is_told_apart() {
    let webox = ready();
    let (name, to) = (create(&webox), folder(&webox));
    // Moved to another disk, and a link left.
    let away = webox.home().join("away");
    std::fs::rename(to.join(&name), &away).unwrap();
    symlink(&away, to.join(&name)).unwrap();
    let opens = |name: &str| {
        let listed = webox.run(["backup", "list", "-o", "json"]).ok().json();
        let backups = listed["backups"].as_array().unwrap().clone();
        let found = backups.into_iter().find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {listed}"))["opens"].clone()
    };
    assert_eq!(opens(&name), true);
    webox.run(["backup", "verify", &name]).ok();
    // Broken off: nobody knows whether a key would open it.
    let broken = "webox-2026-01-01T00-00-00Z.tar.zst.age";
    std::fs::write(to.join(broken), &std::fs::read(&away).unwrap()[..50]).unwrap();
    assert_eq!(opens(broken), serde_json::Value::Null);
    // Sealed for others: not here.
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let made = webox.run(["backup", "create", "--recipient", &recipient, "-o", "json"]).ok().json();
    assert_eq!(made["backups"][0]["opens"], serde_json::Value::Null, "{made}");
    assert_eq!(opens(made["backups"][0]["name"].as_str().unwrap()), false);
}

#[test]
fn a_backup_of_a_damaged_store_is_not_made_and_the_store_is_named() {
    let webox = ready();
    create(&webox);
    webox.run(["calls"]).ok();
    // How many pages are free (the file format of SQLite, 1.3), which no command asks by itself.
    let mut file = std::fs::OpenOptions::new().write(true).open(webox.db()).unwrap();
    file.seek(std::io::SeekFrom::Start(36)).unwrap();
    file.write_all(&7_u32.to_be_bytes()).unwrap();
    drop(file);
    let refused = webox.run(["backup", "create"]).code(1);
    refused.says("webox.db is damaged").says("keep the older ones");
    assert_eq!(files(&folder(&webox)).len(), 1, "the whole one stays alone");
}

#[test]
fn the_newest_is_not_taken_by_a_clock_that_is_behind_nor_put_where_a_link_leads_nowhere() {
    let webox = ready();
    let name = create(&webox);
    let ahead = "webox-2199-01-01T00-00-00Z.tar.zst.age";
    std::fs::copy(folder(&webox).join(&name), folder(&webox).join(ahead)).unwrap();
    let refused = webox.run(["backup", "restore", "latest", "--yes"]).code(3);
    refused.says(ahead).says(&name).says("set the clock right");
    webox.run(["backup", "restore", ahead, "--yes"]).ok();
    // A disk that is not mounted.
    let link = webox.home().join("linked.db");
    symlink(webox.home().join("not-mounted/webox.db"), &link).unwrap();
    let refused = webox.run(["--db", link.to_str().unwrap(), "backup", "restore", &name]).code(78);
    refused.says("leads nowhere").says("mounted");
    assert!(link.is_symlink());
}

#[test]
fn a_store_that_a_killed_restore_had_put_aside_already_has_one_name() {
    let webox = ready();
    let (db, name) = (webox.db(), create(&webox));
    let aside = db.with_file_name("webox.db.replaced-2026-01-01T00-00-00Z");
    let own = db.with_file_name("webox.db.of-mine");
    for other in [&aside, &own] {
        std::fs::hard_link(&db, other).unwrap();
    }
    webox.run(["calls"]).ok();
    assert!(!aside.exists() && own.exists());
    // One that was put aside in earnest is another file.
    webox.run(["backup", "restore", &name, "--yes"]).ok();
    webox.run(["calls"]).ok();
    let kept = |name: &String| name.starts_with("webox.db.replaced-");
    assert_eq!(files(db.parent().unwrap()).iter().filter(|name| kept(name)).count(), 1);
}

#[test]
fn storage_that_refuses_for_a_moment_is_asked_again() {
    let storage = FakeS3::start();
    let webox = in_a_bucket(&storage);
    storage.refuse_once();
    let name = create(&webox);
    storage.refuse_once();
    webox.run(["backup", "list"]).ok().prints("true");
    storage.refuse_once();
    webox.run(["backup", "restore", &name, "--yes"]).ok();
}

#[test]
fn a_restore_has_campaigns_wait_and_leaves_no_log_of_another_file() {
    let webox = Webox::with_le_gourmet();
    webox.run(["init"]).ok();
    seed::campaign(&seed::store(&webox));
    let place = webox.home().join("kept");
    let place = place.to_str().unwrap();
    webox.run(["backup", "create", "--to", place]).ok();
    // What a program leaves that was killed over a database, and the database gone.
    std::fs::remove_file(webox.db()).unwrap();
    let log = |ending: &str| {
        let mut path = webox.db().into_os_string();
        path.push(ending);
        std::path::PathBuf::from(path)
    };
    std::fs::write(log("-journal"), vec![7; 4_096]).unwrap();
    let latest = ["backup", "restore", "latest", "--from", place];
    webox.run(latest).code(3).says("there is a database already");
    let ran = webox.run(latest.into_iter().chain(["--yes", "-o", "json"])).ok();
    assert_eq!(ran.json()["restored"]["paused_campaigns"], 1, "{}", ran.stdout);
    assert!(!log("-journal").exists());
    let campaigns = webox.run(["campaign", "list", "-o", "json"]).ok().json();
    assert_eq!(campaigns["campaigns"][0]["state"], "paused", "{campaigns}");
    assert_eq!(campaigns["campaigns"][0]["why"], "restored from a backup", "{campaigns}");
    let again = webox.run(latest.into_iter().chain(["--yes"])).ok();
    again.says("1 campaign that ran when the backup was made is paused").says("It does not know");
}
