//! What mutations take: filters, entries and values, in the words of the API.

use async_graphql::{InputObject, OneofObject};
use jiff::Timestamp;

use super::error::{UserError, UserErrorCode};
use super::types::{ConstantWhen, EntryFunction, FilterOperator, PhoneFormat, Side};
use crate::jobs::{CronFault, check_cron};
use crate::planner::{
    Condition, Cron, Entry, EntryId, Filter, Function, Limit, NamePart, Rule, StandIn, Test,
    Thresholds, Transform,
};
use crate::record::{Choice, FieldId, ObjectName, PerSide, Value};

/// A value: exactly one of these.
#[derive(OneofObject)]
pub enum ValueInput {
    /// Text.
    Text(String),
    /// A number in decimal digits.
    Number(String),
    /// A checkbox.
    Boolean(bool),
    /// A day, as `2026-08-01`.
    Date(String),
    /// A moment, as `2026-08-01T10:00:00Z`.
    DateTime(String),
    /// An option, by its id.
    Option(String),
    /// An e-mail address.
    Email(String),
    /// A phone number.
    Phone(String),
    /// Several texts, such as tags.
    Texts(Vec<String>),
}

/// Something that a person types in to connect an account.
#[derive(InputObject)]
pub struct CredentialInput {
    /// Its name, as the catalogue has it.
    pub name: String,
    /// Its value. It can never be read back.
    #[graphql(secret)]
    pub value: String,
}

/// One side of a new connection.
#[derive(InputObject)]
pub struct SideInput {
    /// The account.
    pub account_id: async_graphql::ID,
    /// Its objects, of those that the account has, in order of preference; the app's first, if none is
    /// named. Where a person has records of several of them, that of the first is kept the same.
    #[graphql(default)]
    pub objects: Vec<String>,
}

/// A schedule by the clock on the wall. Where clocks are put forward, what falls into the missing hour
/// runs right after it; where they are put back, what runs at a set time runs once.
#[derive(InputObject)]
pub struct CronInput {
    /// Minute, hour, day of the month, month and weekday, such as `0 6,12,18 * * *` or `*/20 9-17 * * MON-FRI`.
    expression: String,
    /// The clock's zone, by its name in the IANA database, such as `Europe/Madrid`.
    time_zone: String,
}

/// How much may happen in a day before it waits for a person. What is left out stays as it is.
#[derive(InputObject)]
pub struct BrakeInput {
    /// Removals that the other side is told of.
    deletions: Option<LimitInput>,
    /// Records of which a field is emptied.
    clears: Option<LimitInput>,
    /// Records that are made, but for those of a first run.
    creates: Option<LimitInput>,
    /// Records in which one and the same field is written, but for those of a first run.
    one_field: Option<LimitInput>,
}

/// How many in a day and direction: a share of the pairs that are kept the same, at least `floor` and
/// at most `ceiling`.
#[derive(InputObject)]
pub struct LimitInput {
    /// As many are always let through.
    floor: u32,
    /// Percent of the pairs, 0 to 100.
    percent: u32,
    /// Never more than this; none for any number.
    ceiling: Option<u32>,
}

impl BrakeInput {
    /// What changes the limits.
    pub(super) fn change(self) -> Result<impl FnOnce(&mut Thresholds) + Send, UserError> {
        let limit = |given: Option<LimitInput>, path: &str| {
            given.map(|given| given.limit().map_err(|error| error.at(path))).transpose()
        };
        let deletions = limit(self.deletions, "input.brake.deletions")?;
        let clears = limit(self.clears, "input.brake.clears")?;
        let creates = limit(self.creates, "input.brake.creates")?;
        let one_field = limit(self.one_field, "input.brake.oneField")?;
        Ok(move |known: &mut Thresholds| {
            known.deletions = deletions.unwrap_or(known.deletions);
            known.clears = clears.unwrap_or(known.clears);
            known.creates = creates.unwrap_or(known.creates);
            known.one_field = one_field.unwrap_or(known.one_field);
        })
    }
}

impl LimitInput {
    fn limit(self) -> Result<Limit, UserError> {
        let Self { floor, percent, ceiling } = self;
        if percent > 100 {
            let message = "A share is 0 to 100 percent: for more, raise the floor.";
            return Err(UserError::new(UserErrorCode::Invalid, message));
        }
        if ceiling.is_some_and(|ceiling| ceiling < floor) {
            let message = "The ceiling is below the floor: give one that is not, or none.";
            return Err(UserError::new(UserErrorCode::Invalid, message));
        }
        let ceiling = ceiling.map(u64::from);
        Ok(Limit { floor: floor.into(), percent: percent.into(), ceiling })
    }
}

impl CronInput {
    pub(super) fn cron(self, now: Timestamp) -> Result<Cron, UserError> {
        let Self { expression, time_zone } = self;
        let cron = Cron { expression, time_zone };
        check_cron(&cron, now).map_err(|fault| {
            let path = match fault {
                CronFault::Expression | CronFault::Never => "input.cron.expression",
                CronFault::TimeZone => "input.cron.timeZone",
            };
            UserError::new(UserErrorCode::Invalid, fault.to_string()).at(path)
        })?;
        Ok(cron)
    }
}

/// The field on each side that says whether a person may be written to.
#[derive(InputObject)]
pub struct ConsentFieldsInput {
    /// The field on the left.
    pub left: String,
    /// The field on the right.
    pub right: String,
}

/// A rule.
#[derive(InputObject)]
pub struct RuleInput {
    /// Which records; all, without.
    pub filter: Option<FilterInput>,
    /// The object of the other side of which their partners are made, by the first rule that lets a
    /// record in; the first of that side, without.
    pub object: Option<String>,
}

/// A filter: exactly one of these.
#[derive(OneofObject)]
pub enum FilterInput {
    /// Every one of these must let the record in.
    All(Vec<FilterInput>),
    /// One of these is enough.
    Any(Vec<FilterInput>),
    /// A single condition.
    Is(ConditionInput),
}

/// One question about one field.
#[derive(InputObject)]
pub struct ConditionInput {
    /// The field.
    pub field: String,
    /// The question.
    pub operator: FilterOperator,
    /// What it is compared with: one value, or several for `IN`. Text stands for any kind: an option by its
    /// name, a user by e-mail address or id, a number or day in digits.
    #[graphql(default)]
    pub values: Vec<ValueInput>,
}

/// One line of a mapping.
#[derive(InputObject)]
pub struct EntryInput {
    /// Its id, if it was there before: then what was remembered for it stays.
    pub id: Option<String>,
    /// The object that it reads, if it is not for all of that side.
    pub source_object: Option<String>,
    /// The object that it writes, if it is not for all of that side.
    pub target_object: Option<String>,
    /// The field that it writes.
    pub target: String,
    /// The fields that it reads, in order.
    #[graphql(default)]
    pub inputs: Vec<String>,
    /// How the inputs become one value.
    #[graphql(default_with = "EntryFunction::Copy")]
    pub function: EntryFunction,
    /// What stands between joined texts.
    pub separator: Option<String>,
    /// The constant.
    pub constant: Option<ValueInput>,
    /// When the constant is written.
    pub constant_when: Option<ConstantWhen>,
    /// The form in which phone numbers are written.
    pub phone_format: Option<PhoneFormat>,
    /// Options that are replaced by options of the target.
    #[graphql(default)]
    pub options: Vec<OptionPairInput>,
    /// What is written where there would be nothing; the first that gives anything.
    #[graphql(default)]
    pub fallback: Vec<FallbackInput>,
}

/// An option and what it becomes.
#[derive(InputObject)]
pub struct OptionPairInput {
    /// The option of the source, by id or name.
    pub from: String,
    /// The option of the target, by id or name.
    pub to: String,
}

/// What stands in for a source that gives nothing: exactly one of these.
#[derive(OneofObject)]
pub enum FallbackInput {
    /// A fixed value.
    Value(ValueInput),
    /// Another field of the source.
    Field(String),
    /// What stands before the @ of this field.
    LocalPartOf(String),
}

fn invalid(path: &str, message: &str) -> UserError {
    UserError::new(UserErrorCode::Invalid, message).at(path)
}

impl ValueInput {
    fn value(self) -> Result<Value, UserError> {
        let bad = |message| invalid("value", message);
        Ok(match self {
            Self::Text(text) => Value::Text(text),
            Self::Number(digits) => Value::Number(
                digits.parse().map_err(|_| bad("a number is written in decimal digits: 12.5"))?,
            ),
            Self::Boolean(yes) => Value::Boolean(yes),
            Self::Date(day) => {
                Value::Date(day.parse().map_err(|_| bad("a day is written as 2026-08-01"))?)
            }
            Self::DateTime(at) => Value::DateTime(
                at.parse().map_err(|_| bad("a moment is written as 2026-08-01T10:00:00Z"))?,
            ),
            Self::Option(id) => Value::Choice(Choice::new(id)),
            Self::Email(address) => Value::Email(address),
            Self::Phone(number) => Value::Phone(number),
            Self::Texts(texts) => Value::List(texts.into_iter().map(Value::Text).collect()),
        })
    }
}

impl RuleInput {
    pub(super) fn rule(self) -> Result<Rule, UserError> {
        let filter = self.filter.map(FilterInput::filter).transpose()?.unwrap_or_default();
        Ok(Rule { filter, object: self.object.map(ObjectName::new) })
    }
}

impl FilterInput {
    fn filter(self) -> Result<Filter, UserError> {
        let members = |filters: Vec<Self>| filters.into_iter().map(Self::filter).collect();
        Ok(match self {
            Self::All(filters) => {
                let members: Result<Vec<Filter>, UserError> = members(filters);
                Filter::All(members?)
            }
            Self::Any(filters) => {
                let members: Result<Vec<Filter>, UserError> = members(filters);
                Filter::Any(members?)
            }
            Self::Is(condition) => Filter::Is(condition.condition()?),
        })
    }
}

impl ConditionInput {
    fn condition(self) -> Result<Condition, UserError> {
        let mut values = Vec::new();
        for value in self.values {
            // Several texts are several values.
            values.extend(value.value()?.elements().iter().cloned());
        }
        let one = |values: Vec<Value>| match <[Value; 1]>::try_from(values) {
            Ok([value]) => Ok(value),
            Err(_) => Err(invalid("values", "this operator compares with exactly one value")),
        };
        let test = match self.operator {
            FilterOperator::Equals => Test::Equals(one(values)?),
            FilterOperator::NotEquals => Test::NotEquals(one(values)?),
            FilterOperator::Contains => Test::Contains(one(values)?.text()),
            FilterOperator::HasTag => Test::HasTag(one(values)?.text()),
            FilterOperator::In if values.is_empty() => {
                return Err(invalid("values", "this operator compares with at least one value"));
            }
            FilterOperator::In => Test::In(values),
            FilterOperator::IsEmpty | FilterOperator::IsNotEmpty if !values.is_empty() => {
                return Err(invalid("values", "this operator takes no values"));
            }
            FilterOperator::IsEmpty => Test::IsEmpty,
            FilterOperator::IsNotEmpty => Test::IsNotEmpty,
        };
        Ok(Condition { field: FieldId::new(self.field), test })
    }
}

impl EntryInput {
    /// The entry, in the sync that reads this side.
    pub(super) fn entry(self, source: Side) -> Result<Entry, UserError> {
        let function = match self.function {
            EntryFunction::Copy => Function::Copy,
            EntryFunction::FirstNonEmpty => Function::FirstNonEmpty,
            EntryFunction::Join => {
                Function::Join { separator: self.separator.unwrap_or_else(|| " ".to_owned()) }
            }
            EntryFunction::JoinName => Function::JoinName,
            EntryFunction::SplitFirstName => Function::SplitName(NamePart::First),
            EntryFunction::SplitLastName => Function::SplitName(NamePart::Last),
            EntryFunction::Constant => {
                let missing = || invalid("constant", "a constant needs its value");
                Function::Constant {
                    value: self.constant.ok_or_else(missing)?.value()?,
                    when: self.constant_when.map(Into::into).unwrap_or_default(),
                }
            }
        };
        let mut transforms = Vec::new();
        transforms.extend(self.phone_format.map(|format| Transform::Phone(format.into())));
        if !self.options.is_empty() {
            let pairs = self.options.into_iter().map(|pair| (pair.from, pair.to));
            transforms.push(Transform::Options(pairs.collect()));
        }
        let fallback: Result<Vec<StandIn>, UserError> =
            self.fallback.into_iter().map(FallbackInput::stand_in).collect();
        let (reads, writes) = (self.source_object, self.target_object);
        let (left, right) = if source == Side::Left { (reads, writes) } else { (writes, reads) };
        let objects = PerSide { left, right }.map(|object| object.map(ObjectName::new));
        let id = self.id.map(EntryId);
        Ok(Entry {
            id: id.unwrap_or_else(|| EntryId::new(source.into(), &objects, &self.target)),
            since: 0,
            objects,
            target: FieldId::new(self.target),
            inputs: self.inputs.into_iter().map(FieldId::new).collect(),
            function,
            transforms,
            fallback: fallback?,
        })
    }
}

impl FallbackInput {
    fn stand_in(self) -> Result<StandIn, UserError> {
        Ok(match self {
            Self::Value(value) => StandIn::Value(value.value()?),
            Self::Field(field) => StandIn::Field(FieldId::new(field)),
            Self::LocalPartOf(field) => StandIn::LocalPart(FieldId::new(field)),
        })
    }
}
