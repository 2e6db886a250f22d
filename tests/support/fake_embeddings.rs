//! A double of `POST /v1/embeddings`. Its vectors are made up: words that a list says mean the same share
//! a number, and all others have one of their own by chance. It knows as many synonyms as are written here,
//! which says nothing of how many a real model knows.

use serde_json::{Value, json};
use webox::domain::search_words;

use super::{
    fake_http::KEY,
    receiver::{Received, Receiver, Reply},
};

/// Beginnings of words that mean the same.
const SAME: [&[&str]; 12] = [
    &["gluten", "glutin", "coeliaque", "celiac"],
    &["voiture", "garage", "stationn", "macchin", "parchegg", "rimess", "autorimess"],
    &["chien", "labrador", "laisse", "cane", "cani", "cagnolin", "guinzagl"],
    &["fille", "chaises", "coloriage", "bambin", "seggiolon", "figli"],
    &["liquide", "especes", "cheques", "contant", "bancomat", "spicci"],
    &["fauteuil", "rampe", "carrozzin", "gradin"],
    &["avancer", "acompte", "caparr", "anticip"],
    &["internet", "wifi", "rete", "naviga"],
    &["soir", "nuit", "diner", "sera", "cena"],
    &["froid", "chauffe", "freddo", "riscald"],
    &["dedicac", "gateau", "anniversaire", "torta", "complean"],
    &["bruyant", "calme", "rumoros", "tranquill"],
];

/// Numbers of a vector: one for each meaning, and as many for all other words.
const LENGTH: usize = 96;

/// A vector as the double makes it.
pub(crate) fn vector(text: &str) -> Vec<f32> {
    let mut numbers = vec![0.0_f32; LENGTH];
    for word in search_words(text).iter().filter(|word| word.len() > 3) {
        let meaning = SAME.iter().position(|same| same.iter().any(|begin| word.starts_with(begin)));
        if let Some(at) = meaning {
            numbers[at] += 3.0;
        } else {
            let sum: usize =
                word.bytes().fold(7, |sum, byte| (sum * 31 + usize::from(byte)) % 9_973);
            numbers[SAME.len() + sum % (LENGTH - SAME.len())] += 0.5;
        }
    }
    if numbers.iter().all(|number| *number == 0.0) {
        numbers[LENGTH - 1] = 1.0;
    }
    numbers
}

/// The texts that a request asks for.
pub(crate) fn texts(request: &Received) -> Vec<String> {
    let json = request.json();
    let input = json["input"].as_array().unwrap();
    input.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The answer that a request deserves.
pub(crate) fn answer(request: &Received) -> Reply {
    let wrong = |status: u16, message: &str| {
        Reply::json(
            status,
            &json!({ "error": { "message": message, "type": "invalid_request_error" } }),
        )
    };
    if request.header("authorization") != format!("Bearer {KEY}") {
        return wrong(401, "a wrong key");
    }
    if request.path != "/v1/embeddings" {
        return wrong(404, "no such path");
    }
    let json = request.json();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    if keys != ["input", "model"] || !json["model"].is_string() {
        return wrong(422, "extra fields");
    }
    let texts = texts(request);
    if texts.is_empty() || texts.len() > 2048 || texts.iter().any(String::is_empty) {
        return wrong(400, "no input");
    }
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({ "object": "embedding", "index": index, "embedding": vector(text) }))
        .collect();
    let tokens: usize = texts.iter().map(|text| text.len() / 4 + 1).sum();
    Reply::json(
        200,
        &json!({ "object": "list", "model": json["model"], "data": data,
                 "usage": { "prompt_tokens": tokens, "total_tokens": tokens } }),
    )
}

/// A server that answers so.
pub(crate) fn start() -> Receiver {
    Receiver::answering(answer)
}

/// All texts that were asked for, of those requests that ask for several or for a document's passage.
pub(crate) fn asked(receiver: &Receiver) -> Vec<String> {
    receiver.received().iter().flat_map(texts).collect()
}
