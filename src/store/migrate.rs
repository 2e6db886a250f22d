//! Bringing a file's schema up to date, in one transaction, or refusing it. A copy of the file as it
//! was stays beside it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, backup, connection, turn_words};
use crate::domain::{Error, Kind};

/// Every step ever released, oldest first; a step is never edited afterwards.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_init.sql"),
    include_str!("migrations/0002_prototype.sql"),
    include_str!("migrations/0003_versions.sql"),
    include_str!("migrations/0004_trust.sql"),
    include_str!("migrations/0005_voice.sql"),
    include_str!("migrations/0006_bookings.sql"),
    include_str!("migrations/0007_deliveries.sql"),
    include_str!("migrations/0008_calendars.sql"),
    include_str!("migrations/0009_transfer.sql"),
    include_str!("migrations/0010_languages.sql"),
    include_str!("migrations/0011_contacts.sql"),
    include_str!("migrations/0012_afterwards.sql"),
    include_str!("migrations/0013_recordings.sql"),
    include_str!("migrations/0014_satisfaction.sql"),
    include_str!("migrations/0015_knowledge.sql"),
    include_str!("migrations/0016_outbound.sql"),
    include_str!("migrations/0017_campaigns.sql"),
    include_str!("migrations/0018_embeddings.sql"),
    include_str!("migrations/0019_ledger.sql"),
    TRANSCRIPTS,
    include_str!("migrations/0021_invoices.sql"),
    include_str!("migrations/0022_figures.sql"),
    include_str!("migrations/0023_alerts.sql"),
    include_str!("migrations/0024_sums_at_the_end.sql"),
    BLOCKS,
    include_str!("migrations/0026_entered.sql"),
    include_str!("migrations/0027_outbound_calls.sql"),
    include_str!("migrations/0028_looked_for.sql"),
    include_str!("migrations/0029_accounts_of_clients.sql"),
    include_str!("migrations/0030_callers_without_a_number.sql"),
    include_str!("migrations/0031_numbers_given_elsewhere.sql"),
];

/// After this step the turns that are there are indexed, with rules that SQL does not have.
const TRANSCRIPTS: &str = include_str!("migrations/0020_transcripts.sql");

/// After this step the index has marks; one that this webox has made has them from the beginning.
const BLOCKS: &str = include_str!("migrations/0025_blocks_of_calls.sql");

/// The schema this webox writes.
pub const SCHEMA_VERSION: i64 = STEPS.len() as i64;

/// "webo" in ASCII, in the file's header: tells our stores from other people's databases.
pub(super) const APPLICATION_ID: i64 = 0x7765_626f;

/// How many copies of earlier schemas stay beside a store.
const COPIES: usize = 3;

/// Runs the steps that the file lacks. A file at `path` that has rows is copied before.
pub(super) fn migrate(connection: &mut Connection, path: Option<&Path>) -> Result<(), StoreError> {
    if check(connection)? == SCHEMA_VERSION {
        if let Some(path) = path {
            name_the_last(path);
        }
        return Ok(());
    }
    // What is sorted on the way may be longer than the memory.
    connection.pragma_update(None, "temp_store", "FILE")?;
    run(connection, STEPS, path)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Whether the file is one of ours, and of an earlier schema.
pub(super) fn is_of_before(connection: &Connection) -> Result<bool, StoreError> {
    Ok((1..SCHEMA_VERSION).contains(&check(connection)?))
}

/// Somebody uses the store, and is not to have it changed under them.
pub(super) fn not_beside(path: &Path) -> Error {
    Error::new(
        Kind::Busy,
        format!(
            "the store {} is of an earlier schema, and a webox that runs uses it as it is",
            path.display()
        ),
    )
    .hint("restart the daemon, which brings it forward: `systemctl restart webox`")
}

/// The version in the file; an error for a newer or foreign one.
pub(super) fn check(connection: &Connection) -> Result<i64, StoreError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != APPLICATION_ID && (id != 0 || version != 0 || tables != 0) {
        return Err(StoreError::Foreign);
    }
    if version > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema { found: version, known: SCHEMA_VERSION });
    }
    Ok(version)
}

fn run(connection: &mut Connection, steps: &[&str], path: Option<&Path>) -> Result<(), StoreError> {
    // Immediate, and the version read again inside: two processes may start at once.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = check(&transaction)?;
    let copied = path.filter(|_| done > 0 && done < steps.len() as i64);
    if let Some(path) = copied {
        // Nobody else writes now: what is copied is what the steps begin with.
        keep_a_copy(path, done)?;
    }
    let mut is_indexed_now = false;
    for step in steps.iter().skip(usize::try_from(done).unwrap_or(0)) {
        transaction.execute_batch(step)?;
        if *step == TRANSCRIPTS {
            turn_words::index_all(&transaction)?;
            is_indexed_now = true;
        } else if *step == BLOCKS && !is_indexed_now {
            turn_words::mark(&transaction)?;
        }
    }
    transaction.pragma_update(None, "user_version", steps.len() as i64)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    if let Some(path) = copied {
        name_the_copy(path, done);
    }
    Ok(())
}

/// How a copy is called until the steps are done: each attempt makes it anew, and leaves no more than one.
fn unnamed(path: &Path) -> PathBuf {
    backup::beside(path, ".schema-copying")
}

/// Copies the file beside itself.
fn keep_a_copy(path: &Path, schema: i64) -> Result<(), StoreError> {
    let making = unnamed(path);
    let _ = std::fs::remove_file(&making);
    if let Some(missing) = backup::missing_for_a_copy(path)? {
        return Err(no_copy(path, schema, &missing).into());
    }
    let made = (|| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        drop(options.open(&making)?);
        backup::copy(path, &making, std::time::Duration::from_secs(5), |_, _| true)?;
        backup::give_to_owner(&making, path);
        backup::sync_folder(path)?;
        Ok::<_, StoreError>(())
    })();
    if let Err(error) = made {
        let _ = std::fs::remove_file(&making);
        return Err(no_copy(path, schema, &error.to_string()).into());
    }
    tracing::info!(
        copy = %making.display(), schema, to = SCHEMA_VERSION, "the database is being brought forward"
    );
    Ok(())
}

/// Gives the copy of one that broke off after the last step its name.
fn name_the_last(path: &Path) {
    let making = unnamed(path);
    if !making.exists() {
        return;
    }
    let schema = connection::open_reader(&making, std::time::Duration::ZERO)
        .and_then(|copy| check(&copy))
        .unwrap_or_default();
    // Where it has none, the copy itself broke off: the next one is made anew.
    if schema > 0 && schema < SCHEMA_VERSION {
        name_the_copy(path, schema);
    }
}

/// Gives the copy a name that tells its schema, `webox.db.schema-22`, now that it is brought forward. The
/// oldest copies go once there are more than a few.
fn name_the_copy(path: &Path, schema: i64) {
    let mut names = (1..=9_999).map(|n| match n {
        1 => backup::beside(path, &format!(".schema-{schema}")),
        n => backup::beside(path, &format!(".schema-{schema}.{n}")),
    });
    let making = unnamed(path);
    let copy = names.find(|copy| !copy.exists()).unwrap_or_else(|| making.clone());
    if let Err(error) = std::fs::rename(&making, &copy).and_then(|()| backup::sync_folder(path)) {
        tracing::warn!(copy = %making.display(), %error, "the copy of the database as it was has no other name");
        return;
    }
    tracing::info!(
        copy = %copy.display(), schema, to = SCHEMA_VERSION,
        "the database was brought forward; a copy of it as it was is kept"
    );
    // This one stays, whatever the clock was when the others were made.
    let mut others = copies(path);
    others.retain(|other| *other != copy);
    while others.len() >= COPIES {
        let oldest = others.remove(0);
        match std::fs::remove_file(&oldest) {
            Ok(()) => tracing::info!(copy = %oldest.display(), "removed an old copy"),
            Err(error) => tracing::warn!(copy = %oldest.display(), %error, "an old copy stays"),
        }
    }
}

fn no_copy(path: &Path, schema: i64, why: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!(
            "the store {} has schema {schema} and is to be brought to {SCHEMA_VERSION}, but no copy of it can be kept before",
            path.display()
        ),
    )
    .hint("make room beside it; or copy it to another disk yourself (`sqlite3 FILE \".backup COPY\"`) and set WEBOX_UPGRADE_WITHOUT_COPY=true")
    .because(why.to_owned())
}

/// Copies that were kept before, the oldest first; only those that are named as we name them.
fn copies(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(backup::folder_of(path)) else {
        return Vec::new();
    };
    let is_ours = |other: &str| {
        let rest = other.strip_prefix(name).and_then(|rest| rest.strip_prefix(".schema-"));
        rest.is_some_and(|rest| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            rest.split_once('.').map_or_else(|| digits(rest), |(a, b)| digits(a) && digits(b))
        })
    };
    let mut copies: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    copies.sort();
    copies.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_fresh_file_gets_everything_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, None).unwrap();
        migrate(&mut connection, None).unwrap();
        assert_eq!(version(&connection), SCHEMA_VERSION);
    }

    #[test]
    fn calls_of_the_first_schema_are_kept() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &STEPS[..1], None).unwrap();
        connection
            .execute_batch(
                "INSERT INTO assistants VALUES (1, 'a', '+33123456789', 1, '{}', 1, 0, 0, NULL);
                 INSERT INTO calls VALUES
                    (7, 'CA', 1, NULL, '+33123456789', 'failed', 'gather', 'fr-FR', 0, 0, 0, 4, NULL, NULL);
                 INSERT INTO turns (call_id, number, heard_kind, heard, heard_at, said, language)
                    VALUES (7, 1, 'speech', 'Des réservations', 0, 'Bien sûr', 'fr-FR');",
            )
            .unwrap();
        migrate(&mut connection, None).unwrap();
        let row: (i64, i64, Option<String>) = connection
            .query_row("SELECT id, satisfaction, transcription FROM calls", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(row, (7, 4, None));
        let found: i64 = connection
            .query_row(
                "SELECT count(*) FROM turn_words WHERE turn_words MATCH '\"bien\" OR \"reservat\"'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(found, 2, "what was said before is indexed");
    }

    #[test]
    fn a_call_that_goes_on_leaves_the_sums_until_it_ends() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &STEPS[..23], None).unwrap();
        // Of two calls with the same turn and entry, one is over.
        connection
            .execute_batch(
                "INSERT INTO assistants (id, name, phone, active, spec, revision, created_at, updated_at)
                    VALUES (1, 'a', '+33123456789', 1, '{}', 1, 0, 0);
                 INSERT INTO ledger_rates VALUES (1, 'openai', 'm', 'input', 1, 'USD', 'r', 0);",
            )
            .unwrap();
        for (id, status, ended) in [(7, "completed", "9000"), (8, "in-progress", "NULL")] {
            connection
                .execute_batch(&format!(
                    "INSERT INTO calls (id, sid, assistant_id, to_number, status, line, language, started_at, ended_at,
                            cost_eur, cost_usd, cost_unpriced)
                        VALUES ({id}, 'CA{id}', 1, '+33123456789', '{status}', 'gather', 'fr-FR', 0, {ended}, 4, 5, 0);
                     INSERT INTO turns (call_id, number, heard_kind, heard, heard_at, said, language, reply_ms)
                        VALUES ({id}, 1, 'speech', 'Bonjour', 0, 'Oui', 'fr-FR', 700);
                     INSERT INTO ledger_entries VALUES ({id}, 1, 'model', 0, 1, 1, 0, 60, 5, 4, 5);
                     INSERT INTO ledger_days VALUES (0, 1, 1, 1, 60, 5, 4, 5)
                     ON CONFLICT DO UPDATE SET entries = 2, quantity = 120, amount = 10, eur = 8, usd = 10;"
                ))
                .unwrap();
        }
        migrate(&mut connection, None).unwrap();
        let wrong = |connection: &Connection| {
            let mut found = crate::store::ledger::differences(connection).unwrap();
            found.extend(crate::store::call_figures::differences(connection).unwrap());
            found
        };
        assert_eq!(wrong(&connection), Vec::<String>::new());
        let entries = "SELECT entries FROM ledger_days";
        let days = |connection: &Connection| -> i64 {
            connection.query_row(entries, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(days(&connection), 1, "that of the call that is over");
        let end = crate::store::calls::CallEnd {
            status: crate::domain::CallStatus::Completed,
            ended_at: jiff::Timestamp::UNIX_EPOCH,
            duration_s: Some(3),
            reason: None,
        };
        connection
            .execute_batch("INSERT INTO assistant_figures (assistant_id) VALUES (1)")
            .unwrap();
        crate::store::calls::end(&connection, crate::domain::CallId(8), &end).unwrap();
        assert_eq!((days(&connection), wrong(&connection)), (2, Vec::new()));
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, None).unwrap();
        connection.pragma_update(None, "user_version", 999).unwrap();
        let error = migrate(&mut connection, None).unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { found: 999, .. }), "{error}");
        assert_eq!(version(&connection), 999);
    }

    #[test]
    fn somebody_elses_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(migrate(&mut connection, None), Err(StoreError::Foreign)));
    }

    #[test]
    fn a_failing_step_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        let error =
            run(&mut connection, &["CREATE TABLE a (x)", "CREATE TABLE b (", "SELECT 1"], None);
        assert!(error.is_err());
        assert_eq!(version(&connection), 0);
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
