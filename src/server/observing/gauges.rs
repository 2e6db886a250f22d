//! What is read when it is asked for: how the store stands, and the process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::{KeyValue, metrics::Meter};

use crate::{
    operations::observed::{self, Standing},
    server::ScheduledBackups,
    store::Store,
};

/// A reading serves all gauges of one scrape.
const FRESH: Duration = Duration::from_secs(1);

/// The last reading of the store.
struct Last {
    store: Store,
    read: Mutex<Option<(Instant, Standing)>>,
}

impl Last {
    /// Nothing when the store could not be read: a gauge is left out then, not zero.
    fn standing(&self) -> Option<Standing> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match &*read {
            Some((at, standing)) if at.elapsed() < FRESH => return Some(*standing),
            _ => {}
        }
        let standing = observed::standing(&self.store)
            .inspect_err(|error| tracing::warn!(%error, "figures of the store could not be read"))
            .ok()?;
        *read = Some((Instant::now(), standing));
        Some(standing)
    }
}

pub(super) fn observe(meter: &Meter, store: &Store) {
    let last = Arc::new(Last { store: store.clone(), read: Mutex::new(None) });
    let gauge =
        |name: &'static str, about: &'static str, unit: &'static str, of: fn(&Standing) -> u64| {
            let last = Arc::clone(&last);
            let _ = meter
                .u64_observable_gauge(name)
                .with_description(about)
                .with_unit(unit)
                .with_callback(move |observer| {
                    if let Some(standing) = last.standing() {
                        observer.observe(of(&standing), &[]);
                    }
                })
                .build();
        };
    gauge("webox.calls.active", "Calls in progress", "", |standing| standing.live_calls);
    gauge("webox.assistants.active", "Assistants that answer", "", |standing| standing.active);
    gauge("webox.deliveries.pending", "Deliveries on their way", "", |standing| standing.pending);
    gauge("webox.store.size", "The database", "By", |standing| standing.bytes);
    gauge("webox.store.wal.size", "Its write-ahead log", "By", |standing| standing.wal_bytes);
    let about = "Always 1; its labels tell the version";
    let _ = meter
        .u64_observable_gauge("webox.build.info")
        .with_description(about)
        .with_callback(|observer| {
            observer.observe(1, &[KeyValue::new("version", env!("CARGO_PKG_VERSION"))]);
        })
        .build();
    process(meter);
}

/// How the backups stand that this daemon makes.
pub(super) fn observe_backups(meter: &Meter, backups: &ScheduledBackups) {
    let standing = backups.clone();
    let _ = meter
        .u64_observable_gauge("webox.backup.last.timestamp")
        .with_unit("s")
        .with_description("When the newest backup was made, in seconds since 1970")
        .with_callback(move |observer| {
            let last = standing.standing().last;
            if let Some(at) = last.and_then(|at| u64::try_from(at.as_second()).ok()) {
                observer.observe(at, &[]);
            }
        })
        .build();
    let standing = backups.clone();
    let _ = meter
        .u64_observable_gauge("webox.backup.size")
        .with_unit("By")
        .with_description("How long it is")
        .with_callback(move |observer| {
            if let Some(bytes) = standing.standing().bytes {
                observer.observe(bytes, &[]);
            }
        })
        .build();
    let standing = backups.clone();
    let _ = meter
        .u64_observable_counter("webox.backup.failures")
        .with_description("How often no backup could be made")
        .with_callback(move |observer| observer.observe(standing.standing().failures, &[]))
        .build();
}

/// As Prometheus's own clients name them. Only where the system tells, which is Linux.
fn process(meter: &Meter) {
    let _ = meter
        .u64_observable_gauge("process.resident_memory")
        .with_unit("By")
        .with_description("Memory in use")
        .with_callback(|observer| {
            if let Some(bytes) = resident() {
                observer.observe(bytes, &[]);
            }
        })
        .build();
    let _ = meter
        .u64_observable_gauge("process.open_fds")
        .with_description("Open files and connections")
        .with_callback(|observer| {
            if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
                observer.observe(open.count() as u64, &[]);
            }
        })
        .build();
    let begun = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64());
    let _ = meter
        .f64_observable_gauge("process.start_time")
        .with_unit("s")
        .with_description("When it began, in seconds since 1970")
        .with_callback(move |observer| observer.observe(begun, &[]))
        .build();
}

fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}
