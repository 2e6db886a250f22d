//! Runs targets for a bounded time with stable Rust: `run [--keep] SECONDS [TARGET…]`.
//!
//! Each runs in a process of its own: an input that ends the process is kept like one that panics, as
//! `found-…` beside the seeds. `--keep` keeps the fewest inputs that go all the ways that were found, where
//! `fuzz/covered` compiled it.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs::File,
    io::Write as _,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use webox_fuzz::{
    TARGETS, Target,
    hunt::{Bounds, Found, folder, hunt, least},
};

/// More memory than this for one input is too much.
const MEMORY: usize = 512 * 1024 * 1024;

/// Inputs longer than this are not kept, nor more than so many of a target.
const KEPT_LENGTH: usize = 2 * 1024;
const MOST_KEPT: usize = 24;

/// Counts what is held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's own allocator does it all; this only counts, and gives nothing beyond the bound.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if HELD.fetch_add(layout.size(), Relaxed) + layout.size() > MEMORY {
            return std::ptr::null_mut();
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let keep = arguments.iter().any(|word| word == "--keep");
    let alone = arguments.iter().any(|word| word == "--alone");
    arguments.retain(|word| !word.starts_with("--"));
    let seconds: u64 = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(10);
    let wanted = arguments.get(1..).unwrap_or_default();
    let is_wanted =
        |target: &&Target| wanted.is_empty() || wanted.iter().any(|wish| wish == target.name);
    let mut failed = false;
    for target in TARGETS.iter().filter(is_wanted) {
        failed |= if alone {
            !on_a_small_stack(target, seconds, keep)
        } else {
            !apart(target, seconds, keep)
        };
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// As much stack as the daemon's own threads have.
fn on_a_small_stack(target: &'static Target, seconds: u64, keep: bool) -> bool {
    std::thread::spawn(move || run(target, seconds, keep)).join().unwrap_or(false)
}

/// The input that is being tried, for whoever survives it.
fn last(target: &Target) -> PathBuf {
    std::env::temp_dir().join(format!("webox-fuzz-{}", target.name))
}

/// Runs one in a process of its own.
fn apart(target: &Target, seconds: u64, keep: bool) -> bool {
    let Ok(own) = std::env::current_exe() else { return false };
    let mut command = Command::new(own);
    command.args(["--alone", &seconds.to_string(), target.name]);
    if keep {
        command.arg("--keep");
    }
    match command.status().map(|status| (status.success(), status.code())) {
        Ok((true, _)) => true,
        // It has told what it found.
        Ok((_, Some(1))) => false,
        ended => {
            let input = read_last(&last(target)).unwrap_or_default();
            tell(target, &Found { input, why: format!("the process ended: {ended:?}") });
            false
        }
    }
}

fn read_last(path: &Path) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path).ok()?;
    let (length, rest) = bytes.split_at_checked(8)?;
    let length = u64::from_le_bytes(length.try_into().ok()?) as usize;
    rest.get(..length).map(<[u8]>::to_vec)
}

fn tell(target: &Target, found: &Found) {
    let name = format!("found-{:08x}", crc(&found.input));
    let kept = folder(target).join(name);
    let _ = std::fs::write(&kept, &found.input);
    println!("{}: FAILED: {} (kept as {})", target.name, found.why, kept.display());
}

/// A name for some bytes.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn run(target: &Target, seconds: u64, keep: bool) -> bool {
    std::panic::set_hook(Box::new(|_| {}));
    let file = File::create(last(target)).ok();
    let before = |input: &[u8]| {
        if let Some(file) = &file {
            let length = (input.len() as u64).to_le_bytes();
            let _ = file.write_all_at(&[&length[..], input].concat(), 0);
        }
    };
    let bounds = Bounds {
        time: Duration::from_secs(seconds),
        runs: u64::MAX,
        longest: Duration::from_secs(1),
        start: std::env::var("WEBOX_FUZZ_START")
            .ok()
            .and_then(|start| start.parse().ok())
            .unwrap_or(1),
    };
    let hunt = hunt(target, bounds, before);
    let _ = std::fs::remove_file(last(target));
    if let Some(found) = &hunt.found {
        tell(target, found);
        return false;
    }
    let (seconds, name) = (hunt.took.as_secs_f64(), target.name);
    let ways = hunt.branches.map_or_else(String::new, |branches| {
        format!(", {branches} branches, {} inputs with new ways", hunt.new.len())
    });
    println!("{name}: {} runs in {seconds:.0} s, nothing found{ways}", hunt.runs);
    let _ = std::io::stdout().flush();
    if keep && hunt.branches.is_some() {
        let short =
            |input: &Vec<u8>| !input.is_empty() && input.len() <= KEPT_LENGTH.min(target.longest);
        let inputs = hunt.new.into_iter().filter(short).collect();
        for input in least(target, inputs).into_iter().take(MOST_KEPT) {
            let _ = std::fs::write(folder(target).join(format!("{:08x}", crc(&input))), input);
        }
    }
    true
}
