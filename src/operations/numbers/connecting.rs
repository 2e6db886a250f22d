//! Having the calls of a number come to this daemon: looked at first, changed only where it must be,
//! and looked at again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::{Telephony, buying::unwritten, told};
use crate::{
    domain::{
        AccountSid, Actor, Assistant, AssistantName, Error, Expected, Kind, PhoneNumber, Result,
        Wiring, WiringChange,
    },
    operations::assistants,
    store::audit::Deed,
    twilio::{access::OpenAccount, numbers::Owned, rest::RestError},
};

/// Which account has which number, once that was asked.
pub(super) type Elsewhere = OnceCell<BTreeMap<PhoneNumber, AccountSid>>;

/// What it takes to have an assistant answer a number.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The assistant.
    pub assistant: AssistantName,
    /// The number.
    pub number: PhoneNumber,
    /// The number that the assistant has until then, where it is another.
    pub instead_of: Option<PhoneNumber>,
    /// What is not as it should be at Twilio.
    pub changes: Vec<WiringChange>,
    wanted: Wiring,
    found: Assistant,
    owned: Owned,
    account: OpenAccount,
}

impl Connection {
    /// Whether everything is as it should be.
    pub fn is_right(&self) -> bool {
        self.changes.is_empty() && self.instead_of.is_none()
    }

    /// The account that has the number.
    pub fn account(&self) -> &AccountSid {
        &self.account.sid
    }

    /// Twilio sends its calls here, and nobody answers them yet.
    fn without_assistant(&self, error: &Error) -> Error {
        let (number, name) = (&self.number, &self.assistant);
        Error::new(
            Kind::Partial,
            format!("the calls of {number} come here now, but `{name}` does not have it yet"),
        )
        .because(error.with_causes())
        .hint(format!("run this again: `webox numbers connect {name} --number {number}`"))
    }
}

impl Telephony {
    /// Looks at what it takes to have an assistant answer its number, or another one.
    pub async fn connection(
        &self,
        actor: &Actor,
        assistant: &Assistant,
        number: Option<&PhoneNumber>,
    ) -> Result<Connection> {
        self.connection_among(actor, assistant, number, &Elsewhere::new()).await
    }

    /// The same of several, for which all numbers of all accounts are listed once at most.
    pub(super) async fn connection_among(
        &self,
        actor: &Actor,
        assistant: &Assistant,
        number: Option<&PhoneNumber>,
        elsewhere: &Elsewhere,
    ) -> Result<Connection> {
        actor.may_administer()?;
        let wanted = self.home.wiring()?;
        let name = &assistant.spec.name;
        let current = &assistant.spec.phone.number;
        let number = number.unwrap_or(current);
        number.may_be_a_machines()?;
        if number != current
            && let Some(holder) = self.holders(actor).await?.get(number)
        {
            return Err(Error::conflict(format!(
                "{number} is the number of the assistant `{}`",
                holder.spec.name
            ))
            .hint("give that one another number first"));
        }
        let account = self.account_of(assistant).await?;
        let found =
            account.numbers(Some(number)).await.map_err(|error| looked_up(number, &error))?;
        let Some(owned) = found.into_iter().next() else {
            return Err(self.not_there(actor, name, number, &account.sid, elsewhere).await);
        };
        if !owned.voice {
            return Err(Error::new(
                Kind::Refused,
                format!("{number} cannot be called: it has no voice"),
            ));
        }
        Ok(Connection {
            assistant: name.clone(),
            number: number.clone(),
            instead_of: (number != current).then(|| current.clone()),
            changes: owned.wiring.changes_to(&wanted),
            wanted,
            found: assistant.clone(),
            owned,
            account,
        })
    }

    /// The number is not in the account where it should be; perhaps it is in another.
    async fn not_there(
        &self,
        actor: &Actor,
        name: &AssistantName,
        number: &PhoneNumber,
        account: &AccountSid,
        elsewhere: &Elsewhere,
    ) -> Error {
        let error = Error::not_found(format!("the account {account} does not have {number}"));
        let listed = elsewhere.get_or_init(async || {
            let all = self.list(actor, None).await.map(|all| all.numbers).unwrap_or_default();
            all.into_iter().map(|one| (one.owned.number, one.account)).collect()
        });
        let of = self.of(account);
        error.hint(match listed.await.get(number) {
            Some(other) => format!(
                "the account {other} has it: name it in the section `[twilio]` of `{name}`"
            ),
            None => format!(
                "if another account has it, name that in the section `[twilio]` of `{name}`; else buy it with `webox numbers buy {number}{of}`, or have another with `webox numbers connect {name} --number +…`"
            ),
        })
    }

    /// Has it come to what was looked at. Done again, it changes nothing.
    ///
    /// # Errors
    /// [`Kind::Partial`] where Twilio took it, and then says something else.
    pub async fn connect(
        &self,
        actor: &Actor,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<()> {
        actor.may_administer()?;
        // At Twilio first: where that fails, the number of before goes on being answered.
        if !connection.changes.is_empty() {
            self.wire(actor, connection, now).await?;
        }
        self.give(actor, connection, now).await
    }

    async fn wire(&self, actor: &Actor, connection: &Connection, now: Timestamp) -> Result<()> {
        let Connection { number, wanted, owned, account, .. } = connection;
        let wired = account.wire(&owned.sid, &connection.changes).await;
        let wired =
            wired.map_err(|error| told(&format!("{number} could not be connected"), &error))?;
        let side = |value: fn(&WiringChange) -> &str| -> Value {
            let sides = connection
                .changes
                .iter()
                .map(|one| (one.setting.to_string(), Value::String(value(one).to_owned())));
            Value::Object(sides.collect::<Map<_, _>>())
        };
        let (before, mut after) = (side(|one| &one.before), side(|one| &one.after));
        after["assistant"] = json!(connection.assistant);
        let target = format!("number/{number}");
        let deed = Deed { action: "number.connect", target, before, after };
        let noted = self.note(actor, deed, now).await;
        if let Some(first) = wired.wiring.changes_to(wanted).first() {
            return Err(Error::new(
                Kind::Partial,
                format!("{number} was connected, but its {} is `{}`", first.setting, first.before),
            )
            .hint("look at it in Twilio's console, and run this again"));
        }
        noted.map_err(|error| match &connection.instead_of {
            None => unwritten(&format!("{number} was connected"), &error),
            Some(_) => connection.without_assistant(&error),
        })
    }

    /// Gives the assistant the number, where it had another.
    async fn give(&self, actor: &Actor, connection: &Connection, now: Timestamp) -> Result<()> {
        if connection.instead_of.is_some() {
            let (store, actor) = (self.store.clone(), actor.clone());
            let (id, number) = (connection.found.id, connection.number.clone());
            let expected = Expected::any();
            let changed = tokio::task::spawn_blocking(move || {
                assistants::change(&store, &actor, id, expected, now, |mut spec| {
                    spec.phone.number = number;
                    Ok(spec)
                })
            });
            let changed = changed.await.unwrap_or_else(|cause| {
                Err(Error::failure("the assistant could not be changed").because(cause))
            });
            // Where nothing was changed at Twilio, nothing was done at all.
            return match changed {
                Err(error) if !connection.changes.is_empty() => {
                    Err(connection.without_assistant(&error))
                }
                changed => changed.map(drop),
            };
        }
        Ok(())
    }
}

fn looked_up(number: &PhoneNumber, error: &RestError) -> Error {
    told(&format!("{number} could not be looked up"), error)
}
