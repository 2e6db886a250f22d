//! Days: "demain", "samedi prochain", "le 5 décembre", "in two days", "December 5th", "5/12".

use jiff::{ToSpan, civil::Date};

use super::{fold::Token, utterance::Utterance};

/// The last day said, found from today; what it took is marked.
pub(crate) fn scan(utterance: &mut Utterance, today: Date, month_first: bool) -> Option<Date> {
    let mut found = None;
    let mut at = 0;
    while at < utterance.tokens.len() {
        match date_at(utterance, at, today, month_first) {
            Some((date, taken)) => {
                utterance.take(at, taken);
                found = Some(date);
                at += taken.max(1);
            }
            None => at += part_of_day(utterance, at),
        }
    }
    found
}

/// The length of a part of the day that starts here, or one token: the "mañana" of "por la
/// mañana" is the morning, not tomorrow.
fn part_of_day(u: &Utterance, at: usize) -> usize {
    u.vocabulary.time.morning.at(&u.tokens, at).unwrap_or(1).max(1)
}

pub(super) fn date_at(
    u: &Utterance,
    at: usize,
    today: Date,
    month_first: bool,
) -> Option<(Date, usize)> {
    if !u.is_free(at, 1) {
        return None;
    }
    relative(u, at, today)
        .or_else(|| within(u, at, today))
        .or_else(|| weekday(u, at, today, month_first))
        .or_else(|| calendar(u, at, today, month_first))
}

/// "dans deux jours", "in a week".
fn within(u: &Utterance, at: usize, today: Date) -> Option<(Date, usize)> {
    let words = &u.vocabulary.date;
    let intro = words.within.at(&u.tokens, at)?;
    let (count, taken) = u.number_at(at + intro)?;
    let (unit, more) = words.units.at(&u.tokens, at + intro + taken)?;
    Some((after(today, count * unit)?, intro + taken + more))
}

fn relative(u: &Utterance, at: usize, today: Date) -> Option<(Date, usize)> {
    let (days, taken) = u.vocabulary.date.relative.at(&u.tokens, at)?;
    Some((after(today, days)?, taken))
}

/// "samedi", "lundi en huit"; a number after it ("lundi 30 novembre") decides instead.
fn weekday(u: &Utterance, at: usize, today: Date, month_first: bool) -> Option<(Date, usize)> {
    let words = &u.vocabulary.date;
    let (day, mut taken) = words.weekdays.at(&u.tokens, at)?;
    let article = words.article.at(&u.tokens, at + taken).unwrap_or(0);
    let said = at + taken + article;
    let dated = calendar(u, said, today, month_first).or_else(|| {
        day_of_month(u, said).and_then(|(day, more)| Some((coming(today, day)?, more)))
    });
    if let Some((date, more)) = dated {
        return Some((date, taken + article + more));
    }
    let ahead = (day - 1 - i32::from(today.weekday().to_monday_zero_offset())).rem_euclid(7);
    let this = words.this.before(&u.tokens, at);
    let mut days = if ahead == 0 && !this { 7 } else { ahead };
    if let Some(later) = words.week_later.at(&u.tokens, at + taken) {
        days += 7;
        taken += later;
    }
    Some((after(today, days)?, taken))
}

/// A date with its month, or a bare day after an article: "le 5", "the 5th".
fn calendar(u: &Utterance, at: usize, today: Date, month_first: bool) -> Option<(Date, usize)> {
    month_then_day(u, at)
        .or_else(|| day_then_month(u, at))
        .or_else(|| in_figures(u, at, month_first))
        .and_then(|(month, day, taken)| with_year(u, at, taken, month, day, today))
        .or_else(|| {
            let article = u.vocabulary.date.article.at(&u.tokens, at)?;
            let (day, taken) = day_of_month(u, at + article)?;
            Some((coming(today, day)?, article + taken))
        })
}

/// "December 5th", "December the 5th".
fn month_then_day(u: &Utterance, at: usize) -> Option<(i32, i32, usize)> {
    let (month, taken) = u.vocabulary.date.months.at(&u.tokens, at)?;
    let article = u.vocabulary.date.article.at(&u.tokens, at + taken).unwrap_or(0);
    let (day, more) = day_of_month(u, at + taken + article)?;
    Some((month, day, taken + article + more))
}

/// "5 décembre", "the 5th of December".
fn day_then_month(u: &Utterance, at: usize) -> Option<(i32, i32, usize)> {
    let words = &u.vocabulary.date;
    let article = words.article.at(&u.tokens, at).unwrap_or(0);
    let (day, taken) = day_number(u, at + article)?;
    let of = words.of.at(&u.tokens, at + article + taken).unwrap_or(0);
    let (month, more) = words.months.at(&u.tokens, at + article + taken + of)?;
    Some((month, day, article + taken + of + more))
}

/// "5/12".
fn in_figures(u: &Utterance, at: usize, month_first: bool) -> Option<(i32, i32, usize)> {
    let figures = |at: usize| u.tokens.get(at).is_some_and(|t| t.is_figures() && t.word.len() <= 2);
    if !figures(at) || !figures(at + 1) || !u.vocabulary.date.figures.contains(u.before(at + 1)) {
        return None;
    }
    // "um 20.15", "20.15 Uhr": written like a day, and a time.
    let time = &u.vocabulary.time;
    if u.before(at + 1) == '.'
        && (time.at.before(&u.tokens, at) || time.hour.at(&u.tokens, at + 2).is_some())
    {
        return None;
    }
    let ((first, _), (second, _)) = (u.number_at(at)?, u.number_at(at + 1)?);
    Some(if month_first { (first, second, 2) } else { (second, first, 2) })
}

/// A day of the month that nothing after it makes a time or a count.
pub(super) fn day_of_month(u: &Utterance, at: usize) -> Option<(i32, usize)> {
    let (day, taken) = day_number(u, at)?;
    let (next, words) = (at + taken, u.vocabulary);
    let clock =
        matches!(u.before(next), ':' | '.') && u.tokens.get(next).is_some_and(Token::is_figures);
    let of = words.date.of.at(&u.tokens, next).unwrap_or(0);
    let other = clock
        || words.date.months.at(&u.tokens, next + of).is_some()
        || words.time.hour.at(&u.tokens, next).is_some()
        || words.party.after.at(&u.tokens, next).is_some();
    let half = words.time.morning.at(&u.tokens, next).is_some()
        || words.time.evening.at(&u.tokens, next).is_some();
    let ordinal = words.date.suffix.before(&u.tokens, next);
    (!other && (!half || ordinal)).then_some((day, taken))
}

/// 1–31 in figures, words or as an ordinal, with its suffix.
pub(super) fn day_number(u: &Utterance, at: usize) -> Option<(i32, usize)> {
    let words = &u.vocabulary.date;
    let ordinal = words.ordinals.at(&u.tokens, at).filter(|(_, taken)| u.is_free(at, *taken));
    let (day, mut taken) = ordinal.or_else(|| u.number_at(at))?;
    if u.before(at + taken) == '\0'
        && let Some(suffix) = words.suffix.at(&u.tokens, at + taken)
    {
        taken += suffix;
    }
    (1..=31).contains(&day).then_some((day, taken))
}

/// The year if it is said, else the next time this date comes.
fn with_year(
    u: &Utterance,
    at: usize,
    taken: usize,
    month: i32,
    day: i32,
    today: Date,
) -> Option<(Date, usize)> {
    let date = |year: i16| Date::new(year, month as i8, day as i8).ok();
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let of = u.vocabulary.date.of.at(&u.tokens, at + taken).unwrap_or(0);
    let year = u.number_at(at + taken + of).filter(|(year, _)| (2000..2100).contains(year));
    if let Some((year, more)) = year {
        return Some((date(year as i16)?, taken + of + more));
    }
    // The 29th of February may need a few years to come.
    let coming = (0..=8).filter_map(|years| date(today.year() + years)).find(|date| *date >= today);
    coming.map(|date| (date, taken))
}

/// The next time a day of the month comes, today included.
pub(super) fn coming(today: Date, day: i32) -> Option<Date> {
    let first = today.first_of_month();
    (0..=2)
        .filter_map(|months| first.checked_add(months.months()).ok())
        .filter_map(|first| Date::new(first.year(), first.month(), day as i8).ok())
        .find(|date| *date >= today)
}

fn after(today: Date, days: i32) -> Option<Date> {
    today.checked_add(i64::from(days).days()).ok()
}
