//! What an assistant asks the client's own systems in a call.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{
    domain::{Assistant, CALLER_ARGUMENT, HttpTool, LanguageTag, Outcome, Secret},
    integrations::{
        Couriers,
        endpoint::{Answered, Asking, Unanswered},
    },
    operations::secrets::Secrets,
    provision::template,
    store::Store,
};

/// Who asks, for whom.
#[derive(Debug, Clone)]
pub struct Inquiry {
    /// Whose tool it is.
    pub assistant: Arc<Assistant>,
    /// Who calls, where it is known.
    pub caller: Option<String>,
    /// What the caller speaks.
    pub language: LanguageTag,
    /// What it is given; it fits the tool's schema.
    pub arguments: Map<String, Value>,
    /// The same when the same is asked again in the same turn.
    pub key: String,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq)]
pub enum Inquired {
    /// An answer, and how the assistant's file wants it said.
    Found {
        /// As it came.
        answer: Value,
        /// In words.
        said: Option<String>,
    },
    /// There is no such thing.
    NotFound {
        /// What the endpoint said about that.
        answer: Value,
        /// In words.
        said: Option<String>,
    },
    /// No answer.
    Unanswered {
        /// In a word.
        outcome: Outcome,
        /// Why. Holds no secret.
        detail: String,
    },
}

/// An answer of a rehearsal, in place of an endpoint's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlayedAnswer {
    /// Of which tool.
    pub name: String,
    /// To these arguments; to any other when left out.
    #[serde(default)]
    pub when: Map<String, Value>,
    /// The status: 200 when left out.
    #[serde(default = "ok")]
    pub status: u16,
    /// What it answers.
    #[serde(default)]
    pub answer: Value,
    /// How long it takes to, in milliseconds.
    #[serde(default)]
    pub takes_ms: u64,
}

const fn ok() -> u16 {
    200
}

/// Where assistants' questions go.
#[derive(Clone, Default)]
pub struct Endpoints(Way);

#[derive(Clone, Default)]
enum Way {
    /// Nowhere.
    #[default]
    Closed,
    /// Out into the world.
    Open(Box<(Couriers, Secrets, Store)>),
    /// They are answered by a rehearsal.
    Played(Arc<[PlayedAnswer]>),
}

impl Endpoints {
    /// Asks for real.
    pub fn real(couriers: Couriers, secrets: Secrets, store: Store) -> Self {
        Self(Way::Open(Box::new((couriers, secrets, store))))
    }

    /// Asks nobody: a rehearsal says what is answered.
    pub fn played(answers: Vec<PlayedAnswer>) -> Self {
        Self(Way::Played(answers.into()))
    }

    /// Asks one of an assistant's endpoints. Takes no longer than its tool allows.
    pub async fn ask(&self, tool: &HttpTool, inquiry: Inquiry) -> Inquired {
        let Inquiry { language, mut arguments, .. } = inquiry.clone();
        if tool.caller {
            match inquiry.caller {
                Some(ref caller) => {
                    arguments.insert(CALLER_ARGUMENT.to_owned(), json!(caller));
                }
                None => return refused("the caller's number is not known"),
            }
        }
        let within = Duration::from_secs(tool.timeout.as_secs());
        let asked = timeout(within, self.answer(tool, &inquiry, &arguments)).await;
        let answered = asked.unwrap_or_else(|_| {
            let detail = format!("it did not answer within {}", tool.timeout);
            Err(Unanswered { outcome: Outcome::TimedOut, detail })
        });
        match answered {
            Ok(Answered::Found(answer)) => {
                let said = said(tool.say.as_ref(), &language, &arguments, &answer);
                Inquired::Found { answer, said }
            }
            Ok(Answered::NotFound(answer)) => {
                let said = said(tool.not_found.as_ref(), &language, &arguments, &answer);
                Inquired::NotFound { answer, said }
            }
            Err(Unanswered { outcome, detail }) => Inquired::Unanswered { outcome, detail },
        }
    }

    async fn answer(
        &self,
        tool: &HttpTool,
        inquiry: &Inquiry,
        arguments: &Map<String, Value>,
    ) -> Result<Answered, Unanswered> {
        match &self.0 {
            Way::Closed => Err(Unanswered::unsendable("a rehearsal asks no endpoint for real")),
            Way::Played(answers) => play(answers, tool, arguments).await,
            Way::Open(open) => {
                let (couriers, secrets, store) = &**open;
                let secret = secret(tool, inquiry, secrets, store).await?;
                let key = &inquiry.key;
                couriers.ask(Asking { tool, secret: secret.as_ref(), arguments, key }).await
            }
        }
    }
}

fn refused(detail: &str) -> Inquired {
    Inquired::Unanswered { outcome: Outcome::BadRequest, detail: detail.to_owned() }
}

/// A file or the store is read for it.
async fn secret(
    tool: &HttpTool,
    inquiry: &Inquiry,
    secrets: &Secrets,
    store: &Store,
) -> Result<Option<Secret>, Unanswered> {
    let Some(named) = tool.secret.clone() else { return Ok(None) };
    let owner = inquiry.assistant.owner.as_ref().map(|owner| owner.id);
    let (secrets, store) = (secrets.clone(), store.clone());
    let found = tokio::task::spawn_blocking(move || secrets.resolve(&store, owner, &named)).await;
    match found {
        Ok(Ok(secret)) => Ok(Some(secret)),
        Ok(Err(error)) => {
            let detail = error.to_string();
            Err(Unanswered { outcome: Outcome::NoKey, detail })
        }
        Err(error) => Err(Unanswered::unsendable(format!("the secret: {error}"))),
    }
}

async fn play(
    answers: &[PlayedAnswer],
    tool: &HttpTool,
    arguments: &Map<String, Value>,
) -> Result<Answered, Unanswered> {
    let fits = |played: &&PlayedAnswer| {
        played.name == tool.name
            && played.when.iter().all(|(name, value)| arguments.get(name) == Some(value))
    };
    let Some(played) = answers.iter().find(fits) else {
        let what = format!("the scenario has no answer of `{}`: give it one in `tools`", tool.name);
        return Err(Unanswered::unsendable(what));
    };
    tokio::time::sleep(Duration::from_millis(played.takes_ms)).await;
    match played.status {
        200..=299 => Ok(Answered::Found(played.answer.clone())),
        404 | 410 => Ok(Answered::NotFound(played.answer.clone())),
        status => {
            let detail = format!("it answered {status}");
            Err(Unanswered { outcome: Outcome::ServerError, detail })
        }
    }
}

/// What the file wants said, filled in. What cannot be filled in is not said.
fn said(
    words: Option<&crate::domain::Wording>,
    language: &LanguageTag,
    arguments: &Map<String, Value>,
    answer: &Value,
) -> Option<String> {
    let mut values = arguments.clone();
    values.insert("answer".to_owned(), answer.clone());
    let filled = template::fill_in(words?.in_language(language), &values);
    let text = filled
        .inspect_err(
            |error| tracing::warn!(%error, "the answer of a tool could not be put in words"),
        )
        .ok()?;
    (!text.trim().is_empty()).then_some(text)
}
