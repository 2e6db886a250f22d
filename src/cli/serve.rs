//! `webox serve`: the daemon.

mod reload;
mod systemd;

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use super::{Context, context::is_missing, daemon, exit, help, logging};
use crate::{
    billing::{catalogue::Catalogue, rates},
    config::Settings,
    conversation::engine::{Deadlines, Engine},
    domain::{Error, Kind, Result},
    line::{Clock, Line, Patience},
    operations::{endpoints::Endpoints, knowledge::Library, secrets::Secrets},
    providers::breaker::Breakers,
    provision::Layer,
    server::{
        self, ApiSettings, App, Controls, Gate, Issuer, Rates, ScheduledBackups, Tls, Trust,
        observing::{Figures, Observing, Target, Traces},
    },
    store::{Options, Store},
    vault::Vault,
};

use reload::Reloading;

/// How long stopping may take besides live calls that go on: the last words of sockets, turns in
/// flight, and what is left of each.
const STOPS_WITHIN: Duration = Duration::from_mins(1);

/// How long what was begun for a request may go on once nobody is answered any more.
const LAST_WORK: Duration = Duration::from_secs(5);

/// Arguments of `webox serve`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        (
            "webox serve --public-url https://calls.example.com",
            "answers Twilio, behind a proxy that does TLS",
        ),
        (
            "webox serve --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key privkey.pem --public-url https://calls.example.com",
            "without a proxy; `[server.acme]` in webox.toml has certificates asked for",
        ),
        ("webox serve --insecure-no-signature", "for trials on this machine only"),
    ],
    &[
        exit::FAILURE,
        exit::REFUSED,
        exit::USAGE,
        exit::UNAVAILABLE,
        exit::BUSY,
        exit::DENIED,
        exit::CONFIG,
        exit::INTERRUPTED,
    ],
))]
pub struct Serve {
    /// The address to listen at [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,
    /// The address Twilio reaches us by; signatures are computed over it.
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Where figures for Prometheus are to be had, or `off` [default: 127.0.0.1:9464].
    #[arg(long, value_name = "ADDRESS")]
    pub(super) metrics_listen: Option<String>,
    /// The certificate, and those above it, in PEM: TLS is ended here. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(super) tls_key: Option<PathBuf>,
    /// Once told to stop, let live calls go on, at most for this long (without a TIME: 10m).
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "10m")]
    pub(super) drain: Option<String>,
    /// Accept webhooks without a signature, on this machine's own addresses only.
    #[arg(long)]
    pub(super) insecure_no_signature: bool,
}

pub(super) fn run(args: &Serve, context: &Context) -> Result<()> {
    context.without_server("serve")?;
    // A SIGHUP that comes before all is ready waits; unheard, it would end the process.
    let runtime = daemon::runtime()?;
    let hangups = {
        let _entered = runtime.enter();
        hear(SignalKind::hangup())?
    };
    let settings = read(args, context)?;
    let filter = logging::start_with(&settings.log.value, context)?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let trust = trust(args, &settings)?;
    let inherited = systemd::Inherited::take(context.environment())?;
    let tls = tls(&settings)?;
    // Each connection and each file is a descriptor: the usual 1,024 are too few for many callers.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(most) => tracing::debug!(most, "files and connections that may be open at once"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
    let options =
        Options { keeps_a_copy: !settings.backup.upgrade_without_copy.value, ..Options::daemon() };
    let is_new = is_missing(&settings.db.value);
    let store = Store::open(&settings.db.value, options)?;
    if is_new {
        let db = settings.db.value.display();
        tracing::warn!(%db, "there was no database: a new one was begun, and no assistant is in it");
    }
    if let Some(path) = &settings.billing.rates.value {
        store.reckon_by(Arc::new(rates::open(path)?));
    }
    let catalogue = match &settings.billing.file.value {
        Some(path) => Catalogue::open(path)?,
        None => Catalogue::shipped(),
    };
    store.allow_by(Arc::new(catalogue.allowances()));
    let parts = Parts { trust, tls, inherited, hangups, defaults: context.defaults()?, catalogue };
    let served = runtime.block_on(serve(&settings, store, parts, |settings, controls| {
        Reloading::new(args, context, controls, filter, settings)
    }));
    // Whoever asked for something long has gone; nobody hears signals any more.
    runtime.shutdown_timeout(LAST_WORK);
    served
}

/// The settings, with what the command line says.
fn read(args: &Serve, context: &Context) -> Result<Settings> {
    context.settings_with(|flags| {
        flags.listen.clone_from(&args.listen);
        flags.public_url.clone_from(&args.public_url);
        flags.metrics_listen.clone_from(&args.metrics_listen);
        flags.tls_cert.clone_from(&args.tls_cert);
        flags.tls_key.clone_from(&args.tls_key);
        flags.drain.clone_from(&args.drain);
    })
}

/// What is made ready before anything runs beside it.
struct Parts {
    trust: Trust,
    tls: Option<Tls>,
    inherited: systemd::Inherited,
    hangups: Signal,
    defaults: Option<Layer>,
    catalogue: Catalogue,
}

/// The certificate that handshakes are answered with, where TLS is ended here.
fn tls(settings: &Settings) -> Result<Option<Tls>> {
    let serving = &settings.serving;
    match (&serving.tls_cert.value, &serving.tls_key.value) {
        (Some(certificate), Some(key)) => Tls::of_files(certificate, key).map(Some),
        _ if serving.is_encrypted() => Tls::issued(Issuer::new(&serving.acme)?).map(Some),
        _ => Ok(None),
    }
}

/// The socket that was handed over, or one at the address that is set.
fn listen(settings: &Settings, handed_over: Option<std::net::TcpListener>) -> Result<TcpListener> {
    if let Some(listener) = handed_over {
        return TcpListener::from_std(listener).map_err(|cause| {
            Error::failure("the socket that was handed over cannot be used").because(cause)
        });
    }
    let listen = settings.listen.value;
    server::listen(listen).map_err(|error| {
        Error::unavailable(format!("cannot listen at {listen}"))
            .because(error)
            .hint("choose another address with `--listen`; `webox config show` tells where this one comes from")
    })
}

async fn serve<'a>(
    settings: &Settings,
    store: Store,
    parts: Parts,
    reloading: impl FnOnce(&Settings, Controls) -> Reloading<'a>,
) -> Result<()> {
    let Parts { trust, tls, inherited, mut hangups, defaults, catalogue } = parts;
    let listener = listen(settings, inherited.calls)?;
    let address = listener
        .local_addr()
        .map_err(|error| Error::failure("the listener has no address").because(error))?;
    if matches!(trust, Trust::Everybody) && !address.ip().is_loopback() {
        return Err(Error::usage(format!(
            "`--insecure-no-signature` listens on this machine only, and the socket that was handed over is at {address}"
        ))
        .hint("leave the flag out"));
    }
    let public_url = settings.public_url.value.as_ref().map_or_else(
        || format!("{}://{address}", scheme(tls.as_ref())),
        |url| url.as_str().to_owned(),
    );
    let secrets = Secrets::new(Vault::new(settings.master_key.clone()));
    let models = daemon::models_with(settings, &store, &secrets);
    daemon::warn_of_models(&store, &models)?;
    let breakers = Breakers::default();
    let couriers = daemon::couriers(settings)?;
    let endpoints = Endpoints::real(couriers.clone(), secrets.clone(), store.clone());
    let engine = Engine::new(store.clone(), models.clone(), Deadlines::default())
        .sharing(breakers.clone())
        .looking_up_in(Library::asking(models.clone(), breakers.clone()))
        .asking(endpoints);
    let line = Line::new(store.clone(), engine, Clock::system(), &public_url, Patience::default())
        .with_voices(daemon::voices(settings, breakers));
    let gate = Gate::new(trust, &public_url).of_account(settings.twilio.account_sid.value.clone());
    let api = ApiSettings {
        trusted_proxies: settings.api.trusted_proxies.value.clone(),
        cors_origins: settings.api.cors_origins.value.clone(),
        catalogue: Arc::new(catalogue),
        rates: rates(settings),
    };
    if let Some(folder) = &settings.recordings_folder.value {
        daemon::make_private(folder)?;
    }
    let twilio = daemon::twilio(settings)?;
    let archive = daemon::archive(settings, &store, twilio.clone())?;
    let observed = store.clone();
    let backups = daemon::scheduled_backups(settings)?;
    let app = App::new(line, gate, store.clone(), secrets, models)
        .with_api(api, defaults)
        .knowing(daemon::standings(settings))
        .with_twilio(twilio)
        .connecting(daemon::home_of_numbers(settings))
        .keeping(archive)
        .delivering_by(couriers)
        .watching(daemon::watch(settings))
        .encrypted(tls)
        .proving_at(inherited.http);
    let app = match &backups {
        Some(backups) => app.backing_up(backups.clone()),
        None => app,
    };
    let controls = app.controls();
    controls.set_drain(settings.serving.drain.value);
    let mut reloading = reloading(settings, controls.clone());
    let app = match observing(settings, &observed, backups.as_ref()).await? {
        Some(observing) => app.observed(observing),
        None => app,
    };
    let mut signals = Signals::listen()?;
    let (stop, stopped) = oneshot::channel();
    systemd::ready();
    tracing::info!(%address, public_url, db = %store.path().display(), "webox answers");
    let told_twice = async move {
        signals.next().await;
        // The first one: finish what is in flight.
        let _ = stop.send(());
        tokio::select! {
            () = signals.next() => {}
            () = systemd::stopping(|| controls.drain() + STOPS_WITHIN) => {}
        }
    };
    let hung_up = async move {
        while hangups.recv().await.is_some() {
            tracing::info!("SIGHUP");
            reloading.reload();
        }
        std::future::pending::<()>().await;
    };
    let alive = systemd::watchdog(observed);
    let stopped = async move {
        let _ = stopped.await;
    };
    tokio::select! {
        done = server::run(listener, app, stopped) => done,
        () = hung_up => Ok(()),
        () = alive => Ok(()),
        () = told_twice => Err(Error::new(Kind::Interrupted, "stopped at once, with turns in flight")
            .hint("they are stored: the calls go on when the daemon runs again")),
    }
}

/// How often somebody may ask or ring.
fn rates(settings: &Settings) -> Rates {
    Rates {
        requests: settings.api.requests_per_minute.value,
        calls_to_a_number: settings.limits.calls_to_a_number.value,
        calls_of_an_account: settings.limits.calls_of_an_account.value,
    }
}

/// How our own address begins.
const fn scheme(tls: Option<&Tls>) -> &'static str {
    if tls.is_some() { "https" } else { "http" }
}

/// Counts what happens where somebody may want to know: who scrapes, or a collector.
async fn observing(
    settings: &Settings,
    store: &Store,
    backups: Option<&ScheduledBackups>,
) -> Result<Option<Observing>> {
    let monitoring = &settings.monitoring;
    let target = monitoring.otlp_endpoint.value.as_ref().map(|endpoint| Target {
        endpoint: endpoint.as_str().to_owned(),
        headers: monitoring.otlp_headers.value.clone(),
    });
    let listener = match monitoring.metrics_listen.value {
        None => None,
        Some(address) => match TcpListener::bind(address).await {
            Ok(listener) => Some(listener),
            Err(error) if monitoring.metrics_are_wanted() => {
                return Err(Error::unavailable(format!("cannot listen at {address} for metrics"))
                    .because(error)
                    .hint("choose another address with `--metrics-listen`, or `off`"));
            }
            // Nobody asked for them: no reason not to answer the phone.
            Err(error) => {
                tracing::warn!(metrics_address = %address, %error, "figures are not to be had: another address is set with --metrics-listen");
                None
            }
        },
    };
    if listener.is_none() && target.is_none() {
        return Ok(None);
    }
    let (figures, scraped) = Figures::new(store, target.as_ref(), backups)?;
    if let Some(listener) = listener {
        if let Ok(address) = listener.local_addr() {
            tracing::info!(metrics_address = %address, "figures are to be had at /metrics");
        }
        tokio::spawn(scraped.serve(listener));
    }
    let traces = target.as_ref().map(Traces::to).transpose()?;
    Ok(Some(Observing::new(figures, traces)))
}

/// Whom to believe; without a token and a public URL, nobody, and that is no way to start.
fn trust(args: &Serve, settings: &Settings) -> Result<Trust> {
    if args.insecure_no_signature {
        if !settings.listen.value.ip().is_loopback() {
            return Err(Error::usage(format!(
                "`--insecure-no-signature` listens on this machine only, not at {}",
                settings.listen.value
            ))
            .hint("leave `--listen` at 127.0.0.1, or leave the flag out"));
        }
        tracing::warn!(
            "SIGNATURES ARE NOT CHECKED: anybody on this machine can pretend to be Twilio"
        );
        return Ok(Trust::Everybody);
    }
    let tokens = settings.twilio.auth_tokens.value.clone();
    if tokens.is_empty() {
        return Err(Error::config("no Twilio auth token is set, so no webhook could be believed")
            .hint(
                "set TWILIO_AUTH_TOKEN, or `--insecure-no-signature` for a trial on this machine",
            ));
    }
    if settings.public_url.value.is_none() {
        return Err(Error::config("no public URL is set, over which Twilio signs its requests")
            .hint("give the address that Twilio's console has for your number: `--public-url https://calls.example.com`"));
    }
    Ok(Trust::Signed(tokens))
}

fn hear(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|error| Error::failure("signals cannot be heard").because(error))
}

/// SIGTERM and SIGINT, which mean the same here.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM"),
            _ = self.interrupt.recv() => tracing::info!("interrupted"),
        }
    }
}
