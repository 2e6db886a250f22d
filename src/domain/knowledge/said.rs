//! What is said of a passage where no model puts it into words: its own sentences, and only where they
//! are plainly the answer.

use super::{
    super::LanguageTag,
    meaning::worded,
    passages::sentences,
    rank::{Found, Question, best},
    words::{is_of_another, search_words},
};

/// A word counts as said from this likeness on.
const SURE: f64 = 0.7;

/// From so many words on, one may be missing.
const MAY_MISS_ONE: usize = 4;

/// About so many characters are said: some twenty seconds.
const LONGEST: usize = 320;

/// The sentences that answer a question, of the best of some passages; nothing where it is not plain that
/// they do, or where they are in another language than the one that is spoken. Says also which passage.
pub fn answer(
    question: &Question,
    found: &[Found],
    language: &LanguageTag,
) -> Option<(usize, String)> {
    let own = |(_, found): &(usize, &Found)| {
        let text = format!("{} {}", found.passage.heading, found.passage.text);
        !is_of_another(&search_words(&text), language)
    };
    let mut candidates = worded(found).into_iter().filter(own);
    let (at, first) = candidates.next()?;
    let said = of_passage(question, first)?;
    // One word that many passages hold does not say which of them is meant.
    let single = question.words.len() == 1;
    let titled =
        question.words.iter().all(|word| best(word, &search_words(&first.passage.heading)) >= SURE);
    let ambiguous =
        candidates.any(|(_, other)| of_passage(question, other).is_some_and(|other| other != said));
    if single && !titled && ambiguous {
        return None;
    }
    Some((at, said))
}

fn of_passage(question: &Question, found: &Found) -> Option<String> {
    let heading = search_words(&found.passage.heading);
    let units = units(&found.passage.text);
    let words: Vec<Vec<String>> = units.iter().map(|unit| search_words(unit)).collect();
    let is_title = |word: &&String| best(word, &heading) >= SURE;
    let (titled, others): (Vec<&String>, Vec<&String>) = question.words.iter().partition(is_title);
    let holds = |at: usize| others.iter().filter(|word| best(word, &words[at]) >= SURE).count();
    let (at, held) = (0..units.len())
        .map(|at| (at, holds(at)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let missing = others.len() - held;
    let may_miss = usize::from(question.words.len() >= MAY_MISS_ONE);
    if question.words.is_empty() || missing > may_miss || titled.len() + held == 0 {
        return None;
    }
    // A question of a list of questions is answered by what stands after it.
    let from = if units[at].trim_end_matches(['*', '_']).ends_with('?') { at + 1 } else { at };
    let mut said = String::new();
    let item = is_item(units.get(from)?);
    for (n, unit) in units.iter().enumerate().skip(from) {
        let is_question = unit.trim_end_matches(['*', '_']).ends_with('?');
        let is_over = said.chars().count() + unit.chars().count() > LONGEST;
        // What was asked for is one line of a list; of a text, what follows belongs to it.
        let is_apart = n > from && held > 0 && (item || n > from + 1);
        if is_question || (is_over && !said.is_empty()) || is_apart {
            break;
        }
        if !said.is_empty() {
            said.push('\n');
        }
        said.push_str(unit);
    }
    let has_figures = said.contains(|c: char| c.is_ascii_digit());
    let is_short = said.chars().count() <= 2 * LONGEST;
    (!said.is_empty() && is_short && (has_figures || !question.asks_figures)).then_some(said)
}

/// Sentences and items of lists, each with its mark.
fn units(text: &str) -> Vec<&str> {
    text.lines()
        .flat_map(|line| if is_item(line) { vec![line.trim()] } else { sentences(line) })
        .collect()
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['-', '*', '+', '•', '|']) && !line.starts_with("**")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Passage, rank},
        *,
    };

    const PASSAGES: [(&str, &str); 7] = [
        (
            "Menu › Desserts",
            "- Tarte Tatin, crème crue — 12 € (gluten, lait)\n- Sorbet citron — 9 €\n- Île flottante — 10 € (œuf, lait)",
        ),
        (
            "Accès",
            "Le parking public est rue Choron, à cent mètres. Il est ouvert toute la nuit. L'heure coûte 3 €.",
        ),
        (
            "Les chiens sont-ils admis ?",
            "Oui, les petits chiens sont les bienvenus en terrasse. Pas en salle.",
        ),
        (
            "Questions",
            "**Peut-on privatiser la salle ?** Oui, à partir de trente couverts. **Avez-vous des chaises hautes ?** Oui, deux.",
        ),
        ("Enfants", "Le menu enfant est à 14 €, jusqu'à dix ans."),
        ("Pool", "The pool is open all year and it is heated in winter."),
        ("Vins", "Pommard en terrasse. Volnay."),
    ];

    fn ask(said: &str, language: &str) -> Option<String> {
        let language: LanguageTag = language.parse().unwrap();
        let question = Question::of(said, std::slice::from_ref(&language));
        let passages = PASSAGES.map(|(heading, text)| Passage {
            document: "a.md".parse().unwrap(),
            heading: heading.to_owned(),
            text: text.to_owned(),
        });
        let found = rank(&question, passages.into(), PASSAGES.len());
        answer(&question, &found, &language).map(|(_, said)| said)
    }

    #[test]
    fn what_is_plainly_the_answer_is_said() {
        for (question, said) in [
            ("Quel est le prix du sorbet citron ?", Some("- Sorbet citron — 9 €")),
            (
                "Combien coûte la tarte Tatin ?",
                Some("- Tarte Tatin, crème crue — 12 € (gluten, lait)"),
            ),
            (
                "Est-ce que les chiens sont admis ?",
                Some("Oui, les petits chiens sont les bienvenus en terrasse.\nPas en salle."),
            ),
            ("Peut-on privatiser la salle ?", Some("Oui, à partir de trente couverts.")),
            ("Vous avez une chaise haute ?", Some("Oui, deux.")),
            ("Il y a un menu pour enfants ?", Some("Le menu enfant est à 14 €, jusqu'à dix ans.")),
            (
                "Le menu enfant, c'est combien ?",
                Some("Le menu enfant est à 14 €, jusqu'à dix ans."),
            ),
            (
                "Où est le parking public ?",
                Some(
                    "Le parking public est rue Choron, à cent mètres.\nIl est ouvert toute la nuit.",
                ),
            ),
        ] {
            assert_eq!(ask(question, "fr-FR").as_deref(), said, "{question}");
        }
        assert!(
            ask("Is the pool heated in winter?", "en-GB").unwrap().starts_with("The pool is open")
        );
    }

    #[test]
    fn what_is_not_plain_is_not_said() {
        for question in [
            "Avez-vous une piscine ?",
            "Vous faites des mariages en terrasse avec des chiens de traîneau ?",
            "Bonjour",
            "Oui, merci",
            // In the terrace of the dogs and of the wines.
            "Et la terrasse ?",
            "Quel est le numéro du chef ?",
            "Le pool est-il heated ?",
        ] {
            assert_eq!(ask(question, "fr-FR"), None, "{question}");
        }
    }
}
