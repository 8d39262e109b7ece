//! Pages: forward, by cursors that are the keys of what they point at. The types are called pages,
//! because a connection is something else here; they follow Relay's cursor semantics.

use async_graphql::SimpleObject;

use super::error::invalid;
use super::types::{Account, Change, Connection, Delivery, Issue, PlanItem, RecordStanding, Run};

/// Entries of a page where nobody says how many.
pub(super) const FIRST: i32 = 50;
/// Entries of a page at most.
const FIRST_MAX: i32 = 100;

/// Where a page ends.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether more follows.
    pub has_next_page: bool,
    /// The cursor of the last entry, for `after`.
    pub end_cursor: Option<String>,
}

macro_rules! pages {
    ($($page:ident, $edge:ident, $node:ty, $about:literal;)*) => {
        $(
            #[doc = concat!("One of ", $about, ", with its cursor.")]
            #[derive(SimpleObject)]
            pub struct $edge {
                /// Where it is.
                cursor: String,
                /// The entry.
                node: $node,
            }

            #[doc = concat!("A page of ", $about, ".")]
            #[derive(SimpleObject)]
            pub struct $page {
                /// The entries with their cursors.
                edges: Vec<$edge>,
                /// Where it ends.
                page_info: PageInfo,
            }

            impl From<Listed<$node>> for $page {
                fn from(listed: Listed<$node>) -> Self {
                    let edges = listed.nodes.into_iter();
                    Self {
                        edges: edges.map(|(cursor, node)| $edge { cursor, node }).collect(),
                        page_info: listed.info,
                    }
                }
            }
        )*
    };
}

pages! {
    AccountPage, AccountPageEdge, Account, "the accounts";
    ConnectionPage, ConnectionPageEdge, Connection, "the connections";
    RunPage, RunPageEdge, Run, "the runs";
    RecordPage, RecordPageEdge, RecordStanding, "the records";
    ChangePage, ChangePageEdge, Change, "the changes";
    DeliveryPage, DeliveryPageEdge, Delivery, "what came from an app";
    IssuePage, IssuePageEdge, Issue, "the issues";
    PlanItemPage, PlanItemPageEdge, PlanItem, "the items of a plan";
}

/// Entries with their cursors, and where they end.
pub(super) struct Listed<T> {
    nodes: Vec<(String, T)>,
    info: PageInfo,
}

/// How many entries are asked for, and behind which one.
///
/// # Errors
/// `INVALID` for a number that no page has, or a cursor that `key` can't read.
pub(super) fn asked<K>(
    first: i32,
    after: Option<&str>,
    key: impl Fn(&str) -> Option<K>,
) -> async_graphql::Result<(u64, Option<K>)> {
    let count = u64::try_from(first).ok().filter(|_| (1..=FIRST_MAX).contains(&first));
    let count = count.ok_or_else(|| {
        invalid(format!("`first` is {first}: a page has 1 to {FIRST_MAX} entries"))
    })?;
    let read = |cursor| {
        let advice = "`after` is no cursor of this list: give `endCursor` of the page before it";
        key(cursor).ok_or_else(|| invalid(advice))
    };
    Ok((count, after.map(read).transpose()?))
}

/// What a page costs: as many times its entries' fields as it may have entries.
pub(super) fn cost(first: i32, child: usize) -> usize {
    let entries = usize::try_from(first.clamp(1, FIRST_MAX)).unwrap_or(usize::MAX);
    entries.saturating_mul(child).saturating_add(1)
}

/// A page of rows that were read one more than asked for.
pub(super) fn page<R, T, P: From<Listed<T>>>(
    mut rows: Vec<R>,
    asked: u64,
    cursor: impl Fn(&R) -> String,
    node: impl Fn(R) -> T,
) -> P {
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    let has_next_page = rows.len() > asked;
    rows.truncate(asked);
    let end_cursor = rows.last().map(&cursor);
    let nodes = rows.into_iter().map(|row| (cursor(&row), node(row))).collect();
    Listed { nodes, info: PageInfo { has_next_page, end_cursor } }.into()
}
