//! `webox voices` and `webox providers`: who can be asked, who answers, and how a daemon finds them.

use serde_json::Value;
use webox::audio::wav;

use crate::support::{
    api::{Who, World},
    cmd::Webox,
    daemon::sid,
    fake_http::{Behaviour, KEY},
    fake_openai::FakeOpenAi,
    fake_speech::{FakeSpeech, Mood},
};

#[test]
fn voices_are_listed_and_heard() {
    let speech = FakeSpeech::start();
    // OpenAI has a list of its voices that nobody need be asked for; a server of one's own has none.
    let webox = Webox::new().env("OPENAI_API_KEY", KEY);
    let listed = webox.run(["voices", "--provider", "openai", "-o", "json"]).ok().json();
    let voices = listed["voices"].as_array().unwrap();
    assert!(voices.len() > 3 && voices.iter().all(|voice| voice["provider"] == "openai"));
    let ids = webox.run(["voices", "list", "--provider", "openai", "-o", "ids"]).ok().stdout;
    assert_eq!(ids.lines().count(), voices.len());
    // Those without a key are told of, and the others are listed.
    let all = webox.run(["voices"]).ok().says("ELEVENLABS_API_KEY").says("AZURE_SPEECH_KEY");
    assert!(all.stdout.lines().any(|line| line.starts_with("openai\t")), "{}", all.stdout);
    webox.run(["voices", "--provider", "azure"]).code(78).silent().says("AZURE_SPEECH_KEY");
    webox.run(["voices", "--provider", "twilio"]).code(64).silent();
    webox.run(["voices", "--voice", "nova"]).code(64).silent();
    webox.run(["voices", "--server", "https://a.example"]).code(64).silent().says("no daemon");

    let webox = Webox::new().env("OPENAI_BASE_URL", speech.url());
    webox.run(["voices", "--provider", "openai"]).ok().silent();
    let play = ["voices", "--provider", "openai", "--language", "fr-FR", "--play"];
    let ran = webox.run(play.into_iter().chain(["a.wav", "--voice", "nova"])).ok().silent();
    assert!(ran.stderr.contains("nova") && ran.stderr.contains("a.wav"), "{}", ran.stderr);
    let sound = wav::read(&std::fs::read(webox.home().join("a.wav")).unwrap()).unwrap();
    assert!(sound.len() > 4_000);
    assert!(speech.spoken()[0].contains("webox") && speech.spoken()[0].contains("onjour"));
    let mut command = webox.command(play.into_iter().chain(["-"]));
    let piped = command.output().unwrap().stdout;
    assert_eq!(wav::read(&piped).unwrap().len(), sound.len());
    speech.mouth(Mood::Fails(500));
    webox.run(play.into_iter().chain(["b.wav"])).code(69).silent();
    assert!(!webox.home().join("b.wav").exists());
}

#[test]
fn each_provider_is_asked_once() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?"]);
    let webox = Webox::with_le_gourmet().env("OPENAI_BASE_URL", speech.url());
    let ran = webox.run(["providers", "check", "openai", "-o", "json"]).code(1);
    let json = ran.json();
    let result = |kind: &str| -> Value {
        let all = json["checks"].as_array().unwrap();
        all.iter().find(|one| one["kind"] == kind).unwrap().clone()
    };
    // This double thinks nothing.
    assert_eq!(result("model")["result"], "not-found");
    assert_eq!(result("ear")["result"], "answered");
    assert!(result("ear")["detail"].as_str().unwrap().contains("parking"));
    assert_eq!(result("mouth")["result"], "answered");
    assert_eq!((speech.spoken().len(), speech.asked()), (1, 1));

    speech.mouth(Mood::Rubbish);
    let ran = webox.run(["providers", "check", "openai"]).code(1);
    assert!(!ran.stdout.contains("zzprovider"), "{}", ran.stdout);
    let named = webox.run(["providers", "check", "deepgram", "azure"]).code(1);
    assert!(named.stdout.contains("no-key") && named.stdout.contains("DEEPGRAM_API_KEY"));
    webox.run(["providers", "check", "gemini"]).code(64);
    webox.run(["providers", "check", "--server", "https://a.example"]).code(64).silent();
    let none = Webox::new();
    let ran = none.run(["providers", "check", "-o", "json"]);
    assert!(ran.code == 0 || ran.stdout.contains("\"local\""), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_tells_whom_it_leaves_alone_and_does_not_pay_for_an_outage_on_every_turn() {
    let model = FakeOpenAi::start(vec![Behaviour::ServerError; 40]);
    let webox = Webox::with_le_gourmet().env("OPENAI_BASE_URL", model.url());
    let webox = webox.env("OPENAI_API_KEY", KEY);
    webox.run(["assistants", "edit", "le-gourmet", "--model", "openai/gpt-6-luna"]).ok();
    let world = World::of(webox);
    let standing = world.get(Who::Admin, "/api/voice/providers").await.ok();
    let of = |standing: &Value| {
        let all = standing["providers"].as_array().unwrap();
        let found = |one: &&Value| one["kind"] == "model" && one["provider"] == "openai";
        all.iter().find(found).unwrap().clone()
    };
    assert_eq!(of(&standing)["state"]["open"], false);
    assert_eq!(of(&standing)["configured"], true);
    assert!(standing["sounds"]["most_bytes"].as_u64().unwrap() > 0);

    for n in 1..=6 {
        world.daemon.ring(&sid(100 + n)).await;
        world.daemon.say(&sid(100 + n), 1, "Avez-vous un parking ?").await;
    }
    let asked = model.requests().len();
    assert!((3..=4).contains(&asked), "asked {asked} times");
    let standing = of(&world.get(Who::Admin, "/api/voice/providers").await.ok());
    assert_eq!(standing["state"]["open"], true, "{standing}");
    assert_eq!(standing["state"]["last_failure"], "server-error");

    let far = world.far(Who::Admin);
    let shown = tokio::task::spawn_blocking(move || far.run(["providers"])).await.unwrap().ok();
    assert!(shown.stdout.lines().any(|line| line.starts_with("model\topenai\ttrue\topen\t3")));
    assert!(shown.stderr.contains("Sounds that are kept"), "{}", shown.stderr);
    let near = world.webox.run(["providers", "status"]).ok().says("--server");
    assert!(near.stdout.lines().any(|line| line.starts_with("model\topenai\ttrue\t\t")));
}
