use jiff::Timestamp;

use super::*;
use crate::domain::Use;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sum(book: &PriceBook, used: Use, when: &str) -> String {
    let reckoned = book.reckon(used, at(when));
    let mark = if reckoned.unpriced { "?" } else { "" };
    format!("{} {}{mark}", reckoned.amount, reckoned.currency.as_str())
}

const NOW: &str = "2026-11-26T12:00:00Z";

#[test]
fn what_is_shipped_is_read_and_names_its_source() {
    let rates = read(SHIPPED, include_str!("rates.toml")).unwrap();
    assert!(rates.rates.len() > 100 && !rates.exchange.is_empty());
    assert!(rates.rates.iter().all(|rate| !rate.source.is_empty()));
}

#[test]
fn uses_are_reckoned_by_their_own_price() {
    let book = shipped();
    let of = |provider: &str, product: &str, unit, count| {
        sum(&book, Use::new(provider, product, unit, count), NOW)
    };
    assert_eq!(of("twilio", "inbound-FR", Unit::Minute, 5), "0.05 USD");
    assert_eq!(of("openai", "gpt-6-luna", Unit::Input, 300), "0.00003 USD");
    assert_eq!(of("openai", "gpt-6-luna", Unit::Cached, 1_200), "0.000012 USD");
    // A token is never free.
    assert_eq!(of("openai", "gpt-6-luna", Unit::Cached, 1), "0.000001 USD");
    assert_eq!(of("elevenlabs", "eleven_flash_v2_5", Unit::Character, 240), "0.0096 USD");
    assert_eq!(of("deepgram", "flux-general-multi", Unit::Second, 5), "0.00065 USD");
    assert_eq!(of("ollama", "llama3", Unit::Output, 1_000_000), "0.00 USD");
    // Where putting something into the cache has no price of its own, it is read.
    assert_eq!(of("openai", "gpt-4o", Unit::CacheWrite, 1_000_000), "2.50 USD");
    // What has no price is dear, and says so.
    assert_eq!(of("openai", "unheard-of", Unit::Output, 1_000_000), "50.00 USD?");
    assert_eq!(of("twilio", "inbound-NZ", Unit::Minute, 1), "0.015 USD?");
}

#[test]
fn prices_of_ones_own_come_first_and_hold_for_their_days() {
    let own = r#"
        currency = "EUR"
        [[exchange]]
        from = 2026-01-01
        eur = "1.10"
        [[exchange]]
        from = 2026-12-01
        eur = "1.25"
        [[rate]]
        provider = "twilio"
        product = "inbound-FR"
        prices = { minute = "0.0120" }
        from = 2026-11-01
        until = 2026-12-01
        [[rate]]
        provider = "twilio"
        product = "inbound-FR"
        prices = { minute = "0.0200" }
        from = 2026-12-01
        currency = "usd"
    "#;
    let book = with(read("own.toml", own).unwrap());
    let minute = || Use::of_twilio("inbound-FR", Unit::Minute, 1);
    assert_eq!(sum(&book, minute(), "2026-10-31T23:59:59Z"), "0.01 USD");
    assert_eq!(sum(&book, minute(), "2026-11-01T00:00:00Z"), "0.012 EUR");
    assert_eq!(sum(&book, minute(), "2026-12-01T00:00:00Z"), "0.02 USD");
    let reckoned = book.reckon(minute(), at("2026-12-02T00:00:00Z"));
    assert_eq!(reckoned.rate, "own.toml: twilio/inbound-FR from 2026-12-01");
    assert_eq!(reckoned.cost.eur.to_string(), "0.016");
    let reckoned = book.reckon(minute(), at("2026-11-02T00:00:00Z"));
    assert_eq!(reckoned.cost.usd.to_string(), "0.0132");
}

#[test]
fn mistakes_have_their_place() {
    let wrong = "[[rate]]\nprovider = \"twilio\"\nproduct = \"gather\"\nprices = { recognitoin = \"0.02\" }\n";
    let problems = read("rates.toml", wrong).unwrap_err();
    assert!(problems[0].to_string().starts_with("rates.toml:4:"), "{}", problems[0]);
    for (wrong, told) in [
        ("edition = 1", "rates.toml:1:11"),
        ("currency = \"CHF\"", "rates.toml:1:12"),
        ("[[exchange]]\nfrom = 2026-01-01\neur = \"0\"", "rates.toml:3:7"),
        ("[[exchange]]\nfrom = \"soon\"\neur = \"1\"", "rates.toml:2:8"),
        (
            "[[rate]]\nprovider = \"a\"\nproduct = \"b\"\nprices = { minute = \"1e3\" }",
            "rates.toml:4:",
        ),
        (
            "[[rate]]\nprovider = \"a\"\nproduct = \"b\"\nprices = { minute = \"1\" }\n\
             from = 2026-02-01\nuntil = 2026-01-01",
            "rates.toml:3:11",
        ),
        (
            "[[rate]]\nprovider = \"a\"\nproduct = \"b\"\nprices = { minute = \"1\" }\n\
             [[rate]]\nprovider = \"a\"\nproduct = \"b\"\nprices = { minute = \"2\" }\n",
            "rates.toml:7:11",
        ),
    ] {
        let problems = read("rates.toml", wrong).unwrap_err();
        assert!(problems[0].to_string().starts_with(told), "{wrong}: {}", problems[0]);
    }
}

proptest::proptest! {
    #[test]
    fn no_file_panics_and_every_mistake_has_a_line(
        text in "(\\[\\[rate\\]\\]|\\[\\[exchange\\]\\]|provider = \"a\"|product = \"b\"|prices = \\{ minute = \"1\" \\}|from = 2026-01-01|until = 2025-01-01|eur = \"0\"|[a-z=\"{} 0-9.-]{0,12}|\n){0,12}",
    ) {
        if let Err(problems) = read("rates.toml", &text) {
            proptest::prop_assert!(!problems.is_empty());
        }
    }
}
