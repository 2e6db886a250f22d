//! `[billing]`: the files of plans and of rates, and in which currency costs are shown.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Origin, Setting, load::Sources};
use crate::domain::Currency;

/// What clients are billed by; what costs are reckoned by, and shown in.
#[derive(Debug, Clone)]
pub struct Billing {
    /// Who bills, plans, clients; the plans that are shipped alone otherwise.
    pub file: Setting<Option<PathBuf>>,
    /// Rates of one's own; those that are shipped alone otherwise.
    pub rates: Setting<Option<PathBuf>>,
    /// In which currency costs are shown.
    pub currency: Setting<Currency>,
}

/// `[billing]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BillingSection {
    file: Option<PathBuf>,
    rates: Option<PathBuf>,
    currency: Option<Currency>,
}

/// What the files are called that need no naming, beside `webox.toml`.
const FILE: &str = "billing.toml";
const RATES: &str = "rates.toml";

impl Billing {
    pub(super) fn load(
        sources: &Sources<'_>,
        section: &BillingSection,
        file: Option<&Path>,
    ) -> Self {
        let place = |named: &Option<PathBuf>, usual: &str| {
            // Where there is no `webox.toml`, it would be in one of these.
            let places = match file {
                Some(file) => vec![file.to_path_buf()],
                None => super::file::usual_places(sources.environment),
            };
            let beside = places.iter().map(|place| place.with_file_name(usual));
            let beside = beside.into_iter().find(|path| path.is_file());
            match (named, beside) {
                (Some(path), _) => {
                    Setting { value: Some(sources.beside(path)), origin: sources.file() }
                }
                (None, Some(path)) => {
                    Setting { origin: Origin::File(path.clone()), value: Some(path) }
                }
                (None, None) => Setting { value: None, origin: Origin::Default },
            }
        };
        let currency = match section.currency {
            Some(currency) => Setting { value: currency, origin: sources.file() },
            None => Setting { value: Currency::Eur, origin: Origin::Default },
        };
        Self { file: place(&section.file, FILE), rates: place(&section.rates, RATES), currency }
    }
}
