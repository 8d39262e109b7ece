//! Webhooks (developers.kommo.com/docs/webhooks-general): registering for them, and which contacts one
//! is about. They are forms with names as PHP writes them, and not signed: what tells ours from others'
//! is the secret in the URL and the account's id.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::CONTACTS;
use super::api::Api;
use super::refusal;
use super::wire::Hook;
use crate::connectors::{
    Address, Delivery, Error, ErrorKind, Noticed, Result, Subscription, Unreadable,
};
use crate::net::Method;
use crate::record::{ObjectName, RemoteId};

const PATH: &str = "/api/v4/webhooks";
/// What is told of contacts. A change of owner may come as an update or under a name of its own.
const ACTIONS: [&str; 5] = ["add", "update", "delete", "restore", "responsible"];

/// Registers, unless all is as it should be. What is there and otherwise is removed first: a disabled
/// one stays so when it is registered again, and whether new settings replace the old is not said.
pub(super) async fn subscribe(api: &Api, address: &Address) -> Result<Subscription> {
    const OPERATION: &str = "subscribe";
    let wanted = settings(OPERATION, address)?;
    if let Some(hook) = find(api, OPERATION, address).await? {
        if hook.is_in_order(&wanted) {
            return Ok(hook.into());
        }
        remove(api, OPERATION, address).await?;
    }
    let body = registration(address, &wanted).to_string().into_bytes();
    let reply = api.send(OPERATION, Method::Post, PATH, Some(body)).await;
    let reply = reply.map_err(|failed| failed.of_read(OPERATION))?;
    match reply.status {
        200 | 201 => Ok(reply.json::<Hook>(OPERATION)?.into()),
        _ => Err(refusal::error(OPERATION, &reply)),
    }
}

pub(super) async fn subscription(api: &Api, address: &Address) -> Result<Option<Subscription>> {
    const OPERATION: &str = "subscription";
    let wanted = settings(OPERATION, address)?;
    let hook = find(api, OPERATION, address).await?;
    Ok(hook.filter(|hook| hook.settings.is_superset(&wanted)).map(Subscription::from))
}

pub(super) async fn remove(api: &Api, operation: &'static str, address: &Address) -> Result<()> {
    let body = json!({ "destination": address.url }).to_string().into_bytes();
    let reply = api.send(operation, Method::Delete, PATH, Some(body)).await;
    let reply = reply.map_err(|failed| failed.of_read(operation))?;
    match reply.status {
        200 | 204 | 404 => Ok(()),
        _ => Err(refusal::error(operation, &reply)),
    }
}

async fn find(api: &Api, operation: &'static str, address: &Address) -> Result<Option<Hook>> {
    let destination: String = form_urlencoded::byte_serialize(address.url.as_bytes()).collect();
    let path = format!("{PATH}?filter[destination]={destination}");
    let hooks: Vec<Hook> = api.read_list(&path, operation).await?.elements("webhooks")?;
    // Some accounts ignore filters.
    Ok(hooks.into_iter().find(|hook| hook.destination == address.url))
}

/// The codes of what is to be told, such as `add_contact`.
fn settings(operation: &'static str, address: &Address) -> Result<BTreeSet<String>> {
    if address.objects.iter().map(ObjectName::as_str).ne([CONTACTS]) {
        return Err(Error::new(ErrorKind::Unsupported, operation, "no_such_object"));
    }
    Ok(ACTIONS.iter().map(|action| format!("{action}_contact")).collect())
}

fn registration(address: &Address, settings: &BTreeSet<String>) -> Json {
    json!({ "destination": address.url, "settings": settings })
}

impl Hook {
    /// Whether it posts, and exactly this.
    fn is_in_order(&self, wanted: &BTreeSet<String>) -> bool {
        !self.disabled && self.settings == *wanted
    }
}

impl From<Hook> for Subscription {
    fn from(hook: Hook) -> Self {
        Self { remote_id: hook.id.to_string(), expires_at: None, is_disabled: hook.disabled }
    }
}

/// What is read of a record in a notification.
#[derive(Default)]
struct Entry {
    id: String,
    kind: Option<String>,
}

/// The contacts that a notification is about. Companies come under the same name, told apart by type.
pub(super) fn notices(delivery: &Delivery<'_>) -> std::result::Result<Vec<Noticed>, Unreadable> {
    let mut account = None;
    let mut entries: BTreeMap<(String, String), Entry> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(delivery.body) {
        match parts(&name).as_deref() {
            Some(["account", "id"]) => account = Some(value.into_owned()),
            Some(["contacts", action, place, what @ ("id" | "type")])
                if ACTIONS.contains(action) =>
            {
                let place = ((*action).to_owned(), (*place).to_owned());
                let entry = entries.entry(place).or_default();
                if *what == "id" {
                    entry.id = value.into_owned();
                } else {
                    entry.kind = Some(value.into_owned());
                }
            }
            _ => {}
        }
    }
    if account.ok_or(Unreadable::Malformed)? != delivery.remote_id {
        return Err(Unreadable::Foreign);
    }
    let is_contact = |entry: &&Entry| entry.kind.as_ref().is_none_or(|kind| kind == "contact");
    let contacts = entries.values().filter(is_contact).map(Entry::contact);
    let contacts: BTreeSet<Noticed> = contacts.collect::<std::result::Result<_, _>>()?;
    Ok(contacts.into_iter().collect())
}

impl Entry {
    /// The contact. Ids become parts of addresses: what is no number is none.
    fn contact(&self) -> std::result::Result<Noticed, Unreadable> {
        let id: u64 = self.id.parse().map_err(|_| Unreadable::Malformed)?;
        Ok(Noticed { object: ObjectName::new(CONTACTS), id: RemoteId::new(id.to_string()) })
    }
}

/// The parts of a name as PHP writes it: `contacts[add][0][id]` is `contacts`, `add`, `0`, `id`.
fn parts(name: &str) -> Option<Vec<&str>> {
    let (root, rest) = name.split_once('[')?;
    let rest = rest.strip_suffix(']')?;
    Some(std::iter::once(root).chain(rest.split("][")).collect())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::super::wire::Listing;
    use super::*;

    const ADD: &str = include_str!("fixtures/hook_contact_add.txt");
    const DELETE: &str = include_str!("fixtures/hook_contact_delete.txt");
    const COMPANY: &str = include_str!("fixtures/hook_company_update.txt");
    const ACCOUNT: &str = "account[id]=36398783";

    fn read(body: &str) -> std::result::Result<Vec<String>, Unreadable> {
        let content_type = "application/x-www-form-urlencoded";
        let body = body.as_bytes();
        let delivery = Delivery { content_type, body, token: "", remote_id: "36398783" };
        let noticed = notices(&delivery)?;
        assert!(noticed.iter().all(|noticed| noticed.object.as_str() == CONTACTS));
        Ok(noticed.into_iter().map(|noticed| noticed.id.to_string()).collect())
    }

    fn address() -> Address {
        Address {
            url: "https://sync.example.com/hooks/kommo/SECRET".to_owned(),
            token: SecretString::from("token"),
            objects: [ObjectName::new(CONTACTS)].into(),
            channel: "1".to_owned(),
        }
    }

    fn hook(json: &str) -> Hook {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_sample_notifications_name_their_contacts() {
        assert_eq!(read(ADD).unwrap(), ["43684612"]);
        assert_eq!(read(DELETE).unwrap(), ["43684612"]);
        assert_eq!(read(COMPANY).unwrap(), [""; 0], "companies come as contacts");
    }

    #[test]
    fn all_records_of_all_groups_are_named_once() {
        let body = format!(
            "{ACCOUNT}&contacts[update][0][id]=1&contacts[update][0][type]=contact\
             &contacts[update][1][id]=2&contacts[add][0][id]=3&contacts%5Brestore%5D%5B0%5D%5Bid%5D=4\
             &contacts[responsible][0][id]=1&contacts[delete][0][type]=company\
             &contacts[delete][0][id]=5&leads[update][0][id]=6&task[add][0][id]=7\
             &contacts[note][0][id]=8&contacts[add][0][custom_fields][0][id]=9&message[add][0][id]=10"
        );
        assert_eq!(read(&body).unwrap(), ["1", "2", "3", "4"]);
    }

    #[test]
    fn a_notification_of_another_account_is_refused() {
        let body = ADD.replace("account%5Bid%5D=36398783", "account%5Bid%5D=36398784");
        assert_eq!(read(&body).unwrap_err(), Unreadable::Foreign);
    }

    #[test]
    fn what_is_no_notification_is_malformed() {
        let truncated = &ADD[..ADD.find("&account%5Bid%5D").unwrap()];
        let of_account = |rest: &str| format!("{ACCOUNT}&{rest}");
        for body in [
            String::new(),
            "account=36398783".to_owned(),
            "account[id=36398783".to_owned(),
            "[".repeat(1024),
            "a[][".repeat(1024),
            truncated.to_owned(),
            of_account("contacts[add][0][id]=1/../leads"),
            of_account("contacts[add][0][id]="),
            of_account("contacts[add][0][type]=contact"),
        ] {
            assert_eq!(read(&body).unwrap_err(), Unreadable::Malformed, "{body}");
        }
    }

    #[test]
    fn a_registration_is_as_the_sample_says() {
        let wanted = settings("try", &address()).unwrap();
        let sample: Json =
            serde_json::from_slice(include_bytes!("fixtures/webhook_create.json")).unwrap();
        let sent = registration(&address(), &wanted);
        assert_eq!(sent["destination"], sample["destination"]);
        let codes: BTreeSet<String> = serde_json::from_value(sample["settings"].clone()).unwrap();
        assert_eq!(wanted, codes);
    }

    #[test]
    fn the_sample_answers_are_read() {
        let made = hook(include_str!("fixtures/webhook.json"));
        assert!(made.is_in_order(&settings("try", &address()).unwrap()));
        let subscription = Subscription::from(made);
        assert_eq!(subscription.remote_id, "839656");
        assert_eq!((subscription.expires_at, subscription.is_disabled), (None, false));
        let list: Listing =
            serde_json::from_slice(include_bytes!("fixtures/webhook_list.json")).unwrap();
        assert_eq!(list.take::<Hook>("webhooks").unwrap()[0].destination, address().url);
    }

    #[test]
    fn a_hook_that_is_disabled_or_tells_other_things_is_not_in_order() {
        let wanted = settings("try", &address()).unwrap();
        let sample = include_str!("fixtures/webhook.json");
        let disabled = sample.replace(r#""disabled": false"#, r#""disabled": true"#);
        let fewer = sample.replace(r#""add_contact","#, "");
        let more = sample.replace(r#""add_contact","#, r#""add_contact", "add_lead","#);
        for json in [disabled, fewer, more] {
            assert_ne!(json, sample);
            assert!(!hook(&json).is_in_order(&wanted), "{json}");
        }
    }

    #[test]
    fn only_what_the_app_has_can_be_registered_for() {
        for objects in [vec![], vec!["leads"], vec![CONTACTS, "leads"]] {
            let objects = objects.into_iter().map(ObjectName::new).collect();
            let error = settings("try", &Address { objects, ..address() }).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
        }
    }
}
