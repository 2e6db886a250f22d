//! Who is asking, how far it may see, and what it may do.

use super::{Author, EmailAddress, Error, Kind, Role, Scope, TokenId, UserId};

impl Scope {
    /// How far a token of this scope reaches for a user of a role: none makes a member an admin.
    #[must_use]
    pub fn of(self, role: Role) -> Self {
        match (self, role) {
            (Self::Admin, Role::Member) => Self::Write,
            (scope, _) => scope,
        }
    }

    /// Whether it reaches as far as another.
    pub fn reaches(self, other: Self) -> bool {
        let far = |scope| Self::ALL.iter().position(|known| *known == scope);
        far(self) >= far(other)
    }
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

    /// Whether the actor is the user with this address.
    pub fn is_called(&self, email: &EmailAddress) -> bool {
        self.account.as_ref().is_some_and(|account| account.email == *email)
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
    fn scopes_are_in_order() {
        assert_eq!(Scope::Admin.of(Role::Member), Scope::Write);
        assert_eq!(Scope::Admin.of(Role::Admin), Scope::Admin);
        assert!(Scope::Admin.reaches(Scope::Write) && Scope::Write.reaches(Scope::Write));
        assert!(!Scope::Read.reaches(Scope::Write) && !Scope::Write.reaches(Scope::Admin));
    }
}
