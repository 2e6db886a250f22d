//! What files need not repeat: `_defaults.toml` in a folder, and `[defaults]` in `webox.toml`.
//!
//! A file comes before the defaults of its folder, a folder before the one above it, and all of
//! them before `webox.toml`. Sections are merged key by key; a list is taken whole.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::de::DeTable;

use super::file;
use crate::document::{self, Problem, Sources};

/// The file of a folder's defaults.
pub const DEFAULTS_FILE: &str = "_defaults.toml";

/// What makes one assistant different from another has no default.
const OWN: [&str; 6] = ["name", "client", "phone", "context", "context_file", "moved_from"];

/// One text of defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The file.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// The defaults of a folder, the nearest first.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    layers: Vec<Arc<Layer>>,
}

impl Defaults {
    /// One layer for every file.
    pub fn of(layer: Option<Layer>) -> Self {
        Self { layers: layer.into_iter().map(Arc::new).collect() }
    }

    /// Adds what a table lacks; the table's texts must live as long as it is used.
    pub(super) fn add_to<'t>(&'t self, table: &mut DeTable<'t>, sources: &mut Sources) {
        for layer in &self.layers {
            let offset = sources.add(&layer.file, &layer.text);
            // Checked when the layer was found: what cannot be read was reported then.
            if let Ok(parsed) = document::parse(&layer.file, &layer.text) {
                document::fill_in(table, document::shifted(parsed.get_ref(), offset));
            }
        }
    }
}

/// Finds defaults of folders, each read once.
pub(super) struct Finder {
    settings: Defaults,
    folders: HashMap<PathBuf, Defaults>,
}

impl Finder {
    /// Begins with what the settings say.
    pub(super) fn new(settings: Defaults, problems: &mut Vec<Problem>) -> Self {
        for layer in &settings.layers {
            check(layer, problems);
        }
        Self { settings, folders: HashMap::new() }
    }

    /// The defaults for the files of a folder: its own, and those of the folders above it for as
    /// long as each has some.
    pub(super) fn for_folder(&mut self, folder: &Path, problems: &mut Vec<Problem>) -> Defaults {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let path = folder.join(DEFAULTS_FILE);
        let defaults = if std::fs::symlink_metadata(&path).is_ok() {
            let above = match folder.parent() {
                Some(parent) if !folder.as_os_str().is_empty() && folder != Path::new(".") => {
                    self.for_folder(parent, problems)
                }
                _ => self.settings.clone(),
            };
            let name = path.display().to_string();
            match file::text(&path) {
                Ok(text) => {
                    let layer = Layer { file: name, text };
                    check(&layer, problems);
                    let own = Arc::new(layer);
                    Defaults { layers: std::iter::once(own).chain(above.layers).collect() }
                }
                Err((message, hint)) => {
                    problems.push(Problem::of_file(&name, message).maybe_hint(hint));
                    above
                }
            }
        } else {
            self.settings.clone()
        };
        self.folders.insert(folder.to_path_buf(), defaults.clone());
        defaults
    }
}

/// Syntax, and keys that have no default; the values are checked with the first file they fill.
fn check(layer: &Layer, problems: &mut Vec<Problem>) {
    match document::parse(&layer.file, &layer.text) {
        Err(more) => problems.extend(more),
        Ok(table) => {
            for (key, _) in table.get_ref() {
                if OWN.contains(&key.get_ref().as_ref()) {
                    let message =
                        format!("`{}` has no default: each file has its own", key.get_ref());
                    problems.push(Problem::on(&layer.file, &layer.text, key.span(), message));
                }
            }
        }
    }
}
