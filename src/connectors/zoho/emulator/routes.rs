//! Which call is meant by a method and a path, and what a token must allow for it.

use axum::http::Method;
use serde_json::json;

use super::answer::{Outcome, Refusal};
use super::call::Call;
use super::catalogue::Module;
use super::state::State;
use super::tags::Action;
use super::watch::Manner;
use super::{bin, bulk, conversion, coql, people, reading, search, settings, tags, watch, writing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Organisation,
    Users,
    User(String),
    Coql,
    Watch,
    Modules,
    OneModule(String),
    Fields,
    Layouts,
    Tags,
    Records(Module),
    Upsert(Module),
    Search(Module),
    Deleted(Module),
    Count(Module),
    Record(Module, String),
    Tagging(Module, Option<String>, Action),
    Conversion(String),
    ConversionOptions(String),
    BulkReads,
    BulkRead(String),
    BulkResult(String),
}

/// The route of a path below `/crm/v8` or `/crm/bulk/v8`.
pub(super) fn find(call: &Call) -> Result<Route, Refusal> {
    let segments = call.segments();
    if let ["crm", "bulk", "v8", rest @ ..] = segments.as_slice() {
        return match rest {
            ["read"] => Ok(Route::BulkReads),
            ["read", id] => Ok(Route::BulkRead((*id).to_owned())),
            ["read", id, "result"] => Ok(Route::BulkResult((*id).to_owned())),
            _ => Err(Refusal::unknown_url()),
        };
    }
    let ["crm", "v8", rest @ ..] = segments.as_slice() else {
        return Err(Refusal::unknown_url());
    };
    let action = |name: &str| match name {
        "add_tags" => Ok(Action::Add),
        "remove_tags" => Ok(Action::Remove),
        _ => Err(Refusal::unknown_url()),
    };
    Ok(match rest {
        ["org"] => Route::Organisation,
        ["users"] => Route::Users,
        ["users", id] => Route::User((*id).to_owned()),
        ["coql"] => Route::Coql,
        ["actions", "watch"] => Route::Watch,
        ["settings", "modules"] => Route::Modules,
        ["settings", "modules", name] => Route::OneModule((*name).to_owned()),
        ["settings", "fields"] => Route::Fields,
        ["settings", "layouts"] => Route::Layouts,
        ["settings", "tags"] => Route::Tags,
        [] | [""] | ["settings" | "actions" | "users" | "org" | "coql", ..] => {
            return Err(Refusal::unknown_url());
        }
        [name] => Route::Records(module(name)?),
        [name, "upsert"] => Route::Upsert(module(name)?),
        [name, "search"] => Route::Search(module(name)?),
        [name, "deleted"] => Route::Deleted(module(name)?),
        ["Leads", id, "__conversion_options"] => Route::ConversionOptions((*id).to_owned()),
        ["Leads", id, "actions", "convert"] => Route::Conversion((*id).to_owned()),
        [name, "actions", "count"] => Route::Count(module(name)?),
        [name, "actions", what] => Route::Tagging(module(name)?, None, action(what)?),
        [name, id, "actions", what] => {
            Route::Tagging(module(name)?, Some((*id).to_owned()), action(what)?)
        }
        [name, id] => Route::Record(module(name)?, (*id).to_owned()),
        _ => return Err(Refusal::unknown_url()),
    })
}

fn module(name: &str) -> Result<Module, Refusal> {
    Module::named(name).ok_or_else(|| Refusal::unknown_module(json!({"resource_path_index": 0})))
}

impl Route {
    /// Whether there is something to do by this method.
    pub(super) fn takes(&self, method: &Method) -> bool {
        let methods: &[&str] = match self {
            Self::Watch => &["GET", "POST", "PUT", "PATCH", "DELETE"],
            Self::Records(_) => &["GET", "POST", "PUT", "DELETE"],
            Self::Record(..) => &["GET", "PUT", "DELETE"],
            Self::Tags => &["GET", "POST"],
            Self::BulkReads
            | Self::Coql
            | Self::Upsert(_)
            | Self::Tagging(..)
            | Self::Conversion(_) => &["POST"],
            _ => &["GET"],
        };
        methods.contains(&method.as_str())
    }

    /// The scopes that are all needed, each with what may be done in it.
    pub(super) fn scopes(&self, call: &Call) -> Vec<(String, &'static str)> {
        let module = |module: &Module| format!("modules.{}", module.name().to_lowercase());
        let verb = match call.method {
            Method::POST => "CREATE",
            Method::PUT | Method::PATCH => "UPDATE",
            Method::DELETE => "DELETE",
            _ => "READ",
        };
        match self {
            Self::Organisation => vec![("org".to_owned(), verb)],
            Self::Users | Self::User(_) => vec![("users".to_owned(), verb)],
            Self::Watch => vec![("notifications".to_owned(), verb)],
            Self::Modules | Self::OneModule(_) => vec![("settings.modules".to_owned(), verb)],
            Self::Fields => vec![("settings.fields".to_owned(), verb)],
            Self::Layouts => vec![("settings.layouts".to_owned(), verb)],
            Self::Tags => vec![("settings.tags".to_owned(), verb)],
            Self::Coql => {
                let mut needed = vec![("coql".to_owned(), "READ")];
                needed.extend(coql::module_of(call).map(|of| (module(&of), "READ")));
                needed
            }
            Self::Search(of) => {
                vec![(module(of), "READ"), ("securesearch".to_owned(), "READ")]
            }
            Self::Records(of) | Self::Record(of, _) | Self::Deleted(of) | Self::Count(of) => {
                vec![(module(of), verb)]
            }
            Self::Upsert(of) => vec![(module(of), "CREATE"), (module(of), "UPDATE")],
            Self::Tagging(of, ..) => vec![(module(of), "UPDATE")],
            Self::ConversionOptions(_) => vec![(module(&Module::Leads), "READ")],
            Self::BulkReads => {
                let query = call.json().ok().and_then(|body| body.get("query").cloned());
                let of = query.and_then(|query| bulk::module_of(&query).ok());
                let read = of.map(|of| (module(&of), "READ"));
                read.into_iter().chain([("bulk".to_owned(), "READ")]).collect()
            }
            Self::BulkRead(_) | Self::BulkResult(_) => vec![("bulk".to_owned(), "READ")],
            Self::Conversion(_) => Module::ALL.iter().map(|of| (module(of), "CREATE")).collect(),
        }
    }

    pub(super) fn run(&self, state: &mut State, call: &Call) -> Outcome {
        match self {
            Self::Organisation => people::organisation(state),
            Self::Users => people::list(state, call),
            Self::User(id) => people::get(state, id),
            Self::Coql => coql::run(state, call),
            Self::Watch => match call.method {
                Method::POST => watch::put(state, call, Manner::Open),
                Method::PUT => watch::put(state, call, Manner::Replace),
                Method::PATCH => watch::put(state, call, Manner::Patch),
                Method::DELETE => watch::close(state, call),
                _ => watch::list(state, call),
            },
            Self::Modules => settings::modules(),
            Self::OneModule(name) => settings::one_module(name),
            Self::Fields => settings::fields(state, call),
            Self::Layouts => settings::layouts(state, call),
            Self::Tags => match call.method {
                Method::POST => tags::make(state, call),
                _ => tags::list(state, call),
            },
            Self::Records(module) => match call.method {
                Method::POST => writing::insert(state, *module, call),
                Method::PUT => writing::update(state, *module, None, call),
                Method::DELETE => writing::delete(state, *module, None, call),
                _ => reading::list(state, *module, call),
            },
            Self::Record(module, id) => match call.method {
                Method::PUT => writing::update(state, *module, Some(id), call),
                Method::DELETE => writing::delete(state, *module, Some(id), call),
                _ => reading::get(state, *module, id, call),
            },
            Self::Upsert(module) => writing::upsert(state, *module, call),
            Self::Search(module) => search::search(state, *module, call),
            Self::Deleted(module) => bin::list(state, *module, call),
            Self::Count(module) => reading::count_all(state, *module, call),
            Self::Tagging(module, id, action) => {
                tags::act(state, *module, id.as_deref(), *action, call)
            }
            Self::ConversionOptions(id) => conversion::options(state, id),
            Self::Conversion(id) => conversion::convert(state, id, call),
            Self::BulkReads => bulk::begin(state, call),
            Self::BulkRead(id) => bulk::tell(state, id),
            Self::BulkResult(id) => bulk::fetch(state, id),
        }
    }
}
