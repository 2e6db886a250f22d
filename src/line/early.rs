//! Models asked early, about what a caller has probably said: of use when it was so, thrown away and
//! accounted for when it was not.

use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    task::JoinHandle,
};

use super::voice::Line;
use crate::{
    conversation::{engine::Scene, head_start::HeadStart},
    domain::{Attempt, CallSid, Heard, TurnId},
    operations::live::{self, OpenTurn},
};

/// What became of a model that was asked early.
enum Asked {
    /// It may be of use.
    InTime(HeadStart),
    /// It was not.
    InVain(Attempt),
}

/// Ends once it is known what was said; nothing when nobody was asked.
type Task = JoinHandle<Option<Asked>>;

/// Those of one call.
#[derive(Default)]
pub(super) struct Early {
    now: Option<Guess>,
    /// Asked for nothing, to be noted with the next turn.
    in_vain: Vec<Task>,
}

struct Guess {
    text: String,
    /// Told that it was so; dropped when it was not.
    was_so: oneshot::Sender<()>,
    task: Task,
}

/// All of them, once it is known what was said.
pub(super) struct Decided(Vec<Task>);

impl Early {
    /// This has probably been said; the turn would be `number`, and begin when `before` has ended.
    pub(super) fn expect(
        &mut self,
        line: &Line,
        heard: Heard,
        before: impl Future<Output = ()> + Send + 'static,
        (sid, number): (CallSid, u32),
    ) {
        let Heard::Speech { text, .. } = &heard else { return };
        if self.now.as_ref().is_some_and(|guess| guess.text == *text) {
            return;
        }
        self.expect_no_longer();
        let (text, line) = (text.clone(), line.clone());
        let (was_so, mut decided) = oneshot::channel();
        let task = async move {
            before.await;
            let scene = line.scene(sid, number, heard).await?;
            // It may be known by now.
            let was_so = match decided.try_recv() {
                Err(TryRecvError::Closed) => return None,
                Err(TryRecvError::Empty) => false,
                Ok(()) => true,
            };
            let early = line.engine.head_start(&scene)?;
            Some(if was_so || decided.await.is_ok() {
                Asked::InTime(early)
            } else {
                Asked::InVain(early.in_vain())
            })
        };
        let task = tokio::spawn(tracing::Instrument::in_current_span(task));
        self.now = Some(Guess { text, was_so, task });
    }

    /// The caller goes on.
    pub(super) fn expect_no_longer(&mut self) {
        if let Some(Guess { task, .. }) = self.now.take() {
            self.in_vain.push(task);
        }
    }

    /// This is what was heard.
    pub(super) fn decided(&mut self, heard: &Heard) -> Decided {
        if let Some(Guess { text, was_so, task }) = self.now.take() {
            if matches!(heard, Heard::Speech { text: said, .. } if *said == text) {
                // It may have found nobody to ask, and have ended.
                let _ = was_so.send(());
            }
            self.in_vain.push(task);
        }
        Decided(std::mem::take(&mut self.in_vain))
    }
}

impl Decided {
    /// The one that is of use, and those that were not.
    pub(super) async fn asked(self) -> (Option<HeadStart>, Vec<Attempt>) {
        let (mut in_time, mut in_vain) = (None, Vec::new());
        for task in self.0 {
            match task.await.ok().flatten() {
                Some(Asked::InTime(early)) => in_time = Some(early),
                Some(Asked::InVain(attempt)) => in_vain.push(attempt),
                None => {}
            }
        }
        (in_time, in_vain)
    }
}

impl Line {
    async fn scene(&self, sid: CallSid, number: u32, heard: Heard) -> Option<Scene> {
        // What cannot be read now is read again, and told of, when the turn begins.
        let turn = live::expect(&self.store, self.engine.library(), sid, number, heard);
        let turn = turn.await.ok()??;
        let now = self.clock.now();
        let OpenTurn { call, assistant, history, heard, known, found, errand, .. } = turn;
        let lasted = self.lengths.of(&call.sid, call.started_at, now);
        Some(Scene { call, assistant, history, heard, now, lasted, known, found, errand })
    }

    /// Notes models that were asked for nothing, with the last turn of their call.
    pub(super) async fn note_in_vain(&self, last: TurnId, attempts: Vec<Attempt>) {
        if attempts.is_empty() {
            return;
        }
        let noted = live::asked_besides(&self.store, last, attempts, self.clock.now()).await;
        if let Err(error) = noted {
            tracing::error!(turn = last.number, %error, "models asked for nothing could not be stored");
        }
    }
}
