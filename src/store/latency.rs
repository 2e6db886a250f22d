//! How long turns took.

use rusqlite::params;

use super::{StoreError, Tx, stats::Window};
use crate::domain::{AssistantId, TurnTimings};

/// The newest turns that are looked at: enough for any percentile.
const MOST: u32 = 500_000;

/// A turn's waits, and for whom.
#[derive(Debug, Clone)]
pub struct Waited {
    /// Whose turn.
    pub assistant: AssistantId,
    /// How long it took.
    pub timings: TurnTimings,
    /// Who heard.
    pub ear: Option<String>,
    /// Who thought.
    pub engine: Option<String>,
    /// Who spoke.
    pub mouth: Option<String>,
}

/// Hands over the turns of a window in which something was heard, newest calls first, one after the
/// other: there may be hundreds of thousands.
pub fn each_turn(tx: &Tx, window: &Window, mut take: impl FnMut(Waited)) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT c.assistant_id, t.endpoint_ms, t.words_ms, t.first_token_ms, t.sentence_ms,
                t.audio_ms, t.frame_ms, t.reply_ms, t.ear, t.engine, t.mouth
         FROM calls c JOIN turns t ON t.call_id = c.id
         WHERE c.started_at >= ?1 AND c.started_at < ?2 AND (?3 IS NULL OR c.assistant_id = ?3)
           AND (?4 IS NULL OR c.assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?4))
           AND t.heard_kind IN ('speech', 'digits') AND t.reply_ms IS NOT NULL
         ORDER BY c.started_at DESC LIMIT ?5",
    )?;
    let since = window.since.map_or(i64::MIN, jiff::Timestamp::as_millisecond);
    let until = window.until.map_or(i64::MAX, jiff::Timestamp::as_millisecond);
    let values = params![since, until, window.assistant.map(|id| id.0), window.sight.owner(), MOST];
    let rows = statement.query_map(values, |row| {
        take(Waited {
            assistant: AssistantId(row.get(0)?),
            timings: TurnTimings {
                endpoint_ms: row.get(1)?,
                words_ms: row.get(2)?,
                first_token_ms: row.get(3)?,
                sentence_ms: row.get(4)?,
                audio_ms: row.get(5)?,
                frame_ms: row.get(6)?,
                reply_ms: row.get(7)?,
            },
            ear: row.get(8)?,
            engine: row.get(9)?,
            mouth: row.get(10)?,
        });
        Ok(())
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
