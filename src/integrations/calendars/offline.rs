//! Answers of calendars, read without the network they come over: for `fuzz/`.

use serde_json::Value;

use super::{Busy, Window, caldav, google, merged};

/// What takes up time in the answer of a CalDAV server: its objects, or one object alone.
pub fn caldav(body: &[u8], window: &Window<'_>) -> Vec<Busy> {
    let objects = caldav::objects(body).unwrap_or_default();
    let alone = String::from_utf8_lossy(body);
    let all = objects.iter().map(String::as_str).chain([&*alone]);
    merged(all.flat_map(|object| caldav::stretches(object, window.zone)).collect())
}

/// What takes up time in a list of Google's.
pub fn google(body: &[u8], window: &Window<'_>) -> Vec<Busy> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let events = answer["items"].as_array().into_iter().flatten();
    merged(events.filter_map(|event| google::stretch(event, window)).collect())
}
