//! What applying files would do to the store: a pure comparison of what the files say, what they
//! last said, and what the store has.
//!
//! | files = store | files = last | store = last | verdict |
//! |---|---|---|---|
//! | yes | | | in sync; taken note of when it was not |
//! | no | yes | no | drift: changed by hand, the files did not |
//! | no | no | yes | an ordinary change |
//! | no | no | no | both changed |
//! | no | never applied | | made by hand |

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Loaded;
use crate::{
    document::Problem,
    domain::{AssistantId, AssistantName, AssistantSpec, Author, Digest, PhoneNumber, SetName},
    store::versions::Standing,
};

/// What happens to an assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed, and perhaps renamed.
    Change,
    /// It stays as it is, and belongs to the files from now on.
    Adopt,
    /// It stays as it is: by hand it was made what the files say now.
    Refresh,
    /// It is taken out of service; its calls stay.
    Delete,
}

/// A field that differs. Secrets are references: their values are in no file and in no plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Such as `voice.greeting`.
    pub path: String,
    /// In the store; null when not set.
    pub before: Value,
    /// In the file; null when not set.
    pub after: Value,
}

/// What was changed by hand since the files were last applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The fields: from what the files last said, to what the store has.
    pub fields: Vec<Field>,
    /// Who changed it last.
    pub author: Author,
    /// When.
    pub at: Timestamp,
}

/// Why a change is not made unless it is asked for with `--overwrite`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// It was changed by hand.
    Drift(Drift),
    /// It was made by hand, and is not as the file says.
    MadeByHand {
        /// By whom.
        author: Author,
        /// When it was last changed.
        at: Timestamp,
    },
    /// It is in the files of another set.
    OtherSet(SetName),
}

/// What happens to one assistant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its name afterwards.
    pub name: AssistantName,
    /// Whose files it is in.
    pub set: SetName,
    /// What happens.
    pub action: Action,
    /// Its name before, when it is renamed.
    pub renamed_from: Option<AssistantName>,
    /// Its row, when there is one.
    pub id: Option<AssistantId>,
    /// What differs.
    pub fields: Vec<Field>,
    /// Why it is not done unasked.
    pub block: Option<Block>,
    /// Whether it answers callers now; for a deletion.
    pub active: bool,
    /// Calls it is in now; for a deletion.
    pub live_calls: u64,
    /// What is to be set; nothing when it is deleted.
    pub spec: Option<AssistantSpec>,
}

/// A number that another assistant will answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberMove {
    /// The number.
    pub number: PhoneNumber,
    /// Who answers it now.
    pub from: AssistantName,
    /// Who will.
    pub to: AssistantName,
}

/// Everything that would happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The store it was made for.
    pub store_id: String,
    /// The sets whose files were given.
    pub sets: Vec<SetName>,
    /// Whether what is in no file is deleted.
    pub prune: bool,
    /// What happens, by name.
    pub changes: Vec<Change>,
    /// Numbers that change hands.
    pub numbers: Vec<NumberMove>,
    /// The revision of every assistant that the plan was made from.
    pub revisions: BTreeMap<AssistantName, i64>,
    /// How many stay as they are.
    pub unchanged: usize,
    /// Those of the sets that are in no file; deleted with `--prune` only.
    pub orphans: Vec<AssistantName>,
    /// Texts of documents that the assistants to be made or changed do not have yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<Digest, String>,
}

/// How much of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Made.
    pub create: usize,
    /// Changed.
    pub change: usize,
    /// Taken over as they are.
    pub adopt: usize,
    /// Taken out of service.
    pub delete: usize,
    /// As they were.
    pub unchanged: usize,
    /// Not done unasked: changed or made by hand, or in the files of another set.
    pub blocked: usize,
}

impl Plan {
    /// How much of what.
    pub fn summary(&self) -> Summary {
        let count = |action| self.changes.iter().filter(|change| change.action == action).count();
        Summary {
            create: count(Action::Create),
            change: count(Action::Change),
            adopt: count(Action::Adopt),
            delete: count(Action::Delete),
            unchanged: self.unchanged + count(Action::Refresh),
            blocked: self.changes.iter().filter(|change| change.block.is_some()).count(),
        }
    }

    /// Whether no assistant would be another one than before.
    pub fn is_empty(&self) -> bool {
        let silent = |change: &Change| {
            matches!(change.action, Action::Adopt | Action::Refresh) && change.block.is_none()
        };
        self.changes.iter().all(silent)
    }

    /// The plan with the texts of its documents where its assistants name them.
    #[must_use]
    pub fn with_texts(mut self) -> Self {
        let named = self.changes.iter_mut().filter_map(|change| change.spec.as_mut());
        for document in named.flat_map(|spec| &mut spec.knowledge) {
            if document.text.is_none() {
                document.text =
                    self.documents.get(&document.sha256).map(|text| text.as_str().into());
            }
        }
        self
    }
}

/// Compares files with the store. Numbers that the store gives to others are problems of the files.
pub fn plan(
    store_id: &str,
    files: &[Loaded],
    standings: &[Standing],
    prune: bool,
) -> Result<Plan, Vec<Problem>> {
    let by_name: BTreeMap<&AssistantName, &Standing> =
        standings.iter().map(|standing| (&standing.assistant.spec.name, standing)).collect();
    let mut matched = BTreeSet::new();
    let mut plan = Plan {
        store_id: store_id.to_owned(),
        sets: Vec::new(),
        prune,
        changes: Vec::new(),
        numbers: Vec::new(),
        revisions: BTreeMap::new(),
        unchanged: 0,
        orphans: Vec::new(),
        documents: BTreeMap::new(),
    };
    let sets: BTreeSet<&SetName> = files.iter().map(|file| &file.file.set).collect();
    plan.sets = sets.iter().map(|set| (*set).clone()).collect();
    for Loaded { file, .. } in files {
        let standing =
            by_name.get(&file.spec.name).or_else(|| by_name.get(file.moved_from.as_ref()?));
        if let Some(standing) = standing {
            matched.insert(standing.assistant.id);
            let assistant = &standing.assistant;
            plan.revisions.insert(assistant.spec.name.clone(), assistant.revision);
        }
        match change(file, standing.copied()) {
            Some(change) => {
                plan.documents.extend(new_texts(&change, standing.copied()));
                plan.changes.push(change);
            }
            None => plan.unchanged += 1,
        }
    }
    for standing in standings.iter().filter(|standing| !matched.contains(&standing.assistant.id)) {
        let Some(set) = standing.set.as_ref().filter(|set| sets.contains(set)) else { continue };
        let name = &standing.assistant.spec.name;
        plan.orphans.push(name.clone());
        if prune {
            plan.revisions.insert(name.clone(), standing.assistant.revision);
            plan.changes.push(deletion(standing, set));
        }
    }
    plan.changes.sort_by(|a, b| a.name.cmp(&b.name));
    numbers(&mut plan, files, standings)?;
    Ok(plan)
}

fn change(file: &super::File, standing: Option<&Standing>) -> Option<Change> {
    let spec = &file.spec;
    let mut change = Change {
        name: spec.name.clone(),
        set: file.set.clone(),
        action: Action::Create,
        renamed_from: None,
        id: None,
        fields: Vec::new(),
        block: None,
        active: spec.active,
        live_calls: 0,
        spec: Some(spec.clone()),
    };
    let Some(standing) = standing else {
        change.fields = set_fields(spec);
        return Some(change);
    };
    let now = &standing.assistant;
    change.id = Some(now.id);
    change.live_calls = standing.live_calls;
    change.renamed_from = (now.spec.name != spec.name).then(|| now.spec.name.clone());
    if now.spec == *spec {
        let ours = standing.set.as_ref() == Some(&file.set);
        change.action = if ours { Action::Refresh } else { Action::Adopt };
        change.block = other_set(standing, file);
        let noted = ours && standing.applied.as_ref() == Some(spec);
        return (!noted).then_some(change);
    }
    change.action = Action::Change;
    change.fields = differences(&now.spec, spec);
    change.block = other_set(standing, file).or_else(|| match (&standing.set, &standing.applied) {
        (Some(_), Some(applied)) if *applied == now.spec => None,
        (Some(_), Some(applied)) => Some(Block::Drift(Drift {
            fields: differences(applied, &now.spec),
            author: standing.author.clone(),
            at: now.updated_at,
        })),
        _ => Some(Block::MadeByHand { author: standing.author.clone(), at: now.updated_at }),
    });
    Some(change)
}

/// The texts that an assistant does not have yet.
fn new_texts(change: &Change, standing: Option<&Standing>) -> Vec<(Digest, String)> {
    let known = standing.map_or(&[][..], |standing| &standing.assistant.spec.knowledge);
    let named = change.spec.iter().flat_map(|spec| &spec.knowledge);
    named
        .filter(|document| known.iter().all(|known| known.sha256 != document.sha256))
        .filter_map(|one| Some((one.sha256.clone(), one.text.as_ref()?.to_string())))
        .collect()
}

fn other_set(standing: &Standing, file: &super::File) -> Option<Block> {
    let set = standing.set.as_ref()?;
    (*set != file.set).then(|| Block::OtherSet(set.clone()))
}

fn deletion(standing: &Standing, set: &SetName) -> Change {
    let spec = &standing.assistant.spec;
    let drifted = standing.applied.as_ref().is_none_or(|applied| applied != spec);
    let block = drifted.then(|| {
        Block::Drift(Drift {
            fields: standing.applied.as_ref().map_or_else(Vec::new, |old| differences(old, spec)),
            author: standing.author.clone(),
            at: standing.assistant.updated_at,
        })
    });
    Change {
        name: spec.name.clone(),
        set: set.clone(),
        action: Action::Delete,
        renamed_from: None,
        id: Some(standing.assistant.id),
        fields: Vec::new(),
        block,
        active: spec.active,
        live_calls: standing.live_calls,
        spec: None,
    }
}

/// Who answers which number afterwards: one assistant each.
fn numbers(plan: &mut Plan, files: &[Loaded], standings: &[Standing]) -> Result<(), Vec<Problem>> {
    let touched: BTreeSet<AssistantId> = plan.changes.iter().filter_map(|c| c.id).collect();
    let named: BTreeSet<&AssistantName> = files.iter().map(|file| &file.file.spec.name).collect();
    let holders: BTreeMap<&PhoneNumber, &Standing> =
        standings.iter().map(|one| (&one.assistant.spec.phone.number, one)).collect();
    let mut problems = Vec::new();
    for Loaded { path, file } in files {
        let Some(holder) = holders.get(&file.spec.phone.number) else { continue };
        let holder = &holder.assistant;
        let own = [Some(&file.spec.name), file.moved_from.as_ref()];
        if own.contains(&Some(&holder.spec.name)) {
            continue;
        }
        // Its own file, or its end, takes the number from it in the same plan.
        if touched.contains(&holder.id)
            && (named.contains(&holder.spec.name) || plan.orphans.contains(&holder.spec.name))
            || plan.changes.iter().any(|change| change.id == Some(holder.id))
        {
            plan.numbers.push(NumberMove {
                number: file.spec.phone.number.clone(),
                from: holder.spec.name.clone(),
                to: file.spec.name.clone(),
            });
            continue;
        }
        let name = &holder.spec.name;
        let message = format!("the number {} belongs to the assistant `{name}`", file.spec.phone);
        let hint = if plan.orphans.contains(name) {
            format!("`{name}` is in no file any more: `--prune` deletes it and frees the number")
        } else {
            format!("give this one another number, or put `{name}` into a file with another one")
        };
        let problem = Problem {
            place: file.phone_at.clone(),
            ..Problem::of_file(&path.display().to_string(), message)
        };
        problems.push(problem.hint(hint));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The fields that differ between two states of an assistant.
pub fn differences(before: &AssistantSpec, after: &AssistantSpec) -> Vec<Field> {
    let mut fields = Vec::new();
    let value = |spec| serde_json::to_value(spec).unwrap_or_default();
    let (mut before, mut after): (Value, Value) = (value(before), value(after));
    if before["phone"].is_object() != after["phone"].is_object() {
        // A text and a table are the same number: what differs is whether it is kept connected.
        for phone in [&mut before["phone"], &mut after["phone"]] {
            if phone.is_string() {
                *phone = json!({ "number": phone.take() });
            }
        }
    }
    differing("", &before, &after, &mut fields);
    fields
}

/// What a new assistant sets, as it is not usual.
fn set_fields(spec: &AssistantSpec) -> Vec<Field> {
    let (name, phone) = (spec.name.clone(), spec.phone.number.clone());
    let usual = AssistantSpec::new(name, String::new(), phone, String::new());
    let mut fields = differences(&usual, spec);
    for field in &mut fields {
        field.before = Value::Null;
    }
    let phone = Value::String(spec.phone.number.to_string());
    fields.push(Field { path: "phone".to_owned(), before: Value::Null, after: phone });
    fields
}

fn differing(path: &str, before: &Value, after: &Value, fields: &mut Vec<Field>) {
    // A reference to a secret is one value: its parts mean nothing alone.
    let whole = path.ends_with("api_key") || path.ends_with("auth_token");
    if let (Value::Object(old), Value::Object(new)) = (before, after)
        && !whole
    {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let null = Value::Null;
            let (old, new) = (old.get(key).unwrap_or(&null), new.get(key).unwrap_or(&null));
            differing(&path, old, new, fields);
        }
    } else if before != after {
        fields.push(Field { path: path.to_owned(), before: before.clone(), after: after.clone() });
    }
}

/// Two texts as a difference of lines, with three lines around each change.
pub fn line_diff(before: &str, after: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(before, after);
    let unified = diff.unified_diff().context_radius(3).missing_newline_hint(false).to_string();
    unified.lines().map(str::to_owned).collect()
}
