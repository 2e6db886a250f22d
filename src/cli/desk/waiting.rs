//! Waiting for calls: at the file by looking often, at a daemon by listening to its events.

use std::{future::Future, pin::Pin, time::Duration};

use reqwest::{Response, StatusCode};
use tokio::time::Instant;

use super::client::{Client, retry_after};
use crate::domain::{Error, Result};

/// How often the store is asked, and a daemon at most: soon enough for a person.
const EVERY: Duration = Duration::from_millis(250);

/// The longest that a daemon which is away is left alone.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest that a daemon may ask to be left alone.
const ASKED_FOR: Duration = Duration::from_mins(2);

/// A stream says something every quarter of a minute; one that does not is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// What somebody who waits is told.
pub(in crate::cli) enum News {
    /// There may be new calls.
    Calls,
    /// The daemon is away: say `again`, and wait on.
    Away(Error),
}

/// A waiting that goes on until it is dropped.
pub(in crate::cli) trait Waiting {
    /// Waits. At first, and after having been away, there may always be new calls.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<News>> + '_>>;

    /// Something failed: begins anew, a little later each time.
    fn again(&mut self) {}
}

/// At the file.
pub(super) struct Ticks;

impl Waiting for Ticks {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<News>> + '_>> {
        Box::pin(async {
            tokio::time::sleep(EVERY).await;
            Ok(News::Calls)
        })
    }
}

/// At a daemon.
pub(super) struct Events<'c> {
    client: &'c Client,
    http: reqwest::Client,
    stream: Option<Response>,
    /// The beginning of the line that is being read.
    line: Vec<u8>,
    failures: u32,
    not_before: Instant,
    /// How long the daemon asked to be left alone.
    asked_for: Duration,
}

impl<'c> Events<'c> {
    pub(super) fn of(client: &'c Client) -> Result<Self> {
        Ok(Self {
            client,
            // Another one than for questions: its connections live on the thread that waits.
            http: client.connections(|http| http.read_timeout(SILENCE))?,
            stream: None,
            line: Vec::new(),
            failures: 0,
            not_before: Instant::now(),
            asked_for: Duration::ZERO,
        })
    }

    async fn wait(&mut self) -> Result<News> {
        loop {
            tokio::time::sleep_until(self.not_before).await;
            let Some(stream) = &mut self.stream else {
                return self.open().await;
            };
            match stream.chunk().await {
                Ok(Some(bytes)) => {
                    self.failures = 0;
                    if tells_of_a_call(&mut self.line, &bytes) {
                        self.not_before = Instant::now() + EVERY;
                        return Ok(News::Calls);
                    }
                }
                // It stopped, or the line broke.
                Ok(None) | Err(_) => self.again(),
            }
        }
    }

    async fn open(&mut self) -> Result<News> {
        let request = self.http.get(self.client.address(&["events"]));
        let response = match self.client.keyed(request).send().await {
            Ok(response) => response,
            Err(cause) => return Ok(News::Away(self.client.unreachable(cause))),
        };
        let status = response.status();
        if status.is_success() {
            self.line.clear();
            self.stream = Some(response);
            return Ok(News::Calls);
        }
        let come_back = retry_after(&response);
        let error = self.client.told(response).await;
        if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
            return Err(error);
        }
        self.asked_for = come_back.unwrap_or_default().min(ASKED_FOR);
        Ok(News::Away(error))
    }
}

impl Waiting for Events<'_> {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<News>> + '_>> {
        Box::pin(self.wait())
    }

    fn again(&mut self) {
        self.stream = None;
        let wait = Duration::from_secs(1) * 2_u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        let wait = wait.min(LONGEST).max(std::mem::take(&mut self.asked_for));
        self.not_before = Instant::now() + wait;
    }
}

/// Whether a piece of a stream ends a line that says `event: ring`. Of a line that is not whole yet
/// the beginning is kept.
fn tells_of_a_call(line: &mut Vec<u8>, bytes: &[u8]) -> bool {
    const RING: &[u8] = b"event: ring";
    let mut rings = false;
    for byte in bytes {
        match byte {
            b'\n' => {
                rings |= line.as_slice() == RING;
                line.clear();
            }
            b'\r' => {}
            // One more than is looked for is enough to tell it from others.
            byte if line.len() <= RING.len() => line.push(*byte),
            _ => {}
        }
    }
    rings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_heard_also_when_it_comes_in_pieces() {
        let heard = |pieces: &[&str]| {
            let mut line = Vec::new();
            pieces.iter().filter(|piece| tells_of_a_call(&mut line, piece.as_bytes())).count()
        };
        assert_eq!(heard(&["id: 1\nevent: ring\ndata: {}\n\n"]), 1);
        assert_eq!(heard(&["id: 1\nevent: r", "ing\n", "data: {}\n\n"]), 1);
        assert_eq!(heard(&["event: ringing\n", ":\n\n", "event: turn\ndata: event: ring\n\n"]), 0);
    }
}
