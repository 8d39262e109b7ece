//! A database of an older version, opened by this one.

use concord::store::{Account, AccountId, Error, SqlStore, Store, WorkspaceId};
use jiff::Timestamp;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database};
use uuid::Uuid;

use crate::backends::runtime;

/// How many steps there were before accounts had credentials.
const BEFORE: u32 = 6;

/// In a database next to this one.
pub fn try_accounts(url: &str) {
    let url = url.replace("store.sqlite", "older.sqlite");
    let (workspace, id) = (Uuid::from_u128(1), Uuid::from_u128(2));
    runtime().block_on(async {
        let db = Database::connect(format!("{url}?mode=rwc")).await.unwrap();
        Migrator::up(&db, Some(BEFORE)).await.unwrap();
        let row = format!(
            "INSERT INTO account (workspace, id, app, environment, remote_id, label) \
             VALUES (X'{}', X'{}', 'memory', 'production', '7', 'an account')",
            workspace.simple(),
            id.simple(),
        );
        db.execute_unprepared(&row).await.unwrap();
        db.close().await.unwrap();

        let store = SqlStore::open(&url).await.unwrap();
        let (workspace, id) = (WorkspaceId(workspace), AccountId(id));
        let account = Account {
            environment: "production".into(),
            label: "an account".into(),
            ..Account::new(workspace, id, "memory", "7", Timestamp::UNIX_EPOCH)
        };
        assert_eq!(store.accounts(workspace).await.unwrap(), std::slice::from_ref(&account));
        let none = store.credentials(workspace, id).await;
        assert!(matches!(none, Err(Error::NotFound("credentials"))), "nobody gave any");
        let same = Account { id: AccountId(Uuid::from_u128(3)), ..account.clone() };
        let taken = store.add_account(&same, b"").await;
        assert!(matches!(taken, Err(Error::Conflict)), "it holds its place");
        assert_eq!(store.reconnect(&account, b"new").await.unwrap(), 1);
    });
}
