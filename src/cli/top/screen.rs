//! What the screen shows, and what keys do to it. It draws nothing and asks nobody.

use std::collections::VecDeque;

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    widgets::TableState,
};

use super::{
    form::{Form, Written},
    worker::{Ask, News, Standing},
};
use crate::domain::WholeCall;

/// How many looks back the line of concurrent calls goes.
const LOOKS: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Assistants,
    Create,
    Calls,
}

impl Tab {
    pub(super) const ALL: [Self; 4] = [Self::Overview, Self::Assistants, Self::Create, Self::Calls];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Assistants => "Assistants",
            Self::Create => "Create",
            Self::Calls => "Calls",
        }
    }
}

/// What a key asks of the outside.
#[derive(Debug)]
pub(super) enum Effect {
    None,
    Quit,
    Ask(Ask),
}

/// A line at the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    Nothing,
    Done(String),
    Failed(String),
    /// Somebody has to say yes.
    Sure(String),
}

#[derive(Debug)]
pub(super) struct Screen {
    pub(super) tab: Tab,
    pub(super) colour: bool,
    pub(super) standing: Option<Box<Standing>>,
    /// How many calls went on at each look, the oldest first.
    pub(super) concurrent: VecDeque<u64>,
    pub(super) assistants: TableState,
    pub(super) calls: TableState,
    /// A call that is read, and how far down.
    pub(super) opened: Option<(Box<WholeCall>, u16)>,
    pub(super) form: Form,
    pub(super) notice: Notice,
    /// What happens after a yes.
    sure: Option<Ask>,
}

impl Screen {
    pub(super) fn new(colour: bool) -> Self {
        Self {
            tab: Tab::Overview,
            colour,
            standing: None,
            concurrent: VecDeque::new(),
            assistants: TableState::default().with_selected(0),
            calls: TableState::default().with_selected(0),
            opened: None,
            form: Form::default(),
            notice: Notice::Nothing,
            sure: None,
        }
    }

    /// Something came.
    pub(super) fn take(&mut self, news: News) {
        match news {
            News::Standing(standing) => {
                if self.concurrent.len() == LOOKS {
                    self.concurrent.pop_front();
                }
                self.concurrent.push_back(standing.at_once());
                if matches!(self.notice, Notice::Failed(_)) {
                    self.notice = Notice::Nothing;
                }
                // What was chosen stays chosen, and is never past the end.
                clamp(&mut self.assistants, standing.assistants.len());
                self.keep_call(&standing);
                self.standing = Some(standing);
            }
            News::Call(call) => self.opened = Some((call, 0)),
            News::Done(words) => self.notice = Notice::Done(words),
            News::Created(words) => {
                self.notice = Notice::Done(words);
                // The form is empty again.
                self.form = Form::default();
                self.tab = Tab::Assistants;
            }
            News::Failed(error) => {
                let hint = error.hint_text().map(|hint| format!(" ({hint})")).unwrap_or_default();
                self.notice = Notice::Failed(format!("{}{hint}", error.message()));
            }
        }
    }

    /// New calls come at the top: the chosen one moves down with its row.
    fn keep_call(&mut self, new: &Standing) {
        let chosen = self.standing.as_ref().zip(self.calls.selected());
        let chosen = chosen.and_then(|(old, at)| old.calls.get(at)).map(|call| call.id);
        let at = chosen.filter(|_| self.calls.selected() != Some(0));
        let at = at.and_then(|id| new.calls.iter().position(|call| call.id == id));
        if let Some(at) = at {
            self.calls.select(Some(at));
        }
        clamp(&mut self.calls, new.calls.len());
    }

    /// A key was pressed.
    pub(super) fn press(&mut self, key: KeyEvent) -> Effect {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Effect::Quit,
                KeyCode::Char('l') => Effect::Ask(Ask::Look),
                _ => Effect::None,
            };
        }
        if let Some(ask) = self.sure.take() {
            self.notice = Notice::Nothing;
            return match key.code {
                KeyCode::Char('y' | 'o') => Effect::Ask(ask),
                _ => Effect::None,
            };
        }
        if let Some((_, down)) = &mut self.opened {
            match key.code {
                KeyCode::Esc | KeyCode::Char('q') | KeyCode::Enter | KeyCode::Backspace => {
                    self.opened = None;
                }
                KeyCode::Down | KeyCode::Char('j') => *down = down.saturating_add(1),
                KeyCode::Up | KeyCode::Char('k') => *down = down.saturating_sub(1),
                KeyCode::PageDown | KeyCode::Char(' ') => *down = down.saturating_add(10),
                KeyCode::PageUp => *down = down.saturating_sub(10),
                _ => {}
            }
            return Effect::None;
        }
        match key.code {
            KeyCode::Tab => return self.turn(1),
            KeyCode::BackTab => return self.turn(Tab::ALL.len() - 1),
            _ => {}
        }
        if self.tab == Tab::Create {
            return self.write(key);
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => Effect::Quit,
            KeyCode::Char('r') => Effect::Ask(Ask::Look),
            KeyCode::Char(digit @ '1'..='4') => {
                let at = digit as usize - '1' as usize;
                self.tab = Tab::ALL[at];
                Effect::None
            }
            KeyCode::Down | KeyCode::Char('j') => self.step(TableState::select_next),
            KeyCode::Up | KeyCode::Char('k') => self.step(TableState::select_previous),
            KeyCode::PageDown => self.step(|table| table.scroll_down_by(10)),
            KeyCode::PageUp => self.step(|table| table.scroll_up_by(10)),
            KeyCode::Home | KeyCode::Char('g') => self.step(TableState::select_first),
            KeyCode::End | KeyCode::Char('G') => self.step(|table| table.select(Some(usize::MAX))),
            KeyCode::Enter | KeyCode::Char(' ' | 't') => self.choose(),
            _ => Effect::None,
        }
    }

    fn turn(&mut self, by: usize) -> Effect {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        self.tab = Tab::ALL[(at + by) % Tab::ALL.len()];
        Effect::None
    }

    fn write(&mut self, key: KeyEvent) -> Effect {
        match self.form.press(key) {
            Written::Sent(Ok(spec)) => {
                self.sure = Some(Ask::Create(spec.clone()));
                let (name, phone) = (&spec.name, &spec.phone);
                self.notice = Notice::Sure(format!("Create {name} at {phone}? y/n"));
            }
            Written::Sent(Err(error)) => {
                let hint = error.hint_text().map(|hint| format!(" ({hint})")).unwrap_or_default();
                self.notice = Notice::Failed(format!("{}{hint}", error.message()));
            }
            Written::Other if key.code == KeyCode::Esc => self.tab = Tab::Overview,
            Written::Kept | Written::Other => {}
        }
        Effect::None
    }

    fn step(&mut self, step: impl FnOnce(&mut TableState)) -> Effect {
        let Some(standing) = &self.standing else { return Effect::None };
        let (table, rows) = match self.tab {
            Tab::Assistants => (&mut self.assistants, standing.assistants.len()),
            Tab::Calls => (&mut self.calls, standing.calls.len()),
            Tab::Overview | Tab::Create => return Effect::None,
        };
        step(table);
        clamp(table, rows);
        Effect::None
    }

    fn choose(&mut self) -> Effect {
        let Some(standing) = &self.standing else { return Effect::None };
        match self.tab {
            Tab::Assistants => {
                let chosen = self.assistants.selected().and_then(|at| standing.assistants.get(at));
                let Some(one) = chosen else { return Effect::None };
                let (spec, id) = (&one.assistant.spec, one.assistant.id);
                let word = if spec.active { "off" } else { "on" };
                self.notice = Notice::Sure(format!("Switch {} {word}? y/n", spec.name));
                self.sure = Some(Ask::Switch(id, !spec.active));
                Effect::None
            }
            Tab::Calls => {
                let chosen = self.calls.selected().and_then(|at| standing.calls.get(at));
                chosen.map_or(Effect::None, |call| Effect::Ask(Ask::Open(call.sid.clone())))
            }
            Tab::Overview | Tab::Create => Effect::None,
        }
    }
}

fn clamp(table: &mut TableState, rows: usize) {
    let at = table.selected().unwrap_or(0).min(rows.saturating_sub(1));
    table.select((rows > 0).then_some(at));
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
