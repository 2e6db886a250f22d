//! A plan as a file: what was shown and approved is exactly what is applied later.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Plan;
use crate::{
    domain::{Error, Result},
    files,
};

/// Grows by its second part when keys are added, by its first when old readers cannot follow.
const FORMAT: &str = "1.0";

/// A plan holds what hundreds of files say, and the texts of their documents.
const LARGEST: u64 = 512 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct OnDisk {
    format_version: String,
    webox_version: String,
    /// Of the plan as it stands below: a plan that was edited is not what was approved.
    sha256: String,
    plan: Value,
}

fn digest(plan: &Value) -> String {
    hex::encode(Sha256::digest(plan.to_string().as_bytes()))
}

impl Plan {
    /// Writes the plan into a file that only its owner may read; `-` is not a file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let failed = |cause: std::io::Error| {
            Error::failure(format!("the plan cannot be written to {}", path.display()))
                .because(cause)
        };
        let plan = serde_json::to_value(self)
            .map_err(|cause| Error::failure("the plan cannot be written").because(cause))?;
        let on_disk = OnDisk {
            format_version: FORMAT.to_owned(),
            webox_version: env!("CARGO_PKG_VERSION").to_owned(),
            sha256: digest(&plan),
            plan,
        };
        let text = serde_json::to_string_pretty(&on_disk)
            .map_err(|cause| Error::failure("the plan cannot be written").because(cause))?;
        files::replace(path, format!("{text}\n").as_bytes(), 0o600).map_err(failed)
    }

    /// Reads a plan that [`Plan::save`] wrote.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = super::file::text_up_to(path, LARGEST)
            .map_err(|(message, _)| Error::input(format!("the plan cannot be read: {message}")))?;
        let again = "make a new one with `webox plan … --out FILE`";
        let on_disk: OnDisk = serde_json::from_str(&text).map_err(|cause| {
            Error::input(format!("{shown} is not a plan")).hint(again).because(cause)
        })?;
        if on_disk.format_version.split('.').next() != FORMAT.split('.').next() {
            return Err(Error::input(format!(
                "{shown} is a plan of format {}, and this webox knows {FORMAT}",
                on_disk.format_version
            ))
            .hint("apply it with the webox that made it, or make a new one"));
        }
        if digest(&on_disk.plan) != on_disk.sha256 {
            return Err(Error::input(format!("{shown} was changed after it was made")).hint(again));
        }
        let plan: Self = serde_json::from_value(on_disk.plan).map_err(|cause| {
            Error::input(format!("{shown} is not a plan")).hint(again).because(cause)
        })?;
        for spec in plan.changes.iter().filter_map(|change| change.spec.as_ref()) {
            super::check_spec(spec)?;
        }
        Ok(plan)
    }
}
