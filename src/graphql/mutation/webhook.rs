//! Registering webhooks, and looking into deliveries again.

use async_graphql::{Context, ID, Object};

use super::account::account_id;
use super::may_write;
use super::payload::{DeliveryPayload, WebhookPayload};
use crate::graphql::error::{Outcome, UserError, of_store, of_webhooks};
use crate::graphql::types::{Delivery, Webhook};
use crate::graphql::{services, workspace};
use crate::store::DeliveryId;

/// Mutations of webhooks.
#[derive(Default)]
pub struct WebhookMutations;

#[Object]
impl WebhookMutations {
    /// Has an account's app post its notifications here. Running connections do so by themselves; this
    /// does it at once, and tells what the app answered.
    async fn webhook_register(
        &self,
        ctx: &Context<'_>,
        account_id: ID,
    ) -> async_graphql::Result<WebhookPayload> {
        Ok(register(ctx, &account_id).await?.into())
    }

    /// Has it post no more until `webhookRegister`, and makes the address worthless: the next
    /// registration has another.
    async fn webhook_unregister(
        &self,
        ctx: &Context<'_>,
        account_id: ID,
    ) -> async_graphql::Result<WebhookPayload> {
        Ok(unregister(ctx, &account_id).await?.into())
    }

    /// Looks into a delivery again.
    async fn delivery_replay(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> async_graphql::Result<DeliveryPayload> {
        Ok(replay(ctx, &id).await?.into())
    }
}

async fn register(ctx: &Context<'_>, id: &ID) -> Outcome<Webhook> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let id = match account_id(id) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    let app = match services.store.account(workspace, id).await {
        Ok(account) => account.app,
        Err(error) => return Ok(Err(of_store(error)?)),
    };
    let webhooks = &services.webhooks;
    let registered = async { webhooks.register(webhooks.endpoint(workspace, id).await?).await };
    match registered.await {
        Ok(endpoint) => Ok(Ok(Webhook { endpoint, app })),
        Err(error) => Ok(Err(of_webhooks(error)?)),
    }
}

async fn unregister(ctx: &Context<'_>, id: &ID) -> Outcome<Webhook> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let id = match account_id(id) {
        Ok(id) => id,
        Err(error) => return Ok(Err(error)),
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    let app = match services.store.account(workspace, id).await {
        Ok(account) => account.app,
        Err(error) => return Ok(Err(of_store(error)?)),
    };
    let webhooks = &services.webhooks;
    let unregistered = async {
        webhooks.unregister(workspace, id).await?;
        webhooks.endpoint(workspace, id).await
    };
    match unregistered.await {
        Ok(endpoint) => Ok(Ok(Webhook { endpoint, app })),
        Err(error) => Ok(Err(of_webhooks(error)?)),
    }
}

async fn replay(ctx: &Context<'_>, id: &ID) -> Outcome<Delivery> {
    if let Err(error) = may_write(ctx)? {
        return Ok(Err(error));
    }
    let Ok(id) = id.parse::<DeliveryId>() else {
        return Ok(Err(UserError::not_found("delivery").at("id")));
    };
    let (services, workspace) = (services(ctx)?, workspace(ctx)?);
    let now = services.clock.now();
    let replayed = async {
        services.store.replay_delivery(workspace, id, now).await?;
        services.store.delivery(workspace, id).await
    };
    match replayed.await {
        Ok(delivery) => {
            services.webhooks.look();
            Ok(Ok(Delivery(delivery)))
        }
        Err(error) => Ok(Err(of_store(error)?)),
    }
}
