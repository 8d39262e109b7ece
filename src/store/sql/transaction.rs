//! Transactions: how they begin and end.

use sea_orm::{
    AccessMode, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use super::{SqlStore, lease};
use crate::store::{Held, Result};

impl SqlStore {
    /// Begins a transaction that writes.
    pub(super) async fn write(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            // One that reads first and writes later would fail if another wrote in between.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.begin(options).await
    }

    /// Begins a transaction that writes on behalf of a lease, if that is still held.
    pub(super) async fn fenced(&self, held: &Held) -> Result<DatabaseTransaction> {
        let tx = self.write().await?;
        lease::check(&tx, held).await?;
        Ok(tx)
    }

    /// Begins a transaction that reads several times, and sees the same each time.
    pub(super) async fn read(&self) -> Result<DatabaseTransaction> {
        let options = match self.db.get_database_backend() {
            DbBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                sqlite_transaction_mode: None,
            },
            // SQLite has no other isolation than this one.
            _ => TransactionOptions::default(),
        };
        self.begin(options).await
    }

    /// Begins a transaction, whether or not somebody still waits for it: one that is cut off while it
    /// begins stays open on its connection, and whatever comes after it there is part of it.
    #[expect(clippy::disallowed_methods, reason = "what was begun must not be cut off")]
    async fn begin(&self, options: TransactionOptions) -> Result<DatabaseTransaction> {
        let db = self.db.clone();
        let begun = tokio::spawn(async move { db.begin_with_options(options).await });
        let cut_off = |_| DbErr::Custom("the process is ending".to_owned());
        Ok(begun.await.map_err(cut_off)??)
    }
}

/// Commits, and gives on what the transaction came to. One that is dropped instead is rolled back.
pub(super) async fn commit<T>(tx: DatabaseTransaction, result: T) -> Result<T> {
    tx.commit().await?;
    Ok(result)
}
