//! Rules and filters, as they are read.

use async_graphql::SimpleObject;

use super::FilterOperator;
use crate::planner::{self, Test};
use crate::record::Value;

/// A rule: what its filter lets in is in scope.
#[derive(SimpleObject)]
pub struct Rule {
    /// Which records.
    filter: Filter,
    /// The object of the other side of which their partners are made; its first, if none is named.
    object: Option<String>,
}

/// A filter: one condition, or a group of filters. An empty group of all lets everything in.
#[derive(Default, SimpleObject)]
pub struct Filter {
    /// Every one of these must let the record in.
    all: Option<Vec<Filter>>,
    /// One of these is enough.
    any: Option<Vec<Filter>>,
    /// A single condition.
    is: Option<Condition>,
}

/// One question about one field.
#[derive(SimpleObject)]
pub struct Condition {
    /// The field.
    field: String,
    /// The question.
    operator: FilterOperator,
    /// What it is compared with, in words.
    values: Vec<String>,
}

impl From<&planner::Rule> for Rule {
    fn from(rule: &planner::Rule) -> Self {
        let object = rule.object.as_ref().map(ToString::to_string);
        Self { filter: (&rule.filter).into(), object }
    }
}

impl From<&planner::Filter> for Filter {
    fn from(filter: &planner::Filter) -> Self {
        let members = |filters: &[planner::Filter]| Some(filters.iter().map(Self::from).collect());
        match filter {
            planner::Filter::All(filters) => Self { all: members(filters), ..Self::default() },
            planner::Filter::Any(filters) => Self { any: members(filters), ..Self::default() },
            planner::Filter::Is(condition) => {
                Self { is: Some(condition.into()), ..Self::default() }
            }
        }
    }
}

impl From<&planner::Condition> for Condition {
    fn from(condition: &planner::Condition) -> Self {
        let (operator, values) = match &condition.test {
            Test::Equals(value) => (FilterOperator::Equals, vec![value.text()]),
            Test::NotEquals(value) => (FilterOperator::NotEquals, vec![value.text()]),
            Test::Contains(text) => (FilterOperator::Contains, vec![text.clone()]),
            Test::In(values) => (FilterOperator::In, values.iter().map(Value::text).collect()),
            Test::IsEmpty => (FilterOperator::IsEmpty, Vec::new()),
            Test::IsNotEmpty => (FilterOperator::IsNotEmpty, Vec::new()),
            Test::HasTag(tag) => (FilterOperator::HasTag, vec![tag.clone()]),
        };
        Self { field: condition.field.to_string(), operator, values }
    }
}
