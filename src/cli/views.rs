//! Things as JSON, under the names of the API: scripts read the same from both doors.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::{
    Assistant, Booking, Breakdown, Call, CallExtras, Heard, Message, Next, Stats, Turn,
};

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| at.to_string().into())
}

/// An assistant.
pub(super) fn assistant(assistant: &Assistant) -> Map<String, Value> {
    let spec = &assistant.spec;
    let object = json!({
        "id": assistant.id,
        "name": spec.name,
        "client_name": spec.client,
        "client_email": spec.email,
        "twilio_phone_number": spec.phone,
        "ai_model": spec.ai.model,
        "ai_fallbacks": spec.ai.fallbacks,
        "ai_context": spec.context,
        "ai_personality": spec.ai.personality,
        "voice_line": spec.voice.line,
        "voice_provider": spec.voice.provider,
        "voice_id": spec.voice.voice_id,
        "voice_language": spec.voice.language,
        "voice_languages": spec.voice.languages,
        "voice_greeting": spec.voice.greeting,
        "timezone": spec.zone().iana_name(),
        "hours": spec.hours,
        "facts": spec.facts,
        "booking": spec.booking,
        "transfer_number": spec.transfer.number,
        "max_call_duration": spec.limits.max_call_duration.as_secs(),
        "max_concurrent_calls": spec.limits.max_concurrent_calls,
        "plan": spec.billing.plan,
        "is_active": spec.active,
        "revision": assistant.revision,
        "created_at": time(Some(assistant.created_at)),
        "updated_at": time(Some(assistant.updated_at)),
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// A call.
pub(super) fn call(call: &Call) -> Value {
    json!({
        "id": call.id,
        "assistant_id": call.assistant_id,
        "assistant": call.assistant,
        "call_sid": call.sid,
        "from_number": call.caller,
        "to_number": call.to_number,
        "duration": call.duration_s,
        "status": call.status,
        "satisfaction_score": call.satisfaction,
        "line": call.line,
        "language": call.language,
        "end_reason": call.end_reason,
        "started_at": time(Some(call.started_at)),
        "ended_at": time(call.ended_at),
    })
}

/// A call with what it brought along.
pub(super) fn call_with(call: &Call, extras: &CallExtras) -> Value {
    let mut whole = self::call(call);
    // Kept as JSON; should somebody else have written there, as text.
    let metadata = extras
        .metadata
        .as_deref()
        .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())));
    if let Value::Object(object) = &mut whole {
        object.insert("transcription".to_owned(), json!(extras.transcription));
        object.insert("recording_url".to_owned(), json!(extras.recording_url));
        object.insert("metadata".to_owned(), metadata.unwrap_or(Value::Null));
    }
    whole
}

/// A turn.
pub(super) fn turn(turn: &Turn) -> Value {
    let (kind, confidence) = match &turn.heard {
        None => (None, None),
        Some(Heard::Speech { confidence, .. }) => (Some("speech"), *confidence),
        Some(Heard::Digits(_)) => (Some("digits"), None),
        Some(Heard::Silence) => (Some("silence"), None),
    };
    json!({
        "number": turn.number,
        "heard": turn.heard.as_ref().map(Heard::text),
        "heard_as": kind,
        // Two digits are all a recogniser means; a float's tail would be noise.
        "confidence": confidence.map(|c| (f64::from(c) * 100.0).round() / 100.0),
        "heard_at": time(Some(turn.heard_at)),
        "said": turn.said,
        "unheard": turn.unheard,
        "language": turn.language,
        "next": turn.next.as_ref().map(next_word),
        "engine": turn.engine,
        "attempts": turn.attempts,
        "tools": turn.tools,
        "first_token_ms": turn.timings.first_token_ms,
        "reply_ms": turn.timings.reply_ms,
        "usage": turn.usage,
        "fillers": turn.fillers,
    })
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
    json!({
        "id": booking.id,
        "assistant_id": booking.assistant,
        "call_id": booking.call,
        "name": booking.name,
        "party": booking.party,
        "caller": booking.caller,
        "at": booking.at.to_string(),
        "timezone": booking.timezone,
        "starts_at": time(Some(booking.starts_at)),
        "ends_at": time(Some(booking.ends_at)),
        "created_at": time(Some(booking.created_at)),
    })
}

/// A message.
pub(super) fn message(message: &Message) -> Value {
    json!({
        "caller": message.caller,
        "name": message.name,
        "text": message.text,
        "created_at": time(Some(message.created_at)),
    })
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
    let mut object = sums(&stats.total);
    object.insert("active_assistants".to_owned(), stats.active_assistants.into());
    object.insert("total_assistants".to_owned(), stats.total_assistants.into());
    let by_status: Vec<Value> = stats
        .by_status
        .iter()
        .map(|(status, count)| json!({"status": status, "count": count}))
        .collect();
    object.insert("calls_by_status".to_owned(), by_status.into());
    Value::Object(object)
}
