//! A whole database, copied to another. What is copied is rows of every table that there is, with all
//! that a column may hold.

use std::path::Path;

use concord::store::{CopyError, Error, SqlStore, copy};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::backends::{Backend, runtime};

/// A copy that is tried: its name, and how, from a file next to this one to an empty database.
type Try = (&'static str, fn(&Path, &Targets));

pub const ALL: &[Try] = &[
    ("everything_is_copied_there_and_back", try_everything),
    ("what_arrives_otherwise_is_not_copied", try_differences),
    ("a_database_that_is_in_use_is_not_copied", try_use),
    ("only_what_is_there_is_copied_and_only_to_where_nothing_is", try_wrong_places),
];

/// More than are read at once.
const MANY: u32 = 450;

/// Where it is copied to.
pub struct Targets<'a> {
    backend: &'a Backend,
    folder: &'a Path,
}

impl<'a> Targets<'a> {
    pub fn of(backend: &'a Backend, folder: &'a Path) -> Self {
        Self { backend, folder }
    }

    /// A database in which nothing is.
    async fn empty(&self, name: &str) -> String {
        let url = self.backend.url.as_ref().unwrap();
        if self.backend.name == "sqlite" {
            return file(self.folder, &format!("to-{name}"));
        }
        let db = Database::connect(url).await.unwrap();
        let name = format!("copy_{name}_{}", std::process::id());
        db.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();
        format!("{server}/{name}")
    }
}

fn file(folder: &Path, name: &str) -> String {
    format!("sqlite://{}", folder.join(format!("{name}.sqlite")).display())
}

/// A database with rows in every table: one with everything, one with as little as there can be, and
/// many of one table.
async fn filled(folder: &Path, name: &str) -> String {
    let url = file(folder, name);
    drop(SqlStore::open(&url).await.unwrap());
    let db = Database::connect(&url).await.unwrap();
    // References are kept by equal values, whatever the order.
    db.execute_unprepared("PRAGMA foreign_keys = OFF").await.unwrap();
    for table in tables(&db).await {
        for (place, is_full) in [(1, true), (2, false)] {
            insert(&db, &table, |kind, is_needed| value(kind, place, is_full || is_needed)).await;
        }
    }
    for n in 3..MANY {
        let id = format!("x'{:032x}'", 1);
        let row = format!("INSERT INTO hint VALUES ({id}, {id}, 'r{n}', {n})");
        db.execute_unprepared(&row).await.unwrap();
    }
    assert_eq!(rows(&db, "PRAGMA foreign_key_check").await, Vec::<String>::new());
    db.close().await.unwrap();
    url
}

fn value(kind: &str, place: u32, is_there: bool) -> String {
    let kind = kind.to_ascii_lowercase();
    match kind.split('(').next().unwrap() {
        _ if !is_there => "NULL".to_owned(),
        "uuid_text" | "uuid" => format!("x'{place:032x}'"),
        "text" | "varchar" => format!("'{{\"o''Brien\": \"Zoë \\ 🦀 {place}\"}}'"),
        "bigint" | "integer" => (i64::MAX - i64::from(place)).to_string(),
        "boolean" => (place % 2).to_string(),
        "blob" | "varbinary_blob" | "varbinary" => format!("x'00ff{place:02x}'"),
        other => panic!("no value for a column of type {other}"),
    }
}

async fn insert(db: &DatabaseConnection, table: &str, value: impl Fn(&str, bool) -> String) {
    let about = format!(
        "SELECT type || '|' || (\"notnull\" OR pk > 0) FROM pragma_table_info('{table}') ORDER BY cid"
    );
    let values = rows(db, &about).await.into_iter().map(|column| {
        let (kind, is_needed) = column.split_once('|').unwrap();
        value(kind, is_needed == "1")
    });
    let values = values.collect::<Vec<_>>().join(", ");
    db.execute_unprepared(&format!("INSERT INTO {table} VALUES ({values})")).await.unwrap();
}

async fn tables(db: &DatabaseConnection) -> Vec<String> {
    let ours = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'seaql_migrations' \
                AND name NOT LIKE 'sqlite_%' ORDER BY name";
    rows(db, ours).await
}

/// The first column of what a database answers.
async fn rows(db: &DatabaseConnection, statement: &str) -> Vec<String> {
    let statement = Statement::from_string(DbBackend::Sqlite, statement);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// All that a database holds, told by itself.
async fn told(url: &str) -> Vec<(String, Vec<String>)> {
    let db = Database::connect(url).await.unwrap();
    let mut all = Vec::new();
    for table in tables(&db).await {
        let names = rows(&db, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let columns = names.iter().map(|name| format!("quote(\"{name}\")"));
        let row = columns.collect::<Vec<_>>().join(" || ',' || ");
        let told = rows(&db, &format!("SELECT {row} AS told FROM \"{table}\" ORDER BY told")).await;
        all.push((table, told));
    }
    db.close().await.unwrap();
    all
}

fn try_everything(folder: &Path, targets: &Targets) {
    runtime().block_on(async {
        let from = filled(folder, "everything").await;
        let before = told(&from).await;
        let there = targets.empty("everything").await;
        let copied = copy(&from, &there).await.unwrap();
        let mut names: Vec<&str> = copied.iter().map(|table| table.name.as_str()).collect();
        names.sort_unstable();
        let tables: Vec<&str> = before.iter().map(|(table, _)| table.as_str()).collect();
        assert_eq!(names, tables, "each table of the database");
        let of = |name: &str| copied.iter().find(|table| table.name == name).unwrap().rows;
        assert_eq!((of("account"), of("hint")), (2, u64::from(MANY) - 1));
        assert_eq!(told(&from).await, before, "what is copied stays as it is");
        let back = file(folder, "back");
        assert_eq!(copy(&there, &back).await.unwrap(), copied, "with the same checksums");
        assert_eq!(told(&back).await, before);
    });
}

fn try_differences(folder: &Path, targets: &Targets) {
    runtime().block_on(async {
        let from = filled(folder, "differences").await;
        let there = targets.empty("differences").await;
        drop(SqlStore::open(&there).await.unwrap());
        let db = Database::connect(&there).await.unwrap();
        for statement in spoil(db.get_database_backend()) {
            db.execute_unprepared(statement).await.unwrap();
        }
        let refused = copy(&from, &there).await;
        assert!(matches!(&refused, Err(CopyError::Differs(of)) if of == "link"), "{refused:?}");
        let left = Statement::from_string(db.get_database_backend(), "SELECT id FROM account");
        assert!(db.query_all_raw(left).await.unwrap().is_empty(), "not even in part");
    });
}

/// Something in the database changes a row behind our back.
fn spoil(backend: DbBackend) -> &'static [&'static str] {
    if backend == DbBackend::Sqlite {
        return &[
            "CREATE TRIGGER spoil AFTER INSERT ON link BEGIN UPDATE link SET state = 'x'; END",
        ];
    }
    &[
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN NEW.state = 'x'; RETURN NEW; END $$",
        "CREATE TRIGGER spoil BEFORE INSERT ON link FOR EACH ROW EXECUTE FUNCTION spoil()",
    ]
}

fn try_use(folder: &Path, targets: &Targets) {
    runtime().block_on(async {
        let from = filled(folder, "used").await;
        let there = targets.empty("used").await;
        let server = SqlStore::open(&from).await.unwrap();
        let refused = copy(&from, &there).await;
        assert!(matches!(refused, Err(CopyError::InUse)), "{refused:?}");
        drop(server);
        copy(&from, &there).await.unwrap();
        // The same of the other database.
        let server = SqlStore::open(&there).await.unwrap();
        let back = file(folder, "used-back");
        let refused = copy(&there, &back).await;
        assert!(matches!(refused, Err(CopyError::InUse)), "{refused:?}");
        drop(server);
        // Whoever comes while somebody has it alone waits, and gives up.
        for url in [&from, &there] {
            let alone = SqlStore::open_alone(url).await.unwrap();
            let refused = SqlStore::open(url).await;
            assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
            alone.close().await.unwrap();
            SqlStore::open(url).await.unwrap();
        }
    });
}

fn try_wrong_places(folder: &Path, targets: &Targets) {
    runtime().block_on(async {
        let there = targets.empty("places").await;
        let missing = file(folder, "missing");
        let refused = copy(&missing, &there).await;
        assert!(matches!(refused, Err(CopyError::From(_))), "{refused:?}");
        assert!(!folder.join("missing.sqlite").exists(), "nothing is made of a wrong name");
        let fresh = file(folder, "fresh");
        drop(SqlStore::open(&fresh).await.unwrap());
        let refused = copy(&fresh, &there).await;
        assert!(matches!(refused, Err(CopyError::Empty)), "{refused:?}");
        let from = filled(folder, "places").await;
        let refused = copy(&from, "sqlite:///dev/null/x").await;
        assert!(matches!(refused, Err(CopyError::To(_))), "{refused:?}");
        copy(&from, &there).await.unwrap();
        let refused = copy(&from, &there).await;
        assert!(matches!(&refused, Err(CopyError::Taken(of)) if of == "workspace"), "{refused:?}");
    });
}
