//! The modules and their standard fields, and what people add to them.

use super::fields::{Choice, Field, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Module {
    Leads,
    Contacts,
    Accounts,
}

impl Module {
    pub(super) const ALL: [Self; 3] = [Self::Leads, Self::Contacts, Self::Accounts];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|module| module.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Leads => "Leads",
            Self::Contacts => "Contacts",
            Self::Accounts => "Accounts",
        }
    }

    pub(super) fn singular(self) -> &'static str {
        match self {
            Self::Leads => "Lead",
            Self::Contacts => "Contact",
            Self::Accounts => "Account",
        }
    }

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Leads => "5725767000000002175",
            Self::Contacts => "5725767000000002179",
            Self::Accounts => "5725767000000002177",
        }
    }

    pub(super) fn layout_id(self) -> &'static str {
        match self {
            Self::Leads => "5725767000000091055",
            Self::Contacts => "5725767000000091033",
            Self::Accounts => "5725767000000091023",
        }
    }

    /// The field by which upserts look for duplicates.
    pub(super) fn check_field(self) -> &'static str {
        match self {
            Self::Leads | Self::Contacts => "Email",
            Self::Accounts => "Account_Name",
        }
    }

    /// The field without which there is no record.
    fn mandatory_field(self) -> &'static str {
        match self {
            Self::Leads | Self::Contacts => "Last_Name",
            Self::Accounts => "Account_Name",
        }
    }

    fn first_field_id(self) -> u64 {
        match self {
            Self::Leads => 5_725_767_000_000_010_000,
            Self::Contacts => 5_725_767_000_000_020_000,
            Self::Accounts => 5_725_767_000_000_030_000,
        }
    }
}

type Row = (&'static str, Kind, u64);

/// People of both modules have these.
const PERSON: &[Row] = &[
    ("Owner", Kind::Owner, 120),
    ("First_Name", Kind::Text, 40),
    ("Last_Name", Kind::Text, 80),
    ("Salutation", Kind::Picklist, 120),
    ("Email", Kind::Email, 100),
    ("Secondary_Email", Kind::Email, 100),
    ("Phone", Kind::Phone, 30),
    ("Mobile", Kind::Phone, 30),
    ("Fax", Kind::Text, 30),
    ("Lead_Source", Kind::Picklist, 120),
    ("Description", Kind::TextArea, 32_000),
    ("Skype_ID", Kind::Text, 50),
    ("Twitter", Kind::Text, 50),
    ("Email_Opt_Out", Kind::Boolean, 5),
    ("Tag", Kind::Tags, 2_000),
    ("Record_Image", Kind::Image, 255),
    ("Data_Source", Kind::Picklist, 120),
];

const LEAD: &[Row] = &[
    ("Company", Kind::Text, 200),
    ("Designation", Kind::Text, 100),
    ("Website", Kind::Website, 255),
    ("Lead_Status", Kind::Picklist, 120),
    ("Industry", Kind::Picklist, 120),
    ("Rating", Kind::Picklist, 120),
    ("No_of_Employees", Kind::Integer, 9),
    ("Annual_Revenue", Kind::Currency, 16),
    ("Street", Kind::Text, 250),
    ("City", Kind::Text, 100),
    ("State", Kind::Text, 100),
    ("Zip_Code", Kind::Text, 30),
    ("Country", Kind::Text, 100),
];

const CONTACT: &[Row] = &[
    ("Account_Name", Kind::Lookup, 120),
    ("Vendor_Name", Kind::Lookup, 120),
    ("Reporting_To", Kind::Lookup, 120),
    ("Title", Kind::Text, 100),
    ("Department", Kind::Text, 50),
    ("Home_Phone", Kind::Phone, 30),
    ("Other_Phone", Kind::Phone, 30),
    ("Assistant", Kind::Text, 50),
    ("Asst_Phone", Kind::Phone, 30),
    ("Date_of_Birth", Kind::Date, 20),
    ("Mailing_Street", Kind::Text, 250),
    ("Mailing_City", Kind::Text, 100),
    ("Mailing_State", Kind::Text, 100),
    ("Mailing_Zip", Kind::Text, 30),
    ("Mailing_Country", Kind::Text, 100),
    ("Other_Street", Kind::Text, 250),
    ("Other_City", Kind::Text, 100),
    ("Other_State", Kind::Text, 100),
    ("Other_Zip", Kind::Text, 30),
    ("Other_Country", Kind::Text, 100),
];

const ACCOUNT: &[Row] = &[
    ("Owner", Kind::Owner, 120),
    ("Account_Name", Kind::Text, 200),
    ("Account_Number", Kind::BigInt, 18),
    ("Account_Type", Kind::Picklist, 120),
    ("Account_Site", Kind::Text, 80),
    ("Parent_Account", Kind::Lookup, 120),
    ("Phone", Kind::Phone, 30),
    ("Fax", Kind::Text, 30),
    ("Website", Kind::Website, 255),
    ("Industry", Kind::Picklist, 120),
    ("Employees", Kind::Integer, 9),
    ("Annual_Revenue", Kind::Currency, 16),
    ("Ownership", Kind::Picklist, 120),
    ("Rating", Kind::Picklist, 120),
    ("SIC_Code", Kind::Integer, 9),
    ("Ticker_Symbol", Kind::Text, 30),
    ("Billing_Street", Kind::Text, 250),
    ("Billing_City", Kind::Text, 100),
    ("Billing_State", Kind::Text, 100),
    ("Billing_Code", Kind::Text, 30),
    ("Billing_Country", Kind::Text, 100),
    ("Shipping_Street", Kind::Text, 250),
    ("Shipping_City", Kind::Text, 100),
    ("Shipping_State", Kind::Text, 100),
    ("Shipping_Code", Kind::Text, 30),
    ("Shipping_Country", Kind::Text, 100),
    ("Description", Kind::TextArea, 32_000),
    ("Tag", Kind::Tags, 2_000),
    ("Record_Image", Kind::Image, 255),
];

const READ_ONLY: &[Row] = &[
    ("id", Kind::BigInt, 18),
    ("Created_By", Kind::Owner, 120),
    ("Modified_By", Kind::Owner, 120),
    ("Created_Time", Kind::DateTime, 120),
    ("Modified_Time", Kind::DateTime, 120),
    ("Last_Activity_Time", Kind::DateTime, 120),
    ("Layout", Kind::Layout, 120),
    ("Change_Log_Time__s", Kind::DateTime, 120),
    ("Locked__s", Kind::Boolean, 5),
    ("Last_Enriched_Time__s", Kind::DateTime, 120),
    ("Enrich_Status__s", Kind::Picklist, 120),
    ("Record_Status__s", Kind::Picklist, 120),
];

const READ_ONLY_PERSON: &[Row] = &[
    ("Full_Name", Kind::Text, 120),
    ("Unsubscribed_Mode", Kind::Picklist, 120),
    ("Unsubscribed_Time", Kind::DateTime, 120),
];

const READ_ONLY_LEAD: &[Row] = &[
    ("Converted_Date_Time", Kind::DateTime, 120),
    ("Converted__s", Kind::Boolean, 5),
    ("Converted_Account", Kind::Lookup, 120),
    ("Converted_Contact", Kind::Lookup, 120),
    ("Converted_Deal", Kind::Lookup, 120),
    ("Lead_Conversion_Time", Kind::Integer, 9),
];

/// Each field's id leaves room for the ids of its values.
const ID_STEP: u64 = 100;

pub(super) struct Catalogue {
    leads: Vec<Field>,
    contacts: Vec<Field>,
    accounts: Vec<Field>,
}

impl Catalogue {
    pub(super) fn standard() -> Self {
        Self {
            leads: list(
                Module::Leads,
                &[PERSON, LEAD],
                &[READ_ONLY, READ_ONLY_PERSON, READ_ONLY_LEAD],
            ),
            contacts: list(Module::Contacts, &[PERSON, CONTACT], &[READ_ONLY, READ_ONLY_PERSON]),
            accounts: list(Module::Accounts, &[ACCOUNT], &[READ_ONLY]),
        }
    }

    pub(super) fn fields(&self, module: Module) -> &[Field] {
        match module {
            Module::Leads => &self.leads,
            Module::Contacts => &self.contacts,
            Module::Accounts => &self.accounts,
        }
    }

    fn fields_mut(&mut self, module: Module) -> &mut Vec<Field> {
        match module {
            Module::Leads => &mut self.leads,
            Module::Contacts => &mut self.contacts,
            Module::Accounts => &mut self.accounts,
        }
    }

    pub(super) fn field(&self, module: Module, name: &str) -> Option<&Field> {
        self.fields(module).iter().find(|field| field.api_name == name)
    }

    /// Those whose values must be unique, in the order of the metadata.
    pub(super) fn unique_fields(&self, module: Module) -> impl Iterator<Item = &Field> {
        self.fields(module).iter().filter(|field| field.unique.is_some())
    }

    /// Adds a field. One that is there already only becomes unique, or ceases to be.
    pub(super) fn add(&mut self, module: Module, value: &serde_json::Value) {
        let fields = self.fields_mut(module);
        let number = u64::try_from(fields.len()).unwrap_or_default() + 1;
        let field =
            Field::from_json(value, (module.first_field_id() + number * ID_STEP).to_string());
        match fields.iter_mut().find(|known| known.api_name == field.api_name) {
            Some(known) => known.unique = field.unique,
            None => fields.push(field),
        }
    }

    /// A value that is written to a picklist becomes one of its values.
    pub(super) fn learn(&mut self, module: Module, name: &str, value: &str) {
        let mut fields = self.fields_mut(module).iter_mut();
        let Some(field) = fields.find(|field| field.api_name == name) else { return };
        if field.choices.iter().all(|choice| choice.actual != value) {
            field.choices.push(Choice { display: value.to_owned(), actual: value.to_owned() });
        }
    }
}

type Rows = &'static [Row];

fn list(module: Module, writable: &[Rows], read_only: &[Rows]) -> Vec<Field> {
    let writable = writable.iter().copied().flatten().map(|row| (row, false));
    let read_only = read_only.iter().copied().flatten().map(|row| (row, true));
    let field = |(number, ((name, kind, length), is_read_only)): (u64, (&Row, bool))| Field {
        id: (module.first_field_id() + number * ID_STEP).to_string(),
        api_name: (*name).to_owned(),
        label: label(name),
        kind: *kind,
        length: *length,
        is_mandatory: *name == module.mandatory_field(),
        is_custom: false,
        is_read_only,
        unique: None,
        choices: choices(name),
        target: target(name, *kind),
    };
    (1..).zip(writable.chain(read_only)).map(field).collect()
}

fn label(name: &str) -> String {
    match name {
        "id" => "Record Id".to_owned(),
        "Owner" => "Record Owner".to_owned(),
        name => name.trim_end_matches("__s").replace('_', " "),
    }
}

fn target(name: &str, kind: Kind) -> Option<Module> {
    match (kind, name) {
        (Kind::Lookup, "Account_Name" | "Parent_Account" | "Converted_Account") => {
            Some(Module::Accounts)
        }
        (Kind::Lookup, "Reporting_To" | "Converted_Contact") => Some(Module::Contacts),
        _ => None,
    }
}

fn choices(name: &str) -> Vec<Choice> {
    let values: &[&str] = match name {
        "Salutation" => &["-None-", "Mr.", "Mrs.", "Ms.", "Dr.", "Prof."],
        "Lead_Source" => &["-None-", "Advertisement", "Cold Call", "Trade Show", "Web Download"],
        "Lead_Status" => &["-None-", "Contacted", "Lost Lead", "Not Contacted"],
        "Industry" => &["-None-", "Manufacturing", "Service Provider", "Technology"],
        "Rating" => &["-None-", "Active", "Market Failed", "Shut Down"],
        "Account_Type" => &["-None-", "Customer", "Partner", "Supplier"],
        "Ownership" => &["-None-", "Private", "Public"],
        "Unsubscribed_Mode" => &["Unsubscribe link", "Manual", "Zoho campaigns", "Consent form"],
        "Record_Status__s" => &["Trash", "Available", "Draft"],
        "Enrich_Status__s" => &["-None-", "Enriched"],
        "Data_Source" => &["Manual", "API", "Import"],
        _ => &[],
    };
    let choice =
        |value: &&str| Choice { display: (*value).to_owned(), actual: (*value).to_owned() };
    values.iter().map(choice).collect()
}
