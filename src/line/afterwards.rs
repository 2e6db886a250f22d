//! What came of calls, said better by a model: after the call, off every caller's path.

use futures_util::future::join_all;

use super::Line;
use crate::{domain::Result, operations::afterwards};

impl Line {
    /// Asks models about calls that are over, a few at a time, each once; answers how many.
    pub async fn look_back(&self) -> Result<usize> {
        let ended = afterwards::due(&self.store).await?;
        let asked = ended.iter().map(|one| async {
            let (said, attempt) = self.engine.look_back(one).await;
            let now = self.clock.now();
            afterwards::summarise(&self.store, one, said, attempt, now).await?;
            Ok(())
        });
        let done: Vec<Result<()>> = join_all(asked).await;
        let many = done.len();
        done.into_iter().collect::<Result<()>>()?;
        Ok(many)
    }
}
