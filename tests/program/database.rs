//! The tables of a database: made, upgraded, and left alone where a newer Concord has been.

use std::path::Path;

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use crate::{Folder, answer, concord_in, refusal};

/// Asks the embedded database of a data folder. Gives the first column of the answer.
fn asked(data: &Path, statement: &str) -> Vec<String> {
    let url = format!("sqlite://{}", data.join("concord.sqlite").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let db = Database::connect(url).await.unwrap();
        let statement = Statement::from_string(DbBackend::Sqlite, statement);
        let rows = db.query_all_raw(statement).await.unwrap();
        db.close().await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    })
}

/// How everything in it was made, and which steps it has behind it.
fn tables(data: &Path) -> Vec<String> {
    asked(
        data,
        "SELECT coalesce(sql, name) AS told FROM sqlite_master \
         UNION ALL SELECT version FROM seaql_migrations ORDER BY told",
    )
}

#[test]
fn tables_are_made_once_and_found_up_to_date_again() {
    let folder = Folder::new("migrate");
    let data = folder.join("data");
    assert_eq!(answer(&mut concord_in(&data, &["migrate"])), "The tables are up to date.\n");
    let made = tables(&data);
    assert!(made.iter().any(|told| told.contains("CREATE TABLE")), "{made:?}");
    assert_eq!(answer(&mut concord_in(&data, &["migrate"])), "The tables are up to date.\n");
    assert_eq!(tables(&data), made);
}

#[test]
fn a_database_of_a_newer_version_is_named_as_such_by_every_command_and_left_alone() {
    let folder = Folder::new("newer");
    let data = folder.join("data");
    answer(&mut concord_in(&data, &["migrate"]));
    let future = "m29990101_000001_future";
    asked(&data, &format!("INSERT INTO seaql_migrations VALUES ('{future}', 0) RETURNING version"));
    let before = tables(&data);
    for arguments in [&["serve", "--port", "0"][..], &["migrate"], &["token"], &["doctor"]] {
        let said = refusal(&mut concord_in(&data, arguments));
        assert!(said.contains("of a newer Concord"), "{arguments:?}: {said}");
        assert!(said.contains(future), "{arguments:?}: {said}");
        assert!(said.contains("start that version"), "{arguments:?}: {said}");
    }
    assert_eq!(tables(&data), before);
}

#[test]
fn a_database_is_copied_to_another_once_and_is_as_good_as_the_first() {
    let folder = Folder::new("migrate-store");
    let data = folder.join("data");
    answer(&mut concord_in(&data, &["token", "--workspace", "acme"]));
    let other = folder.join("other.sqlite");
    let to = format!("sqlite://{}", other.display());
    let said = answer(&mut concord_in(&data, &["migrate-store", "--to", &to]));
    assert!(said.contains("1 rows were copied, read back, and are the same."), "{said}");
    assert!(said.contains("never again with the old one"), "{said}");
    let names = "SELECT hex(id) || name FROM workspace";
    let there = folder.join("there");
    std::fs::create_dir_all(&there).unwrap();
    std::fs::copy(&other, there.join("concord.sqlite")).unwrap();
    assert_eq!(asked(&there, names), asked(&data, names));
    let said = refusal(&mut concord_in(&data, &["migrate-store", "--to", &to]));
    assert!(said.contains("has rows in its table workspace: name one that is new"), "{said}");
    let same = format!("sqlite://{}", data.join("concord.sqlite").display());
    let said = refusal(&mut concord_in(&data, &["migrate-store", "--to", &same]));
    assert!(said.contains("both databases are the same"), "{said}");
    let said = refusal(&mut concord_in(&data, &["migrate-store", "--to", "mysql://x"]));
    assert!(said.contains("neither sqlite://FILE nor postgres://"), "{said}");
}

#[test]
fn a_database_that_nobody_put_back_is_not_made_or_mistaken_for_the_one_that_was() {
    let folder = Folder::new("after-restore");
    let data = folder.join("data");
    let doctor = ["doctor", "--after-restore"];
    let said = refusal(&mut concord_in(&data, &doctor));
    assert!(said.contains("the database can't be used"), "{said}");
    assert!(!data.join("concord.sqlite").exists(), "none is made");
    answer(&mut concord_in(&data, &["migrate"]));
    let said = refusal(&mut concord_in(&data, &doctor));
    assert!(said.contains("no connection of this database was ever started"), "{said}");
}
