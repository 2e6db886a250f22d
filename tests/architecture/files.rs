//! The files the rules are about: found, read once, and which of them are only for tests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use super::source::Source;

/// The names by which code calls the crates of `[dependencies]`.
pub(super) fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of ours, read once. A folder that is not there has none.
pub(super) static OURS: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut files = Vec::new();
    for path in ["src", "tests", "benches", "examples", "fuzz", "build.rs"] {
        collect(&root().join(path), &mut files);
    }
    files.sort();
    let name = |file: &Path| file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let mut sources: Vec<Source> = files
        .iter()
        .map(|file| Source::read(&name(file), &fs::read_to_string(file).unwrap()))
        .collect();
    let only_tests: BTreeSet<String> =
        sources.iter().flat_map(|source| source.test_files.iter().cloned()).collect();
    for source in &mut sources {
        source.only_tests |= only_tests.contains(&source.path);
    }
    sources
});

/// The files of the house itself.
pub(super) fn house() -> impl Iterator<Item = &'static Source> {
    OURS.iter().filter(|source| source.path.starts_with("src/"))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() && !path.ends_with("target") {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), files);
        }
    } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
        files.push(path.to_owned());
    }
}
