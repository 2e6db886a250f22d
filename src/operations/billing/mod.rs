//! What clients owe for a month: shown before it is over, billed afterwards, and what is left of it.
//! Who sees all may look; who may administer bills.

pub(super) mod limit;
mod usage;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use crate::{
    billing::{
        catalogue::{Catalogue, Seller},
        invoice::{CURRENCY, Heading, Invoice, taxes},
        reckoned::{Closed, Closing, Margin, Preview},
    },
    domain::{Actor, AssistantId, Cents, Error, Kind, Month, Result},
    store::{
        Store, StoreError, Tx,
        audit::Deed,
        billing as rows,
        invoices::{self, Billed, NewInvoice},
    },
};

pub(super) use limit::refuses;
use usage::{Reckoning, reckon};

/// What clients owe for a month, or one of them, as far as it is known.
pub fn preview(
    store: &Store,
    actor: &Actor,
    catalogue: &Catalogue,
    month: Month,
    client: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Preview>> {
    may_see_all(actor)?;
    store.read(|tx| {
        let mut reckonings = reckon(tx, catalogue, month, client, now)?;
        if client.is_none() {
            reckonings.extend(nobody_works_for(catalogue, &reckonings));
        }
        reckonings.into_iter().map(|one| shown(tx, catalogue, month, one, now)).collect()
    })
}

/// Clients of the file whose name is that of none: misspelt, they would be billed by no agreement.
fn nobody_works_for(catalogue: &Catalogue, known: &[Reckoning]) -> Vec<Reckoning> {
    let unknown = |client: &&String| !known.iter().any(|one| one.client == **client);
    let warned = |client: &String| {
        Reckoning {
        client: client.clone(),
        warnings: vec![
            "no assistant works for a client of this name: it is the `client` of assistants' files, letter by letter"
                .to_owned(),
        ],
        ..Reckoning::default()
    }
    };
    catalogue.clients.keys().filter(unknown).map(warned).collect()
}

fn may_see_all(actor: &Actor) -> Result<()> {
    if actor.sees_all() {
        return Ok(());
    }
    Err(Error::new(Kind::Denied, "only who sees all clients may see what they owe")
        .hint("`webox invoices` shows your own bills"))
}

fn shown(
    tx: &Tx,
    catalogue: &Catalogue,
    month: Month,
    one: Reckoning,
    now: Timestamp,
) -> Result<Preview, StoreError> {
    let mut warnings = one.warnings.clone();
    warnings.extend(one.problems.iter().cloned());
    let (lines, net, tax, number) = match invoices::standing(tx, &one.client, month)? {
        Billed::Issued(number, _) => {
            let Some(stored) = invoices::seen(tx, crate::domain::Sight::All, &number)? else {
                return Err(StoreError::Row(format!("the bill {number} is not there")));
            };
            let said: Invoice = serde_json::from_str(&stored.document)?;
            (said.lines, said.net, said.tax, Some(number))
        }
        Billed::Never | Billed::TakenBack => {
            if let (Some(seller), false) = (&catalogue.seller, one.lines.is_empty()) {
                match bill(catalogue, seller, month, &one, now) {
                    Ok(bill) => warnings.extend(bill.refused_for()),
                    Err(error) => warnings.push(told(&error)),
                }
            }
            let net = one.lines.iter().map(|line| line.net).sum();
            let tax = taxes(&one.lines).iter().map(|tax| tax.amount).sum();
            (one.lines, net, tax, None)
        }
    };
    Ok(Preview {
        client: one.client,
        month,
        usage: one.usage,
        lines,
        net,
        tax,
        total: net.plus(tax),
        currency: CURRENCY.to_owned(),
        invoice: number,
        warnings,
    })
}

/// An error in a line.
fn told(error: &Error) -> String {
    let hint = error.hint_text().map_or_else(String::new, |hint| format!(": {hint}"));
    format!("{}{hint}", error.message())
}

fn bill(
    catalogue: &Catalogue,
    seller: &Seller,
    month: Month,
    one: &Reckoning,
    now: Timestamp,
) -> Result<Invoice> {
    let nothing = crate::billing::catalogue::Client::default();
    let terms = catalogue.clients.get(&one.client).unwrap_or(&nothing);
    let issued = catalogue.allowances().day(now);
    Invoice::of(&Heading { seller, client: &one.client, terms, month, issued }, one.lines.clone())
}

/// Bills a month that is over, or one client's: each client once, however often it is asked.
pub fn close(
    store: &Store,
    actor: &Actor,
    catalogue: Arc<Catalogue>,
    month: Month,
    client: Option<String>,
    now: Timestamp,
) -> Result<Vec<Closed>> {
    actor.may_administer()?;
    seller(&catalogue)?;
    let today = catalogue.allowances().day(now);
    if today <= month.last() {
        return Err(Error::new(Kind::Refused, format!("{month} is not over: nothing was billed"))
            .hint(format!("its bills can be issued from the day after {} on; `webox billing preview --month {month}` shows how they stand", month.last())));
    }
    let actor = actor.clone();
    store.write(move |tx| {
        let seller = seller(&catalogue)?;
        let named = client.is_some();
        let reckonings = reckon(tx, &catalogue, month, client.as_deref(), now)?;
        let close = |one| close_one(tx, &actor, &catalogue, seller, month, one, named, now);
        reckonings.into_iter().map(close).collect()
    })
}

fn seller(catalogue: &Catalogue) -> Result<&Seller> {
    catalogue.seller.as_ref().ok_or_else(|| {
        Error::new(Kind::Refused, "nobody is named who bills")
            .hint("give `[seller.company]` in billing.toml; `man webox.toml` lists its keys")
    })
}

#[expect(clippy::too_many_arguments, reason = "one step of closing, with all that it needs")]
fn close_one(
    tx: &Tx,
    actor: &Actor,
    catalogue: &Catalogue,
    seller: &Seller,
    month: Month,
    one: Reckoning,
    named: bool,
    now: Timestamp,
) -> Result<Closed, StoreError> {
    let client = one.client.clone();
    let closed = |closing, number, total, problem| {
        Ok(Closed { client: client.clone(), closing, number, total, problem })
    };
    match invoices::standing(tx, &one.client, month)? {
        Billed::Issued(number, _) => return closed(Closing::Unchanged, Some(number), None, None),
        // Whoever gave the money back on purpose does not want it billed again by the next close.
        Billed::TakenBack if !named => return closed(Closing::TakenBack, None, None, None),
        Billed::Never | Billed::TakenBack => {}
    }
    // A client may have been called otherwise when its month was billed.
    for assistant in &one.assistants {
        if let Some((number, name)) = invoices::billed_with(tx, *assistant, month)? {
            let why = format!(
                "an assistant of it is on {number} of {name} already: take that back first"
            );
            return closed(Closing::Failed, None, None, Some(why));
        }
    }
    if one.going_on > 0 {
        let why = "a call that began in the month goes on: close it when it is over";
        return closed(Closing::Failed, None, None, Some(why.to_owned()));
    }
    if !one.problems.is_empty() {
        return closed(Closing::Failed, None, None, Some(one.problems.join("; ")));
    }
    if one.lines.is_empty() {
        return closed(Closing::Nothing, None, None, None);
    }
    match bill(catalogue, seller, month, &one, now) {
        Err(error) => closed(Closing::Failed, None, None, Some(told(&error))),
        Ok(bill) => {
            let bill = issue(tx, actor, seller, bill, &one.assistants, now)?;
            closed(Closing::Issued, Some(bill.number), Some(bill.total), None)
        }
    }
}

/// Gives a bill its number and stores it, in the transaction that it was made in.
pub(super) fn issue(
    tx: &Tx,
    actor: &Actor,
    seller: &Seller,
    mut bill: Invoice,
    assistants: &[AssistantId],
    now: Timestamp,
) -> Result<Invoice, StoreError> {
    let series = seller.series(bill.issued);
    let elsewhere = seller.last_elsewhere(&series).unwrap_or(0);
    let counter = invoices::take_counter(tx, &series, elsewhere.into())?;
    let follows = seller.last_number.as_deref().filter(|_| {
        // Nothing was given elsewhere where `last_number` is of another series.
        elsewhere > 0 && counter == u64::from(elsewhere) + 1
    });
    bill.number = format!("{series}{counter:04}");
    let document = serde_json::to_string(&bill)?;
    // What cannot be read again must not be kept for ever.
    serde_json::from_str::<Invoice>(&document)?;
    let credits = bill.credits.as_ref().map(|credited| credited.number.as_str());
    let new = NewInvoice {
        series: &series,
        counter,
        number: &bill.number,
        client: &bill.client,
        month: bill.month,
        credits,
        issued_at: now,
        net: bill.net,
        document: &document,
        assistants,
    };
    invoices::insert(tx, &new)?;
    let deed = Deed {
        action: if credits.is_some() { "invoice.credit" } else { "invoice.issue" },
        target: format!("invoice/{}", bill.number),
        before: json!(credits),
        after: json!({
            "client": bill.client, "month": bill.month, "total": bill.total, "follows": follows,
        }),
    };
    audit::record(tx, actor, now, &deed)?;
    Ok(bill)
}

/// The seller of a catalogue, for what takes bills back.
pub(super) fn seller_of(catalogue: &Catalogue) -> Result<&Seller> {
    seller(catalogue)
}

/// What is left of what clients pay for a month, those who leave most first.
pub fn margins(
    store: &Store,
    actor: &Actor,
    catalogue: &Catalogue,
    month: Month,
    now: Timestamp,
) -> Result<Vec<Margin>> {
    may_see_all(actor)?;
    let bounds = month.bounds(&catalogue.zone())?;
    store.read(|tx| {
        let mut revenue: BTreeMap<String, (Cents, bool)> = BTreeMap::new();
        for one in reckon(tx, catalogue, month, None, now)? {
            let net = one.lines.iter().map(|line| line.net).sum();
            revenue.insert(one.client, (net, false));
        }
        for client in invoices::clients_of(tx, month)? {
            let billed = match invoices::standing(tx, &client, month)? {
                Billed::Issued(_, net) => (net, true),
                Billed::TakenBack => (Cents::ZERO, true),
                Billed::Never => continue,
            };
            revenue.insert(client, billed);
        }
        let mut costs = rows::costs(tx, bounds)?;
        let mut margins: Vec<Margin> = Vec::new();
        for (client, billed) in revenue {
            let cost = costs.remove(&client).map(Cents::nearest).unwrap_or_default();
            margins.push(Margin::of(client, billed, cost));
        }
        for (client, cost) in costs {
            margins.push(Margin::of(client, (Cents::ZERO, false), Cents::nearest(cost)));
        }
        margins.sort_by(|a, b| b.margin.cmp(&a.margin).then_with(|| a.client.cmp(&b.client)));
        Ok(margins)
    })
}
