//! What the doubles of model providers share: a small HTTP server of which every byte is ours, so
//! that an answer can be late, slow, cut off or wrong in each way a provider has been seen to be.

use std::{
    collections::BTreeMap,
    io,
    marker::PhantomData,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::sleep,
};

/// The key that the doubles know.
pub(crate) const KEY: &str = "sk-double-8d1f0c77e2";

/// A word in all that a provider says about itself: whoever hears it was told too much.
pub(crate) const INTERNAL: &str = "zzprovider";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) json: Value,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

type Decide = Arc<dyn Fn(&Value) -> Behaviour + Send + Sync>;

/// How a provider answers one request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// As it should.
    Say(String),
    /// It asks for tools: names and arguments.
    Tools(Vec<(String, String)>),
    /// As the request deserves.
    Script(Decide),
    SlowDrip {
        text: String,
        gap: Duration,
    },
    DelayHeaders(Duration, String),
    CutMidway(String),
    RateLimited {
        retry_after: u32,
    },
    InsufficientQuota,
    ServerError,
    Unauthorized,
    NotFound,
    Overloaded,
    GarbageBody,
    Html,
    /// A regular answer that says nothing.
    EmptyAnswer,
    /// Status 200, and not a byte more.
    EmptyBody,
    NeverAnswers,
    ErrorEventMidStream(String),
    BadJsonMidStream(String),
    EndlessStream,
    ConnectionReset,
    Refuses,
}

pub(crate) fn say(text: &str) -> Behaviour {
    Behaviour::Say(text.to_owned())
}

pub(crate) fn tool(name: &str, arguments: &str) -> Behaviour {
    Behaviour::Tools(vec![(name.to_owned(), arguments.to_owned())])
}

pub(crate) fn script(decide: impl Fn(&Value) -> Behaviour + Send + Sync + 'static) -> Behaviour {
    Behaviour::Script(Arc::new(decide))
}

/// What an answer holds, whatever the format.
#[derive(Default)]
pub(crate) struct Content<'a> {
    pub(crate) text: &'a str,
    pub(crate) calls: &'a [(String, String)],
    pub(crate) declined: bool,
}

/// Why a request is refused, whatever the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    BadRequest,
    Unauthorized,
    NotFound,
    RateLimited,
    Quota,
    Server,
    Overloaded,
}

impl Fault {
    fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::RateLimited | Self::Quota => 429,
            Self::Server => 500,
            Self::Overloaded => 529,
        }
    }
}

/// A wire format.
pub(crate) trait Dialect: Send + 'static {
    /// What the provider has against a request, if anything.
    fn objection(request: &Request) -> Option<(Fault, String)>;
    /// The events of an answer, as text.
    fn answer(request: &Request, content: &Content<'_>) -> Vec<String>;
    /// The body of a refusal.
    fn refusal(fault: Fault, message: &str) -> Value;
    /// An event that tells of a failure.
    fn failure(request: &Request, message: &str) -> String;
    /// An event with a bit of text.
    fn word(request: &Request, text: &str) -> String;
}

/// A server that stops when it is dropped.
pub(crate) struct Server<D> {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    dialect: PhantomData<D>,
}

impl<D: Dialect> Server<D> {
    /// Answers the first request as the first behaviour says, and so on; the last one repeats.
    pub(crate) fn start(behaviours: Vec<Behaviour>) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (stop, stopped) = oneshot::channel();
        let seen = Arc::clone(&requests);
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let behaviours: Arc<[Behaviour]> = behaviours.into();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((socket, _)) = listener.accept().await {
                        // A client that goes away ends its connection, and nothing else.
                        tokio::spawn(serve::<D>(socket, Arc::clone(&behaviours), seen.clone()));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, requests, stop: Some(stop), thread: Some(thread), dialect: PhantomData }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl<D> Drop for Server<D> {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn serve<D: Dialect>(
    mut socket: TcpStream,
    behaviours: Arc<[Behaviour]>,
    requests: Arc<Mutex<Vec<Request>>>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let request = read(&mut socket).await?;
    let number = {
        let mut requests = requests.lock().unwrap();
        requests.push(request.clone());
        requests.len() - 1
    };
    if let Some((fault, message)) = D::objection(&request) {
        return refuse::<D>(&mut socket, fault, &message, "").await;
    }
    let mut behaviour = behaviours[number.min(behaviours.len() - 1)].clone();
    while let Behaviour::Script(decide) = &behaviour {
        behaviour = decide(&request.json);
    }
    behave::<D>(&mut socket, &request, behaviour).await
}

async fn behave<D: Dialect>(
    socket: &mut TcpStream,
    request: &Request,
    behaviour: Behaviour,
) -> io::Result<()> {
    let text = |text: &str| D::answer(request, &Content { text, ..Content::default() });
    let half = |text: &str| {
        let mut events = D::answer(request, &Content { text, ..Content::default() });
        events.truncate(events.len() / 2);
        events
    };
    match behaviour {
        Behaviour::Script(_) => unreachable!("followed to its end before"),
        Behaviour::Say(said) => stream(socket, &text(&said)).await,
        Behaviour::Tools(calls) => {
            let content = Content { calls: &calls, ..Content::default() };
            stream(socket, &D::answer(request, &content)).await
        }
        Behaviour::Refuses => {
            let content = Content { declined: true, ..Content::default() };
            stream(socket, &D::answer(request, &content)).await
        }
        Behaviour::EmptyAnswer => stream(socket, &text("")).await,
        Behaviour::DelayHeaders(delay, said) => {
            sleep(delay).await;
            stream(socket, &text(&said)).await
        }
        Behaviour::SlowDrip { text: said, gap } => {
            head(socket, 200, "text/event-stream").await?;
            for event in text(&said) {
                chunk(socket, event.as_bytes()).await?;
                sleep(gap).await;
            }
            finish(socket).await
        }
        Behaviour::CutMidway(said) => {
            head(socket, 200, "text/event-stream").await?;
            let events = half(&said);
            for event in &events {
                chunk(socket, event.as_bytes()).await?;
            }
            // A chunk that promises more than comes.
            socket.write_all(b"400\r\ndata: {\"ch").await
        }
        Behaviour::ErrorEventMidStream(said) => {
            let mut events = half(&said);
            events.push(D::failure(request, &format!("{INTERNAL}: the backend went away")));
            stream(socket, &events).await
        }
        Behaviour::BadJsonMidStream(said) => {
            let mut events = half(&said);
            events.push(format!("data: {{\"{INTERNAL}\": [1, \n\n"));
            stream(socket, &events).await
        }
        Behaviour::EndlessStream => {
            head(socket, 200, "text/event-stream").await?;
            for event in half(INTERNAL) {
                chunk(socket, event.as_bytes()).await?;
            }
            let event = D::word(request, &format!("{INTERNAL} "));
            loop {
                chunk(socket, event.as_bytes()).await?;
                sleep(Duration::from_millis(2)).await;
            }
        }
        Behaviour::RateLimited { retry_after } => {
            let wait = format!("retry-after: {retry_after}\r\n");
            refuse::<D>(socket, Fault::RateLimited, "slow down", &wait).await
        }
        Behaviour::InsufficientQuota => refuse::<D>(socket, Fault::Quota, "no money", "").await,
        Behaviour::ServerError => refuse::<D>(socket, Fault::Server, "a bug", "").await,
        Behaviour::Overloaded => refuse::<D>(socket, Fault::Overloaded, "too busy", "").await,
        Behaviour::NotFound => refuse::<D>(socket, Fault::NotFound, "no such model", "").await,
        Behaviour::Unauthorized => {
            let message = format!("incorrect key {KEY} given");
            refuse::<D>(socket, Fault::Unauthorized, &message, "").await
        }
        Behaviour::GarbageBody => {
            let body = [INTERNAL.as_bytes(), &[0xff, 0x00, 0xc3, 0x28, b'\n', 0xfe]].concat();
            whole(socket, 200, "text/event-stream", &body, "").await
        }
        Behaviour::Html => {
            let page = format!("<html><body>{INTERNAL}: sign in to the network</body></html>");
            whole(socket, 200, "text/html; charset=utf-8", page.as_bytes(), "").await
        }
        Behaviour::EmptyBody => whole(socket, 200, "text/event-stream", b"", "").await,
        Behaviour::NeverAnswers => {
            sleep(Duration::from_mins(1)).await;
            Ok(())
        }
        Behaviour::ConnectionReset => socket.set_zero_linger(),
    }
}

async fn refuse<D: Dialect>(
    socket: &mut TcpStream,
    fault: Fault,
    message: &str,
    headers: &str,
) -> io::Result<()> {
    let body = D::refusal(fault, &format!("{INTERNAL}: {message}")).to_string();
    whole(socket, fault.status(), "application/json", body.as_bytes(), headers).await
}

async fn whole(
    socket: &mut TcpStream,
    status: u16,
    content_type: &str,
    body: &[u8],
    headers: &str,
) -> io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
         {headers}connection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body).await?;
    socket.shutdown().await
}

async fn head(socket: &mut TcpStream, status: u16, content_type: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\
         connection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await
}

async fn stream(socket: &mut TcpStream, events: &[String]) -> io::Result<()> {
    head(socket, 200, "text/event-stream; charset=utf-8").await?;
    for event in events {
        // Events end where they like in real chunks, and letters are split in two.
        let (first, second) = event.as_bytes().split_at(event.len() / 2);
        chunk(socket, first).await?;
        chunk(socket, second).await?;
    }
    finish(socket).await
}

async fn chunk(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        // An empty chunk would be the last one.
        return Ok(());
    }
    let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    socket.write_all(&framed).await
}

async fn finish(socket: &mut TcpStream) -> io::Result<()> {
    socket.write_all(b"0\r\n\r\n").await?;
    socket.shutdown().await
}

async fn read(socket: &mut TcpStream) -> io::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if socket.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Request { path, headers, json })
}

/// A text in about a dozen pieces, as models send it.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks((letters.len() / 12).max(6)).map(|piece| piece.iter().collect()).collect()
}
