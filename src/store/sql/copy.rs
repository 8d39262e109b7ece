//! A whole database, copied to another: from SQLite to PostgreSQL, or back.

use std::fmt;

use entity::{
    account, account_description, account_secret, account_usage, app_registration,
    authorization_request, config_version, connection, connection_feed, create_intent,
    create_intent_key, delivery, draft, endpoint, feed, hint, idempotency, issue, lease, link,
    link_end, op, pending, plan, plan_item, record_outcome, run, seen, seen_key, sync, workspace,
};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, Iterable, ModelTrait,
    PaginatorTrait as _, PrimaryKeyToColumn, QueryFilter, QueryOrder, QuerySelect, Value,
};

use super::batch::{CHUNK, insert};
use super::{SqlStore, commit};
use crate::store::Error;

/// A table that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// A fingerprint of all of them, in hexadecimal: the same in both databases.
    pub checksum: String,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something would be changed behind the copy, and two would go on with the same accounts.
    #[error("it is in use: stop every server and worker of it first")]
    InUse,
    /// There is nothing to copy from.
    #[error("the database to copy from can't be opened: {0}. Name one that is there")]
    From(#[source] Error),
    /// There is nothing to copy to.
    #[error("the database to copy to can't be opened: {0}. Make it first, or name another")]
    To(#[source] Error),
    /// There is nothing in it.
    #[error("the database to copy from is empty: name the one that the server was started with")]
    Empty,
    /// There is something where it should go.
    #[error("the database to copy to has rows in its table {0}: name one that is new")]
    Taken(String),
    /// What arrived is not what was there.
    #[error("what is read back of the table {0} is not what was written: nothing was copied")]
    Differs(String),
    /// A database.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<DbErr> for CopyError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

type Result<T> = std::result::Result<T, CopyError>;

/// Does something with the entity of each table, those first that others refer to.
macro_rules! for_each_table {
    ($do:ident $with:tt) => {
        for_each_table!(@ $do $with:
            workspace, lease, app_registration, idempotency, account, account_secret,
            account_description, account_usage, authorization_request, endpoint, delivery, feed,
            seen, seen_key, hint, connection, connection_feed, sync, config_version, draft, link,
            link_end, pending, run, plan, plan_item, op, create_intent, create_intent_key, issue,
            record_outcome
        )
    };
    (@ $do:ident $with:tt: $($table:ident),*) => {
        vec![$($do::<$table::Entity> $with.await?),*]
    };
}

/// Copies everything from the database at one address to an empty one at another: wholly or not at all.
/// What was written is read back and compared. Both are brought up to date first; the rows of the one
/// that is copied stay as they are. Jobs are not copied: whatever is due is found again.
///
/// # Errors
/// [`CopyError`]: nothing was copied.
pub async fn copy(from: &str, to: &str) -> Result<Vec<CopiedTable>> {
    let source = SqlStore::open_alone(from).await.map_err(|error| match error {
        Error::InUse => CopyError::InUse,
        error => CopyError::From(error),
    })?;
    let target = SqlStore::open(to).await.map_err(CopyError::To)?;
    let copied = copy_rows(&source, &target).await;
    source.close().await?;
    target.close().await?;
    copied
}

async fn copy_rows(source: &SqlStore, target: &SqlStore) -> Result<Vec<CopiedTable>> {
    let (from, to) = (source.read().await?, target.write().await?);
    for_each_table!(check_empty(&to));
    let copied = for_each_table!(copy_table(&from, &to));
    if copied.iter().all(|table| table.rows == 0) {
        return Err(CopyError::Empty);
    }
    let arrived = for_each_table!(look(&to));
    if let Some((table, _)) = copied.iter().zip(&arrived).find(|(one, other)| one != other) {
        return Err(CopyError::Differs(table.name.clone()));
    }
    Ok(commit(to, copied).await?)
}

async fn check_empty<E>(to: &DatabaseTransaction) -> Result<()>
where
    E: EntityTrait<Model: Send + Sync>,
{
    match E::find().limit(1).count(to).await? {
        0 => Ok(()),
        _ => Err(CopyError::Taken(E::default().table_name().to_owned())),
    }
}

async fn copy_table<E>(from: &DatabaseTransaction, to: &DatabaseTransaction) -> Result<CopiedTable>
where
    E: EntityTrait<Model: IntoActiveModel<E::ActiveModel>>,
{
    let mut table = Reading::<E>::new();
    while let Some(rows) = table.next(from).await? {
        insert::<E>(to, rows).await?;
    }
    Ok(table.copied())
}

async fn look<E: EntityTrait>(db: &DatabaseTransaction) -> Result<CopiedTable> {
    let mut table = Reading::<E>::new();
    while table.next(db).await?.is_some() {}
    Ok(table.copied())
}

/// A table that is read from its first key to its last, some rows at a time.
struct Reading<E: EntityTrait> {
    /// The key of the last row that was read.
    after: Option<Vec<Value>>,
    rows: u64,
    checksum: blake3::Hasher,
    of: std::marker::PhantomData<E>,
}

impl<E: EntityTrait> Reading<E> {
    fn new() -> Self {
        let (rows, of) = (0, std::marker::PhantomData);
        Self { after: None, rows, checksum: blake3::Hasher::new(), of }
    }

    /// The next rows; none after the last.
    async fn next(&mut self, db: &DatabaseTransaction) -> Result<Option<Vec<E::Model>>> {
        let key: Vec<E::Column> =
            E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
        let mut find = E::find();
        if let Some(after) = self.after.take() {
            let columns = Expr::tuple(key.iter().map(|column| Expr::col(*column)));
            find = find.filter(columns.gt(Expr::tuple(after.into_iter().map(Expr::val))));
        }
        for column in &key {
            find = find.order_by_asc(*column);
        }
        let rows = find.limit(CHUNK as u64).all(db).await?;
        for row in &rows {
            self.rows += 1;
            for column in E::Column::iter() {
                // Each value is told with its type, and ends where it ends.
                self.checksum.update(format!("{:?};", row.get(column)).as_bytes());
            }
        }
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(key.iter().map(|column| last.get(*column)).collect());
        Ok(Some(rows))
    }

    fn copied(self) -> CopiedTable {
        let checksum = self.checksum.finalize().to_hex().to_string();
        CopiedTable { name: E::default().table_name().to_owned(), rows: self.rows, checksum }
    }
}

impl fmt::Display for CopiedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.checksum.get(..16).unwrap_or_default();
        write!(f, "{:22} {:>9} rows  {short}", self.name, self.rows)
    }
}
