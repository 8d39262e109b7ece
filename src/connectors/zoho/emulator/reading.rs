//! Reading records: lists and single ones.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, count, is_id};
use super::catalogue::Module;
use super::pages::Walk;
use super::records::Stored;
use super::state::State;

const FIELDS_MAX: u64 = 50;
const IDS_MAX: u64 = 100;
/// How far pages by number reach.
const NUMBERED_MAX: u64 = 2_000;

/// `GET /{Module}`.
pub(super) fn list(state: &mut State, module: Module, call: &Call) -> Outcome {
    let fields = fields(call)?;
    let per_page = call.per_page()?;
    let order = Order::of(call)?;
    if call.param("cvid").is_some() {
        // Nobody has made a view here.
        return Err(Refusal::bad_param("cvid"));
    }
    let now = state.now();
    let walk = match (call.param("page_token"), call.param("page")) {
        (Some(_), Some(_)) => {
            let due = json!({
                "ambiguity_due_to": [{"param_name": "page"}, {"param_name": "page_token"}],
            });
            let message = "ambiguity while processing the request";
            return Err(Refusal::new(400, "AMBIGUITY_DURING_PROCESSING", message, due));
        }
        (Some(token), None) => {
            state.pages.find(token, call, now, state.options.page_token_records)?
        }
        (None, _) => match begin(state, module, call, &order, per_page)? {
            Some(walk) => walk,
            None => return Ok(Answer::empty(304)),
        },
    };
    let size = usize::try_from(per_page).unwrap_or(usize::MAX);
    let ids = walk.ids.iter().skip(walk.offset).take(size);
    let found = ids.filter_map(|id| state.live(module, id));
    let data: Vec<Value> = found.map(|stored| state.select(stored, &fields)).collect();
    let expires_at = now + state.options.page_token_life;
    let next = walk.next(size, expires_at).map(|mut next| {
        next.previous = call.param("page_token").map(str::to_owned);
        state.pages.keep(next, now)
    });
    if data.is_empty() && next.is_none() {
        return Ok(Answer::empty(204));
    }
    let info = json!({
        "per_page": per_page,
        "count": count(&data),
        "page": walk.page,
        "sort_by": order.by,
        "sort_order": if order.is_descending { "desc" } else { "asc" },
        "more_records": next.is_some(),
        "page_token_expiry": next.as_ref().map(|_| state.time(expires_at)),
        "next_page_token": next,
        "previous_page_token": walk.previous,
        "call": false,
        "email": false,
    });
    Ok(Answer::json(200, json!({"data": data, "info": info})))
}

/// A listing from its first page on, or from a page by number. Nothing where nothing was modified.
fn begin(
    state: &State,
    module: Module,
    call: &Call,
    order: &Order,
    per_page: u64,
) -> Result<Option<Walk>, Refusal> {
    let page = call.number("page", 1)?;
    let end = page.saturating_mul(per_page);
    if end > NUMBERED_MAX {
        let message = "the limit of pages by number is reached: use a page token";
        let (code, limit) = ("DISCRETE_PAGINATION_LIMIT_EXCEEDED", json!({"limit": NUMBERED_MAX}));
        return Err(Refusal::new(400, code, message, limit));
    }
    let since = call.time("if-modified-since")?;
    let ids = call.ids(IDS_MAX)?;
    let is_converted = converted(module, call)?;
    let is_wanted = |stored: &&Stored| {
        since.is_none_or(|since| stored.modified_at > since)
            && is_converted.is_none_or(|wanted| stored.is_converted == wanted)
            && (ids.is_empty() || ids.contains(&stored.id))
    };
    let mut found: Vec<&Stored> = state.of_module(module).filter(is_wanted).collect();
    if found.is_empty() && since.is_some() {
        return Ok(None);
    }
    order.sort(&mut found);
    let ids = found.into_iter().map(|stored| stored.id.clone()).collect();
    let offset = usize::try_from(end - per_page).unwrap_or(usize::MAX);
    Ok(Some(Walk::new(ids, page, offset, call)))
}

/// Whether converted leads are asked for; both kinds, if nothing is said of another module.
pub(super) fn converted(module: Module, call: &Call) -> Result<Option<bool>, Refusal> {
    match (module, call.param("converted")) {
        (Module::Leads, None | Some("false")) => Ok(Some(false)),
        (Module::Leads, Some("true")) => Ok(Some(true)),
        (Module::Leads, Some("both")) | (Module::Contacts | Module::Accounts, _) => Ok(None),
        (Module::Leads, Some(_)) => Err(Refusal::bad_param("converted")),
    }
}

fn fields(call: &Call) -> Result<Vec<String>, Refusal> {
    let fields = call.list("fields");
    if fields.is_empty() {
        return Err(Refusal::missing_param("fields"));
    }
    if count(&fields) > FIELDS_MAX {
        return Err(Refusal::long_param("fields", FIELDS_MAX));
    }
    Ok(fields)
}

struct Order {
    by: &'static str,
    is_descending: bool,
}

impl Order {
    fn of(call: &Call) -> Result<Self, Refusal> {
        let by = match call.param("sort_by") {
            None | Some("id") => "id",
            Some("Created_Time") => "Created_Time",
            Some("Modified_Time") => "Modified_Time",
            Some(_) => return Err(Refusal::bad_param("sort_by")),
        };
        let is_descending = match call.param("sort_order") {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(Refusal::bad_param("sort_order")),
        };
        Ok(Self { by, is_descending })
    }

    fn sort(&self, found: &mut [&Stored]) {
        found.sort_by(|a, b| {
            let by_time = match self.by {
                "Created_Time" => a.created_at.cmp(&b.created_at),
                "Modified_Time" => a.modified_at.cmp(&b.modified_at),
                _ => std::cmp::Ordering::Equal,
            };
            let ordering = by_time.then_with(|| a.id.cmp(&b.id));
            if self.is_descending { ordering.reverse() } else { ordering }
        });
    }
}

/// `GET /{Module}/actions/count`.
pub(super) fn count_all(state: &State, module: Module, call: &Call) -> Outcome {
    if let Some(part) = ["cvid", "criteria", "email", "phone", "word"]
        .into_iter()
        .find(|name| call.param(name).is_some())
    {
        // No reader of ours counts a part.
        return Err(Refusal::bad_param(part));
    }
    let live = state.of_module(module).filter(|stored| !stored.is_converted);
    Ok(Answer::json(200, json!({"count": live.count()})))
}

/// `GET /{Module}/{id}`.
pub(super) fn get(state: &State, module: Module, id: &str, call: &Call) -> Outcome {
    if !is_id(id) {
        return Err(Refusal::id(json!({"resource_path_index": 1})));
    }
    let Some(stored) = state.live(module, id) else { return Ok(Answer::empty(204)) };
    let mut whole = state.whole(stored);
    let names = call.list("fields");
    if !names.is_empty() {
        whole.retain(|name, _| name == "id" || names.contains(name));
    }
    if call.time("if-modified-since")?.is_some_and(|since| stored.modified_at <= since) {
        return Ok(Answer::empty(304));
    }
    Ok(Answer::json(200, json!({"data": [whole]})))
}
