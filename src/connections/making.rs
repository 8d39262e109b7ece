//! Making and removing connections.

use std::collections::BTreeSet;

use crate::planner::{
    Approval, ConsentPolicy, DeletionPolicy, FirstRun, MatchKey, Rule, Settings, SideSettings,
    Sync, SyncState, Thresholds, WritePolicy, suggest_consent, suggest_entries,
};
use crate::record::{ObjectName, PerSide, Side};
use crate::store::{
    AccountId, Connection, ConnectionFeed, ConnectionId, FeedId, SyncProgress, WorkspaceId,
};

use super::error::TITLE_MAX;
use super::{Connections, Error, Result};

/// A connection that somebody asks for.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Its name for people.
    pub title: String,
    /// Its two sides.
    pub sides: PerSide<NewSide>,
}

/// One side of it.
#[derive(Clone, Debug)]
pub struct NewSide {
    /// The account.
    pub account: AccountId,
    /// Its objects, in order of preference; the app's first, if none is named.
    pub objects: Vec<ObjectName>,
}

impl Connections {
    /// Makes a connection with two syncs that do not run yet, and the mapping that its fields suggest.
    ///
    /// # Errors
    /// [`Error`] says what does not fit.
    pub async fn create(&self, workspace: WorkspaceId, new: &NewConnection) -> Result<Connection> {
        if new.title.trim().is_empty() || new.title.chars().count() > TITLE_MAX {
            return Err(Error::BadTitle);
        }
        if new.sides.left.account == new.sides.right.account {
            return Err(Error::SameAccount);
        }
        let now = self.clock.now();
        let (left, left_feeds) = self.open_side(workspace, Side::Left, &new.sides.left).await?;
        let (right, right_feeds) = self.open_side(workspace, Side::Right, &new.sides.right).await?;
        let feeds: Vec<ConnectionFeed> = left_feeds.into_iter().chain(right_feeds).collect();
        let accounts = self.accounts_of(workspace, &feeds).await?;
        let mut sides = PerSide { left, right };
        for other in self.store.connections(workspace).await? {
            // Of other objects too: each would make of its people what the other has already.
            if self.accounts_of(workspace, &other.feeds).await? == accounts {
                return Err(Error::Doubled);
            }
            self.tell_apart(workspace, new, &mut sides, &other).await?;
        }
        let mut settings = Settings {
            version: 1,
            sides,
            syncs: PerSide { left: Some(sync()), right: Some(sync()) },
            preferred: None,
            match_keys: vec![MatchKey::Email],
            avoid_duplicates: true,
            consent: Vec::new(),
            brake: Thresholds::default(),
            approval: Approval::default(),
            every_minutes: Settings::EVERY_MINUTES,
            cron: None,
        };
        let suggested = suggest_entries(&settings);
        for side in Side::BOTH {
            if let Some(sync) = settings.syncs.of_mut(side) {
                sync.entries = suggested.of(side).clone();
            }
        }
        settings.consent = suggest_consent(&settings);
        let connection = Connection {
            workspace,
            id: ConnectionId(self.ids.next(now)),
            title: new.title.clone(),
            settings,
            feeds,
            progress: PerSide::<SyncProgress>::default(),
            again: false,
        };
        self.store.add_connection(&connection).await?;
        Ok(connection)
    }

    /// Where another connection has another account of the same app, ours is called by its label too:
    /// what a tag says of one is not believed of the other.
    async fn tell_apart(
        &self,
        workspace: WorkspaceId,
        new: &NewConnection,
        sides: &mut PerSide<SideSettings>,
        other: &Connection,
    ) -> Result<()> {
        let accounts = self.accounts_of(workspace, &other.feeds).await?;
        for side in Side::BOTH {
            let account = new.sides.of(side).account;
            let app = &mut sides.of_mut(side).app;
            let is_of_it = other.settings.sides.iter().any(|(_, known)| known.app == *app);
            if is_of_it && !accounts.contains(&account) {
                let label = self.store.account(workspace, account).await?.label;
                *app = format!("{app} ({label})");
            }
        }
        Ok(())
    }

    async fn accounts_of(
        &self,
        workspace: WorkspaceId,
        feeds: &[ConnectionFeed],
    ) -> Result<BTreeSet<AccountId>> {
        let mut accounts = BTreeSet::new();
        for feed in feeds {
            accounts.insert(self.store.feed(workspace, feed.feed).await?.account);
        }
        Ok(accounts)
    }

    async fn open_side(
        &self,
        workspace: WorkspaceId,
        side: Side,
        new: &NewSide,
    ) -> Result<(SideSettings, Vec<ConnectionFeed>)> {
        let account = self.store.account(workspace, new.account).await?;
        let settings = self.side(&account, &new.objects).await?;
        let mut feeds = Vec::new();
        for (rank, object) in settings.objects.iter().enumerate() {
            let id = FeedId(self.ids.next(self.clock.now()));
            let feed = self.store.open_feed(workspace, account.id, object, "", id).await?;
            let rank = u32::try_from(rank).unwrap_or(u32::MAX);
            feeds.push(ConnectionFeed { side, rank, feed: feed.id, planned_to: 0 });
        }
        Ok((settings, feeds))
    }

    /// Removes a connection with its history. Records in the apps stay as they are.
    ///
    /// # Errors
    /// [`Error::Stale`] while it runs.
    pub async fn remove(&self, workspace: WorkspaceId, id: ConnectionId) -> Result<()> {
        Ok(self.store.remove_connection(workspace, id).await?)
    }
}

/// A sync as it is begun with.
fn sync() -> Sync {
    Sync {
        state: SyncState::Draft,
        since: 0,
        first_run: FirstRun::NewOnly,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Tag,
        consent: ConsentPolicy::Tighten,
        clearing: true,
        rules: vec![Rule::default()],
        entries: Vec::new(),
    }
}
