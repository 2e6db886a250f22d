//! `/api/voice/bookings`, and the calendars made of them.

use std::ops::RangeInclusive;

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    assistants,
    assistants::Named,
    auth::Asker,
    extract::{At, Body},
    failure::{Answer, Failure},
    parameters::{Params, within},
    tags::Created,
};
use crate::{
    api::{BookingInput, BookingView, Bookings, CalendarFeed, Done, Moment, OneBooking, Success},
    domain::BookingFilter,
    operations::{assistants as all, bookings, calendars},
};

/// How many in one answer.
const LIMIT: RangeInclusive<u64> = 1..=10_000;

/// Whose bookings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Booked {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// Taking place at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Taking place before.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// Also those that were cancelled.
    all: Option<bool>,
    /// At most so many; 10000 when left out, which is the most.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<u64>,
}

/// A booking, by its reference, or `#` and its row number.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Reference {
    /// Six digits.
    reference: String,
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Booked>) -> Answer<Bookings> {
    let limit = within("limit", wanted.limit.unwrap_or(*LIMIT.end()), &LIMIT)?;
    let bookings = asker
        .ask(move |store, actor, _| {
            let filter = BookingFilter {
                assistant: assistants::named(store, actor, wanted.assistant_id.as_ref())?,
                since: wanted.since,
                until: wanted.until,
                cancelled: wanted.all.unwrap_or_default(),
                limit: Some(limit),
            };
            bookings::list(store, actor, &filter)
        })
        .await?;
    let bookings = bookings.iter().map(BookingView::from).collect();
    Ok(Json(Bookings { success: Success::default(), bookings }))
}

pub(super) async fn show(asker: Asker, At(named): At<Reference>) -> Answer<OneBooking> {
    let booking =
        asker.ask(move |store, actor, _| bookings::show(store, actor, &named.reference)).await?;
    Ok(Json(OneBooking::from(&booking)))
}

pub(super) async fn create(
    asker: Asker,
    Body(input): Body<BookingInput>,
) -> Result<Created<OneBooking>, Failure> {
    let booking = asker
        .ask(move |store, actor, now| {
            let assistant = all::find(store, actor, &input.assistant_id)?;
            let request = input.request();
            bookings::create(store, actor, assistant, request, input.caller, now)
        })
        .await?;
    Ok(Created(OneBooking::from(&booking)))
}

pub(super) async fn cancel(asker: Asker, At(named): At<Reference>) -> Answer<OneBooking> {
    let booking = asker
        .ask(move |store, actor, now| bookings::cancel(store, actor, &named.reference, now))
        .await?;
    Ok(Json(OneBooking::from(&booking)))
}

pub(super) async fn open_calendar(asker: Asker, At(named): At<Named>) -> Answer<CalendarFeed> {
    let token = asker
        .ask(move |store, actor, now| {
            let assistant = all::find(store, actor, &named.id)?;
            calendars::open(store, actor, &assistant, now)
        })
        .await?;
    let path = calendars::path(&token);
    Ok(Json(CalendarFeed { success: Success::default(), path }))
}

pub(super) async fn close_calendar(asker: Asker, At(named): At<Named>) -> Answer<Done> {
    asker
        .ask(move |store, actor, now| {
            let assistant = all::find(store, actor, &named.id)?;
            calendars::close(store, actor, &assistant, now)
        })
        .await?;
    Ok(Json(Done::default()))
}
