//! `/api/voice/bookings`.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{assistants, auth::Asker, failure::Answer, parameters::Params};
use crate::{
    api::{BookingView, Bookings, Success},
    operations::bookings,
};

/// Whose bookings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Booked {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Booked>) -> Answer<Bookings> {
    let bookings = asker
        .ask(move |store, actor, _| {
            let id = assistants::named(store, actor, wanted.assistant_id.as_ref())?;
            bookings::list(store, actor, id)
        })
        .await?;
    let bookings = bookings.iter().map(BookingView::from).collect();
    Ok(Json(Bookings { success: Success::default(), bookings }))
}
