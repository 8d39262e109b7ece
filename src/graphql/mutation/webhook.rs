//! Registering webhooks, and looking into deliveries again.

use async_graphql::{Context, ID, Object};

use super::account::writer_of_account;
use super::payload::{DeliveriesPayload, DeliveryPayload, WebhookPayload, answer_about};
use super::writer::writer_of;
use crate::graphql::error::{Outcome, UserError, UserErrorCode};
use crate::graphql::types::{Delivery, Webhook};
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
        #[graphql(name = "idempotencyKey")] _key: Option<String>,
    ) -> async_graphql::Result<WebhookPayload> {
        answer_about(ctx, "accountId", set_registered(ctx, &account_id, true).await)
    }

    /// Has it post no more until `webhookRegister`, and makes the address worthless: the next
    /// registration has another.
    async fn webhook_unregister(
        &self,
        ctx: &Context<'_>,
        account_id: ID,
        #[graphql(name = "idempotencyKey")] _key: Option<String>,
    ) -> async_graphql::Result<WebhookPayload> {
        answer_about(ctx, "accountId", set_registered(ctx, &account_id, false).await)
    }

    /// Looks into a delivery again.
    async fn delivery_replay(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(name = "idempotencyKey")] _key: Option<String>,
    ) -> async_graphql::Result<DeliveryPayload> {
        answer_about(ctx, "id", replay(ctx, &id).await)
    }

    /// Looks again into everything that an account's app posted at a time (such as
    /// `2026-08-01T10:00:00Z`) or later, whatever became of it: after an outage, or when a backup was
    /// put back.
    async fn deliveries_replay(
        &self,
        ctx: &Context<'_>,
        account_id: ID,
        since: String,
        #[graphql(name = "idempotencyKey")] _key: Option<String>,
    ) -> async_graphql::Result<DeliveriesPayload> {
        answer_about(ctx, "accountId", replay_since(ctx, &account_id, &since).await)
    }
}

/// Registers or unregisters the webhook of an account.
async fn set_registered(ctx: &Context<'_>, id: &ID, is_wanted: bool) -> Outcome<Webhook> {
    let (by, id) = writer_of_account(ctx, id)?;
    let webhooks = &by.services.webhooks;
    let app = by.services.store.account(by.workspace, id).await?.app;
    let endpoint = if is_wanted {
        webhooks.register(webhooks.endpoint(by.workspace, id).await?).await?
    } else {
        webhooks.unregister(by.workspace, id).await?;
        webhooks.endpoint(by.workspace, id).await?
    };
    Ok(Webhook { endpoint, app })
}

async fn replay_since(ctx: &Context<'_>, id: &ID, since: &str) -> Outcome<u64> {
    let (by, id) = writer_of_account(ctx, id)?;
    let since = since.parse().map_err(|_| {
        let message = "a moment is written as 2026-08-01T10:00:00Z";
        UserError::new(UserErrorCode::Invalid, message).at("since")
    })?;
    let (store, webhooks) = (&by.services.store, &by.services.webhooks);
    let id = store.account(by.workspace, id).await?.id;
    let endpoint = webhooks.endpoint(by.workspace, id).await?.id;
    let now = by.services.clock.now();
    let count = store.replay_deliveries(by.workspace, endpoint, since, now).await?;
    webhooks.look();
    Ok(count)
}

async fn replay(ctx: &Context<'_>, id: &ID) -> Outcome<Delivery> {
    let (by, id) = writer_of::<DeliveryId>(ctx, "delivery", id)?;
    let now = by.services.clock.now();
    let delivery = by.services.store.replay_delivery(by.workspace, id, now).await?;
    by.services.webhooks.look();
    Ok(Delivery(delivery))
}
