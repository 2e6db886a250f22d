//! Alerts and silences: rows.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, alert_notices, assistants::time};
use crate::domain::{
    Alert, AlertFilter, AlertId, AlertKind, AlertLevel, AlertSilence, AlertState, AlertSubject,
    AlertUnit, AssistantId, Currency, Micros, Money, Sight, SilenceId,
};

const COLUMNS: &str = "t.id, t.rule, t.kind, t.assistant_id, a.name, t.part, t.severity, t.state,
     t.value, t.worst, t.threshold, t.currency, t.pending_at, t.fired_at, t.calm_since, t.seen_at,
     t.resolved_at, t.unwatched, t.acked_at, t.acked_by";

const TABLES: &str = "alerts t LEFT JOIN assistants a ON a.id = t.assistant_id";

/// Adds one, unless there is one of the same already; answers its number.
pub fn insert(tx: &Tx, alert: &Alert) -> Result<Option<AlertId>, StoreError> {
    let subject = &alert.subject;
    let id: Option<i64> = tx
        .prepare_cached(
            "INSERT INTO alerts (rule, kind, assistant_id, part, severity, state, value, worst,
             threshold, currency, pending_at, fired_at, calm_since, seen_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT DO NOTHING RETURNING id",
        )?
        .query_row(
            params![
                subject.rule,
                alert.kind.as_str(),
                subject.assistant.map(|id| id.0),
                subject.part,
                alert.severity.as_str(),
                alert.state.as_str(),
                alert.value.get(),
                alert.worst.get(),
                alert.threshold.get(),
                alert.threshold.currency().map(Currency::as_str),
                alert.pending_at.as_millisecond(),
                ms(alert.fired_at),
                ms(alert.calm_since),
                alert.seen_at.as_millisecond()
            ],
            |row| row.get(0),
        )
        .optional()?;
    Ok(id.map(AlertId))
}

/// When the last alert of a thing was last looked at, if there ever was one.
pub fn last_seen(tx: &Tx, subject: &AlertSubject) -> Result<Option<Timestamp>, StoreError> {
    let seen: Option<i64> = tx
        .prepare_cached(
            "SELECT max(seen_at) FROM alerts
             WHERE rule = ?1 AND coalesce(assistant_id, 0) = ?2 AND part = ?3",
        )?
        .query_row(
            params![subject.rule, subject.assistant.map_or(0, |id| id.0), subject.part],
            |row| row.get(0),
        )?;
    seen.map(time).transpose()
}

/// Notes how one stands now.
pub fn update(tx: &Tx, alert: &Alert) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE alerts SET severity = ?2, state = ?3, value = ?4, worst = ?5, threshold = ?6,
         currency = ?7, pending_at = ?8, fired_at = ?9, calm_since = ?10, seen_at = ?11,
         resolved_at = ?12, unwatched = ?13 WHERE id = ?1",
    )?
    .execute(params![
        alert.id.0,
        alert.severity.as_str(),
        alert.state.as_str(),
        alert.value.get(),
        alert.worst.get(),
        alert.threshold.get(),
        alert.threshold.currency().map(Currency::as_str),
        alert.pending_at.as_millisecond(),
        ms(alert.fired_at),
        ms(alert.calm_since),
        alert.seen_at.as_millisecond(),
        ms(alert.resolved_at),
        alert.unwatched
    ])?;
    Ok(())
}

/// Forgets one that never fired.
pub fn drop_pending(tx: &Tx, id: AlertId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM alerts WHERE id = ?1 AND state = 'pending'")?.execute([id.0])?;
    Ok(())
}

/// Notes that nothing more is to be told of one that is over.
pub fn close(tx: &Tx, id: AlertId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE alerts SET closed = 1 WHERE id = ?1 AND state = 'resolved'")?
        .execute([id.0])?;
    Ok(())
}

/// Those that are not over, or of whose end not everybody has a notice.
pub fn unclosed(tx: &Tx) -> Result<Vec<Alert>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE t.closed = 0 ORDER BY t.id");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        let mut alert = read(row)?;
        alert.notices = alert_notices::of_alert(tx, alert.id)?;
        alerts.push(alert);
    }
    Ok(alerts)
}

/// Who sees all sees what is about the whole; others what is about their assistants.
const SEEN: &str = "(?1 IS NULL OR a.owner_id = ?1)";

/// Those that match and may be seen, the newest first, with what was told of each.
pub fn list(
    tx: &Tx,
    sight: Sight,
    filter: &AlertFilter,
    now: Timestamp,
) -> Result<Vec<Alert>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE {SEEN} AND (?2 IS NULL OR t.assistant_id = ?2)
         AND (?3 OR t.state <> 'resolved') AND (?4 IS NULL OR t.id < ?4)
         ORDER BY t.id DESC LIMIT ?5"
    );
    let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        sight.owner(),
        filter.assistant.map(|id| id.0),
        filter.all,
        filter.older_than.map(|id| id.0),
        limit
    ])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        alerts.push(whole(tx, read(row)?, now)?);
    }
    Ok(alerts)
}

/// One, if it may be seen.
pub fn get(
    tx: &Tx,
    sight: Sight,
    id: AlertId,
    now: Timestamp,
) -> Result<Option<Alert>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE {SEEN} AND t.id = ?2");
    let found = tx
        .prepare_cached(&sql)?
        .query_row(params![sight.owner(), id.0], |row| Ok(read(row)))
        .optional()?
        .transpose()?;
    found.map(|alert| whole(tx, alert, now)).transpose()
}

fn whole(tx: &Tx, mut alert: Alert, now: Timestamp) -> Result<Alert, StoreError> {
    alert.notices = alert_notices::of_alert(tx, alert.id)?;
    if alert.state != AlertState::Resolved {
        alert.silenced_until = silenced(tx, &alert.subject, now)?;
    }
    Ok(alert)
}

/// Notes that somebody knows of one; says whether nobody did before.
pub fn ack(tx: &Tx, id: AlertId, by: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE alerts SET acked_at = ?2, acked_by = ?3 WHERE id = ?1 AND acked_at IS NULL",
        )?
        .execute(params![id.0, now.as_millisecond(), by])?;
    Ok(changed == 1)
}

/// Drops those that were over before a moment, a thousand at a time; answers how many.
pub fn forget(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    let old = "SELECT id FROM alerts WHERE closed = 1 AND resolved_at < ?1
               AND NOT EXISTS (SELECT 1 FROM alert_notices n
                               WHERE n.alert_id = alerts.id AND n.state = 'pending')
               ORDER BY id LIMIT 1000";
    let before = before.as_millisecond();
    tx.prepare_cached(&format!("DELETE FROM alert_notices WHERE alert_id IN ({old})"))?
        .execute([before])?;
    let gone =
        tx.prepare_cached(&format!("DELETE FROM alerts WHERE id IN ({old})"))?.execute([before])?;
    tx.prepare_cached("DELETE FROM alert_silences WHERE until < ?1")?.execute([before])?;
    Ok(gone as u64)
}

/// Until when nobody is told of a thing, if it is silenced.
pub fn silenced(
    tx: &Tx,
    subject: &AlertSubject,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let until: Option<i64> = tx
        .prepare_cached(
            "SELECT max(until) FROM alert_silences
             WHERE rule = ?1 AND (assistant_id IS NULL OR assistant_id = ?2) AND until > ?3",
        )?
        .query_row(
            params![subject.rule, subject.assistant.map(|id| id.0), now.as_millisecond()],
            |row| row.get(0),
        )?;
    until.map(time).transpose()
}

/// Lets nobody be told of a rule until a moment, in the place of what was asked before.
pub fn silence(
    tx: &Tx,
    rule: &str,
    assistant: Option<AssistantId>,
    until: Timestamp,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO alert_silences (rule, assistant_id, until, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (rule, coalesce(assistant_id, 0)) DO UPDATE SET
            until = excluded.until, created_at = excluded.created_at,
            created_by = excluded.created_by",
    )?
    .execute(params![
        rule,
        assistant.map(|id| id.0),
        until.as_millisecond(),
        now.as_millisecond(),
        by
    ])?;
    Ok(())
}

/// Ends a silence; says whether there was one.
pub fn unsilence(
    tx: &Tx,
    rule: &str,
    assistant: Option<AssistantId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let gone = tx
        .prepare_cached(
            "DELETE FROM alert_silences
             WHERE rule = ?1 AND coalesce(assistant_id, 0) = ?2 AND until > ?3",
        )?
        .execute(params![rule, assistant.map_or(0, |id| id.0), now.as_millisecond()])?;
    Ok(gone > 0)
}

/// The silences that go on and may be seen. Those of all concern everybody.
pub fn silences(tx: &Tx, sight: Sight, now: Timestamp) -> Result<Vec<AlertSilence>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT s.id, s.rule, s.assistant_id, a.name, s.until, s.created_at, s.created_by
         FROM alert_silences s LEFT JOIN assistants a ON a.id = s.assistant_id
         WHERE s.until > ?2 AND (?1 IS NULL OR s.assistant_id IS NULL OR a.owner_id = ?1)
         ORDER BY s.until, s.id",
    )?;
    let mut rows = statement.query(params![sight.owner(), now.as_millisecond()])?;
    let mut silences = Vec::new();
    while let Some(row) = rows.next()? {
        let assistant: Option<i64> = row.get(2)?;
        let name: Option<String> = row.get(3)?;
        let name = name.map(|name| name.parse().map_err(StoreError::User)).transpose()?;
        silences.push(AlertSilence {
            id: SilenceId(row.get(0)?),
            rule: row.get(1)?,
            assistant: assistant.map(AssistantId).zip(name),
            until: time(row.get(4)?)?,
            created_at: time(row.get(5)?)?,
            by: row.get(6)?,
        });
    }
    Ok(silences)
}

/// Adds to what daemons counted in a minute.
pub fn count(
    tx: &Tx,
    kind: AlertKind,
    part: &str,
    count: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO alert_counts (minute, kind, part, count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (minute, kind, part) DO UPDATE SET count = count + excluded.count",
    )?
    .execute(params![
        minute(now),
        kind.as_str(),
        part,
        i64::try_from(count).unwrap_or(i64::MAX)
    ])?;
    Ok(())
}

/// What was counted since the minute of a moment, by part: never less than since the moment itself.
pub fn counted(
    tx: &Tx,
    kind: AlertKind,
    since: Timestamp,
) -> Result<Vec<(String, u64)>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT part, sum(count) FROM alert_counts WHERE kind = ?1 AND minute >= ?2 GROUP BY part",
    )?;
    let counts = statement.query_map(params![kind.as_str(), minute(since)], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0).unsigned_abs()))
    })?;
    Ok(counts.collect::<rusqlite::Result<_>>()?)
}

/// Drops counts from before a moment.
pub fn forget_counts(tx: &Tx, before: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM alert_counts WHERE minute < ?1")?.execute([minute(before)])?;
    Ok(())
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

fn ms(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millisecond)
}

fn level(kind: AlertKind, currency: Option<Currency>, value: i64) -> AlertLevel {
    match kind.unit() {
        AlertUnit::Share => AlertLevel::Share(value),
        AlertUnit::Time => AlertLevel::Time(value),
        AlertUnit::Number => AlertLevel::Number(value),
        AlertUnit::Money => AlertLevel::Money(Money {
            amount: Micros::from_micros(value),
            currency: currency.unwrap_or(Currency::Eur),
        }),
    }
}

fn read(row: &Row<'_>) -> Result<Alert, StoreError> {
    fn word<T: std::str::FromStr<Err = crate::domain::Error>>(
        row: &Row<'_>,
        column: usize,
    ) -> Result<T, StoreError> {
        row.get::<_, String>(column)?.parse().map_err(StoreError::User)
    }
    let kind: AlertKind = word(row, 2)?;
    let assistant: Option<i64> = row.get(3)?;
    let name: Option<String> = row.get(4)?;
    let currency: Option<String> = row.get(11)?;
    let currency = currency.map(|code| code.parse()).transpose().map_err(StoreError::User)?;
    let value = |column: usize| -> Result<AlertLevel, StoreError> {
        Ok(level(kind, currency, row.get(column)?))
    };
    let moment = |column: usize| -> Result<Option<Timestamp>, StoreError> {
        row.get::<_, Option<i64>>(column)?.map(time).transpose()
    };
    let acked_by: Option<String> = row.get(19)?;
    Ok(Alert {
        id: AlertId(row.get(0)?),
        subject: AlertSubject {
            rule: row.get(1)?,
            assistant: assistant.map(AssistantId),
            part: row.get(5)?,
        },
        assistant: name.map(|name| name.parse().map_err(StoreError::User)).transpose()?,
        kind,
        severity: word(row, 6)?,
        state: word(row, 7)?,
        value: value(8)?,
        worst: value(9)?,
        threshold: value(10)?,
        pending_at: time(row.get(12)?)?,
        fired_at: moment(13)?,
        calm_since: moment(14)?,
        seen_at: time(row.get(15)?)?,
        resolved_at: moment(16)?,
        unwatched: row.get(17)?,
        acked: moment(18)?.zip(acked_by),
        silenced_until: None,
        notices: Vec::new(),
    })
}
