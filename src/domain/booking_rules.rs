//! What may be booked with an assistant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BookingKind, BookingResource, BookingService, ClockTime, HumanDuration,
    booking_resources::same_name,
};

/// How many people one booking may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Party {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
}

impl Party {
    /// Whether so many may come.
    pub const fn holds(&self, party: u32) -> bool {
        self.min <= party && party <= self.max
    }
}

impl Default for Party {
    fn default() -> Self {
        Self { min: 1, max: 8 }
    }
}

/// How many nights one stay may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nights {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
}

impl Default for Nights {
    fn default() -> Self {
        Self { min: 1, max: 30 }
    }
}

/// What may be booked. An assistant without this section takes no bookings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "BookingSection")]
pub struct BookingRules {
    /// Tables, appointments or stays. Specs stored before there were kinds stay as they are.
    #[serde(skip_serializing_if = "is_table")]
    pub kind: BookingKind,
    /// People in one booking.
    pub party: Party,
    /// People at one time, where no resources are named.
    pub capacity: u32,
    /// How long a booking occupies its places.
    pub duration: HumanDuration,
    /// Latest arrival, before the end of a service.
    pub last_arrival: HumanDuration,
    /// How many days ahead one may book.
    pub horizon_days: u32,
    /// How far bookings begin from one another, counted from the start of a service; any minute
    /// otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<HumanDuration>,
    /// How long before it begins a booking must be made.
    #[serde(skip_serializing_if = "is_zero")]
    pub lead_time: HumanDuration,
    /// How long its places stay empty after a booking.
    #[serde(skip_serializing_if = "is_zero")]
    pub buffer: HumanDuration,
    /// Until how long before it begins a caller may change or cancel a booking.
    #[serde(skip_serializing_if = "is_zero")]
    pub change_until: HumanDuration,
    /// Nights of a stay.
    #[serde(skip_serializing_if = "is_usual_nights")]
    pub nights: Nights,
    /// When the room of a stay is ready.
    #[serde(skip_serializing_if = "is_usual_check_in")]
    pub check_in: ClockTime,
    /// When the room of a stay is left.
    #[serde(skip_serializing_if = "is_usual_check_out")]
    pub check_out: ClockTime,
    /// What is done for whoever comes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<BookingService>,
    /// What or who bookings occupy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<BookingResource>,
}

const CHECK_IN: ClockTime = ClockTime::at_hour(15);
const CHECK_OUT: ClockTime = ClockTime::at_hour(11);

// The signatures are serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_table(kind: &BookingKind) -> bool {
    matches!(kind, BookingKind::Table)
}

#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(length: &HumanDuration) -> bool {
    length.as_secs() == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_usual_nights(nights: &Nights) -> bool {
    *nights == Nights::default()
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_usual_check_in(time: &ClockTime) -> bool {
    *time == CHECK_IN
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_usual_check_out(time: &ClockTime) -> bool {
    *time == CHECK_OUT
}

impl BookingRules {
    /// The rules of a kind where the file says nothing else.
    fn of(kind: BookingKind) -> Self {
        let (party, capacity, minutes, last_arrival) = match kind {
            BookingKind::Table => (Party::default(), 40, 120, 60),
            // One person at a time, and the last one is done when the doors close.
            BookingKind::Appointment => (Party { min: 1, max: 1 }, 1, 30, 30),
            BookingKind::Stay => (Party { min: 1, max: 4 }, 40, 24 * 60, 0),
        };
        Self {
            kind,
            party,
            capacity,
            duration: HumanDuration::from_minutes(minutes),
            last_arrival: HumanDuration::from_minutes(last_arrival),
            horizon_days: if kind == BookingKind::Stay { 365 } else { 90 },
            grid: None,
            lead_time: HumanDuration::from_secs(0),
            buffer: HumanDuration::from_secs(0),
            change_until: HumanDuration::from_secs(0),
            nights: Nights::default(),
            check_in: CHECK_IN,
            check_out: CHECK_OUT,
            services: Vec::new(),
            resources: Vec::new(),
        }
    }

    /// The size of every booking, when there is only one: nobody needs to be asked for it.
    pub fn only_party(&self) -> Option<u32> {
        (self.party.min == self.party.max).then_some(self.party.min)
    }

    /// What is done when nobody needs to be asked: the only service there is.
    pub fn only_service(&self) -> Option<&BookingService> {
        match self.services.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// A service by its name.
    pub fn service(&self, name: &str) -> Option<&BookingService> {
        self.services.iter().find(|service| same_name(&service.name, name))
    }

    /// A resource by its name.
    pub fn resource(&self, name: &str) -> Option<&BookingResource> {
        self.resources.iter().find(|resource| same_name(&resource.name, name))
    }

    /// How long what is asked for takes, nights left out.
    pub fn duration_of(&self, service: Option<&str>) -> HumanDuration {
        let named = service.map_or_else(|| self.only_service(), |name| self.service(name));
        named.and_then(|service| service.duration).unwrap_or(self.duration)
    }

    /// How long before the end of a service one must be there at the latest.
    pub fn last_arrival_of(&self, service: Option<&str>) -> HumanDuration {
        match self.kind {
            // Whatever is done is done when the doors close.
            BookingKind::Appointment => self.last_arrival.max(self.duration_of(service)),
            BookingKind::Table | BookingKind::Stay => self.last_arrival,
        }
    }

    /// The longest that a booking of these rules can occupy its places, in days, rounded up.
    pub fn longest_days(&self) -> i64 {
        let longest = self.services.iter().filter_map(|service| service.duration);
        let longest = longest.fold(self.duration, Ord::max).as_secs() + self.buffer.as_secs();
        let days = longest.div_ceil(86_400) as i64 + 1;
        if self.kind == BookingKind::Stay { days + i64::from(self.nights.max) } else { days }
    }

    /// The rule that the section breaks, and its field.
    pub fn broken(&self) -> Option<(&'static str, String)> {
        let wrong = |field, message: &str| Some((field, message.to_owned()));
        if self.party.min == 0 || self.party.min > self.party.max {
            return wrong("booking.party", "needs 1 ≤ min ≤ max");
        }
        if self.resources.is_empty() && self.capacity < self.party.max {
            return wrong("booking.capacity", "is smaller than `booking.party.max`");
        }
        if self.duration.as_minutes() == 0 {
            return wrong("booking.duration", "must be at least a minute");
        }
        if self.grid.is_some_and(|grid| !(1..=24 * 60).contains(&grid.as_minutes())) {
            return wrong("booking.grid", "must lie between 1m and 1d");
        }
        if self.kind == BookingKind::Stay {
            if self.resources.is_empty() {
                return wrong(
                    "booking.resources",
                    "is missing: a stay needs rooms, such as `[[booking.resources]]` with \
                     `name = \"chambre double\"` and `count = 10`",
                );
            }
            if self.nights.min == 0 || self.nights.min > self.nights.max || self.nights.max > 365 {
                return wrong("booking.nights", "needs 1 ≤ min ≤ max ≤ 365");
            }
            if !self.services.is_empty() {
                return wrong("booking.services", "has no meaning for a stay");
            }
        }
        self.broken_names()
    }

    fn broken_names(&self) -> Option<(&'static str, String)> {
        let services = self.services.iter().map(|service| service.name.as_str());
        let resources = self.resources.iter().map(|resource| resource.name.as_str());
        for (field, names) in [
            ("booking.services", services.collect::<Vec<_>>()),
            ("booking.resources", resources.collect()),
        ] {
            for (index, name) in names.iter().enumerate() {
                if name.trim().is_empty() || name.chars().count() > 80 {
                    return Some((
                        field,
                        "has an entry without a name of 1 to 80 characters".into(),
                    ));
                }
                if names[..index].iter().any(|other| same_name(other, name)) {
                    return Some((field, format!("has two entries named `{name}`")));
                }
            }
        }
        if self.services.iter().any(|s| s.duration.is_some_and(|d| d.as_minutes() == 0)) {
            return Some(("booking.services", "has an entry that lasts less than a minute".into()));
        }
        for resource in &self.resources {
            let name = &resource.name;
            if resource.count == 0 {
                let message = format!("has no `{name}`: `count` must be at least 1");
                return Some(("booking.resources", message));
            }
            if resource.party.is_some_and(|party| party.min == 0 || party.min > party.max) {
                let message = format!("`{name}` needs 1 ≤ party.min ≤ party.max");
                return Some(("booking.resources", message));
            }
            if let Some(unknown) = resource.services.iter().find(|s| self.service(s).is_none()) {
                let message =
                    format!("`{name}` does `{unknown}`, which is no service of the section");
                return Some(("booking.resources", message));
            }
        }
        let nobody = |service: &BookingService| {
            !self.resources.is_empty() && !self.resources.iter().any(|r| r.does(&service.name))
        };
        if let Some(service) = self.services.iter().find(|service| nobody(service)) {
            let message = format!("has `{}`, which no resource does", service.name);
            return Some(("booking.services", message));
        }
        None
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
    /// Tables, appointments or stays.
    kind: BookingKind,
    /// People in one booking: 1 to 8, 1 for appointments, and 1 to 4 for stays.
    party: Option<Party>,
    /// People at one time, where no resources are named: 40, and as many as come together for
    /// appointments.
    capacity: Option<u32>,
    /// How long a booking occupies its places: 2h, and 30m for appointments.
    duration: Option<HumanDuration>,
    /// Latest arrival, before the end of a service: 1h, and `duration` for appointments.
    last_arrival: Option<HumanDuration>,
    /// How many days ahead one may book: 90, and 365 for stays.
    horizon_days: Option<u32>,
    /// How far bookings begin from one another, counted from the start of a service; any minute
    /// otherwise.
    grid: Option<HumanDuration>,
    /// How long before it begins a booking must be made.
    lead_time: Option<HumanDuration>,
    /// How long its places stay empty after a booking.
    buffer: Option<HumanDuration>,
    /// Until how long before it begins a caller may change or cancel a booking.
    change_until: Option<HumanDuration>,
    /// Nights of a stay: 1 to 30.
    nights: Option<Nights>,
    /// When the room of a stay is ready: 15:00.
    check_in: Option<ClockTime>,
    /// When the room of a stay is left: 11:00.
    check_out: Option<ClockTime>,
    /// What is done for whoever comes.
    services: Vec<BookingService>,
    /// What or who bookings occupy.
    resources: Vec<BookingResource>,
}

impl From<BookingSection> for BookingRules {
    fn from(section: BookingSection) -> Self {
        let usual = Self::of(section.kind);
        let party = section.party.unwrap_or(usual.party);
        let duration = section.duration.unwrap_or(usual.duration);
        let (capacity, last_arrival) = match section.kind {
            BookingKind::Table | BookingKind::Stay => (usual.capacity, usual.last_arrival),
            BookingKind::Appointment => (party.max, duration),
        };
        Self {
            kind: section.kind,
            party,
            capacity: section.capacity.unwrap_or(capacity),
            duration,
            last_arrival: section.last_arrival.unwrap_or(last_arrival),
            horizon_days: section.horizon_days.unwrap_or(usual.horizon_days),
            grid: section.grid,
            lead_time: section.lead_time.unwrap_or(usual.lead_time),
            buffer: section.buffer.unwrap_or(usual.buffer),
            change_until: section.change_until.unwrap_or(usual.change_until),
            nights: section.nights.unwrap_or(usual.nights),
            check_in: section.check_in.unwrap_or(usual.check_in),
            check_out: section.check_out.unwrap_or(usual.check_out),
            services: section.services,
            resources: section.resources,
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
        assert_eq!(
            stored,
            r#"{"party":{"min":1,"max":8},"capacity":40,"duration":"2h","last_arrival":"1h","horizon_days":90}"#
        );
        for section in [
            r#"{"kind":"appointment"}"#,
            r#"{"kind":"stay","check_in":"16:00","resources":[{"name":"double","count":4,"party":{"max":2}}]}"#,
            r#"{"kind":"appointment","grid":"15m","buffer":"5m","services":[{"name":"Vidange","duration":"45m"}],
                "resources":[{"name":"Pont","count":2,"hours":{"monday":["09:00-12:00"]}}]}"#,
        ] {
            let read = rules(section);
            assert_eq!(rules(&serde_json::to_string(&read).unwrap()), read);
            assert_eq!(read.broken(), None);
        }
    }

    #[test]
    fn what_cannot_be_is_told() {
        let told = |json: &str| {
            let (field, message) = rules(json).broken().unwrap();
            format!("{field} {message}")
        };
        for (section, part) in [
            (r#"{"kind":"stay"}"#, "booking.resources is missing"),
            (r#"{"grid":"0s"}"#, "booking.grid must lie"),
            (r#"{"services":[{"name":"A"},{"name":" a"}]}"#, "two entries named ` a`"),
            (
                r#"{"services":[{"name":"A"}],"resources":[{"name":"R","services":["B"]}]}"#,
                "`R` does `B`",
            ),
            (
                r#"{"services":[{"name":"A"},{"name":"B"}],"resources":[{"name":"R","services":["B"]}]}"#,
                "has `A`, which no resource does",
            ),
            (r#"{"resources":[{"name":"R","count":0}]}"#, "has no `R`"),
        ] {
            let told = told(section);
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn a_service_takes_its_own_time() {
        let rules = rules(
            r#"{"kind":"appointment","services":[{"name":"Révision","duration":"2h"},{"name":"Pneus"}]}"#,
        );
        assert_eq!(rules.duration_of(Some("révision")).as_minutes(), 120);
        assert_eq!(rules.last_arrival_of(Some("Révision")).as_minutes(), 120);
        assert_eq!(rules.duration_of(Some("Pneus")).as_minutes(), 30);
        assert_eq!(rules.longest_days(), 2);
    }
}
