//! Webhooks per second and how long each takes: signed requests, every call with its own
//! identifier, every answer after its commit is on disk (`synchronous=FULL`).
//!
//! In the same run a floor is measured, a bare hyper that checks the signature and answers
//! constant TwiML, so that figures of different machines and days can be compared by their ratio.
//! `cargo bench --bench webhooks -- throughput` runs one part: floor, throughput, instant, model.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod floor;
mod model;
#[path = "../support/mod.rs"]
mod support;

use support::{
    Result,
    daemon::{self, Daemon},
    load::{self, Measured},
    machine, report, setting,
};

/// What an answer must have in it: the caller is listened to, so the turn is stored.
const LISTENS: &str = "<Gather";

fn main() -> Result<()> {
    if floor::is_asked_for() {
        return floor::serve();
    }
    machine::settle()?;
    println!("{}", machine::describe());
    let scale = setting("WEBOX_BENCH_REQUESTS", 40_000) as usize;
    let parts: [(&str, &dyn Fn() -> Result<()>); 4] = [
        ("floor", &|| floor(scale)),
        ("throughput", &|| throughput(scale)),
        ("instant", &|| same_instant(2_000)),
        ("model", &|| slow_model(256, 2_560)),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            part()?;
        }
    }
    Ok(())
}

fn floor(requests: usize) -> Result<()> {
    report::title("floor: bare hyper, the signature checked, constant TwiML");
    let floor = floor::Floor::start()?;
    for connections in [1, 32, 256] {
        let calls = if connections == 1 { requests / 4 } else { requests };
        let wires = load::ringing(0, calls);
        let before = machine::processor_seconds(floor.pid())?;
        let measured = load::closed_loop(floor.address, connections, wires, LISTENS)?;
        line("incoming", connections, &measured, cpu(floor.pid(), before, &measured)?);
    }
    Ok(())
}

fn throughput(requests: usize) -> Result<()> {
    report::title("webox serve: a call rings (incoming), the caller's first words (process)");
    let folder = tempfile::tempdir()?;
    daemon::apply_assistant(folder.path(), "builtin")?;
    let daemon = Daemon::start(folder.path(), &[])?;
    // The first calls find cold caches and an empty file.
    load::closed_loop(daemon.address, 8, load::ringing(9, 2_000), LISTENS)?;
    for (series, connections) in [(1, 1), (2, 32), (3, 256)] {
        let calls = if connections == 1 { requests / 4 } else { requests };
        for (name, wires) in
            [("incoming", load::ringing(series, calls)), ("process", load::speaking(series, calls))]
        {
            let before = machine::processor_seconds(daemon.pid())?;
            let measured = load::closed_loop(daemon.address, connections, wires, LISTENS)?;
            line(name, connections, &measured, cpu(daemon.pid(), before, &measured)?);
        }
    }
    Ok(())
}

fn same_instant(calls: usize) -> Result<()> {
    report::title(&format!("{calls} calls ring in the same instant, each on its own connection"));
    let folder = tempfile::tempdir()?;
    daemon::apply_assistant(folder.path(), "builtin")?;
    let daemon = Daemon::start(folder.path(), &[])?;
    let measured = load::all_at_once(daemon.address, load::ringing(1, calls), LISTENS)?;
    println!(
        "answered {} of {calls}, median {}, slowest {}",
        measured.latencies.len() - measured.wrong,
        report::milliseconds(measured.quantile(0.5)),
        report::milliseconds(measured.quantile(1.0)),
    );
    Ok(())
}

fn slow_model(callers: usize, turns: usize) -> Result<()> {
    report::title(&format!("{callers} callers at once, with a model that takes 300 ms"));
    let model = model::start()?;
    let folder = tempfile::tempdir()?;
    daemon::apply_assistant(folder.path(), "openai/gpt-4o-mini")?;
    let environment = [
        ("OPENAI_API_KEY", "sk-bench".to_owned()),
        ("OPENAI_BASE_URL", format!("http://{model}/v1")),
    ];
    let daemon = Daemon::start(folder.path(), &environment)?;
    load::closed_loop(daemon.address, 32, load::ringing(1, turns), LISTENS)?;
    let before = machine::processor_seconds(daemon.pid())?;
    let wires = load::speaking(1, turns);
    let measured = load::closed_loop(daemon.address, callers, wires, model::SAYS)?;
    line("process", callers, &measured, cpu(daemon.pid(), before, &measured)?);
    Ok(())
}

/// Processor time of the server per request, in microseconds.
fn cpu(pid: u32, before: f64, measured: &Measured) -> Result<f64> {
    let used = machine::processor_seconds(pid)? - before;
    Ok(used * 1e6 / measured.latencies.len().max(1) as f64)
}

fn line(name: &str, connections: usize, measured: &Measured, cpu: f64) {
    let wrong = match measured.wrong {
        0 => String::new(),
        wrong => format!("  {wrong} WRONG ANSWERS"),
    };
    println!(
        "{name:<9} {connections:>4} connections  {:>8}/s  p50 {:>8}  p99 {:>8}  max {:>8}  {cpu:>4.0} µs cpu{wrong}",
        report::number(measured.a_second()),
        report::milliseconds(measured.quantile(0.5)),
        report::milliseconds(measured.quantile(0.99)),
        report::milliseconds(measured.quantile(1.0)),
    );
}
