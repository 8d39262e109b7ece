//! The search, which looks into an index that is a little late.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, count, cut};
use super::catalogue::Module;
use super::criteria::{Comparison, Criteria};
use super::fields::Kind;
use super::reading::converted;
use super::records::Stored;
use super::state::State;

const REACH: u64 = 2_000;

/// What is looked for.
enum Wanted {
    Criteria(Criteria),
    Email(String),
    Phone(String),
    Word(String),
}

impl Wanted {
    fn of(state: &State, module: Module, call: &Call) -> Result<Self, Refusal> {
        if let Some(text) = call.param("criteria") {
            return Criteria::parse(text, module, &state.catalogue).map(Self::Criteria);
        }
        if let Some(email) = call.param("email") {
            return Ok(Self::Email(email.to_lowercase()));
        }
        if let Some(phone) = call.param("phone") {
            return Ok(Self::Phone(bare(phone)));
        }
        match call.param("word") {
            Some(word) if word.chars().count() > 1 => Ok(Self::Word(word.to_lowercase())),
            Some(_) => Err(Refusal::bad_param("word")),
            None => Err(Refusal::missing_param("criteria")),
        }
    }
}

/// `GET /{Module}/search`.
pub(super) fn search(state: &State, module: Module, call: &Call) -> Outcome {
    let page = call.number("page", 1)?;
    let per_page = call.per_page()?;
    if page.saturating_mul(per_page) > REACH {
        let details = json!({"limit": REACH});
        return Err(Refusal::new(400, "LIMIT_REACHED", "the limit has been reached", details));
    }
    let wanted = Wanted::of(state, module, call)?;
    let is_converted = converted(module, call)?;
    let seen = state.seen_by_search();
    let is_hit = |stored: &&Stored| {
        is_converted.is_none_or(|wanted| stored.is_converted == wanted)
            && stored.indexed(seen).is_some_and(|values| state.is_hit(module, values, &wanted))
    };
    let hits: Vec<&Stored> = state.of_module(module).filter(is_hit).collect();
    let (hits, is_more) = cut(hits, page, per_page);
    if hits.is_empty() {
        return Ok(Answer::empty(204));
    }
    let fields = call.list("fields");
    let show = |stored: &Stored| match fields.as_slice() {
        [] => Value::Object(state.whole(stored)),
        fields => state.select(stored, fields),
    };
    let data: Vec<Value> = hits.into_iter().map(show).collect();
    let info = json!({
        "per_page": per_page,
        "count": count(&data),
        "page": page,
        "sort_by": "id",
        "sort_order": "asc",
        "more_records": is_more,
    });
    Ok(Answer::json(200, json!({"data": data, "info": info})))
}

impl State {
    fn is_hit(&self, module: Module, values: &Map<String, Value>, wanted: &Wanted) -> bool {
        let texts = |kind: Option<Kind>| {
            let fields = self.catalogue.fields(module).iter();
            fields
                .filter(move |field| kind.is_none_or(|kind| field.kind == kind))
                .filter_map(move |field| values.get(&field.api_name)?.as_str())
        };
        match wanted {
            Wanted::Email(email) => {
                texts(Some(Kind::Email)).any(|text| text.to_lowercase() == *email)
            }
            Wanted::Phone(phone) => texts(Some(Kind::Phone)).any(|text| bare(text) == *phone),
            Wanted::Word(word) => texts(None).any(|text| text.to_lowercase().contains(word)),
            Wanted::Criteria(criteria) => self.meets(module, values, criteria),
        }
    }

    fn meets(&self, module: Module, values: &Map<String, Value>, criteria: &Criteria) -> bool {
        match criteria {
            Criteria::All(list) => list.iter().all(|one| self.meets(module, values, one)),
            Criteria::Any(list) => list.iter().any(|one| self.meets(module, values, one)),
            Criteria::One { field, comparison, value } => {
                let kind = self.catalogue.field(module, field).map(|field| field.kind);
                let wanted = value.to_lowercase();
                let text = match values.get(field) {
                    None => return kind == Some(Kind::Boolean) && wanted == "false",
                    Some(Value::String(text)) => text.to_lowercase(),
                    Some(Value::Object(object)) => {
                        object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
                    }
                    Some(other) => other.to_string(),
                };
                match (comparison, kind) {
                    (Comparison::StartsWith, _) => text.starts_with(&wanted),
                    // Equality of text is taken loosely.
                    (Comparison::Equals, Some(Kind::Text | Kind::TextArea | Kind::Phone)) => {
                        text.contains(&wanted)
                    }
                    (Comparison::Equals, _) => text == wanted,
                }
            }
        }
    }
}

/// A phone number without what people write between the digits.
fn bare(phone: &str) -> String {
    phone.chars().filter(|sign| !" -.()/".contains(*sign)).collect()
}
