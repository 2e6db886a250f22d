//! `/api/voice/invoices`.

use std::ops::RangeInclusive;

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::At,
    failure::Answer,
    parameters::{Cursor, Params, page, within},
};
use crate::{
    api::{Invoices, OneInvoice, Success},
    domain::Month,
    operations::invoices::{self, InvoiceFilter},
};

/// How many in one answer.
const LIMIT: RangeInclusive<u64> = 1..=500;

/// Which bills.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// For a month, such as `2026-11`.
    month: Option<Month>,
    /// Of a client, by the name that assistants' files give.
    client: Option<String>,
    /// At most so many: 500 when left out, which is the most.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<Cursor>,
}

/// A bill.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its number.
    number: String,
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Invoices> {
    let limit = within("limit", wanted.limit.unwrap_or(*LIMIT.end()), &LIMIT)?;
    let filter = InvoiceFilter {
        month: wanted.month,
        client: wanted.client,
        before: wanted.cursor.map(|Cursor(row)| row),
        limit: Some(limit + 1),
    };
    let found = asker.ask(move |store, actor, _| invoices::list(store, actor, &filter)).await?;
    let (found, next) = page(found, limit, |(row, _)| *row);
    let invoices = found.into_iter().map(|(_, invoice)| invoice).collect();
    Ok(Json(Invoices { success: Success::default(), invoices, next }))
}

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> Answer<OneInvoice> {
    let invoice =
        asker.ask(move |store, actor, _| invoices::show(store, actor, &named.number)).await?;
    Ok(Json(invoice.into()))
}

pub(super) async fn credit(asker: Asker, At(named): At<Named>) -> Answer<OneInvoice> {
    let catalogue = asker.catalogue();
    let invoice = asker
        .ask(move |store, actor, now| invoices::credit(store, actor, catalogue, &named.number, now))
        .await?;
    Ok(Json(invoice.into()))
}
