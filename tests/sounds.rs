//! Sounds that are kept and played: against the real daemon, with a double that speaks.

use std::time::Duration;

use reqwest::{
    Client, Response,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RANGE,
    },
};
use webox::{
    audio::wav,
    domain::{Actor, Turn},
    operations::calls,
    rehearsal::streamed::{Manner, StreamedCall},
    twilio::{caller::Answer, reader::Verb},
};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, NUMBER, PUBLIC_URL, sid, spoken, verbs},
    fake_speech::{FakeSpeech, Mood},
    seed,
};

const GREETING: &str = "Le Gourmet, bonjour. Que puis-je faire ?";

/// What a person asks for, and the concierge answers with a fact.
const QUESTION: &str = "Avez-vous un parking ?";

/// Le Gourmet, spoken for by a double on a line.
fn spoken_for(speech: &FakeSpeech, line: &str) -> Webox {
    let webox = Webox::with_le_gourmet_always_open().env("OPENAI_BASE_URL", speech.url());
    greet(&webox, line, GREETING);
    webox
}

fn greet(webox: &Webox, line: &str, greeting: &str) {
    let exported = webox.run(["export", "le-gourmet"]).ok();
    let mut file: toml::Table = toml::from_str(&exported.stdout).unwrap();
    let sections = format!(
        "[voice]\nline = \"{line}\"\nlanguage = \"fr-FR\"\nprovider = \"openai\"\n\
         greeting = \"{greeting}\"\n[hearing]\nprovider = \"openai\"\n"
    );
    file.extend(toml::from_str::<toml::Table>(&sections).unwrap());
    let path = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &path, "--yes"]).ok();
}

/// A daemon that has spoken beforehand what it can.
fn warm(webox: &Webox) -> Daemon {
    let daemon = Daemon::start(webox);
    daemon.logged("sentences were spoken beforehand");
    daemon
}

fn turns(webox: &Webox, n: u32) -> Vec<Turn> {
    calls::show(&seed::store(webox), &Actor::webox("test"), &sid(n)).unwrap().1
}

/// The addresses of all sounds of an answer, in order.
fn plays(answer: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    for verb in verbs(answer) {
        match verb {
            Verb::Play(url) => found.push(url),
            Verb::Gather { plays, .. } => found.extend(plays),
            _ => {}
        }
    }
    found
}

/// An address of ours, at the daemon itself.
fn at(daemon: &Daemon, url: &str) -> String {
    let path = url.strip_prefix(PUBLIC_URL).unwrap_or(url);
    format!("http://{}{path}", daemon.address)
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn fetch(daemon: &Daemon, url: &str) -> Response {
    client().get(at(daemon, url)).send().await.unwrap()
}

/// A sound that must be there, in seconds.
async fn seconds(daemon: &Daemon, url: &str) -> f64 {
    let response = fetch(daemon, url).await;
    assert_eq!(response.status(), 200, "{url}");
    assert_eq!(response.headers()[CONTENT_TYPE], "audio/wav");
    let samples = wav::read(&response.bytes().await.unwrap()).unwrap();
    samples.len() as f64 / 8_000.0
}

/// How long the double takes to say something.
fn length(text: &str) -> f64 {
    text.chars().count().max(10) as f64 * 0.025
}

#[tokio::test]
async fn a_greeting_is_spoken_before_anybody_calls_and_outlives_provider_and_daemon() {
    let speech = FakeSpeech::start();
    let webox = spoken_for(&speech, "gather");
    let daemon = warm(&webox);
    let before = speech.spoken().len();
    let answer = daemon.ring(&sid(1)).await;
    let sounds = plays(&answer);
    assert_eq!((sounds.len(), spoken(&answer).as_str()), (2, ""), "{}", answer.body);
    assert!(answer.body.find("<Play>") < answer.body.find("<Gather"), "told before listening");
    let told = seconds(&daemon, &sounds[0]).await;
    let expected = length("Le Gourmet, bonjour. Je suis un assistant vocal automatique.");
    assert!((told - expected).abs() < 0.1, "{told}, not {expected}");
    assert!((seconds(&daemon, &sounds[1]).await - length("Que puis-je faire ?")).abs() < 0.1);
    assert_eq!(speech.spoken().len(), before, "nobody was asked");
    assert_eq!(
        turns(&webox, 1)[0].said.as_deref(),
        Some("Le Gourmet, bonjour. Je suis un assistant vocal automatique. Que puis-je faire ?")
    );
    daemon.kill();

    speech.mouth(Mood::Fails(500));
    let daemon = Daemon::start(&webox);
    assert!(seconds(&daemon, &sounds[0]).await > 1.0, "its address is good after a restart");
    let again = plays(&daemon.ring(&sid(2)).await);
    assert!(again.len() == 2 && seconds(&daemon, &again[1]).await > 0.3);
    assert_eq!(speech.spoken().len(), before);

    speech.mouth(Mood::Well);
    greet(&webox, "gather", "Le Gourmet, bonsoir. Je vous écoute.");
    daemon.logged("sentences were spoken beforehand");
    assert_eq!(plays(&daemon.ring(&sid(3)).await).len(), 1, "a changed greeting is spoken as well");
    let told = speech.spoken();
    assert!(told.iter().any(|text| text.starts_with("Le Gourmet, bonsoir")), "{told:?}");
}

#[tokio::test]
async fn a_reply_is_spoken_by_the_assistants_own_voice_and_fetched_in_parts() {
    let speech = FakeSpeech::start();
    let webox = spoken_for(&speech, "gather");
    let daemon = warm(&webox);
    daemon.ring(&sid(1)).await;
    let answer = daemon.say(&sid(1), 1, QUESTION).await;
    let sounds = plays(&answer);
    assert_eq!((sounds.len(), spoken(&answer).as_str()), (1, ""), "{}", answer.body);
    assert!(sounds[0].starts_with(&format!("{PUBLIC_URL}/api/voice/audio/")), "{}", sounds[0]);
    let said = turns(&webox, 1)[1].said.clone().unwrap();
    assert!(said.contains("parking"), "{said}");
    let whole = fetch(&daemon, &sounds[0]).await;
    assert_eq!(whole.status(), 200);
    let headers = whole.headers().clone();
    assert_eq!(headers[ACCEPT_RANGES], "bytes");
    assert!(headers[CACHE_CONTROL].to_str().unwrap().contains("private"));
    let whole = whole.bytes().await.unwrap();
    let heard = wav::read(&whole).unwrap().len() as f64 / 8_000.0;
    assert!((heard - length(&said)).abs() < 0.3, "{heard} s of {said}");

    let url = at(&daemon, &sounds[0]);
    let ask = |range: &str| client().get(&url).header(RANGE, range).send();
    let part = ask("bytes=58-157").await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()[CONTENT_RANGE], format!("bytes 58-157/{}", whole.len()).as_str());
    assert_eq!(part.bytes().await.unwrap(), whole.slice(58..158));
    let beyond = ask(&format!("bytes={}-", whole.len())).await.unwrap();
    assert_eq!(beyond.status(), 416);
    let head = client().head(&url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], whole.len().to_string().as_str());
    assert!(head.bytes().await.unwrap().is_empty());
    let known = client().get(&url).header(IF_NONE_MATCH, &headers[ETAG]).send().await.unwrap();
    assert_eq!(known.status(), 304);

    // Delivered again, it is the same; where the sound is gone, its words are said.
    assert_eq!(daemon.say(&sid(1), 1, QUESTION).await.body, answer.body);
    daemon.kill();
    let daemon = Daemon::start(&webox);
    assert_eq!(fetch(&daemon, &sounds[0]).await.status(), 404);
    let again = daemon.say(&sid(1), 1, QUESTION).await;
    assert_eq!((plays(&again).len(), spoken(&again)), (0, said));
}

#[tokio::test]
async fn an_address_that_was_not_given_leads_nowhere() {
    let speech = FakeSpeech::start();
    let webox = spoken_for(&speech, "gather");
    let daemon = warm(&webox);
    let good = plays(&daemon.ring(&sid(1)).await).remove(0);
    let key = good.rsplit('/').next().unwrap();
    let other = if key.ends_with('A') { "B" } else { "A" };
    let sound = std::fs::read_dir(webox.home().join("data/webox/webox.db.sounds")).unwrap();
    let sound = sound.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let sound = sound.into_iter().find(|name| name.contains(".ulaw")).unwrap();
    for wrong in [
        "..",
        "../webox.db",
        "%2e%2e%2fwebox.db",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "salt",
        "%00",
        "%ff%fe",
        "A",
        "",
        sound.as_str(),
        sound.trim_end_matches(".ulaw"),
        &format!("{}{other}", &key[..key.len() - 1]),
        &format!("{key}AAAA"),
        &format!("{key}%00"),
        &format!("{key}/"),
        &"A".repeat(3_000),
    ] {
        let answer = raw(&daemon, &format!("/api/voice/audio/{wrong}")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{wrong:?}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("RIFF"), "{wrong:?}: {answer}");
    }
    assert!(raw(&daemon, &format!("/api/voice/audio/{key}")).await.starts_with("HTTP/1.1 200"));
}

/// An answer to a path as it is written: clients would tidy it up.
async fn raw(daemon: &Daemon, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(daemon.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn twilio_speaks_when_the_provider_does_not() {
    let speech = FakeSpeech::start();
    speech.mouth(Mood::Fails(500));
    let webox = spoken_for(&speech, "gather");
    let daemon = Daemon::start(&webox);
    daemon.logged("could not be spoken beforehand");
    let greeting = daemon.ring(&sid(1)).await;
    assert!(spoken(&greeting).contains("Que puis-je faire"), "{}", greeting.body);
    let answer = daemon.say(&sid(1), 1, QUESTION).await;
    assert!(spoken(&answer).contains("parking") && plays(&answer).is_empty(), "{}", answer.body);
    // What it was asked for in vain is not asked for again with every sentence.
    let asked = speech.spoken().len();
    assert!((3..=4).contains(&asked), "{:?}", speech.spoken());
}

#[tokio::test]
async fn what_one_caller_was_told_is_kept_in_no_file() {
    let speech = FakeSpeech::start();
    let webox = spoken_for(&speech, "gather");
    let daemon = warm(&webox);
    let folder = webox.home().join("data/webox/webox.db.sounds");
    let files = || std::fs::read_dir(&folder).unwrap().count();
    let before = files();
    for n in 1..=4 {
        daemon.ring(&sid(n)).await;
        assert_eq!(plays(&daemon.say(&sid(n), 1, QUESTION).await).len(), 1);
        daemon.hang_up(&sid(n), 5).await;
    }
    assert_eq!(files(), before, "four calls of one caller");
    for (n, from) in [(5, "+33611111111"), (6, "+33622222222")] {
        daemon.post_from(from, NUMBER, "incoming", &sid(n), &[("CallStatus", "ringing")]).await;
        let route = format!("process?call_sid={}&turn=1", sid(n));
        let heard = [("SpeechResult", QUESTION), ("Confidence", "0.9")];
        daemon.post_from(from, NUMBER, &route, &sid(n), &heard).await;
    }
    for _ in 0..500 {
        if files() > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(files() > before, "the third caller is told the same");
    let spoken = speech.spoken().len();
    daemon.ring(&sid(7)).await;
    assert_eq!(plays(&daemon.say(&sid(7), 1, QUESTION).await).len(), 1);
    assert_eq!(speech.spoken().len(), spoken, "it need not be spoken any more");
}

#[tokio::test]
async fn a_streamed_call_is_greeted_from_what_is_kept() {
    let speech = FakeSpeech::start();
    let webox = spoken_for(&speech, "stream");
    let daemon = warm(&webox);
    let before = speech.spoken().len();
    speech.mouth(Mood::Fails(500));
    let number = NUMBER.parse().unwrap();
    let manner = Manner { quiet: Duration::from_millis(300), ..Manner::default() };
    let (mut call, heard) =
        StreamedCall::ring(&daemon.twilio, CALLER, &number, manner).await.unwrap();
    assert!(heard.first_frame.is_some(), "{heard:?}");
    let sid = call.sid().clone();
    let mut greeted = Vec::new();
    for _ in 0..800 {
        greeted = calls::show(&seed::store(&webox), &Actor::webox("test"), &sid).unwrap().1;
        if greeted[0].mouth.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(greeted[0].mouth.as_deref(), Some("cache"));
    assert!(greeted[0].said.as_deref().unwrap().ends_with("Que puis-je faire ?"));
    assert_eq!(speech.spoken().len(), before, "nobody was asked");
    call.hang_up().await.unwrap();
}
