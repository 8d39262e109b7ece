//! Statements for many rows at once.

use std::collections::BTreeMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    DatabaseTransaction, EntityTrait, InsertMany, IntoActiveModel, Iterable, PrimaryKeyToColumn,
};

use crate::store::Result;

/// How many rows or ids one statement carries: well below the databases' limits of parameters.
pub(super) const CHUNK: usize = 200;

/// Adds rows. One that is there already is a conflict.
pub(super) async fn insert<E>(tx: &DatabaseTransaction, rows: Vec<E::Model>) -> Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    write::<E>(tx, rows, None).await
}

/// Adds rows, or puts them in the place of those that are there. None may be named twice.
pub(super) async fn upsert<E>(tx: &DatabaseTransaction, rows: Vec<E::Model>) -> Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let rest = <E::Column as Iterable>::iter()
        .filter(|column| <E::PrimaryKey as PrimaryKeyToColumn>::from_column(*column).is_none());
    let replace =
        OnConflict::columns(<E::PrimaryKey as Iterable>::iter()).update_columns(rest).to_owned();
    write::<E>(tx, rows, Some(replace)).await
}

/// Adds rows, and does with those that are there already what is said.
pub(super) async fn write<E>(
    tx: &DatabaseTransaction,
    rows: Vec<E::Model>,
    clash: Option<OnConflict>,
) -> Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let page: Vec<E::Model> = rows.by_ref().take(CHUNK).collect();
        let mut statement = InsertMany::<E::ActiveModel>::many(page);
        if let Some(clash) = &clash {
            statement = statement.on_conflict(clash.clone());
        }
        statement.exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The last of each, where several rows have the same key: as if written one after the other.
pub(super) fn latest<K: Ord, T>(rows: impl IntoIterator<Item = (K, T)>) -> Vec<T> {
    let mut last = BTreeMap::new();
    for (key, row) in rows {
        last.insert(key, row);
    }
    last.into_values().collect()
}
