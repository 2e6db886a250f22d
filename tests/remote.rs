//! The same commands at the file and over the network: the same output, the same exit codes.

use crate::support::{
    api::{ADMIN, Who, World},
    cmd::{LE_GOURMET, Ran, Webox},
    daemon::Daemon,
    seed,
};

/// A home whose commands are carried out at its own file, and one whose are by a daemon.
struct Twins {
    here: Webox,
    far: Webox,
    /// The daemon's own home.
    there: Webox,
    daemon: Daemon,
    /// Flags with which the one at the file is who the other's key says.
    flags: &'static [&'static str],
}

const MEMBER: &str = "member@agence.fr";

impl Twins {
    fn new() -> Self {
        let (here, there) = (Webox::new(), Webox::new());
        for webox in [&here, &there] {
            webox.run(["init"]).ok();
            webox.run(["users", "add", ADMIN, "--role", "admin"]).ok();
            let key = ["tokens", "create", "--user", ADMIN, "--name", "t", "--scope", "admin"];
            webox.run(key).ok();
        }
        let key = ["tokens", "create", "--user", ADMIN, "--name", "far", "--scope", "admin"];
        let key = there.run(key).ok().stdout.trim().to_owned();
        // The twin has as many tokens.
        here.run(["tokens", "create", "--user", ADMIN, "--name", "far", "--scope", "admin"]).ok();
        let daemon = Daemon::start(&there);
        let far = Webox::new()
            .env("WEBOX_SERVER", format!("http://{}", daemon.address))
            .env("WEBOX_TOKEN", key);
        Self { here, far, there, daemon, flags: &[] }
    }

    /// Both as a member.
    fn of_a_member() -> Self {
        let twins = Self::new();
        let key = ["tokens", "create", "--user", MEMBER, "--name", "m", "--scope", "write"];
        let make = |webox: &Webox| {
            webox.run(["users", "add", MEMBER, "--role", "member"]).ok();
            webox.run(key).ok().stdout.trim().to_owned()
        };
        make(&twins.here);
        let key = make(&twins.there);
        let far = Webox::new()
            .env("WEBOX_SERVER", format!("http://{}", twins.daemon.address))
            .env("WEBOX_TOKEN", key);
        Self { far, flags: &["--as", MEMBER], ..twins }
    }

    fn file(&self, name: &str, text: &str) -> &'static str {
        self.here.file(name, text);
        self.far.file(name, text);
        // Commands run in their home: the same relative name for both.
        Box::leak(name.to_owned().into_boxed_str())
    }

    /// Runs a command both ways; the two must not differ.
    #[track_caller]
    fn both(&self, args: &[&str]) -> Ran {
        self.both_with_stdin("", args)
    }

    #[track_caller]
    fn both_with_stdin(&self, stdin: &str, args: &[&str]) -> Ran {
        let here = args.iter().copied().chain(self.flags.iter().copied());
        let here = self.here.run_with_stdin(stdin, here);
        let far = self.far.run_with_stdin(stdin, args.iter().copied());
        let plain =
            |text: &str, webox: &Webox| plain(&text.replace(webox.home().to_str().unwrap(), "~"));
        assert_eq!(here.code, far.code, "{args:?}\nhere: {}\nfar: {}", here.stderr, far.stderr);
        assert_eq!(plain(&here.stdout, &self.here), plain(&far.stdout, &self.far), "{args:?}");
        assert_eq!(plain(&here.stderr, &self.here), plain(&far.stderr, &self.far), "{args:?}");
        far
    }
}

/// Without what differs from run to run: times, keys, hashes, who and from where.
fn plain(text: &str) -> String {
    let masks = [
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? (UTC|CET|CEST)", "TIME"),
        (r"\d+(\.\d+)? ?ms", "MS"),
        (r"\b(now|\d+ ?s ago|\d+s)\b", "AGE"),
        (r"webox_[0-9A-Za-z]+", "KEY"),
        (r"[0-9a-f]{64}", "HASH"),
        (r"\b[0-9a-f]{8}\b", "ID"),
        (r"by [^(`]+ \(`[^`]+`\)", "by AUTHOR"),
        (r#""(who|host|command|git|store_id)": ("[^"]*"|null)"#, "AUTHOR"),
    ];
    let mut text = text.to_owned();
    for (pattern, mask) in masks {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, mask).into_owned();
    }
    text
}

/// Tables that name the author, who is the login name here and the address there.
const AUTHOR: &str = "who,by,host,from";

#[test]
fn commands_do_the_same_at_the_file_and_over_the_network() {
    let twins = Twins::new();
    twins.both(&["assistants"]);
    twins.both(&["assistants", "-o", "json"]);
    twins.both(&["stats"]);
    let le_gourmet = std::fs::read_to_string(LE_GOURMET).unwrap();
    let folder = twins.file("clients/le-gourmet.toml", &le_gourmet);
    assert!(folder.starts_with("clients"));
    twins.both(&["validate", "clients"]);
    twins.both(&["plan", "clients"]);
    twins.both(&["plan", "clients", "--detailed-exitcode", "-o", "markdown"]);
    twins.both(&["apply", "clients"]);
    twins.both(&["apply", "clients", "--dry-run"]);
    twins.both(&["apply", "--yes", "clients"]).ok();
    twins.both(&["apply", "--yes", "clients", "-o", "json"]).ok();
    twins.both(&["assistants", "-o", "json"]).ok();
    twins.both(&["assistants", "show", "le-gourmet"]).ok();
    twins.both(&["assistants", "show", "1", "-o", "json"]).ok();
    for wrong in ["le-gourmt", "7", "", ".", "..", "../x", "a b?c#d"] {
        twins.both(&["assistants", "show", wrong]).code(1);
    }
    let create = [
        "assistants",
        "create",
        "--client",
        "Garage Dupont",
        "--phone",
        "01 98 76 54 32",
        "--context",
        "Bonjour",
    ];
    twins.both(&create).ok();
    twins.both(&create).code(1);
    twins.both(&["assistants", "create", "x"]).code(64);
    twins
        .both(&["assistants", "edit", "garage-dupont", "--greeting", "Allô", "--email", "a@b.fr"])
        .ok();
    twins.both(&["assistants", "edit", "garage-dupont", "--email", "nonsense"]);
    twins.both(&["assistants", "disable", "garage-dupont", "-o", "json"]).ok();
    twins.both(&["assistants", "disable", "garage-dupont"]).ok();
    twins.both(&["assistants", "toggle", "garage-dupont", "le-gourmet"]).ok();
    twins.both(&["assistants", "toggle", "garage-dupont", "nobody"]).code(1);
    twins.both(&["assistants", "enable", "le-gourmet", "garage-dupont"]).ok();
    twins.both(&["history", "garage-dupont", "--columns", "version,fields"]).ok();
    twins.both(&["history", "--columns", "id,created,changed,deleted"]).ok();
    twins.both(&["history", "nobody"]).code(1);
    twins.both(&["rollback", "garage-dupont", "--dry-run"]).ok();
    twins.both(&["rollback", "garage-dupont", "--to", "1", "--yes"]).ok();
    twins.both(&["rollback", "garage-dupont", "--to", "99", "--yes"]).code(65);
    twins.both(&["export", "le-gourmet"]).ok();
    twins.both(&["export", "--dir", "out", "-o", "json"]).ok();
    twins.both(&["export", "--dir", "out", "--check"]).ok();
    // Drift is drift, whoever looks.
    twins.both(&["assistants", "edit", "le-gourmet", "--greeting", "Salut"]).ok();
    let plan = twins.here.run(["plan", "clients"]).stdout;
    assert!(plan.contains("by hand"), "{plan}");
    twins.both(&["apply", "--yes", "clients"]).code(3);
    twins.both(&["plan", "clients", "--out", "plan.json", "-o", "markdown"]);
    twins.both(&["apply", "--plan", "plan.json"]).ok();
    twins.both(&["apply", "--plan", "plan.json"]).code(3);
    twins.both(&["apply", "--prune", "--yes", "clients"]);
    twins.both(&["users"]).ok();
    twins.both(&["users", "add", "c@agence.fr", "--role", "member", "-o", "json"]).ok();
    twins.both(&["users", "add", "c@agence.fr", "--role", "member"]).code(1);
    twins.both(&["users", "add", "nonsense", "--role", "member"]).code(64);
    twins.both(&["users", "set-role", "c@agence.fr", "--role", "admin"]).ok();
    twins.both(&["users", "disable", "c@agence.fr"]).ok();
    twins.both(&["users", "show", "c@agence.fr", "-o", "json"]).ok();
    twins.both(&["users", "show", "d@agence.fr"]).code(1);
    twins.both(&["assistants", "give", "garage-dupont", "--to", "c@agence.fr"]).ok();
    twins.both(&["users", "delete", "c@agence.fr"]).code(64);
    twins.both(&["users", "delete", "c@agence.fr", "--yes"]).code(3);
    twins.both(&["users", "delete", "c@agence.fr", "--yes", "--give-to", ADMIN]).ok();
    let columns = "id,email,name,scope,state,expires";
    twins.both(&["tokens", "--columns", columns]);
    twins.both(&["tokens", "list", "--columns", columns]).ok();
    twins
        .both(&[
            "tokens",
            "create",
            "--user",
            ADMIN,
            "--name",
            "new",
            "--scope",
            "read",
            "--expires",
            "30d",
        ])
        .ok();
    twins.both(&["tokens", "create", "--user", ADMIN, "--name", "new", "--scope", "read"]).code(1);
    twins.both(&["tokens", "revoke", "3"]).ok();
    twins.both(&["tokens", "revoke", "99"]).code(1);
    twins.both_with_stdin("v\n", &["secrets", "set", "k"]).ok();
    twins.both_with_stdin("", &["secrets", "set", "k"]).code(65);
    twins.both_with_stdin("v", &["secrets", "set", "a b"]).code(65);
    for nothing in [".", ".."] {
        twins.both_with_stdin("v", &["secrets", "set", nothing]).code(65);
        twins.both(&["secrets", "delete", nothing, "--yes"]).code(1);
        twins.both(&["calls", "show", nothing]).code(65);
        twins.both(&["history", nothing]);
    }
    twins.both(&["secrets", "--columns", "name,user"]);
    twins.both(&["secrets", "list", "-o", "ids"]).ok();
    twins.both(&["secrets", "delete", "k", "--yes"]).ok();
    twins.both(&["secrets", "delete", "k", "--yes"]).code(1);
    twins
        .both(&["audit", "--limit", "0", "--columns", "action,target,changed,id"])
        .ok()
        .prints("secret.set");
    let audit = |webox: &Webox| {
        let all = webox.run(["audit", "-o", "json", "--limit", "0"]).ok().json();
        let entries = all["entries"].as_array().unwrap().iter();
        let plain = entries
            .map(|e| format!("{} {} {} {}", e["action"], e["target"], e["before"], e["after"]));
        plain.map(|line| self::plain(&line)).collect::<Vec<_>>()
    };
    assert_eq!(audit(&twins.here), audit(&twins.far), "{AUTHOR}");
    twins.both(&["audit", "--verify", "-o", "json"]).ok();
    twins.both(&["assistants", "delete", "garage-dupont"]).code(64);
    twins.both(&["assistants", "delete", "garage-dupont", "--yes"]).ok();
    twins.both(&["history", "garage-dupont", "--columns", "version,fields"]).ok();
}

#[test]
fn a_member_is_answered_the_same_at_the_file_and_over_the_network() {
    let twins = Twins::of_a_member();
    for webox in [&twins.here, &twins.there] {
        // What is nobody's in particular is not the member's.
        webox.run(["apply", "--yes", LE_GOURMET]).ok();
    }
    let text = "name = \"mine\"\nclient = \"Mine\"\nphone = \"+33140000001\"\ncontext = \"x\"\n";
    twins.file("clients/mine.toml", text);
    for args in [
        &["assistants"][..],
        &["assistants", "-o", "json"],
        &["assistants", "show", "le-gourmet"],
        &["assistants", "show", "1"],
        &["plan", "clients"],
        &["apply", "--yes", "clients"],
        &["assistants", "-o", "json"],
        &[
            "assistants",
            "create",
            "--client",
            "Le Gourmet",
            "--phone",
            "+33140000002",
            "--context",
            "x",
        ],
        &["assistants", "create", "--client", "Two", "--phone", "+33140000002", "--context", "x"],
        &["assistants", "edit", "mine", "--greeting", "Allô"],
        &["assistants", "edit", "le-gourmet", "--greeting", "Allô"],
        &["assistants", "disable", "mine", "le-gourmet"],
        &["assistants", "give", "mine", "--to", ADMIN],
        &["history", "--columns", "id,created,changed,deleted"],
        &["history", "mine", "--columns", "version,fields"],
        &["history", "le-gourmet"],
        &["rollback", "mine", "--yes"],
        &["export", "mine"],
        &["stats"],
        &["stats", "--by", "assistant", "-o", "json"],
        &["calls"],
        &["calls", "--assistant", "le-gourmet"],
        &["users"],
        &["users", "show", MEMBER],
        &["users", "show", ADMIN],
        &["users", "add", "x@agence.fr", "--role", "admin"],
        &["tokens", "--columns", "id,email,name,scope,state"],
        &["tokens", "--user", ADMIN],
        &["tokens", "revoke", "1"],
        &["tokens", "create", "--user", MEMBER, "--name", "n", "--scope", "read"],
        &["tokens", "create", "--user", MEMBER, "--name", "a", "--scope", "admin"],
        &["tokens", "create", "--user", ADMIN, "--name", "a", "--scope", "read"],
        &["secrets", "--user", ADMIN],
        &["audit"],
        &["audit", "--verify"],
        &["privacy", "removals"],
        &["deliveries"],
        &["deliveries", "list", "--state", "dead"],
        &["deliveries", "list", "--state", "lost"],
        &["deliveries", "show", "7"],
        &["deliveries", "retry", "7"],
        &["assistants", "delete", "le-gourmet", "--yes"],
        &["assistants", "delete", "two", "--yes"],
    ] {
        twins.both(args);
    }
    twins.both_with_stdin("v", &["secrets", "set", "k"]).ok();
    twins.both(&["secrets", "--columns", "name,user"]).ok();
    twins.both(&["secrets", "delete", "k", "--yes"]).ok();
    twins.both(&["secrets", "delete", "k", "--yes"]).code(1);
}

#[test]
fn calls_read_the_same_at_the_file_and_over_the_network() {
    let twins = Twins::new();
    for webox in [&twins.here, &twins.there] {
        webox.run(["apply", "--yes", LE_GOURMET]).ok();
        let at: jiff::Timestamp = "2026-09-20T10:00:00Z".parse().unwrap();
        let store = seed::store(webox);
        for n in 1..=40 {
            let status = if n % 7 == 0 {
                webox::domain::CallStatus::Failed
            } else {
                webox::domain::CallStatus::Completed
            };
            let call = seed::call_at(
                &store,
                n,
                at + jiff::SignedDuration::from_hours(i64::from(n) * 5),
                status,
            );
            if n == 3 {
                seed::turn(&store, call, 1, at, "Une table ?", "Avec plaisir.");
            }
        }
    }
    let sid = seed::sid(3);
    for args in [
        &["calls"][..],
        &["calls", "-o", "json"],
        &["calls", "-o", "jsonl", "--limit", "7"],
        &["calls", "-o", "csv", "--limit", "5", "--offset", "10"],
        &["calls", "-o", "json", "--limit", "5", "--offset", "38"],
        &["calls", "-o", "ids", "--since", "2026-09-22", "--until", "2026-09-25"],
        &["calls", "--status", "failed", "-o", "json"],
        &["calls", "--status", "gone"],
        &["calls", "--from", "06 12 34 56 78", "--limit", "2"],
        &["calls", "--assistant", "le-gourmet", "-o", "ids"],
        &["calls", "--assistant", "le-gourmt"],
        &["calls", "show", &sid, "-o", "json"],
        &["calls", "show", &sid, "-o", "jsonl"],
        &["calls", "show", &sid[..10], "-o", "text"],
        &["calls", "show", "CA"],
        &["calls", "show", "CA0000"],
        &["calls", "show", "CAffffffffffffffffffffffffffffffff"],
        &["stats"],
        &["stats", "--since", "2026-09-21", "--until", "2026-09-24", "-o", "json"],
        &["stats", "--by", "day", "-o", "json"],
        &["stats", "--by", "assistant"],
        &["stats", "--by", "status", "-o", "csv"],
        &["stats", "--by", "outcome", "-o", "csv"],
        &["stats", "--by", "hour", "-o", "csv"],
        &[
            "stats",
            "--since",
            "2026-09-21",
            "--until",
            "2026-09-24",
            "--compare",
            "previous",
            "-o",
            "json",
        ],
        &["report", "--month", "2026-09"],
        &["report", "--month", "2026-09", "--client", "Nobody"],
        &["calls", "list", "--outcome", "informed", "-o", "json"],
        &["replay", &sid],
        &["privacy", "export", "--caller", "+33612345678"],
        &["privacy", "erase", "--caller", "+33612345678", "--dry-run"],
        &["privacy", "erase", "--caller", "+33612345678"],
        &["privacy", "export", "--caller", "12"],
    ] {
        twins.both(args);
    }
    let erased = twins.both(&["privacy", "erase", "--caller", "+33612345678", "--yes"]);
    erased.ok().says("39 calls");
    twins.both(&["calls", "--from", "+33612345678"]).ok();
    twins.both(&["stats", "-o", "json"]).ok();
}

#[test]
fn a_key_is_kept_by_login_in_a_file_of_ones_own() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let url = format!("http://{}", world.daemon.address);
    let far = Webox::new().env("WEBOX_SERVER", url.clone());
    far.run(["assistants"]).code(77).says("there is no key").says("webox login");
    far.run_with_stdin("webox_wrong\n", ["login", &url]).code(77).says("not accepted");
    far.run_with_stdin(&format!("{}\n", world.key(Who::Owner)), ["login", &url])
        .ok()
        .says("owner@agence.fr");
    let file = far.home().join("config/webox/credentials.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(far.run(["assistants", "-o", "ids"]).ok().stdout, "le-gourmet\n");
    // Another key for once.
    let other =
        Webox::new().env("WEBOX_SERVER", url.clone()).env("WEBOX_TOKEN", world.key(Who::Other));
    assert_eq!(other.run(["assistants", "-o", "ids"]).ok().stdout, "");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    far.run(["assistants"]).code(78).says("can be read by others");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    far.run(["logout", &url]).ok();
    far.run(["assistants"]).code(77);
    far.run(["logout", &url]).code(1);
    // What is not sent over an open line, and what belongs to this machine.
    let open = Webox::new().env("WEBOX_TOKEN", world.key(Who::Owner));
    open.run(["assistants", "--server", "http://webox.example.test"])
        .code(64)
        .says("not encrypted");
    open.run(["assistants", "--server", "http://127.0.0.1:1"]).code(69).says("cannot be reached");
    for local in [&["init"][..], &["import", "--prototype", "x.db"], &["secrets", "rotate-key"]] {
        open.run(local.iter().copied().chain(["--server", &url])).code(64).says("own machine");
    }
    open.run(["assistants", "--server", &url, "--as", "x@y.fr"]).code(64);
    // A database that is named is meant.
    let db = open.home().join("x.db");
    let both = open.run(["assistants", "--db", db.to_str().unwrap(), "--server", &url]);
    both.code(64).says("two places");
    // A rehearsal at the keyboard leaves nothing there.
    let tried =
        open.run_with_stdin("Avez-vous un parking ?\n", ["try", "le-gourmet", "--server", &url]);
    tried.ok().prints("rue Choron");
    assert_eq!(open.run(["calls", "--server", &url, "-o", "ids"]).ok().stdout.lines().count(), 1);
}

#[test]
fn calls_are_followed_over_the_network_as_they_come() {
    use std::io::BufRead;
    let twins = Twins::new();
    twins.there.run(["apply", "--yes", LE_GOURMET]).ok();
    let mut child = twins.far.command(["calls", "--follow", "-o", "jsonl"]).spawn().unwrap();
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().contains("Waiting for calls"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(twins.daemon.ring(&crate::support::daemon::sid(1)));
    let line = std::io::BufReader::new(child.stdout.take().unwrap()).lines().next();
    let call: serde_json::Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
    assert_eq!(call["call_sid"], crate::support::daemon::sid(1).as_str());
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
