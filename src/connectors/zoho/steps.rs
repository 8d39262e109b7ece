//! What is asked for writes, step by step, and what that costs: a step is a call, unless a part of it is
//! refused. Whoever writes walks the same steps as whoever asks what it would cost.

use std::collections::BTreeMap;

use super::{OBJECTS, conversion, credits};
use crate::connectors::Write;
use crate::net::Method;
use crate::record::{Conversion, ObjectName, RemoteId, Toll};

/// A step. Writes are known by their places.
pub(super) enum Step<'a> {
    /// Records of an object that are changed, or made.
    Records { method: Method, object: &'static str, writes: Vec<(usize, &'a Write)> },
    /// A lead that becomes something else.
    Conversion { at: usize, write: &'a Write, id: &'a RemoteId, becomes: &'a Conversion },
    /// Records of an object that get the same tags, or lose them.
    Tags(Tagging<'a>),
}

/// Records of an object that get the same tags, or lose them.
pub(super) struct Tagging<'a> {
    pub(super) is_add: bool,
    pub(super) object: &'a ObjectName,
    pub(super) tags: Vec<String>,
    pub(super) records: Vec<(usize, &'a RemoteId)>,
}

/// The steps of these writes, in their order: changes, new records, conversions, tags.
pub(super) fn steps(writes: &[Write]) -> Vec<Step<'_>> {
    let changes = |write: &Write| write.id.is_some() && !write.fields.is_empty();
    let mut steps = records(writes, Method::Put, changes);
    steps.extend(records(writes, Method::Post, |write| write.id.is_none()));
    steps.extend(writes.iter().enumerate().filter_map(|(at, write)| {
        let (id, becomes) = (write.id.as_ref()?, write.becomes.as_ref()?);
        Some(Step::Conversion { at, write, id, becomes })
    }));
    for is_add in [true, false] {
        steps.extend(tags(writes, is_add));
    }
    steps
}

/// What these writes cost.
pub(super) fn toll(writes: &[Write]) -> Toll {
    steps(writes).iter().map(Step::toll).sum()
}

fn records(writes: &[Write], method: Method, is_sent: impl Fn(&Write) -> bool) -> Vec<Step<'_>> {
    let of = |object: &'static str| {
        let of_it =
            |(_, write): &(usize, &Write)| write.object.as_str() == object && is_sent(write);
        let writes: Vec<(usize, &Write)> = writes.iter().enumerate().filter(of_it).collect();
        (!writes.is_empty()).then_some(Step::Records { method, object, writes })
    };
    OBJECTS.iter().filter_map(|object| of(object.name)).collect()
}

fn tags(writes: &[Write], is_add: bool) -> impl Iterator<Item = Step<'_>> {
    let mut all: BTreeMap<(&ObjectName, Vec<String>), Tagging<'_>> = BTreeMap::new();
    for (at, write) in writes.iter().enumerate() {
        let tags = if is_add { &write.tags_add } else { &write.tags_remove };
        let Some(id) = write.id.as_ref().filter(|_| !tags.is_empty()) else { continue };
        let (object, mut tags) = (&write.object, tags.clone());
        tags.sort();
        let none = || Tagging { is_add, object, tags: tags.clone(), records: Vec::new() };
        all.entry((object, tags.clone())).or_insert_with(none).records.push((at, id));
    }
    all.into_values().map(Step::Tags)
}

impl Step<'_> {
    /// The writes that it is about, by their places.
    pub(super) fn places(&self) -> Vec<usize> {
        match self {
            Self::Records { writes, .. } => writes.iter().map(|(at, _)| *at).collect(),
            Self::Conversion { at, .. } => vec![*at],
            Self::Tags(tagging) => tagging.records.iter().map(|(at, _)| *at).collect(),
        }
    }

    fn toll(&self) -> Toll {
        let call = |path: &str, records| Toll::of_call(credits::cost(path, records));
        match self {
            Self::Records { object, writes, .. } => call(&path(object), writes.len()),
            Self::Conversion { write, id, becomes, .. } => {
                let look = becomes.into.is_none().then(|| conversion::look_path(write, id));
                let look = look.map(|path| call(&path, 0)).unwrap_or_default();
                look + call(&conversion::path(write, id), 1)
            }
            Self::Tags(tagging) => call(&tagging.path(), tagging.records.len()),
        }
    }
}

impl Tagging<'_> {
    pub(super) fn path(&self) -> String {
        let action = if self.is_add { "add_tags" } else { "remove_tags" };
        format!("/crm/v8/{}/actions/{action}", self.object)
    }
}

/// Where records of an object are made and changed.
pub(super) fn path(object: &str) -> String {
    format!("/crm/v8/{object}")
}
