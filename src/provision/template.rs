//! Small templates in assistants' files, such as `{{ caller.name }}`: checked when a file is read,
//! filled in when something happens.

mod bounds;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, value::Serde};
use serde::Serialize;

use crate::domain::{
    AssistantSpec, DataSchema, DestinationKind, Error, MOST_SEGMENTS, Result, Wording,
    did_you_mean, sms_segments,
};

/// Steps that a template may take: a line of text needs a few dozen, a loop may go on for ever.
const STEPS: u64 = 10_000;

/// The most that a template may come to, in characters; and one that has a whole call in it.
const LONGEST: usize = 4_000;
const LONGEST_CALL: usize = 100_000;

/// What a template may name, and what is in it; an empty list stands for a plain value.
pub type Names<'a> = [(&'a str, &'a [&'a str])];

/// What the templates of `[[deliver]]` may name: parts of what is delivered.
pub const DELIVERED: &Names<'static> = &[
    ("event", &[]),
    ("assistant", &["id", "name", "client_name", "twilio_phone_number", "voice_language"]),
    ("caller", &["number", "name", "language"]),
    (
        "call",
        &[
            "id",
            "assistant_id",
            "assistant",
            "assistant_revision",
            "call_sid",
            "from_number",
            "to_number",
            "duration",
            "status",
            "satisfaction_score",
            "satisfaction_source",
            "satisfaction_why",
            "line",
            "language",
            "end_reason",
            "outcome",
            "topic",
            "summary",
            "summary_source",
            "extract",
            "disclosed_at",
            "recording_consent",
            "direction",
            "answered_by",
            "started_at",
            "ended_at",
        ],
    ),
    (
        "booking",
        &[
            "id",
            "reference",
            "status",
            "assistant_id",
            "call_id",
            "name",
            "party",
            "caller",
            "service",
            "resource",
            "nights",
            "note",
            "language",
            "at",
            "timezone",
            "starts_at",
            "ends_at",
            "free_at",
            "created_at",
            "updated_at",
            "cancelled_at",
        ],
    ),
    ("message", &["caller", "name", "text", "recording_url", "recording_duration", "created_at"]),
    ("transfer", &["number"]),
    ("turns", &[]),
    ("bookings", &[]),
    ("messages", &[]),
    ("extract", &[]),
];

/// What the texts of SMS and e-mails may name, as people write it: `vendredi 27 novembre à 20 h`.
pub const NOTICED: &Names<'static> = &[
    ("client", &[]),
    ("name", &[]),
    ("number", &[]),
    ("who", &[]),
    ("when", &[]),
    ("date", &[]),
    ("time", &[]),
    ("people", &[]),
    ("party", &[]),
    ("nights", &[]),
    ("service", &[]),
    ("resource", &[]),
    ("note", &[]),
    ("reference", &[]),
    ("booking", &[]),
    ("message", &[]),
    ("to", &[]),
    ("duration", &[]),
    ("transcript", &[]),
    ("summary", &[]),
    ("topic", &[]),
    ("outcome", &[]),
    ("satisfaction", &[]),
    ("why", &[]),
    ("extract", &[]),
    ("happened", &[]),
    ("language", &[]),
    ("event", &[]),
];

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // What may come to any length, whatever it is given; `replace` comes to no more than this.
    for endless in ["indent", "format", "batch", "slice"] {
        environment.remove_filter(endless);
    }
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    // What is not there is nothing: there is no booking in most calls.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(STEPS));
    environment
}

/// The filter `replace`, which otherwise makes a long text of a short one, again and again.
fn replace(text: &str, from: &str, to: &str) -> std::result::Result<String, minijinja::Error> {
    let length = text.len().saturating_add(text.matches(from).count().saturating_mul(to.len()));
    if length > LONGEST_CALL {
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, "the text is too long"));
    }
    Ok(text.replace(from, to))
}

/// The filter `join`, for the same reason.
fn join(values: Value, between: Option<String>) -> std::result::Result<String, minijinja::Error> {
    let (mut joined, between) = (String::new(), between.unwrap_or_default());
    for (at, value) in values.try_iter()?.enumerate() {
        if at > 0 {
            joined.push_str(&between);
        }
        joined.push_str(&value.to_string());
        if joined.len() > LONGEST_CALL {
            return Err(minijinja::Error::new(ErrorKind::InvalidOperation, "the text is too long"));
        }
    }
    Ok(joined)
}

/// Reads a template that is of a size that anybody needs.
fn read<'e>(
    environment: &'e Environment<'_>,
    template: &'e str,
) -> std::result::Result<minijinja::Template<'e, 'e>, minijinja::Error> {
    bounds::check(template)
        .map_err(|what| minijinja::Error::new(ErrorKind::SyntaxError, what))
        .and_then(|()| environment.template_from_str(template))
}

/// What a template names. Only known when it is read: what a call brings along is named by whoever
/// asks for the call.
pub fn named(template: &str) -> std::result::Result<Vec<String>, String> {
    let environment = environment();
    let read = read(&environment, template).map_err(|error| {
        let detail = error.detail().map_or_else(|| error.to_string(), str::to_owned);
        format!("is no template: {detail}")
    })?;
    let mut named: Vec<String> = read.undeclared_variables(false).into_iter().collect();
    named.sort();
    Ok(named)
}

/// What a template comes to when all that it names must be there, unless it says what to do without:
/// `{{ name | default('Madame, Monsieur') }}`.
pub fn fill_in_whole(template: &str, values: &impl Serialize) -> Result<String> {
    let mut environment = environment();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    let values = serde_json::to_value(values)
        .map_err(|cause| Error::failure("a template has no values").because(cause))?;
    let missing: Vec<String> = named(template)
        .unwrap_or_default()
        .into_iter()
        .filter(|name| values.get(name).is_none())
        .collect();
    let filled = read(&environment, template)
        .and_then(|read| read.render(Value::from(Serde(values))))
        .map_err(|cause| {
            let needs = Error::input("a template cannot be filled in").because(cause);
            match missing.first() {
                Some(name) => needs.hint(format!("give `{name}`")),
                None => needs,
            }
        })?;
    Ok(filled.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect())
}

/// Whether a template can be read, whatever it names.
fn readable(template: &str) -> std::result::Result<(), String> {
    let named = named(template)?;
    let values: std::collections::BTreeMap<_, _> =
        named.iter().map(|name| (name.as_str(), "x")).collect();
    fill_in(template, &values).map(drop).map_err(|error| {
        let cause = error.causes().into_iter().next().unwrap_or_default();
        format!("is no template: {cause}")
    })
}

/// Whether a template can be read and names only what there is; otherwise what is wrong with it.
pub fn check(template: &str, names: &Names<'_>) -> std::result::Result<(), String> {
    let environment = environment();
    let read = read(&environment, template).map_err(|error| {
        let detail = error.detail().map_or_else(|| error.to_string(), str::to_owned);
        format!("is no template: {detail}")
    })?;
    // Words for filters and functions are looked up only when they are used.
    if let Err(error) = read.render(Value::UNDEFINED)
        && matches!(
            error.kind(),
            ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownTest
        )
    {
        let detail = error.detail().map_or_else(|| error.to_string(), str::to_owned);
        return Err(format!("is no template: {detail}"));
    }
    let mut named: Vec<String> = read.undeclared_variables(true).into_iter().collect();
    named.sort();
    for path in named {
        let mut parts = path.split('.');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next());
        let Some((_, inside)) = names.iter().find(|(name, _)| *name == first) else {
            let known = names.iter().map(|(name, _)| *name);
            return Err(unknown(&path, did_you_mean(first, known.clone()), known));
        };
        let Some(second) = second.filter(|_| !inside.is_empty()) else { continue };
        if !inside.contains(&second) {
            let known = inside.iter().copied();
            return Err(unknown(&path, did_you_mean(second, known.clone()), known));
        }
    }
    Ok(())
}

fn unknown<'a>(
    path: &str,
    near: impl IntoIterator<Item = impl AsRef<str>>,
    known: impl Iterator<Item = &'a str>,
) -> String {
    if let Some(near) = near.into_iter().next() {
        return format!("names `{path}`, which there is not; did you mean `{}`?", near.as_ref());
    }
    let known: Vec<&str> = known.collect();
    format!("names `{path}`, which there is not; there is {}", known.join(", "))
}

/// What a template comes to. A value that is null is one that is not there.
pub fn fill_in(template: &str, values: &impl Serialize) -> Result<String> {
    filled_in(template, values, LONGEST)
}

/// The same of a text that may have a whole call in it.
pub fn fill_in_long(template: &str, values: &impl Serialize) -> Result<String> {
    filled_in(template, values, LONGEST_CALL)
}

fn filled_in(template: &str, values: &impl Serialize, longest: usize) -> Result<String> {
    let mut values = serde_json::to_value(values)
        .map_err(|cause| Error::failure("a template has no values").because(cause))?;
    take_out_nulls(&mut values);
    let environment = environment();
    let filled = read(&environment, template)
        .and_then(|read| read.render(Value::from(Serde(values))))
        .map_err(|cause| Error::input("a template cannot be filled in").because(cause))?;
    Ok(filled.trim().chars().take(longest).collect())
}

fn take_out_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(take_out_nulls);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(take_out_nulls),
        _ => {}
    }
}

/// Every rule that holds for an assistant, its templates included; the first one broken.
pub fn check_spec(spec: &AssistantSpec) -> Result<()> {
    spec.check()?;
    if let Some(outbound) = &spec.outbound {
        let texts =
            [("greeting", Some(&outbound.greeting)), ("message", outbound.message.as_ref())];
        for (field, text) in texts {
            let Some(text) = text else { continue };
            readable(text).map_err(|what| {
                Error::input(format!("assistant `{}`: `outbound.{field}` {what}", spec.name))
            })?;
        }
    }
    for (at, place) in spec.deliver.iter().enumerate() {
        for (field, template) in &place.fields {
            let checked = check(template, DELIVERED).and_then(|()| found_out(template, spec));
            checked.map_err(|what| {
                Error::input(format!(
                    "assistant `{}`: `deliver[{at}].fields.{field}` {what}",
                    spec.name
                ))
            })?;
        }
        let own = place.text.iter().map(|text| ("text".to_owned(), text));
        let own = own.chain(place.texts.iter().map(|(event, t)| (format!("texts.{event}"), t)));
        for (key, text) in own.chain(place.subject.iter().map(|text| ("subject".to_owned(), text)))
        {
            let checked = check(text, NOTICED).and_then(|()| match place.to {
                DestinationKind::Sms => short_enough(text),
                _ => Ok(()),
            });
            checked.map_err(|what| {
                Error::input(format!("assistant `{}`: `deliver[{at}].{key}` {what}", spec.name))
            })?;
        }
    }
    for (at, tool) in spec.tools.iter().enumerate() {
        let named = tool.named();
        let names: Vec<(&str, &[&str])> =
            named.iter().map(|name| (*name, &[] as &[&str])).collect();
        for (key, words) in [("say", &tool.say), ("not_found", &tool.not_found)] {
            for (language, text) in words.iter().flat_map(Wording::texts) {
                check(text, &names).map_err(|what| {
                    let field = format!("tools[{at}].{key}{language}");
                    Error::input(format!("assistant `{}`: `{field}` {what}", spec.name))
                })?;
            }
        }
    }
    Ok(())
}

/// Whether a template names only what the file has found out, of `extract`.
fn found_out(template: &str, spec: &AssistantSpec) -> std::result::Result<(), String> {
    let environment = environment();
    let Ok(read) = read(&environment, template) else { return Ok(()) };
    let known = || spec.after.extract.iter().flat_map(DataSchema::names);
    let named = read.undeclared_variables(true);
    let mut unknown_ones: Vec<(&String, &str)> = named
        .iter()
        .filter_map(|path| {
            let inside = path.strip_prefix("call.").unwrap_or(path).strip_prefix("extract.")?;
            let first = inside.split('.').next().unwrap_or_default();
            (!known().any(|name| name == first)).then_some((path, first))
        })
        .collect();
    unknown_ones.sort_unstable();
    match unknown_ones.first() {
        None => Ok(()),
        Some((path, _)) if known().next().is_none() => {
            Err(format!("names `{path}`, and the file has nothing found out: `after.extract`"))
        }
        Some((path, first)) => Err(unknown(path, did_you_mean(first, known()), known())),
    }
}

/// Whether an SMS is not too long even when nothing is filled in.
fn short_enough(text: &str) -> std::result::Result<(), String> {
    let Ok(bare) = fill_in(text, &serde_json::Map::new()) else { return Ok(()) };
    let parts = sms_segments(&bare);
    if parts <= MOST_SEGMENTS {
        return Ok(());
    }
    Err(format!("comes to {parts} SMS or more, and each is paid for: at most {MOST_SEGMENTS}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_is_filled_in_and_what_is_not_is_nothing() {
        let values = json!({ "caller": { "name": "Zoé", "number": "+33612345678" }, "n": 3, "booking": null, "message": { "name": null } });
        let fill = |template| fill_in(template, &values).unwrap();
        assert_eq!(fill("Phone"), "Phone");
        assert_eq!(fill(" {{ caller.name | upper }} <{{ caller.number }}>"), "ZOÉ <+33612345678>");
        assert_eq!(fill("{{ booking.name }}{{ message.name }}"), "");
        assert_eq!(fill("{{ message.name | default('–') }}"), "–");
        assert_eq!(fill("{{ booking.guest.name | default('–') }}"), "–");
        assert_eq!(fill("{% if n > 2 %}many{% endif %}"), "many");
    }

    #[test]
    fn a_template_cannot_go_on_for_ever() {
        let loops = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(fill_in(loops, &json!({})).is_err());
        let long = fill_in("{{ 'x' * 9000 }}", &json!({})).map_or(0, |text| text.len());
        assert!(long <= LONGEST);
    }

    #[test]
    fn mistakes_are_told_when_a_file_is_read() {
        assert_eq!(check("{{ caller.name }} {{ call.started_at[:10] }}", DELIVERED), Ok(()));
        assert_eq!(check("{{ turns | length }}", DELIVERED), Ok(()));
        let told = |template| check(template, DELIVERED).unwrap_err();
        assert!(told("{{ caller.nam }}").contains("did you mean `name`"));
        assert!(told("{{ callr.name }}").contains("did you mean `caller`"));
        assert!(told("{{ caller.name ").starts_with("is no template: "));
        assert!(told("{{ caller.name | shout }}").contains("shout"));
    }
}
