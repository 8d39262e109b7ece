//! What a person has decided about a connection, complete with what the two accounts say of
//! themselves: everything the planner may know beside the records.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::brake::Thresholds;
use super::filter::{Filter, Verdict};
use super::mapping::Entry;
use crate::record::{FieldId, FieldType, ObjectName, PerSide, Record, Region, Schema, Side};

/// An entry of a mapping, unique within its connection.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub String);

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl EntryId {
    /// The id of a new entry of the sync that reads `source`.
    #[must_use]
    pub fn new(source: Side, objects: &PerSide<Option<ObjectName>>, target: &str) -> Self {
        let direction = match source {
            Side::Left => "right",
            Side::Right => "left",
        };
        let objects = objects.iter().filter_map(|(_, object)| object.as_ref());
        let objects: String = objects.map(|object| format!("{object}.")).collect();
        Self(format!("{direction}.{objects}{target}"))
    }
}

impl From<&str> for EntryId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

/// A connection as it is planned: one version of its configuration and both accounts' descriptions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The number of this configuration version.
    pub version: u32,
    /// What is known of each side.
    pub sides: PerSide<SideSettings>,
    /// The syncs, by the side that they read. One or both.
    pub syncs: PerSide<Option<Sync>>,
    /// Whose value stands where both have one: at first meetings and in conflicts.
    #[serde(default)]
    pub preferred: Option<Side>,
    /// What people are recognised by, strongest first.
    #[serde(default = "default_match_keys")]
    pub match_keys: Vec<MatchKey>,
    /// Whether records that carry none of the match keys are left out.
    #[serde(default = "yes")]
    pub avoid_duplicates: bool,
    /// Where marketing permission is kept, per channel.
    #[serde(default)]
    pub consent: Vec<ConsentChannel>,
    /// How much a run may do before it asks.
    #[serde(default)]
    pub brake: Thresholds,
    /// What a person has to agree to before it is written.
    #[serde(default)]
    pub approval: Approval,
    /// How often the connection runs by itself, in minutes.
    #[serde(default = "Settings::every_minutes")]
    pub every_minutes: u32,
    /// When it does, by the clock on the wall, in place of every so many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
}

/// A schedule by the clock on the wall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cron {
    /// Minute, hour, day, month and weekday, such as `0 6,12,18 * * *`.
    pub expression: String,
    /// The name of the clock's zone in the IANA database, such as `Europe/Madrid`.
    pub time_zone: String,
}

/// What a person has to agree to before it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Approval {
    /// Nothing.
    Never,
    /// The first run of each sync.
    #[default]
    FirstRun,
}

fn default_match_keys() -> Vec<MatchKey> {
    vec![MatchKey::Email]
}

fn yes() -> bool {
    true
}

impl Settings {
    /// How often a connection runs by itself where nobody says otherwise, in minutes.
    pub const EVERY_MINUTES: u32 = 5;

    fn every_minutes() -> u32 {
        Self::EVERY_MINUTES
    }

    /// The sync that reads `source`.
    #[must_use]
    pub fn sync(&self, source: Side) -> Option<&Sync> {
        self.syncs.of(source).as_ref()
    }

    /// That sync, if it may write.
    #[must_use]
    pub fn running(&self, source: Side) -> Option<&Sync> {
        self.sync(source).filter(|sync| sync.state == SyncState::Running)
    }

    /// Every entry with the side that it reads, left to right first.
    pub fn entries(&self) -> impl Iterator<Item = (Side, &Entry)> {
        Side::BOTH.into_iter().flat_map(move |source| {
            self.sync(source).into_iter().flat_map(|sync| &sync.entries).map(move |e| (source, e))
        })
    }

    /// The object of which the partner of a record is made on `side`: the one that a rule names; else the
    /// side's first.
    #[must_use]
    pub fn object_for(&self, side: Side, record: &Record) -> Option<&ObjectName> {
        self.route(side, record).or_else(|| self.sides.of(side).objects.first())
    }

    /// The object that the first rule which lets a record in names for its partner on `side`; none, if it
    /// names none.
    #[must_use]
    pub fn route(&self, side: Side, record: &Record) -> Option<&ObjectName> {
        let from = self.sides.of(side.other());
        let schema = from.schema(&record.object)?;
        let lets_in =
            |rule: &&Rule| rule.filter.judge(record, schema, from.region.as_ref()) == Verdict::In;
        self.sync(side.other())?.rules.iter().find(lets_in)?.object.as_ref()
    }

    /// What records of an object become by the rules that make their partners of `side` something else;
    /// none where no rule names an object, or the app has no way there.
    #[must_use]
    pub fn becomes(&self, side: Side, object: &ObjectName) -> Option<&ObjectName> {
        let to = self.sides.of(side).converts.get(object)?;
        let mut rules = self.sync(side.other())?.rules.iter();
        rules.any(|rule| rule.object.as_ref() == Some(to)).then_some(to)
    }

    /// These settings as they are for a pair of these objects: with the entries that are for them.
    #[must_use]
    pub fn between(&self, objects: PerSide<Option<&ObjectName>>) -> Cow<'_, Self> {
        let is_for = |entry: &Entry| {
            entry.objects.iter().all(|(side, only)| {
                let only = only.as_ref();
                only.is_none_or(|only| objects.of(side).is_none_or(|object| only == object))
            })
        };
        if self.entries().all(|(_, entry)| is_for(entry)) {
            return Cow::Borrowed(self);
        }
        let mut settings = self.clone();
        for side in Side::BOTH {
            if let Some(sync) = settings.syncs.of_mut(side) {
                sync.entries.retain(is_for);
            }
        }
        Cow::Owned(settings)
    }

    /// The entries of the other sync that read what this one writes and write what it reads.
    pub fn mirrors<'a>(
        &'a self,
        source: Side,
        entry: &'a Entry,
    ) -> impl Iterator<Item = &'a Entry> {
        let opposite = self.sync(source.other()).map_or(&[][..], |sync| &sync.entries);
        opposite.iter().filter(move |other| {
            other.inputs.contains(&entry.target) && entry.inputs.contains(&other.target)
        })
    }
}

/// One side of a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SideSettings {
    /// The app's name as people know it, used in the tag `Deleted in <app>`.
    pub app: String,
    /// Its objects in order of preference. New records are made in the first, unless a rule says
    /// otherwise; of several records of one person that of the first is kept the same.
    pub objects: Vec<ObjectName>,
    /// The fields of each object.
    pub schemas: BTreeMap<ObjectName, Schema>,
    /// The country by which its numbers without a country code are read.
    #[serde(default)]
    pub region: Option<Region>,
    /// Its users: e-mail address in normal form to id.
    #[serde(default)]
    pub users: BTreeMap<String, String>,
    /// What the app can make of records of an object, by its own way.
    #[serde(default)]
    pub converts: BTreeMap<ObjectName, ObjectName>,
    /// The field that holds the tags, where the app has tags.
    #[serde(default)]
    pub tags: Option<FieldId>,
}

impl SideSettings {
    /// The fields of one object; none where the account does not have it.
    #[must_use]
    pub fn schema(&self, object: &ObjectName) -> Option<&Schema> {
        self.schemas.get(object)
    }

    /// Its objects with their fields, in order of preference.
    pub fn described(&self) -> impl Iterator<Item = (&ObjectName, &Schema)> {
        self.objects.iter().filter_map(|object| Some((object, self.schema(object)?)))
    }

    /// The place of an object in its order of preference; behind all others, if it has it not.
    #[must_use]
    pub fn rank(&self, object: &ObjectName) -> usize {
        self.objects.iter().position(|own| own == object).unwrap_or(self.objects.len())
    }
}

/// Whether a sync writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SyncState {
    /// Never started.
    Draft,
    /// Writing.
    Running,
    /// Stopped by a person; reads go on.
    Paused,
}

/// What a sync sends of what is there when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FirstRun {
    /// Everything in scope.
    All,
    /// Nothing: only what is new or changes from then on.
    NewOnly,
}

/// Whether a sync replaces values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WritePolicy {
    /// It does.
    Overwrite,
    /// It only fills empty fields, and only adds to sets; for the life of the sync.
    FillBlanks,
}

/// What a deletion on the read side does on the written side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeletionPolicy {
    /// Nothing.
    Ignore,
    /// The partner gets the tag `Deleted in <app>`.
    Tag,
}

/// How marketing permission travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentPolicy {
    /// An opt-out reaches the other side, whatever else holds; nothing is ever loosened.
    Tighten,
    /// It does not travel.
    None,
}

/// One direction of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sync {
    /// Whether it writes.
    pub state: SyncState,
    /// The configuration version in which it was last taken back to before its start, or added later;
    /// 0 if it never was. How far it had come before counts no more.
    #[serde(default)]
    pub since: u32,
    /// What it sends of what is there at its start.
    #[serde(default = "SyncDefaults::first_run")]
    pub first_run: FirstRun,
    /// Whether it replaces values.
    #[serde(default = "SyncDefaults::write_policy")]
    pub write_policy: WritePolicy,
    /// What deletions do.
    #[serde(default = "SyncDefaults::deletion")]
    pub deletion: DeletionPolicy,
    /// How permission travels.
    #[serde(default = "SyncDefaults::consent")]
    pub consent: ConsentPolicy,
    /// Whether emptying a field empties its target.
    #[serde(default = "yes")]
    pub clearing: bool,
    /// A record is in scope if any of these lets it in. At least one; an empty one lets all in.
    #[serde(default = "SyncDefaults::rules")]
    pub rules: Vec<Rule>,
    /// The mapping.
    pub entries: Vec<Entry>,
}

struct SyncDefaults;

impl SyncDefaults {
    fn first_run() -> FirstRun {
        FirstRun::NewOnly
    }
    fn write_policy() -> WritePolicy {
        WritePolicy::Overwrite
    }
    fn deletion() -> DeletionPolicy {
        DeletionPolicy::Tag
    }
    fn consent() -> ConsentPolicy {
        ConsentPolicy::Tighten
    }
    fn rules() -> Vec<Rule> {
        vec![Rule::default()]
    }
}

/// IF a filter, THEN an object. What it lets in is in scope of its sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Which records.
    #[serde(default)]
    pub filter: Filter,
    /// The object of which their partners are made; the first of the other side, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectName>,
}

/// What people are recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MatchKey {
    /// Any e-mail address of both.
    Email,
    /// Any phone number of both, if one of the two has no e-mail or their names agree.
    Phone,
}

impl MatchKey {
    /// The type of the fields that hold it.
    #[must_use]
    pub fn field_type(self) -> FieldType {
        match self {
            Self::Email => FieldType::Email,
            Self::Phone => FieldType::Phone,
        }
    }
}

/// A way to reach people for which they give permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// E-mail.
    Email,
    /// Calls and short messages.
    Phone,
}

/// Where the permission for one channel is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentChannel {
    /// The channel.
    pub channel: Channel,
    /// The field of each side: one of type consent, or a checkbox that is ticked for "opted out".
    pub fields: PerSide<FieldId>,
}

/// Something a person says before a start, because no program can know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Acknowledgement {
    /// No other program keeps these two accounts the same.
    NoOtherSync,
    /// Opt-outs of one side will not reach the other, because no sync goes there.
    OptOutsStay,
}

/// The acknowledgements that were given.
pub type Acknowledgements = BTreeSet<Acknowledgement>;
