//! Channels: what somebody wants to be told, and the rules for asking it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::call::is_id;
use super::catalogue::{Catalogue, Module};
use super::conditions::Group;
use super::events::Operation;
use super::times;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long a channel lives that asked for nothing, or for more than it can have.
const SHORT_LIFE: Duration = Duration::from_secs(60 * 60);
const URL_MAX: u64 = 255;
const TOKEN_MAX: u64 = 50;

pub(super) struct Channel {
    pub(super) id: String,
    /// As they were given, `Contacts.edit`.
    pub(super) events: Vec<String>,
    pub(super) notify_url: String,
    pub(super) token: Option<String>,
    pub(super) expires_at: Timestamp,
    pub(super) tells_values: bool,
    pub(super) hears_related: bool,
    conditions: Vec<(Module, Group)>,
    /// What was asked, with the expiry that was granted.
    pub(super) settings: Map<String, Value>,
}

impl Channel {
    /// From an element of `watch`.
    pub(super) fn read(
        settings: &Map<String, Value>,
        index: usize,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let form = Form { settings, index };
        let id = form.channel_id()?;
        let events = form.events()?;
        let notify_url = form.notify_url()?;
        let token = form.token()?;
        let expires_at = form.expiry(now)?;
        let conditions = form.conditions(catalogue)?;
        let mut settings = settings.clone();
        settings.insert("channel_expiry".to_owned(), json!(expires_at.to_string()));
        Ok(Self {
            id,
            events,
            notify_url,
            token,
            expires_at,
            tells_values: form.flag("return_affected_field_values", false)?,
            hears_related: form.flag("notify_on_related_action", true)?,
            conditions,
            settings,
        })
    }

    pub(super) fn modules(&self) -> Vec<Module> {
        let is_told = |module: &Module| {
            self.events.iter().any(|event| event.split('.').next() == Some(module.name()))
        };
        Module::ALL.into_iter().filter(is_told).collect()
    }

    /// Whether something of this kind is told.
    pub(super) fn tells(&self, module: Module, operation: Operation) -> bool {
        let is_it = |event: &String| match event.split_once('.') {
            Some((name, kind)) => {
                name == module.name() && (kind == "all" || kind == operation.event())
            }
            None => false,
        };
        (operation != Operation::Related || self.hears_related) && self.events.iter().any(is_it)
    }

    /// Whether a change of these fields is told.
    pub(super) fn minds(&self, module: Module, changed: &[(String, Value)]) -> bool {
        let mut own = self.conditions.iter().filter(|(of, _)| *of == module).peekable();
        own.peek().is_none() || own.any(|(_, group)| group.holds(changed))
    }
}

/// The id, be it a string or a number.
pub(super) fn channel_id(settings: &Map<String, Value>) -> Option<String> {
    let id = match settings.get("channel_id")? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    is_id(&id).then_some(id)
}

fn length(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

/// An element of `watch` in the making.
struct Form<'a> {
    settings: &'a Map<String, Value>,
    index: usize,
}

impl<'a> Form<'a> {
    fn path(&self, name: &str) -> String {
        format!("$.watch[{}].{name}", self.index)
    }

    fn kind(&self, name: &str, expected: &str) -> Refusal {
        Refusal::kind(name, &self.path(name), expected)
    }

    fn demand(&self, name: &str) -> Result<&'a Value, Refusal> {
        let value = self.settings.get(name).filter(|value| !value.is_null());
        value.ok_or_else(|| Refusal::mandatory(name, &self.path(name)))
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        match self.settings.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.kind(name, "boolean")),
        }
    }

    fn channel_id(&self) -> Result<String, Refusal> {
        self.demand("channel_id")?;
        channel_id(self.settings).ok_or_else(|| self.kind("channel_id", "bigint"))
    }

    fn events(&self) -> Result<Vec<String>, Refusal> {
        let wrong = || self.kind("events", "jsonarray");
        let list = self.demand("events")?.as_array().filter(|list| !list.is_empty());
        let known = |event: &Value| {
            let event = event.as_str()?;
            let (module, kind) = event.split_once('.')?;
            let is_known = Module::named(module).is_some()
                && matches!(kind, "create" | "edit" | "delete" | "all");
            (is_known || event == "users.all").then(|| event.to_owned())
        };
        let events: Option<Vec<String>> = list.ok_or_else(wrong)?.iter().map(known).collect();
        events.ok_or_else(wrong)
    }

    /// A public address. Of this machine it may be, without TLS, for the sake of demonstrations.
    fn notify_url(&self) -> Result<String, Refusal> {
        let url = self.demand("notify_url")?.as_str();
        let url = url.ok_or_else(|| self.kind("notify_url", "website"))?;
        if length(url) > URL_MAX {
            return Err(Refusal::length("notify_url", &self.path("notify_url"), URL_MAX));
        }
        let own = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        if url.starts_with("https://") || own.iter().any(|own| url.starts_with(own)) {
            Ok(url.to_owned())
        } else {
            Err(self.kind("notify_url", "website"))
        }
    }

    fn token(&self) -> Result<Option<String>, Refusal> {
        match self.settings.get("token") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(token)) if length(token) <= TOKEN_MAX => Ok(Some(token.clone())),
            Some(Value::String(_)) => Err(Refusal::length("token", &self.path("token"), TOKEN_MAX)),
            Some(_) => Err(self.kind("token", "text")),
        }
    }

    fn expiry(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        let asked = match self.settings.get("channel_expiry") {
            None | Some(Value::Null) => return Ok(times::whole_second(now + SHORT_LIFE)),
            Some(value) => value.as_str().and_then(times::parse_strictly),
        };
        match asked {
            Some(asked) if asked > now + WEEK => Ok(times::whole_second(now + SHORT_LIFE)),
            Some(asked) if asked > now => Ok(asked),
            _ => Err(self.kind("channel_expiry", "datetime")),
        }
    }

    fn conditions(&self, catalogue: &Catalogue) -> Result<Vec<(Module, Group)>, Refusal> {
        let list = match self.settings.get("notification_condition") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(self.kind("notification_condition", "jsonarray")),
        };
        let path = self.path("notification_condition");
        list.iter().map(|condition| Group::of_condition(condition, &path, catalogue)).collect()
    }
}
