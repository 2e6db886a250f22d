//! `X-Twilio-Signature`: base64 of HMAC-SHA1 over the URL and the sorted form
//! (Twilio, "Security: validating requests").

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::{Choice, ConstantTimeEq};

use super::form::Form;
use crate::domain::Secret;

/// The signature of a request, as Twilio makes it.
pub fn sign(token: &Secret, url: &str, form: &Form) -> String {
    STANDARD.encode(digest(token, url, &sorted(form)))
}

/// Whether a text can be a signature at all: the base64 of twenty bytes. What cannot need not be
/// looked at any further.
pub fn is_shaped(text: &str) -> bool {
    text.len() == 28 && STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 20)
}

/// Whether a signature was made with one of the tokens over the URL, in any of the spellings that
/// Twilio signs. Comparing takes the same time whatever is in the signature; which spelling
/// matched is no secret, so the others are only tried when the URL as it stands did not.
pub fn verify(tokens: &[Secret], url: &str, form: &Form, signature: &str) -> bool {
    let form = sorted(form);
    let made_over = |url: &str| -> bool {
        let mut matches = Choice::from(0);
        for token in tokens {
            let expected = STANDARD.encode(digest(token, url, &form));
            matches |= expected.as_bytes().ct_eq(signature.as_bytes());
        }
        matches.into()
    };
    made_over(url) || spellings(url).iter().any(|url| made_over(url))
}

/// Whether the upgrade to a WebSocket is Twilio's. It is signed over the `wss` URL, without a form;
/// libraries that sign over `https` are met as well.
pub fn verify_upgrade(tokens: &[Secret], url: &str, signature: &str) -> bool {
    let nothing = Form::from_fields(std::iter::empty::<(&str, &str)>());
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["wss", "https"]
        .iter()
        .any(|scheme| verify(tokens, &format!("{scheme}://{rest}"), &nothing, signature))
}

/// The form as it is signed: names sorted by bytes, and within a name distinct values sorted (not
/// the joined text).
fn sorted(form: &Form) -> String {
    let mut fields: Vec<_> = form.fields().collect();
    fields.sort_unstable();
    fields.dedup();
    let mut text = String::with_capacity(fields.iter().map(|(n, v)| n.len() + v.len()).sum());
    for (name, value) in fields {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

fn digest(token: &Secret, url: &str, form: &str) -> [u8; 20] {
    // HMAC takes a key of any length.
    match Hmac::<Sha1>::new_from_slice(token.expose().as_bytes()) {
        Ok(mut mac) => {
            mac.update(url.as_bytes());
            mac.update(form.as_bytes());
            mac.finalize().into_bytes().into()
        }
        Err(_) => [0; 20],
    }
}

/// The URL with and without its port and user, and with either spelling of an apostrophe: Twilio
/// and its libraries are not of one mind about these.
fn spellings(url: &str) -> Vec<String> {
    let url = url.split('#').next().unwrap_or(url);
    let mut spellings = Vec::new();
    let mut add = |spelling: String| {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    };
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let default_port = if matches!(scheme, "https" | "wss") { "443" } else { "80" };
    let port_at = host.rfind(':').filter(|at| !host[*at..].contains(']'));
    let bare = port_at.map_or(host, |at| &host[..at]);
    let hosts = [host.to_owned(), bare.to_owned(), format!("{bare}:{default_port}")];
    let paths = match path.split_once('?') {
        Some((path, query)) => vec![
            format!("{path}?{query}"),
            format!("{path}?{}", query.replace('\'', "%27")),
            format!("{path}?{}", query.replace("%27", "'")),
        ],
        None => vec![path.to_owned()],
    };
    for host in &hosts {
        for path in &paths {
            add(format!("{scheme}://{host}{path}"));
            if let Some(user) = user {
                add(format!("{scheme}://{user}@{host}{path}"));
            }
        }
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors published in Twilio's documentation and in the test suites of its libraries, and
    /// some computed with the same algorithm. Those with a JSON body are not ours to answer.
    #[test]
    fn published_vectors_agree() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/twilio/signatures.json")).unwrap();
        let mut checked = 0;
        for vector in vectors.as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap_or_default();
            let fields = vector["params"].as_array().unwrap().iter().map(|pair| {
                (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned())
            });
            let form = Form::from_fields(fields);
            let token = Secret::new(text("auth_token"));
            let valid = verify(&[token], text("url"), &form, text("signature"));
            assert_eq!(valid, vector["valid"].as_bool().unwrap(), "{}", text("id"));
            checked += 1;
        }
        assert!(checked >= 20, "{checked}");
    }

    proptest::proptest! {
        #[test]
        fn any_change_is_noticed(
            fields in proptest::collection::btree_map("[A-Za-z]{1,8}", ".{0,20}", 1..8),
            path in "/[a-z]{0,10}", token in "[a-f0-9]{32}", other in "[a-f0-9]{32}",
        ) {
            let url = format!("https://example.com{path}");
            let form = Form::from_fields(fields.clone());
            let secret = Secret::new(token.clone());
            let signature = sign(&secret, &url, &form);
            let valid = |token: &str, url: &str, form: &Form, signature: &str| {
                verify(&[Secret::new(token)], url, form, signature)
            };
            proptest::prop_assert!(valid(&token, &url, &form, &signature));
            proptest::prop_assert!(verify(&[Secret::new("old"), secret], &url, &form, &signature));
            proptest::prop_assert_eq!(valid(&other, &url, &form, &signature), other == token);
            let longer = format!("{url}x");
            proptest::prop_assert!(!valid(&token, &longer, &form, &signature));
            let mut changed = fields.clone();
            changed.values_mut().next().unwrap().push('x');
            proptest::prop_assert!(!valid(&token, &url, &Form::from_fields(changed), &signature));
            let mut more = fields;
            more.insert("zzzzzzzzz".to_owned(), "1".to_owned());
            proptest::prop_assert!(!valid(&token, &url, &Form::from_fields(more), &signature));
            proptest::prop_assert!(!valid(&token, &url, &form, &signature[1..]));
            proptest::prop_assert!(!valid(&token, &url, &form, ""));
        }
    }

    #[test]
    fn an_upgrade_is_signed_over_its_own_scheme() {
        let token = Secret::new("12345");
        let nothing = Form::from_fields(std::iter::empty::<(&str, &str)>());
        for scheme in ["wss", "https"] {
            let signature = sign(&token, &format!("{scheme}://x.test/relay?call=1"), &nothing);
            let tokens = [token.clone()];
            assert!(verify_upgrade(&tokens, "wss://x.test/relay?call=1", &signature), "{scheme}");
            assert!(!verify_upgrade(&tokens, "wss://x.test/relay?call=2", &signature));
            assert!(!verify_upgrade(&[Secret::new("x")], "wss://x.test/relay?call=1", &signature));
        }
    }
}
