//! A month as a page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Success;

/// A page of HTML that needs nothing else.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneReport {
    /// True.
    pub success: Success,
    /// The page.
    pub html: String,
}
