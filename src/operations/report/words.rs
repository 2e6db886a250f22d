//! What stands in a report, in French or English.

use jiff::civil::{Date, Weekday};

use crate::domain::{CallOutcome, Month, ReportLanguage, ReportLanguage::French};

const MONTHS: [[&str; 12]; 2] = [
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
];

/// One of two.
pub(super) const fn either(
    language: ReportLanguage,
    french: &'static str,
    english: &'static str,
) -> &'static str {
    match language {
        ReportLanguage::French => french,
        ReportLanguage::English => english,
    }
}

fn month_name(language: ReportLanguage, day: Date) -> &'static str {
    let at = usize::from(day.month().unsigned_abs()) - 1;
    MONTHS[usize::from(language != French)].get(at).copied().unwrap_or_default()
}

/// `novembre 2026`.
pub(super) fn month(language: ReportLanguage, month: Month) -> String {
    format!("{} {}", month_name(language, month.first()), month.first().year())
}

/// `3 novembre`.
pub(super) fn day(language: ReportLanguage, day: Date) -> String {
    let name = month_name(language, day);
    match (language, day.day()) {
        (French, 1) => format!("1er {name}"),
        (_, n) => format!("{n} {name}"),
    }
}

pub(super) fn weekday(language: ReportLanguage, day: Weekday) -> &'static str {
    let (french, english) = match day {
        Weekday::Monday => ("lundi", "Monday"),
        Weekday::Tuesday => ("mardi", "Tuesday"),
        Weekday::Wednesday => ("mercredi", "Wednesday"),
        Weekday::Thursday => ("jeudi", "Thursday"),
        Weekday::Friday => ("vendredi", "Friday"),
        Weekday::Saturday => ("samedi", "Saturday"),
        Weekday::Sunday => ("dimanche", "Sunday"),
    };
    either(language, french, english)
}

/// French sets a colon apart.
pub(super) const fn colon(language: ReportLanguage) -> &'static str {
    either(language, " :", ":")
}

/// `19 h`, `19:00`.
pub(super) fn hour(language: ReportLanguage, hour: usize) -> String {
    match language {
        ReportLanguage::French => format!("{hour} h"),
        ReportLanguage::English => format!("{hour}:00"),
    }
}

/// `1 234`, `1,234`: French parts digits by a narrow space that does not break.
pub(super) fn number(language: ReportLanguage, number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push_str(either(language, "\u{202f}", ","));
        }
        grouped.push(digit);
    }
    grouped
}

/// `4,2`, `4.2`.
pub(super) fn decimal(language: ReportLanguage, value: f64) -> String {
    let text = format!("{value:.1}");
    match language {
        ReportLanguage::French => text.replace('.', ","),
        ReportLanguage::English => text,
    }
}

/// `12 %`, `12%`.
pub(super) fn percent(language: ReportLanguage, value: f64) -> String {
    format!("{value:.0}{}", either(language, "\u{a0}%", "%"))
}

/// `1 appel`, `2 calls`.
pub(super) fn calls(language: ReportLanguage, count: u64) -> String {
    // French says the singular of nothing, too.
    let one = match language {
        ReportLanguage::French => count < 2,
        ReportLanguage::English => count == 1,
    };
    let word =
        if one { either(language, "appel", "call") } else { either(language, "appels", "calls") };
    format!("{} {word}", number(language, count))
}

/// `3 h 10`, `3 h 10 min`; minutes for what is shorter.
pub(super) fn duration(language: ReportLanguage, seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}\u{a0}s"),
        60..3_600 => format!("{}\u{a0}min {:02}\u{a0}s", seconds / 60, seconds % 60),
        _ => {
            let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
            let unit = either(language, "", "\u{a0}min");
            format!("{}\u{a0}h {minutes:02}{unit}", number(language, hours))
        }
    }
}

/// `0,8 s`.
pub(super) fn wait(language: ReportLanguage, ms: u32) -> String {
    format!("{}\u{a0}s", decimal(language, f64::from(ms) / 1_000.0))
}

/// What came of calls, as one says it of several.
pub(super) fn outcome(language: ReportLanguage, key: &str) -> String {
    let Ok(outcome) = key.parse::<CallOutcome>() else {
        return either(language, "Non connu", "Not known").to_owned();
    };
    let (french, english) = match outcome {
        CallOutcome::Booked => ("Réservation prise", "Booked"),
        CallOutcome::Changed => ("Réservation déplacée", "Booking moved"),
        CallOutcome::Cancelled => ("Réservation annulée", "Booking cancelled"),
        CallOutcome::Informed => ("Renseigné", "Informed"),
        CallOutcome::Transferred => ("Mis en relation", "Put through"),
        CallOutcome::Message => ("Message laissé", "Message left"),
        CallOutcome::Abandoned => ("Sans suite", "Hung up without a result"),
        CallOutcome::Failed => ("Échec", "Failed"),
        CallOutcome::Machine => ("Répondeur", "Answering machine"),
        CallOutcome::Unreached => ("Non joint", "Not reached"),
    };
    either(language, french, english).to_owned()
}

/// A language by its name, where it is one that we speak; its tag otherwise.
pub(super) fn spoken(language: ReportLanguage, tag: &str) -> String {
    let (french, english) = match tag.split('-').next().unwrap_or_default() {
        "fr" => ("Français", "French"),
        "en" => ("Anglais", "English"),
        "es" => ("Espagnol", "Spanish"),
        "de" => ("Allemand", "German"),
        "it" => ("Italien", "Italian"),
        "pt" => ("Portugais", "Portuguese"),
        "nl" => ("Néerlandais", "Dutch"),
        _ => return tag.to_owned(),
    };
    format!("{} ({tag})", either(language, french, english))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_write_them() {
        let english = ReportLanguage::English;
        assert_eq!(number(French, 1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(english, 1_234), "1,234");
        assert_eq!(decimal(French, 4.25), "4,2");
        assert_eq!(percent(French, 87.4), "87\u{a0}%");
        assert_eq!(calls(French, 0), "0 appel");
        assert_eq!(calls(english, 0), "0 calls");
        assert_eq!(duration(French, 11_400), "3\u{a0}h 10");
        assert_eq!(wait(english, 850), "0.8\u{a0}s");
        assert_eq!(month(French, "2026-08".parse().unwrap()), "août 2026");
        assert_eq!(day(French, jiff::civil::date(2026, 8, 1)), "1er août");
        assert_eq!(outcome(French, "booked"), "Réservation prise");
        assert_eq!(outcome(english, "unknown"), "Not known");
    }
}
