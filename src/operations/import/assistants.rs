//! Rows of `voice_assistants` as assistants.

use std::collections::{HashMap, HashSet};

use super::{
    Home, Notes, State,
    report::Refused,
    values::{self, Unreadable},
};
use crate::{
    domain::{
        Ai, AssistantId, AssistantName, AssistantSpec, Billing, Hearing, Hours, HumanDuration,
        LanguageTag, Limits, ModelRef, Personality, PhoneNumber, Transfer, Voice, VoiceProvider,
    },
    providers::llm::{Models, ProviderSettings},
    store::{
        StoreError, Tx,
        imports::{self, Known, NewAssistant},
        prototype::{Row, Table, Value},
    },
};

/// What is taken, by whom.
struct Taken {
    ids: HashSet<i64>,
    names: HashSet<String>,
    phones: HashMap<PhoneNumber, AssistantName>,
    origins: HashMap<String, Home>,
}

impl Taken {
    fn new() -> Self {
        Self {
            ids: HashSet::new(),
            names: HashSet::new(),
            phones: HashMap::new(),
            origins: HashMap::new(),
        }
    }

    fn add(&mut self, known: &Known) {
        let spec = &known.spec;
        self.ids.insert(known.id.0);
        if let Some(origin) = &known.origin {
            self.origins.insert(origin.clone(), home(known.id, spec));
        }
        if !known.deleted {
            self.names.insert(spec.name.to_string());
            self.phones.insert(spec.phone.number.clone(), spec.name.clone());
        }
    }
}

fn home(id: AssistantId, spec: &AssistantSpec) -> Home {
    Home { id, phone: spec.phone.number.clone(), language: spec.voice.language.clone() }
}

/// Takes the assistants of one page, each whole or not at all.
pub(super) fn page(tx: &Tx, rows: &[Row], state: &mut State) -> Result<(), StoreError> {
    // Read again for every page: another program may have added assistants in between.
    let mut taken = Taken::new();
    imports::known(tx)?.iter().chain(&state.planned).for_each(|known| taken.add(known));
    state.largest_id = taken.ids.iter().copied().fold(state.largest_id, i64::max);
    let models = Models::new(ProviderSettings::default());
    for row in rows {
        let mut notes = Notes::new(Table::Assistants, row);
        let key = values::text(row.get("id")).ok().flatten();
        let origin = origin(row, key.as_deref());
        if let Some(home) = taken.origins.get(&origin) {
            state.report.assistants.present += 1;
            state.homes.extend(key.map(|key| (key, Some(home.clone()))));
            continue;
        }
        let spec = match spec(row, &taken, &models, &mut notes) {
            Ok(spec) => spec,
            Err(why) => {
                notes.refused(why, &mut state.report.assistants, &mut state.report.remarks);
                state.homes.extend(key.map(|key| (key, None)));
                continue;
            }
        };
        left_behind(row, &mut notes);
        let id = id(row, &taken, &mut state.largest_id, &mut notes);
        let made = row.get("created_at");
        let created_at = values::moment(made).unwrap_or_else(|Unreadable| {
            notes.replaced("created_at", made, "the time of the import");
            None
        });
        let created_at = created_at.unwrap_or(state.wishes.now);
        let known = Known { id, spec, deleted: false, origin: Some(origin.clone()) };
        taken.add(&known);
        state.homes.extend(key.map(|key| (key, Some(home(id, &known.spec)))));
        if state.wishes.dry_run {
            state.planned.push(known);
        } else {
            let new = NewAssistant { id, spec: known.spec, origin, created_at };
            let stamp = crate::store::versions::Stamp {
                at: state.wishes.now,
                author: &state.author,
                apply: None,
            };
            imports::insert_assistant(tx, &new, &stamp)?;
        }
        notes.taken(&mut state.report.assistants, &mut state.report.remarks);
    }
    Ok(())
}

/// What names the row for good: two prototypes both have an id 1, but not of the same microsecond.
fn origin(row: &Row, key: Option<&str>) -> String {
    let text = |column| values::text(row.get(column)).ok().flatten().unwrap_or_default();
    let mut made = text("created_at");
    if made.is_empty() {
        made = text("twilio_phone_number");
    }
    format!("prototype {} {made}", key.unwrap_or_default())
}

/// Larger ones are not exact in JSON.
const LARGEST_ID: i64 = (1 << 53) - 1;

/// The prototype's id where it is free: those who use the API know it.
fn id(row: &Row, taken: &Taken, largest: &mut i64, notes: &mut Notes) -> AssistantId {
    let wanted = match row.get("id") {
        Value::Integer(id) if (1..=LARGEST_ID).contains(id) => Some(*id),
        _ => None,
    };
    if let Some(id) = wanted.filter(|id| !taken.ids.contains(id)) {
        return AssistantId(id);
    }
    // Above those that rows still to come would keep.
    *largest = (*largest).clamp(0, LARGEST_ID) + 1;
    let why = if wanted.is_some() { "is the id of another assistant" } else { "is no usable id" };
    notes.changed("id", format!("{} {why}: it has {largest} here", values::shown(row.get("id"))));
    AssistantId(*largest)
}

fn spec(
    row: &Row,
    taken: &Taken,
    models: &Models,
    notes: &mut Notes,
) -> Result<AssistantSpec, Refused> {
    let client = client(row, notes)?;
    let phone = phone(row, taken)?;
    let spec = AssistantSpec {
        knowledge: Vec::new(),
        name: name(row, &client, taken, notes)?,
        client,
        email: email(row, notes),
        phone: phone.into(),
        context: optional(row, "ai_context", notes).unwrap_or_default(),
        timezone: None,
        active: active(row, notes),
        ai: Ai {
            model: model(row, models, notes),
            fallbacks: Vec::new(),
            personality: word(row, "ai_personality", Personality::Professional, notes),
            api_key: None,
            embeddings: None,
        },
        voice: Voice {
            language: word(row, "voice_language", LanguageTag::french(), notes),
            provider: word(row, "voice_provider", VoiceProvider::Twilio, notes),
            voice_id: optional(row, "voice_id", notes),
            ..Voice::default()
        },
        hearing: Hearing::default(),
        screening: crate::domain::Screening::default(),
        memory: crate::domain::Memory::default(),
        after: crate::domain::AfterCall::default(),
        hours: Hours::default(),
        facts: Vec::new(),
        booking: None,
        transfer: Transfer::default(),
        limits: Limits { max_call_duration: longest_call(row, notes), ..Limits::default() },
        billing: Billing::default(),
        compliance: crate::domain::Compliance::default(),
        twilio: crate::domain::TwilioAccount::default(),
        deliver: Vec::new(),
        tools: Vec::new(),
        outbound: None,
        alerts: Vec::new(),
    };
    spec.check().map_err(|error| Refused::new("", error.message()))?;
    Ok(spec)
}

fn client(row: &Row, notes: &mut Notes) -> Result<String, Refused> {
    const LONGEST: usize = 200;
    let value = row.get("client_name");
    let client = values::text(value).ok().flatten().ok_or_else(|| {
        Refused::new("client_name", format!("{} is no name", values::shown(value)))
    })?;
    if client.chars().count() <= LONGEST {
        return Ok(client);
    }
    notes.changed("client_name", format!("cut after {LONGEST} characters"));
    Ok(client.chars().take(LONGEST).collect())
}

fn phone(row: &Row, taken: &Taken) -> Result<PhoneNumber, Refused> {
    const FIELD: &str = "twilio_phone_number";
    let value = row.get(FIELD);
    let phone: PhoneNumber =
        values::text(value).ok().flatten().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Refused::new(FIELD, format!("{} is no phone number", values::shown(value)))
        })?;
    match taken.phones.get(&phone) {
        Some(other) => {
            Err(Refused::new(FIELD, format!("{phone} is the number of the assistant `{other}`")))
        }
        None => Ok(phone),
    }
}

/// A slug of the client's name, with a number behind it where another one has it.
fn name(
    row: &Row,
    client: &str,
    taken: &Taken,
    notes: &mut Notes,
) -> Result<AssistantName, Refused> {
    let base = AssistantName::from_client(client)
        .map_or_else(|| format!("assistant-{}", row.number), |name| name.to_string());
    let mut name = base.clone();
    let mut count = 1;
    while taken.names.contains(&name) {
        count += 1;
        let tail = format!("-{count}");
        let head: String = base.chars().take(63 - tail.len()).collect();
        name = format!("{}{tail}", head.trim_end_matches('-'));
    }
    if name != base {
        notes.changed("client_name", format!("named `{name}`: there is a `{base}` already"));
    }
    name.parse().map_err(|_| Refused::new("client_name", "no name can be made of it"))
}

fn email(row: &Row, notes: &mut Notes) -> Option<String> {
    let email = optional(row, "client_email", notes)?;
    let is_address = email.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !email.contains(char::is_whitespace)
    });
    if !is_address {
        notes.replaced("client_email", row.get("client_email"), "none: it is no e-mail address");
    }
    is_address.then_some(email)
}

fn active(row: &Row, notes: &mut Notes) -> bool {
    const FIELD: &str = "is_active";
    match values::boolean(row.get(FIELD)) {
        Ok(Some(active)) => active,
        Ok(None) => {
            notes.replaced(FIELD, row.get(FIELD), "active");
            true
        }
        Err(Unreadable) => {
            notes.replaced(FIELD, row.get(FIELD), "inactive: `webox assistants enable` changes it");
            false
        }
    }
}

fn model(row: &Row, models: &Models, notes: &mut Notes) -> ModelRef {
    const FIELD: &str = "ai_model";
    let Ok(Some(text)) = values::text(row.get(FIELD)) else {
        notes.replaced(FIELD, row.get(FIELD), "`builtin`");
        return ModelRef::builtin();
    };
    text.parse().ok().filter(|model| models.knows(model)).unwrap_or_else(|| {
        notes.replaced(FIELD, row.get(FIELD), "`builtin`: no such model is known");
        ModelRef::builtin()
    })
}

fn longest_call(row: &Row, notes: &mut Notes) -> HumanDuration {
    const FIELD: &str = "max_call_duration";
    let usual = Limits::default().max_call_duration;
    let value = row.get(FIELD);
    let asked = match values::number(value) {
        Ok(None) => return usual,
        Ok(Some(seconds)) => seconds,
        Err(Unreadable) => {
            notes.replaced(FIELD, value, &usual.to_string());
            return usual;
        }
    };
    let seconds = asked.round().clamp(30.0, 4.0 * 3600.0);
    let taken = HumanDuration::from_secs(seconds as u64);
    if (seconds - asked).abs() >= 1.0 {
        notes.replaced(FIELD, value, &format!("{taken}: 30s to 4h are allowed"));
    }
    taken
}

/// Text that may be missing.
fn optional(row: &Row, field: &'static str, notes: &mut Notes) -> Option<String> {
    values::text(row.get(field)).unwrap_or_else(|Unreadable| {
        notes.replaced(field, row.get(field), "nothing");
        None
    })
}

/// A word from a closed list, in any case; the usual one when it is missing or not on the list.
fn word<T: std::str::FromStr + AsWord>(
    row: &Row,
    field: &'static str,
    usual: T,
    notes: &mut Notes,
) -> T {
    let value = row.get(field);
    let Ok(text) = values::text(value) else {
        notes.replaced(field, value, &format!("`{}`", usual.word()));
        return usual;
    };
    let Some(text) = text else { return usual };
    // An enumeration of Python may be written by its own name: `VoiceProvider.GOOGLE`.
    let text = text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    text.parse().unwrap_or_else(|_| {
        notes.replaced(field, value, &format!("`{}`", usual.word()));
        usual
    })
}

trait AsWord {
    fn word(&self) -> &str;
}

impl AsWord for Personality {
    fn word(&self) -> &str {
        self.as_str()
    }
}

impl AsWord for VoiceProvider {
    fn word(&self) -> &str {
        self.as_str()
    }
}

impl AsWord for LanguageTag {
    fn word(&self) -> &str {
        self.as_str()
    }
}

/// What has no place here, where it says something.
fn left_behind(row: &Row, notes: &mut Notes) {
    let is_set = |field: &str| {
        *row.get(field) != Value::Null
            && values::text(row.get(field)).is_ok_and(|text| text.is_some())
    };
    if is_set("twilio_auth_token") {
        notes.left_behind(
            "twilio_auth_token",
            "a secret is never copied: set TWILIO_AUTH_TOKEN where `webox serve` runs",
        );
    }
    for (field, reason) in [
        ("twilio_account_sid", "webox has one account, the one of its TWILIO_AUTH_TOKEN"),
        ("owner_id", "assistants have no owner"),
        ("owner_email", "assistants have no owner"),
    ] {
        if is_set(field) {
            notes.left_behind(field, format!("{}: {reason}", values::shown(row.get(field))));
        }
    }
    for (field, noticed, reason) in [
        ("enable_recording", true, "on in the prototype: webox records no sound"),
        ("enable_transcription", false, "off in the prototype: webox always keeps the transcript"),
        (
            "fallback_to_human",
            true,
            "on in the prototype: give a number with `webox assistants edit NAME --transfer NUMBER`",
        ),
    ] {
        match values::boolean(row.get(field)) {
            Ok(Some(set)) if set == noticed => notes.left_behind(field, reason),
            Ok(_) => {}
            Err(Unreadable) => {
                let reason = format!("{} says neither on nor off", values::shown(row.get(field)));
                notes.left_behind(field, reason);
            }
        }
    }
}
