//! Looks for inputs that a parser does not bear: plays those that are kept, then others made of them, for a
//! bounded time.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    Target,
    coverage::Seen,
    mutate::{Dice, mutate},
};

/// How long is looked.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// For so long at most.
    pub time: Duration,
    /// And so often at most.
    pub runs: u64,
    /// Whoever takes longer over one input hangs.
    pub longest: Duration,
    /// Where the numbers begin that inputs are made by.
    pub start: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Hunt {
    /// Inputs tried.
    pub runs: u64,
    /// In this time.
    pub took: Duration,
    /// An input that was not borne.
    pub found: Option<Found>,
    /// Inputs that went new ways, where ways are seen; those that are kept among them.
    pub new: Vec<Vec<u8>>,
    /// Branches taken, where that is seen.
    pub branches: Option<usize>,
}

/// An input that was not borne, and what it did.
#[derive(Debug)]
pub struct Found {
    /// The input.
    pub input: Vec<u8>,
    /// A panic's words, or how long it took.
    pub why: String,
}

/// The folder of the inputs that are kept of a target.
pub fn folder(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name)
}

/// The inputs that are kept, in the order of their names.
pub fn kept(target: &Target) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(target))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read(file).ok()).collect()
}

/// Looks. `before` is told every input before it is tried: whoever dies of one leaves it behind.
pub fn hunt(target: &Target, bounds: Bounds, mut before: impl FnMut(&[u8])) -> Hunt {
    let mut seen = Seen::new();
    let (begun, mut runs) = (Instant::now(), 0);
    let (mut pool, mut new) = (Vec::new(), Vec::new());
    let mut attempt = |input: &[u8], seen: &mut Option<Seen>| {
        before(input);
        runs += 1;
        let found = trouble(target, input, bounds.longest);
        (found, seen.as_mut().is_some_and(Seen::is_new))
    };
    let mut found = None;
    for input in kept(target) {
        let (trouble, is_new) = attempt(&input, &mut seen);
        if is_new {
            new.push(input.clone());
        }
        if let Some(why) = trouble {
            found.get_or_insert(Found { input: input.clone(), why });
        }
        pool.push(input);
    }
    pool.push(Vec::new());
    let mut dice = Dice::new(bounds.start);
    let mut tried = 0;
    while found.is_none() && tried < bounds.runs && begun.elapsed() < bounds.time {
        let input = mutate(&pool, target.words, target.longest, &mut dice);
        tried += 1;
        let (trouble, is_new) = attempt(&input, &mut seen);
        if is_new {
            new.push(input.clone());
        }
        // Where nothing is seen, some are taken by chance.
        if is_new || (seen.is_none() && pool.len() < 500 && dice.roll(100) == 0) {
            pool.push(input.clone());
        }
        found = trouble.map(|why| Found { input, why });
    }
    Hunt { runs, took: begun.elapsed(), found, new, branches: seen.map(|seen| seen.branches()) }
}

/// What an input does that it may not.
fn trouble(target: &Target, input: &[u8], longest: Duration) -> Option<String> {
    let run = || {
        let begun = Instant::now();
        catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map(|()| begun.elapsed())
    };
    match run() {
        Err(panic) => Some(words(&*panic)),
        Ok(took) if took <= longest => None,
        // A machine that is busy with other things is no fault of the parser's.
        Ok(_) => {
            let quickest = (0..3).filter_map(|_| run().ok()).min()?;
            (quickest > longest).then(|| format!("took {quickest:?}"))
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// The fewest of some inputs, the shortest first, that go all the ways that all of them go.
pub fn least(target: &Target, mut inputs: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let Some(mut seen) = Seen::new() else { return inputs };
    inputs.sort_by_key(Vec::len);
    inputs.retain(|input| {
        let _ = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
        seen.is_new()
    });
    inputs
}
