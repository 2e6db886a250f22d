use super::*;
use crate::billing::invoice::tests::invoice;

fn bill() -> Invoice {
    invoice("Le Gourmet", None, 113)
}

/// How many sheets it has.
fn sheets(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page\n").count()
}

#[test]
fn the_same_bill_is_the_same_bytes_and_another_one_is_not() {
    let bill = bill();
    let first = pdf(&bill).unwrap();
    assert_eq!(first, pdf(&bill).unwrap());
    assert_eq!(sheets(&first), 1);
    let mut other = bill.clone();
    other.number = "F2026-0002".to_owned();
    assert_ne!(first, pdf(&other).unwrap());
    let text = String::from_utf8_lossy(&first);
    for part in [
        "<pdfaid:part>3</pdfaid:part>",
        "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
        "/AFRelationship /Alternative",
        "(factur-x.xml)",
        "Facture F2026-0001</rdf:li>",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("{title}"), "all of it is filled in");
}

#[test]
fn many_lines_go_on_on_other_sheets() {
    let mut bill = bill();
    bill.lines = bill.lines.iter().cycle().take(90).cloned().collect();
    assert!(sheets(&pdf(&bill).unwrap()) > 2);
}

#[test]
fn letters_that_the_font_lacks_are_told_rather_than_left_out() {
    let mut bill = bill();
    bill.buyer.name = "Café Ωmega — Кафе \u{200b}№ 1".to_owned();
    pdf(&bill).unwrap();
    bill.buyer.name = "株式会社".to_owned();
    let told = pdf(&bill).unwrap_err().to_string();
    assert!(told.contains("U+682A"), "{told}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn no_name_or_address_breaks_it(name in "\\PC{0,300}", street in "[ a-zé€]{0,200}") {
        let mut bill = bill();
        bill.buyer.name = name;
        bill.buyer.street = vec![street.clone(), street];
        let _ = pdf(&bill);
    }
}
