//! A real calendar server, Radicale, that bookings are written into and whose entries stand in the way.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{
    calendars::{self, ONE_TABLE},
    cmd::Webox,
    daemon::Daemon,
};

/// A running Radicale; stopped when dropped.
struct Radicale {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Radicale {
    fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("WEBOX_REAL_CALENDAR") else {
            eprintln!("passed over: WEBOX_REAL_CALENDAR is not set (make test-real)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let users = folder.path().join("users");
        std::fs::write(&users, "marie:secret\n").unwrap();
        let process = Command::new(python)
            .args(["-m", "radicale", "--config", "", "--hosts", &address.to_string()])
            .args(["--auth-type", "htpasswd", "--auth-htpasswd-encryption", "plain"])
            .arg("--auth-htpasswd-filename")
            .arg(&users)
            .arg("--storage-filesystem-folder")
            .arg(folder.path().join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        while std::net::TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "Radicale did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { process, url: format!("http://{address}/marie/salle/"), _folder: folder })
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = reqwest::Client::new()
            .request(method, format!("{}{path}", self.url))
            .basic_auth("marie", Some("secret"))
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_and_a_real_calendar_keep_out_of_each_others_way() {
    let Some(radicale) = Radicale::start() else { return };
    let made = radicale
        .ask(
            "MKCALENDAR",
            "",
            r#"<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
               <D:displayname>Salle</D:displayname></D:prop></D:set></C:mkcalendar>"#,
        )
        .await;
    assert_eq!(made.0, 201, "{}", made.1);
    // A rehearsal of the choir, every day at 20:00 of the client's clock.
    let begins = jiff::Timestamp::now()
        .to_zoned_datetime(jiff::tz::TimeZone::get("Europe/Paris").unwrap())
        .date()
        .strftime("%Y%m%d");
    let choir = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//choir//EN\r\nBEGIN:VEVENT\r\nUID:choir\r\nDTSTAMP:20261101T000000Z\r\n\
         SUMMARY:Chorale & amis\r\nDTSTART;TZID=Europe/Paris:{begins}T200000\r\nDTEND;TZID=Europe/Paris:{begins}T213000\r\n\
         RRULE:FREQ=DAILY;COUNT=30\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let put = radicale.ask("PUT", "choir.ics", &choir).await;
    assert_eq!(put.0, 201, "{}", put.1);
    let webox = Webox::new()
        .env("WEBOX_ALLOWED_NETWORKS", "127.0.0.0/8")
        .env("WEBOX_ALLOW_HTTP", "true")
        .env("CALENDAR_PASSWORD", "secret");
    let place = format!(
        "[[deliver]]\nto = \"caldav\"\nurl = \"{}\"\nuser = \"marie\"\nsecret = {{ env = \"CALENDAR_PASSWORD\" }}\n",
        radicale.url
    );
    let file = webox.file("le-gourmet.toml", &format!("{ONE_TABLE}{place}"));
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    calendars::read(&webox, 1);
    calendars::book(&webox, "2d 20:30").code(1).says("no room");
    let reference = calendars::booked(&webox, "2d 17:00");
    let uid = calendars::written(&webox, 1);
    let (status, ics) = radicale.ask("GET", &format!("{uid}.ics"), "").await;
    assert!(status == 200 && ics.contains("SUMMARY:Petit"), "{status} {ics}");
    // What is ours is read back, and stands in nobody's way twice.
    webox.run(["bookings", "cancel", &reference, "--yes"]).ok();
    calendars::written(&webox, 2);
    assert_eq!(radicale.ask("GET", &format!("{uid}.ics"), "").await.0, 404);
    drop(daemon);
}
