//! Stores of every schema that there was are opened, read, and kept a copy of.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, sid, spoken},
};

/// The steps that were released, oldest first.
fn steps() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/migrations");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files.into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// What an assistant's row holds.
fn spec() -> String {
    let webox = Webox::with_le_gourmet();
    let db = Connection::open(webox.db()).unwrap();
    db.query_row("SELECT spec FROM assistants", [], |row| row.get(0)).unwrap()
}

/// A store of a schema, with what the first one had rows for: they came through the steps, as those of
/// an old installation did.
fn store_of(schema: usize, steps: &[String], spec: &str, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;").unwrap();
    db.execute_batch(&steps[0]).unwrap();
    db.execute(
        "INSERT INTO assistants (id, name, phone, active, spec, revision, created_at, updated_at)
         VALUES (1, 'le-gourmet', '+33123456789', 1, ?1, 1, 1000, 1000)",
        [spec],
    )
    .unwrap();
    db.execute_batch(
        "INSERT INTO assistant_figures (assistant_id, total_calls) VALUES (1, 1);
         INSERT INTO calls (id, sid, assistant_id, caller, to_number, status, line, language, started_at)
         VALUES (7, 'CA00000000000000000000000000000007', 1, '+33612345678', '+33123456789',
                 'completed', 'gather', 'fr-FR', 1760000000000);
         INSERT INTO turns (call_id, number, heard_kind, heard, heard_at, said, language)
         VALUES (7, 1, 'speech', 'Avez-vous un parking ?', 1760000001000, 'Oui, derrière.', 'fr-FR');",
    )
    .unwrap();
    for step in &steps[1..schema] {
        db.execute_batch(step).unwrap();
    }
    db.pragma_update(None, "user_version", schema as i64).unwrap();
    db.pragma_update(None, "application_id", 0x7765_626f_i64).unwrap();
}

#[test]
fn a_store_of_every_schema_is_brought_forward_and_its_calls_are_read() {
    let (steps, spec) = (steps(), spec());
    for schema in 1..=steps.len() {
        let webox = Webox::new();
        let db = webox.db();
        store_of(schema, &steps, &spec, &db);
        let calls = webox.run(["calls", "-o", "json"]).ok().json();
        assert_eq!(calls["calls"].as_array().unwrap().len(), 1, "schema {schema}");
        let shown =
            webox.run(["calls", "show", "CA00000000000000000000000000000007", "-o", "json"]).ok();
        shown.prints("Avez-vous un parking ?").prints("Oui, derrière.");
        let copy = PathBuf::from(format!("{}.schema-{schema}", db.display()));
        assert_eq!(copy.exists(), schema < steps.len(), "schema {schema}: a copy is kept");
        if !copy.exists() {
            continue;
        }
        let copy = Connection::open(&copy).unwrap();
        let kept: (i64, i64, String) = copy
            .query_row(
                "SELECT (SELECT user_version FROM pragma_user_version),
                        (SELECT count(*) FROM turns),
                        (SELECT integrity_check FROM pragma_integrity_check)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        assert_eq!(kept, (schema as i64, 1, "ok".to_owned()));
        let now = Connection::open(&db).unwrap();
        let version: i64 = now.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, steps.len() as i64);
        let orphans: i64 = now
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(orphans, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_answers_with_a_store_of_the_first_schema_and_says_where_the_copy_is() {
    let webox = Webox::new();
    store_of(1, &steps(), &spec(), &webox.db());
    let daemon = Daemon::start(&webox);
    assert!(daemon.logged("a copy of it as it was is kept").contains("webox.db.schema-1"));
    assert!(spoken(&daemon.ring(&sid(1)).await).contains("Le Gourmet"));
}

#[test]
fn only_a_few_copies_are_kept_and_none_is_written_over() {
    let webox = Webox::new();
    let (steps, spec, db) = (steps(), spec(), webox.db());
    for round in 0..5 {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", db.display()));
        }
        store_of(2, &steps, &spec, &db);
        webox.run(["calls"]).ok();
        let copies: Vec<String> = std::fs::read_dir(db.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".schema-"))
            .collect();
        assert_eq!(copies.len(), (round + 1).min(3), "{copies:?}");
    }
    // Those that were made while the clock was wrong do not push out the one that is made now.
    for n in 2..=9 {
        let _ = std::fs::remove_file(format!("{}.schema-2.{n}", db.display()));
    }
    let _ = std::fs::remove_file(format!("{}.schema-2", db.display()));
    let ahead = std::time::SystemTime::now() + std::time::Duration::from_secs(100_000_000);
    for schema in 20..23 {
        let copy = std::fs::File::create(format!("{}.schema-{schema}", db.display())).unwrap();
        copy.set_modified(ahead).unwrap();
    }
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", db.display()));
    }
    store_of(2, &steps, &spec, &db);
    webox.run(["calls"]).ok();
    assert!(db.with_file_name("webox.db.schema-2").exists());
}

#[test]
fn without_room_for_a_copy_the_store_is_left_as_it_is_unless_told_otherwise() {
    let webox = Webox::new();
    let disk = webox.home().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|done| done.status.success()) {
        eprintln!("passed over: no small disk can be mounted here");
        return;
    }
    let db = disk.join("webox.db");
    store_of(2, &steps(), &spec(), &db);
    let large = Connection::open(&db).unwrap();
    large
        .execute_batch(
            "CREATE TABLE ballast (x); INSERT INTO ballast VALUES (zeroblob(600000)); PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .unwrap();
    large.execute_batch("DROP TABLE ballast; PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
    drop(large);
    std::fs::write(disk.join("ballast"), vec![0; 3_000_000]).unwrap();
    let args = ["--db", db.to_str().unwrap(), "calls", "-o", "ids"];
    webox.run(args).code(3).says("no copy of it can be kept").says("WEBOX_UPGRADE_WITHOUT_COPY");
    let left = Connection::open(&db).unwrap();
    let version: i64 = left.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2, "nothing was changed");
    drop(left);
    std::fs::write(disk.join("ballast"), vec![0; 1_500_000]).unwrap();
    let webox = webox.env("WEBOX_UPGRADE_WITHOUT_COPY", "true");
    webox.run(args).ok().prints("CA00000000000000000000000000000007");
    assert!(!disk.join("webox.db.schema-2").exists());
    let _ = std::process::Command::new("umount").arg("-l").arg(&disk).status();
}

#[test]
fn one_that_is_broken_off_leaves_one_copy_and_no_command_upgrades_under_a_daemon() {
    let webox = Webox::new();
    let (steps, spec, db) = (steps(), spec(), webox.db());
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", db.display()));
    store_of(2, &steps, &spec, &db);
    // What one left that was killed while it copied, or while it went on.
    std::fs::write(beside(".schema-copying"), b"half of it").unwrap();
    // As a daemon holds it.
    let lock = std::fs::File::create(beside(".lock")).unwrap();
    lock.lock_shared().unwrap();
    webox.run(["calls"]).code(75).says("systemctl restart webox");
    let version = |path: &PathBuf| -> i64 {
        let file = Connection::open(path).unwrap();
        file.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(version(&db), 2, "nothing was changed");
    drop(lock);
    webox.run(["calls"]).ok();
    assert_eq!(version(&beside(".schema-2")), 2);
    assert!(!beside(".schema-copying").exists() && !beside(".schema-2.2").exists());
    // One that was killed between its last step and the name of the copy.
    std::fs::rename(beside(".schema-2"), beside(".schema-copying")).unwrap();
    webox.run(["calls"]).ok();
    assert_eq!(version(&beside(".schema-2")), 2);
    assert!(!beside(".schema-copying").exists());
}
