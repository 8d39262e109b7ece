//! The emulated Kommo account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use concord::connectors::kommo::emulator::{
    CLIENT_ID, CLIENT_SECRET, Delivery, Emulator, Fault, FaultKind, Options,
};
use concord::ports::ManualClock;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const START: i64 = 1_786_000_000;
const HOOK: &str = "https://sync.example.com/hooks/kommo/SECRET";

struct House {
    emulator: Emulator,
    clock: Arc<ManualClock>,
    base: String,
    client: reqwest::Client,
}

struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn rows(&self, name: &str) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["_embedded"][name].as_array().unwrap().clone()
    }

    fn ids(&self, name: &str) -> Vec<u64> {
        self.rows(name).iter().map(|row| row["id"].as_u64().unwrap()).collect()
    }

    /// The one flaw of the one item that is named.
    fn flaw(&self) -> (String, String) {
        assert_eq!(self.status, 400, "{}", self.text);
        let flaw = &self.json()["validation-errors"][0]["errors"][0];
        (flaw["code"].as_str().unwrap().to_owned(), flaw["path"].as_str().unwrap().to_owned())
    }
}

impl House {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    #[expect(clippy::disallowed_methods, reason = "the server ends with its test")]
    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(START).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut options = Options::new(clock.clone());
        options.requests_per_second = None;
        options.base_url = base.clone();
        change(&mut options);
        let emulator = Emulator::new(options);
        let router = emulator.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        // Another test may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { emulator, clock, base, client }
    }

    async fn send(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: String,
    ) -> Result<Reply, reqwest::Error> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base));
        let response = request.bearer_auth(token).body(body).send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        Ok(Reply { status, headers, text: response.text().await? })
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/api/v4/{path}");
        self.send(&self.emulator.token(), method, &path, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, body).await
    }

    async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call("PATCH", path, body).await
    }

    /// Makes a contact by the API.
    async fn create(&self, contact: Value) -> u64 {
        self.post("contacts", json!([contact])).await.ids("contacts")[0]
    }

    /// Changes a contact by the API, which is to succeed.
    async fn change(&self, id: u64, patch: Value) {
        let reply = self.patch(&format!("contacts/{id}"), patch).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    async fn read(&self, id: u64) -> Value {
        self.get(&format!("contacts/{id}")).await.json()
    }

    /// The values of a contact's field, by the field's code or name.
    async fn values(&self, id: u64, field: &str) -> Value {
        let contact = self.read(id).await;
        let fields = contact["custom_fields_values"].as_array().cloned().unwrap_or_default();
        let found = fields.iter().find(|f| f["field_code"] == field || f["field_name"] == field);
        found.map_or(Value::Null, |found| found["values"].clone())
    }

    async fn tags(&self, id: u64) -> Vec<String> {
        let contact = self.read(id).await;
        let tags = contact["_embedded"]["tags"].as_array().unwrap();
        tags.iter().map(|tag| tag["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn ask_token(&self, body: String) -> Reply {
        self.send("", "POST", "/oauth2/access_token", body).await.unwrap()
    }

    async fn subscribe(&self, settings: &[&str]) {
        let body = json!({ "destination": HOOK, "settings": settings, "sort": 10 });
        assert_eq!(self.post("webhooks", body).await.status, 201);
    }

    /// The one delivery that is due.
    fn delivery(&self) -> Delivery {
        let mut due = self.emulator.due_deliveries();
        assert_eq!(due.len(), 1, "{due:?}");
        due.remove(0)
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

fn phone(number: &str) -> Value {
    json!({ "custom_fields_values": [{ "field_code": "PHONE", "values": [{ "value": number }] }] })
}

fn form(delivery: &Delivery) -> BTreeMap<String, String> {
    assert_eq!(delivery.content_type, "application/x-www-form-urlencoded");
    form_urlencoded::parse(delivery.body.as_bytes()).into_owned().collect()
}

fn by_code(code: &str) -> Value {
    json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "https://x/cb",
    })
}

fn by_refresh(token: &Value) -> Value {
    json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "grant_type": "refresh_token",
        "refresh_token": token,
        "redirect_uri": "https://x/cb",
    })
}

fn fault(kind: FaultKind) -> Fault {
    Fault { method: None, path: None, after: 0, times: 1, kind }
}

// Reading.

#[tokio::test]
async fn an_empty_list_and_an_unknown_contact_are_204_without_a_body() {
    let house = House::open().await;
    let empty = [
        "contacts",
        "contacts/1",
        "contacts/tags",
        "contacts?page=9",
        "companies",
        "companies/custom_fields",
        "leads",
        "events",
        "webhooks",
        "users/1",
    ];
    for path in empty {
        let reply = house.get(path).await;
        assert_eq!((reply.status, reply.text.as_str()), (204, ""), "{path}");
        assert!(!reply.headers.contains_key("content-type"), "{path}");
    }
}

#[tokio::test]
async fn pages_are_followed_until_one_has_no_next() {
    let house = House::open().await;
    let ids: Vec<u64> = (0..5).map(|n| house.emulator.person_adds(named(&n.to_string()))).collect();
    let mut seen = Vec::new();
    let mut next = format!("{}/api/v4/contacts?limit=2", house.base);
    let mut pages = 0;
    loop {
        let path = next.strip_prefix(&house.base).unwrap().to_owned();
        let token = house.emulator.token();
        let page = house.send(&token, "GET", &path, String::new()).await.unwrap();
        seen.extend(page.ids("contacts"));
        pages += 1;
        match page.json()["_links"]["next"]["href"].as_str() {
            Some(href) => next = href.to_owned(),
            None => break,
        }
    }
    assert_eq!((seen, pages), (ids, 3));
    assert_eq!(house.get("contacts?limit=2&page=4").await.status, 204);
    let body = house.get("contacts?limit=2").await.json();
    assert_eq!(body["_page"], 1);
    assert!(body.get("_total_items").is_none(), "lists of contacts are not counted");
}

#[tokio::test]
async fn a_page_has_50_rows_unless_told_otherwise_and_never_more_than_250() {
    let house = House::open().await;
    for n in 0..260 {
        house.emulator.person_adds(named(&n.to_string()));
    }
    assert_eq!(house.get("contacts").await.ids("contacts").len(), 50);
    assert_eq!(house.get("contacts?limit=250").await.ids("contacts").len(), 250);
    assert_eq!(house.get("contacts?limit=500").await.ids("contacts").len(), 250);
}

#[tokio::test]
async fn custom_fields_come_by_50_too_and_are_counted() {
    let house = House::open().await;
    for n in 0..60 {
        house.emulator.person_adds_field(json!({ "name": n.to_string(), "type": "text" }));
    }
    let first = house.get("contacts/custom_fields").await;
    assert_eq!(first.ids("custom_fields").len(), 50);
    let body = first.json();
    assert_eq!((body["_total_items"].as_u64(), body["_page_count"].as_u64()), (Some(63), Some(2)));
    assert!(body["_links"]["last"]["href"].as_str().unwrap().contains("page=2"));
    let second = house.get("contacts/custom_fields?page=2").await;
    assert_eq!(second.ids("custom_fields").len(), 13);
    assert!(second.json()["_links"]["next"].is_null());
}

#[tokio::test]
async fn what_changed_since_a_second_is_read_in_order_with_that_second() {
    let house = House::open().await;
    let old = house.create(named("old")).await;
    house.wait(10);
    let first = house.create(named("first")).await;
    let second = house.create(named("second")).await;
    house.wait(10);
    house.change(first, named("changed")).await;
    let plain = format!("contacts?filter[updated_at][from]={}&order[updated_at]=asc", START + 10);
    assert_eq!(house.get(&plain).await.ids("contacts"), [second, first]);
    let encoded = plain.replace('[', "%5B").replace(']', "%5D");
    assert_eq!(house.get(&encoded).await.ids("contacts"), [second, first]);
    let until = format!("contacts?filter[updated_at][to]={}", START + 9);
    assert_eq!(house.get(&until).await.ids("contacts"), [old]);
    let descending = house.get("contacts?order[updated_at]=desc").await;
    assert_eq!(descending.ids("contacts"), [first, second, old]);
    let since = format!("contacts?filter[created_at][from]={}", START + 1);
    assert_eq!(house.get(&since).await.ids("contacts"), [first, second]);
}

#[tokio::test]
async fn a_list_of_ids_is_taken_in_every_notation() {
    let house = House::open().await;
    let a = house.create(named("a")).await;
    let b = house.create(named("b")).await;
    house.create(named("c")).await;
    for query in [
        format!("filter[id][]={a}&filter[id][]={b}"),
        format!("filter[id][0]={a}&filter[id][1]={b}"),
        format!("filter%5Bid%5D%5B%5D={a}&filter%5Bid%5D%5B%5D={b}"),
    ] {
        assert_eq!(house.get(&format!("contacts?{query}")).await.ids("contacts"), [a, b]);
    }
    assert_eq!(house.get(&format!("contacts?filter[id]={b}")).await.ids("contacts"), [b]);
    assert_eq!(house.get("contacts?filter[name][]=b").await.ids("contacts"), [b]);
}

#[tokio::test]
async fn an_account_may_ignore_all_filters_but_the_search() {
    let house = House::with(|options| options.filters_ignored = true).await;
    let a = house.create(named("Ana")).await;
    let b = house.create(named("Berta")).await;
    let filtered = format!("contacts?filter[id][]={a}&filter[updated_at][from]={}", START + 999);
    assert_eq!(house.get(&filtered).await.ids("contacts"), [a, b]);
    assert_eq!(house.get("contacts?query=bert").await.ids("contacts"), [b]);
    let account = house.get("account?with=is_api_filter_enabled").await.json();
    assert_eq!(account["is_api_filter_enabled"], false);
}

#[tokio::test]
async fn the_search_looks_into_names_phones_and_addresses() {
    let house = House::open().await;
    let id = house
        .create(json!({ "first_name": "Ana", "last_name": "Diaz", "custom_fields_values": [
            { "field_code": "PHONE", "values": [{ "value": "+15551234567" }] },
            { "field_code": "EMAIL", "values": [{ "value": "ana@example.com" }] },
            { "field_code": "POSITION", "values": [{ "value": "Directora" }] },
        ] }))
        .await;
    house.create(named("Berta")).await;
    for needle in ["ana", "DIAZ", "15551234567", "%2B1555", "ana%40example.com", "direct"] {
        let found = house.get(&format!("contacts?query={needle}")).await;
        assert_eq!(found.ids("contacts"), [id], "{needle}");
    }
    assert_eq!(house.get("contacts?query=nobody").await.status, 204);
}

#[tokio::test]
async fn the_search_lags_behind_a_write_and_a_read_does_not() {
    let house = House::with(|options| options.search_lag = Duration::from_secs(30)).await;
    let id = house.create(named("Ana")).await;
    assert_eq!(house.get("contacts?query=ana").await.status, 204);
    assert_eq!(house.get("contacts").await.ids("contacts"), [id]);
    house.wait(30);
    assert_eq!(house.get("contacts?query=ana").await.ids("contacts"), [id]);
    house.change(id, named("Eva")).await;
    assert_eq!(house.get("contacts?query=ana").await.ids("contacts"), [id], "the old one is known");
    assert_eq!(house.get("contacts?query=eva").await.status, 204);
    house.wait(30);
    assert_eq!(house.get("contacts?query=ana").await.status, 204);
    assert_eq!(house.get("contacts?query=eva").await.ids("contacts"), [id]);
}

// Writing.

#[tokio::test]
async fn creating_twice_makes_two_and_answers_without_the_entity() {
    let house = House::open().await;
    let items = json!([{ "name": "Ana", "request_id": "x" }, { "name": "Ana" }]);
    let reply = house.post("contacts", items).await;
    let rows = reply.rows("contacts");
    assert_eq!((&rows[0]["request_id"], &rows[1]["request_id"]), (&json!("x"), &json!("1")));
    assert_ne!(rows[0]["id"], rows[1]["id"]);
    assert!(rows[0].get("name").is_none());
    assert_eq!(reply.headers["content-type"], "application/hal+json");
    assert_eq!(house.emulator.contacts().len(), 2);
}

#[tokio::test]
async fn an_update_answers_with_its_time_alone_or_in_the_envelope() {
    let house = House::open().await;
    let id = house.create(named("Ana")).await;
    house.wait(5);
    let one = house.patch(&format!("contacts/{id}"), named("Eva")).await.json();
    assert_eq!((one["name"].as_str(), one["updated_at"].as_i64()), (Some("Eva"), Some(START + 5)));
    let many = house.patch("contacts", json!([{ "id": id, "name": "Ida" }])).await;
    assert_eq!(many.rows("contacts")[0]["name"], "Ida");
}

#[tokio::test]
async fn the_three_names_do_not_follow_each_other() {
    let house = House::open().await;
    let id = house.create(json!({ "first_name": "Ana", "last_name": "Diaz" })).await;
    assert_eq!(house.read(id).await["name"], "Ana Diaz", "made once, where it is missing");
    house.change(id, json!({ "first_name": "Eva" })).await;
    let contact = house.read(id).await;
    assert_eq!((&contact["name"], &contact["first_name"]), (&json!("Ana Diaz"), &json!("Eva")));
    house.change(id, named("Somebody Else")).await;
    let contact = house.read(id).await;
    assert_eq!((&contact["first_name"], &contact["last_name"]), (&json!("Eva"), &json!("Diaz")));
}

#[tokio::test]
async fn a_phone_that_is_sent_replaces_all_phones() {
    let house = House::open().await;
    let both =
        json!([{ "value": "+1", "enum_code": "WORK" }, { "value": "+2", "enum_code": "MOB" }]);
    let contact = json!({ "custom_fields_values": [
        { "field_code": "PHONE", "values": both },
        { "field_code": "EMAIL", "values": [{ "value": "ana@example.com" }] },
    ] });
    let id = house.create(contact).await;
    assert_eq!(house.values(id, "PHONE").await.as_array().unwrap().len(), 2);
    house.change(id, phone("+3")).await;
    let phones = house.values(id, "PHONE").await;
    assert_eq!((phones.as_array().unwrap().len(), phones[0]["value"].as_str()), (1, Some("+3")));
    let emails = house.values(id, "EMAIL").await;
    assert_eq!(emails[0]["value"], "ana@example.com", "what is not sent is not touched");
}

#[tokio::test]
async fn a_field_is_cleared_by_null_by_nothing_and_by_an_empty_text() {
    let house = House::open().await;
    for empty in [json!(null), json!([]), json!([{ "value": "" }])] {
        let id = house.create(phone("+1")).await;
        let patch = json!({ "custom_fields_values": [{ "field_code": "PHONE", "values": empty }] });
        house.change(id, patch).await;
        assert_eq!(house.read(id).await["custom_fields_values"], Value::Null);
    }
}

#[tokio::test]
async fn a_phone_has_a_label_by_code_or_by_id_and_work_without_one() {
    let house = House::open().await;
    let fields = house.get("contacts/custom_fields").await.rows("custom_fields");
    let labels = fields.iter().find(|field| field["code"] == "PHONE").unwrap()["enums"].clone();
    let mobile = labels.as_array().unwrap().iter().find(|label| label["value"] == "MOB").unwrap();
    let values = json!([
        { "value": "+1" },
        { "value": "+2", "enum_code": "HOME" },
        { "value": "+3", "enum_id": mobile["id"] },
        { "value": "+4", "enum": "FAX" },
    ]);
    let id = house
        .create(json!({ "custom_fields_values": [{ "field_code": "PHONE", "values": values }] }))
        .await;
    let phones = house.values(id, "PHONE").await;
    let codes: Vec<&str> =
        phones.as_array().unwrap().iter().map(|p| p["enum_code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["WORK", "HOME", "MOB", "FAX"]);
    assert_eq!(phones[2]["enum_id"], mobile["id"]);
    let wrong = json!([{ "custom_fields_values": [
        { "field_code": "PHONE", "values": [{ "value": "+1", "enum_code": "BOAT" }] },
    ] }]);
    let (code, path) = house.post("contacts", wrong).await.flaw();
    assert_eq!(code, "NotSupportedChoice");
    assert_eq!(path, "custom_fields_values.0.values.0.enum_code");
}

#[tokio::test]
async fn a_choice_is_made_by_its_text_its_id_or_its_code() {
    let house = House::open().await;
    let enums = json!([{ "value": "Oro", "code": "gold" }, { "value": "Plata" }]);
    let field = json!([{ "name": "Nivel", "type": "select", "enums": enums, "request_id": "7" }]);
    let made = house.post("contacts/custom_fields", field).await;
    assert_eq!(made.status, 201);
    let made = made.json()["_embedded"]["custom_fields"][0].clone();
    assert_eq!(made["request_id"], "7");
    let (field, gold) = (&made["id"], &made["enums"][0]["id"]);
    for value in
        [json!({ "value": "Oro" }), json!({ "enum_id": gold }), json!({ "enum_code": "gold" })]
    {
        let values = json!([{ "field_id": field, "values": [value] }]);
        let id = house.create(json!({ "custom_fields_values": values })).await;
        let all = json!([{ "value": "Oro", "enum_id": gold, "enum_code": "gold" }]);
        assert_eq!(house.values(id, "Nivel").await, all);
    }
    for (value, key) in
        [(json!({ "value": "Bronce" }), "value"), (json!({ "enum_id": 1 }), "enum_id")]
    {
        let values = json!([{ "field_id": field, "values": [value] }]);
        let reply = house.post("contacts", json!([{ "custom_fields_values": values }])).await;
        let path = format!("custom_fields_values.0.values.0.{key}");
        assert_eq!(reply.flaw(), ("NotSupportedChoice".to_owned(), path));
    }
}

#[tokio::test]
async fn numbers_are_read_back_as_texts_and_dates_as_seconds() {
    let house = House::open().await;
    let add = |name: &str, kind: &str| {
        house.emulator.person_adds_field(json!({ "name": name, "type": kind }))
    };
    let (size, opt_out, born) =
        (add("Talla", "numeric"), add("Baja", "checkbox"), add("Nacimiento", "birthday"));
    let id = house
        .create(json!({ "custom_fields_values": [
            { "field_id": size, "values": [{ "value": 42 }] },
            { "field_id": opt_out, "values": [{ "value": true }] },
            { "field_id": born, "values": [{ "value": "1990-05-01T00:00:00Z" }] },
        ] }))
        .await;
    assert_eq!(house.values(id, "Talla").await, json!([{ "value": "42" }]));
    assert_eq!(house.values(id, "Baja").await, json!([{ "value": true }]));
    assert_eq!(house.values(id, "Nacimiento").await, json!([{ "value": 641_520_000 }]));
    let wrong = json!([{ "field_id": opt_out, "values": [{ "value": "yes" }] }]);
    let reply = house.post("contacts", json!([{ "custom_fields_values": wrong }])).await;
    assert_eq!(reply.flaw().0, "InvalidType");
}

#[tokio::test]
async fn field_names_are_in_the_language_of_the_account_and_codes_are_not() {
    let house = House::open().await;
    let fields = house.get("contacts/custom_fields").await.rows("custom_fields");
    let phone = fields.iter().find(|field| field["code"] == "PHONE").unwrap();
    assert_eq!((&phone["name"], &phone["type"]), (&json!("Teléfono"), &json!("multitext")));
    let codes: Vec<&str> = fields.iter().map(|field| field["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["PHONE", "EMAIL", "POSITION"]);
    assert_eq!(fields[2]["enums"], Value::Null);
}

#[tokio::test]
async fn embedded_tags_replace_the_whole_set() {
    let house = House::open().await;
    let id =
        house.create(json!({ "_embedded": { "tags": [{ "name": "a" }, { "name": "b" }] } })).await;
    assert_eq!(house.tags(id).await, ["a", "b"]);
    house.change(id, named("Ana")).await;
    assert_eq!(house.tags(id).await, ["a", "b"], "no tags, no change");
    house.change(id, json!({ "_embedded": { "tags": [{ "name": "c" }] } })).await;
    assert_eq!(house.tags(id).await, ["c"]);
    house.change(id, json!({ "_embedded": { "tags": null } })).await;
    assert!(house.tags(id).await.is_empty());
}

#[tokio::test]
async fn tags_to_add_and_to_delete_leave_the_others() {
    let house = House::open().await;
    let id = house.create(json!({ "tags_to_add": [{ "name": "a" }, { "name": "b" }] })).await;
    let a = house.read(id).await["_embedded"]["tags"][0]["id"].clone();
    house
        .change(id, json!({ "tags_to_add": [{ "name": "c" }], "tags_to_delete": [{ "id": a }] }))
        .await;
    assert_eq!(house.tags(id).await, ["b", "c"]);
    house.change(id, json!({ "tags_to_delete": [{ "name": "b" }, { "name": "unknown" }] })).await;
    assert_eq!(house.tags(id).await, ["c"]);
    let reply =
        house.patch(&format!("contacts/{id}"), json!({ "tags_to_add": [{ "id": 1 }] })).await;
    assert_eq!(reply.flaw(), ("NotSupportedChoice".to_owned(), "tags_to_add.0.id".to_owned()));
}

#[tokio::test]
async fn a_tag_that_is_there_keeps_its_id() {
    let house = House::open().await;
    let first = house.post("contacts/tags", json!([{ "name": "vip", "request_id": "1" }])).await;
    assert_eq!(first.rows("tags")[0]["request_id"], "1");
    let again = house.post("contacts/tags", json!([{ "name": "new" }, { "name": "vip" }])).await;
    assert_eq!(again.ids("tags")[1], first.ids("tags")[0]);
    let exact = house.get("contacts/tags?filter[name]=vip").await;
    assert_eq!(
        exact.rows("tags"),
        [json!({ "id": first.ids("tags")[0], "name": "vip", "color": null })]
    );
    assert_eq!(house.get("contacts/tags?query=V").await.ids("tags"), first.ids("tags"));
}

#[tokio::test]
async fn the_time_of_change_never_goes_back() {
    let house = House::open().await;
    let id = house.create(named("Ana")).await;
    house.change(id, json!({ "updated_at": START + 500 })).await;
    assert_eq!(house.read(id).await["updated_at"], START + 500);
    house.change(id, json!({ "updated_at": START - 500 })).await;
    assert_eq!(house.read(id).await["updated_at"], START + 500);
    house.wait(10);
    house.change(id, named("Eva")).await;
    assert_eq!(house.read(id).await["updated_at"], START + 500);
    house.wait(1000);
    house.change(id, named("Ida")).await;
    assert_eq!(house.read(id).await["updated_at"], START + 1010);
}

#[tokio::test]
async fn who_wrote_is_told_apart() {
    let house = House::open().await;
    let ours = house.get("account").await.json()["current_user_id"].clone();
    let id = house.create(named("Ana")).await;
    assert_eq!(house.read(id).await["updated_by"], ours);
    assert!(house.emulator.person_edits(id, named("Eva")));
    let contact = house.read(id).await;
    assert_ne!(contact["updated_by"], ours);
    assert_eq!(contact["created_by"], ours);
}

// Refusals.

#[tokio::test]
async fn one_bad_item_drops_the_whole_batch_and_is_named_by_its_request_id() {
    let house = House::open().await;
    let items = json!([
        { "name": "good" },
        { "name": "bad", "request_id": "b", "responsible_user_id": "x", "custom_fields_values": [
            { "field_id": 999, "values": [{ "value": "x" }] },
        ] },
    ]);
    let reply = house.post("contacts", items).await;
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    let body = reply.json();
    let errors = body["validation-errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["request_id"]), (1, &json!("b")));
    let flaws: BTreeSet<(&str, &str)> = errors[0]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flaw| (flaw["code"].as_str().unwrap(), flaw["path"].as_str().unwrap()))
        .collect();
    let expected = [
        ("InvalidType", "responsible_user_id"),
        ("NotSupportedChoice", "custom_fields_values.0.field_id"),
    ];
    assert_eq!(flaws, BTreeSet::from(expected));
    assert!(house.emulator.contacts().is_empty());
}

#[tokio::test]
async fn an_unknown_contact_in_a_patch_drops_the_batch() {
    let house = House::open().await;
    let id = house.create(named("Ana")).await;
    let items = json!([{ "id": id, "name": "Eva" }, { "id": 1, "name": "Nobody" }]);
    let reply = house.patch("contacts", items).await;
    assert_eq!(reply.flaw(), ("NotFound".to_owned(), "id".to_owned()));
    assert_eq!(reply.json()["validation-errors"][0]["request_id"], "1");
    assert_eq!(house.read(id).await["name"], "Ana");
    assert_eq!(house.patch("contacts/1", named("Nobody")).await.flaw().0, "NotFound");
    assert!(house.emulator.person_deletes(id));
    assert_eq!(house.patch(&format!("contacts/{id}"), named("Eva")).await.flaw().0, "NotFound");
}

#[tokio::test]
async fn a_batch_of_251_is_refused() {
    let house = House::open().await;
    let items = |count: usize| json!((0..count).map(|n| named(&n.to_string())).collect::<Vec<_>>());
    assert_eq!(house.post("contacts", items(251)).await.status, 422);
    assert!(house.emulator.contacts().is_empty());
    assert_eq!(house.post("contacts", items(250)).await.status, 200);
}

#[tokio::test]
async fn a_batch_is_an_array_with_something_in_it() {
    let house = House::open().await;
    for body in [Value::Null, json!([]), json!({ "name": "Ana" })] {
        let reply = house.post("contacts", body).await;
        assert_eq!((reply.status, reply.json()["status"].as_u64()), (400, Some(400)));
    }
    let reply = house.post("contacts", Value::Null).await;
    assert_eq!(reply.json()["detail"], "Request data can not be empty");
}

#[tokio::test]
async fn long_texts_and_long_names_are_refused() {
    let house = House::open().await;
    let position = |length: usize| {
        let values = json!([{ "value": "ñ".repeat(length) }]);
        json!([{ "custom_fields_values": [{ "field_code": "POSITION", "values": values }] }])
    };
    assert_eq!(house.post("contacts", position(256)).await.status, 200);
    assert_eq!(house.post("contacts", position(257)).await.flaw().0, "TooLong");
    let name = |length: usize| json!([named(&"ñ".repeat(length))]);
    assert_eq!(house.post("contacts", name(255)).await.status, 200);
    let refused = house.post("contacts", name(256)).await.flaw();
    assert_eq!(refused, ("TooLong".to_owned(), "name".to_owned()));
}

#[tokio::test]
async fn an_owner_is_a_user_or_a_robot() {
    let house = House::open().await;
    let user = house.emulator.add_user("Eva", "eva@example.com");
    let owned = |owner: u64| json!([{ "name": "Ana", "responsible_user_id": owner }]);
    assert_eq!(house.post("contacts", owned(user)).await.status, 200);
    assert_eq!(house.post("contacts", owned(0)).await.status, 200);
    assert_eq!(house.post("contacts", owned(5)).await.flaw().0, "NotSupportedChoice");
}

#[tokio::test]
async fn unknown_routes_and_wrong_verbs_are_problems() {
    let house = House::open().await;
    let reply = house.get("xyz").await;
    assert_eq!((reply.status, &reply.json()["detail"]), (404, &json!("Cannot GET /api/v4/xyz")));
    assert_eq!(house.call("DELETE", "contacts/1", Value::Null).await.status, 405);
    assert_eq!(house.call("PUT", "contacts", Value::Null).await.status, 405);
}

#[tokio::test]
async fn every_answer_has_the_clocks_date_and_a_name() {
    let house = House::open().await;
    let first = house.get("contacts").await;
    assert_eq!(first.headers["date"], "Thu, 06 Aug 2026 07:06:40 GMT");
    let second = house.get("xyz").await;
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
}

// Tokens.

#[tokio::test]
async fn a_code_is_good_once_and_for_20_minutes() {
    let house = House::open().await;
    let code = house.emulator.grant_code();
    let pair = house.ask_token(by_code(&code).to_string()).await;
    assert_eq!(pair.status, 200, "{}", pair.text);
    let again = house.ask_token(by_code(&code).to_string()).await;
    assert_eq!(
        (again.status, again.headers["content-type"].as_str()),
        (400, "application/problem+json")
    );
    let late = house.emulator.grant_code();
    house.wait(20 * 60);
    assert_eq!(house.ask_token(by_code(&late).to_string()).await.status, 400);
}

#[tokio::test]
async fn a_form_gets_tokens_too_and_a_wrong_secret_none() {
    let house = House::open().await;
    let code = house.emulator.grant_code();
    let form = format!(
        "client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&grant_type=authorization_code\
         &code={code}&redirect_uri=https%3A%2F%2Fx%2Fcb"
    );
    let wrong = form.replace(CLIENT_SECRET, "wrong");
    assert_eq!(house.ask_token(wrong).await.status, 400);
    assert_eq!(house.ask_token(form).await.status, 200);
}

#[tokio::test]
async fn an_access_token_has_three_parts_and_lives_a_day() {
    let house = House::open().await;
    let code = house.emulator.grant_code();
    let pair = house.ask_token(by_code(&code).to_string()).await.json();
    let token = pair["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    assert_eq!(claims["exp"], START + 86_400);
    assert_eq!(format!("http://{}", claims["api_domain"].as_str().unwrap()), house.base);
    let account =
        async || house.send(token, "GET", "/api/v4/account", String::new()).await.unwrap().status;
    house.wait(86_399);
    assert_eq!(account().await, 200);
    house.wait(1);
    assert_eq!(account().await, 401);
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let house = House::open().await;
    let code = house.emulator.grant_code();
    let first = house.ask_token(by_code(&code).to_string()).await.json();
    let mut elsewhere = by_refresh(&first["refresh_token"]);
    elsewhere["redirect_uri"] = json!("https://y/cb");
    assert_eq!(house.ask_token(elsewhere.to_string()).await.status, 400);
    let second = house.ask_token(by_refresh(&first["refresh_token"]).to_string()).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.json()["refresh_token"], first["refresh_token"]);
    let again = house.ask_token(by_refresh(&first["refresh_token"]).to_string()).await;
    assert_eq!((again.status, &again.json()["hint"]), (401, &json!("Token has been revoked")));
    let third = house.ask_token(by_refresh(&second.json()["refresh_token"]).to_string()).await;
    assert_eq!(third.status, 200, "the other one is still good");
    house.wait(91 * 86_400);
    let late = house.ask_token(by_refresh(&third.json()["refresh_token"]).to_string()).await;
    assert_eq!(late.status, 401);
}

/// The parameters with which a person is sent back, and where.
fn sent_back(address: &str) -> (String, BTreeMap<String, String>) {
    let (page, query) = address.split_once('?').unwrap();
    (page.to_owned(), form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

#[tokio::test]
async fn a_consent_sends_the_person_back_with_a_code_and_the_accounts_host() {
    let house = House::open().await;
    let page = format!("https://www.kommo.com/oauth?client_id={CLIENT_ID}&state=a%26b&mode=popup");
    assert_eq!(house.emulator.consent(&page, true), None, "it has no redirect address");
    house.emulator.set_redirect_uri("https://x/cb");
    for wrong in [page.replace(CLIENT_ID, "another"), page.replace("/oauth", "/login")] {
        assert_eq!(house.emulator.consent(&wrong, true), None, "{wrong}");
    }
    let (to, given) = sent_back(&house.emulator.consent(&page, true).unwrap());
    assert_eq!((to.as_str(), given["state"].as_str()), ("https://x/cb", "a&b"));
    assert_eq!(
        (given["referer"].as_str(), given["client_id"].as_str()),
        ("demo.kommo.com", CLIENT_ID)
    );
    let pair = house.ask_token(by_code(&given["code"]).to_string()).await;
    assert_eq!(pair.status, 200, "{}", pair.text);
    let (_, refused) = sent_back(&house.emulator.consent(&page, false).unwrap());
    let names: Vec<&str> = refused.keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "error", "state"]);
    assert_eq!(refused["error"], "access_denied");
}

#[tokio::test]
async fn tokens_are_given_only_with_the_configured_redirect_address() {
    let house = House::open().await;
    house.emulator.set_redirect_uri("https://y/cb");
    let code = house.emulator.grant_code();
    assert_eq!(house.ask_token(by_code(&code).to_string()).await.status, 400);
    house.emulator.set_redirect_uri("https://x/cb");
    let pair = house.ask_token(by_code(&code).to_string()).await.json();
    house.emulator.set_redirect_uri("https://y/cb");
    let refresh = by_refresh(&pair["refresh_token"]).to_string();
    assert_eq!(house.ask_token(refresh.clone()).await.status, 400);
    house.emulator.set_redirect_uri("https://x/cb");
    assert_eq!(house.ask_token(refresh).await.status, 200, "it was not used up");
}

#[tokio::test]
async fn an_integration_that_was_taken_away_has_no_tokens() {
    let house = House::open().await;
    let code = house.emulator.grant_code();
    let pair = house.ask_token(by_code(&code).to_string()).await.json();
    let token = pair["access_token"].as_str().unwrap();
    let account =
        async || house.send(token, "GET", "/api/v4/account", String::new()).await.unwrap().status;
    assert_eq!(account().await, 200);
    house.emulator.uninstall();
    assert_eq!(account().await, 401);
    let refresh = by_refresh(&pair["refresh_token"]).to_string();
    assert_eq!(house.ask_token(refresh).await.status, 401);
}

#[tokio::test]
async fn a_lost_answer_to_a_refresh_can_not_be_repaired() {
    let house = House::open().await;
    let code = house.emulator.grant_code();
    let first = house.ask_token(by_code(&code).to_string()).await.json();
    house.emulator.order(fault(FaultKind::LostAfter));
    let body = by_refresh(&first["refresh_token"]).to_string();
    let lost = house.send("", "POST", "/oauth2/access_token", body.clone()).await;
    assert!(lost.is_err());
    assert_eq!(house.ask_token(body).await.status, 401);
}

#[tokio::test]
async fn a_revoked_or_expired_token_is_401() {
    let house = House::open().await;
    assert_eq!(house.get("account").await.status, 200);
    house.emulator.revoke_token(&house.emulator.token());
    let reply = house.get("account").await;
    assert_eq!((reply.status, &reply.json()["title"]), (401, &json!("Unauthorized")));
    let house = House::open().await;
    house.wait(6 * 365 * 86_400);
    assert_eq!(house.get("account").await.status, 401);
    assert_eq!(house.send("", "GET", "/api/v4/account", String::new()).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_token_may_expire_in_the_middle_of_a_run() {
    let house = House::open().await;
    house.emulator.order(Fault { after: 1, ..fault(FaultKind::TokenExpired) });
    let statuses = [
        house.get("account").await.status,
        house.get("account").await.status,
        house.get("account").await.status,
    ];
    assert_eq!(statuses, [200, 401, 401]);
}

// Limits and faults.

#[tokio::test]
async fn the_eighth_request_of_a_second_is_refused() {
    let house = House::with(|options| options.requests_per_second = Some(7)).await;
    for _ in 0..7 {
        assert_eq!(house.get("account").await.status, 200);
    }
    let reply = house.get("account").await;
    assert_eq!((reply.status, &reply.json()["title"]), (429, &json!("Too Many Requests")));
    house.wait(1);
    assert_eq!(house.get("account").await.status, 200);
}

#[tokio::test]
async fn who_goes_on_after_50_refusals_is_blocked_with_a_page_for_people() {
    let house = House::with(|options| options.requests_per_second = Some(7)).await;
    for n in 0..57 {
        assert_eq!(house.get("account").await.status, if n < 7 { 200 } else { 429 });
    }
    let blocked = house.get("account").await;
    assert_eq!(blocked.status, 403);
    assert!(blocked.headers["content-type"].starts_with("text/html"));
    assert!(serde_json::from_str::<Value>(&blocked.text).is_err());
    house.wait(9);
    assert_eq!(house.get("account").await.status, 403);
    house.wait(1);
    assert_eq!(house.get("account").await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_lost_before_is_not_done_and_one_that_is_lost_after_is() {
    let house = House::open().await;
    let token = house.emulator.token();
    let body = json!([named("Ana")]).to_string();
    for (kind, done) in [(FaultKind::LostBefore, 0), (FaultKind::LostAfter, 1)] {
        house.emulator.order(fault(kind));
        let lost = house.send(&token, "POST", "/api/v4/contacts", body.clone()).await;
        assert!(lost.is_err());
        assert_eq!(house.emulator.contacts().len(), done);
    }
    let statuses: Vec<u16> =
        house.emulator.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [0, 0]);
}

#[tokio::test]
async fn a_fault_befalls_what_it_was_ordered_for() {
    let house = House::open().await;
    house.emulator.order(Fault {
        method: Some("POST".to_owned()),
        path: Some("/api/v4/contacts".to_owned()),
        after: 1,
        times: 2,
        kind: FaultKind::Status {
            status: 504,
            body: "<html></html>".to_owned(),
            content_type: "text/html",
            retry_after: Some(3),
        },
    });
    assert_eq!(house.get("contacts").await.status, 204);
    let mut replies = Vec::new();
    for _ in 0..4 {
        replies.push(house.post("contacts", json!([named("Ana")])).await);
    }
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 504, 504, 200]);
    assert_eq!(replies[1].headers["retry-after"], "3");
    assert_eq!(house.emulator.contacts().len(), 2, "the others were not done");
}

#[tokio::test]
async fn too_many_may_also_be_said_in_plain_text() {
    let house = House::open().await;
    house.emulator.order(fault(FaultKind::PlainTooMany));
    house.emulator.order(fault(FaultKind::Html403));
    let plain = house.get("account").await;
    assert_eq!(plain.status, 429);
    assert!(plain.headers["content-type"].starts_with("text/plain"));
    let page = house.get("account").await;
    assert_eq!(page.status, 403);
    assert!(page.headers["content-type"].starts_with("text/html"));
}

// Deletions and events.

#[tokio::test]
async fn what_is_deleted_leaves_the_lists_and_an_event() {
    let house = House::open().await;
    let id = house.create(named("Ana")).await;
    house.wait(60);
    assert!(house.emulator.person_deletes(id));
    assert!(!house.emulator.person_deletes(id));
    assert_eq!(house.get("contacts").await.status, 204);
    assert_eq!(house.get(&format!("contacts/{id}")).await.status, 204);
    let bin = house.get("contacts?with=only_deleted").await.rows("contacts");
    assert_eq!((bin[0]["id"].as_u64(), &bin[0]["is_deleted"]), (Some(id), &json!(true)));
    let query = format!(
        "events?filter[entity]=contact&filter[type]=contact_deleted&filter[created_at][from]={}",
        START + 60
    );
    let events = house.get(&query).await.rows("events");
    assert_eq!((events.len(), events[0]["entity_id"].as_u64()), (1, Some(id)));
    assert!(events[0]["id"].is_string());
    assert!(house.emulator.person_restores(id));
    assert_eq!(house.get("contacts").await.ids("contacts"), [id]);
    let events = house.get("events?filter[type]=contact_restored").await.rows("events");
    assert_eq!(events[0]["entity_id"].as_u64(), Some(id));
}

#[tokio::test]
async fn no_contact_can_be_deleted_by_the_api() {
    let house = House::open().await;
    let id = house.create(named("Ana")).await;
    house.call("DELETE", &format!("contacts/{id}"), Value::Null).await;
    house.change(id, json!({ "is_deleted": true })).await;
    assert_eq!(house.read(id).await["is_deleted"], false);
}

#[tokio::test]
async fn events_come_the_newest_first_and_say_who_did_it() {
    let house = House::open().await;
    let ours = house.get("account").await.json()["current_user_id"].clone();
    let a = house.create(named("a")).await;
    let b = house.emulator.person_adds(named("b"));
    let added = house.get("events?filter[type]=contact_added,contact_deleted").await.rows("events");
    let who: Vec<u64> = added.iter().map(|event| event["entity_id"].as_u64().unwrap()).collect();
    assert_eq!(who, [b, a]);
    assert_ne!(added[0]["created_by"], ours);
    let mine = house.get(&format!("events?filter[created_by][]={ours}")).await.rows("events");
    assert_eq!((mine.len(), mine[0]["entity_id"].as_u64()), (1, Some(a)));
    let one = house.get(&format!("events?filter[entity]=contact&filter[entity_id][]={a}")).await;
    assert_eq!(one.rows("events").len(), 1);
    assert_eq!(house.get(&format!("events?filter[entity_id][]={a}")).await.status, 400);
    assert_eq!(house.get("events?filter[entity]=lead").await.status, 204);
    let kinds = house.get("events/types").await.rows("events_types");
    assert!(kinds.iter().any(|kind| kind["key"] == "entity_merged"));
}

#[tokio::test]
async fn the_loser_of_a_merge_vanishes_and_its_values_stay() {
    let house = House::open().await;
    let winner = house.create(phone("+1")).await;
    let loser = house.create(phone("+2")).await;
    house.change(loser, json!({ "tags_to_add": [{ "name": "vip" }] })).await;
    house.subscribe(&["update_contact", "delete_contact"]).await;
    house.wait(5);
    assert!(house.emulator.person_merges(winner, loser));
    assert!(!house.emulator.person_merges(winner, loser));
    assert_eq!(house.get(&format!("contacts/{loser}")).await.status, 204);
    assert_eq!(house.get("contacts?with=only_deleted").await.status, 204);
    let phones = house.values(winner, "PHONE").await;
    assert_eq!((&phones[0]["value"], &phones[1]["value"]), (&json!("+1"), &json!("+2")));
    assert_eq!(house.tags(winner).await, ["vip"]);
    assert_eq!(house.read(winner).await["updated_at"], START + 5);
    let events = house.get("events?filter[type]=entity_merged").await.rows("events");
    let who: BTreeSet<u64> =
        events.iter().map(|event| event["entity_id"].as_u64().unwrap()).collect();
    assert_eq!(who, BTreeSet::from([winner, loser]));
    assert_eq!(house.get("events?filter[type]=contact_deleted").await.status, 204);
    let told = form(&house.delivery());
    assert_eq!(told["contacts[update][0][id]"], winner.to_string());
}

// Webhooks.

#[tokio::test]
async fn a_webhook_is_known_by_its_destination() {
    let house = House::open().await;
    let body = |settings: Value| json!({ "destination": HOOK, "settings": settings, "sort": 10 });
    let made = house.post("webhooks", body(json!(["add_contact"]))).await;
    assert_eq!(made.status, 201);
    let again = house.post("webhooks", body(json!(["update_contact"]))).await.json();
    assert_eq!(again["id"], made.json()["id"]);
    assert_eq!(again["settings"], json!(["add_contact", "update_contact"]));
    let wrong = house.post("webhooks", body(json!(["explode_contact"]))).await;
    assert_eq!(wrong.flaw(), ("NotSupportedChoice".to_owned(), "settings.0".to_owned()));
    let found = house.get(&format!("webhooks?filter[destination]={HOOK}")).await;
    assert_eq!((found.rows("webhooks").len(), &found.json()["_total_items"]), (1, &json!(1)));
    let gone = json!({ "destination": HOOK });
    assert_eq!(house.call("DELETE", "webhooks", gone.clone()).await.status, 204);
    assert_eq!(house.call("DELETE", "webhooks", gone).await.status, 404);
    assert_eq!(house.get("webhooks").await.status, 204);
}

#[tokio::test]
async fn a_webhook_speaks_the_older_names_and_tells_of_our_own_writes_too() {
    let house = House::open().await;
    house.subscribe(&["add_contact", "update_contact"]).await;
    let born = house.emulator.person_adds_field(json!({ "name": "Nacimiento", "type": "date" }));
    let id = house
        .create(json!({
            "name": "Ana Diaz",
            "first_name": "Ana",
            "custom_fields_values": [
                { "field_code": "PHONE", "values": [{ "value": "+1", "enum_code": "MOB" }] },
                { "field_id": born, "values": [{ "value": 1_471_813_200 }] },
            ],
            "tags_to_add": [{ "name": "vip" }],
        }))
        .await;
    let delivery = house.delivery();
    assert_eq!((delivery.url.as_str(), delivery.attempt), (HOOK, 1));
    assert!(house.emulator.due_deliveries().is_empty(), "handed out once");
    let told = form(&delivery);
    let mobile = house.values(id, "PHONE").await[0]["enum_id"].to_string();
    let (start, id_text, born_text) = (START.to_string(), id.to_string(), born.to_string());
    for (key, value) in [
        ("account[subdomain]", "demo"),
        ("account[id]", "12345678"),
        ("account[_links][self]", "https://demo.amocrm.com"),
        ("contacts[add][0][id]", id_text.as_str()),
        ("contacts[add][0][name]", "Ana Diaz"),
        ("contacts[add][0][date_create]", start.as_str()),
        ("contacts[add][0][last_modified]", start.as_str()),
        ("contacts[add][0][custom_fields][0][code]", "PHONE"),
        ("contacts[add][0][custom_fields][0][name]", "Teléfono"),
        ("contacts[add][0][custom_fields][0][values][0][value]", "+1"),
        ("contacts[add][0][custom_fields][0][values][0][enum]", mobile.as_str()),
        ("contacts[add][0][custom_fields][1][id]", born_text.as_str()),
        ("contacts[add][0][custom_fields][1][values][0]", "1471813200"),
        ("contacts[add][0][tags][0][name]", "vip"),
        ("contacts[add][0][type]", "contact"),
    ] {
        assert_eq!(told.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(!told.contains_key("contacts[add][0][first_name]"));
    assert!(!told.contains_key("contacts[add][0][custom_fields][1][code]"));
    assert!(house.emulator.person_edits(id, named("Eva")));
    let told = form(&house.delivery());
    assert_eq!(told["contacts[update][0][name]"], "Eva");
    let ours = house.get("account").await.json()["current_user_id"].to_string();
    assert_eq!(told["contacts[update][0][created_user_id]"], ours);
    assert_ne!(told["contacts[update][0][modified_user_id]"], ours);
}

#[tokio::test]
async fn a_change_of_owner_is_told_as_an_update_with_the_old_one() {
    let house = House::open().await;
    let user = house.emulator.add_user("Eva", "eva@example.com");
    let id = house.create(named("Ana")).await;
    house.subscribe(&["responsible_contact"]).await;
    house.change(id, named("Ana Diaz")).await;
    assert!(house.emulator.due_deliveries().is_empty(), "the owner is the same");
    let old = house.read(id).await["responsible_user_id"].to_string();
    house.change(id, json!({ "responsible_user_id": user })).await;
    let told = form(&house.delivery());
    assert_eq!(told["contacts[update][0][responsible_user_id]"], user.to_string());
    assert_eq!(told["contacts[update][0][old_responsible_user_id]"], old);
}

#[tokio::test]
async fn a_deletion_tells_little_and_a_restore_all() {
    let house = House::open().await;
    house.subscribe(&["delete_contact", "restore_contact"]).await;
    let id = house.create(named("Ana")).await;
    assert!(house.emulator.due_deliveries().is_empty(), "nobody asked for creations");
    house.emulator.person_deletes(id);
    let told = form(&house.delivery());
    let keys: Vec<&str> = told.keys().map(String::as_str).filter(|k| k.starts_with('c')).collect();
    assert_eq!(keys, ["contacts[delete][0][id]", "contacts[delete][0][type]"]);
    house.emulator.person_restores(id);
    assert_eq!(form(&house.delivery())["contacts[restore][0][name]"], "Ana");
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_up_to_five_times() {
    let house = House::open().await;
    house.subscribe(&["add_contact"]).await;
    house.create(named("Ana")).await;
    for (attempt, wait) in [(1, 0), (2, 300), (3, 900), (4, 900), (5, 3600)] {
        if wait > 0 {
            house.wait(wait - 1);
            assert!(house.emulator.due_deliveries().is_empty(), "before attempt {attempt}");
            house.wait(1);
        }
        let delivery = house.delivery();
        assert_eq!(delivery.attempt, attempt);
        house.emulator.answered(delivery.id, Some(500));
    }
    house.wait(86_400);
    assert!(house.emulator.due_deliveries().is_empty());
}

#[tokio::test]
async fn a_refused_or_unanswered_delivery_is_tried_three_times_and_a_taken_one_once() {
    for status in [Some(404), Some(302), None] {
        let house = House::open().await;
        house.subscribe(&["add_contact"]).await;
        house.create(named("Ana")).await;
        for _ in 0..3 {
            house.emulator.answered(house.delivery().id, status);
            house.wait(900);
        }
        house.wait(86_400);
        assert!(house.emulator.due_deliveries().is_empty(), "{status:?}");
    }
    let house = House::with(|options| options.clock_factor = 100).await;
    house.subscribe(&["add_contact"]).await;
    house.create(named("Ana")).await;
    house.emulator.answered(house.delivery().id, Some(500));
    house.wait(3);
    house.emulator.answered(house.delivery().id, Some(204));
    house.wait(86_400);
    assert!(house.emulator.due_deliveries().is_empty());
}

#[tokio::test]
async fn more_than_100_failures_in_two_hours_disable_a_webhook() {
    let house = House::open().await;
    house.subscribe(&["add_contact"]).await;
    for n in 0..101 {
        house.emulator.person_adds(named(&n.to_string()));
    }
    let is_disabled = async || house.get("webhooks").await.rows("webhooks")[0]["disabled"].clone();
    for (n, delivery) in house.emulator.due_deliveries().into_iter().enumerate() {
        assert_eq!(is_disabled().await, false, "after {n}");
        house.emulator.answered(delivery.id, Some(500));
    }
    assert_eq!(is_disabled().await, true);
    house.create(named("Ana")).await;
    house.wait(900);
    assert!(house.emulator.due_deliveries().is_empty());
    house.subscribe(&["add_contact"]).await;
    assert_eq!(is_disabled().await, true, "saying it again is not enough");
    house.call("DELETE", "webhooks", json!({ "destination": HOOK })).await;
    house.subscribe(&["add_contact"]).await;
    assert_eq!(is_disabled().await, false);
}

// The rest.

#[tokio::test]
async fn users_are_listed_without_a_way_to_ask_by_address() {
    let house = House::open().await;
    let id = house.emulator.add_user("Eva", "eva@example.com");
    let users = house.get("users?filter[email]=eva@example.com").await;
    assert_eq!(users.rows("users").len(), 3);
    assert_eq!(users.json()["_total_items"], 3);
    assert_eq!(house.get(&format!("users/{id}")).await.json()["email"], "eva@example.com");
    let account = house.get("account").await.json();
    assert_eq!((&account["id"], &account["subdomain"]), (&json!(12_345_678), &json!("demo")));
}

#[tokio::test]
async fn the_screen_can_be_used_by_other_processes() {
    let house = House::open().await;
    let screen = async |method: &str, path: &str, body: Value| {
        let path = format!("/_emulator/{path}");
        house.send("", method, &path, body.to_string()).await.unwrap()
    };
    let made = screen("POST", "contacts", phone("+1")).await;
    assert_eq!(made.status, 201);
    let winner = made.json()["id"].as_u64().unwrap();
    let loser = screen("POST", "contacts", phone("+2")).await.json()["id"].as_u64().unwrap();
    assert_eq!(screen("POST", "contacts", json!({ "name": 5 })).await.status, 400);
    assert_eq!(screen("PATCH", &format!("contacts/{winner}"), named("Ana")).await.status, 204);
    assert_eq!(screen("PATCH", "contacts/1", named("Ana")).await.status, 404);
    let merge = json!({ "winner": winner, "loser": loser });
    assert_eq!(screen("POST", "merge", merge).await.status, 204);
    let contacts = screen("GET", "contacts", Value::Null).await.json();
    assert_eq!((contacts.as_array().unwrap().len(), &contacts[0]["name"]), (1, &json!("Ana")));
    assert_eq!(contacts[0], house.read(winner).await);
    assert_eq!(screen("DELETE", &format!("contacts/{winner}"), Value::Null).await.status, 204);
    let order = json!({ "method": "GET", "kind": { "status": { "status": 502 } } });
    assert_eq!(screen("POST", "faults", order).await.status, 204);
    assert_eq!(house.get("account").await.status, 502);
    let order = json!({ "kind": "html403", "times": 1 });
    assert_eq!(screen("POST", "faults", order).await.status, 204);
    assert_eq!(house.get("account").await.status, 403);
    let log = screen("GET", "requests", Value::Null).await.json();
    let statuses: Vec<u64> =
        log.as_array().unwrap().iter().map(|request| request["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 502, 403], "the screen itself is not in the log");
    assert_eq!(screen("DELETE", "requests", Value::Null).await.status, 204);
    assert!(house.emulator.requests().is_empty());
}

#[tokio::test]
async fn the_log_keeps_path_query_status_and_time() {
    let house = House::open().await;
    house.wait(5);
    house.get("contacts?filter%5Bid%5D=1").await;
    let log = house.emulator.requests();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].method.as_str(), log[0].path.as_str()), ("GET", "/api/v4/contacts"));
    assert_eq!((log[0].query.as_str(), log[0].status), ("filter%5Bid%5D=1", 204));
    assert_eq!(log[0].at, Timestamp::from_second(START + 5).unwrap());
    house.emulator.forget_requests();
    assert!(house.emulator.requests().is_empty());
}

#[tokio::test]
async fn an_account_that_moved_is_found_by_its_refresh_token() {
    let house = House::open().await;
    let code = house.emulator.grant_code();
    let pair = house.ask_token(by_code(&code).to_string()).await.json();
    let url = format!("{}/oauth2/account/current/subdomain", house.base);
    let ask = async |token: &str| {
        let request = house.client.get(&url).header("X-Refresh-Token", token);
        request.send().await.unwrap()
    };
    let found = ask(pair["refresh_token"].as_str().unwrap()).await.text().await.unwrap();
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(format!("http://{}", found["domain"].as_str().unwrap()), house.base);
    assert_eq!(ask("unknown").await.status().as_u16(), 401);
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/connectors/kommo/fixtures/", $name))
    };
}

mod samples;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Every path in a value with the type of what is there; the rows of an array count as one.
fn shape(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        let kind = match value {
            Value::Object(object) => {
                for (key, value) in object {
                    walk(value, &format!("{path}.{key}"), found);
                }
                "object"
            }
            Value::Array(rows) => {
                for row in rows {
                    walk(row, &format!("{path}[]"), found);
                }
                "array"
            }
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "text",
        };
        found.insert(format!("{path}: {kind}"));
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

/// This account has no companies and no leads, so what they look like is left out.
fn without_relations(contact: &Value) -> Value {
    let mut contact = contact.clone();
    for relation in ["companies", "leads"] {
        if let Some(rows) = contact["_embedded"].get_mut(relation) {
            *rows = json!([]);
        }
    }
    contact
}

#[tokio::test]
async fn contacts_have_the_shape_of_the_samples() {
    let house = House::open().await;
    let body = json!({ "name": "Ana Diaz", "tags_to_add": [{ "name": "vip" }],
        "custom_fields_values": [
            { "field_code": "PHONE", "values": [{ "value": "+15551234567" }] },
            { "field_code": "EMAIL", "values": [{ "value": "ana@example.com" }] },
            { "field_code": "POSITION", "values": [{ "value": "CTO" }] },
    ] });
    let made = house.post("contacts", json!([body])).await;
    let id = made.ids("contacts")[0];
    house.create(named("Eva")).await;
    assert_eq!(shape(&made.json()), shape(&parsed(fixture!("create_answer.json"))));
    let one = house.get(&format!("contacts/{id}?with=leads")).await.json();
    let sample = without_relations(&parsed(fixture!("contact.json")));
    assert_eq!(shape(&one), shape(&sample));
    let mut list = house.get("contacts?limit=1").await.json();
    let mut sample = parsed(fixture!("list.json"));
    for list in [&mut list, &mut sample] {
        list["_embedded"]["contacts"][0] = without_relations(&list["_embedded"]["contacts"][0]);
    }
    assert_eq!(shape(&list), shape(&sample));
    let updated = house.patch("contacts", json!([{ "id": id, "name": "Ana" }])).await.json();
    assert_eq!(shape(&updated), shape(&parsed(fixture!("update_answer.json"))));
    let updated = house.patch(&format!("contacts/{id}"), named("Ana")).await.json();
    assert_eq!(shape(&updated), shape(&parsed(fixture!("update_one_answer.json"))));
}

#[tokio::test]
async fn everything_else_has_the_shape_of_the_samples() {
    let house = House::open().await;
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    let fields = house.get("contacts/custom_fields").await.json();
    let phone = fields["_embedded"]["custom_fields"][0].clone();
    pairs.push((phone, parsed(fixture!("field.json"))));
    let fields = house.get("contacts/custom_fields?limit=1").await.json();
    let mut sample = parsed(fixture!("field_list.json"));
    sample["_links"]["next"] = sample["_links"]["self"].clone();
    pairs.push((fields, sample));
    let tags = house.post("contacts/tags", parsed(fixture!("tag_create.json"))).await.json();
    pairs.push((tags, parsed(fixture!("tag_create_answer.json"))));
    pairs.push((house.get("contacts/tags").await.json(), parsed(fixture!("tags.json"))));
    let hook = house.post("webhooks", parsed(fixture!("webhook_create.json"))).await.json();
    pairs.push((hook, parsed(fixture!("webhook.json"))));
    pairs.push((house.get("webhooks").await.json(), parsed(fixture!("webhook_list.json"))));
    let id = house.emulator.person_adds(named("Ana"));
    house.emulator.person_deletes(id);
    let mut events = house.get("events").await.json();
    events.as_object_mut().unwrap().remove("_links");
    pairs.push((events, parsed(fixture!("event_list.json"))));
    let mut account = house.get("account").await.json();
    account.as_object_mut().unwrap().remove("_links");
    pairs.push((account, parsed(fixture!("account.json"))));
    let mut user = house.get("users").await.rows("users")[0].clone();
    user.as_object_mut().unwrap().remove("_links");
    let sample = parsed(fixture!("users.json"))["_embedded"]["users"][0].clone();
    pairs.push((user, sample));
    let code = house.emulator.grant_code();
    let token = house.ask_token(by_code(&code).to_string()).await.json();
    let refresh = by_refresh(&token["refresh_token"]).to_string();
    pairs.push((token, parsed(fixture!("token.json"))));
    house.ask_token(refresh.clone()).await;
    let revoked = house.ask_token(refresh).await.json();
    pairs.push((revoked, parsed(fixture!("refresh_revoked_401.json"))));
    let invalid = json!([{ "responsible_user_id": "x" }]);
    let invalid = house.post("contacts", invalid).await.json();
    pairs.push((invalid, parsed(fixture!("validation_400.json"))));
    pairs.push((house.get("xyz").await.json(), parsed(fixture!("problem_404.json"))));
    house.emulator.order(fault(FaultKind::TokenExpired));
    pairs.push((house.get("account").await.json(), parsed(fixture!("problem_401.json"))));
    let strict = House::with(|options| options.requests_per_second = Some(0)).await;
    pairs.push((strict.get("account").await.json(), parsed(fixture!("problem_429.json"))));
    for (ours, sample) in pairs {
        assert_eq!(shape(&ours), shape(&sample));
    }
}

#[tokio::test]
async fn a_delivery_has_the_keys_of_the_sample() {
    let house = House::open().await;
    house.subscribe(&["add_contact", "delete_contact"]).await;
    let mut contact = phone("2001");
    contact["name"] = json!("Ana Diaz");
    let id = house.emulator.person_adds(contact);
    let keys = |body: &str| -> BTreeSet<String> {
        let pairs = form_urlencoded::parse(body.as_bytes());
        // Nobody has leads here.
        pairs.map(|(key, _)| key.into_owned()).filter(|key| !key.contains("linked_leads")).collect()
    };
    assert_eq!(keys(&house.delivery().body), keys(fixture!("hook_contact_add.txt")));
    house.emulator.person_deletes(id);
    assert_eq!(keys(&house.delivery().body), keys(fixture!("hook_contact_delete.txt")));
}

#[tokio::test]
async fn a_field_that_a_person_deletes_takes_its_values_with_it() {
    let house = House::open().await;
    let field = house.emulator.person_adds_field(json!({ "name": "Town", "type": "text" }));
    let id = house
        .create(json!({ "custom_fields_values": [
            { "field_id": field, "values": [{ "value": "Bilbao" }] },
        ] }))
        .await;
    assert_eq!(house.values(id, "Town").await[0]["value"], "Bilbao");
    assert!(house.emulator.person_removes_field(field));
    assert_eq!(house.values(id, "Town").await, Value::Null);
    assert!(!house.get("contacts/custom_fields").await.ids("custom_fields").contains(&field));
    assert!(!house.emulator.person_removes_field(field), "it is there no more");
    let own = house.get("contacts/custom_fields").await.ids("custom_fields")[0];
    assert!(!house.emulator.person_removes_field(own), "the app's own can't be deleted");
}

#[tokio::test]
async fn the_account_tells_its_time_zone_to_who_asks_for_it() {
    let house = House::with(|options| options.time_zone = Some("Europe/Madrid".to_owned())).await;
    assert_eq!(house.get("account").await.json()["_embedded"], Value::Null);
    let account = house.get("account?with=datetime_settings").await.json();
    assert_eq!(account["_embedded"]["datetime_settings"]["timezone"], "Europe/Madrid");
}
