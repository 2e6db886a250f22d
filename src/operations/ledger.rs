//! What is used is entered when it is used, in the transaction of what it belongs to; and asked for
//! later. A use that is told again is not entered again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    billing::rates,
    domain::{
        Actor, AssistantId, Attempt, Call, CallId, CallSid, CallStatus, Cost, Costs, CostsBy,
        CostsTotal, Currency, Direction, HandoverId, Micros, Money, PhoneNumber, PriceBook,
        Reckoned, RecordingSid, Result, TurnId, Unit, Use, VoiceLine, begun_minutes, product_of,
    },
    store::{
        Store, StoreError, Tx, call_costs, calls, charges,
        costs::{self, Window},
        ledger::{self, Kind, Of},
        tickets, transfers,
    },
};

/// The prices of a store: those the daemon was started with, or as shipped.
pub fn prices(store: &Store) -> Arc<PriceBook> {
    store.prices().unwrap_or_else(rates::shipped)
}

fn reckon(store: &Store, uses: impl IntoIterator<Item = Use>, at: Timestamp) -> Vec<Reckoned> {
    let book = prices(store);
    let used = uses.into_iter().filter(|one| one.quantity > 0);
    used.map(|one| book.reckon(one, at)).collect()
}

/// Models were asked for a turn, or on its account: each attempt is a use of its own.
pub(super) fn asked(
    tx: &Tx,
    store: &Store,
    id: TurnId,
    attempts: &[Attempt],
    at: Timestamp,
) -> Result<(), StoreError> {
    if attempts.is_empty() {
        return Ok(());
    }
    let Some(assistant) = calls::assistant_id(tx, id.call)? else { return Ok(()) };
    let of = Of { call: Some(id.call), assistant, turn: Some(id.number), kind: Kind::Model, at };
    for attempt in attempts {
        ledger::add(tx, &of, &reckon(store, Use::of_attempt(attempt), at))?;
    }
    Ok(())
}

/// Words were spoken and sound was listened to, in a turn.
pub(super) fn metered(
    tx: &Tx,
    store: &Store,
    id: TurnId,
    uses: Vec<Use>,
    at: Timestamp,
) -> Result<(), StoreError> {
    if uses.is_empty() {
        return Ok(());
    }
    let Some(assistant) = calls::assistant_id(tx, id.call)? else { return Ok(()) };
    let (call, turn) = (Some(id.call), Some(id.number));
    for used in uses {
        let kind = if used.unit == Unit::Second { Kind::Ear } else { Kind::Mouth };
        let of = Of { call, assistant, turn, kind, at };
        ledger::add(tx, &of, &reckon(store, [used], at))?;
    }
    Ok(())
}

/// Passages or questions were read for vectors.
pub(super) fn embedded(
    tx: &Tx,
    store: &Store,
    assistant: AssistantId,
    model: &str,
    tokens: u32,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some((provider, product)) = model.split_once('/') else { return Ok(()) };
    let of = Of { call: None, assistant, turn: None, kind: Kind::Model, at };
    let used = Use::new(provider, product, Unit::Input, u64::from(tokens));
    ledger::add(tx, &of, &reckon(store, [used], at))
}

/// Words were spoken for an assistant before anybody called.
pub async fn spoken_beforehand(
    store: &Store,
    assistant: AssistantId,
    uses: Vec<Use>,
    at: Timestamp,
) -> Result<()> {
    of_no_call(store, assistant, Kind::Mouth, uses, at).await
}

/// Models were asked in a rehearsal.
pub async fn rehearsed(
    store: &Store,
    assistant: AssistantId,
    attempts: &[Attempt],
    at: Timestamp,
) -> Result<()> {
    let uses = attempts.iter().flat_map(Use::of_attempt).collect();
    of_no_call(store, assistant, Kind::Model, uses, at).await
}

async fn of_no_call(
    store: &Store,
    assistant: AssistantId,
    kind: Kind,
    uses: Vec<Use>,
    at: Timestamp,
) -> Result<()> {
    if uses.is_empty() {
        return Ok(());
    }
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let of = Of { call: None, assistant, turn: None, kind, at };
            for used in uses {
                ledger::add(tx, &of, &reckon(&cache, [used], at))?;
            }
            Ok(())
        })
        .await
}

/// Twilio understood something for us.
pub(super) fn heard(
    tx: &Tx,
    store: &Store,
    assistant: AssistantId,
    id: TurnId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let of = Of { call: Some(id.call), assistant, turn: Some(id.number), kind: Kind::Heard, at };
    let used = Use::of_twilio("gather", Unit::Recognition, 1);
    ledger::set(tx, &of, 0, &reckon(store, [used], at))
}

/// What a call's minutes are of, as far as it went until now.
fn minutes(tx: &Tx, call: &Call, seconds: u64) -> Result<Vec<Use>, StoreError> {
    let theirs = match call.direction {
        Direction::Inbound => Some(call.to_number.as_str()),
        Direction::Outbound => call.caller.as_deref(),
    };
    let what = call.direction.as_str();
    let product = theirs
        .and_then(|number| number.parse::<PhoneNumber>().ok())
        .map_or_else(|| format!("{what}-other"), |number| product_of(what, &number));
    let mut uses = vec![Use::of_twilio(product, Unit::Minute, begun_minutes(seconds))];
    let over = match call.line {
        VoiceLine::Gather => None,
        VoiceLine::Relay => Some("relay"),
        VoiceLine::Stream => Some("stream"),
    };
    if let Some(over) = over
        && tickets::went_over_socket(tx, call.id)?
    {
        // While a human talks, nobody of ours does.
        let handed = transfers::of_call(tx, call.id)?;
        let handed: u64 = handed.iter().filter_map(|one| one.duration_s).map(u64::from).sum();
        let spoken = begun_minutes(seconds.saturating_sub(handed));
        uses.push(Use::of_twilio(over, Unit::Minute, spoken));
    }
    Ok(uses)
}

/// A call that was turned down with a sentence is over: Twilio answered it for that, and charges its
/// minute. One that was refused unanswered lasts no second, and costs nothing.
pub(super) fn turned_down(
    tx: &Tx,
    store: &Store,
    call: &Call,
    seconds: u32,
    ended_at: Timestamp,
) -> Result<(), StoreError> {
    if seconds == 0 {
        return Ok(());
    }
    let (assistant, at) = (call.assistant_id, call.started_at);
    let of = Of { call: Some(call.id), assistant, turn: None, kind: Kind::Line, at };
    charges::ask(tx, call.id, ended_at.checked_add(ASKED_AFTER).unwrap_or(ended_at))?;
    let uses = minutes(tx, call, u64::from(seconds))?;
    ledger::set(tx, &of, 0, &reckon(store, uses, at))
}

/// A call is over, or its end is told anew: its minutes are what they are now.
pub(super) fn closed(tx: &Tx, store: &Store, id: CallId) -> Result<(), StoreError> {
    let Some(call) = calls::by_id(tx, id)? else { return Ok(()) };
    if call.status == CallStatus::Rejected {
        // What its end says of it is entered then: `turned_down`.
        return Ok(());
    }
    let at = call.started_at;
    let of = Of { call: Some(id), assistant: call.assistant_id, turn: None, kind: Kind::Line, at };
    let seconds = u64::from(call.duration_s.unwrap_or(0));
    let mut uses = minutes(tx, &call, seconds)?;
    if call.direction == Direction::Outbound && call.answered_by.is_some() {
        uses.push(Use::of_twilio("machine-detection", Unit::Call, 1));
    }
    if seconds > 0
        && let Some(ended_at) = call.ended_at
    {
        charges::ask(tx, id, ended_at.checked_add(ASKED_AFTER).unwrap_or(ended_at))?;
    }
    // Together: which of them there are may change as well.
    ledger::set(tx, &of, 0, &reckon(store, uses, at))?;
    charges::reckoned_anew(tx, id)
}

/// A human was rung, and their telephone was picked up for so long.
pub(super) fn handed_over(
    tx: &Tx,
    store: &Store,
    id: HandoverId,
    seconds: Option<u32>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(assistant) = calls::assistant_id(tx, id.call)? else { return Ok(()) };
    let Some(human) = transfers::get(tx, id)? else { return Ok(()) };
    let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else { return Ok(()) };
    let minutes = begun_minutes(u64::from(seconds));
    let used = Use::of_twilio(product_of("outbound", &human.number), Unit::Minute, minutes);
    let of = Of { call: Some(id.call), assistant, turn: Some(id.turn), kind: Kind::Human, at };
    ledger::set(tx, &of, i64::from(id.attempt), &reckon(store, [used], at))?;
    // What the call itself went over ended there.
    match calls::by_id(tx, id.call)? {
        Some(call) if call.status.is_final() => closed(tx, store, id.call),
        _ => Ok(()),
    }
}

/// A recording is this long.
pub(super) fn recorded(
    tx: &Tx,
    store: &Store,
    call: &Call,
    recording: &RecordingSid,
    seconds: u32,
    at: Timestamp,
) -> Result<(), StoreError> {
    let used = Use::of_twilio("recording", Unit::Minute, begun_minutes(u64::from(seconds)));
    of_recording(tx, store, call, recording, Kind::Recording, used, at)
}

/// The words of a recording were written down.
pub(super) fn transcribed(
    tx: &Tx,
    store: &Store,
    call: &Call,
    recording: &RecordingSid,
    seconds: u32,
    at: Timestamp,
) -> Result<(), StoreError> {
    let minutes = begun_minutes(u64::from(seconds.max(1)));
    let used = Use::of_twilio("transcription", Unit::Minute, minutes);
    of_recording(tx, store, call, recording, Kind::Transcription, used, at)
}

fn of_recording(
    tx: &Tx,
    store: &Store,
    call: &Call,
    recording: &RecordingSid,
    kind: Kind,
    used: Use,
    at: Timestamp,
) -> Result<(), StoreError> {
    if used.quantity == 0 {
        return Ok(());
    }
    let of = Of { call: Some(call.id), assistant: call.assistant_id, turn: None, kind, at };
    // The end of its name, which is a number.
    let sid = recording.as_str();
    let number = sid.get(sid.len().saturating_sub(15)..).unwrap_or(sid);
    let number = i64::from_str_radix(number, 16).unwrap_or(0);
    ledger::set(tx, &of, number, &reckon(store, [used], at))
}

/// A text message left; `number` names it.
pub(super) fn texted(
    tx: &Tx,
    store: &Store,
    (assistant, call): (AssistantId, Option<CallId>),
    number: i64,
    (to, segments): (&PhoneNumber, u64),
    at: Timestamp,
) -> Result<(), StoreError> {
    let of = Of { call, assistant, turn: None, kind: Kind::Text, at };
    let used = Use::of_twilio(product_of("sms", to), Unit::Segment, segments);
    ledger::set(tx, &of, number, &reckon(store, [used], at))
}

/// Whether an assistant's calls that began since a moment have cost as much as they may.
pub(super) fn is_used_up(
    tx: &Tx,
    store: &Store,
    assistant: AssistantId,
    most: Money,
    since: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(spent_since(tx, store, assistant, since, now)?.of(most.currency) >= most.amount)
}

/// What an assistant's calls that began since a moment have cost; those that go on count with their
/// minutes so far.
pub(super) fn spent_since(
    tx: &Tx,
    store: &Store,
    assistant: AssistantId,
    since: Timestamp,
    now: Timestamp,
) -> Result<Cost, StoreError> {
    let mut spent = call_costs::since(tx, assistant, since)?;
    for id in call_costs::live_since(tx, assistant, since)? {
        let Some(call) = calls::by_id(tx, id)? else { continue };
        let elapsed = now.duration_since(call.started_at).as_secs().max(0).unsigned_abs();
        let so_far = reckon(store, minutes(tx, &call, elapsed)?, now);
        spent = so_far.iter().fold(spent, |sum, one| sum.plus(one.cost));
    }
    Ok(spent)
}

/// What the actor's assistants spent, by whole UTC days, with a grouping if one is asked for.
pub fn costs(
    store: &Store,
    actor: &Actor,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    assistant: Option<AssistantId>,
    by: Option<CostsBy>,
) -> Result<Costs> {
    let window = Window { since, until, assistant, sight: actor.sight() };
    store.read(|tx| {
        let rows = by.map_or_else(|| Ok(Vec::new()), |by| costs::grouped(tx, &window, by))?;
        let total = match by {
            // Models are a part of it only.
            None | Some(CostsBy::Model) => costs::total(tx, &window)?,
            Some(_) => rows.iter().fold(CostsTotal::default(), |sum, row| CostsTotal {
                entries: sum.entries + row.entries,
                unpriced: sum.unpriced + row.unpriced,
                cost: sum.cost.plus(row.cost),
            }),
        };
        Ok(Costs { rows, total, charged: charges::total(tx, &window)? })
    })
}

/// Every use without a price that is known, and how often there was one.
pub fn unpriced(store: &Store) -> Result<Vec<(String, String, Unit, u64)>> {
    store.read(costs::unpriced)
}

/// How long after its end Twilio is first asked what a call cost.
const ASKED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Calls that are asked of at once.
const AT_ONCE: u32 = 20;

pub use crate::store::charges::Due as DueCharge;

/// What Twilio says of the price of a call.
#[derive(Debug, Clone)]
pub enum Told {
    /// So much.
    Charged(Micros, Currency),
    /// Nothing yet, and why.
    NotYet(String),
    /// Nothing, ever, and why.
    Never(String),
}

/// Calls of which Twilio is to be asked now.
pub async fn charges_due(store: &Store, now: Timestamp) -> Result<Vec<DueCharge>> {
    store.read_async(move |tx| charges::due(tx, now, AT_ONCE)).await
}

/// Enters what Twilio charged for a call, whether it was to be asked of it or not. A price that is
/// entered stays.
pub async fn enter_charge(
    store: &Store,
    sid: CallSid,
    amount: Micros,
    currency: Currency,
    now: Timestamp,
) -> Result<()> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(()) };
            charges::ask(tx, call.id, now)?;
            let day = call.started_at.to_zoned_datetime(TimeZone::UTC).date();
            let cost = prices(&cache).cost(amount, currency, day);
            charges::charged(tx, call.id, (amount, currency), cost, now)
        })
        .await
}

/// Notes what Twilio says of a call.
pub async fn note_charge(store: &Store, due: DueCharge, told: Told, now: Timestamp) -> Result<()> {
    let cache = store.clone();
    store
        .write_async(move |tx| match told {
            Told::Charged(amount, currency) => {
                let Some(call) = calls::by_id(tx, due.id)? else { return Ok(()) };
                let day = call.started_at.to_zoned_datetime(TimeZone::UTC).date();
                let cost = prices(&cache).cost(amount, currency, day);
                charges::charged(tx, due.id, (amount, currency), cost, now)
            }
            Told::NotYet(why) => charges::not_yet(tx, &due, &why, now),
            Told::Never(why) => charges::given_up(tx, &due, &why),
        })
        .await
}
