//! The house as tables, held against the source text. `ARCHITECTURE.md` draws the same house.
//!
//! To change the house, change a table here and the drawing there in the same commit. Code that
//! is only built for tests is free of these rules, except for those at the end.

mod files;
mod linked;
mod planted;
mod source;

use std::collections::BTreeSet;

use files::{OURS, dependencies, house};
use source::{Mention, Source};

/// Every room under `src` and the rooms it may use; a slice a floor, the highest first.
/// A room uses floors below its own: never one above, never one beside it.
#[rustfmt::skip]
const HOUSE: &[&[(&str, &[&str])]] = &[
    &[("bin", &["cli"])],

    // The doors. `cli` starts the daemon and the rehearsals, so it stands above them.
    &[("cli", &[
        "rehearsal", "server", "line", "conversation", "api", "operations", "provision", "billing", "watch",
        "store", "twilio", "providers", "integrations", "config", "vault", "document", "audio", "files", "domain",
    ])],
    &[("rehearsal", &[
        "server", "line", "conversation", "api", "operations", "provision", "billing", "watch",
        "store", "twilio", "providers", "integrations", "config", "vault", "document", "audio", "domain",
    ])],
    &[("server", &[
        "line", "conversation", "api", "operations", "provision", "billing", "watch",
        "store", "twilio", "providers", "integrations", "config", "vault", "files", "domain",
    ])],

    // The live call. The engine reaches rows through `operations` alone.
    &[("line", &["conversation", "operations", "store", "twilio", "providers", "audio", "domain"])],
    // The store only as a handle, passed on to operations.
    &[("conversation", &["operations", "store", "providers", "document", "domain"])],

    // The words of the API, which the daemon writes and `--server` reads.
    &[("api", &["operations", "provision", "billing", "store", "document", "domain"])],

    // What can be asked.
    &[("operations", &[
        "provision", "billing", "watch",
        "store", "twilio", "providers", "integrations", "vault", "document", "files", "domain",
    ])],
    &[
        ("provision", &["store", "config", "vault", "document", "files", "domain"]),
        ("billing", &["store", "document", "domain"]),
        ("watch", &["store", "integrations", "domain"]),
    ],

    // The outside world, one room each.
    &[
        ("store", &["files", "domain"]),
        ("twilio", &["domain"]),
        ("providers", &["document", "audio", "files", "domain"]),
        ("integrations", &["domain"]),
    ],

    // The ground. Settings are read at the doors, which hand plain values down.
    &[("config", &["document", "files", "domain"]), ("vault", &["files", "domain"])],
    &[("document", &["domain"]), ("audio", &[]), ("files", &[])],
    &[("domain", &[])],
];

/// Outside crates, and the only places under `src` that may name them.
const CONFINED: &[(&str, &[&str])] = &[
    // The terminal.
    ("annotate_snippets", &["cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("comfy_table", &["cli"]),
    ("unicode_width", &["cli"]),
    ("dialoguer", &["cli"]),
    ("gethostname", &["cli"]),
    ("indicatif", &["cli"]),
    // What commands watch, and certificates that somebody else renews.
    ("notify", &["cli", "server/tls"]),
    ("quick_junit", &["cli"]),
    ("ratatui", &["cli/top"]),
    ("rlimit", &["cli"]),
    // What systemd hands over and is told.
    ("listenfd", &["cli/serve"]),
    ("sd_notify", &["cli/serve"]),
    ("tracing_subscriber", &["cli"]),
    // The daemon.
    ("axum", &["server"]),
    // The provider of fixed delay that `webox bench` gives its daemon is a server as well.
    ("http_body_util", &["server", "rehearsal/bench/stubs.rs"]),
    ("hyper", &["server", "rehearsal/bench/stubs.rs"]),
    ("hyper_util", &["server", "rehearsal/bench/stubs.rs"]),
    ("http_range_header", &["server"]),
    ("icalendar", &["integrations"]),
    ("opentelemetry", &["server/observing"]),
    ("opentelemetry_otlp", &["server/observing"]),
    ("opentelemetry_prometheus", &["server/observing"]),
    ("opentelemetry_sdk", &["server/observing"]),
    ("prometheus", &["server/observing"]),
    ("tower", &["server"]),
    ("aide", &["server"]),
    ("governor", &["server"]),
    ("ipnet", &["server", "config", "integrations"]),
    // How full a disk is.
    ("rustix", &["server", "store", "operations/doctor"]),
    // Whom the kernel turns away.
    ("socket2", &["server/connections"]),
    ("tokio_io_timeout", &["server"]),
    // Handshakes, and the certificates they are answered with.
    ("instant_acme", &["server/tls"]),
    ("rcgen", &["server/tls"]),
    ("rustls", &["server/tls"]),
    ("tokio_rustls", &["server"]),
    ("x509_parser", &["server/tls", "twilio/reach.rs"]),
    ("tower_http", &["server"]),
    // Whose memory it is: of the program, not of a room.
    ("tikv_jemallocator", &["bin"]),
    // The store.
    ("rusqlite", &["store"]),
    // Requests to others. A rehearsal calls our own daemon through `twilio`.
    ("backon", &["twilio", "integrations/s3"]),
    ("eventsource_stream", &["providers", "twilio"]),
    ("lettre", &["integrations/mail.rs"]),
    ("google_cloud_auth", &["providers", "integrations/calendars"]),
    ("google_cloud_gax", &["providers/stt"]),
    ("google_cloud_speech_v2", &["providers/stt"]),
    ("percent_encoding", &["integrations", "store"]),
    ("reqwest", &["providers", "twilio", "integrations", "cli/desk"]),
    ("tokio_tungstenite", &["providers", "twilio"]),
    // Sound.
    ("earshot", &["audio"]),
    ("hound", &["audio"]),
    ("quick_cache", &["providers/tts"]),
    // Twilio's own words.
    ("hmac", &["twilio", "integrations", "vault"]),
    (
        "quick_xml",
        &[
            "twilio",
            "providers/tts",
            "integrations/calendars",
            "billing/paper",
            "operations/report",
        ],
    ),
    ("sha1", &["twilio"]),
    ("subtle", &["twilio", "server", "providers/tts"]),
    // Files that people write, and data files of ours.
    (
        "toml",
        &[
            "billing",
            "document",
            "provision",
            "config",
            "rehearsal",
            "conversation/phrases",
            "conversation/concierge/vocabulary.rs",
            "operations/outbox",
            "providers/llm",
        ],
    ),
    ("minijinja", &["provision"]),
    ("toml_edit", &["provision", "rehearsal", "config/write.rs"]),
    ("schemars", &["provision", "rehearsal", "api", "server", "billing", "domain"]),
    ("globset", &["provision"]),
    ("similar", &["provision"]),
    ("regex", &["rehearsal"]),
    // Keys.
    ("chacha20poly1305", &["vault"]),
    // Backups.
    ("age", &["operations/backups"]),
    ("rusty_s3", &["integrations/s3"]),
    ("md5", &["integrations/s3"]),
    ("tar", &["operations/backups"]),
    ("zstd", &["operations/backups"]),
    // `cli/output` has a module of that name, which writes.
    ("csv", &["cli/campaign", "cli/output", "operations/datasets"]),
    ("parquet", &["operations/datasets"]),
    // Bills on paper.
    ("flate2", &["billing/paper/pdf", "integrations/outgoing/tests"]),
    ("pdf_writer", &["billing/paper/pdf"]),
    ("subsetter", &["billing/paper/pdf"]),
    ("read_fonts", &["billing/paper/pdf"]),
    ("crc32fast", &["operations"]),
    ("getrandom", &["operations", "vault", "providers/tts"]),
    ("secrecy", &["domain", "vault"]),
    // Rules about what we talk about.
    ("holidays_rs", &["domain"]),
    ("jsonschema", &["domain"]),
    ("phonenumber", &["domain"]),
    ("strsim", &["domain"]),
];

/// Outside crates that any room but `domain` may name.
const COMMON: &[&str] = &[
    "base64",
    "bytes",
    "futures_util",
    "hex",
    "jiff",
    "serde",
    "serde_json",
    "sha2",
    "tempfile",
    "thiserror",
    "tokio",
    "tracing",
];

/// All that `domain` may name besides the standard library.
const DOMAIN_MAY_NAME: &[&str] = &[
    "holidays_rs",
    "jiff",
    "jsonschema",
    "phonenumber",
    "schemars",
    "secrecy",
    "serde",
    "serde_json",
    "strsim",
];

/// Parts of the standard library that reach outside the process; `domain` does without.
const OUTSIDE_WORLD: &[&str] = &["env", "fs", "io", "net", "os", "process", "thread"];

/// Types of `std::io` that are only values.
const IO_VALUES: &[&str] = &["Error", "ErrorKind"];

/// Where the time of day may be read. Everything else is given `now`.
const WALL_CLOCK: &[&str] = &["cli", "rehearsal", "server", "line/clock.rs"];

/// Types whose `now` is the time of day; any other `now` only measures how long something takes.
const TIMES_OF_DAY: &[&str] = &["SystemTime", "Timestamp", "ZonedDateTime", "Zoned"];

/// Where durations may be measured.
const STOPWATCH: &[&str] = &[
    "cli",
    "rehearsal",
    "server",
    "line",
    "conversation/afterwards.rs",
    "conversation/asking.rs",
    "conversation/engine.rs",
    "conversation/head_start.rs",
    "conversation/inquiring.rs",
    "conversation/last_resort.rs",
    "store",
    "twilio",
    "providers",
    "integrations",
];

/// A file longer than this holds more than one idea.
const LONGEST_FILE: usize = 600;

#[test]
fn every_arrow_in_the_table_points_down() {
    for (floor, rooms) in HOUSE.iter().enumerate() {
        for (name, may_use) in *rooms {
            for used in *may_use {
                let mut below = HOUSE[floor + 1..].iter().copied().flatten();
                assert!(
                    below.any(|(name, _)| name == used),
                    "`{name}` may use `{used}`, which is not below it"
                );
            }
        }
    }
}

#[test]
fn rooms_use_only_what_is_drawn() {
    clean(house().flat_map(wrong_arrows));
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let named = dependencies();
    clean(house().flat_map(|source| strays(source, &named)));
}

#[test]
fn every_dependency_has_a_place() {
    let placed: BTreeSet<&str> =
        CONFINED.iter().map(|(name, _)| *name).chain(COMMON.iter().copied()).collect();
    clean(dependencies().iter().filter(|name| !placed.contains(name.as_str())).map(|name| {
        format!("Cargo.toml: give `{name}` a room in CONFINED, or put it in COMMON with a reason")
    }));
}

#[test]
fn the_domain_is_plain() {
    let named = dependencies();
    clean(house().flat_map(|source| impurities(source, &named)));
}

#[test]
fn clocks_are_read_at_the_edges() {
    clean(house().flat_map(clocks));
}

#[test]
fn the_map_of_the_house_holds_no_code() {
    let map = house().find(|source| source.path == "src/lib.rs").unwrap();
    assert!(map.only_modules, "src/lib.rs: lists `pub mod` and nothing else");
}

#[test]
fn files_are_short() {
    clean(OURS.iter().filter_map(too_long));
}

#[test]
fn nothing_is_ignored_or_left_to_do() {
    clean(OURS.iter().flat_map(unfinished));
}

/// Uses of rooms that the table does not draw.
fn wrong_arrows(source: &Source) -> Vec<String> {
    if source.room == "lib" {
        return Vec::new();
    }
    let mut rooms = HOUSE.iter().copied().flatten();
    let Some((_, may_use)) = rooms.find(|(name, _)| *name == source.room) else {
        return vec![format!("{}: `{}` is not in the table of rooms", source.path, source.room)];
    };
    let mut wrong = Vec::new();
    for mention in source.built() {
        let ["crate", used, ..] = mention.segments()[..] else { continue };
        if used != source.room && !may_use.contains(&used) {
            let may = may_use.join(", ");
            let told = format!("`{}` may not use `{used}` (it may use: {may})", source.room);
            wrong.push(source.at(mention, &told));
        }
    }
    wrong
}

/// Outside crates named outside their rooms.
fn strays(source: &Source, dependencies: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for mention in source.built() {
        let name = mention.segments()[0];
        let Some((_, places)) = CONFINED.iter().find(|(confined, _)| *confined == name) else {
            continue;
        };
        if dependencies.contains(name) && !source.is_in(places) {
            let told = format!("`{name}` belongs in {}", places.join(", "));
            wrong.push(source.at(mention, &told));
        }
    }
    wrong
}

/// What `domain` may not know.
fn impurities(source: &Source, dependencies: &BTreeSet<String>) -> Vec<String> {
    let outside = |mention: &&Mention| match mention.segments()[..] {
        ["std", "io", value, ..] => !IO_VALUES.contains(&value),
        ["std" | "core", part, ..] => OUTSIDE_WORLD.contains(&part),
        [name, ..] => dependencies.contains(name) && !DOMAIN_MAY_NAME.contains(&name),
        [] => false,
    };
    if source.room != "domain" {
        return Vec::new();
    }
    let told = |mention| source.at(mention, "`domain` is plain types and rules");
    source.built().filter(outside).map(told).collect()
}

/// Clocks read where `now` should have been an argument.
fn clocks(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for mention in source.built() {
        let [.., clock, "now"] = mention.segments()[..] else { continue };
        let places = if TIMES_OF_DAY.contains(&clock) { WALL_CLOCK } else { STOPWATCH };
        if !source.is_in(places) {
            let told = format!("this clock is read only in {}", places.join(", "));
            wrong.push(source.at(mention, &told));
        }
    }
    wrong
}

fn too_long(source: &Source) -> Option<String> {
    (source.lines > LONGEST_FILE)
        .then(|| format!("{}: {} lines, of at most {LONGEST_FILE}", source.path, source.lines))
}

fn unfinished(source: &Source) -> Vec<String> {
    let marks = ["todo!", "unimplemented!", "#ignore"];
    let left =
        |mention: &&Mention| marks.iter().any(|mark| mention.segments().last() == Some(mark));
    source.mentions.iter().filter(left).map(|m| source.at(m, "finish it or take it out")).collect()
}

fn clean(violations: impl Iterator<Item = String>) {
    let violations: Vec<String> = violations.collect();
    assert!(violations.is_empty(), "against the house's rules:\n  {}", violations.join("\n  "));
}
