//! Rows of `voice_calls` as calls that are over.
//!
//! A call that the prototype still calls `ringing` or `in-progress` has lost its end: it becomes
//! `completed` when something of it was kept (an end, a duration, a transcription) and `failed`
//! otherwise, with the reason `swept`. One that began in the last four hours, Twilio's limit, may
//! really be going on: it is refused, and taken by a later import.

use jiff::{SignedDuration, Timestamp};

use super::{
    Home, Notes, State, Wishes,
    report::Refused,
    values::{self, Unreadable},
};
use crate::{
    domain::{CallExtras, CallSid, CallStatus, Caller, EndReason, PhoneNumber, VoiceLine, redact},
    store::{
        StoreError, Tx,
        calls::{CallEnd, NewCall},
        imports,
        prototype::{Row, Table, Value},
    },
};

const LONGEST_CALL: SignedDuration = SignedDuration::from_hours(4);
/// A length beyond this is a mistake, and would spoil every average.
const LONGEST_KNOWN: SignedDuration = SignedDuration::from_hours(24);
/// A clock may be wrong, or its zone.
const TOO_FAR_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Takes the calls of one page.
pub(super) fn page(tx: &Tx, rows: &[Row], state: &mut State) -> Result<(), StoreError> {
    for row in rows {
        let mut notes = Notes::new(Table::Calls, row);
        let call = match sid(row, state) {
            Ok(sid) if imports::has_call(tx, &sid)? => {
                state.report.calls.present += 1;
                continue;
            }
            Ok(sid) => {
                home(row, state).and_then(|home| call(row, sid, &home, state.wishes, &mut notes))
            }
            Err(why) => Err(why),
        };
        match call {
            Err(why) => notes.refused(why, &mut state.report.calls, &mut state.report.remarks),
            Ok(call) => {
                if !state.wishes.dry_run {
                    let Imported { new, end, satisfaction, extras } = &call;
                    imports::insert_call(tx, new, end, *satisfaction, extras)?;
                }
                notes.taken(&mut state.report.calls, &mut state.report.remarks);
            }
        }
    }
    Ok(())
}

struct Imported {
    new: NewCall,
    end: CallEnd,
    satisfaction: Option<u8>,
    extras: CallExtras,
}

fn sid(row: &Row, state: &mut State) -> Result<CallSid, Refused> {
    const FIELD: &str = "call_sid";
    let value = row.get(FIELD);
    let sid: CallSid =
        values::text(value).ok().flatten().and_then(|text| text.parse().ok()).ok_or_else(|| {
            let reason =
                format!("{} is no CallSid: `CA` and 32 hexadecimal digits", values::shown(value));
            Refused::new(FIELD, reason)
        })?;
    let digits = u128::from_str_radix(&sid.as_str()[2..], 16).unwrap_or_default();
    match state.sids.insert(digits, row.number) {
        Some(other) => {
            state.sids.insert(digits, other);
            Err(Refused::new(FIELD, format!("{sid} is the call of row {other}, too")))
        }
        None => Ok(sid),
    }
}

fn home(row: &Row, state: &State) -> Result<Home, Refused> {
    const FIELD: &str = "assistant_id";
    let value = row.get(FIELD);
    let key = values::text(value).ok().flatten().unwrap_or_default();
    let whose = values::shown(value);
    match state.homes.get(&key) {
        Some(Some(home)) => Ok(home.clone()),
        Some(None) => Err(Refused::new(FIELD, format!("its assistant {whose} could not be taken"))),
        None => Err(Refused::new(FIELD, format!("the file has no assistant {whose}"))),
    }
}

fn call(
    row: &Row,
    sid: CallSid,
    home: &Home,
    wishes: Wishes,
    notes: &mut Notes,
) -> Result<Imported, Refused> {
    let duration_s = duration(row, notes);
    let ended_at = moment(row, "ended_at", notes);
    let started_at = started(row, ended_at, duration_s, wishes.now, notes)?;
    let extras = CallExtras {
        // Masked like words that are heard here; an assistant's file says otherwise only later.
        transcription: text(row, "transcription", notes).map(|text| redact(&text).into_owned()),
        recording_url: text(row, "recording_url", notes),
        metadata: metadata(row, notes),
    };
    let kept =
        ended_at.is_some() || duration_s.is_some_and(|s| s > 0) || extras.transcription.is_some();
    let is_recent = started_at.checked_add(LONGEST_CALL).is_ok_and(|latest| latest > wishes.now);
    let (status, reason) = status(row, kept, ended_at.is_none() && is_recent, notes)?;
    let ended_at = ended(row, started_at, ended_at, duration_s, notes);
    Ok(Imported {
        new: NewCall {
            direction: crate::domain::Direction::Inbound,
            account: None,
            sid,
            assistant: home.id,
            assistant_revision: 1,
            caller: caller(row, notes),
            to_number: to_number(row, home, notes),
            line: VoiceLine::Gather,
            language: home.language.clone(),
            started_at,
        },
        end: CallEnd { status, ended_at, duration_s, reason },
        satisfaction: satisfaction(row, notes),
        extras,
    })
}

fn started(
    row: &Row,
    ended_at: Option<Timestamp>,
    duration_s: Option<u32>,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<Timestamp, Refused> {
    const FIELD: &str = "started_at";
    let value = row.get(FIELD);
    let wrong = |why: &str| Refused::new(FIELD, format!("{} {why}", values::shown(value)));
    let at = match values::moment(value) {
        Ok(Some(at)) => at,
        Err(Unreadable) => return Err(wrong("is no time that can be read")),
        Ok(None) => {
            let Some(ended_at) = ended_at else {
                return Err(Refused::new(FIELD, "nobody knows when it was"));
            };
            let length = SignedDuration::from_secs(i64::from(duration_s.unwrap_or(0)));
            notes.changed(FIELD, "not known: taken from its end and its duration");
            ended_at.checked_sub(length).unwrap_or(ended_at)
        }
    };
    let ahead = now.checked_add(TOO_FAR_AHEAD).is_ok_and(|limit| at > limit);
    if ahead { Err(wrong("lies in the future")) } else { Ok(at) }
}

/// When it ended: as noted if that can be, else from its duration.
fn ended(
    row: &Row,
    started_at: Timestamp,
    noted: Option<Timestamp>,
    duration_s: Option<u32>,
    notes: &mut Notes,
) -> Timestamp {
    const FIELD: &str = "ended_at";
    let length = SignedDuration::from_secs(i64::from(duration_s.unwrap_or(0)));
    let computed = started_at.checked_add(length).unwrap_or(started_at);
    let Some(noted) = noted else { return computed };
    let from_the_start = noted.duration_since(started_at);
    if from_the_start.is_negative() {
        notes.replaced(
            FIELD,
            row.get(FIELD),
            "the start and the duration: it lies before the start",
        );
    } else if from_the_start > LONGEST_KNOWN {
        notes.replaced(FIELD, row.get(FIELD), "the start and the duration: no call takes so long");
    } else {
        return noted;
    }
    computed
}

/// Where the call stands now, and why it ended when nobody noted it.
fn status(
    row: &Row,
    kept: bool,
    may_go_on: bool,
    notes: &mut Notes,
) -> Result<(CallStatus, Option<EndReason>), Refused> {
    const FIELD: &str = "status";
    let value = row.get(FIELD);
    let known = values::text(value).ok().flatten().and_then(|text| status_word(&text));
    if let Some(status) = known.filter(|status| status.is_final()) {
        return Ok((status, None));
    }
    if known.is_some() && may_go_on {
        let shown = values::shown(value);
        return Err(Refused::new(
            FIELD,
            format!("{shown}: it may be going on; import it again later"),
        ));
    }
    let taken = if kept { CallStatus::Completed } else { CallStatus::Failed };
    notes.replaced(FIELD, value, &format!("`{taken}`: its end was never noted"));
    Ok((taken, known.is_some().then_some(EndReason::Swept)))
}

/// Twilio's words, and those that programs make of them.
fn status_word(text: &str) -> Option<CallStatus> {
    // An enumeration of Python may be written by its own name: `CallStatus.IN_PROGRESS`.
    let word = text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    Some(match word.replace(['_', ' '], "-").as_str() {
        "completed" | "complete" | "ended" | "finished" => CallStatus::Completed,
        "failed" | "error" => CallStatus::Failed,
        "busy" => CallStatus::Busy,
        "no-answer" | "noanswer" | "missed" => CallStatus::NoAnswer,
        "canceled" | "cancelled" => CallStatus::Canceled,
        "rejected" => CallStatus::Rejected,
        "queued" | "initiated" | "ringing" | "pending" => CallStatus::Ringing,
        "in-progress" | "answered" | "active" | "started" => CallStatus::InProgress,
        _ => return None,
    })
}

fn duration(row: &Row, notes: &mut Notes) -> Option<u32> {
    const FIELD: &str = "duration";
    let longest = LONGEST_KNOWN.as_secs_f64();
    match values::number(row.get(FIELD)) {
        Ok(None) => None,
        Ok(Some(seconds)) if (0.0..=longest).contains(&seconds) => Some(seconds.round() as u32),
        Ok(Some(_)) | Err(Unreadable) => {
            notes.replaced(FIELD, row.get(FIELD), "the time from start to end");
            None
        }
    }
}

fn satisfaction(row: &Row, notes: &mut Notes) -> Option<u8> {
    const FIELD: &str = "satisfaction_score";
    match values::number(row.get(FIELD)) {
        Ok(None) => None,
        Ok(Some(score)) if (0.0..=5.0).contains(&score) => Some(score.round() as u8),
        Ok(Some(_)) | Err(Unreadable) => {
            notes.replaced(FIELD, row.get(FIELD), "none: scores go from 0 to 5");
            None
        }
    }
}

/// Who called; nothing when withheld. A national spelling becomes a number one can look for.
fn caller(row: &Row, notes: &mut Notes) -> Option<String> {
    let text = text(row, "from_number", notes)?;
    match Caller::read(&text) {
        Caller::Other(other) => {
            let number = other.parse::<PhoneNumber>().map(|number| number.to_string());
            Some(number.unwrap_or(other))
        }
        caller => caller.as_stored().map(str::to_owned),
    }
}

fn to_number(row: &Row, home: &Home, notes: &mut Notes) -> String {
    const FIELD: &str = "to_number";
    let value = row.get(FIELD);
    let read = values::text(value).map(|text| text.map(|text| text.parse::<PhoneNumber>()));
    match read {
        Ok(Some(Ok(number))) => number.to_string(),
        Ok(None) => home.phone.to_string(),
        Ok(Some(Err(_))) | Err(Unreadable) => {
            notes.replaced(FIELD, value, "the assistant's own number");
            home.phone.to_string()
        }
    }
}

fn moment(row: &Row, field: &'static str, notes: &mut Notes) -> Option<Timestamp> {
    values::moment(row.get(field)).unwrap_or_else(|Unreadable| {
        notes.replaced(field, row.get(field), "not known");
        None
    })
}

fn text(row: &Row, field: &'static str, notes: &mut Notes) -> Option<String> {
    values::text(row.get(field)).unwrap_or_else(|Unreadable| {
        notes.replaced(field, row.get(field), "nothing");
        None
    })
}

/// JSON as it is; anything else as a text in JSON.
fn metadata(row: &Row, notes: &mut Notes) -> Option<String> {
    const FIELD: &str = "call_metadata";
    let text = text(row, FIELD, notes)?;
    match serde_json::from_str::<serde_json::Value>(&text) {
        // SQLAlchemy writes None so.
        Ok(serde_json::Value::Null) => None,
        Ok(_) => Some(text),
        Err(_) => {
            notes.replaced(FIELD, &Value::Text(text.clone()), "a text: it is not JSON");
            Some(serde_json::Value::String(text).to_string())
        }
    }
}
