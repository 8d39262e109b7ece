//! Runs `cases/*.yaml`. Each case is a table row that a non-programmer can read: how things stood
//! (`base`, planned and written until quiet), what people did since (`left`, `right`), and what is
//! expected to be written on each side, exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use concord::planner::{
    DeletionPolicy, FirstRun, Item, Op, OpKind, SyncState, WritePolicy, plan_pair,
};
use concord::record::{Choice, Consent, PerSide, Record, Side, Value};
use serde::Deserialize;

use crate::world::{App, Shapes, SyncShape, World, fields, settings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    #[serde(default)]
    policy: Policy,
    /// Both sides as they were when they were last the same, or at the first run.
    #[serde(default)]
    base: Option<Sides>,
    /// What people did since, or the records as they meet.
    #[serde(default)]
    left: Option<Fields>,
    #[serde(default)]
    right: Option<Fields>,
    #[serde(default)]
    gone: BTreeSet<Side>,
    /// Sides whose record is out of reach, or was not seen at all.
    #[serde(default)]
    forbidden: BTreeSet<Side>,
    #[serde(default)]
    missing: BTreeSet<Side>,
    /// Fields that were not read, as `right.city`.
    #[serde(default)]
    unread: BTreeSet<String>,
    /// That nothing changed since a NEW_ONLY sync began.
    #[serde(default)]
    baseline: bool,
    expect: Expect,
}

type Fields = BTreeMap<String, Option<Scalar>>;

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sides {
    left: Fields,
    right: Fields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    /// The sync that reads the left side, and the one that reads the right.
    left: SyncPolicy,
    right: SyncPolicy,
    preferred: Option<Side>,
    shapes: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            left: SyncPolicy::default(),
            right: SyncPolicy::default(),
            preferred: Some(Side::Left),
            shapes: ["names", "priority", "city", "options", "tags"].map(String::from).to_vec(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SyncPolicy {
    state: Option<SyncState>,
    none: bool,
    first_run: FirstRun,
    write: WritePolicy,
    deletion: DeletionPolicy,
    clearing: bool,
    only_sevilla: bool,
}

impl Default for SyncPolicy {
    fn default() -> Self {
        Self {
            state: None,
            none: false,
            first_run: FirstRun::All,
            write: WritePolicy::Overwrite,
            deletion: DeletionPolicy::Tag,
            clearing: true,
            only_sevilla: false,
        }
    }
}

impl SyncPolicy {
    fn shape(&self) -> Option<SyncShape> {
        (!self.none).then(|| SyncShape {
            state: self.state.unwrap_or(SyncState::Running),
            first_run: self.first_run,
            write_policy: self.write,
            deletion: self.deletion,
            clearing: self.clearing,
            filtered: self.only_sevilla,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    outcome: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    left: Fields,
    #[serde(default)]
    right: Fields,
    #[serde(default)]
    findings: BTreeSet<String>,
    /// Entry (sync and target, such as `lr:city`) to the row that decided.
    #[serde(default)]
    rows: BTreeMap<String, u8>,
    /// The link afterwards.
    #[serde(default)]
    link: Option<String>,
}

fn shapes(names: &[String]) -> Shapes {
    let has = |name: &str| names.iter().any(|known| known == name);
    for name in names {
        assert!(
            ["names", "priority", "home_first", "city", "options", "alias", "tags", "constant"]
                .contains(&name.as_str()),
            "no shape {name}"
        );
    }
    Shapes {
        names: has("names"),
        priority: has("priority"),
        home_first: has("home_first"),
        city: has("city"),
        options: has("options"),
        alias: has("alias"),
        tags: has("tags"),
        constant: has("constant"),
    }
}

fn parse(field: &str, value: Option<&Scalar>) -> Value {
    let text = match value {
        None => return Value::Cleared,
        Some(Scalar::List(tags)) => {
            return Value::List(tags.iter().cloned().map(Value::Text).collect());
        }
        Some(Scalar::Text(text)) => text.clone(),
    };
    match field {
        "phone" | "home" => Value::Phone(text),
        "source" => Value::Choice(Choice::new(text)),
        "opt_out" => Value::Boolean(text == "yes"),
        "consent" => Value::Consent(match text.as_str() {
            "opted_in" => Consent::OptedIn,
            "opted_out" => Consent::OptedOut,
            "bounced" => Consent::Bounced,
            other => panic!("no consent {other}"),
        }),
        _ => Value::Text(text),
    }
}

fn record(side: Side, given: &Fields) -> Record {
    let mut record = Record::new("contacts", if side == Side::Left { "l" } else { "r" });
    for name in given.keys() {
        assert!(fields(side).contains(&name.as_str()), "{side:?} has no field {name}");
    }
    for field in fields(side) {
        let value = given.get(*field).and_then(Option::as_ref);
        record.fields.insert((*field).into(), parse(field, value));
    }
    record
}

/// What an item writes on a side, in the form of the cases: tags as `tags+` and `tags-`.
fn writes(item: &Item, side: Side) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for op in item.ops.iter().filter(|op| op.side == side) {
        for (field, value) in &op.fields {
            let shown = match value {
                Value::Boolean(true) => "yes".to_owned(),
                other => other.text(),
            };
            assert!(all.insert(field.to_string(), shown).is_none(), "{field} is written twice");
        }
        for (name, tags) in [("tags+", &op.tags.add), ("tags-", &op.tags.remove)] {
            if !tags.is_empty() {
                all.insert(name.to_owned(), tags.join(", "));
            }
        }
    }
    all
}

fn expected(fields: &Fields) -> BTreeMap<String, String> {
    let show = |value: &Option<Scalar>| match value {
        None => String::new(),
        Some(Scalar::Text(text)) => text.clone(),
        Some(Scalar::List(tags)) => tags.join(", "),
    };
    fields.iter().map(|(field, value)| (field.clone(), show(value))).collect()
}

fn run(case: &Case) {
    let policy = &case.policy;
    let syncs = PerSide { left: policy.left.shape(), right: policy.right.shape() };
    let settings = settings(syncs, policy.preferred, shapes(&policy.shapes));
    let mut world = match &case.base {
        Some(base) => {
            let mut world = World::new(PerSide {
                left: Some(record(Side::Left, &base.left)),
                right: Some(record(Side::Right, &base.right)),
            });
            world.baseline = PerSide { left: case.baseline, right: case.baseline };
            let item = plan_pair(&settings, &world.pair());
            world.apply(&item, App::Faithful);
            let again = plan_pair(&settings, &world.pair());
            assert!(again.ops.is_empty(), "the base is not quiet");
            world.apply(&again, App::Faithful);
            world.baseline = PerSide { left: false, right: false };
            for (side, edits) in [(Side::Left, &case.left), (Side::Right, &case.right)] {
                for (field, value) in edits.iter().flatten() {
                    world.set(side, field, parse(field, value.as_ref()));
                }
            }
            world
        }
        None => {
            let mut world = World::new(PerSide {
                left: case.left.as_ref().map(|fields| record(Side::Left, fields)),
                right: case.right.as_ref().map(|fields| record(Side::Right, fields)),
            });
            world.baseline = PerSide { left: case.baseline, right: case.baseline };
            world
        }
    };
    world.gone = PerSide::from_fn(|side| case.gone.contains(&side));
    world.forbidden = PerSide::from_fn(|side| case.forbidden.contains(&side));
    for name in &case.unread {
        let (side, field) = name.split_once('.').unwrap();
        let side = if side == "left" { Side::Left } else { Side::Right };
        world.records.of_mut(side).as_mut().unwrap().fields.remove(&field.into());
    }
    for side in &case.missing {
        *world.records.of_mut(*side) = None;
    }
    let item = plan_pair(&settings, &world.pair());
    assert_eq!(item.outcome.name(), case.expect.outcome, "outcome: {:?}", item.outcome);
    if let Some(reason) = &case.expect.reason {
        let said = serde_json::to_string(&item.outcome).unwrap();
        assert!(said.contains(reason.as_str()), "reason: {said}");
    }
    assert_eq!(writes(&item, Side::Left), expected(&case.expect.left), "left");
    assert_eq!(writes(&item, Side::Right), expected(&case.expect.right), "right");
    let findings: BTreeSet<String> = item
        .findings
        .iter()
        .map(|finding| serde_json::to_value(finding.code).unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(findings, case.expect.findings, "findings");
    for (entry, row) in &case.expect.rows {
        let taken = item.entries.iter().find(|(id, _)| id.0.starts_with(entry.as_str()));
        let (_, entered) = taken.unwrap_or_else(|| panic!("no entry {entry}"));
        assert_eq!(entered.row.map(concord::planner::Row::number), Some(*row), "row of {entry}");
    }
    if let Some(state) = &case.expect.link {
        let link = item.link.as_ref().map(|link| serde_json::to_value(link.state).unwrap());
        assert_eq!(link, Some(serde_json::Value::String(state.clone())), "link");
    }
    // Permission travels alone and first.
    let consent = item.ops.iter().position(|op: &Op| op.kind == OpKind::Consent);
    assert!(consent.is_none_or(|at| at == 0 || item.ops[at - 1].kind == OpKind::Consent));
    world.apply(&item, App::Faithful);
    let again = plan_pair(&settings, &world.pair());
    assert!(again.ops.is_empty(), "planned again, it still writes: {:?}", again.ops);
}

#[test]
fn every_case_comes_out_as_its_row_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planner/cases");
    let mut count = 0;
    let mut failed = Vec::new();
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Vec<Case> =
            serde_saphyr::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        for case in cases {
            count += 1;
            let name = format!("{}: {}", path.file_name().unwrap().display(), case.case);
            let run = std::panic::AssertUnwindSafe(|| run(&case));
            if std::panic::catch_unwind(run).is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "of {count} cases these failed: {failed:#?}");
    assert!(count >= 50, "only {count} cases were found");
}
