//! Documents of assistants, and what is found in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Success;
use crate::{
    domain::{Digest, Document, DocumentPath, Error, Found, KeptDocument, Result},
    store::knowledge::digest,
};

/// A document as it is set: with its text, or by the digest of one that the assistant has already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentInput {
    /// Where it stands beside the assistant's file, such as `faq/parking.md`.
    pub path: DocumentPath,
    /// Which text it is; made from the text where that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// The text, in Markdown or plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl From<&Document> for DocumentInput {
    fn from(document: &Document) -> Self {
        Self {
            path: document.path.clone(),
            sha256: Some(document.sha256.clone()),
            text: document.text.as_ref().map(ToString::to_string),
        }
    }
}

impl DocumentInput {
    /// The document.
    pub fn read(self) -> Result<Document> {
        let Self { path, sha256, text } = self;
        let sha256 = match (sha256, &text) {
            (Some(sha256), _) => sha256,
            (None, Some(text)) => digest(text),
            (None, None) => {
                return Err(Error::input(format!("the document `{path}` has no `text`"))
                    .hint("send its text, or the `sha256` of one that the assistant has already"));
            }
        };
        Ok(Document { path, sha256, text: text.map(Into::into) })
    }
}

/// The documents of an assistant, by path.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Documents {
    /// True.
    pub success: Success,
    /// The documents.
    pub documents: Vec<KeptDocument>,
}

/// What would be found for something a caller says, the best first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Passages {
    /// True.
    pub success: Success,
    /// The passages.
    pub passages: Vec<Found>,
}
