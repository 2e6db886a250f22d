//! Where a number leads (Twilio, "Voice API: IncomingPhoneNumber resource"), and whether an account
//! and its token are right.

use serde::Deserialize;

use super::{
    form::Form,
    rest::{Account, Rest, RestError},
};
use crate::domain::PhoneNumber;

/// How a number is set up at Twilio. Where something is not set, Twilio says so with an empty text or
/// with nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Wiring {
    phone_number: String,
    voice_url: Option<String>,
    voice_method: Option<String>,
    status_callback: Option<String>,
    status_callback_method: Option<String>,
    voice_application_sid: Option<String>,
    trunk_sid: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    incoming_phone_numbers: Vec<Wiring>,
}

impl Rest {
    /// Whether Twilio takes an account's token. The smallest question that every account may ask.
    pub async fn takes(&self, account: &Account) -> Result<(), RestError> {
        self.get(account, "IncomingPhoneNumbers.json?PageSize=1").await.map(drop)
    }

    /// How an account has set up a number; nothing when the number is not the account's.
    pub async fn wiring(
        &self,
        account: &Account,
        number: &PhoneNumber,
    ) -> Result<Option<Wiring>, RestError> {
        let query = Form::from_fields([("PhoneNumber", number.as_str())]).encode();
        let body = self.get(account, &format!("IncomingPhoneNumbers.json?{query}")).await?;
        let listed: Listed = serde_json::from_slice(&body)
            .map_err(|_| RestError::Unreachable("its answer is no list of numbers".to_owned()))?;
        // Twilio finds numbers by a part of them as well.
        Ok(listed
            .incoming_phone_numbers
            .into_iter()
            .find(|one| one.phone_number == number.as_str()))
    }
}

impl Wiring {
    /// What keeps calls from coming here, or their ends from being told: nothing when all is well.
    pub fn faults(&self, public_url: &str) -> Vec<String> {
        let set = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
        if let Some(trunk) = set(&self.trunk_sid) {
            return vec![format!("it is on the trunk {trunk}, and never reaches a webhook")];
        }
        if let Some(application) = set(&self.voice_application_sid) {
            return vec![format!("the application {application} answers it, whatever its address")];
        }
        let mut faults = Vec::new();
        let mut compare = |what: &str, route: &str, url: Option<String>, method: Option<String>| {
            let wanted = format!("{}/api/voice/webhook/{route}", public_url.trim_end_matches('/'));
            match url {
                None => faults.push(format!("{what} leads nowhere, not to {wanted}")),
                Some(url) if url != wanted => {
                    faults.push(format!("{what} leads to {}, not to {wanted}", shown(&url)));
                }
                Some(_) if method.as_deref().is_some_and(|method| method != "POST") => {
                    faults.push(format!("{what} is asked for with GET, not with POST"));
                }
                Some(_) => {}
            }
        };
        compare("a call", "incoming", set(&self.voice_url), set(&self.voice_method));
        let method = set(&self.status_callback_method);
        compare("its end", "status", set(&self.status_callback), method);
        faults
    }
}

/// An address as it may be shown: Twilio lets passwords stand in it, and keys behind a `?`.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let host = host.rsplit('@').next().unwrap_or(host);
    let shown: String = format!("{scheme}://{host}/{path}").chars().take(200).collect();
    shown.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wired(voice: &str, status: &str) -> Wiring {
        Wiring {
            voice_url: Some(voice.to_owned()),
            voice_method: Some("POST".to_owned()),
            status_callback: Some(status.to_owned()),
            status_callback_method: Some("POST".to_owned()),
            ..Wiring::default()
        }
    }

    #[test]
    fn a_number_that_leads_elsewhere_is_told_without_its_secrets() {
        let (incoming, status) = (
            "https://a.fr/w/api/voice/webhook/incoming",
            "https://a.fr/w/api/voice/webhook/status",
        );
        let right = wired(incoming, status);
        assert!(right.faults("https://a.fr/w").is_empty());
        let get = Wiring { voice_method: Some("GET".to_owned()), ..right.clone() };
        assert_eq!(get.faults("https://a.fr/w"), ["a call is asked for with GET, not with POST"]);
        let elsewhere = wired("https://bob:hunter2@old.example/x?key=sesame", "");
        let told = elsewhere.faults("https://a.fr/w").join("; ");
        assert!(told.contains("leads to https://old.example/x, not to"), "{told}");
        assert!(told.contains("its end leads nowhere"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("sesame"), "{told}");
        let trunk = Wiring { trunk_sid: Some("TK1".to_owned()), ..right };
        assert!(trunk.faults("https://a.fr/w")[0].contains("trunk TK1"));
    }
}
