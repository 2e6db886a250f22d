//! Times of day: "20h30", "huit heures et demie", "quarter to eight", "midi", "7:30 pm".

use serde::{Deserialize, Serialize};

use super::utterance::Utterance;

/// A time as said. Eight may mean 8:00 or 20:00 until the day, its part or the hours decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    /// Whether the hour is meant as said.
    pub(crate) exact: bool,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Morning,
    Noon,
    Afternoon,
    Evening,
}

impl Part {
    /// Whether an hour of the day lies in it.
    pub(crate) fn holds(self, hour: i8) -> bool {
        match self {
            Self::Morning => hour < 12,
            Self::Noon => (11..15).contains(&hour),
            Self::Afternoon => (12..18).contains(&hour),
            Self::Evening => hour >= 17,
        }
    }
}

impl Clock {
    /// From an hour and minutes that may run over or be negative.
    fn new(hour: i32, minutes: i32) -> Option<Self> {
        if !(0..=24).contains(&hour) || !(-59..60).contains(&minutes) {
            return None;
        }
        let total = (hour * 60 + minutes).rem_euclid(24 * 60);
        let exact = hour == 0 || hour > 12;
        // "halb eins", "quarter to one": noon's hour, as one is noon's.
        let of_noon = hour == 1 && total < 60;
        let hour = if of_noon { 12 } else { (total / 60) as i8 };
        Some(Self { hour, minute: (total % 60) as i8, exact })
    }

    /// The hour as meant in a part of the day.
    pub(crate) fn within(self, part: Part) -> Self {
        if self.exact {
            return self;
        }
        let hour = match (part, self.hour) {
            (Part::Morning, 12) => 0,
            (Part::Noon, 1..=4) | (Part::Afternoon | Part::Evening, 1..=11) => self.hour + 12,
            (_, hour) => hour,
        };
        Self { hour, exact: true, ..self }
    }

    /// The hour read from the morning's half of the clock and from the other, if both can be meant.
    pub(crate) fn readings(self) -> Vec<Self> {
        let as_said = Self { exact: true, ..self };
        if self.exact || self.hour == 0 || self.hour >= 12 {
            return vec![as_said];
        }
        vec![Self { hour: self.hour + 12, ..as_said }, as_said]
    }
}

/// What kind of answer a bare number may be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expect {
    /// We asked for the time.
    pub(crate) time: bool,
    /// We asked for the party.
    pub(crate) party: bool,
}

/// The last time said: in "non, pas 20h, plutôt 21h" it is the one that counts.
pub(crate) fn scan(utterance: &mut Utterance, expect: Expect) -> Option<Clock> {
    let mut found = None;
    let mut at = 0;
    while at < utterance.tokens.len() {
        match time_at(utterance, at, expect) {
            Some((clock, taken)) => {
                utterance.take(at, taken);
                found = Some(clock);
                at += taken.max(1);
            }
            None => at += 1,
        }
    }
    found
}

/// Whether noon is named and nothing is made of it yet: "demain midi".
pub(crate) fn names_noon(utterance: &Utterance) -> bool {
    let moments = &utterance.vocabulary.time.moments;
    utterance.positions().any(|at| {
        moments
            .at(&utterance.tokens, at)
            .is_some_and(|(value, taken)| value == 720 && utterance.is_free(at, taken))
    })
}

/// The last part of the day said, "bonsoir" and "good evening" left out.
pub(crate) fn scan_part(utterance: &Utterance) -> Option<Part> {
    let time = &utterance.vocabulary.time;
    let parts = [
        (Part::Afternoon, &time.afternoon),
        (Part::Morning, &time.morning),
        (Part::Noon, &time.noon),
        (Part::Evening, &time.evening),
    ];
    // "après-midi" contains "midi": the longer phrase hides the shorter.
    let mut found = None;
    let mut at = 0;
    while at < utterance.tokens.len() {
        let longest = parts
            .iter()
            .filter_map(|(part, words)| Some((words.at(&utterance.tokens, at)?, *part)))
            .max_by_key(|(taken, _)| *taken);
        match longest {
            Some((taken, part)) => {
                found = Some(part);
                at += taken;
            }
            None => at += 1,
        }
    }
    found
}

fn time_at(utterance: &Utterance, at: usize, expect: Expect) -> Option<(Clock, usize)> {
    if !utterance.is_free(at, 1) {
        return None;
    }
    let (clock, taken) = said_before(utterance, at)
        .or_else(|| moment(utterance, at, expect))
        .or_else(|| hour_first(utterance, at, expect))?;
    Some(with_half(utterance, at, clock, taken))
}

/// "half past seven", "quarter to eight", "ten past seven".
fn said_before(utterance: &Utterance, at: usize) -> Option<(Clock, usize)> {
    let words = &utterance.vocabulary.time;
    let (minutes, taken) = words.before_hour.at(&utterance.tokens, at).or_else(|| {
        let (minutes, taken) = utterance.number_at(at)?;
        let next = at + taken;
        if let Some(word) = words.past.at(&utterance.tokens, next) {
            return Some((minutes, taken + word));
        }
        let word = words.to.at(&utterance.tokens, next)?;
        Some((-minutes, taken + word))
    })?;
    if let Some((moment, more)) = words.moments.at(&utterance.tokens, at + taken) {
        let clock = Clock::new(moment / 60, minutes)?;
        return Some((Clock { exact: true, ..clock }, taken + more));
    }
    let (hour, more) = utterance.number_at(at + taken)?;
    Some((Clock::new(hour, minutes)?, taken + more))
}

/// "midi", "minuit et demi". A bare "midi" is only a part of the day unless something makes it a time.
fn moment(utterance: &Utterance, at: usize, expect: Expect) -> Option<(Clock, usize)> {
    let words = &utterance.vocabulary.time;
    let (value, taken) = words.moments.at(&utterance.tokens, at)?;
    let (minutes, more) = minutes_after(utterance, at + taken, false).unwrap_or((0, 0));
    let sure = words.sure_moments.at(&utterance.tokens, at).is_some();
    let meant = more > 0 || expect.time || sure || words.at_moment.before(&utterance.tokens, at);
    let clock = Clock::new(value / 60, minutes)?;
    meant.then_some((Clock { exact: true, ..clock }, taken + more))
}

/// "20h30", "huit heures moins le quart", "7:30", "seven thirty", "at eight".
fn hour_first(utterance: &Utterance, at: usize, expect: Expect) -> Option<(Clock, usize)> {
    let words = &utterance.vocabulary.time;
    let tokens = &utterance.tokens;
    let (hour, taken) = utterance.number_at(at).filter(|(hour, _)| (0..=24).contains(hour))?;
    let next = at + taken;
    if let Some(word) = words.hour.at(tokens, next) {
        let (minutes, more) = minutes_after(utterance, next + word, true).unwrap_or((0, 0));
        return Some((Clock::new(hour, minutes)?, taken + word + more));
    }
    // 20:30, 7.30; a four-figure 2030 is a time only when we asked for one.
    let figures = |at: usize| tokens.get(at).is_some_and(|t| t.is_figures() && t.word.len() == 2);
    if tokens[at].is_figures() && matches!(utterance.before(next), ':' | '.') && figures(next) {
        let (minutes, more) = utterance.number_at(next)?;
        let mut clock = Clock::new(hour, minutes)?;
        clock.exact |= tokens[at].word.starts_with('0');
        return Some((clock, taken + more));
    }
    // "a las ocho y media": without a word for hours, what stands before and after tells.
    if (expect.time || words.at.before(tokens, at))
        && let Some((minutes, more)) = minutes_after(utterance, next, false)
    {
        return Some((Clock::new(hour, minutes)?, taken + more));
    }
    // "il y a un parking", "une vingtaine": an article is no hour by itself.
    if utterance.vocabulary.numbers.articles.at(tokens, at).is_some() {
        return None;
    }
    // "nous serons quatre" is no time, even when we asked for one.
    if utterance.vocabulary.party.before.before(tokens, at) && !words.at.before(tokens, at) {
        return is_half(utterance, next).and_then(|_| Some((Clock::new(hour, 0)?, taken)));
    }
    let followed = is_half(utterance, next).is_some();
    if let Some((minutes, more)) = utterance.number_at(next)
        && (10..60).contains(&minutes)
        && minutes % 5 == 0
        && utterance.before(next) != ','
        && !counts_something(utterance, next + more)
    {
        return Some((Clock::new(hour, minutes)?, taken + more));
    }
    let asked = expect.time || (!expect.party && words.at.before(tokens, at));
    let meant = followed || (asked && !counts_something(utterance, next));
    meant.then(|| Some((Clock::new(hour, 0)?, taken))).flatten()
}

/// Minutes said after an hour.
fn minutes_after(utterance: &Utterance, at: usize, numbers: bool) -> Option<(i32, usize)> {
    let words = &utterance.vocabulary.time;
    if let Some(found) = words.after_hour.at(&utterance.tokens, at) {
        return Some(found);
    }
    if let Some(minus) = words.minus.at(&utterance.tokens, at) {
        let (minutes, taken) = utterance.number_at(at + minus)?;
        return (1..60).contains(&minutes).then_some((-minutes, minus + taken));
    }
    let (minutes, taken) = utterance.number_at(at).filter(|_| numbers)?;
    let pause = utterance.before(at) == ',';
    let fits = (1..60).contains(&minutes) && !pause && !counts_something(utterance, at + taken);
    fits.then_some((minutes, taken))
}

/// Whether what follows a number says that it is not a time: people, a month, an hour word.
fn counts_something(utterance: &Utterance, at: usize) -> bool {
    let (words, tokens) = (utterance.vocabulary, &utterance.tokens);
    let of = words.date.of.at(tokens, at).unwrap_or(0);
    words.party.after.at(tokens, at + of).is_some()
        || words.party.kinds.at(tokens, at).is_some()
        || words.date.months.at(tokens, at).is_some()
        || words.date.units.at(tokens, at).is_some()
        || words.time.hour.at(tokens, at).is_some()
        || words.date.suffix.at(tokens, at).is_some_and(|_| utterance.before(at) == '\0')
}

/// "du soir", "pm" right after a number, a small word between them allowed.
fn is_half(utterance: &Utterance, at: usize) -> Option<(Part, usize)> {
    let time = &utterance.vocabulary.time;
    let parts = [
        (Part::Morning, &time.morning),
        (Part::Afternoon, &time.afternoon),
        (Part::Evening, &time.evening),
    ];
    (0..=2).find_map(|skip| {
        let small = |at: usize| utterance.tokens.get(at).is_some_and(|t| t.word.len() <= 3);
        if !(at..at + skip)
            .all(|at| small(at) && utterance.is_free(at, 1) && utterance.number_at(at).is_none())
        {
            return None;
        }
        parts.iter().find_map(|(part, words)| {
            let taken = words.at(&utterance.tokens, at + skip)?;
            // "pour 4 ce soir": the evening is already part of a day.
            utterance.is_free(at + skip, taken).then_some((*part, skip + taken))
        })
    })
}

/// Settles the half of the day if it is said right after the time.
fn with_half(utterance: &Utterance, at: usize, clock: Clock, taken: usize) -> (Clock, usize) {
    match is_half(utterance, at + taken) {
        Some((part, more)) => (clock.within(part), taken + more),
        None => (clock, taken),
    }
}
