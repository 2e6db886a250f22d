//! List prices, and what the use of a day comes to by them.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use crate::{
    domain::{Country, Micros, PhoneNumber},
    store::usage::DayUsage,
};

/// Prices as shipped.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Rates {
    inbound_minute: BTreeMap<String, Micros>,
    gather: Gather,
    recording: Recording,
    model: BTreeMap<String, Tokens>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gather {
    hearing: Micros,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    minute: Micros,
}

/// A million tokens of a model.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    input: Micros,
    cached: Micros,
    output: Micros,
}

fn rates() -> Option<&'static Rates> {
    static PARSED: OnceLock<Option<Rates>> = OnceLock::new();
    // A test proves that the file parses.
    PARSED.get_or_init(|| toml::from_str(include_str!("rates.toml")).ok()).as_ref()
}

/// What the use of a day comes to, in millionths of a dollar; more rather than less where a price is
/// not known.
pub fn estimate(usage: &DayUsage, number: &PhoneNumber) -> Micros {
    let Some(rates) = rates() else { return Micros::ZERO };
    let country = Country::of(number).map_or("other", |country| country.code);
    let minute = rates.inbound_minute.get(country).or_else(|| rates.inbound_minute.get("other"));
    let mut sum = minute.copied().unwrap_or(Micros::ZERO).times(usage.minutes);
    sum = sum.plus(rates.gather.hearing.times(usage.heard));
    sum = sum.plus(rates.recording.minute.times(usage.recorded_minutes));
    let dearest = rates.model.values().copied().max_by_key(|tokens| tokens.output);
    for (model, tokens) in &usage.models {
        // The concierge costs nothing, nor does a model on one's own machine.
        if model == "builtin" || model.starts_with("ollama/") {
            continue;
        }
        let Some(price) = rates.model.get(model).copied().or(dearest) else { continue };
        let fresh = tokens.input.saturating_sub(tokens.cached);
        for (price, count) in
            [(price.input, fresh), (price.cached, tokens.cached), (price.output, tokens.output)]
        {
            sum = sum.plus(price.times(count).millionth());
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::usage::ModelUsage;

    #[test]
    fn a_day_is_the_sum_of_its_parts() {
        let number: PhoneNumber = "+33123456789".parse().unwrap();
        let mut usage = DayUsage { minutes: 10, heard: 20, ..DayUsage::default() };
        // Ten minutes at a cent, twenty things heard at two cents.
        assert_eq!(estimate(&usage, &number).to_string(), "0.50");
        let tokens = ModelUsage { input: 1_000_000, cached: 400_000, output: 100_000 };
        usage.models.insert("openai/gpt-6.1-terra".to_owned(), tokens);
        // 600,000 fresh at 1.00, 400,000 cached at 0.05, 100,000 out at 5.00 a million.
        assert_eq!(estimate(&usage, &number).to_string(), "1.62");
        usage.models.insert("builtin".to_owned(), tokens);
        usage.models.insert("ollama/llama3".to_owned(), tokens);
        assert_eq!(estimate(&usage, &number).to_string(), "1.62");
        usage.models.insert("openai/unheard-of".to_owned(), tokens);
        assert!(estimate(&usage, &number) > Micros::from_units(10), "dear rather than free");
        let british: PhoneNumber = "+442079460018".parse().unwrap();
        let minutes = DayUsage { minutes: 10, ..DayUsage::default() };
        assert_eq!(estimate(&minutes, &british).to_string(), "0.15");
    }
}
