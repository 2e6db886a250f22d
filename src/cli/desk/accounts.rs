//! What commands ask about users, their tokens, and secrets.

use reqwest::Method;
use serde_json::json;

use super::{Local, Remote, remote::is_nameable};
use crate::{
    api::{Done, OneUser, Secrets, TokenCreated, TokenRevoked, Tokens, Users},
    domain::{EmailAddress, Result, Role, Secret, Token, TokenId, User},
    operations::{
        accounts::{self, Wanted},
        secrets::{self, Kept},
    },
};

/// Users, their tokens, and secrets.
#[rustfmt::skip]
pub(in crate::cli) trait AccountsDesk {
    fn users(&self) -> Result<Vec<User>>;
    fn user(&self, email: &EmailAddress) -> Result<User>;
    fn add_user(&self, email: EmailAddress, role: Role) -> Result<User>;
    fn set_role(&self, email: EmailAddress, role: Role) -> Result<User>;
    fn set_disabled(&self, email: EmailAddress, disabled: bool) -> Result<User>;
    fn delete_user(&self, email: EmailAddress, heir: Option<EmailAddress>) -> Result<User>;
    fn tokens(&self, email: Option<&EmailAddress>) -> Result<Vec<Token>>;
    fn create_token(&self, wanted: Wanted) -> Result<(Token, Secret)>;
    fn revoke_token(&self, id: TokenId) -> Result<Token>;
    fn secrets(&self, user: Option<&EmailAddress>) -> Result<Vec<Kept>>;
    fn set_secret(&self, user: Option<&EmailAddress>, name: &str, value: &Secret) -> Result<()>;
    fn delete_secret(&self, user: Option<&EmailAddress>, name: &str) -> Result<()>;
}

impl AccountsDesk for Local {
    fn users(&self) -> Result<Vec<User>> {
        accounts::list(&self.store, &self.actor, self.now)
    }

    fn user(&self, email: &EmailAddress) -> Result<User> {
        accounts::show(&self.store, &self.actor, email, self.now)
    }

    fn add_user(&self, email: EmailAddress, role: Role) -> Result<User> {
        accounts::add(&self.store, &self.actor, email, role, self.now)
    }

    fn set_role(&self, email: EmailAddress, role: Role) -> Result<User> {
        accounts::set_role(&self.store, &self.actor, email, role, self.now)
    }

    fn set_disabled(&self, email: EmailAddress, disabled: bool) -> Result<User> {
        accounts::set_disabled(&self.store, &self.actor, email, disabled, self.now)
    }

    fn delete_user(&self, email: EmailAddress, heir: Option<EmailAddress>) -> Result<User> {
        accounts::delete(&self.store, &self.actor, email, heir, self.now, |_| true)
    }

    fn tokens(&self, email: Option<&EmailAddress>) -> Result<Vec<Token>> {
        accounts::tokens(&self.store, &self.actor, email, self.now)
    }

    fn create_token(&self, wanted: Wanted) -> Result<(Token, Secret)> {
        accounts::create_token(&self.store, &self.actor, wanted, self.now)
    }

    fn revoke_token(&self, id: TokenId) -> Result<Token> {
        accounts::revoke_token(&self.store, &self.actor, id, self.now)
    }

    fn secrets(&self, user: Option<&EmailAddress>) -> Result<Vec<Kept>> {
        secrets::list(&self.store, &self.actor, user, self.now)
    }

    fn set_secret(&self, user: Option<&EmailAddress>, name: &str, value: &Secret) -> Result<()> {
        self.secrets.set(&self.store, &self.actor, user, name, value, self.now)
    }

    fn delete_secret(&self, user: Option<&EmailAddress>, name: &str) -> Result<()> {
        secrets::delete(&self.store, &self.actor, user, name, self.now)
    }
}

impl AccountsDesk for Remote {
    fn users(&self) -> Result<Vec<User>> {
        let answer: Users = self.client.get(&["users"]).send()?;
        Ok(answer.users.into_iter().map(User::from).collect())
    }

    fn user(&self, email: &EmailAddress) -> Result<User> {
        Ok(self.client.get(&["users", email.as_str()]).send::<OneUser>()?.user.into())
    }

    fn add_user(&self, email: EmailAddress, role: Role) -> Result<User> {
        let ask = self.client.post(&["users"]).body(&json!({ "email": email, "role": role }))?;
        Ok(ask.send::<OneUser>()?.user.into())
    }

    fn set_role(&self, email: EmailAddress, role: Role) -> Result<User> {
        let ask = self.client.ask(Method::PATCH, &["users", email.as_str()]);
        Ok(ask.body(&json!({ "role": role }))?.send::<OneUser>()?.user.into())
    }

    fn set_disabled(&self, email: EmailAddress, disabled: bool) -> Result<User> {
        let ask = self.client.ask(Method::PATCH, &["users", email.as_str()]);
        Ok(ask.body(&json!({ "disabled": disabled }))?.send::<OneUser>()?.user.into())
    }

    fn delete_user(&self, email: EmailAddress, heir: Option<EmailAddress>) -> Result<User> {
        let ask = self.client.ask(Method::DELETE, &["users", email.as_str()]);
        Ok(ask.query("give_to", heir).send::<OneUser>()?.user.into())
    }

    fn tokens(&self, email: Option<&EmailAddress>) -> Result<Vec<Token>> {
        let answer: Tokens = self.client.get(&["tokens"]).query("user", email).send()?;
        Ok(answer.tokens.into_iter().map(Token::from).collect())
    }

    fn create_token(&self, wanted: Wanted) -> Result<(Token, Secret)> {
        let body = json!({
            "user": wanted.email, "name": wanted.name, "scope": wanted.scope,
            "expires_at": wanted.expires_at,
        });
        let made: TokenCreated = self.client.post(&["tokens"]).body(&body)?.send()?;
        Ok((made.details.into(), Secret::new(made.token)))
    }

    fn revoke_token(&self, id: TokenId) -> Result<Token> {
        let path = ["tokens", &id.0.to_string()];
        Ok(self.client.ask(Method::DELETE, &path).send::<TokenRevoked>()?.details.into())
    }

    fn secrets(&self, user: Option<&EmailAddress>) -> Result<Vec<Kept>> {
        let answer: Secrets = self.client.get(&["secrets"]).query("user", user).send()?;
        Ok(answer.secrets.into_iter().map(Kept::from).collect())
    }

    fn set_secret(&self, user: Option<&EmailAddress>, name: &str, value: &Secret) -> Result<()> {
        secrets::check(name, value)?;
        let ask = self.client.ask(Method::PUT, &["secrets", name]).query("user", user);
        ask.body(&json!({ "value": value.expose() }))?.send::<Done>().map(|_| ())
    }

    fn delete_secret(&self, user: Option<&EmailAddress>, name: &str) -> Result<()> {
        if !is_nameable(name) {
            return Err(secrets::unknown(name));
        }
        let ask = self.client.ask(Method::DELETE, &["secrets", name]).query("user", user);
        ask.send::<Done>().map(|_| ())
    }
}
