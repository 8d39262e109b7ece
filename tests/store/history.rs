//! What every store does with plans, outcomes, issues and drafts, and with what was done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use concord::planner::{
    BrakeClass, Entered, Failure, Finding, FindingCode, History, Item, Link, OpKind, Outcome,
    Report, Row, Settings, Skip, Standing,
};
use concord::record::{PerSide, RemoteId, Side, Value};
use concord::store::{
    ConnectionId, DraftRow, Error, FeedId, Held, IssueId, IssueRow, IssuesOf, LeaseKey, NewIssue,
    OpFilter, OpId, OpRow, OpState, OutcomeFilter, Pending, PendingReason, PlanItem, PlanRow,
    PlanState, RecordOutcome, RunEnd, RunId, RunKind, RunRow, RunState, Settlement, Trigger,
    WorkspaceId,
};

use crate::build::{Bench, at, ids, live, settings};

const TTL: Duration = Duration::from_secs(60);

/// A run that came to its end.
pub async fn ended_run(bench: &Bench, held: &Held, kind: RunKind) -> RunId {
    let run = RunRow { kind, ..bench.run_row() };
    let run = bench.store.begin_run(held, &run).await.unwrap().id;
    end_run(bench, held, run, RunState::Finished).await;
    run
}

async fn end_run(bench: &Bench, held: &Held, run: RunId, state: RunState) {
    let end = RunEnd {
        id: run,
        connection: bench.connection,
        state,
        at: at(2),
        report: report(1),
        error: None,
        planned_to: BTreeMap::new(),
        progress: PerSide::default(),
    };
    bench.store.finish_run(held, &end).await.unwrap();
}

fn report(items: u64) -> Report {
    Report { items, rows: BTreeMap::from([(Row::Carry, items)]), ..Report::default() }
}

pub fn plan(bench: &Bench, id: RunId, state: PlanState) -> PlanRow {
    PlanRow {
        id,
        connection: bench.connection,
        version: 1,
        hash: format!("hash of {id}"),
        report: report(3),
        state,
        made_at: at(3),
        decided_at: None,
        decided_by: None,
    }
}

/// A plan of a run of its own, as it is saved.
async fn saved_plan(bench: &Bench, held: &Held, state: PlanState) -> PlanRow {
    let plan = plan(bench, ended_run(bench, held, RunKind::Preview).await, state);
    bench.store.save_plan(held, &plan).await.unwrap();
    plan
}

pub fn item(bench: &Bench, number: u64, hash: &str) -> PlanItem {
    let entered = Entered { row: Some(Row::Carry), standing: Standing::Carried };
    let item = Item {
        records: PerSide { left: Some("l1".into()), right: None },
        outcome: Outcome::Created,
        ops: vec![bench.op(RunId(bench.id()), OpKind::Create, None).op],
        link: Some(Link::default()),
        is_new_link: true,
        entries: BTreeMap::from([("city".into(), entered)]),
        findings: [finding("city")].into(),
    };
    PlanItem { number, hash: hash.into(), item }
}

fn finding(field: &str) -> Finding {
    Finding { code: FindingCode::ValueCut, side: Some(Side::Right), field: Some(field.into()) }
}

fn outcome(bench: &Bench, id: &str, outcome: Outcome, second: i64) -> RecordOutcome {
    RecordOutcome {
        end: bench.end(Side::Left, id),
        side: Side::Left,
        outcome,
        findings: BTreeSet::new(),
        code: None,
        run: RunId(bench.id()),
        since: at(second),
    }
}

fn with_finding(row: RecordOutcome) -> RecordOutcome {
    RecordOutcome { findings: [finding("city")].into(), ..row }
}

/// What was found of a record on the left.
fn found(bench: &Bench, id: &str, codes: &[&str], second: i64) -> IssuesOf {
    let issue = |code: &&str| NewIssue {
        id: IssueId(bench.id()),
        code: (*code).to_owned(),
        side: None,
        field: None,
    };
    IssuesOf {
        end: Some(bench.end(Side::Left, id)),
        run: RunId(bench.id()),
        at: at(second),
        open: codes.iter().map(issue).collect(),
        unseen: BTreeSet::new(),
    }
}

async fn settle_outcomes(bench: &Bench, held: &Held, outcomes: Vec<RecordOutcome>) {
    let settlement = Settlement { outcomes, ..Default::default() };
    bench.store.settle(held, &settlement).await.unwrap();
}

async fn settle_issues(bench: &Bench, held: &Held, issues: Vec<IssuesOf>) {
    let settlement = Settlement { issues, ..Default::default() };
    bench.store.settle(held, &settlement).await.unwrap();
}

/// All issues of the connection, newest first.
async fn issues(bench: &Bench, open_only: bool) -> Vec<IssueRow> {
    let (workspace, con) = (bench.workspace, bench.connection);
    bench.store.issues(workspace, con, open_only, None, 100).await.unwrap()
}

pub async fn runs_are_found_by_id_and_paged_newest_first(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let mut made = Vec::new();
    for kind in [RunKind::Sync, RunKind::Preview, RunKind::Sync] {
        made.push(ended_run(&bench, &held, kind).await);
    }
    let preview = store.run(workspace, made[1]).await.unwrap();
    assert_eq!((preview.id, preview.kind), (made[1], RunKind::Preview));
    assert_eq!((preview.state, preview.report), (RunState::Finished, report(1)));
    let none = store.run(workspace, RunId(bench.id())).await;
    assert!(matches!(none, Err(Error::NotFound("run"))));
    let page = |before: Option<RunId>| {
        let store = store.clone();
        async move {
            let rows = store.runs_before(workspace, con, before, 2).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<RunId>>()
        }
    };
    assert_eq!(page(None).await, [made[2], made[1]]);
    assert_eq!(page(Some(made[1])).await, [made[0]]);
    assert_eq!(page(Some(made[0])).await, []);
}

pub async fn the_last_run_that_read_everything_is_found(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let last = async || {
        store.last_full_run(workspace, con).await.unwrap().map(|run| (run.id, run.trigger))
    };
    assert_eq!(last().await, None);
    let full = ended_run(&bench, &held, RunKind::Sync).await;
    let told = RunRow { trigger: Trigger::Webhook, ..bench.run_row() };
    store.begin_run(&held, &told).await.unwrap();
    ended_run(&bench, &held, RunKind::Sync).await;
    bench.run(&held).await;
    assert_eq!(
        last().await,
        Some((full, Trigger::Person)),
        "neither what a webhook woke, nor what runs"
    );
}

pub async fn the_report_of_a_run_is_noted_until_it_ends(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace) = (&bench.store, bench.workspace);
    store.note_report(&held, run, &report(7)).await.unwrap();
    assert_eq!(store.run(workspace, run).await.unwrap().report, report(7));
    let ended = ended_run(&bench, &held, RunKind::Sync).await;
    assert_eq!(ended, run);
    let late = store.note_report(&held, run, &report(8)).await;
    assert!(matches!(late, Err(Error::NotFound("run"))));
    assert_eq!(store.run(workspace, run).await.unwrap().report, report(1));
}

pub async fn a_plan_is_written_as_it_is_now(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace) = (&bench.store, bench.workspace);
    let building = saved_plan(&bench, &held, PlanState::Building).await;
    assert_eq!(store.plan(workspace, building.id).await.unwrap(), building);
    let waiting = store.waiting_plan(workspace, bench.connection).await.unwrap();
    assert_eq!(waiting, None, "it is not complete");
    let complete = PlanRow {
        state: PlanState::Waiting,
        hash: "all of it".into(),
        report: report(9),
        made_at: at(9),
        ..building
    };
    store.save_plan(&held, &complete).await.unwrap();
    assert_eq!(store.plan(workspace, complete.id).await.unwrap(), complete);
    let waiting = store.waiting_plan(workspace, bench.connection).await.unwrap();
    assert_eq!(waiting, Some(complete));

    let nowhere = RunId(bench.id());
    assert!(matches!(store.plan(workspace, nowhere).await, Err(Error::NotFound("plan"))));
    let saved = store.save_plan(&held, &plan(&bench, nowhere, PlanState::Building)).await;
    assert!(matches!(saved, Err(Error::NotFound("run"))), "a plan is made by a run");
    let added = store.add_plan_items(&held, nowhere, &[item(&bench, 1, "a")]).await;
    assert!(matches!(added, Err(Error::NotFound("plan"))));
}

pub async fn one_plan_of_a_connection_waits_at_a_time(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let first = saved_plan(&bench, &held, PlanState::Waiting).await;
    let approved = saved_plan(&bench, &held, PlanState::Approved).await;
    let refused = saved_plan(&bench, &held, PlanState::Refused).await;
    assert_eq!(store.waiting_plan(workspace, con).await.unwrap(), Some(first.clone()));
    let second = saved_plan(&bench, &held, PlanState::Waiting).await;
    assert_eq!(store.waiting_plan(workspace, con).await.unwrap(), Some(second.clone()));
    let superseded = PlanRow { state: PlanState::Superseded, ..first };
    for plan in [superseded, approved, refused, second.clone()] {
        assert_eq!(store.plan(workspace, plan.id).await.unwrap(), plan, "the others stay");
    }
    store.save_plan(&held, &second).await.unwrap();
    assert_eq!(store.plan(workspace, second.id).await.unwrap(), second, "not by itself");

    let other = ConnectionId(bench.id());
    store.add_connection(&bench.connection_row(other)).await.unwrap();
    let run = RunRow { connection: other, ..bench.run_row() };
    let run = store.begin_run(&held, &run).await.unwrap().id;
    let theirs = PlanRow { connection: other, ..plan(&bench, run, PlanState::Waiting) };
    store.save_plan(&held, &theirs).await.unwrap();
    assert_eq!(store.waiting_plan(workspace, con).await.unwrap(), Some(second));
    assert_eq!(store.waiting_plan(workspace, other).await.unwrap(), Some(theirs));
}

/// A plan of a run that goes on.
async fn begun_plan(bench: &Bench, held: &Held) -> PlanRow {
    let run = RunRow { kind: RunKind::Preview, ..bench.run_row() };
    let run = bench.store.begin_run(held, &run).await.unwrap().id;
    let plan = plan(bench, run, PlanState::Building);
    bench.store.save_plan(held, &plan).await.unwrap();
    bench.store.add_plan_items(held, run, &[item(bench, 1, "a")]).await.unwrap();
    plan
}

/// Whether a plan is there with its item, or neither is.
async fn is_kept(bench: &Bench, plan: &PlanRow) -> bool {
    let (store, workspace) = (&bench.store, bench.workspace);
    let items = store.plan_items(workspace, plan.id, None, 9).await.unwrap().len();
    match store.plan(workspace, plan.id).await {
        Ok(found) => {
            assert_eq!((&found, items), (plan, 1));
            true
        }
        Err(error) => {
            assert!(matches!(error, Error::NotFound("plan")), "{error:?}");
            assert_eq!(items, 0);
            false
        }
    }
}

pub async fn plans_that_nobody_completes_are_removed(bench: Bench) {
    let held = bench.hold().await;
    let store = &bench.store;
    let other = ConnectionId(bench.id());
    store.add_connection(&bench.connection_row(other)).await.unwrap();
    let run = RunRow { connection: other, ..bench.run_row() };
    let run = store.begin_run(&held, &run).await.unwrap().id;
    let theirs = PlanRow { connection: other, ..plan(&bench, run, PlanState::Building) };
    store.save_plan(&held, &theirs).await.unwrap();
    let approved = saved_plan(&bench, &held, PlanState::Approved).await;
    let waiting = saved_plan(&bench, &held, PlanState::Waiting).await;
    for plan in [&theirs, &approved, &waiting] {
        store.add_plan_items(&held, plan.id, &[item(&bench, 1, "a")]).await.unwrap();
    }

    let first = begun_plan(&bench, &held).await;
    end_run(&bench, &held, first.id, RunState::Finished).await;
    assert!(is_kept(&bench, &first).await, "until the next it may be looked at");
    let second = begun_plan(&bench, &held).await;
    assert!(!is_kept(&bench, &first).await, "another was begun");
    store.save_plan(&held, &second).await.unwrap();
    assert!(is_kept(&bench, &second).await, "it is not in its own way");
    end_run(&bench, &held, second.id, RunState::Finished).await;
    ended_run(&bench, &held, RunKind::Sync).await;
    assert!(!is_kept(&bench, &second).await, "another run has ended");
    let third = begun_plan(&bench, &held).await;
    end_run(&bench, &held, third.id, RunState::Failed).await;
    assert!(!is_kept(&bench, &third).await, "it never was complete");
    for plan in [&theirs, &approved, &waiting] {
        assert!(is_kept(&bench, plan).await, "{plan:?}");
    }
}

pub async fn only_the_plan_that_was_seen_is_decided_upon_and_only_once(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let decide = |plan: &PlanRow, hash: &str, approve: bool| {
        let (store, id, hash) = (store.clone(), plan.id, hash.to_owned());
        async move { store.decide_plan(workspace, id, &hash, approve, "ana", at(5)).await }
    };
    let plan = saved_plan(&bench, &held, PlanState::Waiting).await;
    let other = decide(&plan, "another hash", true).await;
    assert!(matches!(other, Err(Error::Conflict)), "something else was seen");
    assert_eq!(store.plan(workspace, plan.id).await.unwrap(), plan);
    let approved = PlanRow {
        state: PlanState::Approved,
        decided_at: Some(at(5)),
        decided_by: Some("ana".into()),
        ..plan.clone()
    };
    assert_eq!(decide(&plan, &plan.hash, true).await.unwrap(), approved);
    assert_eq!(store.plan(workspace, plan.id).await.unwrap(), approved);
    assert_eq!(store.waiting_plan(workspace, con).await.unwrap(), None);
    let twice = decide(&plan, &plan.hash, false).await;
    assert!(matches!(twice, Err(Error::Conflict)));

    let plan = saved_plan(&bench, &held, PlanState::Waiting).await;
    let refused = decide(&plan, &plan.hash, false).await.unwrap();
    assert_eq!(refused.state, PlanState::Refused);
    assert_eq!(store.plan(workspace, plan.id).await.unwrap(), refused);
    let building = saved_plan(&bench, &held, PlanState::Building).await;
    let early = decide(&building, &building.hash, true).await;
    assert!(matches!(early, Err(Error::Conflict)), "it is not complete");
    let nowhere = PlanRow { id: RunId(bench.id()), ..building };
    let nothing = decide(&nowhere, &nowhere.hash, true).await;
    assert!(matches!(nothing, Err(Error::NotFound("plan"))));
}

pub async fn of_two_who_decide_at_once_one_is_refused(bench: Bench) {
    let held = bench.hold().await;
    let plan = saved_plan(&bench, &held, PlanState::Waiting).await;
    let bench = Arc::new(bench);
    let mut people = tokio::task::JoinSet::new();
    for nth in 0..6 {
        let (bench, plan) = (bench.clone(), plan.clone());
        people.spawn(async move {
            let by = format!("person {nth}");
            let (workspace, approve) = (bench.workspace, nth % 2 == 0);
            bench.store.decide_plan(workspace, plan.id, &plan.hash, approve, &by, at(5)).await
        });
    }
    let answers = people.join_all().await;
    let decided: Vec<&PlanRow> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(decided.len(), 1);
    let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Conflict))).count();
    assert_eq!(refused, 5);
    assert_eq!(bench.store.plan(bench.workspace, plan.id).await.unwrap(), *decided[0]);
}

pub async fn the_newest_approved_plan_of_a_version_is_found(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    assert_eq!(store.approved_plan(workspace, con, 1).await.unwrap(), None);
    saved_plan(&bench, &held, PlanState::Approved).await;
    let newest = saved_plan(&bench, &held, PlanState::Approved).await;
    for state in [PlanState::Building, PlanState::Waiting, PlanState::Refused] {
        saved_plan(&bench, &held, state).await;
    }
    let run = ended_run(&bench, &held, RunKind::Preview).await;
    let next = PlanRow { version: 2, ..plan(&bench, run, PlanState::Approved) };
    store.save_plan(&held, &next).await.unwrap();
    assert_eq!(store.approved_plan(workspace, con, 1).await.unwrap(), Some(newest));
    assert_eq!(store.approved_plan(workspace, con, 2).await.unwrap(), Some(next));
    assert_eq!(store.approved_plan(workspace, con, 3).await.unwrap(), None);
}

pub async fn items_of_a_plan_are_paged_by_number(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace) = (&bench.store, bench.workspace);
    let plan = saved_plan(&bench, &held, PlanState::Approved).await.id;
    let other = saved_plan(&bench, &held, PlanState::Approved).await.id;
    let items: Vec<PlanItem> = (1..=450).map(|n| item(&bench, n, &format!("{n}"))).collect();
    let (early, late) = items.split_at(300);
    store.add_plan_items(&held, plan, late).await.unwrap();
    store.add_plan_items(&held, plan, early).await.unwrap();
    store.add_plan_items(&held, other, &[item(&bench, 7, "theirs")]).await.unwrap();
    let mut paged: Vec<PlanItem> = Vec::new();
    let number = |item: &PlanItem| item.number;
    while let page = store.plan_items(workspace, plan, paged.last().map(number), 200).await.unwrap()
        && !page.is_empty()
    {
        paged.extend(page);
    }
    assert_eq!(paged, items);

    // A run that was cut off may plan some of them again.
    let twice = [item(&bench, 2, "once"), item(&bench, 2, "again")];
    store.add_plan_items(&held, plan, &twice).await.unwrap();
    let page = store.plan_items(workspace, plan, Some(1), 2).await.unwrap();
    assert_eq!(page, [twice[1].clone(), items[2].clone()]);
}

pub async fn a_plan_tells_which_fingerprints_it_has(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace) = (&bench.store, bench.workspace);
    let plan = saved_plan(&bench, &held, PlanState::Approved).await.id;
    let other = saved_plan(&bench, &held, PlanState::Approved).await.id;
    let items: Vec<PlanItem> = (1..=450).map(|n| item(&bench, n, &format!("h{n}"))).collect();
    store.add_plan_items(&held, plan, &items).await.unwrap();
    let same = [item(&bench, 1, "theirs"), item(&bench, 2, "h1"), item(&bench, 3, "h1")];
    store.add_plan_items(&held, other, &same).await.unwrap();
    let hashes = |hashes: &[&str]| -> BTreeSet<String> {
        hashes.iter().map(|hash| (*hash).to_owned()).collect()
    };
    let asked = hashes(&["h1", "h450", "theirs", "nobody's"]);
    let known = store.items_in_plan(workspace, plan, &asked).await.unwrap();
    assert_eq!(known, hashes(&["h1", "h450"]));
    let known = store.items_in_plan(workspace, other, &asked).await.unwrap();
    assert_eq!(known, hashes(&["h1", "theirs"]));
    let all: BTreeSet<String> = items.into_iter().map(|item| item.hash).collect();
    assert_eq!(store.items_in_plan(workspace, plan, &all).await.unwrap(), all);
    assert!(store.items_in_plan(workspace, plan, &BTreeSet::new()).await.unwrap().is_empty());
}

pub async fn plans_and_reports_are_written_only_under_the_lease(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace) = (&bench.store, bench.workspace);
    let building = plan(&bench, run, PlanState::Building);
    store.save_plan(&held, &building).await.unwrap();
    store.release(&held).await.unwrap();
    let fenced = [
        store.note_report(&held, run, &report(5)).await.err(),
        store.add_plan_items(&held, run, &[item(&bench, 1, "a")]).await.err(),
        store.save_plan(&held, &plan(&bench, run, PlanState::Waiting)).await.err(),
    ];
    for (nth, error) in fenced.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::Fenced)), "write {nth}: {error:?}");
    }
    assert_eq!(store.run(workspace, run).await.unwrap().report, Report::default());
    assert_eq!(store.plan(workspace, run).await.unwrap(), building);
    assert!(store.plan_items(workspace, run, None, 9).await.unwrap().is_empty());
}

pub async fn an_outcome_keeps_its_beginning_while_it_stays_the_same(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let end = bench.end(Side::Left, "l1");
    let known = || async { store.outcome_of(workspace, con, &end).await.unwrap() };
    assert_eq!(known().await, None);
    let first = outcome(&bench, "l1", Outcome::Conflict, 10);
    settle_outcomes(&bench, &held, vec![first.clone()]).await;
    assert_eq!(known().await, Some(first));
    let again = RecordOutcome {
        code: Some("locked".into()),
        ..with_finding(outcome(&bench, "l1", Outcome::Conflict, 20))
    };
    settle_outcomes(&bench, &held, vec![again.clone()]).await;
    assert_eq!(known().await, Some(RecordOutcome { since: at(10), ..again }));

    let lacks = |field: &str| Outcome::Failed(Failure::RequiredField(field.into()));
    for (field, second, since) in [("city", 30, 30), ("email", 40, 40), ("email", 50, 40)] {
        let failed = outcome(&bench, "l1", lacks(field), second);
        settle_outcomes(&bench, &held, vec![failed.clone()]).await;
        assert_eq!(known().await, Some(RecordOutcome { since: at(since), ..failed }));
    }
    let twice = vec![
        outcome(&bench, "l1", Outcome::InSync, 60),
        outcome(&bench, "l1", Outcome::Ambiguous, 61),
    ];
    settle_outcomes(&bench, &held, twice.clone()).await;
    assert_eq!(known().await, Some(twice[1].clone()), "the last counts");
}

pub async fn nothing_is_kept_of_a_record_with_which_all_is_well(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let end = bench.end(Side::Left, "l1");
    let known = || async { store.outcome_of(workspace, con, &end).await.unwrap() };
    let calm =
        [Outcome::InSync, Outcome::Updated, Outcome::Created, Outcome::Linked, Outcome::Deleted];
    for calm in calm {
        let told = with_finding(outcome(&bench, "l1", calm.clone(), 10));
        settle_outcomes(&bench, &held, vec![told.clone()]).await;
        assert_eq!(known().await, Some(told), "there is something to tell");
        let other = outcome(&bench, "l2", Outcome::Excluded, 10);
        let quiet = outcome(&bench, "l1", calm, 20);
        settle_outcomes(&bench, &held, vec![other, quiet]).await;
        assert_eq!(known().await, None);
    }
    let all = store.outcomes(workspace, con, &OutcomeFilter::default(), None, 9).await.unwrap();
    assert_eq!(all.len(), 1, "what is left alone is told of");
    let paused = outcome(&bench, "l1", Outcome::Skipped(Skip::Paused), 30);
    let calm = outcome(&bench, "l1", Outcome::InSync, 31);
    settle_outcomes(&bench, &held, vec![paused, calm]).await;
    assert_eq!(known().await, None, "the last counts");
}

pub async fn outcomes_are_paged_filtered_and_counted(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let refused = Outcome::Failed(Failure::Refused);
    let right = RecordOutcome {
        end: bench.end(Side::Right, "a"),
        side: Side::Right,
        ..outcome(&bench, "", Outcome::Conflict, 1)
    };
    // In the order of their bytes, whatever the language of the server.
    let rows = [
        outcome(&bench, "B", Outcome::Conflict, 1),
        outcome(&bench, "a", refused, 1),
        outcome(&bench, "é", Outcome::Conflict, 1),
        right,
    ];
    settle_outcomes(&bench, &held, rows.iter().rev().cloned().collect()).await;
    let all = OutcomeFilter::default();
    let page = store.outcomes(workspace, con, &all, None, 2).await.unwrap();
    assert_eq!(page, rows[..2]);
    let page = store.outcomes(workspace, con, &all, Some(rows[1].end.clone()), 2).await.unwrap();
    assert_eq!(page, rows[2..]);
    let last = Some(rows[3].end.clone());
    assert!(store.outcomes(workspace, con, &all, last, 2).await.unwrap().is_empty());

    let conflicts = OutcomeFilter { outcome: Some("conflict".into()), side: None };
    let after = Some(rows[0].end.clone());
    let page = store.outcomes(workspace, con, &conflicts, after, 9).await.unwrap();
    assert_eq!(page, rows[2..]);
    let left = OutcomeFilter { side: Some(Side::Left), ..conflicts };
    let page = store.outcomes(workspace, con, &left, None, 9).await.unwrap();
    assert_eq!(page, [rows[0].clone(), rows[2].clone()]);
    let right = OutcomeFilter { outcome: None, side: Some(Side::Right) };
    let page = store.outcomes(workspace, con, &right, None, 9).await.unwrap();
    assert_eq!(page, rows[3..]);

    let counts = store.count_outcomes(workspace, con).await.unwrap();
    let expected = [("conflict".to_owned(), 3), ("failed".to_owned(), 1)];
    assert_eq!(counts, BTreeMap::from(expected));
}

pub async fn an_issue_goes_on_until_it_is_not_found_any_more(bench: Bench) {
    let held = bench.hold().await;
    let other = found(&bench, "l2", &["refused"], 10);
    let first = found(&bench, "l1", &["conflict", "refused"], 10);
    settle_issues(&bench, &held, vec![other.clone(), first.clone()]).await;
    let row = |of: &IssuesOf, nth: usize| IssueRow {
        id: of.open[nth].id,
        connection: bench.connection,
        code: of.open[nth].code.clone(),
        end: of.end.clone(),
        side: None,
        field: None,
        run: of.run,
        first_at: of.at,
        last_at: of.at,
        times: 1,
        resolved_at: None,
    };
    let (conflict, refused, theirs) = (row(&first, 0), row(&first, 1), row(&other, 0));
    let all = [refused.clone(), conflict.clone(), theirs.clone()];
    assert_eq!(issues(&bench, true).await, all);

    let second = found(&bench, "l1", &["refused"], 20);
    settle_issues(&bench, &held, vec![second.clone()]).await;
    let refused = IssueRow { run: second.run, last_at: at(20), times: 2, ..refused };
    let conflict = IssueRow { resolved_at: Some(at(20)), ..conflict };
    assert_eq!(issues(&bench, true).await, [refused.clone(), theirs.clone()]);
    assert_eq!(issues(&bench, false).await, [refused.clone(), conflict.clone(), theirs.clone()]);

    settle_issues(&bench, &held, vec![found(&bench, "l1", &[], 30)]).await;
    let refused = IssueRow { resolved_at: Some(at(30)), ..refused };
    assert_eq!(issues(&bench, true).await, std::slice::from_ref(&theirs));
    let back = found(&bench, "l1", &["refused"], 40);
    settle_issues(&bench, &held, vec![back.clone()]).await;
    let expected = [row(&back, 0), refused, conflict, theirs];
    assert_eq!(issues(&bench, false).await, expected, "what comes back is another one");
}

pub async fn issues_are_told_apart_by_code_side_and_field(bench: Bench) {
    let held = bench.hold().await;
    let mut first = found(&bench, "l1", &["a", "a", "a", "a", "b"], 10);
    first.open[1].side = Some(Side::Right);
    first.open[2].field = Some("city".into());
    settle_issues(&bench, &held, vec![first.clone()]).await;
    let rows = issues(&bench, false).await;
    assert_eq!(rows.len(), 4, "what is said twice is one");
    assert!(rows.iter().all(|row| row.times == 1));
    let mut second = found(&bench, "l1", &["a", "b"], 20);
    second.open[0].field = Some("city".into());
    settle_issues(&bench, &held, vec![second]).await;
    let open: BTreeSet<IssueId> = issues(&bench, true).await.iter().map(|row| row.id).collect();
    assert_eq!(open, [first.open[2].id, first.open[4].id].into());
    let rows = issues(&bench, true).await;
    let of = |id: IssueId| rows.iter().find(|row| row.id == id).unwrap();
    assert_eq!(of(first.open[2].id).field, Some("city".into()));
    assert_eq!(of(first.open[4].id).times, 2);
}

pub async fn a_person_ends_an_issue(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace) = (&bench.store, bench.workspace);
    settle_issues(&bench, &held, vec![found(&bench, "l1", &["refused"], 10)]).await;
    let open = issues(&bench, true).await.remove(0);
    let ended = IssueRow { resolved_at: Some(at(15)), ..open.clone() };
    assert_eq!(store.resolve_issue(workspace, open.id, at(15)).await.unwrap(), ended);
    assert_eq!(store.resolve_issue(workspace, open.id, at(16)).await.unwrap(), ended, "it stays");
    assert_eq!(issues(&bench, false).await, std::slice::from_ref(&ended));
    assert_eq!(issues(&bench, true).await, []);
    settle_issues(&bench, &held, vec![found(&bench, "l1", &["refused"], 20)]).await;
    let rows = issues(&bench, false).await;
    assert_eq!(rows.len(), 2, "it is there again");
    assert_eq!((rows[0].times, rows[0].first_at), (1, at(20)));
    assert_eq!(rows[1], ended);
    let nothing = store.resolve_issue(workspace, IssueId(bench.id()), at(30)).await;
    assert!(matches!(nothing, Err(Error::NotFound("issue"))));
    assert_eq!(store.issue(workspace, open.id).await.unwrap(), ended);
    let elsewhere = store.issue(WorkspaceId(bench.id()), open.id).await;
    assert!(matches!(elsewhere, Err(Error::NotFound("issue"))));
}

pub async fn an_issue_of_the_whole_connection_has_no_record(bench: Bench) {
    let held = bench.hold().await;
    let whole = |of: IssuesOf| IssuesOf { end: None, ..of };
    let record = found(&bench, "l1", &["refused"], 10);
    let first = whole(found(&bench, "", &["braked", "lost"], 10));
    settle_issues(&bench, &held, vec![record.clone(), first.clone()]).await;
    let of_none = |rows: Vec<IssueRow>| -> Vec<(String, u32)> {
        let rows = rows.into_iter().filter(|row| row.end.is_none());
        rows.map(|row| (row.code, row.times)).collect()
    };
    let both = [("lost".to_owned(), 1), ("braked".to_owned(), 1)];
    assert_eq!(of_none(issues(&bench, true).await), both);

    // Nobody looked whether the brake still holds: it stays as it is.
    let second = IssuesOf {
        unseen: [("braked".to_owned(), None)].into(),
        ..whole(found(&bench, "", &["lost"], 20))
    };
    settle_issues(&bench, &held, vec![second]).await;
    let both = [("lost".to_owned(), 2), ("braked".to_owned(), 1)];
    assert_eq!(of_none(issues(&bench, true).await), both);

    settle_issues(&bench, &held, vec![whole(found(&bench, "", &[], 30))]).await;
    let left = issues(&bench, true).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].end, record.end, "what is found of records is another matter");
}

pub async fn issues_are_paged_newest_first(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let of: Vec<IssuesOf> =
        (0..5).map(|n| found(&bench, &format!("l{n}"), &["refused"], 10)).collect();
    settle_issues(&bench, &held, of.clone()).await;
    let ids: Vec<IssueId> = of.iter().map(|of| of.open[0].id).collect();
    store.resolve_issue(workspace, ids[2], at(11)).await.unwrap();
    let page = |open_only: bool, before: Option<IssueId>| {
        let store = store.clone();
        async move {
            let rows = store.issues(workspace, con, open_only, before, 2).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<IssueId>>()
        }
    };
    assert_eq!(page(false, None).await, [ids[4], ids[3]]);
    assert_eq!(page(false, Some(ids[3])).await, [ids[2], ids[1]]);
    assert_eq!(page(true, Some(ids[3])).await, [ids[1], ids[0]]);
    assert_eq!(page(false, Some(ids[0])).await, []);
}

pub async fn an_op_names_the_record_that_it_was_done_to(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let ops = [bench.op(run, OpKind::Create, None), bench.op(run, OpKind::Fields, Some("r1"))];
    store.journal(&held, &ops, &[]).await.unwrap();
    assert_eq!(store.op(workspace, ops[1].id).await.unwrap(), ops[1]);
    let elsewhere = store.op(WorkspaceId(bench.id()), ops[1].id).await;
    assert!(matches!(elsewhere, Err(Error::NotFound("op"))));
    let targets = || async {
        let rows = store.ops(workspace, con, None, 9).await.unwrap();
        rows.into_iter().map(|row| row.target).collect::<Vec<Option<RemoteId>>>()
    };
    assert_eq!(targets().await, [None, Some(RemoteId::new("r1"))]);
    let named = Settlement {
        targets: BTreeMap::from([(ops[0].id, "r7".into()), (ops[1].id, "r2".into())]),
        ..Default::default()
    };
    assert!(!named.is_empty());
    store.settle(&held, &named).await.unwrap();
    assert_eq!(targets().await, [Some(RemoteId::new("r7")), Some(RemoteId::new("r2"))]);
    let nobody = Settlement {
        targets: BTreeMap::from([(OpId(bench.id()), "r7".into())]),
        ..Default::default()
    };
    let settled = store.settle(&held, &nobody).await;
    assert!(matches!(settled, Err(Error::NotFound("op"))));
}

pub async fn ops_are_paged_newest_first_and_filtered(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let first = bench.run(&held).await;
    let mut ops = vec![
        bench.op(first, OpKind::Fields, Some("r1")),
        bench.op(first, OpKind::Fields, Some("r2")),
    ];
    store.journal(&held, &ops, &[]).await.unwrap();
    ended_run(&bench, &held, RunKind::Sync).await;
    let second = bench.run(&held).await;
    ops.push(bench.op(second, OpKind::Tags, Some("r1")));
    let left = bench.feeds.left.id;
    ops.push(OpRow { feed: left, ..bench.op(second, OpKind::Tags, Some("r1")) });
    store.journal(&held, &ops[2..], &[]).await.unwrap();
    let mut settlement = Settlement::default();
    settlement.ops.insert(ops[0].id, (OpState::Applied, None));
    settlement.ops.insert(ops[1].id, (OpState::Rejected, Some("refused".into())));
    store.settle(&held, &settlement).await.unwrap();

    let found = |filter: OpFilter, before: Option<OpId>, limit: u64| {
        let store = store.clone();
        async move {
            let rows = store.ops_before(workspace, con, &filter, before, limit).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<OpId>>()
        }
    };
    let all = OpFilter::default();
    assert_eq!(found(all.clone(), None, 3).await, [ops[3].id, ops[2].id, ops[1].id]);
    assert_eq!(found(all.clone(), Some(ops[1].id), 3).await, [ops[0].id]);
    assert_eq!(found(all.clone(), Some(ops[0].id), 3).await, []);
    let of_run = OpFilter { run: Some(first), ..all.clone() };
    assert_eq!(found(of_run.clone(), None, 9).await, [ops[1].id, ops[0].id]);
    let of_feed = OpFilter { feeds: [left].into(), ..all.clone() };
    assert_eq!(found(of_feed, None, 9).await, [ops[3].id]);
    let of_id = OpFilter { record: Some("r1".into()), ..all.clone() };
    assert_eq!(found(of_id.clone(), None, 9).await, [ops[3].id, ops[2].id, ops[0].id]);
    let both = [left, bench.feeds.right.id].into();
    let of_both = OpFilter { feeds: both, ..of_id.clone() };
    assert_eq!(found(of_both, None, 9).await, [ops[3].id, ops[2].id, ops[0].id]);
    let of_record = OpFilter { feeds: [bench.feeds.right.id].into(), ..of_id };
    assert_eq!(found(of_record.clone(), None, 9).await, [ops[2].id, ops[0].id]);
    assert_eq!(found(of_record.clone(), Some(ops[2].id), 9).await, [ops[0].id]);
    let both = OpFilter { run: Some(second), ..of_record };
    assert_eq!(found(both, None, 9).await, [ops[2].id]);
    let rows = store.ops_before(workspace, con, &of_run, None, 9).await.unwrap();
    assert_eq!(rows[0].error.as_deref(), Some("refused"), "they are whole");
}

/// An op, the second in which it was sent, and what it came to.
type Sent<'a> = (&'a OpRow, i64, OpState);

async fn send(bench: &Bench, held: &Held, sent: &[Sent<'_>]) {
    let store = &bench.store;
    let ops: Vec<OpRow> = sent.iter().map(|(op, _, _)| (*op).clone()).collect();
    store.journal(held, &ops, &[]).await.unwrap();
    let mut settlement = Settlement::default();
    for (op, second, state) in sent {
        store.mark_sent(held, &[op.id].into(), at(*second)).await.unwrap();
        settlement.ops.insert(op.id, (*state, None));
    }
    store.settle(held, &settlement).await.unwrap();
}

pub async fn what_was_applied_is_counted_for_the_brake(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let other = ConnectionId(bench.id());
    store.add_connection(&bench.connection_row(other)).await.unwrap();
    let op = |kind: OpKind| bench.op(run, kind, Some("r1"));
    let mut clear = op(OpKind::Fields);
    clear.op.fields.insert("city".into(), Value::Cleared);
    let mut left = op(OpKind::Fields);
    (left.account, left.feed) = (bench.accounts.left, bench.feeds.left.id);
    left.op.side = Side::Left;
    let theirs = OpRow { connection: other, ..op(OpKind::Mark) };
    let sent = [
        (&op(OpKind::Create), 5, OpState::Applied),
        (&op(OpKind::Create), 5, OpState::Applied),
        (&op(OpKind::Mark), 5, OpState::Applied),
        (&op(OpKind::Fields), 15, OpState::Applied),
        (&clear, 15, OpState::Applied),
        (&left, 15, OpState::Applied),
        (&op(OpKind::Consent), 15, OpState::Applied),
        (&op(OpKind::Mark), 15, OpState::Rejected),
        (&op(OpKind::Mark), 15, OpState::Unknown),
        (&op(OpKind::Mark), 15, OpState::Dropped),
        (&theirs, 15, OpState::Applied),
    ];
    send(&bench, &held, &sent).await;

    let done = |since: i64, left: Option<i64>, right: Option<i64>| {
        let (store, ends) = (store.clone(), PerSide { left: left.map(at), right: right.map(at) });
        async move { store.applied_since(workspace, con, at(since), &ends).await.unwrap() }
    };
    let counts = |counts: &[(Side, BrakeClass, Option<&str>, u64)]| {
        let mut history = History::default();
        for (side, class, field, ops) in counts {
            history.add(*side, &[(*class, field.map(Into::into))], false, *ops);
        }
        history
    };
    let (left, right) = (Side::Left, Side::Right);
    let (mark, clear) = (BrakeClass::Deletions, BrakeClass::Clears);
    let (create, write) = (BrakeClass::Creates, BrakeClass::OneField);
    let all = counts(&[
        (left, write, Some("city"), 1),
        (right, mark, None, 1),
        (right, clear, None, 1),
        (right, create, None, 2),
        (right, write, Some("city"), 2),
    ]);
    assert_eq!(done(0, Some(0), Some(0)).await, all);
    assert_eq!(done(5, Some(0), Some(4)).await, all);
    let destroyed = counts(&[(right, mark, None, 1), (right, clear, None, 1)]);
    assert_eq!(done(0, None, None).await, destroyed, "the first runs go on");
    assert_eq!(done(0, Some(15), Some(15)).await, destroyed, "all was done in them");
    let later =
        counts(&[(right, mark, None, 1), (right, clear, None, 1), (right, write, Some("city"), 2)]);
    assert_eq!(done(0, None, Some(5)).await, later);
    let recent = counts(&[
        (left, write, Some("city"), 1),
        (right, clear, None, 1),
        (right, write, Some("city"), 2),
    ]);
    assert_eq!(done(6, Some(0), Some(0)).await, recent);
    assert_eq!(done(15, Some(0), Some(0)).await, recent);
    assert_eq!(done(16, Some(0), Some(0)).await, History::default());

    let ends = PerSide { left: Some(at(0)), right: Some(at(0)) };
    let nobody = WorkspaceId(bench.id());
    let none = store.applied_since(nobody, con, at(0), &ends).await.unwrap();
    assert_eq!(none, History::default());
    let of_the_other = store.applied_since(workspace, other, at(0), &ends).await.unwrap();
    assert_eq!(of_the_other, counts(&[(right, mark, None, 1)]));
}

pub async fn a_large_settlement_is_written_whole(bench: Bench) {
    let held = bench.hold().await;
    let run = bench.run(&held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let ops: Vec<OpRow> = (0..450).map(|_| bench.op(run, OpKind::Create, None)).collect();
    store.journal(&held, &ops, &[]).await.unwrap();
    let name = |n: usize| format!("l{n:03}");
    let settlement = Settlement {
        targets: ops.iter().enumerate().map(|(n, op)| (op.id, RemoteId::new(name(n)))).collect(),
        outcomes: (0..450).map(|n| outcome(&bench, &name(n), Outcome::Conflict, 1)).collect(),
        issues: (0..450).map(|n| found(&bench, &name(n), &["conflict"], 1)).collect(),
        ..Default::default()
    };
    store.settle(&held, &settlement).await.unwrap();
    let rows = store.ops(workspace, con, None, 999).await.unwrap();
    assert!(rows.iter().all(|row| row.target.as_ref() == settlement.targets.get(&row.id)));
    let all = OutcomeFilter::default();
    let rows = store.outcomes(workspace, con, &all, None, 999).await.unwrap();
    assert_eq!(rows, settlement.outcomes);
    let rows = store.issues(workspace, con, true, None, 999).await.unwrap();
    assert_eq!(rows.len(), 450);

    let calm = Settlement {
        outcomes: (0..450).map(|n| outcome(&bench, &name(n), Outcome::InSync, 2)).collect(),
        issues: (0..450).map(|n| found(&bench, &name(n), &[], 2)).collect(),
        ..Default::default()
    };
    store.settle(&held, &calm).await.unwrap();
    assert!(store.count_outcomes(workspace, con).await.unwrap().is_empty());
    assert!(store.issues(workspace, con, true, None, 999).await.unwrap().is_empty());
    let rows = store.issues(workspace, con, false, None, 999).await.unwrap();
    assert!(rows.iter().all(|row| row.resolved_at == Some(at(2)) && row.times == 1));
}

pub async fn a_draft_is_edited_from_the_edit_it_was_made_of(bench: Bench) {
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let save = |expected: Option<u32>, based_on: u32, settings: &Settings| {
        let (store, settings) = (store.clone(), settings.clone());
        async move { store.save_draft(workspace, con, expected, based_on, &settings).await }
    };
    assert_eq!(store.draft(workspace, con).await.unwrap(), None);
    let first = settings();
    assert!(matches!(save(Some(1), 1, &first).await, Err(Error::Conflict)), "there is none");
    assert_eq!(save(None, 1, &first).await.unwrap(), 1);
    let draft = DraftRow { edit: 1, based_on: 1, settings: first.clone(), preview_asked: false };
    assert_eq!(store.draft(workspace, con).await.unwrap(), Some(draft));
    let second = Settings { preferred: Some(Side::Right), ..settings() };
    for not_the_one in [None, Some(0), Some(2)] {
        let stale = save(not_the_one, 1, &second).await;
        assert!(matches!(stale, Err(Error::Conflict)), "{not_the_one:?}");
    }
    assert_eq!(save(Some(1), 2, &second).await.unwrap(), 2);
    let draft = DraftRow { edit: 2, based_on: 2, settings: second, preview_asked: false };
    assert_eq!(store.draft(workspace, con).await.unwrap(), Some(draft));
    assert_eq!(store.connection(workspace, con).await.unwrap().settings, settings());

    store.discard_draft(workspace, con).await.unwrap();
    assert_eq!(store.draft(workspace, con).await.unwrap(), None);
    store.discard_draft(workspace, con).await.unwrap();
    assert_eq!(save(None, 1, &first).await.unwrap(), 1);
    let nobody = store.save_draft(workspace, ConnectionId(bench.id()), None, 1, &first).await;
    assert!(matches!(nobody, Err(Error::NotFound("connection"))));
}

pub async fn of_two_first_drafts_one_is_refused(bench: Bench) {
    let bench = Arc::new(bench);
    let mut people = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let bench = bench.clone();
        people.spawn(async move {
            let (workspace, con) = (bench.workspace, bench.connection);
            bench.store.save_draft(workspace, con, None, 1, &settings()).await
        });
    }
    let answers = people.join_all().await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(1))).count(), 1);
    let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Conflict))).count();
    assert_eq!(refused, 5);
}

pub async fn a_draft_is_gone_once_a_configuration_is_published(bench: Bench) {
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let other = ConnectionId(bench.id());
    store.add_connection(&bench.connection_row(other)).await.unwrap();
    store.save_draft(workspace, con, None, 1, &settings()).await.unwrap();
    store.save_draft(workspace, other, None, 1, &settings()).await.unwrap();
    let stale = store.publish(workspace, con, 9, &settings()).await;
    assert!(matches!(stale, Err(Error::Conflict)));
    assert!(store.draft(workspace, con).await.unwrap().is_some(), "wholly or not at all");
    store.publish(workspace, con, 1, &settings()).await.unwrap();
    assert_eq!(store.draft(workspace, con).await.unwrap(), None);
    assert!(store.draft(workspace, other).await.unwrap().is_some());
}

/// What a connection has once it was run and planned.
struct Filled {
    run: RunId,
    op: OpId,
    issue: IssueId,
}

/// Fills every table that hangs on the connection.
async fn fill(bench: &Bench, held: &Held) -> Filled {
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let run = RunRow { kind: RunKind::Preview, ..bench.run_row() };
    let run = store.begin_run(held, &run).await.unwrap().id;
    store.observe(held, &bench.observation(vec![live("l1", "Vigo", "a@x.es")])).await.unwrap();
    for feed in [bench.feeds.left.id, bench.feeds.right.id] {
        store.add_hints(workspace, feed, &ids(&["l1"]), at(0)).await.unwrap();
    }
    let op = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&op, "l1", "a@x.es");
    store.journal(held, std::slice::from_ref(&op), &[intent]).await.unwrap();
    let issues = found(bench, "l1", &["conflict"], 1);
    let issue = issues.open[0].id;
    let settlement = Settlement {
        targets: BTreeMap::from([(op.id, "r1".into())]),
        doubtful: BTreeMap::from([(op.id, at(0))]),
        links: vec![bench.link("l1", "r1")],
        pending: vec![Pending {
            connection: con,
            end: bench.end(Side::Left, "l1"),
            side: Side::Left,
            reason: PendingReason::Conflict,
            attempts: 1,
            next_at: Some(at(0)),
        }],
        outcomes: vec![outcome(bench, "l1", Outcome::Conflict, 1)],
        issues: vec![issues],
        ..Default::default()
    };
    store.settle(held, &settlement).await.unwrap();
    store.save_plan(held, &plan(bench, run, PlanState::Waiting)).await.unwrap();
    store.add_plan_items(held, run, &[item(bench, 1, "a")]).await.unwrap();
    store.save_draft(workspace, con, None, 1, &settings()).await.unwrap();
    Filled { run, op: op.id, issue }
}

/// Asserts that nothing of the connection is found in a workspace.
async fn assert_nothing_is_found(bench: &Bench, workspace: WorkspaceId, filled: &Filled) {
    let (store, con, run) = (&bench.store, bench.connection, filled.run);
    assert!(matches!(store.run(workspace, run).await, Err(Error::NotFound("run"))));
    assert!(store.runs_before(workspace, con, None, 9).await.unwrap().is_empty());
    assert!(matches!(store.plan(workspace, run).await, Err(Error::NotFound("plan"))));
    assert_eq!(store.waiting_plan(workspace, con).await.unwrap(), None);
    assert_eq!(store.approved_plan(workspace, con, 1).await.unwrap(), None);
    let hash = plan(bench, run, PlanState::Waiting).hash;
    let decided = store.decide_plan(workspace, run, &hash, true, "ana", at(5)).await;
    assert!(matches!(decided, Err(Error::NotFound("plan"))));
    assert!(store.plan_items(workspace, run, None, 9).await.unwrap().is_empty());
    let hashes = BTreeSet::from(["a".to_owned()]);
    assert!(store.items_in_plan(workspace, run, &hashes).await.unwrap().is_empty());
    let all = OutcomeFilter::default();
    assert!(store.outcomes(workspace, con, &all, None, 9).await.unwrap().is_empty());
    let end = bench.end(Side::Left, "l1");
    assert_eq!(store.outcome_of(workspace, con, &end).await.unwrap(), None);
    assert!(store.count_outcomes(workspace, con).await.unwrap().is_empty());
    assert!(store.issues(workspace, con, false, None, 9).await.unwrap().is_empty());
    let ended = store.resolve_issue(workspace, filled.issue, at(5)).await;
    assert!(matches!(ended, Err(Error::NotFound("issue"))));
    let all = OpFilter::default();
    assert!(store.ops_before(workspace, con, &all, None, 9).await.unwrap().is_empty());
    assert_eq!(store.draft(workspace, con).await.unwrap(), None);
    let saved = store.save_draft(workspace, con, None, 1, &settings()).await;
    assert!(matches!(saved, Err(Error::NotFound("connection"))));
    store.discard_draft(workspace, con).await.unwrap();
    let removed = store.remove_connection(workspace, con).await;
    assert!(matches!(removed, Err(Error::NotFound("connection"))));
}

pub async fn a_workspace_sees_nothing_of_the_history_of_another(bench: Bench) {
    let held = bench.hold().await;
    let filled = fill(&bench, &held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let other = WorkspaceId(bench.id());
    assert_nothing_is_found(&bench, other, &filled).await;
    let key = LeaseKey { workspace: other, ..bench.lease() };
    let theirs = store.acquire(&key, "thief", TTL).await.unwrap().unwrap();
    let noted = store.note_report(&theirs, filled.run, &report(5)).await;
    assert!(matches!(noted, Err(Error::NotFound("run"))));
    let saved = store.save_plan(&theirs, &plan(&bench, filled.run, PlanState::Refused)).await;
    assert!(matches!(saved, Err(Error::NotFound("run"))));
    let added = store.add_plan_items(&theirs, filled.run, &[item(&bench, 2, "b")]).await;
    assert!(matches!(added, Err(Error::NotFound("plan"))));
    let named =
        Settlement { targets: BTreeMap::from([(filled.op, "r9".into())]), ..Default::default() };
    assert!(matches!(store.settle(&theirs, &named).await, Err(Error::NotFound("op"))));

    // What they tried has changed nothing.
    assert_eq!(store.run(workspace, filled.run).await.unwrap().report, Report::default());
    let waiting = store.waiting_plan(workspace, con).await.unwrap().unwrap();
    assert_eq!(waiting, plan(&bench, filled.run, PlanState::Waiting));
    assert_eq!(store.plan_items(workspace, filled.run, None, 9).await.unwrap().len(), 1);
    assert_eq!(issues(&bench, true).await.len(), 1);
    let ops = store.ops(workspace, con, None, 9).await.unwrap();
    assert_eq!(ops[0].target, Some("r1".into()));
    assert!(store.draft(workspace, con).await.unwrap().is_some());
    assert!(store.connection(workspace, con).await.is_ok());
}

pub async fn a_connection_is_removed_with_all_that_hangs_on_it(bench: Bench) {
    let held = bench.hold().await;
    let filled = fill(&bench, &held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    store.release(&held).await.unwrap();
    store.remove_connection(workspace, con).await.unwrap();
    let none = store.connection(workspace, con).await;
    assert!(matches!(none, Err(Error::NotFound("connection"))));
    assert!(store.connections(workspace).await.unwrap().is_empty());
    assert_nothing_is_found(&bench, workspace, &filled).await;
    for feed in [bench.feeds.left.id, bench.feeds.right.id] {
        assert!(matches!(store.feed(workspace, feed).await, Err(Error::NotFound("feed"))));
    }

    // With the same ids there is nothing left to be found, and nobody is held by an old intent.
    for (side, account) in bench.accounts.iter() {
        let feed = bench.feeds.of(side);
        let new = store.open_feed(workspace, *account, &feed.object, "", feed.id).await.unwrap();
        assert_eq!(new, *feed, "its accounts are there, and it is as new");
    }
    store.add_connection(&bench.connection_row(con)).await.unwrap();
    let feed = bench.feeds.left.id;
    assert!(store.seen_after(workspace, feed, 0, 9).await.unwrap().is_empty());
    assert!(store.due_hints(workspace, feed, at(9), 9).await.unwrap().is_empty());
    assert!(store.links(workspace, con, None, 9).await.unwrap().is_empty());
    let linked = store.links_of(workspace, con, feed, &ids(&["l1"])).await.unwrap();
    assert!(linked.is_empty());
    assert!(store.pending(workspace, con).await.unwrap().is_empty());
    assert!(store.ops(workspace, con, None, 9).await.unwrap().is_empty());
    assert!(store.doubtful_intents(workspace, con, at(9)).await.unwrap().is_empty());
    assert_eq!(store.next_due(workspace, con).await.unwrap(), None);
    assert_eq!(store.draft(workspace, con).await.unwrap(), None);
    let again = bench.hold().await;
    assert!(again.fence > held.fence + 1, "whoever ran it once never finds its fence again");
    let run = bench.run(&again).await;
    assert_ne!(run, filled.run);
    let op = bench.op(run, OpKind::Create, None);
    let intent = bench.intent(&op, "l1", "a@x.es");
    let refused = store.journal(&again, std::slice::from_ref(&op), &[intent]).await.unwrap();
    assert!(refused.is_empty());
}

pub async fn a_connection_is_not_removed_while_somebody_holds_its_lease(bench: Bench) {
    let held = bench.hold().await;
    let filled = fill(&bench, &held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let removed = store.remove_connection(workspace, con).await;
    assert!(matches!(removed, Err(Error::Conflict)));
    assert_eq!(store.run(workspace, filled.run).await.unwrap().state, RunState::Running);
    assert_eq!(store.links(workspace, con, None, 9).await.unwrap().len(), 1);
    assert!(store.draft(workspace, con).await.unwrap().is_some());
    assert!(store.renew(&held, TTL).await.unwrap(), "and its holder goes on");
    store.release(&held).await.unwrap();
    let short = Duration::from_millis(300);
    store.acquire(&bench.lease(), "another", short).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    store.remove_connection(workspace, con).await.unwrap();
    let twice = store.remove_connection(workspace, con).await;
    assert!(matches!(twice, Err(Error::NotFound("connection"))));
}

pub async fn feeds_that_another_connection_reads_stay(bench: Bench) {
    let held = bench.hold().await;
    let filled = fill(&bench, &held).await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let leads = FeedId(bench.id());
    let account = bench.accounts.right;
    store.open_feed(workspace, account, &"leads".into(), "", leads).await.unwrap();
    let other = ConnectionId(bench.id());
    let mut row = bench.connection_row(other);
    row.feeds[1].feed = leads;
    store.add_connection(&row).await.unwrap();
    store.release(&held).await.unwrap();
    store.remove_connection(workspace, con).await.unwrap();
    assert_nothing_is_found(&bench, workspace, &filled).await;
    assert_eq!(store.connections(workspace).await.unwrap(), [row]);
    let (left, right) = (bench.feeds.left.id, bench.feeds.right.id);
    assert_eq!(store.seen_after(workspace, left, 0, 9).await.unwrap().len(), 1);
    assert_eq!(store.due_hints(workspace, left, at(9), 9).await.unwrap(), ids(&["l1"]));
    assert!(store.feed(workspace, leads).await.is_ok());
    assert!(matches!(store.feed(workspace, right).await, Err(Error::NotFound("feed"))));
    store.remove_connection(workspace, other).await.unwrap();
    assert!(matches!(store.feed(workspace, left).await, Err(Error::NotFound("feed"))));
    assert!(matches!(store.feed(workspace, leads).await, Err(Error::NotFound("feed"))));
}
