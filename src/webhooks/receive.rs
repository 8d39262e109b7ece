//! Taking a notification: checked, kept, and nothing else; the app waits for the answer.

use crate::connectors::{self, Delivery as Incoming};
use crate::secrets::Place;
use crate::store::{Account, Delivery, DeliveryId, DeliveryState, Endpoint, EndpointId};

use super::{Error, Refused, Webhooks};

/// An address at which an app may post: it was whole and right.
pub struct Addressed {
    endpoint: Endpoint,
    account: Account,
}

impl Webhooks {
    /// What is meant by `/webhooks/{app}/{endpoint}/{secret}`.
    ///
    /// # Errors
    /// [`Refused::Unknown`] if there is nothing, [`Refused::NotKept`] if the store failed.
    pub async fn addressed(
        &self,
        app: &str,
        endpoint: &str,
        secret: &str,
    ) -> Result<Addressed, Refused> {
        let failed = |error: crate::store::Error| Refused::NotKept(error.into());
        let known = match endpoint.parse::<EndpointId>() {
            Ok(id) => self.store.endpoint_at(id).await.map_err(failed)?,
            Err(_) => None,
        };
        let is_right = self.keys.is_secret(known.as_ref(), secret);
        let endpoint = known.filter(|_| is_right).ok_or(Refused::Unknown)?;
        let account = self.store.account(endpoint.workspace, endpoint.account).await;
        let account = account.map_err(failed)?;
        if account.app != app {
            return Err(Refused::Unknown);
        }
        Ok(Addressed { endpoint, account })
    }

    /// Takes a notification that was posted there. On return it is kept for good.
    ///
    /// # Errors
    /// [`Refused`]: nothing was kept.
    pub async fn receive(
        &self,
        addressed: &Addressed,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), Refused> {
        let Addressed { endpoint, account } = addressed;
        let app = connectors::app(&account.app).ok_or(Refused::Unknown)?;
        let incoming = Incoming {
            content_type,
            body,
            token: &self.keys.token(endpoint),
            remote_id: &account.remote_id,
        };
        app.notices(&incoming)?;
        self.keep(endpoint, content_type, body).await.map_err(Refused::NotKept)?;
        self.look();
        Ok(())
    }

    async fn keep(
        &self,
        endpoint: &Endpoint,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let id = DeliveryId(self.ids.next(now));
        let (workspace, row) = (endpoint.workspace.to_string(), id.to_string());
        let delivery = Delivery {
            id,
            endpoint: endpoint.id,
            account: endpoint.account,
            received_at: now,
            fingerprint: *blake3::hash(body).as_bytes(),
            times: 1,
            content_type: content_type.to_owned(),
            body: self.sealer.seal(place(&workspace, &row), body)?,
            state: DeliveryState::Received,
            attempts: 0,
            next_at: Some(now),
            error: None,
            hints: 0,
        };
        self.store.add_delivery(endpoint.workspace, &delivery).await?;
        Ok(())
    }
}

/// Where a body is kept.
pub(super) fn place<'a>(workspace: &'a str, row: &'a str) -> Place<'a> {
    Place { workspace, column: "delivery.body", row }
}
