//! The built-in concierge: greets, answers, books and takes messages without any model.
//!
//! Deterministic and pure: a step takes the memory and what happened, and gives the memory and
//! what to do. It promises nothing that a tool did not confirm, and it never asks for ever.

mod asked_for;
mod booking;
mod changes;
mod listen;
mod lookup;
mod speak;
mod state;
mod turn;
mod understand;
mod vocabulary;

use jiff::ZonedDateTime;

use crate::{
    conversation::{
        handing_over,
        tools::{ToolRequest, ToolResult},
    },
    domain::{AssistantSpec, Availability, Found, Heard, LanguageTag, Next, Recollection},
};
use state::Question;
use turn::Turn;

pub use state::State;
pub(super) use understand::fold;

/// Where a conversation takes place.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Whose concierge.
    pub spec: &'a AssistantSpec,
    /// The language of the call.
    pub language: &'a LanguageTag,
    /// Now, in the assistant's zone.
    pub now: &'a ZonedDateTime,
    /// The caller's number, when it is known.
    pub caller: Option<&'a str>,
    /// What is known of the caller from before.
    pub known: Option<&'a Recollection>,
    /// What was found in the client's documents for what was heard.
    pub found: &'a [Found],
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The caller was heard, or was silent.
    Heard(&'a Heard),
    /// The tool asked for was run.
    Tool(&'a ToolResult),
    /// The caller wanted another language, and nothing else: the scene is in it.
    AnotherLanguage,
    /// Somebody whom we called is there, and has not heard why.
    PickedUp(&'a str),
    /// Somebody whom we called agrees to what we called for.
    Agreed,
    /// Or does not.
    Declined,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Say this, then that.
    Say {
        /// The sentences.
        text: String,
        /// Then what.
        next: Next,
    },
    /// Run this tool and come back with its result.
    Run(ToolRequest),
}

/// The language the concierge really speaks in a call: English where it has no data file.
pub fn language(wanted: &LanguageTag) -> LanguageTag {
    let (code, _) = vocabulary::for_language(wanted);
    if wanted.primary() == code {
        return wanted.clone();
    }
    code.parse().unwrap_or_else(|_| wanted.clone())
}

/// One step of the conversation.
pub fn step(scene: &Scene, state: State, event: Event) -> (State, Effect) {
    let turn = Turn::new(scene, state);
    match event {
        Event::Heard(heard) => listen::heard(turn, heard),
        Event::Tool(result) => came_of(turn, result),
        Event::AnotherLanguage => another_language(turn),
        Event::PickedUp(opening) => turn.speak(&[opening], Next::Listen),
        Event::Agreed => {
            let (lead, say) = (&turn.phrases.outbound.confirmed, turn.say());
            turn.ask(lead, Question::AnythingElse, &say.anything_else)
        }
        Event::Declined => {
            let words = &turn.phrases.outbound.declined;
            turn.speak(&[words], Next::Listen)
        }
    }
}

/// Takes in what an earlier utterance said of a booking, without acting on it.
pub fn absorb(scene: &Scene, state: State, utterance: &str) -> State {
    let turn = Turn::new(scene, state);
    let meaning = listen::meaning(&turn, utterance);
    let books = turn.offers_bookings();
    let mut state = turn.state;
    if books && !meaning.hours && meaning.fact.is_none() {
        state.take_in(&meaning);
    }
    state
}

/// What to say after a tool.
fn came_of(mut turn: Turn, result: &ToolResult) -> (State, Effect) {
    match result {
        ToolResult::Availability(Availability::Free { with }) => {
            booking::is_free(turn, with.as_deref())
        }
        ToolResult::Availability(Availability::Refused(refusal))
        | ToolResult::Booked(Err(refusal)) => booking::refuse(turn, refusal),
        ToolResult::Booked(Ok(stored)) => booking::confirm(turn, stored),
        ToolResult::Found(bookings) => changes::found(turn, bookings),
        ToolResult::Rescheduled(Ok(moved)) => changes::moved(turn, moved),
        ToolResult::Cancelled(Ok(gone)) => changes::cancelled(turn, gone),
        ToolResult::Rescheduled(Err(untouched)) | ToolResult::Cancelled(Err(untouched)) => {
            changes::untouched(turn, untouched)
        }
        ToolResult::MessageTaken => {
            let taken = if turn.state.giving_up {
                turn.say().passing_on.clone()
            } else {
                turn.phrases.message_taken.clone()
            };
            turn.state.asked = None;
            turn.bye(&taken)
        }
        ToolResult::Transferring { number, .. } => {
            turn.state.handed_over = true;
            let words = &turn.phrases.transferring;
            turn.speak(&[words], Next::Transfer(number.clone()))
        }
        ToolResult::NobodyToTransferTo
        | ToolResult::NobodyAvailable { .. }
        | ToolResult::NoSuchHuman { .. } => nobody(turn),
        ToolResult::NobodyAnswered => {
            let lead = &turn.phrases.handover.unanswered;
            turn.ask_message(lead)
        }
        ToolResult::Answered { said, .. } => lookup::found(turn, said.as_deref()),
        ToolResult::NoSuchThing { said, .. } => lookup::not_found(turn, said.as_deref()),
        ToolResult::NoAnswer(_) => lookup::failed(turn),
        ToolResult::Ending => turn.bye(""),
        // Looked up before the concierge was asked; it never asks for it.
        ToolResult::Passages(_) => turn.ask_again(""),
        ToolResult::Failed => failed(turn),
    }
}

/// Whom to hand over to: one whom the caller asked for or named and who is there, else the first.
fn transfer_to(turn: &Turn, text: &str) -> ToolRequest {
    let scene = turn.scene;
    let named = asked_for::asked_for(scene.spec, &turn.vocabulary.intents.reach, text)
        .or_else(|| handing_over::named_in(scene.spec, text));
    let is_there = |name: &&str| {
        let target = scene.spec.transfer.named(name);
        target.is_some_and(|target| target.is_there(scene.now.datetime()))
    };
    ToolRequest::Transfer {
        reason: text.trim().chars().take(200).collect(),
        to: named.filter(is_there).map(str::to_owned),
    }
}

/// Goes on where we were, in the other language.
fn another_language(turn: Turn) -> (State, Effect) {
    let lead = &turn.phrases.language_switched;
    match turn.state.asked {
        None => {
            let words = &turn.say().how_can_i_help;
            turn.speak(&[lead, words], Next::Listen)
        }
        Some(_) => turn.ask_again(lead),
    }
}

fn nobody(turn: Turn) -> (State, Effect) {
    let lead = &turn.phrases.transfer_unavailable;
    turn.ask_message(lead)
}

/// The store could not be written: nothing is promised, and the second time we part.
fn failed(mut turn: Turn) -> (State, Effect) {
    turn.state.failures = turn.state.failures.saturating_add(1);
    let apology = &turn.phrases.apology;
    if turn.state.failures > 1 || turn.state.giving_up || !turn.state.booking {
        return turn.bye(apology);
    }
    let words = turn.by_kind(&turn.say().not_stored, &turn.say().not_stored_appointment);
    turn.ask("", Question::Retry, words)
}

#[cfg(test)]
mod tests;
