//! Input that cannot be right: named with the place where it was given, and nothing is kept of it.

use concord::auth::Role;
use serde_json::{Value as Json, json};

use crate::{HOME, House, code};

#[tokio::test]
async fn wrong_input_is_named_and_nothing_is_kept() {
    let house = House::new().await;
    let mut wrong = house.credentials[1].clone();
    wrong[0]["value"] = json!("mars");
    let input = json!({"app": "zoho", "credentials": wrong});
    let done = house.act("accountConnect", "AccountConnectInput", "account { id }", input).await;
    assert_eq!(code(&done), "INVALID");
    assert_eq!(done["userErrors"][0]["detail"], "unknown_data_centre");
    let connection = house.connection().await;
    let id = json!(connection);
    let input = json!({"connectionId": id, "source": "LEFT", "entries": [{"target": "Nonsense", "inputs": ["first_name"]}]});
    house.act("mappingSet", "MappingSetInput", "draft { edit }", input).await;
    let input = json!({"connectionId": id, "acknowledgements": ["NO_OTHER_SYNC"]});
    let answer = "review { token faults { code field message } }";
    let done = house.act("connectionReview", "ConnectionReviewInput", answer, input).await;
    let codes: Vec<&str> = done["review"]["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["code"].as_str().unwrap())
        .collect();
    assert!(
        codes.contains(&"UNKNOWN_FIELD") && codes.contains(&"PREFERRED_SIDE_REQUIRED"),
        "{codes:?}"
    );
    assert_eq!(done["review"]["token"], Json::Null);
    let input = json!({"connectionId": id, "sources": ["LEFT"], "reviewToken": "guessed", "acknowledgements": ["NO_OTHER_SYNC"]});
    let done =
        house.act("connectionStart", "ConnectionStartInput", "connection { id }", input).await;
    assert_eq!(code(&done), "REVIEW_UNFINISHED");
    let input = json!({"connectionId": id, "expectedEdit": 7, "preferredSide": "LEFT"});
    let done =
        house.act("connectionUpdate", "ConnectionUpdateInput", "draft { edit }", input).await;
    assert_eq!(code(&done), "STALE");
}

#[tokio::test]
async fn a_side_has_objects_of_its_account() {
    let house = House::new().await;
    let (left, right) = (house.connect(0).await, house.connect(1).await);
    let create = async |objects: &[&str]| {
        let right = json!({ "accountId": right, "objects": objects });
        let input = json!({ "title": "T", "left": { "accountId": left }, "right": right });
        let answer = "connection { sides { objects } }";
        house.act("connectionCreate", "ConnectionCreateInput", answer, input).await
    };
    let done = create(&["Leads", "Deals"]).await;
    assert_eq!(code(&done), "INVALID");
    let why = "Zoho CRM has no object \"Deals\": choose one of Contacts, Leads";
    assert_eq!(done["userErrors"][0]["message"], why);
    let done = create(&["Leads", "Contacts", "Leads"]).await;
    let objects = json!(["Leads", "Contacts"]);
    assert_eq!(done["connection"]["sides"][1]["objects"], objects, "{done}");
    // Each would make of its people what the other has already.
    assert_eq!(code(&create(&["Contacts"]).await), "ALREADY_THERE");
}

#[tokio::test]
async fn what_is_not_there_is_named_by_the_argument_that_asked_for_it() {
    let house = House::new().await;
    let missing = |kind: &str| format!("{kind}_00000000000000000000000000000009");
    for (name, argument, kind) in [
        ("accountCheck", "id", "acc"),
        ("accountDisconnect", "id", "acc"),
        ("webhookRegister", "accountId", "acc"),
        ("webhookUnregister", "accountId", "acc"),
        ("connectionRun", "connectionId", "con"),
        ("connectionDisconnect", "connectionId", "con"),
        ("deliveryReplay", "id", "dlv"),
        ("issueResolve", "id", "iss"),
    ] {
        for id in [missing(kind), "nonsense".to_owned()] {
            let query = format!(
                "mutation($id: ID!) {{ {name}({argument}: $id) {{ userErrors {{ code message path }} }} }}"
            );
            let done = house.ask(&query, json!({ "id": id })).await;
            assert_eq!(code(&done[name]), "NOT_FOUND", "{name}");
            assert_eq!(done[name]["userErrors"][0]["path"], json!([argument]), "{name}: {id}");
        }
    }
    for (name, kind, answer, argument, id, rest) in [
        ("accountUpdate", "AccountUpdateInput", "account { id }", "id", "acc", json!({})),
        (
            "accountReconnect",
            "AccountReconnectInput",
            "account { id }",
            "id",
            "acc",
            json!({"credentials": []}),
        ),
        (
            "connectionReview",
            "ConnectionReviewInput",
            "review { token }",
            "connectionId",
            "con",
            json!({}),
        ),
        (
            "connectionUpdate",
            "ConnectionUpdateInput",
            "draft { edit }",
            "connectionId",
            "con",
            json!({}),
        ),
        ("planApprove", "PlanDecideInput", "plan { id }", "planId", "pln", json!({"hash": "x"})),
    ] {
        for id in [missing(id), "nonsense".to_owned()] {
            let mut input = rest.clone();
            input[argument] = json!(id);
            let done = house.act(name, kind, answer, input).await;
            assert_eq!(code(&done), "NOT_FOUND", "{name}");
            assert_eq!(done["userErrors"][0]["path"], json!(["input", argument]), "{name}: {id}");
        }
    }
}

#[tokio::test]
async fn a_misspelt_field_and_a_query_that_costs_too_much_are_refused() {
    let house = House::new().await;
    for query in [
        "{ conections { edges { cursor } } }",
        "{ connections(first: 100) { edges { node { runs(first: 100) { edges { node { changes(first: 100) { edges { cursor } } } } } } } } }",
    ] {
        let answer = house.ask_as(HOME, Role::Owner, query, json!({})).await;
        assert!(answer.get("errors").is_some(), "{answer}");
        assert!(!answer.to_string().contains("Did you mean"));
    }
}
