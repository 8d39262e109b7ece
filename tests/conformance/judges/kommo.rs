//! Kommo, against its emulator.

use std::collections::BTreeMap;
use std::sync::Arc;

use concord::connectors::kommo::emulator::{self, Emulator, FaultKind, Options};
use concord::connectors::{Credentials, Overrides};
use concord::ports::{Clock, ManualClock, SystemClock};
use concord::record::{FieldId, RemoteId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::{Door, connect, connect_error, listen, serve};
use crate::house::{BoxedConnect, BoxedHouse, Fault, House, Judge, Person, Post, Subject};

struct KommoJudge {
    app: Emulator,
    address: String,
    clock: Arc<dyn Clock>,
    door: Door,
    birthday: u64,
}

const USER: &str = "eva@kommo.example";
/// Far from UTC, so that a day is not the same there.
const ZONE: &str = "Pacific/Auckland";
const BROKEN: &str = include_str!("../../../src/connectors/kommo/fixtures/problem_500.json");
const REFUSAL: &str =
    r#"{"title":"Bad Request","status":400,"detail":"Request validation failed"}"#;

pub fn subject() -> Subject {
    Subject { name: "kommo", start: || Box::pin(start(false)) }
}

/// Strict: in real time, with the vendor's limit, at the connector's own pace.
async fn start(is_strict: bool) -> House {
    let manual = Arc::new(ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
    let clock: Arc<dyn Clock> = if is_strict { Arc::new(SystemClock) } else { manual.clone() };
    let (listener, address) = listen().await;
    let mut options = Options::new(clock.clone());
    options.base_url.clone_from(&address);
    options.time_zone = Some(ZONE.to_owned());
    if !is_strict {
        options.requests_per_second = None;
    }
    let app = Emulator::new(options);
    app.add_user("Eva", USER);
    let birthday = app.person_adds_field(json!({"name": "Birthday", "type": "birthday"}));
    let door = Door::new(REFUSAL);
    serve(listener, door.before(app.router())).await;
    let mut overrides = Overrides::default().with_address("kommo", &address);
    if !is_strict {
        overrides = overrides.with_rate("kommo", 10_000);
    }
    let typed = Credentials::default().with("host", "acme").with("token", &app.token());
    let connected = connect(clock.clone(), overrides, "kommo", &typed, "contacts").await;
    House {
        connector: connected.connector,
        app: concord::connectors::app("kommo"),
        judge: Arc::new(KommoJudge { app, address, clock, door, birthday }),
        schema: connected.schema,
        object: connected.object,
        clock: manual,
        user: Some(USER.to_owned()),
    }
}

fn number(id: &RemoteId) -> u64 {
    id.as_str().parse().unwrap()
}

impl KommoJudge {
    /// The values that somebody has in a custom field.
    fn values(&self, id: &RemoteId, is_it: impl Fn(&Json) -> bool) -> Vec<Json> {
        let contacts = self.app.contacts();
        let contact = contacts.iter().find(|c| c["id"] == json!(number(id))).unwrap();
        let fields = contact["custom_fields_values"].as_array();
        let field = fields.into_iter().flatten().find(|field| is_it(field));
        field.and_then(|field| field["values"].as_array().cloned()).unwrap_or_default()
    }
}

impl Judge for KommoJudge {
    fn add(&self, person: &Person) -> RemoteId {
        let mut custom = Vec::new();
        if !person.email.is_empty() {
            custom.push(json!({"field_code": "EMAIL", "values": [{"value": person.email, "enum_code": "WORK"}]}));
        }
        if !person.title.is_empty() {
            custom.push(json!({"field_code": "POSITION", "values": [{"value": person.title}]}));
        }
        let phones: Vec<Json> = person
            .phones
            .iter()
            .map(|(label, phone)| {
                let code = if *label == "mobile" { "MOB" } else { "WORK" };
                json!({"value": phone, "enum_code": code})
            })
            .collect();
        if !phones.is_empty() {
            custom.push(json!({"field_code": "PHONE", "values": phones}));
        }
        let tags: Vec<Json> = person.tags.iter().map(|tag| json!({"name": tag})).collect();
        let id = self.app.person_adds(json!({
            "first_name": person.first,
            "last_name": person.last,
            "name": format!("{} {}", person.first, person.last),
            "custom_fields_values": custom,
            "_embedded": {"tags": tags},
        }));
        RemoteId::new(id.to_string())
    }

    fn retitle(&self, id: &RemoteId, title: &str) {
        let values = json!([{"field_code": "POSITION", "values": [{"value": title}]}]);
        assert!(self.app.person_edits(number(id), json!({ "custom_fields_values": values })));
    }

    fn tag(&self, id: &RemoteId, tag: &str) {
        assert!(self.app.person_edits(number(id), json!({"tags_to_add": [{"name": tag}]})));
    }

    fn remove(&self, id: &RemoteId) {
        assert!(self.app.person_deletes(number(id)));
    }

    fn raw(&self, id: &RemoteId) -> BTreeMap<String, Json> {
        let contacts = self.app.contacts();
        let contact = contacts.iter().find(|c| c["id"] == json!(number(id))).unwrap();
        let mut raw = BTreeMap::new();
        for (key, value) in contact.as_object().unwrap() {
            match key.as_str() {
                "updated_at" | "updated_by" => {}
                "custom_fields_values" => {
                    for field in value.as_array().into_iter().flatten() {
                        raw.insert(format!("field {}", field["field_id"]), field.clone());
                    }
                }
                _ => {
                    raw.insert(key.clone(), value.clone());
                }
            }
        }
        raw
    }

    fn count(&self) -> usize {
        self.app.contacts().len()
    }

    fn order(&self, fault: Fault) -> bool {
        let status = |status, body: String, retry_after| FaultKind::Status {
            status,
            body,
            content_type: "application/json",
            retry_after,
        };
        let kind = match fault {
            Fault::TooMany { seconds } => status(429, "{}".to_owned(), Some(seconds)),
            Fault::Broken => status(500, BROKEN.to_owned(), None),
            Fault::LostBefore => FaultKind::LostBefore,
            Fault::LostAfter => FaultKind::LostAfter,
            Fault::Endless => status(200, "x".repeat(2 * 1024 * 1024), None),
        };
        self.app.order(emulator::Fault { method: None, path: None, after: 0, times: 1, kind });
        true
    }

    fn requests(&self) -> Option<usize> {
        let requests = self.app.requests();
        Some(requests.iter().filter(|request| !request.path.starts_with("/oauth2")).count())
    }

    fn refused_for_rate(&self) -> usize {
        self.app.requests().iter().filter(|request| request.status == 429).count()
    }

    fn revoke(&self) -> bool {
        self.app.revoke_token(&self.app.token());
        true
    }

    fn strict(&self) -> Option<BoxedHouse> {
        Some(Box::pin(start(true)))
    }

    fn connect_wrongly(&self) -> Option<BoxedConnect> {
        let (head, rest) =
            self.app.token().split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let typed = Credentials::default()
            .with("host", "acme")
            .with("token", &format!("{head}.{claims}.forged"));
        let overrides = Overrides::default().with_address("kommo", &self.address);
        Some(Box::pin(connect_error(self.clock.clone(), overrides, "kommo", typed)))
    }

    fn take_posts(&self) -> Option<Vec<Post>> {
        let due = self.app.due_deliveries().into_iter();
        let posts = due.map(|delivery| {
            self.app.answered(delivery.id, Some(204));
            Post {
                url: delivery.url,
                content_type: delivery.content_type.to_owned(),
                body: delivery.body.into_bytes(),
            }
        });
        Some(posts.collect())
    }

    /// More than a hundred wrong answers within two hours are too many.
    fn give_up_posting(&self) -> bool {
        for n in 0..=100 {
            self.add(&Person::number(n));
            for delivery in self.app.due_deliveries() {
                self.app.answered(delivery.id, Some(500));
            }
        }
        true
    }

    fn add_phone(&self, id: &RemoteId, phone: &str) -> bool {
        let mut phones = self.values(id, |field| field["field_code"] == json!("PHONE"));
        phones.push(json!({"value": phone, "enum_code": "OTHER"}));
        let values = json!([{"field_code": "PHONE", "values": phones}]);
        self.app.person_edits(number(id), json!({ "custom_fields_values": values }))
    }

    fn birthday(&self, id: &RemoteId) -> Option<String> {
        let values = self.values(id, |field| field["field_id"] == json!(self.birthday));
        let at = Timestamp::from_second(values.first()?["value"].as_i64()?).unwrap();
        Some(TimeZone::get(ZONE).unwrap().to_datetime(at).date().to_string())
    }

    fn add_field(&self) -> Option<FieldId> {
        let id = self.app.person_adds_field(json!({"name": "Town", "type": "text"}));
        Some(FieldId::new(format!("cf_{id}")))
    }

    fn remove_field(&self, field: &FieldId) {
        let id = field.as_str().trim_start_matches("cf_").parse().unwrap();
        assert!(self.app.person_removes_field(id));
    }

    fn refuse_requests_with(&self, words: &str) -> bool {
        self.door.refuse(words);
        true
    }

    fn writes(&self) -> usize {
        self.door.writes()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.app.token()]
    }
}
