//! Deliveries: what happened, told to one place, until it has it or nobody believes it will.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::row_number::row_number;
use super::{
    AssistantId, AssistantName, CallId, CallSid, DeliveryEvent, DeliveryState, DestinationKind,
};

row_number!(
    /// The row number of a delivery.
    DeliveryId
);

/// A delivery as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxDelivery {
    /// Its row.
    pub id: DeliveryId,
    /// The name it is delivered under, however often: receivers know by it what they have.
    pub message_id: String,
    /// Whose assistant told it.
    pub assistant_id: AssistantId,
    /// Its name.
    pub assistant: AssistantName,
    /// The call it came of, if of one.
    pub call: Option<(CallId, CallSid)>,
    /// The place in the assistant's file.
    pub destination: String,
    /// What kind of place.
    pub to: DestinationKind,
    /// What happened.
    pub event: DeliveryEvent,
    /// Who called; nothing once the caller is forgotten.
    pub contact: Option<String>,
    /// What is delivered, as JSON; nothing once the caller is forgotten.
    pub payload: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it happened.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// After this it is not tried again.
    pub expires_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not arrive the last time.
    pub failure: Option<String>,
    /// When it arrived, or was given up.
    pub settled_at: Option<Timestamp>,
}

/// Which deliveries to list. Everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of an assistant.
    pub assistant: Option<AssistantId>,
    /// Standing so.
    pub state: Option<DeliveryState>,
    /// Of what happened at or after.
    pub since: Option<Timestamp>,
    /// Older than this row: where a page ends, the next one begins.
    pub older_than: Option<DeliveryId>,
    /// At most this many; `None` is all.
    pub limit: Option<u64>,
}

/// How many stand how.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct DeliveryTotals {
    /// Still to be delivered.
    pub pending: u64,
    /// Arrived.
    pub delivered: u64,
    /// Given up.
    pub dead: u64,
}

/// What came of trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The receiver wants nothing more, for good.
    Gone,
    /// It was refused: the same will hardly be taken later, unless somebody sets something right.
    Refused,
    /// It may go better later; after this long, when the receiver said so.
    Later(Option<SignedDuration>),
}

/// How long a delivery is tried, from when it happened, or from when somebody asked to try it again.
pub const TRIED_FOR: SignedDuration = SignedDuration::from_hours(72);

const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// A receiver may ask to be left alone for this long and no longer.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(24);

/// What is refused is tried this often, over some ten minutes: a key that is being replaced and a
/// receiver that is being restarted are met halfway, and whoever comes after does not wait for days.
const REFUSED_TRIES: u32 = 6;

/// When a delivery is tried next after `attempts` tries; nothing when it is given up. `luck`, 0 to
/// 255, spreads those that failed together.
pub fn next_try(
    trouble: Trouble,
    attempts: u32,
    expires_at: Timestamp,
    now: Timestamp,
    luck: u8,
) -> Option<Timestamp> {
    let asked = match trouble {
        Trouble::Gone => return None,
        Trouble::Refused if attempts >= REFUSED_TRIES => return None,
        Trouble::Refused | Trouble::Later(None) => SignedDuration::ZERO,
        Trouble::Later(Some(asked)) => asked.clamp(SignedDuration::ZERO, LONGEST_ASKED),
    };
    let factor = 3_i32.saturating_pow(attempts.saturating_sub(1).min(16));
    let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
    // Between three and five quarters of it.
    let spread = wait.saturating_mul(96 + i32::from(luck) / 4) / 128;
    let next = now.checked_add(spread.max(asked)).unwrap_or(Timestamp::MAX);
    (next <= expires_at).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_tries(trouble: Trouble, luck: u8) -> Vec<i64> {
        let start = Timestamp::UNIX_EPOCH;
        let (mut now, mut waits) = (start, Vec::new());
        while let Some(next) =
            next_try(trouble, waits.len() as u32 + 1, start + TRIED_FOR, now, luck)
        {
            waits.push(next.duration_since(now).as_secs());
            now = next;
        }
        waits
    }

    #[test]
    fn it_is_tried_less_and_less_often_for_three_days() {
        let waits = all_tries(Trouble::Later(None), 128);
        assert_eq!(waits[..8], [5, 15, 45, 135, 405, 1_215, 3_645, 10_935]);
        assert!(waits[8..].iter().all(|wait| *wait == 21_600), "{waits:?}");
        let total: i64 = waits.iter().sum();
        assert!((66 * 3600..=72 * 3600).contains(&total), "{total}");
        for luck in [0, 255] {
            let other = all_tries(Trouble::Later(None), luck)[3];
            assert!((135 * 3 / 4..=135 * 5 / 4).contains(&other), "{other}");
        }
    }

    #[test]
    fn what_is_refused_is_given_up_in_minutes_and_what_is_gone_at_once() {
        assert_eq!(all_tries(Trouble::Refused, 128), [5, 15, 45, 135, 405]);
        assert_eq!(all_tries(Trouble::Gone, 128), [0; 0]);
    }

    #[test]
    fn a_receiver_says_when_but_not_never() {
        let start = Timestamp::UNIX_EPOCH;
        let asked = |seconds| {
            let trouble = Trouble::Later(Some(SignedDuration::from_secs(seconds)));
            let next = next_try(trouble, 1, start + TRIED_FOR, start, 128).unwrap();
            next.duration_since(start).as_secs()
        };
        assert_eq!(asked(600), 600);
        assert_eq!(asked(1), 5, "no sooner than by ourselves");
        assert_eq!(asked(-7), 5);
        assert_eq!(asked(i64::MAX), 24 * 3600);
    }
}
