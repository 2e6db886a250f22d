//! The JSON Schema of an assistant's file, from the types that read it.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::domain::{AssistantName, AssistantSpec, SetName};

/// The schema beside the assistants, which their first line may name.
pub const SCHEMA_FILE: &str = "assistant.schema.json";

/// The schema, as editors read it.
pub fn schema() -> Value {
    // The draft that every TOML editor knows.
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<AssistantSpec>().to_value();
    let word = |name: &str| json!({ "type": "string", "description": name });
    let mut set = schemars::schema_for!(SetName).to_value();
    let mut old_name = schemars::schema_for!(AssistantName).to_value();
    for (one, text) in [
        (
            &mut set,
            "Whose files this one is of; `default` when not given. Pruning never crosses sets",
        ),
        (&mut old_name, "The name it had before: it is renamed, and keeps its calls"),
    ] {
        if let Some(object) = one.as_object_mut() {
            object.remove("$schema");
            object.remove("title");
            object.insert("description".to_owned(), text.into());
        }
    }
    let context_file =
        word("A text file beside this one with what the assistant is told, instead of `context`");
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "An assistant of webox".into());
        if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("set".to_owned(), set);
            properties.insert("moved_from".to_owned(), old_name);
            properties.insert("context_file".to_owned(), context_file);
        }
        object.insert("required".to_owned(), json!(["name", "client", "phone"]));
        object.insert(
            "oneOf".to_owned(),
            json!([{ "required": ["context"] }, { "required": ["context_file"] }]),
        );
    }
    schema
}
