//! Connecting accounts.

use async_graphql::{Context, ID, InputObject, Object};

use super::payload::{AccountPayload, answer, answer_about};
use super::writer::{Writer, writer, writer_of};
use crate::accounts::{self, Names};
use crate::connectors::Credentials;
use crate::graphql::error::{Failure, Outcome, UserError, UserErrorCode};
use crate::graphql::input::CredentialInput;
use crate::graphql::types::Account;
use crate::record::Region;
use crate::store::AccountId;

/// Mutations of accounts.
#[derive(Default)]
pub struct AccountMutations;

/// What `accountConnect` takes.
#[derive(InputObject)]
pub struct AccountConnectInput {
    /// The app, by its slug.
    app: String,
    /// What the catalogue asks for.
    credentials: Vec<CredentialInput>,
    /// Its name for people; the app's own, if none is given.
    label: Option<String>,
    /// The e-mail address of the user who is to have given the credentials: those of another are refused.
    email: Option<String>,
    /// Sent again with the same key, it is not done again.
    idempotency_key: Option<String>,
}

/// What `accountReconnect` takes.
#[derive(InputObject)]
pub struct AccountReconnectInput {
    /// The account.
    id: ID,
    /// What the catalogue asks for.
    credentials: Vec<CredentialInput>,
    /// The e-mail address of the user who is to have given them, if it is another than before; an empty one
    /// lets it be any user.
    email: Option<String>,
}

/// What `accountUpdate` takes.
#[derive(InputObject)]
pub struct AccountUpdateInput {
    /// The account.
    id: ID,
    /// Its name for people.
    label: Option<String>,
    /// The country by which numbers without a country code are read, in two letters.
    region: Option<String>,
}

fn typed(credentials: &[CredentialInput]) -> Credentials {
    let all = credentials.iter();
    all.fold(Credentials::default(), |typed, one| typed.with(&one.name, &one.value))
}

/// Whoever asks, and the account that they name.
pub(super) fn writer_of_account<'a>(
    ctx: &Context<'a>,
    id: &ID,
) -> Outcome<(Writer<'a>, AccountId)> {
    writer_of(ctx, "account", id)
}

/// What an error means when credentials are tried: it is about them, if the app said it.
fn of_user(error: accounts::Error) -> Failure {
    match error {
        accounts::Error::OtherUser => Failure::from(error).at("input.email"),
        accounts::Error::NoSuchApp(_) => Failure::from(error).at("input.app"),
        accounts::Error::Store(error) => error.into(),
        other => Failure::from(other).at("input.credentials"),
    }
}

#[Object]
impl AccountMutations {
    /// Connects an account. Its credentials are tried first, and kept sealed.
    async fn account_connect(
        &self,
        ctx: &Context<'_>,
        input: AccountConnectInput,
    ) -> async_graphql::Result<AccountPayload> {
        answer(ctx, connect(ctx, input).await)
    }

    /// Gives an account new credentials, when the app accepts the old ones no more.
    async fn account_reconnect(
        &self,
        ctx: &Context<'_>,
        input: AccountReconnectInput,
    ) -> async_graphql::Result<AccountPayload> {
        answer_about(ctx, "input.id", reconnect(ctx, input).await)
    }

    /// Changes what we call an account, and where its numbers are at home.
    async fn account_update(
        &self,
        ctx: &Context<'_>,
        input: AccountUpdateInput,
    ) -> async_graphql::Result<AccountPayload> {
        answer_about(ctx, "input.id", update(ctx, input).await)
    }

    /// Asks the app whether it still accepts us, and reads the account's fields and users anew. Refuses if
    /// another user has authorised it than was expected.
    async fn account_check(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<AccountPayload> {
        answer_about(ctx, "id", check(ctx, &id).await)
    }

    /// Disconnects an account: its credentials are gone for good. Access that a person gave on an app's
    /// consent page is given back, where the app takes it back.
    async fn account_disconnect(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(name = "idempotencyKey")] _key: Option<String>,
    ) -> async_graphql::Result<AccountPayload> {
        answer_about(ctx, "id", disconnect(ctx, &id).await)
    }
}

async fn connect(ctx: &Context<'_>, input: AccountConnectInput) -> Outcome<Account> {
    let Writer { services, workspace, .. } = writer(ctx)?;
    let typed = typed(&input.credentials);
    let names = Names { label: input.label.as_deref(), email: input.email.as_deref() };
    let connected = services.accounts.connect(workspace, &input.app, &typed, names).await;
    connected.map(Account).map_err(of_user)
}

async fn reconnect(ctx: &Context<'_>, input: AccountReconnectInput) -> Outcome<Account> {
    let (by, id) = writer_of_account(ctx, &input.id)?;
    let typed = typed(&input.credentials);
    let email = input.email.as_deref();
    let reconnected = by.services.accounts.reconnect(by.workspace, id, &typed, email).await;
    reconnected.map(Account).map_err(of_user)
}

async fn update(ctx: &Context<'_>, input: AccountUpdateInput) -> Outcome<Account> {
    let (by, id) = writer_of_account(ctx, &input.id)?;
    if let Some(Err(error)) = input.region.as_deref().map(str::parse::<Region>) {
        let error = UserError::new(UserErrorCode::Invalid, error.to_string());
        return Err(error.at("input.region").into());
    }
    let store = &by.services.store;
    let mut account = store.account(by.workspace, id).await?;
    account.label = input.label.unwrap_or(account.label);
    account.region = input.region.map(|code| code.to_ascii_uppercase()).or(account.region);
    store.set_account(&account).await?;
    Ok(Account(account))
}

async fn check(ctx: &Context<'_>, id: &ID) -> Outcome<Account> {
    let (by, id) = writer_of_account(ctx, id)?;
    by.services.accounts.describe(by.workspace, id).await?;
    Ok(Account(by.services.accounts.check(by.workspace, id).await?))
}

async fn disconnect(ctx: &Context<'_>, id: &ID) -> Outcome<Account> {
    let (by, id) = writer_of_account(ctx, id)?;
    by.services.accounts.check_unused(by.workspace, id).await?;
    // While the credentials are still there. An app that does not answer keeps nobody from leaving:
    // what it still posts is refused.
    let _ = by.services.webhooks.release(by.workspace, id).await;
    Ok(Account(by.services.accounts.disconnect(by.workspace, id).await?))
}
