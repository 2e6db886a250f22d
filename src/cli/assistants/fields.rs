//! The flags that set something about an assistant, for `create` and `edit`.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::domain::{
    AssistantSpec, Error, HumanDuration, LanguageTag, ModelRef, Personality, PhoneNumber, Result,
    Transfer, VoiceLine, VoiceProvider, ZoneName,
};

/// What may be set by flags. Hours, facts and booking rules are set in a file: `webox apply`.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Fields {
    /// The client it works for.
    #[arg(long, value_name = "TEXT")]
    pub(super) client: Option<String>,
    /// The client's e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,
    /// The number callers dial.
    #[arg(long, value_name = "NUMBER")]
    pub(super) phone: Option<String>,
    /// The model: `builtin`, an alias such as `gpt-4`, or `provider/model`.
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<String>,
    /// Models to ask when the first one fails, in order, separated by commas.
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    pub(super) fallbacks: Option<Vec<String>>,
    /// A file with what it is told about the client; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "context")]
    pub(super) context_file: Option<PathBuf>,
    /// What it is told about the client.
    #[arg(long, value_name = "TEXT")]
    pub(super) context: Option<String>,
    /// Its tone: professional, friendly, casual or formal.
    #[arg(long, value_name = "TONE")]
    pub(super) personality: Option<String>,
    /// Who speaks: twilio, elevenlabs, google, azure, openai or local.
    #[arg(long, value_name = "PROVIDER")]
    pub(super) voice: Option<String>,
    /// The provider's name of the voice.
    #[arg(long, value_name = "ID")]
    pub(super) voice_id: Option<String>,
    /// The language a call starts in, such as `fr-FR`.
    #[arg(long, value_name = "TAG")]
    pub(super) language: Option<String>,
    /// How speech travels: gather, relay or stream.
    #[arg(long, value_name = "LINE")]
    pub(super) line: Option<String>,
    /// Its first sentence.
    #[arg(long, value_name = "TEXT")]
    pub(super) greeting: Option<String>,
    /// Its time zone, such as `Europe/Paris` [default: that of the number's country].
    #[arg(long, value_name = "ZONE")]
    pub(super) timezone: Option<String>,
    /// The human to hand calls to.
    #[arg(long, value_name = "NUMBER")]
    pub(super) transfer: Option<String>,
    /// The longest a call may take, such as `10m`.
    #[arg(long, value_name = "LENGTH")]
    pub(super) max_call_duration: Option<String>,
}

impl Fields {
    /// Whether no flag was given.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            client,
            email,
            phone,
            model,
            fallbacks,
            context_file,
            context,
            personality,
            voice,
            voice_id,
            language,
            line,
            greeting,
            timezone,
            transfer,
            max_call_duration,
        } = self;
        let texts = [
            client,
            email,
            phone,
            model,
            context,
            personality,
            voice,
            voice_id,
            language,
            line,
            greeting,
            timezone,
            transfer,
            max_call_duration,
        ];
        texts.iter().all(|text| text.is_none()) && fallbacks.is_none() && context_file.is_none()
    }

    /// Sets what was given on an assistant.
    pub(super) fn set(&self, spec: &mut AssistantSpec) -> Result<()> {
        if let Some(client) = &self.client {
            spec.client.clone_from(client);
        }
        if let Some(email) = &self.email {
            spec.email = (!email.is_empty()).then(|| email.clone());
        }
        if let Some(phone) = &self.phone {
            spec.phone.number = given::<PhoneNumber>("--phone", phone)?;
        }
        if let Some(model) = &self.model {
            spec.ai.model = given::<ModelRef>("--model", model)?;
        }
        if let Some(models) = &self.fallbacks {
            spec.ai.fallbacks = models
                .iter()
                .filter(|model| !model.is_empty())
                .map(|model| given::<ModelRef>("--fallbacks", model))
                .collect::<Result<_>>()?;
        }
        if let Some(context) = self.read_context()? {
            spec.context = context;
        }
        if let Some(tone) = &self.personality {
            spec.ai.personality = given::<Personality>("--personality", tone)?;
        }
        if let Some(provider) = &self.voice {
            spec.voice.provider = given::<VoiceProvider>("--voice", provider)?;
        }
        if let Some(id) = &self.voice_id {
            spec.voice.voice_id = (!id.is_empty()).then(|| id.clone());
        }
        if let Some(language) = &self.language {
            spec.voice.language = given::<LanguageTag>("--language", language)?;
        }
        if let Some(line) = &self.line {
            spec.voice.line = given::<VoiceLine>("--line", line)?;
        }
        if let Some(greeting) = &self.greeting {
            spec.voice.greeting = (!greeting.is_empty()).then(|| greeting.clone());
        }
        if let Some(zone) = &self.timezone {
            spec.timezone = Some(given::<ZoneName>("--timezone", zone)?);
        }
        if let Some(number) = &self.transfer {
            match number.as_str() {
                // Nobody any more: nor anything about how.
                "" => spec.transfer = Transfer::default(),
                number => {
                    spec.transfer.number = Some(given::<PhoneNumber>("--transfer", number)?);
                }
            }
        }
        if let Some(length) = &self.max_call_duration {
            spec.limits.max_call_duration = given::<HumanDuration>("--max-call-duration", length)?;
        }
        Ok(())
    }

    fn read_context(&self) -> Result<Option<String>> {
        let Some(path) = &self.context_file else { return Ok(self.context.clone()) };
        let read = if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(path)
        };
        read.map(Some).map_err(|cause| {
            Error::input(format!("cannot read {}", path.display()))
                .hint("name a text file with --context-file, or `-` for stdin")
                .because(cause)
        })
    }
}

/// A flag's text as a value; the error names the flag.
fn given<T: std::str::FromStr<Err = Error>>(flag: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error: Error| {
        Error::input(format!("{flag}: {error}")).maybe_hint(error.hint_text().map(str::to_owned))
    })
}
