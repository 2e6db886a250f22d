//! `/api/voice/calls/{sid}/recording`.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as Documented},
    transform::TransformOperation,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{auth::Asker, document, extract::At, failure::Failure};
use crate::{domain::Error, operations::recordings, server::App};

/// What the document says of it.
pub(super) fn told(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let text = "The recording of a call, or else of the message spoken in it";
    document::told("getRecording", text, &[404, 500, 503])(operation)
        .response_with::<200, Mp3, _>(|response| response.description("All of it"))
        .response_with::<206, Mp3, _>(|response| {
            response.description("The part asked for by `Range`")
        })
}

/// The sound, for the document only.
pub(super) struct Mp3;

impl OperationOutput for Mp3 {
    type Inner = String;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        let mut response = axum::Json::<String>::operation_response(ctx, operation)?;
        let content = response.content.swap_remove("application/json")?;
        response.content.insert("audio/mpeg".to_owned(), content);
        Some(response)
    }
}

/// A call, by SID.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its SID, or the beginning of only one.
    sid: String,
}

pub(super) async fn hear(
    State(app): State<App>,
    asker: Asker,
    At(named): At<Named>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let found = asker.ask(move |store, actor, _| recordings::of_call(store, actor, &named.sid));
    let (call, kept) = found.await?;
    let archive = app.archive.as_ref().ok_or_else(|| {
        Error::config("this daemon asks Twilio for nothing: it plays no recordings")
    })?;
    Ok(archive.play(&call, &kept, &headers).await?)
}
