//! What is made: files of secrets, the settings, the master key, the database, an admin, an assistant.

use std::path::{Path, PathBuf};

use super::{Answers, Done, First, unit};
use crate::{
    cli::{Context, plan},
    config::{self, Written},
    domain::{
        AssistantName, EmailAddress, Error, KeySource, Kind, ModelRef, Result, Role, Scope, Secret,
    },
    files,
    operations::{accounts::Wanted, provisioning, secrets},
    provision::trades,
    store::{Options, Store},
    vault::Vault,
};

/// Writes secrets, each into its file, and the settings that name them.
pub(super) fn write(answers: &Answers, context: &Context) -> Result<Done> {
    let mut keys: Vec<(&str, Written)> = Vec::new();
    if let Some(db) = &answers.db {
        let db = std::path::absolute(db).unwrap_or_else(|_| db.clone());
        keys.push(("db", Written::Text(db.display().to_string())));
    }
    if let Some(url) = &answers.public_url {
        keys.push(("public_url", Written::Text(url.to_string())));
    }
    let folder = answers.place.parent().unwrap_or(Path::new(""));
    let mut written = Vec::new();
    let mut keep = |key: &'static str, secret: &Secret| -> Result<()> {
        let name = unit::secret_name(key);
        keep_secret(&folder.join(&name), secret)?;
        written.push((key.to_owned(), folder.join(&name)));
        keys.push((key, Written::InFile(name)));
        Ok(())
    };
    if let (Some(_), Some(tokens)) = (&answers.twilio, &answers.tokens) {
        keep("twilio.auth_token", tokens)?;
    }
    for key in &answers.keys {
        keep(key.provider.key(), &key.secret)?;
    }
    if let Some(account) = &answers.twilio {
        keys.push(("twilio.account_sid", Written::Text(account.sid.to_string())));
    }
    // The unit names it, and a service that finds none does not start.
    let is_wanted = answers.unit.is_some() && !answers.place.exists();
    if keys.is_empty() && !is_wanted {
        let there = answers.place.exists().then(|| answers.place.clone());
        return Ok(Done { settings: there, ..Done::default() });
    }
    let place = answers.place.display();
    if config::write(&answers.place, &keys)? {
        context.out.note(&format!("Wrote the settings {place}."));
    } else {
        context.out.note(&format!("The settings {place} say so already."));
        if !written.is_empty() {
            context.out.note(
                "The secrets beside them are written anew: a daemon that runs takes them on SIGHUP; one \
                 under systemd, with `systemctl restart webox`.",
            );
        }
    }
    Ok(Done { settings: Some(answers.place.clone()), secrets: written, ..Done::default() })
}

fn keep_secret(path: &Path, secret: &Secret) -> Result<()> {
    let failed = |cause: std::io::Error| {
        Error::config(format!("the secret cannot be kept in {}", path.display()))
            .hint("run as who may write there, or name other settings with --config")
            .because(cause)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::create_dir_all(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    files::replace(path, format!("{}\n", secret.expose()).as_bytes(), 0o600).map_err(failed)
}

/// Whether what is there, if anything is, is a database.
pub(super) fn can_be_opened(db: &Path) -> Result<()> {
    if db.exists() {
        Store::open(db, Options { begins: false, ..Options::terminal() })?;
    }
    Ok(())
}

/// The master key and the database, made where there is none.
pub(super) fn key_and_store(context: &Context) -> Result<Store> {
    let source = context.settings()?.master_key.clone();
    let store = context.store_to_fill()?;
    if let KeySource::File(path) = &source
        && !path.exists()
        && let Some(lost) = secrets::first_sealed(&store)?
    {
        return Err(Error::config(format!(
            "{} is not there, and this database has secrets that need it: `{lost}` is one",
            path.display()
        ))
        .hint("put the key back from your copy; if it is lost, delete these secrets (`webox secrets`) and run this again"));
    }
    match &source {
        KeySource::File(path) => {
            if Vault::init(path)? {
                context.out.note(&format!("Made the master key {}.", path.display()));
                context.out.note(
                    "Keep a copy apart from the database: without it, kept secrets cannot be read.",
                );
            } else {
                context.out.note(&format!("The master key {} is there already.", path.display()));
            }
        }
        elsewhere => {
            let id = Vault::new(elsewhere.clone()).key_in_force()?;
            context.out.note(&format!("The master key {id} comes from {elsewhere}."));
        }
    }
    context.out.note(&format!("The database is {}.", store.path().display()));
    Ok(store)
}

/// An admin and a key; no second key for one who is there already.
pub(super) fn admin(email: &EmailAddress, context: &Context) -> Result<Option<Secret>> {
    let desk = context.desk_to_fill("init")?;
    if let Some(user) = desk.users()?.into_iter().find(|user| user.email == *email) {
        if user.role != Role::Admin {
            return Err(Error::new(
                Kind::Refused,
                format!("the user `{email}` is there already, and is no admin"),
            )
            .hint(format!(
                "`webox users set-role {email} --role admin` makes them one, or name another address"
            )));
        }
        context.out.note(&format!(
            "The user `{email}` is there already; another key: `webox tokens create --user {email} --name … --scope admin`."
        ));
        return Ok(None);
    }
    desk.add_user(email.clone(), Role::Admin)?;
    let wanted = Wanted {
        email: email.clone(),
        name: "init".to_owned(),
        scope: Scope::Admin,
        expires_at: None,
    };
    let (_, key) = desk.create_token(wanted)?;
    context.out.note(&format!("Added the admin `{email}`."));
    Ok(Some(key))
}

/// Writes the file of the first assistant and applies it. One that is there already stays as it is, in
/// the database or in a file.
pub(super) fn assistant(
    first: &First,
    answers: &Answers,
    context: &Context,
) -> Result<(AssistantName, Option<PathBuf>)> {
    let name = AssistantName::from_client(&first.client).ok_or_else(|| {
        Error::usage(format!("no name can be made from `{}`", first.client.escape_debug()))
            .hint("give the client's name with letters: --client")
    })?;
    let folder = answers.place.parent().unwrap_or(Path::new("")).join("assistants");
    let file = folder.join(format!("{name}.toml"));
    let is_written = file.exists();
    let desk = context.desk_to_fill("init")?;
    let there = desk.assistants()?;
    if let Some(one) = there.iter().find(|one| one.assistant.spec.name == name) {
        context.out.warn(&format!(
            "the assistant `{name}` is there already, and stays as it is: `--trade`, `--client`, `--phone` \
             and `--language` are for a new one"
        ));
        context.out.note(&format!("`{name}` answers {}.", one.assistant.spec.phone.number));
        return Ok((name, is_written.then_some(file)));
    }
    if is_written {
        context.out.warn(&format!(
            "the file {} is there already, and stays as it is, not applied: `--trade`, `--client`, `--phone` \
             and `--language` are for a new one. Look it over, then `webox apply` it",
            file.display()
        ));
        return Ok((name, Some(file)));
    }
    if let Some(holder) = there.iter().find(|one| one.assistant.spec.phone.number == first.phone) {
        let holder = &holder.assistant.spec.name;
        return Err(Error::conflict(format!(
            "{} is the number of the assistant `{holder}`",
            first.phone
        ))
        .hint("give this one another: --phone"));
    }
    let model = answers.keys.iter().find_map(|key| key.provider.model());
    let text = trades::first(
        first.trade,
        &trades::First {
            name: name.clone(),
            client: first.client.trim().to_owned(),
            phone: first.phone.clone(),
            language: first.language.clone(),
            model: model.unwrap_or_else(ModelRef::builtin),
        },
    )?;
    std::fs::create_dir_all(&folder)
        .and_then(|()| files::replace(&file, text.as_bytes(), 0o644))
        .map_err(|cause| {
        let denied = cause.kind() == std::io::ErrorKind::PermissionDenied;
        let kind = if denied { Kind::Denied } else { Kind::Failure };
        Error::new(kind, format!("the assistant cannot be written to {}", file.display()))
            .hint("run as who may write there, or name other settings with --config")
            .because(cause)
    })?;
    let apply = || {
        let plan = plan::make(desk.as_ref(), std::slice::from_ref(&file), false, context)?;
        provisioning::check(&plan, &provisioning::Consent { overwrite: false, max_deletes: None })?;
        desk.apply(plan, file.display().to_string(), None)
    };
    if let Err(error) = apply() {
        // One that is not in force would stand in the way of another try.
        let _ = std::fs::remove_file(&file);
        return Err(error);
    }
    let phone = desk.assistant(name.as_str())?.spec.phone.number;
    context.out.note(&format!("`{name}` answers {phone}: {}.", file.display()));
    Ok((name, Some(file)))
}
