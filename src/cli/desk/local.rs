//! At the store's own file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Clocked, Desk, Span,
    waiting::{Ticks, Waiting},
};
use crate::{
    api::{Deliveries, DeliveryView, RemovalView},
    billing::rates,
    cli::daemon,
    config::Settings,
    domain::{
        Actor, ApplyId, Assistant, AssistantId, AssistantName, AssistantSpec, Author, Booking,
        BookingFilter, BookingRequest, Call, CallFilter, CallId, CallPage, Contact, ContactChange,
        ContactFilter, Costs, CostsBy, DeliveryFilter, DeliveryId, EmailAddress, Expected, Found,
        KeptDocument, Latency, LatencyBy, PhoneNumber, ProviderStanding, ProvidersOverview, Result,
        Stats, StatsBy, WholeCall,
    },
    operations::{
        assistants::{self, AssistantOverview},
        audit, bookings, calendars, calls, contacts, knowledge, latency, ledger, outbox,
        privacy::{self, Dossier, Erased, Whose},
        providers,
        provisioning::{self, Apply, Rollback, Standing, Version},
        recordings, removals,
        secrets::Secrets,
        stats,
    },
    provision::{Loaded, Plan, Problem},
    store::Store,
};

/// A store, and who is at it.
pub(in crate::cli) struct Local {
    pub(in crate::cli) store: Store,
    pub(in crate::cli) actor: Actor,
    pub(in crate::cli) now: Timestamp,
    pub(in crate::cli) secrets: Secrets,
    /// How documents are looked up.
    pub(in crate::cli) library: knowledge::Library,
    /// What is set up on this machine.
    pub(in crate::cli) providers: Vec<ProviderStanding>,
    /// The file of plans, if there is one.
    pub(in crate::cli) billing: Option<PathBuf>,
    /// The file of prices, if there is one.
    pub(in crate::cli) rates: Option<PathBuf>,
}

impl Clocked for Local {
    fn at(&mut self, now: Timestamp) {
        self.now = now;
    }
}

impl Desk for Local {
    fn assistants(&self) -> Result<Vec<AssistantOverview>> {
        assistants::list(&self.store, &self.actor)
    }

    fn assistant(&self, name: &str) -> Result<Assistant> {
        assistants::find(&self.store, &self.actor, name)
    }

    fn create(&self, spec: AssistantSpec, owner: Option<EmailAddress>) -> Result<Assistant> {
        assistants::create(&self.store, &self.actor, spec, owner, self.now)
    }

    fn update(
        &self,
        id: AssistantId,
        spec: AssistantSpec,
        revision: Option<i64>,
    ) -> Result<Assistant> {
        assistants::update(&self.store, &self.actor, id, spec, revision.into(), self.now)
    }

    fn switch(&self, id: AssistantId, active: bool) -> Result<Assistant> {
        let any = Expected::any();
        assistants::switch(&self.store, &self.actor, id, Some(active), any, self.now)
    }

    fn hand_over(&self, id: AssistantId, to: Option<EmailAddress>) -> Result<Assistant> {
        assistants::hand_over(&self.store, &self.actor, id, to, Expected::any(), self.now)
    }

    fn delete(&self, id: AssistantId) -> Result<()> {
        assistants::delete(&self.store, &self.actor, id, Expected::any(), self.now)
    }

    fn calls(&self, filter: &CallFilter) -> Result<CallPage> {
        calls::list(&self.store, &self.actor, filter)
    }

    fn each_call(
        &self,
        filter: &CallFilter,
        take: &mut dyn FnMut(Vec<Call>) -> Result<()>,
    ) -> Result<()> {
        calls::each(&self.store, &self.actor, filter, take)
    }

    fn calls_after(&self, last: CallId, filter: &CallFilter) -> Result<Vec<Call>> {
        calls::after(&self.store, &self.actor, last, filter)
    }

    fn newest_call(&self) -> Result<CallId> {
        Ok(calls::newest(&self.store)?.unwrap_or(CallId(0)))
    }

    fn wait_for_calls(&self) -> Result<Box<dyn Waiting + '_>> {
        Ok(Box::new(Ticks))
    }

    fn call(&self, sid: &str) -> Result<WholeCall> {
        let sid = calls::resolve(&self.store, &self.actor, sid)?;
        calls::whole(&self.store, &self.actor, &sid)
    }

    fn save_recording(&self, sid: &str, to: &Path, settings: &Settings) -> Result<()> {
        let (call, kept) = recordings::of_call(&self.store, &self.actor, sid)?;
        let archive = daemon::archive(settings, &self.store, daemon::twilio(settings)?)?;
        daemon::runtime()?.block_on(archive.save(&call, &kept, to))
    }

    fn stats(
        &self,
        span: Span,
        by: Option<StatsBy>,
        details: bool,
        zone: &TimeZone,
    ) -> Result<Stats> {
        let Span { since, until, assistant } = span;
        let zone = zone.clone();
        let wanted = stats::Wanted { since, until, assistant, by, details, zone };
        stats::overview(&self.store, &self.actor, wanted)
    }

    fn latencies(&self, span: Span, by: Option<LatencyBy>) -> Result<Vec<Latency>> {
        let Span { since, until, assistant } = span;
        latency::latencies(&self.store, &self.actor, since, until, assistant, by)
    }

    fn costs(&self, span: Span, by: Option<CostsBy>) -> Result<Costs> {
        let Span { since, until, assistant } = span;
        ledger::costs(&self.store, &self.actor, since, until, assistant, by)
    }

    fn bookings(&self, filter: &BookingFilter) -> Result<Vec<Booking>> {
        bookings::list(&self.store, &self.actor, filter)
    }

    fn booking(&self, reference: &str) -> Result<Booking> {
        bookings::show(&self.store, &self.actor, reference)
    }

    fn book(
        &self,
        assistant: &Assistant,
        request: BookingRequest,
        caller: Option<PhoneNumber>,
    ) -> Result<Booking> {
        bookings::create(&self.store, &self.actor, assistant.clone(), request, caller, self.now)
    }

    fn cancel_booking(&self, reference: &str) -> Result<Booking> {
        bookings::cancel(&self.store, &self.actor, reference, self.now)
    }

    fn open_calendar(&self, assistant: &Assistant) -> Result<String> {
        let token = calendars::open(&self.store, &self.actor, assistant, self.now)?;
        Ok(calendars::path(&token))
    }

    fn close_calendar(&self, assistant: &Assistant) -> Result<()> {
        calendars::close(&self.store, &self.actor, assistant, self.now)
    }

    fn contacts(&self, filter: &ContactFilter) -> Result<Vec<Contact>> {
        contacts::list(&self.store, &self.actor, filter)
    }

    fn contact(&self, name: &str) -> Result<Contact> {
        contacts::show(&self.store, &self.actor, name)
    }

    fn edit_contact(&self, name: &str, change: ContactChange) -> Result<Contact> {
        contacts::edit(&self.store, &self.actor, name, change, self.now)
    }

    fn delete_contact(&self, name: &str) -> Result<Contact> {
        contacts::delete(&self.store, &self.actor, name, self.now)
    }

    fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries> {
        Ok(outbox::list(&self.store, &self.actor, filter)?.into())
    }

    fn delivery(&self, id: DeliveryId) -> Result<DeliveryView> {
        outbox::show(&self.store, &self.actor, id).map(DeliveryView::whole)
    }

    fn retry_delivery(&self, id: DeliveryId) -> Result<DeliveryView> {
        outbox::retry(&self.store, &self.actor, id, self.now).map(DeliveryView::whole)
    }

    fn providers(&self) -> Result<ProvidersOverview> {
        providers::overview(&self.actor, &self.providers, None)
    }

    fn documents(&self, name: &str, texts: bool) -> Result<Vec<KeptDocument>> {
        knowledge::documents(&self.store, &self.actor, name, texts)
    }

    fn search_knowledge(&self, name: &str, said: &str) -> Result<Vec<Found>> {
        // What a model is asked for it is entered into the ledger.
        if let Some(path) = &self.rates {
            self.store.reckon_by(Arc::new(rates::open(path)?));
        }
        let (library, now) = (&self.library, self.now);
        let found = knowledge::search(&self.store, library, &self.actor, name, said, now);
        daemon::runtime()?.block_on(found)
    }

    fn plan(&self, files: &[Loaded], prune: bool) -> Result<Result<Plan, Vec<Problem>>> {
        provisioning::plan(&self.store, &self.actor, files, prune)
    }

    fn apply(&self, plan: Plan, source: String, git: Option<String>) -> Result<Option<ApplyId>> {
        let author = Author { git, ..self.actor.author.clone() };
        let actor = Actor { author, ..self.actor.clone() };
        provisioning::apply(&self.store, &actor, plan, source, self.now)
    }

    fn standings(&self) -> Result<Vec<Standing>> {
        provisioning::standings(&self.store, &self.actor)
    }

    fn applies(&self, most: Option<u64>) -> Result<Vec<Apply>> {
        provisioning::applies(&self.store, &self.actor, None, most)
    }

    fn history(&self, name: &AssistantName) -> Result<Vec<Version>> {
        Ok(provisioning::history(&self.store, &self.actor, name)?.1)
    }

    fn plan_rollback(&self, name: &AssistantName, to: Option<i64>) -> Result<Rollback> {
        provisioning::plan_rollback(&self.store, &self.actor, name, to)
    }

    fn rollback(&self, rollback: Rollback) -> Result<Assistant> {
        provisioning::rollback(&self.store, &self.actor, rollback, self.now)
    }

    fn audit(&self, span: Span, most: Option<u64>) -> Result<Vec<audit::Entry>> {
        audit::list(&self.store, &self.actor, span.since, span.until, None, most)
    }

    fn check_audit(&self, head: Option<&str>) -> Result<(audit::Check, Option<bool>)> {
        audit::check(&self.store, &self.actor, head)
    }

    fn dossier(&self, whose: &Whose) -> Result<Dossier> {
        privacy::export(&self.store, &self.actor, whose, self.now)
    }

    fn erase(&self, whose: &Whose) -> Result<Erased> {
        privacy::erase(&self.store, &self.actor, whose, self.now)
    }

    fn removals(&self) -> Result<Vec<RemovalView>> {
        let removals = removals::list(&self.store, &self.actor)?;
        Ok(removals.into_iter().map(Into::into).collect())
    }
}
