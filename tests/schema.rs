//! The JSON Schema of an assistant's file judges as webox itself does.

use std::fs;

use serde_json::Value;

use crate::support::cmd::Webox;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assistants");

#[test]
fn the_schema_is_current_and_judges_as_webox_does() {
    let printed = Webox::new().run(["schema"]).ok().stdout;
    let shipped = fs::read_to_string(format!("{FOLDER}/assistant.schema.json")).unwrap();
    assert!(printed == shipped, "run `webox schema > assistants/assistant.schema.json`");
    let schema: Value = serde_json::from_str(&printed).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let valid = |text: &str| {
        let table: toml::Table = text.parse().unwrap();
        schema.is_valid(&serde_json::to_value(table).unwrap())
    };
    let mut judged = 0;
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        let is_toml = path.extension().is_some_and(|end| end == "toml");
        if is_toml && !name.ends_with(".rehearsal.toml") {
            assert!(valid(&fs::read_to_string(&path).unwrap()), "{name}");
            judged += 1;
        }
    }
    assert_eq!(judged, 6);
    let good = "name = \"a\"\nclient = \"A\"\nphone = \"+33199000001\"\ncontext = \"x\"\n";
    for (more, expected) in [
        ("", true),
        ("set = \"paris\"\nmoved_from = \"b\"\n", true),
        ("[ai]\napi_key = { env = \"KEY\" }\n", true),
        ("[ai]\napi_key = \"sk-1\"\n", false),
        ("[ai]\napi_key = { env = \"KEY\", file = \"x\" }\n", false),
        ("[ai]\nmodle = \"x\"\n", false),
        ("[ai]\npersonality = \"rude\"\n", false),
        ("[booking]\nkind = \"appointment\"\nduration = \"20m\"\n", true),
        ("[booking]\nduration = \"soon\"\n", false),
        ("[hours]\nmonday = [\"12-14\"]\n", false),
        ("[hours]\nclosed = [\"25/12\"]\n", false),
        ("[voice]\nlanguage = \"French\"\n", false),
        ("context_file = \"a.md\"\n", false),
    ] {
        let text = format!("{good}{more}");
        let webox = Webox::new();
        webox.file("clients/a.toml", &text);
        let loaded = webox.run(["validate", "clients"]).code == 0;
        assert_eq!((loaded, valid(&text)), (expected, expected), "{more}");
    }
}
