use jiff::civil::{date, datetime};
use proptest::prelude::*;

use super::*;

fn spec(sections: &str) -> AssistantSpec {
    serde_json::from_str(&format!(
        r#"{{"name":"le-gourmet","client":"Le Gourmet","phone":"+33123456789","context":"",{sections}}}"#
    ))
    .unwrap()
}

fn restaurant() -> AssistantSpec {
    spec(
        r#""hours":{"monday":["12:00-14:00","19:00-23:00"]},
           "booking":{"party":{"min":2,"max":8},"capacity":10,"duration":"2h"}"#,
    )
}

fn practice() -> AssistantSpec {
    spec(
        r#""hours":{"monday":["09:00-12:00","14:00-18:00"],"tuesday":["09:00-12:00"]},
           "booking":{"kind":"appointment","duration":"20m","grid":"20m","buffer":"10m","lead_time":"2h",
             "services":[{"name":"Consultation"},{"name":"Bilan","duration":"1h"}],
             "resources":[{"name":"Docteur Martin","services":["Consultation"]},
                          {"name":"Docteur Petit","hours":{"monday":["09:00-12:00"]}}]}"#,
    )
}

fn hotel() -> AssistantSpec {
    spec(
        r#""hours":{"closed":["2026-12-20/2026-12-27"]},
           "booking":{"kind":"stay","resources":[
             {"name":"double","count":2,"party":{"max":2}},{"name":"familiale","party":{"min":2,"max":4}}]}"#,
    )
}

fn now() -> Timestamp {
    "2026-11-23T18:00:00+01:00".parse().unwrap()
}

fn monday(h: i8, m: i8) -> DateTime {
    datetime(2026, 11, 23, h, m, 0, 0)
}

fn ask(party: u32, at: DateTime) -> BookingRequest {
    BookingRequest { party, at, ..BookingRequest::default() }
}

fn find(
    spec: &AssistantSpec,
    request: &BookingRequest,
    taken: &[Booked],
) -> Result<Place, Refusal> {
    Place::find(spec, request, taken, now())
}

fn judge(party: u32, at: DateTime, taken: &[Booked]) -> Option<Refusal> {
    find(&restaurant(), &ask(party, at), taken).err()
}

fn booked(place: &Place, party: u32) -> Booked {
    Booked {
        starts_at: place.starts_at,
        free_at: place.free_at,
        party,
        resource: place.resource.clone(),
        whole: false,
    }
}

#[test]
fn rules_are_told_apart() {
    assert_eq!(judge(4, monday(20, 0), &[]), None);
    assert_eq!(judge(1, monday(20, 0), &[]), Some(Refusal::PartyTooSmall { min: 2 }));
    assert_eq!(judge(9, monday(20, 0), &[]), Some(Refusal::PartyTooLarge { max: 8 }));
    assert_eq!(judge(4, monday(12, 30), &[]), Some(Refusal::InThePast));
    assert_eq!(judge(4, monday(22, 30), &[]), Some(Refusal::TooLate { last: monday(22, 0) }));
    let next = datetime(2026, 11, 30, 12, 0, 0, 0);
    assert_eq!(
        judge(4, datetime(2026, 11, 29, 20, 0, 0, 0), &[]),
        Some(Refusal::ClosedThatDay { next: Some(next) })
    );
    assert_eq!(
        judge(4, datetime(2026, 11, 30, 16, 0, 0, 0), &[]),
        Some(Refusal::OutsideHours { next: Some(datetime(2026, 11, 30, 19, 0, 0, 0)) })
    );
    assert_eq!(
        judge(4, datetime(2027, 6, 7, 20, 0, 0, 0), &[]),
        Some(Refusal::TooFarAhead { days: 90 })
    );
    assert_eq!(find(&spec(r#""hours":{}"#), &ask(2, monday(20, 0)), &[]), Err(Refusal::NotOffered));
}

#[test]
fn a_full_room_offers_the_nearest_free_times() {
    let start: Timestamp = "2026-11-23T20:00:00+01:00".parse().unwrap();
    let end: Timestamp = "2026-11-23T21:00:00+01:00".parse().unwrap();
    let taken = [Booked { starts_at: start, free_at: end, party: 8, resource: None, whole: false }];
    assert_eq!(judge(2, monday(20, 0), &taken), None);
    assert_eq!(
        judge(4, monday(20, 30), &taken),
        Some(Refusal::Full { free: vec![monday(21, 0), monday(21, 15), monday(21, 30)] })
    );
    // Nothing left all evening: the same hour a week later, and what is near it after that.
    let night =
        Booked { free_at: "2026-11-24T02:00:00+01:00".parse().unwrap(), ..taken[0].clone() };
    let full =
        Booked { party: 10, starts_at: "2026-11-23T12:00:00+01:00".parse().unwrap(), ..night };
    assert_eq!(
        judge(4, monday(20, 30), &[full]),
        Some(Refusal::Full {
            free: vec![datetime(2026, 11, 30, 20, 30, 0, 0), datetime(2026, 12, 7, 20, 30, 0, 0)]
        })
    );
}

#[test]
fn appointments_keep_to_the_grid_the_service_and_the_doctor() {
    let spec = practice();
    let with = |service: &str, resource: Option<&str>, at: DateTime| BookingRequest {
        service: Some(service.to_owned()),
        resource: resource.map(str::to_owned),
        ..ask(1, at)
    };
    let next = |h, m| datetime(2026, 11, 30, h, m, 0, 0);
    assert_eq!(
        find(&spec, &ask(1, next(9, 0)), &[]),
        Err(Refusal::WhichService { services: vec!["Consultation".into(), "Bilan".into()] })
    );
    let place = find(&spec, &with("consultation", None, next(9, 20)), &[]).unwrap();
    assert_eq!(place.resource.as_deref(), Some("Docteur Martin"));
    assert_eq!(place.free_at.duration_since(place.starts_at).as_mins(), 30);
    // The other one is free at the same time, and then nobody; the buffer counts.
    let taken = [booked(&place, 1)];
    let second = find(&spec, &with("Consultation", None, next(9, 20)), &taken).unwrap();
    assert_eq!(second.resource.as_deref(), Some("Docteur Petit"));
    let taken = [booked(&place, 1), booked(&second, 1)];
    assert_eq!(
        find(&spec, &with("Consultation", None, next(9, 20)), &taken),
        Err(Refusal::Full { free: vec![next(10, 0), next(10, 20), next(10, 40)] })
    );
    assert_eq!(
        find(&spec, &with("Consultation", None, next(9, 30)), &taken),
        Err(Refusal::OffGrid { near: vec![next(10, 0), next(10, 20), next(10, 40)] })
    );
    // A check-up takes an hour and only Doctor Petit does it, who leaves at noon.
    assert!(find(&spec, &with("Bilan", None, next(11, 0)), &[]).is_ok());
    assert_eq!(
        find(&spec, &with("Bilan", None, next(11, 20)), &[]),
        Err(Refusal::TooLate { last: next(11, 0) })
    );
    let afternoon = find(&spec, &with("Bilan", None, next(15, 0)), &[]);
    assert_eq!(
        afternoon,
        Err(Refusal::Full { free: vec![next(11, 0), next(10, 40), next(10, 20)] })
    );
    assert_eq!(
        find(&spec, &with("Bilan", Some("Docteur Martin"), next(9, 0)), &[]),
        Err(Refusal::WhichResource { resources: vec!["Docteur Petit".into()] })
    );
}

#[test]
fn an_entry_in_a_calendar_takes_all_there_is() {
    let monday = |hour| datetime(2026, 11, 30, hour, 0, 0, 0);
    let entry = |resource: Option<&str>| Booked {
        starts_at: "2026-11-30T09:00:00+01:00".parse().unwrap(),
        free_at: "2026-11-30T12:00:00+01:00".parse().unwrap(),
        party: 0,
        resource: resource.map(str::to_owned),
        whole: true,
    };
    let spec = practice();
    let request = BookingRequest { service: Some("Consultation".into()), ..ask(1, monday(10)) };
    let one_away = find(&spec, &request, &[entry(Some("docteur martin"))]).unwrap();
    assert_eq!(one_away.resource.as_deref(), Some("Docteur Petit"));
    assert!(find(&spec, &request, &[entry(None)]).is_err(), "both are away");
    let table = ask(2, monday(12));
    let lunch = Booked { free_at: "2026-11-30T15:00:00+01:00".parse().unwrap(), ..entry(None) };
    assert!(find(&restaurant(), &table, &[lunch]).is_err());
}

#[test]
fn what_is_too_soon_offers_the_first_time_that_is_not() {
    let spec = practice();
    let request = BookingRequest { service: Some("Consultation".into()), ..ask(1, monday(14, 20)) };
    let at_noon = "2026-11-23T12:30:00+01:00".parse().unwrap();
    assert_eq!(
        Place::find(&spec, &request, &[], at_noon),
        Err(Refusal::TooSoon { earliest: Some(monday(14, 40)) })
    );
}

#[test]
fn a_stay_takes_the_smallest_room_that_fits_for_all_of_its_nights() {
    let spec = hotel();
    let stay = |party, day: Date, nights| BookingRequest {
        nights: Some(nights),
        ..ask(party, day.to_datetime(Time::midnight()))
    };
    let first = find(&spec, &stay(2, date(2026, 12, 1), 3), &[]).unwrap();
    assert_eq!(first.resource.as_deref(), Some("double"));
    assert_eq!(first.starts_at.to_string(), "2026-12-01T14:00:00Z", "15:00 in Paris");
    assert_eq!(first.ends_at.to_string(), "2026-12-04T10:00:00Z", "11:00 in Paris");
    let mut taken = vec![booked(&first, 2), booked(&first, 2)];
    let third = find(&spec, &stay(2, date(2026, 12, 3), 2), &taken).unwrap();
    assert_eq!(third.resource.as_deref(), Some("familiale"), "the doubles are taken");
    taken.push(booked(&third, 2));
    assert_eq!(
        find(&spec, &stay(1, date(2026, 12, 3), 1), &taken),
        Err(Refusal::Full {
            free: vec![
                date(2026, 12, 4).to_datetime(Time::constant(15, 0, 0, 0)),
                date(2026, 12, 5).to_datetime(Time::constant(15, 0, 0, 0)),
                date(2026, 11, 30).to_datetime(Time::constant(15, 0, 0, 0)),
            ]
        }),
    );
    // The day of departure is another guest's day of arrival.
    assert!(find(&spec, &stay(2, date(2026, 12, 4), 1), &taken).is_ok());
    assert_eq!(
        find(&spec, &stay(5, date(2026, 12, 1), 1), &[]),
        Err(Refusal::PartyTooLarge { max: 4 })
    );
    assert_eq!(
        find(&spec, &stay(2, date(2026, 12, 18), 3), &[]),
        Err(Refusal::ClosedThatDay { next: None })
    );
    assert_eq!(
        find(&spec, &stay(2, date(2026, 12, 1), 31), &[]),
        Err(Refusal::Nights { min: 1, max: 30 })
    );
    assert!(find(&spec, &stay(2, date(2026, 11, 23), 1), &[]).is_ok(), "this evening");
}

#[test]
fn a_wall_clock_time_survives_the_change_of_clocks() {
    let spec = spec(r#""booking":{"duration":"2h","horizon_days":365}"#);
    // 02:30 does not exist on 2027-03-28 in Paris: one hour later does.
    let place = find(&spec, &ask(2, datetime(2027, 3, 28, 2, 30, 0, 0)), &[]).unwrap();
    assert_eq!(place.starts_at.to_string(), "2027-03-28T01:30:00Z");
    assert_eq!(place.ends_at.duration_since(place.starts_at).as_mins(), 120);
    assert_eq!(place.at, datetime(2027, 3, 28, 2, 30, 0, 0), "what was promised stays");
}

/// A day around which clocks change, an ordinary one, and all minutes of it.
fn moments() -> impl Strategy<Value = DateTime> {
    let days =
        prop_oneof![Just(date(2026, 10, 25)), Just(date(2027, 3, 28)), Just(date(2026, 12, 7))];
    (days, 0..24 * 60i64).prop_map(|(day, minute)| {
        day.to_datetime(Time::midnight()).saturating_add(minute.minutes())
    })
}

proptest! {
    /// Wherever the clocks change: the instant is the wall clock's, or the first that there is.
    #[test]
    fn an_instant_is_what_the_wall_clock_said(at in moments()) {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let shown = instant(&zone, at).to_zoned_datetime(zone).datetime();
        let skipped = at.date() == date(2027, 3, 28) && at.hour() == 2;
        let expected = if skipped { at.saturating_add(1.hour()) } else { at };
        prop_assert_eq!(shown, expected);
    }

    /// Whatever is asked for, what is granted never exceeds what there is, at no minute; and what is
    /// offered instead can be had.
    #[test]
    fn nobody_is_promised_what_another_has(
        wishes in proptest::collection::vec((1..5u32, 0..5i64, 0..40i64, 1..4u32), 1..60),
        which in 0..3usize,
    ) {
        let spec = [restaurant, practice, hotel][which]();
        let rules = spec.booking.as_ref().unwrap();
        let mut taken: Vec<Booked> = Vec::new();
        for (party, week, quarter, nights) in wishes {
            let day = date(2026, 11, 30).saturating_add((week * 7).days());
            let at = day.to_datetime(Time::constant(9, 0, 0, 0)).saturating_add((quarter * 20).minutes());
            let request = BookingRequest {
                party: if rules.only_party().is_some() { 1 } else { party },
                nights: Some(nights),
                service: (!rules.services.is_empty()).then(|| "Consultation".to_owned()),
                ..ask(0, at)
            };
            match find(&spec, &request, &taken) {
                Ok(place) => taken.push(booked(&place, request.party)),
                Err(Refusal::Full { free: offers } | Refusal::OffGrid { near: offers }) => {
                    for at in offers {
                        let again = BookingRequest { at, ..request.clone() };
                        prop_assert!(find(&spec, &again, &taken).is_ok(), "{at} was offered");
                    }
                }
                Err(_) => {}
            }
        }
        for moment in taken.iter().map(|booked| booked.starts_at) {
            let there: Vec<&Booked> =
                taken.iter().filter(|b| b.starts_at <= moment && moment < b.free_at).collect();
            if rules.resources.is_empty() {
                prop_assert!(there.iter().map(|b| b.party).sum::<u32>() <= rules.capacity);
            }
            for resource in &rules.resources {
                let here = there.iter().filter(|b| b.resource.as_ref() == Some(&resource.name));
                prop_assert!(here.count() <= resource.count as usize, "{}", resource.name);
            }
        }
    }
}
