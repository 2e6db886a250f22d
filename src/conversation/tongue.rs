//! Which language a call goes on in. Pure: evidence in, decision out.
//!
//! A wish counts at once. Without one, an utterance of several words must plainly be of another of
//! the assistant's languages: what the ear says counts with its words and never against them; names,
//! figures and a single word are no evidence.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    sync::OnceLock,
};

use super::{concierge::fold, engine::Scene, phrases};
use crate::{
    domain::{AssistantSpec, Call, EarProvider, Heard, LanguageTag, VoiceLine},
    providers::stt::deepgram_hears_together,
};

/// Fewer words say nothing of a language.
const SEVERAL: usize = 3;

/// How many words of a language, shared ones counted in part, tell it by themselves; and with the
/// ear's word for it, a recogniser that is not sure of itself, or the utterance before.
const ALONE: f32 = 2.5;
const SUPPORTED: f32 = 1.5;

/// How many times as many as of any other language.
const AHEAD: f32 = 2.0;

/// Of so many words, one must be of the language.
const ONE_OF: f32 = 3.0;

/// A recogniser that is less sure may have listened in the wrong language.
const UNSURE: f32 = 0.5;

/// What the ear alone says counts from so many words on.
const EAR_ALONE: usize = 4;

/// The key of the first other language; the following ones count down.
const FIRST_KEY: u8 = b'9';

/// What is known when something is heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence<'a> {
    /// The languages of the assistant, its first one first.
    pub(super) spoken: &'a [&'a LanguageTag],
    /// The one spoken now.
    pub(super) now: &'a LanguageTag,
    /// What was heard.
    pub(super) heard: &'a Heard,
    /// What the caller said just before.
    pub(super) before: Option<&'a str>,
    /// Whether the caller answers the greeting.
    pub(super) first: bool,
    /// Whether the greeting named keys of languages.
    pub(super) keys: bool,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tongue {
    /// The call goes on as it was.
    Stay,
    /// It goes on in this language.
    Switch {
        /// One of the assistant's.
        to: LanguageTag,
        /// Whether that was all that the caller wanted.
        only: bool,
    },
    /// The caller asked for one that the assistant does not speak.
    NotSpoken,
}

/// What became of the language of a call, in a turn.
#[derive(Debug)]
pub(super) struct Turned(Tongue);

impl Turned {
    /// From what was heard, and the turns before.
    pub(super) fn of(scene: &Scene) -> Self {
        let spec = &scene.assistant.spec;
        let before = scene.history.iter().rev().find_map(|turn| match &turn.heard {
            Some(Heard::Speech { text, .. }) => Some(text.as_str()),
            _ => None,
        });
        let nothing_said = |heard: &Option<Heard>| matches!(heard, None | Some(Heard::Silence));
        let first = scene.history.iter().all(|turn| nothing_said(&turn.heard));
        Self(decide(&Evidence {
            spoken: &spec.voice.spoken(),
            now: &scene.call.language,
            heard: &scene.heard,
            before,
            first,
            keys: first && names_keys(spec),
        }))
    }

    /// The language that the call goes on in, if it is another one.
    pub(super) fn language(&self) -> Option<&LanguageTag> {
        match &self.0 {
            Tongue::Switch { to, .. } => Some(to),
            Tongue::Stay | Tongue::NotSpoken => None,
        }
    }

    /// Whether the caller wanted another language, and nothing else.
    pub(super) fn is_all(&self) -> bool {
        matches!(self.0, Tongue::Switch { only: true, .. })
    }

    /// Whether the caller wanted one that is not spoken.
    pub(super) fn is_not_spoken(&self) -> bool {
        self.0 == Tongue::NotSpoken
    }

    /// The scene in the language that the call goes on in.
    pub(super) fn scene<'a>(&self, scene: &'a Scene) -> Cow<'a, Scene> {
        self.language().map_or(Cow::Borrowed(scene), |language| {
            let call = Call { language: language.clone(), ..scene.call.clone() };
            Cow::Owned(Scene { call, ..scene.clone() })
        })
    }
}

/// Whether Twilio listens for all languages of an assistant at once: where the file names the ear that
/// can.
pub fn hears_all(spec: &AssistantSpec) -> bool {
    let (spoken, hearing) = (spec.voice.spoken(), &spec.hearing);
    spoken.len() > 1
        && hearing.provider == Some(EarProvider::Deepgram)
        && deepgram_hears_together(hearing.model.as_deref(), &spoken)
}

/// Whether the greeting of an assistant names the keys of its other languages: where one language at a
/// time is listened for.
pub fn names_keys(spec: &AssistantSpec) -> bool {
    spec.voice.line == VoiceLine::Gather && spec.voice.spoken().len() > 1 && !hears_all(spec)
}

/// What a greeting in one language says of the others, each in its own words.
pub fn hints<'a>(spec: &'a AssistantSpec, now: &LanguageTag) -> Vec<(&'a LanguageTag, String)> {
    if !names_keys(spec) {
        return Vec::new();
    }
    let hint = |(key, language): (char, &'a LanguageTag)| {
        let phrase = &phrases::for_language(language).language_hint;
        (language, phrases::fill(phrase, &[("key", &key.to_string())]))
    };
    keys(&spec.voice.spoken(), now).into_iter().map(hint).collect()
}

/// The words of one language, folded.
struct Words {
    common: HashSet<String>,
    asks: Vec<(Vec<String>, Vec<String>)>,
    leads: Vec<Vec<String>>,
    manners: Vec<Vec<String>>,
    names: Vec<(Vec<String>, String)>,
}

fn words() -> &'static BTreeMap<&'static str, Words> {
    static READ: OnceLock<BTreeMap<&'static str, Words>> = OnceLock::new();
    READ.get_or_init(|| {
        let folded = |phrases: &[String]| phrases.iter().map(|text| fold::words(text)).collect();
        phrases::each()
            .map(|(code, phrases)| {
                let tongue = &phrases.tongue;
                let ask = |text: &String| {
                    let (before, after) = text.split_once("{language}")?;
                    Some((fold::words(before), fold::words(after)))
                };
                let names = tongue.names.iter().flat_map(|(code, names)| {
                    names.iter().map(move |name| (fold::words(name), code.clone()))
                });
                let words = Words {
                    common: tongue.common.iter().flat_map(|text| fold::words(text)).collect(),
                    asks: tongue.asks.iter().filter_map(ask).collect(),
                    leads: folded(&tongue.leads),
                    manners: folded(&tongue.manners),
                    names: names.collect(),
                };
                (code, words)
            })
            .collect()
    })
}

/// The keys that switch to the other languages, each with its own.
pub(super) fn keys<'a>(
    spoken: &[&'a LanguageTag],
    now: &LanguageTag,
) -> Vec<(char, &'a LanguageTag)> {
    let others = spoken.iter().filter(|language| language.primary() != now.primary());
    (0..FIRST_KEY - b'0')
        .zip(others)
        .map(|(at, other)| (char::from(FIRST_KEY - at), *other))
        .collect()
}

/// Decides.
pub(super) fn decide(evidence: &Evidence<'_>) -> Tongue {
    match evidence.heard {
        Heard::Silence => Tongue::Stay,
        Heard::Digits(pressed) => {
            let keys = if evidence.keys { keys(evidence.spoken, evidence.now) } else { Vec::new() };
            let of = |key: &char| pressed.len() == 1 && pressed.starts_with(*key);
            keys.iter()
                .find(|(key, _)| of(key))
                .map_or(Tongue::Stay, |(_, to)| Tongue::Switch { to: (*to).clone(), only: true })
        }
        Heard::Speech { text, confidence, language } => {
            let tokens = fold::tokens(text);
            if let Some((code, only)) = wish(&tokens, evidence.first) {
                return match spoken_as(evidence.spoken, code) {
                    _ if code == evidence.now.primary() => Tongue::Stay,
                    Some(to) => Tongue::Switch { to: to.clone(), only },
                    None => Tongue::NotSpoken,
                };
            }
            let ear = language
                .as_ref()
                .filter(|heard| spoken_as(evidence.spoken, heard.primary()).is_some());
            told_by_words(evidence, &tokens, *confidence, ear)
                .map_or(Tongue::Stay, |to| Tongue::Switch { to, only: false })
        }
    }
}

fn spoken_as<'a>(spoken: &[&'a LanguageTag], code: &str) -> Option<&'a LanguageTag> {
    spoken.iter().copied().find(|language| language.primary() == code)
}

fn starts_with(tokens: &[fold::Token], at: usize, phrase: &[String]) -> bool {
    tokens
        .get(at..at + phrase.len())
        .is_some_and(|tokens| tokens.iter().zip(phrase).all(|(token, word)| token.word == *word))
}

/// The longest of some phrases that begins at a token.
fn longest<'a>(
    tokens: &[fold::Token],
    at: usize,
    phrases: impl Iterator<Item = &'a Vec<String>>,
) -> usize {
    let here = phrases.filter(|phrase| !phrase.is_empty() && starts_with(tokens, at, phrase));
    here.map(Vec::len).max().unwrap_or(0)
}

/// The language named at a token: its code, how many tokens, and whether in its own words.
fn named(tokens: &[fold::Token], at: usize) -> Option<(&'static str, usize, bool)> {
    let all = words().iter().flat_map(|(by, words)| {
        words.names.iter().map(move |(name, code)| (name, code.as_str(), code == by))
    });
    let here = all.filter(|(name, ..)| !name.is_empty() && starts_with(tokens, at, name));
    here.map(|(name, code, own)| (code, name.len(), own))
        .max_by_key(|(_, taken, own)| (*taken, *own))
}

/// The language that the caller wishes for, and whether nothing else is said.
fn wish(tokens: &[fold::Token], first: bool) -> Option<(&'static str, bool)> {
    if let Some(found) = nothing_but_a_wish(tokens, 0, tokens.len(), first) {
        return Some((found, true));
    }
    for at in 0..tokens.len() {
        let begins = at == 0
            || tokens[at].before == ','
            || tokens[at].before == '.'
            || is_made_of_manners(&tokens[..at]);
        for (before, after) in words().values().flat_map(|words| &words.asks) {
            // One word before a name says little: "mi hija habla inglés".
            let fits = before.len() > 1 || begins;
            if !fits || before.is_empty() || !starts_with(tokens, at, before) {
                continue;
            }
            let Some((code, taken, _)) = named(tokens, at + before.len()) else { continue };
            let end = at + before.len() + taken;
            if !starts_with(tokens, end, after) {
                continue;
            }
            let end = end + after.len();
            let only = is_made_of_manners(&tokens[..at]) && is_made_of_manners(&tokens[end..]);
            return Some((code, only));
        }
    }
    None
}

/// An utterance of a language's name, what makes a wish of it, and manners. In answer to the greeting
/// the name in its own language is enough.
fn nothing_but_a_wish(
    tokens: &[fold::Token],
    from: usize,
    to: usize,
    first: bool,
) -> Option<&'static str> {
    let (mut at, mut wanted, mut is_wish) = (from, None, false);
    while at < to {
        if let Some((code, taken, own)) = named(tokens, at) {
            if wanted.is_some_and(|wanted| wanted != code) {
                return None;
            }
            wanted = Some(code);
            is_wish |= own && first;
            at += taken;
            continue;
        }
        let lead = longest(tokens, at, words().values().flat_map(|words| &words.leads));
        let manner = longest(tokens, at, words().values().flat_map(|words| &words.manners));
        if lead.max(manner) == 0 {
            return None;
        }
        is_wish |= lead >= manner;
        at += lead.max(manner);
    }
    wanted.filter(|_| is_wish)
}

fn is_made_of_manners(tokens: &[fold::Token]) -> bool {
    let mut at = 0;
    while at < tokens.len() {
        let all = words().values().flat_map(|words| words.manners.iter().chain(&words.leads));
        match longest(tokens, at, all) {
            0 => return false,
            taken => at += taken,
        }
    }
    true
}

/// Whether a token is a letter of a name that is spelled.
fn is_spelled(tokens: &[fold::Token], at: usize) -> bool {
    let letter = |at: usize| tokens.get(at).is_some_and(|token| token.word.chars().count() == 1);
    let before = (0..at).rev().take_while(|at| letter(*at)).count();
    let after = (at..tokens.len()).take_while(|at| letter(*at)).count();
    letter(at) && before + after >= SEVERAL
}

/// How many words of each language were said; a word of several counts for each in part.
fn scores<'a>(codes: &[&'a str], tokens: &[fold::Token]) -> Vec<(&'a str, f32)> {
    let mut scores: Vec<(&str, f32)> = codes.iter().map(|code| (*code, 0.0)).collect();
    for token in
        tokens.iter().enumerate().filter(|(at, _)| !is_spelled(tokens, *at)).map(|(_, t)| t)
    {
        let knows = |code: &str| words().get(code).is_some_and(|w| w.common.contains(&token.word));
        let known: Vec<usize> = (0..scores.len()).filter(|at| knows(scores[*at].0)).collect();
        for at in &known {
            scores[*at].1 += 1.0 / known.len() as f32;
        }
    }
    scores
}

/// The other language that an utterance is plainly of.
fn told_by_words(
    evidence: &Evidence<'_>,
    tokens: &[fold::Token],
    confidence: Option<f32>,
    ear: Option<&LanguageTag>,
) -> Option<LanguageTag> {
    let mut codes: Vec<&str> = Vec::new();
    for code in evidence.spoken.iter().map(|language| language.primary()) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let now = evidence.now.primary();
    let count = tokens.iter().filter(|token| !token.is_figures()).count();
    if codes.len() < 2 || count < SEVERAL {
        return None;
    }
    let scores_here = scores(&codes, tokens);
    let score = |code: &str| scores_here.iter().find(|(c, _)| *c == code).map_or(0.0, |(_, s)| *s);
    let rival = |code: &str| {
        scores_here.iter().filter(|(c, _)| *c != code).map(|(_, s)| *s).fold(0.0, f32::max)
    };
    let best = codes
        .iter()
        .copied()
        .filter(|code| *code != now)
        .max_by(|a, b| score(a).total_cmp(&score(b)))?;
    let heard = ear.map(LanguageTag::primary);
    let before = || {
        let scores = scores(&codes, &fold::tokens(evidence.before?));
        let (code, most) = scores.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let others = scores.iter().filter(|(c, _)| *c != code).map(|(_, s)| *s).fold(0.0, f32::max);
        (most >= SUPPORTED && most >= AHEAD * others).then_some(code)
    };
    let supported = heard == Some(best)
        || confidence.is_some_and(|confidence| confidence < UNSURE)
        || before() == Some(best);
    let needed = if supported { SUPPORTED } else { ALONE };
    let plain = score(best) >= needed
        && score(best) >= AHEAD * rival(best)
        && score(best) * ONE_OF >= count as f32;
    if plain {
        return chosen(evidence, best, ear);
    }
    // The ear alone, where the words do not tell otherwise.
    let alone = heard.filter(|code| *code != now && count >= EAR_ALONE)?;
    let sure = confidence.is_none_or(|confidence| confidence >= UNSURE);
    (sure && rival(alone) < SUPPORTED && rival(alone) <= score(alone))
        .then(|| chosen(evidence, alone, ear))
        .flatten()
}

/// The assistant's language of a code: in the region that the ear heard, if it speaks it.
fn chosen(evidence: &Evidence<'_>, code: &str, ear: Option<&LanguageTag>) -> Option<LanguageTag> {
    let exact = ear.filter(|ear| ear.primary() == code && evidence.spoken.contains(ear));
    exact.or_else(|| spoken_as(evidence.spoken, code)).cloned()
}

#[cfg(test)]
#[path = "tongue_tests.rs"]
mod tests;
