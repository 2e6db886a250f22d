//! Files and folders of assistants: all of them read, all of their mistakes told at once.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use super::spec;
use crate::{
    document::Problem,
    domain::{AssistantName, AssistantSpec, PhoneNumber},
};

/// The name that stands for standard input.
pub const STDIN: &str = "-";

/// An assistant and the file it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The file as the user named it, or found under a folder the user named.
    pub path: PathBuf,
    /// What it says.
    pub spec: AssistantSpec,
}

/// Reads files, folders (every `*.toml` below, in order) and `-` (`stdin`).
pub fn load(paths: &[PathBuf], stdin: &mut dyn Read) -> Result<Vec<Loaded>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut loaded: Vec<Loaded> = Vec::new();
    for file in files(paths, &mut problems) {
        let name = if is_stdin(&file) { "stdin".to_owned() } else { file.display().to_string() };
        let text = if is_stdin(&file) {
            let mut text = String::new();
            stdin.read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(&file)
        };
        match text {
            Err(error) => {
                problems.push(Problem::of_file(&name, format!("cannot be read: {error}")));
            }
            Ok(text) => match spec::read(&name, &text, file.parent()) {
                Ok(spec) => loaded.push(Loaded { path: PathBuf::from(&name), spec }),
                Err(found) => problems.extend(found),
            },
        }
    }
    problems.extend(duplicates(&loaded));
    if problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

/// Reads the text of one assistant, such as one that came out of an editor.
pub fn read_text(name: &str, text: &str) -> Result<AssistantSpec, Vec<Problem>> {
    spec::read(name, text, None)
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

fn files(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if is_stdin(path) || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        if let Err(error) = walk(path, &mut files) {
            problems.push(Problem::of_file(
                &path.display().to_string(),
                format!("cannot be listed: {error}"),
            ));
        } else if files.len() == before {
            problems.push(Problem::of_file(
                &path.display().to_string(),
                "there is no `*.toml` file in this folder",
            ));
        }
    }
    files
}

/// What a rehearsal of an assistant is called, beside the assistant's own file.
const REHEARSAL: &str = ".rehearsal.toml";

/// Every `*.toml` below a folder, sorted; rehearsals, hidden files and symbolic links to folders
/// left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.ends_with(REHEARSAL) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

/// Names and numbers that two files claim.
fn duplicates(loaded: &[Loaded]) -> Vec<Problem> {
    let mut names: BTreeMap<&AssistantName, &Path> = BTreeMap::new();
    let mut numbers: BTreeMap<&PhoneNumber, &Path> = BTreeMap::new();
    let mut problems = Vec::new();
    for Loaded { path, spec } in loaded {
        let file = path.display().to_string();
        if let Some(other) = names.insert(&spec.name, path) {
            let message = format!("`{}` is also the name in {}", spec.name, other.display());
            problems.push(Problem::of_file(&file, message));
        }
        if let Some(other) = numbers.insert(&spec.phone, path) {
            let message = format!("{} is also the number in {}", spec.phone, other.display());
            problems.push(Problem::of_file(&file, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "name = \"a\"\nclient = \"A\"\nphone = \"01 23 45 67 89\"\ncontext = \"Bonjour\"\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn load_folder(folder: &tempfile::TempDir) -> Result<Vec<Loaded>, Vec<String>> {
        load(&[folder.path().to_path_buf()], &mut std::io::empty()).map_err(|problems| {
            let prefix = format!("{}/", folder.path().display());
            problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect()
        })
    }

    #[test]
    fn a_folder_is_read_in_order_and_context_may_stand_beside() {
        let folder = folder(&[
            (
                "b/b.toml",
                "name = \"b\"\nclient = \"B\"\nphone = \"+33123456780\"\ncontext_file = \"b.md\"\n",
            ),
            ("b/b.md", "Bonsoir\n"),
            ("a.toml", GOOD),
            ("a.rehearsal.toml", "[[scenario]]"),
            (".hidden.toml", "nonsense"),
        ]);
        let loaded = load_folder(&folder).unwrap();
        assert_eq!(loaded[0].spec.phone.as_str(), "+33123456789");
        assert_eq!(loaded[1].spec.context, "Bonsoir\n");
        assert!(loaded[1].path.ends_with("b/b.toml"));
    }

    #[test]
    fn the_shipped_assistants_are_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assistants");
        let loaded = load(&[folder], &mut std::io::empty()).unwrap();
        assert_eq!(loaded.len(), 6);
        for assistant in loaded {
            let spec = assistant.spec;
            spec.check().unwrap();
            assert!(spec.ai.model.is_builtin(), "{} needs a key", spec.name);
        }
    }

    #[test]
    fn every_mistake_of_every_file_is_told() {
        let folder = folder(&[
            (
                "a.toml",
                "name = \"A B\"\nclinet = \"A\"\nphone = \"12\"\ncontext = \"\"\n[ai]\npersonality = \"frendly\"\n",
            ),
            ("b.toml", "name = \"b\"\ncontext_file = \"b.md\"\n"),
            ("c.toml", "name = \n"),
        ]);
        let problems = load_folder(&folder).unwrap_err().join("\n");
        for part in [
            "a.toml: `client` is missing",
            "a.toml:2:1: unknown key `clinet` (did you mean `client`?)",
            "a.toml:1:8: `A B` is not a name for an assistant",
            "a.toml:3:9: `12` is not a phone number",
            "a.toml:6:15: `frendly` is not a word known here (did you mean `friendly`?)",
            "b.toml: `client` is missing",
            "b.toml: `phone` is missing",
            "b.toml:2:16: cannot read",
            "c.toml:1:8:",
        ] {
            assert!(problems.contains(part), "{part} in\n{problems}");
        }
        assert_eq!(problems.lines().count(), 9, "{problems}");
    }

    #[test]
    fn two_files_may_not_claim_one_name_or_number() {
        let folder = folder(&[("a.toml", GOOD), ("b.toml", GOOD)]);
        let problems = load_folder(&folder).unwrap_err();
        assert!(problems[0].starts_with("b.toml: `a` is also the name in "), "{problems:?}");
        assert!(problems[1].starts_with("b.toml: +33123456789 is also the number in "));
    }

    #[test]
    fn rules_between_fields_are_checked() {
        let text = format!("{GOOD}[booking]\ncapacity = 2\nparty = {{ max = 8 }}\n");
        let problems = read_text("x", &text).unwrap_err();
        assert!(problems[0].to_string().contains("booking.capacity"), "{problems:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = read_text("x", &text);
        }
    }
}
