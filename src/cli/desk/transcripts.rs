//! What commands ask about what was said.

use super::{Local, Remote};
use crate::{
    api::Transcripts,
    domain::{Error, Result, TranscriptPage, TranscriptQuery},
    operations::transcripts,
};

/// What was said, searched.
#[rustfmt::skip]
pub(in crate::cli) trait TranscriptsDesk {
    /// A page of the turns that match, of as many as the query says.
    fn search_transcripts(&self, query: &TranscriptQuery) -> Result<TranscriptPage>;
}

impl TranscriptsDesk for Local {
    fn search_transcripts(&self, query: &TranscriptQuery) -> Result<TranscriptPage> {
        transcripts::search(&self.store, &self.actor, query)
    }
}

impl TranscriptsDesk for Remote {
    fn search_transcripts(&self, query: &TranscriptQuery) -> Result<TranscriptPage> {
        let ask = self.client.get(&["transcripts", "search"]);
        let answer: Transcripts = ask
            .query("q", Some(&query.words))
            .query("since", query.since)
            .query("until", query.until)
            .query("assistant_id", query.assistant.map(|id| id.0))
            .query("limit", Some(query.limit))
            .query("cursor", query.before)
            .send()?;
        let next = answer
            .next
            .map(|place| place.parse())
            .transpose()
            .map_err(|_| Error::failure("the daemon answered a place that is none"))?;
        Ok(TranscriptPage { hits: answer.hits, next })
    }
}
