//! What a page of a bill says, whatever it is written on: the parts of it in their order.

use super::words::Words;
use crate::{
    billing::{invoice::Invoice, party::Party, statement::Line},
    domain::Cents,
};

/// What it is.
pub(super) fn title(invoice: &Invoice, words: Words) -> &'static str {
    match &invoice.credits {
        None => words.either("Facture", "Invoice"),
        Some(_) => words.either("Avoir", "Credit note"),
    }
}

/// What stands beside the number.
pub(super) fn facts(invoice: &Invoice, words: Words) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        (words.either("Date d'émission", "Date of issue"), words.date(invoice.issued)),
        (words.either("Période", "Period"), words.month(invoice.month)),
        match &invoice.credits {
            Some(credited) => {
                (words.either("Annule la facture", "Cancels invoice"), credited.number.clone())
            }
            None => (words.either("Échéance", "Due"), words.date(invoice.due)),
        },
    ];
    if let Some(reference) = &invoice.reference {
        facts.push((words.either("Votre référence", "Your reference"), reference.clone()));
    }
    facts
}

/// Both sides, each with what it is.
pub(super) fn parties(invoice: &Invoice, words: Words) -> [(&'static str, &Party); 2] {
    [
        (words.either("Émetteur", "From"), &invoice.seller),
        (words.either("Client", "To"), &invoice.buyer),
    ]
}

/// What stands below the name of a party.
pub(super) fn particulars(party: &Party, words: Words) -> Vec<String> {
    let town = [party.postcode.as_deref(), party.city.as_deref()];
    let town: Vec<&str> = town.into_iter().flatten().collect();
    let mut lines = party.street.clone();
    lines.push(town.join(" "));
    lines.extend(party.country.clone());
    lines.extend(party.siren.as_ref().map(|siren| format!("SIREN {siren}")));
    let vat = words.either("TVA", "VAT");
    lines.extend(party.vat_number.as_ref().map(|number| format!("{vat} {number}")));
    lines.extend(party.email.as_ref().map(ToString::to_string));
    lines.retain(|line| !line.is_empty());
    lines
}

/// The head of the table of lines: what is paid for, and four numbers.
pub(super) fn heads(words: Words) -> [&'static str; 5] {
    [
        words.either("Désignation", "Description"),
        words.either("Quantité", "Quantity"),
        words.either("Prix unitaire HT", "Unit price"),
        words.either("TVA", "VAT"),
        words.either("Montant HT", "Net"),
    ]
}

/// The four numbers of a line.
pub(super) fn numbers(line: &Line, words: Words) -> [String; 4] {
    [
        line.quantity.to_string(),
        words.price(line.price),
        words.vat(line.vat),
        words.amount(line.net),
    ]
}

/// What is summed up, the whole last.
pub(super) fn sums(invoice: &Invoice, words: Words) -> Vec<(String, Cents)> {
    let mut sums = vec![(words.either("Total HT", "Total before VAT").to_owned(), invoice.net)];
    for tax in &invoice.taxes {
        let (rate, base) = (words.vat(tax.vat), words.amount(tax.base));
        let name = match words {
            Words::French => format!("TVA {rate} sur {base}"),
            Words::English => format!("VAT {rate} on {base}"),
        };
        sums.push((name, tax.amount));
    }
    sums.push((words.either("Total TTC", "Total").to_owned(), invoice.total));
    sums
}

/// Why there is no tax on some lines.
pub(super) fn untaxed(invoice: &Invoice, words: Words) -> Vec<&'static str> {
    invoice.taxes.iter().filter_map(|tax| words.untaxed(tax.vat)).collect()
}

/// Where to pay; nothing on what takes a bill back.
pub(super) fn payment(invoice: &Invoice, words: Words) -> Option<String> {
    let iban = invoice.iban.as_ref().filter(|_| invoice.credits.is_none())?;
    let bic = invoice.bic.as_ref().map_or_else(String::new, |bic| format!(" — BIC {bic}"));
    let way = words.either("Virement\u{a0}:", "Bank transfer:");
    Some(format!("{way} IBAN {iban}{bic}"))
}

/// What holds for paying early and late; nothing on what takes a bill back.
pub(super) fn terms(invoice: &Invoice) -> Option<String> {
    let terms = &invoice.terms;
    let all = || format!("{} {} {}", terms.discount, terms.penalties, terms.recovery);
    invoice.credits.is_none().then(all)
}

/// What else the law wants to read of who bills.
pub(super) fn legal(invoice: &Invoice) -> Option<String> {
    let legal = invoice.seller.legal.as_ref()?;
    Some(format!("{} — {legal}", invoice.seller.name))
}
