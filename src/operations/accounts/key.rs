//! The key of a token: `webox_`, a part that finds its row, a secret part, a checksum.
//!
//! The prefix and the checksum let secret scanners tell a key from any other word without asking
//! anybody, as GitHub's own tokens do (GitHub, "Behind GitHub's new authentication token formats").

use sha2::{Digest, Sha256};

use crate::domain::{Error, Result, Secret};

/// What every key begins with.
pub(super) const PREFIX: &str = "webox_";

/// Characters of the part that finds the row.
const LOOKUP: usize = 10;

/// Characters of the secret part: 62 to the power of 32 is more than 190 bits.
const SECRET: usize = 32;

/// Characters of the checksum.
const CHECKSUM: usize = 6;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// The part that finds its row, and is no secret.
    pub(super) lookup: String,
    /// SHA-256 of the whole.
    pub(super) hash: Vec<u8>,
}

/// A new key, and what is kept of it.
pub(super) fn generate() -> Result<(Secret, Key)> {
    let mut text = PREFIX.to_owned();
    text.push_str(&random(LOOKUP + SECRET)?);
    text.push_str(&checksum(&text));
    let secret = Secret::new(text);
    let key = read(secret.expose())
        .ok_or_else(|| Error::failure("a key was made that cannot be read: this is a bug"))?;
    Ok((secret, key))
}

/// Takes a key apart; nothing for a text that was never a key.
pub(super) fn read(text: &str) -> Option<Key> {
    let rest = text.strip_prefix(PREFIX)?;
    if rest.len() != LOOKUP + SECRET + CHECKSUM || !rest.bytes().all(|b| ALPHABET.contains(&b)) {
        return None;
    }
    let (body, sum) = text.split_at(text.len() - CHECKSUM);
    (checksum(body) == sum).then(|| Key {
        lookup: rest[..LOOKUP].to_owned(),
        hash: Sha256::digest(text.as_bytes()).to_vec(),
    })
}

fn checksum(text: &str) -> String {
    let mut sum = crc32fast::hash(text.as_bytes());
    let mut digits = [0_u8; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(sum % 62) as usize];
        sum /= 62;
    }
    digits.iter().map(|byte| char::from(*byte)).collect()
}

fn random(characters: usize) -> Result<String> {
    let mut text = String::new();
    let mut bytes = [0_u8; 64];
    while text.len() < characters {
        getrandom::fill(&mut bytes).map_err(|cause| {
            Error::failure("this machine gives no random numbers").because(cause.to_string())
        })?;
        // 248 is the largest multiple of 62 in a byte: beyond, some letters would come more often.
        let letters = bytes.iter().filter(|byte| **byte < 248);
        let missing = characters - text.len();
        text.extend(letters.take(missing).map(|b| char::from(ALPHABET[usize::from(b % 62)])));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_a_slip_of_the_pen_is_seen() {
        let (secret, key) = generate().unwrap();
        let text = secret.expose();
        assert!(text.starts_with(PREFIX) && text.len() == 54, "{}", text.len());
        assert_eq!(read(text).unwrap().hash, key.hash);
        let other = if text.ends_with('0') { "1" } else { "0" };
        assert!(read(&format!("{}{other}", &text[..53])).is_none());
        for wrong in ["", "webox_", "Bearer", &text[1..], "webox_é"] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
        let (second, _) = generate().unwrap();
        assert_ne!(second.expose(), text);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = read(&text);
            let _ = read(&format!("{PREFIX}{text}"));
        }
    }
}
