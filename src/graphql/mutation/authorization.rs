//! Connecting accounts by OAuth.

use async_graphql::{Context, ID, InputObject, Object};

use super::account::writer_of_account;
use super::payload::{AccountPayload, AuthorizationPayload, answer, answer_about};
use super::writer::{Writer, writer};
use crate::accounts::{self, Begin, By};
use crate::graphql::error::{Failure, Outcome};
use crate::graphql::types::{Account, Authorization};

/// Mutations that send people to apps and take them back.
#[derive(Default)]
pub struct AuthorizationMutations;

/// What `accountAuthorizeStart` takes.
#[derive(InputObject)]
pub struct AccountAuthorizeStartInput {
    /// The app, by its slug; it needs a registration.
    app: String,
    /// The account that is to be reconnected; without, the one that the person gives access to is
    /// connected, or reconnected if it is there already.
    account_id: Option<ID>,
    /// The name for people of a new account; the app's own, if none is given.
    label: Option<String>,
    /// Where the account is: for Zoho the data centre where the client is registered (`us`, if none is
    /// given), for Kommo the account's address (needed for those of amocrm.ru).
    place: Option<String>,
    /// Where the app sends the person back to, if a front-end takes them and calls
    /// `accountAuthorizeFinish`; without, this server does. It has to be registered with the app.
    redirect_uri: Option<String>,
}

/// What `accountAuthorizeFinish` takes.
#[derive(InputObject)]
pub struct AccountAuthorizeFinishInput {
    /// The app, by its slug.
    app: String,
    /// What followed the question mark in the address that the app sent the person back to, all of it
    /// and as it came.
    #[graphql(secret)]
    query: String,
}

#[Object]
impl AuthorizationMutations {
    /// Begins to connect or reconnect an account by OAuth: gives the address to which a person is to be
    /// sent. They have ten minutes.
    async fn account_authorize_start(
        &self,
        ctx: &Context<'_>,
        input: AccountAuthorizeStartInput,
    ) -> async_graphql::Result<AuthorizationPayload> {
        answer_about(ctx, "input.accountId", start(ctx, input).await)
    }

    /// Connects or reconnects the account that a person came back from, where a front-end took them.
    /// Only who began it can.
    async fn account_authorize_finish(
        &self,
        ctx: &Context<'_>,
        input: AccountAuthorizeFinishInput,
    ) -> async_graphql::Result<AccountPayload> {
        answer(ctx, finish(ctx, input).await)
    }
}

/// Where in the input an error is that came up before the person set out.
fn of_start(error: accounts::Error) -> Failure {
    use accounts::Error as E;
    let place = match &error {
        E::NoSuchApp(_) | E::NotRegistered(_) => "input.app",
        E::NoRedirect | E::BadRedirect => "input.redirectUri",
        E::OtherApp => "input.accountId",
        E::App(_) => "input.place",
        _ => return error.into(),
    };
    Failure::from(error).at(place)
}

async fn start(ctx: &Context<'_>, input: AccountAuthorizeStartInput) -> Outcome<Authorization> {
    let Writer { services, workspace, subject } = writer(ctx)?;
    let account = match &input.account_id {
        Some(id) => Some(writer_of_account(ctx, id)?.1),
        None => None,
    };
    let begin = Begin {
        app: &input.app,
        account,
        label: input.label.as_deref(),
        place: input.place.as_deref(),
        redirect_uri: input.redirect_uri.as_deref(),
    };
    let begun = services.authorizations.begin(By { workspace, subject }, &begin).await;
    begun.map(Authorization::from).map_err(of_start)
}

async fn finish(ctx: &Context<'_>, input: AccountAuthorizeFinishInput) -> Outcome<Account> {
    let Writer { services, workspace, subject } = writer(ctx)?;
    let by = By { workspace, subject };
    let finished = services.authorizations.finish(&input.app, &input.query, Some(by)).await;
    finished.map(Account).map_err(|error| match error {
        accounts::Error::NoSuchApp(_) => Failure::from(error).at("input.app"),
        accounts::Error::Store(error) => error.into(),
        other => Failure::from(other).at("input.query"),
    })
}
