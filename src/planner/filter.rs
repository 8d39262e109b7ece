//! Filters: which records a rule lets in.
//!
//! Three answers: In, Out and Unknown. Unknown (a field that was not read) never writes.

use serde::{Deserialize, Serialize};

use crate::record::{FieldId, FieldType, Normal, Record, Region, Schema, Value, fold, normalise};

/// A condition, or a group of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Every member must let the record in. Without members it lets everything in.
    All(Vec<Filter>),
    /// One member is enough. Without members it lets nothing in.
    Any(Vec<Filter>),
    /// A single condition.
    Is(Condition),
}

impl Default for Filter {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// One question about one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The field, of the side that the sync reads.
    pub field: FieldId,
    /// The question.
    #[serde(flatten)]
    pub test: Test,
}

/// The question. Text is compared without regard to case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operator", content = "value", rename_all = "snake_case")]
pub enum Test {
    /// The same value; of a set: contains this element.
    Equals(Value),
    /// The opposite of `Equals`; an empty field passes.
    NotEquals(Value),
    /// The text occurs in it, or in one of its elements.
    Contains(String),
    /// Equals one of these.
    In(Vec<Value>),
    /// Nothing in it.
    IsEmpty,
    /// Something in it.
    IsNotEmpty,
    /// The set of tags has this one.
    HasTag(String),
}

/// The answer of a filter about a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// In scope.
    In,
    /// Out of scope, and the condition that decided it (none for a group without members).
    Out(Option<&'a Condition>),
    /// Not to be told, and the condition whose field was not read.
    Unknown(&'a Condition),
}

impl Filter {
    /// Asks about one record.
    #[must_use]
    pub fn judge(&self, record: &Record, schema: &Schema, region: Option<&Region>) -> Verdict<'_> {
        match self {
            Self::Is(condition) => condition.judge(record, schema, region),
            Self::All(members) => {
                let mut answer = Verdict::In;
                for member in members {
                    match member.judge(record, schema, region) {
                        Verdict::In => {}
                        out @ Verdict::Out(_) => return out,
                        unknown @ Verdict::Unknown(_) => answer = unknown,
                    }
                }
                answer
            }
            Self::Any(members) => {
                let mut answer = Verdict::Out(None);
                for member in members {
                    match member.judge(record, schema, region) {
                        Verdict::In => return Verdict::In,
                        Verdict::Out(_) if matches!(answer, Verdict::Unknown(_)) => {}
                        other => answer = other,
                    }
                }
                answer
            }
        }
    }

    /// Every condition in it, in reading order.
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            Self::Is(condition) => vec![condition],
            Self::All(members) | Self::Any(members) => {
                members.iter().flat_map(Self::conditions).collect()
            }
        }
    }

    /// Whether it has a group of alternatives without any, which lets nothing in.
    #[must_use]
    pub fn has_empty_choice(&self) -> bool {
        match self {
            Self::Is(_) => false,
            Self::All(members) => members.iter().any(Self::has_empty_choice),
            Self::Any(members) => members.is_empty() || members.iter().any(Self::has_empty_choice),
        }
    }
}

impl Condition {
    fn judge(&self, record: &Record, schema: &Schema, region: Option<&Region>) -> Verdict<'_> {
        let (Some(field), Some(value)) = (schema.get(&self.field), record.get(&self.field)) else {
            return Verdict::Unknown(self);
        };
        let elements: Vec<Value> = if field.kind == FieldType::Text {
            // Typed by people into a filter: case does not count.
            value.elements().iter().map(|element| Value::Text(fold(&element.text()))).collect()
        } else {
            normalise(value, field, region).elements().into_iter().collect()
        };
        let wanted = |asked: &Value| -> Option<Value> {
            let asked: Normal = normalise(asked, field, region);
            let first = asked.value().elements().first()?.clone();
            Some(if field.kind == FieldType::Text {
                Value::Text(fold(&first.text()))
            } else {
                first
            })
        };
        let holds = |asked: &Value| wanted(asked).is_some_and(|asked| elements.contains(&asked));
        let passes = match &self.test {
            Test::Equals(asked) => holds(asked),
            Test::NotEquals(asked) => !holds(asked),
            Test::In(list) => list.iter().any(holds),
            Test::Contains(part) => {
                let part = fold(part);
                elements.iter().any(|element| fold(&element.text()).contains(&part))
            }
            Test::IsEmpty => value.is_empty(),
            Test::IsNotEmpty => !value.is_empty(),
            Test::HasTag(tag) => {
                let tag = fold(tag);
                elements.iter().any(|element| fold(&element.text()) == tag)
            }
        };
        if passes { Verdict::In } else { Verdict::Out(Some(self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    fn schema() -> Schema {
        let tags = Field { many: true, ..Field::new("tags", FieldType::Tag) };
        let labels = Field { many: true, ..Field::new("labels", FieldType::Tag) };
        let phone = |id: &str| Field::new(id, FieldType::Phone);
        let city = Field::new("city", FieldType::Text);
        Schema::from_iter([city, phone("phone"), phone("home"), tags, labels])
    }

    fn is(field: &str, test: Test) -> Filter {
        Filter::Is(Condition { field: field.into(), test })
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    /// Her home number was read, and there is none; her other phone was not read.
    fn ana() -> Record {
        Record::new("contacts", "1")
            .with("city", text("Sevilla"))
            .with("tags", Value::List(vec![text("VIP"), text("press")]))
            .with("home", Value::Cleared)
            .with("labels", Value::Cleared)
    }

    fn judge(filter: &Filter) -> &'static str {
        match filter.judge(&ana(), &schema(), None) {
            Verdict::In => "in",
            Verdict::Out(_) => "out",
            Verdict::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn each_operator_answers_as_named() {
        for (field, test, answer) in [
            ("city", Test::Equals(text("SEVILLA")), "in"),
            ("city", Test::Equals(text("Madrid")), "out"),
            ("city", Test::NotEquals(text("Madrid")), "in"),
            ("city", Test::NotEquals(text("sevilla")), "out"),
            ("city", Test::Contains("vill".into()), "in"),
            ("city", Test::Contains("drid".into()), "out"),
            ("city", Test::In(vec![text("Madrid"), text("sevilla")]), "in"),
            ("city", Test::In(vec![text("Madrid"), text("Vigo")]), "out"),
            ("city", Test::In(vec![]), "out"),
            ("city", Test::IsEmpty, "out"),
            ("city", Test::IsNotEmpty, "in"),
            ("tags", Test::HasTag("vip".into()), "in"),
            ("tags", Test::HasTag("vi".into()), "out"),
            ("tags", Test::Contains("vi".into()), "in"),
            ("tags", Test::Contains("radio".into()), "out"),
            ("tags", Test::Equals(text("Press")), "in"),
            ("tags", Test::Equals(text("radio")), "out"),
            ("tags", Test::NotEquals(text("radio")), "in"),
            ("tags", Test::NotEquals(text("Press")), "out"),
            ("tags", Test::In(vec![text("radio"), text("vip")]), "in"),
            ("tags", Test::In(vec![text("radio")]), "out"),
            ("tags", Test::IsEmpty, "out"),
            ("tags", Test::IsNotEmpty, "in"),
        ] {
            let filter = is(field, test);
            assert_eq!(judge(&filter), answer, "{filter:?}");
        }
    }

    #[test]
    fn a_cleared_field_is_empty_and_one_that_was_not_read_is_unknown() {
        for (test, cleared) in [
            (Test::Equals(text("600123456")), "out"),
            (Test::NotEquals(text("600123456")), "in"),
            (Test::Contains("600".into()), "out"),
            (Test::In(vec![text("600123456")]), "out"),
            (Test::IsEmpty, "in"),
            (Test::IsNotEmpty, "out"),
            (Test::HasTag("600123456".into()), "out"),
        ] {
            for (field, answer) in [("home", cleared), ("labels", cleared), ("phone", "unknown")] {
                let filter = is(field, test.clone());
                assert_eq!(judge(&filter), answer, "{filter:?}");
            }
        }
    }

    #[test]
    fn unknown_decides_only_where_nothing_else_does() {
        let (yes, no) = (is("city", Test::IsNotEmpty), is("city", Test::IsEmpty));
        let unknown = is("phone", Test::IsEmpty);
        let all = |a: &Filter, b: &Filter| Filter::All(vec![a.clone(), b.clone()]);
        let any = |a: &Filter, b: &Filter| Filter::Any(vec![a.clone(), b.clone()]);
        for (filter, answer) in [
            (all(&yes, &unknown), "unknown"),
            (all(&unknown, &yes), "unknown"),
            (all(&unknown, &no), "out"),
            (any(&unknown, &yes), "in"),
            (any(&unknown, &no), "unknown"),
            (any(&no, &unknown), "unknown"),
            (Filter::default(), "in"),
            (Filter::Any(vec![]), "out"),
        ] {
            assert_eq!(judge(&filter), answer, "{filter:?}");
        }
    }

    #[test]
    fn the_deciding_condition_is_named() {
        let filter = Filter::All(vec![is("city", Test::IsNotEmpty), is("tags", Test::IsEmpty)]);
        let Verdict::Out(Some(condition)) = filter.judge(&ana(), &schema(), None) else {
            panic!("should be out")
        };
        assert_eq!(condition.field, "tags".into());
    }
}
