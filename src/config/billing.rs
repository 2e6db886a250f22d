//! `[billing]`: the file of rates, and in which currency costs are shown.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Origin, Setting, load::Sources};
use crate::domain::Currency;

/// What costs are reckoned by, and shown in.
#[derive(Debug, Clone)]
pub struct Billing {
    /// Rates of one's own; those that are shipped alone otherwise.
    pub rates: Setting<Option<PathBuf>>,
    /// In which currency costs are shown.
    pub currency: Setting<Currency>,
}

/// `[billing]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BillingSection {
    rates: Option<PathBuf>,
    currency: Option<Currency>,
}

/// What the file is called that needs no naming, beside `webox.toml`.
const BESIDE: &str = "rates.toml";

impl Billing {
    pub(super) fn load(
        sources: &Sources<'_>,
        section: &BillingSection,
        file: Option<&Path>,
    ) -> Self {
        let beside = file.map(|file| file.with_file_name(BESIDE)).filter(|path| path.is_file());
        let rates = match (&section.rates, beside) {
            (Some(path), _) => {
                Setting { value: Some(sources.beside(path)), origin: sources.file() }
            }
            (None, Some(path)) => Setting { origin: Origin::File(path.clone()), value: Some(path) },
            (None, None) => Setting { value: None, origin: Origin::Default },
        };
        let currency = match section.currency {
            Some(currency) => Setting { value: currency, origin: sources.file() },
            None => Setting { value: Currency::Eur, origin: Origin::Default },
        };
        Self { rates, currency }
    }
}
