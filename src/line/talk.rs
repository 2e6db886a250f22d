//! A conversation over a socket, without the socket: turns are heard, thought aloud, stored, and it
//! is noted what the caller heard of them.
//!
//! Each turn runs in a task of its own, so that half a turn is never dropped with its socket; what
//! is written of one call is written in order.

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt, Shared};
use tokio::task::JoinHandle;

use super::{
    early::{Decided, Early},
    voice::Line,
};
use crate::{
    conversation::{
        aloud::{Aloud, Listener, Piece},
        engine::Scene,
        head_start::HeadStart,
        phrases,
    },
    domain::{
        Assistant, CallId, CallSid, Caller, Delivery, Direction, Heard, LanguageTag, Next,
        Redaction, TurnId, Use,
    },
    operations::live::{self, Answer, Hearing, OpenTurn, Ringing, Standing, Utterance},
};

/// How often a store that does not take an utterance is asked again, and how long in between.
const TRIES: u32 = 5;
const AGAIN: Duration = Duration::from_secs(1);

/// How often it is looked whether Twilio has told who picked up.
const TOLD_SOON: Duration = Duration::from_millis(250);

/// A turn that is over on our side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    /// Which.
    pub(super) number: u32,
    /// All that was said in it.
    pub(super) text: String,
    /// Then what.
    pub(super) next: Next,
    /// The language it was said in.
    pub(super) language: LanguageTag,
    /// Whether it said that a machine speaks.
    pub(super) discloses: bool,
}

/// What comes of a turn.
#[derive(Debug)]
pub(super) enum Event {
    /// Some words of the reply.
    Words(String),
    /// The call goes on in this language, the reply too.
    Language(LanguageTag),
    /// The reply is whole, and stored.
    Done(Done),
    /// The call is over, or cannot go on here.
    Over,
}

/// The turn being thought about.
struct Turn {
    listener: Listener,
    done: JoinHandle<Option<Done>>,
    words_are_over: bool,
}

/// Something that is being written, waited for by whatever comes next.
type Written = Shared<BoxFuture<'static, ()>>;

/// One call's conversation.
pub(super) struct Talk {
    line: Line,
    sid: CallSid,
    id: CallId,
    caller: Caller,
    assistant: Arc<Assistant>,
    language: LanguageTag,
    next: u32,
    turn: Option<Turn>,
    /// The last thing written, which the next one waits for.
    written: Option<Written>,
    early: Early,
}

impl Talk {
    /// Goes on where a call stands.
    pub(super) fn new(line: Line, standing: &Standing) -> Self {
        let call = &standing.call;
        Self {
            line,
            sid: call.sid.clone(),
            id: call.id,
            caller: call.caller.as_deref().map_or(Caller::Withheld, Caller::read),
            assistant: Arc::clone(&standing.assistant),
            language: call.language.clone(),
            next: standing.next.max(1),
            turn: None,
            written: None,
            early: Early::default(),
        }
    }

    pub(super) fn language(&self) -> &LanguageTag {
        &self.language
    }

    /// Whether a reply is being thought about.
    pub(super) fn is_thinking(&self) -> bool {
        self.turn.is_some()
    }

    /// Thinks about something heard. One turn at a time: the one before must be done.
    pub(super) fn hear(&mut self, heard: Heard) {
        debug_assert!(self.turn.is_none(), "a turn begins when the one before is done");
        let number = self.next;
        self.next += 1;
        let utterance = Utterance {
            ringing: Ringing {
                sid: self.sid.clone(),
                from: self.caller.clone(),
                to: None,
                at: self.line.clock.now(),
                account: None,
                spoofed: false,
                // Its row is there: nothing else is needed of it.
                direction: Direction::Inbound,
                outbound: None,
            },
            number,
            heard,
            by_twilio: false,
        };
        let (line, written) = (self.line.clone(), self.written.take());
        let language = self.language.clone();
        let early = self.early.decided(&utterance.heard);
        let before = TurnId { call: self.id, number: number - 1 };
        self.begin(move |aloud| async move {
            finished(written).await;
            let Some(turn) = line.begun(utterance, &aloud, &language).await else {
                // The call is over, or goes on elsewhere: what was asked early was for nothing.
                let (head_start, mut in_vain) = early.asked().await;
                in_vain.extend(head_start.map(HeadStart::in_vain));
                line.note_in_vain(before, in_vain).await;
                return None;
            };
            line.turn_aloud(turn, aloud, early).await
        });
    }

    /// The caller has probably said this: the model is asked, so that its answer is there sooner. Of
    /// no effect beyond that, and taken back when something else was said.
    pub(super) fn expect(&mut self, heard: Heard) {
        if self.turn.is_none() {
            let (written, sid) = (self.written.clone(), self.sid.clone());
            self.early.expect(&self.line, heard, finished(written), (sid, self.next));
        }
    }

    /// The caller goes on.
    pub(super) fn expect_no_longer(&mut self) {
        self.early.expect_no_longer();
    }

    fn begin<F>(&mut self, turn: impl FnOnce(Aloud) -> F)
    where
        F: Future<Output = Option<Done>> + Send + 'static,
    {
        let (aloud, listener) = Aloud::new();
        let (turn, counted) = (turn(aloud), self.line.thinking.counted());
        let task = async move {
            let done = turn.await;
            drop(counted);
            done
        };
        let done = tokio::spawn(tracing::Instrument::in_current_span(task));
        self.turn = Some(Turn { listener, done, words_are_over: false });
    }

    /// What comes next of the turn; waits for ever when none is being thought about. Nothing is
    /// lost when this is dropped while it waits.
    pub(super) async fn event(&mut self) -> Event {
        let Some(turn) = &mut self.turn else { return std::future::pending().await };
        if !turn.words_are_over {
            match turn.listener.words.recv().await {
                Some(Piece::Words(words)) => return Event::Words(words),
                Some(Piece::Language(language)) => {
                    self.language.clone_from(&language);
                    return Event::Language(language);
                }
                None => {}
            }
            turn.words_are_over = true;
        }
        let done = (&mut turn.done).await;
        self.turn = None;
        match done {
            Ok(Some(done)) => Event::Done(done),
            Ok(None) => Event::Over,
            Err(error) => {
                tracing::error!(%error, "a turn was broken off: this is a bug of webox");
                Event::Over
            }
        }
    }

    /// The caller talks over the reply: no more of it is thought.
    pub(super) fn interrupt(&self) {
        if let Some(turn) = &self.turn {
            turn.listener.interrupt();
        }
    }

    /// Notes what the caller heard of a reply.
    pub(super) fn deliver(&mut self, number: u32, delivery: Delivery, discloses: bool) {
        let (line, before) = (self.line.clone(), self.written.take());
        let id = TurnId { call: self.id, number };
        let redaction = self.redaction();
        let noted = async move {
            finished(before).await;
            let now = line.clock.now();
            let noted = live::deliver(&line.store, id, delivery, redaction, discloses, now).await;
            if let Err(error) = noted {
                tracing::error!(turn = number, %error, "what was heard of a reply could not be stored");
            }
        };
        let noted = tokio::spawn(tracing::Instrument::in_current_span(noted));
        // It tells of its failure itself.
        self.written = Some(noted.map(|_| ()).boxed().shared());
    }

    /// Notes that the caller was given a filler for the turn being thought about.
    pub(super) fn count_filler(&self, fillers: u32) {
        let id = TurnId { call: self.id, number: self.next.saturating_sub(1) };
        let store = self.line.store.clone();
        tokio::spawn(async move {
            if let Err(error) = live::count_filler(&store, id, fillers, None).await {
                tracing::warn!(turn = id.number, %error, "a filler could not be noted");
            }
        });
    }

    /// Waits until everything is written, with what of speech was `used` and belongs to no reply.
    pub(super) async fn settle(mut self, used: Vec<Use>) {
        let (_, in_vain) = self.early.decided(&Heard::Silence).asked().await;
        finished(self.written.take()).await;
        let last = TurnId { call: self.id, number: self.next - 1 };
        self.line.note_in_vain(last, in_vain).await;
        if !used.is_empty() {
            let now = self.line.clock.now();
            if let Err(error) = live::used_besides(&self.line.store, last, used, now).await {
                tracing::error!(%error, "what was spoken and heard could not be entered");
            }
        }
    }

    fn redaction(&self) -> Redaction {
        self.assistant.spec.compliance.redact
    }
}

async fn finished(written: Option<Written>) {
    if let Some(written) = written {
        written.await;
    }
}

impl Line {
    /// One turn, from what was heard to its stored reply; nothing when the call cannot go on.
    async fn turn_aloud(&self, turn: OpenTurn, aloud: Aloud, early: Decided) -> Option<Done> {
        let (head_start, in_vain) = early.asked().await;
        let (sid, id) = (turn.call.sid.clone(), turn.id);
        let now = self.clock.now();
        let scene = Scene {
            lasted: self.lengths.of(&turn.call.sid, turn.call.started_at, now),
            call: turn.call,
            assistant: turn.assistant,
            history: turn.history,
            heard: turn.heard,
            known: turn.known,
            found: turn.found,
            errand: turn.errand,
            now,
        };
        // A call that went on from elsewhere: its first words were not ours.
        let discloses = scene.call.disclosed_at.is_none() && scene.assistant.spec.announces_ai();
        let mut thought = self.engine.reply_aloud(&scene, aloud, discloses, head_start).await;
        thought.reply.attempts.splice(0..0, in_vain);
        tracing::info!(
            turn = id.number, engine = %thought.reply.engine,
            reply_ms = thought.timings.reply_ms, "replied"
        );
        let done = Done {
            number: id.number,
            text: thought.reply.text.clone(),
            next: thought.reply.next.clone(),
            language: thought.reply.language.clone(),
            discloses,
        };
        let answer = Answer {
            reply: thought.reply,
            timings: thought.timings,
            // That there is one tells a turn that is over from one that is open.
            twiml: String::new(),
            kept_twiml: None,
            end_reason: thought.end_reason,
            warned: thought.warned,
            disclosed: false,
            consent: thought.consent,
            rating: thought.rating,
            language: thought.language,
            redaction: scene.assistant.spec.compliance.redact,
            heard: false,
            ticket: None,
            used: Vec::new(),
        };
        // Said it is, stored or not: the caller is not told twice.
        if let Err(error) = live::answer(&self.store, sid, id, answer, self.clock.now()).await {
            tracing::error!(turn = id.number, %error, causes = ?error.causes(), "a reply could not be stored");
        }
        Some(done)
    }

    /// Stores what was heard. A store that is busy is waited for, with a word to the caller.
    async fn begun(
        &self,
        utterance: Utterance,
        aloud: &Aloud,
        language: &LanguageTag,
    ) -> Option<OpenTurn> {
        let mut attempt = 0;
        let mut utterance = utterance;
        while attempt < TRIES {
            let hearing = live::hear(&self.store, self.engine.library(), utterance.clone());
            let hearing = self.stored(hearing).await;
            match hearing {
                // Twilio tells within seconds whether a person picked up.
                Ok(Hearing::NotYet { .. }) => {
                    tokio::time::sleep(TOLD_SOON).await;
                    utterance.ringing.at = self.clock.now();
                }
                Ok(Hearing::Think { turn, .. }) => return Some(*turn),
                Ok(Hearing::OutOfOrder { next, .. }) => {
                    tracing::warn!(next, "a turn came out of order: another socket went on");
                    return None;
                }
                Ok(Hearing::Replied { .. } | Hearing::Over | Hearing::NobodyThere) => return None,
                Err(error) => {
                    tracing::error!(attempt, %error, causes = ?error.causes(), "the store could not be used");
                    if attempt == 0 {
                        aloud.say(&phrases::for_language(language).busy_retry);
                    }
                    tokio::time::sleep(AGAIN).await;
                    attempt += 1;
                }
            }
        }
        None
    }
}

/// What a session does first.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Opening {
    /// Says what the caller was told and has not heard: that of turn `number`.
    Say { number: u32, text: String, next: Next },
    /// Thinks about what has no reply.
    Think(Heard),
    /// It is the caller's turn: all that there was to say was heard.
    Listen,
}

impl Opening {
    /// Of a call as it stands.
    pub(super) fn of(standing: &Standing) -> Self {
        if let Some(heard) = standing.unanswered() {
            return Self::Think(heard.clone());
        }
        match (standing.unheard(), &standing.last) {
            (Some(text), Some(last)) => Self::Say {
                number: last.number,
                text: text.to_owned(),
                next: last.next.clone().unwrap_or(Next::Listen),
            },
            _ => Self::Listen,
        }
    }
}

/// Both, as one thing heard.
pub(super) fn joined(before: Option<Heard>, heard: Heard) -> Heard {
    match (before, heard) {
        (Some(Heard::Speech { text, .. }), Heard::Speech { text: more, confidence, language }) => {
            let text = Heard::bounded(format!("{text} {more}"));
            Heard::Speech { text, confidence, language }
        }
        (_, heard) => heard,
    }
}
