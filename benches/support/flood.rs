//! A stranger who sends forgeries, from an address of its own: one that webox does not take for a proxy's.

use std::{
    cell::Cell,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

use super::{Result, load::Wire};

/// This machine too, but not where a proxy on it connects from.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// By then webox has read what was sent.
const READ_WITHIN: Duration = Duration::from_millis(20);

/// How a stranger goes about it.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// Over so many connections, each its next one as soon as it has its answer.
    KeptAlive(usize),
    /// Each on a connection of its own, whose sending side is closed without waiting for an answer.
    HangsUp,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Flooded {
    /// Requests sent, also over connections that webox closes without having read them.
    pub sent: u64,
    /// Answers that came.
    pub answered: u64,
    /// Of these, what was not refused.
    pub let_in: u64,
}

/// Sends so many a second for so long, each at its moment if the daemon takes it by then.
pub fn flood(
    address: SocketAddr,
    manner: Manner,
    forgeries: Vec<Wire>,
    a_second: u32,
    length: Duration,
) -> Result<Flooded> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let flood = Flood {
        address,
        forgeries,
        a_second,
        begun: Instant::now(),
        length,
        next: Cell::new(0),
        seen: Cell::default(),
    };
    let flood = Rc::new(flood);
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut strangers = JoinSet::new();
        let many = if let Manner::KeptAlive(connections) = manner { connections } else { 512 };
        for _ in 0..many {
            let flood = Rc::clone(&flood);
            strangers.spawn_local(async move { flood.go_on(manner).await });
        }
        let left = flood.length + Duration::from_secs(3);
        let _ = tokio::time::timeout(left, strangers.join_all()).await;
    });
    let (sent, answered, let_in) = flood.seen.get();
    Ok(Flooded { sent, answered, let_in })
}

struct Flood {
    address: SocketAddr,
    forgeries: Vec<Wire>,
    a_second: u32,
    begun: Instant,
    length: Duration,
    next: Cell<u32>,
    seen: Cell<(u64, u64, u64)>,
}

impl Flood {
    async fn go_on(&self, manner: Manner) {
        let mut kept = None;
        loop {
            let n = self.next.get();
            self.next.set(n + 1);
            let due = self.begun + Duration::from_secs(n.into()) / self.a_second;
            tokio::time::sleep_until(due.into()).await;
            if self.begun.elapsed() > self.length {
                return;
            }
            let forgery = &self.forgeries[n as usize % self.forgeries.len()];
            // A connection that webox does not take, or no more, is made anew.
            kept = self.send(kept, forgery, manner).await.ok().flatten();
        }
    }

    async fn send(
        &self,
        kept: Option<TcpStream>,
        forgery: &[u8],
        manner: Manner,
    ) -> std::io::Result<Option<TcpStream>> {
        let mut stream = if let Some(stream) = kept {
            stream
        } else {
            let socket = TcpSocket::new_v4()?;
            // Closed with a reset: no port waits for what may still come.
            socket.set_zero_linger()?;
            socket.bind((FROM, 0).into())?;
            socket.connect(self.address).await?
        };
        stream.write_all(forgery).await?;
        let (sent, answered, let_in) = self.seen.get();
        self.seen.set((sent + 1, answered, let_in));
        if matches!(manner, Manner::HangsUp) {
            stream.shutdown().await?;
            // Gone at once, it would not be read.
            tokio::time::sleep(READ_WITHIN).await;
            return Ok(None);
        }
        // What a refusal says fits a packet.
        let mut answer = [0; 2_048];
        let read = stream.read(&mut answer).await?;
        let text = &answer[..read];
        let Some(status) = text.get(9..12) else { return Ok(None) };
        let refused = [b"403", b"429"].iter().any(|refusal| status == *refusal);
        let (sent, answered, let_in) = self.seen.get();
        self.seen.set((sent, answered + 1, let_in + u64::from(!refused)));
        Ok(Some(stream))
    }
}
