//! How dates, times, numbers and opening hours are said.

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time, Weekday},
};

use super::vocabulary::{Spoken, Vocabulary};
use crate::{
    conversation::phrases::fill,
    domain::{OpeningHours, TimeRange, WEEKDAYS},
};

fn at<const N: usize>(names: &[String; N], index: i8) -> &str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).map_or("", String::as_str)
}

fn weekday(spoken: &Spoken, day: Weekday) -> &str {
    at(&spoken.weekdays, day.to_monday_zero_offset())
}

/// "lundi 23 novembre", "Monday, November 23rd".
pub(crate) fn date(spoken: &Spoken, date: Date) -> String {
    let number = date.day().to_string();
    let suffix = spoken.day_suffixes.get(&number).unwrap_or(&spoken.day_suffix);
    let in_figures = || format!("{number}{suffix}");
    let day = spoken.day_words.get(&number).cloned().unwrap_or_else(in_figures);
    let month = at(&spoken.months, date.month() - 1);
    fill(
        &spoken.date,
        &[("weekday", weekday(spoken, date.weekday())), ("day", &day), ("month", month)],
    )
}

/// "20 heures 30", "8:30 pm", "midi".
pub(crate) fn time(spoken: &Spoken, time: Time) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    match (hour, minute) {
        (0, 0) => return spoken.midnight.clone(),
        (12, 0) => return spoken.noon.clone(),
        _ => {}
    }
    let shown = if spoken.twelve_hours { (hour + 11) % 12 + 1 } else { hour };
    let half = at(&spoken.halves, i8::from(hour >= 12));
    let template = match (shown == 1, minute == 0) {
        (true, true) => &spoken.one_hour,
        (false, true) => &spoken.hour,
        (true, false) => &spoken.one_hour_minute,
        (false, false) => &spoken.hour_minute,
    };
    let values = [
        ("hour", shown.to_string()),
        ("minute", format!("{minute:02}")),
        ("half", half.to_owned()),
    ];
    fill(template, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// "lundi 23 novembre à 20 heures".
pub(crate) fn date_time(spoken: &Spoken, at: DateTime) -> String {
    let values = [("date", date(spoken, at.date())), ("time", time(spoken, at.time()))];
    fill(&spoken.date_time, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// "du lundi 1er décembre au jeudi 4 décembre".
pub(crate) fn stay(spoken: &Spoken, arrival: Date, nights: u32) -> String {
    let departure = arrival.saturating_add(i64::from(nights).days());
    let (arrival, departure) = (date(spoken, arrival), date(spoken, departure));
    fill(&spoken.stay, &[("arrival", &arrival), ("departure", &departure)])
}

/// Figures one by one, so that they can be written down: "4 8 2 1 9 3".
pub(crate) fn figures(figures: &str) -> String {
    figures.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// "4 personnes".
pub(crate) fn people(spoken: &Spoken, count: u32) -> String {
    if count == 1 {
        return spoken.one_person.clone();
    }
    fill(&spoken.people, &[("count", &count.to_string())])
}

/// "a, b et c".
pub(crate) fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{}{last}{end}", first.join(", ")),
    }
}

/// "de midi à 14 heures et de 19 heures à 23 heures".
pub(crate) fn services(spoken: &Spoken, services: &[TimeRange]) -> String {
    let said: Vec<String> = services
        .iter()
        .map(|range| {
            let (start, end) = (time(spoken, range.start), time(spoken, range.end));
            fill(&spoken.service, &[("start", &start), ("end", &end)])
        })
        .collect();
    list(&said, &spoken.and)
}

/// The whole week, days with the same hours said together.
pub(crate) fn week(vocabulary: &Vocabulary, opening: &OpeningHours) -> String {
    let (spoken, say) = (&vocabulary.spoken, &vocabulary.say);
    let mut open = Vec::new();
    let mut closed = Vec::new();
    let mut first = 0;
    while first < WEEKDAYS.len() {
        let hours = &opening.week[first];
        let same = opening.week[first..].iter().take_while(|day| *day == hours).count();
        let days = stretch(spoken, first, first + same - 1);
        if hours.is_empty() {
            closed.push(days);
        } else {
            open.push(format!("{days}, {}", services(spoken, hours)));
        }
        first += same;
    }
    let mut sentences = vec![fill(&say.open_week, &[("week", &open.join("; "))])];
    if !closed.is_empty() {
        sentences.push(fill(&say.closed_week, &[("days", &list(&closed, &spoken.and))]));
    }
    sentences.join(" ")
}

fn stretch(spoken: &Spoken, first: usize, last: usize) -> String {
    let name = |index: usize| weekday(spoken, WEEKDAYS[index]);
    if first == last {
        return fill(&spoken.every, &[("weekday", name(first))]);
    }
    fill(&spoken.every_from_to, &[("first", name(first)), ("last", name(last))])
}

/// The first letter in upper case: a sentence may start with a weekday.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
