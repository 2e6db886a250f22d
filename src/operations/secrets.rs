//! Secrets in webox's own keeping: set, list, delete, find for use. None is ever shown again.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{accounts, audit};
use crate::{
    domain::{Actor, EmailAddress, Error, Kind, Result, Secret, SecretRef, UserId},
    store::{
        Store, assistants,
        audit::Deed,
        secrets::{self, SecretRow},
        versions,
    },
    vault::{Sealed, Vault},
};

/// The longest value: a private key with its certificate fits.
const LARGEST: usize = 64 * 1024;

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it is called, in files `{ secret = "NAME" }`.
    pub name: String,
    /// Whose assistants may use it; the agency's own otherwise.
    pub user: Option<EmailAddress>,
    /// Since when it is kept.
    pub created_at: Timestamp,
    /// When it was last set.
    pub updated_at: Timestamp,
    /// Which master key it needs.
    pub key_id: String,
}

/// The store's secrets, and what opens them.
#[derive(Debug, Clone)]
pub struct Secrets {
    vault: Arc<Vault>,
}

impl Secrets {
    /// With a vault, which need not have its key yet.
    pub fn new(vault: Vault) -> Self {
        Self { vault: Arc::new(vault) }
    }

    /// What seals them.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Keeps a secret, in place of one that has its name.
    pub fn set(
        &self,
        store: &Store,
        actor: &Actor,
        email: Option<&EmailAddress>,
        name: &str,
        value: &Secret,
        now: Timestamp,
    ) -> Result<()> {
        actor.may_write()?;
        let owner = owner(store, actor, email, now)?;
        self.put(store, actor, owner, name, value, now)
    }

    /// The same for an assistant that the actor may change: whose it is, its secret is.
    pub fn put(
        &self,
        store: &Store,
        actor: &Actor,
        owner: Option<UserId>,
        name: &str,
        value: &Secret,
        now: Timestamp,
    ) -> Result<()> {
        actor.may_write()?;
        check(name, value)?;
        // Whoever cannot seal need not wait for the store.
        self.vault.key_in_force()?;
        let (vault, actor) = (Arc::clone(&self.vault), actor.clone());
        let (name, value) = (name.to_owned(), value.clone());
        store.write(move |tx| {
            let store_id = versions::store_id(tx)?;
            let sealed = vault.seal(&identity(&store_id, owner, &name), &value)?;
            let before = secrets::get(tx, owner, &name)?;
            let row = SecretRow {
                owner,
                name: name.clone(),
                key_id: sealed.key_id.clone(),
                wrapped: sealed.wrapped.clone(),
                sealed: sealed.sealed.clone(),
                created_at: before.as_ref().map_or(now, |row| row.created_at),
                updated_at: now,
            };
            secrets::put(tx, &row)?;
            let set = |there: bool| if there { json!("***") } else { Value::Null };
            let deed = deed("secret.set", owner, &name, set(before.is_some()), set(true));
            audit::record(tx, &actor, now, &deed)
        })
    }

    /// The value of a secret, for use: an assistant finds those of its owner, and no others.
    pub fn find(&self, store: &Store, owner: Option<UserId>, name: &str) -> Result<Secret> {
        match self.open(store, owner, name) {
            // The key may have been replaced after the row was read.
            Err(error) if error.kind() == Kind::Config => self.open(store, owner, name),
            found => found,
        }
    }

    fn open(&self, store: &Store, owner: Option<UserId>, name: &str) -> Result<Secret> {
        let (store_id, row) =
            store.read(|tx| Ok((versions::store_id(tx)?, secrets::get(tx, owner, name)?)))?;
        let row = row.ok_or_else(|| unknown(name))?;
        let sealed = Sealed { key_id: row.key_id, wrapped: row.wrapped, sealed: row.sealed };
        self.vault.open(&identity(&store_id, owner, name), &sealed)
    }

    /// The value that a reference means: in the environment, in a file, or in our keeping.
    pub fn resolve(
        &self,
        store: &Store,
        owner: Option<UserId>,
        reference: &SecretRef,
    ) -> Result<Secret> {
        let found = match reference {
            SecretRef::Env(name) => std::env::var(name).ok(),
            SecretRef::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(cause) => {
                    return Err(Error::config(format!("the secret {reference} cannot be read"))
                        .hint("let the user that webox runs as read it")
                        .because(cause));
                }
            },
            SecretRef::Secret(name) => return self.find(store, owner, name),
        };
        match found.as_deref().map(str::trim) {
            Some(value) if !value.is_empty() => Ok(Secret::new(value)),
            _ => Err(Error::config(format!("the secret {reference} is not there, or empty"))
                .hint("put it there, on the machine of the daemon")),
        }
    }

    /// Whether every secret opens: an error that names the first that does not. Before a new key is
    /// made, which would not help.
    pub fn check_all(&self, store: &Store, actor: &Actor) -> Result<()> {
        actor.may_administer()?;
        let vault = Arc::clone(&self.vault);
        // As a writer: rows and keys are of one moment, since keys are dropped by writers only.
        store.write(move |tx| {
            let store_id = versions::store_id(tx)?;
            for row in secrets::list(tx)? {
                let name = identity(&store_id, row.owner, &row.name);
                let sealed =
                    Sealed { key_id: row.key_id, wrapped: row.wrapped, sealed: row.sealed };
                vault.open(&name, &sealed)?;
            }
            Ok(())
        })
    }

    /// How many secrets there are, and those that do not open, each with why. Nothing is written.
    pub fn unopened(&self, store: &Store) -> Result<(usize, Vec<(String, Error)>)> {
        let (store_id, rows) =
            store.read(|tx| Ok((versions::store_id(tx)?, secrets::list(tx)?)))?;
        let all = rows.len();
        let broken = rows.into_iter().filter_map(|row| {
            let name = identity(&store_id, row.owner, &row.name);
            let sealed = Sealed { key_id: row.key_id, wrapped: row.wrapped, sealed: row.sealed };
            Some((row.name, self.vault.open(&name, &sealed).err()?))
        });
        Ok((all, broken.collect()))
    }

    /// Takes out the master keys that no secret of this store needs any more. Other stores may.
    pub fn drop_old_keys(&self, store: &Store, actor: &Actor) -> Result<()> {
        actor.may_administer()?;
        let vault = Arc::clone(&self.vault);
        store.write(move |tx| {
            let needed: Vec<String> =
                secrets::list(tx)?.into_iter().map(|row| row.key_id).collect();
            Ok(vault.drop_old_keys(&needed)?)
        })
    }

    /// Wraps all keys anew with the master key in force; answers how many were not.
    pub fn rewrap(&self, store: &Store, actor: &Actor, now: Timestamp) -> Result<u64> {
        actor.may_administer()?;
        let (vault, actor) = (Arc::clone(&self.vault), actor.clone());
        store.write(move |tx| {
            let store_id = versions::store_id(tx)?;
            let mut changed = 0_u64;
            for row in secrets::list(tx)? {
                let sealed = Sealed {
                    key_id: row.key_id.clone(),
                    wrapped: row.wrapped.clone(),
                    sealed: row.sealed.clone(),
                };
                let name = identity(&store_id, row.owner, &row.name);
                if let Some(Sealed { key_id, wrapped, sealed }) = vault.rewrap(&name, &sealed)? {
                    secrets::put(tx, &SecretRow { key_id, wrapped, sealed, ..row })?;
                    changed += 1;
                }
            }
            let deed = Deed {
                action: "secret.rotate-key",
                target: "secrets".to_owned(),
                before: Value::Null,
                after: json!({ "rewrapped": changed, "key": vault.key_in_force()? }),
            };
            audit::record(tx, &actor, now, &deed)?;
            Ok(changed)
        })
    }
}

/// The secrets that the actor may use: names and times, never values.
pub fn list(
    store: &Store,
    actor: &Actor,
    email: Option<&EmailAddress>,
    now: Timestamp,
) -> Result<Vec<Kept>> {
    // All of them are shown to who may do anything, unless one user's are asked for.
    let only = match (email, actor.sees_all()) {
        (None, true) => None,
        _ => Some(owner(store, actor, email, now)?),
    };
    store.read(|tx| {
        let users = crate::store::users::list(tx, now)?;
        let email = |id: UserId| users.iter().find(|user| user.id == id).map(|u| u.email.clone());
        Ok(secrets::list(tx)?
            .into_iter()
            .filter(|row| only.is_none_or(|owner| row.owner == owner))
            .map(|row| Kept {
                name: row.name,
                user: row.owner.and_then(email),
                created_at: row.created_at,
                updated_at: row.updated_at,
                key_id: row.key_id,
            })
            .collect())
    })
}

/// The name of a secret that some master key is needed for, if there is one.
pub fn first_sealed(store: &Store) -> Result<Option<String>> {
    store.read(|tx| Ok(secrets::list(tx)?.into_iter().next().map(|row| row.name)))
}

/// Forgets a secret.
pub fn delete(
    store: &Store,
    actor: &Actor,
    email: Option<&EmailAddress>,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    actor.may_write()?;
    let owner = owner(store, actor, email, now)?;
    let (actor, name) = (actor.clone(), name.to_owned());
    store.write(move |tx| {
        let users = assistants::using_secret(tx, owner, &name)?;
        if let Some(first) = users.first() {
            return Err(Error::conflict(format!(
                "the assistant `{first}` uses the secret `{name}`"
            ))
            .hint("take the reference out of its file first, or set the secret anew")
            .into());
        }
        if !secrets::delete(tx, owner, &name)? {
            return Err(unknown(&name).into());
        }
        let deed = deed("secret.delete", owner, &name, json!("***"), Value::Null);
        audit::record(tx, &actor, now, &deed)
    })
}

/// Whose secrets: a member's own; for who may do anything, the agency's or a user's.
fn owner(
    store: &Store,
    actor: &Actor,
    email: Option<&EmailAddress>,
    now: Timestamp,
) -> Result<Option<UserId>> {
    let account = actor.account.as_ref();
    match (email, account) {
        (Some(email), Some(account)) if account.email == *email => Ok(Some(account.user)),
        (None, Some(account)) if !actor.sees_all() => Ok(Some(account.user)),
        (None, _) => {
            actor.may_administer()?;
            Ok(None)
        }
        (Some(email), _) => {
            actor.may_administer()?;
            Ok(Some(accounts::show(store, actor, email, now)?.id))
        }
    }
}

/// What a secret is called in its seals: the store, the owner and the name are part of it.
fn identity(store_id: &str, owner: Option<UserId>, name: &str) -> String {
    format!("{store_id}/{}/{name}", owner.map_or(0, |user| user.0))
}

/// Whether something can be kept under a name, before anything else is done.
pub fn check(name: &str, value: &Secret) -> Result<()> {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if name.trim_matches('.').is_empty() || name.len() > 100 || !name.chars().all(letters) {
        return Err(Error::input(
            "a secret's name has 1 to 100 letters, digits, `-`, `_`, `.`, `:`",
        )
        .hint("such as `acme-openai`"));
    }
    if value.expose().is_empty() {
        return Err(Error::input(format!("nothing was given for the secret `{name}`"))
            .hint("write it to stdin: `webox secrets set NAME < file`"));
    }
    if value.expose().len() > LARGEST {
        return Err(Error::input(format!("the secret `{name}` is larger than 64 KiB")));
    }
    Ok(())
}

/// A secret that is not there, or not for the actor to know of.
pub fn unknown(name: &str) -> Error {
    Error::not_found(format!("no secret `{}`", name.escape_debug()))
        .hint("list them with `webox secrets`; an assistant finds those of its owner only")
}

fn deed(
    action: &'static str,
    owner: Option<UserId>,
    name: &str,
    before: Value,
    after: Value,
) -> Deed {
    let whose = owner.map_or_else(String::new, |user| format!("user-{}/", user.0));
    Deed { action, target: format!("secret/{whose}{name}"), before, after }
}
