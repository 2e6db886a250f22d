//! Looking something up in the client's own system: when, with what, and what is said of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Effect, listen,
    state::{Question, State},
    turn::Turn,
    understand::{Meaning, fold, utterance::Utterance},
};
use crate::{
    conversation::{figures, tools::ToolRequest},
    domain::HttpTool,
};

/// The longest answer in the caller's own words, in characters.
const LONGEST: usize = 200;

/// Words that may belong to one argument at most: a number that is spelled.
const SPELLED: usize = 16;

/// What is being looked up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lookup {
    /// The tool, by its name.
    tool: String,
    /// What is known of its arguments.
    given: Map<String, Value>,
    /// The argument that was asked for.
    asked: Option<String>,
    /// Whether nothing was found once.
    missed: bool,
}

fn tool<'a>(turn: &Turn<'a>) -> Option<&'a HttpTool> {
    let name = &turn.state.lookup.as_ref()?.tool;
    turn.scene.spec.tools.iter().find(|tool| tool.name == *name)
}

/// The caller asked for something that is looked up.
pub(crate) fn begin(mut turn: Turn, index: usize, text: &str) -> (State, Effect) {
    let Some(tool) = turn.scene.spec.tools.get(index) else { return turn.ask_again("") };
    let mut given = Map::new();
    for name in tool.arguments.required() {
        if let Some(value) = said(&turn, tool, name, text) {
            given.insert(name.to_owned(), value);
        }
    }
    turn.state.misses = 0;
    turn.state.lookup = Some(Lookup { tool: tool.name.clone(), given, ..Lookup::default() });
    advance(turn)
}

/// Asks for what is missing, then looks.
fn advance(mut turn: Turn) -> (State, Effect) {
    let Some(tool) = tool(&turn) else { return turn.ask_again("") };
    let language = turn.scene.language;
    let Some(lookup) = &mut turn.state.lookup else { return turn.ask_again("") };
    let missing =
        tool.arguments.required().into_iter().find(|name| !lookup.given.contains_key(*name));
    if let Some(name) = missing {
        lookup.asked = Some(name.to_owned());
        let words = tool.ask.get(name).map_or("", |words| words.in_language(language));
        return turn.ask("", Question::Argument, words);
    }
    let request = ToolRequest::Inquire { tool: tool.name.clone(), arguments: lookup.given.clone() };
    (turn.state, Effect::Run(request))
}

/// The question that is pending, in the language spoken now.
pub(crate) fn question(turn: &Turn) -> String {
    let asked = turn.state.lookup.as_ref().and_then(|lookup| lookup.asked.as_deref());
    let words = asked.zip(tool(turn)).and_then(|(name, tool)| tool.ask.get(name));
    let words = words.map(|words| words.in_language(turn.scene.language).to_owned());
    words.unwrap_or_else(|| turn.state.question.clone())
}

/// An utterance while something is asked for; given back where it is about something else.
pub(crate) fn heard<'a>(
    mut turn: Turn<'a>,
    meaning: &Meaning,
    text: &str,
) -> Result<(State, Effect), Box<Turn<'a>>> {
    let asked = turn.state.lookup.as_ref().and_then(|lookup| lookup.asked.clone());
    let (Some(tool), Some(name)) = (tool(&turn), asked) else { return Err(Box::new(turn)) };
    if turn.state.asked != Some(Question::Argument) {
        return Err(Box::new(turn));
    }
    let declines = meaning.never_mind || meaning.no;
    let value = said(&turn, tool, &name, text)
        .or_else(|| (!declines).then(|| in_own_words(tool, &name, text)).flatten());
    if let (Some(value), Some(lookup)) = (value, &mut turn.state.lookup) {
        lookup.given.insert(name, value);
        turn.state.misses = 0;
        return Ok(advance(turn));
    }
    let say = turn.say();
    if declines {
        turn.state.lookup = None;
        turn.state.misses = 0;
        return Ok(turn.ask("", Question::OfferMessage, &say.offer_message));
    }
    if let Some(answer) = listen::answer(&turn, meaning) {
        // A question in between does not count as asking again.
        turn.state.repeats = turn.state.repeats.saturating_sub(1);
        return Ok(turn.ask_again(&answer));
    }
    turn.state.misses = turn.state.misses.saturating_add(1);
    if turn.state.misses > 2 {
        turn.state.lookup = None;
        return Ok(turn.ask(&say.not_understood, Question::OfferMessage, &say.offer_message));
    }
    Ok(turn.ask_again(&say.not_understood))
}

/// There is an answer.
pub(crate) fn found(mut turn: Turn, said: Option<&str>) -> (State, Effect) {
    turn.state.lookup = None;
    let Some(said) = said else { return failed(turn) };
    let said = figures::said(said, turn.scene.language);
    let words = &turn.say().anything_else;
    turn.ask(&said, Question::AnythingElse, words)
}

/// There is no such thing: once, what was heard may be wrong.
pub(crate) fn not_found(mut turn: Turn, said: Option<&str>) -> (State, Effect) {
    let say = turn.say();
    let lead = said.unwrap_or(&say.nothing_found);
    if let (Some(tool), Some(lookup)) = (tool(&turn), &mut turn.state.lookup)
        && !lookup.missed
        && let Some(first) = tool.arguments.required().first()
    {
        lookup.missed = true;
        lookup.given.remove(*first);
        lookup.asked = Some((*first).to_owned());
        let words = tool.ask.get(*first).map_or("", |words| words.in_language(turn.scene.language));
        return turn.ask(lead, Question::Argument, words);
    }
    turn.state.lookup = None;
    turn.ask(lead, Question::OfferMessage, &say.offer_message)
}

/// Nobody answered.
pub(crate) fn failed(mut turn: Turn) -> (State, Effect) {
    turn.state.lookup = None;
    let say = turn.say();
    turn.ask(&say.not_looked_up, Question::OfferMessage, &say.offer_message)
}

/// A value that was asked for and has no form of its own: whatever was said.
fn in_own_words(tool: &HttpTool, name: &str, text: &str) -> Option<Value> {
    let property = tool.arguments.property(name)?;
    if has_a_form(property) || property.get("type").is_some_and(|kind| kind != "string") {
        return None;
    }
    let value = json!(text.trim().chars().take(LONGEST).collect::<String>());
    tool.arguments.may_be(name, &value).then_some(value)
}

/// Whether a value can be told from other words.
fn has_a_form(property: &Value) -> bool {
    ["pattern", "enum", "const", "format"].iter().any(|key| property.get(key).is_some())
}

/// The value of an argument in what was said, if one is told by its form: one of a few words, a number,
/// a text with a pattern, also spelled out.
fn said(turn: &Turn, tool: &HttpTool, name: &str, text: &str) -> Option<Value> {
    let property = tool.arguments.property(name)?;
    if let Some(words) = property.get("enum").and_then(Value::as_array) {
        let spoken = fold::words(text);
        let is_said = |value: &&Value| {
            let words = fold::words(value.as_str().unwrap_or_default());
            !words.is_empty() && spoken.windows(words.len()).any(|window| window == words)
        };
        return words.iter().find(is_said).cloned();
    }
    let pieces = pieces(turn, text);
    let is_number =
        property.get("type").is_some_and(|kind| *kind == "integer" || *kind == "number");
    if is_number {
        let numbers = pieces.iter().filter_map(|piece| piece.parse::<i64>().ok()).map(Value::from);
        return numbers.into_iter().find(|value| tool.arguments.may_be(name, value));
    }
    if !has_a_form(property) {
        return None;
    }
    let judge = tool.arguments.judge(name)?;
    // The longest first: all five figures, not the first two.
    for length in (1..=pieces.len().min(SPELLED)).rev() {
        for window in pieces.windows(length) {
            let joined = window.concat();
            for candidate in [joined.to_uppercase(), joined] {
                let value = json!(candidate);
                if judge(&value) {
                    return Some(value);
                }
            }
        }
    }
    None
}

/// What was said in pieces without spaces and signs, numbers in figures: "A quarante-huit deux cent treize"
/// is `a`, `48`, `213`.
fn pieces(turn: &Turn, text: &str) -> Vec<String> {
    let utterance = Utterance::new(turn.vocabulary, text);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    while let Some(token) = utterance.tokens.get(at) {
        // In figures as they are: they may begin with a nought.
        let number = (!token.is_figures()).then(|| utterance.number_at(at)).flatten();
        let Some((number, taken)) = number else {
            pieces.push(Piece::Written(token.word.clone()));
            at += 1;
            continue;
        };
        at += taken.max(1);
        match (pieces.last_mut(), number) {
            (Some(Piece::Number(before @ 2..=9)), 100) => *before *= 100,
            (Some(Piece::Number(before)), 1..100) if *before % 100 == 0 && *before > 0 => {
                *before += number;
            }
            _ => pieces.push(Piece::Number(number)),
        }
    }
    pieces.into_iter().map(Piece::text).collect()
}

/// A word or figures as they were written, or a number in words.
enum Piece {
    Written(String),
    Number(i32),
}

impl Piece {
    fn text(self) -> String {
        match self {
            Self::Written(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}
