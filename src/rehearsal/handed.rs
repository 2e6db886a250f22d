//! The human's side of a rehearsed call: rung, told who calls, taken or refused; and a message after a beep.

use std::time::Instant;

use super::{
    human::Human,
    leg::{Halt, Leg, Told, fresh},
};
use crate::{
    domain::{CallSid, Error, PhoneNumber, Result},
    twilio::reader::{self, Verb},
};

/// A `<Dial>` as read.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) number: String,
    pub(super) action: Option<String>,
    pub(super) caller_id: Option<String>,
    pub(super) whisper: Option<String>,
}

/// A human and the caller talk.
#[derive(Debug)]
pub(super) struct Talking {
    action: Option<String>,
    leg: CallSid,
    since: Instant,
}

/// After this beep a message is spoken.
#[derive(Debug)]
pub(super) struct Beep {
    pub(super) action: String,
    pub(super) ready: Option<String>,
    pub(super) words: Option<String>,
}

impl Leg<'_> {
    /// Rings a human, who does what the rehearsal says. Answers where the call stands, when it is
    /// taken; else the verbs go on.
    pub(super) async fn ring_human(
        &mut self,
        ringing: Ringing,
        told: &mut Told,
    ) -> Result<Option<Halt>> {
        let number: PhoneNumber = ringing.number.parse()?;
        let leg: CallSid = fresh("CA").parse()?;
        let (takes, status) = match self.humans.ring() {
            Human::Answers => {
                (self.decides(&ringing, &leg, &number, '1', told).await?, "completed")
            }
            // Without anything to hear and to press, one declines on the telephone itself.
            Human::Refuses if ringing.whisper.is_none() => (false, "busy"),
            Human::Refuses => {
                (self.decides(&ringing, &leg, &number, '2', told).await?, "completed")
            }
            Human::Busy => (false, "busy"),
            Human::IsAway => (false, "no-answer"),
        };
        if takes {
            self.talking = Some(Talking { action: ringing.action, leg, since: Instant::now() });
            return Ok(Some(Halt::Transferred(number)));
        }
        if let Some(action) = ringing.action {
            let bridged = if status == "completed" { "false" } else { "" };
            let extra = [
                ("DialCallStatus", status),
                ("DialCallSid", leg.as_str()),
                ("DialBridged", bridged),
            ];
            let extra = extra.into_iter().filter(|(_, value)| !value.is_empty());
            let fields = self.fields_with(&extra.collect::<Vec<_>>());
            self.follow_from(&action, fields, told).await?;
        }
        Ok(None)
    }

    /// What a human who picked up hears, and the key that is pressed. Whether the two are connected.
    async fn decides(
        &self,
        ringing: &Ringing,
        leg: &CallSid,
        number: &PhoneNumber,
        key: char,
        told: &mut Told,
    ) -> Result<bool> {
        let Some(whisper) = &ringing.whisper else { return Ok(true) };
        let shown = ringing.caller_id.as_deref().unwrap_or(&self.from);
        let mut fields = self.twilio.fields(leg, shown, number, "in-progress");
        for (name, value) in &mut fields {
            if name == "Direction" {
                "outbound-dial".clone_into(value);
            }
        }
        fields.push(("ParentCallSid".to_owned(), self.sid.to_string()));
        let verbs = self.read(whisper, fields.clone()).await?;
        let mut action = None;
        for verb in &verbs {
            if let Verb::Gather { action: to, prompts, .. } = verb
                && action.is_none()
            {
                let words: Vec<&str> = prompts.iter().map(|said| said.text.as_str()).collect();
                told.whispers.push(words.join(" "));
                action = Some(to.clone());
            }
        }
        // Nothing is asked: what is told is all, unless it hangs up.
        let Some(action) = action else { return Ok(!verbs.contains(&Verb::Hangup)) };
        fields.push(("Digits".to_owned(), key.to_string()));
        let verbs = self.read(&action, fields).await?;
        Ok(!verbs.iter().any(|verb| matches!(verb, Verb::Hangup | Verb::Gather { .. })))
    }

    async fn read(&self, url: &str, fields: Vec<(String, String)>) -> Result<Vec<Verb>> {
        let answer = self.twilio.post(url, fields).await?;
        if answer.status != 200 {
            return Err(Error::failure(format!(
                "{url} was answered with {} on the human's side",
                answer.status
            )));
        }
        reader::read(&answer.body).map_err(|error| {
            Error::failure("the daemon answered what Twilio cannot play to the human")
                .because(error)
        })
    }

    /// The human and the caller have talked.
    pub(super) async fn talked(&mut self) -> Result<()> {
        let Some(Talking { action: Some(action), leg, since }) = self.talking.take() else {
            return Ok(());
        };
        let seconds = since.elapsed().as_secs().max(1).to_string();
        let fields = self.fields_with(&[
            ("DialCallStatus", "completed"),
            ("DialCallSid", leg.as_str()),
            ("DialCallDuration", &seconds),
            ("DialBridged", "true"),
        ]);
        self.read(&action, fields).await.map(drop)
    }

    /// Speaks a message after the beep, or nothing.
    pub(super) async fn leave_message(
        &mut self,
        beep: Beep,
        words: &str,
        told: &mut Told,
    ) -> Result<Halt> {
        if words.trim().is_empty() {
            // Twilio goes on behind the beep.
            return self.go_on(told).await;
        }
        let (account, recording) = (self.twilio.account().clone(), fresh("RE"));
        let url =
            format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{recording}");
        // Two words a second.
        let seconds = (words.split_whitespace().count() / 2).max(1).to_string();
        let kept = [
            ("RecordingUrl", url.as_str()),
            ("RecordingSid", recording.as_str()),
            ("RecordingDuration", &seconds),
        ];
        let mut fields = self.fields_with(&kept);
        fields.push(("Digits".to_owned(), "#".to_owned()));
        let halt = self.request(beep.action, fields, told).await?;
        if let Some(ready) = beep.ready {
            let mut fields = self.fields_with(&kept);
            fields.push(("RecordingStatus".to_owned(), "completed".to_owned()));
            self.tell(&ready, fields).await?;
        }
        if let Some(to) = beep.words {
            let mut fields = self.fields_with(&kept);
            fields.push(("TranscriptionStatus".to_owned(), "completed".to_owned()));
            fields.push(("TranscriptionText".to_owned(), words.trim().to_owned()));
            self.tell(&to, fields).await?;
        }
        Ok(halt)
    }

    /// Tells something that is answered without a word.
    async fn tell(&self, url: &str, fields: Vec<(String, String)>) -> Result<()> {
        let answer = self.twilio.post(url, fields).await?;
        if answer.status >= 300 {
            return Err(Error::failure(format!("{url} was answered with {}", answer.status)));
        }
        Ok(())
    }
}
