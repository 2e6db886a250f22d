//! The one error a person reads: what happened, to what, what to do next.

use std::fmt;

/// What went wrong, coarsely enough that a script can branch on it.
///
/// Two tables turn a kind into an exit code (`cli::exit`) and an HTTP status (`server::problem`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line was wrong.
    Usage,
    /// A file or value given by the user was wrong.
    Input,
    /// The settings (`webox.toml`, environment) are wrong or missing.
    Config,
    /// The named thing does not exist.
    NotFound,
    /// The thing exists already, or changed meanwhile.
    Conflict,
    /// The thing is not as it was when the change was thought of.
    Outdated,
    /// The operation was refused on purpose.
    Refused,
    /// Some of the work is done and stored, some is not.
    Partial,
    /// The caller may not do this.
    Denied,
    /// An outside service cannot be reached or does not answer.
    Unavailable,
    /// More than is taken at a time.
    TooLarge,
    /// Asked too often.
    TooMany,
    /// The store is locked by another process for too long.
    Busy,
    /// The user interrupted.
    Interrupted,
    /// Anything else.
    Failure,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Usage,
        Self::Input,
        Self::Config,
        Self::NotFound,
        Self::Conflict,
        Self::Outdated,
        Self::Refused,
        Self::Partial,
        Self::Denied,
        Self::Unavailable,
        Self::TooLarge,
        Self::TooMany,
        Self::Busy,
        Self::Interrupted,
        Self::Failure,
    ];

    /// The word in JSON, at the terminal and over the network.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Input => "input",
            Self::Config => "config",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Outdated => "outdated",
            Self::Refused => "refused",
            Self::Partial => "partial",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
            Self::Busy => "busy",
            Self::Interrupted => "interrupted",
            Self::Failure => "failure",
        }
    }
}

/// A user-facing error.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of anything that a person may read the error of.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` saying `message` (sentence without a final period).
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A wrong value or file.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    /// Wrong settings.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// A missing thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Something that exists already.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// An outside service that cannot be used now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// Anything not covered by the other kinds.
    pub fn failure(message: impl Into<String>) -> Self {
        Self::new(Kind::Failure, message)
    }

    /// What the system said of a file or a folder: `what` says what cannot be done with it, such as `cannot be
    /// written`.
    pub fn of_file(path: &std::path::Path, what: &str, cause: std::io::Error) -> Self {
        let kind = match cause.kind() {
            std::io::ErrorKind::PermissionDenied => Kind::Denied,
            std::io::ErrorKind::NotFound => Kind::NotFound,
            _ => Kind::Failure,
        };
        Self::new(kind, format!("{} {what}", path.display())).because(cause)
    }

    /// What is printed cannot be written; where its reader closed its end, that is no failure.
    pub fn of_output(cause: std::io::Error) -> Self {
        Self::failure("what is printed cannot be written").because(cause)
    }

    /// No folder for a moment is to be had.
    pub fn of_temporary_folder(cause: std::io::Error) -> Self {
        Self::failure("no temporary folder can be made")
            .hint("is there room in /tmp, and may you write there? `TMPDIR` names another")
            .because(cause)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do next, if there is something to say.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        if hint.is_some() {
            self.hint = hint;
        }
        self
    }

    /// Adds the underlying cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of error this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened, to what.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next, when known.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The chain of causes, outermost first, as text.
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }

    /// What happened and why, on one line.
    pub fn with_causes(&self) -> String {
        std::iter::once(self.to_string()).chain(self.causes()).collect::<Vec<_>>().join(": ")
    }

    /// Whether this is a reader that closed its end (`webox calls | head`), which is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            if cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
            {
                return true;
            }
            next = cause.source();
        }
        false
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn std::error::Error + 'static))
    }
}
