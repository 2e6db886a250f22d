//! A server over HTTP that fails in every way a server can, or is well: for parts outside that are not
//! models, which have doubles of their own. Every byte of it is ours.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::sleep,
};

use super::fake_http::INTERNAL;

/// What it does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// As it should.
    Well,
    /// A status, with words about itself.
    Status(u16),
    /// That it is asked too often, or is out of money.
    RateLimited,
    /// Somebody else's page.
    Page,
    /// 200, and nothing.
    Empty,
    /// 200, and bytes that mean nothing.
    Garbage,
    /// 200, and an error.
    ErrorInside,
    /// Half of it, and the end of the connection.
    CutMidway,
    /// Half of it, and then nothing.
    Stalls,
    /// A chunk that promises more than comes.
    BrokenChunk,
    /// What is no HTTP.
    NotHttp,
    /// A reset instead of an answer.
    Reset,
    /// The end of the connection instead of an answer.
    Closes,
    /// No answer, ever.
    Silent,
    /// The right answer, when nobody waits any more.
    Late,
    /// The right answer, a byte at a time.
    Drips,
    /// An answer without an end.
    Endless,
    /// That it has moved.
    Moved,
}

impl Fault {
    /// Each way to fail, with its name.
    pub(crate) const ALL: [(&str, Self); 24] = [
        ("400", Self::Status(400)),
        ("401", Self::Status(401)),
        ("403", Self::Status(403)),
        ("402-no-money", Self::Status(402)),
        ("429", Self::RateLimited),
        ("500", Self::Status(500)),
        ("502", Self::Status(502)),
        ("503", Self::Status(503)),
        ("529-overloaded", Self::Status(529)),
        ("page", Self::Page),
        ("empty", Self::Empty),
        ("garbage", Self::Garbage),
        ("error-inside", Self::ErrorInside),
        ("cut-midway", Self::CutMidway),
        ("stalls", Self::Stalls),
        ("broken-chunk", Self::BrokenChunk),
        ("not-http", Self::NotHttp),
        ("reset", Self::Reset),
        ("closes", Self::Closes),
        ("silent", Self::Silent),
        ("late", Self::Late),
        ("drips", Self::Drips),
        ("endless", Self::Endless),
        ("moved", Self::Moved),
    ];

    /// The way with a name; well for any other.
    pub(crate) fn named(name: &str) -> Self {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map_or(Self::Well, |(_, fault)| *fault)
    }
}

/// Addresses where there is nobody to fail: refused, without a name, without TLS.
pub(crate) fn nobody(faulty: &Faulty) -> [(&'static str, String); 3] {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    [
        ("refused", format!("http://{free}")),
        ("no-such-name", "https://webox-nobody.invalid".to_owned()),
        ("no-tls", faulty.url().replace("http:", "https:")),
    ]
}

type Decide = Arc<dyn Fn(&str) -> Fault + Send + Sync>;
type Answer = Arc<dyn Fn(&str) -> (&'static str, Vec<u8>) + Send + Sync>;

/// A server that stops when it is dropped.
pub(crate) struct Faulty {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Faulty {
    /// Decides by the path what becomes of a request, and what is answered where all is well.
    pub(crate) fn start(
        decide: impl Fn(&str) -> Fault + Send + Sync + 'static,
        answer: impl Fn(&str) -> (&'static str, Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<AtomicUsize>::default();
        let (stop, stopped) = oneshot::channel();
        let count = Arc::clone(&asked);
        let (decide, answer): (Decide, Answer) = (Arc::new(decide), Arc::new(answer));
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((socket, _)) = listener.accept().await {
                        let (decide, answer) = (Arc::clone(&decide), Arc::clone(&answer));
                        // A client that goes away ends its connection, and nothing else.
                        tokio::spawn(serve(socket, decide, answer, Arc::clone(&count)));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, asked, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn serve(
    mut socket: TcpStream,
    decide: Decide,
    answer: Answer,
    asked: Arc<AtomicUsize>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let path = read(&mut socket).await?;
    asked.fetch_add(1, Ordering::SeqCst);
    let (kind, body) = answer(&path);
    let json = "application/json";
    let about = format!(r#"{{"error":{{"message":"{INTERNAL} went away","code":"{INTERNAL}"}}}}"#);
    let half = &body[..body.len() / 2];
    match decide(&path) {
        Fault::Well => whole(&mut socket, 200, kind, "", &body).await,
        Fault::Status(status) => whole(&mut socket, status, json, "", about.as_bytes()).await,
        Fault::RateLimited => {
            whole(&mut socket, 429, json, "retry-after: 20\r\n", about.as_bytes()).await
        }
        Fault::Page => {
            let page = format!("<html><body>{INTERNAL}: sign in</body></html>");
            whole(&mut socket, 200, "text/html", "", page.as_bytes()).await
        }
        Fault::Empty => whole(&mut socket, 200, kind, "", b"").await,
        Fault::Garbage => {
            let garbage = [INTERNAL.as_bytes(), &[0xff, 0x00, 0xc3, 0x28, b'\n', 0xfe]].concat();
            whole(&mut socket, 200, json, "", &garbage).await
        }
        Fault::ErrorInside => whole(&mut socket, 200, json, "", about.as_bytes()).await,
        Fault::CutMidway => {
            head(&mut socket, 200, kind, "", body.len()).await?;
            socket.write_all(half).await
        }
        Fault::Stalls => {
            head(&mut socket, 200, kind, "", body.len()).await?;
            socket.write_all(half).await?;
            sleep(Duration::from_mins(1)).await;
            Ok(())
        }
        Fault::BrokenChunk => {
            let head = format!(
                "HTTP/1.1 200 X\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
                body.len()
            );
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(half).await
        }
        Fault::NotHttp => socket.write_all(format!("220 {INTERNAL} ESMTP\r\n").as_bytes()).await,
        Fault::Reset => socket.set_zero_linger(),
        Fault::Closes => Ok(()),
        Fault::Silent => {
            sleep(Duration::from_mins(1)).await;
            Ok(())
        }
        Fault::Late => {
            sleep(Duration::from_secs(20)).await;
            whole(&mut socket, 200, kind, "", &body).await
        }
        Fault::Drips => {
            head(&mut socket, 200, kind, "", body.len()).await?;
            for byte in body {
                socket.write_all(&[byte]).await?;
                sleep(Duration::from_millis(200)).await;
            }
            Ok(())
        }
        Fault::Endless => {
            let head = format!("HTTP/1.1 200 X\r\ncontent-type: {kind}\r\n\r\n");
            socket.write_all(head.as_bytes()).await?;
            loop {
                socket.write_all(&[b' '; 1_024]).await?;
                sleep(Duration::from_millis(2)).await;
            }
        }
        Fault::Moved => {
            let to = format!("location: http://127.0.0.1:1/{INTERNAL}\r\n");
            whole(&mut socket, 302, "text/plain", &to, b"").await
        }
    }
}

async fn head(
    socket: &mut TcpStream,
    status: u16,
    kind: &str,
    more: &str,
    length: usize,
) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{more}\
         connection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await
}

async fn whole(
    socket: &mut TcpStream,
    status: u16,
    kind: &str,
    more: &str,
    body: &[u8],
) -> io::Result<()> {
    head(socket, status, kind, more, body.len()).await?;
    socket.write_all(body).await?;
    socket.shutdown().await
}

/// Reads a request to its end; answers its path.
async fn read(socket: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map(|length| length.trim().parse::<usize>().unwrap_or_default());
    let is_chunked = head.contains("transfer-encoding: chunked");
    loop {
        let body = &bytes[end..];
        let is_whole = match length {
            Some(length) => body.len() >= length,
            None => !is_chunked || body.ends_with(b"0\r\n\r\n"),
        };
        if is_whole {
            break;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}
