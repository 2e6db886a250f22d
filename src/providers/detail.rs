//! What a provider said, made fit to be stored: one short line without keys.

use crate::domain::Secret;

/// Characters of a provider's message that are kept.
pub(super) const LONGEST: usize = 200;

/// What keys begin with, in case a provider quotes another one than ours: OpenAI's, Anthropic's and
/// ElevenLabs's, Google's.
const KEY_PREFIXES: [&str; 3] = ["sk-", "sk_", "AIza"];

/// One short line without keys.
pub(super) fn presentable(text: &str, key: Option<&Secret>) -> String {
    let text = match key.map(Secret::expose).filter(|key| !key.is_empty()) {
        Some(key) => text.replace(key, "***"),
        None => text.to_owned(),
    };
    let text = KEY_PREFIXES.iter().fold(text, |text, prefix| without_keys(&text, prefix));
    let mut line = String::with_capacity(LONGEST);
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if line.chars().count() > LONGEST {
        line.chars().take(LONGEST - 1).chain(['…']).collect()
    } else {
        line
    }
}

/// Hides everything that looks like a key.
fn without_keys(text: &str, prefix: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(prefix) {
        let (before, key) = rest.split_at(start);
        let part_of_key = |c: char| c.is_ascii_alphanumeric() || "-_*.".contains(c);
        let end = key.find(|c: char| !part_of_key(c)).unwrap_or(key.len());
        shown.push_str(before);
        // `task-force` and the like are words.
        let is_word = before.ends_with(|c: char| c.is_alphanumeric());
        shown.push_str(if is_word { &key[..end] } else { "***" });
        rest = &key[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_told_and_nothing_is_long() {
        let key = Secret::new("wx-very-secret");
        let told = |text: &str| presentable(text, Some(&key));
        assert_eq!(told("bad key wx-very-secret!"), "bad key ***!");
        assert_eq!(told("bad sk-ant-api03-AbC_9**xyz, see\n docs"), "bad ***, see docs");
        assert_eq!(told("sk_0123abc or AIzaSyD-x_1 is wrong"), "*** or *** is wrong");
        assert_eq!(told("a task-force of sk-1"), "a task-force of ***");
        assert_eq!(told(&"é ".repeat(500)).chars().count(), LONGEST);
    }
}
