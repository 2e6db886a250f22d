//! The store back to files: a new file as webox writes it, an existing one changed where it must.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{
    Field, Layer, Loaded, SCHEMA_FILE,
    defaults::{Defaults, Finder},
    differences, file,
    file::Folder,
    spec::{self, File},
    to_toml,
};
use crate::domain::{AssistantSpec, Document, Error, Result, SetName};

/// Where an assistant goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// The file in it that has the assistant already.
    pub existing: Option<&'a Loaded>,
    /// The defaults of the settings.
    pub settings: Option<&'a Layer>,
}

/// What a file is, compared with what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It says so already.
    Same,
    /// It was not there.
    Created,
    /// It says something else.
    Changed,
}

/// A file as it should be.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Where.
    pub path: PathBuf,
    /// What it was.
    pub outcome: Outcome,
    /// Files and their texts, the assistant's own first; none when nothing changes.
    pub texts: Vec<(PathBuf, String)>,
}

/// The file of an assistant, as it should be, with its documents beside it; their texts are at hand in
/// `spec`. Comments, order and layout of an existing one stay.
pub fn export(spec: &AssistantSpec, set: Option<&SetName>, target: Target<'_>) -> Result<Exported> {
    let path = match target.existing {
        Some(existing) => existing.path.clone(),
        None if spec.knowledge.is_empty() => target.folder.join(format!("{}.toml", spec.name)),
        // A folder of its own: others have a `menu.md` too.
        None => target.folder.join(spec.name.as_str()).join(format!("{}.toml", spec.name)),
    };
    let mut problems = Vec::new();
    let here = path.parent().unwrap_or(Path::new(""));
    let defaults = Finder::new(Defaults::of(target.settings.cloned()), &mut problems)
        .for_folder(here, &mut problems);
    if let Some(problem) = problems.first() {
        return Err(Error::input(problem.to_string()));
    }
    let folder = Folder::new(target.folder, here);
    let name = path.display().to_string();
    let read = |text: &str| {
        spec::read_with(&name, text, Some(&folder), &defaults, &spec.knowledge).map_err(
            |problems| {
                let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Error::failure(format!("`{}` cannot be written as a file", spec.name))
                    .because(told.join("; "))
            },
        )
    };
    let (text, file, outcome) = match target.existing {
        Some(existing) => {
            let text = file::text(&path).map_err(|(message, _)| Error::input(message))?;
            (text, existing.file.clone(), Outcome::Changed)
        }
        None if path.exists() => {
            return Err(Error::conflict(format!("{name} is the file of something else"))
                .hint(format!("move it away, or give `{}` a file of its own", spec.name)));
        }
        None => {
            let mut text = String::new();
            if target.folder.join(SCHEMA_FILE).exists() {
                let above = if spec.knowledge.is_empty() { "." } else { ".." };
                text = format!("#:schema {above}/{SCHEMA_FILE}\n");
            }
            text.push_str(&to_toml(spec)?);
            let file = read(&text)?;
            (text, file, Outcome::Created)
        }
    };
    let wanted_set = set.unwrap_or(&file.set).clone();
    let fields = differences(&file.spec, spec);
    let known = if outcome == Outcome::Created { &[][..] } else { &file.spec.knowledge };
    let documents = documents(spec, known, &folder)?;
    if fields.is_empty() && file.set == wanted_set {
        let own = (outcome == Outcome::Created).then_some((path.clone(), text));
        let texts = own.into_iter().chain(documents).collect();
        let outcome = if outcome == Outcome::Created { outcome } else { Outcome::Same };
        return Ok(Exported { path, outcome, texts });
    }
    let mut document: DocumentMut = text.parse().map_err(|cause: toml_edit::TomlError| {
        Error::input(format!("{name} cannot be edited")).because(cause.message().to_owned())
    })?;
    let mut beside = None;
    for field in &fields {
        let context_file = document.get("context_file").and_then(Item::as_str).map(str::to_owned);
        match context_file {
            Some(context) if field.path == "context" => {
                let context = folder
                    .beside(Path::new(&context))
                    .map_err(|(message, _)| Error::input(message))?;
                beside = Some((context, spec.context.clone()));
            }
            // The patterns of the file may match what is to be there.
            _ if field.path == "knowledge" && read(&text)?.spec.knowledge == spec.knowledge => {}
            _ => set_field(document.as_table_mut(), field),
        }
    }
    if file.set != wanted_set {
        put(document.as_table_mut(), "set", &Json::String(wanted_set.to_string()));
    }
    let crlf = text.contains("\r\n");
    let text = document.to_string();
    // The editor of TOML writes line ends of its own.
    let text = if crlf { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text };
    let again = read(&text)?;
    prove(spec, &again, beside.is_some(), &name)?;
    let texts = std::iter::once((path.clone(), text)).chain(beside).chain(documents).collect();
    Ok(Exported { path, outcome, texts })
}

/// The documents that are not there, or have another text, and where they go.
fn documents(
    spec: &AssistantSpec,
    known: &[Document],
    folder: &Folder,
) -> Result<Vec<(PathBuf, String)>> {
    let mut texts = Vec::new();
    for document in spec.knowledge.iter().filter(|document| !known.contains(document)) {
        let Some(text) = &document.text else {
            return Err(Error::failure(format!("the text of `{}` is not at hand", document.path)));
        };
        let path = Path::new(document.path.as_str());
        let path = folder.to_write(path).map_err(|(message, _)| Error::input(message))?;
        let is_known = known.iter().any(|known| known.path == document.path);
        if !is_known && path.exists() && !file::text(&path).is_ok_and(|there| there == **text) {
            return Err(Error::conflict(format!("{} is something else", path.display()))
                .hint(format!("move it away: `{}` has a document of that name", spec.name)));
        }
        texts.push((path, text.to_string()));
    }
    Ok(texts)
}

/// The file must now say what the store says; a default that cannot be taken back is told.
fn prove(spec: &AssistantSpec, file: &File, context_beside: bool, name: &str) -> Result<()> {
    let left = differences(&file.spec, spec);
    let left: Vec<&str> = left
        .iter()
        .map(|field| field.path.as_str())
        .filter(|path| !(context_beside && *path == "context"))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::failure(format!("{name} cannot say what the store has for `{}`", left.join("`, `")))
        .hint("a default gives it a value that no file can take away: remove it from `_defaults.toml` or from [defaults]"))
}

/// Sets or removes one field, where it stands in the file.
fn set_field(root: &mut Table, field: &Field) {
    if field.path == "phone.manage" {
        return set_phone(root, field.after == Json::Bool(true));
    }
    if field.path == "phone.number" && root.get("phone").is_some_and(Item::is_str) {
        return put(root, "phone", &field.after);
    }
    let mut parts: Vec<&str> = field.path.split('.').collect();
    let Some(last) = parts.pop() else { return };
    let mut table: &mut dyn TableLike = root;
    for part in parts {
        let item = table.entry(part).or_insert_with(|| Item::Table(Table::new()));
        match item.as_table_like_mut() {
            Some(inner) => table = inner,
            None => return,
        }
    }
    if field.after.is_null() {
        table.remove(last);
    } else if field.path == "knowledge" {
        let documents = field.after.as_array().into_iter().flatten();
        put(table, last, &documents.map(|document| document["path"].clone()).collect());
    } else {
        put(table, last, &field.after);
    }
}

/// Puts a value in the place of the one before, with the comments around it.
fn put(table: &mut dyn TableLike, key: &str, json: &Json) {
    put_item(table, key, item(json));
}

/// A number that is kept connected is a table, and one that is not a text.
fn set_phone(root: &mut Table, manage: bool) {
    let number = root.get("phone").and_then(|phone| match phone.as_table_like() {
        Some(table) => table.get("number").and_then(Item::as_str),
        None => phone.as_str(),
    });
    let Some(number) = number.map(str::to_owned) else { return };
    let item = if manage {
        let entries = [("number", Value::from(number)), ("manage", Value::from(true))];
        Value::InlineTable(entries.into_iter().collect())
    } else {
        Value::from(number)
    };
    put_item(root, "phone", Item::Value(item));
}

fn put_item(table: &mut dyn TableLike, key: &str, mut item: Item) {
    if let (Some(Item::Value(old)), Item::Value(new)) = (table.get(key), &mut item) {
        *new.decor_mut() = old.decor().clone();
    }
    match table.get_mut(key) {
        Some(place) => *place = item,
        None => {
            table.insert(key, item);
        }
    }
}

fn item(json: &Json) -> Item {
    match json {
        Json::Object(object) => {
            let mut table = Table::new();
            for (key, inner) in object {
                // Small tables, such as a party's, stand on one line.
                table.insert(key, Item::Value(value(inner)));
            }
            Item::Table(table)
        }
        Json::Array(items) if !items.is_empty() && items.iter().all(Json::is_object) => {
            let mut tables = ArrayOfTables::new();
            for one in items {
                if let Item::Table(table) = item(one) {
                    tables.push(table);
                }
            }
            Item::ArrayOfTables(tables)
        }
        other => Item::Value(value(other)),
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Bool(yes) => Value::from(*yes),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect::<Array>()),
        Json::Object(object) => Value::InlineTable(
            object.iter().map(|(key, inner)| (key.clone(), value(inner))).collect::<InlineTable>(),
        ),
        // Nothing that is stored holds a null inside.
        Json::Null => Value::from(""),
    }
}
