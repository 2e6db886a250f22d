//! One step in the making: the scene, the memory, and the sentences that end it.

use jiff::civil::{Date, DateTime};

use super::{
    Effect, Scene, booking, speak,
    state::{Question, State},
    vocabulary::{self, Sentences, Spoken, Vocabulary},
};
use crate::{
    conversation::{
        handing_over,
        phrases::{self, Phrases, fill},
        tools::ToolRequest,
    },
    domain::{BookingKind, LanguageTag, Next},
};

/// After this many times the same question, a message is taken instead.
const PATIENCE: u8 = 5;

/// The scene with its words looked up, and the memory being changed.
pub(crate) struct Turn<'a> {
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) vocabulary: &'static Vocabulary,
    pub(crate) phrases: &'static Phrases,
    pub(crate) state: State,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(scene: &'a Scene<'a>, state: State) -> Self {
        let (code, vocabulary) = vocabulary::for_language(scene.language);
        // Fixed sentences are said in the language we really speak.
        let language = code.parse().unwrap_or_else(|_| LanguageTag::french());
        let was = state.language.clone();
        let mut turn = Self { scene, vocabulary, phrases: phrases::for_language(&language), state };
        code.clone_into(&mut turn.state.language);
        if was != code && !was.is_empty() && !turn.state.question.is_empty() {
            turn.state.question = booking::reworded(&turn);
        }
        turn
    }

    /// The caller's name of before, unless it is not the one.
    pub(crate) fn known_name(&self) -> Option<&'a str> {
        let name = self.scene.known?.name.as_deref()?.trim();
        (!name.is_empty() && !self.state.other_name).then_some(name)
    }

    /// Lets the next sentence begin with a word for whom called before, once. A surname alone is no way
    /// to greet anybody.
    pub(crate) fn welcome(&mut self) {
        if self.scene.known.is_none() || self.state.welcomed {
            return;
        }
        self.state.welcomed = true;
        let name = self.known_name().filter(|name| name.contains(' '));
        self.state.aside = Some(match name {
            Some(name) => fill(&self.say().welcome_back_name, &[("name", name)]),
            None => self.say().welcome_back.clone(),
        });
    }

    pub(crate) fn say(&self) -> &'static Sentences {
        &self.vocabulary.say
    }

    pub(crate) fn spoken(&self) -> &'static Spoken {
        &self.vocabulary.spoken
    }

    /// Whether this assistant takes bookings at all.
    pub(crate) fn offers_bookings(&self) -> bool {
        self.scene.spec.booking.is_some()
    }

    /// Whether every booking is for the same number of people.
    pub(crate) fn only_party(&self) -> bool {
        self.scene.spec.booking.as_ref().is_some_and(|rules| rules.only_party().is_some())
    }

    /// What is booked here.
    pub(crate) fn kind(&self) -> BookingKind {
        self.scene.spec.booking.as_ref().map_or(BookingKind::Table, |rules| rules.kind)
    }

    /// A sentence about what is booked here; what is said of a table can be said of a room.
    pub(crate) fn by_kind(&self, table: &'static str, appointment: &'static str) -> &'static str {
        self.by_all_kinds(table, appointment, table)
    }

    /// The same where a room needs words of its own.
    pub(crate) fn by_all_kinds(
        &self,
        table: &'static str,
        appointment: &'static str,
        stay: &'static str,
    ) -> &'static str {
        match self.kind() {
            BookingKind::Table => table,
            BookingKind::Appointment => appointment,
            BookingKind::Stay => stay,
        }
    }

    /// A moment as one says it of what is booked here: a day for a stay, a day and a time otherwise.
    pub(crate) fn when(&self, at: DateTime) -> String {
        match self.kind() {
            BookingKind::Stay => speak::date(self.spoken(), at.date()),
            BookingKind::Table | BookingKind::Appointment => speak::date_time(self.spoken(), at),
        }
    }

    pub(crate) fn now(&self) -> DateTime {
        self.scene.now.datetime()
    }

    pub(crate) fn today(&self) -> Date {
        self.scene.now.date()
    }

    /// Says something and listens for the answer to a question.
    pub(crate) fn ask(mut self, lead: &str, question: Question, words: &str) -> (State, Effect) {
        let again = self.state.asked == Some(question);
        self.state.repeats = if again { self.state.repeats.saturating_add(1) } else { 0 };
        if self.state.repeats >= PATIENCE && question != Question::Message {
            return self.give_up();
        }
        words.clone_into(&mut self.state.question);
        self.state.asked = Some(question);
        self.speak(&[lead, words], Next::Listen)
    }

    /// Asks the pending question again, or how to help.
    pub(crate) fn ask_again(self, lead: &str) -> (State, Effect) {
        let question = if self.state.question.is_empty() {
            self.say().how_can_i_help.clone()
        } else {
            self.state.question.clone()
        };
        match self.state.asked {
            Some(asked) => self.ask(lead, asked, &question),
            None => self.speak(&[lead, &question], Next::Listen),
        }
    }

    /// Last words.
    pub(crate) fn bye(self, lead: &str) -> (State, Effect) {
        let goodbye = &self.phrases.goodbye;
        self.speak(&[lead, goodbye], Next::HangUp)
    }

    /// Hands over where the file wants it so and somebody is there; else passes on what the caller said
    /// when nothing else is left to try.
    pub(crate) fn give_up(mut self) -> (State, Effect) {
        let spec = self.scene.spec;
        if spec.transfer.when_lost
            && !self.state.handed_over
            && handing_over::is_anyone_there(spec, self.now())
        {
            let reason = self.state.words.last().cloned().unwrap_or_default();
            let reason = reason.chars().take(200).collect();
            return (self.state, Effect::Run(ToolRequest::Transfer { reason, to: None }));
        }
        self.state.giving_up = true;
        let text = self.state.words.join(" / ");
        self.take_message(text)
    }

    pub(crate) fn take_message(self, text: String) -> (State, Effect) {
        let name = self.state.slots.name.clone();
        (self.state, Effect::Run(ToolRequest::TakeMessage { name, text }))
    }

    /// Asks for a message after a reason why.
    pub(crate) fn ask_message(self, lead: &str) -> (State, Effect) {
        let prompt = &self.phrases.take_message_prompt;
        self.ask(lead, Question::Message, prompt)
    }

    /// Says sentences, the pending aside first.
    pub(crate) fn speak(mut self, sentences: &[&str], next: Next) -> (State, Effect) {
        let aside = self.state.aside.take();
        let said: Vec<String> = aside
            .as_deref()
            .into_iter()
            .chain(sentences.iter().copied())
            .filter(|text| !text.trim().is_empty())
            .map(|text| speak::sentence(text.trim()))
            .collect();
        (self.state, Effect::Say { text: said.join(" "), next })
    }

    /// Fills a sentence about a moment.
    pub(crate) fn about(&self, template: &str, at: DateTime) -> String {
        let spoken = self.spoken();
        fill(
            template,
            &[
                ("when", &self.when(at)),
                ("date", &speak::date(spoken, at.date())),
                ("time", &speak::time(spoken, at.time())),
            ],
        )
    }
}
