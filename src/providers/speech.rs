//! What ears and mouths have in common: how they fail.

use std::time::Duration;

use crate::domain::Outcome;

/// Why a provider did not hear or speak. `detail` is for logs, never for callers, and holds no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", outcome.as_str())]
pub struct SpeechError {
    /// In the words of the transcript.
    pub outcome: Outcome,
    /// What the provider said, shortened.
    pub detail: String,
    /// When it may be asked again, if it said so.
    pub retry_after: Option<Duration>,
}

impl SpeechError {
    /// An error without a time to ask again.
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into(), retry_after: None }
    }
}
