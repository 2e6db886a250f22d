//! A bill as a program reads it: Cross Industry Invoice (UN/CEFACT D16B) in the profile of EN 16931,
//! which is what Factur-X and French electronic invoicing carry.

use jiff::civil::Date;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::words::Words;
use crate::{
    billing::{
        catalogue::{NamedVat, Vat},
        invoice::{Invoice, Tax},
        party::Party,
        statement::Line,
    },
    domain::{Cents, Error, Result},
};

/// The profile: the core of EN 16931 (its BT-24).
const PROFILE: &str = "urn:cen.eu:en16931:2017";

/// Namespaces of the syntax.
const NAMESPACES: [(&str, &str); 4] = [
    ("xmlns:rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"),
    (
        "xmlns:ram",
        "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    ),
    ("xmlns:qdt", "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"),
    ("xmlns:udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"),
];

/// The document. A buyer's country must be known: the standard has no bill without (BR-11).
pub fn cii(invoice: &Invoice) -> Result<String> {
    for (who, party) in [("seller", &invoice.seller), ("buyer", &invoice.buyer)] {
        if party.country.is_none() {
            return Err(Error::config(format!(
                "the {who} of bill {} has no country, without which there is no electronic bill",
                invoice.number
            ))
            .hint("give `country` in billing.toml; bills that are issued stay as they are"));
        }
    }
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 1));
    xml.document(invoice)
        .map_err(|error| Error::failure("a bill could not be written as XML").because(error))?;
    String::from_utf8(xml.0.into_inner())
        .map_err(|error| Error::failure("a bill could not be written as XML").because(error))
}

type Written = std::io::Result<()>;

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn within(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self) -> Written,
    ) -> Written {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.0.write_event(Event::Start(start))?;
        inside(self)?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    /// A group of the common library.
    fn group(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> Written) -> Written {
        self.within(&format!("ram:{name}"), &[], inside)
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> Written {
        // What XML cannot carry is in no name or address.
        let legal = |c: &char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
        let text: String = text.chars().filter(legal).collect();
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.0.write_event(Event::Start(start))?;
        self.0.write_event(Event::Text(BytesText::new(&text)))?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    fn value(&mut self, name: &str, text: &str) -> Written {
        self.text(&format!("ram:{name}"), &[], text)
    }

    fn maybe(&mut self, name: &str, text: Option<&str>) -> Written {
        text.map_or(Ok(()), |text| self.value(name, text))
    }

    fn date(&mut self, name: &str, day: Date) -> Written {
        let day = day.strftime("%Y%m%d").to_string();
        self.group(name, |xml| xml.text("udt:DateTimeString", &[("format", "102")], &day))
    }

    fn document(&mut self, invoice: &Invoice) -> Written {
        self.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        self.within("rsm:CrossIndustryInvoice", &NAMESPACES, |xml| {
            xml.within("rsm:ExchangedDocumentContext", &[], |xml| {
                // What French rules want to know of the process: services (BT-23).
                xml.group("BusinessProcessSpecifiedDocumentContextParameter", |xml| {
                    xml.value("ID", "S1")
                })?;
                xml.group("GuidelineSpecifiedDocumentContextParameter", |xml| {
                    xml.value("ID", PROFILE)
                })
            })?;
            xml.within("rsm:ExchangedDocument", &[], |xml| xml.heading(invoice))?;
            xml.within("rsm:SupplyChainTradeTransaction", &[], |xml| {
                for (place, line) in invoice.lines.iter().enumerate() {
                    xml.group("IncludedSupplyChainTradeLineItem", |xml| {
                        xml.line(place + 1, line, invoice)
                    })?;
                }
                xml.group("ApplicableHeaderTradeAgreement", |xml| xml.agreement(invoice))?;
                xml.group("ApplicableHeaderTradeDelivery", |xml| {
                    // What is done month by month is done with its last day (BT-72).
                    xml.group("ActualDeliverySupplyChainEvent", |xml| {
                        xml.date("OccurrenceDateTime", invoice.month.last())
                    })
                })?;
                xml.group("ApplicableHeaderTradeSettlement", |xml| xml.settlement(invoice))
            })
        })
    }

    fn heading(&mut self, invoice: &Invoice) -> Written {
        self.value("ID", &invoice.number)?;
        // UNTDID 1001: an invoice, or a credit note.
        self.value("TypeCode", if invoice.credits.is_none() { "380" } else { "381" })?;
        self.date("IssueDateTime", invoice.issued)?;
        let terms = &invoice.terms;
        // UNTDID 4451, as French bills must have them: discount, penalties, costs of recovery.
        for (code, words) in
            [("AAB", &terms.discount), ("PMD", &terms.penalties), ("PMT", &terms.recovery)]
        {
            self.group("IncludedNote", |xml| {
                xml.value("Content", words)?;
                xml.value("SubjectCode", code)
            })?;
        }
        Ok(())
    }

    fn line(&mut self, number: usize, line: &Line, invoice: &Invoice) -> Written {
        let words = Words::of(&invoice.language);
        self.group("AssociatedDocumentLineDocument", |xml| {
            xml.value("LineID", &number.to_string())
        })?;
        self.group("SpecifiedTradeProduct", |xml| {
            xml.value("Name", &words.what(&line.what))?;
            xml.value("Description", &line.assistant)
        })?;
        self.group("SpecifiedLineTradeAgreement", |xml| {
            xml.group("NetPriceProductTradePrice", |xml| {
                xml.value("ChargeAmount", &line.price.to_string())
            })
        })?;
        self.group("SpecifiedLineTradeDelivery", |xml| {
            // UN/ECE recommendation 20: one, and a minute.
            let unit = if line.what.item() == "minutes" { "MIN" } else { "C62" };
            xml.text("ram:BilledQuantity", &[("unitCode", unit)], &line.quantity.to_string())
        })?;
        self.group("SpecifiedLineTradeSettlement", |xml| {
            xml.group("ApplicableTradeTax", |xml| {
                xml.value("TypeCode", "VAT")?;
                xml.value("CategoryCode", category(line.vat))?;
                xml.value("RateApplicablePercent", &line.vat.rate().to_string())
            })?;
            xml.group("SpecifiedTradeSettlementLineMonetarySummation", |xml| {
                xml.value("LineTotalAmount", &plain(invoice, line.net))
            })
        })
    }

    fn agreement(&mut self, invoice: &Invoice) -> Written {
        self.maybe("BuyerReference", invoice.reference.as_deref())?;
        self.group("SellerTradeParty", |xml| xml.party(&invoice.seller, true))?;
        self.group("BuyerTradeParty", |xml| xml.party(&invoice.buyer, false))
    }

    fn party(&mut self, party: &Party, seller: bool) -> Written {
        self.value("Name", &party.name)?;
        self.maybe("Description", party.legal.as_deref().filter(|_| seller))?;
        if let Some(siren) = &party.siren {
            // ISO 6523: the French register of companies.
            self.group("SpecifiedLegalOrganization", |xml| {
                xml.text("ram:ID", &[("schemeID", "0002")], siren)
            })?;
        }
        self.group("PostalTradeAddress", |xml| {
            xml.maybe("PostcodeCode", party.postcode.as_deref())?;
            for (name, line) in ["LineOne", "LineTwo", "LineThree"].iter().zip(&party.street) {
                xml.value(name, line)?;
            }
            xml.maybe("CityName", party.city.as_deref())?;
            xml.maybe("CountryID", party.country.as_deref())
        })?;
        if let Some(email) = &party.email {
            self.group("URIUniversalCommunication", |xml| {
                xml.text("ram:URIID", &[("schemeID", "EM")], email.as_str())
            })?;
        }
        // Who is exempt has no number for the tax, and is known to the tax office by another.
        let known = match (&party.vat_number, &party.siren) {
            (Some(number), _) => Some(("VA", number)),
            (None, Some(siren)) if seller => Some(("FC", siren)),
            _ => None,
        };
        known.map_or(Ok(()), |(scheme, number)| {
            self.group("SpecifiedTaxRegistration", |xml| {
                xml.text("ram:ID", &[("schemeID", scheme)], number)
            })
        })
    }

    fn settlement(&mut self, invoice: &Invoice) -> Written {
        self.value("InvoiceCurrencyCode", &invoice.currency)?;
        if let Some(iban) = &invoice.iban {
            self.group("SpecifiedTradeSettlementPaymentMeans", |xml| {
                // UNTDID 4461: SEPA credit transfer.
                xml.value("TypeCode", "58")?;
                let iban: String = iban.chars().filter(|c| !c.is_whitespace()).collect();
                xml.group("PayeePartyCreditorFinancialAccount", |xml| xml.value("IBANID", &iban))?;
                match &invoice.bic {
                    None => Ok(()),
                    Some(bic) => xml.group("PayeeSpecifiedCreditorFinancialInstitution", |xml| {
                        xml.value("BICID", bic)
                    }),
                }
            })?;
        }
        for tax in &invoice.taxes {
            self.group("ApplicableTradeTax", |xml| xml.tax(tax, invoice))?;
        }
        self.group("BillingSpecifiedPeriod", |xml| {
            xml.date("StartDateTime", invoice.month.first())?;
            xml.date("EndDateTime", invoice.month.last())
        })?;
        self.group("SpecifiedTradePaymentTerms", |xml| xml.date("DueDateDateTime", invoice.due))?;
        self.group("SpecifiedTradeSettlementHeaderMonetarySummation", |xml| {
            xml.value("LineTotalAmount", &plain(invoice, invoice.net))?;
            xml.value("TaxBasisTotalAmount", &plain(invoice, invoice.net))?;
            let currency = [("currencyID", invoice.currency.as_str())];
            xml.text("ram:TaxTotalAmount", &currency, &plain(invoice, invoice.tax))?;
            xml.value("GrandTotalAmount", &plain(invoice, invoice.total))?;
            xml.value("DuePayableAmount", &plain(invoice, invoice.total))
        })?;
        match &invoice.credits {
            None => Ok(()),
            Some(credited) => self.group("InvoiceReferencedDocument", |xml| {
                xml.value("IssuerAssignedID", &credited.number)?;
                let day = credited.issued.strftime("%Y%m%d").to_string();
                xml.group("FormattedIssueDateTime", |xml| {
                    xml.text("qdt:DateTimeString", &[("format", "102")], &day)
                })
            }),
        }
    }

    fn tax(&mut self, tax: &Tax, invoice: &Invoice) -> Written {
        let words = Words::of(&invoice.language);
        self.value("CalculatedAmount", &plain(invoice, tax.amount))?;
        self.value("TypeCode", "VAT")?;
        self.maybe("ExemptionReason", words.untaxed(tax.vat))?;
        self.value("BasisAmount", &plain(invoice, tax.base))?;
        self.value("CategoryCode", category(tax.vat))?;
        self.value("RateApplicablePercent", &tax.vat.rate().to_string())
    }
}

/// UNTDID 5305. A rate of nothing is zero-rated.
fn category(vat: Vat) -> &'static str {
    match vat {
        Vat::Rate(rate) if rate == crate::domain::Percent::ZERO => "Z",
        Vat::Rate(_) => "S",
        Vat::Named(NamedVat::ReverseCharge) => "AE",
        Vat::Named(NamedVat::Exempt) => "E",
    }
}

/// Amounts of a credit note are written without a sign: its type says what they do.
fn plain(invoice: &Invoice, amount: Cents) -> String {
    let amount = if invoice.credits.is_some() { amount.negated() } else { amount };
    amount.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::invoice::tests::invoice;

    #[test]
    fn a_bill_without_a_country_is_refused_and_names_are_escaped() {
        let mut bill = invoice("Le Gourmet", None, 113);
        let xml = cii(&bill).unwrap();
        for part in [
            "SARL Le Gourmet &amp; Fils",
            "<ram:TypeCode>380</ram:TypeCode>",
            "<ram:LineTotalAmount>59.75</ram:LineTotalAmount>",
            "<ram:TaxTotalAmount currencyID=\"EUR\">11.95</ram:TaxTotalAmount>",
            "<ram:GrandTotalAmount>71.70</ram:GrandTotalAmount>",
            "<ram:IBANID>FR7630006000011234567890189</ram:IBANID>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
        let credit = cii(&bill.credit("2026-12-05".parse().unwrap())).unwrap();
        assert!(credit.contains("<ram:TypeCode>381</ram:TypeCode>"));
        assert!(credit.contains("<ram:GrandTotalAmount>71.70</ram:GrandTotalAmount>"), "{credit}");
        bill.buyer.country = None;
        assert!(cii(&bill).unwrap_err().to_string().contains("buyer"));
    }
}
