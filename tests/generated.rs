//! What is generated and committed is as the program would generate it now.

use std::{collections::BTreeMap, path::Path};

use crate::support::cmd::Webox;

fn pages(folder: &Path) -> BTreeMap<String, String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn manual_pages_are_current() {
    let webox = Webox::new();
    webox.run(["man", "pages"]).ok();
    let fresh = pages(&webox.home().join("pages"));
    let committed = pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man"));
    assert_eq!(
        fresh.keys().collect::<Vec<_>>(),
        committed.keys().collect::<Vec<_>>(),
        "run `webox man man/`"
    );
    for (name, text) in &fresh {
        assert_eq!(text, &committed[name], "{name} is stale: run `webox man man/`");
    }
    assert!(fresh["webox.1"].contains("78"), "webox(1) has the exit codes");
}

#[test]
fn completions_are_generated_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        Webox::new().run(["completions", shell]).ok().prints("assistants").prints("since");
    }
}
