//! The real daemon on a free port of this machine, in this process.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    conversation::engine::{Deadlines, Engine},
    domain::{AccountSid, Error, KeySource, Result, Secret},
    line::{Clock, Line, Patience, Voices},
    operations::{endpoints::Endpoints, secrets::Secrets},
    providers::llm::Models,
    server::{self, App, Gate, Trust},
    store::Store,
    twilio::caller::Caller,
    vault::Vault,
};

/// The account that a rehearsal plays: signs with a token made for it alone.
pub(super) const ACCOUNT: &str = "AC00000000000000000000000000000000";

/// A daemon that stops when it is told to, or dropped.
pub struct Daemon {
    /// Where it listens.
    pub address: SocketAddr,
    caller: Caller,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<()>>,
}

impl Daemon {
    /// Starts a daemon on a store: for rehearsals in writing, every assistant is on webhooks.
    pub async fn start(store: Store, models: Models, clock: Clock) -> Result<Self> {
        let patient = Patience::default();
        Self::start_with(store, models, clock, Deadlines::default(), patient).await
    }

    /// Starts a daemon with its own idea of how long to wait.
    pub async fn start_with(
        store: Store,
        models: Models,
        clock: Clock,
        deadlines: Deadlines,
        patience: Patience,
    ) -> Result<Self> {
        let closed = Endpoints::default();
        Self::run(store, models, clock, None, (deadlines, patience), closed).await
    }

    /// Starts a daemon for rehearsals in writing, with endpoints that assistants may ask.
    pub async fn start_asking(
        store: Store,
        models: Models,
        clock: Clock,
        endpoints: Endpoints,
    ) -> Result<Self> {
        Self::run(store, models, clock, None, Default::default(), endpoints).await
    }

    /// Starts a daemon whose calls travel as their files say, over sockets too, with mouths and ears.
    pub async fn start_in_sound(
        store: Store,
        models: Models,
        clock: Clock,
        voices: Voices,
        endpoints: Endpoints,
    ) -> Result<Self> {
        Self::run(store, models, clock, Some(voices), Default::default(), endpoints).await
    }

    async fn run(
        store: Store,
        models: Models,
        clock: Clock,
        voices: Option<Voices>,
        (deadlines, patience): (Deadlines, Patience),
        endpoints: Endpoints,
    ) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::failure("no port of this machine could be bound").because(error)
        };
        let listener =
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let url = format!("http://{address}");
        let token = fresh_token();
        let account: AccountSid = ACCOUNT.parse()?;
        let caller = Caller::new(&url, &url, token.clone(), account)?;
        let engine = Engine::new(store.clone(), models.clone(), deadlines).asking(endpoints);
        let line = Line::new(store.clone(), engine, clock, &url, patience);
        let line = match voices {
            Some(voices) => line.with_voices(voices),
            None => line.over_webhooks_only(),
        };
        let gate = Gate::new(Trust::Signed(vec![token]), &url);
        // A rehearsal signs with a token of its own, whatever account the number is in.
        let gate = gate.for_every_account();
        let nothing = KeySource::Given(Secret::new(""), "a rehearsal".to_owned());
        let app = App::new(line, gate, store, Secrets::new(Vault::new(nothing)), models);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server::run(listener, app, async move {
            // Dropping the daemon stops it just as telling it does.
            let _ = stopped.await;
        }));
        Ok(Self { address, caller, stop: Some(stop), task })
    }

    /// A Twilio that knows this daemon's token.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Stops it, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.take();
        (&mut self.task)
            .await
            .unwrap_or_else(|error| Err(Error::failure("the daemon broke off").because(error)))
    }
}

/// A token nobody else knows: the daemon of a rehearsal is open to this process only.
pub(super) fn fresh_token() -> Secret {
    use std::hash::{BuildHasher, RandomState};
    let word = || RandomState::new().hash_one(std::process::id());
    Secret::new(format!("{:016x}{:016x}", word(), word()))
}
