//! The languages people speak: a small, strict reading of BCP 47.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, text::text_type};

/// A language, with a region when it matters: `fr-FR`, `en-US`, `de`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LanguageTag(String);

impl LanguageTag {
    /// French of France, the language of an assistant that names none.
    pub fn french() -> Self {
        Self("fr-FR".to_owned())
    }

    /// The tag in its canonical spelling (`fr-FR`).
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether all that callers hear is translated into it; English stands in otherwise.
    pub fn has_phrases(&self) -> bool {
        ["de", "en", "es", "fr", "it", "nl", "pt"].contains(&self.primary())
    }

    /// Whether there is such a language, as far as two letters tell.
    pub fn is_known(&self) -> bool {
        let primary = self.primary();
        let mut known = TWO_LETTERS.split_whitespace().chain(WITHDRAWN);
        primary.len() != 2 || known.any(|known| known == primary)
    }

    /// The language without its region: `fr`.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

/// The codes of two letters (ISO 639-1).
const TWO_LETTERS: &str = "
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv
    dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie
    ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv
    mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm
    rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts
    tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Codes that were withdrawn, and are still in use elsewhere: Hebrew, Indonesian, Yiddish, Serbo-Croatian,
/// Moldavian.
const WITHDRAWN: [&str; 5] = ["iw", "in", "ji", "sh", "mo"];

impl FromStr for LanguageTag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let shown: String = text.chars().take(20).collect();
            Error::input(format!("`{}` is not a language tag", shown.escape_debug()))
                .hint("write a language and a region, such as `fr-FR` or `en-US`")
        };
        let mut parts = text.split(['-', '_']);
        let primary = parts.next().unwrap_or_default();
        if !(2..=3).contains(&primary.len()) || !primary.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(wrong());
        }
        let mut tag = primary.to_ascii_lowercase();
        if let Some(region) = parts.next() {
            let letters = region.len() == 2 && region.bytes().all(|b| b.is_ascii_alphabetic());
            let digits = region.len() == 3 && region.bytes().all(|b| b.is_ascii_digit());
            if !(letters || digits) {
                return Err(wrong());
            }
            tag.push('-');
            tag.push_str(&region.to_ascii_uppercase());
        }
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self(tag))
    }
}

text_type!(LanguageTag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_no_language() {
        assert_eq!(TWO_LETTERS.split_whitespace().count(), 183);
        for (tag, is_known) in
            [("fr-FR", true), ("cmn-CN", true), ("iw-IL", true), ("fe-FR", false), ("xx", false)]
        {
            assert_eq!(tag.parse::<LanguageTag>().unwrap().is_known(), is_known, "{tag}");
        }
    }

    #[test]
    fn spelling_is_made_canonical() {
        assert_eq!("FR_fr".parse::<LanguageTag>().unwrap().as_str(), "fr-FR");
        assert_eq!("es-419".parse::<LanguageTag>().unwrap().primary(), "es");
        for wrong in ["", "f", "fr-", "fr-FRA", "fr-FR-x", "français"] {
            assert!(wrong.parse::<LanguageTag>().is_err(), "{wrong}");
        }
    }
}
