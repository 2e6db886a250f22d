//! A web address without surprises: `http` or `https`, a host, maybe a port and a path prefix.

use std::{fmt, str::FromStr};

use crate::domain::Error;

/// The address that others reach us by, or a provider's base address. Never ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `https`.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The address of a route, which starts with a slash.
    pub fn join(&self, route: &str) -> String {
        format!("{}{route}", self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            // A password may stand in an address; what is wrong is said without quoting it.
            Err(Error::config(format!("the address {why}")).hint(
                "write one such as `https://calls.example.com` or `https://example.com/webox`",
            ))
        };
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong("lacks its `https://`");
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "https" && scheme != "http" {
            return wrong("is neither https nor http");
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return wrong("contains a space");
        }
        if text.contains(['?', '#']) {
            return wrong("has a query or a fragment");
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return wrong("holds a user or a password");
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let plain = |c: char| c.is_alphanumeric() || "-._:[]".contains(c);
        if host.is_empty() || !host.chars().all(plain) {
            return wrong("has no proper host");
        }
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return wrong("has no proper port");
        }
        let authority = authority.to_lowercase();
        let path = path.trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self(format!("{scheme}://{authority}{slash}{path}")))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_path_and_loses_its_slash() {
        for (text, expected) in [
            ("https://Calls.Example.com/", "https://calls.example.com"),
            ("https://example.com:8443/webox/", "https://example.com:8443/webox"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/a/b", "http://[::1]:8080/a/b"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), expected);
        }
        let url: PublicUrl = "https://example.com/webox".parse().unwrap();
        assert_eq!(url.join("/api/voice"), "https://example.com/webox/api/voice");
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        for text in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a b",
            "https://example.com?x=1",
            "https://example.com/#a",
            "https://bob:hunter2@example.com",
            "https://example.com:99999",
        ] {
            let error = text.parse::<PublicUrl>().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
