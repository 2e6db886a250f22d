//! Calls: list, show, follow.

use crate::{
    domain::{Call, CallFilter, CallId, CallPage, CallSid, Error, Message, Result, Turn},
    store::{Store, calls, messages, turns},
};

/// Calls that match, newest first; counted in all only when the limit cuts the list.
pub fn list(store: &Store, filter: &CallFilter) -> Result<CallPage> {
    store.read(|tx| {
        let calls = calls::list(tx, filter)?;
        let cut = filter.limit.is_some_and(|limit| calls.len() as u64 >= limit);
        let total =
            if cut || filter.offset > 0 { calls::count(tx, filter)? } else { calls.len() as u64 };
        Ok(CallPage { calls, total })
    })
}

/// A call and its turns.
pub fn show(store: &Store, sid: &CallSid) -> Result<(Call, Vec<Turn>)> {
    store.read(|tx| {
        let call = calls::by_sid(tx, sid)?.ok_or_else(|| unknown(sid.as_str()))?;
        let turns = turns::of_call(tx, call.id)?;
        Ok((call, turns))
    })
}

/// Messages taken in a call.
pub fn messages(store: &Store, call: CallId) -> Result<Vec<Message>> {
    store.read(|tx| messages::of_call(tx, call))
}

/// The call that a SID, or the beginning of only one, names.
pub fn resolve(store: &Store, sid_or_prefix: &str) -> Result<CallSid> {
    let text = sid_or_prefix.trim();
    let sids = store.read(|tx| {
        if let Ok(sid) = text.parse::<CallSid>() {
            return Ok(calls::by_sid(tx, &sid)?.map(|call| call.sid).into_iter().collect());
        }
        calls::sids_starting_with(tx, text, 4)
    })?;
    match sids.as_slice() {
        [sid] => Ok(sid.clone()),
        _ if text.len() < 4 => {
            Err(Error::input(format!("`{}` is too short for a call", text.escape_debug())).hint(
                "give the CallSid, or at least its first 4 characters; `webox calls` lists them",
            ))
        }
        [] => Err(unknown(text)),
        several => {
            Err(Error::input(format!("`{text}` is the beginning of several calls")).hint(format!(
                "one of {}",
                several.iter().map(CallSid::as_str).collect::<Vec<_>>().join(", ")
            )))
        }
    }
}

fn unknown(sid: &str) -> Error {
    Error::not_found(format!("no call `{}`", sid.escape_debug()))
        .hint("list them with `webox calls --since 7d`")
}

/// Calls newer than one, oldest first: what `--follow` prints next.
pub fn after(store: &Store, last: CallId, filter: &CallFilter) -> Result<Vec<Call>> {
    store.read(|tx| calls::after(tx, last, filter))
}

/// The call stored last.
pub fn newest(store: &Store) -> Result<Option<CallId>> {
    store.read(calls::newest)
}
