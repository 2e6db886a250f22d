//! When the database itself is away, nothing can be kept of it: it is remembered by the daemon alone,
//! and told directly.

use jiff::{SignedDuration, Timestamp};

use super::{Watch, notice};
use crate::{
    domain::{
        Alert, AlertBounds, AlertChange, AlertEvent, AlertId, AlertKind, AlertLevel, AlertPhase,
        AlertStanding, AlertState, AlertSubject, WatchedRule, is_quiet, watched,
    },
    store::StoreError,
};

/// How long the database must be away, and how long back, before anybody is told.
const LASTING: SignedDuration = SignedDuration::from_mins(1);

/// Whether the database answers: what the daemon saw of it.
#[derive(Debug, Default)]
pub struct Away {
    standing: AlertStanding,
    since: Option<Timestamp>,
    failures: u64,
    /// Those who are to be told that it is back.
    told: Vec<String>,
}

/// What is to be told, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwayNotice {
    /// The name it is sent under.
    pub id: String,
    /// Names of destinations, addresses, numbers.
    pub to: Vec<String>,
    /// What is sent.
    pub payload: String,
    /// What it says.
    pub words: String,
}

impl Away {
    /// Whether somebody was told of it by this daemon: what was counted meanwhile need not be told again.
    pub const fn is_told(&self) -> bool {
        matches!(self.standing.phase, AlertPhase::Firing { .. })
    }

    /// Notes whether the database answered, and how often it failed since; answers what is to be told.
    ///
    /// # Errors
    /// None that a notice of ours can have.
    pub fn note(
        &mut self,
        watch: &Watch,
        answered: bool,
        failures: u64,
        now: Timestamp,
    ) -> Result<Option<AwayNotice>, StoreError> {
        let rules = watched(&watch.rules, None);
        let rule = rules.into_iter().find(|rule| {
            rule.active && rule.kind == AlertKind::StoreErrors && {
                // It wakes nobody up unless it is critical; once the database is back, it is told.
                let quiet = is_quiet(watch.quiet_of(Some(rule)), &watch.zone, now);
                !(quiet && Watch::waits(rule.severity))
            }
        });
        if answered && self.standing.phase == AlertPhase::Well {
            *self = Self::default();
            return Ok(None);
        }
        let Some(rule) = rule else { return Ok(None) };
        self.failures = self.failures.saturating_add(failures);
        let since = *self.since.get_or_insert(now);
        let bounds = AlertBounds { threshold: 1, recover: 1, hold: LASTING, recover_for: LASTING };
        let (standing, change) = self.standing.after(&bounds, Some(i64::from(!answered)), now);
        self.standing = standing;
        let Some(change) = change else { return Ok(None) };
        let (event, to) = match change {
            AlertChange::Fired => {
                self.told = watch.told(&rule).into_iter().map(|(to, _)| to).collect();
                (AlertEvent::Firing, self.told.clone())
            }
            AlertChange::Resolved => (AlertEvent::Resolved, std::mem::take(&mut self.told)),
        };
        let alert = alert(&rule, change, self.failures, since, now);
        let payload = notice::payload(&alert, event, None, watch.language, now);
        let words = notice::headline(&alert, event, watch.language);
        let id = format!("store_{}_{event}", since.as_millisecond());
        Ok(Some(AwayNotice { id, to, payload, words }))
    }
}

fn alert(
    rule: &WatchedRule,
    change: AlertChange,
    failures: u64,
    since: Timestamp,
    now: Timestamp,
) -> Alert {
    let count = i64::try_from(failures.max(1)).unwrap_or(i64::MAX).saturating_mul(100);
    let value = AlertLevel::Number(count);
    let is_over = change == AlertChange::Resolved;
    Alert {
        // None that is kept.
        id: AlertId(0),
        subject: AlertSubject { rule: rule.name.clone(), assistant: None, part: String::new() },
        assistant: None,
        kind: AlertKind::StoreErrors,
        severity: rule.severity,
        state: if is_over { AlertState::Resolved } else { AlertState::Firing },
        value,
        worst: value,
        threshold: rule.threshold.unwrap_or(value),
        pending_at: since,
        fired_at: Some(now),
        calm_since: None,
        seen_at: now,
        resolved_at: is_over.then_some(now),
        unwatched: false,
        acked: None,
        silenced_until: None,
        notices: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_that_the_database_is_away_and_once_that_it_is_back() {
        let watch = Watch { to: ["a@b.fr".to_owned()].into(), ..Watch::default() };
        let at = |seconds| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let mut away = Away::default();
        let mut told = Vec::new();
        for second in (0_i64..900).step_by(5) {
            // Away for a moment, then for three minutes, with a moment in which it answers.
            let answered = !matches!(second, 100..130 | 200..290 | 295..400);
            let failures = u64::from(!answered) * 2;
            let notice = away.note(&watch, answered, failures, at(second)).unwrap();
            told.extend(notice.map(|notice| (second, notice)));
        }
        let when: Vec<_> = told.iter().map(|(second, _)| *second).collect();
        assert_eq!(when, [260, 460]);
        assert!(told.iter().all(|(_, notice)| notice.to == ["a@b.fr"]));
        assert_ne!(told[0].1.id, told[1].1.id);
        assert!(told[0].1.payload.contains("Alerte critique : webox : la base a échoué"));
        assert!(told[1].1.payload.contains("alert.resolved"));
        assert!(!away.is_told());
    }
}
