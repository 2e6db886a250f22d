//! What handlers are given: bodies and the names in paths, as types that document themselves.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, OriginalUri, Path, Request},
    http::{StatusCode, header, request::Parts},
};
use http_body_util::BodyExt;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{failure::Failure, objects};
use crate::{
    domain::Error,
    server::{App, problem},
};

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let error = Error::input("the body is not said to be JSON")
                .hint("send `content-type: application/json`");
            return Err(Failure::with(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
        }
        // In memory already: `bodies::buffer`.
        let bytes = request.into_body().collect().await;
        let bytes = bytes.map_err(|_| Error::input("the body broke off"))?.to_bytes();
        let read = objects::read(&bytes).map(Self);
        Ok(read.map_err(|cause| {
            Error::input(format!("the body cannot be read: {}", without_value(&cause)))
        })?)
    }
}

/// What is wrong with a body and where, without a value of the wrong type: it may be a secret.
fn without_value(cause: &serde_json::Error) -> String {
    let told = cause.to_string();
    let wrong = ["invalid type: ", "invalid value: ", "invalid length "];
    match told.rsplit_once(", expected ") {
        Some((before, expected)) if wrong.iter().any(|start| before.starts_with(start)) => {
            format!("expected {expected}")
        }
        _ => told,
    }
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

/// The names in the path.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for At<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if let Ok(Path(names)) = Path::<T>::from_request_parts(parts, app).await {
            return Ok(Self(names));
        }
        // A name that cannot be one is the name of nothing.
        let whole = parts.extensions.get::<OriginalUri>();
        Err(problem::nothing_at(whole.map_or(&parts.uri, |OriginalUri(uri)| uri)).into())
    }
}

impl<T: JsonSchema> OperationInput for At<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<T>::operation_input(ctx, operation);
    }
}
