//! The demo as a program: the one object that it prints for others to read, and its exit status.

use std::collections::BTreeSet;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use concord::lab::people::{Kind, people};
use concord::net::{Http, Method, Request};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::demo::{PATIENCE, free_ports};

const PEOPLE: u32 = 60;
const SEED: u64 = 1;

/// How often somebody types while the demo goes on: far more often than anything is read.
const TYPE_EVERY: Duration = Duration::from_millis(20);

/// Starts the demo.
fn start(more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let (contacts, seed) = (PEOPLE.to_string(), SEED.to_string());
    command.args(["demo", "--once", "--json", "--contacts", &contacts, "--seed", &seed]).args(more);
    command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for it to end, and does something else meanwhile.
async fn ended(mut child: Child, meanwhile: impl Future<Output = ()>) -> Output {
    let over = async {
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("it does not end");
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = over => {}
        () = async { meanwhile.await; std::future::pending().await } => {}
    }
    child.wait_with_output().unwrap()
}

/// The one object on its standard output.
fn printed(output: &Output) -> Json {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let line = text.strip_suffix('\n').unwrap_or_else(|| panic!("{output:?}"));
    assert!(!line.contains('\n'), "more than one line: {text}");
    serde_json::from_str(line).unwrap()
}

/// Whether it has the shape of an example: the same keys, and values of the same types. An empty
/// object of the example stands for any names with numbers, an empty list for any.
fn assert_shape(told: &Json, example: &Json, at: &str) {
    match (told, example) {
        (Json::Object(told), Json::Object(example)) if example.is_empty() => {
            assert!(told.values().all(Json::is_u64), "{at}: {told:?}");
        }
        (Json::Object(told), Json::Object(example)) => {
            let keys = |all: &serde_json::Map<String, Json>| -> BTreeSet<String> {
                all.keys().cloned().collect()
            };
            assert_eq!(keys(told), keys(example), "{at}");
            for (key, example) in example {
                assert_shape(&told[key], example, &format!("{at}.{key}"));
            }
        }
        (Json::Number(told), Json::Number(example)) => {
            assert_eq!(told.is_u64(), example.is_u64(), "{at}: {told}");
        }
        (Json::String(_), Json::String(_))
        | (Json::Bool(_), Json::Bool(_))
        | (Json::Array(_), Json::Array(_)) => {}
        _ => panic!("{at}: {told} in place of something like {example}"),
    }
}

/// What the object looks like.
fn example() -> Json {
    let side = json!({
        "app": "kommo", "read": 1, "created": 1, "updated": 1, "tagged": 1, "calls": 1,
    });
    json!({
        "people": 1, "reasons": {}, "left": side, "right": side,
        "items": {
            "linked": 1, "in_sync": 1, "updated": 1, "created": 1, "skipped": {},
            "ambiguous": 1, "duplicate": 1, "conflict": 1, "failed": 1,
        },
        "seconds": { "first_run": 0.1, "no_change_run": 0.1, "webhook_to_write": 0.1 },
        "converged": true, "differences": [],
    })
}

/// All keys of the example, with those of the objects in it.
fn keys(example: &Json, found: &mut BTreeSet<String>) {
    for (key, value) in example.as_object().into_iter().flatten() {
        found.insert(key.clone());
        keys(value, found);
    }
}

#[tokio::test]
async fn one_object_with_known_keys_is_all_that_is_printed_and_the_status_is_0() {
    let output = ended(start(&[]), std::future::ready(())).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = printed(&output);
    assert_shape(&told, &example(), "the object");

    let people = people(PEOPLE, SEED);
    assert_eq!((&told["converged"], &told["differences"]), (&json!(true), &json!([])));
    assert_eq!(told["people"], json!(PEOPLE));
    assert_eq!(told["reasons"], json!(people.reasons()));
    assert_eq!((&told["left"]["app"], &told["right"]["app"]), (&json!("kommo"), &json!("zoho")));
    let (left, right) = people.expected_created();
    assert!(left > 0 && right > 0);
    let created = |side: &str| told[side]["created"].as_u64().unwrap();
    assert_eq!((created("left"), created("right")), (left, right));
    let read = |side: &str| told[side]["read"].as_u64().unwrap();
    let there = people.people.iter().map(|person| (person.left.len(), person.right.len()));
    let there = there.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert_eq!((read("left"), read("right")), (there.0 as u64, there.1 as u64));
    assert!(told["seconds"]["webhook_to_write"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn a_value_that_differs_in_the_end_is_named_and_the_status_is_1() {
    // Somebody in both apps whom the demo does not edit.
    let people = people(PEOPLE, SEED).people.into_iter();
    let mut linked = people.filter(|person| {
        person.kind == Kind::Plain && person.left.len() == 1 && person.right.len() == 1
    });
    let victim = linked.next_back().unwrap();
    let address = victim.right[0]["Email"].as_str().unwrap().to_owned();
    let [_, port] = free_ports().await;
    let zoho = format!("http://127.0.0.1:{port}/_emulator/contacts");
    let http = Http::new().unwrap();
    let contacts = || async {
        let answer = http.send(Request::new(Method::Get, zoho.as_str())).await.ok()?;
        serde_json::from_slice::<Vec<Json>>(&answer.body).ok()
    };
    // From the first edits on, until after the last check, the city is typed anew all the time: by
    // when it has come to the other side, it is another.
    let typing = async {
        let id = loop {
            let all = contacts().await.unwrap_or_default();
            let text = |one: &Json, field: &str| one[field].as_str().unwrap_or_default().to_owned();
            if all.iter().any(|one| text(one, "Title").starts_with("Edited on the left")) {
                break text(all.iter().find(|one| text(one, "Email") == address).unwrap(), "id");
            }
            sleep(TYPE_EVERY).await;
        };
        for number in 0.. {
            let city = json!({ "Mailing_City": format!("Secret city {number}") }).to_string();
            let request =
                Request::new(Method::Patch, format!("{zoho}/{id}")).body("application/json", city);
            if http.send(request).await.is_err() {
                break;
            }
            sleep(TYPE_EVERY).await;
        }
    };
    let output = ended(start(&["--zoho-port", &port.to_string()]), typing).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = printed(&output);
    assert_shape(&told, &example(), "the object");
    assert_eq!(told["converged"], json!(false));
    let person = address.trim().to_lowercase();
    let difference = json!({ "person": person, "field": "city", "problem": "differs" });
    assert_eq!(told["differences"], json!([difference]));
    assert!(!told.to_string().contains("Secret"), "no value is told");
}

#[test]
fn the_book_names_every_key_of_the_object() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/demo.md")).unwrap();
    let mut named = BTreeSet::from(["person", "field", "problem"].map(str::to_owned));
    keys(&example(), &mut named);
    for key in named {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
}
