//! Somebody else's file: the SQLite database of the prototype. It is read and never changed, and
//! nothing is left beside it: a file that another program has open, or left in the middle of
//! something, is read from a copy.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params, types::ValueRef};
use tempfile::TempDir;

use crate::domain::{Error, Kind, Result};

/// A table of the prototype.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `voice_assistants`.
    Assistants,
    /// `voice_calls`.
    Calls,
}

/// Read as whether it is set: what is never read cannot be told to anybody.
const SECRET: &str = "twilio_auth_token";

impl Table {
    /// Its name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assistants => "voice_assistants",
            Self::Calls => "voice_calls",
        }
    }

    /// The columns the prototype knows.
    #[rustfmt::skip]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Assistants => &[
                "id", "client_name", "client_email", "twilio_phone_number", "twilio_account_sid",
                "twilio_auth_token", "ai_model", "ai_context", "ai_personality", "voice_provider",
                "voice_id", "voice_language", "max_call_duration", "enable_recording",
                "enable_transcription", "fallback_to_human", "is_active", "owner_id", "owner_email",
                "total_calls", "total_duration", "average_satisfaction", "created_at", "updated_at",
            ],
            Self::Calls => &[
                "id", "assistant_id", "call_sid", "from_number", "to_number", "duration", "status",
                "transcription", "recording_url", "satisfaction_score", "call_metadata",
                "started_at", "ended_at",
            ],
        }
    }
}

/// A value as SQLite holds it: a column's type is no promise.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text in UTF-8.
    Text(String),
    /// Bytes that are no text.
    Bytes,
}

/// One row of a table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which one it is, counted from 1.
    pub number: u64,
    table: Table,
    values: Vec<Value>,
}

impl Row {
    /// The value of a column; nothing where the file lacks the column.
    pub fn get(&self, column: &str) -> &Value {
        let at = self.table.columns().iter().position(|name| *name == column);
        at.and_then(|at| self.values.get(at)).unwrap_or(&Value::Null)
    }
}

/// What a file has of a table.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Whether it is there at all.
    pub exists: bool,
    /// Columns of the prototype that it lacks.
    pub missing: Vec<&'static str>,
    /// Columns that are not the prototype's.
    pub unknown: Vec<String>,
}

/// How far a table was read.
#[derive(Debug)]
pub struct Cursor {
    table: Table,
    next: Option<i64>,
    count: u64,
}

/// The file, open. Each page is read in a transaction of its own: the prototype, should it be
/// answering still, is never kept from writing for longer than that.
pub struct Prototype {
    connection: Connection,
    path: PathBuf,
    assistants: Shape,
    calls: Shape,
    /// Dropped after the connection: fields are dropped in their order.
    _copy: Option<TempDir>,
}

/// How long to wait for a program that is writing the file.
const PATIENCE: Duration = Duration::from_secs(5);
/// Text in one page: a transcript has no bound, memory has.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

impl Prototype {
    /// Opens the file; says what is wrong with it if it is not the prototype's.
    pub fn open(path: &Path) -> Result<Self> {
        let wal = check_header(path)?;
        let explain = |error| explain(error, path);
        // SQLite names the files beside it after the real one.
        let real = std::fs::canonicalize(path).map_err(|error| unreadable(error, path))?;
        let (connection, copy) = if wal || !beside(&real).is_empty() {
            let folder = copy(&real)?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(folder.path().join(COPY), flags);
            (connection.map_err(explain)?, Some(folder))
        } else {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            (Connection::open_with_flags(&real, flags).map_err(explain)?, None)
        };
        connection.busy_timeout(PATIENCE).map_err(explain)?;
        // A file from elsewhere may hold a schema that does things of its own.
        connection
            .execute_batch(
                "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA query_only = ON;",
            )
            .map_err(explain)?;
        let assistants = shape(&connection, Table::Assistants).map_err(explain)?;
        let calls = shape(&connection, Table::Calls).map_err(explain)?;
        if !assistants.exists {
            return Err(Error::input(format!(
                "{} is a database, but not the prototype's: it has no table `voice_assistants`",
                path.display()
            ))
            .hint("give the file that the prototype's DATABASE_URL names"));
        }
        Ok(Self { connection, path: path.to_owned(), assistants, calls, _copy: copy })
    }

    /// What the file has of a table.
    pub fn shape(&self, table: Table) -> &Shape {
        match table {
            Table::Assistants => &self.assistants,
            Table::Calls => &self.calls,
        }
    }

    /// How many rows a table has. Counted in the table and not in an index of it, so that most damage
    /// is found before anything is taken.
    pub fn count(&self, table: Table) -> Result<u64> {
        if !self.shape(table).exists {
            return Ok(0);
        }
        let sql = format!("SELECT count(*) FROM {} NOT INDEXED", table.name());
        let count: i64 = self
            .connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(|error| explain(error, &self.path))?;
        Ok(count.max(0) as u64)
    }

    /// The largest id among the assistants.
    pub fn largest_assistant_id(&self) -> Result<i64> {
        if self.assistants.missing.contains(&"id") {
            return Ok(0);
        }
        let sql = "SELECT coalesce(max(id), 0) FROM voice_assistants WHERE typeof(id) = 'integer'";
        self.connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|error| explain(error, &self.path))
    }

    /// Where reading a table begins.
    pub fn start(&self, table: Table) -> Cursor {
        let next = self.shape(table).exists.then_some(i64::MIN);
        Cursor { table, next, count: 0 }
    }

    /// The next rows, at most so many; none at the end.
    pub fn page(&self, cursor: &mut Cursor, most: u32) -> Result<Vec<Row>> {
        let Some(next) = cursor.next else { return Ok(Vec::new()) };
        self.read(cursor, next, most).map_err(|error| {
            if is_busy(&error) {
                return in_use(&self.path).because(error);
            }
            let file = self.path.display();
            let at = format!("{file} cannot be read after row {}", cursor.count);
            Error::input(format!("{at} of `{}`", cursor.table.name()))
                .hint("import what `sqlite3 FILE .recover` saves of it; what is taken is not taken twice")
                .because(error)
        })
    }

    fn read(&self, cursor: &mut Cursor, next: i64, most: u32) -> rusqlite::Result<Vec<Row>> {
        let table = cursor.table;
        let columns: Vec<String> = table
            .columns()
            .iter()
            .map(|column| match *column {
                missing if self.shape(table).missing.contains(&missing) => "NULL".to_owned(),
                SECRET => format!("CASE WHEN coalesce({SECRET}, '') <> '' THEN 1 END"),
                column => column.to_owned(),
            })
            .collect();
        let sql = format!(
            "SELECT rowid, {} FROM {} WHERE rowid >= ?1 ORDER BY rowid LIMIT ?2",
            columns.join(", "),
            table.name()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![next, most])?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        let mut last = None;
        while bytes < PAGE_BYTES {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                // What stands before the damage is good; the next page begins with the error.
                Err(_) if !page.is_empty() => break,
                Err(error) => return Err(error),
            };
            last = Some(row.get::<_, i64>(0)?);
            let mut values = Vec::with_capacity(columns.len());
            for at in 1..=columns.len() {
                values.push(match row.get_ref(at)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Integer(number),
                    ValueRef::Real(number) => Value::Real(number),
                    ValueRef::Text(text) => {
                        bytes += text.len();
                        std::str::from_utf8(text)
                            .map_or(Value::Bytes, |text| Value::Text(text.to_owned()))
                    }
                    ValueRef::Blob(_) => Value::Bytes,
                });
            }
            cursor.count += 1;
            page.push(Row { number: cursor.count, table, values });
        }
        cursor.next = last.and_then(|last| last.checked_add(1));
        Ok(page)
    }
}

fn shape(connection: &Connection, table: Table) -> rusqlite::Result<Shape> {
    let kind: Option<String> = connection
        .query_row(
            "SELECT type FROM pragma_table_list WHERE schema = 'main' AND wr = 0 AND name = ?1 COLLATE NOCASE",
            [table.name()],
            |row| row.get(0),
        )
        .optional()?;
    if kind.as_deref() != Some("table") {
        return Ok(Shape::default());
    }
    let mut statement = connection.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
    let found: Vec<String> =
        statement.query_map([table.name()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let is_there = |name: &str| found.iter().any(|column| column == name);
    Ok(Shape {
        exists: true,
        missing: table.columns().iter().copied().filter(|name| !is_there(name)).collect(),
        unknown: found
            .iter()
            .filter(|name| !table.columns().contains(&name.as_str()))
            .cloned()
            .collect(),
    })
}

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER: usize = 100;

/// Looks at the file before SQLite does; says whether its newest rows may be in a log beside it.
fn check_header(path: &Path) -> Result<bool> {
    let cannot = |error| unreadable(error, path);
    let file = File::open(path).map_err(cannot)?;
    let meta = file.metadata().map_err(cannot)?;
    if !meta.is_file() {
        return Err(Error::input(format!("{} is not a file", path.display()))
            .hint("give the prototype's SQLite file"));
    }
    let mut header = Vec::new();
    file.take(HEADER as u64).read_to_end(&mut header).map_err(cannot)?;
    if header.len() < HEADER || !header.starts_with(MAGIC) {
        return Err(not_sqlite(path));
    }
    let word = |at: usize| {
        u64::from(u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]))
    };
    let is_wal = header[18] == 2 || header[19] == 2;
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        size => size,
    };
    // The count of pages is only good when the last writer kept it, and while no log adds to it.
    let is_counted = word(24) == word(92) && !is_wal;
    if is_counted && page * word(28) > meta.len() {
        return Err(damaged(path).because(format!(
            "it has {} of {} bytes",
            meta.len(),
            page * word(28)
        )));
    }
    Ok(is_wal)
}

/// Its write-ahead log and its rollback journal, where there are any.
fn beside(real: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut found = Vec::new();
    for suffix in ["-wal", "-journal"] {
        let mut name = real.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        if path.exists() {
            found.push((suffix, path));
        }
    }
    found
}

const COPY: &str = "prototype.db";

/// Copies the file and what is beside it into a private folder.
fn copy(real: &Path) -> Result<TempDir> {
    let cannot = |error: std::io::Error| {
        Error::failure(format!("cannot copy {} to read it", real.display()))
            .hint("it needs as much free space in TMPDIR as the file is long")
            .because(error)
    };
    let before = state(real);
    let folder = tempfile::tempdir().map_err(cannot)?;
    std::fs::copy(real, folder.path().join(COPY)).map_err(cannot)?;
    for (suffix, path) in beside(real) {
        std::fs::copy(path, folder.path().join(format!("{COPY}{suffix}"))).map_err(cannot)?;
    }
    if before != state(real) {
        return Err(in_use(real));
    }
    Ok(folder)
}

/// What tells that a file or one beside it was written.
fn state(real: &Path) -> Vec<(PathBuf, u64, Option<SystemTime>)> {
    std::iter::once(real.to_owned())
        .chain(beside(real).into_iter().map(|(_, path)| path))
        .map(|path| {
            let meta = std::fs::metadata(&path).ok();
            let length = meta.as_ref().map_or(0, std::fs::Metadata::len);
            (path, length, meta.and_then(|meta| meta.modified().ok()))
        })
        .collect()
}

fn in_use(path: &Path) -> Error {
    Error::new(Kind::Busy, format!("{} is being written by another program", path.display()))
        .hint("stop the prototype, then run the import again")
}

fn not_sqlite(path: &Path) -> Error {
    Error::input(format!("{} is not an SQLite database", path.display()))
        .hint("give the prototype's SQLite file; it was left as it is")
}

fn damaged(path: &Path) -> Error {
    Error::input(format!("{} is damaged or cut short", path.display())).hint(
        "take a backup, or what `sqlite3 FILE .recover` saves of it; the file was left as it is",
    )
}

fn unreadable(error: std::io::Error, path: &Path) -> Error {
    let file = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::input(format!("there is no file {file}"))
            .hint("give the prototype's SQLite file"),
        std::io::ErrorKind::PermissionDenied => {
            Error::new(Kind::Denied, format!("{file} cannot be read")).because(error)
        }
        _ => Error::input(format!("{file} cannot be read")).because(error),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn explain(error: rusqlite::Error, path: &Path) -> Error {
    if is_busy(&error) {
        return in_use(path).because(error);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_sqlite(path).because(error),
        Some(ErrorCode::DatabaseCorrupt) => damaged(path).because(error),
        _ => Error::input(format!("{} cannot be read", path.display())).because(error),
    }
}
