//! What a field is, and how the metadata tells it.

use serde_json::{Value, json};

use super::catalogue::Module;

/// The types of fields that records are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    TextArea,
    Email,
    Phone,
    Website,
    Picklist,
    MultiPicklist,
    Integer,
    BigInt,
    Currency,
    Double,
    Percent,
    Boolean,
    Date,
    DateTime,
    Lookup,
    Owner,
    User,
    Tags,
    Layout,
    Image,
}

impl Kind {
    pub(super) fn data_type(self) -> &'static str {
        match self {
            // Told as text; only the JSON type betrays the list.
            Self::Text | Self::Tags => "text",
            Self::TextArea => "textarea",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Website => "website",
            Self::Picklist => "picklist",
            Self::MultiPicklist => "multiselectpicklist",
            Self::Integer => "integer",
            Self::BigInt => "bigint",
            Self::Currency => "currency",
            Self::Double => "double",
            Self::Percent => "percent",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Lookup => "lookup",
            Self::Owner => "ownerlookup",
            Self::User => "userlookup",
            Self::Layout => "layout",
            Self::Image => "profileimage",
        }
    }

    pub(super) fn json_type(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Currency | Self::Double | Self::Percent => "double",
            Self::Boolean => "boolean",
            Self::Lookup | Self::Owner | Self::User | Self::Layout => "jsonobject",
            Self::Tags | Self::MultiPicklist => "jsonarray",
            _ => "string",
        }
    }

    fn from_data_type(name: &str) -> Option<Self> {
        let all = [
            Self::Text,
            Self::TextArea,
            Self::Email,
            Self::Phone,
            Self::Website,
            Self::Picklist,
            Self::MultiPicklist,
            Self::Integer,
            Self::BigInt,
            Self::Currency,
            Self::Double,
            Self::Percent,
            Self::Boolean,
            Self::Date,
            Self::DateTime,
            Self::Lookup,
            Self::User,
        ];
        all.into_iter().find(|kind| kind.data_type() == name)
    }

    fn default_length(self) -> u64 {
        match self {
            Self::TextArea => 2_000,
            Self::Email => 100,
            Self::Phone => 30,
            Self::Picklist | Self::Owner | Self::User | Self::Lookup => 120,
            Self::Integer => 9,
            Self::BigInt => 18,
            Self::Currency | Self::Double => 16,
            Self::Percent => 5,
            _ => 255,
        }
    }
}

/// A value of a picklist: what is shown, and what is written and read.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) display: String,
    pub(super) actual: String,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) id: String,
    pub(super) api_name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) length: u64,
    pub(super) is_mandatory: bool,
    pub(super) is_custom: bool,
    pub(super) is_read_only: bool,
    /// Whether values must be unique, and then whether their case counts.
    pub(super) unique: Option<bool>,
    pub(super) choices: Vec<Choice>,
    /// The module of a lookup.
    pub(super) target: Option<Module>,
}

impl Field {
    /// A field that somebody adds, in the shape of the metadata. What is not said has defaults.
    pub(super) fn from_json(value: &Value, id: String) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or_default();
        let kind = text("data_type").and_then(Kind::from_data_type).unwrap_or(Kind::Text);
        let api_name = text("api_name").unwrap_or("Custom_Field").to_owned();
        let label = text("display_label").or_else(|| text("field_label"));
        let label = label.map_or_else(|| api_name.replace('_', " "), str::to_owned);
        let may_update = value.pointer("/operation_type/api_update").and_then(Value::as_bool);
        let target = value.pointer("/lookup/module/api_name").and_then(Value::as_str);
        let choices = value.get("pick_list_values").and_then(Value::as_array);
        Self {
            id,
            api_name,
            label,
            kind,
            length: value.get("length").and_then(Value::as_u64).unwrap_or(kind.default_length()),
            is_mandatory: flag("system_mandatory"),
            is_custom: true,
            is_read_only: flag("read_only") || may_update == Some(false),
            unique: unique(value.get("unique")),
            choices: choices.into_iter().flatten().filter_map(choice).collect(),
            target: target.and_then(Module::named),
        }
    }

    /// As the metadata tells it.
    pub(super) fn describe(&self) -> Value {
        let may_write = !self.is_read_only;
        let is_plain = !matches!(self.kind, Kind::Tags | Kind::Layout | Kind::Image);
        let is_number = matches!(self.kind, Kind::Currency | Kind::Double | Kind::Percent);
        let unique = match self.unique {
            Some(is_cased) => json!({"case_sensitive": is_cased}),
            None => json!({}),
        };
        let lookup = match self.target {
            Some(module) => json!({
                "module": {"api_name": module.name(), "id": module.id()},
                "display_label": module.name(),
                "id": self.id,
            }),
            None => json!({}),
        };
        json!({
            "id": self.id,
            "api_name": self.api_name,
            "field_label": self.label,
            "display_label": self.label,
            "data_type": self.kind.data_type(),
            "json_type": self.kind.json_type(),
            "length": self.length,
            "system_mandatory": self.is_mandatory,
            "custom_field": self.is_custom,
            "visible": true,
            "read_only": self.is_read_only,
            "field_read_only": self.is_read_only,
            "created_source": "default",
            "type": "used",
            "operation_type": {
                "web_update": may_write,
                "api_create": may_write,
                "web_create": may_write,
                "api_update": may_write,
            },
            "unique": unique,
            "pick_list_values": self.describe_choices(),
            "lookup": lookup,
            "external": null,
            "searchable": is_plain,
            "sortable": is_plain,
            "filterable": is_plain,
            "decimal_place": if is_number { json!(2) } else { Value::Null },
            "currency": {},
            "formula": {},
            "multiselectlookup": {},
            "auto_number": {},
        })
    }

    fn describe_choices(&self) -> Vec<Value> {
        let base: u64 = self.id.parse().unwrap_or_default();
        let item = |(number, choice): (u64, &Choice)| {
            json!({
                // Fields are numbered in steps that leave room for their values.
                "id": (base + number).to_string(),
                "display_value": choice.display,
                "actual_value": choice.actual,
                "reference_value": choice.actual,
                "sequence_number": number,
                "colour_code": null,
                "type": "used",
            })
        };
        (1..).zip(&self.choices).map(item).collect()
    }
}

fn unique(value: Option<&Value>) -> Option<bool> {
    let keys = value?.as_object().filter(|keys| !keys.is_empty())?;
    let case = keys.get("case_sensitive").or_else(|| keys.get("casesensitive"));
    Some(case.is_some_and(|case| case.as_bool() == Some(true) || case.as_str() == Some("true")))
}

fn choice(value: &Value) -> Option<Choice> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let actual = text("actual_value").or_else(|| text("display_value"))?;
    let display = text("display_value").unwrap_or(actual);
    Some(Choice { display: display.to_owned(), actual: actual.to_owned() })
}
