//! What handlers answer when they refuse.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as Documented, StatusCode as Code},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{api::Problem, domain::Error, server::problem};

/// An error, answered as a problem document.
#[derive(Debug)]
pub(super) struct Failure {
    error: Error,
    /// Where the kind of error does not say it.
    status: Option<StatusCode>,
}

impl Failure {
    pub(super) fn with(status: StatusCode, error: Error) -> Self {
        Self { error, status: Some(status) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, status: None }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.status {
            None => problem::from_error(&self.error),
            Some(status) => problem::with_status(status, &self.error),
        }
    }
}

/// Each route names its refusals: `document::told`.
impl OperationOutput for Failure {
    type Inner = Problem;

    fn inferred_responses(
        _: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        Vec::new()
    }
}

/// What a handler answers.
pub(super) type Answer<T> = Result<Json<T>, Failure>;
