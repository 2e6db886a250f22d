//! What an assistant looks up: documents of the client, passages of them, and which passage is about
//! what a caller asked.

mod meaning;
mod passages;
mod rank;
mod said;
mod words;

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;

pub use meaning::{FoundBy, MOST_DIMENSIONS, Vector, goes_on, merge, nearest};
pub use passages::split;
pub use rank::{Found, Passage, Question, rank};
pub use said::answer;
pub use words::{is_general, root, search_words};

/// Documents of one assistant at most.
pub const MOST_DOCUMENTS: usize = 200;

/// How long all documents of an assistant may be together, in bytes.
const LARGEST_KNOWLEDGE: usize = 2 * 1024 * 1024;

/// The longest path, in characters.
const LONGEST_PATH: usize = 200;

/// What the names of documents end with.
pub const DOCUMENT_ENDINGS: [&str; 3] = [".md", ".markdown", ".txt"];

/// Where a document stands: relative to its assistant's file, in its folder or below.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DocumentPath(String);

impl DocumentPath {
    /// With `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DocumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DocumentPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let shown: String = text.chars().take(80).collect();
        let wrong = |why: &str, hint: &str| {
            Err(Error::input(format!("`{}` {why}", shown.escape_debug())).hint(hint))
        };
        if text.chars().count() > LONGEST_PATH {
            return wrong("is too long for a path", "a document's path has at most 200 characters");
        }
        let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.');
        if !text.split('/').all(is_plain) || text.chars().any(|c| c == '\\' || c.is_control()) {
            return wrong(
                "is not the path of a document",
                "documents stand in the folder of the assistant's file or below; hidden files are none",
            );
        }
        if !DOCUMENT_ENDINGS.iter().any(|ending| text.to_lowercase().ends_with(ending)) {
            return wrong("is not the name of a document", "documents are `.md` or `.txt`");
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for DocumentPath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<DocumentPath> for String {
    fn from(path: DocumentPath) -> Self {
        path.0
    }
}

/// The SHA-256 of a text: names exactly this text.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Digest(String);

impl Digest {
    /// In hexadecimal, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it for people.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if text.len() != 64 || !text.chars().all(is_hex) {
            return Err(Error::input("a digest is a SHA-256 in 64 hexadecimal figures"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// A document of an assistant: its place, and which text it is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Where it stands.
    pub path: DocumentPath,
    /// Which text it is.
    pub sha256: Digest,
    /// The text itself, on its way from a file into the store and back. What is stored of an
    /// assistant holds the digest alone; the text is a row of its own.
    #[serde(skip)]
    pub text: Option<Arc<str>>,
}

impl PartialEq for Document {
    /// The digest is the text, whether or not it is at hand.
    fn eq(&self, other: &Self) -> bool {
        (&self.path, &self.sha256) == (&other.path, &other.sha256)
    }
}

impl Document {
    /// A document whose text is at hand.
    pub fn with_text(path: DocumentPath, sha256: Digest, text: &str) -> Self {
        Self { path, sha256, text: Some(text.into()) }
    }
}

/// What is wrong with the documents of an assistant, if anything: the field and why.
pub(super) fn broken(documents: &[Document]) -> Option<(String, String)> {
    if documents.len() > MOST_DOCUMENTS {
        let message =
            format!("has {} documents, and at most {MOST_DOCUMENTS} may be", documents.len());
        return Some(("knowledge".to_owned(), message));
    }
    let mut paths = BTreeSet::new();
    if let Some(at) = documents.iter().position(|one| !paths.insert(&one.path)) {
        let message = format!("names {} twice", documents[at].path);
        return Some((format!("knowledge[{at}]"), message));
    }
    let length: usize =
        documents.iter().filter_map(|one| one.text.as_ref()).map(|text| text.len()).sum();
    knowledge_too_large(length).map(|message| ("knowledge".to_owned(), message))
}

/// Why documents of a length together are too long, if they are.
pub fn knowledge_too_large(bytes: usize) -> Option<String> {
    (bytes > LARGEST_KNOWLEDGE).then(|| {
        format!(
            "has documents of {:.1} MiB together, and at most 2 MiB may be: leave out what no caller asks for",
            bytes as f64 / (1024.0 * 1024.0)
        )
    })
}

/// A document as the store has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeptDocument {
    /// Where it stands.
    pub path: DocumentPath,
    /// Which text it is.
    pub sha256: Digest,
    /// How long it is.
    pub bytes: u64,
    /// In how many passages it is looked up.
    pub passages: u64,
    /// Of those, how many are found by what they mean too, where a model for that is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded: Option<u64>,
    /// Why not all of them are, where the model was asked and did not answer, or refused one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Its text, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Puts texts into documents that name them.
pub fn put_texts(documents: &mut [Document], kept: Vec<KeptDocument>) {
    for one in kept {
        let Some(text) = one.text.map(Arc::<str>::from) else { continue };
        for document in documents.iter_mut().filter(|document| document.sha256 == one.sha256) {
            document.text = Some(Arc::clone(&text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_stands_beside_its_assistant_or_below() {
        for path in ["menu.md", "faq/parking.txt", "a/b/c d.MD", "été.markdown"] {
            assert_eq!(path.parse::<DocumentPath>().unwrap().as_str(), path);
        }
        for path in [
            "",
            "/etc/menu.md",
            "../menu.md",
            "a/../b.md",
            "a//b.md",
            ".menu.md",
            "a\\b.md",
            "a.pdf",
            "a\n.md",
        ] {
            assert!(path.parse::<DocumentPath>().is_err(), "{path}");
        }
        assert!("a".repeat(198).parse::<DocumentPath>().is_err());
    }

    #[test]
    fn documents_are_bounded_and_named_once() {
        let document = |path: &str, length: usize| {
            let text = "x".repeat(length);
            Document::with_text(path.parse().unwrap(), "0".repeat(64).parse().unwrap(), &text)
        };
        assert_eq!(broken(&[document("a.md", 10), document("b.md", 10)]), None);
        let twice = broken(&[document("a.md", 10), document("a.md", 10)]).unwrap();
        assert_eq!(twice, ("knowledge[1]".to_owned(), "names a.md twice".to_owned()));
        let half = LARGEST_KNOWLEDGE / 2 + 1;
        assert!(
            broken(&[document("a.md", half), document("b.md", half)])
                .unwrap()
                .1
                .contains("2.0 MiB")
        );
        let many: Vec<_> = (0..=MOST_DOCUMENTS).map(|n| document(&format!("{n}.md"), 1)).collect();
        assert!(broken(&many).unwrap().1.contains("201 documents"));
    }
}
