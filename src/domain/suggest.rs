//! "Did you mean …?"

/// The known words nearest to `given`, best first, at most three.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let given = given.to_lowercase();
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&given, &word.to_lowercase()), word))
        .filter(|(score, _)| *score >= 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, word)| word).collect()
}

/// The sentence for a hint: "did you mean `a` or `b`?".
pub fn suggestion_hint<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let near = did_you_mean(given, known);
    if near.is_empty() {
        return None;
    }
    let list = near.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
    Some(format!("did you mean {list}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_comes_first_and_strangers_are_silent() {
        let names = ["le-gourmet", "le-gourmand", "garage-dupont"];
        assert_eq!(did_you_mean("le-gourmt", names)[0], "le-gourmet");
        assert!(did_you_mean("xyz", names).is_empty());
        assert_eq!(suggestion_hint("xyz", names), None);
    }
}
