//! Whom a call is handed over to: who, when, after which words, and how.

use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Country, Hours, HumanDuration, PhoneNumber};

/// One human rings for so long.
const USUAL_RING: HumanDuration = HumanDuration::from_secs(25);

/// Less is no time to pick up; more, and the caller has hung up.
const RINGS: std::ops::RangeInclusive<u64> = 5..=60;

/// Nobody waits for more humans than this to be rung one after the other.
const MOST_HUMANS: usize = 10;

/// More words than this are no words to listen for.
const MOST_WORDS: usize = 50;

/// The number that a human sees when the call is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallerId {
    /// The assistant's own.
    #[default]
    Assistant,
    /// The caller's, where it is known.
    Caller,
}

/// A human who can be rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What callers say when they want this one: "Accueil", "le chef".
    pub name: String,
    /// Whom to dial.
    pub number: PhoneNumber,
    /// When; at any hour when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}

/// Whom to hand a call over to, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Transfer {
    /// Whom to dial, at any hour: the short form of `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<PhoneNumber>,
    /// Words of a caller after which the call is handed over at once, whoever thinks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// Whether a call that the assistant is lost in goes to a human, instead of a message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub when_lost: bool,
    /// How long each human rings: 5 s to 60 s.
    #[serde(skip_serializing_if = "is_usual_ring")]
    pub ring_for: HumanDuration,
    /// The number that the human sees.
    #[serde(skip_serializing_if = "is_usual_caller_id")]
    pub caller_id: CallerId,
    /// Whether the human hears who calls and why, and takes the call with a key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub warm: bool,
    /// Whether a message is recorded when nobody takes the call; back to the assistant otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub voicemail: bool,
    /// The humans, in the order in which they are rung.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Target>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_usual_ring(length: &HumanDuration) -> bool {
    *length == USUAL_RING
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_usual_caller_id(caller_id: &CallerId) -> bool {
    *caller_id == CallerId::default()
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            number: None,
            words: Vec::new(),
            when_lost: false,
            ring_for: USUAL_RING,
            caller_id: CallerId::default(),
            warm: false,
            voicemail: false,
            to: Vec::new(),
        }
    }
}

/// Somebody to ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Human<'a> {
    /// Who; the short form has no name.
    pub name: Option<&'a str>,
    /// Whom to dial.
    pub number: &'a PhoneNumber,
}

impl Target {
    fn human(&self) -> Human<'_> {
        Human { name: Some(&self.name), number: &self.number }
    }

    /// Whether this human is there at a time on the client's wall clock.
    pub fn is_there(&self, at: DateTime) -> bool {
        let country = Country::of(&self.number);
        self.hours.as_ref().is_none_or(|hours| hours.opening(country).is_open(at))
    }
}

impl Transfer {
    /// Whether there is anybody at all.
    pub fn has_anyone(&self) -> bool {
        self.number.is_some() || !self.to.is_empty()
    }

    /// Those who are there at a time on the client's wall clock, in order.
    pub fn reachable(&self, at: DateTime) -> Vec<Human<'_>> {
        let short = self.number.iter().map(|number| Human { name: None, number });
        let named = self.to.iter().filter(|target| target.is_there(at)).map(Target::human);
        short.chain(named).collect()
    }

    /// The one after those who were rung already.
    pub fn next_after(&self, rung: &[PhoneNumber], at: DateTime) -> Option<Human<'_>> {
        self.reachable(at).into_iter().find(|human| !rung.contains(human.number))
    }

    /// The one of a name, in upper or lower case.
    pub fn named(&self, name: &str) -> Option<&Target> {
        let name = name.trim().to_lowercase();
        self.to.iter().find(|target| target.name.to_lowercase() == name)
    }

    /// The name of whoever has a number.
    pub fn name_of(&self, number: &PhoneNumber) -> Option<&str> {
        self.to.iter().find(|target| target.number == *number).map(|target| target.name.as_str())
    }

    /// The number that stands first, whatever the hour.
    pub fn first_number(&self) -> Option<&PhoneNumber> {
        self.number.as_ref().or_else(|| Some(&self.to.first()?.number))
    }

    /// The first rule that is broken: the field, and what is wrong with it. `own` is the assistant's
    /// number.
    pub(super) fn broken(&self, own: &PhoneNumber) -> Option<(String, String)> {
        const OWN: &str = "is the assistant's own number: the call would come back";
        // A call is handed over at the agency's expense, and for as long as the caller likes.
        const PREMIUM: &str = "is a premium or satellite number: give a human's own";
        let wrong =
            |field: &str, message: &str| Some((format!("transfer.{field}"), message.to_owned()));
        if self.number.as_ref() == Some(own) {
            return wrong("number", OWN);
        }
        if self.number.as_ref().is_some_and(PhoneNumber::is_premium) {
            return wrong("number", PREMIUM);
        }
        if self.number.is_some() && !self.to.is_empty() {
            return wrong(
                "number",
                "is the short form of `[[transfer.to]]`: give one of them, not both",
            );
        }
        if self.to.len() > MOST_HUMANS {
            return wrong("to", "has more than 10 humans: no caller waits for that many");
        }
        for (place, target) in self.to.iter().enumerate() {
            let wrong = |key: &str, message: &str| wrong(&format!("to[{place}].{key}"), message);
            let letters = target.name.chars().filter(|c| c.is_alphanumeric()).count();
            if letters == 0 || target.name.chars().count() > 60 {
                return wrong("name", "needs 1 to 60 characters, and a letter among them");
            }
            if target.name.chars().any(char::is_control) {
                return wrong("name", "has a control character in it");
            }
            if target.number == *own {
                return wrong("number", OWN);
            }
            if target.number.is_premium() {
                return wrong("number", PREMIUM);
            }
            let before = &self.to[..place];
            let name = target.name.trim().to_lowercase();
            if before.iter().any(|other| other.name.trim().to_lowercase() == name) {
                return wrong(
                    "name",
                    "is the name of another one: callers could not tell them apart",
                );
            }
            if before.iter().any(|other| other.number == target.number) {
                return wrong("number", "is that of another one, who was rung already");
            }
            if target.hours.as_ref().is_some_and(|hours| !hours.opening(None).known) {
                return wrong("hours", "has no hours: leave it out for any hour");
            }
        }
        if !RINGS.contains(&self.ring_for.as_secs()) {
            return wrong("ring_for", "must lie between 5s and 60s");
        }
        if self.words.len() > MOST_WORDS {
            return wrong("words", "has more than 50 entries");
        }
        let is_word = |word: &String| {
            (1..=60).contains(&word.chars().count()) && word.chars().any(char::is_alphanumeric)
        };
        if !self.words.iter().all(is_word) {
            return wrong("words", "has an entry that is no word, or longer than 60 characters");
        }
        let needs = [
            (!self.words.is_empty(), "words"),
            (self.when_lost, "when_lost"),
            (self.voicemail, "voicemail"),
            (self.warm, "warm"),
        ];
        match needs.into_iter().find(|(given, _)| *given) {
            Some((_, field)) if !self.has_anyone() => {
                wrong(field, "needs somebody to hand over to: `number`, or `[[transfer.to]]`")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    fn transfer(json: serde_json::Value) -> Transfer {
        serde_json::from_value(json).unwrap()
    }

    fn two() -> serde_json::Value {
        serde_json::json!({
            "to": [
                { "name": "Accueil", "number": "+33612345601", "hours": { "monday": ["09:00-12:00"] } },
                { "name": "Le chef", "number": "+33612345602" },
            ],
        })
    }

    #[test]
    fn those_who_are_there_in_their_order() {
        let transfer = transfer(two());
        let names = |at| {
            let humans = transfer.reachable(at);
            humans.into_iter().map(|human| human.name.unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (morning, evening) =
            (datetime(2026, 11, 23, 10, 0, 0, 0), datetime(2026, 11, 23, 20, 0, 0, 0));
        assert_eq!(names(morning), ["Accueil", "Le chef"]);
        assert_eq!(names(evening), ["Le chef"]);
        let rung = ["+33612345602".parse().unwrap()];
        assert_eq!(transfer.next_after(&rung, morning).unwrap().name, Some("Accueil"));
        assert_eq!(transfer.next_after(&rung, evening), None);
        assert_eq!(transfer.named(" LE CHEF ").unwrap().number.as_str(), "+33612345602");
        assert!(transfer.named("le patron").is_none());
    }

    #[test]
    fn what_was_stored_before_reads_and_stays_as_it_is() {
        for text in ["{}", r#"{"number":"+33612345678"}"#] {
            let read: Transfer = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }

    #[test]
    fn wrong_files_are_told() {
        let own = "+33123456789".parse().unwrap();
        let with = |key: &str, value: serde_json::Value| {
            let mut all = two();
            all[key] = value;
            all
        };
        for (json, field) in [
            (with("number", "+33612345678".into()), "transfer.number"),
            (serde_json::json!({ "number": "+33123456789" }), "transfer.number"),
            // Paid for by the caller, in France and in America, and of a satellite.
            (serde_json::json!({ "number": "+33899123456" }), "transfer.number"),
            (serde_json::json!({ "number": "+19002345678" }), "transfer.number"),
            (serde_json::json!({ "number": "+881631234567" }), "transfer.number"),
            (
                serde_json::json!({ "to": [{ "name": "A", "number": "+33899123456" }] }),
                "transfer.to[0].number",
            ),
            (with("ring_for", "4s".into()), "transfer.ring_for"),
            (with("ring_for", "61s".into()), "transfer.ring_for"),
            (with("words", serde_json::json!(["urgence", " "])), "transfer.words"),
            (serde_json::json!({ "words": ["urgence"] }), "transfer.words"),
            (serde_json::json!({ "voicemail": true }), "transfer.voicemail"),
            (serde_json::json!({ "when_lost": true }), "transfer.when_lost"),
            (
                serde_json::json!({ "to": [{ "name": "-", "number": "+33612345601" }] }),
                "transfer.to[0].name",
            ),
            (
                serde_json::json!({ "to": [{ "name": "A", "number": "+33123456789" }] }),
                "transfer.to[0].number",
            ),
            (
                serde_json::json!({ "to": [
                    { "name": "A", "number": "+33612345601" }, { "name": "a", "number": "+33612345602" },
                ] }),
                "transfer.to[1].name",
            ),
            (
                serde_json::json!({ "to": [
                    { "name": "A", "number": "+33612345601" }, { "name": "B", "number": "+33612345601" },
                ] }),
                "transfer.to[1].number",
            ),
            (
                serde_json::json!({ "to": [{ "name": "A", "number": "+33612345601", "hours": {} }] }),
                "transfer.to[0].hours",
            ),
        ] {
            let broken = transfer(json.clone()).broken(&own);
            assert_eq!(broken.map(|(field, _)| field).as_deref(), Some(field), "{json}");
        }
        assert_eq!(transfer(two()).broken(&own), None);
        // Free of charge, in France and everywhere; and what a country's plan does not know yet.
        for number in ["+33805000000", "+80012345678", "+15005550006"] {
            let broken = transfer(serde_json::json!({ "number": number })).broken(&own);
            assert_eq!(broken, None, "{number}");
        }
        let emergency = serde_json::json!({ "to": [{ "name": "SAMU", "number": "15" }] });
        let error = serde_json::from_value::<Transfer>(emergency).unwrap_err().to_string();
        assert!(error.contains("emergency number"), "{error}");
    }
}
