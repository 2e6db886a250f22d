use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use ratatui::{Terminal, backend::TestBackend};

use super::*;
use crate::{
    cli::top::{draw, worker::Live},
    domain::{
        After, Assistant, AssistantId, AssistantSpec, Breakdown, Call, CallId, CallOutcome,
        CallStatus, Cost, Direction, Error, LanguageTag, Latency, Micros, Stage, VoiceLine,
    },
    operations::assistants::AssistantOverview,
};

fn at() -> Timestamp {
    "2026-11-27T14:05:00Z".parse().unwrap()
}

fn overview(name: &str, active: bool) -> AssistantOverview {
    let mut spec = AssistantSpec::new(
        name.parse().unwrap(),
        "Le Gourmet".to_owned(),
        "+33123456789".parse().unwrap(),
        "x".to_owned(),
    );
    spec.active = active;
    AssistantOverview {
        assistant: Assistant {
            id: AssistantId(1),
            owner: None,
            spec,
            revision: 1,
            created_at: at(),
            updated_at: at(),
        },
        total_calls: 1_204,
        live_calls: u64::from(active),
        last_call_at: Some(at()),
    }
}

fn call(n: i64, status: CallStatus) -> Call {
    let is_over = status.is_final();
    Call {
        id: CallId(n),
        sid: format!("CA{n:032x}").parse().unwrap(),
        assistant_id: AssistantId(1),
        assistant: "le-gourmet".parse().unwrap(),
        assistant_revision: 1,
        disclosed_at: None,
        recording_consent: None,
        direction: Direction::Inbound,
        answered_by: None,
        caller: Some("+33612345678".to_owned()),
        to_number: "+33123456789".to_owned(),
        status,
        line: VoiceLine::Gather,
        language: LanguageTag::french(),
        started_at: at() - SignedDuration::from_secs(75),
        ended_at: is_over.then(at),
        duration_s: is_over.then_some(75),
        satisfaction: None,
        end_reason: None,
        after: After { outcome: is_over.then_some(CallOutcome::Booked), ..After::default() },
        cost: None,
    }
}

fn standing(calls: &[i64]) -> Standing {
    Standing {
        at: at().to_zoned_datetime(TimeZone::UTC),
        live: vec![Live {
            call: call(9, CallStatus::InProgress),
            last: Some(("caller", "Une table\npour quatre ?\u{1b}[2J".to_owned())),
        }],
        today: Breakdown { calls: 42, duration_s: 4_200, ..Breakdown::default() },
        by_status: vec![(CallStatus::Completed, 40), (CallStatus::Failed, 2)],
        latencies: Latency::of("all".to_owned(), Stage::Reply, &[(400, 1), (900, 1)].into())
            .into_iter()
            .collect(),
        cost: Cost { eur: Micros::from_micros(1_234_567), usd: Micros::ZERO },
        assistants: vec![overview("le-gourmet", true), overview("cabinet", false)],
        calls: calls.iter().map(|n| call(*n, CallStatus::Completed)).collect(),
    }
}

fn with(calls: &[i64]) -> Screen {
    let mut screen = Screen::new(false);
    screen.take(News::Standing(Box::new(standing(calls))));
    screen
}

fn press(screen: &mut Screen, keys: &[KeyCode]) -> Vec<Effect> {
    keys.iter().map(|key| screen.press(KeyEvent::new(*key, KeyModifiers::NONE))).collect()
}

fn drawn(screen: &mut Screen) -> String {
    let mut terminal = Terminal::new(TestBackend::new(100, 22)).unwrap();
    terminal.draw(|frame| draw::screen(frame, screen)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn the_four_screens() {
    let mut screen = with(&[3, 2, 1]);
    insta::assert_snapshot!("overview", drawn(&mut screen));
    press(&mut screen, &[KeyCode::Tab]);
    insta::assert_snapshot!("assistants", drawn(&mut screen));
    press(&mut screen, &[KeyCode::Tab, KeyCode::Char('G'), KeyCode::Char('é')]);
    insta::assert_snapshot!("create", drawn(&mut screen));
    press(&mut screen, &[KeyCode::Tab]);
    insta::assert_snapshot!("calls", drawn(&mut screen));
}

#[test]
fn an_assistant_is_switched_after_a_yes() {
    let mut screen = with(&[]);
    press(&mut screen, &[KeyCode::Char('2'), KeyCode::Down, KeyCode::Enter]);
    assert_eq!(screen.notice, Notice::Sure("Switch cabinet on? y/n".to_owned()));
    assert!(matches!(press(&mut screen, &[KeyCode::Char('n')])[..], [Effect::None]));
    press(&mut screen, &[KeyCode::Enter]);
    let asked = press(&mut screen, &[KeyCode::Char('y')]);
    assert!(matches!(asked[..], [Effect::Ask(Ask::Switch(_, true))]), "{asked:?}");
}

#[test]
fn the_chosen_call_stays_chosen_when_others_come() {
    let mut screen = with(&[3, 2, 1]);
    press(&mut screen, &[KeyCode::Char('4'), KeyCode::Down]);
    screen.take(News::Standing(Box::new(standing(&[5, 4, 3, 2, 1]))));
    assert_eq!(screen.calls.selected(), Some(3));
    let asked = press(&mut screen, &[KeyCode::Enter]);
    let [Effect::Ask(Ask::Open(sid))] = &asked[..] else { panic!("{asked:?}") };
    assert!(sid.as_str().ends_with('2'));
    screen.take(News::Standing(Box::new(standing(&[]))));
    assert!(matches!(
        press(&mut screen, &[KeyCode::Enter, KeyCode::Down])[..],
        [Effect::None, Effect::None]
    ));
}

#[test]
fn a_form_is_told_what_is_wrong_and_keeps_what_was_written() {
    let mut screen = with(&[]);
    press(&mut screen, &[KeyCode::Char('3')]);
    let write = |screen: &mut Screen, text: &str| {
        let keys: Vec<_> = text.chars().map(KeyCode::Char).collect();
        press(screen, &keys);
    };
    write(&mut screen, "Garage q1");
    press(&mut screen, &[KeyCode::Enter]);
    write(&mut screen, "nought");
    press(&mut screen, &[KeyCode::Enter]);
    write(&mut screen, "x");
    press(&mut screen, &[KeyCode::Enter]);
    assert!(matches!(&screen.notice, Notice::Failed(_)), "{:?}", screen.notice);
    press(&mut screen, &[KeyCode::Up]);
    press(&mut screen, &[KeyCode::Backspace; 6]);
    write(&mut screen, "01 98 76 54 32");
    press(&mut screen, &[KeyCode::Enter, KeyCode::Enter]);
    assert_eq!(screen.notice, Notice::Sure("Create garage-q1 at +33198765432? y/n".to_owned()));
    let asked = press(&mut screen, &[KeyCode::Char('y')]);
    assert!(matches!(&asked[..], [Effect::Ask(Ask::Create(spec))] if spec.client == "Garage q1"));
    screen.take(News::Created("Created garage-q1.".to_owned()));
    assert!(screen.tab == Tab::Assistants && screen.form.lines[0].text.is_empty());
}

#[test]
fn what_fails_is_told_until_it_works_again() {
    let mut screen = with(&[]);
    screen.take(News::Failed(Error::unavailable("the daemon does not answer").hint("is it up?")));
    assert!(drawn(&mut screen).contains("the daemon does not answer (is it up?)"));
    screen.take(News::Standing(Box::new(standing(&[]))));
    assert_eq!(screen.notice, Notice::Nothing);
    for key in [KeyCode::Char('q'), KeyCode::Esc] {
        assert!(matches!(press(&mut screen, &[key])[..], [Effect::Quit]));
    }
}
