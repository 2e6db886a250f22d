//! Who may do what at the file itself: everything that commands ask of a desk, as each user. What is
//! asked over the network goes through the same operations; `access` walks its routes.

use std::collections::BTreeSet;

use crate::support::{
    api::{OTHER, OWNER, World},
    seed,
};

/// What a command asks of the desk, and how it ends for the other member, the owner, and whoever may
/// open the file.
struct Row {
    asks: &'static str,
    command: &'static str,
    stdin: &'static str,
    codes: [i32; 3],
}

/// `N` is another number for everybody.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    let row = |asks, command, codes| Row { asks, command, stdin: "", codes };
    let everybody = [0; 3];
    let own = [1, 0, 0];
    let admins = [77, 77, 0];
    vec![
        row("assistants", "assistants", everybody),
        row("assistant", "assistants show le-gourmet", own),
        row("create", "assistants create --client CN --phone +3314000000N --context x", everybody),
        row("update", "assistants edit le-gourmet --greeting AlloN", own),
        row("switch", "assistants toggle le-gourmet", own),
        row("hand_over", "assistants give le-gourmet --to owner@agence.fr", [1, 77, 0]),
        row("calls", "calls", everybody),
        row("each_call", "calls --limit 0", everybody),
        row("call", "calls show SID", own),
        row("search_transcripts", "transcripts search table", everybody),
        row("save_recording", "calls recording SID --save -", [1; 3]),
        row("bookings", "bookings", everybody),
        row("booking", "bookings show 100001", own),
        row("book", "bookings create le-gourmet --at DAYT20:00 --party 2 --name D", own),
        row("cancel_booking", "bookings cancel 100001 --yes", own),
        row("open_calendar", "bookings feed le-gourmet", own),
        row("close_calendar", "bookings feed le-gourmet --close", own),
        row("stats", "stats", everybody),
        row("latencies", "stats --latency", everybody),
        row("costs", "costs", everybody),
        row("export", "export turns --format jsonl", everybody),
        row("report", "report --month 2026-11", everybody),
        row("preview_bills", "billing preview", admins),
        row("margins", "margin", admins),
        // Nobody bills here: whoever may is told so.
        row("close_month", "billing close --month 2199-12", [77, 77, 3]),
        row("invoices", "invoices", everybody),
        row("invoice", "invoices show F2026-0001", own),
        row("credit_invoice", "invoices credit F2026-0001 --yes", [1, 77, 3]),
        row("contacts", "contacts", everybody),
        row("contact", "contacts show 1", own),
        row("edit_contact", "contacts edit 1 --notes VIP", own),
        row("delete_contact", "contacts delete 1 --yes", [1, 0, 1]),
        row("ask_call", "call le-gourmet +33612345678 --no-wait", [1, 3, 3]),
        row("outbound_calls", "outbound", everybody),
        row("outbound_call", "outbound show 1", own),
        row("take_back_call", "outbound cancel 1", [1, 0, 1]),
        row("start_campaign", "campaign run N.csv --assistant le-gourmet --detach", [1, 3, 3]),
        row("preview_campaign", "campaign run N.csv --assistant le-gourmet --dry-run", [1, 3, 3]),
        row("campaigns", "campaign", everybody),
        row("campaign", "campaign show 1", own),
        row("campaign_rows", "campaign show 1 --rows", own),
        row("stop_campaign", "campaign cancel 1 --yes", [1, 0, 1]),
        row("do_not_call", "do-not-call", everybody),
        row("add_do_not_call", "do-not-call add +33612345678", everybody),
        row("remove_do_not_call", "do-not-call remove +33612345678 --yes", everybody),
        row("deliveries", "deliveries", everybody),
        row("delivery", "deliveries show 1", own),
        row("retry_delivery", "deliveries retry 1", own),
        row("providers", "providers", admins),
        row("alerts", "alerts", everybody),
        row("alert_rules", "alerts rules", everybody),
        row("ack_alert", "alerts ack 1", own),
        row("silence_alerts", "alerts silence latency --for 1h --assistant le-gourmet", own),
        row("end_silence", "alerts silence latency --end --assistant le-gourmet", [1, 0, 1]),
        row("test_alerts", "alerts test", admins),
        row("documents", "knowledge list le-gourmet", own),
        row("search_knowledge", "knowledge search le-gourmet menu", own),
        row("plan", "plan N.toml", everybody),
        row("apply", "apply --yes N.toml", everybody),
        // Only who may administer has a number connected, and no account is known here: stored, it is not
        // connected in any case. `numbers` has accounts.
        row("look_at_numbers", "plan keptN.toml", everybody),
        row("connect_numbers", "apply --yes keptN.toml", [4; 3]),
        row("standings", "export le-gourmet", own),
        row("applies", "history", everybody),
        row("history", "history le-gourmet", own),
        row("plan_rollback", "rollback le-gourmet --dry-run", own),
        row("rollback", "rollback le-gourmet --yes", own),
        row("users", "users", admins),
        row("user", "users show owner@agence.fr", [77, 0, 0]),
        row("add_user", "users add nN@agence.fr --role member", admins),
        row("set_role", "users set-role owner@agence.fr --role member", admins),
        row("set_disabled", "users enable owner@agence.fr", admins),
        row("tokens", "tokens --user owner@agence.fr", [77, 0, 0]),
        row("create_token", "tokens create --user owner@agence.fr --name N --scope read", [77, 0, 0]),
        row("revoke_token", "tokens revoke 2", own),
        row("secrets", "secrets --user owner@agence.fr", [77, 0, 0]),
        Row { asks: "set_secret", command: "secrets set k --user owner@agence.fr", stdin: "v", codes: [77, 0, 0] },
        row("delete_secret", "secrets delete k --user owner@agence.fr --yes", [77, 0, 1]),
        row("audit", "audit", admins),
        row("check_audit", "audit --verify", admins),
        row("dossier", "privacy export --caller +33612345678", everybody),
        row("removals", "privacy removals", everybody),
        row("erase", "privacy erase --caller +33612345678 --yes", everybody),
        row("delete", "assistants delete le-gourmet --yes", [1, 0, 1]),
        row("delete_user", "users delete owner@agence.fr --yes", [77, 77, 3]),
    ]
}

/// What a command that never ends asks for: `cli_calls` and `remote` follow calls.
const FOLLOWED: [&str; 3] = ["calls_after", "newest_call", "wait_for_calls"];

/// The methods of `Desk` and of the traits it is made of.
fn asked() -> BTreeSet<String> {
    let method = regex::Regex::new(r"(?m)^    fn (\w+)").unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/desk");
    let mut asked = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let Some(begin) = source.find("Desk {\n").filter(|_| source.contains(" trait ")) else {
            continue;
        };
        let body = &source[begin..];
        let body = &body[..body.find("\n}").unwrap()];
        asked.extend(method.captures_iter(body).map(|parts| parts[1].to_owned()));
    }
    asked
}

#[test]
fn everything_that_commands_ask_for_has_a_row_and_ends_as_it_says() {
    let asked = asked();
    let table = table();
    let listed = table.iter().map(|row| row.asks.to_owned());
    let listed: BTreeSet<String> = listed.chain(FOLLOWED.map(str::to_owned)).collect();
    assert_eq!(asked, listed, "every method of `Desk` has a row, and every row a method");

    let world = World::new();
    let mut n = 0;
    let mut wrong = Vec::new();
    for row in table {
        for (who, expected) in [Some(OTHER), Some(OWNER), None].into_iter().zip(row.codes) {
            n += 1;
            let text = format!(
                "name = \"file{n}\"\nclient = \"F {n}\"\nphone = \"+33141{n:06}\"\ncontext = \"x\"\n"
            );
            world.webox.file(&format!("{n}.toml"), &text);
            let phone = format!("{{ number = \"+33143{n:06}\", manage = true }}");
            let kept = format!(
                "name = \"kept{n}\"\nclient = \"K {n}\"\nphone = {phone}\ncontext = \"x\"\n"
            );
            world.webox.file(&format!("kept{n}.toml"), &kept);
            world.webox.file(&format!("{n}.csv"), "phone\n+33612345678\n");
            let command = row.command.replace("+3314000000N", &format!("+33140{n:06}"));
            let command = command.replace('N', &n.to_string()).replace("SID", &seed::sid(1));
            let command = command.replace("DAY", &seed::open_day().to_string());
            let as_user = who.map(|who| ["--as", who]).into_iter().flatten();
            let args = command.split(' ').chain(as_user).chain(["--no-input"]);
            let ran = world.webox.run_with_stdin(row.stdin, args);
            if ran.code != expected {
                let stderr = ran.stderr.trim();
                wrong.push(format!("{command} by {who:?}: {}, not {expected}: {stderr}", ran.code));
            }
            let told = ran.stdout + &ran.stderr;
            if who == Some(OTHER) && (told.contains("Gourmet") || told.contains("Une table")) {
                wrong.push(format!("{command} tells {who:?} of the owner's: {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
