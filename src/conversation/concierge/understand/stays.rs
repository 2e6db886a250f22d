//! Stays: "du 5 au 8 décembre", "three nights from Friday", "une semaine".

use jiff::civil::Date;

use super::{dates, utterance::Utterance};

/// A day of arrival and a day of departure; what they took is marked.
pub(crate) fn scan(u: &mut Utterance, today: Date, month_first: bool) -> Option<(Date, Date)> {
    for at in u.positions() {
        let Some(from) = u.vocabulary.date.from.at(&u.tokens, at) else { continue };
        for (until_at, until) in untils(u, at + from + 1) {
            let departure = dates::date_at(u, until_at + until, today, month_first)
                .or_else(|| bare(u, until_at + until, today));
            let Some((departure, taken)) = departure else { continue };
            let arrival = dates::date_at(u, at + from, today, month_first)
                .filter(|(_, length)| at + from + length <= until_at)
                .map(|(arrival, _)| arrival)
                .or_else(|| arrives(u, at + from, departure));
            if let Some(arrival) = arrival.filter(|arrival| *arrival < departure) {
                u.take(at, until_at + until + taken - at);
                return Some((arrival, departure));
            }
        }
    }
    None
}

/// Where words for "until" stand from a token on, within a few words.
fn untils(u: &Utterance, from: usize) -> Vec<(usize, usize)> {
    let end = u.tokens.len().min(from + 8);
    (from..end).filter_map(|at| Some((at, u.vocabulary.date.until.at(&u.tokens, at)?))).collect()
}

/// A bare day of the month: the next time it comes.
fn bare(u: &Utterance, at: usize, today: Date) -> Option<(Date, usize)> {
    let (day, taken) = dates::day_of_month(u, at)?;
    Some((dates::coming(today, day)?, taken))
}

/// A bare day of arrival: the last such day before the departure.
fn arrives(u: &Utterance, at: usize, departure: Date) -> Option<Date> {
    let (day, _) = dates::day_number(u, at)?;
    let day = i8::try_from(day).ok()?;
    let first = departure.first_of_month();
    [first, first.yesterday().ok()?.first_of_month()]
        .into_iter()
        .filter_map(|month| Date::new(month.year(), month.month(), day).ok())
        .find(|arrival| *arrival < departure)
}

/// The last number of nights said; weeks are seven of them.
pub(crate) fn nights(u: &mut Utterance, expected: bool) -> Option<u32> {
    let mut found = None;
    for at in u.positions() {
        let Some((count, taken)) = u.number_at(at) else { continue };
        let next = at + taken;
        let words = &u.vocabulary.date;
        let unit = words.nights.at(&u.tokens, next).map(|more| (1, more)).or_else(|| {
            let (days, more) = words.units.at(&u.tokens, next)?;
            (days == 7 && !words.within.before(&u.tokens, at)).then_some((7, more))
        });
        if let Some((nights, more)) = unit {
            u.take(at, taken + more);
            found = Some(count * nights);
        } else if expected && found.is_none() && u.tokens.len() <= taken + 1 {
            u.take(at, taken);
            found = Some(count);
        }
    }
    found.and_then(|nights| u32::try_from(nights).ok()).filter(|nights| (1..=365).contains(nights))
}
