//! Zoho CRM, against its emulator.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use concord::connectors::zoho::emulator::{
    self, CLIENT_ID, CLIENT_SECRET, Emulator, FaultKind, Options,
};
use concord::connectors::{Credentials, Overrides};
use concord::ports::{Clock, ManualClock, SystemClock};
use concord::record::{RecordName, RemoteId};
use serde_json::{Value as Json, json};

use super::{Door, connect, connect_error, listen, serve};
use crate::house::{BoxedConnect, BoxedHouse, Fault, Files, House, Judge, Person, Post, Subject};

struct ZohoJudge {
    app: Emulator,
    object: &'static str,
    address: String,
    clock: Arc<dyn Clock>,
    door: Door,
}

const USER: &str = "eva@zoho.example";
const TOO_MANY: &str =
    include_str!("../../../src/connectors/zoho/fixtures/error_too_many_requests.json");
const FAILED: &str = r#"{"data":[{"id":"1","operation":"read","state":"FAILURE"}]}"#;
const REFUSAL: &str =
    r#"{"code":"UNABLE_TO_PARSE_DATA_TYPE","details":{},"message":"","status":"error"}"#;

pub fn contacts() -> Subject {
    Subject { name: "zoho", start: || Box::pin(start("Contacts", false, |_| {})) }
}

pub fn leads() -> Subject {
    Subject { name: "zoho leads", start: || Box::pin(start("Leads", false, |_| {})) }
}

fn typed(refresh_token: &str) -> Credentials {
    Credentials::default()
        .with("data_centre", "eu")
        .with("client_id", CLIENT_ID)
        .with("client_secret", CLIENT_SECRET)
        .with("refresh_token", refresh_token)
}

fn overrides(address: &str) -> Overrides {
    Overrides::default().with_address("zoho", address).with_address("zoho_accounts", address)
}

/// Strict: in real time, at the connector's own pace.
async fn start(
    object: &'static str,
    is_strict: bool,
    change: impl FnOnce(&mut Options) + Send,
) -> House {
    let manual = Arc::new(ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
    let clock: Arc<dyn Clock> = if is_strict { Arc::new(SystemClock) } else { manual.clone() };
    let (listener, address) = listen().await;
    let mut options = Options::new(clock.clone());
    options.base_url.clone_from(&address);
    change(&mut options);
    let app = Emulator::new(options);
    app.add_user("Eva", USER);
    let door = Door::new(REFUSAL);
    serve(listener, door.before(app.router())).await;
    let mut overrides = overrides(&address);
    if !is_strict {
        overrides = overrides.with_rate("zoho", 10_000);
    }
    let typed = typed(&app.refresh_token());
    let connected = connect(clock.clone(), overrides, "zoho", &typed, object).await;
    House {
        connector: connected.connector,
        app: concord::connectors::app("zoho"),
        judge: Arc::new(ZohoJudge { app, object, address, clock, door }),
        schema: connected.schema,
        object: connected.object,
        clock: manual,
        user: Some(USER.to_owned()),
    }
}

impl ZohoJudge {
    fn is_of_leads(&self) -> bool {
        self.object == "Leads"
    }

    fn title(&self) -> &'static str {
        if self.is_of_leads() { "Designation" } else { "Title" }
    }

    fn all(&self) -> Vec<Json> {
        if self.is_of_leads() { self.app.leads() } else { self.app.contacts() }
    }

    fn whole(&self, id: &RemoteId) -> Json {
        self.all().into_iter().find(|record| record["id"] == json!(id.as_str())).unwrap()
    }
}

impl Judge for ZohoJudge {
    fn add(&self, person: &Person) -> RemoteId {
        let mut record = json!({
            "First_Name": person.first,
            "Last_Name": person.last,
            "Email": person.email,
        });
        if !person.title.is_empty() {
            record[self.title()] = json!(person.title);
        }
        for (label, phone) in &person.phones {
            record[if *label == "mobile" { "Mobile" } else { "Phone" }] = json!(phone);
        }
        if !person.tags.is_empty() {
            record["Tag"] = person.tags.iter().map(|tag| json!({"name": tag})).collect();
        }
        RemoteId::new(if self.is_of_leads() {
            self.app.person_adds_lead(record)
        } else {
            self.app.person_adds(record)
        })
    }

    fn retitle(&self, id: &RemoteId, title: &str) {
        assert!(self.app.person_edits(id.as_str(), json!({ self.title(): title })));
    }

    fn tag(&self, id: &RemoteId, tag: &str) {
        let raw = self.raw(id);
        let mut tags: Vec<Json> = raw["Tag"].as_array().cloned().unwrap_or_default();
        tags.push(json!({ "name": tag }));
        assert!(self.app.person_edits(id.as_str(), json!({ "Tag": tags })));
    }

    fn remove(&self, id: &RemoteId) {
        assert!(self.app.person_deletes(id.as_str()));
    }

    fn raw(&self, id: &RemoteId) -> BTreeMap<String, Json> {
        let by_itself = |key: &str| {
            key.starts_with("Modified_")
                || key.starts_with('$')
                || key.ends_with("Time__s")
                || key == "Last_Activity_Time"
        };
        let Json::Object(record) = self.whole(id) else { panic!("no record: {id}") };
        record.into_iter().filter(|(key, _)| !by_itself(key)).collect()
    }

    fn count(&self) -> usize {
        self.all().len()
    }

    fn order(&self, fault: Fault) -> bool {
        let status = |status, body: String, retry_after| FaultKind::Status {
            status,
            body,
            content_type: "application/json",
            retry_after,
        };
        let kind = match fault {
            Fault::TooMany { seconds } => {
                let mut body: Json = serde_json::from_str(TOO_MANY).unwrap();
                body["details"]["retry_after"] = json!(seconds);
                status(429, body.to_string(), None)
            }
            Fault::Broken => status(502, "<html>".to_owned(), None),
            Fault::LostBefore => FaultKind::LostBefore,
            Fault::LostAfter => FaultKind::LostAfter,
            Fault::Endless => status(200, "x".repeat(2 * 1024 * 1024), None),
        };
        let path = Some("/crm".to_owned());
        self.app.order(emulator::Fault { method: None, path, after: 0, times: 1, kind });
        true
    }

    fn requests(&self) -> Option<usize> {
        let requests = self.app.requests();
        Some(requests.iter().filter(|request| request.path.starts_with("/crm")).count())
    }

    fn credits(&self) -> Option<u64> {
        Some(self.app.credits_used())
    }

    fn token_requests(&self) -> usize {
        let requests = self.app.requests();
        requests.iter().filter(|request| request.path.starts_with("/oauth")).count()
    }

    fn refused_for_rate(&self) -> usize {
        self.app.requests().iter().filter(|request| request.status == 429).count()
    }

    fn expire_keys(&self) -> bool {
        self.app.expire_access_tokens();
        true
    }

    fn revoke(&self) -> bool {
        self.app.revoke_refresh_token();
        self.app.expire_access_tokens();
        true
    }

    fn strict(&self) -> Option<BoxedHouse> {
        Some(Box::pin(start(self.object, true, |options| options.concurrency = 5)))
    }

    fn refusing_beyond(&self, records: usize) -> Option<BoxedHouse> {
        Some(Box::pin(start(self.object, false, move |options| {
            options.page_token_records = records
        })))
    }

    fn with_files(&self, files: Files) -> Option<BoxedHouse> {
        let object = self.object;
        Some(Box::pin(async move {
            let house = start(object, false, |options| {
                options.bulk_takes = Duration::ZERO;
                match files {
                    Files::Slow => options.bulk_takes = Duration::from_secs(60),
                    Files::Forbidden => {
                        options.scopes = options.scopes.replace("ZohoCRM.bulk.READ,", "")
                    }
                    Files::Several => options.bulk_page = 10_000,
                    Files::Torn => options.bulk_rows_lost = 1,
                    Files::Unlike(cell) => options.bulk_cell = cell,
                    Files::WithThoseWhoLeft => options.bulk_has_converted = true,
                    Files::Right | Files::Failing | Files::Broken => {}
                }
            });
            let house = house.await;
            match files {
                Files::Failing => house.judge.answer_files(FAILED, 0),
                Files::Broken => house.judge.answer_files("<html>", 1),
                _ => {}
            }
            house
        }))
    }

    fn answer_files(&self, body: &str, after: u32) {
        let body = body.to_owned();
        let kind = FaultKind::Status {
            status: 200,
            body,
            content_type: "application/json",
            retry_after: None,
        };
        let (method, path) = (Some("GET".to_owned()), Some("/crm/bulk/v8/read/".to_owned()));
        self.app.order(emulator::Fault { method, path, after, times: 1, kind });
    }

    fn sets_off_workflows(&self, id: &RemoteId) -> Option<bool> {
        // Left out, everything is set off.
        Some(self.whole(id)["$trigger"] != json!([]))
    }

    fn connect_wrongly(&self) -> Option<BoxedConnect> {
        let typed = typed("1000.not.it");
        Some(Box::pin(connect_error(self.clock.clone(), overrides(&self.address), "zoho", typed)))
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

    fn forget_at_renewal(&self) -> bool {
        let outcome =
            json!({"code": "NOT_SUBSCRIBED", "details": {}, "message": "", "status": "error"});
        let kind = FaultKind::Status {
            status: 400,
            body: json!({ "watch": [outcome] }).to_string(),
            content_type: "application/json",
            retry_after: None,
        };
        let (method, path) = (Some("PUT".to_owned()), Some("/crm/v8/actions/watch".to_owned()));
        self.app.order(emulator::Fault { method, path, after: 0, times: 1, kind });
        true
    }

    fn converts(&self, id: &RemoteId) -> Option<RecordName> {
        let contact = self.app.person_converts(id.as_str()).filter(|_| self.is_of_leads())?;
        Some(RecordName { object: "Contacts".into(), id: RemoteId::new(contact) })
    }

    fn add_phone(&self, id: &RemoteId, phone: &str) -> bool {
        // Leads have no third number.
        !self.is_of_leads() && self.app.person_edits(id.as_str(), json!({ "Other_Phone": phone }))
    }

    fn birthday(&self, id: &RemoteId) -> Option<String> {
        Some(self.raw(id).get("Date_of_Birth")?.as_str()?.to_owned())
    }

    fn refuse_requests_with(&self, words: &str) -> bool {
        self.door.refuse(words);
        true
    }

    fn writes(&self) -> usize {
        self.door.writes()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.app.refresh_token(), CLIENT_SECRET.to_owned()]
    }
}
