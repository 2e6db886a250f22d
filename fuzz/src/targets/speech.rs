//! What is said: by callers, and by models.

use std::sync::OnceLock;

use webox::{
    conversation::{concierge, speakable, tools::ToolRequest},
    domain::{AssistantSpec, Heard, LanguageTag},
    provision,
};

use super::text;

/// What a model says.
pub fn model_output(data: &[u8]) {
    let said = speakable::speakable(&text(data), &LanguageTag::french());
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
}

/// What a caller says, line by line, in every language of the concierge, where tables, appointments
/// and stays are booked.
pub fn concierge(data: &[u8]) {
    // Read once: reading files is another target's matter.
    static SPECS: OnceLock<Vec<AssistantSpec>> = OnceLock::new();
    let specs = SPECS.get_or_init(|| {
        let files = [
            include_str!("../../../assistants/le-gourmet.toml"),
            include_str!("../../../assistants/garage-dupont.toml"),
            include_str!("../../../assistants/hotel-miramar.toml"),
        ];
        // Documents lie beside the files, and there are none here.
        let alone = |file: &str| {
            let lines = file.lines().filter(|line| !line.starts_with("knowledge"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let read = |file: &str| provision::read_text("assistant.toml", &alone(file));
        files.map(|file| read(file).unwrap_or_else(|problems| panic!("{problems:?}"))).into()
    });
    let now = "2026-11-23T18:00:00+01:00[Europe/Paris]".parse().expect("a moment");
    for spec in specs {
        for tag in ["fr-FR", "en-US", "es-ES", "de-DE", "it-IT"] {
            let language = tag.parse().expect("a language");
            let scene = concierge::Scene {
                spec,
                language: &language,
                now: &now,
                caller: None,
                known: None,
                found: &[],
            };
            let mut state = concierge::State::default();
            for line in text(data).lines().take(20) {
                let heard = Heard::words(line);
                (state, _) = concierge::step(&scene, state, concierge::Event::Heard(&heard));
                state = concierge::absorb(&scene, state, line);
            }
        }
    }
}

/// What a model asks for: a tool's name, then its arguments.
pub fn tool_arguments(data: &[u8]) {
    let text = text(data);
    let (name, arguments) = text.split_once('\n').unwrap_or(("book", &text));
    static SPEC: OnceLock<AssistantSpec> = OnceLock::new();
    let spec = SPEC.get_or_init(|| {
        let file = include_str!("../../../assistants/boutique-lumiere.toml");
        let read = provision::read_text("assistant.toml", file);
        read.unwrap_or_else(|problems| panic!("{problems:?}"))
    });
    if let Ok(request) = ToolRequest::read(name, arguments, spec) {
        let again = ToolRequest::read(request.name(), &request.arguments(), spec);
        assert_eq!(again.as_ref(), Ok(&request));
    }
}

/// What callers say, masked: what is as long as a sentence is masked once for all. How long is searched in
/// longer texts is bounded, and another search may find more.
pub fn redaction(data: &[u8]) {
    let text = text(data);
    let once = webox::domain::redact(&text).into_owned();
    let twice = webox::domain::redact(&once);
    assert!(text.chars().count() > 160 || twice == once, "{once:?}, then {twice:?}");
    let _ = webox::domain::redact_numbers(&text);
}
