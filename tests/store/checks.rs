//! What every store does.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use concord::planner::{LinkState, OpKind, Presence, Settings};
use concord::record::{PerSide, RecordName, RemoteId, Side, Value};
use concord::store::{
    ConnectionId, CutOff, Error, FeedId, Intent, IntentState, LeaseKey, LeaseKind, LinkRow,
    Observation, Observed, OpId, OpState, OwnWrite, Pending, PendingReason, RunEnd, RunRow,
    RunState, Settlement, Step, Store, SyncProgress, WorkspaceId,
};

use crate::accounts::{
    a_disconnected_account_frees_its_place_and_loses_its_credentials,
    a_workspace_sees_nothing_of_the_accounts_and_connections_of_another,
    accounts_are_listed_in_the_order_in_which_they_were_connected,
    an_account_that_needs_reconnecting_keeps_its_place, connections_are_found_by_their_accounts,
    credentials_are_replaced_only_from_the_expected_generation,
    credentials_of_a_person_replace_any_others,
    credentials_that_were_refused_need_reconnecting_until_there_are_others,
    descriptions_are_kept_per_account, no_two_workspaces_have_the_same_name,
    what_an_account_is_told_apart_by_never_changes, what_is_cut_off_leaves_nothing_open,
};
use crate::authorizations::{
    a_workspace_has_one_oauth_client_for_each_place_of_an_app,
    an_authorization_request_is_found_by_its_state_and_taken_once,
    an_authorization_request_is_of_an_account_of_its_workspace,
    authorization_requests_that_are_over_are_forgotten,
    of_many_who_take_an_authorization_request_one_gets_it,
};
use crate::build::{Bench, account_row, at, gone, ids, key, live, settings};
use crate::endpoints::{
    an_account_has_one_endpoint, an_endpoint_is_written_as_it_is_now,
    an_endpoint_whose_address_was_replaced_is_not_written_back,
};
use crate::history::{
    a_connection_is_not_removed_while_somebody_holds_its_lease,
    a_connection_is_removed_with_all_that_hangs_on_it,
    a_draft_is_edited_from_the_edit_it_was_made_of,
    a_draft_is_gone_once_a_configuration_is_published, a_large_settlement_is_written_whole,
    a_person_ends_an_issue, a_plan_is_written_as_it_is_now, a_plan_tells_which_fingerprints_it_has,
    a_workspace_sees_nothing_of_the_history_of_another,
    an_issue_goes_on_until_it_is_not_found_any_more,
    an_issue_of_the_whole_connection_has_no_record, an_op_names_the_record_that_it_was_done_to,
    an_outcome_keeps_its_beginning_while_it_stays_the_same,
    feeds_that_another_connection_reads_stay, issues_are_paged_newest_first,
    issues_are_told_apart_by_code_side_and_field, items_of_a_plan_are_paged_by_number,
    nothing_is_kept_of_a_record_with_which_all_is_well, of_two_first_drafts_one_is_refused,
    of_two_who_decide_at_once_one_is_refused, one_plan_of_a_connection_waits_at_a_time,
    only_the_plan_that_was_seen_is_decided_upon_and_only_once,
    ops_are_paged_newest_first_and_filtered, outcomes_are_paged_filtered_and_counted,
    plans_and_reports_are_written_only_under_the_lease, plans_that_nobody_completes_are_removed,
    runs_are_found_by_id_and_paged_newest_first, the_last_run_that_read_everything_is_found,
    the_newest_approved_plan_of_a_version_is_found, the_report_of_a_run_is_noted_until_it_ends,
    what_was_applied_is_counted_for_the_brake,
};
use crate::idempotency::{
    a_key_stands_for_one_request_until_it_is_remembered_no_more,
    a_request_is_done_once_and_its_answer_is_kept,
    a_request_that_was_given_up_or_cut_off_may_be_claimed_again,
    keys_of_another_workspace_or_actor_are_others, of_many_that_claim_at_once_one_gets_it,
    requests_are_forgotten_in_time,
};
use crate::previews::{
    a_preview_is_asked_for_of_the_last_edit_only, a_preview_is_gone_with_the_edit_that_it_is_of,
    a_preview_of_what_the_draft_was_is_none, a_preview_takes_the_place_of_the_one_before,
};
use crate::usage::{
    what_accounts_were_asked_adds_up_by_the_hour, what_accounts_were_asked_is_forgotten_in_time,
};
use crate::webhooks::{
    a_delivery_is_stored_as_it_came, a_workspace_sees_nothing_of_the_webhooks_of_another,
    an_attempt_does_not_settle_what_came_again_meanwhile,
    attempts_at_a_delivery_are_counted_until_it_is_replayed,
    deliveries_are_forgotten_in_time_by_their_state, deliveries_are_found_when_due_oldest_first,
    deliveries_are_paged_newest_first_and_filtered, of_many_that_come_at_once_one_is_stored,
    what_came_to_an_endpoint_since_a_time_is_replayed,
    what_comes_again_is_stored_once_and_expanded_again,
};

pub type Check = fn(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        pub const ALL: &[(&str, Check)] =
            &[$((stringify!($name), |store| Box::pin(async move { $name(Bench::new(store).await).await }))),*];
    };
}

checks!(
    what_accounts_were_asked_adds_up_by_the_hour,
    what_accounts_were_asked_is_forgotten_in_time,
    a_lease_has_one_holder_and_its_fence_grows,
    a_lease_that_is_raced_for_goes_to_one,
    a_lease_that_ran_out_is_worth_nothing,
    a_lease_is_held_until_it_is_given_back_or_runs_out,
    only_what_changed_gets_a_new_number,
    a_page_and_its_cursor_are_one,
    a_cursor_that_stands_elsewhere_by_now_is_left_alone,
    what_was_asked_for_before_a_change_leaves_it_as_it_is,
    what_we_wrote_upon_something_older_is_looked_at_again,
    records_are_found_by_number_id_and_key,
    what_is_gone_keeps_its_last_state_and_loses_its_keys,
    what_has_left_stays_what_it_became,
    a_large_page_is_remembered_whole,
    two_workers_of_one_feed_never_share_a_number,
    what_is_read_anew_of_a_record_is_no_change,
    hints_of_one_record_are_one,
    nothing_of_another_workspace_is_seen,
    feeds_and_accounts_are_made_once,
    a_configuration_is_published_from_the_one_it_was_made_of,
    a_run_that_was_cut_off_is_given_back,
    the_end_of_a_run_moves_what_was_planned,
    nobody_is_made_twice_while_it_is_in_doubt,
    nobody_is_made_twice_by_two_connections_of_one_account,
    an_op_goes_from_planned_to_its_end,
    a_settlement_happens_wholly_or_not_at_all,
    links_are_found_by_either_end_and_counted,
    a_moved_end_frees_the_old_one,
    who_waits_is_found_when_due,
    creates_in_doubt_are_found,
    the_next_thing_due_is_the_earliest,
    no_two_workspaces_have_the_same_name,
    what_an_account_is_told_apart_by_never_changes,
    accounts_are_listed_in_the_order_in_which_they_were_connected,
    a_disconnected_account_frees_its_place_and_loses_its_credentials,
    an_account_that_needs_reconnecting_keeps_its_place,
    credentials_that_were_refused_need_reconnecting_until_there_are_others,
    what_is_cut_off_leaves_nothing_open,
    credentials_are_replaced_only_from_the_expected_generation,
    credentials_of_a_person_replace_any_others,
    descriptions_are_kept_per_account,
    connections_are_found_by_their_accounts,
    an_authorization_request_is_found_by_its_state_and_taken_once,
    of_many_who_take_an_authorization_request_one_gets_it,
    authorization_requests_that_are_over_are_forgotten,
    an_authorization_request_is_of_an_account_of_its_workspace,
    a_workspace_has_one_oauth_client_for_each_place_of_an_app,
    a_workspace_sees_nothing_of_the_accounts_and_connections_of_another,
    runs_are_found_by_id_and_paged_newest_first,
    the_last_run_that_read_everything_is_found,
    the_report_of_a_run_is_noted_until_it_ends,
    a_plan_is_written_as_it_is_now,
    one_plan_of_a_connection_waits_at_a_time,
    only_the_plan_that_was_seen_is_decided_upon_and_only_once,
    of_two_who_decide_at_once_one_is_refused,
    the_newest_approved_plan_of_a_version_is_found,
    items_of_a_plan_are_paged_by_number,
    a_plan_tells_which_fingerprints_it_has,
    plans_and_reports_are_written_only_under_the_lease,
    an_outcome_keeps_its_beginning_while_it_stays_the_same,
    nothing_is_kept_of_a_record_with_which_all_is_well,
    outcomes_are_paged_filtered_and_counted,
    an_issue_goes_on_until_it_is_not_found_any_more,
    an_issue_of_the_whole_connection_has_no_record,
    issues_are_told_apart_by_code_side_and_field,
    a_person_ends_an_issue,
    issues_are_paged_newest_first,
    an_op_names_the_record_that_it_was_done_to,
    ops_are_paged_newest_first_and_filtered,
    a_large_settlement_is_written_whole,
    a_draft_is_edited_from_the_edit_it_was_made_of,
    of_two_first_drafts_one_is_refused,
    a_draft_is_gone_once_a_configuration_is_published,
    a_preview_is_asked_for_of_the_last_edit_only,
    a_preview_takes_the_place_of_the_one_before,
    a_preview_is_gone_with_the_edit_that_it_is_of,
    a_preview_of_what_the_draft_was_is_none,
    a_workspace_sees_nothing_of_the_history_of_another,
    a_connection_is_removed_with_all_that_hangs_on_it,
    a_connection_is_not_removed_while_somebody_holds_its_lease,
    feeds_that_another_connection_reads_stay,
    plans_that_nobody_completes_are_removed,
    what_was_applied_is_counted_for_the_brake,
    an_account_has_one_endpoint,
    an_endpoint_is_written_as_it_is_now,
    an_endpoint_whose_address_was_replaced_is_not_written_back,
    a_delivery_is_stored_as_it_came,
    what_comes_again_is_stored_once_and_expanded_again,
    of_many_that_come_at_once_one_is_stored,
    an_attempt_does_not_settle_what_came_again_meanwhile,
    attempts_at_a_delivery_are_counted_until_it_is_replayed,
    what_came_to_an_endpoint_since_a_time_is_replayed,
    deliveries_are_found_when_due_oldest_first,
    deliveries_are_paged_newest_first_and_filtered,
    deliveries_are_forgotten_in_time_by_their_state,
    a_workspace_sees_nothing_of_the_webhooks_of_another,
    a_request_is_done_once_and_its_answer_is_kept,
    a_key_stands_for_one_request_until_it_is_remembered_no_more,
    a_request_that_was_given_up_or_cut_off_may_be_claimed_again,
    keys_of_another_workspace_or_actor_are_others,
    of_many_that_claim_at_once_one_gets_it,
    requests_are_forgotten_in_time,
);

async fn a_lease_has_one_holder_and_its_fence_grows(bench: Bench) {
    let (store, key, ttl) = (&bench.store, bench.lease(), Duration::from_secs(60));
    let first = store.acquire(&key, "one", ttl).await.unwrap().unwrap();
    assert_eq!(store.acquire(&key, "two", ttl).await.unwrap(), None);
    assert!(store.renew(&first, ttl).await.unwrap());
    store.release(&first).await.unwrap();
    assert!(!store.renew(&first, ttl).await.unwrap(), "what was given back is lost");
    let second = store.acquire(&key, "two", ttl).await.unwrap().unwrap();
    assert!(second.fence > first.fence);
    store.release(&first).await.unwrap();
    assert!(store.renew(&second, ttl).await.unwrap(), "an old holder gives nothing back");
    let again = store.acquire(&key, "two", ttl).await.unwrap().unwrap();
    assert!(again.fence > second.fence, "each start of a holder has a fence of its own");
    assert!(!store.renew(&second, ttl).await.unwrap());
}

async fn a_lease_that_is_raced_for_goes_to_one(bench: Bench) {
    let bench = Arc::new(bench);
    let mut racers = tokio::task::JoinSet::new();
    for nth in 0..12 {
        let bench = bench.clone();
        racers.spawn(async move {
            let ttl = Duration::from_secs(60);
            bench.store.acquire(&bench.lease(), &format!("racer {nth}"), ttl).await.unwrap()
        });
    }
    let won = racers.join_all().await.into_iter().flatten().count();
    assert_eq!(won, 1);
}

async fn a_lease_that_ran_out_is_worth_nothing(bench: Bench) {
    let (store, key) = (&bench.store, bench.lease());
    let old = store.acquire(&key, "one", Duration::from_secs(60)).await.unwrap().unwrap();
    let run = bench.run(&old).await;
    // It runs out now, however long it took to get here.
    assert!(store.renew(&old, Duration::from_millis(1)).await.unwrap());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let page = bench.observation(vec![live("l1", "Vigo", "a@x.es")]);
    assert!(
        matches!(store.observe(&old, &page).await, Err(Error::Fenced)),
        "though nobody took it"
    );
    let new = store.acquire(&key, "two", Duration::from_secs(60)).await.unwrap().unwrap();
    let op = bench.op(run, OpKind::Fields, Some("r1"));
    let fenced = [
        store.observe(&old, &page).await.err(),
        store.begin_run(&old, &bench.run_row()).await.err(),
        store.journal(&old, std::slice::from_ref(&op), &[]).await.err(),
        store.mark_sent(&old, &[op.id].into(), at(1)).await.err(),
        store
            .settle(&old, &Settlement { links: vec![bench.link("l", "r")], ..Default::default() })
            .await
            .err(),
        store.finish_run(&old, &end(&bench, run)).await.err(),
        store.set_progress(&old, bench.connection, &PerSide::default()).await.err(),
    ];
    for (nth, error) in fenced.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::Fenced)), "write {nth}: {error:?}");
    }
    let (workspace, feed) = (bench.workspace, bench.feeds.left.id);
    assert!(store.seen_after(workspace, feed, 0, 10).await.unwrap().is_empty());
    assert!(store.open_ops(workspace, bench.connection).await.unwrap().is_empty());
    store.observe(&new, &page).await.unwrap();
}

fn end(bench: &Bench, run: concord::store::RunId) -> RunEnd {
    RunEnd {
        id: run,
        connection: bench.connection,
        state: RunState::Finished,
        at: at(9),
        report: Default::default(),
        error: None,
        planned_to: BTreeMap::from([(bench.feeds.left.id, 7)]),
        progress: PerSide {
            left: SyncProgress {
                since: 3,
                first_run_done_at: Some(at(8)),
                first_done_before: Some(at(7)),
                baseline: Some(BTreeMap::from([(bench.feeds.left.id, 3)])),
            },
            right: SyncProgress::default(),
        },
    }
}

async fn a_lease_is_held_until_it_is_given_back_or_runs_out(bench: Bench) {
    let (store, key) = (&bench.store, bench.lease());
    assert!(!store.is_held(&key).await.unwrap(), "nobody ever took it");
    let held = store.acquire(&key, "one", Duration::from_secs(60)).await.unwrap().unwrap();
    assert!(store.is_held(&key).await.unwrap());
    let of_account = LeaseKey { kind: LeaseKind::Account, ..key };
    assert!(!store.is_held(&of_account).await.unwrap(), "another lease");
    store.release(&held).await.unwrap();
    assert!(!store.is_held(&key).await.unwrap());
    store.acquire(&key, "two", Duration::ZERO).await.unwrap().unwrap();
    assert!(!store.is_held(&key).await.unwrap(), "it ran out at once");
}

async fn only_what_changed_gets_a_new_number(bench: Bench) {
    let held = bench.hold().await;
    let see = |records: Vec<Observed>| {
        let (store, page) = (bench.store.clone(), bench.observation(records));
        async move { store.observe(&held, &page).await.unwrap() }
    };
    let two = vec![live("l1", "Vigo", "a@x.es"), live("l2", "Vigo", "b@x.es")];
    assert_eq!(see(two.clone()).await, ids(&["l1", "l2"]));
    assert_eq!(see(two).await, ids(&[]), "the same again");
    assert_eq!(see(vec![live("l2", "Madrid", "b@x.es")]).await, ids(&["l2"]));
    let rows = bench.store.seen_after(bench.workspace, bench.feeds.left.id, 0, 10).await.unwrap();
    let numbers: Vec<(String, u64)> =
        rows.iter().map(|row| (row.seen.record.id.to_string(), row.change)).collect();
    assert_eq!(numbers, [("l1".to_owned(), 1), ("l2".to_owned(), 3)]);
    assert_eq!(rows[1].seen.record.get(&"city".into()), Some(&Value::Text("Madrid".into())));
    let feed = bench.store.feed(bench.workspace, bench.feeds.left.id).await.unwrap();
    assert_eq!(feed.last_change, 3);
    // A record twice in one page: the later is the newer.
    let twice = vec![live("l3", "Vigo", "c@x.es"), live("l3", "Lugo", "c@x.es")];
    assert_eq!(see(twice).await, ids(&["l3"]));
    let id = ids(&["l3"]);
    let rows = bench.store.seen_by_id(bench.workspace, bench.feeds.left.id, &id).await.unwrap();
    assert_eq!(rows[0].seen.record.get(&"city".into()), Some(&Value::Text("Lugo".into())));
}

async fn a_page_and_its_cursor_are_one(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    store.add_hints(workspace, feed, &ids(&["l1", "l2", "l3"]), at(0)).await.unwrap();
    // Hinted at again while it was read.
    store.add_hints(workspace, feed, &ids(&["l3"]), at(2)).await.unwrap();
    let page = Observation {
        step: Some(Step { from: None, to: "page 2".into() }),
        answered: ids(&["l1", "l3"]),
        answered_up_to: at(1),
        ..bench.observation(vec![live("l1", "Vigo", "a@x.es")])
    };
    store.observe(&held, &page).await.unwrap();
    assert_eq!(store.feed(workspace, feed).await.unwrap().cursor.as_deref(), Some("page 2"));
    assert_eq!(store.due_hints(workspace, feed, at(1), 10).await.unwrap(), ids(&["l2"]));
    assert_eq!(store.due_hints(workspace, feed, at(2), 10).await.unwrap(), ids(&["l2", "l3"]));
    let asked = ids(&["l1", "l3", "l9"]);
    assert_eq!(store.hinted(workspace, feed, &asked).await.unwrap(), ids(&["l3"]), "due or not");
    let other = bench.feeds.right.id;
    assert_eq!(store.hinted(workspace, other, &asked).await.unwrap(), ids(&[]));
    let elsewhere = WorkspaceId(bench.id());
    assert_eq!(store.hinted(elsewhere, feed, &asked).await.unwrap(), ids(&[]));
    let many: BTreeSet<RemoteId> = (0..450).map(|n| RemoteId::new(format!("m{n}"))).collect();
    store.add_hints(workspace, other, &many, at(9)).await.unwrap();
    assert_eq!(
        store.hinted(workspace, other, &many).await.unwrap(),
        many,
        "of more than a statement"
    );
    store.observe(&held, &bench.observation(vec![])).await.unwrap();
    let feed = store.feed(workspace, feed).await.unwrap();
    assert_eq!(feed.cursor.as_deref(), Some("page 2"), "a page without one leaves it");
}

async fn a_cursor_that_stands_elsewhere_by_now_is_left_alone(bench: Bench) {
    let held = bench.hold().await;
    let step = async |from: Option<&str>, to: &str| {
        let step = Some(Step { from: from.map(str::to_owned), to: to.to_owned() });
        let page = Observation { step, ..bench.observation(vec![]) };
        bench.store.observe(&held, &page).await.unwrap();
        let feed = bench.store.feed(bench.workspace, bench.feeds.left.id).await.unwrap();
        feed.cursor.unwrap_or_default()
    };
    assert_eq!(step(Some("elsewhere"), "page 9").await, "");
    assert_eq!(step(None, "page 1").await, "page 1");
    assert_eq!(step(None, "another's page 1").await, "page 1");
    assert_eq!(step(Some("page 1"), "page 2").await, "page 2");
    assert_eq!(step(Some("another's page 1"), "another's page 2").await, "page 2");
}

async fn what_was_asked_for_before_a_change_leaves_it_as_it_is(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    let see =
        async |page: Vec<Observed>| store.observe(&held, &bench.observation(page)).await.unwrap();
    let asked_at =
        |change: u64, observed: Observed| Observed { as_of: change, at: at(5), ..observed };
    let city = async || {
        let rows = store.seen_by_id(workspace, feed, &ids(&["l1"])).await.unwrap();
        (rows[0].seen.record.get(&"city".into()).cloned(), rows[0].seen.presence, rows[0].change)
    };
    see(vec![live("l1", "Vigo", "a@x.es"), live("l2", "Vigo", "b@x.es")]).await;
    see(vec![live("l1", "Lugo", "a@x.es")]).await;
    let lugo = (Some(Value::Text("Lugo".into())), Presence::Live, 3);
    // Asked for before the third change: of the second record nothing newer is known.
    let page = vec![
        asked_at(2, live("l1", "Vigo", "old@x.es")),
        asked_at(2, live("l2", "Sada", "b@x.es")),
    ];
    assert_eq!(see(page).await, ids(&["l2"]));
    assert_eq!(city().await, lugo);
    let found = store.seen_by_keys(workspace, feed, &[key("old@x.es")].into()).await.unwrap();
    assert!(found.is_empty(), "nor its keys");
    assert_eq!(see(vec![asked_at(2, gone("l1"))]).await, ids(&[]));
    assert_eq!(city().await, lugo);
    assert_eq!(store.due_hints(workspace, feed, at(4), 10).await.unwrap(), ids(&[]));
    assert_eq!(store.due_hints(workspace, feed, at(5), 10).await.unwrap(), ids(&["l1"]));
    // What is the same only by the fields that were read before has still to be read.
    let lugo_hash = live("l1", "Lugo", "a@x.es").hash;
    let wide = live("l1", "Lugo, Spain", "a@x.es");
    let wide = asked_at(2, Observed { former_hash: Some(lugo_hash), ..wide });
    assert_eq!(see(vec![wide]).await, ids(&[]));
    assert_eq!(city().await, lugo);
    assert_eq!(store.due_hints(workspace, feed, at(5), 10).await.unwrap(), ids(&["l1"]));
    // What says the same needs no second look; what answers the hint may be outdated itself.
    assert_eq!(see(vec![asked_at(2, live("l2", "Sada", "b@x.es"))]).await, ids(&[]));
    let answer = Observation {
        answered: ids(&["l1"]),
        answered_up_to: at(9),
        ..bench.observation(vec![asked_at(2, live("l1", "Vigo", "a@x.es"))])
    };
    store.observe(&held, &answer).await.unwrap();
    assert_eq!(store.due_hints(workspace, feed, at(5), 10).await.unwrap(), ids(&["l1"]));
    let page =
        vec![asked_at(4, live("l1", "Vigo", "a@x.es")), asked_at(4, live("l1", "Noia", "a@x.es"))];
    assert_eq!(see(page).await, ids(&["l1"]), "a record twice in one page: the later is the newer");
    assert_eq!(city().await.0, Some(Value::Text("Noia".into())));
}

async fn what_we_wrote_upon_something_older_is_looked_at_again(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    let vigo = live("l1", "Vigo", "a@x.es");
    store.observe(&held, &bench.observation(vec![vigo])).await.unwrap();
    let wrote = async |id: &str, city: &str, as_of: u64| {
        let observed = Observed { as_of, at: at(7), ..live(id, city, "a@x.es") };
        let written = vec![OwnWrite { feed, observed }];
        let settlement = Settlement { written, ..Default::default() };
        store.settle(&held, &settlement).await.unwrap();
        let rows = store.seen_by_id(workspace, feed, &ids(&[id])).await.unwrap();
        let hints = store.due_hints(workspace, feed, at(7), 10).await.unwrap();
        (rows[0].seen.record.get(&"city".into()).cloned().unwrap(), hints)
    };
    let text = |city: &str| Value::Text(city.into());
    assert_eq!(wrote("l1", "Lugo", 1).await, (text("Lugo"), ids(&[])));
    assert_eq!(wrote("l2", "Sada", 0).await, (text("Sada"), ids(&[])), "nobody knew it");
    let twice = wrote("l1", "Noia", 1).await;
    assert_eq!(twice, (text("Lugo"), ids(&["l1"])), "another wrote it meanwhile");
    let made = wrote("l2", "Noia", 0).await;
    assert_eq!(made, (text("Sada"), ids(&["l1", "l2"])), "another has read it already");
}

async fn records_are_found_by_number_id_and_key(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    let mut both = live("l3", "Vigo", "c@x.es");
    both.keys.insert(key("a@x.es"));
    let page = vec![live("l1", "Vigo", "a@x.es"), live("l2", "Vigo", "b@x.es"), both];
    store.observe(&held, &bench.observation(page)).await.unwrap();
    let named = |rows: Vec<concord::store::SeenRow>| -> BTreeSet<RemoteId> {
        rows.into_iter().map(|row| row.seen.record.id).collect()
    };
    assert_eq!(named(store.seen_after(workspace, feed, 1, 1).await.unwrap()), ids(&["l2"]));
    let found = store.seen_by_id(workspace, feed, &ids(&["l3", "l1", "l9"])).await.unwrap();
    assert_eq!(named(found), ids(&["l1", "l3"]));
    let found = store.seen_by_keys(workspace, feed, &[key("a@x.es")].into()).await.unwrap();
    assert_eq!(named(found), ids(&["l1", "l3"]), "a key may stand twice");
    let found = store.seen_by_keys(workspace, feed, &[key("z@x.es")].into()).await.unwrap();
    assert!(found.is_empty());
    store.observe(&held, &bench.observation(vec![live("l1", "Lugo", "new@x.es")])).await.unwrap();
    let found = store.seen_by_keys(workspace, feed, &[key("a@x.es")].into()).await.unwrap();
    assert_eq!(named(found), ids(&["l3"]), "a key that was given up finds nobody");
    assert_eq!(store.count_live(workspace, feed).await.unwrap(), 3);
}

async fn what_is_gone_keeps_its_last_state_and_loses_its_keys(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    store.observe(&held, &bench.observation(vec![live("l1", "Vigo", "a@x.es")])).await.unwrap();
    let changed = store.observe(&held, &bench.observation(vec![gone("l1"), gone("l9")])).await;
    assert_eq!(changed.unwrap(), ids(&["l1"]), "of whom nothing is known, nothing is said");
    let rows = store.seen_by_id(workspace, feed, &ids(&["l1", "l9"])).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].seen.presence, Presence::Gone);
    assert_eq!(rows[0].seen.record.get(&"city".into()), Some(&Value::Text("Vigo".into())));
    assert!(store.seen_by_keys(workspace, feed, &[key("a@x.es")].into()).await.unwrap().is_empty());
    assert_eq!(store.count_live(workspace, feed).await.unwrap(), 0);
    let back = store.observe(&held, &bench.observation(vec![live("l1", "Vigo", "a@x.es")])).await;
    assert_eq!(back.unwrap(), ids(&["l1"]), "to be back is a change");
}

async fn what_has_left_stays_what_it_became(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    let observe = async |observed: Observed| {
        store.observe(&held, &bench.observation(vec![observed])).await.unwrap()
    };
    let row = async || store.seen_by_id(workspace, feed, &ids(&["l1"])).await.unwrap().remove(0);
    observe(live("l1", "Vigo", "a@x.es")).await;
    let left = Observed { presence: Presence::Left, ..gone("l1") };
    assert_eq!(observe(left.clone()).await, ids(&["l1"]));
    assert_eq!(row().await.seen.became, None);
    let became = Some(RecordName { object: "customers".into(), id: "c7".into() });
    let told = Observed { became: became.clone(), ..left.clone() };
    assert_eq!(observe(told.clone()).await, ids(&["l1"]), "what it became is news");
    assert_eq!(observe(told).await, ids(&[]));
    assert_eq!(observe(left).await, ids(&[]), "and stays known");
    // What has left and is removed afterwards was not removed from here.
    assert_eq!(observe(gone("l1")).await, ids(&[]));
    let seen = row().await.seen;
    assert_eq!((seen.presence, seen.became), (Presence::Left, became));
    assert_eq!(seen.record.get(&"city".into()), Some(&Value::Text("Vigo".into())));
    observe(live("l1", "Vigo", "a@x.es")).await;
    assert_eq!(row().await.seen.became, None, "it is back");
}

async fn a_large_page_is_remembered_whole(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    let page: Vec<Observed> = (0..1200)
        .map(|n| live(&format!("l{n:04}"), &format!("city {n}"), &format!("{n}@x.es")))
        .collect();
    let all: BTreeSet<RemoteId> = page.iter().map(|record| record.id.clone()).collect();
    assert_eq!(store.observe(&held, &bench.observation(page)).await.unwrap(), all);
    assert_eq!(store.seen_by_id(workspace, feed, &all).await.unwrap().len(), 1200);
    let keys = (0..1200).map(|n| key(&format!("{n}@x.es"))).collect();
    assert_eq!(store.seen_by_keys(workspace, feed, &keys).await.unwrap().len(), 1200);
    let rows = store.seen_after(workspace, feed, 0, 5000).await.unwrap();
    let numbers: Vec<u64> = rows.iter().map(|row| row.change).collect();
    assert_eq!(numbers, (1..=1200).collect::<Vec<u64>>());
}

async fn two_workers_of_one_feed_never_share_a_number(bench: Bench) {
    // Two connections, each under its own lease, read the same feed.
    let other = ConnectionId(bench.id());
    bench.store.add_connection(&bench.connection_row(other)).await.unwrap();
    let first = bench.hold().await;
    let mut second_key = bench.lease();
    second_key.subject = other.0;
    let ttl = Duration::from_secs(60);
    let second = bench.store.acquire(&second_key, "tester", ttl).await.unwrap().unwrap();
    let bench = Arc::new(bench);
    let mut workers = tokio::task::JoinSet::new();
    for (held, name) in [(first, "a"), (second, "b")] {
        let bench = bench.clone();
        workers.spawn(async move {
            for n in 0..20 {
                let page = vec![live(&format!("{name}{n}"), "Vigo", &format!("{name}{n}@x.es"))];
                loop {
                    match bench.store.observe(&held, &bench.observation(page.clone())).await {
                        Ok(_) => break,
                        Err(Error::Busy(_)) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
    }
    workers.join_all().await;
    let rows = bench.store.seen_after(bench.workspace, bench.feeds.left.id, 0, 100).await.unwrap();
    let numbers: BTreeSet<u64> = rows.iter().map(|row| row.change).collect();
    assert_eq!(numbers, (1..=40).collect());
}

async fn what_is_read_anew_of_a_record_is_no_change(bench: Bench) {
    let held = bench.hold().await;
    let see = async |observed: Observed| {
        bench.store.observe(&held, &bench.observation(vec![observed])).await.unwrap()
    };
    let (narrow, wide) = (live("l1", "Vigo", "ana@x.es"), live("l1", "Vigo, Spain", "ana@x.es"));
    let former_hash = Some(narrow.hash);
    assert_eq!(see(narrow.clone()).await, ids(&["l1"]));
    assert_eq!(see(Observed { former_hash, ..wide.clone() }).await, ids(&[]));
    assert_eq!(see(wide.clone()).await, ids(&[]), "what was read more is known by now");
    assert_eq!(see(narrow).await, ids(&["l1"]));
    let another = Some(*blake3::hash(b"Lugo").as_bytes());
    assert_eq!(see(Observed { former_hash: another, ..wide }).await, ids(&["l1"]));
}

async fn hints_of_one_record_are_one(bench: Bench) {
    let (store, workspace, feed) = (&bench.store, bench.workspace, bench.feeds.left.id);
    store.add_hints(workspace, feed, &ids(&["l1", "l2"]), at(20)).await.unwrap();
    store.add_hints(workspace, feed, &ids(&["l1"]), at(10)).await.unwrap();
    store.add_hints(workspace, feed, &ids(&["l1"]), at(30)).await.unwrap();
    assert_eq!(store.due_hints(workspace, feed, at(19), 10).await.unwrap(), ids(&[]));
    assert_eq!(store.due_hints(workspace, feed, at(20), 10).await.unwrap(), ids(&["l2"]));
    assert_eq!(store.due_hints(workspace, feed, at(30), 10).await.unwrap(), ids(&["l1", "l2"]));
    let newest = store.due_hints(workspace, feed, at(30), 1).await.unwrap();
    assert_eq!(newest, ids(&["l1"]), "who was told of last does not wait for the others");
}

async fn nothing_of_another_workspace_is_seen(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let store = &bench.store;
    store.observe(&held, &bench.observation(vec![live("l1", "Vigo", "a@x.es")])).await.unwrap();
    store.add_hints(bench.workspace, bench.feeds.left.id, &ids(&["l1"]), at(0)).await.unwrap();
    let op = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&op, "l1", "a@x.es");
    store.journal(&held, std::slice::from_ref(&op), &[intent]).await.unwrap();
    let pending = pending(&bench, "l1", Some(at(0)));
    let settlement = Settlement {
        links: vec![bench.link("l1", "r1")],
        pending: vec![pending],
        ..Default::default()
    };
    store.settle(&held, &settlement).await.unwrap();

    let (other, feed, con) = (WorkspaceId(bench.id()), bench.feeds.left.id, bench.connection);
    assert!(matches!(store.feed(other, feed).await, Err(Error::NotFound(_))));
    assert!(matches!(store.connection(other, con).await, Err(Error::NotFound(_))));
    assert!(matches!(store.publish(other, con, 1, &settings()).await, Err(Error::NotFound(_))));
    assert!(matches!(store.ask_again(other, con).await, Err(Error::NotFound(_))));
    let add = store.add_hints(other, feed, &ids(&["l1"]), at(0)).await;
    assert!(matches!(add, Err(Error::NotFound(_))));
    let stolen = store
        .open_feed(other, bench.accounts.left, &"contacts".into(), "", FeedId(bench.id()))
        .await;
    assert!(matches!(stolen, Err(Error::NotFound(_))));
    assert!(store.seen_after(other, feed, 0, 10).await.unwrap().is_empty());
    assert!(store.seen_by_id(other, feed, &ids(&["l1"])).await.unwrap().is_empty());
    assert!(store.seen_by_keys(other, feed, &[key("a@x.es")].into()).await.unwrap().is_empty());
    assert_eq!(store.count_live(other, feed).await.unwrap(), 0);
    assert!(store.due_hints(other, feed, at(9), 10).await.unwrap().is_empty());
    assert!(store.links_of(other, con, feed, &ids(&["l1"])).await.unwrap().is_empty());
    assert!(store.links(other, con, None, 10).await.unwrap().is_empty());
    assert_eq!(store.count_links(other, con).await.unwrap(), 0);
    assert!(store.runs(other, con, 10).await.unwrap().is_empty());
    assert!(store.open_ops(other, con).await.unwrap().is_empty());
    assert!(store.ops(other, con, None, 10).await.unwrap().is_empty());
    assert!(store.pending(other, con).await.unwrap().is_empty());
    assert!(store.due_pending(other, con, at(9)).await.unwrap().is_empty());
    assert!(store.doubtful_intents(other, con, at(9)).await.unwrap().is_empty());
}

async fn feeds_and_accounts_are_made_once(bench: Bench) {
    let (store, workspace, account) = (&bench.store, bench.workspace, bench.accounts.left);
    let again = store
        .open_feed(workspace, account, &"contacts".into(), "", FeedId(bench.id()))
        .await
        .unwrap();
    assert_eq!(again.id, bench.feeds.left.id);
    let list = store
        .open_feed(workspace, account, &"contacts".into(), "a list", FeedId(bench.id()))
        .await
        .unwrap();
    assert_ne!(list.id, bench.feeds.left.id);
    let same = account_row(workspace, concord::store::AccountId(bench.id()), Side::Left);
    assert!(matches!(store.add_account(&same, b"").await, Err(Error::Conflict)));
    let twice = store.add_connection(&bench.connection_row(bench.connection)).await;
    assert!(matches!(twice, Err(Error::Conflict)));
}

async fn a_configuration_is_published_from_the_one_it_was_made_of(bench: Bench) {
    let (store, workspace, id) = (&bench.store, bench.workspace, bench.connection);
    let known = store.connection(workspace, id).await.unwrap();
    assert_eq!(known, bench.connection_row(id));
    let new = Settings { preferred: Some(Side::Right), ..settings() };
    assert_eq!(store.publish(workspace, id, 1, &new).await.unwrap(), 2);
    assert!(matches!(store.publish(workspace, id, 1, &settings()).await, Err(Error::Conflict)));
    let live = store.connection(workspace, id).await.unwrap().settings;
    assert_eq!(live, Settings { version: 2, ..new });
}

async fn a_run_that_was_cut_off_is_given_back(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let first = store.begin_run(&held, &bench.run_row()).await.unwrap();
    let later = RunRow { started_at: at(3), ..bench.run_row() };
    let resumed = store.begin_run(&held, &later).await.unwrap();
    let cut_off = CutOff { times: 1, resumed_at: Some(at(3)), is_put_down: false };
    assert_eq!(resumed, RunRow { cut_off, ..first.clone() });
    store.put_down(&held, first.id).await.unwrap();
    let put_down = store.run(workspace, first.id).await.unwrap();
    assert_eq!(put_down.cut_off, CutOff { is_put_down: true, ..cut_off });
    let resumed = store.begin_run(&held, &RunRow { started_at: at(4), ..later }).await.unwrap();
    let cut_off = CutOff { resumed_at: Some(at(4)), ..cut_off };
    assert_eq!(resumed, RunRow { cut_off, ..first.clone() }, "what was put down was not cut off");
    assert_eq!(store.run(workspace, first.id).await.unwrap(), resumed);
    assert!(!store.finish_run(&held, &end(&bench, first.id)).await.unwrap());
    let next = store.begin_run(&held, &bench.run_row()).await.unwrap();
    assert_ne!(next.id, first.id);
    store.ask_again(workspace, con).await.unwrap();
    assert!(store.finish_run(&held, &end(&bench, next.id)).await.unwrap(), "somebody asked");
    store.begin_run(&held, &bench.run_row()).await.unwrap();
    assert!(!store.connection(workspace, con).await.unwrap().again, "asked and answered");
    let runs = store.runs(workspace, con, 2).await.unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[1].id, next.id, "the newest first");
    assert_eq!((runs[1].state, runs[1].ended_at), (RunState::Finished, Some(at(9))));
}

async fn the_end_of_a_run_moves_what_was_planned(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let end = end(&bench, run);
    bench.store.finish_run(&held, &end).await.unwrap();
    let known = bench.store.connection(bench.workspace, bench.connection).await.unwrap();
    let planned: Vec<u64> = known.feeds.iter().map(|feed| feed.planned_to).collect();
    assert_eq!(planned, [7, 0], "feeds that are not named stay");
    assert_eq!(known.progress, end.progress);
    bench.store.set_progress(&held, bench.connection, &PerSide::default()).await.unwrap();
    let known = bench.store.connection(bench.workspace, bench.connection).await.unwrap();
    assert_eq!(known.progress, PerSide::default());
}

async fn nobody_is_made_twice_while_it_is_in_doubt(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let store = &bench.store;
    let ops: Vec<_> = (0..4).map(|_| bench.op(run, OpKind::Create, None)).collect();
    let try_it = |op: usize, source: &'static str, email: &'static str| {
        let (store, row) = (store.clone(), ops[op].clone());
        let intent = bench.intent(&row, source, email);
        async move { store.journal(&held, &[row], &[intent]).await.unwrap() }
    };
    assert!(try_it(0, "l1", "a@x.es").await.is_empty());
    assert_eq!(try_it(1, "l2", "a@x.es").await, [ops[1].id].into(), "the same address");
    assert_eq!(try_it(1, "l1", "b@x.es").await, [ops[1].id].into(), "the same source");
    assert!(try_it(2, "l3", "c@x.es").await.is_empty());
    let open = store.open_ops(bench.workspace, bench.connection).await.unwrap();
    assert_eq!(open.len(), 2, "what was refused is not in the journal");
    let closed = Settlement { closed: [ops[0].id].into(), ..Default::default() };
    store.settle(&held, &closed).await.unwrap();
    assert!(try_it(3, "l1", "a@x.es").await.is_empty(), "its keys are free");
    let doubt = Settlement { doubtful: [(ops[3].id, at(5))].into(), ..Default::default() };
    store.settle(&held, &doubt).await.unwrap();
    let extra = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&extra, "l9", "a@x.es");
    let refused = store.journal(&held, std::slice::from_ref(&extra), &[intent]).await.unwrap();
    assert_eq!(refused, [extra.id].into(), "in doubt is not free");
}

async fn nobody_is_made_twice_by_two_connections_of_one_account(bench: Bench) {
    let other = bench.beside().await;
    let (held, held_too) = (bench.hold().await, other.hold().await);
    let (run, run_too) = (bench.run(&held).await, other.run(&held_too).await);
    let store = &bench.store;
    let first = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&first, "l1", "a@x.es");
    let journal = store.journal(&held, std::slice::from_ref(&first), &[intent]).await.unwrap();
    assert!(journal.is_empty());
    let second = other.op(run_too, OpKind::Create, None);
    let try_it = |source: &'static str, email: &'static str| {
        let (row, intent) = (second.clone(), other.intent(&second, source, email));
        async move { store.journal(&held_too, &[row], &[intent]).await.unwrap() }
    };
    let refused = [second.id].into();
    assert_eq!(try_it("l2", "a@x.es").await, refused, "the same address into the same feed");
    assert!(store.open_ops(bench.workspace, other.connection).await.unwrap().is_empty());
    let doubt = Settlement { doubtful: [(first.id, at(5))].into(), ..Default::default() };
    store.settle(&held, &doubt).await.unwrap();
    assert_eq!(try_it("l2", "a@x.es").await, refused, "in doubt is not free");
    let closed = Settlement { closed: [first.id].into(), ..Default::default() };
    store.settle(&held, &closed).await.unwrap();
    assert!(try_it("l2", "a@x.es").await.is_empty(), "once it is settled, anybody may");
    let third = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&third, "l3", "a@x.es");
    let refused = store.journal(&held, std::slice::from_ref(&third), &[intent]).await.unwrap();
    assert_eq!(refused, [third.id].into(), "and now it is held by the other connection");
    let fourth = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&fourth, "l2", "d@x.es");
    let journal = store.journal(&held, &[fourth], &[intent]).await.unwrap();
    assert!(journal.is_empty(), "somebody else, of the same source in another connection");
}

async fn an_op_goes_from_planned_to_its_end(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let ops = [bench.op(run, OpKind::Fields, Some("r1")), bench.op(run, OpKind::Tags, Some("r1"))];
    store.journal(&held, &ops, &[]).await.unwrap();
    assert_eq!(store.open_ops(workspace, con).await.unwrap(), ops);
    store.mark_sent(&held, &ops.iter().map(|op| op.id).collect(), at(5)).await.unwrap();
    let open = store.open_ops(workspace, con).await.unwrap();
    assert!(open.iter().all(|op| op.state == OpState::Sent && op.sent_at == Some(at(5))));
    let mut settlement = Settlement::default();
    settlement.ops.insert(ops[0].id, (OpState::Applied, None));
    settlement.ops.insert(ops[1].id, (OpState::Unknown, Some("timeout".into())));
    store.settle(&held, &settlement).await.unwrap();
    let open = store.open_ops(workspace, con).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].error.as_deref(), Some("timeout"));
    let first = store.ops(workspace, con, None, 1).await.unwrap();
    assert_eq!((first.len(), first[0].id, first[0].state), (1, ops[0].id, OpState::Applied));
    let rest = store.ops(workspace, con, Some(ops[0].id), 10).await.unwrap();
    assert_eq!(rest.iter().map(|op| op.id).collect::<Vec<_>>(), [ops[1].id]);
}

async fn a_settlement_happens_wholly_or_not_at_all(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let op = bench.op(run, OpKind::Fields, Some("r1"));
    store.journal(&held, std::slice::from_ref(&op), &[]).await.unwrap();
    let one = Settlement { links: vec![bench.link("l1", "r1")], ..Default::default() };
    store.settle(&held, &one).await.unwrap();
    let mut clash = Settlement {
        links: vec![bench.link("l2", "r1")],
        written: vec![OwnWrite {
            feed: bench.feeds.left.id,
            observed: live("l1", "Vigo", "a@x.es"),
        }],
        pending: vec![pending(&bench, "l2", None)],
        ..Default::default()
    };
    clash.ops.insert(op.id, (OpState::Applied, None));
    assert!(matches!(store.settle(&held, &clash).await, Err(Error::Conflict)), "r1 has a link");
    assert_eq!(store.links(workspace, con, None, 10).await.unwrap(), one.links);
    assert_eq!(store.open_ops(workspace, con).await.unwrap()[0].state, OpState::Planned);
    assert!(store.pending(workspace, con).await.unwrap().is_empty());
    assert_eq!(store.count_live(workspace, bench.feeds.left.id).await.unwrap(), 0);
}

async fn links_are_found_by_either_end_and_counted(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let mut gone = bench.link("l2", "r2");
    gone.link.state = LinkState::LeftGone;
    let links = vec![bench.link("l1", "r1"), gone, bench.link("l3", "r3")];
    let all = Settlement { links: links.clone(), ..Default::default() };
    store.settle(&held, &all).await.unwrap();
    let found = |side: Side, ids: BTreeSet<RemoteId>| {
        let (store, feed) = (store.clone(), bench.feeds.of(side).id);
        async move {
            let rows = store.links_of(workspace, con, feed, &ids).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<BTreeSet<_>>()
        }
    };
    assert_eq!(
        found(Side::Left, ids(&["l1", "l2", "l9"])).await,
        [links[0].id, links[1].id].into()
    );
    assert_eq!(found(Side::Right, ids(&["r3"])).await, [links[2].id].into());
    assert_eq!(found(Side::Left, ids(&["r3"])).await, BTreeSet::new());
    assert_eq!(store.count_links(workspace, con).await.unwrap(), 2, "active ones");
    let mut paged: Vec<LinkRow> = Vec::new();
    while let page = store.links(workspace, con, paged.last().map(|row| row.id), 2).await.unwrap()
        && !page.is_empty()
    {
        paged.extend(page);
    }
    let mut sorted = links;
    sorted.sort_by_key(|row| row.id);
    assert_eq!(paged, sorted);
}

async fn a_moved_end_frees_the_old_one(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let mut link = bench.link("l1", "r1");
    let settle = |links: Vec<LinkRow>| {
        let store = store.clone();
        async move {
            let settlement = Settlement { links, ..Default::default() };
            store.settle(&held, &settlement).await
        }
    };
    settle(vec![link.clone()]).await.unwrap();
    link.ends.right = bench.end(Side::Right, "r2");
    settle(vec![link.clone()]).await.unwrap();
    let feed = bench.feeds.right.id;
    assert!(store.links_of(workspace, con, feed, &ids(&["r1"])).await.unwrap().is_empty());
    assert_eq!(store.links_of(workspace, con, feed, &ids(&["r2"])).await.unwrap(), [link]);
    settle(vec![bench.link("l2", "r1")]).await.unwrap();
}

fn pending(bench: &Bench, id: &str, next_at: Option<jiff::Timestamp>) -> Pending {
    Pending {
        connection: bench.connection,
        end: bench.end(Side::Left, id),
        side: Side::Left,
        reason: PendingReason::Failed,
        attempts: 2,
        next_at,
    }
}

async fn who_waits_is_found_when_due(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let rows = vec![
        pending(&bench, "l1", Some(at(10))),
        pending(&bench, "l2", Some(at(20))),
        pending(&bench, "l3", None),
    ];
    let settlement = Settlement { pending: rows.clone(), ..Default::default() };
    store.settle(&held, &settlement).await.unwrap();
    assert_eq!(store.due_pending(workspace, con, at(9)).await.unwrap(), []);
    assert_eq!(store.due_pending(workspace, con, at(10)).await.unwrap(), [rows[0].clone()]);
    assert_eq!(store.pending(workspace, con).await.unwrap().len(), 3);
    let mut again = Settlement { pending: vec![pending(&bench, "l1", None)], ..Default::default() };
    again.cleared.insert((con, bench.end(Side::Left, "l2")));
    store.settle(&held, &again).await.unwrap();
    assert_eq!(store.due_pending(workspace, con, at(99)).await.unwrap(), []);
    assert_eq!(store.pending(workspace, con).await.unwrap().len(), 2, "one row a record");
}

async fn creates_in_doubt_are_found(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let ops: Vec<_> = (0..3).map(|_| bench.op(run, OpKind::Create, None)).collect();
    let intents: Vec<Intent> = ["a", "b", "c"]
        .iter()
        .zip(&ops)
        .map(|(name, op)| bench.intent(op, name, &format!("{name}@x.es")))
        .collect();
    store.journal(&held, &ops, &intents).await.unwrap();
    store.mark_sent(&held, &ops.iter().map(|op| op.id).collect(), at(1)).await.unwrap();
    let ids = |found: Vec<Intent>| found.into_iter().map(|i| i.op).collect::<BTreeSet<OpId>>();
    let found = store.doubtful_intents(workspace, con, at(99)).await.unwrap();
    assert!(found.is_empty(), "what is being sent is not in doubt");
    let unknown = Intent {
        state: IntentState::Unknown,
        resolve_at: Some(at(50)),
        attempts: 1,
        ..intents[0].clone()
    };
    let swept =
        Intent { state: IntentState::Closed, resolve_at: Some(at(60)), ..intents[1].clone() };
    let over = Intent { state: IntentState::Closed, ..intents[2].clone() };
    let settlement =
        Settlement { intents: vec![unknown.clone(), swept, over], ..Default::default() };
    store.settle(&held, &settlement).await.unwrap();
    assert_eq!(store.doubtful_intents(workspace, con, at(1)).await.unwrap(), [unknown]);
    let later = store.doubtful_intents(workspace, con, at(60)).await.unwrap();
    assert_eq!(ids(later), [ops[0].id, ops[1].id].into());
}

async fn the_next_thing_due_is_the_earliest(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    assert_eq!(store.next_due(workspace, con).await.unwrap(), None);
    store.add_hints(workspace, bench.feeds.right.id, &ids(&["r1"]), at(30)).await.unwrap();
    assert_eq!(store.next_due(workspace, con).await.unwrap(), Some(at(30)));
    let waits =
        Settlement { pending: vec![pending(&bench, "l1", Some(at(20)))], ..Default::default() };
    store.settle(&held, &waits).await.unwrap();
    assert_eq!(store.next_due(workspace, con).await.unwrap(), Some(at(20)));
    let op = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&op, "l2", "b@x.es");
    store.journal(&held, std::slice::from_ref(&op), &[intent]).await.unwrap();
    let doubt = Settlement { doubtful: [(op.id, at(10))].into(), ..Default::default() };
    store.settle(&held, &doubt).await.unwrap();
    assert_eq!(store.next_due(workspace, con).await.unwrap(), Some(at(10)));
}
