//! Previews of drafts: they tell what happens once the draft is published, and until then nothing does.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use concord::connectors::memory::Faults;
use concord::planner::{
    Acknowledgement, Acknowledgements, Approval, Condition, Filter, FirstRun, Limit, OpKind,
    Report, Rule, Settings, Sync, SyncState, Test,
};
use concord::ports::Clock as _;
use concord::record::{PerSide, Side, Value};
use concord::runner::RunError;
use concord::store::{
    DraftRow, Error, History as _, PlanRow, PlanState, RunKind, RunState, Store as _, Trigger,
};

use crate::house::{House, copy, fields, text};

fn all() -> Acknowledgements {
    [Acknowledgement::NoOtherSync, Acknowledgement::OptOutsStay].into()
}

fn sync(settings: &mut Settings, source: Side) -> &mut Sync {
    settings.syncs.of_mut(source).as_mut().unwrap()
}

/// Before anything was started.
fn unstarted(settings: &mut Settings) {
    for side in Side::BOTH {
        sync(settings, side).state = SyncState::Draft;
    }
}

fn only_from(city: &str) -> Vec<Rule> {
    let test = Test::Equals(text(city));
    vec![Rule { filter: Filter::Is(Condition { field: "city".into(), test }), object: None }]
}

impl House {
    async fn edit_draft(&self, change: impl FnOnce(&mut Settings) + Send) {
        let change = |settings: &mut Settings| {
            change(settings);
            Ok(())
        };
        self.connections().edit(self.workspace, self.connection, None, change).await.unwrap();
    }

    async fn ask_preview(&self) {
        self.connections().ask_preview(self.workspace, self.connection, None).await.unwrap();
    }

    async fn draft(&self) -> Option<DraftRow> {
        self.store.draft(self.workspace, self.connection).await.unwrap()
    }

    async fn is_asked(&self) -> bool {
        self.draft().await.is_some_and(|draft| draft.preview_asked)
    }

    async fn preview(&self) -> Option<PlanRow> {
        self.store.preview(self.workspace, self.connection).await.unwrap()
    }

    /// A preview of the draft as it is now.
    async fn previewed(&self) -> PlanRow {
        self.ask_preview().await;
        self.run_because(Trigger::Person).await.unwrap();
        self.preview().await.expect("a preview")
    }

    async fn publish(&self) {
        let (connections, workspace, id) = (self.connections(), self.workspace, self.connection);
        let review = connections.review(workspace, id, &all()).await.unwrap();
        let token = review.token.clone().unwrap_or_else(|| panic!("{review:?}"));
        connections.publish(workspace, id, &token, &all()).await.unwrap();
    }

    async fn start_both(&self) {
        let (connections, workspace, id) = (self.connections(), self.workspace, self.connection);
        let review = connections.review(workspace, id, &all()).await.unwrap();
        let token = review.token.clone().unwrap_or_else(|| panic!("{review:?}"));
        let both = Side::BOTH.into();
        connections.start(workspace, id, &both, &token, &all()).await.unwrap();
    }

    /// What must be the same before and after a preview: links, progress, what was planned up to.
    async fn standing(&self) -> String {
        let (workspace, id) = (self.workspace, self.connection);
        let links = self.store.links(workspace, id, None, 1000).await.unwrap();
        let row = self.store.connection(workspace, id).await.unwrap();
        let pending = self.pending().await;
        let issues = self.issues().await;
        let outcomes = self.store.count_outcomes(workspace, id).await.unwrap();
        let writes = self.writes();
        format!("{links:?} {row:?} {pending:?} {issues:?} {outcomes:?} {writes}")
    }
}

/// What is to be compared of a preview and of the run that carries it out.
fn told(report: &Report) -> impl PartialEq + std::fmt::Debug {
    (report.items, report.outcomes.clone(), report.skipped.clone(), report.writes.clone())
}

#[tokio::test]
async fn a_preview_tells_what_a_start_would_do_and_changes_nothing() {
    for approval in [Approval::Never, Approval::FirstRun] {
        let house = House::new(|settings| {
            unstarted(settings);
            settings.approval = approval;
        })
        .await;
        house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
        house.make(Side::Right, "ana@x.es", &[("phone", "600123456")]);
        house.make(Side::Left, "eva@x.es", &[("city", "Lugo")]);
        let ida = house.make(Side::Right, "ida@x.es", &[]);
        house.vendors.right.edit(&ida, [("opt_out".into(), Value::Boolean(true))].into());
        let before = house.standing().await;
        let preview = house.previewed().await;
        assert_eq!(house.standing().await, before);
        assert!(!house.is_asked().await);
        let runs = house.runs().await;
        let kinds: Vec<_> = runs.iter().map(|run| (run.kind, run.state)).collect();
        assert_eq!(kinds, [(RunKind::Preview, RunState::Finished)], "nothing else happens");
        assert_eq!((preview.state, preview.id), (PlanState::Preview, runs[0].id));
        assert_eq!((preview.report.outcomes["created"], preview.report.items), (2, 3));
        assert_eq!(house.items(preview.id).await.len(), 3);
        assert!(house.plan().await.is_none(), "nobody is to decide upon it");
        let (store, now) = (&house.store, house.clock.now());
        let decided =
            store.decide_plan(house.workspace, preview.id, &preview.hash, true, "eva", now);
        assert!(matches!(decided.await, Err(Error::Conflict)));

        house.start_both().await;
        assert!(house.preview().await.is_none(), "it goes with its draft");
        assert!(house.items(preview.id).await.is_empty());
        let mut ran = house.run().await.unwrap();
        if approval == Approval::FirstRun {
            house.approve().await;
            ran = house.run().await.unwrap();
        }
        assert_eq!(told(&ran.report), told(&preview.report));
        assert_eq!(house.run().await.unwrap().report.total_writes(), 0);
    }
}

#[tokio::test]
async fn a_preview_of_new_only_takes_no_baseline() {
    let house = House::new(|settings| {
        unstarted(settings);
        for side in Side::BOTH {
            sync(settings, side).first_run = FirstRun::NewOnly;
        }
    })
    .await;
    house.make(Side::Left, "old@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Right, "ana@x.es", &[]);
    let before = house.standing().await;
    let preview = house.previewed().await;
    assert_eq!(house.standing().await, before, "no baseline either");
    assert_eq!(preview.report.skipped["baseline"], 1);
    assert_eq!(preview.report.total_writes(), 0);
    // What comes between a preview and the start was there before the start.
    house.make(Side::Left, "later@x.es", &[]);
    house.clock.advance(Duration::from_secs(60));
    let preview = house.previewed().await;
    assert_eq!(preview.report.skipped["baseline"], 2);
    house.start_both().await;
    let ran = house.run().await.unwrap();
    assert_eq!(told(&ran.report), told(&preview.report));
    house.make(Side::Left, "new@x.es", &[]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es", "new@x.es"]);
}

#[tokio::test]
async fn a_preview_of_another_filter_leaves_the_live_one_to_go_on() {
    let house = House::new(|settings| sync(settings, Side::Left).rules = only_from("Vigo")).await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    house.make(Side::Left, "eva@x.es", &[("city", "Lugo")]);
    house.make(Side::Left, "ida@x.es", &[("city", "Sada")]);
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
    house.edit_draft(|settings| sync(settings, Side::Left).rules = vec![Rule::default()]).await;
    // The preview is the first to read this.
    house.clock.advance(Duration::from_secs(60));
    house.edit(Side::Left, "ana@x.es", "phone", Value::Phone("600123456".into()));
    let preview = house.previewed().await;
    assert_eq!(preview.report.outcomes["created"], 2);
    assert_eq!(preview.report.outcomes["updated"], 1, "what is new for the live one too");
    let kinds: Vec<RunKind> = house.runs().await.iter().map(|run| run.kind).collect();
    assert_eq!(kinds[..2], [RunKind::Sync, RunKind::Preview], "both, and the preview first");
    assert_eq!(house.emails(Side::Right), ["ana@x.es"], "the live filter holds");
    let phone = house.get(Side::Right, "ana@x.es", "phone").text();
    assert!(phone.contains("600123456"), "nothing that the preview read is lost: {phone}");

    let preview = house.previewed().await;
    assert_eq!(preview.report.outcomes.get("updated"), None);
    house.publish().await;
    let ran = house.run().await.unwrap();
    assert_eq!(told(&ran.report), told(&preview.report));
    assert_eq!(house.emails(Side::Right), ["ana@x.es", "eva@x.es", "ida@x.es"]);
}

#[tokio::test]
async fn who_was_there_before_stays_so_when_a_preview_reads_more_fields() {
    let house = House::new(|settings| {
        let left = sync(settings, Side::Left);
        left.first_run = FirstRun::NewOnly;
        left.entries.retain(|entry| entry.target.as_str() != "city");
        settings.syncs.right = None;
    })
    .await;
    house.make(Side::Left, "old@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house
        .edit_draft(|settings| sync(settings, Side::Left).entries.push(copy(Side::Left, "city")))
        .await;
    let preview = house.previewed().await;
    assert_eq!((preview.report.skipped["baseline"], house.writes()), (1, 0));
    house.run().await.unwrap();
    assert!(house.emails(Side::Right).is_empty(), "nor does the live sync take it for new");
    house.make(Side::Left, "new@x.es", &[("city", "Lugo")]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["new@x.es"]);
    assert_eq!(house.get(Side::Right, "new@x.es", "city"), Value::Cleared, "it is not mapped yet");
}

#[tokio::test]
async fn a_preview_tells_what_the_brake_would_hold() {
    const LATER: usize = 8;
    let house = House::new(|settings| {
        settings.syncs.right = None;
        sync(settings, Side::Left).rules = only_from("Vigo");
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
    for n in 0..LATER {
        house.make(Side::Left, &format!("p{n}@x.es"), &[("city", "Lugo")]);
    }
    house.run().await.unwrap();
    house
        .edit_draft(|settings| {
            sync(settings, Side::Left).rules = vec![Rule::default()];
            settings.brake.creates = Limit { floor: 3, percent: 0, ceiling: None };
        })
        .await;
    let preview = house.previewed().await;
    assert_eq!(preview.report.outcomes["created"], 3);
    assert_eq!(preview.report.outcomes["waiting"], LATER as u64 - 3);
    assert_eq!(house.items(preview.id).await.len(), 3);
    assert!(house.issues().await.is_empty(), "nothing is held yet");
    house.publish().await;
    let ran = house.run().await.unwrap();
    assert_eq!(told(&ran.report), told(&preview.report));
}

#[tokio::test]
async fn a_paused_sync_stays_paused_in_a_preview() {
    let house = House::new(|settings| {
        sync(settings, Side::Left).state = SyncState::Paused;
        sync(settings, Side::Right).state = SyncState::Draft;
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.make(Side::Right, "rita@x.es", &[]);
    let preview = house.previewed().await;
    let creates = PerSide::from_fn(|side| preview.report.writes.of(side).get(&OpKind::Create));
    assert_eq!((creates.left, creates.right), (Some(&1), None));
}

#[tokio::test]
async fn a_plan_that_waits_is_left_as_it_is() {
    let house = House::new(|settings| {
        settings.approval = Approval::FirstRun;
        settings.syncs.right = None;
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.run().await.unwrap();
    let waiting = house.plan().await.unwrap();
    house.edit_draft(|settings| sync(settings, Side::Left).rules = only_from("Vigo")).await;
    let preview = house.previewed().await;
    assert_eq!(preview.report.outcomes["excluded"], 1);
    assert_eq!(house.plan().await.unwrap().id, waiting.id);
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
}

#[tokio::test]
async fn a_plan_tells_the_calls_of_the_syncs_that_it_is_about() {
    let house = House::new(|settings| settings.approval = Approval::FirstRun).await;
    for number in 0..45 {
        house.make(Side::Left, &format!("left{number}@x.es"), &[]);
    }
    house.make(Side::Right, "right@x.es", &[]);
    house.run().await.unwrap();
    let calls = |plan: &PlanRow| plan.report.tolls.unwrap().map(|toll| toll.calls);
    // Twenty records a call.
    assert_eq!(calls(&house.plan().await.unwrap()), PerSide { left: 1, right: 3 });
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(
        house.last_run().await.unwrap().report.tolls,
        None,
        "it tells what it does, not costs"
    );

    house.configure(|settings| sync(settings, Side::Left).state = SyncState::Paused).await;
    house.edit(Side::Left, "left7@x.es", "city", text("Vigo"));
    house.edit(Side::Right, "right@x.es", "city", text("Lugo"));
    assert_eq!(calls(&house.previewed().await), PerSide { left: 1, right: 0 });
}

#[tokio::test]
async fn a_draft_that_is_edited_meanwhile_gets_no_preview_of_what_it_was() {
    for asks_again in [false, true] {
        let house = House::new(|_| {}).await;
        let ana = house.make(Side::Left, "ana@x.es", &[("city", "Vigo")]);
        house.run().await.unwrap();
        house.edit_draft(|settings| sync(settings, Side::Left).rules = only_from("Lugo")).await;
        house.ask_preview().await;
        house.hint(Side::Left, &ana).await;
        house
            .run_told_while(Side::Left, async {
                house
                    .edit_draft(|settings| sync(settings, Side::Left).rules = vec![Rule::default()])
                    .await;
                if asks_again {
                    house.ask_preview().await;
                }
            })
            .await
            .unwrap();
        assert!(house.preview().await.is_none());
        let of_run = house.runs().await.into_iter().find(|run| run.kind == RunKind::Preview);
        let plan = house.store.plan(house.workspace, of_run.unwrap().id).await;
        assert!(matches!(plan, Err(Error::NotFound("plan"))), "nothing is left of it");
        assert_eq!(house.is_asked().await, asks_again, "the request of the new edit stays");
        house.run().await.unwrap();
        assert_eq!(house.preview().await.is_some(), asks_again);
    }
}

#[tokio::test]
async fn a_preview_that_fails_is_over() {
    for runs in [false, true] {
        let house = House::new(|settings| {
            if !runs {
                unstarted(settings)
            }
        })
        .await;
        house.make(Side::Left, "ana@x.es", &[]);
        house.ask_preview().await;
        house.vendors.right.order_faults(1, Faults { unauthorised: 1000, ..Faults::default() });
        assert!(matches!(house.run().await, Err(RunError::App { side: Side::Right, .. })));
        assert!(!house.is_asked().await, "it is not tried for ever");
        assert!(house.preview().await.is_none());
        let all: Vec<_> = house.runs().await.iter().map(|run| (run.kind, run.state)).collect();
        assert_eq!(all.last(), Some(&(RunKind::Preview, RunState::Failed)));
        assert_eq!(
            all.len(),
            1 + usize::from(runs),
            "the live configuration is tried all the same"
        );
        assert_eq!(house.issues().await.len(), usize::from(runs), "by the run that writes");
        house.vendors.right.stop_faults();
        assert!(house.previewed().await.report.outcomes["created"] > 0);
    }
}

#[tokio::test]
async fn a_preview_that_was_cut_off_is_made_by_the_next_start() {
    let house = House::new(|settings| {
        unstarted(settings);
        for side in Side::BOTH {
            sync(settings, side).first_run = FirstRun::NewOnly;
        }
    })
    .await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.ask_preview().await;
    let before = house.standing().await;
    {
        let mut run = pin!(house.run());
        while house.last_run().await.is_none() {
            let is_pending =
                poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending()));
            assert!(is_pending.await, "it ended before it was cut off");
        }
        house.stop();
        assert!(matches!(run.await, Err(RunError::Stopped)));
    }
    assert!(house.is_asked().await);
    let house = house.restarted();
    house.run().await.unwrap();
    assert_eq!(house.preview().await.unwrap().report.skipped["baseline"], 1);
    assert_eq!(house.standing().await, before);
    let states: Vec<RunState> = house.runs().await.iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Finished, RunState::Failed]);
}

#[tokio::test]
async fn a_preview_leaves_who_was_converted_linked_as_they_are() {
    let house = House::with_leads(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    let lead = house.leads.create(fields("ana@x.es", &[]));
    house.run().await.unwrap();
    for source in Side::BOTH {
        house.cancel(source).await;
    }
    house.leads.convert(&lead, &house.vendors.right).unwrap();
    let before = house.links().await;
    let preview = house.previewed().await;
    assert_eq!(preview.report.total_writes(), 0);
    assert_eq!(preview.report.outcomes["in_sync"], 1, "as if she were the contact by now");
    assert_eq!(preview.report.outcomes.len(), 1, "and nobody else: {:?}", preview.report.outcomes);
    assert_eq!(house.links().await, before);
}
