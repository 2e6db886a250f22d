//! `/api/voice/transcripts/search`.

use std::ops::RangeInclusive;

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    assistants,
    auth::Asker,
    failure::Answer,
    parameters::{Cursor, Params, within},
};
use crate::{
    api::{Moment, Success, Transcripts},
    domain::{Error, TranscriptQuery},
    operations::transcripts,
};

/// Hits in one answer, unasked and at most.
const PAGE: u64 = 50;
const LIMIT: RangeInclusive<u64> = 1..=1_000;

/// The longest text of words, in characters.
const LONGEST: usize = 200;

/// What is looked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// One to eight words, in any case, with or without accents and endings: turns have all of them.
    #[schemars(length(min = 1, max = 200))]
    q: String,
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// In calls that began at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// In calls that began before.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// At most so many: 50 when left out, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<Cursor>,
}

pub(super) async fn search(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Transcripts> {
    let limit = within("limit", wanted.limit.unwrap_or(PAGE), &LIMIT)?;
    if wanted.q.chars().count() > LONGEST {
        return Err(Error::input("`q` is at most 200 characters of words").into());
    }
    let mut query = TranscriptQuery::of(&wanted.q, limit)?;
    (query.since, query.until) = (wanted.since, wanted.until);
    query.before = wanted.cursor.map(|Cursor(place)| place);
    let page = asker
        .ask(move |store, actor, _| {
            query.assistant = assistants::named(store, actor, wanted.assistant_id.as_ref())?;
            transcripts::search(store, actor, &query)
        })
        .await?;
    let next = page.next.map(|place| place.to_string());
    Ok(Json(Transcripts { success: Success::default(), hits: page.hits, next }))
}
