//! What systemd hands to the daemon, and what it is told (sd_listen_fds(3), sd_notify(3)). Without
//! systemd nobody hands over or listens, and nothing of this happens.

use std::{io, net::TcpListener, time::Duration};

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    config::Environment,
    domain::{Error, Result},
    operations::live,
    store::Store,
};

/// `FileDescriptorName=` of the socket that proofs for certificates are asked for at.
const HTTP: &str = "http";

/// How often systemd is told that stopping takes longer, and by how much.
const STILL_STOPPING: Duration = Duration::from_secs(5);
const LONGER: Duration = Duration::from_secs(30);

/// Sockets that somebody else has opened, and holds open while we are exchanged.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    /// Where calls come in.
    pub(super) calls: Option<TcpListener>,
    /// Where proofs for certificates are asked for.
    pub(super) http: Option<TcpListener>,
}

impl Inherited {
    /// Takes them. Before any thread is started: the variables that tell of them are taken as well.
    pub(super) fn take(environment: &Environment) -> Result<Self> {
        let failed = |cause: io::Error| {
            Error::config("a socket that was handed over cannot be used").because(cause).hint(
                "it must be a TCP socket that listens: `ListenStream=443` in a unit `webox.socket`",
            )
        };
        let names = environment.get("LISTEN_FDNAMES").unwrap_or_default();
        let names: Vec<&str> = names.split(':').collect();
        let (mut given, mut all) = (ListenFd::from_env(), Self::default());
        for n in 0..given.len() {
            let Some(listener) = given.take_tcp_listener(n).map_err(failed)? else { continue };
            listener.set_nonblocking(true).map_err(failed)?;
            let place = if names.get(n) == Some(&HTTP) { &mut all.http } else { &mut all.calls };
            if place.replace(listener).is_some() {
                return Err(Error::config("more sockets were handed over than webox listens at")
                    .hint("one for calls, and one named `http` for proofs over HTTP"));
            }
        }
        Ok(all)
    }
}

/// Calls are taken.
pub(super) fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("answers calls")]);
}

/// Settings are read anew; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "there is no steady clock"),
    }
}

/// The daemon stops, and may take so long, which may change meanwhile. Never ends.
pub(super) async fn stopping(longest: impl Fn() -> Duration) {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishes what is in flight")]);
    let begun = Instant::now();
    while begun.elapsed() < longest() {
        let more = u32::try_from(LONGER.as_micros()).unwrap_or(u32::MAX);
        tell(&[NotifyState::ExtendTimeoutUsec(more)]);
        sleep(STILL_STOPPING).await;
    }
    std::future::pending::<()>().await;
}

/// Tells systemd that we are well, for as long as the store's writer answers. One that says that the
/// disk is full answers: a restart would not mend that. Never ends.
pub(super) async fn watchdog(store: Store) {
    let Some(within) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let (half, mut told) = (within / 2, false);
    loop {
        let asked = Instant::now();
        if timeout(half, live::ready(&store, jiff::Timestamp::now())).await.is_ok() {
            tell(&[NotifyState::Watchdog]);
            told = false;
        } else if !told {
            tracing::error!(
                "the store's writer does not answer: systemd is not told that we are well"
            );
            told = true;
        }
        tokio::time::sleep_until(asked + half).await;
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
