//! From the inputs of an entry to the value for its target.

use std::collections::BTreeMap;

use super::convert::{Unresolved, convert};
use super::{Entry, Function, NamePart, StandIn, Transform};
use crate::planner::settings::SideSettings;
use crate::record::name::{self, Parts};
use crate::record::phone;
use crate::record::{Field, FieldId, FieldType, PhoneFormat, Schema, Value, fold};

/// What an entry is evaluated in.
pub(crate) struct Context<'a> {
    /// The fields of the object that is read.
    pub source: &'a Schema,
    /// The side that is written.
    pub side: &'a SideSettings,
    /// The country of the side that is read, for its phone numbers.
    pub region: Option<&'a crate::record::Region>,
    /// The field that is written.
    pub target: &'a Field,
    /// Parts of the name that were seen together, the best guess first.
    pub known_names: &'a [Parts],
}

/// What an entry comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Made {
    /// A value in the target's type; perhaps cleared.
    Value {
        /// The value.
        value: Value,
        /// Whether it was cut to the target's length.
        is_cut: bool,
    },
    /// The inputs have a value that the target can't take.
    Unresolved(Unresolved),
}

impl Made {
    fn plain(value: Value) -> Self {
        Self::Value { value, is_cut: false }
    }
}

/// Evaluates an entry over its inputs, one value per input, in order.
#[must_use]
pub(crate) fn make(entry: &Entry, inputs: &[Value], context: &Context<'_>) -> Made {
    let (mut value, from) = apply_function(entry, inputs, context);
    for transform in &entry.transforms {
        match apply_transform(transform, &value, from, context) {
            Ok(next) => value = next,
            Err(why) => return Made::Unresolved(why),
        }
    }
    fit(&value, from, context)
}

/// The entry's stand-in for a source that gives nothing; none where it has none that gives anything.
pub(crate) fn stand_in(
    entry: &Entry,
    read: impl Fn(&FieldId) -> Option<Value>,
    context: &Context<'_>,
) -> Option<Value> {
    let candidates = entry.fallback.iter().filter_map(|stand_in| match stand_in {
        StandIn::Value(value) => Some(value.clone()),
        StandIn::Field(field) => read(field),
        StandIn::LocalPart(field) => {
            let address = read(field)?;
            let text = address.elements().first()?.text();
            Some(Value::Text(text.split('@').next()?.to_owned()))
        }
    });
    for candidate in candidates.filter(|value| !value.is_empty()) {
        // A fixed user or option is meant as it stands: it is the target's own already.
        let fitted = match (&candidate, context.target.kind) {
            (Value::Reference(_), FieldType::User) => Made::plain(candidate),
            _ => fit(&candidate, None, context),
        };
        if let Made::Value { value, .. } = fitted
            && !value.is_empty()
        {
            return Some(value);
        }
    }
    None
}

/// The value and, where it is still that of one field, the field.
fn apply_function<'a>(
    entry: &Entry,
    inputs: &[Value],
    context: &Context<'a>,
) -> (Value, Option<&'a Field>) {
    let field = |at: usize| entry.inputs.get(at).and_then(|id| context.source.get(id));
    let text = |at: usize| inputs.get(at).map(Value::text).unwrap_or_default();
    match &entry.function {
        Function::Copy => (inputs.first().cloned().unwrap_or(Value::Cleared), field(0)),
        Function::FirstNonEmpty => {
            match inputs.iter().enumerate().find(|(_, value)| !value.is_empty()) {
                Some((at, value)) => (value.clone(), field(at)),
                None => (Value::Cleared, None),
            }
        }
        Function::Join { separator } => {
            let texts: Vec<String> =
                inputs.iter().filter(|value| !value.is_empty()).map(Value::text).collect();
            (Value::Text(texts.join(separator)), None)
        }
        Function::JoinName => {
            (Value::Text(name::join(&Parts { first: text(0), last: text(1) })), None)
        }
        Function::SplitName(part) => {
            let parts = name::split(&text(0), context.known_names);
            let part = match part {
                NamePart::First => parts.first,
                NamePart::Last => parts.last,
            };
            (Value::Text(part), None)
        }
        Function::Constant { value, .. } => (value.clone(), None),
    }
}

fn apply_transform(
    transform: &Transform,
    value: &Value,
    from: Option<&Field>,
    context: &Context<'_>,
) -> Result<Value, Unresolved> {
    let each = |change: &dyn Fn(&Value) -> Result<Value, Unresolved>| match value {
        Value::List(items) => items.iter().map(change).collect::<Result<_, _>>().map(Value::List),
        single => change(single),
    };
    match transform {
        Transform::Phone(format) => each(&|value| match value {
            Value::Phone(number) | Value::Text(number) => {
                Ok(Value::Phone(phone::format(number, context.region, *format)))
            }
            other => Ok(other.clone()),
        }),
        Transform::Options(table) => each(&|value| {
            if value.is_empty() {
                return Ok(Value::Cleared);
            }
            let replacement = replacement(table, value, from).ok_or(Unresolved::UnknownOption)?;
            Ok(Value::Text(replacement.clone()))
        }),
    }
}

/// What a table has for a value: by the id of an option, or by its name.
fn replacement<'t>(
    table: &'t BTreeMap<String, String>,
    value: &Value,
    from: Option<&Field>,
) -> Option<&'t String> {
    let id = value.text();
    let name = fold(from.and_then(|field| field.options.get(&id)).unwrap_or(&id));
    let by_name = || table.iter().find(|(named, _)| fold(named) == name);
    table.get(&id).or_else(|| by_name().map(|(_, replacement)| replacement))
}

fn fit(value: &Value, from: Option<&Field>, context: &Context<'_>) -> Made {
    let converted = convert(value, from, context.target, context.side);
    match converted.map(|value| with_country(value, context)) {
        Err(why) => Made::Unresolved(why),
        Ok(value) if value.is_empty() => Made::plain(Value::Cleared),
        Ok(value) => match context.target.max_len {
            Some(max) => cut(value, max),
            None => Made::plain(value),
        },
    }
}

/// Where the sides read numbers by different countries, a number takes its country along.
fn with_country(value: Value, context: &Context<'_>) -> Value {
    if context.target.kind != FieldType::Phone || context.region == context.side.region.as_ref() {
        return value;
    }
    match value {
        Value::List(items) => {
            Value::List(items.into_iter().map(|item| with_country(item, context)).collect())
        }
        Value::Phone(number) => {
            Value::Phone(phone::format(&number, context.region, PhoneFormat::E164))
        }
        other => other,
    }
}

/// Cuts texts to what the target keeps, counted in characters. Addresses and numbers are not cut:
/// half an address is somebody else's.
fn cut(value: Value, max: usize) -> Made {
    match value {
        Value::Text(text) if text.chars().count() > max => {
            let kept: String = text.chars().take(max).collect();
            Made::Value { value: Value::Text(kept.trim_end().to_owned()), is_cut: true }
        }
        Value::Email(text) | Value::Phone(text) if text.chars().count() > max => {
            Made::Unresolved(Unresolved::WrongShape)
        }
        other => Made::plain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Choice, PerSide, Reference, Region};

    struct Desk {
        source: Schema,
        side: SideSettings,
        target: Field,
        region: Option<Region>,
    }

    impl Desk {
        fn new(target: Field) -> Self {
            let text = |id: &str| Field::new(id, FieldType::Text);
            let source = Schema::from_iter([
                text("first"),
                text("company"),
                Field::new("email", FieldType::Email),
                Field::new("phone", FieldType::Phone),
                Field::new("owner", FieldType::User),
            ]);
            let side = SideSettings {
                app: "Right".into(),
                objects: vec!["contacts".into()],
                schemas: BTreeMap::new(),
                region: "ES".parse().ok(),
                users: [("eva@x.es".to_owned(), "9".to_owned())].into(),
                converts: BTreeMap::new(),
                tags: None,
            };
            Self { source, side, target, region: "ES".parse().ok() }
        }

        fn context(&self) -> Context<'_> {
            Context {
                source: &self.source,
                side: &self.side,
                region: self.region.as_ref(),
                target: &self.target,
                known_names: &[],
            }
        }

        fn make(&self, entry: &Entry, inputs: &[Value]) -> Made {
            make(entry, inputs, &self.context())
        }

        fn stand_in(&self, entry: &Entry, record: &[(&str, Value)]) -> Option<Value> {
            let record: BTreeMap<FieldId, Value> =
                record.iter().map(|(id, value)| ((*id).into(), value.clone())).collect();
            stand_in(entry, |field| record.get(field).cloned(), &self.context())
        }
    }

    fn entry(inputs: &[&str]) -> Entry {
        Entry {
            id: "e".into(),
            since: 0,
            objects: PerSide::default(),
            target: "target".into(),
            inputs: inputs.iter().map(|input| (*input).into()).collect(),
            function: Function::Copy,
            transforms: vec![],
            fallback: vec![],
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn user(id: &str, email: Option<&str>) -> Value {
        Value::Reference(Reference { id: id.into(), email: email.map(str::to_owned) })
    }

    #[test]
    fn a_last_name_that_is_demanded_is_made_of_what_there_is() {
        let desk = Desk::new(Field { required: true, ..Field::new("target", FieldType::Text) });
        let fallback = vec![
            StandIn::Field("company".into()),
            StandIn::LocalPart("email".into()),
            StandIn::Value(text("-")),
        ];
        let entry = Entry { fallback, ..entry(&["last"]) };
        let email = || ("email", Value::Email("ana.diaz@x.es".into()));
        assert_eq!(
            desk.stand_in(&entry, &[("company", text("Acme")), email()]),
            Some(text("Acme"))
        );
        assert_eq!(
            desk.stand_in(&entry, &[("company", Value::Cleared), email()]),
            Some(text("ana.diaz"))
        );
        assert_eq!(desk.stand_in(&entry, &[]), Some(text("-")));
    }

    #[test]
    fn an_owner_is_found_by_address_and_stands_in_by_id() {
        let desk = Desk::new(Field::new("target", FieldType::User));
        let fallback = vec![StandIn::Value(user("1", None))];
        let entry = Entry { fallback, ..entry(&["owner"]) };
        let eva = user("left-7", Some("EVA@x.es"));
        let found = user("9", Some("EVA@x.es"));
        assert_eq!(desk.make(&entry, &[eva]), Made::plain(found));
        let stranger = user("left-8", Some("ida@x.es"));
        assert_eq!(desk.make(&entry, &[stranger]), Made::Unresolved(Unresolved::UnknownUser));
        assert_eq!(desk.stand_in(&entry, &[]), Some(user("1", None)), "the target's own user");
    }

    #[test]
    fn a_text_is_cut_to_what_is_kept_and_that_is_said() {
        let max = Field { max_len: Some(5), ..Field::new("target", FieldType::Text) };
        let desk = Desk::new(max);
        let cut = Made::Value { value: text("Niño"), is_cut: true };
        assert_eq!(desk.make(&entry(&["first"]), &[text("Niño Jesús")]), cut);
        assert_eq!(desk.make(&entry(&["first"]), &[text("Nuñez")]), Made::plain(text("Nuñez")));
    }

    #[test]
    fn half_an_address_is_not_written() {
        let max = Field { max_len: Some(5), ..Field::new("target", FieldType::Email) };
        let made = Desk::new(max).make(&entry(&["email"]), &[Value::Email("ana@x.es".into())]);
        assert_eq!(made, Made::Unresolved(Unresolved::WrongShape));
    }

    #[test]
    fn a_number_takes_its_country_along_where_the_sides_differ() {
        let mut desk = Desk::new(Field::new("target", FieldType::Phone));
        let number = [Value::Phone("600123456".into())];
        assert_eq!(desk.make(&entry(&["phone"]), &number), Made::plain(number[0].clone()));
        desk.side.region = "US".parse().ok();
        let with = Value::Phone("+34600123456".into());
        assert_eq!(desk.make(&entry(&["phone"]), &number), Made::plain(with));
    }

    #[test]
    fn the_first_field_with_anything_in_it_counts() {
        let desk = Desk::new(Field::new("target", FieldType::Text));
        let entry = Entry { function: Function::FirstNonEmpty, ..entry(&["first", "company"]) };
        let made = |a: &str, b: &str| desk.make(&entry, &[text(a), text(b)]);
        assert_eq!(made(" ", "Acme"), Made::plain(text("Acme")));
        assert_eq!(made("Ana", "Acme"), Made::plain(text("Ana")));
        assert_eq!(made("", ""), Made::plain(Value::Cleared));
    }

    #[test]
    fn only_what_is_there_is_joined() {
        let desk = Desk::new(Field::new("target", FieldType::Text));
        let function = Function::Join { separator: ", ".into() };
        let entry = Entry { function, ..entry(&["first", "company"]) };
        let made = |a: &str, b: &str| desk.make(&entry, &[text(a), text(b)]);
        assert_eq!(made("Ana", "Acme"), Made::plain(text("Ana, Acme")));
        assert_eq!(made("", "Acme"), Made::plain(text("Acme")));
    }

    #[test]
    fn an_option_outside_the_table_is_not_resolved() {
        let desk = Desk::new(Field::new("target", FieldType::Choice));
        let table = [("web".to_owned(), "1".to_owned())].into();
        let entry = Entry { transforms: vec![Transform::Options(table)], ..entry(&["first"]) };
        let one = Value::Choice(Choice::new("1"));
        assert_eq!(desk.make(&entry, &[text("web")]), Made::plain(one));
        let unknown = desk.make(&entry, &[text("fair")]);
        assert_eq!(unknown, Made::Unresolved(Unresolved::UnknownOption));
        assert_eq!(desk.make(&entry, &[Value::Cleared]), Made::plain(Value::Cleared));
    }

    #[test]
    fn options_are_replaced_by_id_or_by_name() {
        let options = |id: &str, name: &str| Field {
            options: [(id.to_owned(), name.to_owned())].into(),
            ..Field::new("f", FieldType::Choice)
        };
        let from = options("41", "Web form");
        let desk = Desk::new(options("7", "Online"));
        for (named, becomes) in [("41", "7"), ("web Form", "online"), ("41", "Online")] {
            let table = [(named.to_owned(), becomes.to_owned())].into();
            let option = Value::Choice(Choice::new("41"));
            let made =
                apply_transform(&Transform::Options(table), &option, Some(&from), &desk.context());
            let online = Value::Choice(Choice::new("7"));
            assert_eq!(fit(&made.unwrap(), None, &desk.context()), Made::plain(online), "{named}");
        }
        let table = [("fair".to_owned(), "7".to_owned())].into();
        let option = Value::Choice(Choice::new("41"));
        let made =
            apply_transform(&Transform::Options(table), &option, Some(&from), &desk.context());
        assert_eq!(made, Err(Unresolved::UnknownOption));
    }
}
