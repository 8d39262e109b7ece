//! Credentials at rest: sealed for their account, and opened only here.

use std::sync::Arc;

use crate::connectors::Granted;
use crate::secrets::{self, Place, Sealer};
use crate::store::{AccountId, Store, WorkspaceId};

use super::Result;

/// Where credentials are kept.
#[derive(Clone)]
pub(super) struct Vault {
    pub(super) store: Arc<dyn Store>,
    pub(super) sealer: Sealer,
}

/// Credentials with the number of their generation.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) granted: Granted,
    pub(super) generation: u64,
}

/// An account in its workspace.
pub(super) type Of = (WorkspaceId, AccountId);

impl Vault {
    pub(super) fn new(store: Arc<dyn Store>, sealer: Sealer) -> Self {
        Self { store, sealer }
    }

    pub(super) fn seal(&self, of: Of, granted: &Granted) -> Result<Vec<u8>> {
        let (workspace, row) = (of.0.to_string(), of.1.to_string());
        Ok(self.sealer.seal(place(&workspace, &row), &granted.to_document())?)
    }

    pub(super) async fn read(&self, of: Of) -> Result<Kept> {
        let sealed = self.store.credentials(of.0, of.1).await?;
        let (workspace, row) = (of.0.to_string(), of.1.to_string());
        let document = self.sealer.open(place(&workspace, &row), &sealed.bytes)?;
        let granted = Granted::from_document(&document).ok_or(secrets::Error::Altered)?;
        Ok(Kept { granted, generation: sealed.generation })
    }

    /// Writes new credentials in place of those that were read.
    pub(super) async fn replace(&self, of: Of, old: &Kept, granted: Granted) -> Result<Kept> {
        let sealed = self.seal(of, &granted)?;
        let generation =
            self.store.replace_credentials(of.0, of.1, old.generation, &sealed).await?;
        Ok(Kept { granted, generation })
    }
}

fn place<'a>(workspace: &'a str, row: &'a str) -> Place<'a> {
    Place { workspace, column: "account_secret.sealed", row }
}
