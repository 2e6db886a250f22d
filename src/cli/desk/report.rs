//! What commands ask of a client's month.

use super::{Local, Remote};
use crate::{
    api::OneReport,
    domain::{ReportLanguage, Result, ZoneName},
    operations::report::{self, Wanted, Whose},
};

/// Months as pages.
pub(in crate::cli) trait ReportDesk {
    /// The page.
    fn report(&self, wanted: &Wanted) -> Result<String>;
}

impl ReportDesk for Local {
    fn report(&self, wanted: &Wanted) -> Result<String> {
        Ok(report::page(&report::report(&self.store, &self.actor, wanted)?))
    }
}

impl ReportDesk for Remote {
    fn report(&self, wanted: &Wanted) -> Result<String> {
        let (client, assistant) = match &wanted.whose {
            Whose::All => (None, None),
            Whose::Client(name) => (Some(name), None),
            Whose::Assistant(id) => (None, Some(id.0)),
        };
        let answer: OneReport = self
            .client
            .get(&["report"])
            .query("month", Some(wanted.month))
            .query("client", client)
            .query("assistant_id", assistant)
            .query("lang", wanted.language.map(ReportLanguage::as_str))
            .query("timezone", wanted.zone.as_ref().map(ZoneName::as_str))
            .send()?;
        Ok(answer.html)
    }
}
