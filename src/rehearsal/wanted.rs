//! What must come of what a caller says, as a rehearsal writes it.

use jiff::civil::DateTime;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, de};

/// What must be. Everything given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// The reply contains each of these.
    pub contains: Texts,
    /// The reply contains none of these.
    pub not_contains: Texts,
    /// The reply matches each of these regular expressions.
    pub matches: Patterns,
    /// `fr-FR`, or `fr` for any region.
    pub language: Option<String>,
    /// These tools were called.
    pub tool: Tools,
    /// What was booked; `false` for nothing.
    pub booked: Option<Booked>,
    /// What a booking from before the call is now; `false` for none that has changed.
    pub changed: Option<Booked>,
    /// Which booking from before the call is cancelled; `false` for none.
    pub cancelled: Option<Booked>,
    /// What a message says; `false` for none.
    pub message: Option<Said>,
    /// Whether, or to whom, the call was handed over.
    pub transferred: Option<Said>,
    /// What a human who is rung is told of the call contains each of these.
    pub whisper: Texts,
    /// How satisfied the caller said to be, from 1 to 5; `false` for no score.
    pub satisfaction: Option<Satisfied>,
    /// Whether the assistant hung up.
    pub hung_up: Option<bool>,
    /// At most this much of webox's own time, in milliseconds.
    pub within_ms: Option<u32>,
}

/// One text, or several.
#[derive(Debug, Clone, Default)]
pub struct Texts(pub Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Texts;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Regular expressions, blind to case.
#[derive(Debug, Clone, Default)]
pub struct Patterns(pub Vec<Regex>);

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let build = |text: &String| {
            RegexBuilder::new(text).case_insensitive(true).size_limit(1 << 20).build().map_err(
                |error| {
                    let why = error.to_string();
                    let why = why.lines().last().unwrap_or_default();
                    de::Error::custom(format!("`{text}` is not a regular expression: {why}"))
                },
            )
        };
        let Texts(texts) = Texts::deserialize(deserializer)?;
        texts.iter().map(build).collect::<Result<_, _>>().map(Self)
    }
}

/// A tool by name, with some of its arguments.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Arguments that it must have had; others do not matter.
    #[serde(default)]
    pub arguments: serde_json::Map<String, serde_json::Value>,
}

/// Tools: a name, a table, or a list of them.
#[derive(Debug, Clone, Default)]
pub struct Tools(pub Vec<Tool>);

/// What a file may give for a tool.
#[derive(Deserialize)]
#[serde(untagged)]
enum ToolForm {
    Name(String),
    Table(Tool),
    List(Vec<ToolForm>),
}

impl ToolForm {
    fn flatten(self, tools: &mut Vec<Tool>) {
        match self {
            Self::Name(name) => tools.push(Tool { name, arguments: serde_json::Map::new() }),
            Self::Table(tool) => tools.push(tool),
            Self::List(list) => list.into_iter().for_each(|tool| tool.flatten(tools)),
        }
    }
}

impl<'de> Deserialize<'de> for Tools {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut tools = Vec::new();
        ToolForm::deserialize(deserializer)
            .map_err(|_| {
                de::Error::custom(
                    "expected the name of a tool, `{ name = …, arguments = { … } }`, or a list of them",
                )
            })?
            .flatten(&mut tools);
        Ok(Self(tools))
    }
}

/// A booking, as far as it matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// For how many.
    pub party: Option<u32>,
    /// On the client's wall clock.
    #[serde(deserialize_with = "moment")]
    pub at: Option<DateTime>,
    /// In which name.
    pub name: Option<String>,
    /// What is to be done.
    pub service: Option<String>,
    /// What or who it occupies.
    pub resource: Option<String>,
    /// Nights of a stay.
    pub nights: Option<u32>,
}

/// Whether something was booked, or what.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected true, false, or a table of party, at, name, service, resource and nights"
)]
pub enum Booked {
    /// Whether anything was.
    Any(bool),
    /// What.
    This(Wanted),
}

/// Whether there was something, or what it said.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected true, false, or a text")]
pub enum Said {
    /// Whether there was anything.
    Any(bool),
    /// What.
    This(String),
}

/// Whether the caller gave a score, or which.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected true, false, or a score from 1 to 5")]
pub enum Satisfied {
    /// Whether there was one.
    Any(bool),
    /// Which.
    This(#[serde(deserialize_with = "score")] u8),
}

fn score<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let score = u8::deserialize(deserializer)?;
    let known = (1..=5).contains(&score);
    known.then_some(score).ok_or_else(|| de::Error::custom("a score is from 1 to 5"))
}

pub(super) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let shown: String = text.chars().take(40).collect();
    text.trim().replace(' ', "T").parse().map(Some).map_err(|_| {
        de::Error::custom(format!("`{shown}` is not a date and time: write `2026-11-24 18:00`"))
    })
}
