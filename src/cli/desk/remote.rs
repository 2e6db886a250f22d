//! At a daemon, through its API.

use std::path::Path;

use jiff::{Timestamp, tz::TimeZone};
use reqwest::Method;
use serde_json::json;

use super::{
    Clocked, Desk, Span,
    client::Client,
    waiting::{Events, Waiting},
};
use crate::{
    api::{
        Applied, Applies, ApplyInput, AssistantInput, AssistantTag, AssistantView, Assistants,
        AuditCheckView, AuditLog, BookingInput, Bookings, CalendarFeed, CallView, Calls, Contacts,
        CostsAnswer, Deliveries, DeliveryView, Documents, Done, DossierView, ErasedView, Latencies,
        Me, OneAssistant, OneBooking, OneCall, OneContact, OneDelivery, Owner, Passages, Providers,
        RemovalView, Removals, RollbackInput, Standings, Statistics, Versions,
    },
    config::PublicUrl,
    config::Settings,
    domain::{
        ApplyId, Assistant, AssistantId, AssistantName, AssistantSpec, Booking, BookingFilter,
        BookingRequest, Call, CallFilter, CallId, CallPage, Contact, ContactChange, ContactFilter,
        Costs, CostsBy, DeliveryFilter, DeliveryId, EmailAddress, Found, KeptDocument, Latency,
        LatencyBy, PhoneNumber, ProvidersOverview, Result, Secret, Stats, StatsBy, WholeCall,
    },
    operations::{
        self,
        assistants::{self, AssistantOverview},
        audit,
        privacy::{Dossier, Erased, Whose},
        provisioning::{self, Apply, Rollback, Standing, Version},
    },
    provision::{self, Loaded, Plan, Problem},
};

/// A daemon, and a key.
pub(in crate::cli) struct Remote {
    pub(super) client: Client,
}

/// The most calls in one answer of the API.
const PAGE: u64 = 1_000;

/// The most bookings in one answer.
const BOOKINGS: u64 = 10_000;

/// The most lines of the audit log in one answer.
const LINES: u64 = 10_000;

/// Names that no address can have: nothing is called so.
pub(super) fn is_nameable(name: &str) -> bool {
    !["", ".", ".."].contains(&name)
}

impl Remote {
    pub(in crate::cli) fn new(server: &PublicUrl, token: Secret) -> Result<Self> {
        Ok(Self { client: Client::new(server, token)? })
    }

    /// Whose key it is.
    pub(in crate::cli) fn me(&self) -> Result<Me> {
        self.client.get(&["me"]).send()
    }

    fn page(&self, filter: &CallFilter, limit: u64, cursor: Option<String>) -> Result<Calls> {
        self.filtered(filter)
            .query("limit", Some(limit))
            .query("offset", Some(filter.offset).filter(|offset| *offset > 0 && cursor.is_none()))
            .query("cursor", cursor)
            .send()
    }

    fn filtered(&self, filter: &CallFilter) -> super::client::Ask<'_> {
        self.client
            .get(&["calls"])
            .query("since", filter.since)
            .query("until", filter.until)
            .query("assistant_id", filter.assistant.map(|id| id.0))
            .query("status", filter.status)
            .query("outcome", filter.outcome)
            .query("direction", filter.direction)
            .query("from", filter.caller.as_ref())
    }

    fn standings_of(&self) -> Result<(String, Vec<Standing>)> {
        let answer: Standings = self.client.get(&["standings"]).send()?;
        let standings = answer.standings.into_iter().map(Standing::try_from);
        Ok((answer.store_id, standings.collect::<Result<_>>()?))
    }
}

fn one(ask: super::client::Ask<'_>) -> Result<Assistant> {
    ask.send::<OneAssistant>()?.assistant.try_into()
}

fn named(whose: &Whose) -> serde_json::Value {
    match whose {
        Whose::Caller(caller) => json!({ "caller": caller }),
        Whose::Call(sid) => json!({ "call_sid": sid }),
    }
}

fn calls(views: Vec<CallView>) -> Vec<Call> {
    views.into_iter().map(Call::from).collect()
}

impl Clocked for Remote {
    /// The daemon has a clock of its own.
    fn at(&mut self, _: Timestamp) {}
}

impl Desk for Remote {
    fn assistants(&self) -> Result<Vec<AssistantOverview>> {
        let answer: Assistants = self.client.get(&["assistants"]).send()?;
        let overview = |view: AssistantView| {
            let figures = view.figures;
            Ok(AssistantOverview {
                assistant: view.try_into()?,
                total_calls: figures.map_or(0, |figures| figures.total_calls),
                live_calls: figures.map_or(0, |figures| figures.live_calls),
                last_call_at: figures.and_then(|figures| figures.last_call_at),
            })
        };
        answer.assistants.into_iter().map(overview).collect()
    }

    fn assistant(&self, name: &str) -> Result<Assistant> {
        if !is_nameable(name) {
            let names: Vec<_> =
                self.assistants()?.into_iter().map(|o| o.assistant.spec.name).collect();
            return Err(assistants::unknown_among(&names, name));
        }
        one(self.client.get(&["assistants", name]))
    }

    fn create(&self, spec: AssistantSpec, owner: Option<EmailAddress>) -> Result<Assistant> {
        let input = AssistantInput { owner_email: owner, ..(&spec).into() };
        one(self.client.post(&["assistants"]).body(&input)?)
    }

    fn update(
        &self,
        id: AssistantId,
        spec: AssistantSpec,
        revision: Option<i64>,
    ) -> Result<Assistant> {
        let path = ["assistants", &id.0.to_string()];
        let tag = revision.map(|revision| AssistantTag { id, revision });
        let ask = self.client.ask(Method::PUT, &path).if_match(tag);
        one(ask.body(&AssistantInput::from(&spec))?)
    }

    fn switch(&self, id: AssistantId, active: bool) -> Result<Assistant> {
        let word = if active { "enable" } else { "disable" };
        one(self.client.post(&["assistants", &id.0.to_string(), word]))
    }

    fn hand_over(&self, id: AssistantId, to: Option<EmailAddress>) -> Result<Assistant> {
        let path = ["assistants", &id.0.to_string(), "owner"];
        one(self.client.post(&path).body(&Owner { owner_email: to })?)
    }

    fn delete(&self, id: AssistantId) -> Result<()> {
        let path = ["assistants", &id.0.to_string()];
        self.client.ask(Method::DELETE, &path).send::<Done>().map(|_| ())
    }

    fn calls(&self, filter: &CallFilter) -> Result<CallPage> {
        let wanted = filter.limit.unwrap_or(u64::MAX);
        let first = self.page(filter, wanted.min(PAGE), None)?;
        let total = first.total;
        let (mut found, mut next) = (calls(first.calls), first.next);
        while (found.len() as u64) < wanted {
            let Some(cursor) = next.take() else { break };
            let left = (wanted - found.len() as u64).min(PAGE);
            let page = self.page(filter, left, Some(cursor))?;
            found.extend(calls(page.calls));
            next = page.next;
        }
        Ok(CallPage { calls: found, total, more: next.is_some() })
    }

    fn each_call(
        &self,
        filter: &CallFilter,
        take: &mut dyn FnMut(Vec<Call>) -> Result<()>,
    ) -> Result<()> {
        let mut cursor = None;
        loop {
            let page = self.page(filter, PAGE, cursor)?;
            if !page.calls.is_empty() {
                take(calls(page.calls))?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn calls_after(&self, last: CallId, filter: &CallFilter) -> Result<Vec<Call>> {
        let from = |name: &'static str, place: String| {
            let ask = self.filtered(filter).query("limit", Some(PAGE));
            ask.query(name, Some(place)).send::<Calls>()
        };
        let mut page = from("after", last.0.to_string())?;
        let mut found = calls(page.calls);
        while let Some(cursor) = page.next {
            page = from("cursor", cursor)?;
            found.extend(calls(page.calls));
        }
        Ok(found)
    }

    fn wait_for_calls(&self) -> Result<Box<dyn Waiting + '_>> {
        Ok(Box::new(Events::of(&self.client)?))
    }

    fn newest_call(&self) -> Result<CallId> {
        // Rows are numbered as they are stored: the newest of the list may not be the last stored,
        // and a few calls are then told of twice rather than never.
        let page = self.page(&CallFilter::default(), PAGE, None)?;
        Ok(CallId(page.calls.iter().map(|call| call.id.0).max().unwrap_or(0)))
    }

    fn call(&self, sid: &str) -> Result<WholeCall> {
        if !is_nameable(sid.trim()) {
            return Err(operations::calls::too_short(sid.trim()));
        }
        self.client.get(&["calls", sid.trim()]).send::<OneCall>()?.try_into()
    }

    fn save_recording(&self, sid: &str, to: &Path, _: &Settings) -> Result<()> {
        if !is_nameable(sid.trim()) {
            return Err(operations::calls::too_short(sid.trim()));
        }
        self.client.get(&["calls", sid.trim(), "recording"]).save(to)
    }

    fn stats(
        &self,
        span: Span,
        by: Option<StatsBy>,
        details: bool,
        zone: &TimeZone,
    ) -> Result<Stats> {
        let word = by.map(StatsBy::as_str);
        let ask = self
            .client
            .get(&["stats"])
            .query("since", span.since)
            .query("until", span.until)
            .query("assistant_id", span.assistant.map(|id| id.0))
            .query("by", word)
            .query("details", details.then_some(true))
            .query("timezone", zone.iana_name());
        Ok(ask.send::<Statistics>()?.into())
    }

    fn latencies(&self, span: Span, by: Option<LatencyBy>) -> Result<Vec<Latency>> {
        let word = by.map(|by| match by {
            LatencyBy::Assistant => "assistant",
            LatencyBy::Provider => "provider",
        });
        let ask = self
            .client
            .get(&["latency"])
            .query("since", span.since)
            .query("until", span.until)
            .query("assistant_id", span.assistant.map(|id| id.0))
            .query("by", word);
        Ok(ask.send::<Latencies>()?.rows)
    }

    fn costs(&self, span: Span, by: Option<CostsBy>) -> Result<Costs> {
        let ask = self
            .client
            .get(&["costs"])
            .query("since", span.since)
            .query("until", span.until)
            .query("assistant_id", span.assistant.map(|id| id.0))
            .query("by", by.map(CostsBy::as_str));
        ask.send::<CostsAnswer>()?.try_into()
    }

    fn bookings(&self, filter: &BookingFilter) -> Result<Vec<Booking>> {
        let answer: Bookings = self
            .client
            .get(&["bookings"])
            .query("assistant_id", filter.assistant.map(|id| id.0))
            .query("since", filter.since)
            .query("until", filter.until)
            .query("all", filter.cancelled.then_some(true))
            .query("limit", filter.limit.map(|limit| limit.clamp(1, BOOKINGS)))
            .send()?;
        Ok(answer.bookings.into_iter().map(Booking::from).collect())
    }

    fn booking(&self, reference: &str) -> Result<Booking> {
        let answer: OneBooking = self.client.get(&["bookings", reference]).send()?;
        Ok(answer.booking.into())
    }

    fn book(
        &self,
        assistant: &Assistant,
        request: BookingRequest,
        caller: Option<PhoneNumber>,
    ) -> Result<Booking> {
        let input = BookingInput {
            assistant_id: assistant.id.0.to_string(),
            at: request.at,
            party: request.party,
            name: request.name.unwrap_or_default(),
            caller,
            service: request.service,
            resource: request.resource,
            nights: request.nights,
            note: request.note,
        };
        let answer: OneBooking = self.client.post(&["bookings"]).body(&input)?.send()?;
        Ok(answer.booking.into())
    }

    fn cancel_booking(&self, reference: &str) -> Result<Booking> {
        let answer: OneBooking = self.client.post(&["bookings", reference, "cancel"]).send()?;
        Ok(answer.booking.into())
    }

    fn open_calendar(&self, assistant: &Assistant) -> Result<String> {
        let path = ["assistants", &assistant.id.0.to_string(), "calendar"];
        Ok(self.client.post(&path).send::<CalendarFeed>()?.path)
    }

    fn close_calendar(&self, assistant: &Assistant) -> Result<()> {
        let path = ["assistants", &assistant.id.0.to_string(), "calendar"];
        self.client.ask(Method::DELETE, &path).send::<Done>().map(|_| ())
    }

    fn contacts(&self, filter: &ContactFilter) -> Result<Vec<Contact>> {
        let answer: Contacts = self
            .client
            .get(&["contacts"])
            .query("since", filter.since)
            .query("until", filter.until)
            .query("limit", filter.limit.map(|limit| limit.clamp(1, BOOKINGS)))
            .send()?;
        Ok(answer.contacts.into_iter().map(Contact::from).collect())
    }

    fn contact(&self, name: &str) -> Result<Contact> {
        Ok(self.client.get(&["contacts", name]).send::<OneContact>()?.contact.into())
    }

    fn edit_contact(&self, name: &str, change: ContactChange) -> Result<Contact> {
        let ask = self.client.ask(Method::PATCH, &["contacts", name]).body(&change)?;
        Ok(ask.send::<OneContact>()?.contact.into())
    }

    fn delete_contact(&self, name: &str) -> Result<Contact> {
        let ask = self.client.ask(Method::DELETE, &["contacts", name]);
        Ok(ask.send::<OneContact>()?.contact.into())
    }

    fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries> {
        let wanted = filter.limit.unwrap_or(u64::MAX);
        let mut cursor = filter.older_than.map(|id| id.0.to_string());
        let mut all: Option<Deliveries> = None;
        loop {
            let have = all.as_ref().map_or(0, |all| all.deliveries.len() as u64);
            let page: Deliveries = self
                .client
                .get(&["deliveries"])
                .query("assistant_id", filter.assistant.map(|id| id.0))
                .query("state", filter.state)
                .query("since", filter.since)
                .query("limit", Some((wanted - have).min(PAGE)))
                .query("cursor", cursor.as_ref())
                .send()?;
            cursor.clone_from(&page.next);
            let all = match &mut all {
                None => all.insert(page),
                Some(all) => {
                    all.deliveries.extend(page.deliveries);
                    all.next = page.next;
                    all
                }
            };
            if cursor.is_none() || all.deliveries.len() as u64 >= wanted {
                return Ok(all.clone());
            }
        }
    }

    fn delivery(&self, id: DeliveryId) -> Result<DeliveryView> {
        Ok(self.client.get(&["deliveries", &id.0.to_string()]).send::<OneDelivery>()?.delivery)
    }

    fn retry_delivery(&self, id: DeliveryId) -> Result<DeliveryView> {
        let path = ["deliveries", &id.0.to_string(), "retry"];
        Ok(self.client.post(&path).send::<OneDelivery>()?.delivery)
    }

    fn providers(&self) -> Result<ProvidersOverview> {
        Ok(self.client.get(&["providers"]).send::<Providers>()?.into())
    }

    fn documents(&self, name: &str, texts: bool) -> Result<Vec<KeptDocument>> {
        let name = self.assistant(name)?.spec.name;
        let ask = self.client.get(&["assistants", name.as_str(), "knowledge"]);
        Ok(ask.query("texts", texts.then_some(true)).send::<Documents>()?.documents)
    }

    fn search_knowledge(&self, name: &str, said: &str) -> Result<Vec<Found>> {
        let name = self.assistant(name)?.spec.name;
        let ask = self.client.get(&["assistants", name.as_str(), "knowledge", "search"]);
        Ok(ask.query("q", Some(said)).send::<Passages>()?.passages)
    }

    fn plan(&self, files: &[Loaded], prune: bool) -> Result<Result<Plan, Vec<Problem>>> {
        let (store_id, standings) = self.standings_of()?;
        Ok(provision::plan(&store_id, files, &standings, prune))
    }

    fn apply(&self, plan: Plan, source: String, git: Option<String>) -> Result<Option<ApplyId>> {
        let input = ApplyInput::of(&plan, source, git)?;
        Ok(self.client.post(&["apply"]).body(&input)?.send::<Applied>()?.apply_id)
    }

    fn standings(&self) -> Result<Vec<Standing>> {
        Ok(self.standings_of()?.1)
    }

    fn applies(&self, most: Option<u64>) -> Result<Vec<Apply>> {
        let wanted = most.unwrap_or(u64::MAX);
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let left = (wanted - found.len() as u64).min(PAGE);
            let ask =
                self.client.get(&["applies"]).query("limit", Some(left)).query("cursor", next);
            let page: Applies = ask.send()?;
            found.extend(page.applies.into_iter().map(Apply::from));
            next = page.next;
            if next.is_none() || found.len() as u64 >= wanted {
                return Ok(found);
            }
        }
    }

    fn history(&self, name: &AssistantName) -> Result<Vec<Version>> {
        let ask = self.client.get(&["assistants", name.as_str(), "history"]);
        Ok(ask.send::<Versions>()?.versions.into_iter().map(Version::from).collect())
    }

    fn plan_rollback(&self, name: &AssistantName, to: Option<i64>) -> Result<Rollback> {
        // The row is the daemon's to find; it is not needed to show what would change.
        provisioning::rollback_of(name, AssistantId(0), self.history(name)?, to)
    }

    fn rollback(&self, rollback: Rollback) -> Result<Assistant> {
        let input =
            RollbackInput { to: Some(rollback.to.revision), from: Some(rollback.from.revision) };
        let path = ["assistants", rollback.from.spec.name.as_str(), "rollback"];
        one(self.client.post(&path).body(&input)?)
    }

    fn audit(&self, span: Span, most: Option<u64>) -> Result<Vec<audit::Entry>> {
        let wanted = most.unwrap_or(u64::MAX);
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page: AuditLog = self
                .client
                .get(&["audit"])
                .query("since", span.since)
                .query("until", span.until)
                .query("limit", Some((wanted - found.len() as u64).min(LINES)))
                .query("cursor", next)
                .send()?;
            found.extend(page.entries.into_iter().map(Into::into));
            next = page.next;
            if next.is_none() || found.len() as u64 >= wanted {
                return Ok(found);
            }
        }
    }

    fn check_audit(&self, head: Option<&str>) -> Result<(audit::Check, Option<bool>)> {
        let ask = self.client.get(&["audit", "check"]).query("head", head);
        let check: AuditCheckView = ask.send()?;
        let holds = check.holds_head;
        Ok((check.into(), holds))
    }

    fn dossier(&self, whose: &Whose) -> Result<Dossier> {
        let ask = self.client.post(&["privacy", "export"]).body(&named(whose))?;
        Ok(ask.send::<DossierView>()?.into())
    }

    fn erase(&self, whose: &Whose) -> Result<Erased> {
        let ask = self.client.post(&["privacy", "erase"]).body(&named(whose))?;
        Ok(ask.send::<ErasedView>()?.into())
    }

    fn removals(&self) -> Result<Vec<RemovalView>> {
        Ok(self.client.get(&["privacy", "removals"]).send::<Removals>()?.removals)
    }
}
