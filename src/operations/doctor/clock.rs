//! The time: Twilio's clock beside ours, and what is known of time zones.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{Case, Finding, Group};

const GROUP: Group = Group::Clock;

/// HTTP tells the time to the second, and an answer takes some of it.
const STEADY: SignedDuration = SignedDuration::from_secs(5);

/// Bookings, reminders and bills are to the minute.
const WRONG: SignedDuration = SignedDuration::from_mins(1);

/// Zones that the world's callers and the agency's bills need.
const ZONES: [&str; 3] = ["Europe/Paris", "America/New_York", "Asia/Tokyo"];

pub(super) async fn look(case: Case) -> Vec<Finding> {
    let mut found = Vec::new();
    if case.wanted.offline {
        found.push(GROUP.skipped("skew", "left out: --offline"));
    } else {
        found.push(skew(&case).await);
    }
    found.push(zones());
    found
}

/// Twilio's clock and not that of the public URL, which is mostly our own.
async fn skew(case: &Case) -> Finding {
    let url = &case.here.twilio_url;
    let Ok(reached) = case.reach.ask(url).await else {
        return GROUP.skipped("skew", format!("{url} cannot be asked for the time"));
    };
    let Some(theirs) = reached.date else {
        return GROUP.skipped("skew", format!("{url} does not tell the time"));
    };
    judged(theirs, (case.here.clock)())
}

fn judged(theirs: Timestamp, ours: Timestamp) -> Finding {
    let off = ours.duration_since(theirs);
    let (length, seconds) = (off.abs(), off.abs().as_secs());
    let side = if off.is_negative() { "behind" } else { "ahead of" };
    let seen = format!("{seconds} s {side} Twilio's clock");
    let advice = "have this machine set its clock: `timedatectl set-ntp true`";
    if length <= STEADY {
        GROUP.ok("skew", format!("within {} s of Twilio's clock", STEADY.as_secs()))
    } else if length < WRONG {
        GROUP.warning("skew", seen, advice)
    } else {
        GROUP.problem("skew", seen, advice)
    }
}

fn zones() -> Finding {
    let missing: Vec<&str> =
        ZONES.into_iter().filter(|zone| TimeZone::get(zone).is_err()).collect();
    if !missing.is_empty() {
        let seen = format!("nothing is known of {}", missing.join(", "));
        return GROUP.problem("zones", seen, "install this system's tzdata, or build webox anew");
    }
    match TimeZone::try_system() {
        Ok(zone) => {
            let name = zone.iana_name().map_or_else(String::new, |name| format!(", here {name}"));
            GROUP.ok("zones", format!("the zones of the world are known{name}"))
        }
        Err(_) => GROUP.warning(
            "zones",
            "this system does not say in which zone it is: the terminal shows UTC",
            "set `timezone` in webox.toml, or `timedatectl set-timezone Europe/Paris`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_by_degrees_on_both_sides() {
        let now: Timestamp = "2026-11-27T10:00:00Z".parse().unwrap();
        let of =
            |seconds: i64| judged(now + SignedDuration::from_secs(seconds), now).verdict.as_str();
        assert_eq!([of(0), of(4), of(-5)], ["ok"; 3]);
        assert_eq!([of(6), of(-59)], ["warning"; 2]);
        assert_eq!([of(60), of(-86_400)], ["problem"; 2]);
        let told = judged(now - SignedDuration::from_mins(2), now);
        assert_eq!(told.seen, "120 s ahead of Twilio's clock");
    }
}
