//! A bill as one page of HTML that needs nothing else, and prints on A4.

use std::fmt::Write as _;

use super::{content, words::Words};
use crate::billing::{invoice::Invoice, party::Party};

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn page(invoice: &Invoice) -> String {
    let words = Words::of(&invoice.language);
    let title = content::title(invoice, words);
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
    for (title, side) in content::parties(invoice, words) {
        party(&mut html, title, side, words);
    }
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
    for (name, value) in content::facts(invoice, words) {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", text(&value));
    }
    html.push_str("</dl>\n");
}

fn party(html: &mut String, title: &str, party: &Party, words: Words) {
    let _ = write!(html, "<address><h2>{title}</h2><strong>{}</strong>", text(&party.name));
    for line in content::particulars(party, words) {
        let _ = write!(html, "<br>{}", text(&line));
    }
    html.push_str("</address>\n");
}

fn lines(html: &mut String, invoice: &Invoice, words: Words) {
    html.push_str("<table class=\"lines\">\n<thead><tr>");
    for (place, head) in content::heads(words).into_iter().enumerate() {
        let class = if place == 0 { "" } else { " class=\"n\"" };
        let _ = write!(html, "<th{class}>{head}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for line in &invoice.lines {
        let (what, assistant) = (words.what(&line.what), &line.assistant);
        let _ = write!(html, "<tr><td>{}<small>{}</small></td>", text(&what), text(assistant));
        for number in content::numbers(line, words) {
            let _ = write!(html, "<td class=\"n\">{number}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
}

fn sums(html: &mut String, invoice: &Invoice, words: Words) {
    html.push_str("<table class=\"sums\">\n");
    let sums = content::sums(invoice, words);
    let last = sums.len() - 1;
    for (place, (name, amount)) in sums.into_iter().enumerate() {
        let class = if place == last { " class=\"total\"" } else { "" };
        let amount = words.amount(amount);
        let _ = writeln!(html, "<tr{class}><th>{name}</th><td class=\"n\">{amount}</td></tr>");
    }
    html.push_str("</table>\n");
}

fn foot(html: &mut String, invoice: &Invoice, words: Words) {
    html.push_str("<footer>\n");
    let said = content::untaxed(invoice, words).into_iter().map(str::to_owned);
    let rest = [content::payment(invoice, words), content::terms(invoice), content::legal(invoice)];
    for line in said.chain(rest.into_iter().flatten()) {
        let _ = writeln!(html, "<p>{}</p>", text(&line));
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
