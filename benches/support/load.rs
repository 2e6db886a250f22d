//! A load client that plays Twilio: requests signed beforehand, sent over keep-alive connections
//! by one thread that does little else, so that the client does not measure itself.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};
use webox::{
    domain::Secret,
    twilio::{form::Form, signature},
};

use super::{
    Result,
    daemon::{NUMBER, PUBLIC_URL, TOKEN},
    report,
};

/// One request, as it goes over the wire.
pub type Wire = Box<[u8]>;

/// What callers say in their first turn: each takes another way through the concierge.
const SAID: [&str; 8] = [
    "Bonjour, je voudrais réserver pour 4 demain soir",
    "Quels sont vos horaires ?",
    "Est-ce qu'il y a un parking à côté ?",
    "une table pour deux vendredi à 19h30",
    "Vous avez une terrasse ?",
    "Je voudrais réserver",
    "C'est quoi l'adresse du restaurant ?",
    "pour six personnes mardi à midi et demi",
];

/// The identifier of call `n`; a series is one measurement's own. In no order, as Twilio's are.
fn sid(series: u32, n: usize) -> String {
    let scattered = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("CA{scattered:016x}{series:016x}")
}

fn fields(sid: &str) -> Vec<(&'static str, String)> {
    // Another caller for each call: one who dials as often would be turned down.
    let number = sid.get(10..18).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let caller = format!("+336{:08}", number.unwrap_or_default() % 100_000_000);
    let caller = caller.as_str();
    [
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", sid),
        ("CallStatus", "in-progress"),
        ("Called", NUMBER),
        ("CalledCountry", "FR"),
        ("Caller", caller),
        ("CallerCountry", "FR"),
        ("Direction", "inbound"),
        ("From", caller),
        ("FromCity", ""),
        ("FromCountry", "FR"),
        ("FromState", ""),
        ("FromZip", ""),
        ("To", NUMBER),
        ("ToCity", ""),
        ("ToCountry", "FR"),
        ("ToState", ""),
        ("ToZip", ""),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn signed(path: &str, fields: Vec<(&'static str, String)>) -> Wire {
    let form = Form::from_fields(fields);
    let signature = signature::sign(&Secret::new(TOKEN), &format!("{PUBLIC_URL}{path}"), &form);
    let body = form.encode();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench.example.com\r\n\
         Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n\
         Content-Length: {}\r\nX-Twilio-Signature: {signature}\r\n\
         I-Twilio-Idempotency-Token: 3b8d6f0e-8f2a-4e0b-9c39-6d8c1b1c9a11\r\n\
         User-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
    .into()
}

/// Calls that ring, each with its own identifier.
pub fn ringing(series: u32, calls: usize) -> Vec<Wire> {
    (0..calls).map(|n| signed("/api/voice/webhook/incoming", fields(&sid(series, n)))).collect()
}

/// The first turn of those calls.
pub fn speaking(series: u32, calls: usize) -> Vec<Wire> {
    (0..calls)
        .map(|n| {
            let sid = sid(series, n);
            let path = format!("/api/voice/webhook/process?call_sid={sid}&turn=1");
            let mut fields = fields(&sid);
            fields.push(("SpeechResult", SAID[n % SAID.len()].to_owned()));
            fields.push(("Confidence", "0.91".to_owned()));
            fields.push(("Language", "fr-FR".to_owned()));
            signed(&path, fields)
        })
        .collect()
}

/// What came of a measurement.
pub struct Measured {
    /// How long each request took, sorted.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Requests that were not answered with the TwiML expected.
    pub wrong: usize,
}

impl Measured {
    pub fn a_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    pub fn quantile(&self, share: f64) -> Duration {
        report::quantile(&self.latencies, share)
    }
}

/// Sends requests over some connections, each its next one as soon as it has its answer. An answer
/// must be a 200 that has `expected` in it.
pub fn closed_loop(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Wire>,
    expected: &'static str,
) -> Result<Measured> {
    on_one_thread(async move {
        let requests = Rc::new(requests);
        let next = Rc::new(Cell::new(0));
        let open = open(address, connections).await?;
        let begun = Instant::now();
        let callers: Vec<_> = open
            .into_iter()
            .map(|mut connection| {
                let (requests, next) = (Rc::clone(&requests), Rc::clone(&next));
                tokio::task::spawn_local(async move {
                    let mut latencies = Vec::new();
                    let mut wrong = 0;
                    loop {
                        let n = next.get();
                        let Some(request) = requests.get(n) else { break };
                        next.set(n + 1);
                        let sent = Instant::now();
                        let right = connection.post(request, expected).await?;
                        latencies.push(sent.elapsed());
                        wrong += usize::from(!right);
                    }
                    Ok::<_, std::io::Error>((latencies, wrong))
                })
            })
            .collect();
        gather(callers, begun).await
    })
}

/// Each request at its moment, so many a second in all, whatever became of those before it; the wait for a
/// connection that is still busy counts.
pub fn paced(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Wire>,
    a_second: u32,
    expected: &'static str,
) -> Result<Measured> {
    on_one_thread(async move {
        let requests = Rc::new(requests);
        let open = open(address, connections).await?;
        let begun = Instant::now();
        let callers: Vec<_> = open
            .into_iter()
            .enumerate()
            .map(|(first, mut connection)| {
                let requests = Rc::clone(&requests);
                tokio::task::spawn_local(async move {
                    let mut latencies = Vec::new();
                    let mut wrong = 0;
                    for (n, request) in requests.iter().enumerate().skip(first).step_by(connections)
                    {
                        let due = begun + Duration::from_secs(n as u64) / a_second;
                        tokio::time::sleep_until(due.into()).await;
                        let right = connection.post(request, expected).await?;
                        latencies.push(due.elapsed());
                        wrong += usize::from(!right);
                    }
                    Ok::<_, std::io::Error>((latencies, wrong))
                })
            })
            .collect();
        gather(callers, begun).await
    })
}

/// Every request at the same moment, on a connection of its own; connecting counts.
pub fn all_at_once(
    address: SocketAddr,
    requests: Vec<Wire>,
    expected: &'static str,
) -> Result<Measured> {
    on_one_thread(async move {
        let begun = Instant::now();
        let callers: Vec<_> = requests
            .into_iter()
            .map(|request| {
                tokio::task::spawn_local(async move {
                    let mut connection = Connection::open(address).await?;
                    let right = connection.post(&request, expected).await?;
                    Ok::<_, std::io::Error>((vec![begun.elapsed()], usize::from(!right)))
                })
            })
            .collect();
        gather(callers, begun).await
    })
}

async fn open(address: SocketAddr, connections: usize) -> Result<Vec<Connection>> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    Ok(open)
}

type Caller = tokio::task::JoinHandle<std::io::Result<(Vec<Duration>, usize)>>;

async fn gather(callers: Vec<Caller>, begun: Instant) -> Result<Measured> {
    let mut measured = Measured { latencies: Vec::new(), elapsed: Duration::ZERO, wrong: 0 };
    for caller in callers {
        let (latencies, wrong) = caller.await??;
        measured.latencies.extend(latencies);
        measured.wrong += wrong;
    }
    measured.elapsed = begun.elapsed();
    measured.latencies.sort_unstable();
    Ok(measured)
}

fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, work)
}

/// A keep-alive connection.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024] })
    }

    /// Posts, reads the whole answer, and says whether it is the one expected.
    async fn post(&mut self, request: &[u8], expected: &str) -> std::io::Result<bool> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let mut whole = None;
        while whole.is_none_or(|length| filled < length) {
            if filled == self.buffer.len() {
                return Err(std::io::Error::other("an answer is too long"));
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            whole = whole.or_else(|| length_of(&self.buffer[..filled]));
        }
        let answer = &self.buffer[..filled];
        Ok(answer.starts_with(b"HTTP/1.1 200") && find(answer, expected.as_bytes()).is_some())
    }
}

/// The length of head and body together, once the head is there.
fn length_of(answer: &[u8]) -> Option<usize> {
    let end = find(answer, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let body = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some(end + body.unwrap_or(0))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
