//! The account and the certificate, in a folder beside the database that only its owner can read: one
//! for each server that was asked.

use std::{
    io,
    path::{Path, PathBuf},
};

use instant_acme::AccountCredentials;

use super::{super::certificate::Certificate, Failed};
use crate::{
    domain::{Error, Result},
    files,
};

/// What is kept of one server.
pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Makes the folder of a server where there is none.
    pub(super) fn open(folder: &Path, directory: &str) -> Result<Self> {
        let of_server: String = directory
            .trim_start_matches("https://")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' })
            .collect();
        let folder = folder.join(of_server.trim_start_matches('.'));
        files::make_folder(&folder, files::nearest(&folder)).map_err(|cause| {
            Error::config(format!("the folder {} cannot be made", folder.display()))
                .because(cause)
                .hint("certificates are kept beside the database: let this user write there")
        })?;
        Ok(Self { folder })
    }

    fn account_file(&self) -> PathBuf {
        self.folder.join("account.json")
    }

    /// The key first, then the certificate and those above it: one file is changed at once.
    fn certificate_file(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    pub(super) fn account(&self) -> Result<Option<AccountCredentials>, Failed> {
        let file = self.account_file();
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failed::Account(file, error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| Failed::Account(file, io::Error::other(error)))
    }

    pub(super) fn keep_account(&self, account: &AccountCredentials) -> io::Result<()> {
        self.keep(&self.account_file(), &serde_json::to_vec(account)?)
    }

    fn keep(&self, file: &Path, content: &[u8]) -> io::Result<()> {
        files::replace(file, content, 0o600)?;
        files::give(file, &self.folder);
        Ok(())
    }

    pub(super) fn forget_account(&self) -> io::Result<()> {
        std::fs::remove_file(self.account_file())
    }

    pub(super) fn certificate(&self) -> Result<Option<Certificate>> {
        let path = self.certificate_file();
        let wrong = |why: String| {
            Error::config(format!("the certificate in {} {why}", path.display()))
                .hint("move the file away: another certificate is asked for then")
        };
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong("cannot be read".to_owned()).because(error)),
        };
        Certificate::read(&text, &text)
            .map(Some)
            .map_err(|error| wrong(format!("is no good: {error}")))
    }

    pub(super) fn keep_certificate(&self, chain: &str, key: &str) -> io::Result<()> {
        self.keep(&self.certificate_file(), format!("{key}\n{chain}").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    use super::{super::super::certificate::tests::pair, *};

    #[test]
    fn a_certificate_is_kept_for_its_owner_alone_and_by_server() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("webox.db.acme");
        // Whose the database's folder is, where root asks: only root may give files away.
        let _ = chown(folder.path(), Some(12_345), None);
        let kept = Kept::open(&at, "https://acme.example.com/directory").unwrap();
        assert!(kept.certificate().unwrap().is_none() && kept.account().unwrap().is_none());
        let (chain, key) = pair("calls.example.com");
        kept.keep_certificate(&chain, &key).unwrap();
        assert_eq!(kept.certificate().unwrap().unwrap().names(), ["calls.example.com"]);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&kept.certificate_file()), 0o600);
        assert_eq!(mode(&kept.folder), 0o700);
        let owner = |path: &Path| path.metadata().unwrap().uid();
        for made in [&at, &kept.folder, &kept.certificate_file()] {
            assert_eq!(owner(made), owner(folder.path()), "{}", made.display());
        }
        let other = Kept::open(&at, "https://other.example.com/directory").unwrap();
        assert!(other.certificate().unwrap().is_none());
        std::fs::write(kept.certificate_file(), "rubbish").unwrap();
        assert!(kept.certificate().unwrap_err().to_string().contains("certificate.pem is no good"));
    }
}
