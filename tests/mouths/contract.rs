//! What we ask against the vendors' own descriptions, where they lie beside the checkout, and Piper
//! itself, where it is. Elsewhere this passes over itself.

use webox::audio::wav::{Format, Reader};

use super::*;

fn specification(name: &str) -> Option<Value> {
    let path = format!("{}/../shared/specs/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("passed over: {name} is not beside the checkout");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn elevenlabs_description_allows_what_is_asked() {
    let Some(spec) = specification("elevenlabs-openapi.json") else { return };
    let server = FakeMouth::start(vec![Vendor::ElevenLabs.says(&voice(), 500)]);
    speak(&Vendor::ElevenLabs.mouth(&server.url())).await.unwrap();
    let asked = &server.asked()[0];
    let operation = &spec["paths"]["/v1/text-to-speech/{voice_id}/stream"]["post"];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let whole = json!({"$ref": schema["$ref"], "components": spec["components"]});
    let validator = jsonschema::validator_for(&whole).unwrap();
    assert!(validator.is_valid(&asked.json()), "{}", asked.body);
    assert!(!validator.is_valid(&json!({"model_id": "m"})), "it does judge");
    let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    for field in asked.json().as_object().unwrap().keys() {
        assert!(spec["components"]["schemas"][name]["properties"][field].is_object(), "{field}");
    }
    let format = operation["parameters"].as_array().unwrap().iter();
    let format = format.clone().find(|one| one["name"] == "output_format").unwrap();
    assert!(format["schema"].to_string().contains("\"ulaw_8000\""));
    assert!(spec["paths"]["/v2/voices"]["get"].is_object());
}

#[tokio::test]
async fn googles_description_allows_what_is_asked() {
    let Some(spec) = specification("google-texttospeech-v1-discovery.json") else { return };
    let server = FakeMouth::start(vec![Vendor::Google.says(&voice(), 0)]);
    speak(&Vendor::Google.mouth(&server.url())).await.unwrap();
    let asked = &server.asked()[0];
    let method = &spec["resources"]["text"]["methods"]["synthesize"];
    assert_eq!(asked.target(), format!("/{}", method["path"].as_str().unwrap()));
    check(&spec, &method["request"], &asked.json());
    let voices = &spec["resources"]["voices"]["methods"]["list"];
    assert_eq!(voices["path"], "v1/voices");
}

/// A value against Google's own way to describe one.
fn check(spec: &Value, schema: &Value, value: &Value) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => &spec["schemas"][name],
        None => schema,
    };
    assert!(schema.is_object(), "{value}");
    if let Some(fields) = value.as_object() {
        for (name, value) in fields {
            check(spec, &schema["properties"][name], value);
        }
    } else if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{value}");
    } else {
        assert_eq!(schema["type"] == "string", value.is_string(), "{value}");
    }
}

#[test]
fn googles_usual_voices_are_known_to_twilio_too() {
    let Some(typings) = specification("twiml_voice_derived.json") else { return };
    let typings = typings.to_string();
    let mouth = Vendor::Google.mouth("http://127.0.0.1:9");
    for tag in [
        "fr-FR", "fr-CA", "en-GB", "en-AU", "en-IN", "en-US", "es-MX", "es-ES", "de-DE", "it-IT",
        "pt-BR", "pt-PT", "nl-BE", "nl-NL", "bg-BG", "ca-ES", "cs-CZ", "da-DK", "el-GR", "fi-FI",
        "hi-IN", "hu-HU", "is-IS", "ja-JP", "ko-KR", "lt-LT", "lv-LV", "nb-NO", "pl-PL", "ro-RO",
        "ru-RU", "sk-SK", "sv-SE", "tr-TR", "uk-UA",
    ] {
        let voice = mouth.voice_for(&SpeechRequest { language: tag.parse().unwrap(), ..request() });
        assert!(typings.contains(&format!("\"Google.{voice}\"")), "{tag}: {voice}");
        assert!(voice.starts_with(&tag[..2]), "{tag}: {voice}");
    }
}

/// The real program with a real model, where both are named.
#[tokio::test]
async fn piper_speaks() {
    let (Some(program), Some(model)) =
        (std::env::var_os("WEBOX_PIPER"), std::env::var("WEBOX_PIPER_MODEL").ok())
    else {
        eprintln!("passed over: WEBOX_PIPER and WEBOX_PIPER_MODEL name no program and no model");
        return;
    };
    let mut settings = MouthSettings::default();
    settings.local.piper = Some(program.into());
    settings.deadlines.first_byte = Duration::from_mins(1);
    settings.deadlines.stall = Duration::from_mins(1);
    let mouth = Mouths::new(settings).find(VoiceProvider::Local, None).unwrap();
    let request = SpeechRequest {
        text: "Hello there,\nhow may I help you?".to_owned(),
        language: "en-US".parse().unwrap(),
        voice: Some(format!("piper:{model}")),
    };
    let speaking = speak_through(&[mouth], &Breakers::default(), &request).await.unwrap();
    let pieces: Vec<Bytes> = speaking.sound.try_collect().await.unwrap();
    let sound = pieces.concat();
    assert!((8_000..40_000).contains(&sound.len()), "{}", sound.len());
    let mut samples = Vec::new();
    Reader::raw(Format::TELEPHONE).push(&sound, &mut samples).unwrap();
    assert!(samples.iter().any(|sample| sample.unsigned_abs() > 3_000));
}
