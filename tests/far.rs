//! The terminal over the network: whom it asks, with which key, and what it does without an answer.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
};

use crate::support::{
    api::{OWNER, Who, World},
    cmd::Webox,
    daemon::{Daemon, sid},
};

#[test]
fn it_says_who_it_is() {
    let world = World::new();
    let far = world.far(Who::Owner);
    let place = world.url("");
    assert_eq!(far.run(["whoami"]).ok().stdout, format!("{OWNER} (member, write) at {place}\n"));
    let told = far.run(["whoami", "-o", "json"]).ok().json();
    assert_eq!((&told["whoami"]["scope"], &told["whoami"]["db"]), (&"write".into(), &().into()));
    let db = world.webox.db();
    let db = db.display();
    assert_eq!(
        world.webox.run(["whoami"]).ok().stdout,
        format!("admin, as whoever may open {db}\n")
    );
    let member = world.webox.run(["whoami", "--as", OWNER]).ok().stdout;
    assert_eq!(member, format!("{OWNER} (member, write) at {db}\n"));
    Webox::new().env("WEBOX_SERVER", "http://127.0.0.1:1").run(["whoami"]).code(77).silent();
    // To look is not to make.
    let empty = Webox::new();
    empty.run(["whoami"]).ok();
    assert!(!empty.db().exists());
}

#[test]
fn no_proxy_is_sent_a_key_to_this_machine() {
    let world = World::new();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut far = world.far(Who::Owner);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"] {
        far = far.env(name, address.clone());
    }
    far.run(["assistants"]).ok();
    let port = world.daemon.address.port();
    far.run(["whoami", "--server", &format!("http://localhost:{port}")]).ok();
    proxy.set_nonblocking(true).unwrap();
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

#[test]
fn a_variable_that_came_out_empty_makes_no_database_here() {
    let file = "name = \"a\"\nclient = \"A\"\nphone = \"+33140000001\"\ncontext = \"x\"\n";
    let key = "webox_0000000000000000000000000000000000000000000000000";
    for webox in [
        Webox::new().env("WEBOX_SERVER", ""),
        Webox::new().env("WEBOX_SERVER", "").env("WEBOX_TOKEN", key),
        Webox::new().env("WEBOX_TOKEN", key),
    ] {
        let file = webox.file("a.toml", file);
        let ran = webox.run(["apply", "--yes", &file]).code(64).silent();
        assert!(!ran.stderr.contains(key) && ran.stderr.contains("WEBOX_"), "{}", ran.stderr);
        assert!(!webox.db().exists());
        // The file that is named is meant, and what needs no database works.
        let db = webox.home().join("x.db").to_str().unwrap().to_owned();
        webox.run(["apply", "--yes", &file, "--db", &db]).ok();
        webox.run(["validate", &file]).ok();
        webox.run(["config", "show"]).ok();
    }
    Webox::new().run(["serve", "--server", "https://webox.agence.fr"]).code(64).says("--server");
}

#[test]
fn a_key_in_a_file_is_its_owners_alone_and_the_settings_say_where_it_is() {
    let world = World::new();
    let far = Webox::new();
    let path = far.file("key", world.key(Who::Owner));
    let far = far.env("WEBOX_SERVER", world.url("")).env("WEBOX_TOKEN_FILE", path.clone());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    far.run(["whoami"]).code(78).says("can be read by others (mode 0644)");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    far.run(["whoami"]).ok();
    let row = |webox: &Webox, key: &str| {
        let shown = webox.run(["config", "show", "-o", "json"]).ok();
        assert!(!shown.stdout.contains(world.key(Who::Owner)), "{}", shown.stdout);
        let settings = shown.json()["settings"].as_array().unwrap().clone();
        let row = settings.into_iter().find(|row| row["key"] == key).unwrap();
        (row["value"].as_str().map(str::to_owned), row["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(row(&far, "token"), (Some("***".to_owned()), format!("file {path}")));
    // The one that is kept for the daemon, and what there is to know of the daemon's own machine.
    let url = world.url("");
    let kept = Webox::new().env("WEBOX_SERVER", url.clone());
    let login = kept.run_with_stdin(world.key(Who::Owner), ["login", &url, "-o", "jsonl"]).ok();
    assert_eq!(login.json()["email"], OWNER);
    assert!(login.stderr.contains(&format!("`server = \"{url}\"`")), "{}", login.stderr);
    let place = kept.home().join("config/webox/credentials.json");
    assert_eq!(row(&kept, "token"), (Some("***".to_owned()), format!("file {}", place.display())));
    let key = world.webox.home().join("config/webox/master.key");
    let shown = row(&world.webox, "master_key");
    assert_eq!(shown, (Some("***".to_owned()), format!("file {}", key.display())));
    assert_eq!(row(&Webox::new(), "master_key").0, None);
    let given = Webox::new().env("WEBOX_MASTER_KEY", "CANARY");
    assert_eq!(row(&given, "master_key").1, "environment WEBOX_MASTER_KEY");
    let out = kept.run(["logout", &url, "-o", "json"]).ok().json();
    assert_eq!(out["logout"]["server"], url);
}

#[test]
fn following_calls_outlives_the_daemon() {
    let world = World::new();
    let World { webox, daemon, .. } = &world;
    let address = daemon.address;
    let far = world.far(Who::Owner);
    let mut child = far.command(["calls", "--follow", "-o", "jsonl"]).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.next().unwrap().contains("Waiting for calls"));
    let mut calls = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The one that was there.
    calls.next().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut next = || serde_json::from_str::<serde_json::Value>(&calls.next().unwrap()).unwrap();
    runtime.block_on(daemon.ring(&sid(1)));
    assert_eq!(next()["call_sid"], sid(1).as_str());
    std::process::Command::new("kill").args(["-9", &daemon.pid().to_string()]).status().unwrap();
    assert!(said.next().unwrap().contains("it is tried again"));
    // What comes while nobody listens is told of afterwards.
    let second = Daemon::start(webox);
    runtime.block_on(second.ring(&sid(2)));
    let _third = Daemon::start_at(webox, &address.to_string());
    assert_eq!(next()["call_sid"], sid(2).as_str());
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_a_line_for_every_request() {
    let world = World::new();
    let get = |who: Who, path: &str, id: &str| {
        world.request(who, "GET", path).header("x-request-id", id.to_owned()).send()
    };
    let logged = |id: &str| -> serde_json::Value {
        let named = format!("\"request_id\":\"{id}\"");
        let mut line = String::new();
        for _ in 0..500 {
            let log = world.daemon.log();
            let found =
                log.into_iter().find(|line| line.contains(&named) && line.contains("answered"));
            if let Some(found) = found {
                line = found;
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no line for {id}"))
    };
    get(Who::Owner, "/api/voice/assistants/le-gourmet?", "one").await.unwrap();
    let line = logged("one");
    assert_eq!((&line["method"], &line["status"]), (&"GET".into(), &200.into()), "{line}");
    assert_eq!(line["route"], "/api/voice/assistants/{id}");
    assert_eq!(line["user"], OWNER);
    assert!(
        line["token"].is_number() && line["ms"].is_number() && line["level"] == "INFO",
        "{line}"
    );
    get(Who::Nobody, "/api/voice/calls?from=%2B33612345678", "two").await.unwrap();
    let line = logged("two");
    assert_eq!((&line["status"], &line["user"]), (&401.into(), &().into()), "{line}");
    assert!(!line.to_string().contains("33612345678"), "{line}");
    get(Who::Reader, "/api/voice/nowhere/CANARY", "three").await.unwrap();
    // What goes on on other threads is under the same name.
    let input = serde_json::json!({ "value": "v" });
    std::fs::remove_file(world.webox.home().join("config/webox/master.key")).unwrap();
    let put = world.request(Who::Admin, "PUT", "/api/voice/secrets/x").json(&input);
    put.header("x-request-id", "four").send().await.unwrap();
    assert_eq!(logged("four")["status"], 503);
    assert!(world.daemon.logged("a request failed").contains("four"));
    // Twilio's are for who looks closely.
    world.daemon.ring(&sid(1)).await;
    assert!(
        !world
            .daemon
            .log()
            .iter()
            .any(|line| line.contains("/webhook/incoming") && line.contains("answered"))
    );
}
