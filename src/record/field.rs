//! What an account says of its fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FieldId;

/// The type of a field, or of its elements where it holds several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// A tag: text that is compared without regard to case.
    Tag,
}

/// What a field means, in words that all apps share. Equal semantics are mapped to each other by
/// default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Semantic {
    /// The address a person is written to.
    #[serde(rename = "email.primary")]
    EmailPrimary,
    /// Every address of the person.
    #[serde(rename = "email.all")]
    EmailAll,
    /// The number a person is called on.
    #[serde(rename = "phone.primary")]
    PhonePrimary,
    /// A number at work.
    #[serde(rename = "phone.work")]
    PhoneWork,
    /// A mobile number.
    #[serde(rename = "phone.mobile")]
    PhoneMobile,
    /// A number at home.
    #[serde(rename = "phone.home")]
    PhoneHome,
    /// A number of no particular kind.
    #[serde(rename = "phone.other")]
    PhoneOther,
    /// Every number of the person.
    #[serde(rename = "phone.all")]
    PhoneAll,
    /// The given name.
    #[serde(rename = "name.first")]
    NameFirst,
    /// The family name.
    #[serde(rename = "name.last")]
    NameLast,
    /// The whole name in one field.
    #[serde(rename = "name.full")]
    NameFull,
    /// The name of the employer.
    #[serde(rename = "company.name")]
    CompanyName,
    /// The employer as a record.
    #[serde(rename = "company")]
    Company,
    /// What the person does there.
    #[serde(rename = "job_title")]
    JobTitle,
    /// Street and number.
    #[serde(rename = "address.street")]
    AddressStreet,
    /// Town.
    #[serde(rename = "address.city")]
    AddressCity,
    /// State or province.
    #[serde(rename = "address.region")]
    AddressRegion,
    /// Postal code.
    #[serde(rename = "address.postal_code")]
    AddressPostalCode,
    /// Country.
    #[serde(rename = "address.country")]
    AddressCountry,
    /// Day of birth.
    #[serde(rename = "birthday")]
    Birthday,
    /// A fax number.
    #[serde(rename = "fax")]
    Fax,
    /// A web address.
    #[serde(rename = "website")]
    Website,
    /// The set of tags.
    #[serde(rename = "tags")]
    Tags,
    /// The user in charge.
    #[serde(rename = "owner")]
    Owner,
    /// Where the person came from.
    #[serde(rename = "lead_source")]
    LeadSource,
    /// Permission to send e-mail.
    #[serde(rename = "consent.email")]
    ConsentEmail,
    /// Permission to call or text.
    #[serde(rename = "consent.phone")]
    ConsentPhone,
    /// Free notes on the person.
    #[serde(rename = "notes")]
    Notes,
}

/// The options of a closed list: stable id to label.
pub type Choices = BTreeMap<String, String>;

/// One field of an object, as its account describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its stable id.
    pub id: FieldId,
    /// Its name in the account's language. For people; never compared.
    pub label: String,
    /// Its type, or that of its elements.
    pub kind: FieldType,
    /// Whether it holds a set of values. Sets are merged element by element.
    #[serde(default)]
    pub many: bool,
    /// Whether the account lets us write it.
    pub writable: bool,
    /// Whether a record can't be created without it.
    #[serde(default)]
    pub required: bool,
    /// The longest text it keeps, in characters.
    #[serde(default)]
    pub max_len: Option<usize>,
    /// The options of a closed list; empty where it is not one or takes anything.
    #[serde(default)]
    pub options: Choices,
    /// Whether people do not see it in the app.
    #[serde(default)]
    pub api_only: bool,
    /// What it means.
    #[serde(default)]
    pub semantic: Option<Semantic>,
    /// The field whose stored value this one is a part of: one label of a list of phones. Two
    /// mappings may not write the same stored value as a whole.
    #[serde(default)]
    pub part_of: Option<FieldId>,
}

impl Field {
    /// A writable, optional, single field without limits: the commonest kind.
    #[must_use]
    pub fn new(id: impl Into<FieldId>, kind: FieldType) -> Self {
        let id = id.into();
        Self {
            label: id.as_str().to_owned(),
            id,
            kind,
            many: false,
            writable: true,
            required: false,
            max_len: None,
            options: Choices::new(),
            api_only: false,
            semantic: None,
            part_of: None,
        }
    }
}

/// The fields of one object of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema(BTreeMap<FieldId, Field>);

impl Schema {
    /// One field, if the account has it.
    #[must_use]
    pub fn get(&self, id: &FieldId) -> Option<&Field> {
        self.0.get(id)
    }

    /// All fields, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.values()
    }

    /// The field with this meaning; the first by id where an account has several.
    #[must_use]
    pub fn meaning(&self, semantic: Semantic) -> Option<&Field> {
        self.iter().find(|field| field.semantic == Some(semantic))
    }
}

impl FromIterator<Field> for Schema {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().map(|field| (field.id.clone(), field)).collect())
    }
}
