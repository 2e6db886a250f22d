//! A call as a trace: the call is the root, its turns are below it, and below each turn what the caller
//! waited for, stage by stage, and what was asked meanwhile. No words and no numbers of callers.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::{Call, CallOutcome, CallStatus, Outcome, Turn, WholeCall};

/// A piece of a trace.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) name: String,
    pub(super) begun: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) failed: bool,
    pub(super) attributes: Vec<(&'static str, Value)>,
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Made of what a call is called: told again, or by another process, it is the same trace.
fn digest(call: &Call, what: &str) -> [u8; 32] {
    Sha256::new().chain_update(call.sid.as_str()).chain_update(what).finalize().into()
}

fn first<const N: usize>(digest: [u8; 32]) -> [u8; N] {
    let mut id = [0; N];
    id.copy_from_slice(&digest[..N]);
    id
}

struct Trace<'c> {
    call: &'c Call,
    id: [u8; 16],
    spans: Vec<Span>,
}

impl Trace<'_> {
    fn add(
        &mut self,
        name: impl Into<String>,
        (key, parent): (&str, Option<[u8; 8]>),
        (begun, ended): (Timestamp, Timestamp),
    ) -> &mut Span {
        self.spans.push(Span {
            trace: self.id,
            id: first(digest(self.call, key)),
            parent,
            name: name.into(),
            begun,
            ended: ended.max(begun),
            failed: false,
            attributes: Vec::new(),
        });
        let last = self.spans.len() - 1;
        &mut self.spans[last]
    }
}

fn after(at: Timestamp, ms: u32) -> Timestamp {
    at.checked_add(jiff::SignedDuration::from_millis(i64::from(ms))).unwrap_or(at)
}

/// The spans of a call that is over, the root first.
pub(super) fn of(whole: &WholeCall, now: Timestamp) -> Vec<Span> {
    let call = &whole.call;
    let mut trace = Trace { call, id: first(digest(call, "trace")), spans: Vec::new() };
    let ended = call.ended_at.unwrap_or(now);
    let root = trace.add("call", ("call", None), (call.started_at, ended));
    root.attributes = vec![
        ("webox.call.sid", call.sid.as_str().into()),
        ("webox.assistant", call.assistant.as_str().into()),
        ("webox.line", call.line.as_str().into()),
        ("webox.language", call.language.as_str().into()),
        ("webox.direction", call.direction.as_str().into()),
        ("webox.status", call.status.as_str().into()),
        ("webox.turns", Value::Whole(whole.turns.len() as i64)),
    ];
    if let Some(outcome) = call.after.outcome {
        root.attributes.push(("webox.outcome", outcome.as_str().into()));
    }
    if let Some(cost) = &call.cost {
        root.attributes.push(("webox.cost.eur", Value::Real(cost.cost.eur.get() as f64 / 1e6)));
    }
    root.failed =
        call.status == CallStatus::Failed || call.after.outcome == Some(CallOutcome::Failed);
    let root = root.id;
    for turn in &whole.turns {
        add_turn(&mut trace, root, turn);
    }
    trace.spans
}

/// A turn begins when the caller stops speaking, or when its greeting is due.
fn add_turn(trace: &mut Trace<'_>, root: [u8; 8], turn: &Turn) {
    let key = |what: &str| format!("turn/{}/{what}", turn.number);
    let times = &turn.timings;
    // Times count from the moment that the words were known.
    let known = turn.heard_at;
    let stopped = times.words_ms.map_or(known, |ms| before(known, ms));
    let last =
        [times.first_token_ms, times.sentence_ms, times.audio_ms, times.frame_ms, times.reply_ms];
    let ended = after(known, last.into_iter().flatten().max().unwrap_or(0));
    let name = if turn.heard.is_some() { "turn" } else { "greeting" };
    let span = trace.add(name, (&key(""), Some(root)), (stopped, ended));
    span.attributes = vec![
        ("webox.turn.number", Value::Whole(i64::from(turn.number))),
        ("webox.language", turn.language.as_str().into()),
        ("gen_ai.usage.input_tokens", Value::Whole(i64::from(turn.usage.input))),
        ("gen_ai.usage.output_tokens", Value::Whole(i64::from(turn.usage.output))),
    ];
    for (name, value) in
        [("webox.engine", &turn.engine), ("webox.ear", &turn.ear), ("webox.mouth", &turn.mouth)]
    {
        if let Some(value) = value {
            span.attributes.push((name, value.as_str().into()));
        }
    }
    let parent = Some(span.id);
    let mut stage = |name: &'static str, from: Timestamp, to: Option<Timestamp>| {
        if let Some(to) = to {
            trace.add(name, (&key(name), parent), (from, to));
        }
    };
    stage("endpointing", stopped, times.endpoint_ms.map(|ms| after(stopped, ms)));
    let endpoint = times.endpoint_ms.map_or(stopped, |ms| after(stopped, ms));
    stage("transcription", endpoint, times.words_ms.map(|_| known));
    stage("first token", known, times.first_token_ms.map(|ms| after(known, ms)));
    let token = after(known, times.first_token_ms.unwrap_or(0));
    stage("first sentence", token, times.sentence_ms.map(|ms| after(known, ms)));
    let sentence = after(known, times.sentence_ms.or(times.first_token_ms).unwrap_or(0));
    stage("speech", sentence, times.audio_ms.map(|ms| after(known, ms)));
    let audio = after(known, times.audio_ms.unwrap_or(0));
    stage("first frame", audio, times.frame_ms.map(|ms| after(known, ms)));
    // When each was asked is not kept: one after the other, which is how a chain asks.
    let mut asked = known;
    for (n, attempt) in turn.attempts.iter().enumerate() {
        let answered = after(asked, attempt.total_ms);
        let name = format!("chat {}", attempt.model);
        let span = trace.add(name, (&key(&format!("model/{n}")), parent), (asked, answered));
        span.attributes = vec![
            ("gen_ai.request.model", attempt.model.as_str().into()),
            ("webox.outcome", attempt.outcome.as_str().into()),
            ("gen_ai.usage.input_tokens", Value::Whole(i64::from(attempt.usage.input))),
            ("gen_ai.usage.output_tokens", Value::Whole(i64::from(attempt.usage.output))),
        ];
        span.failed = attempt.outcome != Outcome::Answered;
        asked = answered;
    }
    for (n, tool) in turn.tools.iter().enumerate() {
        // How long each took is not kept.
        let name = format!("execute_tool {}", tool.tool);
        let span = trace.add(name, (&key(&format!("tool/{n}")), parent), (known, known));
        span.attributes = vec![("gen_ai.tool.name", tool.tool.as_str().into())];
    }
}

fn before(at: Timestamp, ms: u32) -> Timestamp {
    at.checked_sub(jiff::SignedDuration::from_millis(i64::from(ms))).unwrap_or(at)
}
