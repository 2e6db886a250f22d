//! The database: is it there, whole, closed to others, with a short log and a disk that has room?

use std::{
    ffi::OsString,
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{Case, DEEP, Finding, Group, LOOKING_THROUGH, count};
use crate::{
    domain::Kind,
    store::{
        SCHEMA_VERSION,
        checkup::{self, Integrity},
    },
};

const GROUP: Group = Group::Store;

const MIB: u64 = 1024 * 1024;

/// The daemon shortens its log above 64 MiB: one that is much longer is no longer shortened.
const LONG_LOG: u64 = 256 * MIB;
const VERY_LONG_LOG: u64 = 1024 * MIB;

/// Room that a busy day fills, and room that is soon gone.
const LITTLE_ROOM: u64 = 1024 * MIB;
const NO_ROOM: u64 = 200 * MIB;

/// A database as it was found, before anybody opened it.
#[derive(Debug, Clone)]
pub(super) struct File {
    path: PathBuf,
    /// Its mode, if it is there.
    pub(super) mode: Option<u32>,
    /// Whether this user may not even see that.
    is_hidden: bool,
    bytes: u64,
    /// Its log and its index, where they are there.
    beside: Vec<(PathBuf, u32)>,
    log: u64,
}

impl File {
    pub(super) fn look(path: &Path) -> Self {
        let seen = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.permissions().mode() & 0o777, metadata.len()))
        };
        let with = |ending: &str| {
            let mut name: OsString = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let own = seen(path);
        let beside = [with("-wal"), with("-shm")];
        let log = seen(&beside[0]).map_or(0, |(_, bytes)| bytes);
        let beside = beside.into_iter().filter_map(|path| {
            let (mode, _) = seen(&path)?;
            Some((path, mode))
        });
        Self {
            path: path.to_owned(),
            mode: own.map(|(mode, _)| mode),
            is_hidden: std::fs::metadata(path)
                .is_err_and(|cause| cause.kind() == io::ErrorKind::PermissionDenied),
            bytes: own.map_or(0, |(_, bytes)| bytes),
            beside: beside.collect(),
            log,
        }
    }
}

pub(super) fn look(case: &Case, file: &File) -> Vec<Finding> {
    let shown = file.path.display();
    if file.is_hidden {
        let advice = "ask as root, or as the user who runs the daemon: `sudo webox doctor`";
        return vec![GROUP.problem("file", format!("this user may not look at {shown}"), advice)];
    }
    let Some(mode) = file.mode.filter(|_| file.bytes > 0) else {
        let seen = format!("there is no database at {shown}");
        let advice = "make it with `webox init`, or name the right one with --db or `db`";
        return vec![GROUP.problem("file", seen, advice)];
    };
    if !file.path.is_file() {
        let advice =
            "name the file of the database with --db or `db`, such as /var/lib/webox/webox.db";
        return vec![GROUP.problem("file", format!("{shown} is no file"), advice)];
    }
    let mut found = match checkup::schema(&file.path) {
        // Whose it is, who may read it and what lies beside it is another program's affair.
        Err(error) if error.kind() == Kind::Config => return vec![GROUP.failed("file", &error)],
        Err(error) => vec![GROUP.failed("file", &error)],
        Ok(version) => vec![schema(case, file, version), integrity(case, file)],
    };
    found.push(permissions(file, mode));
    found.push(log(file));
    found.extend(disk(file));
    found
}

fn schema(case: &Case, file: &File, version: i64) -> Finding {
    let shown = file.path.display();
    if version != SCHEMA_VERSION {
        return GROUP.warning(
            "file",
            format!("{shown} is of schema {version}, and this webox writes {SCHEMA_VERSION}"),
            "back it up; the next start of the daemon brings it up to date, as does any other command",
        );
    }
    if case.store.is_none() && is_private(file) {
        return GROUP.problem(
            "file",
            format!("{shown} can be read, and not be opened for writing"),
            "run this as the user who runs the daemon; who owns the file and its folder?",
        );
    }
    let size = mebibytes(file.bytes);
    GROUP.ok("file", format!("{shown}, {size}, schema {SCHEMA_VERSION}"))
}

fn is_private(file: &File) -> bool {
    file.mode.is_none_or(|mode| mode.trailing_zeros() >= 6)
}

fn integrity(case: &Case, file: &File) -> Finding {
    let deep = case.wanted.deep;
    let within = if deep { DEEP } else { LOOKING_THROUGH };
    match checkup::integrity(&file.path, deep, within) {
        Ok(Integrity::Sound) if deep => {
            GROUP.ok("integrity", "every page, index and reference is as it must be")
        }
        Ok(Integrity::Sound) => GROUP.ok("integrity", "every page is as it must be"),
        Ok(Integrity::Broken(faults)) => GROUP.problem(
            "integrity",
            format!("{}: {}", count(faults.len(), "fault", "faults"), first(&faults)),
            "stop the daemon, keep a copy of the file, and restore a backup; a disk that does this fails",
        ),
        Ok(Integrity::Unfinished) => GROUP.warning(
            "integrity",
            format!("not looked through within {} s", within.as_secs()),
            "look at a quiet hour: `webox doctor --only store --deep`",
        ),
        Err(error) => GROUP.failed("integrity", &error),
    }
}

fn first(faults: &[String]) -> String {
    let first = faults.first().map_or("", String::as_str);
    first.chars().take(200).collect()
}

fn permissions(file: &File, mode: u32) -> Finding {
    let own = std::iter::once((&file.path, mode));
    let all = own.chain(file.beside.iter().map(|(path, mode)| (path, *mode)));
    let open: Vec<String> = all
        .filter(|(_, mode)| mode & 0o077 != 0)
        .map(|(path, mode)| format!("{} (mode {mode:04o})", path.display()))
        .collect();
    if open.is_empty() {
        return GROUP.ok("permissions", "nobody but its owner can read it");
    }
    let seen = format!("others can read what callers said: {}", open.join(", "));
    let advice = format!("chmod 600 {0} {0}-wal {0}-shm", file.path.display());
    GROUP.problem("permissions", seen, advice)
}

fn log(file: &File) -> Finding {
    let (name, size) = ("log", mebibytes(file.log));
    let seen = format!("the write-ahead log has {size}");
    let advice = "a reader that never ends keeps it from being shortened: restart the daemon, and end \
                  programs that have the file open (`fuser FILE`)";
    match file.log {
        VERY_LONG_LOG.. => GROUP.problem(name, seen, advice),
        LONG_LOG.. => GROUP.warning(name, seen, advice),
        _ => GROUP.ok(name, seen),
    }
}

/// How much room there is for who is not root, as `df` reckons.
fn disk(file: &File) -> Option<Finding> {
    let folder = file.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let stat = rustix::fs::statvfs(folder).ok()?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let seen = format!("{} free for {}", mebibytes(free), folder.display());
    let advice = "make room before it is full: nothing can be stored then, and no call is answered \
                  well; `webox export` and `[compliance]` thin out what is old";
    Some(match free {
        0..NO_ROOM => GROUP.problem("disk", seen, advice),
        NO_ROOM..LITTLE_ROOM => GROUP.warning("disk", seen, advice),
        _ => GROUP.ok("disk", seen),
    })
}

fn mebibytes(bytes: u64) -> String {
    match bytes {
        0..MIB => format!("{} KiB", bytes.div_ceil(1024)),
        _ if bytes < 10 * 1024 * MIB => format!("{} MiB", bytes / MIB),
        _ => format!("{} GiB", bytes / MIB / 1024),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(mebibytes(0), "0 KiB");
        assert_eq!(mebibytes(4_097), "5 KiB");
        assert_eq!(mebibytes(300 * MIB), "300 MiB");
        assert_eq!(mebibytes(64 * 1024 * MIB), "64 GiB");
    }

    #[test]
    fn a_log_is_too_long_by_degrees() {
        let of = |log| {
            let file = File {
                path: "x".into(),
                mode: None,
                is_hidden: false,
                bytes: 0,
                beside: Vec::new(),
                log,
            };
            super::log(&file).verdict.as_str()
        };
        assert_eq!([of(0), of(LONG_LOG), of(VERY_LONG_LOG)], ["ok", "warning", "problem"]);
    }
}
