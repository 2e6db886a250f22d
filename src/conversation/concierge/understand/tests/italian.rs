//! Numbers, days and times as Italians say them.

use super::*;

#[test]
fn times_in_italian() {
    for (said, expected) in [
        ("alle venti", "20:00"),
        ("alle 20", "20:00"),
        ("alle ore 20", "20:00"),
        ("alle 20:30", "20:30"),
        ("alle 20 e 30", "20:30"),
        ("alle venti e trenta", "20:30"),
        ("alle ventuno e quindici", "21:15"),
        ("alle otto", "8:00?"),
        ("alle otto di sera", "20:00"),
        ("alle otto della mattina", "8:00"),
        ("alle otto e mezza", "8:30?"),
        ("stasera alle otto e mezza", "20:30"),
        ("le otto e mezza di sera", "20:30"),
        ("alle otto e un quarto", "8:15?"),
        ("alle otto meno un quarto", "7:45?"),
        ("alle otto meno dieci", "7:50?"),
        ("alle nove e venti", "9:20?"),
        ("alle sette e tre quarti", "7:45?"),
        ("all'una", "13:00"),
        ("all'una e mezza", "13:30"),
        ("verso le nove", "9:00?"),
        ("intorno alle ventuno", "21:00"),
        ("domani alle quattro del pomeriggio", "16:00"),
        ("a mezzogiorno", "12:00"),
        ("a mezzogiorno e mezzo", "12:30"),
        ("mezzogiorno", ""),
        ("a mezzanotte", "0:00"),
        ("per le venti", "20:00"),
        ("per quattro alle venti", "20:00"),
        ("alle venti, due persone", "20:00"),
        ("no, non alle otto, alle nove", "9:00?"),
        ("un tavolo per due", ""),
        ("siamo in quattro", ""),
        ("il 20 dicembre", ""),
        ("per le persone", ""),
        ("c'è una terrazza?", ""),
    ] {
        assert_eq!(time(&hear("it-IT", said, "")), expected, "{said}");
    }
    for (said, expected) in [
        ("otto e mezza", "8:30?"),
        ("le nove", "9:00?"),
        ("nove meno un quarto", "8:45?"),
        ("21", "21:00"),
        ("mezzogiorno", "12:00"),
        ("l'una e un quarto", "13:15"),
        ("avete una terrazza?", ""),
    ] {
        assert_eq!(time(&hear("it-IT", said, "time")), expected, "asked: {said}");
    }
}

#[test]
fn days_in_italian() {
    for (said, expected) in [
        ("oggi", "2026-11-23"),
        ("stasera", "2026-11-23"),
        ("questa sera", "2026-11-23"),
        ("domani", "2026-11-24"),
        ("domani sera", "2026-11-24"),
        ("domani mattina", "2026-11-24"),
        ("dopodomani", "2026-11-25"),
        ("tra due giorni", "2026-11-25"),
        ("fra una settimana", "2026-11-30"),
        ("tra tre settimane", "2026-12-14"),
        ("tra quindici giorni", "2026-12-07"),
        ("lunedì", "2026-11-30"),
        ("questo lunedì", "2026-11-23"),
        ("lunedì prossimo", "2026-11-30"),
        ("martedì", "2026-11-24"),
        ("sabato sera", "2026-11-28"),
        ("Domenica", "2026-11-29"),
        ("il cinque dicembre", "2026-12-05"),
        ("il 5 dicembre", "2026-12-05"),
        ("l'otto dicembre", "2026-12-08"),
        ("il primo dicembre", "2026-12-01"),
        ("il trentuno dicembre", "2026-12-31"),
        ("il ventiquattro", "2026-11-24"),
        ("il 3 gennaio", "2027-01-03"),
        ("il 3 marzo 2028", "2028-03-03"),
        ("lunedì 30 novembre", "2026-11-30"),
        ("sabato 5", "2026-12-05"),
        ("5/12", "2026-12-05"),
        ("il 31 febbraio", ""),
        ("per quattro persone", ""),
        ("alle nove", ""),
        ("a domani", ""),
        ("buona sera", ""),
        ("venerdì no, sabato", "2026-11-28"),
        ("venerdì alle nove", "2026-11-27"),
    ] {
        let found = hear("it-IT", said, "").date.map_or_else(String::new, |d| d.to_string());
        assert_eq!(found, expected, "{said}");
    }
    assert_eq!(hear("it-IT", "sabato sera", "").part, Some(Part::Evening));
    assert!(hear("it-IT", "domani a pranzo", "").part == Some(Part::Noon));
}

#[test]
fn parties_and_names_in_italian() {
    for (said, asked, expected) in [
        ("per quattro persone", "", Some(4)),
        ("per quattro", "", Some(4)),
        ("un tavolo per due", "", Some(2)),
        ("siamo in quattro", "", Some(4)),
        ("saremo in sei", "", Some(6)),
        ("siamo cinque", "", Some(5)),
        ("otto persone alle venti", "", Some(8)),
        ("due adulti e tre bambini", "", Some(5)),
        ("solo io", "", Some(1)),
        ("ventuno", "party", Some(21)),
        ("quattro", "party", Some(4)),
        ("alle venti e trenta", "party", None),
        ("vorrei un tavolo", "", None),
    ] {
        assert_eq!(hear("it-IT", said, asked).party, expected, "{said}");
    }
    for (said, asked, expected) in [
        ("Rossi", "name", "Rossi"),
        ("a nome Rossi", "", "Rossi"),
        ("a nome di Rossi, grazie", "", "Rossi"),
        ("mi chiamo Anna Bianchi", "", "Anna Bianchi"),
        ("sono Marco Verdi", "", "Marco Verdi"),
        ("De Luca", "name", "De Luca"),
        ("è Rossi", "name", "Rossi"),
        ("signora Conti", "name", "Conti"),
        ("R O S S I", "name", "Rossi"),
        ("sono in quattro", "", ""),
        ("avete un parcheggio?", "name", ""),
        ("non lo so", "name", ""),
    ] {
        let found = hear("it-IT", said, asked).name.unwrap_or_default();
        assert_eq!(found, expected, "{said}");
    }
}

#[test]
fn wishes_in_italian() {
    let hear = |said: &str| hear("it-IT", said, "");
    assert!(hear("Buongiorno, vorrei prenotare un tavolo").book);
    assert!(hear("vorrei prendere un appuntamento").book);
    assert!(hear("vorrei disdire la mia prenotazione").cancel_booking);
    assert!(hear("devo spostare il mio appuntamento").change_booking);
    assert!(hear("a che ora aprite domani?").hours);
    assert!(hear("posso parlare con la reception?").transfer);
    assert!(hear("vorrei lasciare un messaggio").message);
    assert!(hear("lasci stare, grazie").never_mind);
    assert!(hear("è tutto, arrivederci").goodbye);
    assert!(hear("può ripetere?").repeat);
    assert!(hear("sì, va bene").yes);
    assert!(hear("no, grazie").no && !hear("no, grazie").yes);
    for unsure in ["non so", "non lo so ancora", "non ho capito"] {
        assert!(!hear(unsure).no, "{unsure}");
    }
    assert!(hear("buonasera").hello);
}
