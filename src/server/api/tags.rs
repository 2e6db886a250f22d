//! Tags (RFC 9110, section 8.8.3): what somebody saw of a thing before changing it.

use aide::{
    OperationInput, OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as Documented, StatusCode as Code},
};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::failure::Failure;
use crate::{
    api::{AssistantTag, OneAssistant, OneBooking, OneOutbound, OneUser, TokenCreated, user_tag},
    domain::{AssistantId, Expected, User},
    server::App,
};

/// The tags of `If-Match`, bare; nothing when any will do.
#[derive(Debug, Clone)]
pub(super) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// The revisions of an assistant that were seen. Tags of another one never match, also when it
    /// had the same name.
    pub(super) fn of_assistant(&self, id: AssistantId) -> Expected {
        let Some(tags) = &self.0 else { return Expected::any() };
        let tags = tags.iter().filter_map(|tag| tag.parse::<AssistantTag>().ok());
        Expected::one_of(tags.filter(|tag| tag.id == id).map(|tag| tag.revision).collect())
    }

    /// Whether a user is as it was seen.
    pub(super) fn allows(&self, user: &User) -> bool {
        self.0.as_ref().is_none_or(|tags| tags.contains(&user_tag(user)))
    }
}

impl FromRequestParts<App> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        Ok(Self(read(&parts.headers)))
    }
}

/// A list, maybe over several lines. Proxies that compress an answer make its tag a weak one, which
/// here is as good: it names a version, not its bytes.
fn read(headers: &HeaderMap) -> Option<Vec<String>> {
    let lines: Vec<_> = headers.get_all(header::IF_MATCH).iter().collect();
    if lines.is_empty() {
        return None;
    }
    let text = lines.iter().filter_map(|line| line.to_str().ok()).collect::<Vec<_>>().join(",");
    let tags: Vec<&str> = text.split(',').map(str::trim).collect();
    if tags.contains(&"*") {
        return None;
    }
    let bare = |tag: &str| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
    };
    Some(tags.into_iter().filter_map(bare).collect())
}

impl OperationInput for IfMatch {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let description = "The `ETag` that it was seen with: refused with 412 when somebody else changed it since";
        super::document::header::<String>(ctx, operation, "If-Match", description);
    }
}

/// A thing that may have a tag and an address.
pub(super) trait Resource {
    fn tag(&self) -> Option<String> {
        None
    }

    fn place(&self) -> Option<String> {
        None
    }
}

impl Resource for OneAssistant {
    fn tag(&self) -> Option<String> {
        let (id, revision) = (self.assistant.id, self.assistant.revision);
        Some(AssistantTag { id, revision }.to_string())
    }

    fn place(&self) -> Option<String> {
        Some(format!("/api/voice/assistants/{}", self.assistant.id.0))
    }
}

impl Resource for OneUser {
    fn tag(&self) -> Option<String> {
        Some(user_tag(&self.user.clone().into()))
    }

    fn place(&self) -> Option<String> {
        Some(format!("/api/voice/users/{}", self.user.email))
    }
}

impl Resource for OneBooking {
    fn place(&self) -> Option<String> {
        Some(format!("/api/voice/bookings/{}", self.booking.reference))
    }
}

impl Resource for OneOutbound {
    fn place(&self) -> Option<String> {
        Some(format!("/api/voice/outbound/{}", self.outbound.id.0))
    }
}

impl Resource for TokenCreated {}

fn answer<T: Resource + Serialize>(status: StatusCode, thing: T) -> Response {
    let tag = thing.tag().map(|tag| format!("\"{tag}\""));
    let place = thing.place().filter(|_| status == StatusCode::CREATED);
    let mut response = (status, Json(thing)).into_response();
    let mut put = |name: HeaderName, value: Option<String>| {
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::ETAG, tag);
    put(header::LOCATION, place);
    response
}

/// A thing as it is now.
pub(super) struct Tagged<T>(pub(super) T);

impl<T: Resource + Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        answer(StatusCode::OK, self.0)
    }
}

impl<T: JsonSchema> OperationOutput for Tagged<T> {
    type Inner = T;

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        documented::<T>(ctx, operation, 200)
    }
}

/// A thing that was made just now.
pub(super) struct Created<T>(pub(super) T);

impl<T: Resource + Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        answer(StatusCode::CREATED, self.0)
    }
}

impl<T: JsonSchema> OperationOutput for Created<T> {
    type Inner = T;

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        documented::<T>(ctx, operation, 201)
    }
}

fn documented<T: JsonSchema>(
    ctx: &mut GenContext,
    operation: &mut Operation,
    status: u16,
) -> Vec<(Option<Code>, Documented)> {
    let response = Json::<T>::operation_response(ctx, operation);
    response.into_iter().map(|one| (Some(Code::Code(status)), one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_from_lists_also_when_they_are_weak() {
        let tags = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::IF_MATCH, line.parse().unwrap());
            }
            read(&headers)
        };
        let some = |tags: &[&str]| Some(tags.iter().map(|tag| (*tag).to_owned()).collect());
        assert_eq!(tags(&[]), None);
        assert_eq!(tags(&["*"]), None);
        assert_eq!(tags(&["\"7-3\""]), some(&["7-3"]));
        assert_eq!(tags(&["W/\"7-3\", \"7-4\"", "\"8-1\""]), some(&["7-3", "7-4", "8-1"]));
        assert_eq!(tags(&["nonsense"]), some(&[]));
        let seen = IfMatch(tags(&["\"7-3\", \"8-4\", \"x\""]));
        assert!(seen.of_assistant(AssistantId(7)).allows(3));
        assert!(!seen.of_assistant(AssistantId(7)).allows(4));
        assert!(!seen.of_assistant(AssistantId(9)).allows(3));
        assert!(IfMatch(None).of_assistant(AssistantId(9)).allows(3));
    }
}
