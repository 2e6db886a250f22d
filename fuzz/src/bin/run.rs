//! Runs targets for a bounded time with stable Rust: `run SECONDS [TARGET…]`.
//!
//! Blind mutation of the seeds, from a fixed start, so that a run can be had again. It finds less
//! than coverage-guided fuzzing and needs nothing but cargo. An input that panics is kept.

use std::{
    panic::catch_unwind,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use webox_fuzz::TARGETS;

/// xorshift64: the same numbers on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10);
    let wanted: Vec<String> = arguments.collect();
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = false;
    for (name, target) in TARGETS {
        if wanted.is_empty() || wanted.iter().any(|wish| wish == name) {
            failed |= !run(name, *target, Duration::from_secs(seconds));
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(name: &str, target: fn(&[u8]), time: Duration) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut pool: Vec<Vec<u8>> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path()).ok())
        .collect();
    pool.push(Vec::new());
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (begun, mut runs) = (Instant::now(), 0_u64);
    while begun.elapsed() < time {
        let input = mutate(&pool, &mut dice);
        runs += 1;
        let (one, length) = (Instant::now(), input.len());
        if catch_unwind(|| target(&input)).is_err() || one.elapsed() > Duration::from_secs(1) {
            let kept = folder.join(format!("found-{runs}"));
            let _ = std::fs::write(&kept, &input);
            println!(
                "{name}: FAILED on {length} bytes after {runs} runs, kept as {}",
                kept.display()
            );
            return false;
        }
        if pool.len() < 500 && dice.roll(100) == 0 {
            pool.push(input);
        }
    }
    let rate = runs as f64 / begun.elapsed().as_secs_f64();
    println!("{name}: {runs} runs, {rate:.0} a second, nothing found");
    true
}

fn mutate(pool: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const WORDS: &[&str] = &[
        "%",
        "&",
        "=",
        "\n",
        "\"",
        "<",
        ">",
        "]]>",
        "é",
        "\u{202e}",
        "\0",
        "[",
        "]",
        "{",
        "}",
        "#",
        "```",
        "**",
        "- ",
        "à ",
        "h",
        ":",
        "demain ",
        "non ",
        "plutôt ",
        "9999999999",
        "-1",
        "+33",
        "12:60",
        "noon ",
        "friday ",
    ];
    let mut input = pool[dice.roll(pool.len())].clone();
    for _ in 0..=dice.roll(6) {
        let at = dice.roll(input.len() + 1);
        match dice.roll(6) {
            0 if !input.is_empty() => {
                let last = input.len() - 1;
                input[at.min(last)] ^= 1 << dice.roll(8);
            }
            1 => input.insert(at, dice.roll(256) as u8),
            2 if at < input.len() => drop(input.remove(at)),
            3 => drop(input.splice(at..at, WORDS[dice.roll(WORDS.len())].bytes())),
            4 => {
                let other = &pool[dice.roll(pool.len())];
                let from = dice.roll(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ if at < input.len() => {
                let end = at + dice.roll(input.len() - at).min(40);
                let piece = input[at..end].to_vec();
                drop(input.splice(at..at, piece));
            }
            _ => {}
        }
    }
    input.truncate(8 * 1024);
    input
}
