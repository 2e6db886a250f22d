//! Webhooks, as Standard Webhooks has them (<https://www.standardwebhooks.com>): the identifier, the
//! moment and a signature in headers, so that a receiver knows who sent it and whether it has it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT},
};
use sha2::Sha256;

use super::{
    Failure, Parcel, answer,
    outgoing::{Outgoing, Request},
};
use crate::domain::{Secret, Trouble};

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// The shortest secret: 24 bytes, as the specification has it.
const SHORTEST: usize = 24;

pub(super) async fn deliver(
    outgoing: &Outgoing,
    url: &str,
    secret: &Secret,
    parcel: &Parcel,
) -> Result<(), Failure> {
    let signature = sign(secret, &parcel.id, parcel.now, &parcel.body)?;
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: String| {
        let value = HeaderValue::from_str(&value)
            .map_err(|_| (Trouble::Refused, format!("the header {name} cannot be written")))?;
        headers.insert(name, value);
        Ok::<_, Failure>(())
    };
    put(CONTENT_TYPE, "application/json".to_owned())?;
    put(USER_AGENT, concat!("webox/", env!("CARGO_PKG_VERSION")).to_owned())?;
    put(HeaderName::from_static("webhook-id"), parcel.id.clone())?;
    put(HeaderName::from_static("webhook-timestamp"), parcel.now.to_string())?;
    put(HeaderName::from_static("webhook-signature"), signature)?;
    let body = Some(parcel.body.clone().into_bytes());
    let request = Request { method: Method::POST, url, headers, body };
    let response = outgoing.send(request).await.map_err(|refused| answer::unanswered(&refused))?;
    answer::taken(&response, parcel.now)
}

/// The signatures over a message: one for each secret, several while one replaces another.
fn sign(secret: &Secret, id: &str, now: i64, body: &str) -> Result<String, Failure> {
    let keys = secret.expose().split([' ', ',']).map(str::trim).filter(|key| !key.is_empty());
    let signatures: Vec<String> =
        keys.map(|key| sign_with(key, id, now, body)).collect::<Result<_, _>>()?;
    Ok(signatures.join(" "))
}

fn sign_with(key: &str, id: &str, now: i64, body: &str) -> Result<String, Failure> {
    let wrong = || {
        let what = format!(
            "the secret of the webhook is none: it is `{PREFIX}` and the base64 of {SHORTEST} bytes or more"
        );
        (Trouble::Refused, what)
    };
    let key = key.strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok());
    let key = key.filter(|key| key.len() >= SHORTEST).ok_or_else(wrong)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| wrong())?;
    for part in [id, ".", &now.to_string(), ".", body] {
        mac.update(part.as_bytes());
    }
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the reference implementations of Standard Webhooks.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const NOW: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn signatures_are_those_of_the_reference() {
        assert_eq!(sign(&Secret::new(KEY), ID, NOW, BODY).unwrap(), SIGNATURE);
    }

    #[test]
    fn two_secrets_make_two_signatures_and_a_wrong_one_none() {
        let other = format!("whsec_{}", STANDARD.encode([7_u8; 32]));
        let both = sign(&Secret::new(format!("{other} {KEY}")), ID, NOW, BODY).unwrap();
        let parts: Vec<&str> = both.split(' ').collect();
        assert!(parts.len() == 2 && parts[1] == SIGNATURE && parts[0] != SIGNATURE, "{both}");
        for wrong in ["sk-live-1", "whsec_", "whsec_!!", "whsec_c2hvcnQ="] {
            let (trouble, what) = sign(&Secret::new(wrong), ID, NOW, BODY).unwrap_err();
            assert!(trouble == Trouble::Refused && !what.contains("sk-live"), "{what}");
        }
    }
}
