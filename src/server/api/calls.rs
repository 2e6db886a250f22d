//! `/api/voice/calls`.

use std::ops::RangeInclusive;

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    assistants,
    auth::Asker,
    extract::At,
    failure::Answer,
    parameters::{Params, within},
};
use crate::{
    api::{CallView, Calls, Moment, OneCall, Success},
    domain::{CallFilter, CallId, CallOutcome, CallPage, CallStatus, Direction, Error, Result},
    operations::{calls, privacy},
};

/// The prototype's default.
const PAGE: u64 = 50;

/// How many in one answer.
const LIMIT: RangeInclusive<u64> = 1..=1_000;

/// How far a page may lie from the newest call; a cursor goes further, at less cost.
const OFFSET: RangeInclusive<u64> = 0..=1_000_000;

/// Which calls.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// Started at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Started before.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// Standing so.
    status: Option<CallStatus>,
    /// Come to this.
    outcome: Option<CallOutcome>,
    /// Begun by others, or by us.
    direction: Option<Direction>,
    /// From this number, or to it where we called; in any usual spelling.
    from: Option<String>,
    /// At most so many: 50 when left out, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Skip so many of the newest. A `cursor` goes further at less cost.
    #[schemars(range(min = 0, max = 1_000_000))]
    offset: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<String>,
    /// Stored after the call with this `id`, oldest first: what has come since.
    #[schemars(range(min = 0))]
    after: Option<i64>,
}

/// Where a page begins. As a text it is `MILLISECONDS-ID` on the way back in time, and `after-ID`
/// on the way forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before this start, or at it with a lower row.
    Before(Timestamp, CallId),
    /// Stored after this row.
    After(CallId),
}

impl Place {
    fn read(text: &str) -> Result<Self> {
        let row = |id: &str| Some(CallId(id.parse().ok().filter(|id| *id >= 0)?));
        let place = text.rsplit_once('-').and_then(|(from, id)| {
            let id = row(id)?;
            if from == "after" {
                return Some(Self::After(id));
            }
            Some(Self::Before(Timestamp::from_millisecond(from.parse().ok()?).ok()?, id))
        });
        place.ok_or_else(|| {
            Error::input("the `cursor` is none").hint("send back what a page answered as `next`")
        })
    }

    /// The place after a page, unless it is the last one.
    fn next(page: &CallPage, forward: bool) -> Option<String> {
        let last = page.calls.last().filter(|_| page.more)?;
        Some(if forward {
            format!("after-{}", last.id.0)
        } else {
            format!("{}-{}", last.started_at.as_millisecond(), last.id.0)
        })
    }
}

impl Wanted {
    /// Where the page begins: one way of saying it, not two.
    fn place(&self) -> Result<Option<Place>> {
        match (&self.cursor, self.after, self.offset) {
            (Some(cursor), None, None) => Place::read(cursor).map(Some),
            (None, Some(id), None) if id >= 0 => Ok(Some(Place::After(CallId(id)))),
            (None, Some(_), None) => Err(Error::input("`after` is the `id` of a call, or 0")),
            (None, None, _) => Ok(None),
            _ => Err(Error::input("`cursor`, `after` and `offset` say where a page begins")
                .hint("send one of them")),
        }
    }
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Calls> {
    let limit = within("limit", wanted.limit.unwrap_or(PAGE), &LIMIT)?;
    let offset = within("offset", wanted.offset.unwrap_or(0), &OFFSET)?;
    let place = wanted.place()?;
    let page = asker
        .ask(move |store, actor, _| {
            let filter = CallFilter {
                since: wanted.since,
                until: wanted.until,
                assistant: assistants::named(store, actor, wanted.assistant_id.as_ref())?,
                status: wanted.status,
                outcome: wanted.outcome,
                direction: wanted.direction,
                caller: wanted.from.as_deref().map(privacy::stored_caller).transpose()?,
                older_than: match place {
                    Some(Place::Before(at, id)) => Some((at, id)),
                    _ => None,
                },
                limit: Some(limit),
                offset,
            };
            match place {
                Some(Place::After(last)) => calls::list_after(store, actor, last, &filter),
                _ => calls::list(store, actor, &filter),
            }
        })
        .await?;
    let next = Place::next(&page, matches!(place, Some(Place::After(_))));
    let calls = page.calls.iter().map(CallView::from).collect();
    Ok(Json(Calls { success: Success::default(), calls, total: page.total, next }))
}

/// A call, by SID.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its SID, or the beginning of only one.
    sid: String,
}

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> Answer<OneCall> {
    let whole = asker
        .ask(move |store, actor, _| {
            let sid = calls::resolve(store, actor, &named.sid)?;
            calls::whole(store, actor, &sid)
        })
        .await?;
    Ok(Json(OneCall::from(&whole)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        let at = Timestamp::from_millisecond(-1_500).unwrap();
        assert_eq!(Place::read("-1500-7").unwrap(), Place::Before(at, CallId(7)));
        assert_eq!(Place::read("after-7").unwrap(), Place::After(CallId(7)));
        for wrong in
            ["", "x", "1", "1-", "-", "after-", "after-x", "1-2-x", "99999999999999999999-1"]
        {
            assert!(Place::read(wrong).is_err(), "{wrong}");
        }
    }
}
