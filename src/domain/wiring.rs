//! What Twilio does with calls to a number: which address it asks, and which others when that fails
//! or the call is over.

use std::{borrow::Cow, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountSid, AssistantName, Error, PhoneNumber};

/// How a number is wired at Twilio. An empty text is a setting that is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Wiring {
    /// What is asked when a call rings.
    pub voice_url: String,
    /// How.
    pub voice_method: String,
    /// What is asked when that fails.
    pub voice_fallback_url: String,
    /// How.
    pub voice_fallback_method: String,
    /// What is told that a call is over.
    pub status_callback: String,
    /// How.
    pub status_callback_method: String,
    /// A TwiML application, which would be asked instead of all of it.
    pub voice_application_sid: String,
    /// A trunk, where calls would go instead.
    pub trunk_sid: String,
}

/// A setting that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WiringChange {
    /// Which, as Twilio's answers call it.
    pub setting: Cow<'static, str>,
    /// What it is; empty when it is not set.
    pub before: String,
    /// What it should be.
    pub after: String,
}

/// A number that webox keeps connected (`phone.manage`), as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptNumber {
    /// The assistant that answers it.
    pub assistant: AssistantName,
    /// It.
    pub number: PhoneNumber,
    /// The account at Twilio that has it; null where that was not found out.
    pub account: Option<AccountSid>,
    /// What was not as it should be.
    pub changes: Vec<WiringChange>,
    /// Why it could not be looked at, or connected.
    pub error: Option<String>,
    /// What to do then.
    pub hint: Option<String>,
}

impl KeptNumber {
    /// Whether all was as it should be.
    pub fn is_right(&self) -> bool {
        self.error.is_none() && self.changes.is_empty()
    }

    /// Whether something is to be changed at Twilio, or was.
    pub fn differs(&self) -> bool {
        self.error.is_none() && !self.changes.is_empty()
    }
}

/// The route that answers a call that rings, below the public address.
const INCOMING: &str = "/api/voice/webhook/incoming";

/// What all our addresses begin with.
const BELOW: &str = "/api/voice/";
/// The route that apologises when that one cannot.
const FALLBACK: &str = "/api/voice/webhook/fallback";
/// The route that is told that a call is over.
const STATUS: &str = "/api/voice/webhook/status";

impl Wiring {
    /// How a number is wired to a daemon.
    pub fn to(public_url: &str, fallback_url: Option<&str>, overrides: &Overrides) -> Self {
        let base = public_url.trim_end_matches('/');
        let post = || "POST".to_owned();
        let fallback = fallback_url.map_or_else(|| format!("{base}{FALLBACK}"), str::to_owned);
        Self {
            voice_url: overrides.on(&format!("{base}{INCOMING}")),
            voice_method: post(),
            voice_fallback_url: fallback,
            voice_fallback_method: post(),
            status_callback: overrides.on(&format!("{base}{STATUS}")),
            status_callback_method: post(),
            voice_application_sid: String::new(),
            trunk_sid: String::new(),
        }
    }

    /// Every setting by its name.
    pub fn settings(&self) -> [(&'static str, &str); 8] {
        [
            ("voice_url", &self.voice_url),
            ("voice_method", &self.voice_method),
            ("voice_fallback_url", &self.voice_fallback_url),
            ("voice_fallback_method", &self.voice_fallback_method),
            ("status_callback", &self.status_callback),
            ("status_callback_method", &self.status_callback_method),
            ("voice_application_sid", &self.voice_application_sid),
            ("trunk_sid", &self.trunk_sid),
        ]
    }

    /// What would have to change for it to be as another.
    pub fn changes_to(&self, wanted: &Self) -> Vec<WiringChange> {
        let both = self.settings().into_iter().zip(wanted.settings());
        both.filter(|((_, is), (_, wanted))| is != wanted)
            .map(|((setting, is), (_, wanted))| WiringChange {
                setting: Cow::Borrowed(setting),
                before: is.to_owned(),
                after: wanted.to_owned(),
            })
            .collect()
    }

    /// What keeps calls from coming to a daemon, or their ends from being told: nothing when all is well.
    /// How Twilio is to connect makes no difference to that.
    pub fn faults(&self, public_url: &str) -> Vec<String> {
        if !self.trunk_sid.is_empty() {
            return vec![format!(
                "it is on the trunk {}, and never reaches a webhook",
                self.trunk_sid
            )];
        }
        if !self.voice_application_sid.is_empty() {
            let application = &self.voice_application_sid;
            return vec![format!("the application {application} answers it, whatever its address")];
        }
        let base = public_url.trim_end_matches('/');
        let compare = |(what, route, url, method): (&str, &str, &str, &str)| {
            let wanted = format!("{base}{route}");
            match url.split('#').next().unwrap_or_default() {
                "" => Some(format!("{what} leads nowhere, not to {wanted}")),
                plain if plain != wanted => {
                    Some(format!("{what} leads to {}, not to {wanted}", shown(plain)))
                }
                _ if !matches!(method, "POST" | "") => {
                    Some(format!("{what} is asked for with {method}, not with POST"))
                }
                _ => None,
            }
        };
        [
            ("a call", INCOMING, self.voice_url.trim(), self.voice_method.as_str()),
            ("its end", STATUS, self.status_callback.trim(), self.status_callback_method.as_str()),
        ]
        .into_iter()
        .filter_map(compare)
        .collect()
    }

    /// Whether calls go nowhere.
    pub fn is_nowhere(&self) -> bool {
        self.voice_url.is_empty()
            && self.voice_application_sid.is_empty()
            && self.trunk_sid.is_empty()
    }

    /// Whether calls are answered by the daemon at an address, however it is asked.
    pub fn leads_to(&self, public_url: &str) -> bool {
        let base = public_url.trim_end_matches('/');
        let rest = self.voice_url.strip_prefix(base);
        // What else is at the same address may be another program's.
        rest.is_some_and(|rest| rest.starts_with(BELOW))
            && self.voice_application_sid.is_empty()
            && self.trunk_sid.is_empty()
    }
}

/// An address as it may be shown: Twilio lets passwords stand in it, and keys behind a `?`.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    let shown: String = format!("{scheme}://{host}/{path}").chars().take(200).collect();
    shown.escape_debug().to_string()
}

/// How Twilio connects to a webhook, and how often it tries: what it reads behind the `#` of an
/// address, and neither signs nor sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overrides(String);

impl Default for Overrides {
    /// Twice again, also when the daemon is just being restarted behind a proxy that answers for it.
    fn default() -> Self {
        Self("rc=2&rp=ct,5xx".to_owned())
    }
}

impl Overrides {
    /// As they stand behind the `#`; empty for none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn on(&self, address: &str) -> String {
        if self.0.is_empty() { address.to_owned() } else { format!("{address}#{}", self.0) }
    }
}

impl FromStr for Overrides {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().trim_start_matches('#');
        let wrong = |what: &str, hint: &str| {
            Err(Error::config(format!("`{}` is no override of Twilio's", what.escape_debug()))
                .hint(hint.to_owned()))
        };
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return wrong(part, "write `rc=2&rp=ct,5xx`");
            };
            let between = |least: u32, most: u32| {
                value.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number))
            };
            let words = |known: &[&str]| value.split(',').all(|word| known.contains(&word));
            let fits = match key {
                "rc" => between(0, 5),
                "ct" => between(100, 10_000),
                "rt" | "tt" => between(100, 15_000),
                "rp" => words(&["4xx", "5xx", "ct", "rt", "all"]),
                "sni" => words(&["y", "n"]),
                "e" => {
                    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
                    value.split(',').all(|edge| !edge.is_empty() && edge.chars().all(plain))
                }
                _ => {
                    return wrong(part, "the keys are rc, rp, ct, rt, tt, sni and e");
                }
            };
            if !fits {
                return wrong(
                    part,
                    "rc is 0 to 5, ct 100 to 10000, rt and tt 100 to 15000, rp a list of 4xx, 5xx, ct, rt, all",
                );
            }
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_setting() {
        let wanted = Wiring::to("https://calls.example.com/", None, &Overrides::default());
        assert_eq!(
            wanted.voice_url,
            "https://calls.example.com/api/voice/webhook/incoming#rc=2&rp=ct,5xx"
        );
        assert_eq!(wanted.changes_to(&wanted), []);
        let other =
            Wiring { trunk_sid: "TK1".into(), voice_method: "GET".into(), ..wanted.clone() };
        let names: Vec<_> =
            other.changes_to(&wanted).iter().map(|one| one.setting.clone()).collect();
        assert_eq!(names, ["voice_method", "trunk_sid"]);
        assert!(wanted.leads_to("https://calls.example.com"));
        assert!(!wanted.leads_to("https://calls.example.co") && !other.leads_to("https://x"));
        assert!(Wiring::default().is_nowhere() && !other.is_nowhere());
    }

    #[test]
    fn overrides_are_what_twilio_reads() {
        for right in ["", "rc=2&rp=ct,5xx", "#e=dublin,frankfurt&ct=2000", "sni=n&tt=15000"] {
            assert!(right.parse::<Overrides>().is_ok(), "{right}");
        }
        for wrong in ["rc=9", "rp=never", "x=1", "rc", "e=", "ct=1"] {
            assert!(wrong.parse::<Overrides>().is_err(), "{wrong}");
        }
        assert_eq!("".parse::<Overrides>().unwrap().on("https://a"), "https://a");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<Overrides>();
        }
    }

    #[test]
    fn a_number_that_leads_elsewhere_is_told_without_its_secrets() {
        let right = Wiring::to("https://a.fr/w", None, &Overrides::default());
        assert!(right.voice_url.contains('#'), "{}", right.voice_url);
        assert!(right.faults("https://a.fr/w").is_empty());
        let get = Wiring { voice_method: "GET".to_owned(), ..right.clone() };
        assert_eq!(get.faults("https://a.fr/w"), ["a call is asked for with GET, not with POST"]);
        let elsewhere = Wiring {
            voice_url: "https://bob:hunter2@old.example/x?key=sesame".to_owned(),
            status_callback: String::new(),
            ..right.clone()
        };
        let told = elsewhere.faults("https://a.fr/w").join("; ");
        assert!(told.contains("leads to https://old.example/x, not to"), "{told}");
        assert!(told.contains("its end leads nowhere"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("sesame"), "{told}");
        let trunk = Wiring { trunk_sid: "TK1".to_owned(), ..right };
        assert!(trunk.faults("https://a.fr/w")[0].contains("trunk TK1"));
    }
}
