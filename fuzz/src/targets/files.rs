//! Files that people write or send: their text alone, and whole.

use std::{cell::RefCell, path::PathBuf, sync::OnceLock};

use webox::{
    api::BundleFile,
    billing::{catalogue::Catalogue, rates},
    cli,
    config::{Environment, Flags, Settings},
    domain::{
        DataSchema, DocumentPath, Found, KeySource, LanguageTag, Passage, Question, Secret, Vector,
        answer, passages, rank, root, search_words,
    },
    operations::backups::{Backups, Place, Seals, Which},
    provision::{self, template},
    rehearsal, server,
    vault::Vault,
};

use super::text;

/// An assistant's file.
pub fn assistant_toml(data: &[u8]) {
    if let Ok(spec) = provision::read_text("fuzz.toml", &text(data)) {
        let written = provision::to_toml(&spec).expect("what was read can be written");
        assert_eq!(provision::read_text("again.toml", &written).ok(), Some(spec));
    }
}

/// A file of rehearsals.
pub fn rehearsal_toml(data: &[u8]) {
    let _ = rehearsal::check("fuzz.rehearsal.toml", &text(data));
}

/// A folder of this process's own, which is gone with the thread.
fn folder() -> PathBuf {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
    }
    FOLDER.with(|folder| folder.path().to_owned())
}

/// `webox.toml`: read, and taken for settings.
pub fn settings_toml(data: &[u8]) {
    let path = folder().join("webox.toml");
    std::fs::write(&path, data).expect("a temporary file");
    let flags = Flags { config: Some(path), ..Flags::default() };
    let environment: Environment = [("HOME", "/nonexistent")].into_iter().collect();
    let _ = Settings::load(&flags, &environment);
}

/// `rates.toml` and `billing.toml`.
pub fn prices_toml(data: &[u8]) {
    let text = text(data);
    let _ = rates::read("rates.toml", &text);
    let _ = Catalogue::read("billing.toml", &text);
}

/// A template of a delivery: its values as JSON in the first line, then the template.
pub fn template(data: &[u8]) {
    let text = text(data);
    let (values, template) = text.split_once('\n').unwrap_or(("{}", &text));
    let values: serde_json::Value = serde_json::from_str(values).unwrap_or_default();
    let _ = template::named(template);
    let _ = template::check(template, &[("caller", &["name"][..]), ("call", &[])]);
    let _ = template::fill_in_whole(template, &values);
    if let Ok(filled) = template::fill_in(template, &values) {
        assert!(filled.chars().count() <= 16 * 1024, "{} characters", filled.len());
    }
}

/// The schema of a tool's arguments in the first line, then such arguments.
pub fn tool_schema(data: &[u8]) {
    let text = text(data);
    let (schema, value) = text.split_once('\n').unwrap_or((&text, "{}"));
    let Ok(schema) = serde_json::from_str::<DataSchema>(schema) else { return };
    if schema.broken().is_some() {
        return;
    }
    let value: serde_json::Value = serde_json::from_str(value).unwrap_or_default();
    let _ = schema.fits(&value);
    for name in schema.names() {
        let _ = schema.may_be(name, &value);
    }
}

/// A question in the first line, then a document: cut into passages, found again, and said.
pub fn document(data: &[u8]) {
    let text = text(data);
    let (asked, document) = text.split_once('\n').unwrap_or(("prix", &text));
    let path: DocumentPath = "faq.md".parse().expect("a path");
    let cut: Vec<Passage> = passages(document)
        .into_iter()
        .map(|(heading, text)| Passage { document: path.clone(), heading, text })
        .collect();
    let of = cut.len();
    for language in [LanguageTag::french(), "en-US".parse().expect("a language")] {
        let question = Question::of(asked, std::slice::from_ref(&language));
        let found: Vec<Found> = rank(&question, cut.clone(), of);
        assert!(found.iter().all(|one| one.score.is_finite()));
        let _ = answer(&question, &found, &language);
    }
    for word in search_words(asked) {
        let _ = root(&word);
    }
    let vector = Vector::from_bytes(data);
    let _ = vector.likeness(&vector);
}

/// The people whom a campaign calls, as a spreadsheet writes them.
pub fn people_csv(data: &[u8]) {
    if let Err(wrong) = cli::offline::people(data) {
        assert!(!wrong.is_empty(), "refused for no reason");
    }
}

/// Files sent to the API: each after a line `%% path`.
pub fn bundle(data: &[u8]) {
    let text = text(data);
    let files: Vec<BundleFile> = text
        .split("%% ")
        .skip(1)
        .take(8)
        .map(|file| {
            let (path, text) = file.split_once('\n').unwrap_or((file, ""));
            BundleFile { path: path.to_owned(), text: text.to_owned() }
        })
        .collect();
    let _ = server::offline::bundle(&files);
}

/// A key that opens backups; nobody else has it.
fn identity() -> &'static age::x25519::Identity {
    static IDENTITY: OnceLock<age::x25519::Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        // A fixed one: what is kept stays readable.
        include_str!("backup-key.txt").trim().parse().expect("an identity")
    })
}

/// A backup: a file as it is; what is sealed in one; or what is packed in that, by the first byte.
pub fn backup_file(data: &[u8]) {
    thread_local! {
        static RUNTIME: RefCell<tokio::runtime::Runtime> = RefCell::new(
            tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
        );
    }
    let (kind, rest) = data.split_first().unwrap_or((&0, &[]));
    let sealed = match kind % 3 {
        0 => rest.to_vec(),
        1 => age::encrypt(&identity().to_public(), rest).expect("memory"),
        _ => {
            let packed = zstd::encode_all(rest, 1).expect("memory");
            age::encrypt(&identity().to_public(), &packed).expect("memory")
        }
    };
    let path = folder().join("backup");
    std::fs::write(&path, sealed).expect("a temporary file");
    let vault = Vault::new(KeySource::File(folder().join("no-key")));
    let key = Secret::new(include_str!("backup-key.txt"));
    let seals = Seals::new(vault).opening_with(key, "fuzz".to_owned());
    let backups = Backups::new(Place::Folder(folder()), seals);
    let store = folder().join("webox.db");
    RUNTIME.with_borrow_mut(|runtime| {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let _ = runtime.block_on(backups.verify(&Which::File(path), &store, now));
    });
    assert!(!store.exists(), "what is only looked at is not written");
}
