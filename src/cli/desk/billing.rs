//! What commands ask about plans and bills.

use std::sync::Arc;

use super::{Local, Remote};
use crate::{
    api::{CloseInput, Invoices, Margins, MonthClosed, OneInvoice, Previews},
    billing::{
        catalogue::Catalogue,
        invoice::Issued,
        reckoned::{Closed, Margin, Preview},
    },
    domain::{Month, Result},
    operations::{
        billing,
        invoices::{self, InvoiceFilter},
    },
};

/// Plans and bills.
#[rustfmt::skip]
pub(in crate::cli) trait BillingDesk {
    /// What clients owe for a month, or one of them, as far as it is known.
    fn preview_bills(&self, month: Month, client: Option<&str>) -> Result<Vec<Preview>>;
    fn close_month(&self, month: Month, client: Option<&str>) -> Result<Vec<Closed>>;
    fn margins(&self, month: Month) -> Result<Vec<Margin>>;
    /// The newest first; as many as there are.
    fn invoices(&self, month: Option<Month>, client: Option<&str>) -> Result<Vec<Issued>>;
    fn invoice(&self, number: &str) -> Result<Issued>;
    /// Takes it back, by another one.
    fn credit_invoice(&self, number: &str) -> Result<Issued>;
}

impl Local {
    fn catalogue(&self) -> Result<Catalogue> {
        match &self.billing {
            Some(path) => Catalogue::open(path),
            None => Ok(Catalogue::shipped()),
        }
    }
}

impl BillingDesk for Local {
    fn preview_bills(&self, month: Month, client: Option<&str>) -> Result<Vec<Preview>> {
        billing::preview(&self.store, &self.actor, &self.catalogue()?, month, client, self.now)
    }

    fn close_month(&self, month: Month, client: Option<&str>) -> Result<Vec<Closed>> {
        let (catalogue, client) = (Arc::new(self.catalogue()?), client.map(str::to_owned));
        billing::close(&self.store, &self.actor, catalogue, month, client, self.now)
    }

    fn margins(&self, month: Month) -> Result<Vec<Margin>> {
        billing::margins(&self.store, &self.actor, &self.catalogue()?, month, self.now)
    }

    fn invoices(&self, month: Option<Month>, client: Option<&str>) -> Result<Vec<Issued>> {
        let filter =
            InvoiceFilter { month, client: client.map(str::to_owned), ..InvoiceFilter::default() };
        let found = invoices::list(&self.store, &self.actor, &filter)?;
        Ok(found.into_iter().map(|(_, issued)| issued).collect())
    }

    fn invoice(&self, number: &str) -> Result<Issued> {
        invoices::show(&self.store, &self.actor, number)
    }

    fn credit_invoice(&self, number: &str) -> Result<Issued> {
        let catalogue = Arc::new(self.catalogue()?);
        invoices::credit(&self.store, &self.actor, catalogue, number, self.now)
    }
}

impl BillingDesk for Remote {
    fn preview_bills(&self, month: Month, client: Option<&str>) -> Result<Vec<Preview>> {
        let ask = self.client.get(&["billing", "preview"]);
        let ask = ask.query("month", Some(month)).query("client", client);
        Ok(ask.send::<Previews>()?.previews)
    }

    fn close_month(&self, month: Month, client: Option<&str>) -> Result<Vec<Closed>> {
        let input = CloseInput { month, client: client.map(str::to_owned) };
        let ask = self.client.post(&["billing", "close"]).body(&input)?;
        Ok(ask.send::<MonthClosed>()?.closed)
    }

    fn margins(&self, month: Month) -> Result<Vec<Margin>> {
        let ask = self.client.get(&["billing", "margin"]).query("month", Some(month));
        Ok(ask.send::<Margins>()?.margins)
    }

    fn invoices(&self, month: Option<Month>, client: Option<&str>) -> Result<Vec<Issued>> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let ask = self.client.get(&["invoices"]).query("month", month);
            let answer: Invoices = ask.query("client", client).query("cursor", cursor).send()?;
            found.extend(answer.invoices);
            cursor = answer.next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    fn invoice(&self, number: &str) -> Result<Issued> {
        Ok(self.client.get(&["invoices", number]).send::<OneInvoice>()?.invoice)
    }

    fn credit_invoice(&self, number: &str) -> Result<Issued> {
        let ask = self.client.post(&["invoices", number, "credit"]);
        Ok(ask.send::<OneInvoice>()?.invoice)
    }
}
