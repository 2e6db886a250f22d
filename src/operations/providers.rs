//! How providers stand: what is set up, and what a running daemon knows of it.

use crate::{
    domain::{
        Actor, ModelRef, ProviderStanding, ProviderState, ProvidersOverview, Result, Sight,
        SoundFigures,
    },
    providers::breaker::BreakerState,
    store::{Store, assistants},
};

/// What a running daemon knows.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The breakers of all that have ever failed.
    pub breakers: Vec<BreakerState>,
    /// What sounds that are kept have spared.
    pub sounds: Option<SoundFigures>,
}

/// Every provider that webox knows, and how it stands. For admins: it tells of the whole machine.
pub fn overview(
    actor: &Actor,
    providers: &[ProviderStanding],
    known: Option<Known>,
) -> Result<ProvidersOverview> {
    actor.may_administer()?;
    let sounds = known.as_ref().and_then(|known| known.sounds);
    let providers = providers.iter().cloned().map(|standing| {
        let state = known.as_ref().map(|known| state(&standing, &known.breakers));
        ProviderStanding { state, ..standing }
    });
    Ok(ProvidersOverview { providers: providers.collect(), sounds })
}

/// The models that assistants ask, each as often as it is named.
pub fn models_in_use(store: &Store) -> Result<Vec<ModelRef>> {
    let all = store.read(|tx| assistants::list(tx, Sight::All))?;
    let models = all.into_iter().flat_map(|overview| {
        let ai = overview.assistant.spec.ai;
        std::iter::once(ai.model).chain(ai.fallbacks)
    });
    Ok(models.filter(|model| !model.is_builtin()).collect())
}

/// One that never failed stands well.
fn state(standing: &ProviderStanding, breakers: &[BreakerState]) -> ProviderState {
    let id = format!("{}/{}", standing.kind.breaker(), standing.provider);
    let breaker = breakers.iter().find(|breaker| breaker.id == id);
    ProviderState {
        open: breaker.is_some_and(|breaker| breaker.open),
        failures: breaker.map_or(0, |breaker| u32::try_from(breaker.failures).unwrap_or(u32::MAX)),
        last_failure: breaker.and_then(|breaker| breaker.last_failure),
        open_for_s: breaker.and_then(|breaker| breaker.open_for).map(|open| open.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Outcome, ProviderKind};

    #[test]
    fn a_daemon_tells_who_is_left_alone_and_a_file_does_not() {
        let standing = |kind, provider: &str| ProviderStanding {
            kind,
            provider: provider.to_owned(),
            configured: true,
            address: None,
            state: None,
        };
        let all =
            [standing(ProviderKind::Model, "openai"), standing(ProviderKind::Mouth, "openai")];
        let actor = Actor::webox("test");
        assert_eq!(overview(&actor, &all, None).unwrap().providers, all);
        let breakers = vec![BreakerState {
            id: "llm/openai".to_owned(),
            open: true,
            failures: 3,
            last_failure: Some(Outcome::TimedOut),
            open_for: Some(Duration::from_secs(7)),
        }];
        let known = Known { breakers, sounds: Some(SoundFigures::default()) };
        let told = overview(&actor, &all, Some(known)).unwrap();
        let state = |at: usize| told.providers[at].state.clone().unwrap();
        assert!(state(0).open && state(0).open_for_s == Some(7) && state(0).failures == 3);
        assert!(!state(1).open && state(1).last_failure.is_none());
        assert!(told.sounds.is_some());
    }
}
