//! `/actions/watch`: opening, changing, listing and closing channels.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal, success};
use super::call::{Call, count, cut};
use super::catalogue::Module;
use super::channels::{Channel, channel_id};
use super::state::State;

const CHANNELS_MAX: u64 = 50;

type Settings = Map<String, Value>;

/// How the settings of a channel that is there meet new ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Open,
    Replace,
    Patch,
}

/// `POST`, `PUT` and `PATCH`.
pub(super) fn put(state: &mut State, call: &Call, manner: Manner) -> Outcome {
    let body = call.json()?;
    let list = body.get("watch").ok_or_else(|| Refusal::mandatory("watch", "$.watch"))?;
    let list = list.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Refusal::kind("watch", "$.watch", "jsonarray"))?;
    if count(list) > CHANNELS_MAX {
        let details = json!({"maximum_length": CHANNELS_MAX, "api_name": "watch"});
        return Err(Refusal::limit(details));
    }
    state.close_expired();
    let items = (0..).zip(list).map(|(index, settings)| match settings.as_object() {
        Some(settings) => put_one(state, settings, index, manner),
        None => Err(Refusal::kind("watch", "$.watch", "jsonobject")),
    });
    let items = items.collect();
    Ok(Answer::batch("watch", items, if manner == Manner::Open { 201 } else { 200 }))
}

fn put_one(
    state: &mut State,
    settings: &Settings,
    index: usize,
    manner: Manner,
) -> Result<Value, Refusal> {
    let old = channel_id(settings).and_then(|id| state.place(&id));
    if manner != Manner::Open && settings.contains_key("channel_id") && old.is_none() {
        return Err(not_subscribed(settings.get("channel_id")));
    }
    let known = old.and_then(|place| state.channels.get(place));
    let (settings, message) = match (manner, known) {
        (Manner::Patch, Some(known)) if is_set(settings, "_delete_events") => {
            match without_events(&known.settings, settings) {
                Some(rest) => (rest, "Successfully removed the subscribe details"),
                None => {
                    let id = known.id.clone();
                    return Ok(state.close(&id));
                }
            }
        }
        (Manner::Patch, Some(known)) => {
            let mut merged = known.settings.clone();
            merged.extend(settings.clone());
            (merged, "Successfully updated the subscribe details")
        }
        (Manner::Replace, _) => (settings.clone(), "Successfully updated the subscribe details"),
        _ => {
            let message = "Successfully subscribed for actions-watch of the given module";
            (settings.clone(), message)
        }
    };
    let channel = Channel::read(&settings, index, &state.catalogue, state.now())?;
    let modules = channel.modules().into_iter();
    let events: Vec<Value> = modules.map(|module| state.resource(&channel, module)).collect();
    match old.and_then(|place| state.channels.get_mut(place)) {
        Some(known) => *known = channel,
        None => state.channels.push(channel),
    }
    Ok(success(&json!({"events": events}), message))
}

fn is_set(settings: &Settings, name: &str) -> bool {
    settings.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// What is left of a channel without the events that are named; nothing, if it has no other.
fn without_events(known: &Settings, named: &Settings) -> Option<Settings> {
    let gone = named.get("events").and_then(Value::as_array);
    let events = known.get("events").and_then(Value::as_array)?;
    let is_left = |event: &&Value| gone.is_some_and(|gone| !gone.contains(event));
    let left: Vec<Value> = events.iter().filter(is_left).cloned().collect();
    let mut settings = known.clone();
    let is_open = !left.is_empty();
    settings.insert("events".to_owned(), Value::Array(left));
    is_open.then_some(settings)
}

fn not_subscribed(id: Option<&Value>) -> Refusal {
    let message = "there is no subscription of this channel";
    Refusal::new(400, "NOT_SUBSCRIBED", message, json!({"channel_id": id}))
}

impl State {
    /// Channels end without a word.
    pub(super) fn close_expired(&mut self) {
        let now = self.now();
        self.channels.retain(|channel| channel.expires_at > now);
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.channels.iter().position(|channel| channel.id == id)
    }

    pub(super) fn resource_uri(&self, module: Module) -> String {
        format!("{}/crm/v2/{}", self.options.base_url, module.name())
    }

    fn resource(&self, channel: &Channel, module: Module) -> Value {
        json!({
            "channel_expiry": self.time(channel.expires_at),
            "resource_uri": self.resource_uri(module),
            "resource_id": module.id(),
            "resource_name": module.name(),
            "channel_id": channel.id,
        })
    }

    fn close(&mut self, id: &str) -> Value {
        self.channels.retain(|channel| channel.id != id);
        success(&json!({"channel_id": id}), "Successfully un-subscribed from actions-watch")
    }
}

/// `DELETE ?channel_ids=`.
pub(super) fn close(state: &mut State, call: &Call) -> Outcome {
    let ids = call.list("channel_ids");
    if ids.is_empty() {
        return Err(Refusal::missing_param("channel_ids"));
    }
    state.close_expired();
    let items = ids.iter().map(|id| match state.place(id) {
        Some(_) => Ok(state.close(id)),
        None => Err(not_subscribed(Some(&json!(id)))),
    });
    let items = items.collect();
    Ok(Answer::batch("watch", items, 200))
}

/// `GET`.
pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    state.close_expired();
    let page = call.number("page", 1)?;
    let per_page = call.per_page()?;
    let module = call.param("module");
    let id = call.param("channel_id");
    let mut found = Vec::new();
    for channel in &state.channels {
        for own in channel.modules() {
            let is_asked = module.is_none_or(|module| own.name() == module)
                && id.is_none_or(|id| channel.id == id);
            if is_asked {
                found.push(state.describe_channel(channel, own));
            }
        }
    }
    let (watch, is_more) = cut(found, page, per_page);
    if watch.is_empty() {
        return Ok(Answer::empty(204));
    }
    let info = json!({
        "per_page": per_page,
        "count": count(&watch),
        "page": page,
        "more_records": is_more,
    });
    Ok(Answer::json(200, json!({"watch": watch, "info": info})))
}

impl State {
    fn describe_channel(&self, channel: &Channel, module: Module) -> Value {
        let is_own = |event: &&String| event.split('.').next() == Some(module.name());
        let events: Vec<&String> = channel.events.iter().filter(is_own).collect();
        json!({
            "channel_id": channel.id,
            "channel_expiry": self.time(channel.expires_at),
            "events": events,
            "notify_url": channel.notify_url,
            "token": channel.token,
            "return_affected_field_values": channel.tells_values,
            "notify_on_related_action": channel.hears_related,
            "notification_condition": channel.settings.get("notification_condition"),
            "fields": null,
            "resource_uri": self.resource_uri(module),
            "resource_id": module.id(),
            "resource_name": module.name(),
        })
    }
}
