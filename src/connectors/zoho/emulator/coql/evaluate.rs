//! What a statement finds.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::statement::{Class, Column, Comparison, Filter, Literal, Statement, Test};
use crate::connectors::zoho::emulator::catalogue::Module;
use crate::connectors::zoho::emulator::fields::Kind;
use crate::connectors::zoho::emulator::records::{Stored, id_in};
use crate::connectors::zoho::emulator::state::State;
use crate::connectors::zoho::emulator::times;

/// A value in the form in which it is compared. Those of one column are all of one kind.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Comparable {
    /// Comes before everything.
    Nothing,
    Text(String),
    Number(f64),
    Truth(bool),
    Time(Timestamp),
    Key(u64),
}

impl State {
    /// The records of a statement that was checked, and whether there are more.
    pub(super) fn evaluate(&self, module: Module, statement: &Statement) -> (Vec<Value>, bool) {
        let found = self.of_module(module).filter(|stored| self.passes(stored, &statement.filter));
        let mut found: Vec<(Vec<Comparable>, &Stored)> = found
            .map(|stored| {
                let order = statement.order.iter();
                (order.map(|(column, _)| self.comparable(stored, column)).collect(), stored)
            })
            .collect();
        found.sort_by(|(a, first), (b, second)| {
            let pairs = a.iter().zip(b).zip(&statement.order);
            let mut orderings = pairs.map(|((a, b), (_, is_descending))| {
                let ordering = a.partial_cmp(b).unwrap_or(Ordering::Equal);
                if *is_descending { ordering.reverse() } else { ordering }
            });
            let ordering = orderings.find(|ordering| ordering.is_ne());
            ordering.unwrap_or_else(|| first.id.cmp(&second.id))
        });
        let is_more = found.len() > statement.offset.saturating_add(statement.limit);
        let page = found.into_iter().skip(statement.offset).take(statement.limit);
        let data = page.map(|(_, stored)| self.row(stored, &statement.columns)).collect();
        (data, is_more)
    }

    fn row(&self, stored: &Stored, columns: &[Column]) -> Value {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(stored.id));
        for column in columns {
            row.insert(column.name(), self.column(stored, column));
        }
        Value::Object(row)
    }

    /// What a column shows. Of a lookup it is the id only.
    fn column(&self, stored: &Stored, column: &Column) -> Value {
        let field = self.catalogue.field(stored.module, &column.field);
        let Some(field) = field else { return Value::Null };
        let value = self.value_of(stored, field);
        let is_reference = matches!(field.kind, Kind::Lookup | Kind::Owner | Kind::User);
        match &column.of {
            None if is_reference => id_in(&value).map_or(Value::Null, |id| json!({"id": id})),
            None => value,
            Some(of) => {
                let target = id_in(&value).and_then(|id| self.records.get(id));
                let field = target.and_then(|target| self.catalogue.field(target.module, of));
                match (target, field) {
                    (Some(target), Some(field)) => self.value_of(target, field),
                    _ => value.get(of).cloned().unwrap_or_default(),
                }
            }
        }
    }

    fn comparable(&self, stored: &Stored, column: &Column) -> Comparable {
        let value = self.column(stored, column);
        match column.class(&self.catalogue, stored.module) {
            None => Comparable::Nothing,
            Some(class) => comparable(class, &value),
        }
    }

    fn passes(&self, stored: &Stored, filter: &Filter) -> bool {
        let (column, test) = match filter {
            Filter::Both(a, b) => return self.passes(stored, a) && self.passes(stored, b),
            Filter::Either(a, b) => return self.passes(stored, a) || self.passes(stored, b),
            Filter::One(column, test) => (column, test),
        };
        let value = self.comparable(stored, column);
        let is_nothing = value == Comparable::Nothing;
        let Some(class) = column.class(&self.catalogue, stored.module) else { return false };
        let order = |literal: &Literal| {
            if is_nothing { None } else { value.partial_cmp(&of_literal(class, literal)) }
        };
        let is_equal = |literal: &Literal| order(literal) == Some(Ordering::Equal);
        match test {
            Test::IsNull => is_nothing,
            Test::IsNotNull => !is_nothing,
            Test::Compare(comparison, literal) => {
                order(literal).is_some_and(|ordering| comparison.holds(ordering))
            }
            Test::In(list) => list.iter().any(is_equal),
            Test::NotIn(list) => !is_nothing && !list.iter().any(is_equal),
            Test::Between(from, to) => {
                order(from).is_some_and(Ordering::is_ge) && order(to).is_some_and(Ordering::is_le)
            }
            Test::Like(pattern) => is_like(&value, pattern),
            Test::NotLike(pattern) => !is_nothing && !is_like(&value, pattern),
        }
    }
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

fn comparable(class: Class, value: &Value) -> Comparable {
    let text = value.as_str();
    let found = match class {
        Class::Text => match value {
            Value::Null => None,
            Value::String(text) => Some(Comparable::Text(text.to_lowercase())),
            other => Some(Comparable::Text(other.to_string())),
        },
        Class::Number => value.as_f64().map(Comparable::Number),
        Class::Truth => value.as_bool().map(Comparable::Truth),
        Class::Time => text.and_then(times::parse).map(Comparable::Time),
        Class::Key => text.or(id_in(value)).and_then(|id| id.parse().ok()).map(Comparable::Key),
    };
    found.unwrap_or(Comparable::Nothing)
}

fn of_literal(class: Class, literal: &Literal) -> Comparable {
    match literal {
        Literal::Truth(truth) => Comparable::Truth(*truth),
        Literal::Text(text) => comparable(class, &json!(text)),
        Literal::Number(text) => match class {
            Class::Number => text.parse().map_or(Comparable::Nothing, Comparable::Number),
            _ => comparable(class, &json!(text)),
        },
    }
}

/// Whether a text has this pattern, in which `%` stands for anything.
fn is_like(value: &Comparable, pattern: &str) -> bool {
    let Comparable::Text(text) = value else { return false };
    let pattern = pattern.to_lowercase();
    let Some((first, others)) = pattern.split_once('%') else { return *text == pattern };
    let (middle, last) = others.rsplit_once('%').unwrap_or(("", others));
    let between = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
    let Some(mut rest) = between else { return false };
    for part in middle.split('%') {
        match rest.find(part).and_then(|place| rest.get(place + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_stands_for_anything() {
        let like = |text: &str, pattern: &str| is_like(&Comparable::Text(text.to_owned()), pattern);
        for pattern in ["diaz", "DIAZ", "d%", "%z", "%ia%", "%", "d%a%z"] {
            assert!(like("diaz", pattern), "{pattern}");
        }
        for pattern in ["dia", "iaz", "%x%", "z%", "%a", "d%z%z"] {
            assert!(!like("diaz", pattern), "{pattern}");
        }
        assert!(like("abab", "%ab"));
    }
}
