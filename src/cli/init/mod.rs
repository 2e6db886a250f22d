//! `webox init`: from nothing to a ringing number. On a terminal it asks; every answer can be a flag.
//! Run again, it changes what is answered otherwise, and leaves the rest; the file of an assistant is its
//! owner's from then on.

mod ask;
mod make;
mod overruled;
mod unit;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Context, context::shell_word, daemon, exit, help, output::Format, progress::Waiting};
use crate::{
    config::{Origin, PublicUrl, Settings},
    domain::{
        AccountSid, AssistantName, EmailAddress, Error, Kind, LanguageTag, ModelRef, PhoneNumber,
        Result, Secret,
    },
    provision::trades::Trade,
    store::Store,
    twilio::{access::Account, rest::RestError},
};

/// Arguments of `webox init`.
#[derive(Debug, Default, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox init", "on a terminal: asks for everything; in a script: makes the master key and the database, no more"),
        (
            "webox init --public-url https://calls.example.com --twilio-account AC… --twilio-token-file token.txt --admin claire@agence.fr --trade restaurant --client 'Le Gourmet' --phone '01 23 45 67 89'",
            "asks nothing; prints the admin's key, this once",
        ),
        ("pass show openai | webox init --key-file openai=-", "one more key, from stdin"),
        ("sudo webox init --systemd", "as a service: settings in /etc/webox, data in /var/lib/webox"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::UNAVAILABLE, exit::DENIED, exit::CONFIG],
))]
pub struct Init {
    /// The address Twilio reaches the daemon by.
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// The account at Twilio (AC…).
    #[arg(long, value_name = "SID")]
    twilio_account: Option<AccountSid>,
    /// A file with the account's auth token, or `-` for stdin; TWILIO_AUTH_TOKEN otherwise.
    #[arg(long, value_name = "FILE")]
    twilio_token_file: Option<PathBuf>,
    /// Do not ask Twilio whether it takes the token.
    #[arg(long)]
    offline: bool,
    /// A provider's key from a file, or from stdin for `-`: `openai=key.txt`. Once for each.
    #[arg(long = "key-file", value_name = "PROVIDER=FILE", value_parser = key_file)]
    key_files: Vec<(Provider, PathBuf)>,
    /// Add an admin of the API, and print its key.
    #[arg(long, value_name = "EMAIL")]
    admin: Option<EmailAddress>,
    /// Make a first assistant: restaurant, practice, garage, shop, studio or hotel.
    #[arg(long, value_name = "TRADE")]
    trade: Option<Trade>,
    /// Whom it works for.
    #[arg(long, value_name = "NAME", requires = "trade")]
    client: Option<String>,
    /// The number that it answers.
    #[arg(long, value_name = "NUMBER", requires = "trade")]
    phone: Option<PhoneNumber>,
    /// What it speaks [default: fr-FR].
    #[arg(long, value_name = "TAG", requires = "trade")]
    language: Option<LanguageTag>,
    /// Install a systemd unit, into this folder [default: /etc/systemd/system].
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = unit::USUAL)]
    systemd: Option<PathBuf>,
}

/// Providers whose keys may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Provider {
    Openai,
    Anthropic,
    Deepgram,
    Elevenlabs,
    Azure,
    Google,
}

impl Provider {
    const ALL: [Self; 6] = [
        Self::Openai,
        Self::Anthropic,
        Self::Deepgram,
        Self::Elevenlabs,
        Self::Azure,
        Self::Google,
    ];

    fn word(self) -> &'static str {
        self.key().trim_end_matches(".api_key")
    }

    /// Its key in the settings.
    const fn key(self) -> &'static str {
        match self {
            Self::Openai => "openai.api_key",
            Self::Anthropic => "anthropic.api_key",
            Self::Deepgram => "deepgram.api_key",
            Self::Elevenlabs => "elevenlabs.api_key",
            Self::Azure => "azure.api_key",
            Self::Google => "google.api_key",
        }
    }

    /// The model that a first assistant asks when there is a key for it.
    fn model(self) -> Option<ModelRef> {
        let prefix = format!("{}/", self.word());
        let usual = crate::providers::check::USUAL.iter().find(|name| name.starts_with(&prefix));
        usual.and_then(|name| name.parse().ok())
    }
}

fn key_file(text: &str) -> std::result::Result<(Provider, PathBuf), String> {
    let (provider, file) = text.split_once('=').ok_or("write it as PROVIDER=FILE")?;
    let words = || Provider::ALL.map(Provider::word).join(", ");
    let unknown = |_| format!("`{}` is none of {}", provider.trim(), words());
    let provider = Provider::from_str(provider.trim(), true).map_err(unknown)?;
    Ok((provider, PathBuf::from(file.trim())))
}

/// A provider's key.
struct Key {
    provider: Provider,
    secret: Secret,
}

/// A first assistant.
struct First {
    trade: Trade,
    client: String,
    phone: PhoneNumber,
    language: LanguageTag,
}

/// What flags and a person have said.
struct Answers {
    /// The settings file that is written.
    place: PathBuf,
    db: Option<PathBuf>,
    public_url: Option<PublicUrl>,
    twilio: Option<Account>,
    /// What is written as its token; nothing where those that are kept stay as they are.
    tokens: Option<Secret>,
    keys: Vec<Key>,
    admin: Option<EmailAddress>,
    first: Option<First>,
    unit: Option<PathBuf>,
}

/// What was done, for a script.
#[derive(Default)]
struct Done {
    settings: Option<PathBuf>,
    token: Option<Secret>,
    assistant: Option<AssistantName>,
    file: Option<PathBuf>,
    unit: Vec<PathBuf>,
    /// Secrets that were written: their keys in the settings, and the files.
    secrets: Vec<(String, PathBuf)>,
}

pub(super) fn run(args: &Init, context: &Context) -> Result<()> {
    let walks = context.may_ask();
    if !walks && args.is_empty() {
        context.here("init")?;
        let store = make::key_and_store(context)?;
        return tell(
            &Done { settings: context.settings()?.file.clone(), ..Done::default() },
            &store,
            context,
        );
    }
    let unit = match &args.systemd {
        Some(folder) => Some(folder.clone()),
        // Where everything is to be depends on it.
        None if walks => ask::service()?,
        None => None,
    };
    let place = place(unit.as_deref(), context)?;
    let settings = context.settings_with(|flags| {
        flags.config = Some(place.clone());
        flags.may_lack_file = true;
    })?;
    context.here_by(&settings, "init")?;
    let mut answers = given(args, place, unit, &settings)?;
    if !walks {
        args.complete(&answers)?;
    }
    if let Some(account) = &answers.twilio {
        match try_token(account, args, &settings, context)? {
            Outcome::Taken | Outcome::Untried => {}
            Outcome::Refused(why) => {
                return Err(Error::new(Kind::Denied, why)
                    .hint("copy the SID and the auth token again from Twilio's console"));
            }
            Outcome::Unreachable(why) => {
                return Err(Error::unavailable(why)
                    .hint("try again, or leave the token untried with --offline"));
            }
        }
    }
    if walks {
        ask::walk(args, &mut answers, &settings, context)?;
    }
    // Settings that name no database would keep every later command from starting.
    make::can_be_opened(answers.db.as_deref().unwrap_or(&settings.db.value))?;
    let mut done = make::write(&answers, context)?;
    overruled::warn(&answers, context)?;
    let store = make::key_and_store(context)?;
    if let Some(first) = &answers.first {
        if let Err(error) = first.phone.may_be_a_machines() {
            context.out.warn(&format!("{error}: take a geographic or national number for it"));
        }
        let (name, file) = make::assistant(first, &answers, context)?;
        (done.assistant, done.file) = (Some(name), file);
    }
    if let Some(folder) = &answers.unit {
        let files = unit::install(folder, context.settings()?, &answers.place, &done.secrets)?;
        for file in &files {
            context.out.note(&format!("Wrote {}.", file.display()));
        }
        if unit::runs_as_root(&context.settings()?.db.value) {
            context.out.warn(
                "the daemon will run as root, whom the folder of the database belongs to: give the folder \
                 to a user of its own and run this again, or keep the database in /var/lib/webox",
            );
        }
        done.unit = files;
    }
    // Last: its key is shown once, when nothing can fail any more.
    if let Some(email) = &answers.admin {
        done.token = make::admin(email, context)?;
    }
    next(&answers, &done, context)?;
    tell(&done, &store, context)
}

impl Init {
    /// Whether no flag says anything.
    fn is_empty(&self) -> bool {
        self.public_url.is_none()
            && self.twilio_account.is_none()
            && self.twilio_token_file.is_none()
            && self.key_files.is_empty()
            && self.admin.is_none()
            && self.trade.is_none()
            && self.systemd.is_none()
    }

    /// Refuses flags that leave open what nobody is there to be asked for.
    fn complete(&self, answers: &Answers) -> Result<()> {
        let missing = |what: &str, hint: &str| {
            Err(Error::usage(format!("{what}, and nobody is there to ask")).hint(hint))
        };
        if self.twilio_account.is_some() && answers.twilio.is_none() {
            return missing(
                "the account's auth token is missing",
                "name a file with it, --twilio-token-file FILE, or set TWILIO_AUTH_TOKEN",
            );
        }
        if self.trade.is_some() && answers.first.is_none() {
            return missing(
                "a first assistant needs --client and --phone",
                "see `webox init --help`",
            );
        }
        Ok(())
    }
}

/// The settings file to write: the one in force, else the machine's for a service, else the user's.
fn place(unit: Option<&Path>, context: &Context) -> Result<PathBuf> {
    let place = context.settings_place().ok_or_else(|| {
        Error::config("there is no home folder to keep settings in")
            .hint("name a file with --config")
    })?;
    let is_usual = Settings::usual_places(context.environment()).contains(&place);
    let serves = unit.is_some_and(|folder| folder == Path::new(unit::USUAL));
    if serves && is_usual && !place.exists() {
        return Ok(unit::SETTINGS.into());
    }
    Ok(place)
}

/// What flags and the environment say.
fn given(
    args: &Init,
    place: PathBuf,
    unit: Option<PathBuf>,
    settings: &Settings,
) -> Result<Answers> {
    let sid = args.twilio_account.clone().or(settings.twilio.account_sid.value.clone());
    let from_file = args.twilio_token_file.as_deref().map(ask::from_file).transpose()?;
    // A service sees nothing of what this shell has in its environment.
    let is_here_alone =
        |origin: &Origin| unit.is_some() && matches!(origin, Origin::Environment(_));
    let named = args.twilio_account.is_some()
        || from_file.is_some()
        || is_here_alone(&settings.twilio.auth_tokens.origin)
        || is_here_alone(&settings.twilio.account_sid.origin);
    let public_url = args.public_url.clone().or_else(|| {
        let url = settings.public_url.value.clone();
        url.filter(|_| is_here_alone(&settings.public_url.origin))
    });
    if from_file.is_some() && sid.is_none() {
        return Err(
            Error::usage("whose token is it?").hint("name the account: --twilio-account AC…")
        );
    }
    let tokens = from_file.clone().or_else(|| kept_tokens(settings, unit.is_some()));
    let token = from_file.or_else(|| settings.twilio.auth_tokens.value.first().cloned());
    let twilio = sid.zip(token).filter(|_| named);
    let twilio = twilio.map(|(sid, token)| Account { sid, credential: token.into() });
    let keys = args
        .key_files
        .iter()
        .map(|(provider, path)| Ok(Key { provider: *provider, secret: ask::from_file(path)? }));
    let first = match (args.trade, &args.client, &args.phone) {
        (Some(trade), Some(client), Some(phone)) => Some(First {
            trade,
            client: client.clone(),
            phone: phone.clone(),
            language: args.language.clone().unwrap_or_else(LanguageTag::french),
        }),
        _ => None,
    };
    let is_service = place == Path::new(unit::SETTINGS) && unit.is_some();
    let flagged = matches!(settings.db.origin, Origin::Flag(_));
    let usual = matches!(settings.db.origin, Origin::Default);
    let db = if flagged {
        Some(settings.db.value.clone())
    } else {
        (is_service && usual).then(|| unit::DATA.into())
    };
    Ok(Answers {
        place,
        db,
        public_url,
        twilio,
        tokens,
        keys: keys.collect::<Result<_>>()?,
        admin: args.admin.clone(),
        first,
        unit,
    })
}

/// The tokens of the account that are to be written into the settings: those that this environment alone
/// knows. What the settings name stays where it is, however many they are; but a service sees no variable.
fn kept_tokens(settings: &Settings, is_service: bool) -> Option<Secret> {
    let tokens = &settings.twilio.auth_tokens;
    let texts: Vec<&str> = tokens.value.iter().map(Secret::expose).collect();
    let is_here_alone = match &tokens.origin {
        Origin::Environment(name) => is_service || name.starts_with("TWILIO_AUTH_TOKEN"),
        _ => false,
    };
    (is_here_alone && !texts.is_empty()).then(|| Secret::new(texts.join(",")))
}

/// What came of trying a token.
enum Outcome {
    Taken,
    Untried,
    Refused(String),
    Unreachable(String),
}

fn try_token(
    account: &Account,
    args: &Init,
    settings: &Settings,
    context: &Context,
) -> Result<Outcome> {
    if args.offline {
        return Ok(Outcome::Untried);
    }
    let rest = daemon::twilio(settings)?.rest;
    let waiting = Waiting::begin(context, "asking Twilio");
    let runtime = daemon::runtime()?;
    let taken = runtime.block_on(rest.takes(account));
    runtime.shutdown_background();
    drop(waiting);
    Ok(match taken {
        Ok(()) => {
            context.out.note(&format!("Twilio takes the token of {}.", account.sid));
            Outcome::Taken
        }
        Err(RestError::Refused(refusal)) if matches!(refusal.status, 401 | 403 | 404) => {
            Outcome::Refused(RestError::Refused(refusal).to_string())
        }
        Err(error) => Outcome::Unreachable(error.to_string()),
    })
}

/// What is left to do, in order.
fn next(answers: &Answers, done: &Done, context: &Context) -> Result<()> {
    let settings = context.settings()?;
    let places = context.places();
    let mut steps: Vec<(String, &str)> = Vec::new();
    let mut step = |command: &str, why| {
        steps.push(match command.strip_prefix("webox ") {
            Some(rest) => (format!("webox{places} {rest}"), why),
            None => (command.to_owned(), why),
        });
    };
    if settings.public_url.value.is_none() {
        step("webox init --public-url https://…", "the address that Twilio is to call");
    }
    if settings.twilio.auth_tokens.value.is_empty() {
        step("webox init --twilio-account AC… …", "or nobody who calls is believed");
    }
    if let (Some(name), Some(file)) = (&done.assistant, &done.file) {
        step(&format!("webox try {name}"), "talk to it by typing");
        step(&format!("webox apply {}", shell_word(file)), "after its file was completed");
    }
    if answers.unit.is_some() {
        step("systemctl daemon-reload", "the unit is known");
        step("systemctl enable --now webox", "answer the phone, now and after a restart");
    } else {
        step("webox serve", "answer the phone");
    }
    let name = done.assistant.as_ref().map_or("NAME", AssistantName::as_str);
    step(&format!("webox numbers connect {name}"), "Twilio sends its calls here");
    step("webox doctor", "is everything as it must be?");
    context.out.note("Next:");
    let widest = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    for (command, why) in &steps {
        context.out.note(&format!("  {command:<widest$}  {why}"));
    }
    Ok(())
}

/// Data on stdout: the admin's key, which is shown this once, or everything for a script.
fn tell(done: &Done, store: &Store, context: &Context) -> Result<()> {
    let path = |path: &PathBuf| Value::from(path.display().to_string());
    match context.out.format() {
        Format::Json | Format::Jsonl => context.out.object(
            "init",
            json!({
                "settings": done.settings.as_ref().map(path),
                "db": store.path().display().to_string(),
                "master_key": context.settings()?.master_key.to_string(),
                "admin_token": done.token.as_ref().map(Secret::expose),
                "assistant": done.assistant.as_ref().map(AssistantName::as_str),
                "file": done.file.as_ref().map(path),
                "unit": done.unit.iter().map(path).collect::<Vec<_>>(),
            }),
        ),
        _ => match &done.token {
            None => Ok(()),
            Some(key) => {
                context.out.note("The admin's key. This is the only time that it is shown:");
                context.out.text(&format!("{}\n", key.expose()))
            }
        },
    }
}
