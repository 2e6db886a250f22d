//! Google Calendar (Google, "Calendar API v3: Events"), asked as a service account that the calendar
//! is shared with.
//!
//! Events are listed rather than asked for as free and busy: those of ours are told apart by their
//! source, and would otherwise take up their places twice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use google_cloud_auth::credentials::{AccessTokenCredentials, service_account};
use jiff::{Timestamp, civil::Date};
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Busy, Entry, Failure, Window};
use crate::{
    domain::{Deliver, Secret, Trouble},
    integrations::{
        answer,
        outgoing::{Outgoing, Request, Response},
    },
};

/// Where Google answers, unless another address is set.
pub const CALENDAR_URL: &str = "https://www.googleapis.com/calendar/v3";

/// What the account may do.
const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";

/// Pages of events read at most, of as many as Google gives at once.
const PAGES: usize = 8;
const PAGE: &str = "2500";

/// Google's address, and accounts that are logged in, by a digest of their keys.
#[derive(Clone, Default)]
pub struct Access {
    base_url: Option<String>,
    accounts: Arc<Mutex<HashMap<[u8; 32], AccessTokenCredentials>>>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Access {
    /// At another address than Google's own.
    pub fn new(base_url: Option<String>) -> Self {
        Self { base_url, accounts: Arc::default() }
    }

    pub(super) async fn write(
        &self,
        outgoing: &Outgoing,
        place: &Deliver,
        secret: &Secret,
        entry: &Entry,
        now: i64,
    ) -> Result<(), Failure> {
        let headers = self.login(secret).await?;
        let id = event_id(&entry.uid);
        let one = self.address(place, Some(&id))?;
        let Some(event) = &entry.event else {
            let request =
                Request { method: Method::DELETE, url: one.as_str(), headers, body: None };
            let response = send(outgoing, request).await?;
            // What is not there need not be taken out.
            return match response.status {
                404 | 410 => Ok(()),
                _ => answer::taken(&response, now),
            };
        };
        let body = event.to_string().into_bytes();
        let put = |method, url: &Url, body| {
            let (url, headers) = (url.clone(), headers.clone());
            async move {
                let request = Request { method, url: url.as_str(), headers, body: Some(body) };
                send(outgoing, request).await
            }
        };
        // An event that is there is written anew, also one that was cancelled; otherwise it is added.
        let response = put(Method::PUT, &one, body.clone()).await?;
        if response.status != 404 {
            return answer::taken(&response, now);
        }
        let mut event = event.clone();
        event["id"] = json!(id);
        let all = self.address(place, None)?;
        let response = put(Method::POST, &all, event.to_string().into_bytes()).await?;
        // Somebody of ours was quicker.
        if response.status == 409 {
            let response = put(Method::PUT, &one, body).await?;
            return answer::taken(&response, now);
        }
        answer::taken(&response, now)
    }

    pub(super) async fn read(
        &self,
        outgoing: &Outgoing,
        place: &Deliver,
        secret: &Secret,
        window: &Window<'_>,
    ) -> Result<Vec<Busy>, Failure> {
        let headers = self.login(secret).await?;
        let (mut busy, mut page) = (Vec::new(), None::<String>);
        for _ in 0..PAGES {
            let mut url = self.address(place, None)?;
            url.query_pairs_mut()
                .append_pair("singleEvents", "true")
                .append_pair("timeMin", &window.from.to_string())
                .append_pair("timeMax", &window.until.to_string())
                .append_pair("maxResults", PAGE)
                .append_pair(
                    "fields",
                    "nextPageToken,items(start,end,status,transparency,extendedProperties)",
                );
            if let Some(token) = &page {
                url.query_pairs_mut().append_pair("pageToken", token);
            }
            let request = Request {
                method: Method::GET,
                url: url.as_str(),
                headers: headers.clone(),
                body: None,
            };
            let response = send(outgoing, request).await?;
            answer::taken(&response, 0)?;
            let answer: Value = serde_json::from_slice(&response.body).map_err(|error| {
                (Trouble::Later(None), format!("Google's answer is no JSON: {error}"))
            })?;
            let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            busy.extend(items.iter().filter_map(|event| stretch(event, window)));
            page = answer["nextPageToken"].as_str().map(str::to_owned);
            if page.is_none() {
                return Ok(busy);
            }
        }
        Err((Trouble::Later(None), "the calendar has more events than can be looked at".to_owned()))
    }

    /// The events of a calendar, or one of them.
    fn address(&self, place: &Deliver, event: Option<&str>) -> Result<Url, Failure> {
        let base = self.base_url.as_deref().unwrap_or(CALENDAR_URL);
        let wrong = |what: &str| (Trouble::Refused, format!("Google Calendar's address {what}"));
        let mut url = Url::parse(base).map_err(|_| wrong("cannot be read"))?;
        let calendar = place.calendar.as_deref().unwrap_or("primary");
        url.path_segments_mut()
            .map_err(|()| wrong("has no path"))?
            .pop_if_empty()
            .extend(["calendars", calendar, "events"])
            .extend(event);
        Ok(url)
    }

    /// Says who asks.
    async fn login(&self, secret: &Secret) -> Result<HeaderMap, Failure> {
        // What the crate says of a key may quote it.
        let denied = || {
            let what =
                "the key of the Google account gives no token: it is the JSON of a service account";
            (Trouble::Refused, what.to_owned())
        };
        let credentials = self.account(secret).ok_or_else(denied)?;
        let token = credentials.access_token().await.map_err(|_| denied())?;
        let bearer = format!("Bearer {}", token.token);
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| denied())?;
        bearer.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        Ok(HeaderMap::from_iter([(AUTHORIZATION, bearer), (CONTENT_TYPE, json)]))
    }

    fn account(&self, secret: &Secret) -> Option<AccessTokenCredentials> {
        let key = secret.expose().trim();
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = accounts.get(&digest) {
            return Some(known.clone());
        }
        let key = serde_json::from_str(key).ok()?;
        let account = service_account::Builder::new(key)
            .with_access_specifier(service_account::AccessSpecifier::from_scopes([SCOPE]))
            .build_access_token_credentials()
            .ok()?;
        accounts.insert(digest, account.clone());
        Some(account)
    }
}

async fn send(outgoing: &Outgoing, request: Request<'_>) -> Result<Response, Failure> {
    outgoing.send(request).await.map_err(|refused| answer::unanswered(&refused))
}

/// Google takes names of `a` to `v` and `0` to `9` (Events, "id"): a digest is one, and always the same.
fn event_id(uid: &str) -> String {
    hex::encode(&Sha256::digest(uid.as_bytes())[..20])
}

/// When an event takes up time: not one of ours, nor such as are cancelled or let others in.
pub(super) fn stretch(event: &Value, window: &Window<'_>) -> Option<Busy> {
    let ours = event["extendedProperties"]["private"].get("webox").is_some();
    if ours || event["status"] == "cancelled" || event["transparency"] == "transparent" {
        return None;
    }
    let moment = |side: &Value| -> Option<Timestamp> {
        if let Some(at) = side["dateTime"].as_str() {
            return at.parse().ok();
        }
        let day: Date = side["date"].as_str()?.parse().ok()?;
        Some(day.to_zoned_datetime(window.zone.clone()).ok()?.timestamp())
    };
    let (starts_at, ends_at) = (moment(&event["start"])?, moment(&event["end"])?);
    (starts_at < ends_at).then_some(Busy { starts_at, ends_at })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn names_are_such_as_google_takes() {
        let id = event_id("booking-7@le-gourmet.webox");
        assert!(id.len() == 40 && id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='v')), "{id}");
        assert_eq!(id, event_id("booking-7@le-gourmet.webox"));
    }

    #[test]
    fn events_of_others_take_up_time() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let window = Window { from: Timestamp::MIN, until: Timestamp::MAX, zone: &zone };
        let timed = json!({ "start": { "dateTime": "2026-12-01T10:00:00+01:00" },
                            "end": { "dateTime": "2026-12-01T11:00:00+01:00" } });
        assert_eq!(stretch(&timed, &window).unwrap().starts_at.to_string(), "2026-12-01T09:00:00Z");
        let day = json!({ "start": { "date": "2026-12-02" }, "end": { "date": "2026-12-03" } });
        assert_eq!(stretch(&day, &window).unwrap().ends_at.to_string(), "2026-12-02T23:00:00Z");
        for (key, value) in [
            ("status", json!("cancelled")),
            ("transparency", json!("transparent")),
            ("extendedProperties", json!({ "private": { "webox": "7" } })),
            ("start", json!({})),
        ] {
            let mut event = timed.clone();
            event[key] = value;
            assert_eq!(stretch(&event, &window), None, "{key}");
        }
    }
}
