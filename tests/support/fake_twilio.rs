//! A double of Twilio's REST API: the account, its recordings and calls, and what was asked of it.
//! Each request is held against Twilio's own description of its API where that lies beside the
//! checkout (`../shared/specs/twilio_api_v2010.json`).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use webox::twilio::form::Form;

/// A request as it arrived: method, path below the account, body.
pub(crate) type Asked = (String, String, String);

#[derive(Default)]
struct Account {
    sid: String,
    token: String,
    recordings: BTreeSet<String>,
    /// Answers these statuses first, in this order.
    failures: Vec<u16>,
    asked: Vec<Asked>,
    /// Numbers that are sent no SMS and not called, with the code of why.
    unreachable: Vec<(String, u32)>,
    /// What calls cost, as it says it.
    price: Option<String>,
    /// How long it takes to answer that it calls.
    thinks: Duration,
    /// Its numbers, as it lists them.
    numbers: Vec<Value>,
    paths: Option<Value>,
}

/// A Twilio that stops when it is dropped.
pub(crate) struct FakeTwilio {
    address: std::net::SocketAddr,
    account: Arc<Mutex<Account>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeTwilio {
    /// One account with one token.
    pub(crate) fn start(sid: &str, token: &str) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let specs = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs/twilio_api_v2010.json");
        let paths = std::fs::read_to_string(specs)
            .ok()
            .map(|text| serde_json::from_str::<Value>(&text).unwrap()["paths"].take());
        let account = Arc::new(Mutex::new(Account {
            sid: sid.to_owned(),
            token: token.to_owned(),
            paths,
            ..Account::default()
        }));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&account));
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address, account, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// It keeps a recording.
    pub(crate) fn keep(&self, recording: &str) {
        self.account.lock().unwrap().recordings.insert(recording.to_owned());
    }

    /// It fails so often before it works again.
    pub(crate) fn fail(&self, statuses: &[u16]) {
        self.account.lock().unwrap().failures = statuses.to_vec();
    }

    /// It sends a number no SMS.
    pub(crate) fn refuse(&self, number: &str, code: u32) {
        self.account.lock().unwrap().unreachable.push((number.to_owned(), code));
    }

    /// It has a number whose calls and their ends lead to addresses below this one.
    pub(crate) fn wire(&self, number: &str, public_url: &str) {
        let hook = |route: &str| format!("{public_url}/api/voice/webhook/{route}");
        self.number(json!({
            "sid": format!("PN{:032x}", 1), "phone_number": number,
            "voice_url": hook("incoming"), "voice_method": "POST",
            "status_callback": hook("status"), "status_callback_method": "POST",
            "voice_application_sid": "", "trunk_sid": null,
        }));
    }

    /// It has this number, and no other one of its name.
    pub(crate) fn number(&self, number: Value) {
        let mut account = self.account.lock().unwrap();
        account.numbers.retain(|known| known["phone_number"] != number["phone_number"]);
        account.numbers.push(number);
    }

    /// It knows what calls cost.
    pub(crate) fn charge(&self, price: &str) {
        self.account.lock().unwrap().price = Some(price.to_owned());
    }

    /// It thinks so long before it answers that it calls: the call is made all the same.
    pub(crate) fn think(&self, length: Duration) {
        self.account.lock().unwrap().thinks = length;
    }

    /// Waits until so many calls were asked for; each as the form that was sent.
    #[track_caller]
    pub(crate) fn wait_for_calls(&self, count: usize) -> Vec<Form> {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let calls = self.calls();
            if calls.len() >= count {
                return calls;
            }
            assert!(Instant::now() < deadline, "{:?}", self.asked());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The calls that were asked for so far.
    pub(crate) fn calls(&self) -> Vec<Form> {
        let asked = self.asked().into_iter();
        asked
            .filter(|(method, path, _)| method == "POST" && path == "Calls.json")
            .map(|(_, _, body)| Form::parse(body.as_bytes()).unwrap())
            .collect()
    }

    /// Waits until so many SMS were asked for; each with from, to and what it says.
    #[track_caller]
    pub(crate) fn wait_for_messages(&self, count: usize) -> Vec<[String; 3]> {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let messages: Vec<_> = self.asked().iter().filter_map(message).collect();
            if messages.len() >= count {
                return messages;
            }
            assert!(Instant::now() < deadline, "{messages:?} of {:?}", self.asked());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn recordings(&self) -> Vec<String> {
        self.account.lock().unwrap().recordings.iter().cloned().collect()
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.account.lock().unwrap().asked.clone()
    }

    /// Waits until something was asked.
    #[track_caller]
    pub(crate) fn was_asked(&self, method: &str, path: &str, body: &str) {
        let wanted = (method.to_owned(), path.to_owned(), body.to_owned());
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.asked().contains(&wanted) {
            assert!(Instant::now() < deadline, "{wanted:?} is not among {:?}", self.asked());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for FakeTwilio {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// The SMS that was asked for.
fn message((method, path, body): &Asked) -> Option<[String; 3]> {
    if (method.as_str(), path.as_str()) != ("POST", "Messages.json") {
        return None;
    }
    let form = Form::parse(body.as_bytes()).unwrap();
    Some(["From", "To", "Body"].map(|name| form.get(name).unwrap().to_owned()))
}

async fn answer(
    State(account): State<Arc<Mutex<Account>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let calls = method == Method::POST && uri.path().ends_with("/Calls.json");
    let (answer, thinks) = {
        let mut account = account.lock().unwrap();
        (answer_of(&mut account, &method, &uri, &headers, &body), account.thinks)
    };
    if calls {
        tokio::time::sleep(thinks).await;
    }
    answer
}

fn answer_of(
    account: &mut Account,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    let refuse = |status: u16, code: u32| {
        let body = json!({
            "code": code, "message": "refused", "status": status,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        });
        (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
    };
    let prefix = format!("/2010-04-01/Accounts/{}/", account.sid);
    let Some(path) = uri.path().strip_prefix(&prefix).map(str::to_owned) else {
        return refuse(404, 20404);
    };
    let expected = format!("{}:{}", account.sid, account.token);
    let expected = format!("Basic {}", STANDARD.encode(expected));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&expected) {
        return refuse(401, 20003);
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    if let Some(paths) = &account.paths {
        let found = described(paths, method, uri.path());
        let found = found.unwrap_or_else(|| panic!("{method} {} is not Twilio's", uri.path()));
        for (name, _) in Form::parse(body.as_bytes()).unwrap().fields() {
            let form = &found["requestBody"]["content"]["application/x-www-form-urlencoded"];
            assert!(form["schema"]["properties"].get(name).is_some(), "{name} is not Twilio's");
        }
    }
    account.asked.push((method.to_string(), path.clone(), body.clone()));
    if !account.failures.is_empty() {
        let status = account.failures.remove(0);
        return refuse(status, 20500);
    }
    let parts: Vec<&str> = path.split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("POST", ["Calls", _, "Recordings", "Twilio.CURRENT.json"]) => {
            assert_eq!(body, "Status=stopped");
            json!({ "status": "stopped" }).to_string().into_response()
        }
        ("GET", ["IncomingPhoneNumbers.json"]) => {
            let query = Form::parse(uri.query().unwrap_or_default().as_bytes()).unwrap();
            let part = query.get("PhoneNumber").unwrap_or_default();
            let of = |number: &&Value| number["phone_number"].as_str().unwrap().contains(part);
            let found: Vec<&Value> = account.numbers.iter().filter(of).collect();
            json!({ "incoming_phone_numbers": found, "next_page_uri": null })
                .to_string()
                .into_response()
        }
        ("GET", ["Calls", name]) => {
            // The fields of the resource that its description has.
            json!({
                "sid": name.strip_suffix(".json"), "account_sid": account.sid, "status": "completed",
                "duration": "50", "price": account.price, "price_unit": "USD",
            })
            .to_string()
            .into_response()
        }
        ("GET", ["Recordings", name]) => {
            let name = name.strip_suffix(".mp3").expect("only its sound is asked for");
            if !account.recordings.contains(name) {
                return refuse(404, 20404);
            }
            let range = headers.get("range").and_then(|range| range.to_str().ok());
            part(sound(name), range)
        }
        ("DELETE", ["Recordings", name]) => {
            let name = name.trim_end_matches(".json").to_owned();
            if account.recordings.remove(&name) {
                StatusCode::NO_CONTENT.into_response()
            } else {
                refuse(404, 20404)
            }
        }
        ("POST", ["Messages.json"]) => {
            let [_, to, text] = message(&(method.to_string(), path.clone(), body)).unwrap();
            assert!(!text.is_empty() && text.chars().count() <= 1_600, "{text}");
            if let Some((_, code)) = account.unreachable.iter().find(|(number, _)| *number == to) {
                return refuse(400, *code);
            }
            let sent = json!({ "sid": format!("SM{:032x}", 1), "status": "queued" });
            (StatusCode::CREATED, sent.to_string()).into_response()
        }
        ("POST", ["Calls.json"]) => {
            let form = Form::parse(body.as_bytes()).unwrap();
            let to = form.get("To").unwrap();
            if let Some((_, code)) = account.unreachable.iter().find(|(number, _)| number == to) {
                return refuse(400, *code);
            }
            let made = account.asked.iter().filter(|(_, path, _)| path == "Calls.json").count();
            let called = json!({ "sid": format!("CA{made:032x}"), "status": "queued" });
            (StatusCode::CREATED, called.to_string()).into_response()
        }
        ("POST", ["Calls", _]) => json!({ "status": "in-progress" }).to_string().into_response(),
        ("DELETE", ["Calls", _]) => StatusCode::NO_CONTENT.into_response(),
        _ => refuse(405, 20004),
    }
}

/// What is heard in a recording.
pub(crate) fn sound(recording: &str) -> Vec<u8> {
    format!("ID3 {recording} ").repeat(500).into_bytes()
}

/// One range, as a server of files answers it.
fn part(sound: Vec<u8>, range: Option<&str>) -> Response {
    let all = sound.len();
    let Some((from, to)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
    else {
        return sound.into_response();
    };
    let from: usize = from.parse().unwrap();
    let to: usize = to.parse().unwrap_or(all - 1);
    let shown = format!("bytes {from}-{to}/{all}");
    (StatusCode::PARTIAL_CONTENT, [("content-range", shown)], sound[from..=to].to_vec())
        .into_response()
}

/// What the description has of a path with its method.
pub(crate) fn described<'a>(paths: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let given: Vec<&str> = path.trim_end_matches(".json").split('/').collect();
    paths.as_object().unwrap().iter().find_map(|(template, methods)| {
        let parts: Vec<&str> = template.trim_end_matches(".json").split('/').collect();
        let same = parts.len() == given.len()
            && parts.iter().zip(&given).all(|(part, given)| part.starts_with('{') || part == given);
        methods.get(method.as_str().to_ascii_lowercase()).filter(|_| same)
    })
}
