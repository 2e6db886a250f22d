//! What is to be found out about every call once it is over: `[after]` of an assistant's file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AssistantSpec, DataSchema, SatisfactionRule};

/// What is wanted of every call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AfterCall {
    /// `ask`: callers are asked before the goodbye. `judge`: a model is asked after the call. `off`:
    /// neither. Left out, a model judges where it is asked about the call anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<SatisfactionRule>,
    /// Whether a model writes the summary, also where callers are not to be known again.
    #[serde(skip_serializing_if = "is_no")]
    pub summary: bool,
    /// What a model is to find out, as a JSON Schema of an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extract: Option<DataSchema>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_no(yes: &bool) -> bool {
    !*yes
}

impl AfterCall {
    /// Whether nothing is said but what is usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether callers are asked.
    pub fn asks(&self) -> bool {
        self.satisfaction == Some(SatisfactionRule::Ask)
    }

    /// The rule broken, if any: the field and what is wrong with it.
    pub(super) fn broken(&self) -> Option<(&'static str, String)> {
        let what = self.extract.as_ref().and_then(DataSchema::broken_extract)?;
        Some(("after.extract", what))
    }
}

/// What a model is asked about a call: all of it together, once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted<'a> {
    /// A summary and a topic.
    pub summary: bool,
    /// How satisfied the caller was.
    pub satisfaction: bool,
    /// What the file asks for.
    pub extract: Option<&'a DataSchema>,
}

impl AssistantSpec {
    /// What a model is to be asked about calls; nothing where none is asked.
    pub fn wanted_after(&self) -> Option<Wanted<'_>> {
        use SatisfactionRule::{Judge, Off};
        let after = &self.after;
        let summary = self.memory.enabled || after.summary;
        let extract = after.extract.as_ref();
        let is_asked = summary || extract.is_some() || after.satisfaction == Some(Judge);
        (is_asked && !self.ai.model.is_builtin()).then_some(Wanted {
            summary,
            satisfaction: after.satisfaction != Some(Off),
            extract,
        })
    }
}
