//! Requests to the world that others ask for: calendars, CRMs, mail and webhooks, a file each.
//!
//! Whatever goes out to an address that a customer's file names goes through [`outgoing`]. What is
//! told and when is `operations::outbox`'s business; here is how each place wants to hear it.

mod answer;
mod api;
pub mod calendars;
mod chat;
mod command;
pub mod endpoint;
mod hubspot;
pub mod ics;
pub mod mail;
pub mod outgoing;
mod pipedrive;
pub mod s3;
mod salesforce;
mod story;
mod webhook;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{AlertChannel, Deliver, DestinationKind, Notice, Secret, Trouble};
use outgoing::{Outgoing, Refused, Rules};

/// Why something did not arrive: whether to go on trying, and in words what happened.
pub type Failure = (Trouble, String);

/// What a place has of a delivery already, by words of its own: what need not be done again.
pub type Progress = BTreeMap<String, String>;

/// Something to deliver.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Its name, the same however often it is delivered.
    pub id: String,
    /// Now, in seconds of the Unix clock.
    pub now: i64,
    /// Which try this is, from 1.
    pub attempts: u32,
    /// What is delivered, as it is stored.
    pub body: String,
    /// What the place has of it already.
    pub progress: Progress,
}

impl Parcel {
    /// What is in it.
    fn told(&self) -> Result<Value, Failure> {
        serde_json::from_str(&self.body)
            .map_err(|error| (Trouble::Gone, format!("the delivery cannot be read: {error}")))
    }
}

/// Where vendors are, when not at their usual addresses.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// HubSpot's API.
    pub hubspot: Option<String>,
    /// Pipedrive's API.
    pub pipedrive: Option<String>,
    /// Google's calendars.
    pub google_calendar: Option<String>,
}

/// Brings parcels to places.
#[derive(Debug, Clone)]
pub struct Couriers {
    outgoing: Outgoing,
    addresses: Addresses,
    google: calendars::Access,
    mail: Option<mail::Post>,
}

impl Couriers {
    /// With rules for where they may go.
    ///
    /// # Errors
    /// [`Refused::Failed`] if the HTTP client cannot be set up.
    pub fn new(rules: Rules, addresses: Addresses) -> Result<Self, Refused> {
        let google = calendars::Access::new(addresses.google_calendar.clone());
        Ok(Self { outgoing: Outgoing::new(rules)?, addresses, google, mail: None })
    }

    /// With a server that mail leaves by.
    #[must_use]
    pub fn mailing_by(self, mail: Option<mail::Post>) -> Self {
        Self { mail, ..self }
    }

    /// Asks an endpoint of a client's while somebody is on the phone.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(
        &self,
        asking: endpoint::Asking<'_>,
    ) -> Result<endpoint::Answered, endpoint::Unanswered> {
        endpoint::ask(&self.outgoing, asking).await
    }

    /// Sends an e-mail.
    ///
    /// # Errors
    /// Why it did not leave.
    pub async fn mail(&self, id: &str, notice: &Notice) -> Result<(), Failure> {
        let Some(mail) = &self.mail else {
            // Ours to set right: the mail waits for it.
            let what = "no mail server is set: `[smtp]` in webox.toml, or WEBOX_SMTP_HOST and WEBOX_SMTP_FROM";
            return Err((Trouble::Later(None), what.to_owned()));
        };
        mail.send(id, notice).await
    }

    /// Sends a parcel to an address, signed.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn post_signed(
        &self,
        url: &str,
        secret: &Secret,
        parcel: &Parcel,
    ) -> Result<(), Failure> {
        webhook::deliver(&self.outgoing, url, secret, parcel).await
    }

    /// Writes into a channel of a chat; `address` is that of its incoming webhook, `now` in seconds.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn post_chat(
        &self,
        channel: AlertChannel,
        address: &Secret,
        text: &str,
        now: i64,
    ) -> Result<(), Failure> {
        chat::post(&self.outgoing, channel, address, text, now).await
    }

    /// Runs a program of this machine, without a shell, with a text on its standard input.
    ///
    /// # Errors
    /// Why it could not be run, or how it ended.
    pub async fn run(&self, command: &[String], input: &str) -> Result<(), Failure> {
        command::run(command, input).await
    }

    /// What stands in a calendar in a stretch of time, entries of ours left out.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn read_calendar(
        &self,
        place: &Deliver,
        secret: &Secret,
        window: &calendars::Window<'_>,
    ) -> Result<Vec<calendars::Busy>, Failure> {
        calendars::read(&self.outgoing, &self.google, place, secret, window).await
    }

    /// Brings a parcel to a place. What the place has of it afterwards stands in the parcel, also
    /// when this fails.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn deliver(
        &self,
        place: &Deliver,
        secret: &Secret,
        parcel: &mut Parcel,
    ) -> Result<(), Failure> {
        let outgoing = &self.outgoing;
        let url = place.url.as_deref();
        match place.to {
            DestinationKind::Webhook => {
                webhook::deliver(outgoing, url.unwrap_or_default(), secret, parcel).await
            }
            DestinationKind::Hubspot => {
                let base = self.addresses.hubspot.as_deref().unwrap_or(hubspot::BASE_URL);
                hubspot::deliver(outgoing, base, secret, parcel).await
            }
            DestinationKind::Salesforce => {
                let client_id = place.client_id.as_deref().unwrap_or_default();
                let domain = url.unwrap_or_default();
                salesforce::deliver(outgoing, domain, client_id, secret, parcel).await
            }
            DestinationKind::Pipedrive => {
                let base = url.or(self.addresses.pipedrive.as_deref());
                let base = base.unwrap_or(pipedrive::BASE_URL);
                pipedrive::deliver(outgoing, base, secret, parcel).await
            }
            DestinationKind::Caldav | DestinationKind::GoogleCalendar => {
                let google = &self.google;
                calendars::write(outgoing, google, place, secret, &parcel.body, parcel.now).await
            }
            DestinationKind::Sms | DestinationKind::Email => {
                Err((Trouble::Gone, "what people are told in words is no parcel".to_owned()))
            }
        }
    }
}
