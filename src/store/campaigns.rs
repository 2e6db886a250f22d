//! Campaigns: how they stand, and how they go on. The people in them: [`super::campaign_rows`].

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{
    AssistantId, Campaign, CampaignCounts, CampaignEntry, CampaignId, CampaignState, CampaignTerms,
    HumanDuration, Sight,
};

const COLUMNS: &str = "c.id, c.assistant_id, a.name, c.name, c.max_concurrent, c.hours, c.retries, \
                       c.retry_after_s, c.say, c.zone, c.anyway, c.state, c.why, c.created_at, \
                       c.expires_at, c.looked_at, c.ended_at, \
                       (SELECT min(due_at) FROM campaign_rows WHERE campaign_id = c.id AND state = 'waiting')";

const TABLES: &str = "campaigns c JOIN assistants a ON a.id = c.assistant_id";

pub(super) fn parsed<T: std::str::FromStr<Err = crate::domain::Error>>(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse()).transpose().map_err(StoreError::User)
}

pub(super) fn word<T: std::str::FromStr<Err = crate::domain::Error>>(
    row: &Row<'_>,
    column: usize,
) -> Result<T, StoreError> {
    row.get::<_, String>(column)?.parse().map_err(StoreError::User)
}

pub(super) fn moment(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, StoreError> {
    row.get::<_, Option<i64>>(column)?.map(time).transpose()
}

fn read(row: &Row<'_>) -> Result<Campaign, StoreError> {
    Ok(Campaign {
        id: CampaignId(row.get(0)?),
        assistant_id: AssistantId(row.get(1)?),
        assistant: word(row, 2)?,
        name: row.get(3)?,
        terms: CampaignTerms {
            max_concurrent: row.get(4)?,
            hours: parsed(row, 5)?,
            retries: row.get(6)?,
            retry_after: HumanDuration::from_secs(row.get::<_, i64>(7)?.max(0) as u64),
            say: row.get(8)?,
            zone: parsed(row, 9)?,
            anyway: row.get(10)?,
        },
        state: word(row, 11)?,
        why: row.get(12)?,
        created_at: time(row.get(13)?)?,
        expires_at: time(row.get(14)?)?,
        looked_at: moment(row, 15)?,
        ended_at: moment(row, 16)?,
        next_at: moment(row, 17)?,
        counts: CampaignCounts::default(),
    })
}

fn many(tx: &Tx, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Campaign>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut campaign = read(row)?;
        campaign.counts = counts(tx, campaign.id)?;
        found.push(campaign);
    }
    Ok(found)
}

/// How the people of a campaign stand.
pub fn counts(tx: &Tx, id: CampaignId) -> Result<CampaignCounts, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT state, count(*) FROM campaign_rows WHERE campaign_id = ?1 GROUP BY state",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut counts = CampaignCounts::default();
    while let Some(row) = rows.next()? {
        counts.add(word(row, 0)?, row.get::<_, i64>(1)?.max(0) as u64);
    }
    Ok(counts)
}

/// A campaign that is to be begun.
#[derive(Debug, Clone)]
pub struct NewCampaign<'a> {
    /// By which assistant.
    pub assistant: AssistantId,
    /// Of its people.
    pub digest: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// How it calls.
    pub terms: &'a CampaignTerms,
    /// Whom.
    pub rows: &'a [CampaignEntry],
    /// When it goes to rest.
    pub expires_at: Timestamp,
    /// When it begins.
    pub now: Timestamp,
}

/// Adds one, with its people.
pub fn insert(tx: &Tx, new: &NewCampaign<'_>) -> Result<CampaignId, StoreError> {
    let (terms, now) = (new.terms, new.now.as_millisecond());
    let id: i64 = tx
        .prepare_cached(
            "INSERT INTO campaigns (assistant_id, digest, name, max_concurrent, hours, retries,
             retry_after_s, say, zone, anyway, state, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'running', ?11, ?12) RETURNING id",
        )?
        .query_row(
            params![
                new.assistant.0,
                new.digest,
                new.name,
                terms.max_concurrent,
                terms.hours.as_ref().map(ToString::to_string),
                terms.retries,
                terms.retry_after.as_secs() as i64,
                terms.say,
                terms.zone.as_ref().map(crate::domain::ZoneName::as_str),
                terms.anyway,
                now,
                new.expires_at.as_millisecond(),
            ],
            |row| row.get(0),
        )?;
    let mut statement = tx.prepare_cached(
        "INSERT INTO campaign_rows (campaign_id, line, number, context, state, due_at)
         VALUES (?1, ?2, ?3, ?4, 'waiting', ?5)",
    )?;
    for entry in new.rows {
        let context = serde_json::to_string(entry.context.values())?;
        statement.execute(params![id, entry.line, entry.number.as_str(), context, now])?;
    }
    Ok(CampaignId(id))
}

/// Goes on with one, on other terms maybe.
pub fn resume(
    tx: &Tx,
    id: CampaignId,
    terms: &CampaignTerms,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE campaigns SET state = 'running', why = NULL, max_concurrent = ?2, hours = ?3,
         retries = ?4, retry_after_s = ?5, say = ?6, zone = ?7, anyway = ?8, expires_at = ?9,
         looked_at = NULL
         WHERE id = ?1 AND state IN ('running', 'paused')",
    )?
    .execute(params![
        id.0,
        terms.max_concurrent,
        terms.hours.as_ref().map(ToString::to_string),
        terms.retries,
        terms.retry_after.as_secs() as i64,
        terms.say,
        terms.zone.as_ref().map(crate::domain::ZoneName::as_str),
        terms.anyway,
        expires_at.as_millisecond()
    ])?;
    Ok(())
}

/// Lets those who wait for other hours be looked at again: the hours may be others now. Whoever was
/// called already waits on.
pub fn look_again(tx: &Tx, id: CampaignId, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE campaign_rows SET due_at = ?2
         WHERE campaign_id = ?1 AND state = 'waiting' AND attempts = 0",
    )?
    .execute(params![id.0, now.as_millisecond()])?;
    Ok(())
}

/// By row, if it may be seen.
pub fn seen(tx: &Tx, sight: Sight, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE c.id = ?1 AND (?2 IS NULL OR a.owner_id = ?2)"
    );
    Ok(many(tx, &sql, params![id.0, sight.owner()])?.into_iter().next())
}

/// By whom it calls, and by whom it is made.
pub fn by_contents(
    tx: &Tx,
    assistant: AssistantId,
    digest: &str,
) -> Result<Option<Campaign>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE c.assistant_id = ?1 AND c.digest = ?2");
    Ok(many(tx, &sql, params![assistant.0, digest])?.into_iter().next())
}

/// Those that may be seen, the newest first.
pub fn list(tx: &Tx, sight: Sight, most: u32) -> Result<Vec<Campaign>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE (?1 IS NULL OR a.owner_id = ?1)
         ORDER BY c.id DESC LIMIT ?2"
    );
    many(tx, &sql, params![sight.owner(), most])
}

/// Those that run, whoever waited longest first: they take turns.
pub fn running(tx: &Tx) -> Result<Vec<Campaign>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM {TABLES} WHERE c.state = 'running' ORDER BY c.fed_at, c.id");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Whether there is something to do: a campaign nobody looked after since a moment, somebody who is
/// due and a line for them, a call that is over.
pub fn any_work(tx: &Tx, now: Timestamp, looked_before: Timestamp) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM campaigns
                            WHERE state = 'running' AND coalesce(looked_at, 0) < ?2)
             OR EXISTS (SELECT 1 FROM campaign_rows r
                        LEFT JOIN outbound_calls o ON o.id = r.outbound_id
                        WHERE r.state IN ('calling', 'unknown')
                        AND ((r.state = 'calling' AND (o.id IS NULL OR o.ended_at IS NOT NULL))
                             OR (r.state = 'unknown' AND o.ended_at IS NOT NULL
                                 AND o.state <> 'unknown')))
             OR EXISTS (SELECT 1 FROM campaigns c WHERE c.state = 'running'
                        AND EXISTS (SELECT 1 FROM campaign_rows r WHERE r.campaign_id = c.id
                                    AND r.state = 'waiting' AND r.due_at <= ?1)
                        AND (SELECT count(*) FROM campaign_rows w WHERE w.campaign_id = c.id
                             AND w.state = 'calling') < c.max_concurrent)",
        )?
        .query_row(params![now.as_millisecond(), looked_before.as_millisecond()], |row| {
            row.get(0)
        })?)
}

/// A daemon looked after it; `why` is why nobody is called.
pub fn looked(
    tx: &Tx,
    id: CampaignId,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE campaigns SET looked_at = ?2, why = ?3 WHERE id = ?1 AND state = 'running'",
    )?
    .execute(params![id.0, now.as_millisecond(), why])?;
    Ok(())
}

/// Somebody of it is called: it is the turn of others.
pub fn fed(tx: &Tx, id: CampaignId, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE campaigns SET fed_at = ?2, looked_at = ?2, why = NULL WHERE id = ?1",
    )?
    .execute(params![id.0, now.as_millisecond()])?;
    Ok(())
}

/// Puts one to rest, for now or for good. Says whether it was not before.
pub fn stop(
    tx: &Tx,
    id: CampaignId,
    state: CampaignState,
    why: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let cancelled = state == CampaignState::Cancelled;
    let stopped = tx
        .prepare_cached(
            "UPDATE campaigns SET state = ?2, why = ?3,
             ended_at = CASE WHEN ?4 THEN ?5 ELSE NULL END
             WHERE id = ?1 AND (state = 'running' OR (state = 'paused' AND ?4))",
        )?
        .execute(params![id.0, state.as_str(), why, cancelled, now.as_millisecond()])?;
    if stopped == 0 {
        return Ok(false);
    }
    if cancelled {
        tx.prepare_cached(
            "UPDATE campaign_rows SET state = 'cancelled', why = ?2
             WHERE campaign_id = ?1 AND state = 'waiting'",
        )?
        .execute(params![id.0, why])?;
    }
    // What was not dialled yet is not dialled any more; its people wait again, or are cancelled.
    tx.prepare_cached(
        "UPDATE outbound_calls SET state = 'cancelled', ended_at = ?2, failure = ?3
         WHERE state = 'queued' AND ended_at IS NULL
         AND campaign_row_id IN (SELECT id FROM campaign_rows WHERE campaign_id = ?1)",
    )?
    .execute(params![id.0, now.as_millisecond(), why])?;
    Ok(true)
}

/// Campaigns of whose people nothing more is expected are done. Answers how many.
pub fn finish(tx: &Tx, now: Timestamp) -> Result<usize, StoreError> {
    Ok(tx
        .prepare_cached(
            "UPDATE campaigns SET state = 'done', why = NULL, ended_at = ?1
             WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM campaign_rows
                 WHERE campaign_id = campaigns.id AND state IN ('waiting', 'calling'))",
        )?
        .execute([now.as_millisecond()])?)
}

/// How long one may be at rest.
const REST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Takes out those that were over before a moment, and ends those that were at rest since.
pub fn forget_before(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    const OLD: &str = "SELECT id FROM campaigns WHERE ended_at < ?1";
    // One at rest for so long is over: forgotten, it would begin anew with those who were reached.
    tx.prepare_cached(
        "UPDATE campaigns SET state = 'cancelled', ended_at = expires_at + ?2,
                why = 'it was at rest for 31 days'
         WHERE state = 'paused' AND expires_at < ?1 AND ended_at IS NULL",
    )?
    .execute(params![before.as_millisecond(), REST.as_millis() as i64])?;
    tx.prepare_cached(
        "UPDATE campaign_rows SET state = 'cancelled' WHERE state = 'waiting'
         AND campaign_id IN (SELECT id FROM campaigns WHERE state = 'cancelled')",
    )?
    .execute([])?;
    tx.prepare_cached(&format!("DELETE FROM campaign_rows WHERE campaign_id IN ({OLD})"))?
        .execute([before.as_millisecond()])?;
    Ok(tx
        .prepare_cached(&format!("DELETE FROM campaigns WHERE id IN ({OLD})"))?
        .execute([before.as_millisecond()])? as u64)
}
