//! Errors: problem documents (RFC 9457).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Error, Kind};

/// What went wrong, to what, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Problem {
    /// Always `about:blank`: the status and `code` tell kinds apart.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in a sentence.
    pub detail: String,
    /// The kind of error, as the terminal's JSON has it, such as `not_found`.
    pub code: String,
    /// What to do next, when it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with a status.
    pub fn new(status: u16, title: &str, error: &Error) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status,
            detail: error.message().to_owned(),
            code: error.kind().as_str().to_owned(),
            hint: error.hint_text().map(str::to_owned),
        }
    }

    /// The error it tells of.
    pub fn into_error(self) -> Error {
        let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == self.code);
        let kind = known.unwrap_or(Kind::Failure);
        Error::new(kind, self.detail).maybe_hint(self.hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_back_as_itself() {
        for kind in Kind::ALL {
            let error = Error::new(kind, "what happened").hint("what to do");
            let back = Problem::new(400, "Bad Request", &error).into_error();
            assert_eq!(back.kind(), kind);
            assert_eq!((back.message(), back.hint_text()), ("what happened", Some("what to do")));
        }
    }
}
