//! The binary on a terminal, for what only happens there.

use std::{
    io::Read,
    process::Stdio,
    time::{Duration, Instant},
};

use expectrl::{
    Expect, Session,
    process::unix::{UnixProcess, WaitStatus},
    session::OsSession,
};

use super::cmd::Webox;

/// A command on a terminal of 100 columns.
pub(crate) struct OnTerminal {
    session: OsSession,
    seen: String,
}

impl OnTerminal {
    pub(crate) fn start<'a>(webox: &Webox, args: impl IntoIterator<Item = &'a str>) -> Self {
        let mut command = webox.command(args);
        command.env("TERM", "xterm");
        // The terminal is in the place of all three streams already.
        command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(20)));
        session.get_process_mut().set_window_size(100, 40).unwrap();
        // As on a person's terminal; it is born without. The program runs already: what it asks first may
        // not be hidden.
        session.get_process_mut().set_echo(true, None).unwrap();
        Self { session, seen: String::new() }
    }

    /// Waits for some text.
    #[track_caller]
    pub(crate) fn see(&mut self, text: &str) -> &mut Self {
        let found = self
            .session
            .expect(text)
            .unwrap_or_else(|error| panic!("no `{text}`: {error}; before it: {}", self.seen));
        self.seen.push_str(&String::from_utf8_lossy(found.before()));
        self.seen.push_str(text);
        self
    }

    pub(crate) fn type_line(&mut self, text: &str) -> &mut Self {
        // A terminal's Enter key is a carriage return.
        self.session.send(format!("{text}\r")).unwrap();
        self
    }

    /// Types what is asked without an echo, once the echo is gone: what stands on a terminal
    /// before that is thrown away with it.
    #[track_caller]
    pub(crate) fn type_hidden(&mut self, text: &str) -> &mut Self {
        let late = Instant::now() + Duration::from_secs(20);
        while self.session.get_process().get_echo().unwrap() {
            assert!(Instant::now() < late, "the echo stays; before it: {}", self.seen);
            std::thread::sleep(Duration::from_millis(5));
        }
        self.type_line(text)
    }

    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        self.session.send(keys).unwrap();
        self
    }

    /// SIGTERM.
    pub(crate) fn terminate(&mut self) -> &mut Self {
        let pid = self.session.get_process().pid().as_raw().to_string();
        std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        self
    }

    /// Waits for the end; answers the exit code and everything that was shown.
    pub(crate) fn end(mut self) -> (i32, String) {
        let mut rest = Vec::new();
        // A terminal whose program is gone is at its end, which Linux tells as an error.
        let _ = self.session.read_to_end(&mut rest);
        self.seen.push_str(&String::from_utf8_lossy(&rest));
        let process: &UnixProcess = self.session.get_process();
        let code = match process.wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            // As a shell counts it.
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            other => panic!("ended by {other:?}"),
        };
        (code, self.seen)
    }
}
