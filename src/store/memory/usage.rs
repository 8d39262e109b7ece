//! What accounts were asked.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use crate::store::{AccountId, Result, Usage, UsageHour, WorkspaceId};

#[async_trait]
impl Usage for MemoryStore {
    async fn add_usage(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        more: &UsageHour,
        forget: Timestamp,
    ) -> Result<()> {
        self.transact(|state, _| {
            state.account(workspace, account)?;
            let hours = state.usage.entry((workspace, account)).or_default();
            hours.retain(|began_at, _| *began_at >= forget);
            let nothing = UsageHour::new(more.began_at);
            hours.entry(more.began_at).or_insert(nothing).add(more);
            Ok(())
        })
        .await
    }

    async fn usage(
        &self,
        workspace: WorkspaceId,
        account: AccountId,
        since: Timestamp,
    ) -> Result<Vec<UsageHour>> {
        self.transact(|state, _| {
            let hours = state.usage.get(&(workspace, account));
            let hours = hours.into_iter().flat_map(|hours| hours.range(since..).rev());
            Ok(hours.map(|(_, hour)| *hour).collect())
        })
        .await
    }
}
