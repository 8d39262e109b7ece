//! When a connection is due, by what the store says.

use std::time::Duration;

use jiff::Timestamp;

use super::cron;
use super::cut_off::rests_until;
use crate::runner::awaits_answer_until;
use crate::store::{self, Connection, LeaseKey, LeaseKind, RunRow, RunState, Store};

/// How long after its time what waits is due for the sweep: what an app told of is nudged in time by
/// whoever took it in, and is read for less than a run of the sweep reads.
const LATE: Duration = Duration::from_secs(1);

/// When a connection runs by itself after a run from `started` to `ended`. By the clock on the wall that
/// is the next time after the start: what came meanwhile, or while nobody was there, is made up for once.
fn scheduled(connection: &Connection, started: Timestamp, ended: Timestamp) -> Timestamp {
    match &connection.settings.cron {
        // One that can't be kept was refused.
        Some(cron) => cron::next(cron, started).unwrap_or(Timestamp::MAX),
        None => {
            let every = u64::from(connection.settings.every_minutes.max(1)) * 60;
            after(ended, Duration::from_secs(every))
        }
    }
}

/// When a connection is due to be run; none if it is not running, and nobody has asked for a preview
/// of its draft. A time that is past means now. A run that failed is tried again this long after it, or
/// on schedule if that is sooner; while somebody runs it, it is looked at again after that.
///
/// # Errors
/// The store can't be read.
pub(super) async fn due(
    store: &dyn Store,
    connection: &Connection,
    now: Timestamp,
    again_after: Duration,
) -> store::Result<Option<Timestamp>> {
    match due_if_free(store, connection, now, again_after).await? {
        // Whoever runs it now does it, or leaves it to be done after that.
        Some(at) if at <= now && is_run(store, connection).await? => {
            Ok(Some(after(now, again_after)))
        }
        due => Ok(due),
    }
}

async fn due_if_free(
    store: &dyn Store,
    connection: &Connection,
    now: Timestamp,
    again_after: Duration,
) -> store::Result<Option<Timestamp>> {
    let last = store.runs(connection.workspace, connection.id, 1).await?.pop();
    let rests_until = rests_until(last.as_ref(), again_after);
    if rests_until > now {
        return Ok(Some(rests_until));
    }
    if store.preview_asked(connection.workspace, connection.id).await? {
        return Ok(Some(now));
    }
    if !connection.is_running() {
        return Ok(None);
    }
    if connection.again {
        return Ok(Some(now));
    }
    // What an app tells of meanwhile waits for the answer, too.
    if let Some(until) = awaits_answer_until(store, connection, now).await? {
        return Ok(Some(until));
    }
    let by_itself = match last {
        None => now,
        Some(RunRow { state: RunState::Failed, started_at, ended_at: Some(at), .. }) => {
            let soon = after(at, again_after);
            let scheduled = scheduled(connection, started_at, at);
            // What came while it failed is made up for by the next try.
            return Ok(Some(if scheduled > at { soon.min(scheduled) } else { soon }));
        }
        // What a notification woke has read nothing else, and puts nothing off.
        Some(RunRow { ended_at: Some(_), .. }) => {
            let full = store.last_full_run(connection.workspace, connection.id).await?;
            full.and_then(|run| Some(scheduled(connection, run.started_at, run.ended_at?)))
                .unwrap_or(now)
        }
        // It goes on, or was cut off.
        Some(_) => return Ok(Some(now)),
    };
    let waiting = store.next_due(connection.workspace, connection.id).await?;
    Ok(Some(waiting.map_or(by_itself, |at| after(at, LATE).min(by_itself))))
}

/// Whether anybody runs it now.
async fn is_run(store: &dyn Store, connection: &Connection) -> store::Result<bool> {
    let (workspace, subject) = (connection.workspace, connection.id.0);
    store.is_held(&LeaseKey { workspace, kind: LeaseKind::Connection, subject }).await
}

pub(super) fn after(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// How long it is until then.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use super::super::AGAIN_AFTER;
    use super::*;
    use crate::planner::{
        Approval, ConsentPolicy, Cron, DeletionPolicy, FirstRun, Report, Settings, SideSettings,
        Sync, SyncState, Thresholds, WritePolicy,
    };
    use crate::ports::{Ids as _, ManualClock, SeededIds};
    use crate::record::{PerSide, RemoteId, Side};
    use crate::store::{
        Account, AccountId, ConnectionFeed, ConnectionId, CutOff, FeedId, Held, History as _,
        MemoryStore, PlanRow, PlanState, RunEnd, RunId, RunKind, SyncProgress, Trigger,
        WorkspaceId,
    };

    const MINUTE: i64 = 60;

    struct House {
        store: MemoryStore,
        workspace: WorkspaceId,
        connection: ConnectionId,
        feed: FeedId,
        run: RunId,
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn settings(state: SyncState) -> Settings {
        let sync = Sync {
            since: 0,
            state,
            first_run: FirstRun::All,
            write_policy: WritePolicy::Overwrite,
            deletion: DeletionPolicy::Ignore,
            consent: ConsentPolicy::Tighten,
            clearing: true,
            rules: vec![],
            entries: vec![],
        };
        Settings {
            version: 1,
            sides: PerSide::from_fn(|_| SideSettings {
                app: "memory".to_owned(),
                objects: vec!["contacts".into()],
                schemas: BTreeMap::new(),
                region: None,
                users: BTreeMap::new(),
                converts: BTreeMap::new(),
                tags: None,
            }),
            syncs: PerSide { left: Some(sync), right: None },
            preferred: None,
            match_keys: vec![],
            avoid_duplicates: true,
            consent: vec![],
            brake: Thresholds::default(),
            approval: Approval::Never,
            every_minutes: 15,
            cron: None,
        }
    }

    impl House {
        /// A connection that reads one account on both sides; it is looked at every 15 minutes.
        async fn new(state: SyncState) -> Self {
            let store = MemoryStore::new(Arc::new(ManualClock::at(at(0))));
            let ids = SeededIds::new(1);
            let id = || ids.next(at(0));
            let workspace = WorkspaceId(id());
            let account =
                Account::new(workspace, AccountId(id()), "memory", "one".to_owned(), at(0));
            store.add_account(&account, b"").await.unwrap();
            let feed = store
                .open_feed(workspace, account.id, &"contacts".into(), "", FeedId(id()))
                .await
                .unwrap()
                .id;
            let connection = ConnectionId(id());
            let feeds =
                Side::BOTH.map(|side| ConnectionFeed { side, rank: 0, feed, planned_to: 0 });
            let row = Connection {
                workspace,
                id: connection,
                title: String::new(),
                settings: settings(state),
                feeds: feeds.to_vec(),
                progress: PerSide { left: SyncProgress::default(), right: SyncProgress::default() },
                again: false,
            };
            store.add_connection(&row).await.unwrap();
            Self { store, workspace, connection, feed, run: RunId(id()) }
        }

        async fn due(&self, now: i64) -> Option<i64> {
            let row = self.store.connection(self.workspace, self.connection).await.unwrap();
            let due = due(&self.store, &row, at(now), AGAIN_AFTER).await.unwrap();
            due.map(|time| time.as_second() - at(0).as_second())
        }

        /// A run that began at 0; it is over at `end`, if at all.
        async fn run(&self, end: Option<(i64, RunState)>) -> Held {
            self.run_because(Trigger::Schedule, self.run, end).await
        }

        async fn run_because(
            &self,
            trigger: Trigger,
            id: RunId,
            end: Option<(i64, RunState)>,
        ) -> Held {
            let (workspace, connection) = (self.workspace, self.connection);
            let key = LeaseKey { workspace, kind: LeaseKind::Connection, subject: connection.0 };
            let held = self.store.acquire(&key, "one", Duration::from_secs(60)).await.unwrap();
            let held = held.unwrap();
            let run = RunRow {
                id,
                connection,
                kind: RunKind::Sync,
                trigger,
                state: RunState::Running,
                version: 1,
                started_at: at(0),
                ended_at: None,
                report: Report::default(),
                error: None,
                cut_off: CutOff::default(),
            };
            self.store.begin_run(&held, &run).await.unwrap();
            let Some((end, state)) = end else { return held };
            let end = RunEnd {
                id,
                connection,
                state,
                at: at(end),
                report: Report::default(),
                error: None,
                planned_to: BTreeMap::new(),
                progress: PerSide { left: SyncProgress::default(), right: SyncProgress::default() },
            };
            self.store.finish_run(&held, &end).await.unwrap();
            self.store.release(&held).await.unwrap();
            held
        }

        async fn hint(&self, due: i64) {
            let ids = BTreeSet::from([RemoteId::from("1")]);
            self.store.add_hints(self.workspace, self.feed, &ids, at(due)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_never_ran_is_due_now() {
        assert_eq!(House::new(SyncState::Running).await.due(7).await, Some(7));
    }

    #[tokio::test]
    async fn what_does_not_run_is_never_due() {
        for state in [SyncState::Paused, SyncState::Draft] {
            let house = House::new(state).await;
            house.hint(0).await;
            assert_eq!(house.due(7).await, None);
        }
    }

    #[tokio::test]
    async fn a_preview_that_was_asked_for_is_due_now_also_where_nothing_runs() {
        for state in [SyncState::Draft, SyncState::Running] {
            let house = House::new(state).await;
            house.run(Some((100, RunState::Finished))).await;
            let before = house.due(200).await;
            let (store, workspace, id) = (&house.store, house.workspace, house.connection);
            let edit = store.save_draft(workspace, id, None, 1, &settings(state)).await.unwrap();
            assert_eq!(house.due(200).await, before, "a draft alone wakes nothing");
            store.ask_preview(workspace, id, edit).await.unwrap();
            assert_eq!(house.due(200).await, Some(200));
            store.discard_draft(workspace, id).await.unwrap();
            assert_eq!(house.due(200).await, before);
        }
    }

    #[tokio::test]
    async fn nothing_is_due_while_a_person_thinks_about_the_plan() {
        let house = House::new(SyncState::Running).await;
        let (store, workspace, id) = (&house.store, house.workspace, house.connection);
        let asking = Settings { approval: Approval::FirstRun, ..settings(SyncState::Running) };
        store.publish(workspace, id, 1, &asking).await.unwrap();
        assert_eq!(house.due(7).await, Some(7), "there is no plan yet");
        let plan = PlanRow {
            id: house.run,
            connection: id,
            version: 2,
            hash: "hash".to_owned(),
            report: Report::default(),
            state: PlanState::Waiting,
            made_at: at(90),
            decided_at: None,
            decided_by: None,
        };
        let held = house.run(None).await;
        store.save_plan(&held, &plan).await.unwrap();
        house.run(Some((100, RunState::Finished))).await;
        house.hint(110).await;
        assert_eq!(house.due(200).await, Some(90 + 60 * MINUTE));
        // Then it is made anew; if it comes to the same, by the schedule as ever.
        assert_eq!(house.due(90 + 61 * MINUTE).await, Some(111), "it is past");
        store.decide_plan(workspace, plan.id, "hash", true, "eva", at(300)).await.unwrap();
        assert_eq!(house.due(400).await.map(|due| due <= 400), Some(true), "they have agreed");
        store.ask_again(workspace, id).await.unwrap();
        assert_eq!(house.due(500).await, Some(500));
    }

    #[tokio::test]
    async fn the_schedule_counts_from_the_end_of_the_last_run() {
        let house = House::new(SyncState::Running).await;
        house.run(Some((100, RunState::Finished))).await;
        assert_eq!(house.due(200).await, Some(100 + 15 * MINUTE));
    }

    impl House {
        /// Has it run at a quarter past each hour by the clocks of Kolkata: at a quarter to it by UTC.
        async fn keep_to_the_wall(&self) {
            let mut settings = settings(SyncState::Running);
            settings.cron = Some(Cron {
                expression: "15 * * * *".to_owned(),
                time_zone: "Asia/Kolkata".to_owned(),
            });
            self.store.publish(self.workspace, self.connection, 1, &settings).await.unwrap();
        }
    }

    #[tokio::test]
    async fn by_the_clock_on_the_wall_it_is_due_then_however_long_the_last_run_took() {
        let house = House::new(SyncState::Running).await;
        house.keep_to_the_wall().await;
        assert_eq!(house.due(7).await, Some(7), "what never ran is due now");
        house.run(Some((100, RunState::Finished))).await;
        assert_eq!(house.due(200).await, Some(45 * MINUTE));
        assert_eq!(house.due(200 * MINUTE).await, Some(45 * MINUTE), "nobody was there: now, once");
    }

    #[tokio::test]
    async fn what_a_run_that_took_long_has_missed_by_the_clock_on_the_wall_is_due_now() {
        let house = House::new(SyncState::Running).await;
        house.keep_to_the_wall().await;
        house.run(Some((50 * MINUTE, RunState::Finished))).await;
        assert_eq!(house.due(50 * MINUTE).await, Some(45 * MINUTE));
    }

    #[tokio::test]
    async fn a_run_that_a_notification_woke_puts_nothing_off() {
        let house = House::new(SyncState::Running).await;
        house.run(Some((100, RunState::Finished))).await;
        let id = RunId(SeededIds::new(2).next(at(500)));
        house.run_because(Trigger::Webhook, id, Some((600, RunState::Finished))).await;
        assert_eq!(house.due(700).await, Some(100 + 15 * MINUTE));
    }

    #[tokio::test]
    async fn what_waits_is_due_before_the_schedule() {
        let house = House::new(SyncState::Running).await;
        house.run(Some((100, RunState::Finished))).await;
        house.hint(300).await;
        assert_eq!(house.due(200).await, Some(301), "whoever took it in nudges it first");
    }

    #[tokio::test]
    async fn a_failed_run_is_tried_again_soon_and_not_at_once() {
        let house = House::new(SyncState::Running).await;
        house.hint(0).await;
        house.run(Some((100, RunState::Failed))).await;
        assert_eq!(house.due(101).await, Some(130));
    }

    #[tokio::test]
    async fn how_soon_a_failed_run_is_tried_again_can_be_set() {
        let house = House::new(SyncState::Running).await;
        house.run(Some((100, RunState::Failed))).await;
        let row = house.store.connection(house.workspace, house.connection).await.unwrap();
        for seconds in [1_i64, 5] {
            let again_after = Duration::from_secs(seconds.unsigned_abs());
            let due = due(&house.store, &row, at(101), again_after).await.unwrap();
            assert_eq!(due, Some(at(100 + seconds)));
        }
    }

    #[tokio::test]
    async fn a_run_that_goes_on_elsewhere_is_left_alone_for_a_while() {
        let house = House::new(SyncState::Running).await;
        house.run(None).await;
        let after = i64::try_from(AGAIN_AFTER.as_secs()).unwrap();
        assert_eq!(house.due(10).await, Some(10 + after));
        // However long it takes: it is no more due than it was.
        assert_eq!(house.due(16 * MINUTE).await, Some(16 * MINUTE + after));
    }

    #[tokio::test]
    async fn a_run_that_was_cut_off_is_due_as_soon_as_nobody_holds_its_lease() {
        let house = House::new(SyncState::Running).await;
        let held = house.run(None).await;
        house.store.release(&held).await.unwrap();
        assert_eq!(house.due(10).await, Some(10));
    }

    #[tokio::test]
    async fn what_takes_the_process_down_each_time_rests_whoever_asks_for_it() {
        let house = House::new(SyncState::Running).await;
        for start in 0..5 {
            let held = house.run(None).await;
            house.store.release(&held).await.unwrap();
            house.store.ask_again(house.workspace, house.connection).await.unwrap();
            let due = if start < 4 { 1 } else { 60 };
            assert_eq!(house.due(1).await, Some(due), "{start}");
        }
        assert_eq!(house.due(61).await, Some(61));
    }

    #[tokio::test]
    async fn what_was_asked_for_again_is_due_now() {
        let house = House::new(SyncState::Running).await;
        house.run(Some((100, RunState::Finished))).await;
        house.store.ask_again(house.workspace, house.connection).await.unwrap();
        assert_eq!(house.due(101).await, Some(101));
    }
}
