//! The questions of the walk: each for what no flag has answered.

use std::path::PathBuf;

use super::{Answers, First, Init, Key, Outcome, Provider, kept_tokens, try_token, unit};
use crate::{
    cli::{Context, prompt},
    config::{PublicUrl, Settings},
    domain::{
        AccountSid, AssistantName, EmailAddress, Error, LanguageTag, PhoneNumber, Result, Secret,
    },
    provision::trades::Trade,
    twilio::access::Account,
};

/// Walks through what is still open.
pub(super) fn walk(
    args: &Init,
    answers: &mut Answers,
    settings: &Settings,
    context: &Context,
) -> Result<()> {
    let is_new = !answers.place.exists();
    context.out.say("Enter takes what stands in brackets, or leaves out what may be left out.");
    if answers.db.is_none() && is_new {
        let usual = settings.db.value.display().to_string();
        let db = prompt::line("Database", Some(&usual), filled)?;
        let home = context.environment().path("HOME");
        answers.db = Some(db).filter(|db| *db != usual).map(|db| {
            // No shell reads what is answered here.
            match (db.strip_prefix("~/"), home) {
                (Some(below), Some(home)) => home.join(below),
                _ => db.into(),
            }
        });
    }
    if answers.public_url.is_none() {
        let known = settings.public_url.value.as_ref().map(ToString::to_string);
        let question = "Public URL, such as https://calls.example.com (may be empty)";
        let check = |text: &str| optional(text, |text| text.parse::<PublicUrl>().map(|_| ()));
        let url = prompt::line(question, known.as_deref(), check)?;
        answers.public_url = read(&url)?;
    }
    if answers.twilio.is_none()
        && args.twilio_token_file.is_none()
        && let Some((account, tokens)) = account(args, answers.unit.is_some(), settings, context)?
    {
        (answers.twilio, answers.tokens) = (Some(account), tokens);
    }
    if answers.admin.is_none() {
        let question = "E-mail of the first admin of the API (may be empty)";
        let check = |text: &str| optional(text, |text| text.parse::<EmailAddress>().map(|_| ()));
        answers.admin = read(&prompt::line(question, None, check)?)?;
    }
    keys(answers)?;
    if answers.first.is_none() {
        answers.first = first(args, is_new)?;
    }
    Ok(())
}

/// Whether webox is to be a service: asked of who could make it one.
pub(super) fn service() -> Result<Option<PathBuf>> {
    if !unit::is_there() || !unit::is_root() {
        return Ok(None);
    }
    let wanted = prompt::again("Run webox as a service of this machine (systemd)?")?;
    Ok(wanted.then(|| unit::USUAL.into()))
}

/// An account and its token, tried until Twilio takes it; and what of that is to be written.
fn account(
    args: &Init,
    is_service: bool,
    settings: &Settings,
    context: &Context,
) -> Result<Option<(Account, Option<Secret>)>> {
    let mut known = args.twilio_account.clone().or(settings.twilio.account_sid.value.clone());
    loop {
        let shown = known.as_ref().map(ToString::to_string);
        let question = "Twilio account SID, AC… (may be empty)";
        let check = |text: &str| optional(text, |text| text.parse::<AccountSid>().map(|_| ()));
        let Some(sid) = read::<AccountSid>(&prompt::line(question, shown.as_deref(), check)?)?
        else {
            return Ok(None);
        };
        known = Some(sid.clone());
        let kept = settings.twilio.auth_tokens.value.first();
        let question = if kept.is_some() {
            "Auth token (empty: the one that is kept)"
        } else {
            "Auth token (hidden)"
        };
        let typed = prompt::hidden(question)?;
        let Some(token) = typed.clone().or_else(|| kept.cloned()) else {
            context.out.say("Without its token no webhook of the account could be believed.");
            continue;
        };
        let tokens = typed.or_else(|| kept_tokens(settings, is_service));
        let account = Account { sid, credential: token.into() };
        match try_token(&account, args, settings, context)? {
            Outcome::Taken | Outcome::Untried => return Ok(Some((account, tokens))),
            Outcome::Refused(why) => {
                context.out.say(&format!("{why}. Copy both from Twilio's console."));
            }
            Outcome::Unreachable(why) => {
                context.out.say(&format!("{why}."));
                if prompt::again("Keep them untried?")? {
                    return Ok(Some((account, tokens)));
                }
            }
        }
    }
}

/// Keys of providers, until there are no more.
fn keys(answers: &mut Answers) -> Result<()> {
    let words: Vec<&str> = std::iter::once("none, or no more")
        .chain(Provider::ALL.iter().map(|one| one.word()))
        .collect();
    while let Some(at) = prompt::choice("A provider's key", &words, 0)?.checked_sub(1) {
        let provider = Provider::ALL[at];
        if let Some(secret) = prompt::hidden(&format!("Key of {} (hidden)", provider.word()))? {
            answers.keys.retain(|key| key.provider != provider);
            answers.keys.push(Key { provider, secret });
        }
    }
    Ok(())
}

/// The first assistant. Where webox was set up before, none is made unasked.
fn first(args: &Init, is_new: bool) -> Result<Option<First>> {
    let trade = if let Some(trade) = args.trade {
        trade
    } else {
        let words: Vec<&str> =
            Trade::ALL.iter().map(|trade| trade.as_str()).chain(["none for now"]).collect();
        let usual = if is_new { 0 } else { words.len() - 1 };
        let chosen = prompt::choice("A first assistant, by trade", &words, usual)?;
        let Some(trade) = Trade::ALL.get(chosen) else { return Ok(None) };
        *trade
    };
    let Some(client) = client(args)? else { return Ok(None) };
    let phone = if let Some(phone) = &args.phone {
        phone.clone()
    } else {
        let check = |text: &str| text.parse::<PhoneNumber>().map(|_| ());
        prompt::line("Number callers dial", None, check)?.parse()?
    };
    let language = if let Some(language) = &args.language {
        language.clone()
    } else {
        let check = |text: &str| text.parse::<LanguageTag>().map(|_| ());
        prompt::line("Language", Some("fr-FR"), check)?.parse()?
    };
    Ok(Some(First { trade, client, phone, language }))
}

/// For whom the first assistant works; nobody, where it is left out at the last moment.
fn client(args: &Init) -> Result<Option<String>> {
    if args.client.is_some() {
        return Ok(args.client.clone());
    }
    let is_named = |text: &str| {
        let name = AssistantName::from_client(text);
        name.map(|_| ()).ok_or_else(|| Error::input("an assistant works for somebody"))
    };
    if args.trade.is_some() {
        return prompt::line("Client", None, is_named).map(Some);
    }
    let question = "Client (Enter: no assistant for now)";
    let client = prompt::line(question, None, |text| optional(text, is_named))?;
    Ok(Some(client).filter(|client| !client.is_empty()))
}

fn filled(text: &str) -> Result<()> {
    if text.is_empty() { Err(Error::input("this cannot be empty")) } else { Ok(()) }
}

fn optional(text: &str, check: impl Fn(&str) -> Result<()>) -> Result<()> {
    if text.is_empty() { Ok(()) } else { check(text) }
}

fn read<T: std::str::FromStr<Err = Error>>(text: &str) -> Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

/// A secret from a file, or from stdin for `-`.
pub(super) fn from_file(path: &std::path::Path) -> Result<Secret> {
    use std::io::Read as _;
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(64 * 1024).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(64 * 1024).read_to_string(&mut text))
    };
    let shown = if path.as_os_str() == "-" { "stdin".into() } else { path.display().to_string() };
    read.map_err(|cause| {
        Error::input(format!("the secret cannot be read from {shown}")).because(cause)
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(
            Error::input(format!("{shown} is empty")).hint("the secret stands there, alone")
        );
    }
    Ok(Secret::new(text))
}
