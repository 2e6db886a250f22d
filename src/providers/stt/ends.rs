//! The two ends of an ear, and the task between them.

use futures_util::stream;
use tokio::sync::mpsc;

use super::{Heard, Listening, Sound, errors};
use crate::{domain::Secret, providers::speech::SpeechError};

/// Ten seconds of frames: more than any connection is waited for.
const SOUNDS: usize = 512;

/// More than one utterance brings, so that an ear does not wait for a reader who thinks.
const HEARD: usize = 256;

/// Why an ear stopped.
pub(super) enum Over {
    /// It failed.
    Failed(SpeechError),
    /// Nobody listens to what it understands any more.
    Unheard,
}

impl From<SpeechError> for Over {
    fn from(error: SpeechError) -> Self {
        Self::Failed(error)
    }
}

/// Tells what was understood.
#[derive(Clone)]
pub(super) struct Teller(mpsc::Sender<Result<Heard, SpeechError>>);

impl Teller {
    pub(super) async fn tell(&self, heard: Heard) -> Result<(), Over> {
        self.0.send(Ok(heard)).await.map_err(|_| Over::Unheard)
    }

    pub(super) async fn tell_all(&self, heard: Vec<Heard>) -> Result<(), Over> {
        for heard in heard {
            self.tell(heard).await?;
        }
        Ok(())
    }

    /// Returns when nobody listens any more.
    pub(super) async fn unheard(&self) {
        self.0.closed().await;
    }
}

/// Runs an ear in a task of its own. Its error is the last thing told, with `key` hidden in it.
pub(super) fn listening<F, Work>(key: Option<Secret>, work: F) -> Listening
where
    F: FnOnce(mpsc::Receiver<Sound>, Teller) -> Work,
    Work: Future<Output = Result<(), Over>> + Send + 'static,
{
    let (sound, sounds) = mpsc::channel(SOUNDS);
    let (heard, mut told) = mpsc::channel(HEARD);
    let teller = Teller(heard);
    let work = work(sounds, teller.clone());
    let task = async move {
        if let Err(Over::Failed(error)) = work.await {
            // If nobody listens, nobody minds.
            let _ = teller.0.send(Err(errors::presentable(error, key.as_ref()))).await;
        }
    };
    tokio::spawn(tracing::Instrument::in_current_span(task));
    Listening { sound, heard: Box::pin(stream::poll_fn(move |context| told.poll_recv(context))) }
}
