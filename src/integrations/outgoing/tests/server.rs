//! A server that answers from a function, and a trap that must stay untouched.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does once it has read a request.
pub(super) enum Act {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends these bytes, then zeros as fast as they are taken.
    Flood(Vec<u8>),
    /// Sends these bytes, then one letter every 20 ms for ever.
    Drip(Vec<u8>),
}

/// A running server.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// Every request received, head and body as text.
    pub(super) seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves on a free port of `ip`; `act` gets the path of each request.
    pub(super) async fn start(ip: &str, act: fn(&str) -> Act) -> Self {
        Self::start_at(&format!("{ip}:0"), act).await
    }

    /// Serves on an address and port.
    pub(super) async fn start_at(address: &str, act: fn(&str) -> Act) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, act, Arc::clone(&log)));
            }
        });
        Self { address, seen }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, act: fn(&str) -> Act, log: Arc<Mutex<Vec<String>>>) {
    let text = read_request(&mut stream).await;
    let path = text.split(' ').nth(1).unwrap_or("/").to_owned();
    log.lock().unwrap().push(text);
    match act(&path) {
        Act::Send(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Act::Flood(head) => {
            let _ = stream.write_all(&head).await;
            while stream.write_all(&[b'0'; 4096]).await.is_ok() {}
        }
        Act::Drip(head) => {
            let _ = stream.write_all(&head).await;
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Reads the head and as much body as it announces.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        if count == 0 || is_whole(&text) {
            return text;
        }
    }
}

fn is_whole(text: &str) -> bool {
    // A TLS greeting: it will never be followed by an HTTP head.
    if text.starts_with('\u{16}') {
        return true;
    }
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let announced = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |digits| digits.parse().unwrap());
    body.len() >= announced
}

/// A whole answer; `headers` are lines without their ends.
pub(super) fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = head(status, headers);
    let at = bytes.len() - 2;
    let length = format!("content-length: {}\r\n", body.len());
    bytes.splice(at..at, length.into_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// The head of an answer whose body ends with the connection.
pub(super) fn head(status: &str, headers: &[&str]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

pub(super) fn redirect(status: &str, to: &str) -> Act {
    Act::Send(answer(status, &[&format!("location: {to}")], b""))
}

pub(super) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// A listener that nobody may connect to.
pub(super) struct Trap {
    listener: TcpListener,
    pub(super) port: u16,
}

impl Trap {
    pub(super) async fn set() -> Self {
        Self::set_at("127.0.0.1:0").await
    }

    pub(super) async fn set_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    /// Fails if anybody has connected, even if they are gone again.
    pub(super) async fn assert_untouched(&self) {
        let waited = tokio::time::timeout(Duration::from_millis(50), self.listener.accept()).await;
        assert!(waited.is_err(), "somebody connected: {waited:?}");
    }
}
