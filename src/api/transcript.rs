//! What was said, searched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Success;
use crate::domain::TranscriptHit;

/// Turns in which some words were said, the newest call first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Transcripts {
    /// True.
    pub success: Success,
    /// The turns; fewer than were asked for, or none, also where finding more takes longer than a page may.
    pub hits: Vec<TranscriptHit>,
    /// Send it as `cursor` for the next page; null on the last one.
    pub next: Option<String>,
}
