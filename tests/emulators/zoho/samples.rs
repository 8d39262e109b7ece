//! The published samples that only some requests show: sent as they are, but for the ids of this
//! account, and compared with what is answered.

use super::*;

#[tokio::test]
async fn the_token_endpoint_answers_like_the_samples_when_it_gives_none() {
    let house = House::open().await;
    let mut last = Value::Null;
    for _ in 0..11 {
        last = house.refresh().await;
    }
    assert_eq!(last, sample!("token_throttled.json"));
    let path = format!("/oauth/v2/token/revoke?token={}", house.emulator.refresh_token());
    let revoked = house.send("POST", &path, &[], String::new()).await.unwrap();
    assert_eq!(revoked.json(), sample!("token_revoked.json"));
}

#[tokio::test]
async fn one_call_too_many_is_refused_like_the_sample() {
    let house = House::with(|options| options.concurrency = 0).await;
    let reply = house.get("org").await;
    assert_eq!(reply.status, 429);
    let sample = sample!("error_too_many_requests.json");
    compare(&sample, &reply.json(), false, "too many");
    assert_eq!(reply.json()["code"], sample["code"]);
}

#[tokio::test]
async fn the_sample_of_a_write_is_taken_and_what_it_sets_off_is_noted() {
    let house = House::open().await;
    let mut request = sample!("write_request.json");
    request["data"][0] = person("Diaz", "ana@example.com");
    for (path, message) in [("Contacts", "record added"), ("Contacts/upsert", "record updated")] {
        let reply = house.post(path, request.clone()).await;
        compare(&sample!("item_success.json"), &reply.data()[0], true, path);
        assert_eq!(reply.codes(), ["SUCCESS"]);
        assert_eq!(reply.data()[0]["message"], message);
        assert_eq!(house.emulator.contacts()[0]["$trigger"], request["trigger"]);
    }
    assert_eq!(house.emulator.contacts().len(), 1);
}

#[tokio::test]
async fn the_sample_of_tags_for_many_is_taken() {
    let house = House::open().await;
    let ids = [house.make("Contacts", person("A", "a@x.es")).await];
    let mut request = sample!("add_tags_many_request.json");
    request["ids"] = json!(ids);
    let reply = house.post("Contacts/actions/add_tags", request).await;
    // With counts, which the answer for a single record has not.
    compare(&sample!("add_tags_answer.json"), &reply.json(), true, "add tags");
    assert_eq!(house.contact(&ids[0]).await["Tag"][0]["name"], "x");
}

#[tokio::test]
async fn the_sample_of_a_conversion_is_taken_and_makes_no_deal() {
    let house = House::open().await;
    let lead = house.make("Leads", json!({"Last_Name": "Gil", "Company": "Acme"})).await;
    let account = house.make("Accounts", json!({"Account_Name": "Other"})).await;
    let contact = house.make("Contacts", person("Gil", "gil@x.es")).await;
    let mut request = sample!("convert_request.json");
    let wish = &mut request["data"][0];
    wish["Accounts"]["id"] = json!(account);
    wish["Contacts"]["id"] = json!(contact);
    let reply = house.post(&format!("Leads/{lead}/actions/convert"), request).await;
    compare(&sample!("convert_answer.json"), &reply.json(), false, "convert");
    let details = reply.data()[0]["details"].clone();
    assert_eq!(
        (&details["Contacts"]["id"], &details["Accounts"]["id"]),
        (&json!(contact), &json!(account))
    );
    assert_eq!(details["Deals"], Value::Null);
}
