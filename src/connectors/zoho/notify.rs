//! Notifications (zoho.com/crm/developer/docs/api/v8/notifications/overview.html): channels, which live
//! a week at most, and which records a notification is about. They are not signed, and do not name the
//! organisation: what tells ours from others' is the token that they repeat.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};

use super::about::OBJECTS;
use super::api::Api;
use super::convert::moment;
use super::refusal::{self, Outcome};
use super::wire::{Notification, Watch, WatchOutcomes, Watched};
use crate::connectors::call::Reply;
use crate::connectors::notify::is_token;
use crate::connectors::{
    Address, Delivery, Error, ErrorKind, Noticed, Result, Subscription, Unreadable,
};
use crate::net::Method;
use crate::record::{ObjectName, RemoteId};

const PATH: &str = "/crm/v8/actions/watch";
/// What is told of a module.
const EVENTS: [&str; 3] = ["create", "edit", "delete"];
/// How long a channel is asked to live: six days and a half. One that asks for more than a week gets an
/// hour, and the clocks need not agree.
pub(super) const LIFE_SECONDS: u64 = 13 * 12 * 3600;
/// Characters of a token.
const TOKEN_MAX: usize = 50;
/// Characters of a URL.
const URL_MAX: usize = 255;
/// There is no such channel, or no more.
const NOT_SUBSCRIBED: &str = "NOT_SUBSCRIBED";

/// Opens the channel, or prolongs it.
pub(super) async fn subscribe(api: &Api, address: &Address) -> Result<Subscription> {
    const OPERATION: &str = "subscribe";
    let body = registration(OPERATION, address, api.now())?;
    if !find(api, OPERATION, address).await?.is_empty() {
        match put(api, OPERATION, Method::Put, &body).await {
            // It ended in between.
            Err(error) if error.code == NOT_SUBSCRIBED => {}
            renewed => return granted(OPERATION, address, &renewed?),
        }
    }
    let opened = put(api, OPERATION, Method::Post, &body).await?;
    granted(OPERATION, address, &opened)
}

pub(super) async fn subscription(api: &Api, address: &Address) -> Result<Option<Subscription>> {
    const OPERATION: &str = "subscription";
    let channel = find(api, OPERATION, address).await?;
    told(&channel, &events(OPERATION, address)?, address)
        .map(|ends| subscribed(OPERATION, address, ends))
        .transpose()
}

pub(super) async fn unsubscribe(api: &Api, address: &Address) -> Result<()> {
    const OPERATION: &str = "unsubscribe";
    let path = format!("{PATH}?channel_ids={}", channel(OPERATION, address)?);
    match outcome(OPERATION, &api.delete(OPERATION, &path).await?) {
        Err(error) if error.code == NOT_SUBSCRIBED => Ok(()),
        closed => closed.map(|_| ()),
    }
}

async fn put(api: &Api, operation: &'static str, method: Method, body: &Json) -> Result<Outcome> {
    let reply = api.send(operation, method, PATH, body).await;
    outcome(operation, &reply.map_err(|failed| failed.of_read(operation))?)
}

/// The one outcome of a request, whatever its status.
fn outcome(operation: &'static str, reply: &Reply) -> Result<Outcome> {
    let outcomes = reply.json::<WatchOutcomes>(operation).map(|outcomes| outcomes.watch);
    match outcomes.unwrap_or_default().into_iter().next() {
        Some(outcome) if outcome.is_success() => Ok(outcome),
        Some(outcome) => Err(refusal::of_outcome(operation, reply.status, outcome)),
        None => Err(refusal::error(operation, reply)),
    }
}

/// The channel, once for each of its modules; empty if there is none.
async fn find(api: &Api, operation: &'static str, address: &Address) -> Result<Vec<Watched>> {
    let channel = channel(operation, address)?;
    let path = format!("{PATH}?channel_id={channel}");
    let mut found =
        api.get::<Watch>(operation, &path, &[]).await?.map_or_else(Vec::new, |w| w.watch);
    found.retain(|watched| id(&watched.channel_id).as_deref() == Some(channel));
    Ok(found)
}

/// When each module's part of the channel ends, if it tells these events as agreed.
fn told<'a>(
    channel: &'a [Watched],
    events: &BTreeSet<String>,
    address: &Address,
) -> Option<Vec<Option<&'a str>>> {
    let is_agreed = |watched: &&Watched| {
        let token = watched.token.as_deref();
        watched.notify_url.as_ref() == Some(&address.url)
            && token.is_none_or(|token| is_token(token, address.token.expose_secret()))
    };
    let ours: Vec<&Watched> = channel.iter().filter(is_agreed).collect();
    let is_told = |event: &String| {
        let all = event.split_once('.').map(|(module, _)| format!("{module}.all"));
        let is_it = |listed: &String| listed == event || Some(listed) == all.as_ref();
        ours.iter().any(|watched| watched.events.iter().any(is_it))
    };
    let ends = || ours.iter().map(|watched| watched.channel_expiry.as_deref()).collect();
    events.iter().all(is_told).then(ends)
}

/// The registration by the answer to it.
fn granted(operation: &'static str, address: &Address, outcome: &Outcome) -> Result<Subscription> {
    let modules = outcome.details.get("events").and_then(Json::as_array);
    let ends = modules.into_iter().flatten().map(|module| module.get("channel_expiry")?.as_str());
    subscribed(operation, address, ends.collect())
}

/// The registration whose modules end at these times, the first of which counts.
fn subscribed(
    operation: &'static str,
    address: &Address,
    ends: Vec<Option<&str>>,
) -> Result<Subscription> {
    let first = ends.into_iter().map(|end| end.and_then(moment)).min().flatten();
    let not_understood = || Error::new(ErrorKind::Protocol, operation, "not_understood");
    Ok(Subscription {
        remote_id: address.channel.clone(),
        expires_at: Some(first.ok_or_else(not_understood)?),
        is_disabled: false,
    })
}

/// What is sent to open a channel or to prolong it: always the whole, for what is left out is removed.
fn registration(operation: &'static str, address: &Address, now: Timestamp) -> Result<Json> {
    let unsupported = |code| Err(Error::new(ErrorKind::Unsupported, operation, code));
    let token = address.token.expose_secret();
    if address.url.chars().count() > URL_MAX {
        return unsupported("address_too_long");
    }
    if token.is_empty() || token.chars().count() > TOKEN_MAX {
        return unsupported("token_length");
    }
    // A fraction of a second is refused.
    let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let ends = whole + Duration::from_secs(LIFE_SECONDS);
    Ok(json!({ "watch": [{
        "channel_id": channel(operation, address)?,
        "events": events(operation, address)?,
        "notify_url": address.url,
        "token": token,
        "channel_expiry": ends.display_with_offset(Offset::UTC).to_string(),
        "return_affected_field_values": false,
        // Left out, a change of a company would be told of everybody in it.
        "notify_on_related_action": false,
    }] }))
}

/// The channel's id. It becomes part of addresses.
fn channel<'a>(operation: &'static str, address: &'a Address) -> Result<&'a str> {
    if is_number(&address.channel) {
        Ok(&address.channel)
    } else {
        Err(Error::new(ErrorKind::Unsupported, operation, "channel_not_a_number"))
    }
}

/// The events to be told, such as `Contacts.edit`.
fn events(operation: &'static str, address: &Address) -> Result<BTreeSet<String>> {
    if address.objects.is_empty() || !address.objects.iter().all(is_told_of) {
        return Err(Error::new(ErrorKind::Unsupported, operation, "no_such_object"));
    }
    let of = |object: &ObjectName| EVENTS.map(|event| format!("{object}.{event}"));
    Ok(address.objects.iter().flat_map(of).collect())
}

/// The records that a notification is about: each has one module and one operation, and may have many
/// ids.
pub(super) fn notices(delivery: &Delivery<'_>) -> std::result::Result<Vec<Noticed>, Unreadable> {
    let notification: Notification =
        serde_json::from_slice(delivery.body).map_err(|_| Unreadable::Malformed)?;
    if !is_token(&notification.token.unwrap_or_default(), delivery.token) {
        return Err(Unreadable::WrongToken);
    }
    let object = ObjectName::new(notification.module);
    if !is_told_of(&object) {
        return Ok(Vec::new());
    }
    let read = |json: &Json| {
        let id = id(json).filter(|id| is_number(id)).ok_or(Unreadable::Malformed)?;
        Ok(Noticed { object: object.clone(), id: RemoteId::new(id) })
    };
    let noticed: BTreeSet<Noticed> =
        notification.ids.iter().map(read).collect::<std::result::Result<_, _>>()?;
    Ok(noticed.into_iter().collect())
}

fn is_told_of(object: &ObjectName) -> bool {
    OBJECTS.iter().any(|known| known.name == object.as_str())
}

/// An id, be it written as a text or as a number.
fn id(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    const UPDATE: &str = include_str!("fixtures/notification_update.json");
    const DELETE: &str = include_str!("fixtures/notification_delete.json");
    const MANY: &str = include_str!("fixtures/notification_many.json");
    const TOKEN: &str = "c3504777-...";

    fn read(body: &str, token: &str) -> std::result::Result<Vec<String>, Unreadable> {
        let content_type = "application/json";
        let delivery = Delivery { content_type, body: body.as_bytes(), token, remote_id: "1" };
        let noticed = notices(&delivery)?;
        let name = |noticed: Noticed| format!("{} {}", noticed.object, noticed.id);
        Ok(noticed.into_iter().map(name).collect())
    }

    fn address() -> Address {
        Address {
            url: "https://sync.example.com/hooks/zoho/SECRET".to_owned(),
            token: SecretString::from("random<=50chars"),
            objects: [ObjectName::new("Contacts")].into(),
            channel: "1000000068001".to_owned(),
        }
    }

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: body.into(), at: Timestamp::UNIX_EPOCH }
    }

    fn channel_with(change: impl Fn(&mut Json)) -> Vec<Watched> {
        let mut watched = json!({
            "channel_id": "1000000068001",
            "channel_expiry": "2026-08-08T03:00:00-07:00",
            "events": ["Contacts.create", "Contacts.edit", "Contacts.delete"],
            "notify_url": "https://sync.example.com/hooks/zoho/SECRET",
            "token": "random<=50chars",
        });
        change(&mut watched);
        vec![serde_json::from_value(watched).unwrap()]
    }

    #[test]
    fn all_ids_of_a_notification_are_named_once() {
        let ids = ["6756839000000575405", "6756839000000575406", "6756839000000575407"];
        let ids = ids.map(|id| format!("Contacts {id}"));
        assert_eq!(read(MANY, TOKEN).unwrap(), ids);
    }

    #[test]
    fn a_notification_is_about_its_module_if_that_is_read() {
        assert_eq!(read(UPDATE, TOKEN).unwrap(), ["Leads 6756839000000575405"]);
        let of_contacts = UPDATE.replace("Leads", "Contacts");
        assert_eq!(read(&of_contacts, TOKEN).unwrap(), ["Contacts 6756839000000575405"]);
        assert_eq!(read(&UPDATE.replace("Leads", "Deals"), TOKEN).unwrap(), [""; 0]);
    }

    #[test]
    fn a_notification_without_the_token_is_refused() {
        for (body, token) in [(UPDATE, "c3504777"), (UPDATE, ""), (DELETE, TOKEN), (DELETE, "")] {
            assert_eq!(read(body, token).unwrap_err(), Unreadable::WrongToken, "{token}");
        }
    }

    #[test]
    fn what_is_no_notification_is_malformed() {
        let with_ids =
            |ids: &str| format!(r#"{{"module":"Contacts","token":"{TOKEN}","ids":{ids}}}"#);
        assert_eq!(read(&with_ids(r#"["1",2]"#), TOKEN).unwrap(), ["Contacts 1", "Contacts 2"]);
        for body in [
            String::new(),
            "null".to_owned(),
            "[".repeat(1024),
            MANY[..MANY.len() / 2].to_owned(),
            with_ids("null"),
            with_ids(r#"["1/../Leads"]"#),
            with_ids(r#"["1",""]"#),
            with_ids("[1.5]"),
            with_ids("[[1]]"),
        ] {
            assert_eq!(read(&body, TOKEN).unwrap_err(), Unreadable::Malformed, "{body}");
        }
    }

    #[test]
    fn a_registration_is_as_the_sample_says_and_for_less_than_a_week() {
        // A fraction of a second is cut off.
        let now = "2026-08-01T22:00:00.75Z".parse().unwrap();
        let sent = &registration("try", &address(), now).unwrap()["watch"][0];
        let sample: Json =
            serde_json::from_slice(include_bytes!("fixtures/watch_request.json")).unwrap();
        let sample = &sample["watch"][0];
        for name in
            ["channel_id", "notify_url", "token", "channel_expiry", "notify_on_related_action"]
        {
            assert_eq!(sent[name], sample[name], "{name}");
        }
        let events = |json: &Json| -> BTreeSet<String> {
            serde_json::from_value(json["events"].clone()).unwrap()
        };
        assert_eq!(events(sent), events(sample));
    }

    #[test]
    fn what_zoho_would_refuse_is_not_sent() {
        let code = |address: Address| {
            let error = registration("try", &address, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            error.code
        };
        let url = format!("https://{}", "x".repeat(248));
        assert_eq!(code(Address { url, ..address() }), "address_too_long");
        for token in ["", &"x".repeat(51)] {
            let token = SecretString::from(token);
            assert_eq!(code(Address { token, ..address() }), "token_length");
        }
        for channel in ["", "a", "1&module=Leads"] {
            let channel = channel.to_owned();
            assert_eq!(code(Address { channel, ..address() }), "channel_not_a_number");
        }
        for objects in [vec![], vec!["Deals"], vec!["Contacts", "Deals"]] {
            let objects = objects.into_iter().map(ObjectName::new).collect();
            assert_eq!(code(Address { objects, ..address() }), "no_such_object");
        }
    }

    #[test]
    fn each_object_has_its_events() {
        let objects = ["Contacts", "Leads"].map(ObjectName::new).into();
        let told = events("try", &Address { objects, ..address() }).unwrap();
        let all = ["Contacts.create", "Contacts.delete", "Contacts.edit"];
        let all = all.into_iter().chain(["Leads.create", "Leads.delete", "Leads.edit"]);
        assert!(told.iter().map(String::as_str).eq(all), "{told:?}");
    }

    #[test]
    fn the_sample_answer_says_when_the_channel_ends() {
        let sample = include_str!("fixtures/watch_answer.json");
        let ends = |body: &str| {
            let outcome = outcome("try", &reply(201, body)).unwrap();
            granted("try", &address(), &outcome)
        };
        let subscription = ends(sample).unwrap();
        assert_eq!(subscription.remote_id, "1000000068001");
        assert_eq!(subscription.expires_at, Some("2026-08-08T10:00:00Z".parse().unwrap()));
        // A channel that nobody knows the end of is none to rely on.
        let error = ends(&sample.replace("channel_expiry", "other")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
    }

    #[test]
    fn a_refusal_is_told_by_its_outcome_whatever_the_status_of_the_whole() {
        let body = r#"{"watch":[{"code":"INVALID_DATA","details":{},"status":"error"}]}"#;
        for status in [200, 207, 400] {
            assert_eq!(outcome("try", &reply(status, body)).unwrap_err().code, "INVALID_DATA");
        }
        let whole = r#"{"code":"OAUTH_SCOPE_MISMATCH","details":{},"status":"error"}"#;
        assert_eq!(outcome("try", &reply(401, whole)).unwrap_err().kind, ErrorKind::Forbidden);
        assert_eq!(outcome("try", &reply(502, "<html>")).unwrap_err().kind, ErrorKind::Unavailable);
    }

    #[test]
    fn only_a_channel_that_is_as_agreed_is_ours() {
        let is_ours = |channel: &[Watched]| {
            told(channel, &events("try", &address()).unwrap(), &address()).is_some()
        };
        assert!(is_ours(&channel_with(|_| {})));
        assert!(is_ours(&channel_with(|watched| watched["events"] = json!(["Contacts.all"]))));
        assert!(is_ours(&channel_with(|watched| watched["token"] = Json::Null)), "it is not told");
        assert!(!is_ours(&[]));
        for (name, other) in [
            ("events", json!(["Contacts.create", "Contacts.edit"])),
            ("events", json!(["Leads.all"])),
            ("notify_url", json!("https://other.example.com/")),
            ("token", json!("other")),
        ] {
            let channel = channel_with(|watched| watched[name] = other.clone());
            assert!(!is_ours(&channel), "{name}");
        }
    }

    #[test]
    fn the_first_of_several_ends_is_the_end() {
        let ends = [Some("2026-08-08T03:00:00-07:00"), Some("2026-08-08T09:00:00+00:00")];
        let subscription = subscribed("try", &address(), ends.into()).unwrap();
        assert_eq!(subscription.expires_at, Some("2026-08-08T09:00:00Z".parse().unwrap()));
    }
}
