//! Many calls at once, as Twilio would bring them, and how well they are answered: `webox bench`.
//!
//! The callers are in this process, one task each; the daemon is in another. How late the callers
//! themselves were is measured with them: a machine that is too busy to call is no fault of the
//! daemon.

mod callers;
mod figures;
mod own;
mod process;
pub(super) mod stubs;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

pub use figures::{Failure, Failures, Quantiles, Spread};
pub use own::{Manner, OwnDaemon};
pub use process::Usage;
pub use stubs::Delays;

use super::Lateness;
use crate::{
    domain::{Error, PhoneNumber, Result, VoiceLine},
    twilio::caller::Caller,
};
use figures::{Tally, milliseconds};

/// Between two looks at the daemon's memory, and at the clock.
const LOOK: Duration = Duration::from_millis(250);

/// Between two moments at which this process checks how late it is.
const CHECK: Duration = Duration::from_millis(10);

/// What is to be played.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How speech travels.
    pub line: VoiceLine,
    /// Calls at the same time.
    pub calls: u32,
    /// How long each of them lasts.
    pub length: Duration,
    /// The first to the last of them ring within this.
    pub ramp: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            line: VoiceLine::Gather,
            calls: 10,
            length: Duration::from_secs(30),
            ramp: Duration::from_secs(5),
        }
    }
}

/// Whom to call.
#[derive(Debug, Clone)]
pub struct Target {
    /// A Twilio that the daemon believes.
    pub caller: Caller,
    /// The assistant's number.
    pub number: PhoneNumber,
    /// The daemon's process, when it is on this machine and known.
    pub pid: Option<u32>,
    /// What of an answer's time is not webox's: providers of fixed delay, and the silence by which
    /// the end of an utterance is known. Nothing where it is not known.
    pub not_ours: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How speech travelled.
    pub line: VoiceLine,
    /// Calls that were made.
    pub calls: u64,
    /// Calls with which something was wrong.
    pub failed: u64,
    /// What was wrong, by kind.
    pub failures: BTreeMap<Failure, Failures>,
    /// Questions that were asked.
    pub turns: u64,
    /// From the first ring to the last goodbye.
    pub seconds: f64,
    /// From the ring, or the start of the stream, to the greeting.
    pub greeting: Option<Quantiles>,
    /// From the end of a question to the beginning of the answer.
    pub answer: Option<Quantiles>,
    /// The same, without what providers took and without the silence that ends an utterance.
    pub own_share: Option<Quantiles>,
    /// What was taken off, in milliseconds.
    pub not_ours_ms: Option<f64>,
    /// What is only there with sound.
    pub sound: Option<Sound>,
    /// The callers' process.
    pub client: Client,
    /// The daemon's process, where it could be looked at.
    pub daemon: Option<Process>,
}

impl Report {
    /// What a limit is held against: webox's own share where it is known, the answers otherwise.
    pub fn judged(&self) -> Option<Quantiles> {
        self.own_share.or(self.answer)
    }
}

/// What is only there with sound.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Sound {
    /// From the first sound of a caller who interrupts, until the assistant is told to be silent.
    pub barge_in: Option<Quantiles>,
    /// Interruptions that the assistant went on over.
    pub not_cleared: u64,
    /// Messages with sound that were sent to the callers.
    pub messages: u64,
    /// Those that came too late to be played without a hole.
    pub late: u64,
    /// The longest hole.
    pub longest_gap_ms: f64,
}

/// How the callers' own process did.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Client {
    /// How late half of its moments were.
    pub late_p50_ms: f64,
    /// How late 99 in a hundred were, at most.
    pub late_p99_ms: f64,
    /// The latest.
    pub late_max_ms: f64,
    /// What it took of one processor, in percent.
    pub processor_percent: Option<f64>,
}

/// What the daemon took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Process {
    /// Of one processor, in percent, over the whole time.
    pub processor_percent: f64,
    /// The same for one call that is up.
    pub processor_percent_per_call: f64,
    /// Memory before the first call, in kilobytes.
    pub idle_kb: u64,
    /// Memory at most.
    pub most_kb: u64,
    /// What one call added.
    pub kb_per_call: f64,
}

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Calls that rang.
    pub begun: u32,
    /// Those that are over.
    pub ended: u32,
}

/// Starts a daemon on a line, in a process of its own, with providers of fixed delay.
pub async fn own_daemon(line: VoiceLine, manner: Manner) -> Result<OwnDaemon> {
    let program = std::env::current_exe()
        .map_err(|error| Error::failure("this program is not to be found").because(error))?;
    OwnDaemon::start(&program, line, manner, callers::QUESTION).await
}

/// Plays all calls, and tells how far it has come. Ends by itself.
pub async fn run(plan: Plan, target: &Target, mut tell: impl FnMut(Progress)) -> Report {
    let twilio = Arc::new(target.caller.clone());
    let usage = || target.pid.and_then(|pid| Usage::of(Some(pid)));
    let (daemon_before, own_before) = (usage(), Usage::of(None));
    let mut most_kb = daemon_before.map_or(0, |usage| usage.resident_kb);
    let begun = Instant::now();
    let watch = Watch::begin();
    let mut calls = JoinSet::new();
    for place in 0..plan.calls {
        let (twilio, number) = (Arc::clone(&twilio), target.number.clone());
        let ring = plan.ramp.mul_f64(f64::from(place) / f64::from(plan.calls.max(1)));
        calls.spawn(async move {
            tokio::time::sleep(ring).await;
            callers::play(plan, twilio, number, place).await
        });
    }
    let mut all = Tally::default();
    let mut look = tokio::time::interval(LOOK);
    let mut ended = 0;
    loop {
        tokio::select! {
            done = calls.join_next() => match done {
                None => break,
                Some(Ok(tally)) => {
                    ended += 1;
                    all.add(tally);
                }
                Some(Err(error)) => {
                    ended += 1;
                    let mut broken = Tally { calls: 1, ..Tally::default() };
                    broken.fail(Failure::Stuck, format!("a caller broke off: {error}"));
                    all.add(broken);
                }
            },
            _ = look.tick() => {
                most_kb = most_kb.max(usage().map_or(0, |usage| usage.resident_kb));
                let share = begun.elapsed().as_secs_f64() / plan.ramp.as_secs_f64().max(0.001);
                let rung = (share.min(1.0) * f64::from(plan.calls)) as u32;
                tell(Progress { begun: rung.max(ended), ended });
            }
        }
    }
    let time = begun.elapsed();
    all.lateness.add(&watch.end().await);
    let percent = |before: Option<Usage>, after: Option<Usage>| {
        let used = after?.processor.saturating_sub(before?.processor);
        Some(used.as_secs_f64() / time.as_secs_f64().max(0.001) * 100.0)
    };
    let daemon = percent(daemon_before, usage()).zip(daemon_before).map(|(percent, before)| {
        // Calls that are up, on average and at most.
        let average = all.up.as_secs_f64() / time.as_secs_f64().max(0.001);
        Process {
            processor_percent: hundredth(percent),
            processor_percent_per_call: hundredth(percent / average.max(0.001)),
            idle_kb: before.resident_kb,
            most_kb,
            kb_per_call: hundredth(
                most_kb.saturating_sub(before.resident_kb) as f64 / f64::from(plan.calls.max(1)),
            ),
        }
    });
    report(plan, target, all, time, percent(own_before, Usage::of(None)), daemon)
}

fn report(
    plan: Plan,
    target: &Target,
    all: Tally,
    time: Duration,
    processor_percent: Option<f64>,
    daemon: Option<Process>,
) -> Report {
    let own_share = target.not_ours.and_then(|share| all.answers.less(share).quantiles());
    let late = |share| milliseconds(all.lateness.quantile(share));
    Report {
        line: plan.line,
        calls: all.calls,
        failed: all.failed,
        turns: all.turns,
        seconds: hundredth(time.as_secs_f64()),
        greeting: all.greeting.quantiles(),
        answer: all.answers.quantiles(),
        own_share,
        not_ours_ms: target.not_ours.map(milliseconds),
        sound: (plan.line == VoiceLine::Stream).then(|| Sound {
            barge_in: all.barge_in.quantiles(),
            not_cleared: all.not_cleared,
            messages: all.gaps.messages,
            late: all.gaps.late,
            longest_gap_ms: milliseconds(all.gaps.longest),
        }),
        client: Client {
            late_p50_ms: late(0.5),
            late_p99_ms: late(0.99),
            late_max_ms: milliseconds(all.lateness.latest()),
            processor_percent: processor_percent.map(hundredth),
        },
        daemon,
        failures: all.failures,
    }
}

fn hundredth(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Looks at the clock while the callers call: how late a task of this process is woken.
struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Lateness>,
}

impl Watch {
    fn begin() -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut lateness = Lateness::default();
            let mut ticks = tokio::time::interval(CHECK);
            loop {
                tokio::select! {
                    due = ticks.tick() => lateness.record(due.elapsed()),
                    _ = &mut stopped => return lateness,
                }
            }
        });
        Self { stop, task }
    }

    async fn end(self) -> Lateness {
        // It is there until it is told to stop.
        let _ = self.stop.send(());
        self.task.await.unwrap_or_default()
    }
}
