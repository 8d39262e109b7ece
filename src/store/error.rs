//! What can go wrong with the store. The codes of SQLite and PostgreSQL are mapped in `sql/error.rs`.

/// An error of the store. None holds a value of a record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else changed it first: read it again.
    #[error("changed by somebody else meanwhile")]
    Conflict,
    /// There is no such thing in this workspace.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The lease under which it was to be done is lost: stop, and write nothing more.
    #[error("the lease is lost")]
    Fenced,
    /// The database is busy: try again.
    #[error("the database is busy")]
    Busy(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// Another process has the database open that nobody else may use meanwhile.
    #[error("it is in use: stop every server and worker of it first")]
    InUse,
    /// The database can't be reached, or can't write.
    #[error("the database is not available")]
    Down(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// A newer Concord has changed the tables, by this step. Nothing was done to them.
    #[error(
        "the database is of a newer Concord, which made {0} of it: start that version or a newer \
         one, or name another database"
    )]
    Newer(String),
    /// What is stored does not make sense, or a statement is wrong.
    #[error("a fault in the store: {0}")]
    Bug(String),
}
