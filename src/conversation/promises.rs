//! A model's promise of a booking that no tool has stored: heard before the caller hears it.
//!
//! A word list, on purpose: it only decides whether the model is asked once more, and a model
//! that insists is replaced by the next mind.

use crate::domain::{LanguageTag, ToolUse};

/// Told to a model that promised without booking.
pub(super) const CORRECTION: &str = "[Nothing is booked or cancelled: the tools `book`, `reschedule` \
    and `cancel` were not used or did not succeed. Use the right one now if you have everything, or \
    ask for what is missing. Do not say that anything is booked, confirmed or cancelled.]";

/// What was done in the call, and may be spoken of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// A booking was stored, or moved.
    pub(super) booked: bool,
    /// A booking was cancelled.
    pub(super) cancelled: bool,
}

impl Done {
    /// By the tools that were used.
    pub(super) fn by<'a>(tools: impl Iterator<Item = &'a ToolUse>) -> Self {
        let mut done = Self::default();
        for tool in tools {
            let result = serde_json::from_str::<serde_json::Value>(&tool.result);
            let did = |word: &str| result.as_ref().is_ok_and(|result| result[word] == true);
            match tool.tool.as_str() {
                "book" => done.booked |= did("booked"),
                "reschedule" => done.booked |= did("moved"),
                "cancel" => done.cancelled |= did("cancelled"),
                _ => {}
            }
        }
        done
    }

    /// What is still no truth, in a language.
    fn untrue(self, language: &LanguageTag) -> impl Iterator<Item = &'static str> {
        let language = language.primary();
        let booked = if self.booked { &[] } else { booked(language) };
        let cancelled = if self.cancelled { &[] } else { cancelled(language) };
        booked.iter().chain(cancelled).copied()
    }
}

/// Whether a text says that something is booked, or cancelled, which is not.
pub(super) fn is_promised(text: &str, language: &LanguageTag, done: Done) -> bool {
    let text = text.to_lowercase().replace('’', "'");
    // A question promises nothing ("shall I confirm?").
    text.split_inclusive(['.', '!', '?', '\n'])
        .filter(|sentence| !sentence.ends_with('?'))
        .any(|sentence| done.untrue(language).any(|phrase| sentence.contains(phrase)))
}

/// Up to where a text that goes on can be no promise, in bytes: not what already is one, nor an end
/// that one could begin with.
pub(super) fn safe_until(text: &str, language: &LanguageTag, done: Done) -> usize {
    let mut start = 0;
    for sentence in text.split_inclusive(['.', '!', '?', '\n']) {
        let lower = sentence.to_lowercase();
        let is_whole = sentence.ends_with(['.', '!', '?', '\n']);
        let has_promise = done.untrue(language).any(|phrase| lower.contains(phrase));
        if has_promise && !sentence.ends_with('?') {
            return start;
        }
        if !is_whole {
            // In another length, places in it mean nothing.
            if lower.len() != sentence.len() {
                return start;
            }
            let held = done.untrue(language).filter_map(|phrase| begun(&lower, phrase)).max();
            return start + sentence.len() - held.unwrap_or(0);
        }
        start += sentence.len();
    }
    start
}

/// How many bytes at the end of a text may begin a phrase, in whole words.
fn begun(text: &str, phrase: &str) -> Option<usize> {
    let beginnings = phrase.match_indices([' ', '\'']).map(|(at, sign)| {
        // An apostrophe stands at the end of its word, a space after it.
        if sign == "'" { at + 1 } else { at }
    });
    beginnings.filter(|length| text.ends_with(&phrase[..*length])).max()
}

/// What says that something is booked, or moved.
fn booked(language: &str) -> &'static [&'static str] {
    match language {
        "fr" => &[
            "est confirmée",
            "est bien confirmée",
            "est réservée",
            "est bien réservée",
            "est enregistrée",
            "est bien enregistrée",
            "c'est réservé",
            "c'est confirmé",
            "c'est noté pour",
            "je confirme votre réservation",
            "j'ai réservé",
            "j'ai bien réservé",
            "j'ai noté votre réservation",
            "votre table est prête",
            "rendez-vous est confirmé",
            "rendez-vous est bien confirmé",
            "rendez-vous est pris",
            "rendez-vous est bien pris",
            "rendez-vous est noté",
            "rendez-vous est bien noté",
            "rendez-vous est fixé",
            "rendez-vous est enregistré",
            "rendez-vous est réservé",
            "créneau est réservé",
            "confirme votre rendez-vous",
            "j'ai noté votre rendez-vous",
            "j'ai pris votre rendez-vous",
            "j'ai bien noté votre rendez-vous",
            "j'ai déplacé",
            "j'ai bien déplacé",
            "est déplacée",
            "est bien déplacée",
        ],
        "es" => &[
            "está confirmada",
            "está reservada",
            "queda confirmada",
            "queda reservada",
            "he reservado",
            "confirmo su reserva",
            "confirmo su cita",
            "está confirmado",
            "queda confirmado",
            "he apuntado su cita",
            "he anotado su cita",
            "cita queda anotada",
            "cita está anotada",
        ],
        "de" => &[
            "ist bestätigt",
            "ist reserviert",
            "ist gebucht",
            "habe ich reserviert",
            "ich bestätige ihre reservierung",
            "ich bestätige ihren termin",
            "termin ist eingetragen",
            "habe ich eingetragen",
        ],
        "it" => &[
            "è confermata",
            "è prenotato",
            "è prenotata",
            "ho prenotato",
            "confermo la prenotazione",
            "è confermato",
            "appuntamento è fissato",
            "ho fissato",
        ],
        "pt" => &[
            "está confirmada",
            "está reservada",
            "fica reservada",
            "fica confirmada",
            "confirmo a sua reserva",
            "consulta está marcada",
            "fica marcada",
        ],
        "nl" => &[
            "is bevestigd",
            "is gereserveerd",
            "is geboekt",
            "heb gereserveerd",
            "is ingepland",
            "heb ingepland",
        ],
        _ => &[
            "is confirmed",
            "is booked",
            "is reserved",
            "are booked",
            "you're booked",
            "is all set",
            "i have booked",
            "i've booked",
            "i booked",
            "i have reserved",
            "i've reserved",
            "i confirm your",
            "you're all set",
            "i have scheduled",
            "i've scheduled",
            "appointment is scheduled",
            "i've put you down for",
            "has been moved",
            "i've moved your",
        ],
    }
}

/// What says that something is cancelled.
fn cancelled(language: &str) -> &'static [&'static str] {
    match language {
        "fr" => &[
            "est annulée",
            "est bien annulée",
            "rendez-vous est annulé",
            "rendez-vous est bien annulé",
            "j'ai annulé",
            "j'ai bien annulé",
        ],
        "es" => &[
            "está cancelada",
            "queda cancelada",
            "he cancelado",
            "está anulada",
            "queda anulada",
            "he anulado",
        ],
        "de" => &["ist storniert", "habe ich storniert", "ist abgesagt", "habe ich abgesagt"],
        "it" => &["è annullata", "è cancellata", "ho annullato", "ho cancellato"],
        "pt" => &["está cancelada", "fica cancelada"],
        "nl" => &["is geannuleerd", "heb geannuleerd"],
        _ => &[
            "is cancelled",
            "is canceled",
            "has been cancelled",
            "has been canceled",
            "i have cancelled",
            "i've cancelled",
            "i've canceled",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_told_from_questions() {
        let said =
            |text: &str, tag: &str| is_promised(text, &tag.parse().unwrap(), Done::default());
        assert!(said("Parfait. Votre réservation est confirmée pour 20 heures.", "fr-FR"));
        assert!(said("C’est réservé ! À ce soir.", "fr-FR"));
        assert!(said("Great, you're all set for 8 pm.", "en-US"));
        assert!(said("Votre rendez-vous est bien noté, mardi à 10 heures.", "fr-FR"));
        assert!(said("I've scheduled your appointment for Tuesday.", "en-GB"));
        assert!(said("Su cita está confirmada.", "es-ES"));
        assert!(said("Votre réservation est bien annulée.", "fr-FR"));
        assert!(said("Your booking has been cancelled.", "en-US"));
        assert!(!said("Je note votre rendez-vous dès que j'ai votre nom.", "fr-FR"));
        assert!(!said("À quel nom puis-je réserver ?", "fr-FR"));
        assert!(!said("Souhaitez-vous que votre réservation est confirmée ?", "fr-FR"));
        assert!(!said("We are open until eleven.", "en-GB"));
        // A booking that was stored is no cancellation.
        let booked = Done { booked: true, cancelled: false };
        let french = "fr-FR".parse().unwrap();
        assert!(!is_promised("Votre réservation est confirmée.", &french, booked));
        assert!(is_promised("Votre réservation est annulée.", &french, booked));
    }
}
