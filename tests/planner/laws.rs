//! The laws of the engine, on one pair of records: one base, perturbed twice. Small alphabets make
//! collisions; every kind of entry is there. How often each row of the merge table decided is printed,
//! so that a law which no case ever touched can't look proved.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Mutex;

use concord::planner::{
    Cause, DeletionPolicy, FindingCode, FirstRun, Function, Item, OpKind, Outcome, Report, Row,
    Settings, Standing, SyncState, WritePolicy, plan_pair,
};
use concord::record::{Consent, PerSide, Record, Side, Value};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::world::{App, LEFT, RIGHT, Shapes, SyncShape, World, fields, same, settings, value};

#[derive(Clone, Debug)]
struct Case {
    syncs: PerSide<Option<SyncShape>>,
    preferred: Option<Side>,
    shapes: Shapes,
    left: [u8; LEFT.len()],
    right: [u8; RIGHT.len()],
    /// Whether the right record is there at first, or made by the first plan.
    both: bool,
    baseline: PerSide<bool>,
    edits: Vec<Edit>,
}

#[derive(Clone, Copy, Debug)]
struct Edit {
    side: Side,
    field: usize,
    pick: u8,
}

impl Edit {
    fn field(self) -> &'static str {
        let fields = fields(self.side);
        fields[self.field % fields.len()]
    }
}

fn sync_shape() -> impl Strategy<Value = SyncShape> {
    let state = prop_oneof![
        14 => Just(SyncState::Running),
        1 => Just(SyncState::Paused),
        1 => Just(SyncState::Draft),
    ];
    let first_run = prop_oneof![3 => Just(FirstRun::All), 1 => Just(FirstRun::NewOnly)];
    let policy = prop_oneof![3 => Just(WritePolicy::Overwrite), 1 => Just(WritePolicy::FillBlanks)];
    (state, first_run, policy, prop::bool::weighted(0.75), prop::bool::weighted(0.12)).prop_map(
        |(state, first_run, write_policy, clearing, filtered)| SyncShape {
            state,
            first_run,
            write_policy,
            deletion: DeletionPolicy::Tag,
            clearing,
            filtered,
        },
    )
}

fn shapes() -> impl Strategy<Value = Shapes> {
    prop_oneof![
        3 => Just(Shapes::ALL),
        1 => any::<[bool; 8]>().prop_map(|on| Shapes {
            names: on[0],
            priority: on[1],
            home_first: on[7],
            city: on[2],
            options: on[3],
            alias: on[4],
            tags: on[5],
            constant: on[6],
        }),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let side = || prop_oneof![Just(Side::Left), Just(Side::Right)];
    let edit = (side(), 0..9_usize, any::<u8>())
        .prop_map(|(side, field, pick)| vec![Edit { side, field, pick }]);
    // The same field on both sides, that is where it gets interesting.
    let clash =
        (prop::sample::select(vec![(2, 1), (4, 2), (5, 3), (6, 4), (0, 0)]), any::<[u8; 2]>())
            .prop_map(|((left, right), picks)| {
                let edit = |side, field, pick| Edit { side, field, pick };
                vec![edit(Side::Left, left, picks[0]), edit(Side::Right, right, picks[1])]
            });
    let few = prop::collection::vec(prop_oneof![2 => edit, 1 => clash.clone()], 0..4);
    let many = prop::collection::vec(clash, 3..10);
    let edits = prop_oneof![1 => few, 3 => many].prop_map(|edits| edits.concat());
    (
        (prop::option::weighted(0.9, sync_shape()), prop::option::weighted(0.9, sync_shape())),
        prop_oneof![4 => Just(Some(Side::Left)), 4 => Just(Some(Side::Right)), 1 => Just(None)],
        shapes(),
        any::<[u8; LEFT.len()]>(),
        any::<[u8; RIGHT.len()]>(),
        prop::bool::weighted(0.8),
        edits,
        (prop::bool::weighted(0.3), prop::bool::weighted(0.3)),
    )
        .prop_map(|((l, r), preferred, shapes, left, right, both, edits, baseline)| Case {
            syncs: PerSide { left: l, right: r },
            preferred,
            shapes,
            left,
            right,
            both,
            baseline: PerSide { left: baseline.0, right: baseline.1 },
            edits,
        })
}

impl Case {
    fn settings(&self) -> Settings {
        settings(self.syncs, self.preferred, self.shapes)
    }

    fn world(&self) -> World {
        let record = |side: Side, picks: &[u8]| {
            let mut record = Record::new("contacts", if side == Side::Left { "l" } else { "r" });
            for (field, pick) in fields(side).iter().zip(picks) {
                record.fields.insert((*field).into(), value(side, field, *pick));
            }
            record
        };
        let mut world = World::new(PerSide {
            left: Some(record(Side::Left, &self.left)),
            right: self.both.then(|| record(Side::Right, &self.right)),
        });
        world.baseline = PerSide::from_fn(|side| {
            let new_only = |sync: SyncShape| sync.first_run == FirstRun::NewOnly;
            self.syncs.of(side).is_some_and(new_only) && *self.baseline.of(side)
        });
        world
    }

    fn edit(&self, world: &mut World) {
        let no = PerSide { left: false, right: false };
        for edit in &self.edits {
            world.set(edit.side, edit.field(), value(edit.side, edit.field(), edit.pick));
            world.baseline = no;
        }
    }
}

static ROWS: Mutex<BTreeMap<Row, u64>> = Mutex::new(BTreeMap::new());

/// Plans, and counts the rows that decided. Only the plan after the edits is counted: the first is
/// all first meetings, and those that confirm are all agreements.
fn plan(settings: &Settings, world: &World) -> Item {
    let item = plan_pair(settings, &world.pair());
    let mut rows = ROWS.lock().unwrap();
    for entered in item.entries.values() {
        if let Some(row) = entered.row {
            *rows.entry(row).or_default() += 1;
        }
    }
    item
}

type Checked = Result<(), TestCaseError>;

fn check(case: &Case) -> Checked {
    let settings = case.settings();
    let mut world = case.world();
    let first = plan_pair(&settings, &world.pair());
    check_step(&settings, case, &world, &BTreeSet::new(), &first)?;
    world.apply(&first, App::Faithful);
    check_settled(&settings, case, &world, &first)?;

    let before = world.clone();
    case.edit(&mut world);
    let edited: BTreeSet<(Side, &str)> = case
        .edits
        .iter()
        .filter(|edit| before.records.of(edit.side).is_some())
        .map(|edit| (edit.side, edit.field()))
        .filter(|(side, field)| {
            let (was, is) = (before.get(*side, field), world.get(*side, field));
            !same(&settings, *side, field, &was.unwrap(), &is.unwrap())
        })
        .collect();
    let second = plan(&settings, &world);
    check_step(&settings, case, &world, &edited, &second)?;
    if world.link.is_some() {
        check_unchanged(&settings, &world, &edited, &second)?;
    }
    let mut after = world.clone();
    after.apply(&second, App::Faithful);
    check_settled(&settings, case, &after, &second)?;
    if before.link.is_some() {
        check_one_sided(&settings, case, &before, &edited, &after, &second)?;
        check_tags(case, &before, &world, &after)?;
    }
    check_gone(&settings, case, &after)?;
    check_coming_back(&settings, case, &before, after)?;
    check_strange(&settings, case)
}

/// Laws 3, 4, 5, 6, 8: about one plan.
fn check_step(
    settings: &Settings,
    case: &Case,
    world: &World,
    edited: &BTreeSet<(Side, &str)>,
    item: &Item,
) -> Checked {
    let mut report = Report::default();
    report.add(item);
    prop_assert!(report.adds_up());
    for op in &item.ops {
        let source = op.side.other();
        let sync = settings.sync(source);
        let written = op.fields.len() + op.tags.add.len() + op.tags.remove.len();
        prop_assert_eq!(written, op.decisions.len(), "law 14: one decision a write: {:?}", op);
        for decision in &op.decisions {
            let field = decision.field.as_str();
            match &decision.cause {
                Cause::Entry { entry, row } => {
                    let entry = sync.unwrap().entries.iter().find(|e| e.id == *entry).unwrap();
                    prop_assert_eq!(entry.target.as_str(), field, "law 5");
                    prop_assert_eq!(sync.unwrap().state, SyncState::Running, "law 5: paused");
                    check_fill_blanks(settings, world, op.side, op, decision)?;
                    let is_edited = edited.contains(&(op.side, field));
                    let is_name =
                        matches!(entry.function, Function::JoinName | Function::SplitName(_));
                    if is_edited && !is_name && field != "tags" {
                        check_overwrite(case, world, op.side, field, *row, decision)?;
                    }
                }
                Cause::StandIn { .. } => {
                    let before = world.get(op.side, field).unwrap_or(Value::Cleared);
                    prop_assert!(before.is_empty(), "a stand-in only fills");
                }
                Cause::Consent { .. } => {
                    prop_assert!(matches!(op.kind, OpKind::Consent | OpKind::Create));
                }
                Cause::Deletion | Cause::Reappearance => {
                    prop_assert!(false, "nobody was deleted");
                }
            }
        }
    }
    check_consent(settings, world, item)
}

/// Law 4.
fn check_fill_blanks(
    settings: &Settings,
    world: &World,
    side: Side,
    op: &concord::planner::Op,
    decision: &concord::planner::Decision,
) -> Checked {
    let policy = settings.sync(side.other()).unwrap().write_policy;
    if policy != WritePolicy::FillBlanks {
        return Ok(());
    }
    if decision.element.is_some() {
        prop_assert!(op.tags.remove.is_empty(), "law 4: a set only gains");
    } else {
        let before = world.get(side, decision.field.as_str()).unwrap_or(Value::Cleared);
        prop_assert!(before.is_empty(), "law 4: {:?} was filled", decision.field);
    }
    Ok(())
}

/// Law 3: what a person typed is replaced only by a preferred edit, or where nothing carries it back;
/// and then it is in the history.
fn check_overwrite(
    case: &Case,
    world: &World,
    side: Side,
    field: &str,
    row: Row,
    decision: &concord::planner::Decision,
) -> Checked {
    let typed = world.get(side, field).unwrap();
    // Nothing carries it back: the source's later edit replaces it by whichever row.
    let one_way = case.syncs.of(side).is_none_or(|sync| {
        sync.state != SyncState::Running
            || sync.write_policy == WritePolicy::FillBlanks
            || sync.filtered
    });
    match row {
        Row::NoMirror => {}
        Row::NonEmptyWins => prop_assert!(typed.is_empty(), "law 3: {field} was filled"),
        Row::Conflict | Row::FirstMeeting => {
            let preferred = case.preferred == Some(side.other());
            prop_assert!(preferred || one_way || typed.is_empty(), "law 3: {field} by {row:?}");
        }
        // Emptying loses against any edit. Of a priority list only a part may have been carried.
        _ => prop_assert!(typed.is_empty(), "law 3: {field} by {row:?}"),
    }
    prop_assert_eq!(decision.before.as_ref(), Some(&typed), "law 3: the history has it");
    Ok(())
}

/// Law 6: whatever else holds.
fn check_consent(settings: &Settings, world: &World, item: &Item) -> Checked {
    if item.link.is_none() {
        return Ok(());
    }
    let mut after = world.clone();
    after.apply(item, App::Faithful);
    let out = PerSide {
        left: after.get(Side::Left, "opt_out") == Some(Value::Boolean(true)),
        right: matches!(after.get(Side::Right, "consent"), Some(Value::Consent(c)) if c.forbids()),
    };
    for side in Side::BOTH {
        let was_out = match side {
            Side::Left => world.get(side, "opt_out") == Some(Value::Boolean(true)),
            Side::Right => {
                matches!(world.get(side, "consent"), Some(Value::Consent(c)) if c >= Consent::OptedOut)
            }
        };
        prop_assert!(!was_out || *out.of(side), "law 6: nothing loosens");
        if was_out && settings.running(side).is_some() {
            prop_assert!(*out.of(side.other()), "law 6: the opt-out of {side:?} travels");
        }
        if was_out && settings.running(side).is_none() && !out.of(side.other()) {
            let told = item.findings.iter().any(|f| f.code == FindingCode::ConsentHeldBack);
            prop_assert!(told, "an opt-out that stays is told");
        }
    }
    Ok(())
}

/// Law 2, first half: an entry none of whose inputs changed writes nothing.
fn check_unchanged(
    settings: &Settings,
    world: &World,
    edited: &BTreeSet<(Side, &str)>,
    item: &Item,
) -> Checked {
    let settled = world.link.as_ref().unwrap();
    let written: BTreeSet<(Side, &str)> = item
        .ops
        .iter()
        .flat_map(|op| op.decisions.iter().map(|d| (op.side, d.field.as_str())))
        .collect();
    for op in &item.ops {
        let source = op.side.other();
        for decision in &op.decisions {
            let Cause::Entry { entry, row } = &decision.cause else { continue };
            if *row == Row::FirstMeeting || !settled.bases.contains_key(entry) {
                continue;
            }
            let entry =
                settings.entries().map(|(_, e)| e).find(|known| known.id == *entry).unwrap();
            let touched = entry.inputs.iter().any(|input| {
                let place = (source, input.as_str());
                edited.contains(&place) || written.contains(&place)
            });
            // What was held before may be released when its target or its scope changes.
            let released = edited.contains(&(op.side, entry.target.as_str()))
                || edited.contains(&(source, "city"))
                || edited.contains(&(op.side, "city"));
            let was_held = settled.bases.get(&entry.id).is_some_and(|base| {
                entry.inputs.iter().zip(&base.inputs).any(|(input, value)| {
                    let now = world.get(source, input.as_str()).unwrap();
                    !same(settings, source, input.as_str(), &now, value)
                })
            });
            prop_assert!(touched || released || was_held, "law 2: {:?} wrote", entry.id);
        }
    }
    Ok(())
}

/// Law 2, second half: what changed on one side only is carried.
fn check_one_sided(
    settings: &Settings,
    case: &Case,
    before: &World,
    edited: &BTreeSet<(Side, &str)>,
    after: &World,
    item: &Item,
) -> Checked {
    for source in Side::BOTH {
        let Some(sync) = case.syncs.of(source) else { continue };
        let free = sync.state == SyncState::Running
            && sync.write_policy == WritePolicy::Overwrite
            && sync.clearing
            && !sync.filtered;
        let only_here = edited.iter().all(|(side, _)| *side == source);
        // Without a preferred side, or before the other sync is started, the first meeting may still
        // be open.
        let is_open = case.preferred.is_none()
            || case.syncs.of(source.other()).is_some_and(|sync| sync.state == SyncState::Draft);
        if !free || !only_here || is_open || before.records.of(source.other()).is_none() {
            continue;
        }
        if case.shapes.city && edited.contains(&(source, "city")) {
            let here = after.get(source, "city").unwrap();
            let there = after.get(source.other(), "city").unwrap();
            prop_assert!(
                same(settings, source, "city", &here, &there),
                "law 2: city was not carried: {here:?} {there:?} {item:?}"
            );
        }
    }
    Ok(())
}

/// Sets lose nothing: each side ends with what it had, and what the other gained, without what the
/// other lost.
fn check_tags(case: &Case, before: &World, edited: &World, after: &World) -> Checked {
    let names = |world: &World, side: Side| -> BTreeSet<String> {
        let value = world.get(side, "tags").unwrap_or(Value::Cleared);
        let names = value.elements().iter().map(|tag| concord::record::fold(&tag.text()));
        names.filter(|name| name != "from-left").collect()
    };
    if !case.shapes.tags || before.records.left.is_none() || before.records.right.is_none() {
        return Ok(());
    }
    for source in Side::BOTH {
        let target = source.other();
        let (Some(sync), back) = (case.syncs.of(source), case.syncs.of(target)) else { continue };
        // The filter looks at the city, so that both may enter or leave on the way.
        let any_filter = sync.filtered || back.is_some_and(|sync| sync.filtered);
        if sync.state != SyncState::Running || any_filter || before.baseline != PerSide::default() {
            continue;
        }
        let (was, is) = (names(before, source), names(edited, source));
        let there = names(after, target);
        for gained in is.difference(&was) {
            prop_assert!(there.contains(gained), "{gained} was not carried");
        }
        let loses = sync.clearing && sync.write_policy == WritePolicy::Overwrite;
        for lost in was.difference(&is) {
            let kept = names(edited, target).contains(lost);
            prop_assert!(there.contains(lost) == (kept && !loses), "{lost} should be gone");
        }
        for own in names(edited, target).difference(&was) {
            prop_assert!(there.contains(own), "{own} is nobody else's");
        }
    }
    Ok(())
}

/// Laws 9 and 10: at once in the planner; and law 13: every entry says how it stands.
fn check_settled(settings: &Settings, case: &Case, world: &World, item: &Item) -> Checked {
    prop_assert!(
        !matches!(item.outcome, Outcome::Failed(concord::planner::Failure::Unsettled)),
        "settles: {:?}",
        case.shapes
    );
    // An open conflict whose one side leaves its scope by the same plan is none any more after it.
    let mut world = world.clone();
    if item.outcome == Outcome::Conflict {
        let item = plan_pair(settings, &world.pair());
        world.apply(&item, App::Faithful);
    }
    let world = &world;
    let again = plan_pair(settings, &world.pair());
    prop_assert!(again.ops.is_empty(), "law 9: {:?}", again.ops);
    let both = world.records.left.is_some() && world.records.right.is_some();
    for (source, entry) in settings.entries().filter(|_| both) {
        let Some(entered) = again.entries.get(&entry.id) else { continue };
        if entered.standing != Standing::Agreed || entered.row != Some(Row::Agree) {
            continue;
        }
        if matches!(entry.function, Function::Copy)
            && entry.transforms.is_empty()
            && entry.target.as_str() == "city"
        {
            let here = world.get(source, "city").unwrap();
            let there = world.get(source.other(), "city").unwrap();
            prop_assert!(same(settings, source, "city", &here, &there), "law 13");
        }
    }
    if let Some(link) = &again.link {
        let mut quiet = world.clone();
        quiet.link = Some(link.clone());
        let third = plan_pair(settings, &quiet.pair());
        prop_assert!(third.ops.is_empty());
        prop_assert_eq!(third.link.as_ref().map(|l| &l.bases), Some(&link.bases), "law 10");
    }
    Ok(())
}

/// Laws 7 and 15: a deletion writes nothing but its tag, once, and comes back only by itself.
fn check_gone(settings: &Settings, case: &Case, world: &World) -> Checked {
    if world.link.is_none() {
        return Ok(());
    }
    // Where everything can be carried, nothing is left that could pass for an edit.
    let is_free = |sync: &Option<SyncShape>| {
        sync.is_some_and(|sync| {
            sync.state == SyncState::Running
                && sync.write_policy == WritePolicy::Overwrite
                && sync.clearing
                && !sync.filtered
        })
    };
    let is_told = is_free(&case.syncs.left)
        && is_free(&case.syncs.right)
        && case.preferred.is_some()
        && !case.shapes.options
        && !case.shapes.priority
        && !case.shapes.alias;
    for side in Side::BOTH {
        let mut gone = world.clone();
        *gone.gone.of_mut(side) = true;
        let item = plan_pair(settings, &gone.pair());
        prop_assert!(!is_told || item.outcome == Outcome::Deleted, "told: {:?}", item.findings);
        for op in &item.ops {
            prop_assert_eq!((op.side, op.kind), (side.other(), OpKind::Mark), "law 7");
            prop_assert!(op.fields.is_empty() && op.tags.remove.is_empty());
        }
        gone.apply(&item, App::Faithful);
        let again = plan_pair(settings, &gone.pair());
        prop_assert!(again.ops.is_empty(), "a deletion is told once");
        let mut back = gone.clone();
        back.link = again.link.clone();
        *back.gone.of_mut(side) = false;
        let item = plan_pair(settings, &back.pair());
        back.apply(&item, App::Faithful);
        let tags = back.get(side.other(), "tags").unwrap().text();
        let running = Side::BOTH.iter().any(|side| settings.running(*side).is_some());
        prop_assert!(!running || !tags.contains("Deleted in"), "our tag is taken back: {tags}");
        prop_assert!(!back.get(side, "tags").unwrap().text().contains("Deleted in"));
    }
    Ok(())
}

/// A third round, in which people put back what was there before the second.
fn check_coming_back(
    settings: &Settings,
    case: &Case,
    before: &World,
    mut world: World,
) -> Checked {
    let settled = plan_pair(settings, &world.pair());
    world.apply(&settled, App::Faithful);
    let mut edited = BTreeSet::new();
    for edit in &case.edits {
        let (Some(was), Some(is)) =
            (before.get(edit.side, edit.field()), world.get(edit.side, edit.field()))
        else {
            continue;
        };
        if !same(settings, edit.side, edit.field(), &was, &is) {
            world.set(edit.side, edit.field(), was);
            edited.insert((edit.side, edit.field()));
        }
    }
    let item = plan_pair(settings, &world.pair());
    check_step(settings, case, &world, &edited, &item)?;
    if world.link.is_some() {
        check_unchanged(settings, &world, &edited, &item)?;
    }
    world.apply(&item, App::Faithful);
    check_settled(settings, case, &world, &item)
}

/// Law 9 with an app that stores other forms than it is sent: quiet within two rounds.
fn check_strange(settings: &Settings, case: &Case) -> Checked {
    let mut world = case.world();
    let first = plan_pair(settings, &world.pair());
    world.apply(&first, App::Strange);
    case.edit(&mut world);
    for _ in 0..3 {
        let item = plan_pair(settings, &world.pair());
        world.apply(&item, App::Strange);
    }
    let last = plan_pair(settings, &world.pair());
    prop_assert!(last.ops.is_empty(), "law 9, strange app: {:?}", last.ops);
    Ok(())
}

#[test]
fn the_laws_hold_for_every_pair() {
    let config = crate::same_each_time(50_000);
    let cases = config.cases;
    let mut runner = TestRunner::new(Config { source_file: Some(file!()), ..config });
    let outcome = runner.run(&case(), |case| check(&case));
    let rows = ROWS.lock().unwrap().clone();
    let total: u64 = rows.values().sum();
    let mut table = format!("{cases} cases, {total} entries judged:\n");
    for row in Row::ALL {
        let share = *rows.get(&row).unwrap_or(&0) as f64 * 100.0 / total as f64;
        table.push_str(&format!("  row {} {row:?}: {share:.2} %\n", row.number()));
    }
    // Past the capture of the test harness: the shares are to be seen on every run.
    std::io::stderr().write_all(table.as_bytes()).unwrap();
    if let Err(why) = outcome {
        panic!("a law is broken: {why:?}");
    }
    for row in Row::ALL {
        let share = *rows.get(&row).unwrap_or(&0) as f64 / total as f64;
        assert!(share >= 0.01, "row {} was taken in less than 1 % of the cases", row.number());
    }
}

/// A list of two numbers, one of which is carried back, and what people do to it: each of these broke a
/// law once.
struct Played {
    filtered: PerSide<bool>,
    new_only: Side,
    fills_blanks: bool,
    preferred: Side,
    home_first: bool,
    /// Phone and number at home on the left; phone and city on the right.
    left: [u8; 2],
    right: [u8; 2],
    edits: &'static [(Side, usize, u8)],
}

impl Played {
    /// Both syncs run, and carry everything.
    const PLAIN: Self = Self {
        filtered: PerSide { left: false, right: false },
        new_only: Side::Right,
        fills_blanks: false,
        preferred: Side::Right,
        home_first: true,
        left: [0, 0],
        right: [0, 0],
        edits: &[],
    };

    fn case(&self, has_baseline: bool) -> Case {
        let sync = |source: Side| SyncShape {
            state: SyncState::Running,
            first_run: if has_baseline && self.new_only == source {
                FirstRun::NewOnly
            } else {
                FirstRun::All
            },
            write_policy: if self.fills_blanks && source == Side::Right {
                WritePolicy::FillBlanks
            } else {
                WritePolicy::Overwrite
            },
            deletion: DeletionPolicy::Tag,
            clearing: false,
            filtered: *self.filtered.of(source),
        };
        let [phone, home] = self.left;
        let [number, city] = self.right;
        let edits = self.edits.iter().map(|&(side, field, pick)| Edit { side, field, pick });
        Case {
            syncs: PerSide::from_fn(|source| Some(sync(source))),
            preferred: Some(self.preferred),
            shapes: Shapes { home_first: self.home_first, ..Shapes::ALL },
            left: [0, 0, phone, home, 0, 0, 0, 0, 0],
            right: [0, number, city, 0, 0, 0, 0],
            both: true,
            baseline: PerSide::from_fn(|side| has_baseline && side == self.new_only),
            edits: edits.collect(),
        }
    }
}

/// Phone and its list of two are emptied on both sides while the left is out of scope; then different
/// numbers are typed on both.
#[test]
fn the_laws_hold_for_a_list_that_was_emptied_out_of_scope() {
    let played = Played {
        filtered: PerSide { left: true, right: false },
        home_first: false,
        left: [143, 13],
        right: [73, 0],
        edits: &[
            (Side::Left, 4, 28),
            (Side::Right, 2, 0),
            (Side::Left, 2, 0),
            (Side::Right, 1, 0),
            (Side::Left, 2, 20),
            (Side::Right, 1, 60),
        ],
        ..Played::PLAIN
    };
    let mut case = played.case(true);
    case.left[4] = 133;
    check(&case).unwrap();
}

/// The same number is typed on both sides, and on the left another that comes first.
#[test]
fn the_laws_hold_for_a_list_whose_first_number_comes_with_one_that_both_typed() {
    let played = Played {
        left: [0, 37],
        right: [43, 0],
        edits: &[(Side::Left, 2, 60), (Side::Right, 1, 0), (Side::Left, 3, 84)],
        ..Played::PLAIN
    };
    check(&played.case(false)).unwrap();
}

/// The same, while the left comes back into scope by the same plan.
#[test]
fn the_laws_hold_for_a_list_that_comes_into_scope_by_the_plan() {
    let played = Played {
        filtered: PerSide { left: true, right: false },
        left: [0, 83],
        right: [21, 67],
        edits: &[(Side::Left, 3, 0), (Side::Right, 2, 2), (Side::Right, 1, 3)],
        ..Played::PLAIN
    };
    check(&played.case(false)).unwrap();
}

/// What was emptied on both sides is settled also where the way back only fills blanks.
#[test]
fn the_laws_hold_for_a_list_whose_way_back_fills_blanks() {
    let played = Played {
        new_only: Side::Left,
        fills_blanks: true,
        preferred: Side::Left,
        home_first: false,
        left: [43, 89],
        right: [73, 0],
        edits: &[(Side::Left, 2, 28), (Side::Right, 1, 104)],
        ..Played::PLAIN
    };
    check(&played.case(true)).unwrap();
}

/// Its target is emptied while nothing can be carried back, and the number moves from one input to the
/// other.
#[test]
fn the_laws_hold_for_a_list_that_comes_to_the_same_while_its_target_drifts() {
    let played = Played {
        filtered: PerSide { left: false, right: true },
        left: [0, 5],
        right: [3, 13],
        edits: &[
            (Side::Left, 3, 52),
            (Side::Right, 1, 72),
            (Side::Left, 2, 85),
            (Side::Left, 4, 0),
            (Side::Right, 2, 22),
        ],
        ..Played::PLAIN
    };
    check(&played.case(false)).unwrap();
}

/// The same, where the way back has not begun yet.
#[test]
fn the_laws_hold_for_a_list_whose_way_back_begins_later() {
    let played = Played {
        filtered: PerSide { left: false, right: true },
        new_only: Side::Left,
        left: [0, 165],
        right: [123, 46],
        edits: &[
            (Side::Left, 3, 252),
            (Side::Right, 1, 212),
            (Side::Left, 2, 21),
            (Side::Left, 4, 2),
        ],
        ..Played::PLAIN
    };
    let mut case = played.case(true);
    case.left[4] = 91;
    check(&case).unwrap();
}
