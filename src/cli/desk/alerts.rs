//! What commands ask about alerts.

use jiff::SignedDuration;
use reqwest::Method;

use super::{Local, Remote};
use crate::{
    api::{
        AlertRules, AlertTest, AlertTests, AlertView, Alerts, Done, OneAlert, OneSilence,
        SilenceInput, SilenceView, TestInput,
    },
    cli::daemon,
    config::Settings,
    domain::{AlertFilter, AlertId, Assistant, HumanDuration, Result},
    operations::alerts,
    server,
};

/// The most alerts in one answer of the API.
const PAGE: u64 = 1_000;

/// Alerts. Settings are those of this machine; a daemon has its own.
#[rustfmt::skip]
pub(in crate::cli) trait AlertsDesk {
    /// As many as the filter says, or all of them.
    fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertView>>;
    fn ack_alert(&self, id: AlertId) -> Result<AlertView>;
    fn alert_rules(&self, settings: &Settings, assistant: Option<&Assistant>) -> Result<AlertRules>;
    fn silence_alerts(&self, settings: &Settings, rule: &str, assistant: Option<&Assistant>, length: HumanDuration) -> Result<SilenceView>;
    fn end_silence(&self, rule: &str, assistant: Option<&Assistant>) -> Result<()>;
    /// What came back from destinations.
    fn test_alerts(&self, settings: &Settings, to: &[String]) -> Result<Vec<AlertTest>>;
}

impl AlertsDesk for Local {
    fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertView>> {
        let page = alerts::list(&self.store, &self.actor, filter, self.now)?;
        Ok(page.alerts.into_iter().map(Into::into).collect())
    }

    fn ack_alert(&self, id: AlertId) -> Result<AlertView> {
        alerts::ack(&self.store, &self.actor, id, self.now).map(Into::into)
    }

    fn alert_rules(
        &self,
        settings: &Settings,
        assistant: Option<&Assistant>,
    ) -> Result<AlertRules> {
        let watch = daemon::watch(settings);
        let rules = alerts::list_rules(&self.store, &watch, &self.actor, assistant)?;
        Ok(AlertRules::of(rules, alerts::silences(&self.store, &self.actor, self.now)?))
    }

    fn silence_alerts(
        &self,
        settings: &Settings,
        rule: &str,
        assistant: Option<&Assistant>,
        length: HumanDuration,
    ) -> Result<SilenceView> {
        let watch = daemon::watch(settings);
        let length = SignedDuration::try_from(length.get()).unwrap_or(SignedDuration::MAX);
        let (store, actor, now) = (&self.store, &self.actor, self.now);
        alerts::silence(store, &watch, actor, rule, assistant, length, now).map(Into::into)
    }

    fn end_silence(&self, rule: &str, assistant: Option<&Assistant>) -> Result<()> {
        alerts::end_silence(&self.store, &self.actor, rule, assistant, self.now)
    }

    fn test_alerts(&self, settings: &Settings, to: &[String]) -> Result<Vec<AlertTest>> {
        alerts::may_test(&self.actor)?;
        let watch = daemon::watch(settings);
        let (store, secrets) = (self.store.clone(), self.secrets.clone());
        let (couriers, twilio) = (daemon::couriers(settings)?, daemon::twilio(settings)?);
        let bells = server::Bells::new(store, secrets, couriers, Some(twilio));
        daemon::runtime()?.block_on(server::test_alerts(&bells, &watch, to, self.now))
    }
}

impl AlertsDesk for Remote {
    fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertView>> {
        let wanted = filter.limit.unwrap_or(u64::MAX);
        let mut cursor = filter.older_than.map(|AlertId(id)| id.to_string());
        let mut found: Vec<AlertView> = Vec::new();
        while (found.len() as u64) < wanted {
            let left = (wanted - found.len() as u64).min(PAGE);
            let page: Alerts = self
                .client
                .get(&["alerts"])
                .query("assistant_id", filter.assistant.map(|id| id.0))
                .query("all", filter.all.then_some(true))
                .query("limit", Some(left))
                .query("cursor", cursor.as_ref())
                .send()?;
            found.extend(page.alerts);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn ack_alert(&self, id: AlertId) -> Result<AlertView> {
        let path = ["alerts", &id.0.to_string(), "ack"];
        Ok(self.client.post(&path).send::<OneAlert>()?.alert)
    }

    fn alert_rules(&self, _: &Settings, assistant: Option<&Assistant>) -> Result<AlertRules> {
        let ask = self.client.get(&["alerts", "rules"]);
        ask.query("assistant_id", assistant.map(|one| one.id.0)).send()
    }

    fn silence_alerts(
        &self,
        _: &Settings,
        rule: &str,
        assistant: Option<&Assistant>,
        length: HumanDuration,
    ) -> Result<SilenceView> {
        let input = SilenceInput {
            rule: rule.to_owned(),
            assistant_id: assistant.map(|one| one.id.0.to_string()),
            length,
        };
        let ask = self.client.post(&["alerts", "silences"]).body(&input)?;
        Ok(ask.send::<OneSilence>()?.silence)
    }

    fn end_silence(&self, rule: &str, assistant: Option<&Assistant>) -> Result<()> {
        let ask = self.client.ask(Method::DELETE, &["alerts", "silences", rule]);
        ask.query("assistant_id", assistant.map(|one| one.id.0)).send::<Done>()?;
        Ok(())
    }

    fn test_alerts(&self, _: &Settings, to: &[String]) -> Result<Vec<AlertTest>> {
        let ask = self.client.post(&["alerts", "test"]).body(&TestInput { to: to.to_vec() })?;
        Ok(ask.send::<AlertTests>()?.tests)
    }
}
