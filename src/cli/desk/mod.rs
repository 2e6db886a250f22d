//! Where commands are carried out: at the store's own file, or by a daemon far away. The commands
//! cannot tell which; what is asked, checked and answered is the same.

mod accounts;
mod alerts;
mod billing;
mod campaigns;
mod client;
mod datasets;
mod local;
mod numbers;
mod outward;
mod remote;
mod report;
mod transcripts;
mod waiting;

use std::path::Path;

use jiff::{Timestamp, tz::TimeZone};

pub(super) use accounts::AccountsDesk;
pub(super) use alerts::AlertsDesk;
pub(super) use billing::BillingDesk;
pub(super) use campaigns::CampaignDesk;
pub(super) use datasets::{DatasetsDesk, Parts};
pub(super) use local::Local;
pub(super) use numbers::NumbersDesk;
pub(super) use outward::OutwardDesk;
pub(super) use remote::Remote;
pub(super) use report::ReportDesk;
pub(super) use transcripts::TranscriptsDesk;
pub(super) use waiting::{News, Waiting};

use crate::{
    api::{Deliveries, DeliveryView, RemovalView},
    config::Settings,
    domain::{
        ApplyId, Assistant, AssistantId, AssistantName, AssistantSpec, Booking, BookingFilter,
        BookingRequest, Call, CallFilter, CallId, CallPage, Contact, ContactChange, ContactFilter,
        Costs, CostsBy, DeliveryFilter, DeliveryId, EmailAddress, Found, KeptDocument, Latency,
        LatencyBy, PhoneNumber, ProvidersOverview, Result, Stats, StatsBy, WholeCall, put_texts,
    },
    operations::{
        assistants::AssistantOverview,
        audit,
        privacy::{Dossier, Erased, Whose},
        provisioning::{Apply, Rollback, Standing, Version},
    },
    provision::{Loaded, Plan, Problem},
};

/// A window of time, and whose calls.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) assistant: Option<AssistantId>,
}

/// Everything that commands ask for.
#[rustfmt::skip]
pub(super) trait Desk: Send + Clocked + AccountsDesk + AlertsDesk + BillingDesk + CampaignDesk + DatasetsDesk + NumbersDesk + OutwardDesk + ReportDesk + TranscriptsDesk {
    fn assistants(&self) -> Result<Vec<AssistantOverview>>;
    /// By name or id.
    fn assistant(&self, name: &str) -> Result<Assistant>;
    fn create(&self, spec: AssistantSpec, owner: Option<EmailAddress>) -> Result<Assistant>;
    /// Only if nobody else changed it since `revision`.
    fn update(&self, id: AssistantId, spec: AssistantSpec, revision: Option<i64>) -> Result<Assistant>;
    fn switch(&self, id: AssistantId, active: bool) -> Result<Assistant>;
    fn hand_over(&self, id: AssistantId, to: Option<EmailAddress>) -> Result<Assistant>;
    fn delete(&self, id: AssistantId) -> Result<()>;

    /// By path, with their texts if they are wanted.
    fn documents(&self, name: &str, texts: bool) -> Result<Vec<KeptDocument>>;
    /// What a caller who says this would be answered from.
    fn search_knowledge(&self, name: &str, said: &str) -> Result<Vec<Found>>;

    fn calls(&self, filter: &CallFilter) -> Result<CallPage>;
    /// All that match, a page at a time.
    fn each_call(&self, filter: &CallFilter, take: &mut dyn FnMut(Vec<Call>) -> Result<()>) -> Result<()>;
    /// Those stored after one, oldest first.
    fn calls_after(&self, last: CallId, filter: &CallFilter) -> Result<Vec<Call>>;
    fn newest_call(&self) -> Result<CallId>;
    fn wait_for_calls(&self) -> Result<Box<dyn Waiting + '_>>;
    /// By SID, or the beginning of only one.
    fn call(&self, sid: &str) -> Result<WholeCall>;
    /// Writes the recording of a call into a file, as MP3.
    fn save_recording(&self, sid: &str, to: &Path, settings: &Settings) -> Result<()>;
    /// With what the calls show, if `details` are wanted.
    fn stats(&self, span: Span, by: Option<StatsBy>, details: bool, zone: &TimeZone) -> Result<Stats>;
    fn latencies(&self, span: Span, by: Option<LatencyBy>) -> Result<Vec<Latency>>;
    fn costs(&self, span: Span, by: Option<CostsBy>) -> Result<Costs>;

    fn bookings(&self, filter: &BookingFilter) -> Result<Vec<Booking>>;
    /// By reference, or `#` and the number of the row.
    fn booking(&self, reference: &str) -> Result<Booking>;
    fn book(&self, assistant: &Assistant, request: BookingRequest, caller: Option<PhoneNumber>) -> Result<Booking>;
    fn cancel_booking(&self, reference: &str) -> Result<Booking>;
    /// The path of a calendar's new address.
    fn open_calendar(&self, assistant: &Assistant) -> Result<String>;
    fn close_calendar(&self, assistant: &Assistant) -> Result<()>;

    fn contacts(&self, filter: &ContactFilter) -> Result<Vec<Contact>>;
    /// By id or number.
    fn contact(&self, name: &str) -> Result<Contact>;
    fn edit_contact(&self, name: &str, change: ContactChange) -> Result<Contact>;
    fn delete_contact(&self, name: &str) -> Result<Contact>;

    /// As many as the filter says, or all of them.
    fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries>;
    fn delivery(&self, id: DeliveryId) -> Result<DeliveryView>;
    fn retry_delivery(&self, id: DeliveryId) -> Result<DeliveryView>;

    fn providers(&self) -> Result<ProvidersOverview>;

    fn plan(&self, files: &[Loaded], prune: bool) -> Result<Result<Plan, Vec<Problem>>>;
    /// `git` is the revision of the files.
    fn apply(&self, plan: Plan, source: String, git: Option<String>) -> Result<Option<ApplyId>>;
    fn standings(&self) -> Result<Vec<Standing>>;
    fn applies(&self, most: Option<u64>) -> Result<Vec<Apply>>;
    fn history(&self, name: &AssistantName) -> Result<Vec<Version>>;
    fn plan_rollback(&self, name: &AssistantName, to: Option<i64>) -> Result<Rollback>;
    fn rollback(&self, rollback: Rollback) -> Result<Assistant>;


    fn audit(&self, span: Span, most: Option<u64>) -> Result<Vec<audit::Entry>>;
    /// Also whether the log holds the line with a hash, if one is given.
    fn check_audit(&self, head: Option<&str>) -> Result<(audit::Check, Option<bool>)>;
    fn dossier(&self, whose: &Whose) -> Result<Dossier>;
    fn erase(&self, whose: &Whose) -> Result<Erased>;
    fn removals(&self) -> Result<Vec<RemovalView>>;
}

/// A desk that is sat at for long: what is done is done now, and not when it was opened.
pub(super) trait Clocked {
    /// Tells it the time.
    fn at(&mut self, now: Timestamp);
}

impl dyn Desk + '_ {
    /// What is set about an assistant, with the texts of its documents at hand.
    pub(super) fn with_texts(&self, assistant: &Assistant) -> Result<AssistantSpec> {
        let mut spec = assistant.spec.clone();
        if !spec.knowledge.is_empty() {
            put_texts(&mut spec.knowledge, self.documents(spec.name.as_str(), true)?);
        }
        Ok(spec)
    }
}
