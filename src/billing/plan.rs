//! Plans: what a client pays for an assistant, and for which calls.

use serde::{Deserialize, Deserializer, de};

use crate::domain::{Allowance, AtLimit, Counts, Micros, Percent};

/// What a client pays for an assistant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// A month, whole.
    #[serde(deserialize_with = "price")]
    pub month: Micros,
    /// Once, in the first month.
    #[serde(deserialize_with = "price")]
    pub setup: Micros,
    /// Calls of a month that the fee covers; no limit when left out.
    pub calls: Option<u32>,
    /// A call beyond these.
    pub call: Option<CallPrice>,
    /// Minutes of a month that the fee covers; no limit when left out.
    pub minutes: Option<u32>,
    /// A minute beyond these.
    #[serde(deserialize_with = "maybe_price")]
    pub minute: Option<Micros>,
    /// The tax on all of it; the seller's when left out.
    pub vat: Option<Percent>,
    /// Which calls count.
    pub counts: Counts,
    /// What happens to calls beyond those that the fee covers.
    pub at_limit: AtLimit,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            month: Micros::ZERO,
            setup: Micros::ZERO,
            calls: None,
            call: None,
            minutes: None,
            minute: None,
            vat: None,
            counts: Counts::default(),
            at_limit: AtLimit::Bill,
        }
    }
}

/// What a call costs that the fee does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallPrice {
    /// Each the same.
    Flat(Micros),
    /// The first so many at one price, those after them at the next.
    Tiers(Vec<Tier>),
}

/// Calls at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Up to this call of the month beyond those covered, counted from one; all others when left out.
    #[serde(default)]
    pub up_to: Option<u32>,
    /// Each.
    #[serde(deserialize_with = "price")]
    pub price: Micros,
}

impl CallPrice {
    /// So many calls: how many at which price, without the prices that none has.
    pub fn split(&self, calls: u64) -> Vec<(u64, Micros)> {
        let tiers = match self {
            Self::Flat(price) => &[Tier { up_to: None, price: *price }][..],
            Self::Tiers(tiers) => tiers,
        };
        let (mut before, mut parts) = (0, Vec::new());
        for tier in tiers {
            let until = tier.up_to.map_or(calls, |most| calls.min(most.into()));
            if until > before {
                parts.push((until - before, tier.price));
                before = until;
            }
        }
        parts
    }

    fn mistake(&self) -> Option<&'static str> {
        let Self::Tiers(tiers) = self else { return None };
        let Some((last, others)) = tiers.split_last() else { return Some("no price is given") };
        if last.up_to.is_some() {
            return Some("the last price has no `up_to`: it is that of all other calls");
        }
        let ends: Option<Vec<u32>> = others.iter().map(|tier| tier.up_to).collect();
        match ends {
            Some(ends) if ends.first() != Some(&0) && ends.is_sorted_by(|a, b| a < b) => None,
            _ => Some("each price but the last has an `up_to`, and they go up"),
        }
    }
}

impl<'de> Deserialize<'de> for CallPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected a price as text such as \"0.60\", or a list of { up_to, price }"
        )]
        enum Written {
            Whole(u32),
            Text(Micros),
            Tiers(Vec<Tier>),
        }
        let price = match Written::deserialize(deserializer)? {
            Written::Whole(units) => Self::Flat(Micros::from_units(units.into())),
            Written::Text(price) => Self::Flat(price),
            Written::Tiers(tiers) => Self::Tiers(tiers),
        };
        price.mistake().map_or(Ok(price), |mistake| Err(de::Error::custom(mistake)))
    }
}

impl Plan {
    /// How much its fee covers.
    pub fn allowance(&self) -> Allowance {
        Allowance {
            calls: self.calls,
            minutes: self.minutes,
            counts: self.counts,
            at_limit: self.at_limit,
        }
    }

    /// What contradicts itself: the key, and what is wrong with it.
    pub fn mistakes(&self) -> Vec<(&'static str, &'static str)> {
        let mut mistakes = Vec::new();
        let bills = self.at_limit == AtLimit::Bill;
        if self.calls.is_none() && self.call.is_some() {
            mistakes
                .push(("call", "calls have a price, and `calls` does not say from which one on"));
        }
        if bills && self.calls.is_some() && self.call.is_none() {
            mistakes.push((
                "calls",
                "calls beyond these have no price: give `call`, or `at_limit = \"block\"`",
            ));
        }
        if self.minutes.is_none() && self.minute.is_some() {
            mistakes.push((
                "minute",
                "minutes have a price, and `minutes` does not say from which one on",
            ));
        }
        if bills && self.minutes.is_some() && self.minute.is_none() {
            mistakes.push((
                "minutes",
                "minutes beyond these have no price: give `minute`, or `at_limit = \"block\"`",
            ));
        }
        if !bills && self.calls.is_none() && self.minutes.is_none() {
            mistakes.push(("at_limit", "there is no limit: give `calls` or `minutes`"));
        }
        mistakes
    }
}

/// A price as a file has it: `50`, or `"0.60"`. A number with a point is none: it is not exact.
pub(super) fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Micros, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "expected a price: whole such as 50, or as text such as \"0.60\""
    )]
    enum Written {
        Whole(u32),
        Text(Micros),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Whole(units) => Micros::from_units(units.into()),
        Written::Text(price) => price,
    })
}

fn maybe_price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Micros>, D::Error> {
    price(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Result<Plan, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    fn micros(text: &str) -> Micros {
        text.parse().unwrap()
    }

    #[test]
    fn prices_are_exact() {
        let plan = plan("month = 50\ncalls = 100\ncall = \"0.75\"\nvat = \"5.5\"").unwrap();
        assert_eq!((plan.month, plan.calls), (Micros::from_units(50), Some(100)));
        assert_eq!(plan.call, Some(CallPrice::Flat(micros("0.75"))));
        assert!(self::plan("month = 0.75").unwrap_err().contains("as text"));
        assert!(self::plan("call = 0.75").unwrap_err().contains("as text"));
    }

    #[test]
    fn tiers_are_taken_in_turn() {
        let text = "calls = 0\ncall = [{ up_to = 100, price = 1 }, { up_to = 500, price = \"0.75\" }, { price = \"0.50\" }]";
        let price = plan(text).unwrap().call.unwrap();
        assert_eq!(price.split(0), []);
        assert_eq!(price.split(100), [(100, micros("1"))]);
        assert_eq!(
            price.split(612),
            [(100, micros("1")), (400, micros("0.75")), (112, micros("0.50"))]
        );
        for wrong in [
            "[]",
            "[{ up_to = 5, price = 1 }]",
            "[{ price = 1 }, { price = 2 }]",
            "[{ up_to = 5, price = 1 }, { up_to = 5, price = 1 }, { price = 1 }]",
            "[{ up_to = 0, price = 1 }, { price = 1 }]",
        ] {
            assert!(plan(&format!("calls = 0\ncall = {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn plans_do_not_contradict_themselves() {
        let keys = |text: &str| -> Vec<&str> {
            plan(text).unwrap().mistakes().into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys("calls = 100"), ["calls"]);
        assert_eq!(keys("call = 1"), ["call"]);
        assert_eq!(keys("minutes = 100"), ["minutes"]);
        assert_eq!(keys("minute = 1"), ["minute"]);
        assert_eq!(keys("at_limit = \"block\""), ["at_limit"]);
        assert_eq!(keys("calls = 10\nat_limit = \"alert\""), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn no_call_is_lost_between_tiers(calls in 0_u64..5_000, a in 1_u32..1_000, b in 1_u32..1_000) {
            let tier = |up_to, price| Tier { up_to, price: Micros::from_units(price) };
            let price = CallPrice::Tiers(vec![
                tier(Some(a), 3), tier(Some(a + b), 2), tier(None, 1),
            ]);
            let parts = price.split(calls);
            proptest::prop_assert_eq!(parts.iter().map(|(count, _)| count).sum::<u64>(), calls);
        }
    }
}
