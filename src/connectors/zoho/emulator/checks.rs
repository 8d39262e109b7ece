//! Whether a record may be written as it is given.

use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::catalogue::Module;
use super::fields::{Field, Kind};
use super::records::{Stored, is_empty};
use super::state::State;
use super::values::Wrong;

/// Where a record stands in its body, and which one it is to be.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) module: Module,
    pub(super) index: usize,
    /// The record that is updated; none, when it is made.
    pub(super) id: Option<&'a str>,
}

impl Place<'_> {
    pub(super) fn path(&self, name: &str) -> String {
        format!("$.data[{}].{name}", self.index)
    }
}

impl State {
    /// The refusal of a record, if there is a reason: a single one, or all of them together.
    pub(super) fn check(&self, place: Place, record: &Map<String, Value>) -> Result<(), Refusal> {
        let fields = self.catalogue.fields(place.module).iter();
        let mut refusals: Vec<Refusal> = fields
            .filter(|field| !field.is_read_only)
            .filter_map(|field| self.check_field(place, field, record).err())
            .collect();
        match (refusals.pop(), refusals.is_empty()) {
            (None, _) => Ok(()),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                refusals.push(last);
                let all: Vec<Value> = refusals.into_iter().map(Refusal::into_body).collect();
                let details = json!({"errors": all});
                Err(Refusal::new(400, "MULTIPLE_OR_MULTI_ERRORS", "multiple errors", details))
            }
        }
    }

    fn check_field(
        &self,
        place: Place,
        field: &Field,
        record: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let name = field.api_name.as_str();
        let path = place.path(name);
        let given = record.get(name);
        let is_left_out = given.is_none() && place.id.is_none();
        if field.is_mandatory && (is_left_out || given.is_some_and(is_empty)) {
            return Err(Refusal::mandatory(name, &path));
        }
        let Some(value) = given else { return Ok(()) };
        self.check_value(field, value).map_err(|wrong| match wrong {
            Wrong::Kind(expected) => Refusal::kind(name, &path, expected),
            Wrong::Length(maximum) => Refusal::length(name, &path, maximum),
            Wrong::Reference => Refusal::id(json!({"api_name": name, "json_path": path})),
        })?;
        if field.unique.is_none() || is_empty(value) {
            return Ok(());
        }
        match self.holder(place.module, field, value, place.id) {
            None => Ok(()),
            Some(holder) => Err(self.duplicate(name, &path, holder)),
        }
    }

    /// Who has this value in this field, other than the one that is written: the oldest of them.
    pub(super) fn holder(
        &self,
        module: Module,
        field: &Field,
        value: &Value,
        besides: Option<&str>,
    ) -> Option<&Stored> {
        let is_cased = field.unique == Some(true) && field.kind != Kind::Email;
        let same = |stored: &&Stored| {
            let known = stored.values.get(&field.api_name);
            known.is_some_and(|known| are_equal(known, value, is_cased))
        };
        let is_other =
            |stored: &&Stored| !stored.is_converted && besides != Some(stored.id.as_str());
        self.of_module(module).filter(is_other).find(same)
    }

    fn duplicate(&self, name: &str, path: &str, holder: &Stored) -> Refusal {
        let module = holder.module;
        let details = json!({
            "api_name": name,
            "json_path": path,
            "id": holder.id,
            "more_records": false,
            "duplicate_record": {
                "id": holder.id,
                "module": {"api_name": module.name(), "id": module.id()},
                "Owner": self.short_user(&holder.owner),
            },
        });
        Refusal::new(400, "DUPLICATE_DATA", "duplicate data", details)
    }
}

fn are_equal(a: &Value, b: &Value, is_cased: bool) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) if !is_cased => a.to_lowercase() == b.to_lowercase(),
        _ => a == b,
    }
}
