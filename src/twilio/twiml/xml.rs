//! Writes TwiML: well-formed and inert whatever the text, and within what Twilio takes.

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::{Gather, Say, Verb, Words};

/// What one `<Say>` may cost: Twilio takes 4,500 URL-encoded characters (warning 13521).
const SAY_COST: usize = 4_000;

/// What all speech of a document may cost: about five minutes, and far below Twilio's 64 KB.
const SPEECH_COST: usize = 16_000;

/// What is left of the budget is not worth a `<Say>` below this.
const SHORTEST_COST: usize = 200;

/// What all hints of a `<Gather>` may cost.
const HINTS_COST: usize = 4_000;

/// What a character costs: its length when URL-encoded. Escaped in XML it is at most twice as long.
fn cost(c: char) -> usize {
    if c.is_ascii_alphanumeric() { 1 } else { c.len_utf8() * 3 }
}

/// A document in the making.
pub(in crate::twilio) struct Xml {
    writer: Writer<Vec<u8>>,
    speech_left: usize,
}

impl Xml {
    pub(super) const fn new() -> Self {
        Self { writer: Writer::new(Vec::new()), speech_left: SPEECH_COST }
    }

    /// What a document begins with.
    pub(super) fn declare(&mut self) {
        self.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    }

    pub(super) fn finish(self) -> String {
        // Everything written was text, escaped.
        String::from_utf8(self.writer.into_inner()).unwrap_or_default()
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing to memory cannot fail.
        let _ = self.writer.write_event(event);
    }

    pub(in crate::twilio) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        let mut start = BytesStart::new(name);
        for (name, value) in attributes {
            start.push_attribute((*name, legal(value).as_str()));
        }
        self.event(Event::Start(start));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    pub(in crate::twilio) fn text(&mut self, text: &str) {
        self.event(Event::Text(BytesText::new(&legal(text))));
    }

    pub(super) fn verb(&mut self, verb: &Verb) {
        match verb {
            Verb::Speak(words) => self.speak(words),
            Verb::Gather(gather) => self.gather(gather),
            Verb::Pause(seconds) => {
                self.element("Pause", &[("length", &seconds.to_string())], |_| {});
            }
            Verb::Redirect(url) => {
                self.element("Redirect", &[("method", "POST")], |xml| xml.text(url));
            }
            Verb::Dial(dial) => dial.write(self),
            Verb::AskKey(ask) => ask.write(self),
            Verb::TakeMessage(message) => message.write(self),
            Verb::Record(told) => self.element("Start", &[], |xml| {
                let attributes = [
                    ("channels", "dual"),
                    ("recordingStatusCallback", told.as_str()),
                    ("recordingStatusCallbackMethod", "POST"),
                    ("recordingStatusCallbackEvent", "completed absent"),
                ];
                xml.element("Recording", &attributes, |_| {});
            }),
            Verb::Connect(connect) => connect.write(self),
            Verb::Hangup => self.element("Hangup", &[], |_| {}),
            Verb::Reject { as_busy } => {
                let reason = if *as_busy { "busy" } else { "rejected" };
                self.element("Reject", &[("reason", reason)], |_| {});
            }
        }
    }

    pub(in crate::twilio) fn speak(&mut self, words: &Words) {
        match words {
            Words::Say(say) => self.say(say),
            Words::Play(url) => self.element("Play", &[], |xml| xml.text(url)),
        }
    }

    pub(super) fn say(&mut self, say: &Say) {
        let text = legal(&say.text);
        for part in parts(&text, SAY_COST) {
            let is_last = part.chars().map(cost).sum::<usize>() > self.speech_left;
            let part = match is_last {
                true if self.speech_left < SHORTEST_COST => return,
                true => parts(part, self.speech_left).first().copied().unwrap_or_default(),
                false => part,
            };
            self.speech_left -= part.chars().map(cost).sum::<usize>();
            let attributes = [("language", say.language.as_str()), ("voice", say.voice.as_str())];
            self.element("Say", &attributes, |xml| xml.text(part));
            if is_last {
                return;
            }
        }
    }

    fn gather(&mut self, gather: &Gather) {
        let hints = gather.hints.join(", ");
        let hints = affordable(&hints, HINTS_COST);
        let mut attributes =
            vec![("input", "dtmf speech"), ("action", gather.action.as_str()), ("method", "POST")];
        if gather.several {
            // Only this model hears several, and with a model the pause is a number.
            attributes.extend([
                ("language", "multi"),
                ("speechModel", "deepgram_nova-3"),
                ("speechTimeout", "1"),
            ]);
        } else {
            // Twilio chooses the recogniser, and another one if it fails.
            attributes.extend([("language", gather.language.as_str()), ("speechTimeout", "auto")]);
        }
        attributes.extend([
            ("timeout", "6"),
            ("actionOnEmptyResult", "true"),
            // Asterisks instead of letters would only confuse whoever reads the transcript.
            ("profanityFilter", "false"),
        ]);
        let keys = gather.keys.map(|keys| keys.to_string());
        if let Some(keys) = &keys {
            attributes.push(("numDigits", keys));
        }
        if !hints.is_empty() {
            attributes.push(("hints", hints));
        }
        self.element("Gather", &attributes, |xml| {
            for prompt in &gather.prompt {
                xml.speak(prompt);
            }
        });
    }
}

/// A text without the characters that XML 1.0 forbids.
pub(super) fn legal(text: &str) -> String {
    text.chars()
        .filter(|c| {
            matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
                && *c != '\u{7F}'
        })
        .collect()
}

/// The beginning of a text that a budget pays for.
fn affordable(text: &str, mut budget: usize) -> &str {
    for (at, c) in text.char_indices() {
        match budget.checked_sub(cost(c)) {
            Some(left) => budget = left,
            None => return &text[..at],
        }
    }
    text
}

/// A text in pieces that a budget pays for, cut after a sentence or at least a word.
pub(super) fn parts(text: &str, budget: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let head = affordable(rest, budget);
        if head.len() == rest.len() {
            break;
        }
        let sentence = head.rfind(". ").or_else(|| head.rfind(['!', '?'])).map(|at| at + 1);
        let cut = sentence.or_else(|| head.rfind(char::is_whitespace)).filter(|at| *at > 0);
        let (part, tail) = rest.split_at(cut.unwrap_or(head.len()));
        parts.push(part.trim());
        rest = tail.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}
