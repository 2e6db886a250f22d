//! `webox assistants` and `webox apply`, through the real program.

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    pty::OnTerminal,
};

#[test]
fn the_form_asks_in_order_and_asks_again_when_an_answer_is_wrong() {
    let webox = Webox::new();
    let editor = webox.file("editor.sh", "#!/bin/sh\necho 'Tu connais la carte.' >> \"$1\"\n");
    let webox = webox.env("EDITOR", format!("sh {editor}"));
    let mut terminal = OnTerminal::start(&webox, ["assistants", "create"]);
    terminal.see("Client").type_line("Chez Léon");
    terminal.see("E-mail").type_line("leon");
    terminal.see("no e-mail address").type_line("\u{8}\u{8}\u{8}\u{8}leon@chez.fr");
    terminal.see("Number callers dial").type_line("12");
    terminal.see("is not a phone number").type_line("\u{8}\u{8}01 44 55 66 77");
    terminal.see("Model").type_line("");
    terminal.see("Personality").press("\r");
    terminal.see("Voice").press("\r");
    terminal.see("Language").type_line("");
    terminal.see("Created `chez-leon`");
    let (code, shown) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    let made = webox.run(["assistants", "show", "chez-leon", "-o", "json"]).ok().json();
    let made = &made["assistant"];
    assert_eq!(made["client_name"], "Chez Léon");
    assert_eq!(made["twilio_phone_number"], "+33144556677");
    assert_eq!(made["ai_model"], "builtin");
    assert_eq!(made["voice_language"], "fr-FR");
    assert!(made["ai_context"].as_str().unwrap().contains("Tu connais la carte."), "{made}");
}

#[test]
fn without_a_terminal_missing_flags_are_named() {
    let webox = Webox::new();
    webox
        .run(["assistants", "create", "--client", "Chez Léon"])
        .code(64)
        .silent()
        .says("--phone and --context-file are missing");
}

#[test]
fn a_wrong_flag_is_explained_and_nothing_is_made() {
    let webox = Webox::new();
    let base = ["assistants", "create", "--client", "A", "--context", "x", "--phone"];
    webox.run(base.into_iter().chain(["12"])).code(65).says("`12` is not a phone number");
    let full = base.into_iter().chain(["+33144556677"]);
    webox.run(full.clone().chain(["--personality", "frendly"])).code(65).says("`friendly`");
    webox.run(full.clone().chain(["--transfer", "+33144556677"])).code(65).says("own number");
    assert!(!webox.db().exists());
    webox.run(full.clone()).ok();
    webox.run(full).code(1).says("error:");
}

#[test]
fn switching_takes_many_names_and_ids_and_a_wrong_one_changes_nothing() {
    let webox = Webox::with_le_gourmet();
    let active = |webox: &Webox| {
        webox.run(["assistants", "--columns", "active"]).ok().stdout.trim().to_owned()
    };
    webox.run(["assistants", "disable", "le-gourmet", "nobody"]).code(1);
    assert_eq!(active(&webox), "true");
    webox.run(["assistants", "disable", "1"]).ok().says("`le-gourmet` is disabled.");
    assert_eq!(active(&webox), "false");
    webox.run(["assistants", "disable", "1"]).ok().says("disabled already");
    webox.run(["assistants", "toggle", "le-gourmet"]).ok();
    assert_eq!(active(&webox), "true");
    webox.run(["assistants", "toggle", "le-gourmet"]).ok();
    let json = webox.run(["assistants", "enable", "le-gourmet", "-o", "json"]).ok().json();
    assert_eq!(json["assistants"][0]["is_active"], true);
    assert_eq!(active(&webox), "true");
}

#[test]
fn edit_by_flags() {
    let webox = Webox::with_le_gourmet();
    let edit = ["assistants", "edit", "le-gourmet"];
    webox
        .run(edit.into_iter().chain(["--model", "gpt-4", "--fallbacks", "claude-3,gemini-pro"]))
        .ok();
    webox.run(edit.into_iter().chain(["--transfer", ""])).ok();
    let json = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().json();
    assert_eq!(json["assistant"]["ai_fallbacks"], serde_json::json!(["claude-3", "gemini-pro"]));
    assert!(json["assistant"]["transfer_number"].is_null());
    assert_eq!(json["assistant"]["revision"], 3);
    webox.run(edit).code(64).says("nothing to change");
}

#[test]
fn edit_in_an_editor() {
    let webox = Webox::with_le_gourmet();
    let editor =
        webox.file("editor.sh", "sed -i 's/^client = .*/client = \"Chez Gourmet\"/' \"$1\"");
    // VISUAL comes before EDITOR.
    let webox = webox.env("VISUAL", format!("sh {editor}")).env("EDITOR", "false");
    let (code, shown) = OnTerminal::start(&webox, ["assistants", "edit", "le-gourmet"]).end();
    assert_eq!(code, 0, "{shown}");
    webox.run(["assistants", "--columns", "client"]).ok().prints("Chez Gourmet\n");
}

#[test]
fn a_text_that_is_not_accepted_is_kept() {
    let webox = Webox::with_le_gourmet();
    let editor = webox.file("editor.sh", "echo 'colour = \"mine\"' > \"$1\"");
    let webox = webox.env("EDITOR", format!("sh {editor}"));
    let mut terminal = OnTerminal::start(&webox, ["assistants", "edit", "le-gourmet"]);
    terminal.see("unknown key `colour`").see("Open the editor again?").press("n");
    let (code, shown) = terminal.end();
    assert_eq!(code, 65, "{shown}");
    let kept = std::fs::read_dir(webox.home())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("webox-le-gourmet-"))
        .expect("a file with the text");
    assert!(shown.contains(kept.to_str().unwrap()), "{shown}");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "colour = \"mine\"\n");
}

#[test]
fn apply_is_all_or_nothing_and_says_what_changed() {
    let webox = Webox::new();
    webox.run(["apply", LE_GOURMET]).code(64).says("--yes");
    webox.file("clients/a.toml", "name='a'\nclient='A'\nphone='+33144556677'\ncontext='x'\n");
    webox.file("clients/b.toml", "name='b'\nclient='B'\nphone='+33144556678'\n");
    webox
        .run(["apply", "--yes", "clients"])
        .code(65)
        .says("`context` is missing")
        .says("clients/b.toml");
    assert_eq!(webox.run(["assistants"]).ok().stdout, "");
    webox.file("clients/b.toml", "name='b'\nclient='B'\nphone='+33144556678'\ncontext='y'\n");
    let ran = webox.run(["apply", "--yes", "clients", LE_GOURMET]).ok();
    assert_eq!(ran.stdout, "create\ta\t\ncreate\tb\t\ncreate\tle-gourmet\t\n");
    webox.file("clients/b.toml", "name='b'\nclient='C'\nphone='+33144556678'\ncontext='z'\n");
    let json = webox.run(["apply", "--yes", "clients", "-o", "json"]).ok().json();
    assert_eq!(
        json["assistants"],
        serde_json::json!([
            {"name": "b", "change": "change", "renamed_from": null, "fields": ["client", "context"]},
        ])
    );
    // Nothing to change needs no yes.
    webox.run(["apply", "clients"]).ok().says("No changes: 2 assistants are as the files say.");
}

#[test]
fn apply_asks_on_a_terminal() {
    let webox = Webox::new();
    let mut terminal = OnTerminal::start(&webox, ["apply", LE_GOURMET]);
    terminal.see("+ le-gourmet").see("Apply 1 change?").press("y");
    let (code, shown) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    webox.run(["assistants", "show", "le-gourmet"]).ok();
}

#[test]
fn what_others_wrote_is_harmless_on_a_terminal_and_as_it_is_in_a_pipe() {
    let webox = Webox::with_le_gourmet();
    let title = "\u{1b}]0;owned\u{7}";
    let wild = format!("Gourmet{title}\u{202e}\u{1b}[2K");
    let toml = webox.run(["export", "le-gourmet"]).ok().stdout;
    let mut file: toml::Table = toml.parse().unwrap();
    file.insert("client".to_owned(), wild.clone().into());
    let file = webox.file("wild.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &file, "--yes"]).ok();
    let piped = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().json();
    assert_eq!(piped["assistant"]["client_name"], wild.as_str());
    for args in [&["assistants"][..], &["assistants", "show", "le-gourmet"]] {
        let (code, seen) = OnTerminal::start(&webox, args.iter().copied()).end();
        assert_eq!(code, 0, "{seen:?}");
        assert!(seen.contains("Gourmet\u{fffd}"), "{args:?}: {seen:?}");
        for acts in ["\u{1b}]", "\u{7}", "\u{202e}", "\u{1b}[2K"] {
            assert!(!seen.contains(acts), "{args:?}: {acts:?} in {seen:?}");
        }
    }
}

#[test]
fn deleting_keeps_the_calls() {
    let webox = Webox::with_le_gourmet();
    crate::support::seed::call(&webox, 1, 5, webox::domain::CallStatus::Completed);
    webox.run(["assistants", "delete", "le-gourmet", "--yes"]).ok();
    assert_eq!(webox.run(["assistants"]).ok().stdout, "");
    webox.run(["calls"]).ok().prints("le-gourmet");
    webox.run(["apply", "--yes", LE_GOURMET]).ok().prints("create");
}
