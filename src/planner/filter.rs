//! Filters: which records a rule lets in.
//!
//! Three answers: In, Out and Unknown. Unknown (a field that was not read) never writes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::mapping::{convert, plain};
use super::settings::SideSettings;
use crate::record::{Field, FieldId, FieldType, Record, Region, Schema, Value, fold, normalise};

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

/// The question. Text is compared without regard to case, options also by their names, users by address or
/// id.
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
        let elements = value.elements();
        let holds = |asked: &Value| elements.iter().any(|one| is(one, asked, field, region));
        let words = || elements.iter().map(|one| fold(&words(one, field)));
        let passes = match &self.test {
            Test::Equals(asked) => holds(asked),
            Test::NotEquals(asked) => !holds(asked),
            Test::In(list) => list.iter().any(holds),
            Test::Contains(part) => {
                let part = fold(part);
                // Numbers as they are typed, and as they are dialled.
                let numbers = elements.iter().filter(|_| field.kind == FieldType::Phone);
                let dialled = numbers.map(|one| normalise(one, field, region).value().text());
                words().chain(dialled).any(|words| words.contains(&part))
            }
            Test::IsEmpty => value.is_empty(),
            Test::IsNotEmpty => !value.is_empty(),
            Test::HasTag(tag) => {
                let tag = fold(tag);
                words().any(|words| words == tag)
            }
        };
        if passes { Verdict::In } else { Verdict::Out(Some(self)) }
    }

    /// Whether a field of this side can ever be what it is compared with. Else, what to compare it with.
    pub(super) fn check(&self, field: &Field, side: &SideSettings) -> Result<(), &'static str> {
        let asked: &[Value] = match &self.test {
            Test::Equals(asked) | Test::NotEquals(asked) => std::slice::from_ref(asked),
            Test::In(list) => list,
            Test::HasTag(_) if !field.many && field.kind != FieldType::Tag => {
                return Err("it holds no tags: use EQUALS");
            }
            Test::Contains(_) | Test::HasTag(_) | Test::IsEmpty | Test::IsNotEmpty => &[],
        };
        let one = Field { many: false, ..field.clone() };
        let fits = |asked: &&Value| {
            field.kind == FieldType::Text || convert(asked, None, &one, side).is_ok()
        };
        if asked.iter().all(|asked| fits(&asked)) {
            return Ok(());
        }
        Err(match field.kind {
            FieldType::Number => "give a number",
            FieldType::Boolean => "give true or false",
            FieldType::Date => "give a day, as 2026-08-01",
            FieldType::DateTime => "give a moment, as 2026-08-01T10:00:00Z",
            FieldType::Choice => "give one of its options, by id or name",
            FieldType::Email => "give an e-mail address",
            FieldType::User => "give the e-mail address or the id of a user who is there",
            FieldType::Consent => "give opted_in, unknown or opted_out as a text",
            FieldType::Text | FieldType::Phone | FieldType::Company | FieldType::Tag => {
                "give a text"
            }
        })
    }
}

/// Whether an element of a field is what was asked for.
fn is(element: &Value, asked: &Value, field: &Field, region: Option<&Region>) -> bool {
    match (field.kind, element) {
        // Typed by people into a filter: case does not count.
        (FieldType::Text, _) => fold(&element.text()) == fold(&asked.text()),
        (FieldType::User | FieldType::Company, Value::Reference(reference)) => {
            let asked = asked.text();
            let is_email = |email: &String| fold(email) == fold(&asked);
            reference.id == asked.trim() || reference.email.as_ref().is_some_and(is_email)
        }
        _ => {
            let one = Field { many: false, ..field.clone() };
            plain(asked, None, &one).is_ok_and(|asked| {
                let asked = normalise(&asked, &one, region);
                !asked.is_cleared() && asked == normalise(element, &one, region)
            })
        }
    }
}

/// What people read in an element of a field: of an option, its name.
fn words<'a>(element: &'a Value, field: &'a Field) -> Cow<'a, str> {
    match element {
        Value::Choice(choice) => Cow::from(field.options.get(&choice.id).unwrap_or(&choice.id)),
        Value::Text(text) | Value::Email(text) | Value::Phone(text) => Cow::from(text),
        other => Cow::from(other.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Consent, Reference};

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

    fn field(kind: FieldType) -> Field {
        let options = match kind {
            FieldType::Choice => [("41".to_owned(), "Web Form".to_owned())].into(),
            _ => Default::default(),
        };
        Field { options, ..Field::new("f", kind) }
    }

    fn reference(id: &str, email: Option<&str>) -> Value {
        Value::Reference(Reference { id: id.into(), email: email.map(str::to_owned) })
    }

    #[test]
    fn what_is_typed_in_is_compared_as_the_field_has_it() {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let day = Value::Date(jiff::civil::date(2026, 8, 1));
        let option = |id: &str| Value::Choice(crate::record::Choice::new(id));
        let eva = reference("7", Some("eva@x.es"));
        for (kind, value, asked, is_it) in [
            (FieldType::Number, number("5.0"), text("5"), true),
            (FieldType::Number, number("5"), number("5.00"), true),
            (FieldType::Number, number("5"), text("6"), false),
            (FieldType::Boolean, Value::Boolean(true), text("true"), true),
            (FieldType::Boolean, Value::Boolean(true), Value::Boolean(false), false),
            (FieldType::Date, day.clone(), text("2026-08-01"), true),
            (FieldType::Date, day, text("2026-08-02"), false),
            (FieldType::Choice, option("41"), option("41"), true),
            (FieldType::Choice, option("41"), text("web form"), true),
            (FieldType::Choice, option("42"), text("web form"), false),
            (FieldType::User, eva.clone(), text("EVA@x.es"), true),
            (FieldType::User, eva.clone(), Value::Email("eva@x.es".into()), true),
            (FieldType::User, eva.clone(), text("7"), true),
            (FieldType::User, eva, text("ana@x.es"), false),
            (FieldType::User, reference("7", None), text("eva@x.es"), false),
            (FieldType::Company, reference("9", None), text("9"), true),
            (FieldType::Consent, Value::Consent(Consent::OptedOut), text("opted_out"), true),
            (FieldType::Consent, Value::Consent(Consent::Unknown), text("opted_out"), false),
            (FieldType::Email, Value::Email("Eva@x.es".into()), text("eva@X.es"), true),
        ] {
            let schema = Schema::from_iter([field(kind)]);
            let record = Record::new("contacts", "1").with("f", value);
            let judge = |test: Test| is("f", test).judge(&record, &schema, None) == Verdict::In;
            assert_eq!(judge(Test::Equals(asked.clone())), is_it, "{kind:?} {asked:?}");
            assert_eq!(judge(Test::NotEquals(asked.clone())), !is_it, "{kind:?} {asked:?}");
            assert_eq!(judge(Test::In(vec![text("?"), asked.clone()])), is_it, "{kind:?}");
        }
    }

    #[test]
    fn what_people_read_is_what_may_occur() {
        let contains = |kind, value, part: &str| {
            let schema = Schema::from_iter([field(kind)]);
            let record = Record::new("contacts", "1").with("f", value);
            is("f", Test::Contains(part.into())).judge(&record, &schema, None) == Verdict::In
        };
        let form = || Value::Choice(crate::record::Choice::new("41"));
        assert!(contains(FieldType::Choice, form(), "FORM"));
        assert!(!contains(FieldType::Choice, form(), "41"));
        assert!(contains(FieldType::User, reference("7", Some("eva@x.es")), "@x.es"));
        let phone = || Value::Phone("+34 600 12 34 56".into());
        assert!(contains(FieldType::Phone, phone(), "600 12"), "as it is typed");
        assert!(contains(FieldType::Phone, phone(), "+34600123"), "as it is dialled");
    }

    #[test]
    fn what_a_field_can_never_be_is_refused() {
        let side = SideSettings {
            users: [("eva@x.es".to_owned(), "7".to_owned())].into(),
            ..SideSettings::default()
        };
        let check = |kind, test: Test| {
            let condition = Condition { field: "f".into(), test };
            condition.check(&field(kind), &side).is_ok()
        };
        for (kind, fits, never) in [
            (FieldType::Number, "5", "five"),
            (FieldType::Boolean, "true", "yes"),
            (FieldType::Date, "2026-08-01", "1.8.2026"),
            (FieldType::DateTime, "2026-08-01T10:00:00Z", "2026-08-01"),
            (FieldType::Choice, "Web form", "Fair"),
            (FieldType::User, "eva@x.es", "ana@x.es"),
            (FieldType::Consent, "opted_out", "no"),
            (FieldType::Email, "a@b.c", "a"),
        ] {
            assert!(check(kind, Test::Equals(text(fits))), "{kind:?}");
            for test in [
                Test::Equals(text(never)),
                Test::NotEquals(text(never)),
                Test::In(vec![text(fits), text(never)]),
            ] {
                assert!(!check(kind, test), "{kind:?}");
            }
            assert!(check(kind, Test::Contains(never.into())), "{kind:?}");
            assert!(!check(kind, Test::HasTag(fits.into())), "{kind:?} is no set");
        }
        for kind in [FieldType::Text, FieldType::Tag, FieldType::Phone] {
            assert!(check(kind, Test::NotEquals(text("anything"))), "{kind:?}");
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
