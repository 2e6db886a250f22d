//! A bill as one page of HTML that needs nothing else, and prints on A4.

use std::fmt::Write as _;

use super::words::Words;
use crate::billing::{invoice::Invoice, party::Party};

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn page(invoice: &Invoice) -> String {
    let words = Words::of(&invoice.language);
    let title = match &invoice.credits {
        None => words.either("Facture", "Invoice"),
        Some(_) => words.either("Avoir", "Credit note"),
    };
    let mut html = String::new();
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        words.either("fr", "en"),
        text(&invoice.number),
    );
    let _ = writeln!(html, "<header><h1>{title} {}</h1>", text(&invoice.number));
    facts(&mut html, invoice, words);
    html.push_str("</header>\n<section class=\"parties\">\n");
    party(&mut html, words.either("Émetteur", "From"), &invoice.seller, words);
    party(&mut html, words.either("Client", "To"), &invoice.buyer, words);
    html.push_str("</section>\n");
    lines(&mut html, invoice, words);
    sums(&mut html, invoice, words);
    foot(&mut html, invoice, words);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// Text as HTML has it, also between quotes.
fn text(plain: &str) -> String {
    quick_xml::escape::escape(plain).into_owned()
}

fn facts(html: &mut String, invoice: &Invoice, words: Words) {
    html.push_str("<dl>");
    let mut fact = |name: &str, value: &str| {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", text(value));
    };
    fact(words.either("Date d'émission", "Date of issue"), &words.date(invoice.issued));
    fact(words.either("Période", "Period"), &words.month(invoice.month));
    if let Some(credited) = &invoice.credits {
        fact(words.either("Annule la facture", "Cancels invoice"), &credited.number);
    } else {
        fact(words.either("Échéance", "Due"), &words.date(invoice.due));
    }
    if let Some(reference) = &invoice.reference {
        fact(words.either("Votre référence", "Your reference"), reference);
    }
    html.push_str("</dl>\n");
}

fn party(html: &mut String, title: &str, party: &Party, words: Words) {
    let _ = write!(html, "<address><h2>{title}</h2><strong>{}</strong>", text(&party.name));
    let town = [party.postcode.as_deref(), party.city.as_deref()];
    let town: Vec<&str> = town.into_iter().flatten().collect();
    let mut rest: Vec<String> = party.street.clone();
    rest.push(town.join(" "));
    rest.extend(party.country.clone());
    rest.extend(party.siren.as_ref().map(|siren| format!("SIREN {siren}")));
    let vat = words.either("TVA", "VAT");
    rest.extend(party.vat_number.as_ref().map(|number| format!("{vat} {number}")));
    rest.extend(party.email.as_ref().map(ToString::to_string));
    for line in rest.iter().filter(|line| !line.is_empty()) {
        let _ = write!(html, "<br>{}", text(line));
    }
    html.push_str("</address>\n");
}

fn lines(html: &mut String, invoice: &Invoice, words: Words) {
    html.push_str("<table class=\"lines\">\n<thead><tr>");
    let heads = [
        (words.either("Désignation", "Description"), ""),
        (words.either("Quantité", "Quantity"), " class=\"n\""),
        (words.either("Prix unitaire HT", "Unit price"), " class=\"n\""),
        (words.either("TVA", "VAT"), " class=\"n\""),
        (words.either("Montant HT", "Net"), " class=\"n\""),
    ];
    for (head, class) in heads {
        let _ = write!(html, "<th{class}>{head}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for line in &invoice.lines {
        let _ = writeln!(
            html,
            "<tr><td>{}<small>{}</small></td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            text(&words.what(&line.what)),
            text(&line.assistant),
            line.quantity,
            words.price(line.price),
            words.vat(line.vat),
            words.amount(line.net),
        );
    }
    html.push_str("</tbody>\n</table>\n");
}

fn sums(html: &mut String, invoice: &Invoice, words: Words) {
    html.push_str("<table class=\"sums\">\n");
    let mut sum = |name: &str, amount, class: &str| {
        let amount = words.amount(amount);
        let _ = writeln!(html, "<tr{class}><th>{name}</th><td class=\"n\">{amount}</td></tr>");
    };
    sum(words.either("Total HT", "Total before VAT"), invoice.net, "");
    for tax in &invoice.taxes {
        let rate = words.vat(tax.vat);
        let base = words.amount(tax.base);
        let name = match words {
            Words::French => format!("TVA {rate} sur {base}"),
            Words::English => format!("VAT {rate} on {base}"),
        };
        sum(&name, tax.amount, "");
    }
    let name = words.either("Total TTC", "Total");
    sum(name, invoice.total, " class=\"total\"");
    html.push_str("</table>\n");
}

fn foot(html: &mut String, invoice: &Invoice, words: Words) {
    html.push_str("<footer>\n");
    let mut line = |words: &str| {
        let _ = writeln!(html, "<p>{}</p>", text(words));
    };
    for why in invoice.taxes.iter().filter_map(|tax| words.untaxed(tax.vat)) {
        line(why);
    }
    if invoice.credits.is_none() {
        if let Some(iban) = &invoice.iban {
            let bic = invoice.bic.as_ref().map_or_else(String::new, |bic| format!(" — BIC {bic}"));
            let way = words.either("Virement", "Bank transfer");
            line(&format!("{way} : IBAN {iban}{bic}"));
        }
        let terms = &invoice.terms;
        line(&format!("{} {} {}", terms.discount, terms.penalties, terms.recovery));
    }
    if let Some(legal) = &invoice.seller.legal {
        line(&format!("{} — {legal}", invoice.seller.name));
    }
    html.push_str("</footer>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::invoice::tests::invoice;

    #[test]
    fn a_bill_names_all_that_the_law_wants_and_escapes_names() {
        let bill = invoice("Le Gourmet", None, 113);
        let page = page(&bill);
        for part in [
            "<html lang=\"fr\">",
            "Facture F2026-0001",
            "SARL Le Gourmet &amp; Fils",
            "12 quai de l&apos;Île",
            "SIREN 732829320",
            "TVA FR44732829320",
            "Abonnement, formule starter, novembre 2026",
            "113 appels, 100 compris",
            "59,75\u{a0}€",
            "TVA 20\u{a0}% sur 59,75\u{a0}€",
            "71,70\u{a0}€",
            "31 décembre 2026",
            "BC-2026-17",
            "Indemnité forfaitaire pour frais de recouvrement : 40 €",
            "FR76 3000",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("http") && !page.contains("<script"), "it needs nothing else");
        let credit = super::page(&bill.credit("2026-12-05".parse().unwrap()));
        assert!(credit.contains("Avoir") && credit.contains("Annule la facture"));
        assert!(credit.contains("-71,70\u{a0}€") && !credit.contains("Échéance"));
    }
}
