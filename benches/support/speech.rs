//! What callers and assistants say in a store that is written in bulk: French sentences, some words in many
//! of them, most names and goods in few.

use super::population::Dice;

/// Pairs of something asked and something answered.
const PAIRS: usize = 50_000;

const HEARD: [&str; 16] = [
    "Bonjour, je voudrais {subject} pour {number} personnes {day} soir, s'il vous plaît",
    "Oui, c'est au nom de {name}",
    "Je voudrais annuler {subject} de {day}",
    "Est-ce que vous êtes ouverts {day} à {hour} heures ?",
    "Non merci, ce sera tout",
    "Mon numéro est le 06 {figures} {figures}",
    "C'est pour {subject}, j'appelle de la part de {name}",
    "Je préfère {day} vers {hour} heures",
    "Vous avez {subject} avec {thing} ?",
    "Oui, parfait, merci beaucoup",
    "Est-ce qu'il y a {thing} et {thing} dans {subject} ?",
    "J'ai un problème avec {subject}, elle ne marche plus depuis {day}",
    "Combien coûte {subject} ?",
    "Je suis déjà venu {day}, je m'appelle {name}",
    "On sera {number} avec un enfant et un chien",
    "Je vous rappelle au sujet de {thing}, dossier {figures}",
];

const SAID: [&str; 12] = [
    "Bonjour, ici l'assistant de la maison {name}, que puis-je faire pour vous ?",
    "Très bien, {subject} pour {number} personnes {day} à {hour} heures. À quel nom ?",
    "C'est noté, {name}. Souhaitez-vous recevoir une confirmation par SMS ?",
    "Nous sommes ouverts {day} de {hour} heures à {hour} heures.",
    "Votre réservation de {day} est annulée. Puis-je faire autre chose pour vous ?",
    "Je regarde cela tout de suite, un instant.",
    "Nous proposons {thing} et {thing}, ainsi que {subject}.",
    "Je vous passe un collègue, ne quittez pas.",
    "Merci de votre appel, bonne journée et à bientôt.",
    "Le prix est de {figures} euros, taxes comprises.",
    "Pardon, je n'ai pas bien compris. Pouvez-vous répéter ?",
    "Votre demande au sujet de {thing} est transmise à {name}.",
];

const SUBJECTS: [&str; 14] = [
    "une table",
    "un rendez-vous",
    "une réservation",
    "une livraison",
    "un devis",
    "un remboursement",
    "ma facture",
    "une réparation",
    "une chambre",
    "le menu du jour",
    "la terrasse",
    "le parking",
    "un vaccin",
    "une consultation",
];

const DAYS: [&str; 9] = [
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "demain",
    "aujourd'hui",
];

const NUMBERS: [&str; 8] = ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "dix"];

const SYLLABLES: [&str; 24] = [
    "ba", "bou", "cha", "cou", "da", "dou", "fe", "ga", "gran", "ju", "lo", "ma", "mi", "na", "pe",
    "pou", "ra", "ro", "sa", "ti", "tou", "tra", "va", "vou",
];

/// What is said, in pairs.
pub fn pairs(dice: &mut Dice) -> Vec<(String, String)> {
    let names: Vec<String> = (0..20_000).map(|_| word(dice, 3)).collect();
    let things: Vec<String> = (0..8_000).map(|_| word(dice, 4)).collect();
    (0..PAIRS)
        .map(|_| {
            let heard = one(&HEARD, dice);
            let said = one(&SAID, dice);
            (filled(heard, &names, &things, dice), filled(said, &names, &things, dice))
        })
        .collect()
}

fn one<'a>(of: &[&'a str], dice: &mut Dice) -> &'a str {
    of[dice.below(of.len() as u64) as usize]
}

fn word(dice: &mut Dice, most: u64) -> String {
    (0..2 + dice.below(most)).map(|_| one(&SYLLABLES, dice)).collect()
}

/// A few are said often, most of them rarely, as words are.
fn rarely<'a>(of: &'a [String], dice: &mut Dice) -> &'a str {
    let share = dice.below(1 << 32) as f64 / f64::from(u32::MAX);
    let at = (of.len() as f64).powf(share) as usize;
    &of[at.saturating_sub(1).min(of.len() - 1)]
}

fn filled(template: &str, names: &[String], things: &[String], dice: &mut Dice) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (what, after) = after.split_once('}').unwrap_or((after, ""));
        match what {
            "subject" => text.push_str(one(&SUBJECTS, dice)),
            "day" => text.push_str(one(&DAYS, dice)),
            "number" => text.push_str(one(&NUMBERS, dice)),
            "hour" => text.push_str(&(8 + dice.below(14)).to_string()),
            "figures" => text.push_str(&(10 + dice.below(9_990)).to_string()),
            "name" => text.push_str(rarely(names, dice)),
            _ => text.push_str(rarely(things, dice)),
        }
        rest = after;
    }
    text + rest
}
