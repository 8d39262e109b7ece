//! Many notifications about few people.

use concord::net::{Http, Method, Request};
use serde_json::Value as Json;
use tokio::time::{Duration, sleep};

use crate::house::{House, spawn, until, writes};

const PEOPLE: usize = 50;
const ROUNDS: usize = 40;
/// How many are posted at a time.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_notifications_about_few_people_writes_each_of_them_about_once() {
    let (house, connected) = House::running("storm", 200).await;
    let people: Vec<u64> = house.linked().into_iter().map(|(left, _)| left).take(PEOPLE).collect();
    assert_eq!(people.len(), PEOPLE, "as many were in both apps from the start");
    let before = house.newest(&connected.id).await;
    house.town.zoho.forget_requests();
    let kommo = &house.town.kommo;
    // Half of them one field and half of them another: no field changes in half of all people.
    for round in 1..=ROUNDS {
        for (number, id) in people.iter().enumerate() {
            let words = format!("Storm {number}, round {round}.");
            if number % 2 == 0 { house.titles(*id, &words) } else { house.moves(*id, &words) }
        }
    }
    // Some are on their way already.
    let letters = kommo.due_deliveries();
    let chunk = letters.len().div_ceil(AT_ONCE).max(1);
    let carriers: Vec<_> = letters
        .chunks(chunk)
        .map(|letters| {
            let (letters, kommo) = (letters.to_vec(), kommo.clone());
            spawn(async move {
                let http = Http::new().unwrap();
                for letter in letters {
                    loop {
                        let request = Request::new(Method::Post, letter.url.as_str())
                            .body(letter.content_type, letter.body.clone());
                        let status = http.send(request).await.unwrap().status;
                        if status == 200 {
                            kommo.answered(letter.id, Some(status));
                            break;
                        }
                        assert_eq!(status, 503, "it is told to send it again, and nothing else");
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            })
        })
        .collect();
    for carrier in carriers {
        carrier.await.unwrap();
    }
    until(|| {
        let all = Json::from(house.town.zoho.contacts()).to_string();
        (0..PEOPLE).all(|number| all.contains(&format!("Storm {number}, round {ROUNDS}.")))
    })
    .await;
    house.still(&connected.id).await;

    assert!(kommo.due_deliveries().is_empty(), "all were posted");

    let is_write = |method: &str, path: &str| method != "GET" && path.contains("/Contacts");
    let requests = house.town.zoho.requests();
    let requests = requests.iter().filter(|asked| is_write(&asked.method, &asked.path)).count();
    let runs = house.runs_after(&connected.id, &before).await;
    let written = writes(&runs, "RIGHT");
    let most = PEOPLE * 11 / 10;
    assert!(requests > 0 && requests <= most, "{requests} requests that write");
    assert!(written <= most as u64, "{written} records written");
    house.stop().await;
}
