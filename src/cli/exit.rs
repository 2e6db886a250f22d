//! Exit codes: what a script may conclude. The same table stands in `webox(1)`.

use crate::domain::Kind;

/// Done; also when there was nothing to do, and nothing to show.
pub const OK: u8 = 0;
/// Anything that is not below; one item failed.
pub const FAILURE: u8 = 1;
/// `plan --detailed-exitcode`: there are changes to apply.
pub const CHANGES_PRESENT: u8 = 2;
/// Refused on purpose.
pub const REFUSED: u8 = 3;
/// Stored, but some steps outside are still to be done: run it again.
pub const PARTIAL: u8 = 4;
/// The command line is wrong, or a question would have to be asked where nobody can answer.
pub const USAGE: u8 = 64;
/// A file or a value is wrong.
pub const DATA: u8 = 65;
/// An outside service cannot be reached.
pub const UNAVAILABLE: u8 = 69;
/// The database is locked by another process for too long, or a daemon was asked too often.
pub const BUSY: u8 = 75;
/// Not permitted.
pub const DENIED: u8 = 77;
/// The settings are wrong or missing, or there is no database where they say.
pub const CONFIG: u8 = 78;
/// Interrupted by the user.
pub const INTERRUPTED: u8 = 130;

/// The table as help and manual pages print it.
pub const TABLE: &[(u8, &str)] = &[
    (OK, "done; also when there is nothing to do or to show"),
    (FAILURE, "anything not listed here"),
    (CHANGES_PRESENT, "there are changes to apply (only where asked for)"),
    (REFUSED, "refused on purpose"),
    (PARTIAL, "stored, but steps outside are still to be done: run it again"),
    (USAGE, "wrong command line, or a question that nobody is there to answer"),
    (DATA, "a file or a value is wrong"),
    (UNAVAILABLE, "an outside service cannot be reached"),
    (BUSY, "the database is locked by another process, or a daemon was asked too often"),
    (DENIED, "not permitted"),
    (CONFIG, "the settings are wrong or missing, or there is no database"),
    (INTERRUPTED, "interrupted"),
];

/// The exit code of an error.
pub const fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Usage => USAGE,
        Kind::Input | Kind::TooLarge => DATA,
        Kind::Config => CONFIG,
        Kind::Refused => REFUSED,
        Kind::Partial => PARTIAL,
        Kind::Denied => DENIED,
        Kind::Unavailable => UNAVAILABLE,
        Kind::Busy | Kind::TooMany => BUSY,
        Kind::Interrupted => INTERRUPTED,
        Kind::NotFound | Kind::Conflict | Kind::Outdated | Kind::Failure => FAILURE,
    }
}
