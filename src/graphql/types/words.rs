//! The enums of the API: the words of the house, each under its own name. All may grow.

use async_graphql::Enum;

use crate::{planner, record};

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "record::Side")]
pub enum Side {
    /// The one.
    Left,
    /// The other.
    Right,
}

/// The type of a field, or of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "record::FieldType")]
pub enum FieldType {
    /// Free text.
    Text,
    /// A decimal number.
    Number,
    /// A checkbox.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// One of a closed list.
    Choice,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A user of the account.
    User,
    /// A company of the account.
    Company,
    /// Marketing permission.
    Consent,
    /// A tag.
    Tag,
}

/// Whether a sync writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::SyncState")]
pub enum SyncState {
    /// Never started.
    Draft,
    /// Writing.
    Running,
    /// Stopped by a person; reads go on.
    Paused,
}

/// What a sync sends of what is there when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::FirstRun")]
pub enum FirstRun {
    /// Everything in scope.
    All,
    /// Nothing: only what is new or changes from then on.
    NewOnly,
}

/// Whether a sync replaces values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::WritePolicy")]
pub enum WritePolicy {
    /// It does.
    Overwrite,
    /// It only fills what is empty.
    FillBlanks,
}

/// What a deletion does on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::DeletionPolicy")]
pub enum DeletionPolicy {
    /// Nothing.
    Ignore,
    /// The partner gets the tag `Deleted in <app>`.
    Tag,
}

/// How marketing permission travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::ConsentPolicy")]
pub enum ConsentPolicy {
    /// An opt-out reaches the other side, whatever else holds.
    Tighten,
    /// It does not travel.
    None,
}

/// What people are recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::MatchKey")]
pub enum MatchKey {
    /// Any e-mail address of both.
    Email,
    /// Any phone number of both, if one has no e-mail or the names agree.
    Phone,
}

/// What a person has to agree to before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::Approval")]
pub enum Approval {
    /// Nothing.
    Never,
    /// The first run of each sync.
    FirstRun,
}

/// Something a person says before a start, because no program can know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::Acknowledgement")]
pub enum Acknowledgement {
    /// No other program keeps these two accounts the same.
    NoOtherSync,
    /// Opt-outs of one side will not reach the other, because no sync goes there.
    OptOutsStay,
}

/// When a constant is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "planner::ConstantWhen")]
pub enum ConstantWhen {
    /// Into records that we create. The elements of a set, such as tags, are added once to each record that is
    /// linked, made by us or not.
    OnCreate,
    /// Also into records that are met for the first time.
    Always,
}

/// A form of phone numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "record::PhoneFormat")]
pub enum PhoneFormat {
    /// `+34600123456`.
    E164,
    /// `+34 600 12 34 56`.
    International,
    /// `600 12 34 56`.
    National,
    /// `34600123456`.
    Digits,
    /// `tel:+34-600-12-34-56`.
    Rfc3966,
    /// As it was typed.
    AsIs,
}

/// How inputs become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum EntryFunction {
    /// The first input.
    Copy,
    /// The first input that has anything in it.
    FirstNonEmpty,
    /// The texts of all inputs, with a separator.
    Join,
    /// Given name and family name become a whole name.
    JoinName,
    /// The given name of a whole name.
    SplitFirstName,
    /// The family name of a whole name.
    SplitLastName,
    /// The same for every record.
    Constant,
}

/// The question of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum FilterOperator {
    /// The same value; of a set: contains it.
    Equals,
    /// Another value, or none.
    NotEquals,
    /// The text occurs in it.
    Contains,
    /// One of these.
    In,
    /// Nothing in it.
    IsEmpty,
    /// Something in it.
    IsNotEmpty,
    /// The set of tags has this one.
    HasTag,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OutcomeName {
    /// It can't be planned or written as it is.
    Failed,
    /// Both sides changed and nobody said whose value stands.
    Conflict,
    /// Several records could be its partner.
    Ambiguous,
    /// Another record of its side has its key.
    Duplicate,
    /// Held back until something else is settled.
    Waiting,
    /// It was made on the other side.
    Created,
    /// Its deletion was carried to its partner.
    Deleted,
    /// A field of either side was written.
    Updated,
    /// It was paired with a record that was there.
    Linked,
    /// Nothing to do.
    InSync,
    /// No sync lets it in.
    Excluded,
    /// It is left alone.
    Skipped,
}

impl OutcomeName {
    /// All, with the names that the planner gives them.
    const ALL: [(Self, &'static str); 12] = [
        (Self::Failed, "failed"),
        (Self::Conflict, "conflict"),
        (Self::Ambiguous, "ambiguous"),
        (Self::Duplicate, "duplicate"),
        (Self::Waiting, "waiting"),
        (Self::Created, "created"),
        (Self::Deleted, "deleted"),
        (Self::Updated, "updated"),
        (Self::Linked, "linked"),
        (Self::InSync, "in_sync"),
        (Self::Excluded, "excluded"),
        (Self::Skipped, "skipped"),
    ];

    /// The one of this name.
    pub(in crate::graphql) fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|(_, known)| *known == name);
        found.map_or(Self::InSync, |(outcome, _)| outcome)
    }

    /// Its name.
    pub(in crate::graphql) fn name(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(outcome, _)| *outcome == self);
        found.map_or("in_sync", |(_, name)| name)
    }
}
