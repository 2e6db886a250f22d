//! What came of a call: in a word, by rule from its rows, and in a sentence.

use super::{
    AnsweredBy, Booking, Call, CallOutcome, CallStatus, Direction, EndReason, Handover,
    HandoverOutcome, Heard, LanguageTag, Members, Message, SatisfactionSource, SummarySource, Turn,
};

/// What is known of a call once it is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    /// What came of it; nothing while it goes on.
    pub outcome: Option<CallOutcome>,
    /// What it was about, in a few words.
    pub topic: Option<String>,
    /// What came of it, in a sentence or two.
    pub summary: Option<String>,
    /// Who wrote the summary.
    pub summary_source: Option<SummarySource>,
    /// Who said how satisfied the caller was.
    pub satisfaction_source: Option<SatisfactionSource>,
    /// Why: in the caller's words, or a model's.
    pub satisfaction_why: Option<String>,
    /// What the file asks for, as far as a model found it.
    pub extract: Option<Members>,
}

/// How satisfied a caller was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// From 1 to 5.
    pub score: u8,
    /// Why: in the caller's words, or a model's.
    pub why: Option<String>,
}

/// The longest summary and topic that are kept, in characters.
pub const LONGEST_SUMMARY: usize = 500;
/// The same of a topic.
pub const LONGEST_TOPIC: usize = 60;
/// The same of why a caller was satisfied or not.
pub const LONGEST_WHY: usize = 200;

/// The rows of a call.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// What its tools did of a booking, if anything: the first of booked, changed, cancelled.
    pub done: Option<CallOutcome>,
    /// The call, as it ended.
    pub call: &'a Call,
    /// What was said.
    pub turns: &'a [Turn],
    /// Booked in it.
    pub bookings: &'a [Booking],
    /// Left in it.
    pub messages: &'a [Message],
    /// The humans who were rung for it.
    pub handovers: &'a [Handover],
}

impl Rows<'_> {
    /// What came of the call: what was done counts more than what was said.
    pub fn outcome(&self) -> CallOutcome {
        if self.call.end_reason == Some(EndReason::OurFailure) {
            return CallOutcome::Failed;
        }
        match self.call.status {
            CallStatus::Failed => return CallOutcome::Failed,
            CallStatus::Busy | CallStatus::NoAnswer | CallStatus::Canceled => {
                // Whoever is called has done nothing.
                return match self.call.direction {
                    Direction::Outbound => CallOutcome::Unreached,
                    Direction::Inbound => CallOutcome::Abandoned,
                };
            }
            _ => {}
        }
        if self.call.answered_by.is_some_and(AnsweredBy::is_machine) {
            return CallOutcome::Machine;
        }
        if let Some(done) = self.done {
            return done;
        }
        let answered = |human: &Handover| human.outcome == Some(HandoverOutcome::Answered);
        if self.handovers.iter().any(answered)
            || self.call.end_reason == Some(EndReason::Transferred)
        {
            return CallOutcome::Transferred;
        }
        if !self.messages.is_empty() {
            return CallOutcome::Message;
        }
        let informed = self.turns.iter().any(|turn| {
            let spoke = matches!(
                &turn.heard,
                Some(Heard::Speech { text, .. } | Heard::Digits(text)) if !text.trim().is_empty()
            );
            spoke && turn.said.as_ref().is_some_and(|said| !said.trim().is_empty())
        });
        if informed { CallOutcome::Informed } else { CallOutcome::Abandoned }
    }

    /// The same in a sentence, in the language of the call: what was booked is told with its time.
    pub fn summary(&self) -> String {
        let outcome = self.outcome();
        let words = said(outcome, &self.call.language);
        let booked = self.bookings.last().filter(|_| outcome == CallOutcome::Booked);
        match booked {
            Some(booking) => {
                let at = booking.at.strftime("%F %H:%M");
                let what: String =
                    booking.service.as_ref().map_or_else(String::new, |name| format!(", {name}"));
                // French alone sets a colon apart.
                let apart = if self.call.language.primary() == "fr" { " " } else { "" };
                format!("{words}{apart}: {at}, {} × {}{what}.", booking.party, booking.name)
            }
            None => format!("{words}."),
        }
    }
}

/// An outcome as one says it.
fn said(outcome: CallOutcome, language: &LanguageTag) -> &'static str {
    use CallOutcome::{
        Abandoned, Booked, Cancelled, Changed, Failed, Informed, Machine, Message, Transferred,
        Unreached,
    };
    match (language.primary(), outcome) {
        ("fr", Booked) => "A réservé",
        ("fr", Changed) => "A déplacé une réservation",
        ("fr", Cancelled) => "A annulé une réservation",
        ("fr", Informed) => "A été renseigné",
        ("fr", Transferred) => "A été mis en relation",
        ("fr", Message) => "A laissé un message",
        ("fr", Abandoned) => "A raccroché sans suite",
        ("fr", Unreached) => "N'a pas été joint",
        ("fr", Failed) => "L'appel a échoué",
        ("fr", Machine) => "Répondeur",
        ("es", Booked) => "Ha reservado",
        ("es", Changed) => "Ha cambiado una reserva",
        ("es", Cancelled) => "Ha cancelado una reserva",
        ("es", Informed) => "Ha recibido información",
        ("es", Transferred) => "Se le ha pasado con una persona",
        ("es", Message) => "Ha dejado un mensaje",
        ("es", Abandoned) => "Ha colgado sin más",
        ("es", Unreached) => "No se le ha podido localizar",
        ("es", Failed) => "La llamada ha fallado",
        ("es", Machine) => "Contestador",
        ("de", Booked) => "Hat gebucht",
        ("de", Changed) => "Hat eine Buchung verschoben",
        ("de", Cancelled) => "Hat eine Buchung storniert",
        ("de", Informed) => "Hat Auskunft bekommen",
        ("de", Transferred) => "Wurde weiterverbunden",
        ("de", Message) => "Hat eine Nachricht hinterlassen",
        ("de", Abandoned) => "Hat ohne Ergebnis aufgelegt",
        ("de", Unreached) => "Wurde nicht erreicht",
        ("de", Failed) => "Der Anruf ist fehlgeschlagen",
        ("de", Machine) => "Anrufbeantworter",
        ("it", Booked) => "Ha prenotato",
        ("it", Changed) => "Ha spostato una prenotazione",
        ("it", Cancelled) => "Ha annullato una prenotazione",
        ("it", Informed) => "Ha ricevuto informazioni",
        ("it", Transferred) => "È stato messo in contatto con una persona",
        ("it", Message) => "Ha lasciato un messaggio",
        ("it", Abandoned) => "Ha riattaccato senza esito",
        ("it", Unreached) => "Non è stato raggiunto",
        ("it", Failed) => "La chiamata non è riuscita",
        ("it", Machine) => "Segreteria telefonica",
        ("pt", Booked) => "Reservou",
        ("pt", Changed) => "Alterou uma reserva",
        ("pt", Cancelled) => "Cancelou uma reserva",
        ("pt", Informed) => "Recebeu informações",
        ("pt", Transferred) => "Foi passado a uma pessoa",
        ("pt", Message) => "Deixou uma mensagem",
        ("pt", Abandoned) => "Desligou sem resultado",
        ("pt", Unreached) => "Não foi contactado",
        ("pt", Failed) => "A chamada falhou",
        ("pt", Machine) => "Atendedor de chamadas",
        ("nl", Booked) => "Heeft gereserveerd",
        ("nl", Changed) => "Heeft een reservering verplaatst",
        ("nl", Cancelled) => "Heeft een reservering geannuleerd",
        ("nl", Informed) => "Heeft informatie gekregen",
        ("nl", Transferred) => "Is doorverbonden",
        ("nl", Message) => "Heeft een bericht achtergelaten",
        ("nl", Abandoned) => "Heeft zonder resultaat opgehangen",
        ("nl", Unreached) => "Is niet bereikt",
        ("nl", Failed) => "Het gesprek is mislukt",
        ("nl", Machine) => "Antwoordapparaat",
        (_, Booked) => "Booked",
        (_, Changed) => "Moved a booking",
        (_, Cancelled) => "Cancelled a booking",
        (_, Informed) => "Was informed",
        (_, Transferred) => "Was put through",
        (_, Message) => "Left a message",
        (_, Abandoned) => "Hung up without a result",
        (_, Unreached) => "Was not reached",
        (_, Failed) => "The call failed",
        (_, Machine) => "Answering machine",
    }
}
