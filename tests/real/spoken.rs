//! A whole call in sound with nothing faked but the telephone network. Piper speaks for the caller; a
//! stream carries it; Google's gRPC, with Whisper behind it, hears it; the concierge answers; Piper
//! speaks; and Whisper at the caller's end checks what was said.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use webox::{
    audio::{
        g711,
        wav::{Format, Reader},
    },
    domain::{Heard, Turn},
    rehearsal::{
        State,
        aloud::{self, Transcript},
        streamed::{Manner, StreamedCall},
    },
};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon},
    seed,
};

/// Piper's voice, which is in a package.
const VOICE: &str = "en_US-joe-medium";

/// What it speaks at.
const VOICE_RATE: u32 = 22_050;

const NUMBER: &str = "+12025550142";

const ASSISTANT: &str = r#"
name     = "green-garden"
client   = "The Green Garden"
phone    = "+12025550142"
timezone = "America/New_York"
context  = "You answer the telephone of the restaurant The Green Garden."

[ai]
model = "builtin"

[voice]
line     = "stream"
language = "en-US"
provider = "local"
voice_id = "piper:en_US-joe-medium"
greeting = "The Green Garden, hello! How can I help you?"

[hearing]
provider = "google"

[hours]
monday    = ["12:00-23:00"]
tuesday   = ["12:00-23:00"]
wednesday = ["12:00-23:00"]
thursday  = ["12:00-23:00"]
friday    = ["12:00-23:00"]
saturday  = ["12:00-23:00"]
sunday    = ["12:00-23:00"]

[booking]
party    = { min = 1, max = 8 }
capacity = 40
duration = "2h"

[[facts]]
about  = ["car park", "parking", "park"]
answer = "Yes, there is a public car park behind the house, open all night."

[[facts]]
about  = ["dog", "dogs"]
answer = "Small dogs are welcome in the garden."
"#;

/// What the caller says, words that must be understood of it, and words that must be heard in answer.
const SCRIPT: [(&str, &[&str], &[&str]); 4] = [
    ("Do you have a car park?", &["car park"], &["park", "behind the house"]),
    ("Can I bring my dog?", &["dog"], &["dogs are welcome"]),
    (
        "I would like to book a table for five people tomorrow at eight in the evening.",
        &["table", "people tomorrow"],
        &["name"],
    ),
    ("My name is Johnson.", &["johnson"], &["people", "goodbye"]),
];

/// A voice and an ear; gone when dropped.
struct Parts {
    process: Child,
    google: u16,
    jobs: u16,
}

impl Parts {
    fn start() -> Option<(Self, String)> {
        let Ok(python) = std::env::var("WEBOX_REAL_SPEECH") else {
            eprintln!("passed over: WEBOX_REAL_SPEECH is not set (make test-real)");
            return None;
        };
        let mut process = Command::new(&python)
            .arg(script("speech.py"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports: Vec<u16> = line.split(' ').filter_map(|word| word.trim().parse().ok()).collect();
        let [google, jobs] = ports[..] else { panic!("a real ear did not start: {line:?}") };
        Some((Self { process, google, jobs }, python))
    }

    fn ask(&self, job: &str, content: &[u8]) -> Vec<u8> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.jobs)).unwrap();
        socket.write_all(format!("{job}\n").as_bytes()).unwrap();
        socket.write_all(content).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        answer
    }

    /// Some words as the telephone carries them.
    fn say(&self, words: &str) -> Vec<u8> {
        let mut samples = Vec::new();
        let mut reader = Reader::raw(Format::pcm16(VOICE_RATE));
        reader.push(&self.ask("say", words.as_bytes()), &mut samples).unwrap();
        reader.finish(&mut samples).unwrap();
        samples.into_iter().map(g711::encode).collect()
    }

    /// What somebody hears in some sound of the telephone, in small letters.
    fn hear(&self, samples: &[i16]) -> String {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
        for sample in samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
        String::from_utf8(self.ask("hear", file.get_ref())).unwrap().to_lowercase()
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn script(name: &str) -> String {
    format!("{}/tests/real/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A home whose assistant speaks with the warm Piper and hears with Google, as it is on this machine.
fn home(parts: &Parts, python: &str) -> Webox {
    let google = format!("http://127.0.0.1:{}", parts.google);
    let webox =
        Webox::new().env("GOOGLE_SPEECH_BASE_URL", google).env("GOOGLE_CLOUD_PROJECT", "a-project");
    let (warm, port) = (script("warm_piper.py"), parts.jobs);
    let program = format!("#!/bin/sh\nexec '{python}' '{warm}' {port} \"$@\"\n");
    let program = webox.file("piper", &program);
    Command::new("chmod").args(["+x", &program]).status().unwrap();
    // The daemon reads of the voice what its rate is.
    let rate = format!("{{\"audio\": {{\"sample_rate\": {VOICE_RATE}}}}}");
    webox.file(&format!("models/{VOICE}.onnx.json"), &rate);
    webox.file(
        "config/webox/webox.toml",
        &format!(
            "[local]\npiper = \"{program}\"\nmodels = \"{}/models\"\n",
            webox.home().display()
        ),
    );
    let file = webox.file("green-garden.toml", ASSISTANT);
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn understood(turn: &Turn) -> String {
    match &turn.heard {
        Some(Heard::Speech { text, .. }) => text.to_lowercase(),
        other => panic!("no words, but {other:?}"),
    }
}

#[track_caller]
fn holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in `{text}`");
    }
}

#[tokio::test]
async fn a_call_is_spoken_heard_and_answered_by_real_parts() {
    let Some((parts, python)) = Parts::start() else { return };
    let webox = home(&parts, &python);
    let speech: Vec<Vec<u8>> = SCRIPT.iter().map(|(words, ..)| parts.say(words)).collect();
    let daemon = Daemon::start(&webox);
    let number = NUMBER.parse().unwrap();
    let (mut call, greeting) =
        StreamedCall::ring(&daemon.twilio, CALLER, &number, Manner::default()).await.unwrap();
    assert!(call.is_streaming(), "{:?} {:?}", call.failures(), daemon.log());
    let mut transcript = Transcript::new(seed::store(&webox));
    call.listen().await.unwrap();
    let mut turns = transcript.rest(&mut call).await.unwrap();
    // Where in the sound of the assistant each of its replies is over.
    let mut ends = vec![call.recording().1.len()];
    let mut felt = vec![greeting.after];
    for sound in &speech {
        let heard = call.say(sound).await.unwrap();
        turns.extend(transcript.rest(&mut call).await.unwrap());
        ends.push(call.recording().1.len());
        felt.push(heard.after);
    }
    assert_eq!(*call.state(), State::HungUp, "{turns:#?} {:?}", daemon.log());
    call.hang_up().await.unwrap();
    // What was heard of a reply is noted a moment after it was.
    let actor = webox::domain::Actor::webox("test");
    let (_, turns) =
        webox::operations::calls::show(&seed::store(&webox), &actor, call.sid()).unwrap();
    let (caller, assistant) = call.recording();
    let file = webox.home().join("call.wav");
    let length = aloud::keep(&file, (&caller, &assistant)).unwrap();
    assert_eq!(turns.len(), SCRIPT.len() + 1, "{turns:#?}");

    let mut begins = 0;
    for (place, end) in ends.iter().enumerate() {
        let heard = parts.hear(&assistant[begins..*end]);
        begins = *end;
        let turn = &turns[place];
        if let Some((words, ..)) = place.checked_sub(1).map(|place| SCRIPT[place]) {
            eprintln!("the caller says:    {words}\nis understood as:   {}", understood(turn));
        }
        let said = turn.said.as_deref().unwrap_or_default();
        eprintln!("the assistant says: {said} [{:?}]\nis heard as:        {heard}", felt[place]);
        let Some((_, of_caller, of_assistant)) = place.checked_sub(1).map(|place| SCRIPT[place])
        else {
            holds(&heard, &["green garden"]);
            continue;
        };
        holds(&understood(turn), of_caller);
        holds(&heard, of_assistant);
        // What is said in every call is spoken once, and kept.
        assert!(matches!(turn.mouth.as_deref(), Some("local" | "cache")), "{:?}", turn.mouth);
        assert_eq!(turn.ear.as_deref(), Some("google/telephony"));
    }
    eprintln!("the call: {length:?}, {}", Path::new(&file).display());
    let sid = call.sid().to_string();
    let json = webox.run(["calls", "show", &sid, "-o", "json"]).ok().json();
    let booking = &json["bookings"][0];
    assert_eq!((&booking["party"], &booking["name"]), (&5.into(), &"Johnson".into()), "{json}");
}
