//! Numbers in figures and in words: "4", "quatre", "vingt et un", "forty five".

use super::fold::Token;
use crate::conversation::concierge::vocabulary::Numbers;

/// The number that starts at a token, and how many tokens it takes. At most 9999.
pub(crate) fn number_at(numbers: &Numbers, tokens: &[Token], start: usize) -> Option<(i32, usize)> {
    let first = tokens.get(start)?;
    if first.is_figures() {
        return (first.word.len() <= 4).then(|| first.word.parse().ok()).flatten().map(|n| (n, 1));
    }
    let (value, taken) = numbers.words.at(tokens, start)?;
    if numbers.whole || !(20..100).contains(&value) || value % 10 != 0 {
        return Some((value, taken));
    }
    let join = numbers.joins.at(tokens, start + taken).unwrap_or(0);
    let units = numbers.words.at(tokens, start + taken + join);
    // "vingt et un", but not "vingt et deux amis"; "soixante-dix" and "quatre-vingt-dix" go to 19.
    let most = if value == 60 || value == 80 { 19 } else { 9 };
    match units {
        Some((unit, more))
            if (1..=most).contains(&unit)
                && (join == 0 || numbers.joins_all || unit == 1 || unit == 11) =>
        {
            Some((value + unit, taken + join + more))
        }
        _ => Some((value, taken)),
    }
}
