//! Words as they are looked up: without case and accents, without their endings, without those that
//! say nothing of what is asked.

use std::{collections::HashSet, sync::OnceLock};

use super::super::{LanguageTag, fold_into, is_combining};

/// Words that say nothing of what is asked, by language: a file each.
const STOP_WORDS: [(&str, &str); 7] = [
    ("fr", include_str!("stop_words/fr.txt")),
    ("en", include_str!("stop_words/en.txt")),
    ("es", include_str!("stop_words/es.txt")),
    ("de", include_str!("stop_words/de.txt")),
    ("it", include_str!("stop_words/it.txt")),
    ("pt", include_str!("stop_words/pt.txt")),
    ("nl", include_str!("stop_words/nl.txt")),
];

/// Of these, the words that ask for a price, a time, a number: only figures answer them.
#[rustfmt::skip]
const ASKS_FIGURES: &[&str] = &[
    "combien", "heure", "heures", "quand", "coute", "coutent", "much", "many", "when", "time",
    "cost", "costs", "cuanto", "cuantos", "cuanta", "cuantas", "cuando", "hora", "horas", "cuesta",
    "cuestan", "kostet", "kosten", "uhr", "wann", "viel", "viele", "quanto", "quanti", "quante",
    "quando", "ora", "costa", "costano", "custa", "custam", "kost", "hoeveel", "wanneer", "laat",
];

/// Words for prices: only figures answer them, and whoever says one asks for the price of something.
#[rustfmt::skip]
const PRICES: &[&str] = &[
    "prix", "tarif", "tarifs", "cout", "couts", "price", "prices", "precio", "precios", "tarifa", "tarifas", "preis",
    "preise", "prezzo", "prezzi", "preco", "precos", "prijs", "prijzen",
];

/// The longest word that is looked up.
const LONGEST_WORD: usize = 40;

/// The words of a text, folded; figures and letters apart (`20h30` is three words).
pub fn search_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last: Option<bool> = None;
    for c in text.chars() {
        if is_combining(c) {
            continue;
        }
        if !c.is_alphanumeric() {
            last = None;
            continue;
        }
        let figure = c.is_ascii_digit();
        match words.last_mut() {
            Some(word) if last == Some(figure) && word.len() < LONGEST_WORD => fold_into(word, c),
            _ => {
                let mut word = String::new();
                fold_into(&mut word, c);
                words.push(word);
            }
        }
        last = Some(figure);
    }
    words.retain(|word| !word.is_empty());
    words
}

fn lists() -> &'static [(&'static str, HashSet<&'static str>)] {
    static LISTS: OnceLock<Vec<(&str, HashSet<&str>)>> = OnceLock::new();
    LISTS.get_or_init(|| {
        STOP_WORDS.iter().map(|(code, text)| (*code, text.split_whitespace().collect())).collect()
    })
}

/// Whether a word says nothing of what is asked, in any of some languages.
pub(super) fn is_stop_word(word: &str, languages: &[LanguageTag]) -> bool {
    let listed = |language: &LanguageTag| {
        lists().iter().any(|(code, list)| *code == language.primary() && list.contains(word))
    };
    languages.iter().any(listed)
}

/// Whether a word asks for figures.
pub(super) fn asks_figures(word: &str) -> bool {
    ASKS_FIGURES.contains(&word) || is_price(word)
}

/// Whether a word is one for a price.
pub(super) fn is_price(word: &str) -> bool {
    PRICES.contains(&word)
}

/// Whether folded words ask for something without saying of what: "combien coûte", "quel prix".
pub fn is_general(words: &[String], languages: &[LanguageTag]) -> bool {
    words.iter().all(|word| asks_figures(word) || is_stop_word(word, languages))
}

fn small_words(words: &[String], list: &HashSet<&str>) -> usize {
    words.iter().filter(|word| list.contains(word.as_str())).count()
}

/// Whether a text is plainly of another language than one: by its small words.
pub(super) fn is_of_another(words: &[String], language: &LanguageTag) -> bool {
    let own = lists().iter().find(|(code, _)| *code == language.primary());
    let Some(own) = own.map(|(_, list)| small_words(words, list)) else { return false };
    let most = lists().iter().map(|(_, list)| small_words(words, list)).max().unwrap_or(0);
    most >= 2 && most >= 2 * own.max(1)
}

/// Which of some languages a text is in, where its small words tell it.
pub(super) fn language_of(words: &[String], among: &[LanguageTag]) -> Option<LanguageTag> {
    let count = |language: &LanguageTag| {
        let list = lists().iter().find(|(code, _)| *code == language.primary());
        list.map_or(0, |(_, list)| small_words(words, list))
    };
    let best = among.iter().max_by_key(|language| count(language))?;
    let ahead =
        |other: &LanguageTag| other.primary() == best.primary() || count(other) < count(best);
    (count(best) >= 2 && among.iter().all(ahead)).then(|| best.clone())
}

/// A word without the endings that say how many, who or which: of no language in particular, since a
/// document may be in another one than the question.
pub(super) fn stem(word: &str) -> &str {
    const ENDINGS: &[(&str, usize)] = &[
        ("iennes", 4),
        ("ienne", 4),
        ("iens", 4),
        ("ien", 4),
        ("ians", 4),
        ("ian", 4),
        ("aux", 4),
        ("ies", 4),
        ("ier", 5),
        ("ing", 4),
        ("en", 4),
        ("er", 4),
        ("es", 3),
        ("as", 3),
        ("os", 3),
        ("s", 3),
        ("e", 3),
        ("a", 3),
        ("o", 3),
        ("i", 3),
        ("y", 4),
        ("n", 5),
    ];
    ENDINGS
        .iter()
        .find_map(|(ending, least)| word.strip_suffix(ending).filter(|rest| rest.len() >= *least))
        .unwrap_or(word)
}

/// A word without any of its endings: `annulées`, `annulé` and `annuler` have one root. Other words may
/// share it; never do forms of one word become two.
pub fn root(word: &str) -> &str {
    let mut root = word;
    loop {
        let shorter = stem(root);
        if shorter.len() == root.len() {
            return root;
        }
        root = shorter;
    }
}

/// How much a word of a document is a word that was asked for, from 0 to 1.
pub(super) fn alike(asked: &str, written: &str) -> f64 {
    if asked == written {
        return 1.0;
    }
    let (a, b) = (stem(asked), stem(written));
    if a == b && !is_figures(a) {
        return 0.9;
    }
    let longer = written.len().saturating_sub(a.len());
    if a.len() >= 4 && !is_figures(a) && written.starts_with(a) {
        return if longer <= 4 { 0.7 } else { 0.5 };
    }
    0.0
}

pub(super) fn is_figures(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_cut() {
        assert_eq!(
            search_words("L'été à 20h30, les ŒUFS !"),
            ["l", "ete", "a", "20", "h", "30", "les", "oeufs"]
        );
        assert_eq!(search_words("Re\u{301}server · straße"), ["reserver", "strasse"]);
        assert!(search_words("«…» !").is_empty());
        assert_eq!(search_words(&"x".repeat(100)).len(), 3);
    }

    #[test]
    fn endings_do_not_matter_and_other_words_are_other_words() {
        for (asked, written) in [
            ("menus", "menu"),
            ("chiens", "chien"),
            ("vegetarienne", "vegetariens"),
            ("vegetarian", "vegetarien"),
            ("animal", "animaux"),
            ("allergie", "allergies"),
            ("allergies", "allergy"),
            ("reserver", "reservation"),
            ("perros", "perro"),
            ("mascota", "mascotas"),
            ("hunde", "hund"),
            ("parkplatze", "parkplatz"),
            ("parkplatz", "parkplatzgebuhr"),
            ("cani", "cane"),
            ("bambini", "bambino"),
            ("gluten", "gluten"),
            ("dogs", "dog"),
            ("parking", "park"),
            ("zimmer", "zimmern"),
            ("piscine", "piscines"),
            ("gato", "gatos"),
        ] {
            assert!(
                alike(asked, written) > 0.0 || alike(written, asked) > 0.0,
                "{asked} {written}"
            );
        }
        for (asked, written) in [
            ("gare", "garer"),
            ("cane", "canzone"),
            ("pain", "pays"),
            ("20", "200"),
            ("lit", "litre"),
            ("vin", "vinaigre"),
        ] {
            assert!(alike(asked, written) <= 0.0, "{asked} {written}");
        }
    }

    #[test]
    fn stop_words_are_folded_and_named_once() {
        for (code, list) in STOP_WORDS {
            let words: Vec<&str> = list.split_whitespace().collect();
            assert!(words.len() > 100, "{code}");
            for word in &words {
                assert_eq!(search_words(word), [*word], "{code}");
            }
            let mut once = HashSet::new();
            let twice: Vec<&&str> = words.iter().filter(|word| !once.insert(**word)).collect();
            assert!(twice.is_empty(), "{code}: {twice:?}");
        }
    }

    #[test]
    fn a_text_tells_its_language_by_its_small_words() {
        let french: LanguageTag = "fr-FR".parse().unwrap();
        let is_foreign = |text: &str| is_of_another(&search_words(text), &french);
        assert!(is_foreign("The pool is open all year and it is heated in winter."));
        assert!(!is_foreign("La piscine est ouverte toute l'année."));
        assert!(!is_foreign("Tarte Tatin, crème crue — 12 €"));
        let spoken = ["en-GB".parse().unwrap(), french.clone()];
        let told = language_of(&search_words("Ma fille est végétarienne"), &spoken);
        assert_eq!(told, Some(french.clone()));
        assert_eq!(language_of(&search_words("Wifi ?"), &spoken), None);
    }
}
