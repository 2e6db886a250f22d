//! The client's own systems, asked in a call: by a model and by the concierge, on the lines, late, wrong and
//! from where nobody may ask.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, sid, spoken},
    fake_http::{KEY, say, tool},
    fake_openai::FakeOpenAi,
    receiver::{Receiver, Reply},
};

const NUMBER: &str = "+33199008750";

/// A shop whose assistant asks at an address.
fn shop(url: &str, more: &str) -> String {
    format!(
        r#"
name = "boutique"
client = "La Boutique"
phone = "{NUMBER}"
context = "Des lampes."
{more}

[[tools]]
name = "order_status"
description = "Where an order is."
url = "{url}"
secret = {{ env = "SHOP_API_KEY" }}
wait = "Un instant, je consulte votre commande."
about = ["ma commande"]
ask = {{ number = "Quel est son numéro ?" }}
say = "Commande {{{{ number }}}} : {{{{ answer.status }}}}."
timeout = "2s"

[tools.arguments]
required = ["number"]
properties = {{ number = {{ type = "string", pattern = "^[0-9]{{5}}$" }} }}
"#
    )
}

fn webox() -> Webox {
    Webox::new()
        .env("WEBOX_ALLOWED_NETWORKS", "127.0.0.0/8")
        .env("WEBOX_ALLOW_HTTP", "true")
        .env("SHOP_API_KEY", "un-secret-de-boutique")
}

fn apply(webox: &Webox, text: &str) {
    let file = webox.file("boutique.toml", text);
    webox.run(["apply", "--yes", &file]).ok();
}

/// What the caller hears after each utterance; fillers and the reply that they wait for are one.
async fn call(daemon: &Daemon, n: u32, says: &[&str]) -> Vec<String> {
    daemon.post_from(CALLER, NUMBER, "incoming", &sid(n), &[]).await;
    let mut told = Vec::new();
    for (turn, words) in (1..).zip(says) {
        let route = format!("process?call_sid={}&turn={turn}", sid(n));
        let heard = [("SpeechResult", *words), ("Confidence", "0.9")];
        let mut answer = daemon.post_from(CALLER, NUMBER, &route, &sid(n), &heard).await;
        let mut words = spoken(&answer);
        for step in 1..8 {
            if !answer.body.contains("/wait?") {
                break;
            }
            let route = format!("wait?call_sid={}&turn={turn}&step={step}", sid(n));
            answer = daemon.post_from(CALLER, NUMBER, &route, &sid(n), &[]).await;
            words = format!("{words} | {}", spoken(&answer));
        }
        told.push(words);
    }
    told
}

fn tools(webox: &Webox, n: u32) -> Vec<Value> {
    let shown = webox.run(["calls", "show", sid(n).as_str(), "-o", "json"]).ok().json();
    let turns = shown["turns"].as_array().unwrap().clone();
    turns.iter().flat_map(|turn| turn["tools"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn the_concierge_asks_the_shop_and_says_what_it_answered() {
    let webox = webox();
    let endpoint = Receiver::answering(|_| Reply::json(200, &json!({ "status": "en route" })));
    apply(&webox, &shop(&format!("{}/orders/{{number}}", endpoint.url()), ""));
    let daemon = Daemon::start(&webox);
    let told =
        call(&daemon, 1, &["Où est ma commande ?", "le quarante-huit deux cent treize"]).await;
    assert!(told[0].contains("Quel est son numéro ?"), "{told:?}");
    assert!(told[1].contains("Commande 48213 : en route."), "{told:?}");
    let [asked] = &endpoint.received()[..] else { panic!("asked more than once") };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/orders/48213"));
    assert_eq!(asked.header("authorization"), "Bearer un-secret-de-boutique");
    assert!(asked.header("user-agent").starts_with("webox/"));
    let used = &tools(&webox, 1)[0];
    assert_eq!(used["tool"], "order_status");
    let said = serde_json::to_string(used).unwrap();
    assert!(
        said.contains("48213") && said.contains("en route") && !said.contains("secret"),
        "{said}"
    );
    assert!(!daemon.log().iter().any(|line| line.contains("un-secret-de-boutique")));
}

#[tokio::test]
async fn a_model_asks_with_arguments_that_fit_and_posts_once() {
    let openai = FakeOpenAi::start(vec![
        tool("order_status", r#"{"number":"48"}"#),
        tool("order_status", r#"{"number":"48213","colour":"rouge"}"#),
        say("Votre commande part demain."),
    ]);
    let webox = webox().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", openai.url());
    let endpoint = Receiver::answering(|_| Reply::json(201, &json!({ "leaves": "demain" })));
    let text =
        shop(&format!("{}/orders/find", endpoint.url()), "[ai]\nmodel = \"openai/gpt-6-luna\"\n");
    let text = text
        .replace("[[tools]]", "[[tools]]\nmethod = \"POST\"\ncaller = true\nheader = \"X-Api-Key\"")
        .replace("properties = {", "properties = { colour = { type = \"string\" },");
    apply(&webox, &text);
    let daemon = Daemon::start(&webox);
    let told = call(&daemon, 1, &["Et ma commande ?"]).await;
    assert!(told[0].contains("Votre commande part demain."), "{told:?}");
    let [asked] = &endpoint.received()[..] else { panic!("not asked once") };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/orders/find"));
    assert_eq!(asked.json(), json!({ "number": "48213", "colour": "rouge", "caller": CALLER }));
    assert_eq!(asked.header("x-api-key"), "un-secret-de-boutique");
    assert!(asked.header("authorization").is_empty());
    assert!(asked.header("idempotency-key").starts_with(sid(1).as_str()));
    let used = tools(&webox, 1);
    assert!(used[0].to_string().contains("wrong arguments"), "{used:?}");
    assert!(used[1].to_string().contains("demain"), "{used:?}");
    // The model was offered the tool as the file has it, and told what it is.
    let offered = openai.requests()[0].json.to_string();
    assert!(
        offered.contains("Where an order is.") && offered.contains("Looking things up"),
        "{offered}"
    );
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_with_the_files_own_words() {
    let webox = webox();
    let endpoint = Receiver::answering(|_| Reply::Nothing);
    apply(&webox, &shop(&format!("{}/{{number}}", endpoint.url()), ""));
    let daemon = Daemon::start(&webox);
    let told = call(&daemon, 1, &["Et ma commande 48213 ?"]).await;
    let (waits, reply) = told[0].split_once(" | ").unwrap();
    assert_eq!(waits, "Un instant, je consulte votre commande.");
    assert!(reply.contains("Je n'arrive pas à consulter"), "{reply}");
    assert!(tools(&webox, 1)[0].to_string().contains("did not answer within 2s"));
}

#[tokio::test]
async fn what_fails_is_left_alone_and_what_is_inside_is_not_asked() {
    let webox = webox();
    let endpoint = Receiver::answering(|_| Reply::status(503));
    apply(&webox, &shop(&format!("{}/{{number}}", endpoint.url()), ""));
    let daemon = Daemon::start(&webox);
    for n in 1..=4 {
        let told = call(&daemon, n, &["Et ma commande 48213 ?"]).await;
        assert!(told[0].contains("Je n'arrive pas à consulter"), "{told:?}");
    }
    assert_eq!(endpoint.received().len(), 3, "after three failures it is left alone");
    drop(daemon);
    let webox = self::webox().env("WEBOX_ALLOWED_NETWORKS", "");
    apply(&webox, &shop(&format!("{}/{{number}}", endpoint.url()), ""));
    let daemon = Daemon::start(&webox);
    let told = call(&daemon, 1, &["Et ma commande 48213 ?"]).await;
    assert!(told[0].contains("Je n'arrive pas à consulter"), "{told:?}");
    assert_eq!(endpoint.received().len(), 3);
    let why = tools(&webox, 1)[0].to_string();
    assert!(why.contains("not on the public internet"), "{why}");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let webox = webox();
    for (old, new, told) in [
        ("{number}", "{nummer}", "which `arguments` does not require"),
        ("^[0-9]{5}$", "(", "is no JSON Schema"),
        ("answer.status", "anser.status", "did you mean `answer`"),
        ("\"order_status\"", "\"book\"", "one of webox's own tools"),
        ("2s", "1m", "between 1s and 8s"),
    ] {
        let text = shop("https://shop.example/{number}", "").replacen(old, new, 1);
        let file = webox.file("boutique.toml", &text);
        let refused = webox.run(["validate", &file]).code(65);
        assert!(refused.stderr.contains(told), "{old}: {}", refused.stderr);
        assert!(refused.stderr.contains("boutique.toml:"), "{}", refused.stderr);
    }
    let good = webox.file("boutique.toml", &shop("https://shop.example/{number}", ""));
    webox.run(["apply", "--yes", &good]).ok();
    let written = webox.run(["export", "boutique"]).ok();
    let again = webox.file("again.toml", &written.stdout);
    webox.run(["plan", &again]).ok().prints("No changes");
}

/// The shop of the examples.
struct Shop {
    child: Child,
    url: String,
}

impl Shop {
    fn open(key: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shop/server.py");
        let mut child = Command::new("python3")
            .args([script, "--port", "0"])
            .env("SHOP_API_KEY", key)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening at ").unwrap().to_owned();
        Self { child, url }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_shop_of_the_examples_tells_where_an_order_is() {
    let shop = Shop::open("un-secret-de-boutique");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shop/boutique.toml");
    let text =
        std::fs::read_to_string(example).unwrap().replace("http://127.0.0.1:8750", &shop.url);
    let webox = webox();
    apply(&webox, &text);
    let daemon = Daemon::start(&webox);
    let told = call(
        &daemon,
        1,
        &[
            "Je voudrais savoir où est mon colis",
            "48213",
            "et une commande 4 8 2 1 5 ?",
            "merci, au revoir",
        ],
    )
    .await;
    assert!(told[0].contains("Quel est le numéro de votre commande ?"), "{told:?}");
    assert!(told[1].contains("en route avec Colissimo. Elle arrive vendredi."), "{told:?}");
    assert!(told[2].contains("a été livrée hier"), "{told:?}");
    let told =
        call(&daemon, 2, &["In English please", "Where is my order 48214?", "and my order 99999?"])
            .await;
    assert!(told[1].contains("is being prepared. It leaves next Tuesday."), "{told:?}");
    assert!(told[2].contains("I can't find an order 99999"), "{told:?}");
}
