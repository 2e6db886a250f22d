//! The daemon: who is calling whom, and is it really Twilio?
//!
//! [`run`] takes a bound listener and a future that ends it, so that a test and systemd can both
//! start it. A request is read and judged here, then handed to the line in a task of its own:
//! a peer that hangs up does not interrupt a turn.

mod access_log;
mod admission;
mod alerts;
mod api;
mod audio;
mod backups;
mod bells;
mod body;
mod busy;
mod calendars;
mod charges;
mod connections;
mod controls;
mod deliveries;
mod dialling;
mod embedding;
mod gate;
mod handovers;
mod headers;
mod health;
mod known;
mod leaving;
mod limits;
pub mod observing;
#[doc(hidden)]
pub mod offline;
mod peer;
mod permits;
mod problem;
mod proofs;
mod recordings;
mod reminders;
mod removals;
mod rounds;
mod routes;
mod shares;
mod sockets;
mod tarpit;
mod texts;
mod tls;
mod twilio_accounts;
mod webhooks;
mod workers;

use std::{future::Future, net::IpAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch};

use crate::{
    billing::catalogue::Catalogue,
    domain::{Error, EventId, ProviderStanding, Result, UserId},
    integrations::Couriers,
    line::Line,
    operations::{
        alerts::Watch,
        numbers::{Home, Telephony},
        secrets::Secrets,
    },
    providers::llm::Models,
    provision::Layer,
    store::Store,
};

pub use crate::twilio::access::TwilioAccess;
pub use backups::ScheduledBackups;
pub use bells::{Bells, test as test_alerts};
pub use connections::listen;
pub use controls::Controls;
pub use gate::{Gate, Trust};
pub use ipnet::IpNet;
pub use limits::Rates;
use permits::Permits;
pub use recordings::Archive;
pub use tls::{Issuer, Tls};
use workers::Workers;

/// How long a stopping daemon waits for turns in flight.
const DRAIN: Duration = Duration::from_secs(20);

/// Bundles of files read at once, and rehearsals played, and how many of these for one user: the calls that
/// are real come first.
const BUNDLES: (usize, usize) = (2, 1);
const REHEARSALS: (usize, usize) = (4, 2);

/// Plans whose numbers Twilio is asked about at once.
const WIRINGS: (usize, usize) = (2, 1);

/// Exports at once: each holds a part in memory for as long as its reader takes.
const EXPORTS: (usize, usize) = (4, 2);

/// Bytes of bodies held at once: four of the largest, two of them of one user.
const BODIES: (usize, usize) = (64 * 1024 * 1024, 32 * 1024 * 1024);

/// Webhooks of one address whose bodies are large and not there yet.
const LARGE_BODIES: u32 = 64;

/// Streams of events that a user may have open.
const STREAMS: u32 = 10;

/// What the API is set to.
#[derive(Debug, Clone, Default)]
pub struct ApiSettings {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Web pages from elsewhere that may ask.
    pub cors_origins: Vec<String>,
    /// How often somebody may ask or ring.
    pub rates: Rates,
    /// Who bills, by which plans, and whom.
    pub catalogue: Arc<Catalogue>,
}

/// Everything a request may need.
#[derive(Clone)]
pub struct App {
    line: Line,
    gate: Arc<Gate>,
    store: Store,
    secrets: Secrets,
    models: Models,
    accounts: twilio_accounts::Accounts,
    api: Arc<ApiSettings>,
    defaults: Option<Layer>,
    twilio: Option<TwilioAccess>,
    /// Where the calls of numbers that are kept connected go.
    home: Option<Home>,
    couriers: Option<Couriers>,
    archive: Option<Archive>,
    /// What is watched; nothing where nobody said so.
    watch: Option<Watch>,
    tallies: Arc<alerts::Tallies>,
    providers: Arc<[ProviderStanding]>,
    limits: Arc<limits::Limits>,
    known: known::Known,
    tarpit: tarpit::Tarpit,
    bundles: Arc<Permits>,
    rehearsals: Arc<Permits>,
    wirings: Arc<Permits>,
    exports: Arc<Permits>,
    /// Bytes of bodies that may be held at once.
    bodies: Arc<Permits>,
    large_bodies: shares::Shares<IpAddr>,
    streams: shares::Shares<UserId>,
    newest_event: Arc<watch::Sender<EventId>>,
    observing: Option<observing::Observing>,
    tls: Option<Tls>,
    /// Where proofs over HTTP are asked for, when the socket was handed over.
    proof_listener: Option<Arc<std::net::TcpListener>>,
    leaving: leaving::Leaving,
    readiness: Arc<health::Readiness>,
    backups: Option<ScheduledBackups>,
    stop: Arc<watch::Sender<bool>>,
    stopping: watch::Receiver<bool>,
}

impl App {
    /// Resolves once the daemon has been stopping for so long, counted from now at the earliest.
    async fn is_stopping_for(&self, time: Duration) {
        let mut stopping = self.stopping.clone();
        if stopping.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(time).await;
    }

    /// A daemon's parts put together.
    pub fn new(line: Line, gate: Gate, store: Store, secrets: Secrets, models: Models) -> Self {
        let (stop, stopping) = watch::channel(false);
        let known = known::Known::default();
        let api = ApiSettings::default();
        let permits = |(at_once, each)| Arc::new(Permits::new(at_once, each));
        Self {
            line,
            gate: gate.into(),
            accounts: twilio_accounts::Accounts::new(store.clone(), secrets.clone()),
            store,
            secrets,
            models,
            limits: limits::Limits::new(api.rates).into(),
            tarpit: tarpit::Tarpit::new(known.clone(), stopping.clone()),
            known,
            bundles: permits(BUNDLES),
            rehearsals: permits(REHEARSALS),
            wirings: permits(WIRINGS),
            exports: permits(EXPORTS),
            bodies: permits(BODIES),
            large_bodies: shares::Shares::new(LARGE_BODIES),
            streams: shares::Shares::new(STREAMS),
            newest_event: watch::Sender::new(EventId(0)).into(),
            api: api.into(),
            defaults: None,
            twilio: None,
            home: None,
            couriers: None,
            archive: None,
            watch: None,
            tallies: Arc::default(),
            providers: Vec::new().into(),
            stop: stop.into(),
            observing: None,
            tls: None,
            proof_listener: None,
            leaving: leaving::Leaving::default(),
            readiness: Arc::default(),
            backups: None,
            stopping,
        }
    }

    /// With settings of the API, and defaults for the files that are sent to it.
    #[must_use]
    pub fn with_api(self, api: ApiSettings, defaults: Option<Layer>) -> Self {
        let limits = limits::Limits::new(api.rates).into();
        Self { limits, api: api.into(), defaults, ..self }
    }

    /// With the providers that it is set up with.
    #[must_use]
    pub fn knowing(self, providers: Vec<ProviderStanding>) -> Self {
        Self { providers: providers.into(), ..self }
    }

    /// Asks Twilio, as the daemon's own account and as its clients'.
    #[must_use]
    pub fn with_twilio(self, twilio: TwilioAccess) -> Self {
        Self { twilio: Some(twilio), ..self }
    }

    /// Keeps numbers connected to an address.
    #[must_use]
    pub fn connecting(self, home: Home) -> Self {
        Self { home: Some(home), ..self }
    }

    /// The accounts at Twilio, for numbers.
    fn telephony(&self) -> Result<Telephony> {
        let (Some(access), Some(home)) = (self.twilio.clone(), self.home.clone()) else {
            return Err(Error::unavailable("this daemon does not ask Twilio"));
        };
        Ok(Telephony { store: self.store.clone(), secrets: self.secrets.clone(), access, home })
    }

    /// Lets recordings be heard, and keeps them where that is set.
    #[must_use]
    pub fn keeping(self, archive: Archive) -> Self {
        Self { archive: Some(archive), ..self }
    }

    /// Counts what happens, for monitoring.
    #[must_use]
    pub fn observed(self, observing: observing::Observing) -> Self {
        Self { observing: Some(observing), ..self }
    }

    /// Ends TLS itself.
    #[must_use]
    pub fn encrypted(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Gives proofs over HTTP at a socket that was handed over.
    #[must_use]
    pub fn proving_at(self, listener: Option<std::net::TcpListener>) -> Self {
        Self { proof_listener: listener.map(Arc::new), ..self }
    }

    /// What may be changed of it while it runs. Settings of the API are given before.
    pub fn controls(&self) -> Controls {
        Controls::of(self)
    }

    /// Watches what is too much, and tells whoever is to know.
    #[must_use]
    pub fn watching(self, watch: Watch) -> Self {
        Self { watch: Some(watch), ..self }
    }

    /// Makes backups when they are due.
    #[must_use]
    pub fn backing_up(self, backups: ScheduledBackups) -> Self {
        Self { backups: Some(backups), ..self }
    }

    /// What tells whoever is to know of an alert, where deliveries are made at all.
    fn bells(&self) -> Option<Bells> {
        let couriers = self.couriers.clone()?;
        let (store, secrets) = (self.store.clone(), self.secrets.clone());
        Some(Bells::new(store, secrets, couriers, self.twilio.clone()))
    }

    /// Delivers what happened to those outside who are to know.
    #[must_use]
    pub fn delivering_by(self, couriers: Couriers) -> Self {
        Self { couriers: Some(couriers), ..self }
    }
}

/// Serves until `shutdown` is done, then finishes what is in flight.
pub async fn run(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let router = routes::routes(app.clone())?;
    let (proxies, known) = (app.api.trusted_proxies.clone(), app.known.clone());
    let line = app.line.clone();
    let workers = Workers::of(&app);
    let dials = workers.dials();
    let (observing, store) = (app.observing.clone(), app.store.clone());
    let acceptor = app.tls.as_ref().map(Tls::acceptor);
    let leaving = app.clone();
    let shutdown = async move {
        shutdown.await;
        // Nobody is called any more who would be cut off.
        if let Some(dials) = dials {
            dials.abort();
        }
        leaving::leave(&leaving).await;
    };
    connections::serve(listener, router, shutdown, proxies, known, acceptor).await;
    // What others were at is done again after a restart.
    let ((), drained) = tokio::join!(workers.finish(DRAIN), line.drain(DRAIN));
    if !drained {
        tracing::warn!(
            "stopped with turns still in flight; they are stored and go on after a restart"
        );
    }
    if let Some(observing) = observing {
        observing.finish(&store).await;
    }
    tracing::info!("stopped");
    Ok(())
}
