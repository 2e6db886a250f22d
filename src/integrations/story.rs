//! What happened, in words for the people who read a CRM: in the client's language.

use serde_json::{Map, Value};

use super::Parcel;

/// Words of one language.
struct Words {
    call: &'static str,
    caller: &'static str,
    booking: &'static str,
    changed: &'static str,
    cancelled: &'static str,
    message: &'static str,
    transferred: &'static str,
    people: &'static str,
    summary: &'static str,
    topic: &'static str,
    satisfaction: &'static str,
}

#[rustfmt::skip]
static LANGUAGES: [(&str, Words); 7] = [
    ("fr", Words { call: "Appel", caller: "Appelant", booking: "Réservation", changed: "Réservation modifiée", cancelled: "Réservation annulée", message: "Message", transferred: "Appel transféré au", people: "personnes", summary: "Résumé de l'appel", topic: "Sujet", satisfaction: "Satisfaction" }),
    ("en", Words { call: "Call", caller: "Caller", booking: "Booking", changed: "Booking changed", cancelled: "Booking cancelled", message: "Message", transferred: "Call transferred to", people: "people", summary: "Summary of the call", topic: "Topic", satisfaction: "Satisfaction" }),
    ("es", Words { call: "Llamada", caller: "Cliente", booking: "Reserva", changed: "Reserva modificada", cancelled: "Reserva cancelada", message: "Mensaje", transferred: "Llamada transferida al", people: "personas", summary: "Resumen de la llamada", topic: "Tema", satisfaction: "Satisfacción" }),
    ("de", Words { call: "Anruf", caller: "Anrufer", booking: "Buchung", changed: "Buchung geändert", cancelled: "Buchung storniert", message: "Nachricht", transferred: "Anruf weitergeleitet an", people: "Personen", summary: "Zusammenfassung des Anrufs", topic: "Thema", satisfaction: "Zufriedenheit" }),
    ("it", Words { call: "Chiamata", caller: "Cliente", booking: "Prenotazione", changed: "Prenotazione modificata", cancelled: "Prenotazione annullata", message: "Messaggio", transferred: "Chiamata trasferita al", people: "persone", summary: "Riepilogo della chiamata", topic: "Argomento", satisfaction: "Soddisfazione" }),
    ("pt", Words { call: "Chamada", caller: "Cliente", booking: "Reserva", changed: "Reserva alterada", cancelled: "Reserva cancelada", message: "Mensagem", transferred: "Chamada transferida para", people: "pessoas", summary: "Resumo da chamada", topic: "Assunto", satisfaction: "Satisfação" }),
    ("nl", Words { call: "Oproep", caller: "Beller", booking: "Reservering", changed: "Reservering gewijzigd", cancelled: "Reservering geannuleerd", message: "Bericht", transferred: "Oproep doorgeschakeld naar", people: "personen", summary: "Samenvatting van het gesprek", topic: "Onderwerp", satisfaction: "Tevredenheid" }),
];

/// What is delivered, as a CRM is told it.
pub(super) struct Story {
    told: Value,
    id: String,
}

impl Story {
    pub(super) fn of(parcel: &Parcel) -> Result<Self, super::Failure> {
        Ok(Self { told: parcel.told()?, id: parcel.id.clone() })
    }

    fn data(&self, path: &str) -> &Value {
        self.told.pointer(&format!("/data/{path}")).unwrap_or(&Value::Null)
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.data(path).as_str().filter(|text| !text.is_empty())
    }

    /// Whether a call is over: it is logged as a call, everything else as a note.
    pub(super) fn is_call(&self) -> bool {
        self.told["type"] == "call.ended"
    }

    /// When it happened.
    pub(super) fn at(&self) -> &str {
        self.told["timestamp"].as_str().unwrap_or_default()
    }

    /// When the call began, or when it happened.
    pub(super) fn began(&self) -> &str {
        self.text("call/started_at").filter(|_| self.is_call()).unwrap_or_else(|| self.at())
    }

    /// The caller's number.
    pub(super) fn number(&self) -> &str {
        self.text("caller/number").unwrap_or_default()
    }

    /// The number that was called.
    pub(super) fn called(&self) -> &str {
        self.text("call/to_number").unwrap_or_default()
    }

    /// The caller's name; the number of who gave none.
    pub(super) fn name(&self) -> &str {
        self.text("caller/name").unwrap_or_else(|| self.number())
    }

    /// Seconds that the call took.
    pub(super) fn seconds(&self) -> u64 {
        self.data("call/duration").as_u64().unwrap_or(0)
    }

    /// Fields that the assistant's file fills in.
    pub(super) fn fields(&self) -> Map<String, Value> {
        self.data("fields").as_object().cloned().unwrap_or_default()
    }

    fn words(&self) -> &'static Words {
        let language = self.text("assistant/voice_language").unwrap_or_default();
        let known = LANGUAGES.iter().find(|(code, _)| language.starts_with(code));
        &known.unwrap_or(&LANGUAGES[1]).1
    }

    /// A line that says what it is.
    pub(super) fn title(&self) -> String {
        let words = self.words();
        let client = self.text("assistant/client_name").unwrap_or_default();
        let what = match self.told["type"].as_str().unwrap_or_default() {
            "booking.created" => words.booking,
            "booking.changed" => words.changed,
            "booking.cancelled" => words.cancelled,
            "message.taken" => words.message,
            "call.transferred" => words.transferred,
            "call.summarised" => words.summary,
            _ => words.call,
        };
        match self.text("transfer/number") {
            Some(number) => format!("{what} {number} – {client}"),
            None => format!("{what} – {client}"),
        }
    }

    /// All of it, line by line. The last line names the delivery: what is told again is found by it.
    pub(super) fn lines(&self) -> Vec<String> {
        let words = self.words();
        let mut lines = self.outcome();
        if let Some(booking) = self.data("booking").as_object() {
            lines.push(booked(words, booking));
        }
        lines.extend(self.text("message/text").map(|text| format!("{}: {text}", words.message)));
        // The record of the call has them already.
        let of_call = |name: &str| self.data(name).as_array().filter(|_| self.is_call());
        for booking in of_call("bookings").into_iter().flatten() {
            lines.extend(booking.as_object().map(|booking| booked(words, booking)));
        }
        for message in of_call("messages").into_iter().flatten() {
            let text = message["text"].as_str().unwrap_or_default();
            lines.push(format!("{}: {text}", words.message));
        }
        let client = self.text("assistant/client_name").unwrap_or_default();
        for turn in self.data("turns").as_array().into_iter().flatten() {
            for (who, key) in [(words.caller, "heard"), (client, "said")] {
                let text = turn[key].as_str().filter(|text| !text.is_empty());
                lines.extend(text.map(|text| format!("{who}: {text}")));
            }
        }
        lines.push(format!("webox {}", self.id));
        lines
    }

    /// What came of a call that is over: the summary there is, and what else was found out about it.
    fn outcome(&self) -> Vec<String> {
        let words = self.words();
        let is_summary = self.told["type"] == "call.summarised";
        let mut lines = Vec::new();
        if !is_summary && !self.is_call() {
            return lines;
        }
        lines.extend(self.text("call/summary").map(str::to_owned));
        if let Some(topic) = self.text("call/topic") {
            lines.push(format!("{}: {topic}", words.topic));
        }
        if let Some(score) = self.data("call/satisfaction_score").as_u64() {
            let why = self.text("call/satisfaction_why");
            let why = why.map_or_else(String::new, |why| format!(" ({why})"));
            lines.push(format!("{}: {score}/5{why}", words.satisfaction));
        }
        for (name, value) in self.data("call/extract").as_object().into_iter().flatten() {
            match value {
                Value::Null => {}
                Value::String(text) => lines.push(format!("{name}: {text}")),
                other => lines.push(format!("{name}: {other}")),
            }
        }
        lines
    }

    /// The same as plain text of at most so many letters; the last line is always there.
    pub(super) fn plain(&self, most: usize) -> String {
        fit(self.lines(), "\n", most)
    }

    /// The same as HTML, in which nothing that was said is a tag.
    pub(super) fn html(&self, most: usize) -> String {
        let lines = self.lines().into_iter();
        let escaped = lines.map(|line| {
            line.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
        });
        fit(escaped.collect(), "<br>", most)
    }
}

fn booked(words: &Words, booking: &Map<String, Value>) -> String {
    let text = |key: &str| booking.get(key).and_then(Value::as_str).unwrap_or_default();
    let at = text("at").replace('T', " ");
    let at = at.strip_suffix(":00").unwrap_or(&at);
    let party = booking.get("party").and_then(Value::as_u64).unwrap_or(0);
    let mut parts = vec![text("name").to_owned(), format!("{party} {}", words.people)];
    parts.extend([text("service"), text("resource"), at, text("note")].map(str::to_owned));
    parts.retain(|part| !part.is_empty());
    let reference = Some(text("reference")).filter(|reference| !reference.is_empty());
    let lead = reference.map_or_else(String::new, |reference| format!(" {reference}"));
    format!("{}{lead}: {}", words.booking, parts.join(", "))
}

/// As many of the lines as fit, and the last one.
fn fit(mut lines: Vec<String>, between: &str, most: usize) -> String {
    let last = lines.pop().unwrap_or_default();
    let mut left = most.saturating_sub(last.chars().count());
    let mut text = String::new();
    for line in lines {
        let length = line.chars().count() + between.len();
        if length > left {
            break;
        }
        left -= length;
        text.push_str(&line);
        text.push_str(between);
    }
    text + &last
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn story(told: &Value) -> Story {
        let parcel = Parcel {
            id: "msg_7".to_owned(),
            now: 0,
            attempts: 1,
            body: told.to_string(),
            progress: super::super::Progress::new(),
        };
        Story::of(&parcel).unwrap()
    }

    #[test]
    fn people_read_it_in_the_clients_language_and_nothing_said_is_a_tag() {
        let told = json!({"type": "call.ended", "timestamp": "2026-11-24T19:00:00Z", "data": {
            "assistant": {"client_name": "Le Gourmet", "voice_language": "fr-FR"},
            "bookings": [{"name": "Dupont", "party": 4, "at": "2026-11-24T20:00:00"}],
            "turns": [{"heard": null, "said": "Bonjour !"}, {"heard": "<b>Une table</b>", "said": "Oui."}],
        }});
        let story = story(&told);
        assert_eq!(story.title(), "Appel – Le Gourmet");
        assert_eq!(
            story.plain(1_000),
            "Réservation: Dupont, 4 personnes, 2026-11-24 20:00\nLe Gourmet: Bonjour !\n\
             Appelant: <b>Une table</b>\nLe Gourmet: Oui.\nwebox msg_7"
        );
        assert!(story.html(1_000).contains("Appelant: &lt;b&gt;Une table&lt;/b&gt;<br>"));
        assert_eq!(story.plain(20), "webox msg_7", "what tells it from others is always there");
    }

    #[test]
    fn what_came_of_a_call_is_told_before_what_was_said() {
        let told = json!({"type": "call.summarised", "data": {
            "assistant": {"client_name": "Garage", "voice_language": "fr-FR"},
            "call": {
                "summary": "Panne de freins.", "topic": "freins", "satisfaction_score": 4,
                "satisfaction_why": "plutôt bien",
                "extract": {"plate": "AB-123-CD", "km": 80_000, "owner": null},
            },
            "messages": [{"text": "Rappelez-moi"}],
        }});
        let story = story(&told);
        assert_eq!(story.title(), "Résumé de l'appel – Garage");
        assert_eq!(
            story.plain(1_000),
            "Panne de freins.\nSujet: freins\nSatisfaction: 4/5 (plutôt bien)\nkm: 80000\n\
             plate: AB-123-CD\nwebox msg_7"
        );
    }

    #[test]
    fn each_thing_is_called_what_it_is() {
        for (event, language, title) in [
            ("booking.cancelled", "de-DE", "Buchung storniert – X"),
            ("message.taken", "en-GB", "Message – X"),
            ("booking.created", "ja-JP", "Booking – X"),
        ] {
            let assistant = json!({"client_name": "X", "voice_language": language});
            let told = json!({"type": event, "data": {"assistant": assistant}});
            assert_eq!(story(&told).title(), title);
        }
    }
}
