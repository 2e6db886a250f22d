//! Doing something again whenever files change.

use std::{path::PathBuf, sync::mpsc, time::Duration};

use notify::{RecursiveMode, Watcher};

use crate::domain::{Error, Result};

/// Editors write a file in several steps: after the first there is a moment's peace.
const SETTLED: Duration = Duration::from_millis(200);

/// Does it now, and again after every change below the paths. Ends only with an error, or by a
/// signal, which ends the process.
pub(super) fn again_and_again(
    paths: &[PathBuf],
    mut work: impl FnMut() -> Result<()>,
) -> Result<u8> {
    let failed =
        |cause: notify::Error| Error::failure("the files cannot be watched").because(cause);
    let (changed, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let matters = event.is_ok_and(|event| !event.kind.is_access());
        if matters {
            // A closed channel means that nobody watches any more.
            let _ = changed.send(());
        }
    })
    .map_err(failed)?;
    for path in paths {
        // The folder of a file: an editor may put another file in its place.
        let folder = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(std::path::Path::new("."));
        watcher.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
    }
    loop {
        work()?;
        changes.recv().map_err(|_| Error::failure("the files are not watched any more"))?;
        while changes.recv_timeout(SETTLED).is_ok() {}
    }
}
