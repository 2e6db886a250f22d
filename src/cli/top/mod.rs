//! `webox top`: what goes on, live. The screen is drawn from a state ([`screen`]), the state is changed
//! by keys and by what a worker brings ([`worker`]); neither knows of the other.

mod draw;
mod form;
mod screen;
mod worker;

use std::{
    io::IsTerminal,
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use clap::Args;
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyEventKind},
};
use tokio::signal::unix::{SignalKind, signal};

use self::screen::{Effect, Screen};
use super::{Context, daemon, exit, help};
use crate::domain::{Error, Result};

/// Arguments of `webox top`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox top", "of the database here"),
        ("webox top --server https://calls.example.com", "of a daemon elsewhere"),
        ("webox top --every 5", "looks every five seconds"),
    ],
    &[exit::FAILURE, exit::USAGE],
))]
pub struct Top {
    /// Look again after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=3600))]
    every: u16,
}

/// How long it waits for a key before it looks whether there is something new.
const KEY: Duration = Duration::from_millis(100);

pub(super) fn run(args: &Top, context: &Context) -> Result<()> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Error::usage("`webox top` is a screen, and this is no terminal")
            .hint("`webox stats -o json` and `webox calls -o json` are for scripts"));
    }
    let desk = context.desk("top")?;
    let worker = worker::start(desk, context.now()?, Duration::from_secs(args.every.into()));
    let stopped = stopped()?;
    let mut screen = Screen::new(context.out.colour().is_on());
    let mut terminal = ratatui::try_init()
        .map_err(|cause| Error::failure("the terminal cannot be taken over").because(cause))?;
    let done = watch(&mut terminal, &mut screen, &worker, &stopped);
    // Also after a mistake: the terminal is left as it was found.
    ratatui::restore();
    done.map_err(|cause| Error::failure("the terminal is gone").because(cause))
}

/// Told when the process is to end: the terminal is put back first.
fn stopped() -> Result<Receiver<()>> {
    let (tell, told) = mpsc::channel();
    let runtime = daemon::runtime()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut terminate), Ok(mut hang_up)) =
                (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
            else {
                return;
            };
            tokio::select! { _ = terminate.recv() => {}, _ = hang_up.recv() => {} }
            // Nobody listens when the screen is closed already.
            let _ = tell.send(());
        });
    });
    Ok(told)
}

fn watch(
    terminal: &mut DefaultTerminal,
    screen: &mut Screen,
    worker: &worker::Worker,
    stopped: &Receiver<()>,
) -> std::io::Result<()> {
    loop {
        while let Some(news) = worker.news() {
            screen.take(news);
        }
        terminal.draw(|frame| draw::screen(frame, screen))?;
        if stopped.try_recv().is_ok() {
            return Ok(());
        }
        if !event::poll(KEY)? {
            continue;
        }
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match screen.press(key) {
            Effect::None => {}
            Effect::Quit => return Ok(()),
            Effect::Ask(ask) => worker.ask(ask),
        }
    }
}
