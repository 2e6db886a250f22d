//! Tests against tiny servers on the loopback interface.

mod addresses;
mod answers;
mod refusals;
mod server;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;

use super::{Answer, Lookup, Outgoing, Refused, Request, Response, Rules};

/// A lookup that plays back one answer after the other and repeats the last.
struct Script(Mutex<VecDeque<Vec<IpAddr>>>);

impl Script {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |ips: &&[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }

    /// How many answers have not been used up.
    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Lookup for Script {
    fn lookup(&self, _host: &str) -> Answer {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

/// Plain http, two seconds, 64 KiB, and the given exceptions.
fn rules(allowed: &[&str]) -> Rules {
    Rules {
        allow_http: true,
        allowed: allowed.iter().map(|net| net.parse().unwrap()).collect(),
        timeout: Duration::from_secs(2),
        most_bytes: 64 * 1024,
    }
}

fn request(method: Method, url: &str) -> Request<'_> {
    Request { method, url, headers: HeaderMap::new(), body: None }
}

async fn get(outgoing: &Outgoing, url: &str) -> Result<Response, Refused> {
    outgoing.send(request(Method::GET, url)).await
}
