//! Two small apps with every kind of entry between them, and what applying a plan does to them.

use std::collections::BTreeMap;

use concord::planner::{
    Approval, Channel, Condition, ConsentChannel, ConsentPolicy, DeletionPolicy, Entry, EntryId,
    Filter, FirstRun, Function, Item, Link, Match, NamePart, Op, OpKind, Pair, Presence, Rule,
    Seen, Settings, SideSettings, StandIn, Sync, SyncState, Test, Thresholds, Transform,
    WritePolicy,
};
use concord::record::{
    Choice, Consent, Field, FieldId, FieldType, PerSide, PhoneFormat, Record, RemoteId, Revision,
    Schema, Side, Value, fold, normalise,
};

/// The fields of the left app: names in two fields, two phones.
pub const LEFT: [&str; 9] =
    ["first", "last", "phone", "home", "city", "source", "nick", "tags", "opt_out"];
/// The fields of the right app: the name in one field, permission as such, a demanded alias.
pub const RIGHT: [&str; 7] = ["full", "phone", "city", "source", "alias", "tags", "consent"];

pub fn fields(side: Side) -> &'static [&'static str] {
    match side {
        Side::Left => &LEFT,
        Side::Right => &RIGHT,
    }
}

fn schema(side: Side) -> Schema {
    let kind = |id: &str| match id {
        "phone" | "home" => FieldType::Phone,
        "source" => FieldType::Choice,
        "tags" => FieldType::Tag,
        "opt_out" => FieldType::Boolean,
        "consent" => FieldType::Consent,
        _ => FieldType::Text,
    };
    fields(side)
        .iter()
        .map(|id| Field {
            many: *id == "tags",
            required: *id == "alias",
            options: options(side, id),
            ..Field::new(*id, kind(id))
        })
        .collect()
}

fn options(side: Side, id: &str) -> BTreeMap<String, String> {
    let ids: &[&str] = match (side, id) {
        (Side::Left, "source") => &["a1", "a2", "c", "x"],
        (Side::Right, "source") => &["b", "d", "y"],
        _ => &[],
    };
    ids.iter().map(|id| ((*id).to_owned(), format!("Option {id}"))).collect()
}

/// A value of a field out of a small alphabet, so that collisions happen.
pub fn value(side: Side, field: &str, pick: u8) -> Value {
    let text = |choices: &[&str]| match choices[pick as usize % choices.len()] {
        "" => Value::Cleared,
        text => Value::Text(text.to_owned()),
    };
    match (side, field) {
        (_, "first") => text(&["Ana", "Eva", "Ana María", ""]),
        (_, "last") => text(&["Diaz", "van Dijk", "López Ruiz", ""]),
        (_, "full") => {
            text(&["Ana Diaz", "Eva Diaz", "Ana van Dijk", "Eva López Ruiz", "Ida Roth", ""])
        }
        (_, "phone" | "home") => match pick % 4 {
            0 => Value::Cleared,
            1 => Value::Phone("600 12 34 56".into()),
            2 => Value::Phone("+34600123456".into()),
            _ => Value::Phone("+34 911 23 45 67".into()),
        },
        (_, "city") => text(&["", "Sevilla", "Madrid", " Sevilla", "Bilbao", "Vigo"]),
        (_, "nick" | "alias") => text(&["", "x", "y", "z", "w"]),
        (Side::Left, "source") => choice(["", "a1", "a2", "c", "x"][pick as usize % 5]),
        (Side::Right, "source") => choice(["", "b", "d", "y"][pick as usize % 4]),
        (_, "tags") => tags(pick),
        (_, "opt_out") => {
            [Value::Cleared, Value::Boolean(false), Value::Boolean(false), Value::Boolean(true)]
                [pick as usize % 4]
                .clone()
        }
        (_, "consent") => match pick % 5 {
            0 => Value::Consent(Consent::OptedIn),
            1 => Value::Consent(Consent::OptedOut),
            2 => Value::Consent(Consent::Bounced),
            _ => Value::Cleared,
        },
        other => panic!("no field {other:?}"),
    }
}

fn choice(id: &str) -> Value {
    if id.is_empty() { Value::Cleared } else { Value::Choice(Choice::new(id)) }
}

fn tags(pick: u8) -> Value {
    let all = ["vip", "press", "VIP", "client"];
    let chosen: Vec<Value> = all
        .iter()
        .enumerate()
        .filter(|(bit, _)| pick >> bit & 1 == 1)
        .map(|(_, tag)| Value::Text((*tag).to_owned()))
        .collect();
    if chosen.is_empty() { Value::Cleared } else { Value::List(chosen) }
}

/// Which pairs of mirrored entries a mapping has.
#[derive(Clone, Copy, Debug)]
pub struct Shapes {
    pub names: bool,
    pub priority: bool,
    /// Whether the list asks for the number at home first: what is carried back is its second input.
    pub home_first: bool,
    pub city: bool,
    pub options: bool,
    pub alias: bool,
    pub tags: bool,
    pub constant: bool,
}

impl Shapes {
    pub const ALL: Self = Self {
        names: true,
        priority: true,
        home_first: false,
        city: true,
        options: true,
        alias: true,
        tags: true,
        constant: true,
    };

    fn entries(self, source: Side) -> Vec<Entry> {
        let to_right = source == Side::Left;
        let mut entries = Vec::new();
        let mut add = |target: &str, inputs: &[&str], function: Function| {
            let name = format!("{}:{target}:{}", if to_right { "lr" } else { "rl" }, entries.len());
            entries.push(Entry {
                id: EntryId(name),
                since: 0,
                objects: PerSide::default(),
                target: target.into(),
                inputs: inputs.iter().map(|input| (*input).into()).collect(),
                function,
                transforms: Vec::new(),
                fallback: Vec::new(),
            });
            entries.len() - 1
        };
        let mut phones = None;
        let mut table = None;
        let mut alias = None;
        if self.names && to_right {
            add("full", &["first", "last"], Function::JoinName);
        } else if self.names {
            add("first", &["full"], Function::SplitName(NamePart::First));
            add("last", &["full"], Function::SplitName(NamePart::Last));
        }
        if self.priority {
            phones = Some(if to_right {
                let inputs = if self.home_first { ["home", "phone"] } else { ["phone", "home"] };
                add("phone", &inputs, Function::FirstNonEmpty)
            } else {
                add("phone", &["phone"], Function::Copy)
            });
        }
        if self.city {
            add("city", &["city"], Function::Copy);
        }
        if self.options {
            table = Some(add("source", &["source"], Function::Copy));
        }
        if self.alias && to_right {
            alias = Some(add("alias", &["nick"], Function::Copy));
        } else if self.alias {
            add("nick", &["alias"], Function::Copy);
        }
        if self.tags {
            add("tags", &["tags"], Function::Copy);
        }
        if self.constant && to_right {
            let value = Value::List(vec![Value::Text("from-left".into())]);
            add("tags", &[], Function::Constant { value, when: Default::default() });
        }
        if let Some(at) = phones {
            entries[at].transforms = vec![Transform::Phone(PhoneFormat::E164)];
        }
        if let Some(at) = table {
            let pairs: &[(&str, &str)] = if to_right {
                &[("a1", "b"), ("a2", "b"), ("c", "d")]
            } else {
                &[("b", "a1"), ("d", "c")]
            };
            let pairs = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            entries[at].transforms = vec![Transform::Options(pairs)];
        }
        if let Some(at) = alias {
            entries[at].fallback = vec![StandIn::Field("first".into()), stand_in_value("none")];
        }
        entries
    }
}

fn stand_in_value(text: &str) -> StandIn {
    StandIn::Value(Value::Text(text.into()))
}

/// What can vary in a sync.
#[derive(Clone, Copy, Debug)]
pub struct SyncShape {
    pub state: SyncState,
    pub first_run: FirstRun,
    pub write_policy: WritePolicy,
    pub deletion: DeletionPolicy,
    pub clearing: bool,
    /// Lets in only people of Sevilla.
    pub filtered: bool,
}

impl SyncShape {
    fn sync(self, source: Side, shapes: Shapes) -> Sync {
        let filter = if self.filtered {
            let test = Test::Equals(Value::Text("Sevilla".into()));
            Filter::Is(Condition { field: "city".into(), test })
        } else {
            Filter::default()
        };
        Sync {
            state: self.state,
            since: 0,
            first_run: self.first_run,
            write_policy: self.write_policy,
            deletion: self.deletion,
            consent: ConsentPolicy::Tighten,
            clearing: self.clearing,
            rules: vec![Rule { filter, object: None }],
            entries: shapes.entries(source),
        }
    }
}

pub fn settings(
    syncs: PerSide<Option<SyncShape>>,
    preferred: Option<Side>,
    shapes: Shapes,
) -> Settings {
    Settings {
        version: 1,
        sides: PerSide::from_fn(|side| SideSettings {
            app: format!("{side:?}"),
            objects: vec!["contacts".into()],
            schemas: [("contacts".into(), schema(side))].into(),
            region: Some("ES".parse().unwrap()),
            users: BTreeMap::new(),
            converts: BTreeMap::new(),
            tags: Some("tags".into()),
        }),
        syncs: PerSide::from_fn(|source| syncs.of(source).map(|sync| sync.sync(source, shapes))),
        preferred,
        match_keys: vec![concord::planner::MatchKey::Email],
        avoid_duplicates: false,
        consent: vec![ConsentChannel {
            channel: Channel::Email,
            fields: PerSide { left: "opt_out".into(), right: "consent".into() },
        }],
        brake: Thresholds::default(),
        approval: Approval::Never,
        every_minutes: Settings::EVERY_MINUTES,
        cron: None,
    }
}

/// What an app does to what it is told to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// Stores it.
    Faithful,
    /// Upper-cases cities, cuts names at eight characters and drops tags it does not like.
    Strange,
}

/// The two records and what is remembered of them.
#[derive(Clone, Debug)]
pub struct World {
    pub records: PerSide<Option<Record>>,
    pub link: Option<Link>,
    pub baseline: PerSide<bool>,
    pub gone: PerSide<bool>,
    pub forbidden: PerSide<bool>,
    pub revision: u32,
}

impl World {
    pub fn new(records: PerSide<Option<Record>>) -> Self {
        let no = PerSide { left: false, right: false };
        Self { records, link: None, baseline: no, gone: no, forbidden: no, revision: 0 }
    }

    pub fn pair(&self) -> Pair {
        let both = self.records.left.is_some() && self.records.right.is_some();
        Pair {
            seen: PerSide::from_fn(|side| {
                let record = self.records.of(side).clone()?;
                let presence = match (*self.gone.of(side), *self.forbidden.of(side)) {
                    (true, _) => Presence::Gone,
                    (_, true) => Presence::Forbidden,
                    _ => Presence::Live,
                };
                Some(Seen { record, presence, became: None })
            }),
            link: self.link.clone(),
            others: PerSide::default(),
            matched: if both { Match::Unique } else { Match::Alone },
            baseline: self.baseline,
            is_old: self.baseline,
        }
    }

    pub fn get(&self, side: Side, field: &str) -> Option<Value> {
        self.records.of(side).as_ref()?.get(&field.into()).cloned()
    }

    /// A person's edit.
    pub fn set(&mut self, side: Side, field: &str, value: Value) {
        self.revision += 1;
        if let Some(record) = self.records.of_mut(side) {
            record.fields.insert(field.into(), value);
            record.revision = Some(Revision::new(self.revision.to_string()));
        }
    }

    /// Makes every write of an item, as the app would.
    pub fn apply(&mut self, item: &Item, app: App) {
        self.link = item.link.clone();
        for op in &item.ops {
            self.revision += 1;
            let revision = Revision::new(self.revision.to_string());
            self.write(op, app, &revision);
            if let Some(link) = &mut self.link {
                let tags: FieldId = "tags".into();
                for field in op.fields.keys().chain([&tags]) {
                    if let Some(sent) = link.unconfirmed.of_mut(op.side).get_mut(field) {
                        sent.revision = Some(revision.clone());
                    }
                }
            }
        }
        // Each side's revision is that of its last write: all its fields were written before it.
        if let Some(link) = &mut self.link {
            for side in Side::BOTH {
                let revision = self.records.of(side).as_ref().and_then(|r| r.revision.clone());
                for sent in link.unconfirmed.of_mut(side).values_mut() {
                    sent.revision.clone_from(&revision);
                }
                *link.written.of_mut(side) = revision;
            }
        }
    }

    fn write(&mut self, op: &Op, app: App, revision: &Revision) {
        if op.kind == OpKind::Create {
            let mut record = Record::new(op.object.clone(), RemoteId::new("made"));
            for field in fields(op.side) {
                record.fields.insert((*field).into(), Value::Cleared);
            }
            *self.records.of_mut(op.side) = Some(record);
        }
        let record = self.records.of_mut(op.side).as_mut().unwrap();
        record.revision = Some(revision.clone());
        for (field, value) in &op.fields {
            record.fields.insert(field.clone(), stored(field.as_str(), value, app));
        }
        let mut tags: Vec<Value> =
            record.get(&"tags".into()).map_or_else(Vec::new, |v| v.elements().to_vec());
        tags.retain(|tag| !op.tags.remove.iter().any(|name| fold(name) == fold(&tag.text())));
        for name in &op.tags.add {
            if app == App::Strange && name == "press" {
                continue;
            }
            tags.push(Value::Text(name.clone()));
        }
        let tags = if tags.is_empty() { Value::Cleared } else { Value::List(tags) };
        record.fields.insert("tags".into(), tags);
    }
}

fn stored(field: &str, value: &Value, app: App) -> Value {
    match (app, field, value) {
        (App::Strange, "city", Value::Text(text)) => Value::Text(text.to_uppercase()),
        (App::Strange, "full" | "first" | "last", Value::Text(text)) => {
            Value::Text(text.chars().take(8).collect::<String>().trim_end().to_owned())
        }
        _ => value.clone(),
    }
}

/// Equality in normal form.
pub fn same(settings: &Settings, side: Side, field: &str, one: &Value, other: &Value) -> bool {
    let settings = settings.sides.of(side);
    let schema = settings.schema(&"contacts".into()).unwrap();
    let field = schema.get(&field.into()).unwrap();
    let region = settings.region.as_ref();
    normalise(one, field, region) == normalise(other, field, region)
}
