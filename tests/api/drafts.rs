//! Working on a connection's configuration: rules, publishing and discarding, starting and stopping.

use serde_json::{Value as Json, json};

use crate::{House, code};

const RULES: &str = "{ source rules { filter { is { field operator values } \
                     all { is { field operator values } any { is { field operator values } } } } } }";
const SAID: [&str; 2] = ["NO_OTHER_SYNC", "OPT_OUTS_STAY"];

/// The draft and the live configuration of a connection.
async fn seen(house: &House, id: &str, answer: &str) -> (Json, Json) {
    let query = format!(
        "query($id: ID!) {{ connection(id: $id) {{ draft {{ edit basedOn configuration {{ {answer} }} }} \
         configuration {{ {answer} }} }} }}"
    );
    let data = house.ask(&query, json!({ "id": id })).await;
    (data["connection"]["draft"].clone(), data["connection"]["configuration"].clone())
}

/// A connection of which nothing is missing.
async fn ready(house: &House) -> String {
    let id = house.connection().await;
    let input = json!({"connectionId": id, "preferredSide": "LEFT"});
    update(house, input).await;
    id
}

async fn update(house: &House, input: Json) {
    let answer = "draft { edit }";
    let done = house.act("connectionUpdate", "ConnectionUpdateInput", answer, input).await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
}

/// The token of a review that finds nothing.
async fn reviewed(house: &House, id: &str) -> Json {
    let input = json!({"connectionId": id, "acknowledgements": SAID});
    let answer = "review { token faults { code message } unacknowledged }";
    let done = house.act("connectionReview", "ConnectionReviewInput", answer, input).await;
    assert!(done["review"]["token"].is_string(), "{done}");
    done["review"]["token"].clone()
}

async fn started(house: &House) -> String {
    let id = ready(house).await;
    let input = json!({
        "connectionId": id, "sources": ["LEFT", "RIGHT"], "reviewToken": reviewed(house, &id).await,
        "acknowledgements": SAID,
    });
    let answer = "connection { id }";
    let done = house.act("connectionStart", "ConnectionStartInput", answer, input).await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
    id
}

fn states(configuration: &Json) -> [&str; 2] {
    [0, 1].map(|at| configuration["syncs"][at]["state"].as_str().unwrap())
}

#[tokio::test]
async fn a_rule_with_each_operator_is_read_back_from_the_draft() {
    let house = House::new().await;
    let id = house.connection().await;
    let conditions = [
        ("EQUALS", json!([{"text": "Berlin"}]), json!(["Berlin"])),
        ("NOT_EQUALS", json!([{"number": "12.50"}]), json!(["12.5"])),
        ("CONTAINS", json!([{"text": "gmbh"}]), json!(["gmbh"])),
        (
            "IN",
            json!([{"option": "a"}, {"texts": ["b", "c"]}, {"date": "2026-08-01"}]),
            json!(["a", "b", "c", "2026-08-01"]),
        ),
        ("IS_EMPTY", json!([]), json!([])),
        ("IS_NOT_EMPTY", json!([]), json!([])),
        ("HAS_TAG", json!([{"text": "vip"}]), json!(["vip"])),
    ];
    let is = |operator: &str, values: &Json| json!({"is": {"field": format!("of_{operator}"), "operator": operator, "values": values}});
    let (typed, told): (Vec<Json>, Vec<Json>) = conditions
        .iter()
        .map(|(operator, typed, told)| (is(operator, typed), is(operator, told)))
        .unzip();
    let mut rules: Vec<Json> = typed.iter().map(|one| json!({"filter": one})).collect();
    // Groups, and one that lets everything in.
    rules.push(json!({"filter": {"all": [typed[0], {"any": [typed[1], typed[6]]}]}}));
    rules.push(json!({}));
    let input = json!({"connectionId": id, "source": "RIGHT", "rules": rules});
    let done = house.act("ruleSet", "RuleSetInput", "draft { edit }", input).await;
    assert_eq!(done["userErrors"], json!([]), "{done}");

    let whole = |one: &Json| json!({"filter": {"is": one["is"], "all": null}});
    let inner = |one: &Json| json!({"is": one["is"], "any": null});
    let leaf = |one: &Json| json!({"is": one["is"]});
    let mut expected: Vec<Json> = told.iter().map(whole).collect();
    let any = json!({"is": null, "any": [leaf(&told[1]), leaf(&told[6])]});
    expected.push(json!({"filter": {"is": null, "all": [inner(&told[0]), any]}}));
    let everything = json!({"filter": {"is": null, "all": []}});
    expected.push(everything.clone());
    let (draft, live) = seen(&house, &id, &format!("syncs {RULES}")).await;
    assert_eq!(draft["edit"], done["draft"]["edit"]);
    let syncs = &draft["configuration"]["syncs"];
    assert_eq!(syncs[1], json!({"source": "RIGHT", "rules": expected}));
    assert_eq!(
        syncs[0],
        json!({"source": "LEFT", "rules": [everything]}),
        "the other is as it was"
    );
    assert_eq!(live["syncs"][1]["rules"], json!([everything]), "nothing is live yet");
}

#[tokio::test]
async fn an_operator_with_too_many_or_too_few_values_is_refused() {
    let house = House::new().await;
    let id = house.connection().await;
    let (none, two) = (json!([]), json!([{"text": "a"}, {"text": "b"}]));
    let both = json!([{"texts": ["a", "b"]}]);
    let wrong = [
        ("EQUALS", &two),
        ("EQUALS", &none),
        ("EQUALS", &both),
        ("NOT_EQUALS", &two),
        ("CONTAINS", &two),
        ("HAS_TAG", &two),
        ("IN", &none),
        ("IS_EMPTY", &two),
        ("IS_NOT_EMPTY", &two),
    ];
    for (operator, values) in wrong {
        let is = json!({"field": "city", "operator": operator, "values": values});
        let input =
            json!({"connectionId": id, "source": "LEFT", "rules": [{"filter": {"is": is}}]});
        let done = house.act("ruleSet", "RuleSetInput", "draft { edit }", input).await;
        assert_eq!(code(&done), "INVALID", "{operator} {values}");
    }
    let (draft, _) = seen(&house, &id, "syncs { source }").await;
    assert_eq!(draft["edit"], 0, "nothing of it is kept");
}

#[tokio::test]
async fn an_operator_without_what_it_compares_with_is_refused() {
    let house = House::new().await;
    let id = house.connection().await;
    for operator in ["EQUALS", "NOT_EQUALS", "CONTAINS", "HAS_TAG"] {
        let rules = json!([{"filter": {"is": {"field": "x", "operator": operator}}}]);
        let input = json!({"connectionId": id, "source": "LEFT", "rules": rules});
        let done = house.act("ruleSet", "RuleSetInput", "draft { edit }", input).await;
        assert_eq!(code(&done), "INVALID", "{operator}");
    }
    let (draft, _) = seen(&house, &id, "version").await;
    assert_eq!(draft["edit"], json!(0), "nothing was kept");
}

#[tokio::test]
async fn a_draft_that_is_published_is_live_and_one_that_is_discarded_is_gone() {
    let house = House::new().await;
    let id = ready(&house).await;
    update(&house, json!({"connectionId": id, "everyMinutes": 7})).await;
    let (draft, before) = seen(&house, &id, "version everyMinutes preferredSide").await;
    assert_eq!(draft["configuration"]["everyMinutes"], json!(7));
    assert_ne!(before["everyMinutes"], json!(7));
    let input = json!({
        "connectionId": id, "reviewToken": reviewed(&house, &id).await, "acknowledgements": SAID,
    });
    let answer = "connection { configuration { version everyMinutes preferredSide } }";
    let done = house.act("draftPublish", "DraftPublishInput", answer, input.clone()).await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
    let version = before["version"].as_u64().unwrap() + 1;
    let published = json!({"version": version, "everyMinutes": 7, "preferredSide": "LEFT"});
    assert_eq!(done["connection"]["configuration"], published);
    let (draft, live) = seen(&house, &id, "version everyMinutes preferredSide").await;
    assert_eq!(live, published);
    assert_eq!((&draft["edit"], &draft["basedOn"]), (&json!(0), &json!(version)));
    // There is no draft any more that could be published again.
    let done = house.act("draftPublish", "DraftPublishInput", answer, input).await;
    assert!(!code(&done).is_empty(), "{done}");

    update(&house, json!({"connectionId": id, "everyMinutes": 9})).await;
    let query =
        "mutation($id: ID!) { draftDiscard(connectionId: $id) { done userErrors { code } } }";
    let done = house.ask(query, json!({ "id": id })).await;
    assert_eq!(done["draftDiscard"], json!({"done": true, "userErrors": []}));
    let (draft, live) = seen(&house, &id, "version everyMinutes preferredSide").await;
    assert_eq!(live, published);
    assert_eq!(draft["edit"], json!(0));
    assert_eq!(draft["configuration"], published);
}

#[tokio::test]
async fn one_sync_is_paused_or_cancelled_and_the_other_goes_on() {
    let house = House::new().await;
    let id = started(&house).await;
    let answer = "version everyMinutes syncs { source state }";
    let (_, live) = seen(&house, &id, answer).await;
    assert_eq!(states(&live), ["RUNNING", "RUNNING"]);
    // What somebody works on stays, on top of what is stopped meanwhile.
    update(&house, json!({"connectionId": id, "everyMinutes": 9})).await;
    let stop = |name: &'static str, source: &'static str| {
        let (house, id) = (&house, &id);
        async move {
            let query = format!(
                "mutation($id: ID!, $source: Side!) {{ {name}(connectionId: $id, source: $source) {{ \
                 connection {{ configuration {{ syncs {{ state }} }} }} userErrors {{ code }} }} }}"
            );
            let done = house.ask(&query, json!({ "id": id, "source": source })).await;
            assert_eq!(done[name]["userErrors"], json!([]), "{done}");
            done[name]["connection"]["configuration"].clone()
        }
    };
    assert_eq!(states(&stop("syncPause", "RIGHT").await), ["RUNNING", "PAUSED"]);
    assert_eq!(states(&stop("syncCancel", "LEFT").await), ["DRAFT", "PAUSED"]);
    let (draft, live) = seen(&house, &id, answer).await;
    assert_eq!(states(&live), ["DRAFT", "PAUSED"]);
    assert_ne!(live["everyMinutes"], json!(9));
    assert_eq!(states(&draft["configuration"]), ["DRAFT", "PAUSED"]);
    assert_eq!(draft["configuration"]["everyMinutes"], json!(9));
}

#[tokio::test]
async fn a_schedule_by_the_clock_is_kept_until_it_is_taken_back() {
    let house = House::new().await;
    let id = house.connection().await;
    let wanted = "everyMinutes cron { expression timeZone }";
    let cron = json!({"expression": "0 6,12,18 * * *", "timeZone": "Europe/Madrid"});
    update(&house, json!({"connectionId": id, "cron": cron})).await;
    let (draft, live) = seen(&house, &id, wanted).await;
    assert_eq!(draft["configuration"]["cron"], cron);
    assert_eq!(live["cron"], Json::Null, "it is a draft's");
    update(&house, json!({"connectionId": id, "everyMinutes": 9})).await;
    let (draft, _) = seen(&house, &id, wanted).await;
    assert_eq!(draft["configuration"], json!({"everyMinutes": 9, "cron": cron}), "nobody named it");
    update(&house, json!({"connectionId": id, "cron": null})).await;
    let (draft, _) = seen(&house, &id, wanted).await;
    assert_eq!(draft["configuration"]["cron"], Json::Null);
}

#[tokio::test]
async fn a_schedule_that_cannot_be_kept_is_refused_where_it_is_wrong() {
    let house = House::new().await;
    let id = house.connection().await;
    for (expression, zone, at) in [
        ("every day", "UTC", "expression"),
        ("0 0 6 * * *", "UTC", "expression"),
        ("0 6 30 2 *", "UTC", "expression"),
        ("0 6 * * *", "Europe/Nowhere", "timeZone"),
    ] {
        let cron = json!({"expression": expression, "timeZone": zone});
        let input = json!({"connectionId": id, "cron": cron});
        let done =
            house.act("connectionUpdate", "ConnectionUpdateInput", "draft { edit }", input).await;
        assert_eq!(code(&done), "INVALID", "{expression} {zone}");
        assert_eq!(done["userErrors"][0]["path"], json!(["input", "cron", at]), "{expression}");
    }
    let (draft, _) = seen(&house, &id, "version").await;
    assert_eq!(draft["edit"], json!(0), "nothing was kept");
}

const BRAKE: &str = "brake { deletions { floor percent ceiling } clears { floor percent ceiling } \
                     creates { floor percent ceiling } oneField { floor percent ceiling } }";

#[tokio::test]
async fn how_much_may_happen_in_a_day_is_set_limit_by_limit() {
    let house = House::new().await;
    let id = ready(&house).await;
    let (_, before) = seen(&house, &id, BRAKE).await;
    let few = json!({"floor": 5, "percent": 2, "ceiling": 500});
    assert_eq!(before["brake"]["deletions"], few);
    let creates = json!({"floor": 1000, "percent": 100});
    let brake = json!({"creates": creates, "deletions": {"floor": 0, "percent": 0, "ceiling": 0}});
    update(&house, json!({"connectionId": id, "brake": brake})).await;
    let (draft, live) = seen(&house, &id, BRAKE).await;
    assert_eq!(live, before, "nothing is live before it is published");
    let expected = json!({
        "deletions": {"floor": 0, "percent": 0, "ceiling": 0},
        "clears": few,
        "creates": {"floor": 1000, "percent": 100, "ceiling": null},
        "oneField": before["brake"]["oneField"],
    });
    assert_eq!(draft["configuration"]["brake"], expected);

    for (wrong, name) in [
        (json!({"clears": {"floor": 1, "percent": 101}}), "clears"),
        (json!({"oneField": {"floor": 7, "percent": 1, "ceiling": 6}}), "oneField"),
    ] {
        let input = json!({"connectionId": id, "brake": wrong});
        let answer = "draft { edit }";
        let done = house.act("connectionUpdate", "ConnectionUpdateInput", answer, input).await;
        let error = &done["userErrors"][0];
        assert_eq!(code(&done), "INVALID", "{done}");
        assert_eq!(error["path"], json!(["input", "brake", name]), "{done}");
    }
    assert_eq!(seen(&house, &id, BRAKE).await.0["configuration"]["brake"], expected);
}

#[tokio::test]
async fn entries_that_write_the_same_set_have_ids_of_their_own() {
    let house = House::new().await;
    let id = ready(&house).await;
    let mapping = "syncs { source mapping { id target function } }";
    let set = async |entries: Json| {
        let input = json!({"connectionId": id, "source": "LEFT", "entries": entries});
        house.act("mappingSet", "MappingSetInput", "draft { edit }", input).await
    };
    let tags = json!([
        {"target": "Tag", "inputs": ["tags"]},
        {"target": "Tag", "function": "CONSTANT", "constant": {"texts": ["from Kommo"]}},
    ]);
    // However often it is said: each keeps its id, and with it what is remembered for it.
    for _ in 0..2 {
        let done = set(tags.clone()).await;
        assert_eq!(done["userErrors"], json!([]), "{done}");
        let (draft, _) = seen(&house, &id, mapping).await;
        let entries = draft["configuration"]["syncs"][0]["mapping"].as_array().unwrap().clone();
        let ids: Vec<&str> = entries
            .iter()
            .filter(|entry| entry["target"] == "Tag")
            .map(|entry| entry["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["right.Tag", "right.Tag.2"]);
    }
    // Who names an id changes that entry, whatever it wrote before.
    let done = set(json!([{"id": "right.Tag.2", "target": "Title", "inputs": ["POSITION"]}])).await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
    let (draft, _) = seen(&house, &id, mapping).await;
    let entries = draft["configuration"]["syncs"][0]["mapping"].as_array().unwrap().clone();
    let named: Vec<&Json> = entries.iter().filter(|entry| entry["id"] == "right.Tag.2").collect();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["target"], "Title");
    let twice = set(json!([
        {"id": "one", "target": "Tag", "inputs": ["tags"]},
        {"id": "one", "target": "Title", "inputs": ["POSITION"]},
    ]))
    .await;
    assert_eq!(code(&twice), "INVALID", "{twice}");
}
