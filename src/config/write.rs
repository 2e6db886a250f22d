//! Writing keys into a settings file: what else stands there, comments among it, stays as it is.

use std::path::Path;

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use super::file;
use crate::{
    domain::{Error, Result},
    files,
};

/// What a file begins with that was not there.
const HEADING: &str = "# Settings of webox. The keys are in `man webox.toml`; `webox config show` prints those in \
                       force.\n# Secrets never stand here: a key names the file, or the variable, that holds one.\n\n";

/// What is written for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A text.
    Text(String),
    /// The name of the file that holds a secret.
    InFile(String),
}

/// Writes keys such as `twilio.account_sid`; says whether that changed anything. A file that would not
/// be read any more is left as it was.
pub fn write(path: &Path, keys: &[(&str, Written)]) -> Result<bool> {
    let failed = |cause: std::io::Error| {
        Error::config(format!("the settings file {} cannot be written", path.display()))
            .hint("run as who may write it, or name another with --config")
            .because(cause)
    };
    let before = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(cause) => return Err(failed(cause)),
    };
    let text = before.as_deref().unwrap_or_default();
    let mut document: DocumentMut = text.parse().map_err(|_| {
        Error::config(format!("the settings file {} is no TOML", path.display()))
            .hint("`webox config` tells where its mistakes are")
    })?;
    for (key, value) in keys {
        put(&mut document, key, value);
    }
    let heading = if before.is_none() { HEADING } else { "" };
    let after = format!("{heading}{document}");
    if before.as_deref() == Some(after.as_str()) {
        return Ok(false);
    }
    file::read(path, &after)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::create_dir_all(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    // No secret stands in it, and the daemon may be another user's.
    files::replace(path, after.as_bytes(), 0o644).map_err(failed)?;
    Ok(true)
}

fn put(document: &mut DocumentMut, key: &str, value: &Written) {
    let value = match value {
        Written::Text(text) => Value::from(text.as_str()),
        Written::InFile(name) => {
            let mut table = InlineTable::new();
            table.insert("file", Value::from(name.as_str()));
            Value::InlineTable(table)
        }
    };
    let table = match key.split_once('.') {
        None => document.as_table_mut(),
        Some((section, _)) => {
            let item = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
            let Some(table) = item.as_table_mut() else {
                // An inline table takes the key as well.
                if let Some(inline) = item.as_inline_table_mut() {
                    inline.insert(last(key), value);
                }
                return;
            };
            table
        }
    };
    let item = table.entry(last(key)).or_insert(Item::None);
    let decor = item.as_value().map(|old| old.decor().clone());
    let mut value = value;
    if let Some(decor) = decor {
        // A comment behind the old value stays behind the new one.
        *value.decor_mut() = decor;
    }
    *item = Item::Value(value);
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("etc/webox.toml");
        let token = || Written::InFile("twilio-auth-token".to_owned());
        let url = |url: &str| Written::Text(url.to_owned());
        let keys = [("public_url", url("https://a.fr")), ("twilio.auth_token", token())];
        assert!(write(&path, &keys).unwrap());
        assert!(!write(&path, &keys).unwrap(), "the same again changes nothing");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# Settings of webox."), "{text}");
        assert!(
            text.ends_with("public_url = \"https://a.fr\"\n\n[twilio]\nauth_token = { file = \"twilio-auth-token\" }\n"),
            "{text}"
        );
        let own = "# mine\nlog = \"warn\" # quiet\npublic_url = \"https://b.fr\" # the proxy\ntwilio = { account_sid = \"AC00000000000000000000000000000001\" }\n";
        std::fs::write(&path, own).unwrap();
        assert!(write(&path, &keys).unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(
                "# mine\nlog = \"warn\" # quiet\npublic_url = \"https://a.fr\" # the proxy\n"
            ),
            "{text}"
        );
        assert!(text.contains("auth_token = { file"), "{text}");
    }

    #[test]
    fn a_file_with_mistakes_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webox.toml");
        for text in ["lisen = 3\n", "= 3"] {
            std::fs::write(&path, text).unwrap();
            let error = write(&path, &[("db", Written::Text("/x.db".to_owned()))]).unwrap_err();
            assert_eq!(error.kind(), crate::domain::Kind::Config);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
