//! Values as people read them in tables: ages, lengths of time, bars.

use jiff::{Timestamp, ZonedDateTime};

/// How long ago something was, or its date when that is easier to grasp.
pub(super) fn age(at: Timestamp, now: &ZonedDateTime) -> String {
    let seconds = now.timestamp().as_second() - at.as_second();
    match seconds {
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..604_800 => format!("{} d ago", seconds / 86_400),
        _ => date_time(at, now),
    }
}

/// A date and a time in the zone of `now`: `2026-09-20 14:05`.
pub(super) fn date_time(at: Timestamp, now: &ZonedDateTime) -> String {
    at.to_zoned_datetime(now.time_zone().clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A date, a time and the zone's abbreviation: `2026-09-20 14:05 CEST`.
pub(super) fn date_time_zone(at: Timestamp, now: &ZonedDateTime) -> String {
    at.to_zoned_datetime(now.time_zone().clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// A length of time: `45 s`, `2 min 05 s`, `3 h 10 min`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A length in bytes: `512 B`, `3.4 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1_024.0, 0);
    while value >= 1_024.0 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Milliseconds: `85 ms`, `1.24 s`.
pub(super) fn milliseconds(ms: u32) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { format!("{:.2} s", f64::from(ms) / 1_000.0) }
}

/// A bar of at most `width` characters, in eighths of one.
pub(super) fn bar(value: u64, largest: u64, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if largest == 0 || value == 0 {
        return String::new();
    }
    let eighths = (value as f64 / largest as f64 * (width * 8) as f64).round() as usize;
    let eighths = eighths.clamp(1, width * 8);
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// A score of 0 to 5 as stars.
pub(super) fn stars(score: f64) -> String {
    let full = (score.round() as usize).min(5);
    format!("{}{}", "★".repeat(full), "☆".repeat(5 - full))
}

/// `1 call`, `2 calls`.
pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `1,234,567`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_well() {
        let now: ZonedDateTime = "2026-11-23T10:30:00+01:00[Europe/Paris]".parse().unwrap();
        let ago = |text: &str| age(text.parse().unwrap(), &now);
        assert_eq!(ago("2026-11-23T10:29:30+01:00"), "just now");
        assert_eq!(ago("2026-11-23T10:05:00+01:00"), "25 min ago");
        assert_eq!(ago("2026-11-22T20:00:00+01:00"), "14 h ago");
        assert_eq!(ago("2026-09-20T12:05:00Z"), "2026-09-20 14:05");
        assert_eq!(duration(125), "2 min 05 s");
        assert_eq!(duration(11_400), "3 h 10 min");
        assert_eq!(milliseconds(1_240), "1.24 s");
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(1, 1_000, 4), "▏");
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(stars(4.2), "★★★★☆");
        assert_eq!(count(1, "call", "calls"), "1 call");
        assert_eq!(count(1_234_567, "call", "calls"), "1,234,567 calls");
    }
}
