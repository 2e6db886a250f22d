//! Users, their tokens, and who is asking.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Author, Error, Kind, Role, Scope, row_number::row_number, text::text_type};

row_number!(
    /// The row number of a user.
    UserId
);

row_number!(
    /// The row number of a token.
    TokenId
);

/// An e-mail address, in lower case: what a user is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text has the shape of an address. Only mail that arrives proves one.
    pub fn is_like(text: &str) -> bool {
        text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && text.rsplit_once('@').is_some_and(|(user, host)| {
                !user.is_empty()
                    && host.split('.').count() > 1
                    && host.split('.').all(|label| !label.is_empty())
            })
    }
}

impl FromStr for EmailAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_lowercase();
        if Self::is_like(&text) {
            return Ok(Self(text));
        }
        let shown: String = text.chars().take(60).collect();
        Err(Error::input(format!("`{}` is not an e-mail address", shown.escape_debug()))
            .hint("such as `claire@agence.fr`"))
    }
}

text_type!(EmailAddress);

/// An account of webox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Row number.
    pub id: UserId,
    /// What the user is called.
    pub email: EmailAddress,
    /// What the user may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when none of the user's tokens is accepted, if so.
    pub disabled_at: Option<Timestamp>,
    /// Assistants that belong to the user.
    pub assistants: u64,
    /// Tokens that are accepted now, unless the user is disabled.
    pub tokens: u64,
}

/// A user's key to the API, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Row number.
    pub id: TokenId,
    /// Whose.
    pub user: UserId,
    /// Whose, by address.
    pub email: EmailAddress,
    /// What for.
    pub name: String,
    /// The beginning of the key, which is no secret.
    pub lookup: String,
    /// How far it reaches.
    pub scope: Scope,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; without end otherwise.
    pub expires_at: Option<Timestamp>,
    /// Since when it is not accepted, if so.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// Which assistants, and what came of them, somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// All.
    All,
    /// A user's own.
    Of(UserId),
}

impl Sight {
    /// The owner that rows must have; nothing when any will do.
    pub fn owner(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::Of(user) => Some(user.0),
        }
    }
}

/// An account that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// By address.
    pub email: EmailAddress,
    /// What the user may do.
    pub role: Role,
    /// How far this request may go.
    pub scope: Scope,
    /// The token it came with; none when the owner of the file acts as the user.
    pub token: Option<TokenId>,
}

/// Who asks, for the check and for the history. Every operation is given one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who, from where, by what.
    pub author: Author,
    /// The account; none for whoever may open the store's file, whose permissions are the check.
    pub account: Option<Account>,
}

impl Actor {
    /// Whoever may open the file.
    pub fn local(author: Author) -> Self {
        Self { author, account: None }
    }

    /// webox itself.
    pub fn webox(command: &str) -> Self {
        Self::local(Author::new("webox", command))
    }

    /// An account.
    pub fn of(account: Account, host: Option<String>, command: impl Into<String>) -> Self {
        let author = Author { host, ..Author::new(account.email.as_str(), command) };
        Self { author, account: Some(account) }
    }

    /// The user, if it is one.
    pub fn user(&self) -> Option<UserId> {
        self.account.as_ref().map(|account| account.user)
    }

    /// Which assistants the actor may see.
    pub fn sight(&self) -> Sight {
        match &self.account {
            Some(account) if account.role == Role::Member => Sight::Of(account.user),
            _ => Sight::All,
        }
    }

    /// Whether everything may be seen: what belongs to nobody in particular, and to everybody.
    pub fn sees_all(&self) -> bool {
        self.sight() == Sight::All
    }

    /// Refuses who may only look.
    pub fn may_write(&self) -> Result<(), Error> {
        match &self.account {
            Some(account) if account.scope == Scope::Read => {
                Err(Error::new(Kind::Denied, "this token may only read")
                    .hint("use one with `--scope write`"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses who may not administer users, tokens of others, the audit log.
    pub fn may_administer(&self) -> Result<(), Error> {
        let Some(account) = &self.account else { return Ok(()) };
        if account.role != Role::Admin {
            return Err(Error::new(Kind::Denied, "only an admin may do this")
                .hint("ask an admin of this webox"));
        }
        if account.scope != Scope::Admin {
            return Err(Error::new(Kind::Denied, "this token does not reach as far")
                .hint("use one with `--scope admin`"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role, scope: Scope) -> Actor {
        let email = "a@b.fr".parse().unwrap();
        let account = Account { user: UserId(3), email, role, scope, token: None };
        Actor::of(account, None, "test")
    }

    #[test]
    fn a_role_bounds_what_is_seen_and_a_scope_what_is_done() {
        assert_eq!(actor(Role::Admin, Scope::Read).sight(), Sight::All);
        assert_eq!(actor(Role::Member, Scope::Admin).sight(), Sight::Of(UserId(3)));
        for (role, scope, write, administer) in [
            (Role::Admin, Scope::Admin, true, true),
            (Role::Admin, Scope::Write, true, false),
            (Role::Admin, Scope::Read, false, false),
            (Role::Member, Scope::Admin, true, false),
            (Role::Member, Scope::Read, false, false),
        ] {
            let actor = actor(role, scope);
            assert_eq!(actor.may_write().is_ok(), write, "{role} {scope}");
            assert_eq!(actor.may_administer().is_ok(), administer, "{role} {scope}");
        }
        assert!(Actor::webox("test").may_administer().is_ok());
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        let address: EmailAddress = " Claire@Agence.FR ".parse().unwrap();
        assert_eq!(address.as_str(), "claire@agence.fr");
        for wrong in ["", "a", "@b.fr", "a@b", "a@.fr", "a b@c.fr", "a@b..fr", "a@b.fr\n.x y"] {
            assert!(wrong.parse::<EmailAddress>().is_err(), "{wrong:?}");
        }
    }
}
