//! The numbers that webox keeps connected (`phone.manage`): looked at for a plan, and had come here
//! once it was applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::{Connection, Telephony, connecting::Elsewhere};
use crate::{
    domain::{
        Actor, Assistant, AssistantId, AssistantName, AssistantSpec, Error, KeptNumber, Result,
    },
    provision::{self, Plan},
};

/// Numbers that are asked about at once: many are looked at within a request, and Twilio refuses
/// whoever asks too much at once.
const AT_ONCE: usize = 8;

/// Once so much time has passed, no further number is asked about: somebody waits for the answer.
const WITHIN: Duration = Duration::from_mins(10);

impl Telephony {
    /// Looks at the numbers of a plan that are kept connected: those of assistants that change as they
    /// will be, and the others' as they are.
    ///
    /// # Errors
    /// When there is one, and the actor may not administer. What Twilio does not say is told of the
    /// number.
    pub async fn look_at_kept(&self, actor: &Actor, plan: &Plan) -> Result<Vec<KeptNumber>> {
        let kept = self.kept(actor, plan, Moment::Before).await?;
        let all = All::default();
        let looking: Vec<_> = kept.iter().map(|one| self.look_at(actor, one, &all)).collect();
        Ok(all.told(looking).await)
    }

    /// Has the numbers of a plan that are kept connected come here, as the store has them by now.
    /// Done again, it changes nothing.
    ///
    /// # Errors
    /// As for [`Self::look_at_kept`]; what Twilio refuses is told of the number.
    pub async fn connect_kept(
        &self,
        actor: &Actor,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Vec<KeptNumber>> {
        let kept = self.kept(actor, plan, Moment::After).await?;
        let all = All::default();
        let connecting: Vec<_> = kept.iter().map(|one| self.keep(actor, one, &all, now)).collect();
        Ok(all.told(connecting).await)
    }

    async fn look_at(&self, actor: &Actor, assistant: &Assistant, all: &All) -> KeptNumber {
        told_of(assistant, self.look(actor, assistant, all).await, Ok(()))
    }

    async fn keep(
        &self,
        actor: &Actor,
        assistant: &Assistant,
        all: &All,
        now: Timestamp,
    ) -> KeptNumber {
        let looked = self.look(actor, assistant, all).await;
        let connected = match &looked {
            Ok(connection) if !connection.is_right() => self.connect(actor, connection, now).await,
            _ => Ok(()),
        };
        told_of(assistant, looked, connected)
    }

    async fn look(&self, actor: &Actor, assistant: &Assistant, all: &All) -> Result<Connection> {
        if all.is_late.load(Ordering::Relaxed) {
            return Err(Error::unavailable(
                "it was not looked at: Twilio took too long with others",
            )
            .hint("run the same again"));
        }
        self.connection_among(actor, assistant, None, &all.elsewhere).await
    }

    /// The assistants of a plan whose numbers are kept connected.
    async fn kept(&self, actor: &Actor, plan: &Plan, moment: Moment) -> Result<Vec<Assistant>> {
        let mut known: BTreeMap<AssistantName, Assistant> = self
            .assistants(actor)
            .await?
            .into_iter()
            .map(|one| (one.spec.name.clone(), one))
            .collect();
        let mut kept = Vec::new();
        let to_come = if moment == Moment::Before { &plan.changes[..] } else { &[] };
        for change in to_come {
            // A plan may come from anywhere: nothing in it is believed unseen.
            change.spec.as_ref().map_or(Ok(()), provision::check_spec)?;
            let before = known.remove(change.renamed_from.as_ref().unwrap_or(&change.name));
            kept.extend(change.spec.clone().map(|spec| as_it_will_be(before, spec)));
        }
        let changed = plan.changes.iter().filter(|change| change.spec.is_some());
        let changed = changed.map(|change| &change.name);
        let names: BTreeSet<_> = plan.revisions.keys().chain(changed).collect();
        kept.extend(names.into_iter().filter_map(|name| known.remove(name)));
        kept.retain(|one| one.spec.phone.manage);
        if !kept.is_empty() {
            actor.may_administer()?;
        }
        Ok(kept)
    }
}

/// Refuses who may not administer where a plan itself says that a number is kept connected: before
/// anything is looked up for it.
pub fn may_keep(actor: &Actor, plan: &Plan) -> Result<()> {
    let mut specs = plan.changes.iter().filter_map(|change| change.spec.as_ref());
    if specs.any(|spec| spec.phone.manage) { actor.may_administer() } else { Ok(()) }
}

/// What all numbers that are asked about together share.
#[derive(Default)]
struct All {
    elsewhere: Elsewhere,
    is_late: AtomicBool,
}

impl All {
    /// Asks about each, a few at once. What is begun is done to its end; what is not begun in time says so.
    async fn told(&self, each: Vec<impl Future<Output = KeptNumber>>) -> Vec<KeptNumber> {
        let timer = async {
            tokio::time::sleep(WITHIN).await;
            self.is_late.store(true, Ordering::Relaxed);
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            told = stream::iter(each).buffered(AT_ONCE).collect() => told,
            never = timer => match never {},
        }
    }
}

/// When a plan is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// It is to be applied.
    Before,
    /// It was.
    After,
}

fn as_it_will_be(before: Option<Assistant>, spec: AssistantSpec) -> Assistant {
    let before = before.unwrap_or_else(|| Assistant {
        id: AssistantId(0),
        owner: None,
        spec: spec.clone(),
        revision: 0,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    });
    Assistant { spec, ..before }
}

fn told_of(assistant: &Assistant, looked: Result<Connection>, connected: Result<()>) -> KeptNumber {
    let (account, changes, error) = match looked {
        Ok(one) => (Some(one.account().clone()), one.changes, connected.err()),
        Err(error) => (None, Vec::new(), Some(error)),
    };
    KeptNumber {
        assistant: assistant.spec.name.clone(),
        number: assistant.spec.phone.number.clone(),
        account,
        changes,
        error: error.as_ref().map(Error::with_causes),
        hint: error.as_ref().and_then(Error::hint_text).map(ToString::to_string),
    }
}
