//! Names that an app gives to its things. Opaque: nobody but the app's connector looks inside.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the app's own spelling, unchanged.
            #[must_use]
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The app's own spelling.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }
    };
}

name!(
    /// A record's id in its app. Apps use integers, strings and paths; all are kept as text, because
    /// ids of 18 digits lose precision as numbers.
    RemoteId
);
name!(
    /// A field's stable id in its app (Zoho: the API name; Kommo: the code or the numeric id), never
    /// its label, which accounts translate.
    FieldId
);
name!(
    /// An object of an app, as the connector calls it: `contacts`, `leads`.
    ObjectName
);
name!(
    /// What an app says of a record's state, to be compared for equality only: an ETag, a revision
    /// number, a time of last change.
    Revision
);

/// A record, as its app names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordName {
    /// Its object.
    pub object: ObjectName,
    /// Its id.
    pub id: RemoteId,
}

/// What a record is to become, by its app's own way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The object of which it will be.
    pub object: ObjectName,
    /// The record of that object that it becomes; a new one, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<RemoteId>,
}
