//! A store with calls in it, written through the same functions the daemon uses.

use jiff::{SignedDuration, Timestamp};
use webox::{
    domain::{
        Attempt, Booking, BookingId, BookingRequest, CallContext, CallId, CallPurpose, CallStatus,
        DeliveryEvent, DestinationKind, EndReason, Heard, LanguageTag, NewOutbound, Next,
        OnMachine, Outcome, PhoneNumber, Reply, TokenUsage, ToolUse, TurnId, TurnTimings,
        VoiceLine,
    },
    operations::{assistants, bookings},
    store::{
        Options, Store,
        calls::{self, CallEnd, NewCall},
        contacts,
        deliveries::{self, NewDelivery},
        invoices::{self, NewInvoice},
        turns::{self, Finished},
    },
};

use super::cmd::Webox;

/// The store of a home.
pub(crate) fn store(webox: &Webox) -> Store {
    Store::open(&webox.db(), Options::terminal()).unwrap()
}

/// Adds a call to Le Gourmet that began some minutes ago; `n` is its SID's number.
pub(crate) fn call(webox: &Webox, n: u32, minutes_ago: i64, status: CallStatus) -> CallId {
    let at = Timestamp::now() - SignedDuration::from_mins(minutes_ago);
    call_at(&store(webox), n, at, status)
}

/// Adds a call to another assistant.
pub(crate) fn call_of(webox: &Webox, name: &str) -> CallId {
    add(&store(webox), name, 1, Timestamp::now(), CallStatus::Completed)
}

/// Adds a call that began at a moment.
pub(crate) fn call_at(store: &Store, n: u32, at: Timestamp, status: CallStatus) -> CallId {
    add(store, "le-gourmet", n, at, status)
}

fn add(store: &Store, name: &str, n: u32, at: Timestamp, status: CallStatus) -> CallId {
    let assistant = assistants::find(store, &webox::domain::Actor::webox("test"), name).unwrap();
    let new = NewCall {
        direction: webox::domain::Direction::Inbound,
        account: None,
        sid: sid(n).parse().unwrap(),
        assistant: assistant.id,
        assistant_revision: 1,
        caller: (n != 13).then(|| "+33612345678".to_owned()),
        to_number: assistant.spec.phone.to_string(),
        line: VoiceLine::Gather,
        language: LanguageTag::french(),
        started_at: at,
    };
    store
        .write(move |tx| {
            if !status.is_final() {
                return calls::insert_live(tx, &new);
            }
            let end = CallEnd {
                status,
                ended_at: at + SignedDuration::from_secs(75),
                duration_s: Some(75),
                reason: Some(EndReason::AssistantHungUp),
            };
            calls::insert_ended(tx, &new, &end)
        })
        .unwrap()
}

/// A day some days ahead on which Le Gourmet is open.
pub(crate) fn open_day() -> jiff::civil::Date {
    let today = Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let mut day = today.saturating_add(jiff::ToSpan::days(7_i64));
    while day.weekday() == jiff::civil::Weekday::Sunday || day.month() == 12 && day.day() > 23 {
        day = day.tomorrow().unwrap();
    }
    day
}

/// Books a table at Le Gourmet, with the reference 100001.
pub(crate) fn booking(store: &Store) {
    let (actor, now) = (webox::domain::Actor::webox("test"), Timestamp::now());
    let assistant = assistants::find(store, &actor, "le-gourmet").unwrap();
    let request = BookingRequest {
        party: 2,
        at: open_day().at(20, 0, 0, 0),
        name: Some("Zoé".to_owned()),
        ..BookingRequest::default()
    };
    let booking = bookings::create(store, &actor, assistant, request, None, now).unwrap();
    let known = Booking { id: BookingId(0), reference: "100001".to_owned(), ..booking };
    store.write(move |tx| webox::store::bookings::insert(tx, &known)).unwrap();
}

pub(crate) fn sid(n: u32) -> String {
    format!("CA{n:08x}{}", "0".repeat(24))
}

/// Adds a turn in which something was asked and answered.
pub(crate) fn turn(
    store: &Store,
    call: CallId,
    number: u32,
    at: Timestamp,
    heard: &str,
    said: &str,
) {
    let reply = Reply {
        text: said.to_owned(),
        language: LanguageTag::french(),
        next: Next::Listen,
        engine: "openai/gpt-test".to_owned(),
        attempts: vec![
            attempt("anthropic/claude-test", Outcome::TimedOut),
            attempt("openai/gpt-test", Outcome::Answered),
        ],
        tools: vec![ToolUse {
            tool: "check_availability".to_owned(),
            arguments: r#"{"party":4}"#.to_owned(),
            result: r#"{"availability":"free"}"#.to_owned(),
        }],
        state: None,
    };
    let heard = Heard::Speech { text: heard.to_owned(), confidence: Some(0.92), language: None };
    store
        .write(move |tx| {
            let id = TurnId { call, number };
            turns::begin(tx, id, Some(&heard), &LanguageTag::french(), at)?;
            let timings = TurnTimings {
                first_token_ms: Some(210),
                reply_ms: Some(1_240),
                ..TurnTimings::default()
            };
            turns::finish(
                tx,
                id,
                &Finished { reply: &reply, timings, twiml: "<Response/>", heard: true },
            )
        })
        .unwrap();
}

/// Notes who called Le Gourmet.
pub(crate) fn contact(store: &Store, call: CallId) {
    let actor = webox::domain::Actor::webox("test");
    let assistant = assistants::find(store, &actor, "le-gourmet").unwrap();
    store
        .write(move |tx| {
            let call = calls::by_id(tx, call)?.unwrap();
            let number = call.caller.as_deref().and_then(PhoneNumber::from_e164).unwrap();
            contacts::note(tx, &assistant, &call, &number, Some("Une table"), false)
        })
        .unwrap();
}

/// Adds a delivery of a call of Le Gourmet's.
pub(crate) fn delivery(store: &Store, call: CallId, at: Timestamp) {
    let actor = webox::domain::Actor::webox("test");
    let assistant = assistants::find(store, &actor, "le-gourmet").unwrap().id;
    let new = NewDelivery {
        message_id: format!("msg_{}", call.0),
        assistant,
        call: Some(call),
        destination: "crm".to_owned(),
        to: DestinationKind::Webhook,
        event: DeliveryEvent::CallEnded,
        source: format!("call.ended/{}", call.0),
        contact: "+33612345678".to_owned(),
        payload: r#"{"type":"call.ended","data":{"turns":["Une table ?"]}}"#.to_owned(),
        at,
    };
    store.write(move |tx| deliveries::insert(tx, &new)).unwrap();
}

fn attempt(model: &str, outcome: Outcome) -> Attempt {
    Attempt {
        model: model.to_owned(),
        outcome,
        first_token_ms: Some(200),
        total_ms: 900,
        usage: TokenUsage { input: 100, output: 20, ..TokenUsage::default() },
        detail: None,
    }
}

/// Has Le Gourmet asked to call somebody, whom nobody has dialled yet.
pub(crate) fn outbound(store: &Store) {
    let actor = webox::domain::Actor::webox("test");
    let assistant = assistants::find(store, &actor, "le-gourmet").unwrap().id;
    // Nobody dials before.
    let asked_at = Timestamp::now() + SignedDuration::from_mins(60);
    let new = NewOutbound {
        assistant,
        number: "+33612345678".parse().unwrap(),
        context: CallContext::default(),
        opening: "Une table pour vous ?".to_owned(),
        message: None,
        kind: CallPurpose::Service,
        machine: OnMachine::HangUp,
        asked_at,
        expires_at: asked_at + SignedDuration::from_mins(60),
        anyway: false,
        zone: None,
        campaign_row: None,
    };
    store.write(move |tx| webox::store::outbound::insert(tx, &new)).unwrap();
}

/// Has Le Gourmet call a list of one, whom it will not call: its file says nothing of calls.
pub(crate) fn campaign(store: &Store) {
    let actor = webox::domain::Actor::webox("test");
    let assistant = assistants::find(store, &actor, "le-gourmet").unwrap().id;
    let now = Timestamp::now();
    let row = webox::domain::CampaignEntry {
        line: Some(2),
        number: "+33612345678".parse().unwrap(),
        context: CallContext::default(),
    };
    let insert = move |tx: &webox::store::Tx| {
        let new = webox::store::campaigns::NewCampaign {
            assistant,
            digest: "of a list of one",
            name: "une-table.csv",
            terms: &webox::domain::CampaignTerms {
                // The hours of nobody who is awake.
                hours: Some("3-4".parse().unwrap()),
                ..webox::domain::CampaignTerms::default()
            },
            rows: &[row],
            expires_at: now + SignedDuration::from_mins(60),
            now,
        };
        webox::store::campaigns::insert(tx, &new)
    };
    store.write(insert).unwrap();
}

/// Adds a bill for Le Gourmet, F2026-0001.
pub(crate) fn invoice(store: &Store) {
    let actor = webox::domain::Actor::webox("test");
    let assistant = assistants::find(store, &actor, "le-gourmet").unwrap().id;
    let party = serde_json::json!({ "name": "Restaurant Le Gourmet", "country": "FR" });
    let document = serde_json::json!({
        "number": "F2026-0001", "client": "Restaurant Le Gourmet", "month": "2026-01",
        "issued": "2026-02-01", "due": "2026-03-03", "currency": "EUR", "language": "fr-FR",
        "seller": { "name": "Agence", "country": "FR" }, "buyer": party,
        "terms": { "discount": "", "penalties": "", "recovery": "" },
        "lines": [{ "assistant": "le-gourmet", "item": "month", "plan": "starter",
            "from": "2026-01-01", "to": "2026-01-31", "quantity": 1, "price": "50.00",
            "net": "50.00", "vat": "20" }],
        "net": "50.00", "taxes": [{ "vat": "20", "base": "50.00", "amount": "10.00" }],
        "tax": "10.00", "total": "60.00",
    });
    store
        .write(move |tx| {
            let new = NewInvoice {
                series: "F2026-",
                counter: 1,
                number: "F2026-0001",
                client: "Restaurant Le Gourmet",
                month: "2026-01".parse().unwrap(),
                credits: None,
                issued_at: Timestamp::now(),
                net: webox::domain::Cents::new(5_000),
                document: &document.to_string(),
                assistants: &[assistant],
            };
            invoices::insert(tx, &new)
        })
        .unwrap();
}

/// Has an alert of Le Gourmet's fire, which a rule of its own name keeps anybody from looking at.
pub(crate) fn alert(store: &Store) {
    let actor = webox::domain::Actor::webox("test");
    let assistant = assistants::find(store, &actor, "le-gourmet").unwrap();
    let now = Timestamp::now();
    let level = |text: &str| text.parse::<webox::domain::AlertLevel>().unwrap();
    let alert = webox::domain::Alert {
        id: webox::domain::AlertId(0),
        subject: webox::domain::AlertSubject {
            rule: "half".to_owned(),
            assistant: Some(assistant.id),
            part: String::new(),
        },
        assistant: Some(assistant.spec.name),
        kind: webox::domain::AlertKind::FailedCalls,
        severity: webox::domain::AlertSeverity::Warning,
        state: webox::domain::AlertState::Firing,
        value: level("60%"),
        worst: level("60%"),
        threshold: level("50%"),
        pending_at: now,
        fired_at: Some(now),
        calm_since: None,
        // As if another daemon looked at it.
        seen_at: now + SignedDuration::from_mins(60),
        resolved_at: None,
        unwatched: false,
        acked: None,
        silenced_until: None,
        notices: Vec::new(),
    };
    store.write(move |tx| webox::store::alerts::insert(tx, &alert)).unwrap();
}
