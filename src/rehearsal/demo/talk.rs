//! The three ways to talk, alike to whoever plays the script.

use std::time::Duration;

use super::{Answer, SCRIPT, StandIn};
use crate::{
    domain::{CallSid, Error, Result},
    rehearsal::{
        Call, State,
        aloud::{self, Transcript},
        call,
        relayed::{self, RelayedCall},
        streamed::{self, Speech, StreamedCall},
    },
    store::Store,
};

/// After the words that TwiML says, the rest of a greeting has come over the socket by then.
const GREETS: Duration = Duration::from_millis(500);

/// A call in which the script can be played.
pub(super) trait Talk {
    fn sid(&self) -> &CallSid;
    fn state(&self) -> &State;
    /// Says a sentence of the script.
    async fn say(&mut self, place: usize) -> Result<Answer>;
    async fn hang_up(&mut self) -> Result<()>;
    /// Both sides, where there is sound.
    fn sound(&self) -> Option<(Vec<i16>, Vec<i16>)> {
        None
    }
}

impl From<call::Heard> for Answer {
    fn from(heard: call::Heard) -> Self {
        Self { understood: None, words: heard.text, after: Some(heard.after) }
    }
}

impl Talk for Call<'_> {
    fn sid(&self) -> &CallSid {
        self.sid()
    }

    fn state(&self) -> &State {
        self.state()
    }

    async fn say(&mut self, place: usize) -> Result<Answer> {
        Ok(Call::say(self, SCRIPT[place]).await?.into())
    }

    async fn hang_up(&mut self) -> Result<()> {
        Call::hang_up(self).await
    }
}

impl From<relayed::Heard> for Answer {
    fn from(heard: relayed::Heard) -> Self {
        Self { understood: None, words: heard.text, after: heard.after }
    }
}

/// A greeting, with what comes of it over the socket.
pub(super) async fn greeted(
    call: &mut RelayedCall<'_>,
    greeting: relayed::Heard,
) -> Result<Answer> {
    if !call.is_relayed() {
        return Err(no_socket(call.failures()));
    }
    let rest = call.wait(GREETS).await?.text;
    let parts = [greeting.text.as_str(), &rest].into_iter().filter(|part| !part.is_empty());
    let words = parts.collect::<Vec<_>>().join(" ");
    Ok(Answer { understood: None, words, after: greeting.after })
}

impl Talk for RelayedCall<'_> {
    fn sid(&self) -> &CallSid {
        self.sid()
    }

    fn state(&self) -> &State {
        self.state()
    }

    async fn say(&mut self, place: usize) -> Result<Answer> {
        Ok(RelayedCall::say(self, SCRIPT[place]).await?.into())
    }

    async fn hang_up(&mut self) -> Result<()> {
        RelayedCall::hang_up(self).await
    }
}

/// A call over a stream, whose words are those that the store has.
pub(super) struct InSound<'a> {
    call: StreamedCall<'a>,
    transcript: Transcript,
    speech: &'a [Speech],
    stand_in: Option<&'a StandIn>,
}

impl<'a> InSound<'a> {
    pub(super) fn new(
        call: StreamedCall<'a>,
        store: Store,
        speech: &'a [Speech],
        stand_in: Option<&'a StandIn>,
    ) -> Self {
        Self { call, transcript: Transcript::new(store), speech, stand_in }
    }

    /// What was heard, in the words of the store.
    pub(super) async fn answer(&mut self, heard: &streamed::Heard) -> Result<Answer> {
        let turns = self.transcript.rest(&mut self.call).await?;
        if !self.call.is_streaming() && *self.call.state() == State::Listening {
            return Err(no_socket(self.call.failures()));
        }
        let understood: Vec<String> =
            turns.iter().filter_map(|turn| turn.heard.as_ref()).map(aloud::understood).collect();
        let words: Vec<&str> = turns.iter().filter_map(|turn| turn.said.as_deref()).collect();
        Ok(Answer {
            understood: Some(understood.join(" / ")).filter(|words| !words.is_empty()),
            words: words.join(" "),
            after: heard.after,
        })
    }
}

impl Talk for InSound<'_> {
    fn sid(&self) -> &CallSid {
        self.call.sid()
    }

    fn state(&self) -> &State {
        self.call.state()
    }

    async fn say(&mut self, place: usize) -> Result<Answer> {
        if let Some(stand_in) = self.stand_in {
            stand_in.says(SCRIPT[place]);
        }
        let heard = self.call.say(&self.speech[place]).await?;
        self.answer(&heard).await
    }

    async fn hang_up(&mut self) -> Result<()> {
        self.call.hang_up().await
    }

    fn sound(&self) -> Option<(Vec<i16>, Vec<i16>)> {
        Some(self.call.recording())
    }
}

fn no_socket(failures: &[String]) -> Error {
    let error = Error::failure("the call goes on over webhooks, not over a socket");
    match failures.last() {
        Some(why) => error.because(why.clone()),
        None => error.hint("nobody can listen or speak: -v tells what the daemon logs"),
    }
}
