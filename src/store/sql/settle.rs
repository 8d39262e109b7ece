//! What became of ops, with everything that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DatabaseTransaction;

use super::{feed, intent, issue, journal, link, outcome, pending, seen};
use crate::store::{Error, FeedId, Held, Observed, Result, Settlement};

pub(super) async fn settle(
    tx: &DatabaseTransaction,
    held: &Held,
    settlement: &Settlement,
) -> Result<()> {
    let (workspace, connection) = (held.key.workspace, held.connection());
    let mut feeds = feed::lock(tx, workspace, &feeds_of(settlement)).await?;
    link::put(tx, workspace, &settlement.links).await?;
    journal::settle(tx, workspace, &settlement.ops).await?;
    journal::name_targets(tx, workspace, &settlement.targets).await?;
    for (id, written) in written(settlement) {
        let feed = feeds.get_mut(&id).ok_or(Error::NotFound("feed"))?;
        let saw = seen::see(tx, feed, &written).await?;
        if !saw.changed.is_empty() {
            feed::save(tx, feed.clone()).await?;
        }
        feed::put_hints(tx, workspace, &saw.outdated).await?;
    }
    pending::clear(tx, workspace, &settlement.cleared).await?;
    pending::put(tx, workspace, &settlement.pending).await?;
    intent::put(tx, workspace, &settlement.intents).await?;
    intent::amend(tx, workspace, settlement).await?;
    feed::put_hints(tx, workspace, &settlement.hints).await?;
    outcome::put(tx, workspace, connection, &settlement.outcomes).await?;
    issue::put(tx, workspace, connection, &settlement.issues).await
}

/// The feeds of which anything changes.
fn feeds_of(settlement: &Settlement) -> BTreeSet<FeedId> {
    let written = settlement.written.iter().map(|own| own.feed);
    let intents = settlement.intents.iter().map(|intent| intent.feed);
    let hints = settlement.hints.iter().map(|(end, _)| end.feed);
    written.chain(intents).chain(hints).collect()
}

/// What we wrote, by feed, in order.
fn written(settlement: &Settlement) -> BTreeMap<FeedId, Vec<&Observed>> {
    let mut written: BTreeMap<FeedId, Vec<&Observed>> = BTreeMap::new();
    for own in &settlement.written {
        written.entry(own.feed).or_default().push(&own.observed);
    }
    written
}
