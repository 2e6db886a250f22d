//! `webox init`: from nothing to a number that rings, by questions and by flags.

use std::{os::unix::fs::PermissionsExt, path::Path};

use webox::domain::CallSid;

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, TOKEN, spoken},
    fake_twilio::FakeTwilio,
    pty::OnTerminal,
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

fn text(webox: &Webox, name: &str) -> String {
    std::fs::read_to_string(webox.home().join("config/webox").join(name)).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A number rings at what was set up, and whoever was set up answers.
fn rings(webox: &Webox, number: &str, client: &str) {
    let daemon = Daemon::start(webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sid: CallSid = crate::support::daemon::sid(1);
    let answer = runtime.block_on(daemon.post_from("+33612345678", number, "incoming", &sid, &[]));
    assert!(spoken(&answer).contains(client), "{}", answer.body);
}

#[test]
fn the_walk_ends_with_a_number_that_rings() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = Webox::new().env("TWILIO_BASE_URL", twilio.url());
    let mut terminal = OnTerminal::start(&webox, ["init"]);
    let (as_root, by_systemd) = (mode_of_this_process(), Path::new("/run/systemd/system").is_dir());
    if as_root && by_systemd {
        terminal.see("as a service").type_line("n");
    }
    terminal.see("Database").type_line("");
    terminal.see("Public URL").type_line("calls.example.com");
    // What is wrong is said, and asked again.
    terminal.see("lacks its").type_line(&("\u{8}".repeat(20) + "https://calls.example.com"));
    terminal.see("Twilio account SID").type_line(ACCOUNT);
    terminal.see("Auth token").type_hidden("wrong-token");
    terminal.see("401").see("Copy both from Twilio's console");
    terminal.see("Twilio account SID").type_line("");
    terminal.see("Auth token").type_hidden(TOKEN);
    terminal.see("takes the token of AC00000000000000000000000000000001");
    terminal.see("first admin").type_line("claire@agence.fr");
    terminal.see("provider's key").press("\r");
    terminal.see("by trade").press("\r");
    terminal.see("Client").type_line("Chez Léon");
    terminal.see("Number callers dial").type_line("01 44 55 66 77");
    terminal.see("Language").type_line("");
    terminal.see("Made the master key").see("`chez-leon` answers +33144556677");
    terminal.see("webox numbers connect chez-leon").see("webox doctor").see("webox_");
    let (code, shown) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains(TOKEN) && !shown.contains("wrong-token"), "{shown}");

    let settings = text(&webox, "webox.toml");
    assert!(settings.contains("public_url = \"https://calls.example.com\""), "{settings}");
    assert!(settings.contains("auth_token = { file = \"twilio-auth-token\" }"), "{settings}");
    assert!(settings.contains(ACCOUNT) && !settings.contains(TOKEN), "{settings}");
    let token = webox.home().join("config/webox/twilio-auth-token");
    assert_eq!((text(&webox, "twilio-auth-token"), mode(&token)), (format!("{TOKEN}\n"), 0o600));
    let users = webox.run(["users", "--columns", "email,role,tokens"]).ok().stdout;
    assert_eq!(users, "claire@agence.fr\tadmin\t1\n");
    rings(&webox, "+33144556677", "Chez Léon");
}

#[test]
fn enter_leaves_out_whatever_may_be_left_out() {
    let webox = Webox::new();
    let mut terminal = OnTerminal::start(&webox, ["init"]);
    if mode_of_this_process() && Path::new("/run/systemd/system").is_dir() {
        terminal.see("as a service").type_line("n");
    }
    for question in ["Database", "Public URL", "Twilio account SID", "first admin"] {
        terminal.see(question).type_line("");
    }
    terminal.see("provider's key").press("\r");
    terminal.see("by trade").press("\r");
    terminal.see("no assistant for now").type_line("");
    terminal.see("Made the master key");
    let (code, shown) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "");
}

/// Whether the tests run as root, whom init asks one question more.
fn mode_of_this_process() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn what_root_makes_in_the_daemons_folder_is_the_daemons() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let webox = Webox::new();
    let folder = webox.home().join("daemons");
    std::fs::create_dir(&folder).unwrap();
    if !mode_of_this_process() || chown(&folder, Some(65_534), Some(65_534)).is_err() {
        eprintln!("passed over: only root gives files away");
        return;
    }
    let db = folder.join("webox.db");
    webox.run(["--db", db.to_str().unwrap(), "init"]).ok();
    for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        assert_eq!(entry.metadata().unwrap().uid(), 65_534, "{:?}", entry.path());
    }
    assert!(db.exists());
}

#[test]
fn flags_answer_everything_and_a_second_time_changes_nothing() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = Webox::new().env("TWILIO_BASE_URL", twilio.url());
    let units = webox.home().join("units");
    let token = webox.file("token.txt", &format!("{TOKEN}\n"));
    let args = [
        "init",
        "--public-url",
        "https://calls.example.com/webox/",
        "--twilio-account",
        ACCOUNT,
        "--twilio-token-file",
        &token,
        "--admin",
        "claire@agence.fr",
        "--trade",
        "garage",
        "--client",
        "Garage Martin",
        "--phone",
        "+33198765432",
        "--key-file",
        "openai=-",
        "--systemd",
        units.to_str().unwrap(),
        "-o",
        "json",
    ];
    let done = webox.run_with_stdin("sk-canary\n", args).ok();
    assert!(!done.stderr.contains("sk-canary") && !done.stderr.contains(TOKEN), "{}", done.stderr);
    let done = done.says("webox numbers connect garage-martin").json();
    let done = &done["init"];
    assert!(done["admin_token"].as_str().unwrap().starts_with("webox_"), "{done}");
    assert_eq!(done["assistant"], "garage-martin");
    let settings = text(&webox, "webox.toml");
    assert!(settings.contains("https://calls.example.com/webox\""), "{settings}");
    assert_eq!(text(&webox, "openai-api-key"), "sk-canary\n");
    let file = text(&webox, "assistants/garage-martin.toml");
    assert!(file.contains("model = \"openai/gpt-6-luna\""), "there is a key for it: {file}");
    webox.run(["validate", done["file"].as_str().unwrap()]).ok();
    // The daemon gets its secrets from systemd, which reads them as root.
    assert!(std::fs::read_to_string(units.join("webox.service")).unwrap().contains("ExecStart="));
    assert!(std::fs::read_to_string(units.join("webox.socket")).unwrap().contains("[Socket]"));
    let socket = std::fs::read_to_string(units.join("webox.socket.d/10-init.conf")).unwrap();
    assert!(socket.contains("ListenStream=\nListenStream=127.0.0.1:8080\n"), "{socket}");
    let unit = std::fs::read_to_string(units.join("webox.service.d/10-init.conf")).unwrap();
    for part in ["webox\" serve", "LoadCredential=webox-master-key:", "WEBOX_DB=", "WEBOX_CONFIG="]
    {
        assert!(unit.contains(part), "{part} in {unit}");
    }
    for secret in ["twilio-auth-token", "openai-api-key"] {
        let at = webox.home().join("config/webox").join(secret);
        let line = format!("LoadCredential={secret}:{}\n", at.display());
        assert!(unit.contains(&line), "{line} in {unit}");
    }
    // Comments of one's own outlive a second time, which makes nothing anew.
    let path = webox.home().join("config/webox/webox.toml");
    std::fs::write(&path, format!("# mine\n{settings}")).unwrap();
    let key = text(&webox, "master.key");
    let again = webox.run_with_stdin("sk-canary\n", args).ok();
    let again = again.says("say so already").says("is there already").json();
    assert!(again["init"]["admin_token"].is_null(), "{again}");
    assert_eq!(text(&webox, "webox.toml"), format!("# mine\n{settings}"));
    assert_eq!(text(&webox, "master.key"), key);
    assert_eq!(webox.run(["tokens", "-o", "ids"]).ok().stdout.lines().count(), 1);
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "garage-martin\n");
    // A file that is there is its owner's: what is said otherwise is told to be of no use.
    let again = [
        "init",
        "--trade",
        "garage",
        "--client",
        "Garage Martin",
        "--phone",
        "06 12 34 56 78",
        "--language",
        "en-GB",
    ];
    let again = webox.run(again).ok().says("stays as it is").says("French mobile numbers");
    assert!(again.stderr.contains("`garage-martin` answers +33198765432"), "{}", again.stderr);
    // One answer changes alone.
    let other = ["init", "--public-url", "https://other.example.com"];
    let quiet = webox.run(other).ok();
    assert!(!quiet.stderr.contains("which goes before"), "{}", quiet.stderr);
    let settings = text(&webox, "webox.toml");
    assert!(settings.contains("other.example.com") && settings.contains("# mine"), "{settings}");
    rings(&webox, "+33198765432", "Garage Martin");
    // What a variable says counts more than what was written.
    let webox = webox.env("WEBOX_PUBLIC_URL", "https://a-third.example.com");
    webox.run(other).ok().says("`public_url` comes from the environment WEBOX_PUBLIC_URL here");
}

#[test]
fn a_wrong_token_is_told_before_anything_is_written() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = Webox::new().env("TWILIO_BASE_URL", twilio.url());
    let args = ["init", "--twilio-account", ACCOUNT, "--twilio-token-file", "-"];
    let refused = webox.run_with_stdin("wrong-token\n", args).code(77).silent();
    assert!(
        refused.stderr.contains("401") && !refused.stderr.contains("wrong-token"),
        "{}",
        refused.stderr
    );
    assert!(!webox.home().join("config").exists() && !webox.db().exists());
    // Nobody to ask is not the same as a refusal.
    drop(twilio);
    webox.run_with_stdin(TOKEN, args).code(69).says("--offline");
    webox.run_with_stdin(TOKEN, args.into_iter().chain(["--offline"])).ok();
    assert!(text(&webox, "webox.toml").contains(ACCOUNT));
    // From the environment as well, where nothing else is possible.
    let webox = Webox::new().env("TWILIO_AUTH_TOKEN", TOKEN);
    webox.run(["init", "--twilio-account", ACCOUNT, "--offline"]).ok();
    assert_eq!(text(&webox, "twilio-auth-token"), format!("{TOKEN}\n"));
}

#[test]
fn what_nobody_can_be_asked_for_is_named() {
    let webox = Webox::new();
    webox.run(["init", "--twilio-account", ACCOUNT]).code(64).says("--twilio-token-file");
    webox
        .run_with_stdin(TOKEN, ["init", "--twilio-token-file", "-"])
        .code(64)
        .says("--twilio-account");
    webox.run(["init", "--trade", "garage"]).code(64).says("--client and --phone");
    webox.run(["init", "--trade", "bakery"]).code(64).says("bakery");
    webox.run(["init", "--key-file", "openia=x"]).code(64);
    webox.run(["init", "--public-url", "calls.example.com"]).code(64).says("lacks its");
    assert!(!webox.home().join("config").exists() && !webox.db().exists());
    // Without flags it makes the key and the database, as scripts know it.
    webox.run(["init"]).ok().silent().says("Made the master key");
    assert!(!webox.home().join("config/webox/webox.toml").exists());
    // A settings file that is named need not be there yet.
    let file = webox.home().join("etc/webox.toml");
    webox.run(["--config", "etc/webox.toml", "init", "--public-url", "https://a.example"]).ok();
    assert!(file.exists() && webox.home().join("etc/master.key").exists());
    // What is to be done next is done with the same settings.
    let again = ["--config", "etc/webox.toml", "init", "--public-url", "https://b.example"];
    webox.run(again).ok().says("webox --config etc/webox.toml serve");
}

/// Arguments that make a first assistant.
fn first<'a>(client: &'a str, phone: &'a str) -> [&'a str; 7] {
    ["init", "--trade", "hotel", "--client", client, "--phone", phone]
}

#[test]
fn what_is_there_is_neither_replaced_nor_broken() {
    let webox = Webox::with_le_gourmet();
    let before = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().stdout;
    // A client that is answered already keeps what was written for it.
    let replaced = webox.run(first("Le Gourmet", "+33123456789")).ok();
    replaced.says("`le-gourmet` is there already, and stays as it is");
    let after = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().stdout;
    assert_eq!(after, before);
    // A number that is taken: nothing is left behind, and the next try is one.
    let file = webox.home().join("config/webox/assistants/hotel-martin.toml");
    let admin = ["--admin", "claire@agence.fr"];
    let taken = webox.run([&first("Hôtel Martin", "+33123456789")[..], &admin].concat()).code(1);
    taken.says("is the number of the assistant `le-gourmet`").says("--phone");
    assert!(!file.exists());
    webox.run(["users", "-o", "ids"]).ok().silent();
    let done = webox.run([&first("Hôtel Martin", "+33123456780")[..], &admin].concat()).ok();
    done.prints("webox_").says("`hotel-martin` answers +33123456780");
    // A draft is not put in force.
    webox.run(["assistants", "delete", "hotel-martin", "--yes"]).ok();
    webox.run(first("Hôtel Martin", "+33123456780")).ok().says("not applied");
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "le-gourmet\n");
    // Settings that name no database are not written.
    let settings = webox.home().join("config/webox/webox.toml");
    let folder = webox.home().join("config");
    // Who is there and is no admin is not taken for one.
    webox.run(["users", "add", "marc@agence.fr", "--role", "member"]).ok();
    let member = webox.run(["init", "--admin", "marc@agence.fr"]).code(3);
    member.says("is no admin").says("webox users set-role marc@agence.fr --role admin");
    let wrong = ["--db", folder.to_str().unwrap(), "init", "--admin", "paul@agence.fr"];
    webox.run(wrong).code(78).says("is no file");
    assert!(!settings.exists(), "{}", text(&webox, "webox.toml"));
}

#[test]
fn a_service_is_told_what_only_the_shell_knew() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = Webox::new()
        .env("TWILIO_BASE_URL", twilio.url())
        .env("TWILIO_ACCOUNT_SID", ACCOUNT)
        .env("TWILIO_AUTH_TOKEN", TOKEN)
        .env("WEBOX_PUBLIC_URL", "https://calls.example.com");
    let units = webox.home().join("units");
    webox.run(["init", "--systemd", units.to_str().unwrap()]).ok();
    let settings = text(&webox, "webox.toml");
    for part in ["https://calls.example.com", ACCOUNT, "auth_token = { file = "] {
        assert!(settings.contains(part), "{part} in {settings}");
    }
    assert_eq!(text(&webox, "twilio-auth-token"), format!("{TOKEN}\n"));
    let unit = std::fs::read_to_string(units.join("webox.service.d/10-init.conf")).unwrap();
    assert!(unit.contains("LoadCredential=twilio-auth-token:"), "{unit}");
    // A link to the settings stays one.
    let (path, real) =
        (webox.home().join("config/webox/webox.toml"), webox.home().join("real.toml"));
    std::fs::rename(&path, &real).unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    webox.run(["init", "--public-url", "https://other.example.com"]).ok();
    assert!(path.is_symlink() && text(&webox, "webox.toml").contains("other.example.com"));
}

#[test]
fn tokens_that_are_kept_stay_and_a_twilio_that_is_busy_has_refused_nothing() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = Webox::new().env("TWILIO_BASE_URL", twilio.url());
    let args = ["init", "--twilio-account", ACCOUNT];
    let with_file = [&args[..], &["--twilio-token-file", "-"]].concat();
    twilio.fail(&[503, 429]);
    webox.run_with_stdin(TOKEN, with_file).ok();
    // Another one beside it, as while the token is exchanged.
    let file = webox.home().join("config/webox/twilio-auth-token");
    std::fs::write(&file, format!("{TOKEN},the-one-before\n")).unwrap();
    webox.run(args).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{TOKEN},the-one-before\n"));
    // One that a variable holds is not written out.
    std::fs::remove_file(&file).unwrap();
    let settings = text(&webox, "webox.toml")
        .replace("{ file = \"twilio-auth-token\" }", "{ env = \"OUR_TOKEN\" }");
    webox.file("config/webox/webox.toml", &settings);
    let webox = webox.env("OUR_TOKEN", TOKEN);
    webox.run(args).ok();
    assert!(text(&webox, "webox.toml").contains("OUR_TOKEN") && !file.exists());
}
