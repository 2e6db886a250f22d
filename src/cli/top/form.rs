//! The form for a new assistant: three fields, and all else as `webox assistants create` has it.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use crate::{
    cli::assistants,
    domain::{AssistantSpec, Result},
};

/// A line that is written.
#[derive(Debug, Default, Clone)]
pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) text: String,
}

#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) lines: [Line; 3],
    /// Which is being written.
    pub(super) at: usize,
}

/// What came of a key.
#[derive(Debug)]
pub(super) enum Written {
    /// It was for the form.
    Kept,
    /// The form is finished.
    Sent(Result<Box<AssistantSpec>>),
    /// It was not for the form.
    Other,
}

/// Longer than any of the three may be.
const LONGEST: usize = 2_000;

impl Default for Form {
    fn default() -> Self {
        let line = |label| Line { label, text: String::new() };
        Self { lines: [line("Client"), line("Number callers dial"), line("Context")], at: 0 }
    }
}

impl Form {
    pub(super) fn press(&mut self, key: KeyEvent) -> Written {
        let last = self.lines.len() - 1;
        match key.code {
            KeyCode::Char(letter) => {
                let text = &mut self.lines[self.at].text;
                if text.len() < LONGEST {
                    text.push(letter);
                }
            }
            KeyCode::Backspace => {
                self.lines[self.at].text.pop();
            }
            KeyCode::Down => self.at = (self.at + 1).min(last),
            KeyCode::Up => self.at = self.at.saturating_sub(1),
            KeyCode::Enter if self.at < last => self.at += 1,
            KeyCode::Enter => return Written::Sent(self.spec()),
            _ => return Written::Other,
        }
        Written::Kept
    }

    fn spec(&self) -> Result<Box<AssistantSpec>> {
        let [client, phone, context] = &self.lines;
        assistants::new_spec(&client.text, &phone.text, &context.text).map(Box::new)
    }
}
