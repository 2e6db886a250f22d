//! What outsiders reach, one function a parser: none may panic, whatever the bytes.

use webox::{
    audio::wav::{Reader, header, read},
    conversation::{concierge, speakable, tools::ToolRequest},
    domain::{
        AssistantName, AssistantSpec, Caller, Heard, HumanDuration, LanguageTag, PhoneNumber,
        Secret, TimeRange, when,
    },
    provision, rehearsal,
    twilio::{
        form::Form,
        handed::{Dialled, HumanLeg, LeftMessage, Transcribed},
        reader, relay, signature, stream,
        twiml::{Gather, Response, Say},
        webhook::{Gathered, Incoming, Status},
    },
};

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("form_body", form_body),
    ("signature", signature),
    ("twiml_text", twiml_text),
    ("assistant_toml", assistant_toml),
    ("rehearsal_toml", rehearsal_toml),
    ("model_output", model_output),
    ("concierge", concierge),
    ("tool_arguments", tool_arguments),
    ("when_and_who", when_and_who),
    ("redaction", redaction),
    ("api_body", api_body),
    ("socket_message", socket_message),
    ("wav", wav),
];

fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// A webhook's body.
pub fn form_body(data: &[u8]) {
    let Ok(form) = Form::parse(data) else { return };
    assert_eq!(Form::parse(form.encode().as_bytes()).as_ref(), Ok(&form));
    let _ = Incoming::read(&form);
    let _ = Gathered::read(&form);
    let _ = Status::read(&form);
    let _ = Dialled::read(&form);
    let _ = HumanLeg::read(&form);
    let _ = LeftMessage::read(&form);
    let _ = Transcribed::read(&form);
}

/// A URL, a form and a signature, by lines.
pub fn signature(data: &[u8]) {
    let text = text(data);
    let mut lines = text.splitn(3, '\n');
    let (url, given) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let form = Form::parse(lines.next().unwrap_or_default().as_bytes()).unwrap_or_default();
    let token = Secret::new("12345");
    let right = signature::sign(&token, url, &form);
    // Whatever is signed is verified; whatever is not, is not.
    let verified = signature::verify(std::slice::from_ref(&token), url, &form, &right);
    assert!(verified || url.contains('#'));
    assert!(!signature::verify(&[Secret::new("54321")], url, &form, &right));
    let _ = signature::verify(&[token], url, &form, given);
}

/// Anything said.
pub fn twiml_text(data: &[u8]) {
    let text = text(data);
    let language = LanguageTag::french();
    let mut gather = Gather::speech(&text, &language);
    gather.hints = vec![text.to_string(); 3];
    gather.prompt = vec![Say::new(&text, &language, None).into()];
    let xml = Response::new()
        .say(Say::new(&text, &language, Some(&text)))
        .gather(gather)
        .hangup()
        .render();
    assert!(reader::read(&xml).is_ok(), "{xml}");
    let _ = reader::read(&text);
}

/// A file of rehearsals.
pub fn rehearsal_toml(data: &[u8]) {
    let _ = rehearsal::check("fuzz.rehearsal.toml", &text(data));
}

/// An assistant's file.
pub fn assistant_toml(data: &[u8]) {
    if let Ok(spec) = provision::read_text("fuzz.toml", &text(data)) {
        let written = provision::to_toml(&spec).expect("what was read can be written");
        assert_eq!(provision::read_text("again.toml", &written).ok(), Some(spec));
    }
}

/// What a model says.
pub fn model_output(data: &[u8]) {
    let said = speakable::speakable(&text(data), &LanguageTag::french());
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
}

/// What a caller says, line by line, in every language of the concierge, where tables, appointments
/// and stays are booked.
pub fn concierge(data: &[u8]) {
    // Read once: reading files is another target's matter.
    static SPECS: std::sync::OnceLock<Vec<AssistantSpec>> = std::sync::OnceLock::new();
    let specs = SPECS.get_or_init(|| {
        let files = [
            include_str!("../../assistants/le-gourmet.toml"),
            include_str!("../../assistants/garage-dupont.toml"),
            include_str!("../../assistants/hotel-miramar.toml"),
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
    static SPEC: std::sync::OnceLock<AssistantSpec> = std::sync::OnceLock::new();
    let spec = SPEC.get_or_init(|| {
        let file = include_str!("../../assistants/boutique-lumiere.toml");
        let read = provision::read_text("assistant.toml", file);
        read.unwrap_or_else(|problems| panic!("{problems:?}"))
    });
    if let Ok(request) = ToolRequest::read(name, arguments, spec) {
        let again = ToolRequest::read(request.name(), &request.arguments(), spec);
        assert_eq!(again.as_ref(), Ok(&request));
    }
}

/// Times, lengths, numbers, names.
pub fn when_and_who(data: &[u8]) {
    let text = text(data);
    let now = "2026-11-23T18:00:00+01:00[Europe/Paris]".parse().expect("a moment");
    let _ = when::parse(&text, &now, when::Bound::Since);
    let _ = when::parse(&text, &now, when::Bound::Until);
    let _ = text.parse::<HumanDuration>();
    let _ = text.parse::<TimeRange>();
    let _ = text.parse::<AssistantName>();
    let _ = text.parse::<LanguageTag>();
    let _ = Caller::read(&text).masked();
    if let Ok(number) = text.parse::<PhoneNumber>() {
        let again: PhoneNumber = number.as_str().parse().expect("E.164 reads back");
        assert_eq!(again, number);
    }
}

/// What callers say, masked: twice is once, and what is no secret stays.
pub fn redaction(data: &[u8]) {
    let text = text(data);
    let once = webox::domain::redact(&text).into_owned();
    assert_eq!(webox::domain::redact(&once), once);
    let _ = webox::domain::redact_numbers(&text);
}

/// Bodies of the API, and a plan that came over the network.
pub fn api_body(data: &[u8]) {
    use webox::api::{ApplyInput, AssistantInput, Problem};
    if let Ok(input) = serde_json::from_slice::<AssistantInput>(data) {
        let _ = input.create();
    }
    if let Ok(input) = serde_json::from_slice::<ApplyInput>(data) {
        let _ = input.read_plan();
    }
    let _ = serde_json::from_slice::<Problem>(data).map(Problem::into_error);
}

/// A message of either socket.
pub fn socket_message(data: &[u8]) {
    let text = text(data);
    let _ = relay::FromTwilio::read(&text);
    if let Ok(stream::FromTwilio::Media { media }) = stream::FromTwilio::read(&text) {
        let _ = (media.decode(&mut Vec::new()), media.at_ms());
    }
}

/// A WAV file, whole and in pieces: what a provider sends, and what `try --audio` is given.
pub fn wav(data: &[u8]) {
    let _ = (header(data), read(data));
    let (mut pieces, mut samples) = (Reader::wav(), Vec::new());
    for piece in data.chunks(7) {
        if pieces.push(piece, &mut samples).is_err() {
            return;
        }
    }
    let _ = pieces.finish(&mut samples);
}
