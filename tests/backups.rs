//! Backups: made while calls run, told apart from what is damaged, put back to the last row.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use age::secrecy::ExposeSecret;
use serde_json::Value;
use webox::domain::{BackupName, CallStatus};

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, NUMBER, sid, spoken},
    fake_s3::{self, FakeS3},
    seed,
};

/// Le Gourmet with a master key, some calls, and a folder for backups.
pub(crate) fn ready() -> Webox {
    let webox = Webox::with_le_gourmet();
    let (key, to) = (webox.home().join("master.key"), webox.home().join("backups"));
    let webox = webox
        .env("WEBOX_MASTER_KEY_FILE", key.to_str().unwrap())
        .env("WEBOX_BACKUP_TO", to.to_str().unwrap());
    webox.run(["init"]).ok();
    std::thread::scope(|scope| {
        // Also from where nothing may block.
        scope.spawn(|| {
            for n in 1..=20 {
                seed::call(&webox, n, i64::from(n), CallStatus::Completed);
            }
        });
    });
    webox
}

/// A database removes no backup from before its first row.
pub(crate) fn holds_since_2020(webox: &Webox) {
    let at = "2020-01-15T00:00:00.900Z".parse().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| seed::call_at(&seed::store(webox), 99, at, CallStatus::Completed));
    });
}

pub(crate) fn folder(webox: &Webox) -> PathBuf {
    webox.home().join("backups")
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            let names = entries.flatten().map(|entry| entry.file_name().into_string().unwrap());
            // Says whose they are.
            names.filter(|name| name != ".webox-store").collect()
        })
        .unwrap_or_default();
    names.sort_unstable();
    names
}

pub(crate) fn create(webox: &Webox) -> String {
    webox.run(["backup", "create", "-o", "ids"]).ok().stdout.trim().to_owned()
}

pub(crate) fn calls(webox: &Webox, db: &Path) -> Value {
    webox.run(["--db", db.to_str().unwrap(), "calls", "-o", "json"]).ok().json()
}

#[test]
fn a_backup_is_made_listed_verified_and_restored() {
    let webox = ready();
    let before = calls(&webox, &webox.db());
    let made = webox.run(["backup", "create", "-o", "json"]).ok().says("keep a copy").json();
    let made = &made["backups"][0];
    assert_eq!(made["manifest"]["rows"]["calls"], 20);
    let name = made["name"].as_str().unwrap();
    assert!(name.parse::<BackupName>().is_ok(), "{name}");
    assert_eq!(files(&folder(&webox)), [name]);
    let mode = |path: &Path| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions())
    };
    assert_eq!(mode(&folder(&webox).join(name)) & 0o077, 0, "nobody else reads it");
    let listed = webox.run(["backup", "list", "-o", "json"]).ok().json();
    assert_eq!(listed["backups"][0], *made);
    webox.run(["backup", "list"]).ok().prints(name).prints("true");
    webox.run(["backup", "verify"]).ok().prints(name).prints("true");
    webox.run(["backup", "verify", "--all", "-o", "json"]).ok().prints("\"whole\": true");
    // Nothing of what was said or of whom stands in it to be read.
    let bytes = std::fs::read(folder(&webox).join(name)).unwrap();
    for word in [&b"+33612345678"[..], b"SQLite format 3", b"le-gourmet"] {
        assert!(!bytes.windows(word.len()).any(|part| part == word));
    }
    let elsewhere = webox.home().join("new/place/webox.db");
    let place = elsewhere.to_str().unwrap();
    webox.run(["--db", place, "backup", "restore", "latest"]).ok().says("is as it was");
    assert_eq!(calls(&webox, &elsewhere), before);
    assert_eq!(mode(&elsewhere) & 0o077, 0);
    // Nothing is left lying about, in either place.
    for place in [elsewhere.parent().unwrap(), webox.db().parent().unwrap()] {
        let left = files(place);
        assert!(
            left.iter().all(|name| name.starts_with("webox.db") && !name.contains("backup")),
            "{left:?}"
        );
    }
}

#[test]
fn a_file_is_read_where_no_place_is_set_and_the_key_that_is_kept_is_asked_for() {
    let webox = ready();
    let file = folder(&webox).join(create(&webox));
    let webox = webox.env("WEBOX_BACKUP_TO", "");
    let file = file.to_str().unwrap();
    webox.run(["backup", "verify", file]).ok().prints("true");
    let elsewhere = webox.home().join("restored.db");
    webox.run(["--db", elsewhere.to_str().unwrap(), "backup", "restore", file]).ok();
    assert_eq!(calls(&webox, &elsewhere)["calls"].as_array().unwrap().len(), 20);
    let name = std::path::Path::new(file).file_name().unwrap().to_str().unwrap();
    let mut here = webox.command(["backup", "verify", name]);
    crate::support::cmd::Ran::from(here.current_dir(folder(&webox)).output().unwrap()).ok();
    webox.run(["backup", "verify"]).code(78).says("no place for backups");
    webox.run(["backup", "list", "--from", "/no/such/folder"]).code(1).says("/no/such/folder");

    std::fs::remove_file(webox.home().join("master.key")).unwrap();
    let ran = webox.run(["backup", "verify", file]).code(78).says("put back the copy");
    assert!(!ran.stderr.contains("webox init"), "a new one opens nothing: {}", ran.stderr);
}

#[test]
fn a_restore_puts_what_is_there_aside_and_only_when_told_to() {
    let webox = ready();
    let name = create(&webox);
    seed::call(&webox, 21, 1, CallStatus::Completed);
    let db = webox.db();
    let content = || calls(&webox, &db)["calls"].as_array().unwrap().len();
    assert_eq!(content(), 21);
    webox.run(["backup", "restore", &name]).code(3).silent().says("--yes").says("webox.db");
    assert_eq!(content(), 21);
    let restored = webox.run(["backup", "restore", &name, "--yes", "-o", "json"]).ok().json();
    assert_eq!(content(), 20);
    let aside = PathBuf::from(restored["restored"]["aside"].as_str().unwrap());
    assert_eq!(calls(&webox, &aside)["calls"].as_array().unwrap().len(), 21, "nothing is lost");
    // A file is as good as a name; a damaged store is put aside as it is.
    std::fs::write(&db, b"not a database any more").unwrap();
    let file = folder(&webox).join(&name);
    webox.run(["backup", "restore", file.to_str().unwrap(), "--yes"]).ok();
    assert_eq!(content(), 20);
}

#[test]
fn what_root_restores_belongs_to_whom_the_store_belongs_to() {
    use std::os::unix::fs::{MetadataExt, chown};
    let webox = ready();
    create(&webox);
    let (db, somebody) = (webox.db(), Some(12_345));
    for path in [db.parent().unwrap(), &db] {
        if chown(path, somebody, somebody).is_err() {
            eprintln!("passed over: only root may give files away");
            return;
        }
    }
    let owner = |path: &Path| std::fs::metadata(path).unwrap().uid();
    webox.run(["backup", "restore", "latest", "--yes"]).ok();
    assert_eq!(owner(&db), 12_345);
    let beside = db.with_file_name("other.db");
    webox.run(["--db", beside.to_str().unwrap(), "backup", "restore", "latest"]).ok();
    assert_eq!(owner(&beside), 12_345, "as its folder does");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_in_use_is_not_replaced() {
    let webox = ready();
    let name = create(&webox);
    let daemon = Daemon::start(&webox);
    let kept = webox.db();
    let before = calls(&webox, &kept);
    webox
        .run(["backup", "restore", &name, "--yes"])
        .code(75)
        .says("a webox that runs uses the store")
        .says("stop the daemon");
    assert_eq!(calls(&webox, &kept), before);
    assert!(spoken(&daemon.ring(&sid(900)).await).contains("Le Gourmet"));
    assert_eq!(daemon.terminate(), Some(0));
    webox.run(["backup", "restore", &name, "--yes"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_on_while_a_backup_is_made_and_all_that_was_acknowledged_is_in_it() {
    let webox = ready();
    let daemon = Daemon::start(&webox);
    for n in 100..130 {
        daemon.ring(&sid(n)).await;
    }
    let mut backup = webox.command(["backup", "create", "-o", "ids"]).spawn().unwrap();
    let (mut n, mut meanwhile) = (200, 0);
    while backup.try_wait().unwrap().is_none() {
        // Somebody else each time: who rings so often is turned down.
        let caller = format!("+336{n:08}");
        let answer = daemon.post_from(&caller, NUMBER, "incoming", &sid(n), &[]).await;
        assert!(spoken(&answer).contains("Le Gourmet"), "{}", answer.body);
        let answer = daemon.say(&sid(n), 1, "Avez-vous un parking ?").await;
        assert!(spoken(&answer).contains("parking"));
        (n, meanwhile) = (n + 1, meanwhile + 1);
    }
    assert!(backup.wait().unwrap().success());
    assert!(meanwhile > 0, "somebody called while it was made");
    let elsewhere = webox.home().join("restored.db");
    let place = elsewhere.to_str().unwrap();
    webox.run(["--db", place, "backup", "restore", "latest"]).ok();
    let check = rusqlite::Connection::open(&elsewhere).unwrap();
    let acknowledged: i64 = check
        .query_row(
            "SELECT count(*) FROM calls WHERE sid BETWEEN ?1 AND ?2",
            [sid(100).as_str(), sid(129).as_str()],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(acknowledged, 30);
    let verdict: String = check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn what_is_damaged_or_sealed_otherwise_is_told() {
    let webox = ready();
    let name = create(&webox);
    let whole = std::fs::read(folder(&webox).join(&name)).unwrap();
    let place = folder(&webox).join("webox-2026-01-01T00-00-00Z.tar.zst.age");
    let named = "webox-2026-01-01T00-00-00Z.tar.zst.age";
    let verify = || webox.run(["backup", "verify", named]);
    let mut at: Vec<usize> = (1..9).map(|part| whole.len() * part / 9).collect();
    at.push(whole.len() - 1);
    for at in at {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        std::fs::write(&place, &flipped).unwrap();
        let ran = verify();
        assert_ne!(ran.code, 0, "a flipped byte at {at} of {}", whole.len());
        assert!(ran.stderr.contains(named) && ran.stderr.contains("damaged"), "{}", ran.stderr);
    }
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&place, &whole[..length]).unwrap();
        let ran = verify();
        assert_ne!(ran.code, 0, "cut off after {length} of {}", whole.len());
        assert!(ran.stderr.contains(named) && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    // One of several that is damaged is told with the others.
    webox
        .run(["backup", "verify", "--all"])
        .code(1)
        .prints(&name)
        .says("not every backup is whole");
    webox.run(["backup", "list"]).ok().prints(&name);
    std::fs::write(&place, b"a letter, and no backup at all").unwrap();
    verify().code(65).says("no backup of webox");
    std::fs::remove_file(&place).unwrap();
    verify().code(1).says("there is no backup").says("webox backup list");
    let nothing = webox.home().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    webox
        .run(["backup", "verify", "--all", "--from", nothing.to_str().unwrap()])
        .code(1)
        .says("there is no backup yet");
    webox.run(["backup", "verify", "webox.db"]).code(64);
    // Another key does not open it, and the store is not touched.
    let other = webox.file("other.key", &format!("{}\n", "5a".repeat(32)));
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let db = std::fs::read(webox.db()).unwrap();
    let webox = webox.env("WEBOX_MASTER_KEY_FILE", other);
    webox
        .run(["backup", "verify"])
        .code(78)
        .says("does not open with the master key")
        .says("put back the key");
    webox
        .run(["backup", "verify", "--all", "-o", "json"])
        .code(78)
        .prints("\"whole\": null")
        .says("they may be whole")
        .says("put back the key");
    webox.run(["backup", "list", "-o", "json"]).ok().prints("\"manifest\": null");
    // Nor where there is no place to unpack it: nobody knows whether it is whole.
    let nowhere = format!("{}/webox.db", webox.file("a-file", ""));
    webox
        .run(["--db", &nowhere, "backup", "verify", "--all", "-o", "json"])
        .code(1)
        .prints("\"whole\": null")
        .says("not every backup could be opened");
    webox.run(["backup", "restore", "latest", "--yes"]).code(78);
    assert_eq!(std::fs::read(webox.db()).unwrap(), db);
}

#[test]
fn an_older_master_key_still_opens_what_it_sealed() {
    let webox = ready();
    let name = create(&webox);
    webox.run(["secrets", "rotate-key"]).ok().says("Backups made before");
    webox.run(["backup", "verify", &name]).ok();
    create(&webox);
    webox.run(["backup", "verify", "--all"]).ok();
}

#[test]
fn a_recipient_of_age_opens_what_the_master_key_does_not() {
    let webox = ready();
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    webox.run(["backup", "create", "--recipient", "age1nobody"]).code(78).says("age-keygen");
    webox.run(["backup", "create", "--recipient", &recipient]).ok();
    webox.run(["backup", "verify"]).code(78).says("--identity");
    let text = format!("# created by age-keygen\n{}\n", identity.to_string().expose_secret());
    let identity = webox.file("identity.txt", &text);
    webox.run(["backup", "verify", "--identity", &identity]).ok().prints("true");
    let elsewhere = webox.home().join("restored.db");
    let place = elsewhere.to_str().unwrap();
    let restore = ["--db", place, "backup", "restore", "latest", "--identity", &identity];
    webox.run(restore).ok();
    assert_eq!(calls(&webox, &elsewhere), calls(&webox, &webox.db()));
}

#[test]
fn a_backup_opens_without_webox() {
    let webox = ready();
    let name = create(&webox);
    let key = std::fs::read_to_string(webox.home().join("master.key")).unwrap();
    let key = key.lines().find(|line| !line.starts_with('#')).unwrap();
    let script = format!(
        "printf webox/1/backup | openssl dgst -sha256 -mac HMAC -macopt hexkey:{key} | sed 's/.*= //'"
    );
    let made = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let passphrase = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    if passphrase.len() != 64 {
        eprintln!("passed over: openssl is not installed");
        return;
    }
    // As `age -d` would with what is typed, then `zstd -d` and `tar x`.
    let sealed = std::fs::File::open(folder(&webox).join(name)).unwrap();
    let identity = age::scrypt::Identity::new(age::secrecy::SecretString::from(passphrase));
    let plain = age::Decryptor::new(sealed)
        .unwrap()
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .unwrap();
    let unpacked = webox.home().join("unpacked");
    tar::Archive::new(zstd::Decoder::new(plain).unwrap()).unpack(&unpacked).unwrap();
    assert_eq!(files(&unpacked), ["manifest.json", "webox.db"]);
    assert_eq!(calls(&webox, &unpacked.join("webox.db")), calls(&webox, &webox.db()));
}

#[test]
fn only_what_is_ours_and_need_not_be_kept_is_removed() {
    let webox = ready();
    let to = folder(&webox);
    let config = webox.file(
        "webox.toml",
        &format!("[backup]\nto = \"{}\"\nkeep = {{ last = 3, monthly = 1 }}\n", to.display()),
    );
    let webox = webox.env("WEBOX_CONFIG", config);
    std::fs::create_dir_all(&to).unwrap();
    let strangers =
        ["notes.txt", "webox-old.tar.zst.age", "webox-2020-01-01T00-00-00Z.tar.zst.age.bak"];
    for stranger in strangers {
        std::fs::write(to.join(stranger), b"not ours").unwrap();
    }
    // The first is of the second in which what this store will hold begins.
    for day in ["01-15", "02-02", "02-03", "02-04"] {
        let old = format!("webox-2020-{day}T00-00-00Z.tar.zst.age");
        std::fs::write(to.join(old), b"old").unwrap();
    }
    // They are older than all that this store holds: another one's.
    webox.run(["backup", "create"]).ok();
    assert_eq!(files(&to).len(), strangers.len() + 5);
    holds_since_2020(&webox);
    let removed = webox.run(["backup", "create"]).ok();
    assert_eq!(removed.stderr.matches("Removed").count(), 3, "{}", removed.stderr);
    let left = files(&to);
    assert!(left.contains(&"webox-2020-02-04T00-00-00Z.tar.zst.age".to_owned()), "{left:?}");
    assert_eq!(left.len(), strangers.len() + 3);
    assert!(strangers.iter().all(|stranger| left.iter().any(|name| name == stranger)));
    // Elsewhere than where the settings say, nothing is.
    webox.run(["backup", "create", "--to", to.to_str().unwrap()]).ok();
    assert_eq!(files(&to).len(), strangers.len() + 4);
}

#[test]
fn one_that_was_killed_leaves_nothing_that_looks_like_a_backup() {
    let webox = ready();
    // Enough that it takes a moment.
    let db = rusqlite::Connection::open(webox.db()).unwrap();
    db.execute_batch(
        "CREATE TABLE ballast (x); BEGIN;
         INSERT INTO ballast SELECT randomblob(4000) FROM (
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n);
         COMMIT; PRAGMA wal_checkpoint(TRUNCATE);",
    )
    .unwrap();
    drop(db);
    for wait in [20, 60, 100, 150, 220, 300, 400] {
        let mut backup = webox.command(["backup", "create"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        backup.kill().unwrap();
        backup.wait().unwrap();
    }
    let finished: Vec<String> = files(&folder(&webox))
        .into_iter()
        .filter(|name| name.parse::<BackupName>().is_ok())
        .collect();
    if !finished.is_empty() {
        // Done before it was killed: whole, then.
        webox.run(["backup", "verify", "--all"]).ok();
    }
    create(&webox);
    let left = files(&folder(&webox));
    assert!(left.iter().all(|name| name.parse::<BackupName>().is_ok()), "cleared out: {left:?}");
    let left = files(webox.db().parent().unwrap());
    assert!(!left.iter().any(|name| name.ends_with(".backup")), "{left:?}");
    webox.run(["backup", "verify", "--all"]).ok();
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let webox = ready();
    let both: Vec<_> =
        (0..2).map(|_| webox.command(["backup", "create"]).spawn().unwrap()).collect();
    let codes: Vec<i32> = both
        .into_iter()
        .map(|backup| backup.wait_with_output().unwrap().status.code().unwrap())
        .collect();
    assert!(codes.contains(&0), "{codes:?}");
    assert!(codes.iter().all(|code| [0, 75, 1].contains(code)), "{codes:?}");
    webox.run(["backup", "verify", "--all"]).ok();
}

pub(crate) fn in_a_bucket(storage: &FakeS3) -> Webox {
    let webox = ready();
    let secret = webox.file("storage.key", fake_s3::SECRET_KEY);
    let config = webox.file(
        "webox.toml",
        &format!(
            "[backup]\nto = \"s3://{}/agence\"\nendpoint = \"{}\"\nregion = \"{}\"\n\
             access_key = {{ env = \"STORAGE_KEY\" }}\nsecret_key = {{ file = \"{secret}\" }}\n\
             keep = {{ last = 3 }}\n",
            fake_s3::BUCKET,
            storage.url(),
            fake_s3::REGION,
        ),
    );
    webox
        .env("WEBOX_BACKUP_TO", format!("s3://{}/agence", fake_s3::BUCKET))
        .env("WEBOX_CONFIG", config)
        .env("STORAGE_KEY", fake_s3::ACCESS_KEY)
}

#[test]
fn a_bucket_is_as_good_as_a_folder() {
    let storage = FakeS3::start();
    let webox = in_a_bucket(&storage);
    storage.lay("agence/notes.txt", b"not ours");
    storage.lay("other/webox-2020-01-01T00-00-00Z.tar.zst.age", b"somebody else's");
    for day in 1..=4 {
        storage.lay(&format!("agence/webox-2020-02-{day:02}T00-00-00Z.tar.zst.age"), b"old");
    }
    holds_since_2020(&webox);
    let name = create(&webox);
    assert_eq!(
        storage.keys(),
        [
            "agence/.webox-store".to_owned(),
            "agence/notes.txt".to_owned(),
            "agence/webox-2020-02-03T00-00-00Z.tar.zst.age".to_owned(),
            "agence/webox-2020-02-04T00-00-00Z.tar.zst.age".to_owned(),
            format!("agence/{name}"),
            "other/webox-2020-01-01T00-00-00Z.tar.zst.age".to_owned(),
        ]
    );
    webox.run(["backup", "verify", &name]).ok().prints("true");
    let listed = webox.run(["backup", "list", "-o", "json"]).ok().json();
    assert_eq!(listed["backups"].as_array().unwrap().len(), 3);
    assert_eq!(listed["backups"][0]["manifest"]["rows"]["calls"], 21);
    let elsewhere = webox.home().join("restored.db");
    webox.run(["--db", elsewhere.to_str().unwrap(), "backup", "restore", "latest"]).ok();
    assert_eq!(calls(&webox, &elsewhere), calls(&webox, &webox.db()));
    // Cut off on the way: told, not restored.
    let key = format!("agence/{name}");
    let whole = storage.taken(&key);
    storage.lay(&key, &whole[..whole.len() - 7]);
    webox.run(["backup", "verify", &name]).code(1).says("damaged");
}

#[test]
fn a_bucket_that_refuses_says_why_and_no_secret() {
    let storage = FakeS3::start();
    let webox = in_a_bucket(&storage).env("STORAGE_KEY", "AKSOMEBODYELSE");
    let ran = webox.run(["backup", "create"]).code(77).says("InvalidAccessKeyId");
    assert!(!ran.stderr.contains(fake_s3::SECRET_KEY) && !ran.stderr.contains("X-Amz"));
    let left = files(webox.db().parent().unwrap());
    assert!(!left.iter().any(|name| name.ends_with(".backup")), "{left:?}");
    assert!(storage.keys().is_empty());
    storage.is_down(true);
    webox.run(["backup", "list"]).code(69).says("status 503");
    assert!(!storage.asked().is_empty());
    drop(storage);
    webox.run(["backup", "list"]).code(69).says("cannot be reached");
}

#[test]
fn settings_that_cannot_be_meant_are_told() {
    let webox = Webox::new();
    webox.run(["backup", "list"]).code(78).says("[backup]");
    for (text, said) in [
        ("every = \"6h\"\n", "`backup.to`"),
        ("to = \"/b\"\nevery = \"6h\"\nat = \"03:30\"\n", "stands beside `at`"),
        ("to = \"/b\"\nat = \"half past three\"\n", "is not a time of day"),
        ("to = \"/b\"\nevery = \"1s\"\n", "less than 10 seconds"),
        ("to = \"/b\"\nkeep = {}\n", "keeps nothing"),
        ("to = \"/b\"\nkeep = 5\n", "such as `{ last = 4, daily = 7 }`"),
        ("to = \"/b\"\nkeep = { yearly = 1 }\n", "yearly"),
        ("to = \"ftp://b\"\n", "no place for backups"),
        ("to = \"/b\"\nsecret_key = \"abc\"\n", "a secret is written out here"),
    ] {
        let config = webox.file("wrong.toml", &format!("[backup]\n{text}"));
        webox.run(["--config", &config, "config", "show"]).code(78).says(said);
    }
    let config = webox.file("bucket.toml", "[backup]\nto = \"s3://calls\"\n");
    webox.run(["--config", &config, "backup", "list"]).code(78).says("backup.access_key");
    let webox = webox.env("WEBOX_BACKUP_TO", "/b");
    webox.run(["--as", "a@b.fr", "backup", "list"]).code(64).says("--as");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_makes_them_when_they_are_due() {
    let webox = ready();
    let to = folder(&webox);
    let config = webox.file(
        "webox.toml",
        &format!("[backup]\nto = \"{}\"\nevery = \"6h\"\nkeep = {{ last = 1 }}\n", to.display()),
    );
    let webox = webox.env("WEBOX_CONFIG", config);
    std::fs::create_dir_all(&to).unwrap();
    let old = "webox-2020-02-01T00-00-00Z.tar.zst.age";
    std::fs::write(to.join(old), b"old").unwrap();
    holds_since_2020(&webox);
    let daemon = Daemon::start(&webox);
    daemon.logged("a backup was made");
    daemon.logged("removed a backup that need not be kept");
    let names = files(&to);
    assert_eq!(names.len(), 1, "{names:?}");
    webox.run(["backup", "verify"]).ok();
    drop(daemon);
    // The one that there is serves the next daemon as well: none is due.
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(files(&to), names);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_is_logged_and_counted_and_calls_go_on() {
    let webox = ready();
    // A file where a folder should be.
    std::fs::write(folder(&webox), b"in the way").unwrap();
    let config = webox.file(
        "webox.toml",
        &format!("[backup]\nto = \"{}\"\nat = \"03:30\"\n", folder(&webox).display()),
    );
    let webox = webox.env("WEBOX_CONFIG", config).env("WEBOX_METRICS_LISTEN", "127.0.0.1:0");
    let daemon = Daemon::start(&webox);
    let line: Value = serde_json::from_str(&daemon.logged("no backup could be made")).unwrap();
    assert_eq!(line["level"], "ERROR");
    let line: Value = serde_json::from_str(&daemon.logged("figures are to be had")).unwrap();
    let url = format!("http://{}/metrics", line["metrics_address"].as_str().unwrap());
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
        if text.contains("webox_backup_failures_total 1") {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(spoken(&daemon.ring(&sid(1)).await).contains("Le Gourmet"));
}
