//! Files and folders of assistants: all of them read, all of their mistakes told at once.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    defaults::{DEFAULTS_FILE, Defaults, Finder, Layer},
    file::{self, Folder},
    spec::{self, File, Identity},
};
use crate::{
    document::{Place, Problem},
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
    pub file: File,
}

impl Loaded {
    /// What it says of the assistant.
    pub fn spec(&self) -> &AssistantSpec {
        &self.file.spec
    }
}

/// A file to read, and the folder that the user named.
struct Found {
    path: PathBuf,
    root: PathBuf,
}

/// Reads files, folders (every `*.toml` below, in order) and `-` (`stdin`), with the defaults of
/// the settings under those of the folders.
pub fn load(
    paths: &[PathBuf],
    settings: Option<Layer>,
    stdin: &mut dyn Read,
) -> Result<Vec<Loaded>, Vec<Problem>> {
    load_up_to(paths, settings, stdin, usize::MAX)
}

/// The same with at most `most` bytes of documents, counted for each assistant that names them. No file is
/// read beyond the one that is too much.
pub fn load_up_to(
    paths: &[PathBuf],
    settings: Option<Layer>,
    stdin: &mut dyn Read,
    most: usize,
) -> Result<Vec<Loaded>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut documents = 0;
    let mut loaded = Vec::new();
    let mut identities = Vec::new();
    let settings = Defaults::of(settings);
    let mut finder = Finder::new(settings.clone(), &mut problems);
    for Found { path, root } in files(paths, &mut problems) {
        let from_stdin = is_stdin(&path);
        let name = if from_stdin { "stdin".to_owned() } else { path.display().to_string() };
        let text = if from_stdin { file::read(&mut *stdin, &name) } else { file::text(&path) };
        let text = match text {
            Ok(text) => text,
            Err((message, hint)) => {
                problems.push(Problem::of_file(&name, message).maybe_hint(hint));
                continue;
            }
        };
        identities.push((name.clone(), Identity::of(&text)));
        let read = if from_stdin {
            spec::read(&name, &text, None, &settings)
        } else {
            let here = path.parent().unwrap_or(Path::new(""));
            let defaults = finder.for_folder(here, &mut problems);
            spec::read(&name, &text, Some(&Folder::new(&root, here)), &defaults)
        };
        match read {
            Ok(file) => {
                let texts = file.spec.knowledge.iter().filter_map(|one| one.text.as_ref());
                documents += texts.map(|text| text.len()).sum::<usize>();
                if documents > most {
                    let message = format!(
                        "the documents up to here come to more than {} MiB, counted for each assistant \
                         that names them",
                        most / (1024 * 1024)
                    );
                    let hint = "apply fewer assistants at a time";
                    problems
                        .push(Problem::of_file(&name, message).maybe_hint(Some(hint.to_owned())));
                    break;
                }
                loaded.push(Loaded { path: PathBuf::from(&name), file });
            }
            Err(found) => problems.extend(found),
        }
    }
    problems.extend(duplicates(&identities));
    if problems.is_empty() { Ok(loaded) } else { Err(once(problems)) }
}

/// A mistake in the defaults shows in every file they fill, and is one mistake.
fn once(problems: Vec<Problem>) -> Vec<Problem> {
    let mut told = std::collections::HashSet::new();
    problems.into_iter().filter(|problem| told.insert(problem.to_string())).collect()
}

/// Reads the text of one assistant, such as one that came out of an editor.
pub fn read_text(name: &str, text: &str) -> Result<AssistantSpec, Vec<Problem>> {
    spec::read(name, text, None, &Defaults::default()).map(|file| file.spec)
}

/// The same of an assistant as it is, whose documents it may go on to name.
pub fn read_edited(
    name: &str,
    text: &str,
    before: &AssistantSpec,
) -> Result<AssistantSpec, Vec<Problem>> {
    spec::read_with(name, text, None, &Defaults::default(), &before.knowledge).map(|file| file.spec)
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

fn files(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<Found> {
    let mut files = Vec::new();
    for path in paths {
        if is_stdin(path) || !path.is_dir() {
            let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
            files.push(Found { path: path.clone(), root });
            continue;
        }
        let mut below = Vec::new();
        let name = path.display().to_string();
        if let Err(error) = walk(path, path, &mut below, problems) {
            problems.push(Problem::of_file(&name, format!("cannot be listed: {error}")));
        } else if below.is_empty() {
            problems.push(Problem::of_file(&name, "there is no `*.toml` file in this folder"));
        }
        files.extend(below.into_iter().map(|file| Found { path: file, root: path.clone() }));
    }
    files
}

/// What a rehearsal of an assistant is called, beside the assistant's own file.
const REHEARSAL: &str = ".rehearsal.toml";

/// Every `*.toml` below a folder, sorted; rehearsals, defaults, hidden files and symbolic links to
/// folders left out.
fn walk(
    root: &Path,
    folder: &Path,
    files: &mut Vec<PathBuf>,
    problems: &mut Vec<Problem>,
) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.ends_with(REHEARSAL) || name == DEFAULTS_FILE {
            continue;
        }
        let kind = entry.file_type()?;
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        if kind.is_dir() {
            walk(root, &path, files, problems)?;
        } else if is_toml && kind.is_symlink() {
            let target = path.file_name().unwrap_or_default();
            match Folder::new(root, folder).beside(Path::new(target)) {
                Ok(_) => files.push(path),
                Err((_, hint)) => {
                    let message = "is a symbolic link out of the folder, or to nowhere";
                    problems.push(
                        Problem::of_file(&path.display().to_string(), message).maybe_hint(hint),
                    );
                }
            }
        } else if is_toml {
            files.push(path);
        }
    }
    Ok(())
}

/// Names and numbers that two files claim, told with both sides.
fn duplicates(files: &[(String, Identity)]) -> Vec<Problem> {
    let mut names: BTreeMap<&AssistantName, (&str, &Place)> = BTreeMap::new();
    let mut numbers: BTreeMap<&PhoneNumber, (&str, &Place)> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut twice = |file: &str, place: &Place, what: String, other: Option<(&str, &Place)>| {
        let Some((there, other)) = other else { return };
        let message = format!("{what} is also in {there}");
        let problem = Problem { place: Some(place.clone()), ..Problem::of_file(file, message) };
        problems.push(problem.and(there, Some(other.clone()), "first given here"));
    };
    for (file, identity) in files {
        if let Some((name, place)) = &identity.name {
            twice(file, place, format!("the name `{name}`"), names.insert(name, (file, place)));
        }
        if let Some((phone, place)) = &identity.phone {
            twice(file, place, format!("the number {phone}"), numbers.insert(phone, (file, place)));
        }
    }
    let mut old_names: BTreeMap<&AssistantName, &str> = BTreeMap::new();
    for (file, identity) in files {
        let Some(old) = &identity.moved_from else { continue };
        if let Some((other, _)) = names.get(old) {
            let message = format!("`moved_from = \"{old}\"`, but {other} has that name");
            problems.push(Problem::of_file(file, message));
        }
        if let Some(other) = old_names.insert(old, file) {
            let message = format!("`moved_from = \"{old}\"` is also in {other}");
            problems.push(Problem::of_file(file, message));
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
        load(&[folder.path().to_path_buf()], None, &mut std::io::empty()).map_err(|problems| {
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
        assert_eq!(loaded[0].spec().phone.as_str(), "+33123456789");
        assert_eq!(loaded[1].spec().context, "Bonsoir\n");
        assert!(loaded[1].path.ends_with("b/b.toml"));
    }

    #[test]
    fn the_shipped_assistants_are_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assistants");
        let loaded = load(&[folder], None, &mut std::io::empty()).unwrap();
        assert_eq!(loaded.len(), 6);
        for assistant in loaded {
            let spec = assistant.file.spec;
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
        assert!(problems[0].starts_with("b.toml:1:8: the name `a` is also in "), "{problems:?}");
        assert!(problems[1].starts_with("b.toml:3:9: the number +33123456789 is also in "));
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
