//! A conversation kept as a scenario: what the caller said, and what came of it.

use jiff::civil::DateTime;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::State;
use crate::domain::{Booking, Error, Message, Result, Turn};

/// A conversation that was had.
#[derive(Debug)]
pub struct Recorded<'a> {
    /// What to call it.
    pub name: &'a str,
    /// When it took place, on the client's wall clock.
    pub at: DateTime,
    /// Who called.
    pub from: &'a str,
    /// What the caller said, turn by turn; nothing for silence.
    pub said: &'a [String],
    /// The turns, the greeting first.
    pub turns: &'a [Turn],
    /// What was booked.
    pub bookings: &'a [Booking],
    /// Messages that were taken.
    pub messages: &'a [Message],
    /// How it ended.
    pub state: &'a State,
}

/// The text of a file of rehearsals with one more scenario at its end.
pub fn append(text: &str, recorded: &Recorded<'_>) -> Result<String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Error::input("the rehearsal file cannot be added to").because(error.message().to_owned())
    })?;
    let list = document
        .entry("scenario")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or_else(|| Error::input("`scenario` is not written as `[[scenario]]` in this file"))?;
    list.push(scenario(recorded));
    Ok(document.to_string())
}

fn scenario(recorded: &Recorded<'_>) -> Table {
    let mut table = Table::new();
    table.insert("name", value(recorded.name));
    table.insert("at", value(recorded.at.strftime("%Y-%m-%d %H:%M").to_string()));
    table.insert("from", value(recorded.from));
    let mut end = InlineTable::new();
    match recorded.bookings.last() {
        Some(booking) => {
            let mut booked = InlineTable::new();
            booked.insert("party", i64::from(booking.party).into());
            booked.insert("at", booking.at.strftime("%Y-%m-%d %H:%M").to_string().into());
            booked.insert("name", booking.name.as_str().into());
            end.insert("booked", Value::InlineTable(booked));
        }
        None => {
            end.insert("booked", false.into());
        }
    }
    match recorded.messages.last() {
        Some(message) => end.insert("message", message.text.as_str().into()),
        None => end.insert("message", false.into()),
    };
    match recorded.state {
        State::Transferred(number) => end.insert("transferred", number.as_str().into()),
        State::HungUp => end.insert("hung_up", true.into()),
        State::Listening => end.insert("hung_up", false.into()),
    };
    table.insert("expect", value(end));
    let mut steps = ArrayOfTables::new();
    let replies: Vec<&Turn> = recorded.turns.iter().filter(|turn| turn.heard.is_some()).collect();
    for (place, words) in recorded.said.iter().enumerate() {
        let mut step = Table::new();
        if words.trim().is_empty() {
            step.insert("silence", value(true));
        } else {
            step.insert("say", value(words.as_str()));
        }
        if let Some(turn) = replies.get(place) {
            let mut expect = InlineTable::new();
            let tools: Array = turn.tools.iter().map(|tool| tool.tool.as_str()).collect();
            if !tools.is_empty() {
                expect.insert("tool", Value::Array(tools));
            }
            expect.insert("language", turn.language.as_str().into());
            step.insert("expect", value(expect));
            // What was said is there to be read, not to be held: words may change.
            let reply = turn.said.as_deref().unwrap_or_default().replace(char::is_control, " ");
            step.decor_mut().set_prefix(format!("# assistant: {reply}\n"));
        }
        steps.push(step);
    }
    table.insert("turn", Item::ArrayOfTables(steps));
    table.decor_mut().set_prefix("\n");
    table
}
