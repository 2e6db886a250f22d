//! The documents that an assistant's file names: by path, or by pattern such as `faq/*.md`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};
use toml::{Spanned, de::DeValue};

use super::file::{self, Folder, Wrong};
use crate::{
    document::{Problem, Sources},
    domain::{DOCUMENT_ENDINGS, Document, DocumentPath, MOST_DOCUMENTS},
    store::knowledge::digest,
};

/// Entries looked at for the patterns of one file: a folder with more is not one of documents.
const MOST_ENTRIES: usize = 20_000;

/// The documents of a list of paths and patterns; each mistake at the pattern that has it. Those that are
/// `known` need not be there: they are of a file that is still to be written, or of one that is edited.
pub(super) fn read(
    sources: &Sources,
    folder: Option<&Folder>,
    known: &[Document],
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Vec<Document> {
    let mut wrong = |value: &Spanned<DeValue<'_>>, (message, hint): Wrong| {
        let (file, text, span) = sources.find(&value.span());
        problems.push(Problem::on(file, text, span, message).maybe_hint(hint));
    };
    let DeValue::Array(patterns) = value.get_ref() else {
        let hint = Some("such as `knowledge = [\"menu.md\", \"faq/*.md\"]`".to_owned());
        wrong(value, ("`knowledge` is a list of paths and patterns".to_owned(), hint));
        return Vec::new();
    };
    if folder.is_none() && known.is_empty() && !patterns.is_empty() {
        let hint =
            Some("put the assistant into a file, with its documents in the same folder".to_owned());
        wrong(value, ("`knowledge` needs a file to stand beside".to_owned(), hint));
        return Vec::new();
    }
    let mut below = None;
    let mut documents: BTreeMap<DocumentPath, Document> = BTreeMap::new();
    for pattern in patterns {
        let DeValue::String(text) = pattern.get_ref() else {
            wrong(pattern, ("a path or a pattern is a text".to_owned(), None));
            continue;
        };
        let found = if is_pattern(text) {
            let below = below.get_or_insert_with(|| list(folder, known));
            matching(text, below)
        } else {
            text.parse().map(|path| vec![path]).map_err(told)
        };
        let paths = match found {
            Ok(paths) => paths,
            Err(told) => {
                wrong(pattern, told);
                continue;
            }
        };
        for path in paths {
            if documents.contains_key(&path) {
                continue;
            }
            if documents.len() >= MOST_DOCUMENTS {
                let message = format!("more than {MOST_DOCUMENTS} documents are named");
                let hint = Some("put what belongs together into one document".to_owned());
                wrong(pattern, (message, hint));
                return Vec::new();
            }
            match document(folder, known, &path) {
                Ok(document) => {
                    documents.insert(path, document);
                }
                Err(told) => wrong(pattern, told),
            }
        }
    }
    documents.into_values().collect()
}

fn told(error: crate::domain::Error) -> Wrong {
    (error.message().to_owned(), error.hint_text().map(str::to_owned))
}

/// Whether a text is a pattern, and no path.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn document(
    folder: Option<&Folder>,
    known: &[Document],
    path: &DocumentPath,
) -> Result<Document, Wrong> {
    if let Some(known) = known.iter().find(|known| known.path == *path) {
        return Ok(known.clone());
    }
    let Some(folder) = folder else {
        let message = format!("`{path}` is none of the documents of this assistant");
        let hint =
            "new ones come with its file: put them beside it, and `webox apply` it".to_owned();
        return Err((message, Some(hint)));
    };
    let text = folder.beside(Path::new(path.as_str())).and_then(|path| file::text(&path))?;
    Ok(Document::with_text(path.clone(), digest(&text), &text))
}

fn matcher(pattern: &str) -> Result<GlobMatcher, Wrong> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(false).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        (format!("`{}` is not a pattern: {}", pattern.escape_debug(), error.kind()), None)
    })
}

fn matching(pattern: &str, below: &Result<Vec<String>, Wrong>) -> Result<Vec<DocumentPath>, Wrong> {
    let matcher = matcher(pattern)?;
    let below = below.as_ref().map_err(Clone::clone)?;
    let paths = below.iter().filter(|path| matcher.is_match(path.as_str()));
    let paths: Vec<DocumentPath> =
        paths.map(|path| path.parse().map_err(told)).collect::<Result<_, _>>()?;
    if paths.is_empty() {
        let hint = if pattern.split('/').any(|part| part == "..") || pattern.starts_with('/') {
            "documents stand in the folder of the assistant's file or below".to_owned()
        } else {
            format!("documents are files that end with {}", DOCUMENT_ENDINGS.join(", "))
        };
        return Err((format!("`{}` matches no document", pattern.escape_debug()), Some(hint)));
    }
    Ok(paths)
}

/// Every document in a folder and below, by its path, in order; hidden ones and linked folders left out.
fn list(folder: Option<&Folder>, known: &[Document]) -> Result<Vec<String>, Wrong> {
    let mut found: Vec<String> = known.iter().map(|one| one.path.to_string()).collect();
    let Some(folder) = folder else { return Ok(found) };
    let mut left = MOST_ENTRIES;
    let mut open = vec![PathBuf::new()];
    while let Some(here) = open.pop() {
        let place = folder.here().join(&here);
        let unreadable =
            |error: std::io::Error| (format!("cannot list {}: {error}", place.display()), None);
        // A folder that is still to be made has nothing in it.
        let Ok(entries) = fs::read_dir(&place) else { continue };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            left = left.checked_sub(1).ok_or_else(|| {
                let message = format!(
                    "{} holds too many files to look for documents in",
                    folder.here().display()
                );
                (
                    message,
                    Some(
                        "name the documents one by one, or put them into a folder of their own"
                            .to_owned(),
                    ),
                )
            })?;
            let name = entry.file_name();
            // What is not UTF-8 cannot be named in a file either.
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            let path = here.join(name);
            if entry.file_type().map_err(unreadable)?.is_dir() {
                open.push(path);
            } else if let Some(path) = path.to_str()
                && path.parse::<DocumentPath>().is_ok()
            {
                found.push(path.to_owned());
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::provision::load;
    use std::path::Path;

    const HEAD: &str = "name = \"a\"\nclient = \"A\"\nphone = \"+33123456789\"\ncontext = \"x\"\n";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    /// The paths, or the mistakes.
    fn read(folder: &Path, knowledge: &str) -> Result<Vec<String>, String> {
        let file = folder.join("clients/a.toml");
        std::fs::write(&file, format!("{HEAD}knowledge = {knowledge}\n")).unwrap();
        let loaded = load(&[file], None, &mut std::io::empty());
        let loaded = loaded.map_err(|problems| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })?;
        Ok(loaded[0].spec().knowledge.iter().map(|one| one.path.to_string()).collect())
    }

    #[test]
    fn paths_and_patterns_name_documents() {
        let folder = folder(&[
            ("clients/menu.md", b"# Menu\n"),
            ("clients/faq/b.md", b"b"),
            ("clients/faq/a.txt", b"a"),
            ("clients/faq/photo.png", b"\x89PNG"),
            ("clients/faq/.hidden.md", b"no"),
            ("clients/faq/deep/c.md", b"c"),
        ]);
        let read = |knowledge| read(folder.path(), knowledge);
        assert_eq!(read("[\"menu.md\", \"faq/*\"]").unwrap(), ["faq/a.txt", "faq/b.md", "menu.md"]);
        assert_eq!(read("[\"**/*.md\"]").unwrap(), ["faq/b.md", "faq/deep/c.md", "menu.md"]);
        assert_eq!(read("[\"menu.md\", \"*.md\", \"menu.md\"]").unwrap(), ["menu.md"]);
        assert_eq!(read("[]").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let big = vec![b'x'; 1024 * 1024 + 1];
        let folder = folder(&[
            ("secret.md", b"no"),
            ("clients/menu.md", b"# Menu\n"),
            ("clients/big.md", &big),
            ("clients/latin.md", b"\xe9t\xe9"),
            ("clients/photo.png", b"x"),
        ]);
        std::os::unix::fs::symlink("../secret.md", folder.path().join("clients/linked.md"))
            .unwrap();
        for (knowledge, told) in [
            ("[\"menu.md\", \"none/*.md\"]", "a.toml:5:25: `none/*.md` matches no document"),
            ("[\"nothing.md\"]", "a.toml:5:14: cannot read"),
            ("[\"big.md\"]", "is larger than 1 MiB"),
            ("[\"latin.md\"]", "is not UTF-8 (line 1)"),
            ("[\"photo.png\"]", "is not the name of a document"),
            ("[\"../secret.md\"]", "is not the path of a document"),
            ("[\"/etc/passwd.md\"]", "is not the path of a document"),
            ("[\"../*.md\"]", "matches no document"),
            ("[\"linked.md\"]", "lies outside of"),
            ("[\"*.md\"]", "lies outside of"),
            ("[\"[.md\"]", "is not a pattern"),
            ("[7]", "a path or a pattern is a text"),
            ("\"menu.md\"", "`knowledge` is a list of paths and patterns"),
        ] {
            let problems = read(folder.path(), knowledge).unwrap_err();
            assert!(problems.contains(told), "{knowledge}: {problems}");
        }
    }

    #[test]
    fn too_much_is_told() {
        let large = vec![b'x'; 800 * 1024];
        let folder =
            folder(&[("clients/a.md", &large), ("clients/b.md", &large), ("clients/c.md", &large)]);
        let problems = read(folder.path(), "[\"*.md\"]").unwrap_err();
        assert!(
            problems.contains("a.toml:5:13: `knowledge` has documents of 2.3 MiB together"),
            "{problems}"
        );
        for n in 0..201 {
            std::fs::write(folder.path().join(format!("clients/{n}.txt")), "x").unwrap();
        }
        let problems = read(folder.path(), "[\"*.txt\"]").unwrap_err();
        assert!(problems.contains("more than 200 documents are named"), "{problems}");
    }
}
