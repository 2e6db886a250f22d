//! What may be kept of what callers are told.

/// Whether a sentence is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// At once: everybody is told it.
    Always,
    /// Once different callers were told it.
    IfCommon,
}

/// Figures in a row from which on they may be somebody's number.
const FIGURES: usize = 6;

/// Whether a sentence may hold a number or an address: never kept, however many were told it.
pub(super) fn may_be_personal(text: &str) -> bool {
    let mut row = 0;
    for c in text.chars() {
        if c == '@' {
            return true;
        }
        if c.is_numeric() {
            row += 1;
        } else if !(c.is_whitespace() || ".-/()+".contains(c)) {
            row = 0;
        }
        if row >= FIGURES {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_may_be_somebodys() {
        for text in [
            "Votre numéro est le 06 12 34 56 78.",
            "Écrivez à a@b.fr.",
            "Dossier 123456.",
            "4111-1111",
        ] {
            assert!(may_be_personal(text), "{text}");
        }
        for text in ["Nous ouvrons de 12 heures à 14 heures 30.", "Le menu est à 35 euros.", ""] {
            assert!(!may_be_personal(text), "{text}");
        }
    }
}
