//! What monitoring looks at: what happened since it last looked, and how the store stands.

use crate::{
    domain::{Actor, Call, EventId, Happening, Result, Sight, Turn, TurnId, WholeCall},
    store::{Store, calls, events, figures, turns},
};

use super::calls::whole;

/// Events in one reading.
const AT_ONCE: u32 = 200;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Observed {
    /// The caller was answered.
    Turn {
        /// In which call.
        call: Box<Call>,
        /// The turn.
        turn: Box<Turn>,
    },
    /// A call is over.
    End(Box<WholeCall>),
}

/// How the store stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Calls in progress.
    pub live_calls: u64,
    /// Assistants that answer.
    pub active: u64,
    /// Deliveries on their way.
    pub pending: u64,
    /// The size of the database.
    pub bytes: u64,
    /// The size of its write-ahead log.
    pub wal_bytes: u64,
}

/// The last event of all: where looking begins.
pub async fn newest(store: &Store) -> Result<EventId> {
    store.read_async(events::newest).await
}

/// What happened after an event, and the last event looked at.
pub async fn after(store: &Store, last: EventId) -> Result<(Vec<Observed>, EventId)> {
    let (told, last) =
        store.read_async(move |tx| events::after(tx, last, Sight::All, AT_ONCE)).await?;
    if told.is_empty() {
        return Ok((Vec::new(), last));
    }
    let store = store.clone();
    let read = move || {
        let mut happened = Vec::new();
        for event in told {
            match event.happening {
                Happening::Ring => {}
                Happening::Turn { number, .. } => {
                    let found = store.read(|tx| {
                        let Some(call) = calls::by_sid(tx, &event.call)? else { return Ok(None) };
                        let turn = turns::get(tx, TurnId { call: call.id, number })?;
                        Ok(turn.map(|turn| (call, turn)))
                    })?;
                    if let Some((call, turn)) = found {
                        let (call, turn) = (Box::new(call), Box::new(turn));
                        happened.push(Observed::Turn { call, turn });
                    }
                }
                Happening::End => {
                    let call = whole(&store, &Actor::webox("monitoring"), &event.call)?;
                    happened.push(Observed::End(Box::new(call)));
                }
            }
        }
        Ok(happened)
    };
    let happened = tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| {
        Err(crate::domain::Error::failure("a read was broken off").because(error))
    })?;
    Ok((happened, last))
}

/// How the store stands now. Must not be called from async code.
pub fn standing(store: &Store) -> Result<Standing> {
    let length = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let mut wal = store.path().as_os_str().to_owned();
    wal.push("-wal");
    let (live_calls, active, pending) = store.read(figures::standing)?;
    Ok(Standing {
        live_calls,
        active,
        pending,
        bytes: length(store.path()),
        wal_bytes: length(std::path::Path::new(&wal)),
    })
}
