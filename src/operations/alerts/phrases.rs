//! What notices say, a table a language, and how values are written there.

use crate::domain::{AlertKind, AlertLanguage, AlertLevel, AlertSeverity, Currency};

/// The words of a language. `{value}`, `{threshold}` and `{part}` are filled in.
pub(super) struct Phrases {
    pub(super) severity: fn(AlertSeverity) -> &'static str,
    pub(super) over: &'static str,
    pub(super) again: &'static str,
    pub(super) trial: &'static str,
    pub(super) trial_text: &'static str,
    pub(super) whole: &'static str,
    pub(super) of_rule: &'static str,
    pub(super) since: &'static str,
    pub(super) lasted: &'static str,
    pub(super) worst: &'static str,
    pub(super) unwatched: &'static str,
    pub(super) colon: &'static str,
    pub(super) began: fn(AlertKind) -> &'static str,
    pub(super) ended: fn(AlertKind) -> &'static str,
    pub(super) part: fn(&str) -> Option<&'static str>,
}

/// Those of a language.
pub(super) const fn of(language: AlertLanguage) -> &'static Phrases {
    match language {
        AlertLanguage::French => &FRENCH,
        AlertLanguage::English => &ENGLISH,
    }
}

const FRENCH: Phrases = Phrases {
    severity: |severity| match severity {
        AlertSeverity::Info => "Information",
        AlertSeverity::Warning => "Alerte",
        AlertSeverity::Critical => "Alerte critique",
    },
    over: "Terminé",
    again: "Rappel",
    trial: "Essai",
    trial_text: "Ceci est un essai : les alertes de webox arrivent ici. Rien n'est à faire.",
    whole: "webox",
    of_rule: "Règle",
    since: "Depuis",
    lasted: "Durée",
    worst: "Au pire",
    unwatched: "n'est plus surveillé",
    colon: " : ",
    began: |kind| match kind {
        AlertKind::FailedCalls => "{value} des appels échouent (seuil : {threshold})",
        AlertKind::NoCalls => "aucun appel depuis {value} d'ouverture (seuil : {threshold})",
        AlertKind::Latency => {
            "une réponse sur vingt met {value} ou plus à venir (seuil : {threshold})"
        }
        AlertKind::ProviderDown => "le fournisseur {part} ne répond plus",
        AlertKind::SpendDay => "{value} dépensés aujourd'hui (seuil : {threshold})",
        AlertKind::SpendMonth => "{value} dépensés ce mois-ci (seuil : {threshold})",
        AlertKind::Quota => "la limite est utilisée à {value} ({part}, seuil : {threshold})",
        AlertKind::Satisfaction => {
            "la satisfaction a baissé de {value} point sur 5 (seuil : {threshold})"
        }
        AlertKind::Signatures => "{value} webhooks sans signature valable (seuil : {threshold})",
        AlertKind::Disk => "le disque de la base est plein à {value} (seuil : {threshold})",
        AlertKind::StoreErrors => "la base a échoué {value} fois (seuil : {threshold})",
        AlertKind::Backup => "aucune sauvegarde depuis {value} (seuil : {threshold})",
    },
    ended: |kind| match kind {
        AlertKind::FailedCalls => "les appels aboutissent de nouveau",
        AlertKind::NoCalls => "des appels arrivent de nouveau",
        AlertKind::Latency => "les réponses viennent de nouveau à temps",
        AlertKind::ProviderDown => "le fournisseur {part} répond de nouveau",
        AlertKind::SpendDay => "les dépenses du jour sont sous le seuil",
        AlertKind::SpendMonth => "les dépenses du mois sont sous le seuil",
        AlertKind::Quota => "la limite n'est plus proche ({part})",
        AlertKind::Satisfaction => "la satisfaction est remontée",
        AlertKind::Signatures => "les webhooks sont de nouveau signés",
        AlertKind::Disk => "le disque de la base a de nouveau de la place ({value})",
        AlertKind::StoreErrors => "la base n'échoue plus",
        AlertKind::Backup => "les sauvegardes se font de nouveau",
    },
    part: |part| match part {
        super::measure::COST => Some("coût"),
        super::measure::MINUTES => Some("minutes"),
        super::measure::PLAN_CALLS => Some("appels du forfait"),
        super::measure::PLAN_MINUTES => Some("minutes du forfait"),
        _ => None,
    },
};

const ENGLISH: Phrases = Phrases {
    severity: |severity| match severity {
        AlertSeverity::Info => "Information",
        AlertSeverity::Warning => "Warning",
        AlertSeverity::Critical => "Critical",
    },
    over: "Over",
    again: "Reminder",
    trial: "Trial",
    trial_text: "This is a trial: alerts of webox arrive here. There is nothing to do.",
    whole: "webox",
    of_rule: "Rule",
    since: "Since",
    lasted: "Lasted",
    worst: "At worst",
    unwatched: "is no longer watched",
    colon: ": ",
    began: |kind| match kind {
        AlertKind::FailedCalls => "{value} of the calls fail (threshold: {threshold})",
        AlertKind::NoCalls => "no call for {value} of opening (threshold: {threshold})",
        AlertKind::Latency => "one reply in twenty takes {value} or more (threshold: {threshold})",
        AlertKind::ProviderDown => "the provider {part} no longer answers",
        AlertKind::SpendDay => "{value} spent today (threshold: {threshold})",
        AlertKind::SpendMonth => "{value} spent this month (threshold: {threshold})",
        AlertKind::Quota => "{value} of the limit is used ({part}, threshold: {threshold})",
        AlertKind::Satisfaction => {
            "satisfaction fell by {value} points of 5 (threshold: {threshold})"
        }
        AlertKind::Signatures => {
            "{value} webhooks without a valid signature (threshold: {threshold})"
        }
        AlertKind::Disk => "the disk of the database is {value} full (threshold: {threshold})",
        AlertKind::StoreErrors => "the database failed {value} times (threshold: {threshold})",
        AlertKind::Backup => "no backup for {value} (threshold: {threshold})",
    },
    ended: |kind| match kind {
        AlertKind::FailedCalls => "calls go well again",
        AlertKind::NoCalls => "calls come in again",
        AlertKind::Latency => "replies come in time again",
        AlertKind::ProviderDown => "the provider {part} answers again",
        AlertKind::SpendDay => "what is spent today is below the threshold",
        AlertKind::SpendMonth => "what is spent this month is below the threshold",
        AlertKind::Quota => "the limit is no longer near ({part})",
        AlertKind::Satisfaction => "satisfaction is back",
        AlertKind::Signatures => "webhooks are signed again",
        AlertKind::Disk => "the disk of the database has room again ({value})",
        AlertKind::StoreErrors => "the database no longer fails",
        AlertKind::Backup => "backups are made again",
    },
    part: |part| match part {
        super::measure::COST => Some("cost"),
        super::measure::MINUTES => Some("minutes"),
        super::measure::PLAN_CALLS => Some("calls of the plan"),
        super::measure::PLAN_MINUTES => Some("minutes of the plan"),
        _ => None,
    },
};

/// A decimal number of tenths, as a language writes it.
fn tenths(value: i64, language: AlertLanguage) -> String {
    let point = match language {
        AlertLanguage::French => ',',
        AlertLanguage::English => '.',
    };
    if value % 10 == 0 {
        (value / 10).to_string()
    } else {
        format!("{}{point}{}", value / 10, value.unsigned_abs() % 10)
    }
}

/// A value, as a language writes it.
pub(super) fn shown(level: AlertLevel, language: AlertLanguage) -> String {
    let is_french = language == AlertLanguage::French;
    match level {
        AlertLevel::Share(value) => {
            let blank = if is_french { "\u{a0}" } else { "" };
            format!("{}{blank}%", tenths((value + 5).div_euclid(10), language))
        }
        AlertLevel::Time(ms) if ms < 60_000 => {
            format!("{}\u{a0}s", tenths((ms + 50).div_euclid(100), language))
        }
        AlertLevel::Time(ms) => length(ms / 1_000),
        AlertLevel::Money(money) => {
            // To the cent.
            let cents = (money.amount.get() + 5_000).div_euclid(10_000);
            let (units, rest) = (cents / 100, cents % 100);
            match (is_french, money.currency) {
                (true, Currency::Eur) => format!("{units},{rest:02}\u{a0}€"),
                (true, Currency::Usd) => format!("{units},{rest:02}\u{a0}$"),
                (false, Currency::Eur) => format!("€{units}.{rest:02}"),
                (false, Currency::Usd) => format!("${units}.{rest:02}"),
            }
        }
        AlertLevel::Number(value) => {
            let shown = AlertLevel::Number(value).to_string();
            if is_french { shown.replace('.', ",") } else { shown }
        }
    }
}

/// A length of time of a minute or more, the same in both languages.
pub(super) fn length(seconds: i64) -> String {
    let minutes = seconds / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}\u{a0}s"),
        (0, minutes) => format!("{minutes}\u{a0}min"),
        (hours, 0) => format!("{hours}\u{a0}h"),
        (hours, minutes) => format!("{hours}\u{a0}h\u{a0}{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_each_language_does() {
        for (text, french, english) in [
            ("23.46%", "23,5\u{a0}%", "23.5%"),
            ("20%", "20\u{a0}%", "20%"),
            ("4200ms", "4,2\u{a0}s", "4.2\u{a0}s"),
            ("5400s", "1\u{a0}h\u{a0}30", "1\u{a0}h\u{a0}30"),
            ("12.345 EUR", "12,35\u{a0}€", "€12.35"),
            ("0.5", "0,5", "0.5"),
            ("17", "17", "17"),
        ] {
            let level: AlertLevel = text.parse().unwrap();
            assert_eq!(shown(level, AlertLanguage::French), french);
            assert_eq!(shown(level, AlertLanguage::English), english);
        }
    }

    #[test]
    fn every_kind_has_words_for_both_ends_in_each_language() {
        for language in AlertLanguage::ALL {
            let phrases = of(*language);
            for kind in AlertKind::ALL {
                let (began, ended) = ((phrases.began)(*kind), (phrases.ended)(*kind));
                assert!(!began.is_empty() && !ended.is_empty() && began != ended);
                for known in ["{value}", "{threshold}", "{part}"] {
                    let without = began.replace(known, "");
                    assert_eq!(without.matches(known).count(), 0);
                }
            }
        }
    }
}
