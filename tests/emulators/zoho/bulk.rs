//! Bulk read jobs: begun, asked after, fetched once they are done, for a day.

use std::io::{Cursor, Read as _};

use super::*;

async fn bulk(house: &House, method: &str, path: &str, body: Value) -> Reply {
    let token = format!("Zoho-oauthtoken {}", house.token);
    let headers = [("authorization", token.as_str())];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    house.send(method, &format!("/crm/bulk/v8/read{path}"), &headers, body).await.unwrap()
}

async fn begin(house: &House, query: Value) -> Reply {
    bulk(house, "POST", "", json!({ "query": query, "file_type": "csv" })).await
}

/// What a job is doing, and its result.
async fn doing(house: &House, id: &str) -> (String, Value) {
    let job = bulk(house, "GET", &format!("/{id}"), Value::Null).await.data()[0].clone();
    (job["state"].as_str().unwrap().to_owned(), job["result"].clone())
}

/// The rows of the only file of a result.
async fn rows(house: &House, id: &str) -> Vec<Vec<String>> {
    let address = format!("{}/crm/bulk/v8/read/{id}/result", house.base);
    let asked = house.client.get(address);
    let token = format!("Zoho-oauthtoken {}", house.token);
    let reply = asked.header("authorization", token).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "application/zip");
    let bytes = reply.bytes().await.unwrap().to_vec();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    assert_eq!(zip.len(), 1);
    let mut text = String::new();
    zip.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    let mut csv = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = csv.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

#[tokio::test]
async fn a_job_writes_what_was_there_when_it_was_begun() {
    let mut house = House::open().await;
    let quoted =
        json!({"Last_Name": "Ríos, \"Pepa\"", "Email": "pepa@example.com", "Email_Opt_Out": true});
    let first = house.make("Contacts", quoted).await;
    let fields = ["Last_Name", "Email", "Email_Opt_Out", "Owner", "Modified_Time"];
    let query = json!({"module": {"api_name": "Contacts"}, "fields": fields});
    let begun = begin(&house, query).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    assert_eq!(begun.codes(), ["ADDED_SUCCESSFULLY"]);
    let id = begun.id();
    house.make("Contacts", person("Later", "later@example.com")).await;
    assert_eq!(doing(&house, &id).await, ("ADDED".to_owned(), Value::Null));
    bulk(&house, "GET", &format!("/{id}/result"), Value::Null)
        .await
        .is_refused(400, "INVALID_DATA");
    house.pass(10);
    assert_eq!(doing(&house, &id).await.0, "IN PROGRESS");
    house.pass(10);
    let (state, result) = doing(&house, &id).await;
    assert_eq!((state.as_str(), &result["count"]), ("COMPLETED", &json!(1)));
    assert_eq!((&result["per_page"], &result["more_records"]), (&json!(200_000), &json!(false)));
    assert_eq!(result["download_url"], format!("/crm/bulk/v8/read/{id}/result"));
    let contact = house.contact(&first).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let head = ["Id"].into_iter().chain(fields).map(str::to_owned).collect();
    let row = vec![
        first,
        "Ríos, \"Pepa\"".to_owned(),
        "pepa@example.com".to_owned(),
        "true".to_owned(),
        text(&contact["Owner"]["id"]),
        text(&contact["Modified_Time"]),
    ];
    assert_eq!(rows(&house, &id).await, [head, row]);
    house.pass(24 * 60 * 60);
    house.token = house.refresh().await["access_token"].as_str().unwrap().to_owned();
    let gone = bulk(&house, "GET", &format!("/{id}/result"), Value::Null).await;
    assert_eq!(gone.status, 404, "a file is kept for a day");
}

#[tokio::test]
async fn more_than_one_job_writes_is_told_and_comes_with_the_next_page() {
    let house = House::with(|options| options.bulk_page = 2).await;
    for name in ["A", "B", "C"] {
        house.make("Leads", json!({"Last_Name": name, "Company": "Acme"})).await;
    }
    let mut seen = Vec::new();
    for (page, more) in [(1, true), (2, false)] {
        let query = json!({"module": {"api_name": "Leads"}, "fields": ["Last_Name"], "page": page});
        let id = begin(&house, query).await.id();
        house.pass(20);
        assert_eq!(doing(&house, &id).await.1["more_records"], more);
        seen.extend(rows(&house, &id).await.into_iter().skip(1).map(|row| row[1].clone()));
    }
    assert_eq!(seen, ["A", "B", "C"]);
}

#[tokio::test]
async fn a_job_costs_fifty_credits_and_needs_both_scopes() {
    let house = House::with(|options| options.credits = Some(80)).await;
    let query = || json!({"module": {"api_name": "Contacts"}, "fields": ["Last_Name"]});
    let told = begin(&house, query()).await;
    let left = told.headers["x-api-credits-remaining"].parse::<u64>().unwrap();
    house.get("org").await;
    assert_eq!(left, 30, "nothing was asked before");
    for scopes in ["ZohoCRM.modules.ALL", "ZohoCRM.bulk.READ,ZohoCRM.modules.leads.READ"] {
        let house = House::with(|options| options.scopes = scopes.to_owned()).await;
        begin(&house, query()).await.is_refused(401, "OAUTH_SCOPE_MISMATCH");
    }
    let either = House::with(|options| {
        options.scopes = "ZohoCRM.bulk.ALL,ZohoCRM.modules.contacts.READ".to_owned();
    });
    assert_eq!(begin(&either.await, query()).await.status, 201);
}

#[tokio::test]
async fn a_query_that_can_not_be_is_refused() {
    let house = House::open().await;
    let nowhere = begin(&house, json!({"fields": ["Last_Name"]})).await;
    nowhere.is_refused(400, "MANDATORY_NOT_FOUND");
    let unknown = json!({"module": {"api_name": "Nonsense"}});
    begin(&house, unknown).await.is_refused(400, "INVALID_MODULE");
    for page in [json!(0), json!(501), json!("one")] {
        let query = json!({"module": {"api_name": "Contacts"}, "page": page});
        begin(&house, query).await.is_refused(400, "INVALID_DATA");
    }
    bulk(&house, "GET", "/12345", Value::Null).await.is_refused(404, "RESOURCE_NOT_FOUND");
    bulk(&house, "DELETE", "/12345", Value::Null).await.is_refused(400, "INVALID_REQUEST_METHOD");
}
