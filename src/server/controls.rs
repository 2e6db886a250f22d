//! What may be changed of a daemon while it runs.

use std::{sync::Arc, time::Duration};

use super::{App, Gate, Rates, Tls, Trust, TwilioAccess, leaving::Leaving, limits::Limits};
use crate::{domain::Result, twilio::access::Credential};

/// The handles of a daemon.
#[derive(Clone)]
pub struct Controls {
    gate: Arc<Gate>,
    limits: Arc<Limits>,
    twilio: Option<TwilioAccess>,
    tls: Option<Tls>,
    leaving: Leaving,
}

impl Controls {
    pub(super) fn of(app: &App) -> Self {
        Self {
            gate: Arc::clone(&app.gate),
            limits: Arc::clone(&app.limits),
            twilio: app.twilio.clone(),
            tls: app.tls.clone(),
            leaving: app.leaving.clone(),
        }
    }

    /// Believes requests that are signed otherwise.
    pub fn believe(&self, trust: Trust) {
        self.gate.believe(trust);
    }

    /// Asks Twilio with other credentials.
    pub fn ask_with(&self, credentials: Vec<Credential>) {
        if let Some(twilio) = &self.twilio {
            twilio.exchange(credentials);
        }
    }

    /// Counts by other rates, from nothing.
    pub fn set_rates(&self, rates: Rates) {
        self.limits.set(rates);
    }

    /// Whether it was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.leaving.has_begun()
    }

    /// How long live calls may go on when it is to stop.
    pub fn drain(&self) -> Duration {
        self.leaving.drain()
    }

    /// Sets how long live calls may go on when it is to stop.
    pub fn set_drain(&self, drain: Duration) {
        self.leaving.set_drain(drain);
    }

    /// Reads the certificate anew, where it comes from files.
    pub fn reload_certificate(&self) -> Result<()> {
        self.tls.as_ref().map_or(Ok(()), Tls::reload)
    }
}
