//! Things as JSON, under the names of the API: scripts read the same from both doors.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    api::{
        AssistantView, BookingView, CallView, ChargeView, ContactView, CostsRowView,
        CostsTotalView, DoNotCallView, EntryView, MessageView, OutboundView, StatsView,
        TransferView, TurnView,
    },
    domain::{
        Assistant, Booking, Breakdown, Call, CallCharge, CallExtras, Contact, Costs, CostsRow,
        DoNotCall, Handover, LedgerEntry, Message, Next, OutboundCall, Stats, Turn,
    },
    operations::assistants::AssistantOverview,
};

/// A thing of the API as a value. All of them are plain data with text for keys.
pub(super) fn value(view: &impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}

fn object(view: &impl Serialize) -> Map<String, Value> {
    match value(view) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// An assistant.
pub(super) fn assistant(assistant: &Assistant) -> Map<String, Value> {
    object(&AssistantView::from(assistant))
}

/// An assistant with its figures.
pub(super) fn overview(overview: &AssistantOverview) -> Value {
    let mut object = object(&AssistantView::from(overview));
    // Not known here without adding up all calls.
    object.remove("total_duration");
    object.remove("average_satisfaction");
    object.into()
}

/// A call.
pub(super) fn call(call: &Call) -> Value {
    value(&CallView::from(call))
}

/// A call with what it brought along.
pub(super) fn call_with(call: &Call, extras: &CallExtras) -> Value {
    value(&CallView::from(call).with(extras))
}

/// What was spent in all.
pub(super) fn costs(costs: &Costs) -> Value {
    value(&CostsTotalView::from(costs))
}

/// A part of it.
pub(super) fn costs_row(row: &CostsRow) -> Map<String, Value> {
    let mut object = object(&CostsRowView::from(row));
    object.remove("key");
    object
}

/// A metered use.
pub(super) fn entry(entry: &LedgerEntry) -> Value {
    value(&EntryView::from(entry))
}

/// What Twilio charged.
pub(super) fn charge(charge: &CallCharge) -> Value {
    value(&ChargeView::from(charge))
}

/// A turn.
pub(super) fn turn(turn: &Turn) -> Value {
    value(&TurnView::from(turn))
}

/// What came after a turn, in a word.
pub(super) fn next_word(next: &Next) -> &'static str {
    match next {
        Next::Listen => "listen",
        Next::HangUp => "hang-up",
        Next::Transfer(_) => "transfer",
    }
}

/// A booking.
pub(super) fn booking(booking: &Booking) -> Value {
    value(&BookingView::from(booking))
}

/// A contact.
pub(super) fn contact(contact: &Contact) -> Value {
    value(&ContactView::from(contact))
}

/// A call that was asked for.
pub(super) fn outbound(call: &OutboundCall) -> Value {
    value(&OutboundView::from(call))
}

/// Somebody who is not to be called.
pub(super) fn do_not_call(one: &DoNotCall) -> Value {
    value(&DoNotCallView::from(one))
}

/// A message.
pub(super) fn message(message: &Message) -> Value {
    value(&MessageView::from(message))
}

/// A human who was rung for a call.
pub(super) fn handover(human: &Handover) -> Value {
    value(&TransferView::from(human))
}

/// The figures of a group of calls.
pub(super) fn sums(sums: &Breakdown) -> Map<String, Value> {
    let tenths = |value: f64| (value * 100.0).round() / 100.0;
    let object = json!({
        "total_calls": sums.calls,
        "total_duration": sums.duration_s,
        "average_duration": tenths(sums.average_duration_s()),
        "average_satisfaction": sums.average_satisfaction().map(tenths),
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The overview.
pub(super) fn stats(stats: &Stats) -> Value {
    value(&StatsView::from(stats))
}
