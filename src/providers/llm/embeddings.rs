//! OpenAI's `POST /embeddings`, as OpenAI and all who copy it speak it: texts in, a vector each out.
//!
//! Only the two fields that every server takes are sent.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ModelError,
    errors::{self, error},
    http::{self, Auth, Http},
    wire::{Wire, tokens},
};
use crate::domain::{MOST_DIMENSIONS, Outcome, Secret};

/// Bound on an answer: a batch of the longest vectors, written out.
const ANSWER: usize = 16 * 1024 * 1024;

/// A model that says what texts are about, at an address.
#[derive(Clone)]
pub struct Embedder {
    id: String,
    model: String,
    url: String,
    key: Option<Secret>,
    http: Arc<Http>,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// A vector for each text, in their order; all of one length.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens read.
    pub tokens: u32,
}

#[derive(Deserialize)]
struct One {
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl Embedder {
    pub(super) fn new(id: String, model: &str, base: &str, auth: Auth, http: Arc<Http>) -> Self {
        let url = format!("{}/embeddings", base.trim_end_matches('/'));
        let key = match auth {
            Auth::Bearer(key) | Auth::ApiKey(key) => Some(key),
            Auth::None => None,
        };
        Self { id, model: model.to_owned(), url, key, http }
    }

    /// `provider/model`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Asks for the vectors of some texts. Time belongs to the caller, who drops the future.
    pub async fn embed(&self, texts: &[String]) -> Result<Embedded, ModelError> {
        let answered = self.ask(texts).await;
        answered.map_err(|error| errors::presentable(error, self.key.as_ref()))
    }

    async fn ask(&self, texts: &[String]) -> Result<Embedded, ModelError> {
        let request = self.http.client()?.post(&self.url).json(&body(&self.model, texts));
        let request = match &self.key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        };
        let mut response = request.send().await.map_err(|cause| http::unreachable(&cause))?;
        let status = response.status().as_u16();
        if status != 200 {
            let retry_after = http::retry_after(response.headers());
            let text = http::read(response).await?;
            return Err(errors::refused(Wire::ChatCompletions, status, retry_after, &text));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| http::unreachable(&cause))? {
            if bytes.len() + chunk.len() > ANSWER {
                return Err(error(Outcome::Unusable, "the answer is too long"));
            }
            bytes.extend_from_slice(&chunk);
        }
        read(&bytes, texts.len())
    }
}

fn body(model: &str, texts: &[String]) -> Value {
    json!({ "model": model, "input": texts })
}

/// The vectors of so many texts, or what is wrong with the answer.
pub(super) fn read(bytes: &[u8], texts: usize) -> Result<Embedded, ModelError> {
    let unusable = |why: &str| error(Outcome::Unusable, why);
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|_| unusable("the answer is not JSON"))?;
    if !answer["error"].is_null() {
        return Err(errors::in_stream(&answer));
    }
    let used = tokens(&answer["usage"]["prompt_tokens"]);
    let mut all: Vec<One> = serde_json::from_value(answer["data"].clone())
        .map_err(|_| unusable("the answer holds no list of embeddings"))?;
    // Each says which text it is of; servers that leave it out keep the order.
    all.sort_by_key(|one| one.index.unwrap_or(usize::MAX));
    let in_order =
        all.iter().enumerate().all(|(at, one)| one.index.is_none_or(|index| index == at));
    if all.len() != texts || !in_order {
        return Err(unusable("the answer does not hold one embedding for each text"));
    }
    let length = all.first().map_or(0, |one| one.embedding.len());
    let vectors: Vec<Vec<f32>> = all.into_iter().map(|one| one.embedding).collect();
    let usable = |vector: &Vec<f32>| {
        vector.len() == length
            && vector.iter().all(|value| value.is_finite())
            && vector.iter().any(|value| *value != 0.0)
    };
    if length > MOST_DIMENSIONS || !vectors.iter().all(usable) {
        return Err(unusable("the embeddings are not vectors of one length"));
    }
    Ok(Embedded { vectors, tokens: used })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(data: &Value) -> Vec<u8> {
        json!({ "object": "list", "model": "m", "data": data, "usage": { "prompt_tokens": 7, "total_tokens": 7 } })
            .to_string()
            .into_bytes()
    }

    #[test]
    fn vectors_come_in_the_order_of_their_texts() {
        let of = |index: usize, vector: [f32; 2]| json!({ "object": "embedding", "index": index, "embedding": vector });
        let read_two = |data: Value| read(&answer(&data), 2);
        let told = read_two(json!([of(1, [0.0, 1.0]), of(0, [1.0, 0.0])])).unwrap();
        assert_eq!(told, Embedded { vectors: vec![vec![1.0, 0.0], vec![0.0, 1.0]], tokens: 7 });
        let plain = json!([{ "embedding": [1.0, 0.0] }, { "embedding": [0.0, 1.0] }]);
        assert_eq!(read_two(plain).unwrap().vectors[1], [0.0, 1.0]);
        for wrong in [
            json!([of(0, [1.0, 0.0])]),
            json!([of(0, [1.0, 0.0]), of(0, [1.0, 0.0])]),
            json!([of(0, [1.0, 0.0]), of(2, [1.0, 0.0])]),
            json!([of(0, [1.0, 0.0]), of(1, [0.0, 0.0])]),
            json!([of(0, [1.0, 0.0]), { "index": 1, "embedding": [1.0] }]),
            json!([of(0, [1.0, 0.0]), { "index": 1, "embedding": "AAAA" }]),
            json!([of(0, [1.0, 0.0]), { "index": 1, "embedding": [1e300, 1.0] }]),
            json!({}),
            Value::Null,
        ] {
            assert_eq!(read_two(wrong.clone()).unwrap_err().outcome, Outcome::Unusable, "{wrong}");
        }
        let failed = br#"{"error":{"message":"m","type":"rate_limit_error"}}"#;
        assert_eq!(read(failed, 1).unwrap_err().outcome, Outcome::RateLimited);
    }

    /// Every key that a schema of the document wants, and those that it knows.
    fn keys<'s>(spec: &'s str, schema: &str) -> (Vec<&'s str>, Vec<&'s str>) {
        let mut lines = spec.lines().skip_while(|line| *line != format!("    {schema}:")).skip(1);
        let of_schema: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.is_empty() || line.starts_with("      "))
            .collect();
        let under = |head: &str| {
            let from = of_schema.iter().position(|line| *line == format!("      {head}:")).unwrap();
            of_schema[from + 1..]
                .iter()
                .take_while(|line| line.starts_with("       ") || line.starts_with("      -"))
        };
        let required =
            under("required").filter_map(|line| line.trim().strip_prefix("- ")).collect();
        let known = under("properties")
            .filter(|line| line.starts_with("        ") && !line.starts_with("         "))
            .filter_map(|line| line.trim().strip_suffix(':'))
            .collect();
        (required, known)
    }

    #[test]
    fn openais_own_description_knows_what_is_asked_and_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs/openai-openapi.yaml");
        let Ok(spec) = std::fs::read_to_string(path) else {
            eprintln!("passed over: there is no description of OpenAI beside the checkout");
            return;
        };
        let (required, known) = keys(&spec, "CreateEmbeddingRequest");
        let asked = body("text-embedding-3-small", &["Bonjour".to_owned()]);
        let asked: Vec<&String> = asked.as_object().unwrap().keys().collect();
        assert!(required.iter().all(|key| asked.iter().any(|asked| asked == key)), "{required:?}");
        assert!(asked.iter().all(|key| known.contains(&key.as_str())), "{known:?}");
        let (required, _) = keys(&spec, "CreateEmbeddingResponse");
        assert!(required.contains(&"data") && required.contains(&"usage"), "{required:?}");
        let (required, _) = keys(&spec, "Embedding");
        assert!(required.contains(&"index") && required.contains(&"embedding"), "{required:?}");
    }

    proptest! {
        #[test]
        fn whatever_is_answered_is_vectors_or_an_error(text in ".{0,200}", texts in 0usize..4) {
            if let Ok(embedded) = read(text.as_bytes(), texts) {
                prop_assert_eq!(embedded.vectors.len(), texts);
            }
        }
    }
}
