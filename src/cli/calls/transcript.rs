//! A call as a person reads it: who said what, how long it took, what came of it.

use jiff::{Timestamp, ZonedDateTime};

use super::{
    human,
    output::{Colour, Tone},
    status_tone, waterfall,
};
use crate::domain::{
    Call, EndReason, Handover, HandoverOutcome, Heard, LanguageTag, Next, Outcome,
    RecordingConsent, Turn, WholeCall,
};

pub(super) fn render(story: &WholeCall, now: &ZonedDateTime, colour: Colour) -> String {
    let mut lines = head(&story.call, now, colour);
    let mut spoken: Option<&LanguageTag> = None;
    for turn in &story.turns {
        lines.push(String::new());
        let other = spoken.is_some_and(|spoken| *spoken != turn.language);
        lines.extend(turn_lines(turn, other, &story.call, colour));
        spoken = Some(&turn.language);
        let rung = story.handovers.iter().filter(|human| human.turn == turn.number);
        lines.extend(rung.map(|human| handover_line(human, &story.call, colour)));
    }
    if let Some(text) = &story.extras.transcription
        && story.turns.is_empty()
    {
        lines.push(String::new());
        lines.extend(text.lines().map(plain));
    }
    let after = after(story, now);
    if !after.is_empty() {
        lines.push(String::new());
        lines.extend(after);
    }
    lines.join("\n") + "\n"
}

fn head(call: &Call, now: &ZonedDateTime, colour: Colour) -> Vec<String> {
    let caller = call.caller.as_deref().unwrap_or("withheld");
    let mut facts = vec![human::date_time_zone(call.started_at, now)];
    if let Some(seconds) = call.duration_s {
        facts.push(human::duration(u64::from(seconds)));
    }
    facts.push(colour.paint(status_tone(call.status), call.status.as_str()));
    if let Some(reason) = call.end_reason {
        facts.push(reason_words(reason).to_owned());
    }
    if let Some(outcome) = call.after.outcome {
        facts.push(outcome.as_str().to_owned());
    }
    if let Some(score) = call.satisfaction {
        let stars = human::stars(f64::from(score));
        facts.push(match call.after.satisfaction_source {
            Some(source) => format!("{stars} ({source})"),
            None => stars,
        });
    }
    let mut lines = vec![
        format!(
            "{}  {caller} → {} ({})",
            colour.paint(Tone::Strong, call.sid.as_str()),
            call.assistant,
            call.to_number
        ),
        facts.join(" · "),
    ];
    lines.extend(call.after.summary.as_deref().map(plain));
    let why = call.after.satisfaction_why.as_deref();
    lines.extend(why.map(|why| format!("satisfaction: {}", plain(why))));
    for (name, value) in call.after.extract.iter().flatten().filter(|(_, value)| !value.is_null()) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.push(format!("{name}: {}", plain(&value)));
    }
    lines
}

/// A line from elsewhere, without what a terminal would take for a command.
fn plain(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One turn; `other` when it goes on in another language than the one before.
fn turn_lines(turn: &Turn, other: bool, call: &Call, colour: Colour) -> Vec<String> {
    let clock = colour.paint(Tone::Faint, &clock(turn.heard_at, call));
    let blank = "     ";
    let mut lines = Vec::new();
    match &turn.heard {
        None => {}
        Some(Heard::Speech { text, .. }) => lines.push(format!("{clock}  caller     {text}")),
        Some(Heard::Digits(keys)) => lines.push(format!("{clock}  caller     keys {keys}")),
        Some(Heard::Silence) => lines.push(format!("{clock}  caller     (silence)")),
    }
    let mut first = if lines.is_empty() { clock.as_str() } else { blank };
    if other {
        let text = format!("goes on in {}", turn.language);
        lines.push(format!("{first}  {}", colour.paint(Tone::Strong, &text)));
        first = blank;
    }
    if let Some(said) = &turn.said {
        lines.push(format!("{first}  {}  {said}", colour.paint(Tone::Strong, "assistant")));
        first = blank;
    }
    let indent = " ".repeat(18);
    if let Some(unheard) = &turn.unheard {
        lines.push(format!(
            "{indent}{}",
            colour.paint(Tone::Faint, &format!("not heard: {unheard}"))
        ));
    }
    for tool in &turn.tools {
        let text = format!("{} {} → {}", tool.tool, tool.arguments, tool.result);
        lines.push(format!("{indent}{}", colour.paint(Tone::Faint, &text)));
    }
    if turn.said.is_none() {
        lines.push(format!("{first}  {}", colour.paint(Tone::Warning, "no reply")));
    }
    let timing = timing(turn);
    if !timing.is_empty() {
        lines.push(format!("{indent}{}", colour.paint(Tone::Faint, &timing)));
    }
    lines.extend(waterfall::lines(&turn.timings, &indent, colour));
    lines
}

/// Who was rung, and what came of it.
fn handover_line(rung: &Handover, call: &Call, colour: Colour) -> String {
    let clock = colour.paint(Tone::Faint, &clock(rung.rang_at, call));
    let who = rung.name.as_deref().map_or_else(
        || rung.number.to_string(),
        |name| format!("{} ({})", plain(name), rung.number),
    );
    let became = match (rung.outcome, rung.duration_s) {
        (Some(HandoverOutcome::Answered), Some(seconds)) => {
            format!("talked for {}", human::duration(u64::from(seconds)))
        }
        (Some(HandoverOutcome::Answered), None) => "talked".to_owned(),
        (Some(HandoverOutcome::Refused), _) => "refused".to_owned(),
        (Some(HandoverOutcome::Busy), _) => "busy".to_owned(),
        (Some(HandoverOutcome::NoAnswer), _) => "did not take the call".to_owned(),
        (Some(HandoverOutcome::Failed), _) => "could not be reached".to_owned(),
        (Some(HandoverOutcome::Canceled), _) => "the caller hung up before".to_owned(),
        (None, _) if rung.takes == Some(true) => "takes the call".to_owned(),
        (None, _) => "rings".to_owned(),
    };
    format!("{clock}  {}      {who}: {became}", colour.paint(Tone::Strong, "rings"))
}

/// How long after it rang, in minutes and seconds.
fn clock(at: Timestamp, call: &Call) -> String {
    let offset = (at.as_second() - call.started_at.as_second()).max(0);
    format!("{:>2}:{:02}", offset / 60, offset % 60)
}

/// Who answered, how soon, and whom it was asked in vain before.
fn timing(turn: &Turn) -> String {
    let mut parts = Vec::new();
    // A fixed sentence of ours is nobody's answer.
    parts.extend(turn.engine.clone().filter(|engine| engine != "webox"));
    if let Some(ms) = turn.timings.first_token_ms {
        parts.push(format!("first word after {}", human::milliseconds(ms)));
    }
    if let Some(ms) = turn.timings.reply_ms {
        parts.push(format!("reply after {}", human::milliseconds(ms)));
    }
    parts.extend(
        turn.ear.as_ref().filter(|_| turn.heard.is_some()).map(|ear| format!("heard by {ear}")),
    );
    parts.extend(turn.mouth.as_ref().map(|mouth| format!("spoken by {mouth}")));
    if turn.fillers > 0 {
        parts.push(human::count(u64::from(turn.fillers), "filler", "fillers"));
    }
    for attempt in turn.attempts.iter().filter(|a| a.outcome != Outcome::Answered) {
        parts.push(format!("{} {}", attempt.model, attempt.outcome.as_str()));
    }
    match &turn.next {
        Some(Next::HangUp) => parts.push("hung up".to_owned()),
        Some(Next::Transfer(number)) => parts.push(format!("transferred to {number}")),
        _ => {}
    }
    parts.join(" · ")
}

fn after(story: &WholeCall, now: &ZonedDateTime) -> Vec<String> {
    let mut lines = Vec::new();
    for booking in &story.bookings {
        let word = if booking.cancelled_at.is_some() { "Cancelled" } else { "Booked" };
        lines.push(format!(
            "{word}: {} for {}, {} {}",
            booking.name,
            booking.party,
            booking.at.strftime("%Y-%m-%d %H:%M"),
            booking.timezone
        ));
    }
    if let Some(consent) = story.call.recording_consent {
        lines.push(format!("Recording: {}", consent_words(consent)));
    }
    if let Some(url) = &story.extras.recording_url {
        lines.push(format!("Recording: {}", plain(url)));
    }
    for message in &story.messages {
        let who = message.name.as_deref().or(message.caller.as_deref()).unwrap_or("withheld");
        let spoken = message.recording.as_ref().map(|recording| {
            let length = human::duration(u64::from(recording.seconds));
            format!("spoken, {length}, {}", recording.kept.address())
        });
        let parts =
            [spoken.as_deref(), Some(message.text.as_str()).filter(|text| !text.is_empty())];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        lines.push(format!(
            "Message from {who}, {}: {}",
            human::date_time(message.created_at, now),
            parts.join(": ")
        ));
    }
    lines
}

fn consent_words(consent: RecordingConsent) -> &'static str {
    match consent {
        RecordingConsent::Announced => "the caller was told, and did not object",
        RecordingConsent::Granted => "the caller agreed",
        RecordingConsent::Refused => "the caller refused",
        RecordingConsent::Unanswered => "the caller did not answer, so there is none",
        RecordingConsent::Withdrawn => "withdrawn; there is none any more",
    }
}

fn reason_words(reason: EndReason) -> &'static str {
    match reason {
        EndReason::AssistantHungUp => "the assistant hung up",
        EndReason::CallerHungUp => "the caller hung up",
        EndReason::Silence => "nobody spoke",
        EndReason::TooLong => "it took too long",
        EndReason::Transferred => "handed to a human",
        EndReason::Disabled => "the assistant is disabled",
        EndReason::TooManyCalls => "too many calls at once",
        EndReason::Flood => "this caller dialled too often",
        EndReason::DailyLimit => "the minutes of the day were used up",
        EndReason::PlanLimit => "what the plan covers of the month was used up",
        EndReason::Blocked => "the number is blocked",
        EndReason::Anonymous => "the caller showed no number",
        EndReason::Spoofed => "the number was not the caller's",
        EndReason::CallerLimit => "this caller had called often enough that day",
        EndReason::Swept => "its end was never told",
        EndReason::OurFailure => "something of ours failed",
        EndReason::AnsweringMachine => "an answering machine picked up",
        EndReason::DoNotCall => "asked not to be called again",
    }
}
