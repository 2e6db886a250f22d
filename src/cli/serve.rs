//! `webox serve`: the daemon.

use std::sync::Arc;

use clap::Args;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use super::{Context, daemon, exit, help, logging};
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
        self, ApiSettings, App, Gate, Rates, ScheduledBackups, Trust,
        observing::{Figures, Observing, Target, Traces},
    },
    store::{Options, Store},
    vault::Vault,
};

/// Arguments of `webox serve`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        (
            "webox serve --public-url https://calls.example.com",
            "answers Twilio, behind a proxy that does TLS",
        ),
        ("webox serve --insecure-no-signature", "for trials on this machine only"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::CONFIG],
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
    /// Accept webhooks without a signature, on this machine's own addresses only.
    #[arg(long)]
    pub(super) insecure_no_signature: bool,
}

pub(super) fn run(args: &Serve, context: &Context) -> Result<()> {
    context.without_server("serve")?;
    let settings = context.settings_with(|flags| {
        flags.listen.clone_from(&args.listen);
        flags.public_url.clone_from(&args.public_url);
        flags.metrics_listen.clone_from(&args.metrics_listen);
    })?;
    logging::start_with(&settings.log.value, context)?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let trust = trust(args, &settings)?;
    // Each connection and each file is a descriptor: the usual 1,024 are too few for many callers.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(most) => tracing::debug!(most, "files and connections that may be open at once"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
    let options =
        Options { keeps_a_copy: !settings.backup.upgrade_without_copy.value, ..Options::daemon() };
    let store = Store::open(&settings.db.value, options)?;
    if let Some(path) = &settings.billing.rates.value {
        store.reckon_by(Arc::new(rates::open(path)?));
    }
    let catalogue = match &settings.billing.file.value {
        Some(path) => Catalogue::open(path)?,
        None => Catalogue::shipped(),
    };
    store.allow_by(Arc::new(catalogue.allowances()));
    daemon::runtime()?.block_on(serve(&settings, trust, store, context.defaults()?, catalogue))
}

async fn serve(
    settings: &Settings,
    trust: Trust,
    store: Store,
    defaults: Option<Layer>,
    catalogue: Catalogue,
) -> Result<()> {
    let listen = settings.listen.value;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Error::unavailable(format!("cannot listen at {listen}"))
            .because(error)
            .hint("choose another address with `--listen`; `webox config show` tells where this one comes from")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Error::failure("the listener has no address").because(error))?;
    let public_url = settings
        .public_url
        .value
        .as_ref()
        .map_or_else(|| format!("http://{address}"), |url| url.as_str().to_owned());
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
        rates: Rates {
            requests: settings.api.requests_per_minute.value,
            calls_to_a_number: settings.limits.calls_to_a_number.value,
            calls_of_an_account: settings.limits.calls_of_an_account.value,
        },
    };
    if let Some(folder) = &settings.recordings_folder.value {
        daemon::make_private(folder)?;
    }
    let archive = daemon::archive(settings, &store)?;
    let observed = store.clone();
    let backups = daemon::scheduled_backups(settings)?;
    let app = App::new(line, gate, store.clone(), secrets, models)
        .with_api(api, defaults)
        .knowing(daemon::standings(settings))
        .removing_at(daemon::twilio(settings)?)
        .keeping(archive)
        .delivering_by(couriers)
        .watching(daemon::watch(settings));
    let app = match &backups {
        Some(backups) => app.backing_up(backups.clone()),
        None => app,
    };
    let app = match observing(settings, &observed, backups.as_ref()).await? {
        Some(observing) => app.observed(observing),
        None => app,
    };
    let mut signals = Signals::listen()?;
    let (stop, stopped) = oneshot::channel();
    tracing::info!(%address, public_url, db = %store.path().display(), "webox answers");
    let told_twice = async move {
        signals.next().await;
        // The first one: finish what is in flight.
        let _ = stop.send(());
        signals.next().await;
    };
    let stopped = async move {
        let _ = stopped.await;
    };
    tokio::select! {
        done = server::run(listener, app, stopped) => done,
        () = told_twice => Err(Error::new(Kind::Interrupted, "stopped at once, with turns in flight")
            .hint("they are stored: the calls go on when the daemon runs again")),
    }
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

/// SIGTERM and SIGINT, which mean the same here.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let on = |kind| {
            signal(kind).map_err(|error| Error::failure("signals cannot be heard").because(error))
        };
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM"),
            _ = self.interrupt.recv() => tracing::info!("interrupted"),
        }
    }
}
