//! Programs of this machine that speak: espeak-ng for a hundred languages, Piper for good voices.
//!
//! A voice is `piper:NAME` or `piper:/PATH/NAME.onnx` for a model of Piper's, and espeak-ng's own name
//! otherwise (`fr-be`, `en-gb+f3`). Words go in by standard input alone: never as an argument, never
//! through a shell. The programs see no variable of ours that could be a key.

use std::{
    ffi::OsString,
    io,
    path::{Component, Path, PathBuf},
    pin::Pin,
    process::Stdio,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use super::{
    AudioStream, SpeechRequest, TextToSpeech, VoiceInfo,
    errors::{broken, late},
    http::{self, Deadlines},
    speaks,
};
use crate::{
    audio::wav::{Format, Reader},
    domain::{LanguageTag, Outcome},
    providers::speech::SpeechError,
};

/// Programs that may speak at once: each takes a core.
const AT_ONCE: usize = 8;

/// What is read at a time: an eighth of a second of espeak-ng's.
const PIECE: usize = 8 * 1024;

/// What is kept of a program's complaints.
const COMPLAINT: u64 = 4 * 1024;

/// Variables that a program needs to find itself and its data.
const VARIABLES: [&str; 5] = ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "ESPEAK_DATA_PATH"];

/// Where the programs are.
#[derive(Debug, Clone, Default)]
pub struct LocalSettings {
    /// `espeak-ng` otherwise, where `PATH` has it.
    pub espeak: Option<PathBuf>,
    /// `piper` otherwise.
    pub piper: Option<PathBuf>,
    /// The folder of Piper's models; those elsewhere are then refused.
    pub models: Option<PathBuf>,
    /// How many programs may speak at once.
    pub at_once: Option<usize>,
}

#[derive(Clone)]
pub(super) struct Local {
    espeak: PathBuf,
    piper: PathBuf,
    models: Option<PathBuf>,
    slots: Arc<Semaphore>,
    deadlines: Deadlines,
}

/// What is started for some words.
struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    reader: Reader,
    hint: &'static str,
}

impl Local {
    pub(super) fn new(settings: &LocalSettings, deadlines: Deadlines) -> Self {
        let or = |path: &Option<PathBuf>, usual: &str| path.clone().unwrap_or_else(|| usual.into());
        Self {
            espeak: or(&settings.espeak, "espeak-ng"),
            piper: or(&settings.piper, "piper"),
            models: settings.models.clone(),
            slots: Arc::new(Semaphore::new(settings.at_once.unwrap_or(AT_ONCE).max(1))),
            deadlines,
        }
    }

    async fn program(&self, request: &SpeechRequest) -> Result<Program, SpeechError> {
        let Some(model) = piper_model(request) else { return self.espeak(request) };
        let model = self.model(model)?;
        let config = with_json(&model);
        let text = blocking(move || std::fs::read_to_string(&config)).await.map_err(|cause| {
            let file = with_json(&model);
            let detail = format!("Piper's {} cannot be read: {cause}", file.display());
            SpeechError::new(Outcome::NotFound, detail)
        })?;
        let config: Value = serde_json::from_str(&text).unwrap_or_default();
        let rate =
            config["audio"]["sample_rate"].as_u64().and_then(|rate| u32::try_from(rate).ok());
        let rate = rate.ok_or_else(|| {
            let detail = format!("{} names no sample rate", with_json(&model).display());
            SpeechError::new(Outcome::BadRequest, detail)
        })?;
        Ok(Program {
            path: self.piper.clone(),
            arguments: vec!["--model".into(), model.into(), "--output-raw".into()],
            reader: Reader::raw(Format::pcm16(rate)),
            hint: "install Piper (`pip install piper-tts`)",
        })
    }

    fn espeak(&self, request: &SpeechRequest) -> Result<Program, SpeechError> {
        Ok(Program {
            path: self.espeak.clone(),
            // -b 1: the words are UTF-8.
            arguments: ["-v", &espeak_voice(request)?, "-b", "1", "--stdin", "--stdout"]
                .map(OsString::from)
                .to_vec(),
            reader: Reader::wav(),
            hint: "install espeak-ng (Debian: `apt install espeak-ng`)",
        })
    }

    /// The file of a model. With a folder of models, none outside of it.
    fn model(&self, named: &str) -> Result<PathBuf, SpeechError> {
        let mut path = PathBuf::from(named);
        if path.extension().is_none_or(|extension| extension != "onnx") {
            path.as_mut_os_string().push(".onnx");
        }
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let climbs = path.components().any(|part| part == Component::ParentDir);
        match &self.models {
            Some(folder) if inside => Ok(folder.join(path)),
            Some(folder) if !climbs && path.starts_with(folder) => Ok(path),
            None if path.is_absolute() => Ok(path),
            Some(folder) => Err(SpeechError::new(
                Outcome::BadRequest,
                format!("the model is not in {}: name one that is, `piper:NAME`", folder.display()),
            )),
            None => Err(SpeechError::new(
                Outcome::BadRequest,
                "no folder of Piper's models is set: set one, or write `piper:/PATH/NAME.onnx`",
            )),
        }
    }

    async fn start(
        &self,
        request: SpeechRequest,
    ) -> Result<impl Stream<Item = Result<Bytes, SpeechError>> + Send + use<>, SpeechError> {
        let by = Instant::now() + self.deadlines.first_byte;
        let program = self.program(&request).await?;
        let slot = timeout_at(by, Arc::clone(&self.slots).acquire_owned()).await;
        let Ok(Ok(slot)) = slot else {
            let detail = "too many programs speak at once on this machine";
            return Err(SpeechError::new(Outcome::RateLimited, detail));
        };
        let mut child = command(&program.path, &program.arguments)
            .spawn()
            .map_err(|cause| unstarted(&program, &cause))?;
        if let Some(mut input) = child.stdin.take() {
            let words = words(&request.text);
            // Ends when all is written, or the program is gone.
            tokio::spawn(async move { input.write_all(words.as_bytes()).await });
        }
        let sound = sound(child, slot, by, self.deadlines);
        Ok(http::converted(sound, program.reader))
    }
}

fn command(path: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new(path);
    command
        .args(arguments)
        .env_clear()
        .envs(VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn unstarted(program: &Program, cause: &io::Error) -> SpeechError {
    let (path, hint) = (program.path.display(), program.hint);
    match cause.kind() {
        io::ErrorKind::NotFound => SpeechError::new(
            Outcome::NotFound,
            format!("the program {path} is not there: {hint}, or say where it is"),
        ),
        _ => SpeechError::new(Outcome::NotFound, format!("{path} cannot be started: {cause}")),
    }
}

/// The words as programs read them: one line, and no brackets, within which espeak-ng expects phonemes.
fn words(text: &str) -> String {
    let plain = |c: char| if c.is_control() || c == '[' || c == ']' { ' ' } else { c };
    text.chars().map(plain).chain(['\n']).collect()
}

/// What a program says, until it ends. Dropping it ends the program.
fn sound(
    child: Child,
    slot: OwnedSemaphorePermit,
    by: Instant,
    deadlines: Deadlines,
) -> impl Stream<Item = Result<Bytes, SpeechError>> + Send {
    let speaking = (child, slot, by, false);
    stream::try_unfold(speaking, move |(mut child, slot, by, begun)| async move {
        let mut piece = vec![0; PIECE];
        let read = async {
            match &mut child.stdout {
                Some(output) => output.read(&mut piece).await,
                None => Ok(0),
            }
        };
        match timeout_at(by, read).await {
            Err(_) if begun => Err(late("the program stalled")),
            Err(_) => Err(late("the program did not begin to speak in time")),
            Ok(Err(cause)) => Err(broken(cause.to_string())),
            Ok(Ok(0)) => ended(child, begun, deadlines).await.map(|()| None),
            Ok(Ok(length)) => {
                piece.truncate(length);
                let by = Instant::now() + deadlines.stall;
                Ok(Some((piece.into(), (child, slot, by, true))))
            }
        }
    })
}

async fn ended(mut child: Child, begun: bool, deadlines: Deadlines) -> Result<(), SpeechError> {
    let end = timeout(deadlines.stall, child.wait());
    match end.await.map_err(|_| late("the program did not end"))? {
        Ok(status) if status.success() => Ok(()),
        Ok(_) if begun => Err(broken("the program broke off")),
        Ok(status) => {
            let mut complaint = Vec::new();
            if let Some(errors) = child.stderr.take() {
                let read = errors.take(COMPLAINT);
                tokio::pin!(read);
                let _ = timeout(deadlines.stall, read.read_to_end(&mut complaint)).await;
            }
            let complaint = String::from_utf8_lossy(&complaint);
            let last = complaint.lines().rfind(|line| !line.trim().is_empty());
            let detail = format!("the program refused, {status}: {}", last.unwrap_or("no word"));
            Err(SpeechError::new(Outcome::BadRequest, detail))
        }
        Err(cause) => Err(broken(cause.to_string())),
    }
}

/// The model of Piper's that a request names.
fn piper_model(request: &SpeechRequest) -> Option<&str> {
    request.voice.as_deref()?.strip_prefix("piper:")
}

/// espeak-ng's name of a voice: it takes every language tag, and finds the nearest itself.
fn espeak_voice(request: &SpeechRequest) -> Result<String, SpeechError> {
    let Some(voice) = &request.voice else {
        return Ok(request.language.as_str().to_ascii_lowercase());
    };
    let fits = voice.len() <= 40
        && voice.starts_with(|c: char| c.is_ascii_alphabetic())
        && voice.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+_".contains(&b));
    if fits {
        return Ok(voice.clone());
    }
    Err(SpeechError::new(
        Outcome::BadRequest,
        "the voice is none of this machine: write espeak-ng's name (`fr-be`) or `piper:NAME`",
    ))
}

fn with_json(model: &Path) -> PathBuf {
    let mut path = model.to_path_buf();
    path.as_mut_os_string().push(".json");
    path
}

/// Reads files where that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl TextToSpeech for Local {
    fn id(&self) -> &'static str {
        "local"
    }

    fn voice_for(&self, request: &SpeechRequest) -> String {
        match piper_model(request) {
            Some(model) => format!("piper:{model}"),
            None => espeak_voice(request).unwrap_or_else(|_| "espeak".to_owned()),
        }
    }

    fn speak(&self, request: SpeechRequest) -> AudioStream {
        let mouth = self.clone();
        http::spoken(None, async move { mouth.start(request).await })
    }

    fn voices(
        &self,
        language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>> {
        Box::pin(async move {
            let mut voices = match self.models.clone() {
                Some(folder) => blocking(move || models(&folder)).await.unwrap_or_default(),
                None => Vec::new(),
            };
            let listing = command(&self.espeak, &["--voices".into()]).output();
            match http::within(self.deadlines.list, "espeak-ng did not list its voices", listing)
                .await?
            {
                Ok(output) => {
                    let table = String::from_utf8_lossy(&output.stdout);
                    voices.extend(table.lines().skip(1).filter_map(espeak_voice_info));
                }
                // Piper's alone, then.
                Err(_) if !voices.is_empty() => {}
                Err(cause) => {
                    let program = self.espeak(&SpeechRequest {
                        text: String::new(),
                        language: LanguageTag::french(),
                        voice: None,
                    })?;
                    return Err(unstarted(&program, &cause));
                }
            }
            voices.retain(|voice| speaks(voice, language.as_ref()));
            Ok(voices)
        })
    }
}

/// A line of espeak-ng's table: priority, language, age and gender, name, file.
fn espeak_voice_info(line: &str) -> Option<VoiceInfo> {
    let mut columns = line.split_whitespace().skip(1);
    let (language, gender, name) = (columns.next()?, columns.next()?, columns.next()?);
    Some(VoiceInfo {
        id: language.to_owned(),
        name: name.replace('_', " "),
        languages: vec![language.to_owned()],
        gender: match gender.chars().last() {
            Some('F') => Some("female".to_owned()),
            Some('M') => Some("male".to_owned()),
            _ => None,
        },
    })
}

/// The models of a folder.
fn models(folder: &Path) -> io::Result<Vec<VoiceInfo>> {
    let mut voices = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "onnx") {
            continue;
        }
        let config = std::fs::read_to_string(with_json(&path)).unwrap_or_default();
        let config: Value = serde_json::from_str(&config).unwrap_or_default();
        let language = config["language"]["code"].as_str().map(|code| code.replace('_', "-"));
        voices.push(VoiceInfo {
            id: format!("piper:{name}"),
            name: name.to_owned(),
            languages: language.into_iter().collect(),
            gender: None,
        });
    }
    voices.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(voices)
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
