//! What `Cargo.lock` names, held against `deny.toml` and a count: without the network, and where
//! cargo-deny is not at hand. Licences are cargo-deny's to read (`tests/dependencies/run`).

use std::{collections::BTreeMap, fs};

use super::files::root;

/// How many crates are there in more than one version. Less is better; more is a decision.
const IN_SEVERAL_VERSIONS: usize = 59;

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

#[test]
fn packages_bring_the_terms_of_what_is_linked() {
    let ran = std::process::Command::new(root().join("packaging/licences"))
        .current_dir(root())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told = String::from_utf8(ran.stdout).unwrap();
    let terms: BTreeMap<&str, &str> = told
        .lines()
        .take_while(|line| !line.starts_with("==="))
        .filter_map(|line| line.split_once(": "))
        .collect();
    let of = |name: &str| terms.iter().find(|(it, _)| it.split(' ').next() == Some(name));
    let (_, rusqlite) = of("rusqlite").unwrap();
    assert!(rusqlite.starts_with("MIT."), "{rusqlite}");
    // In the program by way of others; and those that are in tests and in the compiler alone.
    assert!(of("aws-lc-sys").is_some() && of("libsqlite3-sys").is_some());
    for name in ["proptest", "insta", "serde_derive", "cc", "webox"] {
        assert!(of(name).is_none(), "{name}");
    }
    for text in
        ["Permission is hereby granted, free of charge", "Apache License", "Redistribution and use"]
            .into_iter()
            // The allocator's own, which is not that of the crate around it.
            .chain(["2002-present Jason Evans"])
    {
        assert!(told.contains(text), "{text}");
    }
    let deb = &table("Cargo.toml")["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    assert!(assets.iter().any(|it| it[0].as_str() == Some("target/third-party.txt")));
}
