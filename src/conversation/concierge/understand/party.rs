//! How many people: "pour quatre", "on sera six", "a table for two", "deux adultes et un enfant".

use super::{times::Expect, utterance::Utterance};

/// The last party size said; what it took is marked.
pub(crate) fn scan(utterance: &mut Utterance, expect: Expect) -> Option<u32> {
    let words = &utterance.vocabulary.party;
    let mut found = None;
    let mut kinds = 0;
    for at in utterance.positions() {
        if let Some((people, taken)) = words.phrases.at(&utterance.tokens, at) {
            utterance.take(at, taken);
            found = Some(people);
            continue;
        }
        let Some((count, taken)) = utterance.number_at(at) else { continue };
        // "une dizaine de personnes"
        let of = utterance.vocabulary.date.of.at(&utterance.tokens, at + taken).unwrap_or(0);
        let next = at + taken;
        if let Some(kind) = words.kinds.at(&utterance.tokens, next) {
            kinds += count;
            utterance.take(at, taken + kind);
        } else if let Some(after) = words.after.at(&utterance.tokens, next + of) {
            found = Some(count);
            utterance.take(at, taken + of + after);
        } else if words.before.before(&utterance.tokens, at) {
            found = Some(count);
            utterance.take(at, taken);
        }
    }
    if kinds > 0 {
        found = Some(kinds);
    }
    if found.is_none() && expect.party {
        found = bare_number(utterance);
    }
    found.and_then(|people| u32::try_from(people).ok()).filter(|people| (1..=999).contains(people))
}

/// The last number, when we asked for one.
fn bare_number(utterance: &mut Utterance) -> Option<i32> {
    let mut found = None;
    let mut at = 0;
    while at < utterance.tokens.len() {
        match utterance.number_at(at) {
            Some((count, taken)) => {
                found = Some((count, at, taken));
                at += taken;
            }
            None => at += 1,
        }
    }
    let (count, at, taken) = found?;
    utterance.take(at, taken);
    Some(count)
}
