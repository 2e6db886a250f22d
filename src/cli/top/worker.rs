//! Asks the desk, beside the screen: a daemon far away that is slow stops no key.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use jiff::{Timestamp, ZonedDateTime};

use crate::{
    cli::desk::{Desk, Span},
    domain::{
        AssistantId, AssistantSpec, Breakdown, Call, CallFilter, CallSid, CallStatus, Cost, Error,
        Latency, Result, Stage, WholeCall,
    },
    operations::assistants::AssistantOverview,
};

/// Calls in the list.
const CALLS: u64 = 200;

/// Live calls that are listed, of each state.
const LIVE: u64 = 50;

/// Live calls whose last words are looked up: those that go on longest.
const LOOKED_UP: usize = 8;

/// What the screen wants.
#[derive(Debug)]
pub(super) enum Ask {
    /// Everything, now.
    Look,
    /// One call, turn by turn.
    Open(CallSid),
    /// Let an assistant answer, or not.
    Switch(AssistantId, bool),
    /// A new assistant.
    Create(Box<AssistantSpec>),
}

/// A call in progress.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) call: Call,
    /// Who spoke last, and what was said.
    pub(super) last: Option<(&'static str, String)>,
}

/// How things stand.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) at: ZonedDateTime,
    pub(super) live: Vec<Live>,
    pub(super) today: Breakdown,
    pub(super) by_status: Vec<(CallStatus, u64)>,
    pub(super) latencies: Vec<Latency>,
    pub(super) cost: Cost,
    pub(super) assistants: Vec<AssistantOverview>,
    pub(super) calls: Vec<Call>,
}

impl Standing {
    /// How many calls go on, listed or not.
    pub(super) fn at_once(&self) -> u64 {
        self.assistants.iter().map(|one| one.live_calls).sum()
    }
}

/// What the worker brings.
#[derive(Debug)]
pub(super) enum News {
    Standing(Box<Standing>),
    Call(Box<WholeCall>),
    /// Something was done.
    Done(String),
    /// There is a new assistant.
    Created(String),
    /// Something could not be done, or looked at.
    Failed(Error),
}

pub(super) struct Worker {
    asks: Sender<Ask>,
    news: Receiver<News>,
}

/// Starts it. It ends when the screen is closed.
pub(super) fn start(desk: Box<dyn Desk>, now: ZonedDateTime, every: Duration) -> Worker {
    let (asks, asked) = mpsc::channel();
    let (tell, news) = mpsc::channel();
    std::thread::spawn(move || work(desk, &now, every, &asked, &tell));
    Worker { asks, news }
}

impl Worker {
    pub(super) fn news(&self) -> Option<News> {
        self.news.try_recv().ok()
    }

    pub(super) fn ask(&self, ask: Ask) {
        // It has ended only when the screen has.
        let _ = self.asks.send(ask);
    }
}

fn work(
    mut desk: Box<dyn Desk>,
    now: &ZonedDateTime,
    every: Duration,
    asked: &Receiver<Ask>,
    tell: &Sender<News>,
) {
    let mut look_at = Instant::now();
    loop {
        let wait = look_at.saturating_duration_since(Instant::now());
        let ask = match asked.recv_timeout(wait) {
            Ok(ask) => ask,
            Err(RecvTimeoutError::Timeout) => Ask::Look,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let now = Timestamp::now().to_zoned_datetime(now.time_zone().clone());
        desk.at(now.timestamp());
        let look = !matches!(ask, Ask::Open(_));
        let news = match ask {
            Ask::Look => None,
            ask => Some(done(desk.as_ref(), ask).unwrap_or_else(News::Failed)),
        };
        let looked = look.then(|| {
            look_at = Instant::now() + every;
            standing(desk.as_ref(), now).map_or_else(News::Failed, |s| News::Standing(Box::new(s)))
        });
        if news.into_iter().chain(looked).any(|news| tell.send(news).is_err()) {
            return;
        }
    }
}

fn done(desk: &dyn Desk, ask: Ask) -> Result<News> {
    Ok(match ask {
        Ask::Look => News::Done(String::new()),
        Ask::Open(sid) => News::Call(Box::new(desk.call(sid.as_str())?)),
        Ask::Switch(id, active) => {
            let name = desk.switch(id, active)?.spec.name;
            let word = if active { "answers" } else { "does not answer any more" };
            News::Done(format!("{name} {word}."))
        }
        Ask::Create(spec) => {
            crate::provision::check_spec(&spec)?;
            let spec = desk.create(*spec, None)?.spec;
            News::Created(format!("Created {}, which answers {}.", spec.name, spec.phone))
        }
    })
}

fn standing(desk: &dyn Desk, at: ZonedDateTime) -> Result<Standing> {
    let midnight = at.start_of_day().map_or(at.timestamp(), |day| day.timestamp());
    let span = Span { since: Some(midnight), ..Span::default() };
    let stats = desk.stats(span, None, false, at.time_zone())?;
    let of =
        |status| CallFilter { status: Some(status), limit: Some(LIVE), ..CallFilter::default() };
    let mut live = desk.calls(&of(CallStatus::InProgress))?.calls;
    live.extend(desk.calls(&of(CallStatus::Ringing))?.calls);
    live.sort_by_key(|call| call.started_at);
    // Of more, the last words would cost more requests than a key may make.
    let live = live
        .into_iter()
        .enumerate()
        .map(|(n, call)| {
            let whole = (n < LOOKED_UP).then(|| desk.call(call.sid.as_str()).ok()).flatten();
            Live { last: whole.and_then(|whole| last_words(&whole.turns)), call }
        })
        .collect();
    let mut latencies = desk.latencies(span, None)?;
    latencies.retain(|one| matches!(one.stage, Stage::Felt | Stage::Reply | Stage::FirstToken));
    let recent = CallFilter { limit: Some(CALLS), ..CallFilter::default() };
    Ok(Standing {
        live,
        today: stats.total,
        by_status: stats.by_status,
        latencies,
        cost: desk.costs(span, None)?.total.cost,
        assistants: desk.assistants()?,
        calls: desk.calls(&recent)?.calls,
        at,
    })
}

/// What was said last, by whom.
fn last_words(turns: &[crate::domain::Turn]) -> Option<(&'static str, String)> {
    let turn = turns.last()?;
    if let Some(said) = turn.said.as_ref().filter(|said| !said.is_empty()) {
        return Some(("assistant", said.clone()));
    }
    let heard = turn.heard.as_ref().map(crate::domain::Heard::text)?;
    Some(("caller", heard.to_owned()))
}
