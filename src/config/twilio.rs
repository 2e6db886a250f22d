//! Settings of Twilio: the account, what it is asked with, and where.

use std::str::FromStr;

use super::{PublicUrl, Setting, file::TwilioSection, load::Sources, secrets};
use crate::domain::{AccountSid, ApiKeySid, Error, Overrides, Result, Secret};

/// The settings of Twilio.
#[derive(Debug, Clone)]
pub struct Twilio {
    /// The account whose numbers ring here.
    pub account_sid: Setting<Option<AccountSid>>,
    /// Its tokens: several, separated by commas, while one replaces another.
    pub auth_tokens: Setting<Vec<Secret>>,
    /// An API key that it is asked with rather than with its token, which signs all the same.
    pub api_key: Setting<Option<ApiKeySid>>,
    /// The secret of that key.
    pub api_secret: Setting<Option<Secret>>,
    /// The region that the account's calls are kept in.
    pub region: Setting<Option<String>>,
    /// Where Twilio is entered.
    pub edge: Setting<Option<String>>,
    /// Where its REST API answers, when not at the usual address.
    pub base_url: Setting<Option<PublicUrl>>,
    /// What Twilio asks when the daemon cannot answer; the daemon itself otherwise.
    pub fallback_url: Setting<Option<PublicUrl>>,
    /// How Twilio connects to webhooks of numbers.
    pub webhook_overrides: Setting<Overrides>,
}

/// The regions that there are, each with the edge beside it.
const REGIONS: [(&str, &str); 3] = [("us1", "ashburn"), ("ie1", "dublin"), ("au1", "sydney")];

impl Twilio {
    pub(super) fn load(sources: &Sources<'_>, section: &TwilioSection) -> Result<Self> {
        let (environment, path) = (sources.environment, sources.path);
        let api_key = sources.pick(
            "twilio.api_key",
            None,
            "TWILIO_API_KEY",
            section.api_key.as_deref(),
            ApiKeySid::from_str,
        )?;
        let api_secret =
            secrets::TWILIO_API_SECRET.resolve(environment, section.api_secret.as_ref(), path)?;
        let tokens =
            secrets::TWILIO_AUTH_TOKEN.resolve(environment, section.auth_token.as_ref(), path)?;
        let base_url = |key: &str, variable: &str, value: &Option<String>| {
            sources.pick(key, None, variable, value.as_deref(), PublicUrl::from_str)
        };
        Ok(Self {
            account_sid: sources.pick(
                "twilio.account_sid",
                None,
                "TWILIO_ACCOUNT_SID",
                section.account_sid.as_deref(),
                AccountSid::from_str,
            )?,
            auth_tokens: Setting {
                value: split_tokens(tokens.value.as_ref()),
                origin: tokens.origin,
            },
            api_key,
            api_secret,
            region: sources.pick(
                "twilio.region",
                None,
                "TWILIO_REGION",
                section.region.as_deref(),
                region,
            )?,
            edge: sources.pick(
                "twilio.edge",
                None,
                "TWILIO_EDGE",
                section.edge.as_deref(),
                edge,
            )?,
            base_url: base_url("twilio.base_url", "TWILIO_BASE_URL", &section.base_url)?,
            fallback_url: base_url(
                "twilio.fallback_url",
                "TWILIO_FALLBACK_URL",
                &section.fallback_url,
            )?,
            webhook_overrides: sources
                .pick(
                    "twilio.webhook_overrides",
                    None,
                    "TWILIO_WEBHOOK_OVERRIDES",
                    section.webhook_overrides.as_deref(),
                    Overrides::from_str,
                )?
                .or_default_with(Overrides::default),
        })
    }

    /// What is to be said of an API key without its secret, or of a secret without its key.
    pub(super) fn half_a_key(&self) -> Option<String> {
        let (there, missing) = match (&self.api_key.value, &self.api_secret.value) {
            (Some(_), None) => ("twilio.api_key", "its secret: TWILIO_API_SECRET"),
            (None, Some(_)) => ("twilio.api_secret", "its key: TWILIO_API_KEY"),
            _ => return None,
        };
        Some(format!(
            "`{there}` is of no use without {missing}; until then Twilio is asked with the auth token"
        ))
    }

    /// Where the REST API answers, if it is said: an address, or one made of edge and region. The
    /// two go together, since a request that enters elsewhere is not taken to a region.
    pub fn address(&self) -> Option<String> {
        if let Some(url) = &self.base_url.value {
            return Some(url.as_str().to_owned());
        }
        let (edge, region) = (self.edge.value.as_deref(), self.region.value.as_deref());
        let (edge, region) = match (edge, region) {
            (None, None) => return None,
            (Some(edge), region) => (edge, region.unwrap_or("us1")),
            (None, Some(region)) => {
                let known = REGIONS.iter().find(|(known, _)| *known == region);
                (known.map_or("ashburn", |(_, edge)| edge), region)
            }
        };
        Some(format!("https://api.{edge}.{region}.twilio.com"))
    }
}

fn region(text: &str) -> Result<String> {
    let known = REGIONS.iter().any(|(known, _)| *known == text);
    if known {
        return Ok(text.to_owned());
    }
    Err(Error::config(format!("`{}` is no region of Twilio's", text.escape_debug()))
        .hint("one of us1, ie1, au1"))
}

fn edge(text: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty() && text.len() <= 40 && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Error::config(format!("`{}` is no edge of Twilio's", text.escape_debug()))
        .hint("such as ashburn, dublin, frankfurt, singapore, sydney or tokyo"))
}

fn split_tokens(secret: Option<&Secret>) -> Vec<Secret> {
    secret
        .map(Secret::expose)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty())
        .map(Secret::new)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, Settings};

    #[test]
    fn regions_and_edges_make_an_address() {
        let address = |variables: &[(&str, &str)]| {
            let home = [("HOME", "/nowhere")];
            let environment = home.iter().chain(variables).copied().collect();
            let settings = Settings::load(&Flags::default(), &environment)?;
            Ok::<_, crate::domain::Error>(settings.twilio.address())
        };
        for (variables, wanted) in [
            (&[][..], None),
            (&[("TWILIO_REGION", "ie1")], Some("https://api.dublin.ie1.twilio.com")),
            (&[("TWILIO_EDGE", "frankfurt")], Some("https://api.frankfurt.us1.twilio.com")),
            (
                &[("TWILIO_REGION", "au1"), ("TWILIO_EDGE", "sydney")],
                Some("https://api.sydney.au1.twilio.com"),
            ),
        ] {
            assert_eq!(address(variables).unwrap().as_deref(), wanted);
        }
        assert!(address(&[("TWILIO_REGION", "fr1")]).is_err());
        assert!(address(&[("TWILIO_EDGE", "a.evil.example/")]).is_err());
    }
}
