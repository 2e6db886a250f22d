//! Callers are told by SMS and clients by e-mail: in the caller's language, once, and in the end.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, ToSpan};
use webox::{
    domain::{Actor, Booking, DeliveryFilter, DeliveryState, OutboxDelivery, Sight},
    operations::{outbox, reminders},
    store::bookings,
};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{CALLER, Daemon, NUMBER, TOKEN, sid},
    fake_smtp::FakeSmtp,
    fake_twilio::FakeTwilio,
    seed,
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const SMS: &str = "[[deliver]]\nto = \"sms\"\n";
const EMAIL: &str = "[[deliver]]\nto = \"email\"\n";

fn text(place: &str) -> String {
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let open = text.lines().filter(|line| !line.starts_with("closed ")).map(|line| match line {
        "[hours]" => "[hours]\nsunday = [\"12:00-14:00\", \"19:00-23:00\"]\n".to_owned(),
        line => format!("{line}\n"),
    });
    format!("{}\n{place}\n", open.collect::<String>())
}

fn apply(webox: &Webox, text: &str) {
    let file = webox.file("le-gourmet.toml", text);
    webox.run(["apply", "--yes", &file]).ok();
}

fn with_twilio(twilio: &FakeTwilio) -> Webox {
    Webox::new().env("TWILIO_BASE_URL", twilio.url()).env("TWILIO_ACCOUNT_SID", ACCOUNT)
}

fn with_mail(smtp: &FakeSmtp) -> Webox {
    Webox::new()
        .env("WEBOX_SMTP_HOST", "127.0.0.1")
        .env("WEBOX_SMTP_PORT", smtp.port())
        .env("WEBOX_SMTP_ENCRYPTION", "none")
        .env("WEBOX_SMTP_FROM", "standard@agence.fr")
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

async fn say(daemon: &Daemon, n: u32, words: &[&str]) {
    daemon.ring(&sid(n)).await;
    for (turn, words) in (1..).zip(words) {
        daemon.say(&sid(n), turn, words).await;
    }
    daemon.hang_up(&sid(n), 42).await;
}

const FRENCH: [&str; 4] = ["Une table pour quatre", "demain", "à vingt heures", "Dupont"];

fn deliveries(webox: &Webox) -> Vec<OutboxDelivery> {
    let (store, actor) = (seed::store(webox), Actor::webox("test"));
    outbox::list(&store, &actor, &DeliveryFilter::default()).unwrap().deliveries
}

/// Waits until a delivery, the newest first, is as it should be.
#[track_caller]
fn until(webox: &Webox, what: impl Fn(&OutboxDelivery) -> bool) -> OutboxDelivery {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let all = deliveries(webox);
        if let Some(found) = all.iter().find(|one| what(one)) {
            return found.clone();
        }
        assert!(Instant::now() < deadline, "{all:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn all_bookings(webox: &Webox) -> Vec<Booking> {
    let filter = webox::domain::BookingFilter { cancelled: true, ..Default::default() };
    seed::store(webox).read(|tx| bookings::list(tx, Sight::All, &filter)).unwrap()
}

#[test]
fn a_caller_is_told_by_sms_what_was_booked_and_what_was_cancelled() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with_twilio(&twilio);
    apply(&webox, &text(SMS));
    let daemon = Daemon::start(&webox);
    run(say(&daemon, 1, &FRENCH));
    let [from, to, said] = twilio.wait_for_messages(1).remove(0);
    assert_eq!((from.as_str(), to.as_str()), (NUMBER, CALLER));
    let booking = all_bookings(&webox).remove(0);
    assert!(said.starts_with("Restaurant Le Gourmet : réservation notée pour "), "{said}");
    let end = format!(" à 20 h, 4 personnes. Réf. {}.", booking.reference);
    assert!(said.ends_with(&end), "{said}");

    webox.run(["bookings", "cancel", &booking.reference, "--yes"]).ok();
    let [.., said] = twilio.wait_for_messages(2).remove(1);
    assert!(said.starts_with("Restaurant Le Gourmet : réservation annulée : "), "{said}");
    // What is not about a booking is not the caller's to be told.
    assert_eq!(deliveries(&webox).len(), 2);
}

#[test]
fn an_english_call_is_confirmed_in_english_and_a_file_may_have_words_of_its_own() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with_twilio(&twilio);
    let english = text(SMS).replace("language = \"fr-FR\"", "language = \"en-GB\"");
    apply(&webox, &english);
    let daemon = Daemon::start(&webox);
    let words = ["A table for four please", "tomorrow", "at eight in the evening", "Smith"];
    run(say(&daemon, 1, &words));
    let [.., said] = twilio.wait_for_messages(1).remove(0);
    assert!(said.starts_with("Restaurant Le Gourmet: your booking is confirmed for "), "{said}");
    assert!(said.contains(" at 8 pm, 4 people. Ref. "), "{said}");

    let own = "texts = { \"booking.created\" = \"{{ client }} : c'est noté, {{ name }}, {{ people }}.\" }";
    apply(&webox, &text(&format!("{SMS}{own}")));
    run(say(&daemon, 2, &["Une table pour deux", "demain", "à vingt heures", "Petit"]));
    let [.., said] = twilio.wait_for_messages(2).remove(1);
    assert_eq!(said, "Restaurant Le Gourmet : c'est noté, Petit, 2 personnes.");
}

#[test]
fn an_sms_waits_for_twilio_and_a_wrong_number_is_given_up_at_once() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with_twilio(&twilio);
    apply(&webox, &text(SMS));
    twilio.fail(&[503]);
    let daemon = Daemon::start(&webox);
    run(say(&daemon, 1, &FRENCH));
    let arrived = until(&webox, |one| one.state == DeliveryState::Delivered);
    assert_eq!(arrived.attempts, 2);

    twilio.refuse(CALLER, 21_610);
    let reference = all_bookings(&webox).remove(0).reference;
    webox.run(["bookings", "cancel", &reference, "--yes"]).ok();
    let dead = until(&webox, |one| one.state == DeliveryState::Dead);
    assert_eq!(dead.attempts, 1);
    assert!(dead.failure.unwrap().contains("STOP"));
}

#[test]
fn nobody_without_a_mobile_is_sent_an_sms() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with_twilio(&twilio);
    apply(&webox, &text(SMS));
    let day = (Timestamp::now() + SignedDuration::from_hours(72)).strftime("%Y-%m-%d").to_string();
    let at = format!("{day} 20:00");
    for (name, more) in [
        ("Masqué", &[][..]),
        ("Fixe", &["--phone", "+33142345678"][..]),
        ("Mobile", &["--phone", CALLER][..]),
    ] {
        let mut line = vec!["bookings", "create", "le-gourmet", "--at", &at, "--party", "2"];
        line.extend(["--name", name]);
        line.extend(more);
        webox.run(line).ok();
    }
    let all = deliveries(&webox);
    assert_eq!((all_bookings(&webox).len(), all.len()), (3, 1), "{all:?}");
    assert!(all[0].payload.as_ref().unwrap().contains(CALLER));
}

#[test]
fn callers_are_reminded_once_of_what_still_stands() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with_twilio(&twilio);
    let only = "events = [\"booking.reminder\"]\nremind = [\"24h\", \"2h\"]";
    apply(&webox, &text(&format!("{SMS}{only}")));
    let day = (Timestamp::now() + SignedDuration::from_hours(72)).strftime("%Y-%m-%d").to_string();
    for (time, name) in [("20:00", "Dupont"), ("20:30", "Annulée")] {
        let at = format!("{day} {time}");
        let line = ["bookings", "create", "le-gourmet", "--at", &at, "--party", "2", "--name"];
        webox.run(line.into_iter().chain([name, "--phone", CALLER])).ok();
    }
    let [dupont, cancelled] = all_bookings(&webox).try_into().unwrap();
    webox.run(["bookings", "cancel", &cancelled.reference, "--yes"]).ok();
    let store = seed::store(&webox);
    let before = |hours: i64| dupont.starts_at - hours.hours();
    let look = |now| run(reminders::tell_due(&store, now)).unwrap();

    assert_eq!(look(before(25)), 0, "not yet");
    assert_eq!(look(before(23)), 1);
    assert_eq!(look(before(22)), 0, "once");
    assert_eq!(look(before(1)), 1, "and again, nearer");
    assert_eq!(look(dupont.starts_at), 0);
    // It is moved to the next day: a time of its own. What was made or moved too late is known.
    let move_to = |hours: i64, at: Timestamp| {
        let moved = Booking {
            starts_at: dupont.starts_at + hours.hours(),
            at: dupont.at + hours.hours(),
            updated_at: at,
            ..dupont.clone()
        };
        store.write(move |tx| bookings::update(tx, &moved)).unwrap();
    };
    move_to(22, before(1));
    assert_eq!(look(before(-1)), 0, "moved when it was time already");
    move_to(48, before(1));
    assert_eq!(look(before(-25)), 1);

    // The newest first. They are due at the times that were looked at, which are still to come.
    let told = deliveries(&webox);
    assert_eq!(told.len(), 3, "{told:?}");
    let first = told[2].payload.as_ref().unwrap();
    assert!(first.contains("Restaurant Le Gourmet : rappel de votre réservation : "), "{first}");
    assert!(first.contains(" à 20 h, 2 personnes. Réf. "), "{first}");
}

#[test]
fn a_daemon_reminds_by_itself() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with_twilio(&twilio);
    let only = "events = [\"booking.reminder\"]\nremind = [\"13d\"]";
    apply(&webox, &text(&format!("{SMS}{only}")));
    let store = seed::store(&webox);
    let day = (Timestamp::now() + SignedDuration::from_hours(72)).strftime("%Y-%m-%d").to_string();
    let at = format!("{day} 20:00");
    let line = ["bookings", "create", "le-gourmet", "--at", &at, "--party", "2"];
    webox.run(line.into_iter().chain(["--name", "Dupont", "--phone", CALLER])).ok();
    let booking = all_bookings(&webox).remove(0);
    // Made a month ago.
    let made = Booking { updated_at: booking.starts_at - (30 * 24).hours(), ..booking };
    store.write(move |tx| bookings::update(tx, &made)).unwrap();
    for _ in 0..2 {
        let daemon = Daemon::start(&webox);
        until(&webox, |one| one.state == DeliveryState::Delivered);
        daemon.terminate();
    }
    assert_eq!(twilio.wait_for_messages(1).len(), 1);
}

#[test]
fn a_client_is_told_by_email() {
    let smtp = FakeSmtp::start();
    let webox = with_mail(&smtp);
    apply(&webox, &text(EMAIL));
    smtp.refuse(&["450 4.2.1 busy"]);
    let daemon = Daemon::start(&webox);
    run(async {
        say(&daemon, 1, &FRENCH).await;
        say(&daemon, 2, &["Je voudrais parler à quelqu'un"]).await;
    });
    let mut letters = smtp.wait_for(2);
    letters.sort_by(|a, b| b.subject.cmp(&a.subject));
    let booked = &letters[0];
    assert_eq!(
        (booked.from.as_str(), booked.to.as_str()),
        ("standard@agence.fr", "contact@legourmet.fr")
    );
    assert!(booked.subject.starts_with("Réservation de Dupont, "), "{booked:?}");
    let reference = all_bookings(&webox).remove(0).reference;
    assert!(booked.text.contains("Nom : Dupont\nTéléphone : 06 12 34 56 78\n"), "{booked:?}");
    assert!(booked.text.contains(&format!("Référence : {reference}")), "{booked:?}");
    assert!(booked.headers.contains("Restaurant Le Gourmet"), "{}", booked.headers);
    let delivered = until(&webox, |one| one.attempts == 2);
    let id = format!("Message-ID: <{}@agence.fr>", delivered.message_id);
    assert!(booked.headers.contains(&id), "{}", booked.headers);
    let handed = &letters[1];
    assert!(handed.text.contains("a été transféré au 01 99 00 01 12"), "{handed:?}");
}

#[test]
fn mail_that_is_refused_is_tried_again_and_without_a_server_it_says_what_to_set() {
    let smtp = FakeSmtp::start();
    let webox = with_mail(&smtp);
    apply(&webox, &text(&format!("{EMAIL}address = \"nobody@legourmet.fr\"")));
    smtp.refuse(&["550 5.1.1 nobody here"]);
    let daemon = Daemon::start(&webox);
    run(say(&daemon, 1, &FRENCH));
    let letters = smtp.wait_for(1);
    assert_eq!(letters[0].to, "nobody@legourmet.fr");
    until(&webox, |one| one.attempts == 2 && one.state == DeliveryState::Delivered);

    let webox = Webox::new();
    apply(&webox, &text(EMAIL));
    let daemon = Daemon::start(&webox);
    run(say(&daemon, 1, &FRENCH));
    let waits = until(&webox, |one| one.failure.is_some());
    assert_eq!(waits.state, DeliveryState::Pending);
    assert!(waits.failure.unwrap().contains("WEBOX_SMTP_HOST"));
}

#[test]
fn who_is_forgotten_is_sent_nothing() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    twilio.fail(&[503; 20]);
    let webox = with_twilio(&twilio);
    apply(&webox, &text(SMS));
    let daemon = Daemon::start(&webox);
    run(say(&daemon, 1, &FRENCH));
    until(&webox, |one| one.failure.is_some());
    webox.run(["privacy", "erase", "--caller", CALLER, "--yes"]).ok();
    let forgotten = deliveries(&webox).remove(0);
    assert_eq!((forgotten.state, forgotten.payload), (DeliveryState::Dead, None));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let webox = Webox::new();
    for (place, told) in [
        (format!("{SMS}remind = [\"1h\", \"2h\", \"3h\", \"4h\"]"), "has more than 3 times"),
        (format!("{SMS}events = [\"call.ended\"]"), "an SMS goes to the caller"),
        (format!("{SMS}text = \"{{{{ wen }}}}\""), "did you mean `when`?"),
        (format!("{SMS}text = \"{}\"", "ô".repeat(202)), "comes to 4 SMS or more"),
        (format!("{SMS}url = \"https://a.example\""), "has no meaning for SMS and e-mail"),
        (format!("{EMAIL}address = \"x\""), "is not an e-mail address"),
        (format!("{EMAIL}texts = {{ \"call.ended\" = \"x\" }}"), "is never said"),
    ] {
        let text = text(&place);
        let line = text.lines().position(|line| line == "[[deliver]]").unwrap() + 3;
        let file = webox.file("wrong.toml", &text);
        let ran = webox.run(["validate", &file]);
        assert_ne!(ran.code, 0, "{place}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(told), "{place}: {said}");
        assert!(said.contains(&format!("wrong.toml:{line}:")), "{place}: {said}");
    }
    let nobody = text(EMAIL).replace("email    = \"contact@legourmet.fr\"\n", "");
    let ran = webox.run(["validate", &webox.file("wrong.toml", &nobody)]);
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains("whom should it go to"),
        "{}",
        ran.stderr
    );
}
