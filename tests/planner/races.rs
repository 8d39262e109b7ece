//! What people do to tags between our reading and our writing, and while an answer is lost.

use concord::planner::{
    DeletionPolicy, FirstRun, Item, Op, OpKind, SyncState, WritePolicy, plan_pair,
};
use concord::record::{Field, FieldType, PerSide, Record, Side, Value, normalise};

use crate::world::{App, Shapes, SyncShape, World, fields, settings};

const TAGS: Shapes = Shapes {
    names: false,
    priority: false,
    home_first: false,
    city: true,
    options: false,
    alias: false,
    tags: true,
    constant: false,
};

fn both_ways() -> concord::planner::Settings {
    both_ways_of(TAGS)
}

fn both_ways_of(shapes: Shapes) -> concord::planner::Settings {
    let shape = SyncShape {
        state: SyncState::Running,
        first_run: FirstRun::All,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Tag,
        clearing: true,
        filtered: false,
    };
    settings(PerSide { left: Some(shape), right: Some(shape) }, Some(Side::Left), shapes)
}

fn tags(names: &[&str]) -> Value {
    match names {
        [] => Value::Cleared,
        names => Value::List(names.iter().map(|name| Value::Text((*name).to_owned())).collect()),
    }
}

fn world(left: &[&str], right: &[&str]) -> World {
    let record = |side: Side, names: &[&str]| {
        let mut record = Record::new("contacts", if side == Side::Left { "l" } else { "r" });
        for field in fields(side) {
            record.fields.insert((*field).into(), Value::Cleared);
        }
        record.fields.insert("tags".into(), tags(names));
        record
    };
    World::new(PerSide {
        left: Some(record(Side::Left, left)),
        right: Some(record(Side::Right, right)),
    })
}

/// Plans and writes until nothing is left to do.
fn settle(world: &mut World) {
    settle_by(&both_ways(), world);
}

fn settle_by(settings: &concord::planner::Settings, world: &mut World) {
    for _ in 0..4 {
        let item = plan_pair(settings, &world.pair());
        world.apply(&item, App::Faithful);
    }
    let last = plan_pair(settings, &world.pair());
    assert!(last.ops.is_empty(), "{:?}", last.ops);
}

fn names(world: &World, side: Side) -> Vec<String> {
    let value = world.get(side, "tags").unwrap();
    let mut names: Vec<String> = value.elements().iter().map(Value::text).collect();
    names.sort();
    names
}

fn the_op(item: &Item, side: Side, kind: OpKind) -> Op {
    item.ops.iter().find(|op| op.side == side && op.kind == kind).unwrap().clone()
}

/// The app made it; its answer never came. The record is looked up, and stands as it was sent.
fn look_up(settings: &concord::planner::Settings, world: &mut World, item: &Item, op: &Op) {
    let planned = item.link.clone().unwrap().planned_for(settings, op.side, [].iter());
    let record = world.records.of(op.side).as_ref().unwrap();
    world.link.as_mut().unwrap().recover(&planned, settings, op, record);
}

#[test]
fn a_tag_taken_away_just_before_our_write_is_taken_away_on_the_other_side_too() {
    let mut world = world(&["vip"], &["press"]);
    let item = plan_pair(&both_ways(), &world.pair());
    world.set(Side::Left, "tags", Value::Cleared);
    world.apply(&item, App::Faithful);
    assert_eq!(names(&world, Side::Left), ["press"]);
    assert_eq!(names(&world, Side::Right), ["press", "vip"]);
    settle(&mut world);
    assert_eq!(names(&world, Side::Left), ["press"]);
    assert_eq!(names(&world, Side::Right), ["press"]);
}

#[test]
fn a_tag_that_the_app_does_not_keep_is_not_taken_from_the_other_side() {
    let mut world = world(&["vip"], &["press"]);
    for _ in 0..4 {
        let item = plan_pair(&both_ways(), &world.pair());
        world.apply(&item, App::Strange);
    }
    assert_eq!(names(&world, Side::Left), ["vip"]);
    assert_eq!(names(&world, Side::Right), ["press", "vip"]);
}

/// Writes a city to the right, where it is another one when it is read, with the revision of the write.
fn read_back_as(city: &str) -> World {
    let mut world = world(&[], &[]);
    settle(&mut world);
    world.set(Side::Left, "city", Value::Text("Sevilla".into()));
    let item = plan_pair(&both_ways(), &world.pair());
    world.apply(&item, App::Faithful);
    let record = world.records.right.as_mut().unwrap();
    record.fields.insert("city".into(), Value::Text(city.into()));
    settle(&mut world);
    world
}

#[test]
fn an_edit_in_the_second_of_our_write_travels() {
    let world = read_back_as("Vigo");
    assert_eq!(world.get(Side::Left, "city"), Some(Value::Text("Vigo".into())));
}

#[test]
fn what_the_app_made_of_our_value_stays_there() {
    for form in ["SEVILLA", "Sevil", "sevilla."] {
        let world = read_back_as(form);
        assert_eq!(world.get(Side::Left, "city"), Some(Value::Text("Sevilla".into())), "{form}");
        assert_eq!(world.get(Side::Right, "city"), Some(Value::Text(form.into())));
    }
}

#[test]
fn a_tag_put_back_after_we_took_it_away_travels_though_our_answer_was_lost() {
    let settings = both_ways();
    let mut world = world(&["press", "vip"], &["press", "vip"]);
    settle(&mut world);
    world.set(Side::Left, "tags", tags(&["vip"]));
    let item = plan_pair(&settings, &world.pair());
    let op = the_op(&item, Side::Right, OpKind::Tags);
    assert_eq!(op.tags.remove, ["press"]);

    world.set(Side::Right, "tags", tags(&["vip"]));
    look_up(&settings, &mut world, &item, &op);

    world.set(Side::Right, "tags", tags(&["press"]));
    settle(&mut world);
    assert_eq!(names(&world, Side::Left), ["press"]);
    assert_eq!(names(&world, Side::Right), ["press"]);
}

#[test]
fn a_part_of_a_name_that_is_taken_away_again_travels_though_our_answer_was_lost() {
    let settings = both_ways_of(Shapes { names: true, ..TAGS });
    let text = |text: &str| Value::Text(text.into());
    let mut world = world(&[], &[]);
    world.set(Side::Left, "first", text("Ana"));
    settle_by(&settings, &mut world);
    assert_eq!(world.get(Side::Right, "full"), Some(text("Ana")));
    world.set(Side::Right, "full", text("Ana Diaz"));
    let item = plan_pair(&settings, &world.pair());
    let op = the_op(&item, Side::Left, OpKind::Fields);
    assert_eq!(op.fields.len(), 1, "only the last name is missing: {op:?}");

    world.set(Side::Left, "last", text("Diaz"));
    look_up(&settings, &mut world, &item, &op);

    world.set(Side::Left, "last", Value::Cleared);
    settle_by(&settings, &mut world);
    assert_eq!(world.get(Side::Right, "full"), Some(text("Ana")));
    assert_eq!(world.get(Side::Left, "last"), Some(Value::Cleared));
}

#[test]
fn a_value_typed_in_the_form_that_the_app_had_given_it_travels_though_our_answer_was_lost() {
    let settings = both_ways();
    let text = |text: &str| Value::Text(text.into());
    let mut world = world(&[], &[]);
    world.set(Side::Left, "city", text("Vigo"));
    // The app shouts, and is known for it.
    world.apply(&plan_pair(&settings, &world.pair()), App::Strange);
    let sent = world.link.as_mut().unwrap().unconfirmed.right.get_mut(&"city".into()).unwrap();
    sent.expected = Some(normalise(&text("VIGO"), &Field::new("city", FieldType::Text), None));

    // Before that was read, a person empties it; and types it again while our answer is lost.
    world.set(Side::Right, "city", Value::Cleared);
    let item = plan_pair(&settings, &world.pair());
    let op = the_op(&item, Side::Left, OpKind::Fields);
    world.set(Side::Left, "city", Value::Cleared);
    look_up(&settings, &mut world, &item, &op);
    world.set(Side::Right, "city", text("VIGO"));
    settle(&mut world);
    assert_eq!(world.get(Side::Left, "city"), Some(text("VIGO")));
}

/// One op of an item lands; what else it had to write is still due when the run is cut off.
fn land(settings: &concord::planner::Settings, world: &mut World, item: &Item, op: &Op) {
    let mut landed = item.clone();
    landed.ops = vec![op.clone()];
    let link = item.link.clone().unwrap();
    let known = world.link.take();
    landed.link = Some(known.unwrap_or_else(|| link.untouched_by(settings, &item.ops)));
    world.apply(&landed, App::Faithful);
    let due = item.ops.iter().filter(|due| *due != op);
    let planned = link.planned_for(settings, op.side, due);
    let record = world.records.of(op.side).as_ref().unwrap();
    world.link.as_mut().unwrap().recover(&planned, settings, op, record);
}

#[test]
fn a_part_of_a_name_that_agreed_without_a_write_is_agreed_though_the_rest_was_cut_off() {
    let settings = both_ways_of(Shapes { names: true, ..TAGS });
    let text = |text: &str| Value::Text(text.into());
    let mut world = world(&[], &[]);
    world.set(Side::Right, "full", text("Eva van Dijk"));
    settle_by(&settings, &mut world);
    world.set(Side::Left, "first", text("Ana"));
    world.set(Side::Left, "tags", tags(&["vip"]));
    world.set(Side::Right, "full", text("Ana Diaz"));
    let item = plan_pair(&settings, &world.pair());
    let op = the_op(&item, Side::Left, OpKind::Fields);
    assert_eq!(op.fields.len(), 1, "the first name is the same by now: {op:?}");
    land(&settings, &mut world, &item, &op);

    world.set(Side::Right, "full", text("Eva van Dijk"));
    settle_by(&settings, &mut world);
    assert_eq!(world.get(Side::Left, "first"), Some(text("Eva")));
    assert_eq!(world.get(Side::Left, "last"), Some(text("van Dijk")));
}

#[test]
fn a_tag_that_was_still_to_be_carried_is_not_agreed_on_when_the_rest_was_cut_off() {
    let settings = both_ways();
    let mut world = world(&["press"], &["vip"]);
    let item = plan_pair(&settings, &world.pair());
    let op = the_op(&item, Side::Left, OpKind::Tags);
    land(&settings, &mut world, &item, &op);
    // Ours never came to the right; a person puts it there, and another takes it away on the left.
    world.set(Side::Right, "tags", tags(&["press", "vip"]));
    world.set(Side::Left, "tags", tags(&["vip"]));
    settle(&mut world);
    assert_eq!(names(&world, Side::Left), names(&world, Side::Right));
}

#[test]
fn a_constant_tag_stays_though_the_answer_was_lost() {
    let settings = both_ways_of(Shapes { constant: true, ..TAGS });
    let mut world = world(&["vip"], &["vip"]);
    settle(&mut world);
    let item = plan_pair(&settings, &world.pair());
    let op = the_op(&item, Side::Right, OpKind::Tags);
    land(&settings, &mut world, &item, &op);
    let constant = op.tags.add[0].clone();
    settle_by(&settings, &mut world);
    assert!(names(&world, Side::Right).contains(&constant), "{:?}", names(&world, Side::Right));
}
