//! An assistant written as TOML, the way a person would: what is as usual is left out.

use toml::{Table, Value};

use crate::domain::{AssistantSpec, Error, Result};

/// Keys a person sets anyway, kept even when they are as usual.
const ALWAYS: [&str; 2] = ["ai", "voice"];

/// The text of an assistant's file. [`super::read_text`] reads it back as the same assistant.
pub fn to_toml(spec: &AssistantSpec) -> Result<String> {
    let failed = |cause| {
        Error::failure(format!("assistant `{}` cannot be written as TOML", spec.name))
            .because(cause)
    };
    let mut table = Table::try_from(spec).map_err(failed)?;
    if !spec.knowledge.is_empty() {
        let paths = spec.knowledge.iter().map(|one| Value::String(one.path.to_string()));
        table.insert("knowledge".to_owned(), Value::Array(paths.collect()));
    }
    table.retain(|key, value| {
        ALWAYS.contains(&key) || !matches!(value, Value::Table(inner) if inner.is_empty())
    });
    let order = [
        "name",
        "client",
        "email",
        "phone",
        "context",
        "timezone",
        "active",
        "knowledge",
        "ai",
        "voice",
        "hearing",
        "hours",
        "facts",
        "booking",
        "transfer",
        "limits",
        "billing",
        "compliance",
        "screening",
        "memory",
        "after",
        "outbound",
        "twilio",
        "deliver",
        "alerts",
        "tools",
    ];
    // One document a key keeps this order; within tables TOML's own is as good as another.
    let mut text = String::new();
    for key in order {
        if let Some(value) = table.remove(key) {
            if let ("phone", Value::Table(phone)) = (key, &value) {
                // On one line: what follows are keys of the assistant, not of its number.
                text.push_str(&inline(key, phone));
                continue;
            }
            let is_section = value.is_table()
                || matches!(&value, Value::Array(list) if list.iter().any(Value::is_table));
            if is_section && !text.is_empty() {
                text.push('\n');
            }
            let one: Table = [(key.to_owned(), value)].into_iter().collect();
            text.push_str(&toml::to_string_pretty(&one).map_err(failed)?);
        }
    }
    Ok(text)
}

/// A small table on one line, `number` before what is to be done with it.
fn inline(key: &str, table: &Table) -> String {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| *key != "number");
    let entries: Vec<String> =
        entries.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{key} = {{ {} }}\n", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::provision::read_text;

    fn round_trip(text: &str) -> String {
        let spec = read_text("x", text).unwrap();
        let written = to_toml(&spec).unwrap();
        assert_eq!(read_text("x", &written).unwrap(), spec, "{written}");
        written
    }

    #[test]
    fn the_least_assistant_comes_back() {
        let text =
            round_trip("name = \"a\"\nclient = \"A\"\nphone = \"+33123456789\"\ncontext = \"x\"\n");
        assert!(text.starts_with("name = \"a\"\nclient = \"A\"\nphone = "), "{text}");
    }

    #[test]
    fn a_managed_number_comes_back_on_one_line() {
        let managed = "phone = { number = \"+33123456789\", manage = true }\n";
        let text = round_trip(&format!("name = \"a\"\nclient = \"A\"\n{managed}context = \"x\"\n"));
        assert!(text.contains(managed), "{text}");
        round_trip(
            "name = \"a\"\nclient = \"A\"\ncontext = \"x\"\n[phone]\nnumber = \"+33123456789\"\nmanage = true\n",
        );
    }

    #[test]
    fn the_example_comes_back() {
        round_trip(include_str!("../../assistants/le-gourmet.toml"));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(client in "[^\\p{Cc}]{1,40}\\PC", context in ".{0,80}(\n.{0,20}){0,3}", about in "\\PC{1,10}", max in 1u32..40) {
            let client = Value::String(format!("A{client}")).to_string();
            let context = Value::String(context).to_string();
            let about = Value::String(format!("a{about}")).to_string();
            round_trip(&format!(
                "name = \"a\"\nclient = {client}\nphone = \"+33123456789\"\ncontext = {context}\n\
                 [[facts]]\nabout = [{about}]\nanswer = {about}\n[booking]\nparty = {{ max = {max} }}\n"
            ));
        }
    }
}
