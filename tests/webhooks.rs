//! Calls as Twilio makes them, against the real daemon and a real file.

use webox::{
    domain::{CallFilter, CallStatus, EndReason, Heard, Kind},
    operations::{bookings, calls},
    twilio::reader::Verb,
};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, NUMBER, hangs_up, sid, spoken, verbs},
    seed,
};

fn is_turn_stored(webox: &Webox, n: u32, number: u32) -> bool {
    let (_, turns) =
        calls::show(&seed::store(webox), &webox::domain::Actor::webox("test"), &sid(n)).unwrap();
    turns.iter().any(|turn| turn.number == number && turn.said.is_some())
}

#[tokio::test]
async fn a_call_rings_is_answered_and_ends() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let greeting = daemon.ring(&sid(1)).await;
    assert!(spoken(&greeting).contains("Le Gourmet"));
    let verbs = verbs(&greeting);
    // That a machine speaks is heard whole; only then may the caller talk over it.
    assert!(
        matches!(&verbs[0], Verb::Say(told) if told.text.ends_with("automatique.")),
        "{verbs:?}"
    );
    let Verb::Gather { action, .. } = &verbs[1] else { panic!("a gather") };
    assert!(
        action.starts_with("https://calls.example.test/voice-proxy/api/voice/webhook/process?")
    );
    assert!(spoken(&daemon.say(&sid(1), 1, "Avez-vous un parking ?").await).contains("parking"));
    assert_eq!(daemon.hang_up(&sid(1), 42).await.status, 204);
    let (call, turns) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!((call.status, call.duration_s), (CallStatus::Completed, Some(42)));
    assert_eq!(call.end_reason, Some(EndReason::CallerHungUp));
    assert_eq!(call.caller.as_deref(), Some(CALLER));
    assert_eq!(turns.len(), 2);
    assert!(
        matches!(&turns[1].heard, Some(Heard::Speech { text, confidence: Some(_), .. }) if text.contains("parking"))
    );
    let shown = webox.run(["calls", "show", "CA0000", "-o", "json"]).ok().json();
    assert_eq!(shown["call"]["status"], "completed");
}

#[tokio::test]
async fn every_delivery_counts_once() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    let greeting = daemon.ring(&sid(1)).await;
    assert_eq!(daemon.ring(&sid(1)).await.body, greeting.body, "the same greeting");
    let words = "Une table pour quatre demain à vingt heures au nom de Dupont";
    let one = sid(1);
    let five = futures_util::future::join_all((0..5).map(|_| daemon.say(&one, 1, words))).await;
    for answer in &five {
        assert_eq!(answer.body, five[0].body, "five at once");
    }
    for _ in 0..5 {
        assert_eq!(daemon.say(&sid(1), 1, "autre chose").await.body, five[0].body, "five in a row");
    }
    daemon.kill();
    let daemon = Daemon::start(&webox);
    assert_eq!(daemon.say(&sid(1), 1, words).await.body, five[0].body, "after a restart");
    assert_eq!(daemon.ring(&sid(1)).await.body, greeting.body);
    let store = seed::store(&webox);
    let (call, turns) = calls::show(&store, &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!(turns.len(), 2);
    assert_eq!(bookings::of_call(&store, call.id).unwrap().len(), 1, "booked once");
    assert_eq!(
        calls::list(&store, &webox::domain::Actor::webox("test"), &CallFilter::default())
            .unwrap()
            .calls
            .len(),
        1
    );
}

#[tokio::test]
async fn what_comes_out_of_order_harms_nothing() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    // A turn that cannot be next: nothing is stored, the next one is listened for.
    let ahead = daemon.say(&sid(1), 7, "Bonjour").await;
    let Verb::Gather { action, .. } = &verbs(&ahead)[0] else { panic!("a gather") };
    assert!(action.ends_with("&turn=1"), "{action}");
    assert!(!is_turn_stored(&webox, 1, 7));
    // A call we have never heard of goes on from here.
    let adopted = daemon.say(&sid(2), 4, "Vous êtes ouverts le dimanche ?").await;
    assert!(spoken(&adopted).to_lowercase().contains("dimanche"), "{}", adopted.body);
    assert!(is_turn_stored(&webox, 2, 1));
    // The end before the beginning: the call is over when it rings.
    daemon.hang_up(&sid(3), 5).await;
    assert!(hangs_up(&daemon.ring(&sid(3)).await));
    assert!(hangs_up(&daemon.say(&sid(3), 1, "Bonjour").await));
    let (call, turns) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(3)).unwrap();
    assert_eq!((call.status, turns.len()), (CallStatus::Completed, 0));
    // What is heard after the end changes nothing; its end is told again and changes nothing.
    daemon.hang_up(&sid(1), 9).await;
    assert!(hangs_up(&daemon.say(&sid(1), 1, "Bonjour").await));
    daemon.hang_up(&sid(1), 90).await;
    let (call, turns) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!((call.duration_s, turns.len()), (Some(9), 1));
}

#[tokio::test]
async fn silence_is_asked_about_twice_and_then_left() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let first = daemon.say(&sid(1), 1, "").await;
    let second = daemon.say(&sid(1), 2, "").await;
    assert!(!hangs_up(&first) && !hangs_up(&second));
    assert_ne!(spoken(&first), spoken(&second));
    let third = daemon.say(&sid(1), 3, "").await;
    assert!(hangs_up(&third) && spoken(&third).contains("Au revoir"), "{}", third.body);
    daemon.hang_up(&sid(1), 20).await;
    let (call, _) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!(call.end_reason, Some(EndReason::Silence));
}

#[tokio::test]
async fn callers_without_a_number_are_callers_too() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    for (n, from, stored) in [
        (1, "anonymous", None),
        (2, "+266696687", None),
        (3, "", None),
        (4, "sip:bob@example.com", Some("sip:bob@example.com")),
        (5, "client:bob", Some("client:bob")),
    ] {
        let answer = daemon.post_from(from, NUMBER, "incoming", &sid(n), &[]).await;
        assert!(spoken(&answer).contains("Le Gourmet"), "{from}");
        let (call, _) =
            calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(n))
                .unwrap();
        assert_eq!(call.caller.as_deref(), stored, "{from}");
    }
}

#[tokio::test]
async fn numbers_nobody_has_are_answered_in_their_language() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    for (to, word) in
        [("+33199999999", "numéro"), ("+493012345678", "Nummer"), ("+12125550100", "number")]
    {
        let answer = daemon.post_from(CALLER, to, "incoming", &sid(1), &[]).await;
        assert!(spoken(&answer).contains(word), "{to}: {}", answer.body);
        assert!(hangs_up(&answer));
    }
    assert_eq!(
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1))
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    daemon.logged("has no assistant");
}

#[tokio::test]
async fn a_change_from_the_terminal_counts_from_the_next_call_on() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    assert!(!hangs_up(&daemon.ring(&sid(1)).await));
    webox.run(["assistants", "disable", "le-gourmet"]).ok();
    let declined = daemon.ring(&sid(2)).await;
    assert!(hangs_up(&declined) && spoken(&declined).contains("Le Gourmet"), "{}", declined.body);
    assert_eq!(daemon.ring(&sid(2)).await.body, declined.body, "declined again alike");
    // The call that was going on goes on.
    assert!(!hangs_up(&daemon.say(&sid(1), 1, "Avez-vous une terrasse ?").await));
    webox.run(["assistants", "enable", "le-gourmet"]).ok();
    webox.run(["assistants", "edit", "le-gourmet", "--greeting", "Allô, ici Le Gourmet !"]).ok();
    let said = spoken(&daemon.ring(&sid(3)).await);
    assert_eq!(
        said,
        "Allô, ici Le Gourmet ! Je suis un assistant vocal automatique. For English, press 9."
    );
    let rejected = webox.run(["calls", "--status", "rejected", "-o", "json"]).ok().json();
    assert_eq!(rejected["calls"].as_array().unwrap().len(), 1);
    assert_eq!(rejected["calls"][0]["call_sid"], sid(2).as_str());
}

#[tokio::test]
async fn no_more_calls_than_the_file_allows() {
    let webox = Webox::new();
    let file = webox.file(
        "a.toml",
        "name = \"a\"\nclient = \"Chez A\"\nphone = \"+33123456789\"\ncontext = \"\"\n[limits]\nmax_concurrent_calls = 1\n",
    );
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    assert!(!hangs_up(&daemon.ring(&sid(1)).await));
    assert!(hangs_up(&daemon.ring(&sid(2)).await));
    daemon.hang_up(&sid(1), 3).await;
    assert!(!hangs_up(&daemon.ring(&sid(3)).await));
}

#[tokio::test]
async fn a_human_is_called_and_a_message_taken_when_nobody_comes() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let answer = daemon.say(&sid(1), 1, "Je veux parler à quelqu'un").await;
    let dial = verbs(&answer).into_iter().find_map(|verb| match verb {
        Verb::Dial { number, action, .. } => Some((number, action.unwrap())),
        _ => None,
    });
    let (number, action) = dial.expect("a <Dial>");
    assert_eq!(number, "+33199000112");
    let route = action.split("/webhook/").nth(1).unwrap().to_owned();
    let back = daemon.post(&route, &sid(1), &[("DialCallStatus", "no-answer")]).await;
    assert!(!hangs_up(&back) && !spoken(&back).is_empty());
    let again = daemon.post(&route, &sid(1), &[("DialCallStatus", "no-answer")]).await;
    assert_eq!(again.body, back.body, "delivered twice");
    let mut turn = 3;
    let mut last =
        daemon.say(&sid(1), turn, "Oui, dites-lui que Martin a appelé pour le devis").await;
    while !hangs_up(&last) && turn < 7 {
        turn += 1;
        last = daemon.say(&sid(1), turn, "C'est tout, merci, au revoir").await;
    }
    let store = seed::store(&webox);
    let (call, _) = calls::show(&store, &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    let messages = calls::messages(&store, call.id).unwrap();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].text.contains("devis"), "{}", messages[0].text);
    // A human who answered has spoken: the call is over.
    daemon.ring(&sid(2)).await;
    daemon.say(&sid(2), 1, "Passez-moi un humain").await;
    let route = format!("transfer?call_sid={}&turn=2", sid(2));
    assert!(hangs_up(&daemon.post(&route, &sid(2), &[("DialCallStatus", "completed")]).await));
}

#[tokio::test]
async fn the_log_names_the_call_and_hides_the_caller() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Bonjour").await;
    daemon.hang_up(&sid(1), 2).await;
    for message in ["answered a call", "replied", "status changed"] {
        let line = daemon.logged(message);
        assert!(line.contains(sid(1).as_str()), "{line}");
    }
    let all = daemon.log().join("\n");
    assert!(!all.contains(CALLER) && all.contains("+3361•••78"), "{all}");
    assert!(!all.contains(crate::support::daemon::TOKEN));
}

#[tokio::test]
async fn health_and_the_list_of_calls_while_calls_come_in() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    for route in ["healthz", "readyz"] {
        let url = format!("http://{}/{route}", daemon.address);
        assert_eq!(reqwest::get(url).await.unwrap().status(), 200, "{route}");
    }
    let calls = (0..40).map(|n| {
        let daemon = &daemon;
        async move { daemon.ring(&sid(n)).await }
    });
    let reading = std::thread::spawn({
        let mut command = webox.command(["calls", "-o", "ids"]);
        move || (0..5).all(|_| command.output().unwrap().status.success())
    });
    for answer in futures_util::future::join_all(calls).await {
        assert!(spoken(&answer).contains("Le Gourmet"));
    }
    assert!(reading.join().unwrap());
    let ids = webox.run(["calls", "-o", "ids"]).ok().stdout;
    assert_eq!(ids.lines().count(), 40);
}
