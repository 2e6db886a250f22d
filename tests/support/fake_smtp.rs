//! A double of a mail server: takes letters, or refuses them, as it is told.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A letter as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) headers: String,
    pub(crate) text: String,
}

#[derive(Default)]
struct Box {
    letters: Vec<Letter>,
    /// Said to recipients first, in this order.
    refusals: Vec<&'static str>,
}

/// A mail server that stops when it is dropped.
pub(crate) struct FakeSmtp {
    address: SocketAddr,
    kept: Arc<Mutex<Box>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeSmtp {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::<Mutex<Box>>::default();
        let stop = Arc::<AtomicBool>::default();
        let (inside, stopped) = (Arc::clone(&kept), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away in the middle has sent nothing.
                let _ = session(&stream.unwrap(), &inside);
            }
        });
        Self { address, kept, stop, thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// Says this to the next recipients.
    pub(crate) fn refuse(&self, replies: &[&'static str]) {
        self.kept.lock().unwrap().refusals.extend(replies);
    }

    /// Waits until so many letters have come.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Letter> {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let letters = self.kept.lock().unwrap().letters.clone();
            if letters.len() >= count {
                return letters;
            }
            assert!(Instant::now() < deadline, "{letters:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for FakeSmtp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn session(stream: &TcpStream, kept: &Mutex<Box>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut out = stream;
    let mut lines = BufReader::new(stream).lines();
    let (mut from, mut to) = (String::new(), String::new());
    out.write_all(b"220 fake\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let inside = |line: &str| {
            line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).unwrap().0.to_owned()
        };
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply = match word.as_str() {
            "EHLO" => "250-fake\r\n250 8BITMIME".to_owned(),
            "MAIL" => {
                from = inside(&line);
                "250 ok".to_owned()
            }
            "RCPT" => {
                to = inside(&line);
                let mut kept = kept.lock().unwrap();
                let refusals = &mut kept.refusals;
                let refused = (!refusals.is_empty()).then(|| refusals.remove(0));
                refused.unwrap_or("250 ok").to_owned()
            }
            "DATA" => {
                out.write_all(b"354 go\r\n")?;
                let mut data = Vec::new();
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    data.push(line.strip_prefix('.').map_or(line.clone(), str::to_owned));
                }
                kept.lock().unwrap().letters.push(letter(&from, &to, &data.join("\r\n")));
                "250 kept".to_owned()
            }
            "QUIT" => {
                return out.write_all(b"221 bye\r\n");
            }
            _ => "250 ok".to_owned(),
        };
        out.write_all(format!("{reply}\r\n").as_bytes())?;
    }
    Ok(())
}

fn letter(from: &str, to: &str, data: &str) -> Letter {
    let (headers, body) = data.split_once("\r\n\r\n").unwrap();
    let headers = headers.replace("\r\n ", " ");
    let header = |name: &str| {
        let found = headers.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().trim().to_owned()
    };
    let text = match header("Content-Transfer-Encoding:").as_str() {
        "base64" => String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap(),
        "quoted-printable" => printable(body),
        _ => body.to_owned(),
    };
    Letter {
        from: from.to_owned(),
        to: to.to_owned(),
        subject: encoded_words(&header("Subject:")),
        text: text.replace("\r\n", "\n"),
        headers,
    }
}

/// Quoted-printable (RFC 2045, 6.7).
fn printable(body: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), body.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first != b'=' {
            bytes.push(*first);
        } else if let Some(after) = rest.strip_prefix(b"\r\n") {
            rest = after;
        } else {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&rest[..2]).unwrap(), 16).unwrap());
            rest = &rest[2..];
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Words in base64 (RFC 2047); blanks between two of them are none.
fn encoded_words(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.replace("?= =?", "?==?").split("=?").enumerate() {
        let Some((word, plain)) = part.split_once("?=").filter(|_| at > 0) else {
            out.push_str(part);
            continue;
        };
        let coded = word.splitn(3, '?').nth(2).unwrap();
        out.push_str(std::str::from_utf8(&STANDARD.decode(coded).unwrap()).unwrap());
        out.push_str(plain);
    }
    out
}
