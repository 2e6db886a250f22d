//! The screen, drawn.

use jiff::{Timestamp, ZonedDateTime};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span, Text},
    widgets::{Block, Cell, Paragraph, Row, Sparkline, Table, Tabs, Wrap},
};

use super::{
    form::Form,
    screen::{Notice, Screen, Tab},
    worker::Standing,
};
use crate::{
    cli::human,
    domain::{Call, CallStatus, Caller, Heard, Stage, WholeCall},
};

/// Styles; without colour the same things stand out by weight alone.
#[derive(Clone, Copy)]
struct Look {
    colour: bool,
}

impl Look {
    fn with(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    fn good(self) -> Style {
        self.with(Color::Green)
    }

    fn bad(self) -> Style {
        self.with(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn faint(self) -> Style {
        self.with(Color::DarkGray)
    }

    fn title(self) -> Style {
        self.with(Color::Cyan).add_modifier(Modifier::BOLD)
    }
}

fn chosen() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

pub(super) fn screen(frame: &mut Frame<'_>, screen: &mut Screen) {
    let look = Look { colour: screen.colour };
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)])
            .areas(frame.area());
    let at = Tab::ALL.iter().position(|tab| *tab == screen.tab).unwrap_or(0);
    let titles = Tab::ALL.iter().enumerate().map(|(n, tab)| format!("{} {}", n + 1, tab.title()));
    frame.render_widget(Tabs::new(titles).select(at).highlight_style(chosen()).divider("│"), top);
    match (&screen.standing, screen.tab) {
        (_, Tab::Create) => form(frame, middle, &screen.form, look),
        (None, _) => frame.render_widget(Paragraph::new("Looking …").style(look.faint()), middle),
        (Some(standing), Tab::Overview) => {
            let concurrent: Vec<u64> = screen.concurrent.iter().copied().collect();
            overview(frame, middle, standing, &concurrent, look);
        }
        (Some(standing), Tab::Assistants) => {
            let table = assistants(standing, look);
            frame.render_stateful_widget(table, middle, &mut screen.assistants);
        }
        (Some(standing), Tab::Calls) => {
            if let Some((call, down)) = &mut screen.opened {
                transcript(frame, middle, call, down, &standing.at, look);
            } else {
                let table = calls(standing, look);
                frame.render_stateful_widget(table, middle, &mut screen.calls);
            }
        }
    }
    frame.render_widget(bottom_line(screen, look), bottom);
}

fn bottom_line(screen: &Screen, look: Look) -> Paragraph<'static> {
    let keys = match (screen.tab, screen.opened.is_some()) {
        (Tab::Calls, true) => "↑↓ read  Esc back",
        (Tab::Overview, _) => "1-4 Tab screens  r look now  q quit",
        (Tab::Assistants, _) => "↑↓ choose  Enter switch on or off  Tab screens  q quit",
        (Tab::Calls, false) => "↑↓ choose  Enter read  Tab screens  q quit",
        (Tab::Create, _) => "Enter next  Tab screens  Esc leave",
    };
    let line = match &screen.notice {
        Notice::Nothing => Line::styled(keys, look.faint()),
        Notice::Done(words) => Line::styled(words.clone(), look.good()),
        Notice::Failed(words) => Line::styled(words.clone(), look.bad()),
        Notice::Sure(words) => {
            Line::styled(words.clone(), Style::new().add_modifier(Modifier::BOLD))
        }
    };
    Paragraph::new(line)
}

fn overview(
    frame: &mut Frame<'_>,
    area: Rect,
    standing: &Standing,
    concurrent: &[u64],
    look: Look,
) {
    let [figures, line, live] =
        Layout::vertical([Constraint::Length(5), Constraint::Length(4), Constraint::Min(0)])
            .areas(area);
    let [today, waits, money] = Layout::horizontal([Constraint::Ratio(1, 3); 3]).areas(figures);
    let failed = count_of(standing, CallStatus::Failed);
    let average = standing.today.average_duration_s().round() as u64;
    let mut lines = vec![
        Line::from(human::count(standing.today.calls, "call", "calls")),
        Line::from(format!("{} on average", human::duration(average))),
    ];
    let failed_line = format!("{failed} failed");
    lines.push(if failed > 0 {
        Line::styled(failed_line, look.bad())
    } else {
        Line::styled(failed_line, look.faint())
    });
    frame.render_widget(boxed("Today", look, lines), today);
    let wait = |stage: Stage, words: &str| {
        let one = standing.latencies.iter().find(|one| one.stage == stage);
        one.map(|one| {
            let (half, most) = (human::milliseconds(one.p50_ms), human::milliseconds(one.p95_ms));
            Line::from(format!("{words}: {half}, p95 {most}"))
        })
    };
    let lines: Vec<_> = [
        wait(Stage::Felt, "first sound"),
        wait(Stage::Reply, "reply"),
        wait(Stage::FirstToken, "first word"),
    ]
    .into_iter()
    .flatten()
    .collect();
    frame.render_widget(boxed("Callers wait", look, lines), waits);
    let on = standing.assistants.iter().filter(|one| one.assistant.spec.active).count();
    let lines = vec![
        Line::from(format!("{:.2} € today (UTC)", standing.cost.eur.get() as f64 / 1e6)),
        Line::from(format!(
            "{on} of {} answer",
            human::count(standing.assistants.len() as u64, "assistant", "assistants")
        )),
        Line::styled(standing.at.strftime("%H:%M:%S").to_string(), look.faint()),
    ];
    frame.render_widget(boxed("Costs and assistants", look, lines), money);
    let most = concurrent.iter().copied().max().unwrap_or(0);
    let title = format!("Calls at once: {} now, {most} at most", standing.at_once());
    let width = line.width.saturating_sub(2) as usize;
    let newest = &concurrent[concurrent.len().saturating_sub(width)..];
    let spark = Sparkline::default()
        .block(Block::bordered().title(Line::styled(title, look.title())))
        .style(look.with(Color::Cyan))
        .data(newest);
    frame.render_widget(spark, line);
    let rows = standing.live.iter().map(|one| {
        let call = &one.call;
        let lasts = lasts(call.started_at, standing.at.timestamp());
        let (who, words) = match &one.last {
            Some((who, words)) => (*who, words.as_str()),
            None if call.status == CallStatus::Ringing => ("", "rings"),
            None => ("", "…"),
        };
        Row::new(vec![
            Cell::from(lasts),
            Cell::from(call.assistant.to_string()),
            Cell::from(caller(call)),
            Cell::from(call.language.to_string()),
            Cell::from(Line::from(vec![
                Span::styled(
                    if who.is_empty() { String::new() } else { format!("{who}: ") },
                    look.faint(),
                ),
                Span::raw(one_line(words)),
            ])),
        ])
    });
    let widths = [
        Constraint::Length(11),
        Constraint::Length(20),
        Constraint::Length(15),
        Constraint::Length(6),
        Constraint::Min(20),
    ];
    let table = Table::new(rows, widths)
        .header(Row::new(["lasts", "assistant", "caller", "in", "last words"]).style(look.faint()))
        .block(Block::bordered().title(Line::styled("In progress", look.title())));
    frame.render_widget(table, live);
}

fn boxed<'t>(title: &'static str, look: Look, lines: Vec<Line<'t>>) -> Paragraph<'t> {
    Paragraph::new(lines).block(Block::bordered().title(Line::styled(title, look.title())))
}

fn count_of(standing: &Standing, status: CallStatus) -> u64 {
    standing.by_status.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count)
}

fn lasts(from: Timestamp, until: Timestamp) -> String {
    human::duration(u64::try_from(until.duration_since(from).as_secs()).unwrap_or(0))
}

/// A screen is looked at over shoulders.
fn caller(call: &Call) -> String {
    call.caller.as_deref().map_or_else(|| "withheld".to_owned(), |text| Caller::read(text).masked())
}

/// Words of callers hold whatever they hold: on one line, and nothing that moves the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn assistants(standing: &Standing, look: Look) -> Table<'_> {
    let rows = standing.assistants.iter().map(|one| {
        let spec = &one.assistant.spec;
        let state = if spec.active {
            Cell::from("on").style(look.good())
        } else {
            Cell::from("off").style(look.faint())
        };
        let last = one.last_call_at.map_or_else(String::new, |at| human::age(at, &standing.at));
        Row::new(vec![
            state,
            Cell::from(spec.name.to_string()),
            Cell::from(one_line(&spec.client)),
            Cell::from(spec.phone.to_string()),
            Cell::from(one.live_calls.to_string()),
            Cell::from(human::number(one.total_calls)),
            Cell::from(last),
        ])
    });
    let widths = [
        Constraint::Length(4),
        Constraint::Length(24),
        Constraint::Min(16),
        Constraint::Length(14),
        Constraint::Length(5),
        Constraint::Length(8),
        Constraint::Length(16),
    ];
    Table::new(rows, widths)
        .header(
            Row::new(["", "assistant", "client", "number", "now", "calls", "last call"])
                .style(look.faint()),
        )
        .row_highlight_style(chosen())
        .block(Block::bordered().title(Line::styled("Assistants", look.title())))
}

fn calls(standing: &Standing, look: Look) -> Table<'_> {
    let rows = standing.calls.iter().map(|call| {
        let status = match call.status {
            CallStatus::Failed => Cell::from(call.status.as_str()).style(look.bad()),
            CallStatus::InProgress | CallStatus::Ringing => {
                Cell::from(call.status.as_str()).style(look.good())
            }
            _ => Cell::from(call.status.as_str()),
        };
        let outcome = call.after.outcome.map_or("", |outcome| outcome.as_str());
        let length = call.duration_s.map_or_else(String::new, |s| human::duration(s.into()));
        Row::new(vec![
            Cell::from(human::date_time(call.started_at, &standing.at)),
            Cell::from(call.assistant.to_string()),
            Cell::from(caller(call)),
            Cell::from(length),
            status,
            Cell::from(outcome),
            Cell::from(one_line(call.after.topic.as_deref().unwrap_or(""))),
        ])
    });
    let widths = [
        Constraint::Length(16),
        Constraint::Length(20),
        Constraint::Length(15),
        Constraint::Length(13),
        Constraint::Length(11),
        Constraint::Length(12),
        Constraint::Min(10),
    ];
    Table::new(rows, widths)
        .header(
            Row::new(["began", "assistant", "caller", "took", "status", "outcome", "about"])
                .style(look.faint()),
        )
        .row_highlight_style(chosen())
        .block(Block::bordered().title(Line::styled("Calls", look.title())))
}

fn transcript(
    frame: &mut Frame<'_>,
    area: Rect,
    whole: &WholeCall,
    down: &mut u16,
    now: &ZonedDateTime,
    look: Look,
) {
    let call = &whole.call;
    let mut text = Text::default();
    if let Some(summary) = &call.after.summary {
        text.push_line(Line::styled(one_line(summary), look.faint()));
        text.push_line("");
    }
    for turn in &whole.turns {
        let mut says = |who: &'static str, style: Style, words: &str| {
            text.push_line(Line::from(vec![
                Span::styled(format!("{who:>9}  "), style),
                Span::raw(one_line(words)),
            ]));
        };
        match &turn.heard {
            Some(heard @ (Heard::Speech { .. } | Heard::Digits(_))) => {
                says("caller", look.title(), heard.text());
            }
            Some(Heard::Silence) => says("", look.faint(), "(silence)"),
            None => {}
        }
        for tool in &turn.tools {
            says("", look.faint(), &format!("{} {} → {}", tool.tool, tool.arguments, tool.result));
        }
        if let Some(said) = turn.said.as_deref().filter(|said| !said.is_empty()) {
            says("assistant", look.good(), said);
        }
    }
    let began = human::date_time(call.started_at, now);
    let title = format!("{} · {} · {began} · {}", call.sid, call.assistant, caller(call));
    let page = Paragraph::new(text)
        .wrap(Wrap { trim: false })
        .block(Block::bordered().title(Line::styled(title, look.title())));
    // Not past the end, however often the key is pressed.
    let inner = area.width.saturating_sub(2);
    let lines = page.line_count(inner).saturating_sub(area.height.into());
    *down = (*down).min(u16::try_from(lines).unwrap_or(u16::MAX));
    frame.render_widget(page.scroll((*down, 0)), area);
}

fn form(frame: &mut Frame<'_>, area: Rect, form: &Form, look: Look) {
    let mut lines = vec![
        Line::from(
            "A new assistant. Whatever else there is to set has its usual value: `webox assistants edit` changes it.",
        ),
        Line::from(""),
    ];
    for (at, line) in form.lines.iter().enumerate() {
        let is_here = at == form.at;
        let mark = if is_here { "› " } else { "  " };
        let label = format!("{mark}{:<22}", line.label);
        let cursor = if is_here { "▏" } else { "" };
        lines.push(Line::from(vec![
            Span::styled(label, if is_here { look.title() } else { look.faint() }),
            Span::raw(one_line(&line.text)),
            Span::styled(cursor, look.title()),
        ]));
    }
    frame.render_widget(
        Paragraph::new(lines)
            .wrap(Wrap { trim: false })
            .block(Block::bordered().title(Line::styled("Create", look.title()))),
        area,
    );
}
