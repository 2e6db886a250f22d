//! What may be booked with an assistant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BookingKind, HumanDuration};

/// How many people one booking may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Party {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
}

impl Default for Party {
    fn default() -> Self {
        Self { min: 1, max: 8 }
    }
}

/// What may be booked. An assistant without this section takes no bookings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "BookingSection")]
pub struct BookingRules {
    /// Tables or appointments. Specs stored before there were kinds stay as they are.
    #[serde(skip_serializing_if = "is_table")]
    pub kind: BookingKind,
    /// People in one booking.
    pub party: Party,
    /// People at one time.
    pub capacity: u32,
    /// How long a booking occupies its places.
    pub duration: HumanDuration,
    /// Latest arrival, before the end of a service.
    pub last_arrival: HumanDuration,
    /// How many days ahead one may book.
    pub horizon_days: u32,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_table(kind: &BookingKind) -> bool {
    matches!(kind, BookingKind::Table)
}

impl BookingRules {
    /// The rules of a kind where the file says nothing else.
    fn of(kind: BookingKind) -> Self {
        let (party, capacity, minutes, last_arrival) = match kind {
            BookingKind::Table => (Party::default(), 40, 120, 60),
            // One person at a time, and the last one is done when the doors close.
            BookingKind::Appointment => (Party { min: 1, max: 1 }, 1, 30, 30),
        };
        Self {
            kind,
            party,
            capacity,
            duration: HumanDuration::from_minutes(minutes),
            last_arrival: HumanDuration::from_minutes(last_arrival),
            horizon_days: 90,
        }
    }

    /// The size of every booking, when there is only one: nobody needs to be asked for it.
    pub fn only_party(&self) -> Option<u32> {
        (self.party.min == self.party.max).then_some(self.party.min)
    }
}

impl Default for BookingRules {
    fn default() -> Self {
        Self::of(BookingKind::Table)
    }
}

/// The section as files spell it: what is left out depends on the kind.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct BookingSection {
    /// Tables or appointments.
    kind: BookingKind,
    /// People in one booking: 1 to 8, and 1 for appointments.
    party: Option<Party>,
    /// People at one time: 40, and as many as come together for appointments.
    capacity: Option<u32>,
    /// How long a booking occupies its places: 2h, and 30m for appointments.
    duration: Option<HumanDuration>,
    /// Latest arrival, before the end of a service: 1h, and `duration` for appointments.
    last_arrival: Option<HumanDuration>,
    /// How many days ahead one may book: 90.
    horizon_days: Option<u32>,
}

impl From<BookingSection> for BookingRules {
    fn from(section: BookingSection) -> Self {
        let usual = Self::of(section.kind);
        let party = section.party.unwrap_or(usual.party);
        let duration = section.duration.unwrap_or(usual.duration);
        let (capacity, last_arrival) = match section.kind {
            BookingKind::Table => (usual.capacity, usual.last_arrival),
            BookingKind::Appointment => (party.max, duration),
        };
        Self {
            kind: section.kind,
            party,
            capacity: section.capacity.unwrap_or(capacity),
            duration,
            last_arrival: section.last_arrival.unwrap_or(last_arrival),
            horizon_days: section.horizon_days.unwrap_or(usual.horizon_days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: &str) -> BookingRules {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_a_file_leaves_out_depends_on_the_kind() {
        assert_eq!(rules("{}"), BookingRules::default());
        assert_eq!(rules("{}").party, Party { min: 1, max: 8 });
        assert_eq!(rules("{}").only_party(), None);
        let appointment = rules(r#"{"kind":"appointment","duration":"20m"}"#);
        assert_eq!(appointment.only_party(), Some(1));
        assert_eq!((appointment.capacity, appointment.last_arrival), (1, appointment.duration));
        let family = rules(r#"{"kind":"appointment","party":{"max":3}}"#);
        assert_eq!((family.party, family.capacity), (Party { min: 1, max: 3 }, 3));
        assert!(serde_json::from_str::<BookingRules>(r#"{"kind":"room"}"#).is_err());
        assert!(serde_json::from_str::<BookingRules>(r#"{"tables":4}"#).is_err());
    }

    #[test]
    fn a_stored_table_stays_as_it_was_and_an_appointment_comes_back() {
        let stored = serde_json::to_string(&BookingRules::default()).unwrap();
        assert!(!stored.contains("kind"), "{stored}");
        let appointment = rules(r#"{"kind":"appointment"}"#);
        assert_eq!(rules(&serde_json::to_string(&appointment).unwrap()), appointment);
    }
}
