//! Our TwiML against Twilio's own typings, where a description of them lies beside the checkout
//! (`../shared/specs/twiml_voice_derived.json`). Elsewhere this passes over itself.

use quick_xml::{Reader, events::Event};
use webox::{
    domain::{LanguageTag, Secret},
    twilio::{
        dial::{AskKey, Dial, TakeMessage},
        form::Form,
        signature,
        twiml::{Gather, Response, Say, Words},
    },
};

/// Every document we can write, one of each shape.
fn documents() -> Vec<String> {
    let language = LanguageTag::french();
    let say = || Say::new("Bonjour", &language, None);
    let mut gather = Gather::speech("/process", &language);
    gather.hints = vec!["Le Gourmet".to_owned()];
    gather.prompt = vec![say().into()];
    gather.keys = Some(1);
    let mut played = gather.clone();
    played.prompt = vec![Words::Play("https://example.com/a".to_owned())];
    let number: webox::domain::PhoneNumber = "+33612345678".parse().unwrap();
    let dial = Dial {
        action: Some("/transfer".to_owned()),
        caller_id: Some(number.clone()),
        whisper: Some("/whisper".to_owned()),
        ..Dial::new(number, 25)
    };
    let ask = AskKey { action: "/take".to_owned(), prompt: vec![say().into(), say().into()] };
    let message = TakeMessage {
        action: "/voicemail".to_owned(),
        ready: "https://example.com/ready".to_owned(),
        words: Some("https://example.com/words".to_owned()),
    };
    vec![
        Response::new().gather(gather).redirect("/process").render(),
        Response::new().say(Words::Play("/a".to_owned())).gather(played).render(),
        Response::new().say(say()).pause(1).redirect("/wait").render(),
        Response::new().say(say()).dial(dial).hangup().render(),
        Response::new().ask_key(ask).hangup().render(),
        Response::new().say(say()).take_message(message).hangup().render(),
        Response::new().record("https://example.com/recording").render(),
    ]
}

#[test]
fn twilio_knows_every_word_of_our_twiml() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs/twiml_voice_derived.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("passed over: there is no description of Twilio's typings beside the checkout");
        return;
    };
    let typings: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    for document in documents() {
        let mut reader = Reader::from_str(&document);
        let mut parents: Vec<String> = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    let name = start.name().as_ref().to_owned();
                    let element = &typings["elements"][&name];
                    assert!(element.is_object(), "<{name}> is unknown");
                    if let Some(parent) = parents.last() {
                        let children = typings["elements"][parent]["children"].as_array().unwrap();
                        assert!(children.iter().any(|c| *c == name), "<{name}> in <{parent}>");
                    }
                    for attribute in start.attributes() {
                        let attribute = attribute.unwrap();
                        let key = attribute.key.as_ref().to_owned();
                        let known = &element["attributes"][&key];
                        assert!(known.is_object(), "{key} of <{name}> is unknown");
                        if let Some(list) = known["values_ref"].as_str() {
                            let values = typings["lists"][list].as_array().unwrap();
                            let value = attribute.value.as_ref();
                            assert!(values.iter().any(|v| v == value), "{key}={value} of <{name}>");
                        }
                        checked += 1;
                    }
                    parents.push(name);
                }
                Event::End(_) => drop(parents.pop()),
                Event::Eof => break,
                _ => {}
            }
        }
    }
    assert!(checked > 15, "{checked}");
}

/// Signatures of Twilio's own library, where `tests/signatures/run` made them.
#[test]
fn twilios_own_library_signs_as_we_do() {
    let Some(path) = std::env::var_os("WEBOX_SIGNATURES") else {
        eprintln!("passed over: `make test-signatures` compares with Twilio's library");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut compared = 0;
    for line in text.lines() {
        let (token, url, fields, signature): (String, String, Vec<(String, String)>, String) =
            serde_json::from_str(line).unwrap();
        let token = Secret::new(token);
        let form = Form::from_fields(fields);
        assert_eq!(signature::sign(&token, &url, &form), signature, "{line}");
        // Also after it went over the wire.
        let read = Form::parse(form.encode().as_bytes()).unwrap();
        assert!(signature::verify(&[token], &url, &read, &signature), "{line}");
        compared += 1;
    }
    assert!(compared > 1_000, "{compared}");
}
