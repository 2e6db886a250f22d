//! Campaigns that rest, are stopped, or whose people are forgotten: nobody is spent, and nobody is called
//! after that.

use jiff::SignedDuration;
use webox::{
    domain::{CallContext, CampaignRowState, CampaignState, CampaignTerms, OutboundState},
    operations::{campaigns, outbound},
};

use crate::campaign::{A, B, Desk, SERVICE, applied, at, run};
use crate::support::cmd::{LE_GOURMET, Webox};

#[test]
fn words_that_cannot_be_said_put_a_campaign_to_rest_and_spend_nobody() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let id = desk.start(&[A, B], CampaignTerms::default(), at(1, "10:00"));
    let webox = applied(webox, &SERVICE.replace("{{ at }}", "{{ hour }}"));
    assert_eq!(desk.dials(at(1, "10:01")), None);
    let shown = campaigns::show(&desk.store, &desk.actor, id).unwrap();
    assert_eq!(shown.state, CampaignState::Paused);
    assert!(shown.why.unwrap().contains("greeting"), "it says what to correct");
    assert_eq!(desk.states(id), [(CampaignRowState::Waiting, 0), (CampaignRowState::Waiting, 0)]);
    let _webox = applied(webox, SERVICE);
    assert_eq!(desk.start(&[A, B], CampaignTerms::default(), at(1, "10:02")), id);
    assert!(desk.dials(at(1, "10:02")).is_some());
}

#[test]
fn hours_that_the_law_leaves_none_of_are_refused_at_once() {
    let webox = applied(Webox::new(), SERVICE);
    let file = webox.file("a.csv", &format!("phone,at\n{A},mardi\n"));
    let args = ["campaign", "run", &file, "--assistant", "le-gourmet", "--hours", "4-5"];
    webox.run(args).code(65).says("may not be called in the next two weeks");
    webox.run(["campaign", "list"]).ok().silent();
}

#[test]
fn one_that_is_stopped_calls_nobody_whom_twilio_put_off() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let id = desk.start(&[A], CampaignTerms::default(), at(1, "10:00"));
    let (_, call) = desk.dials(at(1, "10:00")).unwrap();
    campaigns::stop(&desk.store, &desk.actor, id, true, at(1, "10:00")).unwrap();
    run(outbound::later(&desk.store, call, "Twilio is busy".to_owned(), at(1, "10:00"))).unwrap();
    for second in 1..20 {
        assert_eq!(desk.dials(at(1, &format!("10:01:{second:02}"))), None);
    }
    assert_eq!(desk.states(id), [(CampaignRowState::Cancelled, 0)]);
}

#[test]
fn who_is_rung_is_forgotten_once_it_has_stopped_and_then_whole() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let id = desk.start(&[A], CampaignTerms::default(), at(1, "10:00"));
    let (_, call) = desk.dials(at(1, "10:00")).unwrap();
    webox.run(["privacy", "erase", "--caller", A, "--yes"]).code(1).says("on the phone now");
    desk.ends(call, OutboundState::NoAnswer, at(1, "10:01"));
    webox.run(["privacy", "erase", "--caller", A, "--yes"]).ok();
    assert_eq!(desk.states(id), []);
    assert_eq!(desk.dials(at(1, "11:30")), None);
}

#[test]
fn an_assistant_without_a_free_line_keeps_nobody_else_from_calling() {
    let webox = applied(Webox::new(), &format!("[limits]\nmax_concurrent_calls = 1\n{SERVICE}"));
    let other = std::fs::read_to_string(LE_GOURMET).unwrap();
    let other = other.replace("le-gourmet", "la-table").replace("+33123456789", "+33123456790");
    let file = webox.file("la-table.toml", &format!("{other}\n{SERVICE}\n"));
    webox.run(["apply", "--yes", &file]).ok();
    let desk = Desk::of(&webox);
    let ask = |name: &str, number: String| {
        let context = std::collections::BTreeMap::from([("at".to_owned(), "mardi".to_owned())]);
        let wanted = outbound::Wanted {
            number: number.parse().unwrap(),
            context: CallContext::try_from(context).unwrap(),
            say: None,
            zone: None,
            anyway: true,
        };
        outbound::ask(&desk.store, &desk.actor, name, wanted, at(1, "10:00")).unwrap();
    };
    (0..30).for_each(|n| ask("le-gourmet", format!("+336123456{n:02}")));
    ask("la-table", "+33612345699".to_owned());
    // Who is first, is by lot.
    let dialled = [(); 2].map(|()| desk.dials(at(1, "10:00")).unwrap().0);
    assert!(dialled.contains(&"+33612345699".to_owned()), "{dialled:?}");
}

#[test]
fn one_that_was_at_rest_for_long_does_not_begin_anew() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let id = desk.start(&[A, B], CampaignTerms::default(), at(1, "10:00"));
    let (_, call) = desk.dials(at(1, "10:00")).unwrap();
    desk.ends(call, OutboundState::Completed, at(1, "10:01"));
    assert_eq!(desk.dials(at(8, "10:01")), None, "nobody ran it again: it rests");
    let late = at(8, "10:00") + SignedDuration::from_hours(32 * 24);
    let before = late - SignedDuration::from_hours(31 * 24);
    let forget = move |tx: &webox::store::Tx| webox::store::campaigns::forget_before(tx, before);
    assert_eq!(desk.store.write(forget).unwrap(), 0);
    let shown = campaigns::show(&desk.store, &desk.actor, id).unwrap();
    assert_eq!(shown.state, CampaignState::Cancelled);
    assert_eq!(desk.states(id)[1].0, CampaignRowState::Cancelled);
}

#[test]
fn fewer_tries_hold_for_those_who_wait_already() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let id = desk.start(&[A], CampaignTerms::default(), at(1, "10:00"));
    let (_, call) = desk.dials(at(1, "10:00")).unwrap();
    desk.ends(call, OutboundState::Busy, at(1, "10:01"));
    assert_eq!(desk.dials(at(1, "10:02")), None);
    assert_eq!(desk.states(id), [(CampaignRowState::Waiting, 1)]);
    let once = CampaignTerms { retries: 0, ..CampaignTerms::default() };
    assert_eq!(desk.start(&[A], once, at(1, "10:03")), id);
    assert_eq!(desk.dials(at(2, "10:00")), None);
    assert_eq!(desk.states(id), [(CampaignRowState::Refused, 1)]);
}
