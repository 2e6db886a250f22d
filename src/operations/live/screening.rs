//! Whose calls are turned down before anything is said.

use jiff::Timestamp;

use super::Ringing;
use crate::{
    domain::{Admission, Assistant, EndReason},
    store::{
        StoreError, Tx,
        calls::{self, NewCall},
    },
};

/// Why a call is not taken, by the assistant's file.
pub(super) fn refusal(
    tx: &Tx,
    ringing: &Ringing,
    call: &NewCall,
    assistant: &Assistant,
) -> Result<Option<EndReason>, StoreError> {
    let screening = &assistant.spec.screening;
    let Some(caller) = &call.caller else {
        let refused = screening.anonymous == Admission::Refuse;
        return Ok(refused.then_some(EndReason::Anonymous));
    };
    if screening.blocks(caller) {
        return Ok(Some(EndReason::Blocked));
    }
    if ringing.spoofed && screening.spoofed == Admission::Refuse {
        return Ok(Some(EndReason::Spoofed));
    }
    let Some(most) = screening.max_calls_per_day else { return Ok(None) };
    let since = start_of_day(assistant, ringing.at);
    let today = calls::count_recent(tx, assistant.id, caller, since, most)?;
    Ok((today >= most).then_some(EndReason::CallerLimit))
}

/// The day of those who are called.
pub(in crate::operations) fn start_of_day(assistant: &Assistant, at: Timestamp) -> Timestamp {
    let day = at.to_zoned_datetime(assistant.spec.zone()).start_of_day();
    day.map_or(at, |day| day.timestamp())
}
