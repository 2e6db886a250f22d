//! What seals backups, and what opens them.

use std::{fmt, sync::Arc};

use age::{Identity, IdentityFile, Recipient, scrypt, secrecy::SecretString, x25519};

use super::archive::Broken;
use crate::{
    domain::{Error, Kind, Result, Secret},
    vault::Vault,
};

/// The work of guessing a passphrase. Ours cannot be guessed: it is a key of 256 bits.
const WORK: u8 = 10;
/// What is done at most to open a file that somebody else may have made.
const MOST_WORK: u8 = 18;

/// The keys of backups: recipients of age where they are set, the master key otherwise.
#[derive(Clone)]
pub struct Seals {
    vault: Arc<Vault>,
    recipients: Vec<x25519::Recipient>,
    identities: Option<(Secret, String)>,
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").field("recipients", &self.recipients.len()).finish_non_exhaustive()
    }
}

/// What a new backup is sealed with, and what opens it again to look whether it does.
pub(super) struct Sealing {
    pub(super) recipients: Vec<Box<dyn Recipient>>,
    pub(super) opens: Vec<Box<dyn Identity>>,
}

impl Seals {
    /// By the master key.
    pub fn new(vault: Vault) -> Self {
        Self { vault: vault.into(), recipients: Vec::new(), identities: None }
    }

    /// For recipients of age, `age1…`, instead; by the master key still when there are none.
    ///
    /// # Errors
    /// When one is no recipient.
    pub fn for_recipients(self, recipients: &[String]) -> Result<Self> {
        let read = |text: &String| {
            text.trim().parse::<x25519::Recipient>().map_err(|why| {
                Error::config(format!("`{}` is no recipient of age", text.escape_debug()))
                    .hint("it begins with `age1`: `age-keygen` prints it as the public key")
                    .because(why)
            })
        };
        let recipients = recipients.iter().map(read).collect::<Result<_>>()?;
        Ok(Self { recipients, ..self })
    }

    /// With the text of a file of identities, as `age-keygen` writes it, and where it is from.
    #[must_use]
    pub fn opening_with(self, identities: Secret, origin: String) -> Self {
        Self { identities: Some((identities, origin)), ..self }
    }

    /// Whether what is sealed is opened by the master key; not, where it is for others.
    pub(super) fn are_our_own(&self) -> bool {
        self.recipients.is_empty()
    }

    pub(super) fn sealing(&self) -> Result<Sealing> {
        if self.recipients.is_empty() {
            let passphrases = self.vault.backup_passphrases()?;
            let Some((_, first)) = passphrases.first() else {
                return Err(Error::config("there is no master key"));
            };
            let mut recipient = scrypt::Recipient::new(passphrase(first));
            recipient.set_work_factor(WORK);
            return Ok(Sealing {
                recipients: vec![Box::new(recipient)],
                opens: vec![Box::new(scrypt::Identity::new(passphrase(first)))],
            });
        }
        // Whoever it is for is elsewhere. A key that is forgotten at once opens it this once, to look.
        let once = x25519::Identity::generate();
        let mut recipients: Vec<Box<dyn Recipient>> = Vec::new();
        for recipient in &self.recipients {
            recipients.push(Box::new(recipient.clone()));
        }
        recipients.push(Box::new(once.to_public()));
        Ok(Sealing { recipients, opens: vec![Box::new(once)] })
    }

    /// All that may open a backup.
    pub(super) fn opening(&self) -> Result<Vec<Box<dyn Identity>>> {
        let mut identities: Vec<Box<dyn Identity>> = Vec::new();
        if let Some((text, origin)) = &self.identities {
            let wrong = |cause: String| {
                Error::input(format!("{origin} holds no identities of age"))
                    .hint("it is the file that `age-keygen` wrote; one with a passphrase is opened with `age -d` first")
                    .because(cause)
            };
            let file = IdentityFile::from_buffer(text.expose().as_bytes())
                .map_err(|cause| wrong(cause.to_string()))?;
            let read = file.into_identities().map_err(|cause| wrong(format!("{cause:?}")))?;
            for identity in read {
                identities.push(identity);
            }
        }
        match self.vault.backup_passphrases() {
            Ok(passphrases) => {
                for (_, words) in &passphrases {
                    let mut identity = scrypt::Identity::new(passphrase(words));
                    identity.set_max_work_factor(MOST_WORK);
                    identities.push(Box::new(identity));
                }
            }
            Err(error) if identities.is_empty() => return Err(self.vault.lost(error)),
            Err(_) => {}
        }
        Ok(identities)
    }

    /// Why a backup does not open, for a person.
    pub(super) fn explain(&self, name: &str, broken: Broken) -> Error {
        let keys = || {
            let passphrases = self.vault.backup_passphrases().unwrap_or_default();
            let ids: Vec<String> = passphrases.into_iter().map(|(id, _)| id).collect();
            format!("{} ({})", ids.join(", "), self.vault.source())
        };
        match broken {
            Broken::WrongKey => Error::config(format!(
                "the backup {name} does not open with the master key {}", keys()
            ))
            .hint("put back the key that was in force when it was made, on a line of its own; if it was this one, the backup is damaged"),
            Broken::ForRecipients if self.identities.is_some() => Error::config(format!(
                "none of the identities opens the backup {name}"
            ))
            .hint("it was sealed for other recipients"),
            Broken::ForRecipients => Error::config(format!(
                "the backup {name} is sealed for recipients of age"
            ))
            .hint("name the file with the identity of one of them: `--identity FILE`"),
            Broken::Foreign => Error::input(format!("{name} is no backup of webox")),
            Broken::Newer(format) => Error::config(format!(
                "the backup {name} was made by a newer webox (format {format})"
            ))
            .hint("upgrade webox; nothing was changed"),
            Broken::Damaged(what) => Error::failure(format!("the backup {name} is damaged"))
                .hint("take another one; `webox backup verify --all` tells which are whole")
                .because(what),
            Broken::Unread(cause) => Error::failure(format!("the backup {name} cannot be read"))
                .hint("it may be whole: look at the disk that it lies on, and try again")
                .because(cause),
            Broken::Write(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
                Error::failure(format!("there is no room to unpack the backup {name}"))
                    .hint("free some space beside the database; nothing was changed")
                    .because(cause)
            }
            Broken::Write(cause) => {
                let kind = match cause.kind() {
                    std::io::ErrorKind::PermissionDenied => Kind::Denied,
                    _ => Kind::Failure,
                };
                Error::new(kind, format!("the backup {name} cannot be unpacked")).because(cause)
            }
        }
    }
}

fn passphrase(words: &Secret) -> SecretString {
    SecretString::from(words.expose().to_owned())
}
