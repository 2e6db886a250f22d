//! What a program that checks nothing may have put into a column, read as what it should be.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::store::prototype::Value;

/// A value of another type, or one that says nothing we know.
#[derive(Debug)]
pub(super) struct Unreadable;

type Reading<T> = Result<Option<T>, Unreadable>;

/// Text without spaces around it; nothing when it is empty.
pub(super) fn text(value: &Value) -> Reading<String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.trim().to_owned(),
        Value::Bytes => return Err(Unreadable),
    };
    Ok((!text.is_empty()).then_some(text))
}

/// A number, also one written as text.
pub(super) fn number(value: &Value) -> Reading<f64> {
    match value {
        Value::Null => Ok(None),
        Value::Integer(number) => Ok(Some(*number as f64)),
        Value::Real(number) => Ok(Some(*number)),
        Value::Text(text) if text.trim().is_empty() => Ok(None),
        Value::Text(text) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(Unreadable),
        },
        Value::Bytes => Err(Unreadable),
    }
}

/// SQLAlchemy writes 0 and 1; other hands write words.
pub(super) fn boolean(value: &Value) -> Reading<bool> {
    let Some(text) = text(value)? else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" => Ok(Some(true)),
        "0" | "false" | "f" | "no" => Ok(Some(false)),
        _ => Err(Unreadable),
    }
}

/// `2026-01-31 14:05:06.123456` in UTC as SQLAlchemy writes it, with a `T` or an offset as ISO 8601
/// has them, or Unix seconds.
pub(super) fn moment(value: &Value) -> Reading<Timestamp> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Text(text) if text.trim().is_empty() => return Ok(None),
        Value::Text(text) => text.trim(),
        Value::Integer(seconds) if is_unix(*seconds as f64) => {
            return Timestamp::from_second(*seconds).map(Some).map_err(|_| Unreadable);
        }
        Value::Real(seconds) if is_unix(*seconds) => {
            let ms = (seconds * 1_000.0).round() as i64;
            return Timestamp::from_millisecond(ms).map(Some).map_err(|_| Unreadable);
        }
        Value::Integer(_) | Value::Real(_) | Value::Bytes => return Err(Unreadable),
    };
    // An instant first: a civil date-time would accept it too, and drop its offset.
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    text.parse::<DateTime>()
        .and_then(|utc| TimeZone::UTC.to_timestamp(utc))
        .map(Some)
        .map_err(|_| Unreadable)
}

/// Between 2001 and 2286: a smaller number is something else, a greater one are milliseconds.
fn is_unix(seconds: f64) -> bool {
    (1e9..1e10).contains(&seconds)
}

/// A value as a reason shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Integer(number) => format!("`{number}`"),
        Value::Real(number) => format!("`{number}`"),
        Value::Text(text) => {
            let short: String = text.chars().take(40).collect();
            format!("`{}`", short.escape_debug())
        }
        Value::Bytes => "a value that is no text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn moments_in_all_the_forms_of_sqlalchemy() {
        for text in [
            "2026-01-31 14:05:06.000000",
            "2026-01-31 14:05:06",
            "2026-01-31T14:05:06",
            "2026-01-31T14:05:06.000Z",
            "2026-01-31 15:05:06+01:00",
            " 2026-01-31 14:05:06 ",
        ] {
            let at = moment(&text_of(text)).ok().flatten().map(|at| at.to_string());
            assert_eq!(at.as_deref(), Some("2026-01-31T14:05:06Z"), "{text}");
        }
        let unix = moment(&Value::Integer(1_769_868_306)).ok().flatten();
        assert_eq!(unix.unwrap().to_string(), "2026-01-31T14:05:06Z");
        assert_eq!(moment(&text_of("")).unwrap(), None);
        for wrong in ["31/01/2026 14:05:06", "hier", "2026-13-01 00:00:00"] {
            assert!(moment(&text_of(wrong)).is_err(), "{wrong}");
        }
        assert!(moment(&Value::Integer(12)).is_err());
    }

    #[test]
    fn other_types_than_the_columns_promise() {
        assert_eq!(number(&text_of(" 4.5 ")).unwrap(), Some(4.5));
        assert!(number(&text_of("NaN")).is_err());
        assert!(number(&text_of("beaucoup")).is_err());
        assert_eq!(boolean(&Value::Real(1.0)).unwrap(), Some(true));
        assert_eq!(boolean(&text_of("False")).unwrap(), Some(false));
        assert!(boolean(&Value::Integer(7)).is_err());
        assert_eq!(text(&Value::Integer(33)).unwrap().as_deref(), Some("33"));
        assert!(text(&Value::Bytes).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(raw in ".{0,60}") {
            let value = Value::Text(raw);
            let _ = (moment(&value).is_ok(), number(&value).is_ok(), boolean(&value).is_ok());
            let _ = shown(&value);
        }
    }
}
