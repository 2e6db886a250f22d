//! Names: "au nom de Dupont", "c'est Marie Curie", "my name is Smith", "D, U, P, O, N, T".

use super::utterance::Utterance;

/// The most words of a name.
const LONGEST: usize = 4;

/// A name announced as one; accents and capitals are kept.
pub(crate) fn scan(utterance: &mut Utterance, expected: bool) -> Option<String> {
    let words = &utterance.vocabulary.name;
    for at in utterance.positions() {
        if let Some(marker) = words.markers.at(&utterance.tokens, at)
            && let Some((name, taken)) = name_at(utterance, at + marker)
        {
            utterance.take(at, marker + taken);
            return Some(name);
        }
    }
    for at in utterance.positions() {
        if let Some(marker) = words.weak_markers.at(&utterance.tokens, at)
            && let Some((name, taken)) = name_at(utterance, at + marker)
            && (expected || utterance.tokens[at + marker].raw.starts_with(char::is_uppercase))
        {
            utterance.take(at, marker + taken);
            return Some(name);
        }
    }
    None
}

/// The whole answer as a name, when we asked for one and nothing else was understood in it.
pub(crate) fn bare(utterance: &mut Utterance) -> Option<String> {
    // A name comes first in a short answer; "vous avez une terrasse ?" is none.
    let start = utterance.positions().find(|at| utterance.is_free(*at, 1))?;
    let words = (start..utterance.tokens.len()).filter(|at| !is_letter(utterance, *at)).count();
    if words > 8 {
        return None;
    }
    let (name, taken) = name_at(utterance, start)?;
    utterance.take(start, taken);
    Some(name)
}

fn name_at(utterance: &Utterance, start: usize) -> Option<(String, usize)> {
    let words = &utterance.vocabulary.name;
    let mut at = start;
    while let Some(taken) = words.fillers.at(&utterance.tokens, at) {
        // "M" may be a filler (monsieur) or the first letter of a name that is spelled.
        if is_letter(utterance, at) && is_letter(utterance, at + 1) {
            break;
        }
        at += taken;
    }
    if let Some((name, taken)) = spelled(utterance, at) {
        return Some((name, at + taken - start));
    }
    let first = at;
    let mut small = Vec::new();
    while at < utterance.tokens.len() && at - first < LONGEST {
        if at > first && utterance.before(at) == ',' {
            break;
        }
        let particle = particle(utterance, at);
        if !is_name_word(utterance, at + particle) {
            break;
        }
        small.extend(at..at + particle);
        at += particle + 1;
    }
    if at == first {
        return None;
    }
    // "Dupont, D U P O N T": the letters are surer than the word.
    if let Some((name, taken)) = spelled(utterance, at) {
        return Some((name, at + taken - start));
    }
    let mut name = String::new();
    for index in first..at {
        let token = &utterance.tokens[index];
        if index > first {
            match token.before {
                '\0' => {}
                c @ ('-' | '\'') => name.push(c),
                _ => name.push(' '),
            }
        }
        if small.contains(&index) {
            name.push_str(&token.raw);
        } else {
            name.push_str(&capitalised(&token.raw));
        }
    }
    Some((name, at - start))
}

/// How many tokens a particle takes that starts here and has a word of a name after it.
fn particle(utterance: &Utterance, at: usize) -> usize {
    let taken = utterance.vocabulary.name.particles.at(&utterance.tokens, at).unwrap_or(0);
    let inside = utterance.is_free(at, taken) && is_name_word(utterance, at + taken);
    if inside { taken } else { 0 }
}

fn is_letter(utterance: &Utterance, at: usize) -> bool {
    utterance.is_free(at, 1)
        && utterance.tokens.get(at).is_some_and(|t| t.word.chars().count() == 1 && !t.is_figures())
}

/// Three single letters or more.
fn spelled(utterance: &Utterance, at: usize) -> Option<(String, usize)> {
    let taken = (at..utterance.tokens.len()).take_while(|at| is_letter(utterance, *at)).count();
    if taken < 3 {
        return None;
    }
    let letters: String = utterance.tokens[at..at + taken].iter().map(|t| t.raw.as_str()).collect();
    Some((capitalised(&letters.to_lowercase()), taken))
}

fn is_name_word(utterance: &Utterance, at: usize) -> bool {
    utterance.is_free(at, 1)
        && !utterance.tokens[at].is_figures()
        && utterance.vocabulary.name.stops.at(&utterance.tokens, at).is_none()
        && utterance.number_at(at).is_none()
}

/// First letter upper case, the rest as written ("McDonald" stays).
fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
