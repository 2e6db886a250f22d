//! A double of the parts of Twilio that have to do with numbers: what accounts have, what is to be had,
//! what it costs and needs, and the calls there were. Each request is held against Twilio's own
//! descriptions where they lie beside the checkout (`../shared/specs`).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{Timestamp, fmt::rfc2822, tz::TimeZone};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use webox::twilio::form::Form;

use super::fake_twilio::{Asked, described};

#[derive(Default)]
struct Account {
    token: String,
    /// Its main account, whose credentials are right for it too.
    parent: Option<String>,
    numbers: Vec<Value>,
    addresses: Vec<Value>,
    calls: Vec<Value>,
}

#[derive(Default)]
struct World {
    accounts: BTreeMap<String, Account>,
    /// API keys with their secrets, and their accounts.
    keys: BTreeMap<String, (String, String)>,
    /// Numbers to be had: country, kind as in the path, the resource.
    on_sale: Vec<(String, String, Value)>,
    prices: BTreeMap<String, Value>,
    regulations: BTreeMap<String, Value>,
    /// Answers these statuses first, in this order.
    failures: Vec<u16>,
    /// Answers a status after so many requests.
    fails_at: Option<(usize, u16)>,
    /// Buys, and answers nothing of use.
    loses_answers: bool,
    page: usize,
    asked: Vec<Asked>,
    specs: Vec<Value>,
}

/// A Twilio that stops when it is dropped.
pub(crate) struct FakeNumbers {
    address: std::net::SocketAddr,
    world: Arc<Mutex<World>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeNumbers {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let specs = ["twilio_api_v2010", "twilio_pricing_v1"].iter().filter_map(|name| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs");
            let text = std::fs::read_to_string(format!("{folder}/{name}.json")).ok()?;
            Some(serde_json::from_str::<Value>(&text).unwrap()["paths"].take())
        });
        let specs = specs.collect();
        let world = Arc::new(Mutex::new(World { specs, page: 1_000, ..World::default() }));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&world));
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
        Self { address, world, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.world.lock().unwrap())
    }

    /// There is an account, with its token.
    pub(crate) fn account(&self, sid: &str, token: &str) {
        let account = Account { token: token.to_owned(), ..Account::default() };
        self.with(|world| world.accounts.insert(sid.to_owned(), account));
    }

    /// There is a sub-account, whose token nobody knows.
    pub(crate) fn sub_account(&self, sid: &str, of: &str) {
        let account = Account {
            token: "nobody-knows".to_owned(),
            parent: Some(of.to_owned()),
            ..Account::default()
        };
        self.with(|world| world.accounts.insert(sid.to_owned(), account));
    }

    /// An account has an API key.
    pub(crate) fn key(&self, account: &str, key: &str, secret: &str) {
        let entry = (secret.to_owned(), account.to_owned());
        self.with(|world| world.keys.insert(key.to_owned(), entry));
    }

    /// An account has a number, with settings of its resource.
    pub(crate) fn number(&self, account: &str, number: &str, settings: &Value) {
        self.with(|world| {
            let resource = resource(world, account, number);
            let numbers = &mut world.accounts.get_mut(account).unwrap().numbers;
            numbers.push(merged(resource, settings));
        });
    }

    /// Somebody changes a number in Twilio's console.
    pub(crate) fn change(&self, number: &str, settings: &Value) {
        self.with(|world| {
            for account in world.accounts.values_mut() {
                for one in account.numbers.iter_mut().filter(|one| one["phone_number"] == number) {
                    *one = merged(one.take(), settings);
                }
            }
        });
    }

    /// A number as an account has it.
    pub(crate) fn owned(&self, number: &str) -> Option<Value> {
        self.with(|world| {
            let all = world.accounts.values().flat_map(|account| &account.numbers);
            all.clone().find(|one| one["phone_number"] == number).cloned()
        })
    }

    /// A number is to be had.
    pub(crate) fn sells(&self, country: &str, kind: &str, number: &str, address: &str) {
        let resource = json!({
            "phone_number": number, "friendly_name": number, "locality": "Paris", "region": null,
            "iso_country": country, "address_requirements": address, "beta": false,
            "capabilities": { "voice": true, "SMS": false, "MMS": false },
            "latitude": "48.8", "longitude": 2.3, "postal_code": null,
        });
        self.with(|world| world.on_sale.push((country.to_owned(), kind.to_owned(), resource)));
    }

    /// What numbers of a country cost.
    pub(crate) fn price(&self, country: &str, kind: &str, price: &str) {
        let one = json!({ "number_type": kind, "base_price": price, "current_price": price });
        self.with(|world| {
            let list = world.prices.entry(country.to_owned()).or_insert_with(|| json!([]));
            list.as_array_mut().unwrap().push(one);
        });
    }

    /// A country wants papers for a kind of number.
    pub(crate) fn regulates(&self, country: &str, kind: &str) {
        let regulation = json!({
            "sid": "RN00000000000000000000000000000001", "friendly_name": "France: Local - Business",
            "iso_country": country, "number_type": kind, "end_user_type": "business",
            "requirements": {
                "end_user": [{
                    "type": "business", "requirement_name": "business_info", "fields": ["business_name"],
                    "detailed_fields": [{ "machine_name": "business_name", "friendly_name": "Business Name" }],
                }],
                "supporting_document": [[{
                    "type": "document", "name": "Proof of address",
                    "accepted_documents": [{ "type": "utility_bill", "name": "Utility bill" }],
                }]],
            },
        });
        self.with(|world| world.regulations.insert(format!("{country}/{kind}"), regulation));
    }

    /// An account has given an address.
    pub(crate) fn address(&self, account: &str, sid: &str, country: &str) {
        let address = json!({
            "sid": sid, "friendly_name": "Siège", "customer_name": "Agence", "iso_country": country,
        });
        self.with(|world| world.accounts.get_mut(account).unwrap().addresses.push(address));
    }

    /// There was a call, with fields of its resource.
    pub(crate) fn call(&self, account: &str, sid: &str, started_at: Timestamp, fields: &Value) {
        let time =
            |at: Timestamp| rfc2822::to_string(&at.to_zoned_datetime(TimeZone::UTC)).unwrap();
        let seconds = fields["duration"].as_str().and_then(|text| text.parse::<i64>().ok());
        let ended = started_at + jiff::SignedDuration::from_secs(seconds.unwrap_or(0));
        let resource = json!({
            "sid": sid, "account_sid": account, "parent_call_sid": null, "direction": "inbound",
            "from": "+33612345678", "to": "+33123456789", "status": "completed",
            "start_time": time(started_at), "end_time": time(ended), "date_created": time(started_at),
            "duration": "0", "price": null, "price_unit": "USD", "answered_by": null,
        });
        let resource = merged(resource, fields);
        self.with(|world| world.accounts.get_mut(account).unwrap().calls.push(resource));
    }

    /// It fails so often before it works again.
    pub(crate) fn fail(&self, statuses: &[u16]) {
        self.with(|world| world.failures = statuses.to_vec());
    }

    /// It answers so many requests, and then one with a status.
    pub(crate) fn fail_after(&self, requests: usize, status: u16) {
        self.with(|world| world.fails_at = Some((requests, status)));
    }

    /// It buys, and its answer is lost.
    pub(crate) fn lose_answers(&self) {
        self.with(|world| world.loses_answers = true);
    }

    /// It gives so many on a page.
    pub(crate) fn pages_of(&self, page: usize) {
        self.with(|world| world.page = page);
    }

    /// Everything that was asked so far: method, path with its query, body.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.with(|world| world.asked.clone())
    }

    /// What was asked that changes something.
    pub(crate) fn changes(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|(method, ..)| method != "GET").collect()
    }
}

impl Drop for FakeNumbers {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn merged(mut resource: Value, settings: &Value) -> Value {
    for (key, value) in settings.as_object().into_iter().flatten() {
        resource[key] = value.clone();
    }
    resource
}

/// A number as Twilio describes one that was just bought.
fn resource(world: &World, account: &str, number: &str) -> Value {
    let count: usize = world.accounts.values().map(|account| account.numbers.len()).sum();
    json!({
        "sid": format!("PN{:032x}", count + 1), "account_sid": account, "phone_number": number,
        "friendly_name": number, "capabilities": { "voice": true, "sms": false, "mms": false, "fax": false },
        "voice_url": null, "voice_method": "POST", "voice_fallback_url": null,
        "voice_fallback_method": "POST", "status_callback": "", "status_callback_method": "POST",
        "voice_application_sid": "", "trunk_sid": null, "address_requirements": "none",
        "bundle_sid": null, "address_sid": null, "origin": "twilio", "status": "in-use",
    })
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer_of(&mut world.lock().unwrap(), &method, &uri, &headers, &body)
}

fn refuse(status: u16, code: u32) -> Response {
    let body = json!({ "code": code, "message": "refused", "status": status });
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

fn ok(value: &Value) -> Response {
    value.to_string().into_response()
}

/// The account that a request may be about, by its credentials.
fn is_let_in(world: &World, headers: &HeaderMap, account: Option<&str>) -> bool {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let given = given.and_then(|given| given.strip_prefix("Basic "));
    let Some(given) = given.and_then(|given| STANDARD.decode(given).ok()) else { return false };
    let given = String::from_utf8(given).unwrap();
    let (user, secret) = given.split_once(':').unwrap();
    let who = match world.keys.get(user) {
        Some((own, account)) if own == secret => account.as_str(),
        Some(_) => return false,
        None => match world.accounts.get(user) {
            Some(account) if account.token == secret => user,
            _ => return false,
        },
    };
    let parent = |sid: &str| world.accounts.get(sid).and_then(|one| one.parent.clone());
    account.is_none_or(|sid| sid == who || parent(sid).as_deref() == Some(who))
}

fn is_described(world: &World, method: &Method, uri: &Uri, query: &Form, body: &Form) {
    if uri.path().starts_with("/v2/RegulatoryCompliance") {
        // Of this product there is no description here: its three filters.
        for (name, _) in query.fields() {
            assert!(["IsoCountry", "NumberType", "EndUserType"].contains(&name), "{name}");
        }
        return;
    }
    if world.specs.is_empty() {
        return;
    }
    let found = world.specs.iter().find_map(|paths| described(paths, method, uri.path()));
    let found = found.unwrap_or_else(|| panic!("{method} {} is not Twilio's", uri.path()));
    let form = &found["requestBody"]["content"]["application/x-www-form-urlencoded"];
    for (name, _) in body.fields() {
        assert!(form["schema"]["properties"].get(name).is_some(), "{name} is not Twilio's");
    }
    let known = found["parameters"].as_array().cloned().unwrap_or_default();
    for (name, _) in query.fields() {
        assert!(known.iter().any(|one| one["name"] == name), "{name} is not Twilio's");
    }
}

fn answer_of(
    world: &mut World,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let form = Form::parse(body.as_bytes()).unwrap();
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes()).unwrap();
    let full = uri.path_and_query().unwrap().to_string();
    let prefix = "/2010-04-01/Accounts/";
    let below = uri.path().strip_prefix(prefix).and_then(|rest| rest.split_once('/'));
    if !is_let_in(world, headers, below.map(|(account, _)| account)) {
        return refuse(401, 20003);
    }
    is_described(world, method, uri, &query, &form);
    world.asked.push((method.to_string(), full, body));
    if !world.failures.is_empty() {
        let status = world.failures.remove(0);
        return refuse(status, if status == 429 { 20429 } else { 20500 });
    }
    match world.fails_at.take() {
        Some((0, status)) => return refuse(status, 20500),
        Some((left, status)) => world.fails_at = Some((left - 1, status)),
        None => {}
    }
    let Some((account, path)) = below else { return other_product(world, uri.path(), &query) };
    let account = account.to_owned();
    if !world.accounts.contains_key(&account) {
        return refuse(404, 20404);
    }
    let parts: Vec<&str> = path.split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["AvailablePhoneNumbers", country, kind]) => {
            on_sale(world, country, kind.trim_end_matches(".json"), &query)
        }
        ("GET", ["Addresses.json"]) => {
            ok(&json!({ "addresses": world.accounts[&account].addresses, "next_page_uri": null }))
        }
        ("GET", ["IncomingPhoneNumbers.json"]) => {
            let wanted = query.get("PhoneNumber").unwrap_or_default();
            let all = world.accounts[&account].numbers.iter();
            let all = all.filter(|one| one["phone_number"].as_str().unwrap().contains(wanted));
            let all: Vec<Value> = all.cloned().collect();
            page(world, uri, &query, "incoming_phone_numbers", &all)
        }
        ("GET", ["Calls.json"]) => calls(world, uri, &query, &account),
        ("POST", ["IncomingPhoneNumbers.json"]) => buy(world, &account, &form),
        ("POST", ["IncomingPhoneNumbers", name]) => {
            let sid = name.trim_end_matches(".json");
            let numbers = &mut world.accounts.get_mut(&account).unwrap().numbers;
            let Some(one) = numbers.iter_mut().find(|one| one["sid"] == sid) else {
                return refuse(404, 20404);
            };
            for (name, value) in form.fields() {
                one[snake(name)] = json!(value);
            }
            ok(one)
        }
        ("DELETE", ["IncomingPhoneNumbers", name]) => {
            let sid = name.trim_end_matches(".json");
            let numbers = &mut world.accounts.get_mut(&account).unwrap().numbers;
            let before = numbers.len();
            numbers.retain(|one| one["sid"] != sid);
            if numbers.len() == before {
                refuse(404, 20404)
            } else {
                StatusCode::NO_CONTENT.into_response()
            }
        }
        _ => refuse(405, 20004),
    }
}

/// `VoiceUrl` as `voice_url`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn other_product(world: &World, path: &str, query: &Form) -> Response {
    if let Some(country) = path.strip_prefix("/v1/PhoneNumbers/Countries/") {
        let Some(prices) = world.prices.get(country) else { return refuse(404, 20404) };
        return ok(&json!({
            "country": country, "iso_country": country, "phone_number_prices": prices,
            "price_unit": "USD", "url": null,
        }));
    }
    if path == "/v2/RegulatoryCompliance/Regulations" {
        let of = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let key = format!("{}/{}", of("IsoCountry"), of("NumberType"));
        let results: Vec<&Value> = world.regulations.get(&key).into_iter().collect();
        return ok(&json!({ "results": results, "meta": { "key": "results", "page": 0 } }));
    }
    refuse(404, 20404)
}

fn on_sale(world: &World, country: &str, kind: &str, query: &Form) -> Response {
    let wanted: String = query.get("Contains").unwrap_or_default().replace('*', "");
    let all = world.on_sale.iter();
    let of: Vec<_> = all.filter(|(at, of, _)| at == country && of == kind).collect();
    if of.is_empty() {
        // A kind that a country does not have.
        return refuse(404, 20404);
    }
    let found: Vec<&Value> = of
        .into_iter()
        .map(|(_, _, one)| one)
        .filter(|one| one["phone_number"].as_str().unwrap().contains(&wanted))
        .collect();
    ok(&json!({ "available_phone_numbers": found, "uri": "/" }))
}

fn buy(world: &mut World, account: &str, form: &Form) -> Response {
    let number = form.get("PhoneNumber").unwrap().to_owned();
    let at = world.on_sale.iter().position(|(_, _, one)| one["phone_number"] == number.as_str());
    let Some(at) = at else { return refuse(400, 21422) };
    let (country, kind, one) = &world.on_sale[at];
    let regulated = world.regulations.contains_key(&format!("{country}/{}", kind.to_lowercase()));
    if regulated && form.get("BundleSid").is_none() {
        return refuse(400, 21649);
    }
    if one["address_requirements"] != "none" && form.get("AddressSid").is_none() {
        return refuse(400, 21631);
    }
    world.on_sale.remove(at);
    let bought = resource(world, account, &number);
    world.accounts.get_mut(account).unwrap().numbers.push(bought.clone());
    if world.loses_answers {
        return (StatusCode::GATEWAY_TIMEOUT, "<html>").into_response();
    }
    (StatusCode::CREATED, bought.to_string()).into_response()
}

fn calls(world: &World, uri: &Uri, query: &Form, account: &str) -> Response {
    let bound = |name: &str| query.get(name).map(|day| day.parse::<jiff::civil::Date>().unwrap());
    let (first, end) = (bound("StartTime>"), bound("StartTime<"));
    let all = world.accounts[account].calls.iter();
    let found: Vec<Value> = all
        .filter(|one| {
            let day = rfc2822::parse(one["start_time"].as_str().unwrap()).unwrap().date();
            first.is_none_or(|first| day >= first) && end.is_none_or(|end| day < end)
        })
        .rev()
        .cloned()
        .collect();
    page(world, uri, query, "calls", &found)
}

fn page(world: &World, uri: &Uri, query: &Form, key: &str, all: &[Value]) -> Response {
    let at: usize = query.get("Page").map_or(0, |page| page.parse().unwrap());
    let shown: Vec<&Value> = all.iter().skip(at * world.page).take(world.page).collect();
    let next = (all.len() > (at + 1) * world.page).then(|| {
        let fields = query.fields().filter(|(name, _)| *name != "Page");
        let mut fields: Vec<(String, String)> =
            fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        fields.push(("Page".to_owned(), (at + 1).to_string()));
        format!("{}?{}", uri.path(), Form::from_fields(fields).encode())
    });
    ok(&json!({ key: shown, "page": at, "page_size": world.page, "next_page_uri": next }))
}
