//! How numbers are wired at Twilio, as plans and `webox numbers` show it; and having it done.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Context, daemon,
    desk::Desk,
    human,
    output::{Colour, Tone},
    progress::Waiting,
};
use crate::{
    domain::{AssistantName, AssistantSpec, Error, KeptNumber, Kind, Result, WiringChange},
    operations::numbers::Telephony,
    provision::{Action, Plan},
    store::Store,
};

/// The accounts at Twilio, asked with the keys of this machine.
pub(super) fn telephony(context: &Context, store: Store) -> Result<Telephony> {
    daemon::telephony(context.settings()?, store, context.secrets()?)
}

/// The numbers of a plan that webox keeps connected, as Twilio has them.
#[derive(Default)]
pub(super) struct Wirings {
    all: Vec<KeptNumber>,
    /// Why Twilio was not asked, where it was not.
    unasked: Option<String>,
    /// Whether that is for others to do, and nothing of this plan waits for it.
    may_not: bool,
}

impl Wirings {
    /// Looks at those of a plan. What cannot be seen is told, and keeps nobody from planning.
    pub(super) fn look(
        desk: &dyn Desk,
        plan: &Plan,
        offline: bool,
        context: &Context,
    ) -> Result<Self> {
        let looked = if offline {
            Err(Error::unavailable("Twilio was not asked how numbers are wired (--offline)"))
        } else {
            let waiting = Waiting::begin(context, "asking Twilio how numbers are wired");
            let looked = desk.look_at_numbers(plan, context.settings()?);
            drop(waiting);
            looked
        };
        match looked {
            Ok(all) => Ok(Self { all, ..Self::default() }),
            Err(_) if !keeps_any(desk, plan)? => Ok(Self::default()),
            Err(error) => {
                // Who may not have it connected is not to be told of a number that stays as it is.
                let may_not = error.kind() == Kind::Denied && !changes_a_number(plan);
                Ok(Self { all: Vec::new(), unasked: Some(error.with_causes()), may_not })
            }
        }
    }

    /// Has all numbers of a plan that was applied come to the daemon.
    ///
    /// # Errors
    /// When some do not; what was applied stays.
    pub(super) fn connect(&self, desk: &dyn Desk, plan: &Plan, context: &Context) -> Result<()> {
        match &self.unasked {
            None if self.all.is_empty() => return Ok(()),
            Some(why) if self.may_not => {
                context.out.note(&format!("Numbers were not looked at: {why}."));
                return Ok(());
            }
            _ => {}
        }
        let partial = |what: &str, lines: &[String]| {
            let told =
                format!("everything is stored, but {what} not connected\n{}", lines.join("\n"));
            Err(Error::new(Kind::Partial, told)
                .hint("set right what is named, and run the same again"))
        };
        let waiting = Waiting::begin(context, "connecting numbers at Twilio");
        let done = desk.connect_numbers(plan, context.settings()?);
        drop(waiting);
        let done = match done {
            Ok(done) => done,
            Err(error) => return partial("numbers are", &[error.with_causes()]),
        };
        let mut failed = Vec::new();
        for one in &done {
            if let Some(error) = &one.error {
                failed.push(format!("`{}`: {}", one.assistant, plain(error)));
                failed.extend(one.hint.as_deref().map(|hint| format!("    {}", plain(hint))));
            } else if one.differs() {
                let (number, name) = (&one.number, &one.assistant);
                context.out.note(&format!("{number} of `{name}` is connected."));
            }
        }
        let count = done.iter().filter(|one| one.error.is_some()).count();
        if count == 0 {
            return Ok(());
        }
        partial(&human::count(count as u64, "number is", "numbers are"), &failed)
    }

    /// How many are to be changed at Twilio.
    pub(super) fn to_change(&self) -> usize {
        self.all.iter().filter(|one| one.differs()).count()
    }

    /// How many cannot be connected as they are.
    pub(super) fn in_error(&self) -> usize {
        self.all.iter().filter(|one| one.error.is_some()).count()
    }

    /// As text, beneath a plan.
    pub(super) fn text(&self, colour: Colour) -> String {
        let mut text = String::new();
        for one in &self.all {
            let name = &one.assistant;
            if let Some(error) = &one.error {
                let mark = colour.paint(Tone::Bad, "!");
                text.push_str(&format!("{mark} {name}: {}\n", plain(error)));
                if let Some(hint) = &one.hint {
                    text.push_str(&format!("    {}\n", plain(hint)));
                }
            } else if one.differs() {
                let head = format!("~ {}  connect to {name} at Twilio", one.number);
                text.push_str(&format!("{}\n", colour.paint(Tone::Warning, &head)));
                text.push_str(&changes_text(&one.changes));
            }
        }
        if let Some(why) = &self.unasked {
            text.push_str(&format!("{} {}\n", colour.paint(Tone::Faint, "?"), plain(why)));
        }
        let (right, change) =
            (self.all.iter().filter(|one| one.is_right()).count(), self.to_change());
        if !self.all.is_empty() {
            text.push_str(&format!("Twilio: {change} to connect, {right} as they should be.\n"));
        }
        text
    }

    /// As JSON; null where Twilio was not asked.
    pub(super) fn json(&self) -> Value {
        if self.unasked.is_some() { Value::Null } else { json!(self.all) }
    }
}

/// What assistants will be, as far as the plan itself says.
fn planned(plan: &Plan) -> impl Iterator<Item = &AssistantSpec> {
    plan.changes.iter().filter_map(|change| change.spec.as_ref())
}

/// Whether a plan gives an assistant whose number webox keeps connected another number, or has it kept.
fn changes_a_number(plan: &Plan) -> bool {
    plan.changes.iter().any(|change| {
        change.spec.as_ref().is_some_and(|spec| spec.phone.manage)
            && (change.action == Action::Create
                || change.fields.iter().any(|field| field.path.starts_with("phone")))
    })
}

/// Whether webox keeps a number of the plan connected: of an assistant that changes, or of another.
fn keeps_any(desk: &dyn Desk, plan: &Plan) -> Result<bool> {
    if planned(plan).any(|spec| spec.phone.manage) {
        return Ok(true);
    }
    let touched: BTreeSet<&AssistantName> = plan
        .changes
        .iter()
        .flat_map(|change| std::iter::once(&change.name).chain(&change.renamed_from))
        .collect();
    let others = desk.assistants()?.into_iter().map(|overview| overview.assistant.spec);
    let mut others = others.filter(|spec| !touched.contains(&spec.name));
    Ok(others.any(|spec| spec.phone.manage && plan.revisions.contains_key(&spec.name)))
}

/// Settings that are to change, one a line.
pub(super) fn changes_text(changes: &[WiringChange]) -> String {
    let shown = |value: &str| if value.is_empty() { "not set".to_owned() } else { plain(value) };
    let line = |one: &WiringChange| {
        format!("    {}: {} → {}\n", plain(&one.setting), shown(&one.before), shown(&one.after))
    };
    changes.iter().map(line).collect()
}

/// A text from elsewhere, without what could move a terminal's cursor.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}
