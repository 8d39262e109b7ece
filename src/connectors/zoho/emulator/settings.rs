//! The metadata: modules, fields and layouts.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::Call;
use super::catalogue::Module;
use super::fields::Field;
use super::state::State;

/// The module that a call is about, by its parameter.
pub(super) fn module(call: &Call) -> Result<Module, Refusal> {
    let name = call.param("module").ok_or_else(|| Refusal::missing_param("module"))?;
    Module::named(name).ok_or_else(|| Refusal::unknown_module(json!({"param_name": "module"})))
}

/// `GET /settings/modules`.
pub(super) fn modules() -> Outcome {
    let modules: Vec<Value> = Module::ALL.into_iter().map(describe).collect();
    Ok(Answer::json(200, json!({"modules": modules})))
}

/// `GET /settings/modules/{name}`.
pub(super) fn one_module(name: &str) -> Outcome {
    match Module::named(name) {
        Some(module) => Ok(Answer::json(200, json!({"modules": [describe(module)]}))),
        None => Err(Refusal::unknown_module(json!({"resource_path_index": 2}))),
    }
}

fn describe(module: Module) -> Value {
    json!({
        "id": module.id(),
        "api_name": module.name(),
        "module_name": module.name(),
        "singular_label": module.singular(),
        "plural_label": module.name(),
        "generated_type": "default",
        "api_supported": true,
        "creatable": true,
        "editable": true,
        "deletable": true,
        "viewable": true,
        "convertable": module == Module::Leads,
        "visible": true,
        "status": "visible",
        "per_page": 10,
    })
}

/// `GET /settings/fields?module=`.
pub(super) fn fields(state: &State, call: &Call) -> Outcome {
    let fields = state.catalogue.fields(module(call)?);
    match call.param("type") {
        None | Some("all") => {}
        Some("unused") => return Ok(Answer::empty(204)),
        Some(_) => return Err(Refusal::bad_param("type")),
    }
    let fields: Vec<Value> = fields.iter().map(Field::describe).collect();
    Ok(Answer::json(200, json!({"fields": fields})))
}

/// `GET /settings/layouts?module=`.
pub(super) fn layouts(state: &State, call: &Call) -> Outcome {
    let module = module(call)?;
    let fields = state.catalogue.fields(module).iter();
    let fields: Vec<Value> =
        fields.filter(|field| !field.is_read_only).map(Field::describe).collect();
    let section = json!({
        "display_label": format!("{} Information", module.singular()),
        "name": format!("{} Information", module.singular()),
        "api_name": format!("{}_Information", module.singular()),
        "sequence_number": 1,
        "column_count": 2,
        "fields": fields,
    });
    let layout = json!({
        "id": module.layout_id(),
        "name": "Standard",
        "display_label": "Standard",
        "api_name": "Standard",
        "status": "active",
        "visible": true,
        "source": "crm",
        "generated_type": "default",
        "sections": [section],
        "profiles": [],
    });
    Ok(Answer::json(200, json!({"layouts": [layout]})))
}
