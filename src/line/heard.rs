//! What a caller heard of a reply that was cut off.

/// How long speech takes, a character: about 15 in a second, over all our languages.
pub(super) const MS_PER_CHARACTER: u64 = 65;

/// A reply in two: what was heard of it, and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) said: String,
    pub(super) unheard: Option<String>,
}

impl Split {
    fn at(text: &str, end: usize) -> Self {
        let (said, rest) = text.split_at(end);
        let rest = rest.trim();
        Self { said: said.trim().to_owned(), unheard: (!rest.is_empty()).then(|| rest.to_owned()) }
    }

    /// Cut where Twilio says that it was: its text is ours, give or take spaces and the case.
    pub(super) fn until(text: &str, heard: &str) -> Self {
        let wanted = heard.chars().filter(|c| c.is_alphanumeric()).count();
        Self::at(text, end_of(text, wanted, char::is_alphanumeric))
    }

    /// Cut after so long a time of speech, at the end of a word.
    pub(super) fn after(text: &str, ms: u64) -> Self {
        let characters = usize::try_from(ms / MS_PER_CHARACTER).unwrap_or(usize::MAX);
        Self::after_characters(text, characters)
    }

    /// Cut after so many characters, at the end of a word.
    pub(super) fn after_characters(text: &str, characters: usize) -> Self {
        let end = end_of(text, characters, |_| true);
        // The word that was being said was not heard.
        let whole = text[end..].starts_with(|c: char| !c.is_alphanumeric()) || end == text.len();
        let end = if whole { end } else { text[..end].rfind(' ').unwrap_or(0) };
        Self::at(text, end)
    }
}

/// Where a text has had so many characters of a kind, and the sign behind the last of them.
fn end_of(text: &str, many: usize, counts: impl Fn(char) -> bool) -> usize {
    if many == 0 {
        return 0;
    }
    let last = text.char_indices().filter(|(_, c)| counts(*c)).nth(many - 1);
    let Some((at, c)) = last else { return text.len() };
    let end = at + c.len_utf8();
    if !text[end..].contains(char::is_alphanumeric) {
        return text.len();
    }
    let signs: usize = text[end..]
        .chars()
        .take_while(|c| !c.is_alphanumeric() && !c.is_whitespace())
        .map(char::len_utf8)
        .sum();
    end + signs
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Nous sommes ouverts ce soir, de 19 heures à 23 heures. Et demain ?";

    fn split(said: &str, unheard: &str) -> Split {
        Split { said: said.into(), unheard: (!unheard.is_empty()).then(|| unheard.into()) }
    }

    #[test]
    fn a_reply_is_cut_where_twilio_says() {
        let rest = "de 19 heures à 23 heures. Et demain ?";
        assert_eq!(
            Split::until(TEXT, "Nous sommes  ouverts ce soir"),
            split("Nous sommes ouverts ce soir,", rest)
        );
        assert_eq!(Split::until(TEXT, ""), split("", TEXT));
        assert_eq!(Split::until(TEXT, TEXT), split(TEXT, ""));
        assert_eq!(Split::until(TEXT, &format!("{TEXT} and more")), split(TEXT, ""));
    }

    #[test]
    fn or_where_its_time_was_up() {
        assert_eq!(Split::after(TEXT, 0), split("", TEXT));
        assert_eq!(Split::after(TEXT, 8 * MS_PER_CHARACTER).said, "Nous");
        assert_eq!(Split::after(TEXT, 11 * MS_PER_CHARACTER).said, "Nous sommes");
        assert_eq!(Split::after(TEXT, 1_000_000), split(TEXT, ""));
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(text in "\\PC{0,80}", heard in "\\PC{0,80}", ms in 0_u64..20_000) {
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            for split in [Split::until(&text, &heard), Split::after(&text, ms)] {
                let both = format!("{}{}", split.said, split.unheard.unwrap_or_default());
                proptest::prop_assert_eq!(letters(&both), letters(&text));
            }
        }
    }
}
