//! Entries of a mapping, as they are read.

use async_graphql::SimpleObject;

use super::{ConstantWhen, EntryFunction, PhoneFormat, Value};
use crate::planner::{self, Function, NamePart, StandIn, Transform};
use crate::record::Side;

/// One line of a mapping.
#[derive(SimpleObject)]
pub struct Entry {
    /// Its id, the same through all versions.
    id: String,
    /// The object that it reads, if it is not for all of that side.
    source_object: Option<String>,
    /// The object that it writes, if it is not for all of that side.
    target_object: Option<String>,
    /// The field that it writes.
    target: String,
    /// The fields that it reads, in order.
    inputs: Vec<String>,
    /// How the inputs become one value.
    function: EntryFunction,
    /// What stands between joined texts.
    separator: Option<String>,
    /// The constant.
    constant: Option<Value>,
    /// When the constant is written.
    constant_when: Option<ConstantWhen>,
    /// The form in which phone numbers are written.
    phone_format: Option<PhoneFormat>,
    /// Options that are replaced by options of the target.
    options: Vec<OptionPair>,
    /// What is written where there would be nothing; the first that gives anything.
    fallback: Vec<Fallback>,
}

/// An option and what it becomes.
#[derive(SimpleObject)]
pub struct OptionPair {
    /// The option of the source, by id or text.
    from: String,
    /// The option of the target.
    to: String,
}

/// What stands in for a source that gives nothing.
#[derive(SimpleObject)]
pub struct Fallback {
    /// A fixed value.
    value: Option<Value>,
    /// Another field of the source.
    field: Option<String>,
    /// What stands before the @ of this field.
    local_part_of: Option<String>,
}

impl Entry {
    /// An entry of the sync that reads this side.
    pub(super) fn of(source: Side, entry: &planner::Entry) -> Self {
        let object = |side| entry.objects.of(side).as_ref().map(ToString::to_string);
        let (mut separator, mut constant, mut constant_when) = (None, None, None);
        let function = match &entry.function {
            Function::Copy => EntryFunction::Copy,
            Function::FirstNonEmpty => EntryFunction::FirstNonEmpty,
            Function::Join { separator: between } => {
                separator = Some(between.clone());
                EntryFunction::Join
            }
            Function::JoinName => EntryFunction::JoinName,
            Function::SplitName(NamePart::First) => EntryFunction::SplitFirstName,
            Function::SplitName(NamePart::Last) => EntryFunction::SplitLastName,
            Function::Constant { value, when } => {
                constant = Some(value.into());
                constant_when = Some((*when).into());
                EntryFunction::Constant
            }
        };
        let phone_format = entry.transforms.iter().find_map(|transform| match transform {
            Transform::Phone(format) => Some((*format).into()),
            Transform::Options(_) => None,
        });
        let options = entry.transforms.iter().flat_map(|transform| match transform {
            Transform::Options(options) => options.iter().collect::<Vec<_>>(),
            Transform::Phone(_) => Vec::new(),
        });
        let options =
            options.map(|(from, to)| OptionPair { from: from.clone(), to: to.clone() }).collect();
        Self {
            id: entry.id.0.clone(),
            source_object: object(source),
            target_object: object(source.other()),
            target: entry.target.to_string(),
            inputs: entry.inputs.iter().map(ToString::to_string).collect(),
            function,
            separator,
            constant,
            constant_when,
            phone_format,
            options,
            fallback: entry.fallback.iter().map(Fallback::from).collect(),
        }
    }
}

impl From<&StandIn> for Fallback {
    fn from(stand_in: &StandIn) -> Self {
        let none = Self { value: None, field: None, local_part_of: None };
        match stand_in {
            StandIn::Value(value) => Self { value: Some(value.into()), ..none },
            StandIn::Field(field) => Self { field: Some(field.to_string()), ..none },
            StandIn::LocalPart(field) => Self { local_part_of: Some(field.to_string()), ..none },
        }
    }
}
