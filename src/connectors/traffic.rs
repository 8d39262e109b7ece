//! What goes between the house and an app, in our words.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::record::{
    Conversion, FieldId, FieldType, ObjectName, Record, RecordName, RemoteId, Revision, Value,
};

/// What an app can do. Flat: everything that depends on the app asks here, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Records per page of a listing.
    pub page_max: usize,
    /// Records per direct read.
    pub read_many_max: usize,
    /// Records per write.
    pub write_many_max: usize,
    /// Whether a change since a point in time can be asked for.
    pub list_incremental: bool,
    /// Whether removed records are reported.
    pub list_reports_removed: bool,
    /// Whether records can be removed.
    pub delete: bool,
    /// Whether records have tags.
    pub tags: bool,
    /// Whether permission to send e-mail has a field of its own in every account.
    pub consent: bool,
    /// Whether a field that holds something can be emptied.
    pub clear_field: bool,
    /// Whether an answer to a write gives the record's new revision.
    pub revision_in_answer: bool,
    /// What records of an object can be made into, by the app's own way.
    pub converts: &'static [(&'static str, &'static str)],
    /// Where the app allows an account so many credits in a time: the time. Credits that were used longer ago
    /// count no more.
    pub credit_window: Option<Duration>,
    /// How long a search may miss a record that was just written, in seconds.
    pub search_lag_seconds: u32,
}

/// What to read: an object of the account, perhaps only a collection of it, and which fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The object.
    pub object: ObjectName,
    /// The collection; empty for none.
    pub collection: String,
    /// The fields to read. A field that is not read is absent, not empty.
    pub fields: BTreeSet<FieldId>,
    /// How old the knowledge of removals may be, where the app lists them apart, before that list is
    /// read again.
    pub removals_every: Duration,
    /// The asker's number of this moment. A page that tells of an earlier one gives that one's back.
    pub moment: u64,
}

/// One page of what changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What changed. A record may come twice; the later one is the newer.
    pub changes: Vec<Change>,
    /// Where the next read goes on, in the connector's own words.
    pub cursor: String,
    /// Whether this was the last page for now. A cap that was reached is an error, never the end.
    pub is_last: bool,
    /// The moment of which it tells, where that is not the one at which it was asked for.
    pub moment: Option<u64>,
}

/// Something that happened to a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It was made or changed: this is what it is now.
    Seen(Record),
    /// The app reports that it was removed. To be believed, a direct read must say so too.
    Gone(RemoteId),
    /// It is one of this object no more, and was not removed.
    Left(Departure),
}

/// A record that is one of its object no more, and was not removed: a lead that was converted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Departure {
    /// The record.
    pub id: RemoteId,
    /// What it is now, where the app tells.
    pub became: Option<RecordName>,
}

/// The answer of a direct read.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched {
    /// It is there.
    Live(Record),
    /// There is no such record.
    Gone(RemoteId),
    /// The account may not read it.
    Forbidden(RemoteId),
    /// It is one of this object no more, and was not removed.
    Left(Departure),
}

impl Fetched {
    /// The record that was asked for.
    #[must_use]
    pub fn id(&self) -> &RemoteId {
        match self {
            Self::Live(record) => &record.id,
            Self::Gone(id) | Self::Forbidden(id) => id,
            Self::Left(departure) => &departure.id,
        }
    }
}

/// What to look a record up by: a value of some field of this type, in normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookup {
    /// E-mail or phone.
    pub kind: FieldType,
    /// Its normal form.
    pub value: String,
}

/// Whose account it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The account's id in the app.
    pub remote_id: String,
    /// Its name for people.
    pub label: String,
    /// Where it is reached, in the app's words.
    pub host: String,
    /// The e-mail address of the user who authorised us.
    pub email: Option<String>,
    /// The account's country, in two letters.
    pub country: Option<String>,
    /// The account's time zone (IANA name).
    pub time_zone: Option<String>,
    /// How many credits the account has in the time that its app counts them in.
    pub allowance: Option<u64>,
}

/// One record to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The object.
    pub object: ObjectName,
    /// The record; none makes one.
    pub id: Option<RemoteId>,
    /// The record as it was planned upon, for apps that take some values only whole.
    pub known: Option<Record>,
    /// The fields to change, and no others.
    pub fields: BTreeMap<FieldId, Value>,
    /// Tags to add. Those that others put there stay.
    pub tags_add: Vec<String>,
    /// Tags to remove.
    pub tags_remove: Vec<String>,
    /// What the record is to become; then nothing else is to be changed. It is read afterwards, so that
    /// the answer names the record itself.
    pub becomes: Option<Conversion>,
}

/// What became of one record of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// The app did it.
    Applied {
        /// The record's id.
        id: RemoteId,
        /// The record's state after it, where the app tells; only if no other change can have the same
        /// one, which times in whole seconds can't promise.
        revision: Option<Revision>,
        /// Other fields that changed with those that were written: parts of the same stored value.
        also: BTreeMap<FieldId, Value>,
    },
    /// The app refused this one, for good.
    Rejected {
        /// The app's code.
        code: String,
        /// The field that it did not like.
        field: Option<FieldId>,
        /// The record that has what only one may have, if that is why; of what was to become another, the
        /// one that it would have become.
        holder: Option<RemoteId>,
    },
    /// The app can't do it now, and has not: the record is locked, it is not as it was planned upon,
    /// or the call before it failed. It is read and planned again, never sent again as it was.
    Later {
        /// Why.
        code: String,
    },
    /// Nobody knows: the answer did not come, or could not be understood. Never to be sent again
    /// before it was looked for.
    Unknown {
        /// What happened.
        code: String,
    },
}
