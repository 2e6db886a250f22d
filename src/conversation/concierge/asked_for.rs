//! Whom of the humans a caller asks for by name: "je voudrais parler à Paul".

use super::{fold, handing_over, vocabulary::Reach};
use crate::domain::AssistantSpec;

/// As many words before a request may turn it round: "je ne veux pas parler à Paul".
const BEFORE: usize = 5;

/// The name of the human who is asked for, as the file has it.
pub(super) fn asked_for<'s>(spec: &'s AssistantSpec, reach: &Reach, text: &str) -> Option<&'s str> {
    let said = fold::words(text);
    let asked = spec.transfer.to.iter().filter_map(|target| {
        let name = handing_over::told_apart(&target.name);
        let is_asked = reach.ask.iter().any(|request| is_said(request, &name, reach, &said));
        is_asked.then_some((name.len(), target.name.as_str()))
    });
    asked.max_by_key(|(length, _)| *length).map(|(_, name)| name)
}

/// Whether a request, such as `parler à {name}`, is said of a name, and is meant.
fn is_said(request: &str, name: &[String], reach: &Reach, said: &[String]) -> bool {
    let (first, last) = request.split_once("{name}").unwrap_or((request, ""));
    let (first, last) = (fold::words(first), fold::words(last));
    (0..said.len()).any(|at| {
        let before = &said[at.saturating_sub(BEFORE)..at];
        said[at..].strip_prefix(&first[..]).is_some_and(|rest| {
            let titles = rest.iter().take_while(|word| is_one_of(word, &reach.titles)).count();
            // A name may begin with what is a title elsewhere: "Docteur Martin".
            (0..=titles).any(|titles| {
                rest[titles..].strip_prefix(name).is_some_and(|rest| rest.starts_with(&last[..]))
            })
        }) && !before.iter().any(|word| is_one_of(word, &reach.not))
    })
}

fn is_one_of(word: &str, words: &[String]) -> bool {
    words.iter().any(|one| one == word)
}
