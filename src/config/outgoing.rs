//! The settings of requests to addresses that assistants' files name.

use std::str::FromStr;

use ipnet::IpNet;

use super::{
    PublicUrl, Setting,
    file::{OutgoingSection, VendorSection},
    load::{Sources, list, network},
};
use crate::domain::{Error, Result};

/// Where such requests may go, and where vendors are.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Networks that may be called although they are not public; none otherwise.
    pub allowed_networks: Setting<Vec<IpNet>>,
    /// Whether plain `http` is allowed as well.
    pub allow_http: Setting<bool>,
    /// HubSpot's API, when not at its usual address.
    pub hubspot_url: Setting<Option<PublicUrl>>,
    /// Pipedrive's API, when not at its usual address.
    pub pipedrive_url: Setting<Option<PublicUrl>>,
    /// Google's calendars, when not at their usual address.
    pub google_calendar_url: Setting<Option<PublicUrl>>,
}

/// What the file says of them.
pub(super) struct Sections<'a> {
    pub(super) outgoing: &'a OutgoingSection,
    pub(super) hubspot: &'a VendorSection,
    pub(super) pipedrive: &'a VendorSection,
    pub(super) google_calendar: &'a VendorSection,
}

impl Outgoing {
    pub(super) fn load(sources: &Sources<'_>, file: &Sections<'_>) -> Result<Self> {
        let section = file.outgoing;
        let networks = sources.pick(
            "outgoing.allowed_networks",
            None,
            "WEBOX_ALLOWED_NETWORKS",
            section.allowed_networks.as_ref().map(|list| list.join(",")).as_deref(),
            |text| list(text).iter().map(|text| network(text)).collect(),
        )?;
        let http = section.allow_http.map(|yes| yes.to_string());
        let http = sources.pick(
            "outgoing.allow_http",
            None,
            "WEBOX_ALLOW_HTTP",
            http.as_deref(),
            |text| {
                text.parse::<bool>().map_err(|_| {
                    Error::config(format!("`{}` is neither true nor false", text.escape_debug()))
                })
            },
        )?;
        let url = |name: &str, variable: &str, given: &Option<String>| {
            sources.pick(name, None, variable, given.as_deref(), PublicUrl::from_str)
        };
        Ok(Self {
            allowed_networks: networks.or_default_with(Vec::new),
            allow_http: http.or_default_with(|| false),
            hubspot_url: url("hubspot.base_url", "HUBSPOT_BASE_URL", &file.hubspot.base_url)?,
            pipedrive_url: url(
                "pipedrive.base_url",
                "PIPEDRIVE_BASE_URL",
                &file.pipedrive.base_url,
            )?,
            google_calendar_url: url(
                "google_calendar.base_url",
                "GOOGLE_CALENDAR_BASE_URL",
                &file.google_calendar.base_url,
            )?,
        })
    }
}
