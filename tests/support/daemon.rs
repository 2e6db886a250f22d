//! The real daemon: `webox serve` in a process of its own, and a Twilio that calls it.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use webox::{
    domain::{CallSid, PhoneNumber, Secret},
    twilio::{
        caller::{Answer, Caller},
        reader::{self, Verb},
    },
};

use super::cmd::Webox;

/// What Twilio signs with.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// What Twilio calls us. Not where the daemon listens: only the configured address counts.
pub(crate) const PUBLIC_URL: &str = "https://calls.example.test/voice-proxy";
/// Le Gourmet's number.
pub(crate) const NUMBER: &str = "+33123456789";
/// Who calls.
pub(crate) const CALLER: &str = "+33612345678";

const HOOK: &str = "/api/voice/webhook";

/// A Twilio with connections of its own.
pub(crate) fn twilio_at(address: SocketAddr) -> Caller {
    let account = "AC00000000000000000000000000000001".parse().unwrap();
    Caller::new(&format!("http://{address}"), PUBLIC_URL, Secret::new(TOKEN), account).unwrap()
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) twilio: Caller,
    log: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    /// Starts `webox serve` in a home, and waits until it answers.
    pub(crate) fn start(webox: &Webox) -> Self {
        Self::start_at(webox, "127.0.0.1:0")
    }

    /// The same at an address of one's choice.
    pub(crate) fn start_at(webox: &Webox, address: &str) -> Self {
        Self::start_with(webox, &["--listen", address])
    }

    /// The same with arguments of one's choice.
    pub(crate) fn start_with(webox: &Webox, more: &[&str]) -> Self {
        Self::spawned(Self::command(webox, more))
    }

    /// The same, called by another name, with further flags.
    pub(crate) fn start_as(webox: &Webox, address: &str, public_url: &str, more: &[&str]) -> Self {
        let args = ["serve", "--listen", address, "--public-url", public_url];
        let mut command = webox.command(args.into_iter().chain(more.iter().copied()));
        command.env("TWILIO_AUTH_TOKEN", TOKEN);
        Self::spawned_as(command, public_url)
    }

    /// The command of a daemon that is not started yet.
    pub(crate) fn command(webox: &Webox, more: &[&str]) -> Command {
        let args = ["serve", "--public-url", PUBLIC_URL].into_iter().chain(more.iter().copied());
        let mut command = webox.command(args);
        command.env("TWILIO_AUTH_TOKEN", TOKEN);
        command
    }

    /// Starts a command, and waits until it answers.
    pub(crate) fn spawned(command: Command) -> Self {
        Self::spawned_as(command, PUBLIC_URL)
    }

    fn spawned_as(mut command: Command, public_url: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("no start: {:?}", log.lock()) };
            let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            log.lock().unwrap().push(line);
            if entry["message"] == "webox answers" {
                break entry["address"].as_str().unwrap().parse().unwrap();
            }
        };
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        let account = "AC00000000000000000000000000000001".parse().unwrap();
        let twilio =
            Caller::new(&format!("http://{address}"), public_url, Secret::new(TOKEN), account);
        Self { child, address, twilio: twilio.unwrap(), log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The first line of the log with some words in it; it may come a little later than the answer.
    #[track_caller]
    pub(crate) fn logged(&self, words: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(line) = self.log().into_iter().find(|line| line.contains(words)) {
                return line;
            }
            assert!(Instant::now() < deadline, "`{words}` is not logged: {:?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; answers the exit code.
    pub(crate) fn terminate(self) -> Option<i32> {
        self.signal("TERM");
        self.stopped()
    }

    /// Sends a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has stopped by itself; answers its exit code.
    pub(crate) fn stopped(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Posts to one of the webhooks, with fields added to those of every request.
    pub(crate) async fn post(&self, route: &str, sid: &CallSid, extra: &[(&str, &str)]) -> Answer {
        self.post_from(CALLER, NUMBER, route, sid, extra).await
    }

    /// The same, from and to other numbers.
    pub(crate) async fn post_from(
        &self,
        from: &str,
        to: &str,
        route: &str,
        sid: &CallSid,
        extra: &[(&str, &str)],
    ) -> Answer {
        let to: PhoneNumber = to.parse().unwrap();
        let mut fields = self.twilio.fields(sid, from, &to, "in-progress");
        for (name, value) in extra {
            fields.retain(|(found, _)| found != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.twilio.post(&format!("{HOOK}/{route}"), fields).await.unwrap()
    }

    /// A call rings.
    pub(crate) async fn ring(&self, sid: &CallSid) -> Answer {
        self.post("incoming", sid, &[("CallStatus", "ringing")]).await
    }

    /// The caller says something in a turn.
    pub(crate) async fn say(&self, sid: &CallSid, turn: u32, words: &str) -> Answer {
        let route = format!("process?call_sid={sid}&turn={turn}");
        self.post(&route, sid, &[("SpeechResult", words), ("Confidence", "0.9")]).await
    }

    /// The call is over.
    pub(crate) async fn hang_up(&self, sid: &CallSid, seconds: u32) -> Answer {
        let seconds = seconds.to_string();
        self.post("status", sid, &[("CallStatus", "completed"), ("CallDuration", &seconds)]).await
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CallSid with a number.
pub(crate) fn sid(n: u32) -> CallSid {
    format!("CA{n:032x}").parse().unwrap()
}

/// All that an answer makes the caller hear; it must be 200 and TwiML.
#[track_caller]
pub(crate) fn spoken(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut words = Vec::new();
    for verb in verbs(answer) {
        match verb {
            Verb::Say(said) => words.push(said.text),
            Verb::Gather { prompts, .. } => words.extend(prompts.into_iter().map(|said| said.text)),
            _ => {}
        }
    }
    words.join(" ")
}

/// The verbs of an answer.
#[track_caller]
pub(crate) fn verbs(answer: &Answer) -> Vec<Verb> {
    assert!(answer.content_type.starts_with("text/xml"), "{}", answer.content_type);
    reader::read(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

/// Where an answer has Twilio ask again at once, since there is no reply yet. Every `<Gather>` is followed by
/// a `<Redirect>`; only one without it asks to come back.
pub(crate) fn back(answer: &Answer) -> Option<String> {
    let mut verbs = verbs(answer);
    let listens = verbs.iter().any(|verb| matches!(verb, Verb::Gather { .. }));
    match verbs.pop() {
        Some(Verb::Redirect(back)) if !listens => {
            Some(back.split("/webhook/").nth(1).unwrap().to_owned())
        }
        _ => None,
    }
}

/// Whether the answer ends the call.
#[track_caller]
pub(crate) fn hangs_up(answer: &Answer) -> bool {
    verbs(answer).last() == Some(&Verb::Hangup)
}
