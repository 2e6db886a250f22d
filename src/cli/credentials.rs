//! Keys to daemons far away, in a file that only its owner may read.

use std::{
    collections::BTreeMap,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::{Environment, PublicUrl},
    domain::{Error, Result, Secret},
    files,
};

/// The keys, by address.
#[derive(Default, Serialize, Deserialize)]
struct Keys {
    #[serde(flatten)]
    servers: BTreeMap<String, Key>,
}

#[derive(Serialize, Deserialize)]
struct Key {
    token: String,
}

/// Where the keys are.
pub(super) fn place(environment: &Environment) -> Result<PathBuf> {
    environment
        .path("XDG_CONFIG_HOME")
        .or_else(|| environment.path("HOME").map(|home| home.join(".config")))
        .map(|folder| folder.join("webox").join("credentials.json"))
        .ok_or_else(|| {
            Error::config("there is no home folder to keep a key in")
                .hint("give the key in WEBOX_TOKEN instead")
        })
}

/// The key that is kept for a daemon.
pub(super) fn find(environment: &Environment, server: &PublicUrl) -> Result<Option<Secret>> {
    let Ok(path) = place(environment) else { return Ok(None) };
    Ok(read(&path)?.servers.remove(&name(server)).map(|key| Secret::new(key.token)))
}

/// Keeps a key for a daemon, or forgets it; says whether there was one.
pub(super) fn keep(
    environment: &Environment,
    server: &PublicUrl,
    token: Option<&Secret>,
) -> Result<bool> {
    let path = place(environment)?;
    let mut keys = read(&path)?;
    let before = match token {
        Some(token) => {
            let key = Key { token: token.expose().to_owned() };
            keys.servers.insert(name(server), key)
        }
        None => keys.servers.remove(&name(server)),
    };
    write(&path, &keys)?;
    Ok(before.is_some())
}

fn name(server: &PublicUrl) -> String {
    server.as_str().trim_end_matches('/').to_owned()
}

fn read(path: &Path) -> Result<Keys> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Keys::default()),
        Err(cause) => {
            return Err(Error::config(format!("cannot read {}", path.display())).because(cause));
        }
    };
    let mode = std::fs::metadata(path)
        .map_err(|cause| Error::of_file(path, "cannot be read", cause))?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::config(format!(
            "{} can be read by others (mode {mode:04o})",
            path.display()
        ))
        .hint("revoke the keys in it, `chmod 600` it, and log in again"));
    }
    // The cause would repeat a key.
    serde_json::from_str(&text).map_err(|_| {
        Error::config(format!("{} is not a file of keys", path.display()))
            .hint("take it away and log in again")
    })
}

fn write(path: &Path, keys: &Keys) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|cause| Error::of_file(folder, "cannot be made", cause))?;
    let text = serde_json::to_string_pretty(keys)
        .map_err(|cause| Error::failure("the key cannot be kept").because(cause))?;
    files::replace(path, format!("{text}\n").as_bytes(), 0o600)
        .map_err(|cause| Error::config(format!("cannot write {}", path.display())).because(cause))
}
