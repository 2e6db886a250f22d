//! What people are told in words: in the language of the call or the booking, with days and times as
//! it writes them. The words of each language are a file of `notices/`.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::{Timestamp, civil::DateTime};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Happened, payload::Scene};
use crate::{
    domain::{
        AssistantSpec, Booking, BookingKind, Call, Deliver, DeliveryEvent, DestinationKind, Heard,
        LanguageTag, Notice, PhoneNumber,
    },
    provision::template,
};

/// The words of a language. All of them are templates but the lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    /// From Monday.
    weekdays: Vec<String>,
    months: Vec<String>,
    date: String,
    time: String,
    when: String,
    people: String,
    nights: String,
    withheld: String,
    caller: String,
    assistant: String,
    booking: String,
    sms: BTreeMap<DeliveryEvent, String>,
    subject: BTreeMap<DeliveryEvent, String>,
    email: BTreeMap<DeliveryEvent, String>,
}

const FILES: &[(&str, &str)] = &[
    ("en", include_str!("notices/en.toml")),
    ("fr", include_str!("notices/fr.toml")),
    ("es", include_str!("notices/es.toml")),
    ("de", include_str!("notices/de.toml")),
    ("it", include_str!("notices/it.toml")),
    ("pt", include_str!("notices/pt.toml")),
    ("nl", include_str!("notices/nl.toml")),
];

#[allow(clippy::expect_used, reason = "a test reads every file of `notices/`")]
static ALL: LazyLock<Vec<(&str, Words)>> = LazyLock::new(|| {
    let read = |text| toml::from_str(text).expect("a file of `notices/` is whole");
    FILES.iter().map(|(language, text)| (*language, read(text))).collect()
});

/// The words of a language; English stands in.
fn words(language: &LanguageTag) -> &'static Words {
    let found = ALL.iter().find(|(known, _)| *known == language.primary());
    &found.unwrap_or(&ALL[0]).1
}

/// What one place is told; nothing if there is nobody to tell, or nothing to say.
pub(super) fn write(
    scene: &Scene<'_>,
    place: &Deliver,
    happened: &Happened<'_>,
    at: Timestamp,
) -> Option<Notice> {
    let spec = &scene.assistant.spec;
    let (event, booking) = (happened.event(), happened.booking());
    let language = booking.map(|booking| &booking.language);
    let language = language.or_else(|| scene.call.map(|call| &call.language));
    let language = language.unwrap_or(&spec.voice.language);
    let words = words(language);
    let caller = scene.number(happened);
    let is_sms = place.to == DestinationKind::Sms;
    if is_sms && booking.is_some_and(|booking| booking.starts_at <= at) {
        // Who was there knows.
        return None;
    }
    let to = if is_sms {
        let number = PhoneNumber::from_e164(caller?)?;
        if !number.may_take_sms() {
            tracing::debug!(%event, "a caller without a mobile is sent no SMS");
            return None;
        }
        number.to_string()
    } else {
        place.address.as_ref().map(ToString::to_string).or_else(|| spec.email.clone())?
    };
    let values = values(scene, place, happened, words, language, at);
    let usual = if is_sms { &words.sms } else { &words.email };
    let usual = usual.get(&event).map_or("", String::as_str);
    let text = say(place.text_for(event), usual, &values, spec);
    let subject = (!is_sms).then(|| {
        let usual = words.subject.get(&event).map_or("", String::as_str);
        let subject = say(place.subject.as_deref(), usual, &values, spec);
        subject.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    if text.is_empty() {
        return None;
    }
    Some(Notice {
        to,
        from: if is_sms { spec.phone.to_string() } else { spec.client.clone() },
        subject,
        text,
        // News of what has begun meanwhile help nobody who is there.
        until: booking.filter(|one| is_sms && one.cancelled_at.is_none()).map(|one| one.starts_at),
    })
}

/// The text of the file's own, or the usual one when that cannot be filled in.
fn say(
    own: Option<&str>,
    usual: &str,
    values: &Map<String, Value>,
    spec: &AssistantSpec,
) -> String {
    let filled = own.map(|own| template::fill_in_long(own, values));
    match filled {
        Some(Ok(text)) => text,
        Some(Err(error)) => {
            tracing::warn!(assistant = %spec.name, %error, "a text cannot be filled in: the usual one is sent");
            filled_in(usual, values)
        }
        None => filled_in(usual, values),
    }
}

/// One of our own templates; a test fills them all in.
fn filled_in(template: &str, values: &Map<String, Value>) -> String {
    template::fill_in_long(template, values).unwrap_or_default()
}

/// What templates may name (`template::NOTICED`).
fn values(
    scene: &Scene<'_>,
    place: &Deliver,
    happened: &Happened<'_>,
    words: &Words,
    language: &LanguageTag,
    at: Timestamp,
) -> Map<String, Value> {
    let spec = &scene.assistant.spec;
    let caller = scene.number(happened);
    let number = caller.map_or_else(
        || words.withheld.clone(),
        |text| {
            let number = PhoneNumber::from_e164(text);
            number.map_or_else(|| text.to_owned(), |number| number.as_said(&spec.phone))
        },
    );
    let name = scene.name(happened);
    let mut values = Map::new();
    let mut put = |key: &str, value: Value| {
        values.insert(key.to_owned(), value);
    };
    put("event", happened.event().as_str().into());
    put("client", spec.client.as_str().into());
    put("language", language.as_str().into());
    put("who", name.unwrap_or(&number).into());
    put("name", name.into());
    put("number", number.into());
    let now = spec.zone().to_datetime(at);
    put("happened", words.moment(now, language).into());
    if let Some(booking) = happened.booking() {
        for (key, value) in words.of_booking(booking, spec, language) {
            put(key, value);
        }
    }
    match happened {
        Happened::MessageTaken { message, .. } => put("message", message.text.as_str().into()),
        Happened::CallTransferred { to, .. } => put("to", to.as_said(&spec.phone).into()),
        Happened::CallSummarised => {
            if let Some(call) = scene.call {
                put("summary", call.after.summary.clone().into());
                put("topic", call.after.topic.clone().into());
                put("outcome", call.after.outcome.map(crate::domain::CallOutcome::as_str).into());
                put("satisfaction", call.satisfaction.into());
                put("why", call.after.satisfaction_why.clone().into());
                put("extract", found(call).into());
            }
        }
        Happened::CallEnded => {
            let seconds = scene.call.and_then(|call| call.duration_s).unwrap_or(0);
            put("duration", format!("{} min {:02} s", seconds / 60, seconds % 60).into());
            if place.transcript {
                put("transcript", words.transcript(scene).into());
            }
        }
        _ => {}
    }
    if happened.booking().is_some() {
        let booking = filled_in(&words.booking, &values);
        values.insert("booking".to_owned(), booking.into());
    }
    values
}

/// What was found out in a call, line by line; nothing of what was not said.
fn found(call: &Call) -> Option<String> {
    let known = call.after.extract.as_ref()?.iter().filter(|(_, value)| !value.is_null());
    let lines = known.map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    Some(lines.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
}

impl Words {
    /// What there is to say of a booking.
    fn of_booking(
        &self,
        booking: &Booking,
        spec: &AssistantSpec,
        language: &LanguageTag,
    ) -> Vec<(&'static str, Value)> {
        let kind = spec.booking.as_ref().map(|rules| rules.kind);
        // Who has an appointment comes alone.
        let alone = booking.party == 1 && kind == Some(BookingKind::Appointment);
        let one = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
        let party = one("party", booking.party.into());
        let people = (!alone).then(|| filled_in(&self.people, &party));
        let nights = booking.nights.map(|n| filled_in(&self.nights, &one("n", n.into())));
        let (date, time) = (self.date(booking.at, language), self.time(booking.at));
        let when =
            if booking.nights.is_some() { date.clone() } else { self.moment(booking.at, language) };
        vec![
            ("when", when.into()),
            ("date", date.into()),
            ("time", time.into()),
            ("party", booking.party.into()),
            ("people", people.into()),
            ("nights", nights.into()),
            ("service", booking.service.clone().into()),
            ("resource", booking.resource.clone().into()),
            ("note", booking.note.clone().into()),
            ("reference", booking.reference.as_str().into()),
        ]
    }

    fn date(&self, at: DateTime, language: &LanguageTag) -> String {
        let weekday = at.weekday().to_monday_zero_offset() as usize;
        let month = (at.month() - 1) as usize;
        let values = json!({
            "weekday": self.weekdays.get(weekday),
            "day": at.day(),
            "month": self.months.get(month),
            "region": language.as_str().split('-').nth(1),
        });
        values.as_object().map(|values| filled_in(&self.date, values)).unwrap_or_default()
    }

    fn time(&self, at: DateTime) -> String {
        let values = json!({
            "hour": at.hour(),
            "hour12": if at.hour() % 12 == 0 { 12 } else { at.hour() % 12 },
            "minute": at.minute(),
            "minutes": format!("{:02}", at.minute()),
        });
        values.as_object().map(|values| filled_in(&self.time, values)).unwrap_or_default()
    }

    fn moment(&self, at: DateTime, language: &LanguageTag) -> String {
        let (date, time) = (self.date(at, language), self.time(at));
        let values = json!({ "date": date, "time": time, "hour": at.hour() });
        values.as_object().map(|values| filled_in(&self.when, values)).unwrap_or_default()
    }

    /// What was said, a line each.
    fn transcript(&self, scene: &Scene<'_>) -> String {
        let mut lines = Vec::new();
        for turn in scene.turns {
            let heard = turn.heard.as_ref().map(Heard::text).filter(|heard| !heard.is_empty());
            lines.extend(heard.map(|heard| format!("{}: {heard}", self.caller)));
            lines.extend(turn.said.as_ref().map(|said| format!("{}: {said}", self.assistant)));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    fn language(tag: &str) -> LanguageTag {
        tag.parse().unwrap()
    }

    #[test]
    fn every_language_has_every_word_and_all_can_be_filled_in() {
        assert_eq!(ALL.len(), FILES.len());
        let at = datetime(2026, 11, 27, 20, 30, 0, 0);
        for (name, words) in ALL.iter() {
            assert!(language(name).has_phrases());
            assert_eq!((words.weekdays.len(), words.months.len()), (7, 12), "{name}");
            for event in DeliveryEvent::ALL {
                let (sms, email) = (words.sms.get(event), words.email.get(event));
                assert!(sms.is_some() || email.is_some(), "{name}: {event}");
                assert_eq!(email.is_some(), words.subject.contains_key(event), "{name}: {event}");
                for text in [sms, email, words.subject.get(event)].into_iter().flatten() {
                    template::check(text, template::NOTICED)
                        .unwrap_or_else(|error| panic!("{name}: {event} {error}"));
                }
            }
            for text in [&words.date, &words.time, &words.when, &words.people, &words.nights] {
                template::fill_in(text, &json!({})).unwrap();
            }
            let said = words.moment(at, &language(name));
            assert!(said.contains("27") && said.contains("30"), "{name}: {said}");
        }
    }

    #[test]
    fn days_and_times_are_written_as_the_language_writes_them() {
        let evening = datetime(2026, 11, 27, 20, 30, 0, 0);
        let noon = datetime(2026, 12, 1, 12, 0, 0, 0);
        for (tag, at, written) in [
            ("fr-FR", evening, "vendredi 27 novembre à 20 h 30"),
            ("fr-CA", noon, "mardi 1er décembre à 12 h"),
            ("en-GB", evening, "Friday 27 November at 8:30 pm"),
            ("en-US", noon, "Tuesday, December 1 at 12 pm"),
            ("es-ES", evening, "viernes 27 de noviembre a las 20:30"),
            ("de-DE", noon, "Dienstag, 1. Dezember, 12 Uhr"),
            ("it-IT", evening, "venerdì 27 novembre alle 20:30"),
            ("pt-PT", evening, "sexta-feira, 27 de novembro, às 20h30"),
            ("nl-NL", evening, "vrijdag 27 november om 20.30 uur"),
            ("ja-JP", evening, "Friday 27 November at 8:30 pm"),
        ] {
            let tag = language(tag);
            assert_eq!(words(&tag).moment(at, &tag), written, "{tag}");
        }
        let french = words(&language("fr"));
        let people = |n: u32| template::fill_in(&french.people, &json!({ "party": n })).unwrap();
        assert_eq!((people(1), people(4)), ("1 personne".to_owned(), "4 personnes".to_owned()));
    }
}
