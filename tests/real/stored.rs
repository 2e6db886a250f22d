//! Backups at S3-compatible storage: moto keeps them, and AWS's own library judges the signatures. And
//! Litestream beside a daemon, by the example that is shipped.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use webox::{domain::Secret, integrations::s3};

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, sid, spoken},
};

const ACCESS_KEY: &str = "AKREAL000000000000";
const SECRET_KEY: &str = "real/secret+key=5d1c7e";
const REGION: &str = "fr-par";

struct Storage {
    process: Child,
    url: String,
}

impl Storage {
    fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("WEBOX_REAL_STORAGE") else {
            eprintln!("passed over: WEBOX_REAL_STORAGE is not set (make test-real)");
            return None;
        };
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/storage_server.py"))
            .args([ACCESS_KEY, SECRET_KEY, REGION])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| Some(line.ok()?.strip_prefix("listening ")?.to_owned()));
        let url = format!("http://127.0.0.1:{}", port.expect("the storage did not start"));
        Some(Self { process, url })
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn with_a_key() -> Webox {
    let webox = Webox::with_le_gourmet();
    webox.run(["init"]).ok();
    webox
}

#[tokio::test(flavor = "multi_thread")]
async fn real_storage_takes_lists_gives_and_forgets_backups() {
    let Some(storage) = Storage::start() else { return };
    let webox = with_a_key();
    let config = webox.file("webox.toml", "[backup]\nkeep = { last = 2 }\n");
    let key = webox.home().join("config/webox/master.key");
    let webox = webox
        .env("WEBOX_CONFIG", config)
        .env("WEBOX_MASTER_KEY_FILE", key.to_str().unwrap())
        .env("WEBOX_BACKUP_TO", "s3://calls/agence paris/")
        .env("WEBOX_BACKUP_ENDPOINT", &storage.url)
        .env("WEBOX_BACKUP_REGION", REGION)
        .env("WEBOX_BACKUP_ACCESS_KEY", ACCESS_KEY)
        .env("WEBOX_BACKUP_SECRET_KEY", SECRET_KEY);
    let daemon = Daemon::start(&webox);
    for n in 0..5 {
        daemon.ring(&sid(n)).await;
    }
    for _ in 0..3 {
        webox.run(["backup", "create"]).ok();
        assert!(spoken(&daemon.ring(&sid(9)).await).contains("Le Gourmet"));
    }
    let listed = webox.run(["backup", "list", "-o", "json"]).ok().json();
    assert_eq!(listed["backups"].as_array().unwrap().len(), 2, "the oldest is removed");
    webox.run(["backup", "verify", "--all"]).ok();
    let elsewhere = webox.home().join("restored.db");
    let place = elsewhere.to_str().unwrap();
    webox.run(["--db", place, "backup", "restore", "latest"]).ok();
    let calls =
        |args: &[&str]| -> Value { webox.run(args.iter().copied()).ok().json()["calls"].clone() };
    let (here, there) =
        (calls(&["calls", "-o", "json"]), calls(&["--db", place, "calls", "-o", "json"]));
    assert_eq!(here, there);
    in_parts(&storage).await;
    let webox = webox.env("WEBOX_BACKUP_SECRET_KEY", "another");
    webox.run(["backup", "list"]).code(77).says("SignatureDoesNotMatch");
}

/// Twelve MiB in three parts, of which S3 wants five at least.
async fn in_parts(storage: &Storage) {
    let bucket = s3::Storage::new(&s3::StorageSettings {
        endpoint: storage.url.clone(),
        region: REGION.to_owned(),
        bucket: "calls".to_owned(),
        path_style: true,
        access_key: Secret::new(ACCESS_KEY),
        secret_key: Secret::new(SECRET_KEY),
    })
    .unwrap()
    .in_parts_of(5 << 20);
    let file = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (0..12_u64 << 20).map(|n| (n * n / 251) as u8).collect();
    std::fs::write(file.path(), &content).unwrap();
    bucket.put("long", file.path(), &[]).await.unwrap();
    let fetched = tempfile::NamedTempFile::new().unwrap();
    bucket.get("long", fetched.as_file()).await.unwrap();
    assert!(std::fs::read(fetched.path()).unwrap() == content);
}

/// Killed when dropped.
struct Litestream(Child);

impl Drop for Litestream {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn litestream_follows_a_daemon_by_the_example() {
    let Some(storage) = Storage::start() else { return };
    let python = std::env::var_os("WEBOX_REAL_STORAGE").unwrap();
    let program = Path::new(&python).with_file_name("litestream");
    let webox = with_a_key();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/litestream/litestream.yml");
    let mut text = std::fs::read_to_string(example).unwrap();
    // moto stands behind a gate that knows only addresses that are signed: a folder will do here.
    let place = webox.home().join("replica");
    let replica = text.find("      # Any S3").unwrap();
    text.truncate(replica);
    text.push_str(&format!("      type: file\n      path: {}\n", place.display()));
    drop(storage);
    let config = webox.file("litestream.yml", &text);
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(0)).await;
    let run = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).env("WEBOX_DB", webox.db()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let litestream = Litestream(run(&["replicate", "-config", &config]).spawn().unwrap());
    let begun = Instant::now();
    let mut n = 1;
    while begun.elapsed() < Duration::from_secs(6) {
        assert!(spoken(&daemon.ring(&sid(n)).await).contains("Le Gourmet"));
        assert!(
            spoken(&daemon.say(&sid(n), 1, "Avez-vous un parking ?").await).contains("parking")
        );
        n += 1;
        // Below what an assistant takes at the same time.
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    let restored = webox.home().join("restored.db");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let _ = std::fs::remove_file(&restored);
        let done = run(&["restore", "-config", &config, "-o", restored.to_str().unwrap()])
            .arg(webox.db())
            .status();
        if done.is_ok_and(|status| status.success()) {
            let db = rusqlite::Connection::open(&restored).unwrap();
            let calls: u32 =
                db.query_row("SELECT count(*) FROM calls", [], |row| row.get(0)).unwrap();
            let verdict: String =
                db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(verdict, "ok");
            if calls == n {
                break;
            }
        }
        assert!(Instant::now() < deadline, "the replica does not come up to the daemon");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    drop(litestream);
    eprintln!("litestream followed {n} calls");
}
