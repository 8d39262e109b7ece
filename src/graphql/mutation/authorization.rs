//! Connecting accounts by OAuth, and the clients that it takes.

use async_graphql::{Context, ID, InputObject, Object};

use super::account::writer_of_account;
use super::payload::{
    AccountPayload, AppPayload, AppRegistrationPayload, AuthorizationPayload, answer, answer_about,
};
use super::writer::{Writer, owner, writer};
use crate::accounts::{self, Begin, By};
use crate::connectors;
use crate::graphql::error::{Failure, Outcome, UserError};
use crate::graphql::types::{Account, App, AppRegistration, Authorization};

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
    /// The e-mail address of the user who is to give access: that of another is refused.
    email: Option<String>,
    /// Where the account is: for Zoho the data centre where the client is registered (`us`, if none is
    /// given), for Kommo the account's address (needed for those of amocrm.ru).
    place: Option<String>,
    /// Where the app sends the person back to, if a front-end takes them and calls
    /// `accountAuthorizeFinish`; without, this server does. It has to be registered with the app.
    redirect_uri: Option<String>,
    /// Where this server sends the person on to afterwards, with `accountId` or `error` added; it has to
    /// lie below one of `CONCORD_RETURN_URLS`. Without, they stay on its page.
    return_url: Option<String>,
}

/// What `appRegistrationSet` takes.
#[derive(InputObject)]
pub struct AppRegistrationSetInput {
    /// The app, by its slug.
    app: String,
    /// Where in the app the client is registered: for Zoho a data centre, for Kommo `kommo.com` or
    /// `amocrm.ru`. None where it is the same everywhere.
    place: Option<String>,
    /// The client's id.
    client_id: String,
    /// The client's secret. It can be written and never read.
    #[graphql(secret)]
    client_secret: String,
}

/// What `appRegistrationRemove` takes.
#[derive(InputObject)]
pub struct AppRegistrationRemoveInput {
    /// The app, by its slug.
    app: String,
    /// Where in the app the client is registered; none where it is the same everywhere.
    place: Option<String>,
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

    /// Registers an OAuth client of the workspace's own with an app, in the place of the one that it had:
    /// it comes before those of this server. For owners.
    async fn app_registration_set(
        &self,
        ctx: &Context<'_>,
        input: AppRegistrationSetInput,
    ) -> async_graphql::Result<AppRegistrationPayload> {
        answer(ctx, register(ctx, input).await)
    }

    /// Forgets an OAuth client of the workspace's own. Accounts that were authorized with it go on until
    /// their keys run out. For owners.
    async fn app_registration_remove(
        &self,
        ctx: &Context<'_>,
        input: AppRegistrationRemoveInput,
    ) -> async_graphql::Result<AppPayload> {
        answer(ctx, unregister(ctx, input).await)
    }
}

/// Where in the input an error is about a client.
fn of_client(error: accounts::Error) -> Failure {
    use accounts::Error as E;
    let place = match &error {
        E::NoSuchApp(_) => "input.app",
        E::NoSuchPlace(_) => "input.place",
        E::BadClient => "input.clientSecret",
        _ => return error.into(),
    };
    Failure::from(error).at(place)
}

async fn register(ctx: &Context<'_>, input: AppRegistrationSetInput) -> Outcome<AppRegistration> {
    let Writer { services, workspace, .. } = owner(ctx)?;
    let AppRegistrationSetInput { app, place, client_id, client_secret } = input;
    let client =
        connectors::AppRegistration { client_id, client_secret: client_secret.into(), place };
    let known = services.accounts.register(workspace, &app, &client).await.map_err(of_client)?;
    let app = connectors::app(&app).ok_or_else(|| UserError::not_found("app"))?;
    Ok(AppRegistration { app, known })
}

async fn unregister(ctx: &Context<'_>, input: AppRegistrationRemoveInput) -> Outcome<App> {
    let Writer { services, workspace, .. } = owner(ctx)?;
    let (slug, place) = (input.app.as_str(), input.place.as_deref());
    let removed = services.accounts.unregister(workspace, slug, place).await.map_err(of_client)?;
    if !removed {
        return Err(Failure::from(UserError::not_found("client")).at("input"));
    }
    Ok(App(connectors::app(slug).ok_or_else(|| UserError::not_found("app"))?))
}

/// Where in the input an error is that came up before the person set out.
fn of_start(error: accounts::Error) -> Failure {
    use accounts::Error as E;
    let place = match &error {
        E::NoSuchApp(_) | E::NotRegistered(_) => "input.app",
        E::NoRedirect | E::BadRedirect => "input.redirectUri",
        E::BadReturn => "input.returnUrl",
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
        email: input.email.as_deref(),
        place: input.place.as_deref(),
        redirect_uri: input.redirect_uri.as_deref(),
        return_url: input.return_url.as_deref(),
    };
    let begun = services.authorizations.begin(By { workspace, subject }, &begin).await;
    begun.map(Authorization::from).map_err(of_start)
}

async fn finish(ctx: &Context<'_>, input: AccountAuthorizeFinishInput) -> Outcome<Account> {
    let Writer { services, workspace, subject } = writer(ctx)?;
    let by = By { workspace, subject };
    let finished = services.authorizations.finish(&input.app, &input.query, by).await;
    finished.map(Account).map_err(|error| match error {
        accounts::Error::NoSuchApp(_) => Failure::from(error).at("input.app"),
        accounts::Error::Store(error) => error.into(),
        other => Failure::from(other).at("input.query"),
    })
}
