//! What was deleted: the recycle bin, and the list of what is gone.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, count, cut};
use super::catalogue::Module;
use super::edits::Edit;
use super::events::{Event, Operation};
use super::people::ME;
use super::records::Stored;
use super::state::State;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a record can be taken out of the bin again.
const BIN_DAYS: u32 = 60;
/// How long it is still told that a record is gone for good.
const GONE_DAYS: u32 = 120;

pub(super) struct Removed {
    id: String,
    module: Module,
    name: String,
    at: Timestamp,
    /// What can be restored; nothing of a record that was merged into another one.
    stored: Option<Stored>,
}

impl Removed {
    fn is_in_bin(&self, now: Timestamp) -> bool {
        self.stored.is_some() && self.at + DAY * BIN_DAYS > now
    }

    /// How the list calls it, as long as it is on the list.
    fn kind(&self, now: Timestamp) -> Option<&'static str> {
        let gone_since = if self.stored.is_some() { self.at + DAY * BIN_DAYS } else { self.at };
        if self.is_in_bin(now) {
            Some("recycle")
        } else if gone_since + DAY * GONE_DAYS > now {
            Some("permanent")
        } else {
            None
        }
    }
}

impl State {
    /// Puts a record into the bin.
    pub(super) fn delete(&mut self, module: Module, id: &str) -> Option<Event> {
        self.remove(module, id, false)
    }

    fn remove(&mut self, module: Module, id: &str, for_good: bool) -> Option<Event> {
        self.live(module, id)?;
        let stored = self.records.remove(id)?;
        let at = self.stamp();
        let removed = Removed {
            id: id.to_owned(),
            module,
            name: stored.display_name(),
            at,
            stored: if for_good { None } else { Some(stored) },
        };
        self.bin.push(removed);
        let changed = vec![
            ("Modified_By".to_owned(), self.user(ME)),
            ("Record_Status__s".to_owned(), json!(0)),
        ];
        Some(Event { module, operation: Operation::Delete, id: id.to_owned(), changed })
    }

    /// Takes a record out of the bin, as of now.
    pub(super) fn restore(&mut self, module: Module, id: &str) -> bool {
        let now = self.now();
        let is_it = |removed: &Removed| {
            removed.module == module && removed.id == id && removed.is_in_bin(now)
        };
        let Some(place) = self.bin.iter().position(is_it) else { return false };
        let Some(stored) = self.bin.remove(place).stored else { return false };
        self.records.insert(id.to_owned(), stored);
        self.carry_out(module, id, Vec::new(), None);
        true
    }

    /// Merges one record into another, which takes over what it lacks; the merged one is gone.
    pub(super) fn merge(
        &mut self,
        module: Module,
        master: &str,
        child: &str,
    ) -> Option<[Event; 2]> {
        if master == child {
            return None;
        }
        let (kept, lost) = (self.live(module, master)?, self.live(module, child)?);
        let missing = lost.values.iter().filter(|(name, _)| !kept.values.contains_key(*name));
        let mut edits: Vec<Edit> =
            missing.map(|(name, value)| Edit::Value(name.clone(), value.clone())).collect();
        let more = lost.tags.iter().filter(|tag| !kept.tags.contains(tag));
        edits.push(Edit::Tags(kept.tags.iter().chain(more).cloned().collect()));
        let gone = self.remove(module, child, true)?;
        let kept = self.carry_out(module, master, edits, None);
        Some([kept, gone])
    }
}

/// `GET /{Module}/deleted`.
pub(super) fn list(state: &State, module: Module, call: &Call) -> Outcome {
    let page = call.number("page", 1)?;
    let per_page = call.per_page()?;
    let since = call.time("if-modified-since")?;
    let wanted = match call.param("type") {
        None | Some("all") => None,
        Some("recycle") => Some("recycle"),
        Some("permanent") => Some("permanent"),
        Some(_) => return Err(Refusal::bad_param("type")),
    };
    let now = state.now();
    let entry = |removed: &Removed| {
        let kind = removed.kind(now).filter(|kind| wanted.is_none_or(|wanted| *kind == wanted))?;
        let is_new = since.is_none_or(|since| removed.at > since);
        (removed.module == module && is_new).then(|| {
            json!({
                "id": removed.id,
                "display_name": removed.name,
                "type": kind,
                "deleted_by": state.short_user(ME),
                "created_by": state.short_user(ME),
                "deleted_time": state.time(removed.at),
            })
        })
    };
    let all: Vec<Value> = state.bin.iter().rev().filter_map(entry).collect();
    if all.is_empty() && since.is_some() {
        return Ok(Answer::empty(304).costing(2));
    }
    let (data, is_more) = cut(all, page, per_page);
    if data.is_empty() {
        return Ok(Answer::empty(204).costing(2));
    }
    let info = json!({
        "per_page": per_page,
        "count": count(&data),
        "page": page,
        "more_records": is_more,
    });
    Ok(Answer::json(200, json!({"data": data, "info": info})).costing(2))
}
