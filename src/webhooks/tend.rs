//! Keeping registrations alive: apps forget them after a while, and switch them off.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::register::is_half_over;
use super::{Error, Webhooks};
use crate::store::{AccountId, Connection, Endpoint, EndpointState};

/// How often the app is asked whether it still posts.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// How soon it is looked again after what failed, or is to be renewed.
const AGAIN: Duration = Duration::from_secs(10 * 60);

impl Webhooks {
    /// Registers what running connections need, renews what is at half its life, and asks from time
    /// to time whether the apps still post; what is in order is left alone, and so is what a person had
    /// unregistered. One account's failure is noted at its endpoint, and keeps no other waiting.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn tend(&self) -> Result<(), Error> {
        if self.public_url.is_none() {
            return Ok(());
        }
        for workspace in self.store.workspaces().await? {
            let connections = self.store.connections(workspace.id).await?;
            for account in self.used_accounts(&connections).await? {
                let endpoint = self.endpoint(workspace.id, account).await?;
                let app = self.store.account(workspace.id, account).await?.app;
                let last = self.last_tended(&endpoint);
                if is_due(&endpoint, &app, last, self.clock.now()) {
                    self.look_after(endpoint).await?;
                }
            }
        }
        Ok(())
    }

    /// When an endpoint was last looked after, in this process.
    fn last_tended(&self, endpoint: &Endpoint) -> Option<Timestamp> {
        let tended = self.tended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tended.get(&endpoint.id).copied()
    }

    /// Notes that an endpoint is looked after now.
    pub(super) fn note_tended(&self, endpoint: &Endpoint) {
        let mut tended = self.tended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tended.insert(endpoint.id, self.clock.now());
    }

    /// The accounts of all connections that run.
    async fn used_accounts(
        &self,
        connections: &[Connection],
    ) -> Result<BTreeSet<AccountId>, Error> {
        let mut used = BTreeSet::new();
        for connection in connections.iter().filter(|connection| connection.is_running()) {
            for feed in &connection.feeds {
                used.insert(self.store.feed(connection.workspace, feed.feed).await?.account);
            }
        }
        Ok(used)
    }
}

/// Whether an endpoint of an app that was looked after then is to be looked after now.
fn is_due(endpoint: &Endpoint, app: &str, last: Option<Timestamp>, now: Timestamp) -> bool {
    let is_past = |wait: Duration| last.is_none_or(|last| last + wait <= now);
    match &endpoint.state {
        EndpointState::Unregistered => false,
        EndpointState::Registered if is_half_over(app, endpoint.expires_at, now) => is_past(AGAIN),
        EndpointState::Registered => is_past(LOOK_EVERY),
        EndpointState::NotRegistered | EndpointState::Disabled | EndpointState::Failed(_) => {
            is_past(AGAIN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Clock as _, Ids as _, ManualClock, SeededIds};
    use crate::store::{EndpointId, WorkspaceId};

    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn clock() -> ManualClock {
        ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap())
    }

    /// An endpoint that was registered now, for so long.
    fn endpoint(state: EndpointState, life: Option<Duration>, now: Timestamp) -> Endpoint {
        let id = SeededIds::new(1).next(now);
        Endpoint {
            state,
            registered_at: Some(now),
            expires_at: life.map(|life| now + life),
            ..Endpoint::new(EndpointId(id), WorkspaceId(id), AccountId(id), now)
        }
    }

    #[test]
    fn what_a_person_unregistered_is_left_alone() {
        let now = clock().now();
        let endpoint = endpoint(EndpointState::Unregistered, None, now);
        for last in [None, Some(now - 30 * DAY)] {
            assert!(!is_due(&endpoint, "kommo", last, now));
        }
    }

    fn failed() -> EndpointState {
        EndpointState::Failed("unavailable".to_owned())
    }

    #[test]
    fn whoever_starts_looks_after_every_endpoint() {
        let now = clock().now();
        let (none, posts, off) =
            (EndpointState::NotRegistered, EndpointState::Registered, EndpointState::Disabled);
        for state in [none, posts, off, failed()] {
            assert!(is_due(&endpoint(state, None, now), "kommo", None, now));
        }
    }

    #[test]
    fn what_does_not_post_is_tried_again_soon_and_not_at_once() {
        for state in [EndpointState::NotRegistered, EndpointState::Disabled, failed()] {
            let clock = clock();
            let begun = clock.now();
            let endpoint = endpoint(state, None, begun);
            clock.advance(9 * MINUTE);
            assert!(!is_due(&endpoint, "zoho", Some(begun), clock.now()));
            clock.advance(MINUTE);
            assert!(is_due(&endpoint, "zoho", Some(begun), clock.now()));
        }
    }

    #[test]
    fn what_posts_is_asked_for_each_hour() {
        let clock = clock();
        let begun = clock.now();
        let endpoint = endpoint(EndpointState::Registered, None, begun);
        clock.advance(59 * MINUTE);
        assert!(!is_due(&endpoint, "zoho", Some(begun), clock.now()));
        clock.advance(MINUTE);
        assert!(is_due(&endpoint, "zoho", Some(begun), clock.now()));
    }

    #[test]
    fn what_ends_is_looked_after_sooner_once_half_its_life_is_over() {
        let clock = clock();
        let life = 13 * DAY / 2;
        let endpoint = endpoint(EndpointState::Registered, Some(life), clock.now());
        clock.advance(life / 2 - MINUTE);
        let last = clock.now() - 10 * MINUTE;
        assert!(!is_due(&endpoint, "zoho", Some(last), clock.now()));
        assert!(is_half_over("zoho", endpoint.expires_at, clock.now() + MINUTE));
        clock.advance(MINUTE);
        assert!(is_due(&endpoint, "zoho", Some(last), clock.now()));
        // An app that gives less than it is asked for is not asked each minute.
        assert!(!is_due(&endpoint, "zoho", Some(clock.now() - 9 * MINUTE), clock.now()));
        assert!(!is_due(&endpoint, "kommo", Some(last), clock.now()), "it forgets nothing");
    }
}
