//! The OpenAPI document: made from the handlers' types, and completed with what types do not say.

use aide::{
    generate::GenContext,
    openapi::{
        HeaderStyle, Operation, Parameter, ParameterData, ParameterSchemaOrContent, ReferenceOr,
        SchemaObject, SecurityScheme, StatusCode,
    },
    transform::{TransformOpenApi, TransformOperation},
};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::idempotency;
use crate::api::Problem;

/// What every route may answer: a query that cannot be read, no key, too many requests, a mistake
/// of ours, a store that is busy.
const ALWAYS: [u16; 5] = [400, 401, 429, 500, 503];

/// Of a route: its name, a line about it, and with which statuses it may refuse besides [`ALWAYS`].
pub(super) fn told(
    id: &'static str,
    text: &'static str,
    refusals: &'static [u16],
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> + 'static {
    move |mut operation| {
        let responses = operation.inner_mut().responses.get_or_insert_default();
        for status in ALWAYS.iter().chain(refusals) {
            let problem = ReferenceOr::ref_("#/components/responses/Problem");
            responses.responses.insert(StatusCode::Code(*status), problem);
        }
        operation.id(id).summary(text)
    }
}

#[allow(clippy::default_trait_access, reason = "a map of a crate that is not named here")]
pub(super) fn describe(document: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    document.security_scheme(
        "token",
        SecurityScheme::Http {
            scheme: "bearer".to_owned(),
            bearer_format: Some("webox_…".to_owned()),
            description: Some("A key that `webox tokens create` made".to_owned()),
            extensions: Default::default(),
        },
    )
}

/// Adds a header to what an operation is given.
#[allow(clippy::default_trait_access, reason = "maps of a crate that is not named here")]
pub(super) fn header<T: JsonSchema>(
    ctx: &mut GenContext,
    operation: &mut Operation,
    name: &str,
    description: &str,
) {
    let parameter = Parameter::Header {
        parameter_data: ParameterData {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(SchemaObject {
                json_schema: ctx.schema.subschema_for::<T>(),
                external_docs: None,
                example: None,
            }),
            example: None,
            examples: Default::default(),
            explode: None,
            extensions: Default::default(),
        },
        style: HeaderStyle::Simple,
    };
    aide::operation::add_parameters(ctx, operation, [parameter]);
}

/// Adds what holds for many routes alike: refusals, and headers of requests and answers.
pub(super) fn complete(document: &mut Value) {
    let mut problem = schemars::schema_for!(Problem).to_value();
    if let Some(fields) = problem.as_object_mut() {
        fields.remove("$schema");
    }
    document["components"]["schemas"]["Problem"] = problem;
    let id = json!({ "$ref": "#/components/headers/RequestId" });
    document["components"]["responses"] = json!({ "Problem": {
        "description": "A problem document (RFC 9457)",
        "headers": {
            "x-request-id": id,
            "retry-after": {
                "description": "In seconds; with 429 and some 503",
                "schema": { "type": "integer", "minimum": 1 },
            },
        },
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    } });
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    document["components"]["headers"] = json!({
        "RequestId": text("The request's name in the daemon's log: the `x-request-id` that it came with, or a new one"),
        "ETag": text("This version of it: send it back as `If-Match`"),
        "Location": text("Where it is from now on"),
    });
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if method == "post" && idempotency::keeps(path) {
                add_idempotency_key(operation);
            }
            let answers = operation["responses"].as_object_mut().into_iter().flatten();
            for (status, answer) in answers.filter(|(status, _)| status.starts_with('2')) {
                answer["headers"]["x-request-id"] = id.clone();
                let schema = &answer["content"]["application/json"]["schema"]["$ref"];
                let schema = schema.as_str().unwrap_or_default().to_owned();
                if schema.ends_with("/OneAssistant") || schema.ends_with("/OneUser") {
                    answer["headers"]["etag"] = json!({ "$ref": "#/components/headers/ETag" });
                    if status == "201" {
                        answer["headers"]["location"] =
                            json!({ "$ref": "#/components/headers/Location" });
                    }
                }
            }
        }
    }
}

fn add_idempotency_key(operation: &mut Value) {
    let key = json!({
        "in": "header",
        "name": "Idempotency-Key",
        "description": "A name for this change, which is then made once, however often it is sent in a day",
        "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" },
    });
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(key),
        None => operation["parameters"] = json!([key]),
    }
}
