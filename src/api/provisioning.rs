//! Files of assistants over the network: check, plan, apply, and what was applied.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AssistantView, Moment, Success, TurnView};
use crate::{
    domain::{ApplyId, Assistant, AssistantSpec, Author, Error, KeptNumber, Result, SetName},
    operations::provisioning::{Apply, Standing, Version},
    provision::{Plan, Problem},
};

/// A file of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleFile {
    /// Relative, such as `paris/le-gourmet.toml`; `_defaults.toml`, `context_file`s and documents beside
    /// it.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Files to be checked.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateInput {
    /// The files: at most 2,000.
    pub files: Vec<BundleFile>,
}

/// Files to be compared with the store.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanInput {
    /// The files: at most 2,000.
    pub files: Vec<BundleFile>,
    /// Delete assistants of these sets that are in no file.
    #[serde(default)]
    pub prune: bool,
}

/// What to apply: files, or a plan that was made and looked at before.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApplyInput {
    /// The files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<BundleFile>,
    /// Or a plan, exactly as `POST /api/voice/plan` answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    pub plan: Option<Value>,
    /// Delete assistants of these sets that are in no file.
    pub prune: bool,
    /// Replace what was changed or made by hand.
    pub overwrite: bool,
    /// How many may be deleted at a time: 5 when it is left out, and never a whole set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_deletes: Option<usize>,
    /// What the files are, for the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The revision of the files, when they are under version control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
}

/// Whose numbers are looked at, or connected.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumbersInput {
    /// A plan, as `POST /api/voice/plan` answered it; its documents may be left out.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub plan: Value,
}

impl NumbersInput {
    /// Of a plan.
    pub fn of(plan: &Plan) -> Result<Self> {
        let plan = Plan { documents: BTreeMap::new(), ..plan.clone() };
        Ok(Self { plan: to_value(&plan)? })
    }

    /// The plan in it.
    pub fn read_plan(&self) -> Result<Plan> {
        read_plan(&self.plan)
    }
}

/// The numbers of a plan that webox keeps connected at Twilio (`phone.manage`).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeptNumbers {
    /// True; what cannot be looked at or connected is told of each number.
    pub success: Success,
    /// The numbers.
    pub numbers: Vec<KeptNumber>,
}

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemView {
    /// The file.
    pub file: String,
    /// From 1; null when it is about the whole file.
    pub line: Option<u64>,
    /// From 1.
    pub column: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&Problem> for ProblemView {
    fn from(problem: &Problem) -> Self {
        Self {
            file: problem.file.clone(),
            line: problem.place.as_ref().map(|place| place.line as u64),
            column: problem.place.as_ref().map(|place| place.column as u64),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }
}

/// What a check of files found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// True; whether the files are right is in `valid`.
    pub success: Success,
    /// Whether there is no mistake.
    pub valid: bool,
    /// The mistakes.
    pub problems: Vec<ProblemView>,
}

/// What applying would do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// True.
    pub success: Success,
    /// Whether nothing would change.
    pub empty: bool,
    /// The plan; to be sent back to `POST /api/voice/apply` as it is.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub plan: Value,
}

impl Planned {
    /// Of a plan.
    pub fn of(plan: &Plan) -> Result<Self> {
        Ok(Self { success: Success::default(), empty: plan.is_empty(), plan: to_value(plan)? })
    }
}

fn to_value(plan: &Plan) -> Result<Value> {
    serde_json::to_value(plan)
        .map_err(|cause| Error::failure("the plan cannot be written").because(cause))
}

impl ApplyInput {
    /// Of a plan.
    pub fn of(plan: &Plan, source: String, git: Option<String>) -> Result<Self> {
        Ok(Self {
            plan: Some(to_value(plan)?),
            // It was agreed to where it was looked at.
            overwrite: true,
            max_deletes: Some(usize::MAX >> 12),
            source: Some(source),
            git,
            ..Self::default()
        })
    }

    /// The plan in it, if there is one.
    pub fn read_plan(&self) -> Result<Option<Plan>> {
        self.plan.as_ref().map(read_plan).transpose()
    }
}

fn read_plan(plan: &Value) -> Result<Plan> {
    serde_json::from_value(plan.clone()).map_err(|cause| {
        Error::input("`plan` is not a plan")
            .hint("send it back as `POST /api/voice/plan` answered it")
            .because(cause)
    })
}

/// What was applied.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// True.
    pub success: Success,
    /// The apply; null when there was nothing to do.
    pub apply_id: Option<ApplyId>,
    /// What it did.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub plan: Value,
}

impl Applied {
    /// Of a plan.
    pub fn of(apply: Option<ApplyId>, plan: &Plan) -> Result<Self> {
        // What was sent need not be sent back.
        let plan = Plan { documents: BTreeMap::new(), ..plan.clone() };
        Ok(Self { success: Success::default(), apply_id: apply, plan: to_value(&plan)? })
    }
}

/// An assistant, and what the files last said of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StandingView {
    /// As it is now.
    pub assistant: AssistantView,
    /// Whose files it is in; null when it was made by hand.
    pub set: Option<SetName>,
    /// What the files said when they were last applied, in the words of files.
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    pub applied: Option<AssistantSpec>,
    /// Who changed it last.
    pub author: Author,
    /// Calls it is in now.
    pub live_calls: u64,
}

impl From<&Standing> for StandingView {
    fn from(standing: &Standing) -> Self {
        Self {
            assistant: (&standing.assistant).into(),
            set: standing.set.clone(),
            applied: standing.applied.clone(),
            author: standing.author.clone(),
            live_calls: standing.live_calls,
        }
    }
}

impl TryFrom<StandingView> for Standing {
    type Error = Error;

    fn try_from(view: StandingView) -> Result<Self> {
        Ok(Self {
            assistant: Assistant::try_from(view.assistant)?,
            set: view.set,
            applied: view.applied,
            author: view.author,
            live_calls: view.live_calls,
        })
    }
}

/// How the store stands to the files: all that a plan is made from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Standings {
    /// True.
    pub success: Success,
    /// Which store this is.
    pub store_id: String,
    /// By name.
    pub standings: Vec<StandingView>,
}

/// An apply, as it was recorded.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ApplyView {
    /// Row number.
    pub id: ApplyId,
    /// When.
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    /// By whom.
    pub author: Author,
    /// What was applied.
    pub source: String,
    /// What was created, changed, adopted, deleted.
    pub summary: Value,
}

impl From<Apply> for ApplyView {
    fn from(apply: Apply) -> Self {
        let summary = serde_json::from_str(&apply.summary).unwrap_or_default();
        let Apply { id, at, author, source, .. } = apply;
        Self { id, at, author, source, summary }
    }
}

impl From<ApplyView> for Apply {
    fn from(view: ApplyView) -> Self {
        let ApplyView { id, at, author, source, summary } = view;
        Self { id, at, author, source, summary: summary.to_string() }
    }
}

/// Applies, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Applies {
    /// True.
    pub success: Success,
    /// The applies.
    pub applies: Vec<ApplyView>,
    /// What to send as `cursor` for the next page; null at the end.
    pub next: Option<String>,
}

/// A version of an assistant.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct VersionView {
    /// Counts from 1.
    pub revision: i64,
    /// What was set, in the words of files.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub spec: AssistantSpec,
    /// Whether it was taken out of service here.
    pub deleted: bool,
    /// When.
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    /// By whom.
    pub author: Author,
    /// In which apply, if in one.
    pub apply_id: Option<ApplyId>,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        let Version { revision, spec, deleted, at, author, apply } = version;
        Self { revision, spec, deleted, at, author, apply_id: apply }
    }
}

impl From<VersionView> for Version {
    fn from(view: VersionView) -> Self {
        let VersionView { revision, spec, deleted, at, author, apply_id } = view;
        Self { revision, spec, deleted, at, author, apply: apply_id }
    }
}

/// The versions of an assistant, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Versions {
    /// True.
    pub success: Success,
    /// The versions.
    pub versions: Vec<VersionView>,
}

/// Where to go back to.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RollbackInput {
    /// The version; the last that was different when it is left out.
    pub to: Option<i64>,
    /// The version that is in force, as the asker saw it.
    pub from: Option<i64>,
}

/// What a caller would say, utterance by utterance.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RehearseInput {
    /// At most 20; an empty one is silence.
    pub says: Vec<String>,
}

/// How the assistant would have answered. Nothing of it is kept, and nothing is booked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsal {
    /// True.
    pub success: Success,
    /// The greeting and every turn.
    pub turns: Vec<TurnView>,
}
