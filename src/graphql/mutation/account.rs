//! Connecting accounts.

use async_graphql::{Context, ID, InputObject, Object};

use super::may_write;
use super::payload::AccountPayload;
use crate::connectors::Credentials;
use crate::graphql::error::{Outcome, UserError, UserErrorCode, of_accounts, of_store};
use crate::graphql::input::CredentialInput;
use crate::graphql::types::Account;
use crate::graphql::{services, workspace};
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
}

/// What `accountReconnect` takes.
#[derive(InputObject)]
pub struct AccountReconnectInput {
    /// The account.
    id: ID,
    /// What the catalogue asks for.
    credentials: Vec<CredentialInput>,
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

pub(super) fn account_id(id: &ID) -> Result<AccountId, UserError> {
    id.parse().map_err(|_| UserError::not_found("account").at("input.id"))
}

#[Object]
impl AccountMutations {
    /// Connects an account. Its credentials are tried first, and kept sealed.
    async fn account_connect(
        &self,
        ctx: &Context<'_>,
        input: AccountConnectInput,
    ) -> async_graphql::Result<AccountPayload> {
        Ok(connect(ctx, input).await?.into())
    }

    /// Gives an account new credentials, when the app accepts the old ones no more.
    async fn account_reconnect(
        &self,
        ctx: &Context<'_>,
        input: AccountReconnectInput,
    ) -> async_graphql::Result<AccountPayload> {
        Ok(reconnect(ctx, input).await?.into())
    }

    /// Changes what we call an account, and where its numbers are at home.
    async fn account_update(
        &self,
        ctx: &Context<'_>,
        input: AccountUpdateInput,
    ) -> async_graphql::Result<AccountPayload> {
        Ok(update(ctx, input).await?.into())
    }

    /// Asks the app whether it still accepts us, and reads the account's fields and users anew.
    async fn account_check(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<AccountPayload> {
        Ok(check(ctx, &id).await?.into())
    }

    /// Disconnects an account: its credentials are gone for good.
    async fn account_disconnect(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<AccountPayload> {
        Ok(disconnect(ctx, &id).await?.into())
    }
}

async fn connect(ctx: &Context<'_>, input: AccountConnectInput) -> Outcome<Account> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let (accounts, label) = (&services(ctx)?.accounts, input.label.as_deref());
    let typed = typed(&input.credentials);
    match accounts.connect(workspace(ctx)?, &input.app, &typed, label).await {
        Ok(account) => Ok(Ok(Account(account))),
        Err(error) => Ok(Err(of_accounts(error)?.at("input.credentials"))),
    }
}

async fn reconnect(ctx: &Context<'_>, input: AccountReconnectInput) -> Outcome<Account> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let id = match account_id(&input.id) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let accounts = &services(ctx)?.accounts;
    match accounts.reconnect(workspace(ctx)?, id, &typed(&input.credentials)).await {
        Ok(account) => Ok(Ok(Account(account))),
        Err(error) => Ok(Err(of_accounts(error)?.at("input.credentials"))),
    }
}

async fn update(ctx: &Context<'_>, input: AccountUpdateInput) -> Outcome<Account> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let id = match account_id(&input.id) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(Err(error)) = input.region.as_deref().map(str::parse::<Region>) {
        let error = UserError::new(UserErrorCode::Invalid, error.to_string());
        return Ok(Err(error.at("input.region")));
    }
    let store = &services(ctx)?.store;
    let mut account = match store.account(workspace(ctx)?, id).await {
        Ok(account) => account,
        Err(error) => return Ok(Err(of_store(error)?)),
    };
    account.label = input.label.unwrap_or(account.label);
    account.region = input.region.map(|code| code.to_ascii_uppercase()).or(account.region);
    match store.set_account(&account).await {
        Ok(()) => Ok(Ok(Account(account))),
        Err(error) => Ok(Err(of_store(error)?)),
    }
}

async fn check(ctx: &Context<'_>, id: &ID) -> Outcome<Account> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let id = match account_id(id) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (accounts, workspace) = (&services(ctx)?.accounts, workspace(ctx)?);
    if let Err(error) = accounts.describe(workspace, id).await {
        return Ok(Err(of_accounts(error)?));
    }
    match accounts.check(workspace, id).await {
        Ok(account) => Ok(Ok(Account(account))),
        Err(error) => Ok(Err(of_accounts(error)?)),
    }
}

async fn disconnect(ctx: &Context<'_>, id: &ID) -> Outcome<Account> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let id = match account_id(id) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    // While the credentials are still there. An app that does not answer keeps nobody from leaving:
    // what it still posts is refused.
    let _ = services.webhooks.release(workspace, id).await;
    match services.accounts.disconnect(workspace, id).await {
        Ok(account) => Ok(Ok(Account(account))),
        Err(error) => Ok(Err(of_accounts(error)?)),
    }
}
