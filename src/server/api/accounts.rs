//! `/api/voice/users`, `/tokens` and `/me`.

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{At, Body},
    failure::{Answer, Failure},
    parameters::Params,
    tags::{Created, IfMatch, Tagged},
};
use crate::{
    api::{
        Me, Moment, OneUser, Success, TokenCreated, TokenRevoked, TokenView, Tokens, UserView,
        Users,
    },
    domain::{EmailAddress, Error, Role, Scope, TokenId, User},
    operations::accounts,
};

pub(super) async fn me(asker: Asker) -> Answer<Me> {
    let account = asker.actor.account.ok_or_else(|| Error::failure("nobody asks"))?;
    Ok(Json(account.into()))
}

/// A user, by address.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// The address.
    email: EmailAddress,
}

/// A new user.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// What the user is called.
    email: EmailAddress,
    /// What the user may do.
    role: Role,
}

/// What may be changed of a user.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "UserChange")]
pub(super) struct Change {
    /// What the user may do.
    role: Option<Role>,
    /// Whether none of the user's tokens is accepted.
    disabled: Option<bool>,
}

/// Who inherits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Heir {
    /// To whom the user's assistants go.
    give_to: Option<EmailAddress>,
}

pub(super) async fn users(asker: Asker) -> Answer<Users> {
    let users = asker.ask(accounts::list).await?;
    let users = users.into_iter().map(UserView::from).collect();
    Ok(Json(Users { success: Success::default(), users }))
}

fn one(user: User) -> OneUser {
    OneUser { success: Success::default(), user: user.into() }
}

pub(super) async fn add_user(
    asker: Asker,
    Body(new): Body<NewUser>,
) -> Result<Created<OneUser>, Failure> {
    let user = asker
        .ask(move |store, actor, now| accounts::add(store, actor, new.email, new.role, now))
        .await?;
    Ok(Created(one(user)))
}

pub(super) async fn show_user(
    asker: Asker,
    At(named): At<Named>,
) -> Result<Tagged<OneUser>, Failure> {
    let user =
        asker.ask(move |store, actor, now| accounts::show(store, actor, &named.email, now)).await?;
    Ok(Tagged(one(user)))
}

pub(super) async fn change_user(
    asker: Asker,
    At(named): At<Named>,
    tags: IfMatch,
    Body(change): Body<Change>,
) -> Result<Tagged<OneUser>, Failure> {
    let user = asker
        .ask(move |store, actor, now| {
            let change = accounts::Change { role: change.role, disabled: change.disabled };
            accounts::change(store, actor, named.email, change, now, move |user| tags.allows(user))
        })
        .await?;
    Ok(Tagged(one(user)))
}

pub(super) async fn delete_user(
    asker: Asker,
    At(named): At<Named>,
    Params(heir): Params<Heir>,
    tags: IfMatch,
) -> Answer<OneUser> {
    let user = asker
        .ask(move |store, actor, now| {
            let (email, heir) = (named.email, heir.give_to);
            accounts::delete(store, actor, email, heir, now, move |user| tags.allows(user))
        })
        .await?;
    Ok(Json(one(user)))
}

/// Whose.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Whose {
    /// One user's.
    pub(super) user: Option<EmailAddress>,
}

/// A new token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// Whose.
    user: EmailAddress,
    /// What for.
    name: String,
    /// How far it reaches.
    scope: Scope,
    /// Until when; when it is left out, as long as the token that makes it.
    #[serde(default)]
    #[schemars(with = "Option<Moment>")]
    expires_at: Option<Timestamp>,
}

/// A token, by id.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Numbered {
    /// Its id.
    id: i64,
}

pub(super) async fn tokens(asker: Asker, Params(whose): Params<Whose>) -> Answer<Tokens> {
    let tokens = asker
        .ask(move |store, actor, now| accounts::tokens(store, actor, whose.user.as_ref(), now))
        .await?;
    let tokens = tokens.into_iter().map(TokenView::from).collect();
    Ok(Json(Tokens { success: Success::default(), tokens }))
}

pub(super) async fn create_token(
    asker: Asker,
    Body(new): Body<NewToken>,
) -> Result<Created<TokenCreated>, Failure> {
    let wanted = accounts::Wanted {
        email: new.user,
        name: new.name,
        scope: new.scope,
        expires_at: new.expires_at,
    };
    let (token, key) = asker
        .ask(move |store, actor, now| accounts::create_token(store, actor, wanted, now))
        .await?;
    let token = TokenCreated {
        success: Success::default(),
        token: key.expose().to_owned(),
        details: token.into(),
    };
    Ok(Created(token))
}

pub(super) async fn revoke_token(asker: Asker, At(numbered): At<Numbered>) -> Answer<TokenRevoked> {
    let id = TokenId(numbered.id);
    let token =
        asker.ask(move |store, actor, now| accounts::revoke_token(store, actor, id, now)).await?;
    Ok(Json(TokenRevoked { success: Success::default(), details: token.into() }))
}
