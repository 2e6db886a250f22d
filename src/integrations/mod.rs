//! Requests to the world that others ask for: CRMs and webhooks, a file each.
//!
//! Whatever goes out to an address that a customer's file names goes through [`outgoing`]. What is
//! told and when is `operations::outbox`'s business; here is how each place wants to hear it.

mod answer;
pub mod ics;
pub mod outgoing;
mod webhook;

use std::collections::BTreeMap;

use crate::domain::{Deliver, DestinationKind, Secret, Trouble};
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
    /// What is delivered, as it is stored.
    pub body: String,
    /// What the place has of it already.
    pub progress: Progress,
}

/// Brings parcels to places.
#[derive(Debug, Clone)]
pub struct Couriers {
    outgoing: Outgoing,
}

impl Couriers {
    /// With rules for where they may go.
    ///
    /// # Errors
    /// [`Refused::Failed`] if the HTTP client cannot be set up.
    pub fn new(rules: Rules) -> Result<Self, Refused> {
        Ok(Self { outgoing: Outgoing::new(rules)? })
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
        match place.to {
            DestinationKind::Webhook => {
                let url = place.url.as_deref().unwrap_or_default();
                webhook::deliver(&self.outgoing, url, secret, parcel).await
            }
            DestinationKind::Hubspot | DestinationKind::Salesforce | DestinationKind::Pipedrive => {
                Err((Trouble::Refused, format!("this webox cannot deliver to {} yet", place.to)))
            }
        }
    }
}
