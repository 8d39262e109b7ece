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

#[tokio::test]
async fn a_limit_of_a_query_is_named() {
    let house = House::new().await;
    let costly = "{ connections(first: 100) { edges { node { runs(first: 100) { edges { node { changes(first: 100) { edges { cursor } } } } } } } } }";
    let deep = "{ __schema { types { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { name } } } } } } } } } } } } } } } } }"
        .replacen("types { ofType", "types { fields { type { ofType", 1)
        + " } }";
    for (query, said) in [(costly, "may cost more than 5000"), (&deep, "nested in more than 15")] {
        let answer = house.ask_as(HOME, Role::Owner, query, json!({})).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{answer}");
        assert!(error["message"].as_str().unwrap().contains(said), "{answer}");
    }
}

#[tokio::test]
async fn a_page_that_can_not_be_is_refused_with_what_can() {
    let house = House::new().await;
    let connection = house.connection().await;
    let account = house.account().await;
    let lists = ["runs", "records", "changes", "issues"];
    let of_connection =
        |asked: String| format!("{{ connection(id: \"{connection}\") {{ {asked} }} }}");
    for (arguments, said) in [
        ("first: -1", "`first` is -1: a page has 1 to 100 entries"),
        ("first: 0", "`first` is 0"),
        ("first: 101", "`first` is 101"),
        ("after: \"garbage\"", "`after` is no cursor of this list"),
    ] {
        let page = |list: &str| format!("{list}({arguments}) {{ edges {{ cursor }} }}");
        let mut queries: Vec<_> = lists.iter().map(|list| of_connection(page(list))).collect();
        queries.extend(["accounts", "connections"].map(|list| format!("{{ {} }}", page(list))));
        for query in queries {
            let answer = house.ask_as(HOME, Role::Viewer, &query, json!({})).await;
            let error = &answer["errors"][0];
            assert_eq!(error["extensions"]["code"], "INVALID", "{query}: {answer}");
            assert!(error["message"].as_str().unwrap().contains(said), "{query}: {answer}");
        }
    }
    let query =
        format!("{{ account(id: \"{account}\") {{ fields(object: \"Deals\") {{ id }} }} }}");
    let answer = house.ask_as(HOME, Role::Viewer, &query, json!({})).await;
    let said = "there is no object \"Deals\": choose one of contacts";
    assert_eq!(answer["errors"][0]["message"], said, "{answer}");
}

#[tokio::test]
async fn what_would_be_taken_for_nothing_is_refused_with_what_would_do() {
    let house = House::new().await;
    let connect = async |app: &str, credentials: Json| {
        let input = json!({"app": app, "credentials": credentials});
        house.act("accountConnect", "AccountConnectInput", "account { id }", input).await
    };
    let told = |done: &Json, path: &[&str], said: &str| {
        assert_eq!(code(done), "INVALID", "{done}");
        let error = &done["userErrors"][0];
        assert_eq!(error["path"], json!(path), "{done}");
        assert!(error["message"].as_str().unwrap().contains(said), "{done}");
    };
    let done = connect("abacus", house.credentials[0].clone()).await;
    told(&done, &["input", "app"], "there is no app \"abacus\": choose one of kommo, zoho");
    let mut misspelt = house.credentials[0].clone();
    misspelt[1]["name"] = json!("tokn");
    let done = connect("kommo", misspelt.clone()).await;
    told(&done, &["input", "credentials"], "Kommo asks for no \"tokn\": give those of host, token");
    let id = json!(house.connection().await);
    let account = house.account().await;
    let input = json!({"id": account, "credentials": misspelt});
    let answer = "account { id }";
    let done = house.act("accountReconnect", "AccountReconnectInput", answer, input).await;
    told(&done, &["input", "credentials"], "asks for no \"tokn\"");

    let long = "x".repeat(201);
    for title in [" ", long.as_str()] {
        let side = json!({"accountId": account});
        let input = json!({"title": title, "left": side, "right": side});
        let name = ("connectionCreate", "ConnectionCreateInput");
        let done = house.act(name.0, name.1, "connection { id }", input).await;
        told(&done, &["input", "title"], "a title of 1 to 200 characters");
    }
    for (field, value, said) in [
        ("everyMinutes", json!(0), "runs every 1 to 44640 minutes"),
        ("everyMinutes", json!(44_641), "for more, give a `cron`"),
        ("matchKeys", json!([]), "name one at least, such as EMAIL"),
        ("matchKeys", json!(["EMAIL", "EMAIL"]), "name each once"),
    ] {
        let input = json!({"connectionId": id, field: value});
        let done =
            house.act("connectionUpdate", "ConnectionUpdateInput", "draft { edit }", input).await;
        told(&done, &["input", field], said);
    }
    let rules = json!([{}, {"filter": {"is": {"field": "first_name", "operator": "EQUALS"}}}]);
    let input = json!({"connectionId": id, "source": "LEFT", "rules": rules});
    let done = house.act("ruleSet", "RuleSetInput", "draft { edit }", input).await;
    told(&done, &["input", "rules", "1", "values"], "exactly one value");
    let entries = json!([{"target": "Title", "function": "CONSTANT"}]);
    let input = json!({"connectionId": id, "source": "LEFT", "entries": entries});
    let done = house.act("mappingSet", "MappingSetInput", "draft { edit }", input).await;
    told(&done, &["input", "entries", "0", "constant"], "a constant needs its value");
}

#[tokio::test]
async fn who_is_in_the_way_is_named_with_what_to_do() {
    let house = House::new().await;
    let connection = house.connection().await;
    let input = json!({"app": "kommo", "credentials": house.credentials[0]});
    let done = house.act("accountConnect", "AccountConnectInput", "account { id }", input).await;
    assert_eq!(code(&done), "ALREADY_THERE");
    assert!(done.to_string().contains("accountReconnect gives it new credentials"), "{done}");
    let account = house.account().await;
    let query = "mutation($id: ID!) { accountDisconnect(id: $id) { userErrors { code message } } }";
    let answer = house.ask_as(HOME, Role::Owner, query, json!({"id": account})).await;
    let error = &answer["data"]["accountDisconnect"]["userErrors"][0];
    let said =
        format!("{connection} use this account: take them away with connectionDisconnect first");
    assert_eq!(*error, json!({"code": "IN_USE", "message": said}));

    let input = json!({"connectionId": connection, "preferredSide": "LEFT"});
    house.act("connectionUpdate", "ConnectionUpdateInput", "draft { edit }", input).await;
    let input = json!({"connectionId": connection, "sources": ["LEFT"], "reviewToken": "guessed", "acknowledgements": []});
    let done =
        house.act("connectionStart", "ConnectionStartInput", "connection { id }", input).await;
    assert_eq!(code(&done), "REVIEW_UNFINISHED");
    assert!(done.to_string().contains("has to name NO_OTHER_SYNC"), "{done}");
}
