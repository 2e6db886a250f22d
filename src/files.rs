//! Files that are there whole or not at all, and whose they are.

use std::{
    fs::{DirBuilder, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
};

use tempfile::NamedTempFile;

/// Gives a file another content, down to the disk: it is written beside its place, then moved there. Where
/// a link leads to it, the link stays. One that is there keeps its owner, its group and its mode, but none
/// for others where `mode` is for its owner alone; one that is made has `mode`. Its folder must be there.
///
/// # Errors
/// Those of the file system, and a link that leads nowhere; what was there is as it was then.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let led_to = if path.is_symlink() { Some(path.canonicalize()?) } else { None };
    let path = led_to.as_deref().unwrap_or(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // `tempfile` makes it its owner's alone.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    let mode = match std::fs::metadata(path) {
        Ok(before) => {
            let made = file.as_file().metadata()?;
            if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
                chown(file.path(), Some(before.uid()), Some(before.gid()))?;
            }
            let others = if mode == 0o600 { 0 } else { 0o077 };
            before.mode() & (0o700 | others)
        }
        Err(_) => mode,
    };
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // A name that is not on disk is a file that is lost with the power.
    File::open(folder)?.sync_all()
}

/// Gives what was made to whom something else belongs to: what root makes beside a daemon's files, the daemon
/// must be able to use. Whoever is not root cannot, and need not.
pub fn give(made: &Path, like: &Path) {
    let (Ok(owner), Ok(now)) = (std::fs::metadata(like), std::fs::metadata(made)) else { return };
    if (owner.uid(), owner.gid()) != (now.uid(), now.gid()) {
        let _ = chown(made, Some(owner.uid()), Some(owner.gid()));
    }
}

/// Makes a folder that only its owner sees, and those above it that are missing: for whom `like` belongs to.
///
/// # Errors
/// Those of the file system.
pub fn make_folder(folder: &Path, like: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|part| !part.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for made in missing {
        give(made, like);
    }
    Ok(())
}

/// The nearest folder above a path that is there.
pub fn nearest(path: &Path) -> &Path {
    let there = path.ancestors().skip(1).find(|part| part.is_dir());
    there.filter(|part| !part.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_replaced_behind_its_link_and_stays_whose_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("key"), folder.path().join("link"));
        replace(&file, b"one", 0o600).unwrap();
        let about = || std::fs::metadata(&file).unwrap();
        assert_eq!(about().mode() & 0o777, 0o600);
        symlink(&file, &link).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        // Only root may give files away.
        let somebody = chown(&file, Some(12_345), Some(12_345)).is_ok();
        replace(&link, b"two", 0o600).unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!(about().mode() & 0o777, 0o600, "it is a secret");
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        replace(&file, b"two", 0o644).unwrap();
        assert_eq!(about().mode() & 0o777, 0o640);
        assert_eq!(about().uid() == 12_345, somebody);
        let nowhere = folder.path().join("nowhere");
        symlink(folder.path().join("not/mounted"), &nowhere).unwrap();
        replace(&nowhere, b"three", 0o600).unwrap_err();
        assert!(nowhere.is_symlink());
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 3, "nothing lies beside them");
    }
}
