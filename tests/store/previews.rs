//! What every store does with previews of drafts.

use concord::planner::Settings;
use concord::record::Side;
use concord::store::{DraftRow, Error, Held, PlanRow, PlanState, RunId, RunKind};

use crate::build::{Bench, at, settings};
use crate::history::{ended_run, item, plan};

impl Bench {
    /// An edit of the draft of which a preview is asked for.
    async fn asked(&self, expected: Option<u32>) -> DraftRow {
        let (workspace, con) = (self.workspace, self.connection);
        let edit = self.store.save_draft(workspace, con, expected, 1, &settings()).await.unwrap();
        self.store.ask_preview(workspace, con, edit).await.unwrap();
        self.store.draft(workspace, con).await.unwrap().unwrap()
    }

    /// A plan of one item that a run has made of a draft.
    async fn made(&self, held: &Held) -> RunId {
        let run = ended_run(self, held, RunKind::Preview).await;
        let building = plan(self, run, PlanState::Building);
        self.store.save_plan(held, &building).await.unwrap();
        self.store.add_plan_items(held, run, &[item(self, 1, "a")]).await.unwrap();
        run
    }

    async fn preview(&self) -> Option<PlanRow> {
        self.store.preview(self.workspace, self.connection).await.unwrap()
    }

    async fn is_asked(&self) -> bool {
        self.store.preview_asked(self.workspace, self.connection).await.unwrap()
    }

    async fn assert_gone(&self, plan: RunId) {
        let found = self.store.plan(self.workspace, plan).await;
        assert!(matches!(found, Err(Error::NotFound("plan"))), "{found:?}");
        let items = self.store.plan_items(self.workspace, plan, None, 9).await.unwrap();
        assert!(items.is_empty(), "{items:?}");
    }
}

pub async fn a_preview_is_asked_for_of_the_last_edit_only(bench: Bench) {
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let none = store.ask_preview(workspace, con, 1).await;
    assert!(matches!(none, Err(Error::Conflict)), "there is no draft");
    assert!(!bench.is_asked().await);
    let first = store.save_draft(workspace, con, None, 1, &settings()).await.unwrap();
    assert!(!bench.is_asked().await);
    let other = store.ask_preview(workspace, con, first + 1).await;
    assert!(matches!(other, Err(Error::Conflict)));
    let draft = bench.asked(Some(first)).await;
    assert!(draft.preview_asked && bench.is_asked().await);
    store.ask_preview(workspace, con, draft.edit).await.unwrap();

    store.save_draft(workspace, con, Some(draft.edit), 1, &settings()).await.unwrap();
    assert!(!bench.is_asked().await, "an edit takes it back");
    bench.asked(Some(draft.edit + 1)).await;
    store.discard_draft(workspace, con).await.unwrap();
    assert!(!bench.is_asked().await);
    bench.asked(None).await;
    store.publish(workspace, con, 1, &settings()).await.unwrap();
    assert!(!bench.is_asked().await);
}

pub async fn a_preview_takes_the_place_of_the_one_before(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let waiting = ended_run(&bench, &held, RunKind::Preview).await;
    store.save_plan(&held, &plan(&bench, waiting, PlanState::Waiting)).await.unwrap();
    let draft = bench.asked(None).await;
    let first = bench.made(&held).await;
    assert!(bench.preview().await.is_none(), "it is not the answer yet");
    assert!(store.answer_preview(&held, &draft, Some(first)).await.unwrap());
    let preview = plan(&bench, first, PlanState::Preview);
    assert_eq!(bench.preview().await, Some(preview));
    assert!(!bench.is_asked().await);

    store.ask_preview(workspace, con, draft.edit).await.unwrap();
    assert!(store.answer_preview(&held, &draft, None).await.unwrap(), "it failed");
    assert_eq!(bench.preview().await.map(|plan| plan.id), Some(first));
    assert!(!bench.is_asked().await);

    store.ask_preview(workspace, con, draft.edit).await.unwrap();
    let second = bench.made(&held).await;
    assert!(store.answer_preview(&held, &draft, Some(second)).await.unwrap());
    assert_eq!(bench.preview().await.map(|plan| plan.id), Some(second));
    assert_eq!(store.plan_items(workspace, second, None, 9).await.unwrap().len(), 1);
    bench.assert_gone(first).await;
    let found = store.waiting_plan(workspace, con).await.unwrap();
    assert_eq!(found.map(|plan| plan.id), Some(waiting), "that which waits stays");
    let hash = plan(&bench, second, PlanState::Preview).hash;
    let decided = store.decide_plan(workspace, second, &hash, true, "ana", at(9)).await;
    assert!(matches!(decided, Err(Error::Conflict)), "nobody decides upon a preview");
}

pub async fn a_preview_is_gone_with_the_edit_that_it_is_of(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    for nth in 0..3 {
        let draft = bench.asked(None).await;
        let made = bench.made(&held).await;
        assert!(store.answer_preview(&held, &draft, Some(made)).await.unwrap());
        match nth {
            0 => {
                store.save_draft(workspace, con, Some(draft.edit), 1, &settings()).await.unwrap();
                bench.assert_gone(made).await;
                store.discard_draft(workspace, con).await.unwrap();
            }
            1 => store.discard_draft(workspace, con).await.unwrap(),
            _ => assert_eq!(store.publish(workspace, con, 1, &settings()).await.unwrap(), 2),
        }
        bench.assert_gone(made).await;
        assert!(bench.preview().await.is_none());
    }
}

pub async fn a_preview_of_what_the_draft_was_is_none(bench: Bench) {
    let held = bench.hold().await;
    let (store, workspace, con) = (&bench.store, bench.workspace, bench.connection);
    let draft = bench.asked(None).await;
    let made = bench.made(&held).await;
    // Another draft, though its edits begin anew too.
    store.discard_draft(workspace, con).await.unwrap();
    let other = Settings { preferred: Some(Side::Right), ..settings() };
    let edit = store.save_draft(workspace, con, None, 1, &other).await.unwrap();
    store.ask_preview(workspace, con, edit).await.unwrap();
    assert_eq!(edit, draft.edit);
    assert!(!store.answer_preview(&held, &draft, Some(made)).await.unwrap());
    assert!(bench.preview().await.is_none());
    assert!(bench.is_asked().await, "the request of the other stays");
    bench.assert_gone(made).await;
    store.discard_draft(workspace, con).await.unwrap();
    assert!(!store.answer_preview(&held, &draft, None).await.unwrap());
    store.release(&held).await.unwrap();
    let fenced = store.answer_preview(&held, &draft, None).await;
    assert!(matches!(fenced, Err(Error::Fenced)));
}
