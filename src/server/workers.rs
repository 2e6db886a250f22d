//! What the daemon does beside answering: each for as long as it runs. One that breaks off is told of, and
//! begins anew: what it has to do is in the store.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::task::{AbortHandle, JoinSet};

use super::{
    App, Tls, alerts, api, busy, charges, deliveries, dialling, embedding, proofs, reminders,
    removals, rounds, texts, tls::Proofs,
};

/// How long after it broke off somebody begins anew.
const AGAIN: Duration = Duration::from_mins(1);

/// How often it is looked whether somebody is done.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// All who work beside; they end when this is dropped.
#[derive(Default)]
pub(super) struct Workers {
    all: JoinSet<()>,
    dials: Option<AbortHandle>,
    deliveries: Option<AbortHandle>,
}

impl Workers {
    /// Has all of them begin that a daemon needs.
    pub(super) fn of(app: &App) -> Self {
        let mut workers = Self::default();
        workers.begin("sweeping", app, |app| rounds::sweep(app.line, app.limits));
        workers.begin("keeping warm", app, |app| async move { app.line.keep_warm().await });
        workers.begin("looking back", app, |app| rounds::look_back(app.line));
        workers.begin("forgetting", app, |app| rounds::forget(app.store));
        workers.begin("telling of events", app, |app| {
            api::tell_of_events(app.store, app.newest_event)
        });
        if let Some(access) = app.twilio.clone() {
            let asks = access.clone();
            workers.begin("removals", app, move |app| {
                removals::run(app.store, app.accounts, asks.clone(), app.archive)
            });
            let asks = access.clone();
            workers.begin("charges", app, move |app| {
                charges::run(app.store, app.accounts, asks.clone())
            });
            workers.dials = Some(workers.begin("dialling", app, move |app| {
                dialling::run(app.store, app.accounts, access.clone(), app.line.public_url())
            }));
        }
        if let Some(archive) = app.archive.clone() {
            workers.begin("recordings", app, move |_| archive.clone().run());
        }
        if let Some(couriers) = app.couriers.clone() {
            let by = couriers.clone();
            workers.deliveries = Some(workers.begin("deliveries", app, move |app| {
                let texts = texts::Texts { accounts: app.accounts, access: app.twilio };
                deliveries::run(app.store, app.secrets, by.clone(), texts, app.stopping)
            }));
            workers.begin("calendars", app, move |app| {
                busy::run(app.store, app.secrets, couriers.clone())
            });
            workers.begin("reminders", app, |app| reminders::run(app.store));
        }
        let library = app.line.library().clone();
        if library.asks() {
            workers.begin("embeddings", app, move |app| embedding::run(app.store, library.clone()));
        }
        if let Some(observing) = app.observing.clone() {
            workers.begin("observing", app, move |app| observing.clone().run(app.store));
        }
        if let Some(watch) = app.watch.clone() {
            if let Some(bells) = app.bells() {
                let watch = watch.clone();
                workers.begin("telling of alerts", app, move |app| {
                    alerts::tell(app.store, watch.clone(), bells.clone())
                });
            }
            workers.begin("alerts", app, move |app| {
                let bells = app.bells();
                alerts::look(app.store, watch.clone(), app.line, app.tallies, bells, app.backups)
            });
        }
        if let Some(backups) = app.backups.clone() {
            workers.begin("backups", app, move |app| backups.clone().run(app.store));
        }
        let proving = app.tls.as_ref().and_then(Tls::proofs);
        if proving.is_none() && app.proof_listener.is_some() {
            tracing::warn!(
                hint = "`systemctl disable --now webox-http.socket`",
                "a socket for proofs over HTTP was handed over, and none are asked for: nothing is found there"
            );
        }
        // Whoever knocks at a socket that systemd holds open is answered.
        let handed_over = app.proof_listener.as_ref().and_then(|socket| socket.local_addr().ok());
        let knocked = handed_over.map(|address| (address, Proofs::default()));
        if let Some((address, proofs)) = proving.or(knocked) {
            workers.begin("proofs over HTTP", app, move |app| {
                proofs::serve(address, app.proof_listener, proofs.clone())
            });
        }
        if let Some(tls) = app.tls.clone() {
            workers.begin("certificates", app, move |_| tls.clone().look_after());
        }
        workers
    }

    /// Ends who makes calls, before the others.
    pub(super) fn dials(&self) -> Option<AbortHandle> {
        self.dials.clone()
    }

    /// Resolves once nothing is on its way to anybody, or that has taken long enough; who works beside ends then.
    pub(super) async fn finish(self, within: Duration) {
        let Some(deliveries) = &self.deliveries else { return };
        let until = tokio::time::Instant::now() + within;
        while !deliveries.is_finished() && tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    }

    /// Has somebody work until the daemon ends, or there is nothing to do for them.
    fn begin<F>(
        &mut self,
        name: &'static str,
        app: &App,
        work: impl Fn(App) -> F + Send + 'static,
    ) -> AbortHandle
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let app = app.clone();
        self.all.spawn(kept_up(name, AGAIN, move || work(app.clone())))
    }
}

async fn kept_up<F: Future<Output = ()>>(
    name: &'static str,
    again: Duration,
    work: impl Fn() -> F,
) {
    while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
        tracing::error!(
            work = name,
            again_s = again.as_secs(),
            "broke off: this is a bug of webox"
        );
        tokio::time::sleep(again).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_breaks_off_begins_anew_and_who_is_done_does_not() {
        let begun = AtomicU32::new(0);
        kept_up("counting", Duration::ZERO, || async {
            assert!(begun.fetch_add(1, Ordering::Relaxed) == 2, "breaks off twice");
        })
        .await;
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }
}
