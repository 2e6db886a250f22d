//! The daemon: who is calling whom, and is it really Twilio?
//!
//! [`run`] takes a bound listener and a future that ends it, so that a test and systemd can both
//! start it. A request is read and judged here, then handed to the line in a task of its own:
//! a peer that hangs up does not interrupt a turn.

mod admission;
mod body;
mod connections;
mod gate;
mod health;
mod problem;
mod webhooks;

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{any, get, post},
};
use tokio::net::TcpListener;

use crate::{domain::Result, line::Line};

pub use gate::{Gate, Trust};

/// How long a stopping daemon waits for turns in flight.
const DRAIN: Duration = Duration::from_secs(20);

/// How often calls that were never announced as ended are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Everything a request may need.
#[derive(Clone)]
pub struct App {
    /// The conversations.
    pub line: Line,
    /// Who is believed.
    pub gate: Arc<Gate>,
}

/// The routes.
fn router(app: App) -> Router {
    let webhook = "/api/voice/webhook";
    Router::new()
        .route(&format!("{webhook}/incoming"), post(webhooks::incoming))
        .route(&format!("{webhook}/process"), post(webhooks::process))
        .route(&format!("{webhook}/wait"), post(webhooks::wait))
        .route(&format!("{webhook}/transfer"), post(webhooks::transfer))
        .route(&format!("{webhook}/status"), post(webhooks::status))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .fallback(any(problem::not_found))
        .method_not_allowed_fallback(problem::method_not_allowed)
        // The webhooks bound their bodies themselves; nothing else takes one yet.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// Serves until `shutdown` is done, then finishes what is in flight.
pub async fn run(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let line = app.line.clone();
    let sweeper = tokio::spawn(sweep(line.clone()));
    connections::serve(listener, router(app), shutdown, DRAIN).await;
    sweeper.abort();
    if !line.drain(DRAIN).await {
        tracing::warn!(
            "stopped with turns still in flight; they are stored and go on after a restart"
        );
    }
    tracing::info!("stopped");
    Ok(())
}

async fn sweep(line: Line) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = line.sweep().await {
            tracing::error!(%error, "forgotten calls could not be closed");
        }
    }
}
