//! The words of the field: records, fields, values and their normal forms.
//!
//! Pure: nothing here may wait, look at a clock, draw a random number, read the environment or talk
//! to anybody. Everything above speaks in these types.

mod field;
mod fields;
mod id;
mod normal;
mod side;
mod toll;
mod value;

pub use field::{Choices, Field, FieldType, Schema, Semantic};
pub use fields::Record;
pub use id::{Conversion, FieldId, ObjectName, RecordName, RemoteId, Revision};
pub use normal::phone::{PhoneFormat, UnknownRegion};
pub use normal::{NORM_VERSION, Normal, Region, change_tags, fold, name, normalise, phone};
pub use side::{PerSide, Side};
pub use toll::Toll;
pub use value::{Choice, Consent, Reference, Value};
