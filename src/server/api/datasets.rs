//! `/api/voice/export/{dataset}`: rows as a file, written as they are read.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as Documented},
    transform::TransformOperation,
};
use axum::{body::Body, extract::State, http::header, response::Response};
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{assistants, auth::Asker, document, extract::At, failure::Failure, parameters::Params};
use crate::{
    api::Moment,
    domain::{Dataset, Error, Result},
    operations::datasets::{self, Export, Format, Wanted},
    server::App,
};

/// What the document says of it.
pub(super) fn told(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let text = "Rows as a file, oldest first; an answer that breaks off is not whole";
    document::told("exportRows", text, &[404, 503])(operation)
        .response_with::<200, File, _>(|response| response.description("The rows"))
}

/// The rows, for the document only.
pub(super) struct File;

impl OperationOutput for File {
    type Inner = String;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        let mut response = axum::Json::<String>::operation_response(ctx, operation)?;
        let content = response.content.swap_remove("application/json")?;
        for format in Format::ALL {
            response.content.insert(format.media_type().to_owned(), content.clone());
        }
        Some(response)
    }
}

/// Which rows.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    dataset: Rows,
}

/// A kind of row.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Rows {
    /// Calls, by when they began.
    Calls,
    /// Turns of calls, by when the call began.
    Turns,
    /// Bookings, by when what was booked begins.
    Bookings,
    /// Entries of the ledger, by when something was used.
    Ledger,
    /// Contacts, by their last call.
    Contacts,
}

impl From<Rows> for Dataset {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Calls => Self::Calls,
            Rows::Turns => Self::Turns,
            Rows::Bookings => Self::Bookings,
            Rows::Ledger => Self::Ledger,
            Rows::Contacts => Self::Contacts,
        }
    }
}

/// A kind of file.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum As {
    /// Comma-separated values (RFC 4180), safe for spreadsheets.
    #[default]
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl From<As> for Format {
    fn from(format: As) -> Self {
        match format {
            As::Csv => Self::Csv,
            As::Jsonl => Self::Jsonl,
            As::Parquet => Self::Parquet,
        }
    }
}

/// Which of them, and as what.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Asked {
    /// As what: `csv` when left out.
    format: As,
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// From this moment on.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Before this one.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// Without what tells who called.
    redact: bool,
}

pub(super) async fn export(
    State(app): State<App>,
    asker: Asker,
    At(named): At<Named>,
    Params(asked): Params<Asked>,
) -> Result<Response, Failure> {
    let (dataset, format) = (Dataset::from(named.dataset), Format::from(asked.format));
    let Some(room) = app.exports.try_take(asker.actor.user()) else {
        return Err(Error::unavailable("as many exports go on already as may")
            .hint("ask again when one of them is done")
            .into());
    };
    let export = asker
        .ask(move |store, actor, now| {
            let wanted = Wanted {
                dataset,
                format,
                since: asked.since,
                until: asked.until,
                assistant: assistants::named(store, actor, asked.assistant_id.as_ref())?,
                redact: asked.redact,
            };
            // One reader: callers come first.
            datasets::begin(store, actor, &wanted, 1, now)
        })
        .await?;
    // Each part is read when the one before is on its way: who reads slowly holds nothing up.
    let parts = stream::try_unfold((export, room), |(export, room)| async move {
        let (part, export) = next(export).await.inspect_err(|error| {
            tracing::error!(%error, causes = ?error.causes(), "an export broke off");
        })?;
        Ok::<_, Error>(part.map(|bytes| (bytes, (export, room))))
    });
    let name = format!("attachment; filename=\"{dataset}.{format}\"");
    Response::builder()
        .header(header::CONTENT_TYPE, format.media_type())
        .header(header::CONTENT_DISPOSITION, name)
        .body(Body::from_stream(parts))
        .map_err(|cause| Error::failure("an answer cannot be made").because(cause).into())
}

async fn next(mut export: Export) -> Result<(Option<Bytes>, Export)> {
    tokio::task::spawn_blocking(move || {
        let part = export.part()?;
        Ok((part.map(|part| part.bytes.into()), export))
    })
    .await
    .unwrap_or_else(|error| Err(Error::failure("an export was broken off").because(error)))
}
