//! By which fields an upsert looks for the record that is meant.

use serde_json::{Map, Value};

use super::answer::Refusal;
use super::catalogue::Module;
use super::records::is_empty;
use super::state::State;

impl State {
    /// The fields in the order in which they are looked at. Unique fields always are, after those
    /// that are listed; the module's own check field only when it is listed, or nothing is.
    pub(super) fn check_order(
        &self,
        module: Module,
        listed: Option<&Value>,
    ) -> Result<Vec<String>, Refusal> {
        let path = "$.duplicate_check_fields";
        let wrong = || Refusal::kind("duplicate_check_fields", path, "jsonarray");
        let mut order = match listed {
            None | Some(Value::Null) => vec![module.check_field().to_owned()],
            Some(Value::Array(names)) if names.is_empty() => vec![module.check_field().to_owned()],
            Some(Value::Array(names)) => {
                let names: Option<Vec<String>> =
                    names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
                names.ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        for (index, name) in order.iter().enumerate() {
            let is_unique = self.catalogue.unique_fields(module).any(|f| f.api_name == *name);
            if !is_unique && name != module.check_field() {
                return Err(Refusal::kind(name, &format!("{path}[{index}]"), "unique field"));
            }
        }
        for field in self.catalogue.unique_fields(module) {
            if !order.contains(&field.api_name) {
                order.push(field.api_name.clone());
            }
        }
        Ok(order)
    }

    /// The record that is meant, and the field by which it was found.
    pub(super) fn find_duplicate(
        &self,
        module: Module,
        order: &[String],
        record: &Map<String, Value>,
    ) -> Option<(String, String)> {
        order.iter().find_map(|name| {
            let field = self.catalogue.field(module, name)?;
            let value = record.get(name).filter(|value| !is_empty(value))?;
            let holder = self.holder(module, field, value, None)?;
            Some((holder.id.clone(), name.clone()))
        })
    }
}
