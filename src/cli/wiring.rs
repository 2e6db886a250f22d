//! How numbers are wired at Twilio, as plans and `webox numbers` show it; and having it done.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Context, daemon, human,
    output::{Colour, Tone},
    progress::Waiting,
};
use crate::{
    domain::{AssistantName, AssistantSpec, Error, Kind, Result, WiringChange},
    operations::{
        assistants,
        numbers::{Connection, Home, Telephony},
    },
    provision::Plan,
};

/// The accounts at Twilio, asked with the keys of this machine.
pub(super) fn telephony(context: &Context) -> Result<Telephony> {
    let settings = context.settings()?;
    let url = |url: &Option<crate::config::PublicUrl>| url.as_ref().map(ToString::to_string);
    Ok(Telephony {
        store: context.store()?,
        secrets: context.secrets()?,
        access: daemon::twilio(settings)?,
        home: Home {
            public_url: url(&settings.public_url.value),
            fallback_url: url(&settings.twilio.fallback_url.value),
            overrides: settings.twilio.webhook_overrides.value.clone(),
        },
    })
}

/// One number that webox keeps connected.
pub(super) struct Managed {
    name: AssistantName,
    looked: Result<Connection>,
}

/// The numbers of a plan that webox keeps connected, as Twilio has them.
#[derive(Default)]
pub(super) struct Wirings {
    all: Vec<Managed>,
    /// Why Twilio was not asked, where it was not.
    unasked: Option<String>,
}

impl Wirings {
    /// Looks at those of a plan. What cannot be seen is told, and keeps nobody from planning.
    pub(super) fn look(plan: &Plan, offline: bool, context: &Context) -> Result<Self> {
        let unasked = |why: &str| Self { all: Vec::new(), unasked: Some(why.to_owned()) };
        if context.is_far()? {
            let manages = planned(plan).any(|spec| spec.phone.manage);
            let why = "numbers are connected on the daemon's own machine, not from afar";
            return Ok(if manages { unasked(why) } else { Self::default() });
        }
        let specs = managed_specs(plan, context)?;
        if specs.is_empty() {
            return Ok(Self::default());
        }
        if offline {
            return Ok(unasked("Twilio was not asked how numbers are wired (--offline)"));
        }
        let telephony = telephony(context)?;
        let actor = context.actor("plan", &context.store()?)?;
        let waiting = Waiting::begin(context, "asking Twilio how numbers are wired");
        let all = daemon::runtime()?.block_on(telephony.planned(&actor, &specs));
        drop(waiting);
        let all = all.into_iter().map(|(name, looked)| Managed { name, looked });
        Ok(Self { all: all.collect(), unasked: None })
    }

    /// Has all numbers of a plan that was applied come to this daemon.
    ///
    /// # Errors
    /// When some do not; what was applied stays.
    pub(super) fn connect(plan: &Plan, context: &Context) -> Result<()> {
        if context.is_far()? {
            return Ok(());
        }
        let specs = managed_specs(plan, context)?;
        if specs.is_empty() {
            return Ok(());
        }
        let telephony = telephony(context)?;
        let actor = context.actor("apply", &context.store()?)?;
        let waiting = Waiting::begin(context, "connecting numbers at Twilio");
        let done = daemon::runtime()?.block_on(async {
            let mut done = Vec::new();
            for (name, looked) in telephony.planned(&actor, &specs).await {
                let connected = match &looked {
                    Ok(connection) if connection.is_right() => Ok(()),
                    Ok(connection) => telephony.connect(&actor, connection, Timestamp::now()).await,
                    Err(_) => Ok(()),
                };
                done.push((Managed { name, looked }, connected));
            }
            done
        });
        drop(waiting);
        let mut failed = Vec::new();
        for (managed, connected) in &done {
            let error = managed.looked.as_ref().err().or(connected.as_ref().err());
            if let Some(error) = error {
                let causes = error.causes().into_iter();
                let why: Vec<_> = std::iter::once(error.to_string()).chain(causes).collect();
                failed.push(format!("`{}`: {}", managed.name, why.join(": ")));
            } else if let Ok(connection) = &managed.looked
                && !connection.is_right()
            {
                let number = &connection.number;
                context.out.note(&format!("{number} of `{}` is connected.", managed.name));
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        let count = human::count(failed.len() as u64, "number is", "numbers are");
        Err(Error::new(
            Kind::Partial,
            format!("everything is stored, but {count} not connected\n{}", failed.join("\n")),
        )
        .hint("set right what is named, and run the same again"))
    }

    /// How many are to be changed at Twilio.
    pub(super) fn to_change(&self) -> usize {
        let differs = |one: &&Managed| one.looked.as_ref().is_ok_and(|one| !one.is_right());
        self.all.iter().filter(differs).count()
    }

    /// As text, beneath a plan.
    pub(super) fn text(&self, colour: Colour) -> String {
        let mut text = String::new();
        for Managed { name, looked } in &self.all {
            match looked {
                Ok(one) if one.is_right() => {}
                Ok(one) => {
                    let head = format!("~ {}  connect to {name} at Twilio", one.number);
                    text.push_str(&format!("{}\n", colour.paint(Tone::Warning, &head)));
                    text.push_str(&changes_text(&one.changes));
                }
                Err(error) => {
                    let why: Vec<_> =
                        std::iter::once(error.to_string()).chain(error.causes()).collect();
                    let why = plain(&why.join(": "));
                    text.push_str(&format!("{} {name}: {why}\n", colour.paint(Tone::Bad, "!")));
                }
            }
        }
        if let Some(why) = &self.unasked {
            text.push_str(&format!("{} {why}\n", colour.paint(Tone::Faint, "?")));
        }
        let (right, change) =
            (self.all.iter().filter(|one| one.is_right()).count(), self.to_change());
        if !self.all.is_empty() {
            text.push_str(&format!("Twilio: {change} to connect, {right} as they should be.\n"));
        }
        text
    }

    /// Why Twilio was not asked, where it should have been.
    pub(super) fn unasked(&self) -> Option<&str> {
        self.unasked.as_deref()
    }

    /// As JSON; null where Twilio was not asked.
    pub(super) fn json(&self) -> Value {
        if self.unasked.is_some() {
            return Value::Null;
        }
        self.all.iter().map(Managed::json).collect()
    }
}

impl Managed {
    fn is_right(&self) -> bool {
        self.looked.as_ref().is_ok_and(Connection::is_right)
    }

    fn json(&self) -> Value {
        match &self.looked {
            Ok(one) => json!({
                "assistant": self.name, "number": one.number, "account": one.account(),
                "changes": one.changes, "error": null,
            }),
            Err(error) => json!({
                "assistant": self.name, "number": null, "account": null, "changes": [],
                "error": error.to_string(),
            }),
        }
    }
}

/// What assistants will be, as far as the plan itself says.
fn planned(plan: &Plan) -> impl Iterator<Item = &AssistantSpec> {
    plan.changes.iter().filter_map(|change| change.spec.as_ref())
}

/// Every assistant of a plan whose number webox keeps connected: those that change as they will be,
/// and the others as they are.
fn managed_specs(plan: &Plan, context: &Context) -> Result<Vec<AssistantSpec>> {
    let mut specs: Vec<AssistantSpec> = planned(plan).cloned().collect();
    let touched: BTreeSet<&AssistantName> = plan
        .changes
        .iter()
        .flat_map(|change| std::iter::once(&change.name).chain(&change.renamed_from))
        .collect();
    let store = context.store()?;
    let actor = context.actor("plan", &store)?;
    for overview in assistants::list(&store, &actor)? {
        let spec = overview.assistant.spec;
        if plan.revisions.contains_key(&spec.name) && !touched.contains(&spec.name) {
            specs.push(spec);
        }
    }
    specs.retain(|spec| spec.phone.manage);
    Ok(specs)
}

/// Settings that are to change, one a line.
pub(super) fn changes_text(changes: &[WiringChange]) -> String {
    let shown = |value: &str| if value.is_empty() { "not set".to_owned() } else { plain(value) };
    let line = |one: &WiringChange| {
        format!("    {}: {} → {}\n", one.setting, shown(&one.before), shown(&one.after))
    };
    changes.iter().map(line).collect()
}

/// A text from elsewhere, without what could move a terminal's cursor.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}
