//! A daemon of the benchmark's own: `webox serve` in a process of its own, on a store that is
//! thrown away, so that what it takes of the machine is told apart from what the callers take.

use std::{
    collections::VecDeque,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use super::stubs::{Delays, Stubs};
use crate::{
    domain::{Actor, AssistantSpec, Error, PhoneNumber, Result, VoiceLine},
    operations::assistants,
    provision,
    rehearsal::daemon::{ACCOUNT, fresh_token},
    store::{Options, Store},
    twilio::caller::Caller,
};

/// What Twilio is said to call it. Signatures and sockets go by it; nothing is looked up.
const PUBLIC_URL: &str = "https://bench.invalid";

/// A daemon that does not answer by then will not.
const START: Duration = Duration::from_secs(20);

/// What it said last is kept for whoever wonders why it failed.
const LAST_WORDS: usize = 5;

/// Nothing of what follows is to be limited: this is about how much it can do.
const SETTINGS: &str = "\
[limits]
calls_to_a_number = 1000000
calls_of_an_account = 1000000
";

/// The assistant of all lines.
const ASSISTANT: &str = r#"
name     = "bench"
client   = "Le Banc d'essai"
phone    = "+33123456789"
timezone = "Europe/Paris"
context  = "Tu réponds au téléphone du Banc d'essai, en une phrase."

[hours]
monday    = ["12:00-14:00", "19:00-23:00"]
wednesday = ["12:00-14:00", "19:00-23:00"]

[[facts]]
about  = ["adresse"]
answer = "Nous sommes au 12 rue des Martyrs, dans le neuvième arrondissement."

[[facts]]
about  = ["parking"]
answer = "Il y a un parking public à cent mètres, ouvert toute la nuit."

[limits]
max_call_duration    = "4h"
max_concurrent_calls = 1000000
max_calls_per_caller = 1000000
"#;

/// What a line needs besides. Only a stream has ears and a mouth of its own, and only there a mind
/// is asked that takes its time: what the other lines measure is webox alone.
const fn of_line(line: VoiceLine) -> &'static str {
    match line {
        VoiceLine::Gather => "[voice]\nline = \"gather\"\n",
        VoiceLine::Relay => "[voice]\nline = \"relay\"\n",
        VoiceLine::Stream => {
            "[ai]\nmodel = \"compatible/stub\"\n\
             [voice]\nline = \"stream\"\nprovider = \"elevenlabs\"\n\
             [hearing]\nprovider = \"openai\"\n"
        }
    }
}

/// How its assistant listens and answers over a stream.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How long its providers take.
    pub delays: Delays,
    /// `hearing.pause_ms`.
    pub pause: Duration,
    /// `hearing.start_early`.
    pub start_early: bool,
}

impl Manner {
    /// What of an answer's time is not webox's.
    pub fn not_ours(self) -> Duration {
        self.delays.of_answer(self.pause, self.start_early)
    }
}

/// A daemon that is killed when it is dropped.
pub struct OwnDaemon {
    child: Child,
    caller: Caller,
    number: PhoneNumber,
    last_words: Arc<Mutex<VecDeque<String>>>,
    _stubs: Option<Stubs>,
    _folder: TempDir,
}

impl OwnDaemon {
    /// Starts a program as a daemon with one assistant on a line.
    pub async fn start(
        program: &Path,
        line: VoiceLine,
        manner: Manner,
        speech: &[u8],
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("webox-bench-")
            .tempdir()
            .map_err(|error| Error::failure("no temporary folder could be made").because(error))?;
        let at = |name: &str| folder.path().join(name);
        let (db, settings) = (at("webox.db"), at("webox.toml"));
        tokio::fs::write(&settings, SETTINGS)
            .await
            .map_err(|cause| Error::of_file(&settings, "cannot be written", cause))?;
        let mut spec = assistant(line)?;
        if line == VoiceLine::Stream {
            spec.hearing.pause_ms = u32::try_from(manner.pause.as_millis()).unwrap_or(u32::MAX);
            spec.hearing.start_early = manner.start_early;
        }
        let number = spec.phone.number.clone();
        let made = db.clone();
        let made = tokio::task::spawn_blocking(move || {
            let store = Store::open(&made, Options::terminal())?;
            assistants::create(&store, &Actor::webox("bench"), spec, None, Timestamp::now())
        });
        made.await
            .unwrap_or_else(|error| Err(Error::failure("the store broke off").because(error)))?;
        let stubs = match line {
            VoiceLine::Stream => Some(Stubs::start(manner.delays, speech).await?),
            VoiceLine::Gather | VoiceLine::Relay => None,
        };
        let token = fresh_token();
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--public-url", PUBLIC_URL])
            .args([Path::new("--db"), &db, Path::new("--config"), &settings])
            // No key and no setting of the user's has a part in this.
            .env_clear()
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env("TWILIO_AUTH_TOKEN", token.expose())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(stubs) = &stubs {
            command
                .env("OPENAI_BASE_URL", stubs.of_openai())
                .env("OPENAI_API_KEY", "sk-stub")
                .env("ELEVENLABS_BASE_URL", stubs.of_elevenlabs())
                .env("ELEVENLABS_API_KEY", "stub");
        }
        let mut child = command.spawn().map_err(|error| {
            Error::failure(format!("{} could not be started", program.display())).because(error)
        })?;
        let stderr = child.stderr.take().ok_or_else(|| Error::failure("the daemon is mute"))?;
        let mut lines = BufReader::new(stderr).lines();
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        let started = tokio::time::timeout(START, listening_at(&mut lines, &last_words)).await;
        let Ok(Some(address)) = started else { return Err(no_start(&last_words)) };
        // What it logs is read to the end: a full pipe would stop it.
        let kept = Arc::clone(&last_words);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                keep(&kept, line);
            }
        });
        let caller =
            Caller::new(&format!("http://{address}"), PUBLIC_URL, token, ACCOUNT.parse()?)?;
        Ok(Self { child, caller, number, last_words, _stubs: stubs, _folder: folder })
    }

    /// A Twilio that knows its token.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The number of its assistant.
    pub fn number(&self) -> &PhoneNumber {
        &self.number
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it complained of last, if it did.
    pub fn complaints(&self) -> Vec<String> {
        let last = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().cloned().collect()
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        let ended = self.child.kill().await;
        ended.map_err(|cause| Error::failure("the daemon could not be ended").because(cause))
    }
}

fn assistant(line: VoiceLine) -> Result<AssistantSpec> {
    let text = format!("{ASSISTANT}\n{}", of_line(line));
    provision::read_text("bench.toml", &text).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error::failure("the benchmark's own assistant is broken").because(problems.join("; "))
    })
}

/// The address that the daemon tells once it answers.
async fn listening_at(
    lines: &mut Lines<BufReader<ChildStderr>>,
    last_words: &Mutex<VecDeque<String>>,
) -> Option<String> {
    while let Ok(Some(line)) = lines.next_line().await {
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        if entry["message"] == "webox answers" {
            return entry["address"].as_str().map(str::to_owned);
        }
        keep(last_words, line);
    }
    None
}

fn keep(last_words: &Mutex<VecDeque<String>>, line: String) {
    // Everything but the daily routine.
    if line.contains("\"level\":\"INFO\"") || line.contains("\"level\":\"DEBUG\"") {
        return;
    }
    let mut last = last_words.lock().unwrap_or_else(PoisonError::into_inner);
    if last.len() == LAST_WORDS {
        last.pop_front();
    }
    last.push_back(line);
}

fn no_start(last_words: &Mutex<VecDeque<String>>) -> Error {
    let last = last_words.lock().unwrap_or_else(PoisonError::into_inner);
    let said = last.iter().cloned().collect::<Vec<_>>().join("\n");
    let said = if said.is_empty() { "it said nothing".to_owned() } else { said };
    Error::failure("the daemon that was to be measured does not start").because(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assistant_of_webhooks_is_in_order() {
        let spec = assistant(VoiceLine::Gather).unwrap();
        assert!(spec.check().is_ok());
        assert_eq!(spec.voice.line, VoiceLine::Gather);
    }

    #[test]
    fn complaints_are_kept_and_routine_is_not() {
        let kept = Mutex::new(VecDeque::new());
        keep(&kept, r#"{"level":"INFO","message":"webox answers"}"#.to_owned());
        for n in 0..8 {
            keep(&kept, format!(r#"{{"level":"WARN","message":"{n}"}}"#));
        }
        let kept = kept.into_inner().unwrap();
        assert_eq!(kept.len(), LAST_WORDS);
        assert!(kept[0].contains("\"3\""), "{kept:?}");
    }
}
