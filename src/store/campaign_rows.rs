//! The people in campaigns: who waits, who is called, what came of it.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{
    StoreError, Tx,
    assistants::time,
    campaigns::{moment, parsed, word},
};
use crate::domain::{
    AssistantId, CallContext, CallSid, CampaignEntry, CampaignId, CampaignRow, CampaignRowId,
    CampaignRowState, CampaignState, HumanDuration, OutboundId, OutboundState, Overlap,
    PhoneNumber, Sight,
};

/// Which people of a campaign.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowFilter {
    /// Standing so.
    pub state: Option<CampaignRowState>,
    /// After this one.
    pub after: Option<CampaignRowId>,
    /// So many at most.
    pub limit: Option<u64>,
}

const ROW: &str = "r.id, r.line, r.number, r.context, r.state, r.attempts, r.last, r.why, r.due_at, \
                   r.outbound_id, (SELECT call_sid FROM outbound_calls WHERE id = r.outbound_id)";

fn read_row(row: &Row<'_>) -> Result<CampaignRow, StoreError> {
    let number: String = row.get(2)?;
    let context: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&row.get::<_, String>(3)?)?;
    Ok(CampaignRow {
        id: CampaignRowId(row.get(0)?),
        line: row.get(1)?,
        number: PhoneNumber::from_e164(&number)
            .ok_or_else(|| StoreError::Row("a row of a campaign has no number".to_owned()))?,
        context: CallContext::try_from(context).map_err(StoreError::User)?,
        state: word(row, 4)?,
        attempts: row.get(5)?,
        last: parsed(row, 6)?,
        why: row.get(7)?,
        due_at: time(row.get(8)?)?,
        outbound: row.get::<_, Option<i64>>(9)?.map(OutboundId),
        call: parsed::<CallSid>(row, 10)?,
    })
}

fn many_rows(
    tx: &Tx,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<CampaignRow>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_row(row)?);
    }
    Ok(found)
}

/// People of a campaign, as the file has them.
pub fn rows(tx: &Tx, id: CampaignId, filter: &RowFilter) -> Result<Vec<CampaignRow>, StoreError> {
    let limit = filter.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
    let sql = format!(
        "SELECT {ROW} FROM campaign_rows r WHERE r.campaign_id = ?1
         AND (?2 IS NULL OR r.state = ?2) AND r.id > ?3 ORDER BY r.id LIMIT ?4"
    );
    let after = filter.after.map_or(0, |id| id.0);
    let state = filter.state.map(CampaignRowState::as_str);
    many_rows(tx, &sql, params![id.0, state, after, limit])
}

/// Those of a campaign who may be called by now, as far as the rows say.
pub fn due(
    tx: &Tx,
    id: CampaignId,
    now: Timestamp,
    most: u32,
) -> Result<Vec<CampaignRow>, StoreError> {
    let sql = format!(
        "SELECT {ROW} FROM campaign_rows r WHERE r.campaign_id = ?1 AND r.state = 'waiting'
         AND r.due_at <= ?2 ORDER BY r.due_at, r.id LIMIT ?3"
    );
    many_rows(tx, &sql, params![id.0, now.as_millisecond(), most])
}

/// How many of a campaign are being called.
pub fn calling(tx: &Tx, id: CampaignId) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*) FROM campaign_rows WHERE campaign_id = ?1 AND state = 'calling'",
        )?
        .query_row([id.0], |row| row.get(0))?)
}

/// A call of a campaign that is over, and whose row does not know it yet.
#[derive(Debug, Clone)]
pub struct Over {
    /// Whose.
    pub row: CampaignRowId,
    /// The number.
    pub number: String,
    /// Dialled before.
    pub attempts: u32,
    /// By which assistant.
    pub assistant: AssistantId,
    /// How the campaign stands.
    pub campaign: CampaignState,
    /// How often somebody is called again.
    pub retries: u32,
    /// How long after.
    pub retry_after: HumanDuration,
    /// What came of it; nothing when that is forgotten.
    pub state: Option<OutboundState>,
    /// Why not.
    pub failure: Option<String>,
    /// Whether a message was left on a machine.
    pub left_message: bool,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

/// Those calls.
pub fn over(tx: &Tx) -> Result<Vec<Over>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT r.id, r.number, r.attempts - (r.state = 'unknown'), c.assistant_id, c.state, c.retries, c.retry_after_s,
                o.state, o.failure, o.message IS NOT NULL AND o.answered_by = 'machine', o.ended_at
         FROM campaign_rows r JOIN campaigns c ON c.id = r.campaign_id
         LEFT JOIN outbound_calls o ON o.id = r.outbound_id
         WHERE r.state IN ('calling', 'unknown')
         AND ((r.state = 'calling' AND (o.id IS NULL OR o.ended_at IS NOT NULL))
              OR (r.state = 'unknown' AND o.ended_at IS NOT NULL AND o.state <> 'unknown'))",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Over {
            row: CampaignRowId(row.get(0)?),
            number: row.get(1)?,
            attempts: row.get(2)?,
            assistant: AssistantId(row.get(3)?),
            campaign: word(row, 4)?,
            retries: row.get(5)?,
            retry_after: HumanDuration::from_secs(row.get::<_, i64>(6)?.max(0) as u64),
            state: parsed(row, 7)?,
            failure: row.get(8)?,
            left_message: row.get::<_, Option<bool>>(9)?.unwrap_or(false),
            ended_at: moment(row, 10)?,
        });
    }
    Ok(found)
}

/// Somebody is being called.
pub fn set_calling(tx: &Tx, row: CampaignRowId, call: OutboundId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE campaign_rows SET state = 'calling', outbound_id = ?2, why = NULL WHERE id = ?1",
    )?
    .execute(params![row.0, call.0])?;
    Ok(())
}

/// Somebody stands otherwise, after a call or without one.
pub fn settle(
    tx: &Tx,
    row: CampaignRowId,
    state: CampaignRowState,
    last: Option<OutboundState>,
    attempts: u32,
    why: Option<&str>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE campaign_rows SET state = ?2, last = coalesce(?3, last), attempts = ?4, why = ?5
         WHERE id = ?1",
    )?
    .execute(params![
        row.0,
        state.as_str(),
        last.map(OutboundState::as_str),
        attempts,
        why
    ])?;
    Ok(())
}

/// Somebody is not to be called before a moment.
pub fn put_off(
    tx: &Tx,
    row: CampaignRowId,
    due_at: Timestamp,
    why: Option<&str>,
) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE campaign_rows SET due_at = ?2, why = ?3 WHERE id = ?1")?
        .execute(params![row.0, due_at.as_millisecond(), why])?;
    Ok(())
}

/// Somebody's call was taken back by hand: they are not called again.
pub fn taken_back(tx: &Tx, call: OutboundId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE campaign_rows SET state = 'cancelled', why = 'the call was taken back'
         WHERE outbound_id = ?1 AND state = 'calling'",
    )?
    .execute([call.0])?;
    Ok(())
}

/// Other campaigns of the same owner that have some of the numbers.
pub fn overlaps(
    tx: &Tx,
    assistant: AssistantId,
    digest: &str,
    rows: &[CampaignEntry],
) -> Result<Vec<Overlap>, StoreError> {
    let numbers: Vec<&str> = rows.iter().map(|row| row.number.as_str()).collect();
    let mut statement = tx.prepare_cached(
        "SELECT c.id,
                sum(c.state IN ('running', 'paused') AND r.state IN ('waiting', 'calling')),
                sum(r.state = 'reached')
         FROM json_each(?3) n JOIN campaign_rows r ON r.number = n.value
         JOIN campaigns c ON c.id = r.campaign_id JOIN assistants a ON a.id = c.assistant_id
         WHERE NOT (c.assistant_id = ?1 AND c.digest = ?2)
         AND a.owner_id IS (SELECT owner_id FROM assistants WHERE id = ?1)
         GROUP BY c.id ORDER BY c.id",
    )?;
    let mut found =
        statement.query(params![assistant.0, digest, serde_json::to_string(&numbers)?])?;
    let mut overlaps = Vec::new();
    while let Some(row) = found.next()? {
        let overlap = Overlap {
            campaign_id: CampaignId(row.get(0)?),
            unfinished: row.get::<_, i64>(1)?.max(0) as u64,
            reached: row.get::<_, i64>(2)?.max(0) as u64,
        };
        if overlap.unfinished + overlap.reached > 0 {
            overlaps.push(overlap);
        }
    }
    Ok(overlaps)
}

/// The campaign that a call is part of.
pub fn of_call(tx: &Tx, call: OutboundId) -> Result<Option<CampaignId>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT r.campaign_id FROM outbound_calls o JOIN campaign_rows r
             ON r.id = o.campaign_row_id WHERE o.id = ?1",
        )?
        .query_row([call.0], |row| row.get(0))
        .optional()?
        .map(CampaignId))
}

/// Takes out what is kept of a number, as far as it may be seen, unless it is being called. After
/// the calls that were asked for.
pub fn erase(tx: &Tx, sight: Sight, number: &str) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached(
            "DELETE FROM campaign_rows WHERE number = ?1
             AND NOT EXISTS (SELECT 1 FROM outbound_calls WHERE id = outbound_id AND ended_at IS NULL)
             AND (?2 IS NULL OR campaign_id IN (SELECT c.id FROM campaigns c JOIN assistants a
                  ON a.id = c.assistant_id WHERE a.owner_id = ?2))",
        )?
        .execute(params![number, sight.owner()])? as u64)
}
