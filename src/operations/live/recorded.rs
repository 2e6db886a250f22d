//! A recording is ready at Twilio: kept where its caller allows it, removed otherwise.

use jiff::Timestamp;

use crate::{
    domain::{CallSid, KeptRecording, RecordingConsent, Removable, Result},
    operations::ledger,
    store::{Store, calls, removals},
};

/// What became of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The call has it.
    Kept,
    /// Nobody agreed to it, or does any longer: Twilio is asked to remove it.
    Unwanted,
    /// The call has another one already; nobody would find a second one again to forget it, so
    /// Twilio is asked to remove it.
    Another,
    /// Nobody knows the call.
    Unknown,
}

/// A recording of a call is ready. Telling it again changes nothing.
pub async fn recorded(
    store: &Store,
    sid: CallSid,
    kept: KeptRecording,
    seconds: Option<u32>,
    now: Timestamp,
) -> Result<Recorded> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(Recorded::Unknown) };
            // It was made, wanted or not.
            ledger::recorded(tx, &cache, &call, &kept.sid, seconds.unwrap_or(0), now)?;
            if call.recording_consent.is_some_and(RecordingConsent::allows) {
                if calls::set_recording(tx, call.id, &kept)? {
                    return Ok(Recorded::Kept);
                }
                removals::ask(tx, &sid, &Removable::Recording(kept), now)?;
                return Ok(Recorded::Another);
            }
            removals::ask(tx, &sid, &Removable::Recording(kept), now)?;
            Ok(Recorded::Unwanted)
        })
        .await
}
