//! A model as the caller, and a model as the judge.

use futures_util::StreamExt;
use serde::Deserialize;

use super::{
    Call, State,
    file::Scenario,
    scenario::{Facts, Minds, Report, Stage, judge},
    wanted::Expect,
};
use crate::{
    domain::{Error, Result},
    providers::llm::{ChatEvent, ChatMessage, ChatModel, ChatRequest},
};

/// By this word the caller hangs up.
const HANG_UP: &str = "[HANGUP]";

/// Plays the caller until the call is over; answers why the goal was not met, if it was not.
pub(super) async fn play(
    scenario: &Scenario,
    minds: &Minds,
    stage: &Stage,
    call: &mut Call<'_>,
    report: &mut Report,
    most: usize,
) -> Result<Option<String>> {
    let (Some(persona), Some(goal), Some(name)) = (&scenario.persona, &scenario.goal, &minds.model)
    else {
        return Ok(None);
    };
    let model = minds.models.find(name).map_err(|error| {
        Error::unavailable(format!("the model {name} cannot play the caller")).because(error)
    })?;
    let system = format!(
        "You are a caller on the telephone, not an assistant. {persona}\nWhat you want: {goal}\n\
         Answer with what you say next and nothing else: one or two short spoken sentences, in the \
         language of the other side. When you have what you want, or see that you will not get it, \
         say goodbye and end with {HANG_UP}."
    );
    let mut messages = Vec::new();
    let mut before = Facts::read(stage, call)?;
    let mut reply = report.turns.first().map(|turn| turn.reply.clone()).unwrap_or_default();
    for _ in 0..most {
        messages.push(ChatMessage::User(reply));
        let words = say(model.as_ref(), &system, messages.clone()).await?;
        messages.push(ChatMessage::Assistant { text: words.clone(), calls: Vec::new() });
        let spoken = words.replace(HANG_UP, "");
        if !spoken.trim().is_empty() {
            let heard = call.say(spoken.trim()).await?;
            let seen = Facts::read(stage, call)?;
            let caller = Some(spoken.trim().to_owned());
            let (played, _) = judge(caller, &heard, &seen, &before, call, &Expect::default());
            report.turns.push(played);
            before = seen;
        }
        if words.contains(HANG_UP) || *call.state() != State::Listening {
            break;
        }
        reply = report.turns.last().map(|turn| turn.reply.clone()).unwrap_or_default();
    }
    verdict(model.as_ref(), goal, report).await
}

#[derive(Deserialize)]
struct Verdict {
    met: bool,
    #[serde(default)]
    why: String,
}

async fn verdict(model: &dyn ChatModel, goal: &str, report: &Report) -> Result<Option<String>> {
    let mut transcript = String::new();
    for turn in &report.turns {
        if let Some(caller) = &turn.caller {
            transcript.push_str(&format!("caller: {caller}\n"));
        }
        for tool in &turn.tools {
            transcript
                .push_str(&format!("(tool {} {} → {})\n", tool.tool, tool.arguments, tool.result));
        }
        transcript.push_str(&format!("assistant: {}\n", turn.reply));
    }
    let system = "You judge telephone calls. Answer with JSON alone: \
                  {\"met\": true or false, \"why\": \"one sentence\"}.";
    let question =
        format!("The caller's goal: {goal}\n\nThe call:\n{transcript}\nWas the goal met?");
    let answer = say(model, system, vec![ChatMessage::User(question)]).await?;
    let json = answer.find('{').zip(answer.rfind('}')).and_then(|(from, to)| answer.get(from..=to));
    let verdict: Verdict = json
        .and_then(|json| serde_json::from_str(json).ok())
        .ok_or_else(|| Error::failure("the judge's answer cannot be understood").because(answer))?;
    Ok((!verdict.met).then(|| format!("the goal was not met: {}", verdict.why)))
}

async fn say(model: &dyn ChatModel, system: &str, messages: Vec<ChatMessage>) -> Result<String> {
    let request = ChatRequest {
        system: system.to_owned(),
        messages,
        max_output_tokens: 300,
        ..ChatRequest::default()
    };
    let mut stream = model.stream(request);
    let mut text = String::new();
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Error::unavailable(format!("the model {} did not answer", model.id())).because(cause)
    };
    let patience = std::time::Duration::from_mins(1);
    let whole = async {
        while let Some(event) = stream.next().await {
            match event {
                Ok(ChatEvent::Text(more)) => text.push_str(&more),
                Ok(ChatEvent::Done { .. }) => break,
                Ok(ChatEvent::ToolCall(_)) => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Ok(text.trim().to_owned())
    };
    tokio::time::timeout(patience, whole)
        .await
        .unwrap_or_else(|_| Err(failed("no whole answer within a minute".into())))
}
