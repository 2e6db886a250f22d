//! Answers that say only that something was done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Always true: what fails answers a problem document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Success(pub bool);

impl Default for Success {
    fn default() -> Self {
        Self(true)
    }
}

impl JsonSchema for Success {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Success".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "boolean", "description": "True: what fails answers a problem document" })
    }
}

/// It is done.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// True.
    pub success: Success,
}
