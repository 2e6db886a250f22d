//! Rings those who are to know of an alert: by e-mail, SMS, chat, webhook, or a program.

use std::time::Duration;

use jiff::Timestamp;

use super::{texts::Texts, twilio_accounts::Accounts};
use crate::{
    api::AlertTest,
    domain::{
        AlertChannel, AlertDestination, AlertRecipient, AssistantId, EmailAddress, Error,
        MOST_SEGMENTS, Notice, PhoneNumber, Result, Secret, Trouble, sms_segments, suggestion_hint,
    },
    integrations::{Couriers, Failure, Parcel},
    operations::{
        alerts::{self, Told, Watch},
        secrets::Secrets,
    },
    store::{Store, assistants},
    twilio::access::TwilioAccess,
};

/// How long telling one may take in all; shorter than the lease on it.
const WITHIN: Duration = Duration::from_secs(20);

/// An SMS that left: to whom, and what it said.
type Sent = Option<(PhoneNumber, String)>;

/// What is needed to tell somebody.
#[derive(Clone)]
pub struct Bells {
    store: Store,
    secrets: Secrets,
    couriers: Couriers,
    texts: Texts,
}

impl Bells {
    /// With the ways there are; no SMS leaves without access to Twilio.
    pub fn new(
        store: Store,
        secrets: Secrets,
        couriers: Couriers,
        twilio: Option<TwilioAccess>,
    ) -> Self {
        let accounts = Accounts::new(store.clone(), secrets.clone());
        let texts = Texts { accounts, access: twilio };
        Self { store, secrets, couriers, texts }
    }

    /// Tells somebody whom a rule names. `about` is the assistant that it is about.
    ///
    /// # Errors
    /// Why they do not know yet.
    pub async fn ring(
        &self,
        watch: &Watch,
        to: &str,
        about: Option<AssistantId>,
        id: &str,
        attempts: u32,
        payload: &str,
    ) -> std::result::Result<Sent, Failure> {
        let ringing = self.ring_once(watch, to, about, id, attempts, payload);
        tokio::time::timeout(WITHIN, ringing).await.unwrap_or_else(|_| {
            Err((Trouble::Later(None), format!("it was not done within {WITHIN:?}")))
        })
    }

    async fn ring_once(
        &self,
        watch: &Watch,
        to: &str,
        about: Option<AssistantId>,
        id: &str,
        attempts: u32,
        payload: &str,
    ) -> std::result::Result<Sent, Failure> {
        let refused = |what: &str| (Trouble::Refused, what.to_owned());
        let told = Told::read(payload).map_err(|error| (Trouble::Gone, error.to_string()))?;
        let place = match AlertRecipient::read(to) {
            Err(what) => return Err((Trouble::Gone, what)),
            Ok(AlertRecipient::Email(address)) => return self.mail(id, &address, &told).await,
            Ok(AlertRecipient::Number(number)) => {
                return self.text(None, &number, about, &told).await;
            }
            Ok(AlertRecipient::Named(name)) => watch.destination(&name).ok_or_else(|| {
                let what = format!("no `[[alerts.destinations]]` of webox.toml is called `{name}`");
                (Trouble::Refused, what)
            })?,
        };
        let missing = || refused("the destination lacks what it needs");
        match place.kind {
            AlertChannel::Email => {
                self.mail(id, place.address.as_ref().ok_or_else(missing)?, &told).await
            }
            AlertChannel::Sms => {
                let number = place.number.as_ref().ok_or_else(missing)?;
                self.text(place.from.as_ref(), number, about, &told).await
            }
            AlertChannel::Slack | AlertChannel::Teams | AlertChannel::Discord => {
                let address = self.secret(place).await?;
                let now = Timestamp::now().as_second();
                self.couriers.post_chat(place.kind, &address, &told.whole(), now).await?;
                Ok(None)
            }
            AlertChannel::Webhook => {
                let secret = self.secret(place).await?;
                let parcel = Parcel {
                    id: id.to_owned(),
                    now: Timestamp::now().as_second(),
                    attempts,
                    body: payload.to_owned(),
                    progress: crate::integrations::Progress::default(),
                };
                let url = place.url.as_deref().ok_or_else(missing)?;
                self.couriers.post_signed(url, &secret, &parcel).await?;
                Ok(None)
            }
            AlertChannel::Command => {
                let command = place.command.as_deref().ok_or_else(missing)?;
                self.couriers.run(command, payload).await?;
                Ok(None)
            }
        }
    }

    async fn mail(
        &self,
        id: &str,
        to: &EmailAddress,
        told: &Told,
    ) -> std::result::Result<Sent, Failure> {
        let notice = Notice {
            to: to.to_string(),
            from: "webox".to_owned(),
            subject: Some(told.title.clone()),
            text: format!("{}\n\n{}\n", told.title, told.text),
            until: None,
        };
        self.couriers.mail(id, &notice).await?;
        Ok(None)
    }

    async fn text(
        &self,
        from: Option<&PhoneNumber>,
        to: &PhoneNumber,
        about: Option<AssistantId>,
        told: &Told,
    ) -> std::result::Result<Sent, Failure> {
        let from = match (from, about) {
            (Some(from), _) => from.clone(),
            (None, Some(id)) => self.number_of(id).await?,
            (None, None) => {
                let what = "it is about no assistant, whose number could send it: give the destination a `from`";
                return Err((Trouble::Refused, what.to_owned()));
            }
        };
        // Each part is paid for.
        let mut words = told.title.clone();
        while sms_segments(&words) > MOST_SEGMENTS {
            words.pop();
        }
        let notice = Notice {
            to: to.to_string(),
            from: from.to_string(),
            subject: None,
            text: words.clone(),
            until: None,
        };
        self.texts.send(None, &notice, Timestamp::now()).await?;
        Ok(Some((to.clone(), words)))
    }

    async fn number_of(&self, id: AssistantId) -> std::result::Result<PhoneNumber, Failure> {
        let found = self.store.read_async(move |tx| assistants::by_id(tx, id)).await;
        let found = found.map_err(|error| (Trouble::Later(None), error.to_string()))?;
        let gone = || (Trouble::Gone, "the assistant was deleted meanwhile".to_owned());
        Ok(found.ok_or_else(gone)?.spec.phone.number)
    }

    /// The agency's own: destinations are in `webox.toml`.
    async fn secret(&self, place: &AlertDestination) -> std::result::Result<Secret, Failure> {
        let Some(named) = place.secret.clone() else {
            return Err((Trouble::Refused, "the destination has no `secret`".to_owned()));
        };
        let (secrets, store) = (self.secrets.clone(), self.store.clone());
        let found: Result<Result<Secret>> =
            tokio::task::spawn_blocking(move || secrets.resolve(&store, None, &named))
                .await
                .map_err(|cause| Error::failure("a secret was not read").because(cause));
        // Ours to set right: the notice waits for it.
        found.and_then(|found| found).map_err(|error| (Trouble::Later(None), error.to_string()))
    }
}

/// Tells destinations that they can be told, all of them or those that are named; answers what came
/// back from each.
///
/// # Errors
/// When one is named that is none.
pub async fn test(
    bells: &Bells,
    watch: &Watch,
    only: &[String],
    now: Timestamp,
) -> Result<Vec<AlertTest>> {
    for name in only {
        if watch.destination(name).is_none() {
            let known = watch.destinations.iter().map(|one| one.name.as_str());
            let hint = suggestion_hint(name, known)
                .unwrap_or_else(|| "they are `[[alerts.destinations]]` of webox.toml".to_owned());
            let what = format!("no destination `{}`", name.escape_debug());
            return Err(Error::not_found(what).hint(hint));
        }
    }
    let places = watch.destinations.iter();
    let places = places.filter(|place| only.is_empty() || only.contains(&place.name));
    let payload = alerts::trial(watch.language, now);
    let rung = places.map(|place| {
        let (id, payload) = (format!("test_{}_{}", place.name, now.as_millisecond()), &payload);
        async move {
            let rung = bells.ring(watch, &place.name, None, &id, 1, payload).await;
            AlertTest {
                to: place.name.clone(),
                kind: place.kind,
                arrived: rung.is_ok(),
                failure: rung.err().map(|(_, why)| why),
            }
        }
    });
    Ok(futures_util::future::join_all(rung).await)
}
