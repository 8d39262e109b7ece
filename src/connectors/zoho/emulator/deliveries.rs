//! Notifications: what happened, told to the channels that want to know.

use serde_json::{Map, Value, json};

use super::catalogue::Module;
use super::channels::Channel;
use super::events::{Event, Operation};
use super::state::State;

/// A notification to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: u64,
    /// Where to POST it.
    pub url: String,
    /// The content type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// Which attempt it is: the first, always.
    pub attempt: u32,
}

/// Notifications that wait to be sent, and those that were handed out and not yet answered.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: Vec<Delivery>,
    handed_out: Vec<u64>,
    last: u64,
}

impl Outbox {
    fn add(&mut self, url: String, body: String) {
        self.last += 1;
        let content_type = "application/json";
        self.waiting.push(Delivery { id: self.last, url, content_type, body, attempt: 1 });
    }

    /// Hands out what waits, once.
    pub(super) fn hand_out(&mut self) -> Vec<Delivery> {
        let due = std::mem::take(&mut self.waiting);
        self.handed_out.extend(due.iter().map(|delivery| delivery.id));
        due
    }

    /// There is no second attempt, whatever the answer was.
    pub(super) fn forget(&mut self, id: u64) {
        self.handed_out.retain(|handed_out| *handed_out != id);
    }
}

impl State {
    /// Tells the channels what happened: one notification per channel, module and operation.
    pub(super) fn notify(&mut self, events: &[Event]) {
        self.close_expired();
        let related = self.related(events);
        let happened: Vec<&Event> = events.iter().chain(&related).collect();
        let mut due = Vec::new();
        for channel in &self.channels {
            for (module, operation) in kinds() {
                if !channel.tells(module, operation) {
                    continue;
                }
                let is_told = |event: &&Event| {
                    let is_change = event.operation != Operation::Update
                        || (!event.changed.is_empty() && channel.minds(module, &event.changed));
                    event.module == module && event.operation == operation && is_change
                };
                let told: Vec<&Event> = happened.iter().copied().filter(is_told).collect();
                if !told.is_empty() {
                    let body = self.notification(channel, module, operation, &told);
                    due.push((channel.notify_url.clone(), body.to_string()));
                }
            }
        }
        for (url, body) in due {
            self.outbox.add(url, body);
        }
    }

    /// The contacts of accounts that were changed are said to have changed as well.
    fn related(&self, events: &[Event]) -> Vec<Event> {
        let is_change = |event: &&Event| {
            let is_update = event.operation == Operation::Update && !event.changed.is_empty();
            event.module == Module::Accounts && is_update
        };
        let mut related = Vec::new();
        for event in events.iter().filter(is_change) {
            for contact in self.of_module(Module::Contacts) {
                if contact.looked_up("Account_Name") == Some(event.id.as_str()) {
                    related.push(Event {
                        module: Module::Contacts,
                        operation: Operation::Related,
                        id: contact.id.clone(),
                        changed: Vec::new(),
                    });
                }
            }
        }
        related
    }

    fn notification(
        &self,
        channel: &Channel,
        module: Module,
        operation: Operation,
        events: &[&Event],
    ) -> Value {
        let ids: Vec<&String> = events.iter().map(|event| &event.id).collect();
        let fields = |event: &&Event| {
            let names: Vec<&String> = event.changed.iter().map(|(name, _)| name).collect();
            let mut entry = Map::new();
            entry.insert(event.id.clone(), json!(names));
            Value::Object(entry)
        };
        let affected_fields: Vec<Value> = match operation {
            Operation::Insert => Vec::new(),
            _ => events.iter().map(fields).collect(),
        };
        let mut body = json!({
            "server_time": self.now().as_millisecond(),
            "query_params": query_params(&channel.notify_url),
            "module": module.name(),
            "resource_uri": self.resource_uri(module),
            "ids": ids,
            "affected_fields": affected_fields,
            "operation": operation.name(),
            "channel_id": channel.id,
            "token": channel.token,
        });
        if channel.tells_values
            && let Some(body) = body.as_object_mut()
        {
            let values: Vec<Value> = events.iter().map(|event| values(event)).collect();
            body.insert("affected_values".to_owned(), Value::Array(values));
        }
        body
    }
}

fn values(event: &Event) -> Value {
    let values: Map<String, Value> = event.changed.iter().cloned().collect();
    json!({"record_id": event.id, "values": values})
}

/// Every kind of notification.
fn kinds() -> impl Iterator<Item = (Module, Operation)> {
    Module::ALL
        .into_iter()
        .flat_map(|module| Operation::ALL.into_iter().map(move |operation| (module, operation)))
}

fn query_params(url: &str) -> Value {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let params = form_urlencoded::parse(query.as_bytes()).into_owned();
    Value::Object(params.map(|(name, value)| (name, json!(value))).collect())
}
