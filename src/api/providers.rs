//! How providers stand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Success;
use crate::domain::{ProviderStanding, ProvidersOverview, SoundFigures};

/// How providers stand, and what sounds that are kept have spared.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Providers {
    /// True.
    pub success: Success,
    /// Models, ears and mouths.
    pub providers: Vec<ProviderStanding>,
    /// Since the daemon began.
    pub sounds: Option<SoundFigures>,
}

impl From<ProvidersOverview> for Providers {
    fn from(overview: ProvidersOverview) -> Self {
        let ProvidersOverview { providers, sounds } = overview;
        Self { success: Success::default(), providers, sounds }
    }
}

impl From<Providers> for ProvidersOverview {
    fn from(answer: Providers) -> Self {
        Self { providers: answer.providers, sounds: answer.sounds }
    }
}
