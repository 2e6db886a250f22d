//! Numbers, days and times as Germans say them.

use super::*;

#[test]
fn times_in_german() {
    for (said, expected) in [
        ("um 20 Uhr", "20:00"),
        ("zwanzig Uhr", "20:00"),
        ("20 Uhr 30", "20:30"),
        ("20:30 Uhr", "20:30"),
        ("um 20.30", "20:30"),
        ("um 8.15 Uhr", "8:15?"),
        ("zwanzig Uhr dreißig", "20:30"),
        ("einundzwanzig Uhr fünfzehn", "21:15"),
        ("neunzehn Uhr fünfundvierzig", "19:45"),
        ("um acht", "8:00?"),
        ("acht Uhr", "8:00?"),
        ("acht Uhr abends", "20:00"),
        ("abends um acht", "20:00"),
        ("acht Uhr morgens", "8:00"),
        ("um acht Uhr am Abend", "20:00"),
        ("halb acht", "7:30?"),
        ("um halb acht abends", "19:30"),
        ("heute Abend um halb acht", "19:30"),
        ("halb eins", "12:30"),
        ("Viertel nach acht", "8:15?"),
        ("Viertel vor acht", "7:45?"),
        ("viertel acht", "7:15?"),
        ("dreiviertel acht", "7:45?"),
        ("zehn nach acht", "8:10?"),
        ("zehn vor acht", "7:50?"),
        ("fünf vor halb acht", "7:25?"),
        ("fünf nach halb acht", "7:35?"),
        ("zwanzig vor neun abends", "20:40"),
        ("um eins", "1:00?"),
        ("ein Uhr", "1:00?"),
        ("um zwölf", "12:00"),
        ("gegen neunzehn Uhr", "19:00"),
        ("ab 21 Uhr", "21:00"),
        ("lieber um neun", "9:00?"),
        ("nicht um acht, um neun", "9:00?"),
        ("um Mitternacht", "0:00"),
        ("morgen um vier Uhr nachmittags", "16:00"),
        ("für vier um zwanzig Uhr", "20:00"),
        ("um zwanzig Uhr, zwei Personen", "20:00"),
        ("für acht Personen", ""),
        ("am fünften Dezember", ""),
        ("am 20. Dezember", ""),
        ("wir sind zu viert", ""),
        ("25 Uhr", ""),
        ("einen Tisch für zwei", ""),
    ] {
        assert_eq!(time(&hear("de-DE", said, "")), expected, "{said}");
    }
    for (said, expected) in [
        ("acht", "8:00?"),
        ("halb neun", "8:30?"),
        ("neunzehn dreißig", "19:30"),
        ("21", "21:00"),
        ("so gegen acht", "8:00?"),
        ("Viertel nach sieben", "7:15?"),
        ("haben Sie eine Terrasse?", ""),
    ] {
        assert_eq!(time(&hear("de-DE", said, "time")), expected, "asked: {said}");
    }
}

#[test]
fn days_in_german() {
    for (said, expected) in [
        ("heute", "2026-11-23"),
        ("heute Abend", "2026-11-23"),
        ("heute Mittag", "2026-11-23"),
        ("heute früh", "2026-11-23"),
        ("morgen", "2026-11-24"),
        ("morgen Abend", "2026-11-24"),
        ("morgen früh", "2026-11-24"),
        ("morgen Vormittag", "2026-11-24"),
        ("am Morgen", ""),
        ("um acht Uhr morgens", ""),
        ("guten Morgen", ""),
        ("übermorgen", "2026-11-25"),
        ("in zwei Tagen", "2026-11-25"),
        ("in einer Woche", "2026-11-30"),
        ("in drei Wochen", "2026-12-14"),
        ("in vierzehn Tagen", "2026-12-07"),
        ("am Montag", "2026-11-30"),
        ("diesen Montag", "2026-11-23"),
        ("nächsten Montag", "2026-11-30"),
        ("am Dienstag", "2026-11-24"),
        ("Samstagabend", "2026-11-28"),
        ("am Samstag Abend", "2026-11-28"),
        ("am Freitag Morgen", "2026-11-27"),
        ("Sonnabend", "2026-11-28"),
        ("Samstag in einer Woche", "2026-12-05"),
        ("am fünften Dezember", "2026-12-05"),
        ("am 5. Dezember", "2026-12-05"),
        ("der fünfte Dezember", "2026-12-05"),
        ("am ersten Dezember", "2026-12-01"),
        ("am einunddreißigsten Dezember", "2026-12-31"),
        ("am vierundzwanzigsten", "2026-11-24"),
        ("am 3. Januar", "2027-01-03"),
        ("am 3. März 2028", "2028-03-03"),
        ("am Montag, dem 30. November", "2026-11-30"),
        ("am Montag den dreißigsten November", "2026-11-30"),
        ("am Samstag, dem fünften", "2026-12-05"),
        ("am 5.12.", "2026-12-05"),
        ("5.12.2026", "2026-12-05"),
        ("5/12", "2026-12-05"),
        ("am 31. Februar", ""),
        ("für vier Personen", ""),
        ("um acht", ""),
        ("bis morgen", ""),
        ("am Freitag nicht, am Samstag", "2026-11-28"),
        ("am Freitag um acht", "2026-11-27"),
    ] {
        let found = hear("de-DE", said, "").date.map_or_else(String::new, |d| d.to_string());
        assert_eq!(found, expected, "{said}");
    }
    let part = |said| hear("de-DE", said, "").part;
    assert_eq!(part("am Samstagabend"), Some(Part::Evening));
    assert_eq!(part("Montag Morgen"), Some(Part::Morning));
    assert_eq!(part("morgen"), None);
    assert!(hear("de-DE", "morgen Mittag", "").noon);
}

#[test]
fn parties_and_names_in_german() {
    for (said, asked, expected) in [
        ("für vier Personen", "", Some(4)),
        ("für vier", "", Some(4)),
        ("einen Tisch für zwei", "", Some(2)),
        ("wir sind zu viert", "", Some(4)),
        ("wir kommen zu sechst", "", Some(6)),
        ("wir sind fünf", "", Some(5)),
        ("acht Leute um 20 Uhr", "", Some(8)),
        ("zwei Erwachsene und drei Kinder", "", Some(5)),
        ("nur ich", "", Some(1)),
        ("einundzwanzig", "party", Some(21)),
        ("vier", "party", Some(4)),
        ("um zwanzig Uhr", "party", None),
        ("ich hätte gern einen Tisch", "", None),
    ] {
        assert_eq!(hear("de-DE", said, asked).party, expected, "{said}");
    }
    for (said, asked, expected) in [
        ("Müller", "name", "Müller"),
        ("auf den Namen Müller", "", "Müller"),
        ("auf Müller, bitte", "name", "Müller"),
        ("mein Name ist Anna Schmidt", "", "Anna Schmidt"),
        ("ich heiße Groß", "", "Groß"),
        ("Das ist Weber", "name", "Weber"),
        ("Frau Klein", "name", "Klein"),
        ("von der Leyen", "name", "von der Leyen"),
        ("M Ü L L E R", "name", "Müller"),
        ("auf jeden Fall", "", ""),
        ("ich hätte gern einen Tisch", "", ""),
        ("haben Sie einen Parkplatz?", "name", ""),
        ("das weiß ich nicht", "name", ""),
    ] {
        let found = hear("de-DE", said, asked).name.unwrap_or_default();
        assert_eq!(found, expected, "{said}");
    }
}

#[test]
fn wishes_in_german() {
    let hear = |said: &str| hear("de-DE", said, "");
    assert!(hear("Guten Tag, ich möchte einen Tisch reservieren").book);
    assert!(hear("ich hätte gern einen Termin").book);
    assert!(!hear("ich hätte gern einen Termin").change_booking);
    assert!(hear("ich möchte meine Reservierung stornieren").cancel_booking);
    assert!(hear("ich muss meinen Termin verschieben").change_booking);
    assert!(hear("wann haben Sie morgen geöffnet?").hours);
    assert!(hear("kann ich mit jemandem sprechen?").transfer);
    assert!(hear("ich möchte eine Nachricht hinterlassen").message);
    assert!(hear("schon gut, danke").never_mind);
    assert!(hear("das war alles, auf Wiederhören").goodbye);
    assert!(hear("können Sie das wiederholen?").repeat);
    assert!(hear("ja, das passt").yes);
    assert!(hear("nein danke").no && !hear("nein danke").yes);
    assert!(hear("das passt leider nicht").no || !hear("das passt mir nicht").yes);
    assert!(!hear("das weiß ich nicht").no);
    assert!(hear("guten Abend").hello);
}
