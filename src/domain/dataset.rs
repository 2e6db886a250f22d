//! What can be taken out of the store as rows: for spreadsheets, notebooks and warehouses.

use std::{fmt, str::FromStr};

use super::Error;

/// A kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dataset {
    /// Calls, by when they began.
    Calls,
    /// Turns of calls, by when the call began.
    Turns,
    /// Bookings, by when what was booked begins.
    Bookings,
    /// Entries of the ledger, by when something was used.
    Ledger,
    /// Contacts, by their last call.
    Contacts,
}

impl Dataset {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Calls, Self::Turns, Self::Bookings, Self::Ledger, Self::Contacts];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Turns => "turns",
            Self::Bookings => "bookings",
            Self::Ledger => "ledger",
            Self::Contacts => "contacts",
        }
    }

    /// Whether its rows are of one assistant each: contacts are of an owner.
    pub const fn is_of_assistants(self) -> bool {
        !matches!(self, Self::Contacts)
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dataset {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| {
            Error::input(format!("there is no dataset `{}`", text.escape_debug()))
                .hint("calls, turns, bookings, ledger or contacts")
        })
    }
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A text that is a JSON value.
    Json,
    /// A whole number.
    Whole,
    /// A number.
    Real,
    /// Yes or no.
    Flag,
    /// Milliseconds since 1970-01-01 UTC.
    Moment,
    /// Millionths of a currency's unit.
    Amount,
}

/// What becomes of a field where nobody is to be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenRedacted {
    /// It stays: it says nothing of who it was.
    Stays,
    /// A pseudonym takes its place, the same one for the same number within an export.
    Pseudonym,
    /// Numbers and addresses in it are masked.
    Masked,
    /// It is left out.
    Empty,
}

/// A field of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, the one that the API has for it.
    pub name: &'static str,
    /// What its values are.
    pub kind: FieldKind,
    /// What becomes of it with `--redact`.
    pub redacted: WhenRedacted,
}

/// A value of a row, as it stands in the store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'v> {
    /// Nothing.
    Null,
    /// A whole number, a moment, an amount, or a flag.
    Whole(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(&'v str),
}
