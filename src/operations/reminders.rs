//! Callers reminded of what they booked: told to the outbox when it is time, once for each booking,
//! the time that it begins, and how long before.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{Assistant, Booking, HumanDuration, PhoneNumber, Result, Sight},
    operations::outbox::{self, Happened},
    store::{
        Store, assistants,
        bookings::{self, ToRemind},
    },
};

/// Bookings that are looked at in one go.
const AT_ONCE: u32 = 200;

/// Tells of every booking that begins before long and whose caller is to know; answers of how many.
/// Nothing is told of those that were made, or moved, when it was time already.
pub async fn tell_due(store: &Store, now: Timestamp) -> Result<u64> {
    let assistants = store.read_async(|tx| assistants::list(tx, Sight::All)).await?;
    let mut told = 0;
    for assistant in assistants.into_iter().map(|overview| overview.assistant) {
        if !assistant.spec.active {
            continue;
        }
        for (wanted, before) in wanted(&assistant, now) {
            told += tell_of(store, &assistant, &wanted, before, now).await?;
        }
    }
    Ok(told)
}

/// What is to be looked for: stretches of time that do not overlap, so that of two reminders that are
/// late only the nearer one is sent.
fn wanted(assistant: &Assistant, now: Timestamp) -> Vec<(ToRemind, HumanDuration)> {
    let mut all = Vec::new();
    for place in &assistant.spec.deliver {
        let mut spans = place.remind.clone();
        spans.sort_unstable();
        spans.dedup();
        let mut from = now;
        for before in spans {
            let ahead = SignedDuration::from_mins(before.as_minutes());
            let until = now.checked_add(ahead).unwrap_or(Timestamp::MAX);
            let wanted = ToRemind {
                assistant: assistant.id,
                destination: place.name().to_owned(),
                from,
                until,
                minutes: before.as_minutes(),
            };
            all.push((wanted, before));
            from = until;
        }
    }
    all
}

async fn tell_of(
    store: &Store,
    assistant: &Assistant,
    wanted: &ToRemind,
    before: HumanDuration,
    now: Timestamp,
) -> Result<u64> {
    let (mut after, mut told) = (None, 0);
    loop {
        let of = wanted.clone();
        let found =
            store.read_async(move |tx| bookings::to_remind(tx, &of, after, AT_ONCE)).await?;
        let Some(last) = found.last() else { return Ok(told) };
        after = Some((last.starts_at, last.id));
        let due: Vec<Booking> = found.into_iter().filter(may_be_reminded).collect();
        if due.is_empty() {
            continue;
        }
        told += due.len() as u64;
        let assistant = assistant.clone();
        store
            .write_async(move |tx| {
                for found in &due {
                    // As it is by now: it may have been cancelled or moved a moment ago.
                    let booking = bookings::seen(tx, Sight::All, found.id)?;
                    let Some(booking) = booking.filter(|booking| booking == found) else {
                        continue;
                    };
                    let reminder = Happened::BookingReminder { booking: &booking, before };
                    outbox::tell(tx, &assistant, booking.call, &reminder, now)?;
                }
                Ok(())
            })
            .await?;
    }
}

/// Whether its caller can be sent an SMS.
fn may_be_reminded(booking: &Booking) -> bool {
    let number = booking.caller.as_deref().and_then(PhoneNumber::from_e164);
    number.is_some_and(|number| number.may_take_sms())
}
