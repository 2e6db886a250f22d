//! When somebody may be called: what the law of the number's country says, where it is known, on the
//! clock of the one who is called.
//!
//! Two tables. Calls that sell (`marketing`) keep the law's hours; where none is known, those of
//! France, the narrowest known. Calls that people expect (`service`) keep hours of courtesy, which
//! are ours. Not legal advice: whoever calls answers for it.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::{
    CallPurpose, CallingWindow, Country, Error, PhoneNumber, PublicHolidays, Result, ZoneName,
};

/// Minutes of a day, the end not included.
type Stretch = (u16, u16);

/// What a country allows.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    country: &'static str,
    weekdays: &'static [Stretch],
    saturday: &'static [Stretch],
    sunday: &'static [Stretch],
    /// Whether the hours hold on public holidays too.
    holidays: bool,
    /// Calls to one number, at most, in 30 days.
    most: Option<u32>,
    source: &'static str,
}

const fn hours(from: u16, until: u16) -> Stretch {
    (from * 60, until * 60)
}

const FRENCH: &[Stretch] = &[hours(10, 13), hours(14, 20)];
const FRENCH_LAW: &str = "France: décret n° 2022-1313 of 13 October 2022 (Code de la consommation, art. D. 223-9): \
     Monday to Friday 10–13 and 14–20, no public holidays, 4 calls in 30 days";

const fn french(country: &'static str) -> Rule {
    Rule { country, source: FRENCH_LAW, ..UNKNOWN }
}

/// Where no hours are known for certain, those of France hold: no country's are known to be narrower.
const UNKNOWN: Rule = Rule {
    country: "",
    weekdays: FRENCH,
    saturday: &[],
    sunday: &[],
    holidays: false,
    most: Some(4),
    source: "no hours are known for certain for this country, so the narrowest known hold, those of \
             France: Monday to Friday 10–13 and 14–20, no public holidays, 4 calls in 30 days",
};

/// Hours of courtesy.
const COURTESY: Rule = Rule {
    country: "",
    weekdays: &[hours(8, 20)],
    saturday: &[hours(8, 20)],
    sunday: &[],
    holidays: false,
    most: None,
    source: "hours of courtesy of webox for calls that people expect: Monday to Saturday 8–20, no \
             public holidays",
};

/// Marketing, by the country of the number.
const MARKETING: &[Rule] = &[
    french("FR"),
    french("GP"),
    french("GF"),
    french("MQ"),
    french("RE"),
    french("PM"),
    Rule {
        country: "ES",
        weekdays: &[hours(9, 21)],
        source: "Spain: Real Decreto Legislativo 1/2007, art. 96.2: 9–21, no weekends, no public holidays",
        ..UNKNOWN
    },
    Rule {
        country: "IT",
        weekdays: &[hours(9, 20)],
        saturday: &[hours(10, 19)],
        source: "Italy: the code of conduct on telemarketing approved by the Garante on 9 March 2023: \
                 Monday to Friday 9–20, Saturday 10–19, no public holidays",
        ..UNKNOWN
    },
    Rule {
        country: "US",
        weekdays: &[hours(8, 21)],
        saturday: &[hours(8, 21)],
        sunday: &[hours(8, 21)],
        holidays: true,
        most: Some(4),
        source: "United States: Telephone Consumer Protection Act, 47 CFR 64.1200(c)(1): 8–21, \
                 wherever in the country the one who is called may be",
    },
    Rule {
        country: "CA",
        weekdays: &[(9 * 60, 21 * 60 + 30)],
        saturday: &[hours(10, 18)],
        sunday: &[hours(10, 18)],
        holidays: true,
        most: Some(4),
        source: "Canada: CRTC Unsolicited Telecommunications Rules, part III: 9–21:30, weekends 10–18",
    },
    Rule {
        country: "AU",
        weekdays: &[hours(9, 20)],
        saturday: &[hours(9, 17)],
        source: "Australia: Telecommunications (Telemarketing and Research Calls) Industry Standard \
                 2017: weekdays 9–20, Saturday 9–17, no public holidays",
        ..UNKNOWN
    },
];

/// Countries with several zones: those at their ends, and what lies between. Whoever is called may
/// be in any of them, so the hours must hold in all.
const ZONES: &[(&str, &[&str])] = &[
    (
        "US",
        &[
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ],
    ),
    ("CA", &["America/St_Johns", "America/Toronto", "America/Winnipeg", "America/Vancouver"]),
    ("ES", &["Europe/Madrid", "Atlantic/Canary"]),
    ("PT", &["Europe/Lisbon", "Atlantic/Azores"]),
    ("AU", &["Australia/Sydney", "Australia/Perth"]),
    ("BR", &["America/Noronha", "America/Sao_Paulo", "America/Rio_Branco"]),
    ("MX", &["America/Cancun", "America/Mexico_City", "America/Tijuana"]),
    ("CL", &["America/Santiago", "Pacific/Easter"]),
    ("NZ", &["Pacific/Auckland", "Pacific/Chatham"]),
];

/// When a number may be called.
#[derive(Debug, Clone)]
pub struct CallingHours {
    rule: &'static Rule,
    zones: Vec<TimeZone>,
    holidays: Option<PublicHolidays>,
    /// Hours of one's own, which narrow the rule's.
    window: Option<CallingWindow>,
    /// Whether the rule's hours are passed over.
    is_open: bool,
}

impl CallingHours {
    /// Those of a number. `zone` is where the one who is called is, if that is known better than by
    /// the number's country.
    ///
    /// # Errors
    /// When webox does not know the number's country, or the number is none to be called.
    pub fn of(number: &PhoneNumber, kind: CallPurpose, zone: Option<&ZoneName>) -> Result<Self> {
        let (code, may_be_called) = number.destination();
        let country = Country::of(number);
        let (Some(code), Some(country)) = (code, country) else {
            return Err(Error::input(format!("{number} is in a country that webox does not call"))
                .hint("it knows neither the hours nor the time of day there"));
        };
        if !may_be_called {
            return Err(Error::input(format!(
                "{number} is no number that webox calls: the country's plan has none such, or has \
                 callers pay for it"
            ))
            .hint("call a landline, a mobile or a toll-free number"));
        }
        let rule = match kind {
            CallPurpose::Service => &COURTESY,
            CallPurpose::Marketing => {
                MARKETING.iter().find(|rule| rule.country == code).unwrap_or(&UNKNOWN)
            }
        };
        let named = ZONES.iter().find(|(country, _)| *country == code);
        let usual = [country.timezone];
        let named = named.map_or(&usual[..], |(_, zones)| *zones);
        let zones = match zone {
            Some(zone) => vec![zone.zone()],
            None => named.iter().filter_map(|name| TimeZone::get(name).ok()).collect(),
        };
        if zones.is_empty() {
            return Err(Error::failure(format!("the time of day where {number} is, is not known")));
        }
        // The code of the plan is finer than ours: Canada's numbers are not those of its neighbour.
        let code = Country { code: known_as(&code).unwrap_or(country.code), ..country };
        let holidays = (!rule.holidays).then(|| PublicHolidays::of(code)).flatten();
        Ok(Self { rule, zones, holidays, window: None, is_open: false })
    }

    /// The same within hours of one's own.
    #[must_use]
    pub fn within(self, window: Option<&CallingWindow>) -> Self {
        Self { window: window.cloned(), ..self }
    }

    /// The same for people who expect the call: the hours of courtesy are passed over, those of the
    /// law are not.
    #[must_use]
    pub fn anyway(self, anyway: bool) -> Self {
        let is_open = anyway && self.rule.source == COURTESY.source;
        Self { is_open, ..self }
    }

    /// Whether somebody may be called at a moment.
    pub fn allow(&self, at: Timestamp) -> bool {
        self.zones.iter().all(|zone| {
            let there = at.to_zoned_datetime(zone.clone());
            let minute = there.hour() as u16 * 60 + there.minute() as u16;
            let own = self.window.as_ref().is_none_or(|window| window.holds(minute));
            let mut allowed = self.of_day(there.date()).iter();
            own && (self.is_open || allowed.any(|(from, until)| (*from..*until).contains(&minute)))
        })
    }

    fn of_day(&self, date: Date) -> &'static [Stretch] {
        if self.holidays.is_some_and(|holidays| holidays.covers(date)) {
            return &[];
        }
        match date.weekday() {
            Weekday::Saturday => self.rule.saturday,
            Weekday::Sunday => self.rule.sunday,
            _ => self.rule.weekdays,
        }
    }

    /// The next moment, from one on, at which somebody may be called: to the minute.
    pub fn next(&self, from: Timestamp) -> Option<Timestamp> {
        if self.allow(from) {
            return Some(from);
        }
        // Offsets are whole quarters of an hour, and so are the hours of the tables.
        let quarter = SignedDuration::from_mins(15);
        let mut at = from.round((jiff::Unit::Minute, 15)).ok()?;
        if at < from {
            at = at.checked_add(quarter).ok()?;
        }
        let last = from.checked_add(SignedDuration::from_hours(24 * 14)).ok()?;
        while at <= last {
            if self.allow(at) {
                return Some(at);
            }
            at = at.checked_add(quarter).ok()?;
        }
        None
    }

    /// How often a number may be called in 30 days, where that is bounded.
    pub const fn most(&self) -> Option<u32> {
        self.rule.most
    }

    /// Since when calls count for [`Self::most`].
    pub fn counted_since(now: Timestamp) -> Timestamp {
        now.to_zoned_datetime(TimeZone::UTC)
            .checked_sub(30.days())
            .map_or(Timestamp::MIN, |since| since.timestamp())
    }

    /// Which rule it is, and whose.
    pub const fn source(&self) -> &'static str {
        self.rule.source
    }

    /// A moment on the clock of the one who is called.
    pub fn there(&self, at: Timestamp) -> String {
        match self.zones.first() {
            Some(zone) => at.to_zoned_datetime(zone.clone()).strftime("%F %H:%M (%Q)").to_string(),
            None => at.to_string(),
        }
    }
}

/// A code as our own table of holidays has it.
fn known_as(code: &str) -> Option<&'static str> {
    ["US", "CA", "FR", "GB", "ES", "IT", "AU"].into_iter().find(|known| *known == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours_of(number: &str, kind: CallPurpose) -> CallingHours {
        CallingHours::of(&number.parse().unwrap(), kind, None).unwrap()
    }

    fn may(number: &str, kind: CallPurpose, at: &str) -> bool {
        let at: jiff::ZonedDateTime = at.parse().unwrap();
        hours_of(number, kind).allow(at.timestamp())
    }

    const FRENCH: &str = "+33612345678";

    #[test]
    fn the_french_decree() {
        use CallPurpose::{Marketing, Service};
        let paris = |day: &str, time: &str| format!("{day}T{time}[Europe/Paris]");
        for (day, time, marketing, service) in [
            ("2026-11-26", "09:59", false, true),
            ("2026-11-26", "10:00", true, true),
            ("2026-11-26", "12:59", true, true),
            ("2026-11-26", "13:00", false, true),
            ("2026-11-26", "14:00", true, true),
            ("2026-11-26", "19:59", true, true),
            ("2026-11-26", "20:00", false, false),
            ("2026-11-26", "07:59", false, false),
            // A Saturday, a Sunday, Christmas.
            ("2026-11-28", "11:00", false, true),
            ("2026-11-29", "11:00", false, false),
            ("2026-12-25", "11:00", false, false),
        ] {
            assert_eq!(may(FRENCH, Marketing, &paris(day, time)), marketing, "{day} {time}");
            assert_eq!(may(FRENCH, Service, &paris(day, time)), service, "{day} {time}");
        }
        assert_eq!(hours_of(FRENCH, Marketing).most(), Some(4));
        assert_eq!(hours_of(FRENCH, Service).most(), None);
    }

    #[test]
    fn a_country_of_many_zones_is_called_when_all_of_it_may_be() {
        let american = "+12125550100";
        let may = |at| may(american, CallPurpose::Marketing, at);
        assert!(!may("2026-11-26T09:00[America/New_York]"), "four in the morning in Honolulu");
        assert!(may("2026-11-26T13:00[America/New_York]"));
        assert!(!may("2026-11-26T21:00[America/New_York]"));
        let there = "America/New_York".parse().unwrap();
        let known =
            CallingHours::of(&american.parse().unwrap(), CallPurpose::Marketing, Some(&there));
        let at: jiff::ZonedDateTime = "2026-11-26T09:00[America/New_York]".parse().unwrap();
        assert!(known.unwrap().allow(at.timestamp()));
    }

    #[test]
    fn where_nothing_is_known_the_narrowest_holds() {
        let german = hours_of("+4930123456", CallPurpose::Marketing);
        assert!(german.source().contains("narrowest"));
        assert_eq!(german.rule.weekdays, UNKNOWN.weekdays);
    }

    #[test]
    fn numbers_that_are_not_called() {
        // Paid for by the caller, of a satellite, and none at all.
        for number in ["+33899123456", "+881612345678", "+33000000001"] {
            let Ok(number) = number.parse::<PhoneNumber>() else { continue };
            assert!(CallingHours::of(&number, CallPurpose::Service, None).is_err(), "{number}");
        }
    }

    #[test]
    fn the_next_moment_over_a_weekend() {
        let friday: jiff::ZonedDateTime = "2026-11-27T21:00[Europe/Paris]".parse().unwrap();
        let next = hours_of(FRENCH, CallPurpose::Marketing).next(friday.timestamp()).unwrap();
        let monday: jiff::ZonedDateTime = "2026-11-30T10:00[Europe/Paris]".parse().unwrap();
        assert_eq!(next, monday.timestamp());
    }

    #[test]
    fn hours_of_one_s_own_narrow_and_never_widen() {
        let window: CallingWindow = "6-9,19-22".parse().unwrap();
        let at = |time: &str| {
            let at: jiff::ZonedDateTime =
                format!("2026-11-26T{time}[Europe/Paris]").parse().unwrap();
            at.timestamp()
        };
        for (kind, anyway, time, allowed) in [
            (CallPurpose::Service, false, "07:30", false),
            (CallPurpose::Service, true, "07:30", true),
            (CallPurpose::Service, false, "08:30", true),
            (CallPurpose::Service, true, "10:00", false),
            (CallPurpose::Marketing, true, "08:30", false),
            (CallPurpose::Marketing, true, "19:30", true),
            (CallPurpose::Marketing, true, "20:30", false),
        ] {
            let hours = hours_of(FRENCH, kind).within(Some(&window)).anyway(anyway);
            assert_eq!(hours.allow(at(time)), allowed, "{kind} {anyway} {time}");
        }
        let hours = hours_of(FRENCH, CallPurpose::Service).within(Some(&window));
        assert_eq!(hours.next(at("10:00")), Some(at("19:00")));
    }

    proptest::proptest! {
        /// Over two years, both changes of the clock among them: whatever is allowed lies within the
        /// widest hours on the clock of the one who is called, and the next moment is allowed.
        #[test]
        fn never_at_night(minutes in 0_i64..(2 * 366 * 24 * 60)) {
            let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
            let at = begin + SignedDuration::from_mins(minutes);
            for kind in [CallPurpose::Service, CallPurpose::Marketing] {
                let hours = hours_of(FRENCH, kind);
                let there = at.to_zoned_datetime(TimeZone::get("Europe/Paris").unwrap());
                if hours.allow(at) {
                    proptest::prop_assert!((8..20).contains(&there.hour()));
                    proptest::prop_assert!(there.weekday() != Weekday::Sunday);
                }
                let next = hours.next(at).unwrap();
                proptest::prop_assert!(next >= at && hours.allow(next));
            }
        }
    }
}
