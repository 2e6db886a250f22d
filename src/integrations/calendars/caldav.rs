//! Calendars over CalDAV (RFC 4791): entries are put and deleted under names of ours, and what else
//! stands there is asked for with `calendar-query`, repetitions expanded by the server.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use icalendar::{CalendarComponent, Component, DatePerhapsTime};
use jiff::{Timestamp, ToSpan, civil::DateTime, tz::TimeZone};
use quick_xml::{Reader, events::Event};
use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use super::{Busy, Entry, Failure, OURS, Window};
use crate::{
    domain::{Deliver, Secret, Trouble},
    integrations::{
        answer,
        outgoing::{Outgoing, Request, Response},
    },
};

pub(super) async fn write(
    outgoing: &Outgoing,
    place: &Deliver,
    secret: &Secret,
    entry: &Entry,
    now: i64,
) -> Result<(), Failure> {
    let url = address(place, &entry.uid);
    let mut headers = login(place, secret)?;
    let (method, body) = match &entry.ics {
        Some(ics) => {
            let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
            headers.insert(CONTENT_TYPE, kind);
            (Method::PUT, Some(ics.clone().into_bytes()))
        }
        None => (Method::DELETE, None),
    };
    let gone = method == Method::DELETE;
    let response = send(outgoing, Request { method, url: &url, headers, body }).await?;
    // What is not there need not be taken out.
    if gone && matches!(response.status, 404 | 410) {
        return Ok(());
    }
    answer::taken(&response, now)
}

pub(super) async fn read(
    outgoing: &Outgoing,
    place: &Deliver,
    secret: &Secret,
    window: &Window<'_>,
) -> Result<Vec<Busy>, Failure> {
    let mut headers = login(place, secret)?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    headers.insert(HeaderName::from_static("depth"), HeaderValue::from_static("1"));
    let url = format!("{}/", collection(place));
    let method = Method::from_bytes(b"REPORT")
        .map_err(|_| (Trouble::Gone, "REPORT is no method".to_owned()))?;
    let body = Some(query(window.from, window.until).into_bytes());
    let response = send(outgoing, Request { method, url: &url, headers, body }).await?;
    answer::taken(&response, 0)?;
    let mut busy = Vec::new();
    for object in objects(&response.body)? {
        busy.extend(stretches(&object, window.zone));
    }
    busy.retain(|one| one.starts_at < window.until && window.from < one.ends_at);
    Ok(busy)
}

fn collection(place: &Deliver) -> &str {
    place.url.as_deref().unwrap_or_default().trim_end_matches('/')
}

/// Where an entry of ours is: its name has letters, digits, `-`, `.` and `@` only.
fn address(place: &Deliver, uid: &str) -> String {
    format!("{}/{uid}.ics", collection(place))
}

fn login(place: &Deliver, secret: &Secret) -> Result<HeaderMap, Failure> {
    let user = place.user.as_deref().unwrap_or_default();
    let basic = STANDARD.encode(format!("{user}:{}", secret.expose()));
    let mut value = HeaderValue::from_str(&format!("Basic {basic}"))
        .map_err(|_| (Trouble::Refused, "the user or the password cannot be sent".to_owned()))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

async fn send(outgoing: &Outgoing, request: Request<'_>) -> Result<Response, Failure> {
    outgoing.send(request).await.map_err(|refused| answer::unanswered(&refused))
}

/// RFC 4791, 7.8 and 9.6.5: events that touch a stretch of time, each repetition by itself.
fn query(from: Timestamp, until: Timestamp) -> String {
    let utc =
        |at: Timestamp| at.to_zoned_datetime(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let (from, until) = (utc(from), utc(until));
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<d:prop><c:calendar-data><c:expand start="{from}" end="{until}"/></c:calendar-data></d:prop>
<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">
<c:time-range start="{from}" end="{until}"/></c:comp-filter></c:comp-filter></c:filter>
</c:calendar-query>"#
    )
}

/// The calendar objects of a multistatus (RFC 4918).
pub(super) fn objects(body: &[u8]) -> Result<Vec<String>, Failure> {
    let wrong = |what: &dyn std::fmt::Display| {
        (Trouble::Later(None), format!("its answer is no XML: {what}"))
    };
    let text = std::str::from_utf8(body).map_err(|error| wrong(&error))?;
    let mut reader = Reader::from_str(text);
    let (mut found, mut object) = (Vec::new(), None::<String>);
    loop {
        match reader.read_event().map_err(|error| wrong(&error))? {
            Event::Start(start) if start.local_name().as_ref() == "calendar-data" => {
                object = Some(String::new());
            }
            Event::End(end) if end.local_name().as_ref() == "calendar-data" => {
                found.extend(object.take());
            }
            Event::Text(part) => {
                if let Some(object) = &mut object {
                    object.push_str(&part);
                }
            }
            Event::CData(part) => {
                if let Some(object) = &mut object {
                    object.push_str(&part);
                }
            }
            Event::GeneralRef(name) => {
                if let Some(object) = &mut object {
                    object.push_str(entity(&name));
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// The five entities of XML, and the carriage return, which servers write as a number.
fn entity(name: &str) -> &'static str {
    match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        "#13" | "#xD" | "#xd" => "\r",
        _ => "",
    }
}

/// When the events of a calendar object take up time: not those of ours, nor such as are cancelled
/// or let others in.
pub(super) fn stretches(object: &str, zone: &TimeZone) -> Vec<Busy> {
    let Ok(calendar) = object.parse::<icalendar::Calendar>() else {
        tracing::warn!("an event of a calendar cannot be read: it is taken for free");
        return Vec::new();
    };
    let events = calendar.components.iter().filter_map(|component| match component {
        CalendarComponent::Event(event) => Some(event),
        _ => None,
    });
    events
        .filter(|event| !event.get_uid().is_some_and(|uid| uid.ends_with(OURS)))
        .filter(|event| {
            let has = |name: &str, value: &str| {
                event.property_value(name).is_some_and(|had| had.eq_ignore_ascii_case(value))
            };
            !has("TRANSP", "TRANSPARENT") && !has("STATUS", "CANCELLED")
        })
        .filter_map(|event| {
            let starts_at = moment(&event.get_start()?, zone)?;
            let ends_at = match event.get_end() {
                Some(end) => moment(&end, zone)?,
                // Without an end: all of a day, or no time at all (RFC 5545, 3.6.1).
                None => match event.get_start()? {
                    DatePerhapsTime::Date(_) => starts_at.checked_add(24.hours()).ok()?,
                    DatePerhapsTime::DateTime(_) => return None,
                },
            };
            (starts_at < ends_at).then_some(Busy { starts_at, ends_at })
        })
        .collect()
}

/// A moment of a calendar as an instant. Servers expand repetitions to UTC (RFC 4791, 9.6.5); a day,
/// and a time without a zone that is known, are those of the client's own clock.
fn moment(at: &DatePerhapsTime, own: &TimeZone) -> Option<Timestamp> {
    use icalendar::CalendarDateTime as Written;
    let civil = |text: String| text.parse::<DateTime>().ok();
    match at {
        DatePerhapsTime::Date(date) => {
            let midnight = civil(format!("{date}T00:00:00"))?;
            Some(midnight.to_zoned_datetime(own.clone()).ok()?.timestamp())
        }
        DatePerhapsTime::DateTime(Written::Utc(at)) => Timestamp::from_second(at.timestamp()).ok(),
        DatePerhapsTime::DateTime(Written::Floating(at)) => {
            let at = civil(at.format("%Y-%m-%dT%H:%M:%S").to_string())?;
            Some(at.to_zoned_datetime(own.clone()).ok()?.timestamp())
        }
        DatePerhapsTime::DateTime(Written::WithTimezone { date_time, tzid }) => {
            let at = civil(date_time.format("%Y-%m-%dT%H:%M:%S").to_string())?;
            let zone = TimeZone::get(tzid).unwrap_or_else(|_| own.clone());
            Some(at.to_zoned_datetime(zone).ok()?.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_takes_up_time_and_what_is_ours_does_not() {
        let answer = "<?xml version='1.0'?><multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
            <response><propstat><prop><C:calendar-data>BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n\
            UID:a\r\nSUMMARY:Tom &amp; Co\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nEND:VEVENT\r\n\
            BEGIN:VEVENT\r\nUID:b\r\nTRANSP:TRANSPARENT\r\nDTSTART:20261201T110000Z\r\nDTEND:20261201T120000Z\r\n\
            END:VEVENT\r\nBEGIN:VEVENT\r\nUID:booking-7@x.webox\r\nDTSTART:20261201T130000Z\r\n\
            DTEND:20261201T140000Z\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:c\r\n\
            DTSTART;TZID=Europe/Paris:20261201T150000\r\nDTEND;TZID=Europe/Paris:20261201T160000\r\nEND:VEVENT\r\n\
            BEGIN:VEVENT\r\nUID:d\r\nDTSTART;VALUE=DATE:20261202\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n\
            </C:calendar-data></prop></propstat></response></multistatus>";
        let objects = objects(answer.as_bytes()).unwrap();
        let told: Vec<String> = stretches(&objects[0], &TimeZone::get("Europe/Paris").unwrap())
            .iter()
            .map(|one| format!("{} {}", one.starts_at, one.ends_at))
            .collect();
        assert_eq!(
            told,
            [
                "2026-12-01T09:00:00Z 2026-12-01T10:00:00Z",
                "2026-12-01T14:00:00Z 2026-12-01T15:00:00Z",
                "2026-12-01T23:00:00Z 2026-12-02T23:00:00Z",
            ]
        );
        assert!(objects_of_rubbish());
    }

    fn objects_of_rubbish() -> bool {
        objects(b"<a><b></a>").is_err() && objects(b"\xff").is_err()
    }

    proptest::proptest! {
        #[test]
        fn no_calendar_panics(text in "\\PC{0,300}") {
            let _ = objects(text.as_bytes());
            let _ = stretches(&text, &TimeZone::UTC);
            let _ = stretches(&format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), &TimeZone::UTC);
        }
    }
}
