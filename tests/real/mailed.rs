//! E-mail to a real mail server, aiosmtpd: over STARTTLS, with a password, read by Python's own parser.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, sid},
};

#[test]
fn a_real_mail_server_takes_what_a_client_is_told() {
    let Some(python) = std::env::var_os("WEBOX_REAL_MAIL") else {
        eprintln!("passed over: WEBOX_REAL_MAIL is not set (make test-real)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/mail_server.py"))
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let port = first.strip_prefix("listening ").unwrap();

    let webox = Webox::new()
        .env("SSL_CERT_FILE", folder.path().join("cert.pem").to_str().unwrap())
        .env("WEBOX_SMTP_HOST", "localhost")
        .env("WEBOX_SMTP_PORT", port)
        .env("WEBOX_SMTP_ENCRYPTION", "starttls")
        .env("WEBOX_SMTP_USER", "standard")
        .env("WEBOX_SMTP_PASSWORD", "geheim")
        .env("WEBOX_SMTP_FROM", "standard@agence.fr");
    let place = "[[deliver]]\nto = \"email\"\nevents = [\"call.ended\"]\n";
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{place}"));
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        daemon.ring(&sid(1)).await;
        daemon.say(&sid(1), 1, "Où êtes-vous ?").await;
        daemon.hang_up(&sid(1), 75).await;
    });
    let letter: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(letter["tls"], true);
    assert_eq!(letter["to"][0], "contact@legourmet.fr");
    assert_eq!(letter["sender"], "Restaurant Le Gourmet");
    assert_eq!(letter["subject"], "Appel de 06 12 34 56 78");
    let text = letter["text"].as_str().unwrap();
    assert!(text.contains("1 min 15 s.") && text.contains("Appelant: Où êtes-vous ?"), "{text}");
}
