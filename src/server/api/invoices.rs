//! `/api/voice/invoices`.

use std::ops::RangeInclusive;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{Operation, Response as Documented},
    transform::TransformOperation,
};
use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    document,
    extract::At,
    failure::{Answer, Failure},
    parameters::{Cursor, Params, page, within},
};
use crate::{
    api::{Invoices, OneInvoice, Success},
    billing::paper,
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

/// What the document says of the page.
pub(super) fn told_of_page(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let text = "A bill as a page that needs nothing else, and prints on A4";
    document::told("getInvoicePage", text, &[404])(operation)
        .response_with::<200, Html, _>(|response| response.description("The page"))
}

/// What the document says of the PDF.
pub(super) fn told_of_pdf(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let text = "A bill as PDF, with the XML within it: Factur-X";
    document::told("getInvoicePdf", text, &[404, 422])(operation)
        .response_with::<200, Pdf, _>(|response| response.description("The document"))
}

/// What the document says of the XML.
pub(super) fn told_of_xml(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let text = "A bill as Cross Industry Invoice, in the profile of EN 16931";
    document::told("getInvoiceXml", text, &[404])(operation)
        .response_with::<200, Xml, _>(|response| response.description("The document"))
}

fn documented(
    ctx: &mut GenContext,
    operation: &mut Operation,
    media_type: &str,
) -> Option<Documented> {
    let mut response = Json::<String>::operation_response(ctx, operation)?;
    let content = response.content.swap_remove("application/json")?;
    response.content.insert(media_type.to_owned(), content);
    Some(response)
}

/// A page, for the document only.
pub(super) struct Html;

impl OperationOutput for Html {
    type Inner = String;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        documented(ctx, operation, "text/html")
    }
}

/// A PDF, for the document only.
pub(super) struct Pdf;

impl OperationOutput for Pdf {
    type Inner = String;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        documented(ctx, operation, "application/pdf")
    }
}

/// XML, for the document only.
pub(super) struct Xml;

impl OperationOutput for Xml {
    type Inner = String;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Documented> {
        documented(ctx, operation, "application/xml")
    }
}

pub(super) async fn html(asker: Asker, At(named): At<Named>) -> Result<Response, Failure> {
    let issued =
        asker.ask(move |store, actor, _| invoices::show(store, actor, &named.number)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // Its style is within it; whatever a name may hold, nothing is run or fetched.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    Ok((headers, paper::page(&issued.invoice)).into_response())
}

pub(super) async fn pdf(asker: Asker, At(named): At<Named>) -> Result<Response, Failure> {
    // Drawn where blocking is allowed: it takes some milliseconds.
    let pdf = asker
        .ask(move |store, actor, _| {
            let issued = invoices::show(store, actor, &named.number)?;
            paper::pdf(&issued.invoice)
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "application/pdf")], pdf).into_response())
}

pub(super) async fn xml(asker: Asker, At(named): At<Named>) -> Result<Response, Failure> {
    let issued =
        asker.ask(move |store, actor, _| invoices::show(store, actor, &named.number)).await?;
    let xml = paper::cii(&issued.invoice)?;
    Ok(([(header::CONTENT_TYPE, "application/xml")], xml).into_response())
}
