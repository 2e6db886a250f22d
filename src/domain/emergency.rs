//! Emergency numbers, by country: never dialled, and told to callers who need one.
//!
//! A machine that dials them takes a line from somebody in danger, and Twilio would send help to the
//! wrong place. So no [`PhoneNumber`] is one: not from a file, not from a model.

use super::PhoneNumber;

/// The emergency numbers of a country.
struct Row {
    /// Country calling code; the longest that fits wins.
    calling: &'static str,
    /// Those that callers are told: where a doctor or an ambulance is sent from.
    told: &'static [&'static str],
    /// The others.
    others: &'static [&'static str],
}

const fn row(
    calling: &'static str,
    told: &'static [&'static str],
    others: &'static [&'static str],
) -> Row {
    Row { calling, told, others }
}

/// In French territory, also overseas.
const FRENCH: &[&str] = &["17", "18", "114", "115", "119", "191", "196"];

/// From the countries' own lists, as kept by the European Emergency Number Association and the ITU
/// (E.129). Where there is no row, [`EVERYWHERE`] holds and callers are told 112.
const TABLE: &[Row] = &[
    row("1", &["911"], &[]),
    row("1876", &["119"], &["110", "911"]),
    row("212", &["15"], &["19", "150", "177"]),
    row("213", &["14"], &["17", "1021", "1055", "1548"]),
    row("216", &["190"], &["193", "197", "198"]),
    row("221", &["1515"], &["17", "18"]),
    row("225", &["185"], &["110", "111", "170", "180"]),
    row("262", &["15", "112"], FRENCH),
    row("31", &["112"], &["113"]),
    row("32", &["112"], &["100", "101"]),
    row("33", &["15", "112"], FRENCH),
    row("34", &["112"], &["061", "062", "080", "085", "091"]),
    row("351", &["112"], &["117"]),
    row("352", &["112"], &["113"]),
    row("353", &["112", "999"], &[]),
    row("377", &["112"], &["15", "17", "18"]),
    row("39", &["112"], &["113", "115", "117", "118", "1530"]),
    row("41", &["144", "112"], &["117", "118", "1414"]),
    row("43", &["144", "112"], &["122", "133", "140"]),
    row("44", &["999", "112"], &["18000"]),
    row("47", &["113", "112"], &["110"]),
    row("48", &["112"], &["997", "998"]),
    row("49", &["112"], &["110"]),
    row("508", &["15"], FRENCH),
    row("52", &["911"], &["065", "066", "068"]),
    row("54", &["107", "911"], &["100", "101"]),
    row("55", &["192"], &["190", "193"]),
    row("56", &["131"], &["132", "133"]),
    row("57", &["123"], &["119", "125", "132"]),
    row("590", &["15", "112"], FRENCH),
    row("594", &["15", "112"], FRENCH),
    row("596", &["15", "112"], FRENCH),
    row("61", &["000"], &["106"]),
    row("64", &["111"], &[]),
    row("687", &["15"], FRENCH),
    row("689", &["15"], FRENCH),
    row("81", &["119"], &["110", "118"]),
    row("86", &["120"], &["110", "119", "122"]),
    row("91", &["112"], &["100", "101", "102", "108"]),
];

/// Taken for an emergency number by mobile phones and exchanges wherever they are.
const EVERYWHERE: &[&str] = &["112", "911", "999", "000"];

impl Row {
    fn has(&self, short: &str) -> bool {
        self.told.contains(&short) || self.others.contains(&short)
    }

    fn of(digits: &str) -> Option<&'static Self> {
        let fits = TABLE.iter().filter(|row| digits.starts_with(row.calling));
        fits.max_by_key(|row| row.calling.len())
    }
}

/// The emergency number that somebody wrote as a phone number, in any spelling: `15`, `1 1 2`,
/// `+33 112`, `0044 999`.
pub fn emergency_number(text: &str) -> Option<String> {
    let text = text.trim();
    let is_separator = |c: char| c.is_whitespace() || "().-/".contains(c);
    if text.chars().count() > 32
        || text.chars().any(|c| !(c.is_ascii_digit() || is_separator(c) || c == '+'))
    {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let international = match text.strip_prefix('+') {
        Some(_) => Some(digits.as_str()),
        None => digits.strip_prefix("00").filter(|rest| !rest.is_empty()),
    };
    if let Some(short) = international.and_then(in_country) {
        return Some(short.to_owned());
    }
    // Without a country it may be any country's, dialled as it is there.
    let known = EVERYWHERE.contains(&digits.as_str()) || TABLE.iter().any(|row| row.has(&digits));
    (known && !text.starts_with('+')).then_some(digits)
}

/// The emergency number behind a country calling code; the digits are those of E.164.
pub(super) fn in_country(digits: &str) -> Option<&str> {
    // No area of North America is called 911: what is dialled so would ring there.
    if digits.starts_with("1911") {
        return digits.get(1..4);
    }
    if digits.len() > 8 {
        return None;
    }
    if let Some(row) = Row::of(digits) {
        let short = digits.get(row.calling.len()..)?;
        return (row.has(short) || EVERYWHERE.contains(&short)).then_some(short);
    }
    // A country without a row: its calling code has one to three digits.
    (1..=3).filter_map(|length| digits.get(length..)).find(|short| EVERYWHERE.contains(short))
}

/// What to dial in an emergency where a number is: one number, and another one if there is one.
pub fn emergency_told(number: &PhoneNumber) -> (&'static str, Option<&'static str>) {
    match Row::of(number.digits()).map(|row| row.told) {
        Some([one, other, ..]) => (one, Some(other)),
        Some([one]) => (one, None),
        Some([]) | None => ("112", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emergency_numbers_are_known_in_all_spellings() {
        for (text, short) in [
            ("15", "15"),
            ("112", "112"),
            (" 1 1 2 ", "112"),
            ("17", "17"),
            ("18", "18"),
            ("999", "999"),
            ("911", "911"),
            ("+33 15", "15"),
            ("+33112", "112"),
            ("0033 18", "18"),
            ("+44 999", "999"),
            ("0044999", "999"),
            ("+1 911", "911"),
            ("+1 911 555 0100", "911"),
            ("+1876 119", "119"),
            ("+358 112", "112"),
            ("+39 118", "118"),
            ("+61 000", "000"),
            ("1-1-2", "112"),
        ] {
            assert_eq!(emergency_number(text).as_deref(), Some(short), "{text}");
            assert!(text.parse::<PhoneNumber>().is_err(), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "",
            "bonjour",
            "+33 1 12 34 56 78",
            "01 15 17 18 11",
            "+33612345678",
            "+442079460018",
            "+12125550100",
            "+112",
            "33112abc",
        ] {
            assert_eq!(emergency_number(text), None, "{text}");
        }
        for text in ["+33112345678", "+33115171811", "+442079460018", "+19115", "+15145550100"] {
            let is_number = text.parse::<PhoneNumber>().is_ok();
            assert_eq!(is_number, text != "+19115", "{text}");
        }
    }

    #[test]
    fn each_country_tells_its_own() {
        for (phone, told) in [
            ("+33123456789", ("15", Some("112"))),
            ("+442079460018", ("999", Some("112"))),
            ("+12125550100", ("911", None)),
            ("+34910000214", ("112", None)),
            ("+4930123456", ("112", None)),
            ("+37065012345", ("112", None)),
        ] {
            assert_eq!(emergency_told(&phone.parse().unwrap()), told, "{phone}");
        }
        assert!(TABLE.iter().all(|row| !row.told.is_empty()));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = emergency_number(&text);
        }

        #[test]
        fn no_phone_number_is_an_emergency_number(digits in "[1-9][0-9]{6,14}") {
            if let Some(number) = PhoneNumber::from_e164(&format!("+{digits}")) {
                proptest::prop_assert_eq!(in_country(number.digits()), None);
            }
        }
    }
}
