use proptest::prelude::*;

use super::*;
use crate::domain::{Outcome, TokenUsage};

fn exchange(dollars: i64) -> Exchange {
    Exchange { from: Date::MIN, dollars: Micros::from_micros(dollars) }
}

#[test]
fn tokens_are_counted_once_whoever_read_them() {
    let attempt = |model: &str| Attempt {
        model: model.to_owned(),
        outcome: Outcome::TimedOut,
        first_token_ms: None,
        total_ms: 9,
        usage: TokenUsage {
            input: 1_000,
            cached: 700,
            cache_write: 100,
            output: 30,
            estimated: false,
        },
        detail: None,
    };
    let used: Vec<_> = Use::of_attempt(&attempt("openai/gpt-6-luna"))
        .into_iter()
        .map(|one| (one.unit.as_str(), one.quantity))
        .collect();
    assert_eq!(used, [("input", 200), ("cached", 700), ("cache-write", 100), ("output", 30)]);
    assert!(Use::of_attempt(&attempt("builtin")).is_empty());
    // A server of one's own names models as it likes.
    assert_eq!(Use::of_attempt(&attempt("openai/org/model"))[0].product, "org/model");
}

#[test]
fn what_was_spoken_is_named_as_it_is_priced() {
    let product = |provider: &str, voice: &str| Use::of_speech(provider, voice, "Été").product;
    assert_eq!(product("elevenlabs", "eleven_flash_v2_5/abc"), "eleven_flash_v2_5");
    assert_eq!(product("google", "fr-FR-Chirp3-HD-Aoede"), "Chirp3-HD");
    assert_eq!(product("google", "fr-FR-Neural2-A"), "Neural2");
    assert_eq!(product("azure", "fr-FR-DeniseNeural"), "Neural");
    assert_eq!(product("local", "fr"), "fr");
    assert_eq!(Use::of_speech("local", "fr", "Été").quantity, 3);
}

#[test]
fn numbers_are_priced_by_country_and_kind() {
    for (what, number, product) in [
        ("inbound", "+33123456789", "inbound-FR"),
        ("inbound", "+33612345678", "inbound-FR"),
        ("outbound", "+33612345678", "outbound-FR-mobile"),
        ("outbound", "+33123456789", "outbound-FR"),
        ("outbound", "+15145550100", "outbound-CA"),
        ("outbound", "+18765550100", "outbound-other"),
        ("outbound", "+12125550100", "outbound-US"),
    ] {
        assert_eq!(product_of(what, &number.parse().unwrap()), product);
    }
    assert_eq!([0, 1, 60, 61].map(begun_minutes), [0, 1, 1, 2]);
}

#[test]
fn nothing_overflows() {
    let most = Micros::from_micros(i64::MAX);
    assert_eq!(amount(most, u64::MAX, 1), most);
    assert_eq!(amount(most, u64::MAX, 0), most);
    assert_eq!(exchange(1).convert(most, Currency::Usd, Currency::Eur), most);
    assert_eq!(Cost { eur: most, usd: most }.plus(Cost { eur: most, usd: most }).eur, most);
}

proptest! {
    // Below what an amount can hold; past it, `nothing_overflows`.
    #[test]
    fn an_amount_is_the_exact_one_rounded_up_once(
        price in 0_i64..1_000_000_000_000,
        quantity in 0_u64..9_000_000,
        unit in 0_usize..Unit::ALL.len(),
    ) {
        let per = Unit::ALL[unit].per();
        let got = i128::from(amount(Micros::from_micros(price), quantity, per).get());
        let exact = i128::from(price) * i128::from(quantity);
        // Never less than it is, and less than a millionth more.
        prop_assert!(got * i128::from(per) >= exact);
        prop_assert!((got - 1) * i128::from(per) < exact || exact == 0 && got == 0);
    }

    #[test]
    fn parts_never_come_to_less_than_the_whole(
        price in 0_i64..1_000_000_000,
        parts in prop::collection::vec(0_u64..1_000_000, 0..20),
    ) {
        let of = |count| amount(Micros::from_micros(price), count, 1_000_000);
        let sum = parts.iter().fold(Micros::ZERO, |sum, part| sum.plus(of(*part)));
        let whole = of(parts.iter().sum());
        prop_assert!(sum >= whole);
        prop_assert!(sum.get() - whole.get() <= parts.len() as i64);
    }

    #[test]
    fn there_and_back_is_never_less_and_hardly_more(
        micros in 0_i64..1_000_000_000_000,
        dollars in 500_000_i64..2_000_000,
    ) {
        let (exchange, eur) = (exchange(dollars), Micros::from_micros(micros));
        let usd = exchange.convert(eur, Currency::Eur, Currency::Usd);
        let back = exchange.convert(usd, Currency::Usd, Currency::Eur).get();
        prop_assert!(back >= micros && back <= micros + 3, "{back}");
    }
}
