//! The query of a request: what the document lists, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRequestParts, MatchedPath, Query, Request, State},
    http::{Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::failure::Failure;
use crate::{
    domain::{Error, Result, suggestion_hint},
    server::App,
};

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

/// Refuses a number that the document does not allow.
pub(super) fn within(name: &str, value: u64, range: &RangeInclusive<u64>) -> Result<u64> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Error::input(format!("`{name}` is {} to {}, not {value}", range.start(), range.end())))
}

/// Where a page of a list of rows begins: before the row that it names.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(in crate::server) struct Cursor(pub(super) i64);

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        let row = text.parse().ok().filter(|row| *row >= 0);
        row.map(Self).ok_or("the `cursor` is none: send back what a page answered as `next`")
    }
}

/// The rows of a page, of which one more than wanted was read, and the cursor of the next page.
pub(super) fn page<T>(
    mut rows: Vec<T>,
    limit: u64,
    row: impl Fn(&T) -> i64,
) -> (Vec<T>, Option<String>) {
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|last| row(last).to_string());
    (rows, next)
}

/// The names that queries may have, by method and route.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<(String, String), BTreeSet<String>>);

impl Known {
    /// Those that a document lists.
    pub(super) fn of(document: &Value) -> Self {
        let mut known = BTreeMap::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let names = parameters
                    .filter(|parameter| parameter["in"] == "query")
                    .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned));
                known.insert((method.to_uppercase(), path.clone()), names.collect());
            }
        }
        Self(known)
    }

    fn check(&self, method: &Method, route: &str, query: &[(String, String)]) -> Result<()> {
        // What is answered to HEAD is answered to GET.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let Some(known) = self.0.get(&(method.to_string(), route.to_owned())) else {
            return Ok(());
        };
        let Some((name, _)) = query.iter().find(|(name, _)| !known.contains(name)) else {
            return Ok(());
        };
        let list = || known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = suggestion_hint(name, known.iter().map(String::as_str)).unwrap_or_else(|| {
            if known.is_empty() {
                "there is none".to_owned()
            } else {
                format!("there is {}", list())
            }
        });
        let shown: String = name.chars().take(60).collect();
        let message = format!("the query has no parameter `{}` here", shown.escape_debug());
        Err(Error::input(message).hint(hint))
    }
}

/// Refuses parameters that nobody reads: a filter that is misspelt would be no filter at all.
pub(super) async fn known(
    State(known): State<Arc<Known>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    if let (Some(route), Ok(Query(query))) = (route, query)
        && let Err(error) = known.check(request.method(), route, &query)
    {
        return Failure::from(error).into_response();
    }
    next.run(request).await
}
