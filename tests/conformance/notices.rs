//! Notifications: registering for them, and what comes.

use std::collections::BTreeSet;

use concord::connectors::{Address, Delivery, ErrorKind, Noticed, Unreadable};
use concord::ports::Clock as _;
use concord::record::{ObjectName, RemoteId};
use secrecy::{ExposeSecret, SecretString};

use crate::house::{Excused, House, Person};

type Outcome = Result<(), Excused>;

const NO_WIRE: Excused = Excused("no wire: the app is in this process");

const DAY: u64 = 86_400;

fn address(house: &House) -> Address {
    Address {
        url: "https://sync.example.com/webhooks/app/endpoint/secret?a=1&b=[2]".to_owned(),
        token: SecretString::from("what-only-the-app-and-we-know"),
        objects: [house.object.clone()].into(),
        channel: "1000000068001".to_owned(),
    }
}

impl House {
    fn noticed(&self, id: RemoteId) -> Noticed {
        Noticed { object: self.object.clone(), id }
    }

    /// What the app posts by now, as its connector reads it.
    async fn notices(&self) -> Result<Vec<Noticed>, Excused> {
        let (Some(app), Some(posts)) = (self.app, self.judge.take_posts()) else {
            return Err(NO_WIRE);
        };
        let remote_id = self.connector.check().await.unwrap().remote_id;
        let address = address(self);
        let mut noticed = Vec::new();
        for post in posts {
            assert_eq!(post.url, address.url);
            let delivery = Delivery {
                content_type: &post.content_type,
                body: &post.body,
                token: address.token.expose_secret(),
                remote_id: &remote_id,
            };
            noticed.extend(app.notices(&delivery).unwrap());
        }
        Ok(noticed)
    }
}

pub async fn a_subscription_is_told_as_it_was_given(house: House) -> Outcome {
    let address = address(&house);
    assert_eq!(house.connector.subscription(&address).await.unwrap(), None);
    let given = house.connector.subscribe(&address).await.unwrap();
    assert!(!given.remote_id.is_empty());
    assert!(!given.is_disabled);
    assert_eq!(house.connector.subscription(&address).await.unwrap(), Some(given));
    let elsewhere = Address { url: "https://elsewhere.example.com/".to_owned(), ..address };
    assert_eq!(house.connector.subscription(&elsewhere).await.unwrap(), None);
    Ok(())
}

pub async fn subscribing_twice_leaves_one(house: House) -> Outcome {
    let address = address(&house);
    let first = house.connector.subscribe(&address).await.unwrap();
    let second = house.connector.subscribe(&address).await.unwrap();
    assert_eq!(first, second);
    let id = house.judge.add(&Person::number(1));
    // Had there been two, one would be left, or one more told.
    let told = house.notices().await;
    house.connector.unsubscribe(&address).await.unwrap();
    assert_eq!(house.connector.subscription(&address).await.unwrap(), None);
    assert_eq!(told?, [house.noticed(id)]);
    Ok(())
}

pub async fn what_a_person_does_in_the_app_is_noticed(house: House) -> Outcome {
    let known = house.judge.add(&Person::number(1));
    house.connector.subscribe(&address(&house)).await.unwrap();
    assert_eq!(house.notices().await?, [], "before, nobody was told");
    let new = house.judge.add(&Person::number(2));
    assert_eq!(house.notices().await?, [house.noticed(new)]);
    house.judge.retitle(&known, "Another title");
    assert_eq!(house.notices().await?, [house.noticed(known.clone())]);
    house.judge.remove(&known);
    assert_eq!(house.notices().await?, [house.noticed(known)]);
    Ok(())
}

pub async fn what_we_write_may_be_noticed_and_names_the_record(house: House) -> Outcome {
    house.connector.subscribe(&address(&house)).await.unwrap();
    let writes = [house.create(&Person::number(1)), house.create(&Person::number(2))];
    let mut ids = BTreeSet::new();
    for write in writes {
        ids.insert(house.noticed(house.apply(write).await));
    }
    let told: BTreeSet<Noticed> = house.notices().await?.into_iter().collect();
    assert!(told.is_subset(&ids), "{told:?}");
    Ok(())
}

pub async fn a_notification_of_somebody_else_is_refused(house: House) -> Outcome {
    house.connector.subscribe(&address(&house)).await.unwrap();
    house.judge.add(&Person::number(1));
    let (Some(app), Some(posts)) = (house.app, house.judge.take_posts()) else {
        return Err(NO_WIRE);
    };
    assert_eq!(posts.len(), 1);
    for token in ["", "what-only-the-app-and-we-kno", "what-only-the-app-and-we-knew"] {
        for remote_id in ["", "0", "another"] {
            let (content_type, body) = (posts[0].content_type.as_str(), &posts[0].body[..]);
            let delivery = Delivery { content_type, body, token, remote_id };
            let error = app.notices(&delivery).unwrap_err();
            assert!(matches!(error, Unreadable::Foreign | Unreadable::WrongToken), "{error}");
        }
    }
    Ok(())
}

pub async fn what_is_no_notification_is_malformed(house: House) -> Outcome {
    let Some(app) = house.app else { return Err(NO_WIRE) };
    let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let bodies: [&[u8]; 8] = [
        b"",
        b"\0",
        &binary,
        br#"{"ids":["1","2"],"module":"Contacts","#,
        b"contacts[add][0][id]=1",
        b"<html></html>",
        b"[]",
        &b"[".repeat(1024 * 1024),
    ];
    for content_type in ["", "application/json", "application/x-www-form-urlencoded"] {
        for body in bodies {
            let delivery = Delivery { content_type, body, token: "token", remote_id: "1" };
            let error = app.notices(&delivery).unwrap_err();
            assert_eq!(error, Unreadable::Malformed, "{}", body.len());
        }
    }
    Ok(())
}

pub async fn unsubscribing_stops_notifications(house: House) -> Outcome {
    let address = address(&house);
    house.connector.unsubscribe(&address).await.unwrap();
    house.connector.subscribe(&address).await.unwrap();
    house.connector.unsubscribe(&address).await.unwrap();
    assert_eq!(house.connector.subscription(&address).await.unwrap(), None);
    house.connector.unsubscribe(&address).await.unwrap();
    house.judge.add(&Person::number(1));
    assert_eq!(house.notices().await?, []);
    Ok(())
}

pub async fn an_object_that_the_app_has_not_cannot_be_subscribed_to(house: House) -> Outcome {
    let objects = [ObjectName::new("nothings")].into();
    let error = house.connector.subscribe(&Address { objects, ..address(&house) }).await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::Unsupported);
    Ok(())
}

pub async fn a_subscription_that_ends_can_be_prolonged_and_made_anew(house: House) -> Outcome {
    let address = address(&house);
    let expires_at = house.connector.subscribe(&address).await.unwrap().expires_at;
    let life = house.app.and_then(|app| app.about().notifications.life);
    assert_eq!(life.is_some(), expires_at.is_some());
    let (Some(ends), Some(life)) = (expires_at, life) else {
        return Err(Excused("subscriptions have no end"));
    };
    let left = ends.duration_since(house.clock.now());
    let shorter = life.as_secs().cast_signed() - left.as_secs();
    assert!((0..=1).contains(&shorter), "the catalogue says {life:?}, and it is {left:?}");
    assert!(left.as_secs() > 2 * 86_400, "too short to be prolonged once a day: {left:?}");
    house.pass(DAY);
    let prolonged = house.connector.subscribe(&address).await.unwrap();
    assert!(prolonged.expires_at.unwrap() > ends);
    assert_eq!(house.connector.subscription(&address).await.unwrap(), Some(prolonged));
    house.pass(30 * DAY);
    assert_eq!(house.connector.subscription(&address).await.unwrap(), None);
    house.connector.subscribe(&address).await.unwrap();
    let id = house.judge.add(&Person::number(1));
    assert_eq!(house.notices().await?, [house.noticed(id)]);
    Ok(())
}

pub async fn a_subscription_that_ends_while_it_is_prolonged_is_made_anew(house: House) -> Outcome {
    let address = address(&house);
    house.connector.subscribe(&address).await.unwrap();
    if !house.judge.forget_at_renewal() {
        return Err(Excused("subscriptions have no end"));
    }
    let anew = house.connector.subscribe(&address).await.unwrap();
    assert_eq!(house.connector.subscription(&address).await.unwrap(), Some(anew));
    Ok(())
}

pub async fn a_subscription_that_the_app_gave_up_is_told_and_put_right(house: House) -> Outcome {
    let address = address(&house);
    house.connector.subscribe(&address).await.unwrap();
    if !house.judge.give_up_posting() {
        return Err(Excused("the app gives no subscription up"));
    }
    assert!(house.connector.subscription(&address).await.unwrap().unwrap().is_disabled);
    house.judge.add(&Person::number(1001));
    assert_eq!(house.notices().await?, [], "it is silent");
    assert!(!house.connector.subscribe(&address).await.unwrap().is_disabled);
    assert!(!house.connector.subscription(&address).await.unwrap().unwrap().is_disabled);
    let id = house.judge.add(&Person::number(1002));
    assert_eq!(house.notices().await?, [house.noticed(id)]);
    Ok(())
}
