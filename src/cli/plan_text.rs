//! A plan for people, for pull requests, and for scripts. Symbols carry the meaning, colours only
//! repeat it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::output::{Colour, Tone};
use crate::{
    domain::{Error, Result},
    operations::provisioning,
    provision::{Action, Change, Field, Plan},
};

fn mark(action: Action) -> (&'static str, &'static str, Tone) {
    match action {
        Action::Create => ("+", "create", Tone::Good),
        Action::Change => ("~", "change", Tone::Warning),
        Action::Adopt => ("=", "adopt", Tone::Faint),
        Action::Refresh => ("=", "same", Tone::Faint),
        Action::Delete => ("-", "delete", Tone::Bad),
    }
}

/// The plan as text.
pub(super) fn text(plan: &Plan, colour: Colour) -> String {
    let mut text = String::new();
    let width = plan.changes.iter().map(|change| change.name.as_str().len()).max().unwrap_or(0);
    for change in plan.changes.iter().filter(|change| change.action != Action::Refresh) {
        let (symbol, word, tone) = mark(change.action);
        let head = format!("{symbol} {:width$}  {word}", change.name.as_str());
        text.push_str(&colour.paint(tone, &head));
        for aside in asides(plan, change) {
            text.push_str(&format!("  ({aside})"));
        }
        text.push('\n');
        for field in &change.fields {
            text.push_str(&field_text(field, colour));
        }
        if let Some(why) = provisioning::why(change) {
            text.push_str(&format!("  {} {why}\n", colour.paint(Tone::Bad, "!")));
        }
    }
    for number in &plan.numbers {
        text.push_str(&format!(
            "{} {}  moves from {} to {}\n",
            colour.paint(Tone::Warning, ">"),
            number.number,
            number.from,
            number.to
        ));
    }
    if !plan.changes.is_empty() || !plan.numbers.is_empty() {
        text.push('\n');
    }
    if !plan.prune && !plan.orphans.is_empty() {
        let names: Vec<&str> =
            plan.orphans.iter().map(crate::domain::AssistantName::as_str).collect();
        text.push_str(&format!(
            "In no file, and left alone without --prune: {}\n\n",
            names.join(", ")
        ));
    }
    text.push_str(&summary(plan));
    text.push('\n');
    text
}

/// One line that sums the plan up.
pub(super) fn summary(plan: &Plan) -> String {
    let summary = plan.summary();
    if plan.is_empty() {
        let all = summary.unchanged + summary.adopt;
        return format!("No changes. {all} as the files say.");
    }
    let mut line = format!("Plan: {} to create, {} to change, ", summary.create, summary.change);
    if summary.adopt > 0 {
        line.push_str(&format!("{} to adopt, ", summary.adopt));
    }
    line.push_str(&format!("{} to delete, {} the same", summary.delete, summary.unchanged));
    if summary.blocked > 0 {
        line.push_str(&format!("; {} not without --overwrite", summary.blocked));
    }
    line.push('.');
    line
}

fn asides(plan: &Plan, change: &Change) -> Vec<String> {
    let mut asides = Vec::new();
    if let Some(old) = &change.renamed_from {
        asides.push(format!("renamed from {old}"));
    }
    let name = change.renamed_from.as_ref().unwrap_or(&change.name);
    if let Some(revision) = plan.revisions.get(name) {
        asides.push(format!("version {revision}"));
    }
    if change.set != crate::domain::SetName::usual() {
        asides.push(format!("set {}", change.set));
    }
    if change.action == Action::Delete && change.active {
        asides.push("in service".to_owned());
    }
    if change.live_calls > 0 {
        asides.push(format!("in {} calls now, which go on as they began", change.live_calls));
    }
    asides
}

/// Texts of several lines, or too long for one, are shown as a difference of lines.
fn is_long(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\n') || text.chars().count() > 100,
        Value::Array(_) => value.to_string().chars().count() > 100,
        _ => false,
    }
}

fn field_text(field: &Field, colour: Colour) -> String {
    let Field { path, before, after } = field;
    if path == "knowledge" {
        return documents_text(before, after, colour);
    }
    if is_long(before) || is_long(after) {
        let mut text = format!("    {path}:\n");
        for (tone, line) in lines(before, after) {
            text.push_str(&format!("      {}\n", colour.paint(tone, &line)));
        }
        return text;
    }
    match (before.is_null(), after.is_null()) {
        (true, _) => format!("    {path}: {}\n", shown(after)),
        (_, true) => format!("    {path}: {} → not set\n", shown(before)),
        _ => format!("    {path}: {} → {}\n", shown(before), shown(after)),
    }
}

/// Which documents come, go, or have another text; not the texts.
fn documents_text(before: &Value, after: &Value, colour: Colour) -> String {
    let read = |value: &Value| -> BTreeMap<String, String> {
        let list = value.as_array().into_iter().flatten();
        let word = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        list.map(|one| (word(one, "path"), word(one, "sha256"))).collect()
    };
    let (before, after) = (read(before), read(after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut text = "    knowledge:\n".to_owned();
    for path in paths {
        let (tone, word) = match (before.get(path), after.get(path)) {
            (None, _) => (Tone::Good, "+"),
            (_, None) => (Tone::Bad, "-"),
            (old, new) if old != new => (Tone::Warning, "~"),
            _ => continue,
        };
        let line = format!("{word} {}", path.replace(char::is_control, " "));
        text.push_str(&format!("      {}\n", colour.paint(tone, &line)));
    }
    text
}

/// A value on one line, without what could move a terminal's cursor.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace(char::is_control, " "),
        other => other.to_string().replace(char::is_control, " "),
    }
}

fn lines(before: &Value, after: &Value) -> Vec<(Tone, String)> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // One entry a line: a fact that changes does not hide the others.
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(Value::to_string).collect();
            entries.join("\n") + "\n"
        }
        other => other.to_string(),
    };
    let (before, after) = (text(before), text(after));
    crate::provision::line_diff(&before, &after)
        .into_iter()
        .map(|line| {
            let tone = match line.chars().next() {
                Some('+') => Tone::Good,
                Some('-') => Tone::Bad,
                Some('@') => Tone::Faint,
                _ => Tone::Plain,
            };
            (tone, line.replace(char::is_control, " "))
        })
        .collect()
}

/// The plan as a comment on a pull request.
pub(super) fn markdown(plan: &Plan) -> String {
    let mut text = format!("### webox plan\n\n{}\n", summary(plan));
    for why in plan.changes.iter().filter_map(provisioning::why) {
        text.push_str(&format!("\n> [!WARNING]\n> {}\n", escaped(&why)));
    }
    if plan.is_empty() {
        return text;
    }
    text.push_str("\n<details open><summary>Details</summary>\n\n");
    // A fence longer than any in the texts: what a client writes stays inside of it.
    let body = self::text(plan, Colour::OFF);
    let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let body = body.trim_end().rsplit_once("\n\n").map_or(body.as_str(), |(body, _)| body);
    // As a diff, pluses and minuses are coloured: they must stand at the beginning of a line.
    let body: Vec<String> = body
        .lines()
        .map(|line| match line.trim_start().chars().next() {
            Some(sign @ ('+' | '-')) if line.starts_with("      ") => {
                format!("{sign}     {}", &line.trim_start()[1..])
            }
            _ => line.to_owned(),
        })
        .collect();
    text.push_str(&format!("{fence}diff\n{}\n{fence}\n\n</details>\n", body.join("\n")));
    text
}

fn escaped(text: &str) -> String {
    text.replace('<', "&lt;").replace('\n', " ")
}

/// The plan as JSON.
pub(super) fn objects(plan: &Plan) -> Result<Vec<(&'static str, Value)>> {
    let value = serde_json::to_value(plan)
        .map_err(|cause| Error::failure("the plan cannot be printed").because(cause))?;
    let mut changes = value["changes"].clone();
    for change in changes.as_array_mut().into_iter().flatten() {
        // The fields say it; the whole is in the plan's file.
        if let Some(object) = change.as_object_mut() {
            object.remove("spec");
        }
    }
    Ok(vec![
        ("store_id", value["store_id"].clone()),
        ("sets", value["sets"].clone()),
        ("prune", value["prune"].clone()),
        ("revisions", value["revisions"].clone()),
        ("changes", changes),
        ("numbers", value["numbers"].clone()),
        ("orphans", value["orphans"].clone()),
        ("summary", json!(plan.summary())),
    ])
}
