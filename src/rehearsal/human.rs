//! The humans who are rung in a rehearsal: what each of them does when the telephone rings.

use serde::{Deserialize, Deserializer, de};

/// What a human does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Human {
    /// Takes the call.
    #[default]
    Answers,
    /// Picks up, hears who calls, and refuses; declines at once where nothing is told.
    Refuses,
    /// Is on the telephone.
    Busy,
    /// Does not pick up.
    IsAway,
}

impl Human {
    /// Reads the word of a file, or of a flag.
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "answers" => Some(Self::Answers),
            "refuses" => Some(Self::Refuses),
            "busy" => Some(Self::Busy),
            "no-answer" => Some(Self::IsAway),
            _ => None,
        }
    }
}

/// What humans do, in the order in which they are rung. The last one speaks for all after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Humans {
    will: Vec<Human>,
    rung: usize,
}

impl Humans {
    /// Each one in turn.
    pub fn new(will: Vec<Human>) -> Self {
        Self { will, rung: 0 }
    }

    /// The next one is rung.
    pub(super) fn ring(&mut self) -> Human {
        let human = self.will.get(self.rung).or_else(|| self.will.last()).copied();
        self.rung += 1;
        human.unwrap_or_default()
    }
}

/// What a file may give for one human.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Answers(bool),
    Word(String),
    List(Vec<Form>),
}

impl Form {
    fn flatten(self, humans: &mut Vec<Human>) -> Result<(), String> {
        match self {
            Self::Answers(true) => humans.push(Human::Answers),
            Self::Answers(false) => humans.push(Human::IsAway),
            Self::Word(word) => humans.push(Human::read(&word).ok_or(word)?),
            Self::List(list) => {
                for form in list {
                    form.flatten(humans)?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Humans {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WORDS: &str = "true, false, \"refuses\", \"busy\", or a list of these";
        let form = Form::deserialize(deserializer)
            .map_err(|_| de::Error::custom(format!("expected {WORDS}")))?;
        let mut humans = Vec::new();
        form.flatten(&mut humans).map_err(|word| {
            de::Error::custom(format!(
                "`{}` is nothing that a human does: {WORDS}",
                word.escape_debug()
            ))
        })?;
        Ok(Self::new(humans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Human>, String> {
        #[derive(Deserialize)]
        struct File {
            answers: Humans,
        }
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut humans = file.answers;
        Ok((0..4).map(|_| humans.ring()).collect())
    }

    #[test]
    fn what_humans_do_is_read_and_the_last_speaks_for_all_after() {
        use Human::{Answers, Busy, IsAway, Refuses};
        assert_eq!(read("answers = true").unwrap(), [Answers; 4]);
        assert_eq!(read("answers = false").unwrap(), [IsAway; 4]);
        let several = read("answers = [\"refuses\", \"busy\", true]").unwrap();
        assert_eq!(several, [Refuses, Busy, Answers, Answers]);
        assert!(read("answers = \"perhaps\"").unwrap_err().contains("`perhaps`"));
        assert!(read("answers = 3").unwrap_err().contains("expected true, false"));
        assert_eq!(Humans::default().ring(), Answers);
    }
}
