//! What a model is told of the call so far: everything while it is short, a digest of the
//! beginning once it is long, so that the cost of a call grows with its length, not its square.

use super::{engine::Scene, looked_up};
use crate::{
    domain::{Found, Heard, ToolUse, Turn},
    providers::llm::ChatMessage,
};

/// Characters of history sent in full; about 1,500 tokens.
const BUDGET: usize = 6_000;

/// Characters that the digest of all older turns may take; about 300 tokens.
const DIGEST: usize = 1_200;

/// Turns that leave together. Dropping one a turn would change the prompt's beginning each time,
/// and with it lose the provider's cache.
const STEP: usize = 8;

/// The turns before this one as messages, then what was heard now, and what was found for it.
pub(super) fn messages_of(scene: &Scene) -> Vec<ChatMessage> {
    messages(&scene.history, &scene.heard, &scene.found)
}

fn messages(history: &[Turn], heard: &Heard, found: &[Found]) -> Vec<ChatMessage> {
    let first = first_kept(history);
    let mut messages = Vec::new();
    if first > 0 {
        messages.push(ChatMessage::User(format!("[{}]", digest(&history[..first]))));
    }
    for turn in &history[first..] {
        push_turn(&mut messages, turn);
    }
    messages.push(ChatMessage::User(looked_up::beside(as_said(heard), found)));
    merge(messages)
}

/// The first turn sent in full: the budget is met, and it moves in steps.
fn first_kept(history: &[Turn]) -> usize {
    let mut first = 0;
    while first < history.len() && size(&history[first..]) > BUDGET {
        first += STEP;
    }
    first.min(history.len())
}

fn size(turns: &[Turn]) -> usize {
    turns
        .iter()
        .map(|turn| {
            turn.heard.as_ref().map_or(0, |heard| heard.text().len())
                + turn.said.as_deref().map_or(0, str::len)
                + told(turn).map(|t| t.arguments.len() + t.result.len()).sum::<usize>()
        })
        .sum()
}

/// The tools of a turn that are told of later. Where something was found says nothing without what was
/// found; the answer that came of it is told.
fn told(turn: &Turn) -> impl Iterator<Item = &ToolUse> {
    turn.tools.iter().filter(|tool| tool.tool != looked_up::TOOL)
}

fn push_turn(messages: &mut Vec<ChatMessage>, turn: &Turn) {
    if let Some(heard) = &turn.heard {
        messages.push(ChatMessage::User(as_said(heard)));
    }
    let mut text = String::new();
    for tool in told(turn) {
        // Told as text: ids of calls belong to the provider that made them, which may not be this one.
        text.push_str(&format!("({} {} → {}) ", tool.tool, tool.arguments, tool.result));
    }
    text.push_str(turn.said.as_deref().unwrap_or_default());
    if !text.is_empty() {
        messages.push(ChatMessage::Assistant { text, calls: Vec::new() });
    }
}

fn as_said(heard: &Heard) -> String {
    match heard {
        Heard::Speech { text, .. } => text.clone(),
        Heard::Digits(keys) => format!("[keys pressed: {keys}]"),
        Heard::Silence => "[silence]".to_owned(),
    }
}

/// What was said in the turns left out, callers' words first since they hold the wishes.
fn digest(turns: &[Turn]) -> String {
    let mut parts = Vec::new();
    for turn in turns {
        if let Some(heard) = turn.heard.as_ref().filter(|heard| !heard.text().is_empty()) {
            parts.push(format!("caller: {}", shorten(heard.text(), 120)));
        }
        for tool in told(turn) {
            parts.push(format!("{} → {}", tool.tool, shorten(&tool.result, 120)));
        }
    }
    let mut length = 0;
    let kept: Vec<&String> = parts
        .iter()
        .rev()
        .take_while(|part| {
            length += part.len() + 2;
            length <= DIGEST
        })
        .collect();
    let mut text = "earlier in this call".to_owned();
    for part in kept.into_iter().rev() {
        text.push_str("; ");
        text.push_str(part);
    }
    text
}

fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Joins neighbours of one side: some providers insist on turns.
fn merge(messages: Vec<ChatMessage>) -> Vec<ChatMessage> {
    let mut merged: Vec<ChatMessage> = Vec::new();
    for message in messages {
        match (merged.last_mut(), message) {
            (Some(ChatMessage::User(last)), ChatMessage::User(text))
            | (
                Some(ChatMessage::Assistant { text: last, .. }),
                ChatMessage::Assistant { text, .. },
            ) => {
                last.push('\n');
                last.push_str(&text);
            }
            (_, message) => merged.push(message),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{CallId, LanguageTag, TokenUsage, TurnTimings};

    fn turn(number: u32, length: usize) -> Turn {
        Turn {
            call: CallId(1),
            number,
            heard: Some(Heard::Speech {
                text: format!("question {number} {}", "x".repeat(length)),
                confidence: None,
                language: None,
            }),
            heard_at: Timestamp::UNIX_EPOCH,
            said: Some(format!("answer {number} {}", "y".repeat(length))),
            unheard: None,
            language: LanguageTag::french(),
            next: None,
            engine: None,
            attempts: Vec::new(),
            tools: Vec::new(),
            state: None,
            timings: TurnTimings::default(),
            usage: TokenUsage::default(),
            fillers: 0,
            ear: None,
            mouth: None,
            twiml: None,
        }
    }

    fn cost(turns: usize) -> usize {
        let history: Vec<Turn> = (0..turns).map(|n| turn(n as u32, 80)).collect();
        messages(&history, &Heard::Silence, &[])
            .iter()
            .map(|message| match message {
                ChatMessage::User(text) | ChatMessage::Assistant { text, .. } => text.len(),
                ChatMessage::ToolResult { content, .. } => content.len(),
            })
            .sum()
    }

    #[test]
    fn a_short_call_is_told_in_full_and_sides_alternate() {
        let history: Vec<Turn> = (0..5).map(|n| turn(n, 10)).collect();
        let told = messages(&history, &Heard::Digits("4".into()), &[]);
        assert_eq!(told.len(), 11);
        assert_eq!(told[10], ChatMessage::User("[keys pressed: 4]".into()));
        let sides: Vec<bool> = told.iter().map(|m| matches!(m, ChatMessage::User(_))).collect();
        assert!(sides.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn the_prompt_of_a_long_call_stops_growing() {
        let bound = BUDGET + DIGEST + 500;
        for turns in [50, 100, 200, 400] {
            assert!(cost(turns) <= bound, "{turns} turns cost {}", cost(turns));
        }
        // All prompts of a call together: twice the turns, about twice the characters.
        let total = |turns: usize| (1..=turns).map(cost).sum::<usize>() as f64;
        let ratio = total(400) / total(200);
        assert!(ratio < 2.2, "{ratio}");
    }

    #[test]
    fn the_beginning_changes_only_every_few_turns() {
        let first =
            |turns: usize| first_kept(&(0..turns).map(|n| turn(n as u32, 80)).collect::<Vec<_>>());
        let changes = (30..110).filter(|n| first(*n) != first(n + 1)).count();
        assert!(changes <= 80 / STEP + 1, "{changes}");
    }

    #[test]
    fn the_digest_keeps_what_callers_said() {
        let history: Vec<Turn> = (0..60).map(|n| turn(n, 80)).collect();
        let told = messages(&history, &Heard::Silence, &[]);
        let ChatMessage::User(digest) = &told[0] else { panic!("a digest") };
        assert!(digest.contains("earlier in this call; caller: question"), "{digest}");
    }
}
