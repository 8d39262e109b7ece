//! What a statement says, and whether it makes sense.

use serde_json::json;

use crate::connectors::zoho::emulator::answer::Refusal;
use crate::connectors::zoho::emulator::catalogue::{Catalogue, Module};
use crate::connectors::zoho::emulator::fields::{Field, Kind};
use crate::connectors::zoho::emulator::times;

/// A field, or a field of what a lookup refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) field: String,
    pub(super) of: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(String),
    Truth(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Compare(Comparison, Literal),
    In(Vec<Literal>),
    NotIn(Vec<Literal>),
    Like(String),
    NotLike(String),
    Between(Literal, Literal),
    IsNull,
    IsNotNull,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    One(Column, Test),
    Both(Box<Filter>, Box<Filter>),
    Either(Box<Filter>, Box<Filter>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub(super) columns: Vec<Column>,
    pub(super) module: String,
    pub(super) filter: Filter,
    /// Columns to sort by, and whether downwards.
    pub(super) order: Vec<(Column, bool)>,
    pub(super) limit: usize,
    pub(super) offset: usize,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Number,
    Truth,
    Time,
    Key,
}

const COLUMNS_MAX: usize = 500;
const CRITERIA_MAX: usize = 25;
const LIST_MAX: usize = 100;
const ORDER_MAX: usize = 10;
const LIMIT_MAX: usize = 2_000;
const REACH: usize = 100_000;

impl Column {
    pub(super) fn named(name: &str) -> Self {
        match name.split_once('.') {
            Some((field, of)) => Self { field: field.to_owned(), of: Some(of.to_owned()) },
            None => Self { field: name.to_owned(), of: None },
        }
    }

    pub(super) fn name(&self) -> String {
        match &self.of {
            Some(of) => format!("{}.{of}", self.field),
            None => self.field.clone(),
        }
    }

    /// How its values are compared; none, if there is no such column or it cannot be used.
    pub(super) fn class(&self, catalogue: &Catalogue, module: Module) -> Option<Class> {
        let field = catalogue.field(module, &self.field)?;
        match (self.of.as_deref(), field.kind, field.target) {
            (None, _, _) => class(field),
            (Some("id"), Kind::Lookup | Kind::Owner | Kind::User, _) => Some(Class::Key),
            (Some("name" | "email"), Kind::Owner | Kind::User, _) => Some(Class::Text),
            (Some(of), Kind::Lookup, Some(target)) => class(catalogue.field(target, of)?),
            _ => None,
        }
    }
}

fn class(field: &Field) -> Option<Class> {
    match field.kind {
        // Text of several lines and images cannot be asked for.
        Kind::TextArea | Kind::Image => None,
        Kind::Integer | Kind::Currency | Kind::Double | Kind::Percent => Some(Class::Number),
        Kind::Boolean => Some(Class::Truth),
        Kind::DateTime => Some(Class::Time),
        Kind::BigInt | Kind::Lookup | Kind::Owner | Kind::User | Kind::Layout => Some(Class::Key),
        _ => Some(Class::Text),
    }
}

impl Class {
    fn takes(self, literal: &Literal) -> bool {
        match (self, literal) {
            (Self::Text, Literal::Text(_)) | (Self::Truth, Literal::Truth(_)) => true,
            (Self::Number, Literal::Number(text)) => text.parse::<f64>().is_ok(),
            (Self::Time, Literal::Text(text)) => times::parse(text).is_some(),
            (Self::Key, Literal::Text(text) | Literal::Number(text)) => text.parse::<u64>().is_ok(),
            _ => false,
        }
    }
}

impl Statement {
    /// Whether all its columns are there, its values fit them, and it keeps to the limits.
    pub(super) fn check(&self, catalogue: &Catalogue, module: Module) -> Result<(), Refusal> {
        for column in self.columns.iter().chain(self.order.iter().map(|(column, _)| column)) {
            column.class(catalogue, module).ok_or_else(|| bad_column(column))?;
        }
        let criteria = self.filter.check(catalogue, module)?;
        let limits = [
            ("select", self.columns.len(), COLUMNS_MAX),
            ("where", criteria, CRITERIA_MAX),
            ("order by", self.order.len(), ORDER_MAX),
            ("limit", self.limit, LIMIT_MAX),
            ("offset", self.offset.saturating_add(self.limit), REACH),
        ];
        for (clause, number, limit) in limits {
            if number > limit {
                return Err(Refusal::limit(json!({"clause": clause, "limit": limit})));
            }
        }
        for (index, (column, _)) in self.order.iter().enumerate() {
            if self.order.iter().take(index).any(|(before, _)| before == column) {
                let details = json!({"clause": "order by", "column_name": column.name()});
                return Err(Refusal::new(400, "DUPLICATE_DATA", "duplicate data", details));
            }
        }
        Ok(())
    }
}

impl Filter {
    /// How many criteria there are, if all of them make sense.
    fn check(&self, catalogue: &Catalogue, module: Module) -> Result<usize, Refusal> {
        let (column, test) = match self {
            Self::One(column, test) => (column, test),
            Self::Both(left, right) | Self::Either(left, right) => {
                return Ok(left.check(catalogue, module)? + right.check(catalogue, module)?);
            }
        };
        let class = column.class(catalogue, module).ok_or_else(|| bad_column(column))?;
        let fits = match test {
            Test::Compare(comparison, literal) => {
                let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                class.takes(literal) && (class != Class::Truth || is_equality)
            }
            Test::In(list) | Test::NotIn(list) => {
                if list.len() > LIST_MAX {
                    return Err(Refusal::limit(json!({"clause": "in", "limit": LIST_MAX})));
                }
                list.iter().all(|literal| class.takes(literal))
            }
            Test::Like(_) | Test::NotLike(_) => class == Class::Text,
            Test::Between(from, to) => {
                class != Class::Truth && class.takes(from) && class.takes(to)
            }
            Test::IsNull | Test::IsNotNull => true,
        };
        if fits { Ok(1) } else { Err(bad_value(column)) }
    }
}

fn bad_column(column: &Column) -> Refusal {
    let details = json!({"column_name": column.name()});
    Refusal::new(400, "INVALID_QUERY", "column given seems to be invalid", details)
}

fn bad_value(column: &Column) -> Refusal {
    let details = json!({"column_name": column.name()});
    let message = "value given seems to be invalid for the column";
    Refusal::new(400, "INVALID_QUERY", message, details)
}
