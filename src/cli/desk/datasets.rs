//! What commands take out of the store as rows.

use super::{Local, Remote, client::Answering};
use crate::{
    domain::Result,
    operations::datasets::{self, Export, Wanted},
};

/// A part of an export.
#[derive(Debug)]
pub(in crate::cli) struct Part {
    /// The bytes.
    pub(in crate::cli) bytes: Vec<u8>,
    /// How many rows were read for it; nothing where only the daemon knows.
    pub(in crate::cli) rows: Option<u64>,
}

/// The parts of an export, one after the other.
pub(in crate::cli) trait Parts {
    /// The next one; nothing when all is there.
    fn next(&mut self) -> Result<Option<Part>>;
    /// How many rows there are in all; nothing where only the daemon knows.
    fn count(&self) -> Result<Option<u64>>;
}

/// Rows for other programs.
#[rustfmt::skip]
pub(in crate::cli) trait DatasetsDesk {
    fn export(&self, wanted: &Wanted) -> Result<Box<dyn Parts + '_>>;
}

impl DatasetsDesk for Local {
    fn export(&self, wanted: &Wanted) -> Result<Box<dyn Parts + '_>> {
        let readers = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Box::new(datasets::begin(&self.store, &self.actor, wanted, readers, self.now)?))
    }
}

impl Parts for Export {
    fn next(&mut self) -> Result<Option<Part>> {
        let part = self.part()?;
        Ok(part.map(|part| Part { bytes: part.bytes, rows: Some(part.rows) }))
    }

    fn count(&self) -> Result<Option<u64>> {
        Self::count(self).map(Some)
    }
}

impl DatasetsDesk for Remote {
    fn export(&self, wanted: &Wanted) -> Result<Box<dyn Parts + '_>> {
        let answering = self
            .client
            .get(&["export", wanted.dataset.as_str()])
            .query("format", Some(wanted.format))
            .query("since", wanted.since)
            .query("until", wanted.until)
            .query("assistant_id", wanted.assistant.map(|id| id.0))
            .query("redact", wanted.redact.then_some(true))
            .stream()?;
        Ok(Box::new(answering))
    }
}

impl Parts for Answering<'_> {
    fn next(&mut self) -> Result<Option<Part>> {
        let piece = self.piece()?;
        Ok(piece.map(|bytes| Part { bytes: bytes.into(), rows: None }))
    }

    fn count(&self) -> Result<Option<u64>> {
        Ok(None)
    }
}
