//! The fuzz targets, for a moment: what is kept of them is borne, and so are some inputs made of it.
//! `WEBOX_FUZZ_SECONDS` has each look for longer; `make fuzz` looks with optimisation, and sees where it goes.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use webox_fuzz::{
    TARGETS,
    hunt::{Bounds, hunt, kept},
};

#[test]
fn whatever_is_sent_is_borne() {
    let seconds: Option<u64> =
        std::env::var("WEBOX_FUZZ_SECONDS").ok().map(|text| text.parse().unwrap());
    let bounds = Bounds {
        time: seconds.map_or(Duration::from_millis(300), Duration::from_secs),
        runs: if seconds.is_some() { u64::MAX } else { 200 },
        // Without optimisation, on a machine that does other things: only what never ends.
        longest: Duration::from_secs(20),
        start: 1,
    };
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || {
            while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
                let hunt = hunt(target, bounds, |_| {});
                if let Some(found) = hunt.found {
                    panic!("{}: {}: {}", target.name, found.why, found.input.escape_ascii());
                }
                if seconds.is_some() {
                    eprintln!("{}: {} runs in {:?}", target.name, hunt.runs, hunt.took);
                }
            }
        };
        // Without optimisation everything needs more of its stack.
        let thread = || std::thread::Builder::new().stack_size(16 << 20).spawn_scoped(scope, work);
        let others: Vec<_> = (0..2).map(|_| thread().unwrap()).collect();
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn something_is_kept_of_every_target_and_of_nothing_else() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut folders: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    folders.sort();
    names.sort_unstable();
    assert_eq!(folders, names);
    assert!(TARGETS.iter().all(|target| !kept(target).is_empty()));
}
