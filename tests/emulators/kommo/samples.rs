//! The published samples of requests: sent as they are, but for the ids, keys and codes of this account.

use super::*;

/// A sample of a body for the token endpoint, in JSON and as a form, filled in.
fn filled(sample: &str, form: &str, secret: &str) -> [String; 2] {
    let mut body = parsed(sample);
    let mut pairs: BTreeMap<String, String> =
        form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    assert_eq!(json!(pairs), body, "both say the same");
    let name = if body.get("code").is_some() { "code" } else { "refresh_token" };
    for (name, value) in
        [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), (name, secret)]
    {
        assert!(pairs.insert(name.to_owned(), value.to_owned()).is_some(), "no {name}");
        body[name] = json!(value);
    }
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    [body.to_string(), form]
}

#[tokio::test]
async fn tokens_are_given_for_the_samples_of_requests() {
    let house = House::open().await;
    for way in 0..2 {
        let (sample, form) =
            (fixture!("token_request_code.json"), fixture!("token_request_code.txt"));
        let body = filled(sample, form, &house.emulator.grant_code())[way].clone();
        let pair = house.ask_token(body).await;
        assert_eq!(pair.status, 200, "{}", pair.text);
        let (sample, form) =
            (fixture!("token_request_refresh.json"), fixture!("token_request_refresh.txt"));
        let refresh = pair.json()["refresh_token"].as_str().unwrap().to_owned();
        let next = house.ask_token(filled(sample, form, &refresh)[way].clone()).await;
        assert_eq!(next.status, 200, "{}", next.text);
    }
}

#[tokio::test]
async fn tags_change_as_the_samples_of_requests_say() {
    let house = House::open().await;
    let id = house.create(json!({ "tags_to_add": [{ "name": "b" }, { "name": "c" }] })).await;
    let tags = house.read(id).await["_embedded"]["tags"].clone();
    let mut change = parsed(fixture!("tag_changes.json"));
    change["tags_to_delete"][0]["id"] = tags[0]["id"].clone();
    house.change(id, change).await;
    assert_eq!(house.tags(id).await, ["c", "a"]);
    let mut whole = parsed(fixture!("tag_replace.json"));
    whole["_embedded"]["tags"][0]["id"] = tags[1]["id"].clone();
    house.change(id, whole).await;
    assert_eq!(house.tags(id).await, ["c", "new"]);
}

#[tokio::test]
async fn a_webhook_goes_by_the_sample_of_the_request() {
    let house = House::open().await;
    let made = house.post("webhooks", parsed(fixture!("webhook_create.json"))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let gone = parsed(fixture!("webhook_delete.json"));
    assert_eq!(house.call("DELETE", "webhooks", gone).await.status, 204);
    assert_eq!(house.get("webhooks").await.status, 204, "there is none");
}

#[tokio::test]
async fn kinds_of_events_and_the_name_of_an_account_have_the_shape_of_the_samples() {
    let house = House::open().await;
    let kinds = house.get("events/types").await.rows("events_types");
    let sample = parsed(fixture!("event_types.json"))["_embedded"]["events_types"][0].clone();
    let of_sample = kinds.iter().find(|kind| kind["key"] == sample["key"]).unwrap();
    assert_eq!(shape(of_sample), shape(&sample));

    let code = house.emulator.grant_code();
    let pair = house.ask_token(by_code(&code).to_string()).await.json();
    let url = format!("{}/oauth2/account/current/subdomain", house.base);
    let token = pair["refresh_token"].as_str().unwrap();
    let found = house.client.get(&url).header("X-Refresh-Token", token).send().await.unwrap();
    assert_eq!(
        shape(&parsed(&found.text().await.unwrap())),
        shape(&parsed(fixture!("subdomain.json")))
    );
}
