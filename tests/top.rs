//! `webox top`, on a terminal: it shows what goes on, does what its keys say, and leaves as it came.

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, sid},
    pty::OnTerminal,
};

/// Leaving the alternate screen (xterm, "Control Sequences").
const LEFT: &str = "\u{1b}[?1049l";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_seen_an_assistant_switched_and_the_terminal_left_clean() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    tokio::task::block_in_place(|| {
        let mut top = OnTerminal::start(&webox, ["top", "--every", "1"]);
        top.see("Calls at once: 1 now").see("le-gourmet").see("+3361•••78");
        top.press("2").see("Le Gourmet").press("\r").see("y/n").press("y");
        top.see("does not answer any more");
        let shown = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().json();
        assert_eq!(shown["assistant"]["is_active"], false, "{shown}");
        top.press("4").see("in-progress").press("\r").see("caller").see("parking");
        top.press("\u{1b}");
        std::thread::sleep(std::time::Duration::from_millis(300));
        top.press("q");
        let (code, seen) = top.end();
        assert_eq!(code, 0, "{seen}");
        assert!(seen.ends_with("\u{1b}[?25h") || seen.contains(LEFT), "{seen:?}");
        assert!(seen.rfind(LEFT) > seen.rfind("parking"), "{seen:?}");
    });
}

#[test]
fn elsewhere_than_on_a_terminal_it_says_what_to_use() {
    let webox = Webox::new();
    webox.run(["top"]).code(64).says("webox stats -o json");
}

#[test]
fn it_is_ended_from_outside_and_still_leaves_the_terminal_clean() {
    let webox = Webox::with_le_gourmet();
    let mut top = OnTerminal::start(&webox, ["top"]);
    top.see("Overview").see("In progress");
    top.terminate();
    let (code, seen) = top.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains(LEFT), "{seen:?}");
}
