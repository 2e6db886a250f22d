//! The systemd units, and drop-ins that name what is particular to this machine.

use std::{
    fmt::Write as _,
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{
    config::{SERVICE_DB, Settings, user_id},
    domain::{Error, KeySource, Kind, Result},
};

/// The units as they are packaged: the daemon, where calls come in, and where proofs for certificates are
/// asked for, which is enabled by whoever has them so.
const UNITS: [(&str, &str); 3] = [
    ("webox.service", include_str!("../../../packaging/systemd/webox.service")),
    ("webox.socket", include_str!("../../../packaging/systemd/webox.socket")),
    ("webox-http.socket", include_str!("../../../packaging/systemd/webox-http.socket")),
];

/// Where units of this machine's own are.
pub(super) const USUAL: &str = "/etc/systemd/system";

/// Where a package puts its units; its upgrades reach no copy of them elsewhere.
const PACKAGED: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// Where the settings and the data of a service are.
pub(super) const SETTINGS: &str = "/etc/webox/webox.toml";
pub(super) const DATA: &str = SERVICE_DB;

/// Whether systemd runs this machine.
pub(super) fn is_there() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Whether this process may set up the machine.
pub(super) fn is_root() -> bool {
    user_id() == Some(0)
}

/// What the file with a secret, and systemd's credential, is called for a key of the settings.
pub(super) fn secret_name(key: &str) -> String {
    match key {
        "azure.api_key" => "azure-speech-key".to_owned(),
        key => key.replace(['.', '_'], "-"),
    }
}

/// Writes the units where there are none, and what is particular to this machine beside them; answers where
/// that is.
pub(super) fn install(
    folder: &Path,
    settings: &Settings,
    place: &Path,
    written: &[(String, PathBuf)],
) -> Result<Vec<PathBuf>> {
    let listen = settings.listen.value;
    let socket = format!("{WRITTEN}[Socket]\nListenStream=\nListenStream={listen}\n");
    let mut files = Vec::new();
    if folder == Path::new(USUAL) {
        is_seen_by_its_service(settings, place)?;
    }
    let particular = [Some(drop_in(settings, place, written)?), Some(socket), None];
    for ((name, unit), text) in UNITS.into_iter().zip(particular) {
        // One that is there came with a package, or was made by hand.
        let path = folder.join(name);
        let is_packaged = folder == Path::new(USUAL)
            && PACKAGED.iter().any(|packaged| Path::new(packaged).join(name).exists());
        // What a package leaves when it is removed: a link that keeps its name from being started.
        let is_masked =
            std::fs::read_link(&path).is_ok_and(|leads| leads == Path::new("/dev/null"));
        if is_masked && is_packaged {
            return Err(Error::config(format!("{} is masked", path.display()))
                .hint(format!("`systemctl unmask {name}`, then run this again")));
        }
        if is_masked {
            std::fs::remove_file(&path).map_err(|cause| unwritten(&path, cause))?;
        }
        if !path.exists() && !is_packaged {
            write(&path, unit)?;
        }
        let Some(text) = text else { continue };
        let beside = folder.join(format!("{name}.d")).join("10-init.conf");
        write(&beside, &text)?;
        files.push(beside);
    }
    Ok(files)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, text)).map_err(|cause| unwritten(path, cause))
}

fn unwritten(path: &Path, cause: std::io::Error) -> Error {
    let denied = cause.kind() == std::io::ErrorKind::PermissionDenied;
    let kind = if denied { Kind::Denied } else { Kind::Failure };
    Error::new(kind, format!("{} cannot be written", path.display()))
        .hint("units of the machine are root's to write: run it with sudo, or name another folder")
        .because(cause)
}

/// Folders that a unit does not see which hides people's own.
const HIDDEN: [&str; 3] = ["/root", "/home", "/run/user"];

/// The first line of each drop-in.
const WRITTEN: &str = "# Written by `webox init --systemd`; it writes it anew.\n";

/// Refuses a program and settings that the unit hides from its own service.
fn is_seen_by_its_service(settings: &Settings, place: &Path) -> Result<()> {
    let (program, db, place) = (program()?, absolute(&settings.db.value)?, absolute(place)?);
    if owner(&db).is_some() {
        return Ok(());
    }
    let is_hidden = |path: &Path| HIDDEN.iter().any(|hidden| path.starts_with(hidden));
    if is_hidden(&place) {
        return Err(Error::config(format!(
            "the service would not see its own settings: {} is among people's files",
            place.display()
        ))
        .hint(format!(
            "`install -d /etc/webox && mv {} {SETTINGS}`, then run this again",
            place.display()
        )));
    }
    if is_hidden(&program) {
        return Err(Error::config(format!(
            "the service would not see its own program: {} is among people's files",
            program.display()
        ))
        .hint(format!(
            "`install -m 755 {} /usr/local/bin/webox`, then run that one: \
             `/usr/local/bin/webox init --systemd`",
            program.display()
        )));
    }
    Ok(())
}

fn drop_in(settings: &Settings, place: &Path, written: &[(String, PathBuf)]) -> Result<String> {
    let program = program()?;
    let (db, place) = (absolute(&settings.db.value)?, absolute(place)?);
    let mut text = format!("{WRITTEN}[Service]\n");
    let _ = writeln!(text, "ExecStart=\nExecStart={} serve", quoted(&program).replace('$', "$$"));
    let _ = writeln!(text, "Environment={}", quoted(format!("WEBOX_CONFIG={}", place.display())));
    let _ = writeln!(text, "Environment={}", quoted(format!("WEBOX_DB={}", db.display())));
    // systemd reads them as root, and shows them to nobody but the daemon.
    if let KeySource::File(key) = &settings.master_key {
        let _ = writeln!(text, "LoadCredential=webox-master-key:{}", unquoted(&absolute(key)?));
    }
    // What was written just now counts also where this shell's environment comes before it.
    let named = settings
        .secret_files()
        .into_iter()
        .filter(|(key, _)| written.iter().all(|(one, _)| one != key));
    for (key, file) in named.chain(written.iter().cloned()) {
        let (name, file) = (secret_name(&key), absolute(&file)?);
        let _ = writeln!(text, "LoadCredential={name}:{}", unquoted(&file));
    }
    let folder = db.parent().unwrap_or(Path::new("/"));
    let Some((user, group)) = owner(&db) else {
        // A package makes the user, whose folder it is; without one, systemd does, behind a link. The
        // settings hold no secret.
        if !has_owner(Path::new("/var/lib/webox")) {
            let _ = writeln!(text, "DynamicUser=yes\nConfigurationDirectoryMode=0755");
        }
        return Ok(text);
    };
    let _ = writeln!(text, "User={user}\nGroup={group}\nProtectHome=no");
    let _ = writeln!(text, "ReadWritePaths={}", quoted(folder));
    Ok(text)
}

/// Who runs the daemon where systemd makes no folder for it: whose the folder of the database is.
fn owner(db: &Path) -> Option<(u32, u32)> {
    if db.starts_with("/var/lib/webox") {
        return None;
    }
    let folder = std::fs::metadata(db.parent().unwrap_or(Path::new("/")));
    Some(folder.map(|folder| (folder.uid(), folder.gid())).unwrap_or_default())
}

/// Whether the unit runs the daemon as root.
pub(super) fn runs_as_root(db: &Path) -> bool {
    absolute(db).is_ok_and(|db| owner(&db).is_some_and(|(user, _)| user == 0))
}

/// This program, by the name it was called by: where that is a link, an upgrade exchanges what is behind it.
/// A link that somebody else may exchange is not written into a unit of root's.
fn program() -> Result<PathBuf> {
    let unknown = |cause| Error::failure("where is this program?").because(cause);
    let program = std::env::current_exe().map_err(unknown)?;
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let named = if called.components().count() > 1 {
        vec![absolute(&called)?]
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).map(|folder| folder.join(&called)).collect()
    };
    let is_this = |path: &PathBuf| {
        path.is_absolute()
            && path.ancestors().all(is_firm)
            && path.canonicalize().is_ok_and(|found| found == program)
    };
    Ok(named.into_iter().find(is_this).unwrap_or(program))
}

/// Whether nobody but root and this user can put something else in a place. In a folder that is everybody's,
/// such as `/tmp`, each exchanges what is their own.
fn is_firm(place: &Path) -> bool {
    const WRITTEN_BY_OTHERS: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    let is_ours = |found: &Metadata| found.uid() == 0 || Some(found.uid()) == user_id();
    std::fs::symlink_metadata(place).is_ok_and(|found| is_ours(&found))
        && std::fs::metadata(place).is_ok_and(|found| {
            let mode = found.mode();
            is_ours(&found) && (mode & WRITTEN_BY_OTHERS == 0 || mode & STICKY != 0)
        })
}

/// Whether a folder is somebody's: neither root's nor a link of systemd's to where `DynamicUser=` keeps it.
fn has_owner(folder: &Path) -> bool {
    std::fs::symlink_metadata(folder).is_ok_and(|folder| folder.is_dir() && folder.uid() != 0)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|cause| Error::failure(format!("where is {}?", path.display())).because(cause))
}

/// As systemd reads words: its own signs stand for themselves. In commands, `$` does too where there are two.
fn quoted(word: impl AsRef<std::ffi::OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{word}\"")
}

/// A path where systemd reads no words, but still puts something for `%`.
fn unquoted(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    #[test]
    fn secrets_are_called_as_the_settings_look_for_them() {
        assert_eq!(secret_name("twilio.auth_token"), "twilio-auth-token");
        assert_eq!(secret_name("azure.api_key"), "azure-speech-key");
        assert_eq!(secret_name("openai.api_key"), "openai-api-key");
        assert_eq!(unquoted(Path::new("/a b/50%")), "/a b/50%%");
        assert_eq!(quoted("/a b/50%\"$x"), "\"/a b/50%%\\\"$x\"");
    }

    #[test]
    fn settings_that_the_service_would_not_see_are_refused() {
        let at = |db: &str| {
            let flags = Flags { db: Some(db.into()), ..Flags::default() };
            let environment = [("HOME", "/nowhere")].into_iter().collect();
            Settings::load(&flags, &environment).unwrap()
        };
        let place = Path::new("/root/.config/webox/webox.toml");
        let refused = is_seen_by_its_service(&at(DATA), place).unwrap_err();
        assert!(refused.message().contains("its own settings"), "{refused}");
        // A service whose database is elsewhere hides nothing.
        is_seen_by_its_service(&at("/srv/webox/webox.db"), place).unwrap();
    }
}
