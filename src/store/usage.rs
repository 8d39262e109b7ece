//! The trait of what accounts were asked.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::rows::*;

/// The part of a store that keeps what accounts were asked, hour by hour. Each store is one.
#[async_trait]
pub trait Usage: Send + Sync {
    /// Adds to an hour of an account; what was said to be left takes the place of what was said before.
    /// Forgets the account's hours that began before `forget`.
    async fn add_usage(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        more: &UsageHour,
        forget: Timestamp,
    ) -> Result<()>;

    /// The hours of an account that began at a time or later and in which anything was asked, newest
    /// first.
    async fn usage(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        since: Timestamp,
    ) -> Result<Vec<UsageHour>>;
}
