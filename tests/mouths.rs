//! Mouths against doubles of their vendors: what they ask, what they make of the answers, and that
//! the vendors' own descriptions allow it.

mod contract;

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use webox::{
    audio::g711,
    domain::{Outcome, Secret, VoiceProvider},
    providers::{
        breaker::Breakers,
        speech::SpeechError,
        tts::{Deadlines, MouthSettings, Mouths, SpeechRequest, TextToSpeech, speak_through},
    },
};

use crate::support::fake_mouths::{Answer, End, FakeMouth, KEY, spoken};

/// Those that speak over the network; the first one in both its ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    ElevenLabs,
    ElevenLabsSocket,
    Google,
    Azure,
    OpenAi,
}

impl Vendor {
    const ALL: [Self; 5] =
        [Self::ElevenLabs, Self::ElevenLabsSocket, Self::Google, Self::Azure, Self::OpenAi];

    /// Those that answer with sound in pieces.
    const STREAMING: [Self; 3] = [Self::ElevenLabs, Self::Azure, Self::OpenAi];

    fn provider(self) -> VoiceProvider {
        match self {
            Self::ElevenLabs | Self::ElevenLabsSocket => VoiceProvider::Elevenlabs,
            Self::Google => VoiceProvider::Google,
            Self::Azure => VoiceProvider::Azure,
            Self::OpenAi => VoiceProvider::Openai,
        }
    }

    fn mouth(self, url: &str) -> Arc<dyn TextToSpeech> {
        self.patient(url, Duration::from_secs(10))
    }

    fn patient(self, url: &str, patience: Duration) -> Arc<dyn TextToSpeech> {
        let mut settings = MouthSettings {
            deadlines: Deadlines {
                connect: patience,
                first_byte: patience,
                stall: patience,
                list: patience,
            },
            ..MouthSettings::default()
        };
        let (key, url) = (Some(Secret::new(KEY)), url.to_owned());
        match self {
            Self::ElevenLabs | Self::ElevenLabsSocket => {
                settings.elevenlabs.api_key = key;
                settings.elevenlabs.base_url = Some(url);
                settings.elevenlabs.socket = self == Self::ElevenLabsSocket;
            }
            Self::Google => {
                settings.google.key = key;
                settings.google.base_url = Some(url);
            }
            Self::Azure => {
                settings.azure.api_key = key;
                settings.azure.base_url = Some(url);
            }
            Self::OpenAi => {
                settings.openai.api_key = key;
                settings.openai.base_url = Some(format!("{url}/v1"));
            }
        }
        Mouths::new(settings).find(self.provider(), None).unwrap()
    }

    /// An answer with some telephone's sound, as this vendor sends it.
    fn says(self, sound: &[u8], piece: usize) -> Answer {
        match self {
            Self::ElevenLabs | Self::Azure => Answer::Sound(sound.to_vec(), piece),
            Self::ElevenLabsSocket => Answer::Socket(spoken(sound, piece), End::Close),
            Self::Google => Answer::Whole(200, "application/json", "", google(sound)),
            Self::OpenAi => Answer::Sound(pcm(sound), piece),
        }
    }
}

/// Google's document: μ-law within a WAV.
fn google(sound: &[u8]) -> Vec<u8> {
    let length = sound.len() as u32;
    let file = [
        &b"RIFF"[..],
        &(length + 36).to_le_bytes(),
        b"WAVEfmt \x10\0\0\0\x07\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data",
        &length.to_le_bytes(),
        sound,
    ]
    .concat();
    json!({"audioContent": STANDARD.encode(file)}).to_string().into_bytes()
}

/// The same at 24 kHz with 16 bits: each sample three times.
fn pcm(sound: &[u8]) -> Vec<u8> {
    sound.iter().flat_map(|byte| [g711::decode(*byte).to_le_bytes(); 3].concat()).collect()
}

/// A voice, near enough: 300 Hz for three quarters of a second.
fn voice() -> Vec<u8> {
    let sample = |n: u32| (8_000.0 * (f64::from(n) * 0.235_6).sin()) as i16;
    (0..6_000).map(|n| g711::encode(sample(n))).collect()
}

fn request() -> SpeechRequest {
    SpeechRequest {
        text: "Bonjour, « Le Gourmet » & fils <à> l'écoute".to_owned(),
        language: "fr-FR".parse().unwrap(),
        voice: None,
    }
}

async fn speak(mouth: &Arc<dyn TextToSpeech>) -> Result<Vec<u8>, SpeechError> {
    let pieces: Vec<Bytes> = mouth.speak(request()).try_collect().await?;
    Ok(pieces.concat())
}

/// What becomes of it when a caller waits: alone in a chain.
async fn outcome(mouth: Arc<dyn TextToSpeech>) -> (Outcome, String) {
    match speak_through(&[mouth], &Breakers::default(), &request()).await {
        Ok(speaking) => {
            let error = speaking.sound.try_collect::<Vec<_>>().await.unwrap_err();
            (error.outcome, error.detail)
        }
        Err(unspoken) => (unspoken.0[0].outcome, unspoken.0[0].detail.clone()),
    }
}

#[tokio::test]
async fn sound_arrives_whole_however_it_is_cut() {
    for vendor in Vendor::ALL {
        for piece in [1_601, 7] {
            let server = FakeMouth::start(vec![vendor.says(&voice(), piece)]);
            let sound = speak(&vendor.mouth(&server.url())).await.unwrap();
            assert_eq!(sound.len(), voice().len(), "{vendor:?}");
            if vendor == Vendor::OpenAi {
                // Resampled: alike, not equal.
                let loudest = sound.iter().map(|byte| g711::decode(*byte)).max().unwrap();
                assert!((7_000..9_000).contains(&loudest), "{loudest}");
            } else {
                assert_eq!(sound, voice(), "{vendor:?}");
            }
        }
    }
}

#[tokio::test]
async fn each_vendor_is_asked_in_its_own_way() {
    let asked = async |vendor: Vendor| {
        let server = FakeMouth::start(vec![vendor.says(&voice(), 500)]);
        speak(&vendor.mouth(&server.url())).await.unwrap();
        let [asked] = <[_; 1]>::try_from(server.asked()).unwrap();
        assert!(!asked.line.contains(KEY) && !asked.body.contains(KEY), "{vendor:?}");
        asked
    };
    let text = request().text;

    let eleven = asked(Vendor::ElevenLabs).await;
    assert_eq!(
        eleven.line,
        "POST /v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream?output_format=ulaw_8000 HTTP/1.1"
    );
    assert_eq!(eleven.header("xi-api-key"), KEY);
    assert_eq!(
        eleven.json(),
        json!({"text": text, "model_id": "eleven_flash_v2_5", "language_code": "fr"})
    );

    let socket = asked(Vendor::ElevenLabsSocket).await;
    assert_eq!(
        socket.target(),
        "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream-input?model_id=eleven_flash_v2_5\
         &output_format=ulaw_8000&auto_mode=true&language_code=fr"
    );
    assert_eq!(socket.header("xi-api-key"), KEY);
    let words = json!([{"text": " "}, {"text": format!("{text} ")}, {"text": ""}]);
    assert_eq!(socket.json(), words);

    let google = asked(Vendor::Google).await;
    assert_eq!(google.line, "POST /v1/text:synthesize HTTP/1.1");
    assert_eq!(google.header("x-goog-api-key"), KEY);
    assert_eq!(google.json()["input"], json!({"text": text}));

    let azure = asked(Vendor::Azure).await;
    assert_eq!(azure.line, "POST /cognitiveservices/v1 HTTP/1.1");
    assert_eq!(azure.header("ocp-apim-subscription-key"), KEY);
    assert_eq!(azure.header("x-microsoft-outputformat"), "raw-8khz-8bit-mono-mulaw");
    assert_eq!(azure.header("content-type"), "application/ssml+xml");
    assert!(azure.header("user-agent").starts_with("webox/"));
    assert!(azure.body.contains("« Le Gourmet » &amp; fils &lt;à&gt;"), "{}", azure.body);

    let openai = asked(Vendor::OpenAi).await;
    assert_eq!(openai.line, "POST /v1/audio/speech HTTP/1.1");
    assert_eq!(openai.header("authorization"), format!("Bearer {KEY}"));
    let body = json!({
        "model": "gpt-4o-mini-tts", "input": text, "voice": "alloy", "response_format": "pcm",
    });
    assert_eq!(openai.json(), body);
}

#[tokio::test]
async fn a_refusal_is_understood_and_holds_no_key() {
    let body = |code: &str| {
        let message = format!("Incorrect key {KEY}, see sk-other1 or AIzaOther2");
        json!({"error": {"message": message, "code": code}}).to_string().into_bytes()
    };
    for vendor in Vendor::ALL {
        for (status, headers, expected) in [
            (401, "", Outcome::Denied),
            (404, "", Outcome::NotFound),
            (422, "", Outcome::BadRequest),
            (429, "retry-after: 7\r\n", Outcome::RateLimited),
            (500, "", Outcome::ServerError),
            (503, "", Outcome::ServerError),
            (302, "location: http://127.0.0.1:9/\r\n", Outcome::Unusable),
        ] {
            let answer = Answer::Whole(status, "application/json", headers, body("x"));
            let server = FakeMouth::start(vec![answer]);
            let refused = speak(&vendor.mouth(&server.url())).await.unwrap_err();
            assert_eq!(refused.outcome, expected, "{vendor:?} {status}: {refused}");
            for key in [KEY, "sk-other1", "AIzaOther2"] {
                assert!(!refused.detail.contains(key), "{vendor:?}: {refused}");
            }
            if status == 429 && vendor != Vendor::ElevenLabsSocket {
                assert_eq!(refused.retry_after, Some(Duration::from_secs(7)), "{vendor:?}");
            }
            assert_eq!(server.asked().len(), 1, "{vendor:?}: nothing is asked twice");
        }
    }
}

#[tokio::test]
async fn garbage_is_no_voice() {
    let page = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>".to_vec();
    let error = json!({"detail": {"status": "quota_exceeded", "message": "m"}}).to_string();
    for vendor in [Vendor::STREAMING.as_slice(), &[Vendor::Google]].concat() {
        for (answer, expected) in [
            (Answer::Whole(200, "text/html; charset=utf-8", "", page.clone()), Outcome::Unusable),
            (Answer::Whole(200, "audio/basic", "", page.clone()), Outcome::Unusable),
            (Answer::Whole(200, "audio/basic", "", Vec::new()), Outcome::Unusable),
            (Answer::Whole(200, "application/json", "", b"{}".to_vec()), Outcome::BrokenStream),
            (
                Answer::Whole(200, "application/json", "", error.clone().into_bytes()),
                Outcome::Denied,
            ),
        ] {
            let server = FakeMouth::start(vec![answer]);
            let (told, detail) = outcome(vendor.mouth(&server.url())).await;
            // Google answers in JSON: what holds no sound is merely not usable.
            let expected = if vendor == Vendor::Google { Outcome::Unusable } else { expected };
            assert_eq!(told, expected, "{vendor:?}: {detail}");
        }
    }
}

#[tokio::test]
async fn sound_that_breaks_off_is_no_end() {
    for vendor in Vendor::STREAMING {
        let server = FakeMouth::start(vec![Answer::Cut(voice())]);
        let (told, detail) = outcome(vendor.mouth(&server.url())).await;
        assert_eq!(told, Outcome::BrokenStream, "{vendor:?}: {detail}");
    }
    let server = FakeMouth::start(vec![Answer::Cut(b"{\"audioContent\":\"".to_vec())]);
    let told = speak(&Vendor::Google.mouth(&server.url())).await.unwrap_err();
    assert_eq!(told.outcome, Outcome::BrokenStream);
    // Every message came, but the last one.
    let mut messages = spoken(&voice(), 900);
    messages.pop();
    let server = FakeMouth::start(vec![Answer::Socket(messages, End::Close)]);
    let told = speak(&Vendor::ElevenLabsSocket.mouth(&server.url())).await.unwrap_err();
    assert_eq!(told.outcome, Outcome::BrokenStream);
}

#[tokio::test]
async fn nobody_is_waited_for_for_long() {
    let short = Duration::from_millis(150);
    for vendor in Vendor::ALL {
        let server = FakeMouth::start(vec![Answer::Silence]);
        let told = speak(&vendor.patient(&server.url(), short)).await.unwrap_err();
        assert_eq!(told.outcome, Outcome::TimedOut, "{vendor:?}");
        // A port that nobody listens at, and that is nobody else's meanwhile.
        let held = tokio::net::TcpSocket::new_v4().unwrap();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let gone = format!("http://{}", held.local_addr().unwrap());
        let told = speak(&vendor.mouth(&gone)).await.unwrap_err();
        assert_eq!(told.outcome, Outcome::Unreachable, "{vendor:?}: {told}");
    }
    for vendor in Vendor::STREAMING {
        let server = FakeMouth::start(vec![Answer::Stalls(voice())]);
        let (told, detail) = outcome(vendor.patient(&server.url(), short)).await;
        assert_eq!((told, detail.as_str()), (Outcome::TimedOut, "the sound stalled"), "{vendor:?}");
    }
    let mut messages = spoken(&voice(), 900);
    messages.pop();
    let server = FakeMouth::start(vec![Answer::Socket(messages, End::Open)]);
    let (told, _) = outcome(Vendor::ElevenLabsSocket.patient(&server.url(), short)).await;
    assert_eq!(told, Outcome::TimedOut);
}

#[tokio::test]
async fn a_server_without_tls_is_not_believed() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain = tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 200 OK\r\n\r\n").await;
        }
    });
    for vendor in Vendor::ALL {
        let told = speak(&vendor.mouth(&url)).await.unwrap_err();
        assert_eq!(told.outcome, Outcome::Unreachable, "{vendor:?}: {told}");
    }
    plain.abort();
}

#[tokio::test]
async fn a_dropped_sound_ends_its_request() {
    for vendor in Vendor::STREAMING {
        let server = FakeMouth::start(vec![Answer::Endless]);
        let mut sound = vendor.mouth(&server.url()).speak(request());
        assert!(sound.try_next().await.unwrap().is_some());
        drop(sound);
        server.left_alone().await;
    }
    let mut messages = spoken(&voice(), 900);
    messages.pop();
    let server = FakeMouth::start(vec![Answer::Socket(messages, End::Open)]);
    let mut sound = Vendor::ElevenLabsSocket.mouth(&server.url()).speak(request());
    assert!(sound.try_next().await.unwrap().is_some());
    drop(sound);
    server.left_alone().await;
}

#[tokio::test]
async fn nothing_is_asked_before_the_sound_is_wanted() {
    for vendor in Vendor::ALL {
        let server = FakeMouth::start(vec![vendor.says(&voice(), 500)]);
        let sound = vendor.mouth(&server.url()).speak(request());
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(sound);
        assert!(server.asked().is_empty(), "{vendor:?}");
    }
}

#[tokio::test]
async fn a_socket_tells_its_errors() {
    for (message, expected) in [
        (json!({"message": "m", "error": "invalid_api_key", "code": 1008}), Outcome::Denied),
        (json!({"message": "m", "error": "quota_exceeded", "code": 1008}), Outcome::Denied),
        (json!({"error": "voice_not_found"}), Outcome::NotFound),
        (json!({"error": "too_many_concurrent_requests"}), Outcome::RateLimited),
        (json!({"error": format!("with {KEY}")}), Outcome::BrokenStream),
        (json!({"audio": "no base64!"}), Outcome::Unusable),
    ] {
        let server = FakeMouth::start(vec![Answer::Socket(vec![message.clone()], End::Open)]);
        let told = speak(&Vendor::ElevenLabsSocket.mouth(&server.url())).await.unwrap_err();
        assert_eq!(told.outcome, expected, "{message}");
        assert!(!told.detail.contains(KEY), "{told}");
    }
}

#[tokio::test]
async fn a_server_of_ones_own_may_send_a_wav_and_needs_no_key() {
    let length = u32::MAX;
    let head = [
        &b"RIFF"[..],
        &length.to_le_bytes(),
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data",
        &length.to_le_bytes(),
    ]
    .concat();
    let samples = voice().into_iter().flat_map(|byte| g711::decode(byte).to_le_bytes());
    let file = head.into_iter().chain(samples).collect();
    let server = FakeMouth::start(vec![Answer::Sound(file, 33)]);
    let mut settings = MouthSettings::default();
    settings.openai.base_url = Some(format!("{}/v1/", server.url()));
    let mouth = Mouths::new(settings).find(VoiceProvider::Openai, None).unwrap();
    assert_eq!(speak(&mouth).await.unwrap(), voice());
    assert_eq!(server.asked()[0].target(), "/v1/audio/speech");
    assert_eq!(server.asked()[0].header("authorization"), "");
}

#[tokio::test]
async fn voices_are_listed() {
    let json = |value: Value| Answer::Whole(200, "application/json", "", value.to_string().into());
    let ids = async |vendor: Vendor, answers: Vec<Answer>, language: Option<&str>| {
        let server = FakeMouth::start(answers);
        let language = language.map(|tag| tag.parse().unwrap());
        let voices = vendor.mouth(&server.url()).voices(language).await.unwrap();
        let ids: Vec<String> = voices.iter().map(|voice| voice.id.clone()).collect();
        (ids.join(" "), voices, server.asked())
    };

    let anne = json!({
        "voice_id": "a1", "name": "Anne", "labels": {"gender": "female"},
        "verified_languages": [{"language": "fr", "model_id": "m", "locale": "fr-FR"}],
    });
    let pages = || {
        vec![
            json(json!({"voices": [anne], "has_more": true, "next_page_token": "t/&"})),
            json(json!({"voices": [{"voice_id": "b2", "name": "Bo"}], "has_more": false})),
        ]
    };
    let (found, voices, asked) = ids(Vendor::ElevenLabs, pages(), None).await;
    assert_eq!(found, "a1 b2");
    assert_eq!((voices[0].name.as_str(), voices[0].gender.as_deref()), ("Anne", Some("female")));
    assert_eq!(asked[1].target(), "/v2/voices?page_size=100&next_page_token=t%2F%26");
    assert_eq!(asked[0].header("xi-api-key"), KEY);
    assert_eq!(ids(Vendor::ElevenLabs, pages(), Some("de-DE")).await.0, "b2");

    let google = || {
        vec![json(json!({"voices": [
            {"name": "fr-FR-A", "languageCodes": ["fr-FR"], "ssmlGender": "MALE"},
            {"name": "fr-CA-A", "languageCodes": ["fr-CA"], "ssmlGender": "FEMALE"},
        ]}))]
    };
    assert_eq!(ids(Vendor::Google, google(), Some("fr")).await.0, "fr-FR-A fr-CA-A");
    let (found, voices, asked) = ids(Vendor::Google, google(), Some("fr-CA")).await;
    assert_eq!((found.as_str(), voices[0].gender.as_deref()), ("fr-CA-A", Some("female")));
    assert_eq!((asked[0].target(), asked[0].header("x-goog-api-key")), ("/v1/voices", KEY));

    let azure = vec![json(json!([
        {"ShortName": "en-US-Ava", "LocalName": "Ava", "Locale": "en-US", "Gender": "Female",
         "SecondaryLocaleList": ["fr-FR"]},
        {"ShortName": "de-DE-Katja", "Locale": "de-DE"},
    ]))];
    let (found, _, asked) = ids(Vendor::Azure, azure, Some("fr-FR")).await;
    assert_eq!(found, "en-US-Ava");
    assert_eq!(asked[0].target(), "/cognitiveservices/voices/list");

    let refused = vec![Answer::Whole(401, "text/plain", "", KEY.into())];
    for vendor in [Vendor::ElevenLabs, Vendor::Google, Vendor::Azure] {
        let server = FakeMouth::start(refused.clone());
        let told = vendor.mouth(&server.url()).voices(None).await.unwrap_err();
        assert_eq!(told.outcome, Outcome::Denied);
        assert!(!told.detail.contains(KEY), "{told}");
    }
}

#[tokio::test]
async fn google_takes_a_service_account() {
    let with = |url: &str, key: &str| {
        let mut settings = MouthSettings::default();
        settings.google.base_url = Some(url.to_owned());
        Mouths::new(settings).find(VoiceProvider::Google, Some(Secret::new(key))).unwrap()
    };
    let server = FakeMouth::start(vec![Vendor::Google.says(&voice(), 0)]);
    for wrong in ["{", "{}", r#"{"type":"service_account","private_key":"zzkey"}"#] {
        let told = speak(&with(&server.url(), wrong)).await.unwrap_err();
        assert_eq!(told.outcome, Outcome::Denied, "{wrong}: {told}");
        assert!(!told.detail.contains("zzkey"), "{told}");
    }
    assert!(server.asked().is_empty());
    let made = std::process::Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output();
    let Ok(made) = made else {
        eprintln!("passed over: openssl, which makes a key, is not installed");
        return;
    };
    let key = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "k",
        "client_email": "webox@p.iam.gserviceaccount.com",
        "private_key": String::from_utf8(made.stdout).unwrap(),
    });
    let mouth = with(&server.url(), &key.to_string());
    assert_eq!(speak(&mouth).await.unwrap(), voice());
    let asked = &server.asked()[0];
    assert!(asked.header("authorization").starts_with("Bearer ey"), "a token");
    assert_eq!(asked.header("x-goog-api-key"), "");
}
