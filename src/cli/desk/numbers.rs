//! What commands ask about the numbers that webox keeps connected at Twilio.

use std::time::Duration;

use super::{Local, Remote};
use crate::{
    api::{KeptNumbers, NumbersInput},
    cli::daemon,
    config::Settings,
    domain::{KeptNumber, Result},
    operations::numbers::Telephony,
    provision::Plan,
};

/// Longer than a daemon lets Twilio take.
const WITHIN: Duration = Duration::from_mins(15);

/// Numbers that webox keeps connected. A daemon that is asked goes by its own settings.
#[rustfmt::skip]
pub(in crate::cli) trait NumbersDesk {
    /// Looks at those of a plan, as they will be.
    fn look_at_numbers(&self, plan: &Plan, settings: &Settings) -> Result<Vec<KeptNumber>>;
    /// Has those of a plan that was applied come to the daemon.
    fn connect_numbers(&self, plan: &Plan, settings: &Settings) -> Result<Vec<KeptNumber>>;
}

impl Local {
    fn telephony(&self, settings: &Settings) -> Result<Telephony> {
        daemon::telephony(settings, self.store.clone(), self.secrets.clone())
    }
}

impl NumbersDesk for Local {
    fn look_at_numbers(&self, plan: &Plan, settings: &Settings) -> Result<Vec<KeptNumber>> {
        let telephony = self.telephony(settings)?;
        daemon::runtime()?.block_on(telephony.look_at_kept(&self.actor, plan))
    }

    fn connect_numbers(&self, plan: &Plan, settings: &Settings) -> Result<Vec<KeptNumber>> {
        let telephony = self.telephony(settings)?;
        daemon::runtime()?.block_on(telephony.connect_kept(&self.actor, plan, self.now))
    }
}

impl NumbersDesk for Remote {
    fn look_at_numbers(&self, plan: &Plan, _: &Settings) -> Result<Vec<KeptNumber>> {
        self.numbers("plan", plan)
    }

    fn connect_numbers(&self, plan: &Plan, _: &Settings) -> Result<Vec<KeptNumber>> {
        self.numbers("apply", plan)
    }
}

impl Remote {
    fn numbers(&self, of: &str, plan: &Plan) -> Result<Vec<KeptNumber>> {
        let asked = self.client.post(&[of, "numbers"]).within(WITHIN);
        Ok(asked.body(&NumbersInput::of(plan)?)?.send::<KeptNumbers>()?.numbers)
    }
}
