//! What `Cargo.lock` names, held against `deny.toml` and a count: without the network, and where
//! cargo-deny is not at hand. Licences are cargo-deny's to read (`tests/dependencies/run`).

use std::{collections::BTreeMap, fs};

use super::files::root;

/// How many crates are there in more than one version. Less is better; more is a decision.
const IN_SEVERAL_VERSIONS: usize = 58;

fn table(name: &str) -> toml::Table {
    fs::read_to_string(root().join(name)).unwrap().parse().unwrap()
}

#[test]
fn what_is_linked_is_known() {
    let (lock, rules) = (table("Cargo.lock"), table("deny.toml"));
    let banned: Vec<&str> = rules["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["crate"].as_str())
        .collect();
    assert!(banned.contains(&"openssl-sys"), "{banned:?}");
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.contains(&name), "`{name}` is banned by deny.toml");
        let is_ours = [env!("CARGO_PKG_NAME"), "webox-fuzz"].contains(&name);
        if !is_ours {
            // From the public registry, and the bytes that were judged: no repository, no folder.
            let source = package.get("source").and_then(toml::Value::as_str).unwrap_or_default();
            assert!(
                source.starts_with("registry+") && package.get("checksum").is_some(),
                "{name}: {source}"
            );
        }
        *versions.entry(name).or_default() += 1;
    }
    let several: Vec<&str> =
        versions.iter().filter(|(_, count)| **count > 1).map(|(name, _)| *name).collect();
    assert!(
        several.len() <= IN_SEVERAL_VERSIONS,
        "{} crates are there in several versions, of at most {IN_SEVERAL_VERSIONS}: {several:?}",
        several.len()
    );
}
