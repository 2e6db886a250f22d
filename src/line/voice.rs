//! A call over webhooks, step by step. Every step answers TwiML, whatever happens.
//!
//! | delivered | outcome |
//! |---|---|
//! | `incoming` again | the same greeting |
//! | `incoming` after the end | hang up |
//! | `process` again, with its reply stored | the same TwiML |
//! | `process` again, still thinking | waits beside the first, then the same filler |
//! | `process` for a turn that cannot be next | listens for the one that is; nothing stored |
//! | `process` for an unknown call | the call is taken up from here |
//! | `status` before `incoming` | the call is stored as ended |
//! | `incoming` again, once a socket of the call was let in | the call goes on where it stands |
//! | `resume`: a socket is over | what the last reply says; or another socket, or webhooks |

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    Clock,
    declined::{declined, nobody_there},
    fallback::Remembered,
    gather::{self, Writer},
    greeting::Greeting,
    late::{Patience, Thinking, Waited},
    lengths::Lengths,
    player::Player,
    sessions::Sessions,
    voices::{Voices, listener},
    warming::speaks_with_us,
};
use crate::{
    conversation::{
        engine::{Engine, Scene},
        phrases,
    },
    domain::{
        Assistant, AssistantSpec, CallSid, Country, LanguageTag, PhoneNumber, RecordingConsent,
        Reply, Result, VoiceLine,
    },
    operations::knowledge::Library,
    operations::live::{
        self, Answer, Greeted, Hearing, OpenTurn, Ringing, Rung, StatusChange, Ticket, Utterance,
    },
    store::Store,
    twilio::{
        twiml::Response,
        webhook::{Gathered, Incoming, Recorded, Status},
    },
};

/// How long a filler waits to be noted: less than a caller notices.
const NOTE_WITHIN: Duration = Duration::from_secs(1);

/// The conversations of a daemon.
#[derive(Clone)]
pub struct Line {
    pub(super) store: Store,
    pub(super) engine: Engine,
    pub(super) clock: Clock,
    pub(super) public_url: Arc<str>,
    pub(super) patience: Patience,
    pub(super) thinking: Thinking,
    pub(super) sessions: Sessions,
    pub(super) lengths: Lengths,
    pub(super) voices: Option<Voices>,
    pub(super) remembered: Remembered,
    webhooks_only: bool,
}

impl Line {
    /// A line for a public URL: what Twilio calls us.
    pub fn new(
        store: Store,
        engine: Engine,
        clock: Clock,
        public_url: &str,
        patience: Patience,
    ) -> Self {
        Self {
            store,
            engine,
            clock,
            public_url: public_url.trim_end_matches('/').into(),
            patience,
            thinking: Thinking::default(),
            sessions: Sessions::default(),
            lengths: Lengths::default(),
            voices: None,
            remembered: Remembered::default(),
            webhooks_only: false,
        }
    }

    /// With mouths and ears, for the line `stream`.
    #[must_use]
    pub fn with_voices(self, voices: Voices) -> Self {
        Self { voices: Some(voices), ..self }
    }

    /// How its assistants' documents are looked up.
    pub fn library(&self) -> &Library {
        self.engine.library()
    }

    /// Its mouths and ears, if it has any.
    pub fn voices(&self) -> Option<&Voices> {
        self.voices.as_ref()
    }

    /// Answers every assistant's calls over webhooks, whatever its line: for rehearsals in writing.
    #[must_use]
    pub fn over_webhooks_only(self) -> Self {
        Self { webhooks_only: true, ..self }
    }

    /// A call rings.
    pub async fn ring(&self, request: Incoming, attempt: u32) -> String {
        let sid = request.call_sid.clone();
        let to = request.to.clone();
        let caller = request.from.masked();
        let ringing = self.ringing(&request);
        let at = ringing.at;
        // Where Twilio comes back to if nothing can be stored now.
        let again = match request.outbound {
            Some(id) => ("outbound", format!("&outbound={}", id.0)),
            None => ("incoming", String::new()),
        };
        let ticket = match Ticket::new(ringing.at) {
            Ok(ticket) => ticket,
            Err(error) => {
                let again = (again.0, again.1.as_str());
                return self.unstored_at(&error, to, &sid, again, attempt).await;
            }
        };
        let (line, greeted) = (self.clone(), sid.clone());
        let greet = Box::new(
            move |assistant: &Assistant, language: &LanguageTag, opening: Option<&str>| {
                let spec = &assistant.spec;
                let greeting = match opening {
                    Some(opening) => Greeting::beginning(spec, language, opening.to_owned()),
                    None => Greeting::of(spec, language),
                };
                // Whether to record is asked over webhooks: only TwiML can begin it.
                let ticket = (line.has_socket(spec) && !greeting.asks).then_some(ticket);
                let player = line.player(spec, "");
                let writer = line.writer_with(&greeted, ticket.as_ref(), player.as_ref());
                let twiml = writer.greeting(spec, language, &greeting);
                // Where it is recorded, the TwiML says all of it before the socket opens.
                let heard = ticket.is_none() || greeting.records;
                Greeted { reply: greeting.reply(language), twiml, heard, ticket }
            },
        );
        match self.stored(live::ring(&self.store, ringing, greet)).await {
            Ok(Rung::Answered { assistant, twiml, again }) => {
                tracing::info!(assistant = %assistant.spec.name, caller, again, "answered a call");
                self.remembered.keep(&assistant);
                if !again {
                    self.lengths.of(&sid, at, at);
                }
                twiml
            }
            Ok(Rung::Declined { assistant, reason }) => {
                tracing::warn!(assistant = %assistant.spec.name, caller, reason = reason.as_str(), "declined a call");
                declined(&assistant.spec, request.from.number(), reason)
            }
            Ok(Rung::GoesOn) => Box::pin(self.goes_on(request, false, attempt)).await,
            Ok(Rung::Over) => gather::hang_up(),
            Ok(Rung::NobodyThere) => nobody_there(to.as_ref(), &request.to_raw),
            Err(error) => {
                let again = (again.0, again.1.as_str());
                self.unstored_at(&error, to, &sid, again, attempt).await
            }
        }
    }

    /// Too many calls come in at once for each to be looked at: a busy sentence.
    pub fn busy(&self, to: Option<&PhoneNumber>) -> String {
        let language = Country::language_of(to);
        gather::farewell(None, &language, &phrases::for_language(&language).flood)
    }

    /// The caller was heard, in answer to turn `turn - 1`.
    pub async fn hear(&self, request: Gathered, turn: Option<u32>, step: u32) -> String {
        let sid = request.call_sid.clone();
        let to = request.to.clone();
        let utterance = Utterance {
            ringing: Ringing {
                sid: sid.clone(),
                from: request.from.clone(),
                to: to.clone(),
                at: self.clock.now(),
                account: request.account,
                spoofed: false,
                direction: request.direction,
                outbound: None,
            },
            number: turn.unwrap_or(1),
            heard: request.heard,
            by_twilio: true,
        };
        match self.stored(live::hear(&self.store, self.engine.library(), utterance)).await {
            // A first delivery that comes again after its filler gets that filler again.
            Ok(Hearing::Think { turn, again: true }) if turn.fillers > 0 => {
                let spec = &turn.assistant.spec;
                let player = self.player(spec, "");
                let writer = self.writer_with(&sid, None, player.as_ref());
                writer.filler(spec, &turn.call.language, turn.id.number, 0, false)
            }
            Ok(hearing) => self.respond(&sid, to.as_ref(), hearing, 0).await,
            Err(error) => self.unstored(&error, to, &sid, "process", turn, step).await,
        }
    }

    /// Twilio comes back for the reply to turn `turn`.
    pub async fn wait(&self, request: Incoming, turn: u32, step: u32) -> String {
        let (sid, to) = (request.call_sid, request.to);
        match self
            .stored(live::waiting(&self.store, self.engine.library(), sid.clone(), turn))
            .await
        {
            Ok(hearing) => self.respond(&sid, to.as_ref(), hearing, step).await,
            Err(error) => self.unstored(&error, to, &sid, "wait", Some(turn), step).await,
        }
    }

    /// Follows a call's status.
    pub async fn follow_status(&self, request: Status) -> Result<()> {
        let change = StatusChange {
            ringing: Ringing {
                sid: request.call_sid,
                from: request.from,
                to: request.to,
                at: self.clock.now(),
                account: request.account,
                spoofed: false,
                direction: request.direction,
                outbound: request.outbound,
            },
            status: request.status,
            duration_s: request.duration_s,
            is_logged: false,
        };
        let (status, sid) = (change.status, change.ringing.sid.clone());
        let known = live::follow_status(&self.store, change).await?;
        if status.is_final() {
            self.lengths.forget(&sid);
        }
        if known {
            tracing::info!(status = status.as_str(), "a call's status changed");
        } else {
            tracing::warn!(status = status.as_str(), "the status of a call that nobody answers");
        }
        Ok(())
    }

    /// A recording changed: where it is ready, it is kept or removed.
    pub async fn recorded(&self, request: Recorded) -> Result<()> {
        let Some(kept) = request.kept else { return Ok(()) };
        let recording = kept.sid.clone();
        let became =
            live::recorded(&self.store, request.call_sid, kept, request.seconds, self.clock.now())
                .await?;
        match became {
            live::Recorded::Kept => tracing::info!(%recording, "a call was recorded"),
            live::Recorded::Unwanted => {
                tracing::warn!(%recording, "a recording that nobody agreed to is removed");
            }
            live::Recorded::Another => {
                tracing::warn!(%recording, "a second recording of a call is removed: it keeps the first");
            }
            live::Recorded::Unknown => {
                tracing::warn!(%recording, "the recording of a call that nobody knows");
            }
        }
        Ok(())
    }

    /// What Twilio calls us, without a final slash.
    pub fn public_url(&self) -> Arc<str> {
        Arc::clone(&self.public_url)
    }

    /// Closes calls that were forgotten.
    pub async fn sweep(&self) -> Result<u32> {
        self.remember().await;
        self.lengths.tidy();
        let (now, lengths) = (self.clock.now(), self.lengths.clone());
        live::sweep(&self.store, now, move |call| lengths.of(&call.sid, call.started_at, now)).await
    }

    /// Whether calls can be taken.
    pub async fn ready(&self) -> Result<()> {
        live::ready(&self.store, self.clock.now()).await
    }

    /// Waits until nothing is being thought about, and no socket is open; says whether it came to
    /// that.
    pub async fn drain(&self, longest: Duration) -> bool {
        let idle = async {
            while self.thinking.count() > 0 || self.sessions.count() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(longest, idle).await.is_ok()
    }

    /// Waits until no socket is open.
    pub async fn without_sockets(&self, longest: Duration) {
        let closed = async {
            while self.sessions.count() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // What is left is told of by whoever waits for the rest.
        let _ = timeout(longest, closed).await;
    }

    /// A call that is to come back in some seconds. One that rings goes on ringing: a pause at the
    /// beginning is not answered (Twilio, "TwiML Voice: Pause").
    pub fn later(&self, sid: &CallSid, route: &str, seconds: u32, times: u32) -> String {
        let back = self.writer(sid).url(route, &format!("&later={times}"));
        Response::new().pause(seconds).redirect(&back).render()
    }

    /// What is said when nothing is known of the call.
    pub fn apology(&self) -> String {
        let language = LanguageTag::french();
        gather::farewell(None, &language, &phrases::for_language(&language).apology)
    }

    async fn respond(
        &self,
        sid: &CallSid,
        to: Option<&PhoneNumber>,
        hearing: Hearing,
        step: u32,
    ) -> String {
        match hearing {
            Hearing::Think { turn, .. } => self.think(sid, *turn, step).await,
            Hearing::Replied { assistant, language, twiml, said, fillers, number } => {
                let spec = &assistant.spec;
                let player = self.player(spec, "");
                if step < fillers {
                    let writer = self.writer_with(sid, None, player.as_ref());
                    return writer.filler(spec, &language, number, step, false);
                }
                self.with_words(twiml, || gather::say(spec, &language, &said))
            }
            Hearing::OutOfOrder { next, language, assistant } => {
                tracing::warn!(next, "a turn came out of order");
                self.writer(sid).listen(&assistant.spec, &language, next)
            }
            Hearing::NotYet { next, language, assistant } => {
                self.writer(sid).listen(&assistant.spec, &language, next)
            }
            Hearing::Over => gather::hang_up(),
            Hearing::NobodyThere => nobody_there(to, ""),
        }
    }

    async fn think(&self, sid: &CallSid, turn: OpenTurn, step: u32) -> String {
        let id = turn.id;
        let (assistant, language) = (Arc::clone(&turn.assistant), turn.call.language.clone());
        // The first words that are ours say what speaks, be they only a filler.
        let discloses =
            step == 0 && turn.call.disclosed_at.is_none() && assistant.spec.announces_ai();
        let waiter = self.thinking.join_or_start(id, || {
            let (line, sid) = (self.clone(), sid.clone());
            async move { line.reply(&sid, turn).await }
        });
        let patience = if step == 0 { self.patience.first } else { self.patience.next };
        let waited = tokio::select! {
            biased;
            waited = waiter.wait(patience) => waited,
            words = self.engine.hold_on(id.call) => Waited::HoldOn(words),
        };
        match waited {
            Waited::Reply(twiml) => twiml,
            Waited::Late | Waited::Lost | Waited::HoldOn(_) if step >= self.patience.fillers => {
                tracing::error!(turn = id.number, "gave up waiting for a reply");
                gather::give_up(&assistant.spec, &language, self.clock.now())
            }
            Waited::Late | Waited::HoldOn(_) => {
                let told = discloses.then(|| self.clock.now());
                let counted = live::count_filler(&self.store, id, step + 1, told);
                // The caller has waited already; the note is written later if the store is busy.
                if timeout(NOTE_WITHIN, counted).await.is_ok_and(|noted| noted.is_ok()) {
                    tracing::debug!(turn = id.number, step, "noted a filler");
                } else {
                    tracing::warn!(turn = id.number, step, "a filler could not be noted yet");
                }
                let spec = &assistant.spec;
                let player = self.player(spec, "");
                let writer = self.writer_with(sid, None, player.as_ref());
                let words = match &waited {
                    Waited::HoldOn(words) => words,
                    _ => phrases::for_language(&language).filler(step),
                };
                writer.hold_on(spec, &language, (id.number, step), words, discloses)
            }
            // Let the store recover; the turn is thought about again when Twilio comes back.
            Waited::Lost => {
                let rest = format!("&turn={}", id.number);
                self.writer(sid).try_again(&assistant.spec, "wait", &rest, step)
            }
        }
    }

    /// Thinks about a turn and stores its reply.
    async fn reply(&self, sid: &CallSid, turn: OpenTurn) -> Result<String, ()> {
        let id = turn.id;
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
        let mut thought = self.engine.reply(&scene).await;
        // A call that went on from elsewhere: its first words were not ours.
        let disclosed = scene.call.disclosed_at.is_none() && scene.assistant.spec.announces_ai();
        if disclosed {
            let machine = phrases::machine(&thought.reply.language);
            thought.reply.text = format!("{machine} {}", thought.reply.text);
        }
        // Said once, when it begins: what was announced is recorded since the greeting.
        let records = thought.consent == Some(RecordingConsent::Granted);
        let spec = &scene.assistant.spec;
        // Asked for here, since only TwiML begins a recording, the call goes on over its socket.
        let asked = thought.consent.is_some() && scene.call.recording_consent.is_none();
        let goes_on = asked && self.has_socket(spec);
        let ticket = goes_on.then(|| Ticket::new(self.clock.now()).ok()).flatten();
        let caller = scene.call.caller.as_deref();
        let writer = self.writer_with(sid, ticket.as_ref(), None).of(caller);
        let player = self.player(spec, &listener(&scene.call));
        let sound = match &player {
            Some(player) => player.speak(&thought.reply.text, &thought.reply.language).await,
            None => None,
        };
        let is_sound = sound.is_some();
        let twiml = writer.reply(spec, id.number, &thought.reply, records, sound);
        let kept = live::kept_text(&thought.reply.text, spec.compliance.redact);
        // The address of a sound tells nothing of its words.
        let kept_twiml = (!is_sound && kept != thought.reply.text).then(|| {
            let masked = Reply { text: kept.into_owned(), ..thought.reply.clone() };
            writer.reply(spec, id.number, &masked, records, None)
        });
        tracing::info!(
            turn = id.number, engine = %thought.reply.engine,
            reply_ms = thought.timings.reply_ms, "replied"
        );
        let answer = Answer {
            reply: thought.reply,
            timings: thought.timings,
            twiml,
            kept_twiml,
            end_reason: thought.end_reason,
            warned: thought.warned,
            disclosed,
            consent: thought.consent,
            rating: thought.rating,
            language: thought.language,
            redaction: scene.assistant.spec.compliance.redact,
            heard: true,
            ticket,
            used: player.map_or_else(Vec::new, |player| player.used()),
        };
        live::answer(&self.store, sid.clone(), id, answer, self.clock.now()).await.map_err(|error| {
            tracing::error!(turn = id.number, %error, causes = ?error.causes(), "a reply could not be stored");
        })
    }

    fn ringing(&self, request: &Incoming) -> Ringing {
        Ringing {
            sid: request.call_sid.clone(),
            from: request.from.clone(),
            to: request.to.clone(),
            at: self.clock.now(),
            account: request.account.clone(),
            spoofed: request.spoofed,
            direction: request.direction,
            outbound: request.outbound,
        }
    }

    /// Whether calls of an assistant go on over a socket.
    pub(super) fn has_socket(&self, spec: &AssistantSpec) -> bool {
        !self.webhooks_only && spec.voice.line != VoiceLine::Gather
    }

    /// A mouth of ours for what is said over webhooks, where the assistant's file names one.
    pub(super) fn player(&self, spec: &AssistantSpec, listener: &str) -> Option<Player> {
        if spec.voice.line != VoiceLine::Gather || !speaks_with_us(spec) {
            return None;
        }
        Player::new(self.voices.as_ref()?, spec, listener, &self.public_url, self.clock.now())
    }

    pub(super) fn writer<'a>(&'a self, sid: &'a CallSid) -> Writer<'a> {
        self.writer_with(sid, None, None)
    }

    pub(super) fn writer_with<'a>(
        &'a self,
        sid: &'a CallSid,
        ticket: Option<&'a Ticket>,
        player: Option<&'a Player>,
    ) -> Writer<'a> {
        Writer { public_url: &self.public_url, sid, ticket, player, caller: None }
    }
}
