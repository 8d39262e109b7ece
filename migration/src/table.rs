//! The few kinds of columns, keys and indexes that the tables are made of.

use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::{
    ColumnDef, ForeignKey, ForeignKeyCreateStatement, Index, IndexCreateStatement,
};

/// An id of ours.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

/// An id of ours that may be missing.
pub(crate) fn id_or_none(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().null().take()
}

/// A count, a change number, or a time.
pub(crate) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A number that may be missing.
pub(crate) fn number_or_none(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

/// Yes or no.
pub(crate) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// A hash.
pub(crate) fn bytes(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(name).var_binary(length).not_null().take()
}

/// Bytes of any length.
pub(crate) fn blob(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

/// Bytes of any length that may be missing.
pub(crate) fn blob_or_none(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().null().take()
}

/// A name, a word, an id of an app, or a document.
pub(crate) fn text(db: DbBackend, name: &'static str) -> ColumnDef {
    by_its_bytes(db, ColumnDef::new(name).text().not_null())
}

/// A text that may be missing.
pub(crate) fn text_or_none(db: DbBackend, name: &'static str) -> ColumnDef {
    by_its_bytes(db, ColumnDef::new(name).text().null())
}

/// SQLite compares text by its bytes, PostgreSQL only if it is told to. By the rules of a language
/// the order would depend on the server, and a new version of its library would break the indexes.
fn by_its_bytes(db: DbBackend, column: &mut ColumnDef) -> ColumnDef {
    if db == DbBackend::Postgres {
        column.extra(r#"COLLATE "C""#);
    }
    column.take()
}

/// The primary key.
pub(crate) fn key<const N: usize>(columns: [&'static str; N]) -> IndexCreateStatement {
    let mut key = Index::create();
    for column in columns {
        key.col(column);
    }
    key
}

/// A column that holds the id of a row of another table, in the same workspace.
pub(crate) fn within(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    reference(["workspace", column], table, ["workspace", "id"])
}

/// Columns that hold the key of a row of another table.
pub(crate) fn reference<const N: usize>(
    columns: [&'static str; N],
    table: &'static str,
    keys: [&'static str; N],
) -> ForeignKeyCreateStatement {
    let mut reference = ForeignKey::create();
    for column in columns {
        reference.from_col(column);
    }
    reference.to_tbl(table);
    for key in keys {
        reference.to_col(key);
    }
    reference
}

/// An index, named after its table and columns.
pub(crate) fn index<const N: usize>(
    table: &'static str,
    columns: [&'static str; N],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(column);
    }
    index
}

/// An index that holds no two equal rows.
pub(crate) fn unique<const N: usize>(
    table: &'static str,
    columns: [&'static str; N],
) -> IndexCreateStatement {
    index(table, columns).unique().take()
}
