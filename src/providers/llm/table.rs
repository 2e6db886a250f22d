//! The table of models: what each accepts, and until when. Data in `models.toml`, not branches here.

use std::{collections::BTreeMap, sync::OnceLock};

use jiff::civil::Date;
use serde::Deserialize;

use super::wire::Wire;
use crate::domain::ModelRef;

/// How long before its shutdown a model is warned about.
const NOTICE_DAYS: i64 = 60;

/// What a model accepts. Everything is off unless its row says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Capabilities {
    /// The field that bounds the answer.
    pub(super) token_limit: String,
    pub(super) reasoning_effort: Option<String>,
    /// Room for hidden reasoning, which counts as answer.
    #[serde(default)]
    pub(super) reasoning_tokens: u32,
    pub(super) thinking: Option<String>,
    #[serde(default)]
    pub(super) cache_key: bool,
    #[serde(default)]
    pub(super) cache_control: bool,
    #[serde(default)]
    pub(super) stream_usage: bool,
}

impl Capabilities {
    /// The bound to send for an answer of so many tokens.
    pub(super) fn limit(&self, answer: u32) -> u32 {
        answer.saturating_add(self.reasoning_tokens)
    }
}

/// Whose model it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Vendor {
    OpenAi,
    Anthropic,
}

/// Models that are alike.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Row {
    names: Vec<String>,
    #[serde(rename = "provider")]
    pub(super) vendor: Vendor,
    pub(super) wire: Wire,
    #[serde(flatten)]
    pub(super) capabilities: Capabilities,
    shutdown: Option<Date>,
    successor: Option<String>,
}

/// A name kept from the days when it was a model.
#[derive(Debug, Deserialize)]
struct Alias {
    name: String,
    model: Option<String>,
    unusable: Option<String>,
}

/// What is sent to models that no row names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Fallback {
    pub(super) openai: Capabilities,
    pub(super) openai_responses: Capabilities,
    pub(super) anthropic: Capabilities,
    pub(super) compatible: Capabilities,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    aliases: Vec<Alias>,
    models: Vec<Row>,
    fallback: Fallback,
}

/// The table, by name.
#[derive(Debug)]
pub(super) struct Table {
    aliases: BTreeMap<String, Result<String, String>>,
    rows: Vec<Row>,
    by_name: BTreeMap<String, usize>,
    pub(super) fallback: Fallback,
}

impl Table {
    /// The table this program was built with. It is `None` only if it was built with a broken one,
    /// which a test rules out.
    pub(super) fn get() -> Option<&'static Self> {
        static TABLE: OnceLock<Option<Table>> = OnceLock::new();
        TABLE.get_or_init(|| Self::parse(include_str!("models.toml")).ok()).as_ref()
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let file: File = toml::from_str(text)?;
        let target =
            |alias: Alias| (alias.name, alias.model.ok_or(alias.unusable.unwrap_or_default()));
        let mut by_name = BTreeMap::new();
        for (index, row) in file.models.iter().enumerate() {
            by_name.extend(row.names.iter().map(|name| (name.clone(), index)));
        }
        Ok(Self {
            aliases: file.aliases.into_iter().map(target).collect(),
            rows: file.models,
            by_name,
            fallback: file.fallback,
        })
    }

    /// The model that an alias stands for, or why it stands for none.
    pub(super) fn alias(&self, name: &str) -> Option<Result<&str, &str>> {
        self.aliases
            .get(name)
            .map(|target| target.as_ref().map(String::as_str).map_err(String::as_str))
    }

    /// The row of a model, or of the model that it is a dated snapshot of.
    pub(super) fn row(&self, model: &str) -> Option<&Row> {
        let index = self.by_name.get(model).or_else(|| self.by_name.get(without_date(model)?))?;
        self.rows.get(*index)
    }
}

/// `gpt-4o-2024-08-06` and `claude-haiku-4-5-20251001` without their dates.
fn without_date(model: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let cut =
        |length: usize| model.len().checked_sub(length).and_then(|at| model.split_at_checked(at));
    match (cut(9), cut(11)) {
        (Some((name, date)), _) if date.starts_with('-') && digits(&date[1..]) => Some(name),
        (_, Some((name, date))) => {
            let parts: Vec<&str> = date.split('-').collect();
            let is_date = matches!(&parts[..], ["", year, month, day]
                if year.len() == 4 && month.len() == 2 && day.len() == 2 && digits(year) && digits(month) && digits(day));
            is_date.then_some(name)
        }
        _ => None,
    }
}

/// What to tell who uses a model that is, or soon will be, shut down.
pub fn warning(model: &ModelRef, today: Date) -> Option<String> {
    let table = Table::get()?;
    let name = match table.alias(model.as_str()) {
        Some(target) => target.ok()?,
        None => match model.as_str().split_once('/') {
            Some(("openai" | "openai-responses" | "anthropic", name)) => name,
            Some(_) => return None,
            None => model.as_str(),
        },
    };
    let row = table.row(name)?;
    let (shutdown, successor) = (row.shutdown?, row.successor.as_deref()?);
    let days = today.duration_until(shutdown).as_hours() / 24;
    match days {
        ..=0 => Some(format!("`{model}` was shut down on {shutdown}: use `{successor}` instead")),
        1 => Some(format!("`{model}` is shut down tomorrow: change to `{successor}`")),
        2..=NOTICE_DAYS => Some(format!(
            "`{model}` is shut down on {shutdown}, in {days} days: change to `{successor}`"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;

    fn table() -> &'static Table {
        Table::get().expect("models.toml can be read")
    }

    fn warned(model: &str, today: Date) -> Option<String> {
        warning(&model.parse().unwrap(), today)
    }

    #[test]
    fn every_row_holds_together() {
        Table::parse(include_str!("models.toml")).unwrap();
        let table = table();
        let mut seen = BTreeSet::new();
        for row in &table.rows {
            let names = &row.names;
            assert!(!names.is_empty());
            for name in names {
                assert!(seen.insert(name), "{name} stands twice");
                assert!(table.alias(name).is_none(), "{name} is an alias too");
                assert!(name.parse::<ModelRef>().is_ok(), "{name} cannot be typed");
            }
            let can = &row.capabilities;
            let limit = match row.wire {
                Wire::ChatCompletions => "max_completion_tokens",
                Wire::Responses => "max_output_tokens",
                Wire::Messages => "max_tokens",
            };
            assert_eq!(can.token_limit, limit, "{names:?}");
            assert_eq!(row.vendor == Vendor::Anthropic, row.wire == Wire::Messages, "{names:?}");
            assert_eq!(can.cache_control, row.wire == Wire::Messages, "{names:?}");
            assert_eq!(can.stream_usage, row.wire == Wire::ChatCompletions, "{names:?}");
            assert!(row.vendor == Vendor::OpenAi || !can.cache_key, "{names:?}");
            assert!(can.thinking.is_none() || row.vendor == Vendor::Anthropic, "{names:?}");
            let reasons = can.reasoning_effort.as_deref().is_some_and(|effort| effort != "none");
            assert!(!reasons || can.reasoning_tokens > 0, "{names:?} needs room to reason");
            assert_eq!(row.shutdown.is_some(), row.successor.is_some(), "{names:?}");
            if let Some(successor) = &row.successor {
                let next = table.row(successor).unwrap_or_else(|| panic!("{successor} unknown"));
                assert!(next.shutdown.is_none(), "{successor} is itself on its way out");
                assert_eq!(next.vendor, row.vendor, "{names:?} change vendor");
            }
        }
        for (alias, target) in &table.aliases {
            match target {
                Ok(model) => assert!(table.row(model).unwrap().shutdown.is_none(), "{alias}"),
                Err(why) => assert!(!why.is_empty(), "{alias}"),
            }
        }
    }

    #[test]
    fn no_row_holds_a_field_that_nobody_reads() {
        let known = "names provider wire token-limit reasoning-effort reasoning-tokens thinking \
                     cache-key cache-control stream-usage shutdown successor";
        let file: toml::Table = toml::from_str(include_str!("models.toml")).unwrap();
        for row in file["models"].as_array().unwrap() {
            for field in row.as_table().unwrap().keys() {
                assert!(known.split_whitespace().any(|name| name == field), "{field}");
            }
        }
    }

    #[test]
    fn snapshots_follow_their_model() {
        let shutdown = |model: &str| table().row(model).and_then(|row| row.shutdown);
        assert_eq!(shutdown("gpt-4o-2024-08-06"), Some(date(2027, 1, 14)));
        assert_eq!(shutdown("gpt-4o-2024-05-13"), Some(date(2026, 10, 23)));
        assert_eq!(shutdown("claude-sonnet-4-5-20250929"), Some(date(2026, 11, 30)));
        assert!(table().row("claude-haiku-4-5-20251001").is_some());
        for unknown in ["gpt-7", "", "-", "é-12345678x", "gpt-4o-2024-08-0é", "20250929"] {
            assert!(table().row(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn shutdowns_are_announced_in_time() {
        let day = date(2027, 1, 14);
        let before = |days: i32| day.checked_sub(jiff::ToSpan::days(days)).unwrap();
        assert_eq!(warned("gpt-4o", before(61)), None);
        let soon = warned("openai/gpt-4o-mini-2024-07-18", before(60)).unwrap();
        assert!(soon.contains("in 60 days") && soon.contains("gpt-6-luna"), "{soon}");
        assert!(warned("gpt-4.1", before(1)).unwrap().contains("tomorrow"));
        assert!(warned("gpt-4.1", day).unwrap().contains("was shut down on 2027-01-14"));
        assert!(warned("anthropic/claude-3-opus-20240229", before(60)).unwrap().contains("was"));
    }

    #[test]
    fn what_still_works_raises_no_warning() {
        let today = date(2026, 11, 23);
        for model in ["gpt-4", "claude-3", "gemini-pro", "builtin", "compatible/gpt-4o", "ollama/x"]
        {
            assert_eq!(warned(model, today), None, "{model}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_name_can_be_looked_up(name in ".{0,40}") {
            let _ = table().row(&name);
        }
    }
}
