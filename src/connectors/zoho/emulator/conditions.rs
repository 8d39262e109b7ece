//! Conditions of a channel: the fields whose change is told.

use serde_json::{Value, json};

use super::answer::Refusal;
use super::catalogue::{Catalogue, Module};

/// More fields than these cannot be named.
const FIELDS_MAX: usize = 10;

/// More members than these a group cannot have; it has groups instead.
const MEMBERS_MAX: usize = 2;

/// Fields, joined by `or` or `and`.
pub(super) enum Group {
    Field(String),
    Any(Vec<Group>),
    All(Vec<Group>),
}

impl Group {
    /// From an element of `notification_condition`.
    pub(super) fn of_condition(
        condition: &Value,
        path: &str,
        catalogue: &Catalogue,
    ) -> Result<(Module, Self), Refusal> {
        if condition.get("type").and_then(Value::as_str) != Some("field_selection") {
            return Err(Refusal::kind("type", path, "field_selection"));
        }
        let name = condition.pointer("/module/api_name").and_then(Value::as_str);
        let module = name.and_then(Module::named);
        let module = module.ok_or_else(|| Refusal::kind("module", path, "jsonobject"))?;
        let id = condition.pointer("/module/id").and_then(Value::as_str);
        if id.is_some_and(|id| id != module.id()) {
            let details = json!({"api_name": "module", "json_path": path});
            let message = "ambiguity while processing the request";
            return Err(Refusal::new(400, "AMBIGUITY_DURING_PROCESSING", message, details));
        }
        let Some(selection) = condition.get("field_selection") else {
            let details = json!({"api_name": "field_selection", "json_path": path});
            let message = "Dependent Fields missing";
            return Err(Refusal::new(400, "DEPENDENT_FIELD_MISSING", message, details));
        };
        let group = Self::read(selection, path, module, catalogue)?;
        if group.size() > FIELDS_MAX {
            let details = json!({"api_name": "field_selection", "limit": FIELDS_MAX});
            return Err(Refusal::limit(details));
        }
        Ok((module, group))
    }

    fn read(
        value: &Value,
        path: &str,
        module: Module,
        catalogue: &Catalogue,
    ) -> Result<Self, Refusal> {
        if let Some(field) = value.get("field") {
            let name = field.get("api_name").and_then(Value::as_str);
            let field = name.and_then(|name| catalogue.field(module, name));
            let field = field.ok_or_else(|| Refusal::kind("field", path, "jsonobject"))?;
            return Ok(Self::Field(field.api_name.clone()));
        }
        let members = value.get("group").and_then(Value::as_array);
        let members = members.ok_or_else(|| Refusal::mandatory("group", path))?;
        if members.is_empty() || members.len() > MEMBERS_MAX {
            return Err(Refusal::length("group", path, 2));
        }
        let read = |member: &Value| Self::read(member, path, module, catalogue);
        let members: Vec<Self> = members.iter().map(read).collect::<Result<_, _>>()?;
        match value.get("group_operator").and_then(Value::as_str) {
            Some("or" | "OR") => Ok(Self::Any(members)),
            Some("and" | "AND") => Ok(Self::All(members)),
            _ => Err(Refusal::mandatory("group_operator", path)),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Field(_) => 1,
            Self::Any(members) | Self::All(members) => members.iter().map(Self::size).sum(),
        }
    }

    /// Whether these changes are among what is meant.
    pub(super) fn holds(&self, changed: &[(String, Value)]) -> bool {
        match self {
            Self::Field(name) => changed.iter().any(|(field, _)| field == name),
            Self::Any(members) => members.iter().any(|member| member.holds(changed)),
            Self::All(members) => members.iter().all(|member| member.holds(changed)),
        }
    }
}
