//! Bills that were issued: looked up, and taken back by another one. They never change.

use std::sync::Arc;

use jiff::Timestamp;

use super::billing;
use crate::{
    billing::{
        catalogue::Catalogue,
        invoice::{Invoice, Issued},
    },
    domain::{Actor, Error, Result, Sight},
    store::{
        Store, StoreError, Tx,
        invoices::{self, Stored},
    },
};

pub use crate::store::invoices::InvoiceFilter;

fn read(stored: Stored) -> Result<(i64, Issued), StoreError> {
    let invoice: Invoice = serde_json::from_str(&stored.document)?;
    Ok((stored.id, Issued { invoice, credited_by: stored.credited_by }))
}

/// Those that the actor may see, the newest first, each with its row.
pub fn list(store: &Store, actor: &Actor, filter: &InvoiceFilter) -> Result<Vec<(i64, Issued)>> {
    let sight = actor.sight();
    store.read(|tx| invoices::list(tx, sight, filter)?.into_iter().map(read).collect())
}

/// One, by its number.
pub fn show(store: &Store, actor: &Actor, number: &str) -> Result<Issued> {
    let sight = actor.sight();
    store.read(|tx| Ok(one(tx, sight, number)?.1))
}

fn one(tx: &Tx, sight: Sight, number: &str) -> Result<(i64, Issued), StoreError> {
    let found = invoices::seen(tx, sight, number.trim())?;
    let stored = found.ok_or_else(|| {
        let shown: String = number.trim().chars().take(40).collect();
        Error::not_found(format!("no bill `{}`", shown.escape_debug()))
            .hint("list them with `webox invoices`")
    })?;
    read(stored)
}

/// Takes a bill back, whole, by a credit note with a number of its own.
pub fn credit(
    store: &Store,
    actor: &Actor,
    catalogue: Arc<Catalogue>,
    number: &str,
    now: Timestamp,
) -> Result<Issued> {
    actor.may_administer()?;
    billing::seller_of(&catalogue)?;
    let (actor, number) = (actor.clone(), number.to_owned());
    store.write(move |tx| {
        let seller = billing::seller_of(&catalogue)?;
        let (id, issued) = one(tx, actor.sight(), &number)?;
        let bill = &issued.invoice;
        if let Some(credit) = &issued.credited_by {
            return Err(Error::conflict(format!("{} was taken back by {credit}", bill.number))
                .hint(format!("`webox invoices show {credit}` shows it"))
                .into());
        }
        if let Some(credited) = &bill.credits {
            let what = format!("{} takes {} back", bill.number, credited.number);
            return Err(Error::conflict(format!("{what}: it is not taken back itself"))
                .hint(format!(
                    "`webox billing close --month {} --client \"{}\"` issues another bill",
                    bill.month, bill.client
                ))
                .into());
        }
        let assistants = invoices::assistants_of(tx, id)?;
        let credit = bill.credit(catalogue.allowances().day(now));
        let credit = billing::issue(tx, &actor, seller, credit, &assistants, now)?;
        Ok(Issued { invoice: credit, credited_by: None })
    })
}
