//! A call that the assistant makes: asked for and taken as the daemon does, picked up by the caller of
//! a scenario. Only Twilio is played.

use super::{Call, Heard, PickedUp, human::Humans, leg::fresh_sid, scenario::Stage};
use crate::{
    domain::{Actor, CallContext, Error, PhoneNumber, Result},
    operations::outbound::{self, Wanted},
};

/// Has the assistant call a number, and picks up: a person, as Twilio tells a moment later.
pub(super) async fn pick_up<'s>(
    stage: &'s Stage,
    number: &str,
    context: &CallContext,
    humans: Humans,
    now: jiff::Timestamp,
) -> Result<(Call<'s>, Heard)> {
    let number: PhoneNumber = number.parse()?;
    let name = stage.assistant.spec.name.to_string();
    let wanted = Wanted {
        number: number.clone(),
        context: context.clone(),
        say: None,
        zone: None,
        anyway: true,
    };
    let store = stage.store.clone();
    let asked = tokio::task::spawn_blocking(move || {
        outbound::ask(&store, &Actor::webox("test"), &name, wanted, now)
    });
    asked
        .await
        .unwrap_or_else(|error| Err(Error::failure("a rehearsal broke off").because(error)))?;
    let dial = outbound::next(&stage.store, now)
        .await?
        .ok_or_else(|| Error::failure("the call that was asked for is not made"))?;
    let (id, sid) = (dial.call.id, fresh_sid()?);
    outbound::placed(&stage.store, id, sid.clone()).await?;
    let address = format!("/api/voice/webhook/outbound?outbound={}", id.0);
    let from = &stage.assistant.spec.phone;
    let picked_up = PickedUp { sid: &sid, from, to: &number, address: &address };
    let twilio = stage.daemon.caller();
    let (call, heard) = Call::pick_up(twilio, &picked_up, humans).await?;
    let who = [
        ("AccountSid", twilio.account().as_str()),
        ("CallSid", sid.as_str()),
        ("AnsweredBy", "human"),
        ("MachineDetectionDuration", "1200"),
    ];
    let who = who.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let address = format!("/api/voice/webhook/answered-by?outbound={}", id.0);
    let answer = twilio.post(&address, who).await?;
    if answer.status >= 300 {
        return Err(Error::failure(format!(
            "who picked up was told, and answered with {}",
            answer.status
        )));
    }
    Ok((call, heard))
}
