//! Files as they come: big, binary, linked elsewhere, not files at all.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// No assistant says as much: a file this long is something else.
const LARGEST: u64 = 1024 * 1024;

/// What is wrong with a file, and what to do about it.
pub(super) type Wrong = (String, Option<String>);

/// A folder that a user named, or the folder of a file that a user named: nothing is read that lies
/// outside of it.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
    /// The folder of the file itself.
    here: PathBuf,
}

impl Folder {
    /// The folder `here`, below or equal to the one the user named.
    pub(super) fn new(root: &Path, here: &Path) -> Self {
        let or_here = |path: &Path| {
            if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_path_buf() }
        };
        Self { root: or_here(root), here: or_here(here) }
    }

    /// The folder itself.
    pub(super) fn here(&self) -> &Path {
        &self.here
    }

    /// A file below this folder that is to be written: its folder, as far as it is there, must not lead
    /// out of the one that the user named.
    pub(super) fn to_write(&self, path: &Path) -> Result<PathBuf, Wrong> {
        let joined = self.here.join(path);
        if joined.symlink_metadata().is_ok() {
            return self.beside(path);
        }
        let above = joined.ancestors().skip(1).find(|folder| folder.symlink_metadata().is_ok());
        // The root itself may be still to be made: then nothing below it leads anywhere.
        let (Some(above), Ok(root)) = (above, self.root.canonicalize()) else { return Ok(joined) };
        let real = above
            .canonicalize()
            .map_err(|error| (format!("cannot read {}: {error}", above.display()), None))?;
        if real.starts_with(&root) {
            Ok(joined)
        } else {
            Err((format!("{} lies outside of {}", joined.display(), self.root.display()), None))
        }
    }

    /// A file named relative to this folder.
    pub(super) fn beside(&self, path: &Path) -> Result<PathBuf, Wrong> {
        let joined = self.here.join(path);
        let real = joined
            .canonicalize()
            .map_err(|error| (format!("cannot read {}: {error}", joined.display()), None))?;
        let root = self
            .root
            .canonicalize()
            .map_err(|error| (format!("cannot read {}: {error}", self.root.display()), None))?;
        if real.starts_with(&root) {
            Ok(joined)
        } else {
            Err((
                format!("{} lies outside of {}", joined.display(), self.root.display()),
                Some("keep what belongs to a client in its folder".to_owned()),
            ))
        }
    }
}

/// The text of a file; a mark of byte order at its beginning is no part of it.
pub(super) fn text(path: &Path) -> Result<String, Wrong> {
    text_up_to(path, LARGEST)
}

/// The same of a file of another size.
pub(super) fn text_up_to(path: &Path, most: u64) -> Result<String, Wrong> {
    let wrong = |error: io::Error| {
        let message = match error.kind() {
            io::ErrorKind::NotFound => format!("{} does not exist", path.display()),
            _ => format!("cannot read {}: {error}", path.display()),
        };
        (message, None)
    };
    let meta = fs::metadata(path).map_err(wrong)?;
    if !meta.is_file() {
        // A pipe or a device would keep us waiting for ever.
        return Err((format!("{} is not a file", path.display()), None));
    }
    let file = fs::File::open(path).map_err(wrong)?;
    read_up_to(file, &path.display().to_string(), most)
}

/// The same of any reader.
pub(super) fn read(reader: impl Read, name: &str) -> Result<String, Wrong> {
    read_up_to(reader, name, LARGEST)
}

fn read_up_to(reader: impl Read, name: &str, most: u64) -> Result<String, Wrong> {
    let mut bytes = Vec::new();
    reader
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| (format!("cannot read {name}: {error}"), None))?;
    if bytes.len() as u64 > most {
        return Err((
            format!("{name} is larger than {} MiB", most / (1024 * 1024)),
            Some("is it the right file?".to_owned()),
        ));
    }
    if bytes.contains(&0) {
        return Err((
            format!("{name} is not a text"),
            Some("it holds bytes that no text has; UTF-16 is not read either".to_owned()),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        (format!("{name} is not UTF-8 (line {line})"), Some("save it as UTF-8".to_owned()))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
