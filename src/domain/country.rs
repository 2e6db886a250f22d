//! What a country's numbers imply: a time zone and a language.
//!
//! Only a default: an assistant's file says both when it matters. Countries with several zones
//! get the one most of their people live in.

use super::{LanguageTag, PhoneNumber};

/// The defaults that follow from a phone number's country calling code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2 code.
    pub code: &'static str,
    /// IANA time zone.
    pub timezone: &'static str,
    /// BCP 47 tag.
    pub language: &'static str,
}

/// E.164 prefix (longest match wins), country, zone, language.
const TABLE: &[(&str, Country)] = &[
    ("1", country("US", "America/New_York", "en-US")),
    ("1204", country("CA", "America/Winnipeg", "en-CA")),
    ("1418", country("CA", "America/Toronto", "fr-CA")),
    ("1438", country("CA", "America/Toronto", "fr-CA")),
    ("1450", country("CA", "America/Toronto", "fr-CA")),
    ("1514", country("CA", "America/Toronto", "fr-CA")),
    ("1581", country("CA", "America/Toronto", "fr-CA")),
    ("1819", country("CA", "America/Toronto", "fr-CA")),
    ("1416", country("CA", "America/Toronto", "en-CA")),
    ("1604", country("CA", "America/Vancouver", "en-CA")),
    ("1647", country("CA", "America/Toronto", "en-CA")),
    ("212", country("MA", "Africa/Casablanca", "fr-FR")),
    ("213", country("DZ", "Africa/Algiers", "fr-FR")),
    ("216", country("TN", "Africa/Tunis", "fr-FR")),
    ("221", country("SN", "Africa/Dakar", "fr-FR")),
    ("225", country("CI", "Africa/Abidjan", "fr-FR")),
    ("262", country("RE", "Indian/Reunion", "fr-FR")),
    ("31", country("NL", "Europe/Amsterdam", "nl-NL")),
    ("32", country("BE", "Europe/Brussels", "fr-BE")),
    ("33", country("FR", "Europe/Paris", "fr-FR")),
    ("34", country("ES", "Europe/Madrid", "es-ES")),
    ("351", country("PT", "Europe/Lisbon", "pt-PT")),
    ("352", country("LU", "Europe/Luxembourg", "fr-FR")),
    ("353", country("IE", "Europe/Dublin", "en-GB")),
    ("377", country("MC", "Europe/Monaco", "fr-FR")),
    ("39", country("IT", "Europe/Rome", "it-IT")),
    ("41", country("CH", "Europe/Zurich", "fr-CH")),
    ("43", country("AT", "Europe/Vienna", "de-AT")),
    ("44", country("GB", "Europe/London", "en-GB")),
    ("49", country("DE", "Europe/Berlin", "de-DE")),
    ("508", country("PM", "America/Miquelon", "fr-FR")),
    ("52", country("MX", "America/Mexico_City", "es-MX")),
    ("54", country("AR", "America/Argentina/Buenos_Aires", "es-AR")),
    ("55", country("BR", "America/Sao_Paulo", "pt-BR")),
    ("56", country("CL", "America/Santiago", "es-CL")),
    ("57", country("CO", "America/Bogota", "es-CO")),
    ("590", country("GP", "America/Guadeloupe", "fr-FR")),
    ("594", country("GF", "America/Cayenne", "fr-FR")),
    ("596", country("MQ", "America/Martinique", "fr-FR")),
    ("61", country("AU", "Australia/Sydney", "en-AU")),
    ("64", country("NZ", "Pacific/Auckland", "en-NZ")),
    ("687", country("NC", "Pacific/Noumea", "fr-FR")),
    ("689", country("PF", "Pacific/Tahiti", "fr-FR")),
];

const fn country(code: &'static str, timezone: &'static str, language: &'static str) -> Country {
    Country { code, timezone, language }
}

/// E.164 prefixes of the European Economic Area, its outermost regions included.
const EUROPEAN_ECONOMIC_AREA: &[&str] = &[
    "262", "30", "31", "32", "33", "34", "351", "352", "353", "354", "356", "357", "358", "359",
    "36", "370", "371", "372", "385", "386", "39", "40", "420", "421", "423", "43", "45", "46",
    "47", "48", "49", "590", "594", "596",
];

impl Country {
    /// Whether a number is of the European Economic Area, whose law then holds for its calls.
    pub fn in_european_economic_area(number: &PhoneNumber) -> bool {
        EUROPEAN_ECONOMIC_AREA.iter().any(|prefix| number.digits().starts_with(prefix))
    }

    /// The country of a number, when it is one we have defaults for.
    pub fn of(number: &PhoneNumber) -> Option<Self> {
        let digits = number.digits();
        TABLE
            .iter()
            .filter(|(prefix, _)| digits.starts_with(prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, country)| *country)
    }

    /// The language spoken to callers of a number nobody has an assistant for.
    pub fn language_of(number: Option<&PhoneNumber>) -> LanguageTag {
        number
            .and_then(Self::of)
            .and_then(|country| country.language.parse().ok())
            .unwrap_or_else(LanguageTag::french)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_real_zone_and_language() {
        for (prefix, country) in TABLE {
            assert!(jiff::tz::TimeZone::get(country.timezone).is_ok(), "{prefix}");
            assert!(country.language.parse::<LanguageTag>().is_ok(), "{prefix}");
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        let montreal: PhoneNumber = "+15145550100".parse().unwrap();
        let new_york: PhoneNumber = "+12125550100".parse().unwrap();
        assert_eq!(Country::language_of(Some(&montreal)).as_str(), "fr-CA");
        assert_eq!(Country::language_of(Some(&new_york)).as_str(), "en-US");
    }
}
