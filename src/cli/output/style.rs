//! Colours: only for words that carry a state, never the only carrier of it.

use super::ColourChoice;
use crate::config::Environment;

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Like the text around it.
    Plain,
    /// A title, or who speaks.
    Strong,
    /// Beside the point.
    Faint,
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Not as it should be.
    Bad,
}

/// Whether a stream is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(bool);

impl Colour {
    /// No colours.
    pub const OFF: Self = Self(false);

    /// Whether colours are on.
    pub fn is_on(self) -> bool {
        self.0
    }

    /// The text, coloured when colours are on.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if !self.0 => return text.to_owned(),
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A flag beats the environment; `NO_COLOR` beats `CLICOLOR_FORCE`; a stream decides for itself.
pub(super) fn decide(choice: ColourChoice, environment: &Environment, is_terminal: bool) -> Colour {
    Colour(match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto if environment.has("NO_COLOR") => false,
        ColourChoice::Auto if forced(environment) => true,
        ColourChoice::Auto => is_terminal && environment.get("TERM").as_deref() != Some("dumb"),
    })
}

fn forced(environment: &Environment) -> bool {
    ["CLICOLOR_FORCE", "FORCE_COLOR"]
        .iter()
        .any(|name| environment.get(name).is_some_and(|value| value != "0"))
}

#[cfg(test)]
mod tests {
    use super::{
        ColourChoice::{Always, Auto, Never},
        *,
    };

    #[test]
    fn who_decides_about_colours() {
        let is_on = |choice, variables: &[(&str, &str)], terminal| {
            decide(choice, &variables.iter().copied().collect(), terminal).is_on()
        };
        assert!(is_on(Auto, &[], true));
        assert!(!is_on(Auto, &[], false));
        assert!(!is_on(Auto, &[("NO_COLOR", "1")], true));
        assert!(is_on(Auto, &[("NO_COLOR", "")], true), "an empty NO_COLOR says nothing");
        assert!(!is_on(Auto, &[("TERM", "dumb")], true));
        assert!(is_on(Auto, &[("CLICOLOR_FORCE", "1")], false));
        assert!(!is_on(Auto, &[("CLICOLOR_FORCE", "0")], false));
        assert!(is_on(Always, &[("NO_COLOR", "1")], false), "a flag beats the environment");
        assert!(!is_on(Never, &[("FORCE_COLOR", "1")], true));
    }
}
