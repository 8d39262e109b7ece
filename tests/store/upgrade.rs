//! A database of an older version, opened by this one, and one of a newer version, refused by it.

use std::collections::BTreeMap;

use concord::planner::{BrakeClass, Op, OpKind, Report, TagChange};
use concord::record::{PerSide, RemoteId, Side};
use concord::store::{
    Account, AccountId, ConnectionId, Error, FeedId, History, OpFilter, OpRow, RunKind, SqlStore,
    Store, WorkspaceId,
};
use jiff::Timestamp;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

use crate::backends::runtime;

/// How many steps there were before accounts had credentials.
const BEFORE: u32 = 6;

/// How many steps there were before ops named the records they were done to.
const BEFORE_TARGETS: u32 = 7;

/// An upgrade that is tried: its name, and how, in a database at this address.
type Upgrade = (&'static str, fn(&str));

pub const ALL: &[Upgrade] = &[
    ("accounts_of_an_older_version_are_brought_along", try_accounts),
    ("ops_of_an_older_version_name_their_records_and_are_counted", try_journal),
    ("a_database_of_a_newer_version_is_left_alone", try_newer),
];

/// In a database next to this one.
fn try_accounts(url: &str) {
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

/// In a database next to this one.
fn try_journal(url: &str) {
    let url = url.replace("store.sqlite", "older-journal.sqlite");
    let id = Uuid::from_u128;
    let hex = |n: u128| format!("X'{}'", id(n).simple());
    let (workspace, account, feed, con, run) = (hex(1), hex(2), hex(3), hex(4), hex(5));
    let report = serde_json::to_string(&Report::default()).unwrap();
    let op = |n: u128, kind: OpKind, id: Option<&str>| {
        let op = Op {
            side: Side::Right,
            kind,
            object: "contacts".into(),
            id: id.map(RemoteId::new),
            revision: None,
            fields: BTreeMap::new(),
            tags: TagChange::default(),
            becomes: None,
            after: None,
            decisions: Vec::new(),
        };
        let document = serde_json::to_string(&op).unwrap();
        format!(
            "INSERT INTO op (workspace, id, run, connection, account, feed, item, document, state, \
             sent_at) VALUES ({workspace}, {}, {run}, {con}, {account}, {feed}, 'hash', \
             '{document}', 'applied', 1)",
            hex(n),
        )
    };
    let rows = [
        format!(
            "INSERT INTO account (workspace, id, app, environment, remote_id, label) \
             VALUES ({workspace}, {account}, 'memory', 'production', '7', 'an account')"
        ),
        format!(
            "INSERT INTO feed (workspace, id, account, object, collection, last_change) \
             VALUES ({workspace}, {feed}, {account}, 'contacts', '', 0)"
        ),
        format!(
            "INSERT INTO connection (workspace, id, title, version, again) \
             VALUES ({workspace}, {con}, 'a connection', 1, FALSE)"
        ),
        format!(
            "INSERT INTO run (workspace, id, connection, \"trigger\", state, version, started_at, \
             report) VALUES ({workspace}, {run}, {con}, 'PERSON', 'FINISHED', 1, 0, '{report}')"
        ),
        op(6, OpKind::Fields, Some("18")),
        op(7, OpKind::Create, None),
    ];
    runtime().block_on(async {
        let db = Database::connect(format!("{url}?mode=rwc")).await.unwrap();
        Migrator::up(&db, Some(BEFORE_TARGETS)).await.unwrap();
        for row in &rows {
            db.execute_unprepared(row).await.unwrap();
        }
        db.close().await.unwrap();

        let store = SqlStore::open(&url).await.unwrap();
        let (workspace, con) = (WorkspaceId(id(1)), ConnectionId(id(4)));
        let runs = store.runs_before(workspace, con, None, 9).await.unwrap();
        assert_eq!(runs.iter().map(|run| run.kind).collect::<Vec<_>>(), [RunKind::Sync]);
        let targets = |ops: Vec<OpRow>| ops.into_iter().map(|op| op.target).collect::<Vec<_>>();
        let ops = store.ops(workspace, con, None, 9).await.unwrap();
        assert_eq!(targets(ops), [Some(RemoteId::new("18")), None]);
        let feeds = [FeedId(id(3))].into();
        let of_record = OpFilter { feeds, record: Some("18".into()), ..OpFilter::default() };
        let ops = store.ops_before(workspace, con, &of_record, None, 9).await.unwrap();
        assert_eq!(targets(ops), [Some(RemoteId::new("18"))]);

        let creates = (BrakeClass::Creates, None);
        let epoch = Timestamp::UNIX_EPOCH;
        for (first_run_end, created) in [(Some(epoch), 1), (None, 0)] {
            let ends = PerSide { left: None, right: first_run_end };
            let done = store.applied_since(workspace, con, epoch, &ends).await.unwrap();
            assert_eq!(done.count(Side::Right, &creates), created, "{first_run_end:?}");
        }
    });
}

/// In a database next to this one, which lacks a step of this version too.
fn try_newer(url: &str) {
    let url = url.replace("store.sqlite", "newer.sqlite");
    let future = "m29990101_000001_future";
    runtime().block_on(async {
        let db = Database::connect(format!("{url}?mode=rwc")).await.unwrap();
        Migrator::up(&db, Some(BEFORE)).await.unwrap();
        let row =
            format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{future}', 0)");
        db.execute_unprepared(&row).await.unwrap();
        let tables = tables(&db).await;
        assert!(!tables.is_empty());

        let refused = SqlStore::open(&url).await.unwrap_err();
        assert!(matches!(&refused, Error::Newer(step) if step == future), "{refused:?}");
        let said = refused.to_string();
        assert!(said.contains("newer Concord") && said.contains("start that version"), "{said}");
        assert_eq!(self::tables(&db).await, tables, "nothing was made or changed");
        db.close().await.unwrap();
    });
}

/// How each table of a database was made, and which steps it has behind it.
async fn tables(db: &DatabaseConnection) -> Vec<String> {
    let query = "SELECT coalesce(sql, name) AS told FROM sqlite_master \
                 UNION ALL SELECT version FROM seaql_migrations ORDER BY told";
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, query)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "told").unwrap()).collect()
}
