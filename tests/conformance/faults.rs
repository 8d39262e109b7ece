//! What goes wrong, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use concord::connectors::{ErrorKind, Retry, Write, Written};
use concord::record::{Conversion, ObjectName, Semantic};

use crate::house::{Excused, Fault, House, Person};

type Outcome = Result<(), Excused>;

const NO_WIRE: Excused = Excused("no wire: the app is in this process");

pub async fn wrong_credentials_are_said_to_be_wrong(house: House) -> Outcome {
    let Some(connect) = house.judge.connect_wrongly() else { return Err(NO_WIRE) };
    let error = connect.await;
    assert!(matches!(error.kind, ErrorKind::Unauthorised | ErrorKind::Config), "{error}");
    assert!(error.advice.is_some(), "it does not say what to do");
    Ok(())
}

pub async fn an_answer_that_is_lost_is_unknown_and_not_an_error(house: House) -> Outcome {
    house.read_nothing().await;
    if !house.judge.order(Fault::LostAfter) {
        return Err(NO_WIRE);
    }
    let writes = [house.create(&Person::number(1)), house.create(&Person::number(2))];
    let answers = house.connector.apply(&writes).await.unwrap();
    assert!(answers.iter().all(|a| matches!(a, Written::Unknown { .. })), "{answers:?}");
    assert_eq!(house.judge.count(), 2, "it was done");
    Ok(())
}

pub async fn a_request_that_is_lost_is_unknown_and_nothing_was_made(house: House) -> Outcome {
    house.read_nothing().await;
    if !house.judge.order(Fault::LostBefore) {
        return Err(NO_WIRE);
    }
    let answers = house.connector.apply(&[house.create(&Person::number(1))]).await.unwrap();
    assert!(matches!(&answers[..], [Written::Unknown { .. }]), "{answers:?}");
    assert_eq!(house.judge.count(), 0);
    Ok(())
}

/// A conversion that breaks down is one that is looked at again, and nothing to stop for.
pub async fn a_conversion_that_breaks_down_stops_nothing(house: House) -> Outcome {
    let ways = house.connector.capability().converts;
    let Some((_, object)) = ways.iter().find(|(from, _)| *from == house.object.as_str()) else {
        return Err(Excused("nothing becomes something else"));
    };
    let ids = [0, 1].map(|number| house.judge.add(&Person::number(number)));
    let writes = ids.clone().map(|id| Write {
        becomes: Some(Conversion { object: ObjectName::new(*object), into: None }),
        ..house.update(&id, BTreeMap::new())
    });
    house.read_nothing().await;
    if !house.judge.order(Fault::Broken) {
        return Err(NO_WIRE);
    }
    let answers = house.connector.apply(&writes).await.unwrap();
    let [Written::Later { .. } | Written::Unknown { .. }, Written::Applied { .. }] = &answers[..]
    else {
        panic!("{answers:?}");
    };
    Ok(())
}

pub async fn a_read_that_fails_may_be_tried_again(house: House) -> Outcome {
    house.judge.add(&Person::number(1));
    for fault in [Fault::Broken, Fault::LostBefore, Fault::LostAfter] {
        if !house.judge.order(fault) {
            return Err(NO_WIRE);
        }
        let error = house.connector.changes(&house.query(), None).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Later), "{error}");
    }
    assert_eq!(house.walk(None).await.seen.len(), 1);
    Ok(())
}

pub async fn nobody_asks_sooner_than_told(house: House) -> Outcome {
    house.judge.add(&Person::number(1));
    house.read_nothing().await;
    if house.judge.requests().is_none() {
        return Err(NO_WIRE);
    }
    let before = house.judge.requests().unwrap();
    house.walk(None).await;
    let walk = house.judge.requests().unwrap() - before;
    assert!(house.judge.order(Fault::TooMany { seconds: 2 }));
    let before = house.judge.requests().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the pace is kept in real time here")]
    let start = Instant::now();
    assert_eq!(house.walk(None).await.seen.len(), 1, "it goes through in the end");
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!(house.judge.requests().unwrap() - before, walk + 1, "once refused, then answered");
    // A pause that is too long to be waited for is said, with its end; nobody asks meanwhile.
    assert!(house.judge.order(Fault::TooMany { seconds: 300 }));
    let error = house.connector.changes(&house.query(), None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RateLimited);
    assert!(matches!(error.retry, Retry::At(_)), "{:?}", error.retry);
    let before = house.judge.requests().unwrap();
    assert!(house.connector.changes(&house.query(), None).await.is_err());
    assert_eq!(house.judge.requests().unwrap(), before);
    Ok(())
}

pub async fn a_key_that_runs_out_is_replaced_once_for_all(house: House) -> Outcome {
    house.judge.add(&Person::number(1));
    house.read_nothing().await;
    let before = house.judge.token_requests();
    // Two keys in quick succession are not asked for.
    house.pass(120);
    if !house.judge.expire_keys() {
        return Err(Excused("renews_keys"));
    }
    let query = house.query();
    let (one, two) =
        tokio::join!(house.connector.changes(&query, None), house.connector.changes(&query, None));
    assert_eq!((one.unwrap().changes.len(), two.unwrap().changes.len()), (1, 1));
    assert_eq!(house.judge.token_requests() - before, 1);
    Ok(())
}

pub async fn a_refused_key_without_another_needs_reconnecting(house: House) -> Outcome {
    house.pass(120);
    if !house.judge.revoke() {
        return Err(NO_WIRE);
    }
    let error = house.connector.check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Unauthorised, Retry::Never), "{error}");
    let before = house.judge.token_requests();
    for _ in 0..5 {
        assert!(house.connector.check().await.is_err());
    }
    assert!(house.judge.token_requests() - before <= 5, "token endpoints are throttled");
    Ok(())
}

pub async fn an_answer_beyond_all_bounds_is_refused(house: House) -> Outcome {
    if !house.judge.order(Fault::Endless) {
        return Err(NO_WIRE);
    }
    let error = house.connector.changes(&house.query(), None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    Ok(())
}

pub async fn the_rate_is_held_before_the_app_complains(house: House) -> Outcome {
    // By the real clock: requests that were sent apart may arrive together where the machine pauses. An
    // app that is asked too fast complains each time.
    let mut refused = 0;
    for _ in 0..3 {
        let Some(strict) = house.judge.strict() else { return Err(NO_WIRE) };
        refused = refusals_of_many(strict.await).await;
        if refused == 0 {
            return Ok(());
        }
    }
    panic!("{refused} requests came too fast");
}

/// How many of many requests at once an app refuses because they come too fast.
async fn refusals_of_many(house: House) -> usize {
    let house = std::sync::Arc::new(house);
    house.judge.add(&Person::number(1));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let house = house.clone();
        tasks.spawn(async move { house.connector.changes(&house.query(), None).await });
    }
    while let Some(read) = tasks.join_next().await {
        assert_eq!(read.unwrap().unwrap().changes.len(), 1);
    }
    house.judge.refused_for_rate()
}

pub async fn errors_tell_no_secret_and_no_address(house: House) -> Outcome {
    let email = "tell-nobody@example.com";
    let mut forbidden: BTreeSet<String> = house.judge.secrets().into_iter().collect();
    forbidden.insert(email.to_owned());
    let mut said = Vec::new();
    let mut write = house.create(&Person { email: email.into(), ..Person::number(1) });
    let too_long = concord::record::Value::Text(format!("{email} ").repeat(40_000));
    write.fields.insert(house.field(Semantic::JobTitle), too_long);
    match house.connector.apply(&[write]).await {
        // The words of what was written are an answer, not an error.
        Ok(answers) => said.extend(answers.into_iter().filter_map(|answer| match answer {
            Written::Applied { .. } => None,
            other => Some(format!("{other:?}")),
        })),
        Err(error) => said.push(format!("{error} {error:?}")),
    }
    for fault in [Fault::Broken, Fault::LostBefore] {
        if house.judge.order(fault) {
            let lookups = [concord::connectors::Lookup {
                kind: concord::record::FieldType::Email,
                value: email.to_owned(),
            }];
            let error = house.connector.find(&house.query(), &lookups.into()).await.unwrap_err();
            said.push(format!("{error} {error:?}"));
        }
    }
    for words in said {
        for secret in &forbidden {
            assert!(!words.contains(secret.as_str()), "{words}");
        }
    }
    Ok(())
}

pub async fn a_call_that_is_given_up_leaves_the_connector_whole(house: House) -> Outcome {
    for n in 0..5 {
        house.judge.add(&Person::number(n));
    }
    for micros in [1, 200, 500, 1000, 2000, 4000] {
        let query = house.query();
        let call = house.connector.changes(&query, None);
        let _ = tokio::time::timeout(Duration::from_micros(micros), call).await;
    }
    assert_eq!(house.walk(None).await.seen.len(), 5);
    Ok(())
}

impl House {
    /// What is asked for once and then known, such as the fields, is asked for now.
    async fn read_nothing(&self) {
        let _ = self.connector.check().await;
        self.walk(None).await;
    }
}
