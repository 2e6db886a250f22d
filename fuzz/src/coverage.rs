//! Which ways through the code were taken. Where `fuzz/covered` compiled it, every branch of webox counts
//! in a byte of its own; elsewhere there is nothing to be seen, and inputs are changed blindly.

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

static START: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static LENGTH: AtomicUsize = AtomicUsize::new(0);

/// Told by the program itself before it begins, once for each of its parts: all share one place.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    START.store(start, Ordering::Relaxed);
    LENGTH.store((stop as usize).saturating_sub(start as usize), Ordering::Relaxed);
}

/// Told beside it; nobody asks where the branches are.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_pcs_init(_: *const usize, _: *const usize) {}

/// As many counters as are looked at at once.
const PIECE: usize = 256;

/// How often each branch was taken, in rough steps, by any input so far.
pub struct Seen {
    steps: Vec<u8>,
}

impl Seen {
    /// Nothing yet, and counts from nothing; none where nothing is counted.
    pub fn new() -> Option<Self> {
        let length = LENGTH.load(Ordering::Relaxed);
        counters().fill(0);
        (length > 0).then(|| Self { steps: vec![0; length] })
    }

    /// Whether something new was seen since this was last asked; it is known from now on.
    ///
    /// Most inputs of a small parser take less time than a look at all that is counted: it is gone over once,
    /// in pieces that a processor compares at a stroke, and only what is there is wiped out.
    pub fn is_new(&mut self) -> bool {
        let mut new = false;
        let (counted, known) = (counters().chunks_mut(PIECE), self.steps.chunks_mut(PIECE));
        for (counted, known) in counted.zip(known) {
            // Most were not taken.
            if counted.iter().fold(0, |all, one| all | *one) == 0 {
                continue;
            }
            for (counted, known) in counted.iter().zip(known) {
                let step = match counted {
                    0 => 0,
                    1 => 1,
                    2 => 2,
                    3 => 4,
                    4..=7 => 8,
                    8..=15 => 16,
                    16..=31 => 32,
                    32..=127 => 64,
                    _ => 128,
                };
                new |= step & !*known != 0;
                *known |= step;
            }
            counted.fill(0);
        }
        new
    }

    /// How many branches were taken at all.
    pub fn branches(&self) -> usize {
        self.steps.iter().filter(|steps| **steps != 0).count()
    }
}

fn counters() -> &'static mut [u8] {
    let (start, length) = (START.load(Ordering::Relaxed), LENGTH.load(Ordering::Relaxed));
    if start.is_null() {
        return &mut [];
    }
    // SAFETY: the linker's own section, of this length, for as long as the program runs; it holds bytes
    // that nobody but this thread reads, and that instrumented code only adds to.
    unsafe { std::slice::from_raw_parts_mut(start, length) }
}
