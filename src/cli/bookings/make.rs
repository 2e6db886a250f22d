//! Booking and cancelling by hand.

use clap::Args;

use super::{Context, help, moment, prompt, tell, today_in, wall_clock};
use crate::{
    cli::exit,
    domain::{BookingRequest, Error, Kind, PhoneNumber, Result},
};

/// Arguments of `create`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox bookings create le-gourmet --at \"2026-11-27 20:00\" --party 4 --name Dupont --phone 0612345678", "a table"),
        ("webox bookings create garage-dupont --at \"demain 09:00\" --service Révision --name Petit --note \"AB-123-CD\"", "an appointment"),
        ("webox bookings create hotel-miramar --at 2026-12-04 --nights 3 --party 2 --name García", "a stay"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::DENIED],
))]
pub(super) struct Create {
    /// With which assistant.
    #[arg(value_name = "NAME")]
    assistant: String,
    /// When, on the client's own clock: `2026-11-27 20:00`, `tomorrow 20:00`; a day for a stay.
    #[arg(long, value_name = "TIME")]
    at: String,
    /// How many people [default: the only number there is, or 1].
    #[arg(long, value_name = "N")]
    party: Option<u32>,
    /// Under which name.
    #[arg(long)]
    name: String,
    /// Number to call back.
    #[arg(long, value_name = "NUMBER")]
    phone: Option<PhoneNumber>,
    /// What is to be done.
    #[arg(long)]
    service: Option<String>,
    /// With whom, or which room.
    #[arg(long = "with", value_name = "RESOURCE")]
    resource: Option<String>,
    /// Nights of a stay.
    #[arg(long, value_name = "N")]
    nights: Option<u32>,
    /// What the client should know.
    #[arg(long)]
    note: Option<String>,
}

pub(super) fn create(args: &Create, context: &Context) -> Result<()> {
    let desk = context.desk("bookings create")?;
    let assistant = desk.assistant(&args.assistant)?;
    let rules = assistant.spec.booking.as_ref();
    let today = today_in(assistant.spec.zone(), context.now()?.timestamp());
    let request = BookingRequest {
        party: args.party.or_else(|| rules?.only_party()).unwrap_or(1),
        at: moment(&args.at, today)?,
        nights: args.nights,
        service: args.service.clone(),
        resource: args.resource.clone(),
        name: Some(args.name.clone()),
        note: args.note.clone(),
    };
    let booking = desk.book(&assistant, request, args.phone.clone())?;
    tell(&booking, context)
}

/// Arguments of `cancel`.
#[derive(Debug, Args)]
pub(super) struct Cancel {
    /// The reference, or `#` and the number of the row.
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn cancel(args: &Cancel, context: &Context) -> Result<()> {
    let desk = context.desk("bookings cancel")?;
    let booking = desk.booking(&args.reference)?;
    if booking.cancelled_at.is_some() {
        context.out.note(&format!("The booking {} was cancelled before.", booking.reference));
        return Ok(());
    }
    let what = format!("{}, {} for {}", wall_clock(&booking), booking.name, booking.party);
    if !args.yes && !prompt::confirm(context, &format!("Cancel {what}?"), "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was cancelled"));
    }
    let booking = desk.cancel_booking(&format!("#{}", booking.id.0))?;
    context.out.note(&format!("Cancelled: {what} ({}).", booking.reference));
    Ok(())
}
