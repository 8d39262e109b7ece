//! A database that was put back from a backup: everything that was done since is news to it.

use concord::connections::Error;
use concord::planner::{Approval, FirstRun, SyncState};
use concord::record::{Side, Value};
use concord::store::{LeaseKey, LeaseKind, Store as _, Workspace};
use std::time::Duration;

use crate::house::{House, text};

/// Everybody by address and town, on both sides.
fn told(house: &House) -> [Vec<(String, String)>; 2] {
    Side::BOTH.map(|side| {
        let city = |email: &String| house.get(side, email, "city").text();
        let emails = house.emails(side);
        emails.iter().map(|email| (email.clone(), city(email))).collect()
    })
}

fn all_new_only(settings: &mut concord::planner::Settings) {
    for side in Side::BOTH {
        settings.syncs.of_mut(side).as_mut().unwrap().first_run = FirstRun::NewOnly;
    }
}

#[tokio::test]
async fn what_was_done_since_is_recognised_and_what_is_left_to_do_waits_for_an_answer() {
    let mut house = House::new(|_| {}).await;
    for email in ["ana@x.es", "bea@x.es", "eva@x.es", "leo@x.es"] {
        house.make(Side::Left, email, &[("city", "Vigo")]);
    }
    house.run().await.unwrap();
    let backup = house.backup();
    // What was carried since: an edit, somebody new on either side, and a removal.
    house.edit(Side::Right, "ana@x.es", "city", text("Lugo"));
    house.make(Side::Left, "new@x.es", &[("city", "Noia")]);
    house.make(Side::Right, "mia@x.es", &[("city", "Foz")]);
    house.remove(Side::Left, "leo@x.es");
    house.run().await.unwrap();
    house.run().await.unwrap();
    let synced = told(&house);
    assert_eq!(synced[0].len() + 1, synced[1].len(), "who was removed is told by a tag");
    // What was not any more.
    house.edit(Side::Left, "bea@x.es", "city", text("Ares"));
    house.make(Side::Right, "late@x.es", &[("city", "Muros")]);
    let written = house.writes();
    let records = house.restore(backup).await;
    assert_eq!(records, 8, "all that the backup knew");
    house.run().await.unwrap();
    assert_eq!(house.writes(), written, "nobody has agreed to anything");
    let plan = house.plan().await.expect("somebody is asked");
    let items = house.items(plan.id).await;
    let ops: usize = items.iter().map(|item| item.item.ops.len()).sum();
    assert_eq!((items.len(), ops), (2, 2), "one edit and one person: {items:#?}");
    house.approve().await;
    for _ in 0..3 {
        house.run().await.unwrap();
    }
    assert_eq!(house.writes(), written + 2, "nothing is done twice");
    let [left, mut right] = told(&house);
    right.retain(|(email, _)| email != "leo@x.es");
    assert_eq!(left, right);
    assert!(left.contains(&("bea@x.es".into(), "Ares".into())));
    assert!(left.contains(&("ana@x.es".into(), "Lugo".into())));
    assert!(left.contains(&("late@x.es".into(), "Muros".into())));
    assert_eq!(left.len(), 6, "nobody twice: {left:?}");
}

#[tokio::test]
async fn who_was_removed_since_is_missed_though_the_app_tells_it_no_more() {
    let mut house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.make(Side::Left, "leo@x.es", &[]);
    house.run().await.unwrap();
    let backup = house.backup();
    house.remove(Side::Left, "leo@x.es");
    house.vendors.left.forget_removals();
    house.restore(backup).await;
    house.run().await.unwrap();
    assert_eq!(house.known(Side::Left).await, 1);
    let plan = house.plan().await.expect("the other side is to be told");
    assert_eq!(house.items(plan.id).await.len(), 1);
}

#[tokio::test]
async fn a_sync_of_what_is_new_keeps_its_baseline() {
    let mut house = House::new(all_new_only).await;
    house.make(Side::Left, "old@x.es", &[("city", "Vigo")]);
    house.run().await.unwrap();
    house.make(Side::Left, "new@x.es", &[("city", "Noia")]);
    house.run().await.unwrap();
    assert_eq!(house.emails(Side::Right), ["new@x.es"], "who was there before is not sent");
    let backup = house.backup();
    house.make(Side::Left, "since@x.es", &[("city", "Foz")]);
    let progress = async |house: &House| {
        house.store.connection(house.workspace, house.connection).await.unwrap().progress.left
    };
    let began = progress(&house).await.began_at();
    assert!(began.is_some());
    house.restore(backup).await;
    assert_eq!(progress(&house).await.first_run_done_at, None);
    house.run().await.unwrap();
    house.approve().await;
    house.run().await.unwrap();
    let now = progress(&house).await;
    assert_eq!(now.began_at(), began, "what is old was made before that");
    assert!(now.first_run_done_at > began);
    assert_eq!(house.emails(Side::Right), ["new@x.es", "since@x.es"]);
}

#[tokio::test]
async fn who_was_told_to_be_removed_since_is_no_edit_and_loses_the_tag_when_back() {
    let mut house = House::new(|_| {}).await;
    house.make(Side::Left, "ana@x.es", &[]);
    house.make(Side::Left, "leo@x.es", &[]);
    house.run().await.unwrap();
    let backup = house.backup();
    house.remove(Side::Left, "leo@x.es");
    house.run().await.unwrap();
    let tags = |house: &House| house.get(Side::Right, "leo@x.es", "tags").elements().len();
    assert_eq!(tags(&house), 1, "the tag that tells it");
    let written = house.writes();
    house.restore(backup).await;
    for _ in 0..2 {
        house.run().await.unwrap();
    }
    assert_eq!(house.issues().await, [], "nobody edited anything");
    assert_eq!((house.writes(), tags(&house)), (written, 1));
    house.make(Side::Left, "leo@x.es", &[]);
    house.run().await.unwrap();
    assert_eq!(tags(&house), 0);
    assert_eq!(house.get(Side::Left, "leo@x.es", "tags").elements().len(), 0);
}

#[tokio::test]
async fn many_who_were_removed_since_are_in_the_plan() {
    let mut house = House::new(|_| {}).await;
    for n in 0..20 {
        house.make(Side::Left, &format!("p{n}@x.es"), &[]);
    }
    house.run().await.unwrap();
    let backup = house.backup();
    for n in 0..9 {
        house.remove(Side::Left, &format!("p{n}@x.es"));
    }
    house.restore(backup).await;
    house.run().await.unwrap();
    let plan = house.plan().await.expect("somebody is asked");
    assert_eq!(house.items(plan.id).await.len(), 9);
    house.approve().await;
    house.run().await.unwrap();
    assert_eq!(house.ops().await.len(), 20 + 5, "those that the brake lets through in a day");
}

#[tokio::test]
async fn what_was_agreed_to_or_never_asked_before_is_asked_now() {
    for approval in [Approval::FirstRun, Approval::Never] {
        let mut house = House::new(|settings| settings.approval = approval).await;
        house.make(Side::Left, "ana@x.es", &[]);
        house.run().await.unwrap();
        if approval == Approval::FirstRun {
            house.approve().await;
            house.run().await.unwrap();
        }
        assert_eq!(house.emails(Side::Right), ["ana@x.es"]);
        let backup = house.backup();
        house.edit(Side::Left, "ana@x.es", "phone", Value::Phone("600123456".into()));
        let written = house.writes();
        house.restore(backup).await;
        house.run().await.unwrap();
        assert!(house.plan().await.is_some(), "{approval:?}");
        assert_eq!(house.writes(), written, "{approval:?}");
    }
}

#[tokio::test]
async fn what_somebody_worked_on_stays_and_what_was_never_started_is_left_alone() {
    let mut house = House::new(|_| {}).await;
    house.run().await.unwrap();
    let (workspace, id) = (house.workspace, house.connection);
    let connections = house.connections();
    connections.pause(workspace, id, Side::Left).await.unwrap();
    let edit = |settings: &mut concord::planner::Settings| {
        settings.every_minutes = 77;
        Ok(())
    };
    connections.edit(workspace, id, None, edit).await.unwrap();
    let backup = house.backup();
    house.restore(backup).await;
    let draft = house.connections().draft(workspace, id).await.unwrap();
    let live = house.store.connection(workspace, id).await.unwrap();
    assert_eq!((draft.settings.every_minutes, draft.based_on), (77, live.settings.version));
    let state = live.settings.sync(Side::Left).map(|sync| sync.state);
    assert_eq!(state, Some(SyncState::Paused), "nothing is started by it");
    assert_eq!(live.settings.approval, Approval::FirstRun);
    for side in Side::BOTH {
        house.cancel(side).await;
    }
    let before = house.store.connection(workspace, id).await.unwrap();
    assert_eq!(house.connections().after_restore("doctor").await.unwrap(), []);
    assert_eq!(house.store.connection(workspace, id).await.unwrap(), before);
}

#[tokio::test]
async fn nothing_is_changed_under_a_run() {
    let house = House::new(|_| {}).await;
    let workspace = Workspace { id: house.workspace, name: "home".into() };
    house.store.add_workspace(&workspace).await.unwrap();
    let subject = house.connection.0;
    let key = LeaseKey { workspace: workspace.id, kind: LeaseKind::Connection, subject };
    let minute = Duration::from_secs(60);
    house.store.acquire(&key, "a server", minute).await.unwrap().unwrap();
    let before = house.store.connection(workspace.id, house.connection).await.unwrap();
    let refused = house.connections().after_restore("doctor").await;
    assert!(matches!(&refused, Err(Error::Running(title)) if title == "a connection"));
    let after = house.store.connection(workspace.id, house.connection).await.unwrap();
    assert_eq!(after, before);
}
