//! Webhooks: where an app may post, and what came.

use async_graphql::{Context, Enum, ID, Object};

use crate::connectors;
use crate::graphql::error::read_error;
use crate::graphql::page::{DeliveryPage, FIRST, asked, cost, page};
use crate::graphql::{principal, services};
use crate::store::{self, DeliveryId, EndpointState};

/// How a delivery stands. More may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DeliveryState {
    /// It is kept, and waits to be looked into.
    Received,
    /// Its records are read again, or were.
    Expanded,
    /// It could not be looked into, and waits for a person.
    Parked,
}

impl From<store::DeliveryState> for DeliveryState {
    fn from(state: store::DeliveryState) -> Self {
        match state {
            store::DeliveryState::Received => Self::Received,
            store::DeliveryState::Expanded => Self::Expanded,
            store::DeliveryState::Parked => Self::Parked,
        }
    }
}

impl From<DeliveryState> for store::DeliveryState {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Received => Self::Received,
            DeliveryState::Expanded => Self::Expanded,
            DeliveryState::Parked => Self::Parked,
        }
    }
}

/// Where an app posts the notifications of an account.
pub struct Webhook {
    pub(in crate::graphql) endpoint: store::Endpoint,
    pub(in crate::graphql) app: String,
}

#[Object]
impl Webhook {
    /// Its id.
    async fn id(&self) -> ID {
        self.endpoint.id.to_string().into()
    }

    /// `NOT_REGISTERED`, `UNREGISTERED` (by a person, until a person registers it), `REGISTERED`,
    /// `DISABLED` (by the app) or `FAILED`.
    async fn state(&self) -> &str {
        match &self.endpoint.state {
            EndpointState::NotRegistered => "NOT_REGISTERED",
            EndpointState::Unregistered => "UNREGISTERED",
            EndpointState::Registered => "REGISTERED",
            EndpointState::Disabled => "DISABLED",
            EndpointState::Failed(_) => "FAILED",
        }
    }

    /// Why registering failed, in the app's word.
    async fn state_code(&self) -> Option<&str> {
        match &self.endpoint.state {
            EndpointState::Failed(code) => Some(code),
            _ => None,
        }
    }

    /// The address to type into the app by hand. Whoever knows it can post there, so only owners and
    /// operators see it. None while the server was not started with `CONCORD_PUBLIC_URL`.
    async fn url(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        if !principal(ctx)?.role.may_write() {
            return Ok(None);
        }
        Ok(services(ctx)?.webhooks.address(&self.endpoint, &self.app))
    }

    /// Where the address is typed in, in the app's menus.
    async fn instructions(&self) -> Option<&str> {
        Some(connectors::app(&self.app)?.about().notifications.how)
    }

    /// The events to choose there.
    async fn events(&self) -> Vec<&str> {
        let app = connectors::app(&self.app);
        app.map(|app| app.about().notifications.events.to_vec()).unwrap_or_default()
    }

    /// Since when the app posts without a gap, as far as is known.
    async fn registered_at(&self) -> Option<String> {
        self.endpoint.registered_at.map(|at| at.to_string())
    }

    /// Until when the app posts, if it forgets; it is told again at half that time.
    async fn expires_at(&self) -> Option<String> {
        self.endpoint.expires_at.map(|at| at.to_string())
    }

    /// When the last notification came.
    async fn last_delivery_at(&self) -> Option<String> {
        self.endpoint.last_delivery_at.map(|at| at.to_string())
    }

    /// What came, the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        state: Option<DeliveryState>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<DeliveryPage> {
        let (count, before) = asked(first, after.as_deref(), |id| id.parse::<DeliveryId>().ok())?;
        let store = &services(ctx)?.store;
        let rows = store.deliveries_before(
            self.endpoint.workspace,
            Some(self.endpoint.id),
            state.map(Into::into),
            before,
            count + 1,
        );
        let rows = rows.await.map_err(read_error)?;
        Ok(page(rows, count, |row| row.id.to_string(), Delivery))
    }
}

/// One notification as it came. Its body is never shown: it holds people's data, and nothing in it is
/// believed but which records it names.
pub struct Delivery(pub(in crate::graphql) store::Delivery);

#[Object]
impl Delivery {
    /// Its id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// When it came, the last time.
    async fn received_at(&self) -> String {
        self.0.received_at.to_string()
    }

    /// How often the same came.
    async fn times(&self) -> u32 {
        self.0.times
    }

    /// How it stands.
    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }

    /// How many records it names.
    async fn records(&self) -> u32 {
        self.0.hints
    }

    /// How often it was looked into in vain.
    async fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Why the last attempt failed.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}
