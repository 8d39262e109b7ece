//! Whatever has an id.

use async_graphql::{ID, Interface};

use super::{Account, Change, Connection, Issue, Plan, Run};

/// Something with an id. What the id begins with tells what it is.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id."))]
pub enum Node {
    /// An account.
    Account(Account),
    /// A connection.
    Connection(Connection),
    /// A run.
    Run(Run),
    /// A plan.
    Plan(Plan),
    /// A change.
    Change(Change),
    /// An issue.
    Issue(Issue),
}
