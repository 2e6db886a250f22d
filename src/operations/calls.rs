//! Calls: list, show, follow.

use crate::{
    domain::{
        Actor, Call, CallExtras, CallFilter, CallId, CallPage, CallSid, Error, Handover, Message,
        Result, Turn, WholeCall,
    },
    store::{
        Store, bookings, call_costs, call_list, calls, charges, imports, messages, transfers, turns,
    },
};

/// A page of calls that match, newest first.
pub fn list(store: &Store, actor: &Actor, filter: &CallFilter) -> Result<CallPage> {
    page(store, actor, filter, None)
}

/// A page of calls that match and were stored after one, oldest first.
pub fn list_after(
    store: &Store,
    actor: &Actor,
    last: CallId,
    filter: &CallFilter,
) -> Result<CallPage> {
    page(store, actor, filter, Some(last))
}

/// One more is read than asked for, to tell whether there are more. They are counted in all only
/// when the page does not hold them all.
fn page(
    store: &Store,
    actor: &Actor,
    filter: &CallFilter,
    after: Option<CallId>,
) -> Result<CallPage> {
    let sight = actor.sight();
    let limit = filter.limit.map(|limit| limit.saturating_add(1));
    let wanted = CallFilter { limit, ..filter.clone() };
    store.read(|tx| {
        let mut calls = match after {
            None => call_list::list(tx, sight, &wanted)?,
            Some(last) => call_list::after(tx, sight, last, &wanted)?,
        };
        let more = filter.limit.is_some_and(|limit| calls.len() as u64 > limit);
        if more {
            calls.pop();
        }
        let whole = !more && filter.offset == 0 && filter.older_than.is_none() && after.is_none();
        let total = if whole {
            calls.len() as u64
        } else {
            // Wherever the page begins.
            call_list::count(tx, sight, &CallFilter { older_than: None, ..filter.clone() })?
        };
        Ok(CallPage { calls, total, more })
    })
}

/// Calls in one page of [`each`].
const PAGE: u64 = 5_000;

/// All calls that match, newest first, a page at a time: ten million do not fit into memory.
/// Each page is a moment of its own; a call that rings meanwhile is newer than all of them.
pub fn each(
    store: &Store,
    actor: &Actor,
    filter: &CallFilter,
    mut take: impl FnMut(Vec<Call>) -> Result<()>,
) -> Result<()> {
    let mut filter = CallFilter { limit: Some(PAGE), ..filter.clone() };
    loop {
        let page = store.read(|tx| call_list::list(tx, actor.sight(), &filter))?;
        let Some(last) = page.last() else { return Ok(()) };
        filter.older_than = Some((last.started_at, last.id));
        filter.offset = 0;
        let is_last = (page.len() as u64) < PAGE;
        take(page)?;
        if is_last {
            return Ok(());
        }
    }
}

/// A call and its turns. One that the actor may not see is one that is not there.
pub fn show(store: &Store, actor: &Actor, sid: &CallSid) -> Result<(Call, Vec<Turn>)> {
    let sight = actor.sight();
    store.read(|tx| {
        let call = calls::seen(tx, sight, sid)?.ok_or_else(|| unknown(sid.as_str()))?;
        let turns = turns::of_call(tx, call.id)?;
        Ok((call, turns))
    })
}

/// Everything that is known of a call. One that the actor may not see is one that is not there.
pub fn whole(store: &Store, actor: &Actor, sid: &CallSid) -> Result<WholeCall> {
    let (call, turns) = show(store, actor, sid)?;
    store.read(|tx| {
        Ok(WholeCall {
            extras: imports::extras(tx, call.id)?,
            bookings: bookings::of_call(tx, call.id)?,
            messages: messages::of_call(tx, call.id)?,
            handovers: transfers::of_call(tx, call.id)?,
            costs: call_costs::of_call(tx, call.id)?,
            charge: charges::of_call(tx, call.id)?,
            call,
            turns,
        })
    })
}

/// What a call brought from the program it was imported from.
pub fn extras(store: &Store, call: CallId) -> Result<CallExtras> {
    store.read(|tx| imports::extras(tx, call))
}

/// Messages taken in a call.
pub fn messages(store: &Store, call: CallId) -> Result<Vec<Message>> {
    store.read(|tx| messages::of_call(tx, call))
}

/// The humans who were rung for a call.
pub fn handovers(store: &Store, call: CallId) -> Result<Vec<Handover>> {
    store.read(|tx| transfers::of_call(tx, call))
}

/// The call that a SID, or the beginning of only one, names.
pub fn resolve(store: &Store, actor: &Actor, sid_or_prefix: &str) -> Result<CallSid> {
    let text = sid_or_prefix.trim();
    let sight = actor.sight();
    let sids = store.read(|tx| {
        if let Ok(sid) = text.parse::<CallSid>() {
            return Ok(calls::seen(tx, sight, &sid)?.map(|call| call.sid).into_iter().collect());
        }
        calls::sids_starting_with(tx, sight, text, 4)
    })?;
    match sids.as_slice() {
        [sid] => Ok(sid.clone()),
        _ if text.len() < 4 => Err(too_short(text)),
        [] => Err(unknown(text)),
        several => {
            Err(Error::input(format!("`{text}` is the beginning of several calls")).hint(format!(
                "one of {}",
                several.iter().map(CallSid::as_str).collect::<Vec<_>>().join(", ")
            )))
        }
    }
}

/// A beginning of a SID that says too little.
pub fn too_short(text: &str) -> Error {
    Error::input(format!("`{}` is too short for a call", text.escape_debug()))
        .hint("give the CallSid, or at least its first 4 characters; `webox calls` lists them")
}

fn unknown(sid: &str) -> Error {
    Error::not_found(format!("no call `{}`", sid.escape_debug()))
        .hint("list them with `webox calls --since 7d`")
}

/// Calls newer than one, oldest first: what `--follow` prints next.
pub fn after(store: &Store, actor: &Actor, last: CallId, filter: &CallFilter) -> Result<Vec<Call>> {
    store.read(|tx| call_list::after(tx, actor.sight(), last, filter))
}

/// The call stored last.
pub fn newest(store: &Store) -> Result<Option<CallId>> {
    store.read(call_list::newest)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        domain::{AssistantSpec, LanguageTag, VoiceLine},
        store::{Options, assistants, calls::NewCall},
    };

    #[test]
    fn a_long_list_comes_whole_in_pages_also_when_many_rang_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
        let many = PAGE + 1_500;
        store
            .write(move |tx| {
                let spec: AssistantSpec = serde_json::from_str(
                    r#"{"name":"a","client":"A","phone":"+33123456789","context":""}"#,
                )?;
                let assistant = assistants::insert(
                    tx,
                    &spec,
                    None,
                    &crate::store::versions::Stamp {
                        at: Timestamp::UNIX_EPOCH,
                        author: &crate::domain::Author::new("tester", "test"),
                        apply: None,
                    },
                )?;
                for n in 0..many {
                    let call = NewCall {
                        direction: crate::domain::Direction::Inbound,
                        account: None,
                        sid: format!("CA{n:032x}").parse()?,
                        assistant: assistant.id,
                        assistant_revision: 1,
                        caller: None,
                        to_number: "+33123456789".to_owned(),
                        line: VoiceLine::Gather,
                        language: LanguageTag::french(),
                        // A thousand calls share each second.
                        started_at: Timestamp::from_second((n / 1_000) as i64).unwrap_or_default(),
                    };
                    crate::store::calls::insert_live(tx, &call)?;
                }
                Ok(())
            })
            .unwrap();
        let mut ids = Vec::new();
        each(&store, &Actor::webox("test"), &CallFilter::default(), |page| {
            ids.extend(page.iter().map(|call| call.id.0));
            Ok(())
        })
        .unwrap();
        assert_eq!(ids, (1..=many as i64).rev().collect::<Vec<_>>());
    }
}
