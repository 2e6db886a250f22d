//! What handlers are given, and what they answer: types that read, write, and document themselves.

use std::time::Duration;

use aide::{
    OperationInput, OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as Documented, StatusCode as Code},
};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::{AssistantView, OneAssistant, Problem, Success},
    domain::{Error, Kind},
    server::{App, problem},
};

/// A body that is not there by then is given up.
const WITHIN: Duration = Duration::from_secs(10);

/// An error, answered as a problem document.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        problem::from_error(&self.0)
    }
}

impl OperationOutput for Failure {
    type Inner = Problem;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        let mut response = Json::<Problem>::operation_response(ctx, operation)?;
        let content = response.content.swap_remove("application/json")?;
        response.content.insert("application/problem+json".to_owned(), content);
        "A problem document (RFC 9457)".clone_into(&mut response.description);
        Some(response)
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        Self::operation_response(ctx, operation).map(|one| (None, one)).into_iter().collect()
    }
}

/// What a handler answers.
pub(super) type Answer<T> = Result<Json<T>, Failure>;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Error::input("the body is not JSON")
                .hint("send `content-type: application/json`")
                .into());
        }
        let bytes = read(request, app).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|cause| {
            Failure(Error::input(format!("the body cannot be read: {}", without_value(&cause))))
        })
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

/// The bytes of a body, bounded in size and time.
pub(super) async fn read(request: Request, app: &App) -> Result<axum::body::Bytes, Failure> {
    match tokio::time::timeout(WITHIN, axum::body::Bytes::from_request(request, app)).await {
        Err(_) => Err(Error::input("the body took too long").into()),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(BytesRejection::FailedToBufferBody(failed)))
            if failed.status() == StatusCode::PAYLOAD_TOO_LARGE =>
        {
            Err(Error::new(Kind::TooLarge, "the body is too large").into())
        }
        Ok(Err(_)) => Err(Error::input("the body broke off").into()),
    }
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

/// The query.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        match Query::<T>::from_request_parts(parts, app).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(cause) => {
                Err(Error::input(format!("the query cannot be read: {}", cause.body_text())).into())
            }
        }
    }
}

impl<T: JsonSchema> OperationInput for Params<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Query::<T>::operation_input(ctx, operation);
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
        let path: String = parts.uri.path().chars().take(200).collect();
        Err(Error::not_found(format!("there is nothing at `{path}`")).into())
    }
}

impl<T: JsonSchema> OperationInput for At<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Path::<T>::operation_input(ctx, operation);
    }
}

/// The revision that a change is for, from `If-Match`.
pub(super) struct IfMatch(pub(super) Option<i64>);

impl FromRequestParts<App> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        // A tag of another thing never matches; no revision is below zero.
        let tag = text.strip_prefix("\"r").and_then(|rest| rest.strip_suffix('"'));
        Ok(Self(Some(tag.and_then(|revision| revision.parse().ok()).unwrap_or(-1))))
    }
}

impl OperationInput for IfMatch {
    #[allow(clippy::default_trait_access, reason = "maps of a crate that is not named here")]
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let parameter = aide::openapi::Parameter::Header {
            parameter_data: aide::openapi::ParameterData {
                name: "If-Match".to_owned(),
                description: Some(
                    "The `ETag` that the assistant was seen with: refused with 412 when somebody else changed it since"
                        .to_owned(),
                ),
                required: false,
                deprecated: None,
                format: aide::openapi::ParameterSchemaOrContent::Schema(
                    aide::openapi::SchemaObject {
                        json_schema: ctx.schema.subschema_for::<String>(),
                        external_docs: None,
                        example: None,
                    },
                ),
                example: None,
                examples: Default::default(),
                explode: None,
                extensions: Default::default(),
            },
            style: aide::openapi::HeaderStyle::Simple,
        };
        aide::operation::add_parameters(ctx, operation, [parameter]);
    }
}

/// One assistant, with its `ETag`.
pub(super) struct Tagged {
    status: StatusCode,
    assistant: AssistantView,
}

impl Tagged {
    pub(super) fn of(assistant: AssistantView) -> Self {
        Self { status: StatusCode::OK, assistant }
    }

    pub(super) fn created(assistant: AssistantView) -> Self {
        Self { status: StatusCode::CREATED, assistant }
    }
}

impl IntoResponse for Tagged {
    fn into_response(self) -> Response {
        let tag = format!("\"r{}\"", self.assistant.revision);
        let id = self.assistant.id.0;
        let mut headers = HeaderMap::new();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        if self.status == StatusCode::CREATED
            && let Ok(place) = HeaderValue::from_str(&format!("/api/voice/assistants/{id}"))
        {
            headers.insert(header::LOCATION, place);
        }
        let body = OneAssistant { success: Success::default(), assistant: self.assistant };
        (self.status, headers, Json(body)).into_response()
    }
}

impl OperationOutput for Tagged {
    type Inner = OneAssistant;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        Json::<OneAssistant>::operation_response(ctx, operation)
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        Json::<OneAssistant>::operation_response(ctx, operation)
            .map(|one| vec![(Some(Code::Code(200)), one.clone()), (Some(Code::Code(201)), one)])
            .unwrap_or_default()
    }
}

/// A value that was made just now.
pub(super) struct Created<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for Created<T> {
    type Inner = T;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        Json::<T>::operation_response(ctx, operation)
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        Json::<T>::operation_response(ctx, operation)
            .map(|one| (Some(Code::Code(201)), one))
            .into_iter()
            .collect()
    }
}
