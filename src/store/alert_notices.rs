//! What is told of alerts: a row for each who is told, until it has arrived or is given up.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time, deliveries::Ended};
use crate::domain::{
    AlertChannel, AlertEvent, AlertId, AlertNotice, AlertNoticeId, AssistantId, DeliveryState,
    TRIED_FOR,
};

const COLUMNS: &str = "n.id, n.message_id, n.alert_id, t.assistant_id, n.event, n.recipient,
     n.channel, n.state, n.created_at, n.due_at, n.expires_at, n.attempts, n.failure, n.settled_at";

const TABLES: &str = "alert_notices n JOIN alerts t ON t.id = n.alert_id";

/// Something that somebody is to be told.
#[derive(Debug, Clone)]
pub struct NewNotice {
    /// The name it is sent under.
    pub message_id: String,
    /// Of which alert.
    pub alert: AlertId,
    /// What.
    pub event: AlertEvent,
    /// Who.
    pub to: String,
    /// By which way.
    pub channel: Option<AlertChannel>,
    /// What is sent.
    pub payload: String,
}

/// Adds one, unless the same is told already.
pub fn insert(tx: &Tx, new: &NewNotice, now: Timestamp) -> Result<(), StoreError> {
    let expires = now.checked_add(TRIED_FOR).unwrap_or(Timestamp::MAX);
    tx.prepare_cached(
        "INSERT INTO alert_notices (message_id, alert_id, event, recipient, channel, payload, state,
         created_at, due_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7, ?7, ?8)
         ON CONFLICT (alert_id, recipient, event) DO NOTHING",
    )?
    .execute(params![
        new.message_id,
        new.alert.0,
        new.event.as_str(),
        new.to,
        new.channel.map(AlertChannel::as_str),
        new.payload,
        now.as_millisecond(),
        expires.as_millisecond()
    ])?;
    Ok(())
}

/// Drops the last reminder that somebody had, in whose place a new one comes: of an alert that goes on
/// for weeks there are not hundreds.
pub fn forget_reminder(tx: &Tx, alert: AlertId, to: &str) -> Result<(), StoreError> {
    tx.prepare_cached(
        "DELETE FROM alert_notices WHERE alert_id = ?1 AND recipient = ?2
         AND event = 'alert.reminder' AND state <> 'pending'",
    )?
    .execute(params![alert.0, to])?;
    Ok(())
}

/// It is due, nobody is at it, and whoever is told was told what came before.
const READY: &str = "n.state = 'pending' AND n.due_at <= ?1
     AND (n.leased_until IS NULL OR n.leased_until <= ?1)
     AND NOT EXISTS (SELECT 1 FROM alert_notices e
                     WHERE e.alert_id = n.alert_id AND e.recipient = n.recipient
                       AND e.state = 'pending' AND e.id < n.id)";

/// Those that may be tried now.
pub fn ready(tx: &Tx, now: Timestamp, most: usize) -> Result<Vec<AlertNoticeId>, StoreError> {
    let sql = format!(
        "SELECT n.id FROM alert_notices n INDEXED BY alert_notices_due WHERE {READY} ORDER BY n.id LIMIT ?2"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![now.as_millisecond(), most], |row| Ok(AlertNoticeId(row.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What need not be told any more: that it began or goes on, where somebody knows it; that it goes on,
/// where it does not.
const MOOT: &str = "n.event <> 'alert.resolved' AND EXISTS (
     SELECT 1 FROM alerts t WHERE t.id = n.alert_id
       AND (t.acked_at IS NOT NULL OR (n.event = 'alert.reminder' AND t.state = 'resolved')))";

/// Why it was not.
const WHY: &str = "(SELECT iif(t.acked_at IS NOT NULL,
        'somebody knows of the alert: nobody more is told of it until it is over',
        'the alert is over: nobody is reminded of it')
     FROM alerts t WHERE t.id = alert_id)";

/// Gives up what need not be told of an alert any more. What a daemon is at just now is left to it:
/// should it fail, it is not tried again.
pub fn withdraw(tx: &Tx, alert: AlertId, now: Timestamp) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE alert_notices AS n SET state = 'dead', failure = {WHY}, settled_at = ?2
         WHERE n.alert_id = ?1 AND n.state = 'pending' AND {MOOT}
           AND (n.leased_until IS NULL OR n.leased_until <= ?2)"
    );
    tx.prepare_cached(&sql)?.execute(params![alert.0, now.as_millisecond()])?;
    Ok(())
}

/// Takes one for as long as a try may last, with what is sent, if it may still be tried; one that need
/// not be is given up instead.
pub fn take(
    tx: &Tx,
    id: AlertNoticeId,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Option<(AlertNotice, String)>, StoreError> {
    let until = now.checked_add(lease).unwrap_or(Timestamp::MAX).as_millisecond();
    let sql = format!(
        "UPDATE alert_notices SET state = 'dead', failure = {WHY}, settled_at = ?1, leased_until = NULL
         WHERE id = (SELECT n.id FROM alert_notices n WHERE n.id = ?2 AND {READY} AND {MOOT})"
    );
    if tx.prepare_cached(&sql)?.execute(params![now.as_millisecond(), id.0])? == 1 {
        return Ok(None);
    }
    let sql = format!(
        "UPDATE alert_notices SET leased_until = ?3, attempts = attempts + 1
         WHERE id = (SELECT n.id FROM alert_notices n WHERE n.id = ?2 AND {READY})
         RETURNING payload"
    );
    let payload: Option<String> = tx
        .prepare_cached(&sql)?
        .query_row(params![now.as_millisecond(), id.0, until], |row| row.get(0))
        .optional()?;
    let Some(payload) = payload else { return Ok(None) };
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE n.id = ?1");
    let notice = tx.prepare_cached(&sql)?.query_row([id.0], |row| Ok(read(row)))??;
    Ok(Some((notice, payload)))
}

/// Notes how a try ended; says whether it was still that try's to say.
pub fn settle(
    tx: &Tx,
    taken: &AlertNotice,
    ended: &Ended,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (state, due, failure) = match ended {
        Ended::Delivered => (DeliveryState::Delivered, None, None),
        Ended::Again { at, failure } => (DeliveryState::Pending, Some(*at), Some(failure)),
        Ended::Dead { failure } => (DeliveryState::Dead, None, Some(failure)),
    };
    let settled = (state != DeliveryState::Pending).then(|| now.as_millisecond());
    let changed = tx
        .prepare_cached(
            "UPDATE alert_notices SET state = ?3, due_at = coalesce(?4, due_at), failure = ?5,
             settled_at = ?6, leased_until = NULL
             WHERE id = ?1 AND attempts = ?2 AND state = 'pending'",
        )?
        .execute(params![
            taken.id.0,
            taken.attempts,
            state.as_str(),
            due.map(Timestamp::as_millisecond),
            failure,
            settled
        ])?;
    if state == DeliveryState::Pending {
        // Somebody may have come to know of it while it was tried.
        withdraw(tx, taken.alert, now)?;
    }
    Ok(changed == 1)
}

/// What was told of an alert, in order.
pub fn of_alert(tx: &Tx, alert: AlertId) -> Result<Vec<AlertNotice>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE n.alert_id = ?1 ORDER BY n.id");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([alert.0])?;
    let mut notices = Vec::new();
    while let Some(row) = rows.next()? {
        notices.push(read(row)?);
    }
    Ok(notices)
}

fn read(row: &Row<'_>) -> Result<AlertNotice, StoreError> {
    let word = |column: usize| row.get::<_, String>(column);
    let channel: Option<String> = row.get(6)?;
    Ok(AlertNotice {
        id: AlertNoticeId(row.get(0)?),
        message_id: row.get(1)?,
        alert: AlertId(row.get(2)?),
        assistant: row.get::<_, Option<i64>>(3)?.map(AssistantId),
        event: word(4)?.parse().map_err(StoreError::User)?,
        to: row.get(5)?,
        channel: channel.map(|word| word.parse()).transpose().map_err(StoreError::User)?,
        state: word(7)?.parse().map_err(StoreError::User)?,
        created_at: time(row.get(8)?)?,
        due_at: time(row.get(9)?)?,
        expires_at: time(row.get(10)?)?,
        attempts: row.get(11)?,
        failure: row.get(12)?,
        settled_at: row.get::<_, Option<i64>>(13)?.map(time).transpose()?,
    })
}
