//! `demo --line` and `try --audio`: calls in sound and over sockets, as a user meets them.

use std::path::Path;

use hound::{WavReader, WavSpec, WavWriter};
use webox::audio::g711;

use crate::support::{cmd::Webox, fake_speech::FakeSpeech};

/// A caller's question, a second and a bit of it.
const QUESTION: &[u8] = include_bytes!("../src/rehearsal/bench/question.ulaw");

/// The question as a recording, at another rate than the telephone's.
fn question(webox: &Webox) -> String {
    let path = webox.home().join("question.wav");
    let spec = WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = WavWriter::create(&path, spec).unwrap();
    for sample in QUESTION.iter().flat_map(|byte| [g711::decode(*byte); 2]) {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
    path.to_str().unwrap().to_owned()
}

/// Both sides of a call that was written down, which nobody was silent in.
#[track_caller]
fn sides(path: &Path) -> (Vec<i16>, Vec<i16>) {
    let mut reader = WavReader::open(path).unwrap();
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let side = |n: usize| samples.iter().skip(n).step_by(2).copied().collect::<Vec<_>>();
    let (caller, assistant) = (side(0), side(1));
    for side in [&caller, &assistant] {
        let loud = side.iter().filter(|sample| sample.unsigned_abs() > 1_000).count();
        assert!(loud > 1_600, "two tenths of a second of it are loud, not {loud} samples");
    }
    (caller, assistant)
}

/// How long the call was, as it was told.
fn told_seconds(text: &str) -> f64 {
    let told = text.split("Written").nth(1).unwrap();
    told.split(' ').find_map(|word| word.parse().ok()).unwrap()
}

fn has_espeak() -> bool {
    let there = Path::new("/usr/bin/espeak-ng").exists();
    if !there {
        eprintln!("passed over: espeak-ng is not installed");
    }
    there
}

#[test]
fn the_demo_is_spoken_and_written_down() {
    if !has_espeak() {
        return;
    }
    let webox = Webox::new();
    let ran = webox.run(["demo", "--db", "demo.db", "--line", "stream"]).ok();
    for part in [
        "a stand-in that is told the script",
        "heard as   Bonjour, je voudrais réserver pour 4 ce soir",
        "heard as   Dupont",
        "Booked #1: 4 people",
        "Written demo.wav",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    let (caller, assistant) = sides(&webox.home().join("demo.wav"));
    let seconds = caller.len() as f64 / 8_000.0;
    assert!((seconds - told_seconds(&ran.stdout)).abs() < 0.1, "{seconds} s: {}", ran.stdout);
    assert!(caller.len() == assistant.len() && seconds > 12.0, "four replies and three sentences");
    let ids = webox.run(["--db", "demo.db", "calls", "-o", "ids"]).ok().stdout;
    let json =
        webox.run(["--db", "demo.db", "calls", "show", ids.trim(), "-o", "json"]).ok().json();
    assert_eq!(json["bookings"][0]["name"], "Dupont");
    assert_eq!(json["turns"][3]["mouth"], "local");
}

#[test]
fn without_a_voice_the_demo_says_what_to_install() {
    let webox = Webox::new();
    let config = webox.file("webox.toml", "[local]\nespeak = \"nowhere/espeak-ng\"\n");
    webox
        .run(["demo", "--line", "stream", "--config", &config])
        .code(1)
        .silent()
        .says("install espeak-ng");
    webox.run(["demo", "--out", "demo.wav"]).code(64).silent().says("--line stream");
    webox.file("demo.wav", "a person's own");
    let args = ["demo", "--db", "demo.db", "--line", "stream"];
    webox.run(args).code(64).silent().says("demo.wav exists");
}

#[test]
fn the_demo_goes_over_a_relay() {
    let webox = Webox::new();
    let ran = webox.run(["demo", "--db", "demo.db", "--line", "relay"]).ok();
    for part in ["relay: text over a socket", "Que puis-je faire", "Booked #1: 4 people"] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("Written"), "{}", ran.stdout);
}

#[test]
fn recordings_speak_to_an_assistant() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?", "Au revoir, merci"]);
    let webox = streamed(&speech);
    let question = question(&webox);
    let args = ["try", "le-gourmet", "--keep", "--audio", &question, &question, &question];
    let ran = webox.run(args).ok().says("question.wav").says("The assistant hung up.");
    for part in [
        "assistant  Le Gourmet, bonjour.",
        "heard as   Avez-vous un parking ?",
        "rue Choron",
        " ms]",
        "heard as   Au revoir, merci",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    assert_eq!(ran.stdout.matches("heard as").count(), 2, "the call was over before the third");
    let sid = webox.run(["calls", "-o", "ids"]).ok().stdout;
    let (caller, _) = sides(&webox.home().join(format!("webox-call-{}.wav", sid.trim())));
    let seconds = caller.len() as f64 / 8_000.0;
    assert!((seconds - told_seconds(&ran.stderr)).abs() < 0.1, "{seconds} s: {}", ran.stderr);
    let args = ["try", "le-gourmet", "--audio", &question, "--out", "call.wav"];
    webox.run(args).ok().says("You hung up.");
    sides(&webox.home().join("call.wav"));
}

#[test]
fn what_cannot_be_played_is_told() {
    let webox = Webox::with_le_gourmet();
    let question = question(&webox);
    let ran = webox.run(["try", "le-gourmet", "--audio", &question]).code(64).silent();
    ran.says("on the line `gather`").says("set `voice.line` to `stream`");
    webox.run(["try", "le-gourmet", "--out", "x.wav"]).code(64).says("--audio");
    let speech = FakeSpeech::start();
    let webox = streamed(&speech);
    let text = webox.file("text.wav", "no sound at all");
    webox.run(["try", "le-gourmet", "--audio", &text]).code(65).silent().says("text.wav");
    webox.run(["try", "le-gourmet", "--audio", "none.wav"]).code(65).silent().says("none.wav");
    let webox = webox.env("OPENAI_BASE_URL", "");
    let text = self::question(&webox);
    let ran = webox.run(["try", "le-gourmet", "--audio", &text]).code(78).silent();
    ran.says("OPENAI_API_KEY");
}

/// Le Gourmet over a stream, heard and spoken for by a double.
fn streamed(speech: &FakeSpeech) -> Webox {
    let webox = Webox::with_le_gourmet_always_open().env("OPENAI_BASE_URL", speech.url());
    let file = webox.home().join("le-gourmet.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let mut file: toml::Table = toml::from_str(&text).unwrap();
    let sections = "[voice]\nline = \"stream\"\nprovider = \"openai\"\n\
                    greeting = \"Le Gourmet, bonjour. Que puis-je faire ?\"\n\
                    [hearing]\nprovider = \"openai\"\n";
    file.extend(toml::from_str::<toml::Table>(sections).unwrap());
    let path = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &path, "--yes"]).ok();
    webox
}
