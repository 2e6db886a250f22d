//! `demo`, `try` and the doors of `serve`, as a user meets them.

use std::io::{BufRead, BufReader};

use webox::{
    domain::{CallFilter, CallStatus},
    operations,
};

use crate::support::{cmd::Webox, seed};

#[test]
fn the_demo_books_a_table_and_shows_it() {
    let webox = Webox::new();
    let ran = webox.run(["demo", "--db", "demo.db"]).ok();
    for part in
        ["20h si possible", "$ webox --db demo.db calls", "Dupont", "completed", "Look further"]
    {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    // What it shows is what is there.
    let ids = webox.run(["--db", "demo.db", "calls", "-o", "ids"]).ok().stdout;
    let json =
        webox.run(["--db", "demo.db", "calls", "show", ids.trim(), "-o", "json"]).ok().json();
    assert_eq!(json["bookings"][0]["name"], "Dupont");
    assert_eq!(json["bookings"][0]["party"], 4);
    assert_eq!(json["call"]["status"], "completed");
}

#[test]
fn an_assistant_is_tried_by_typing() {
    let webox = Webox::with_le_gourmet();
    let ran = webox
        .run_with_stdin("Avez-vous un parking ?\n", ["try", "le-gourmet", "--line", "--keep"])
        .ok();
    assert!(ran.stdout.contains("rue Choron"), "{}", ran.stdout);
    assert!(ran.stdout.contains("<Gather"), "{}", ran.stdout);
    let store = seed::store(&webox);
    let calls = operations::calls::list(
        &store,
        &webox::domain::Actor::webox("test"),
        &CallFilter::default(),
    )
    .unwrap()
    .calls;
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].status, CallStatus::Completed);
    // Otherwise nothing is left of it: no call, no booking, nobody who is told.
    let contacts = webox.run(["contacts", "-o", "ids"]).ok().stdout;
    let booked = "Une table pour 2 demain à 20h\nau nom de Martin\noui\n";
    let ran =
        webox.run_with_stdin(booked, ["try", "le-gourmet"]).ok().says("Nothing of it is kept");
    assert!(ran.stdout.contains("réservé"), "{}", ran.stdout);
    assert_eq!(webox.run(["calls", "-o", "ids"]).ok().stdout.lines().count(), 1);
    for kept in ["bookings", "deliveries"] {
        assert_eq!(webox.run([kept, "-o", "ids"]).ok().stdout, "", "{kept}");
    }
    assert_eq!(webox.run(["contacts", "-o", "ids"]).ok().stdout, contacts);
    webox.run(["try", "le-gourmt"]).code(1).says("did you mean `le-gourmet`?");
}

#[test]
fn serve_does_not_start_where_nobody_could_be_believed() {
    let webox = Webox::new();
    webox.run(["serve"]).code(78).silent().says("TWILIO_AUTH_TOKEN");
    let insecure = ["serve", "--insecure-no-signature", "--listen", "0.0.0.0:0"];
    webox.run(insecure).code(64).silent();
    webox.run(["serve", "--listen", "everywhere"]).code(64).says("--listen");
    let webox = webox.env("TWILIO_AUTH_TOKEN", "token");
    webox.run(["serve", "--listen", "127.0.0.1:0"]).code(78).says("--public-url");
}

#[test]
fn serve_stops_when_it_is_told_to() {
    let webox = Webox::with_le_gourmet();
    let args = ["serve", "--insecure-no-signature", "--listen", "127.0.0.1:0"];
    let mut child = webox.command(args).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = log.by_ref().map(Result::unwrap).find(|line| line.contains("public_url"));
    assert!(ready.is_some(), "it says where it listens");
    let id = child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
    // What it still says must be read, or it would wait for a reader.
    let rest: Vec<String> = log.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
}
