//! Who is answered.

use std::sync::Arc;
use std::time::Duration;

use concord::auth::{Principal, Role, Tokens};
use concord::net::{Method, Request};
use concord::ports::ManualClock;
use concord::store::WorkspaceId;
use jiff::Timestamp;

use crate::house::{ADD, House, JSON, KEY, Reply, START};

impl House {
    async fn add_as(&self, authorization: String) -> Reply {
        let request = Request::new(Method::Post, self.url("/graphql")).body(JSON, ADD);
        self.send(request.authorization(authorization.into())).await
    }
}

/// A token of a server with another key, or of another time.
fn made_elsewhere(key: &[u8; 32], second: i64) -> String {
    let clock = Arc::new(ManualClock::at(Timestamp::from_second(second).unwrap()));
    let workspace = WorkspaceId(uuid::Uuid::from_u128(7));
    let principal = Principal { workspace, subject: "eve".to_owned(), role: Role::Owner };
    Tokens::new(key, clock).issue(&principal, Duration::from_secs(600)).unwrap()
}

#[tokio::test]
async fn whoever_has_a_token_is_answered() {
    let house = House::open().await;
    assert_eq!(house.ask("mutation { add }").await.data()["add"], 1);
    assert_eq!(house.writes(), 1);
}

#[tokio::test]
async fn whoever_has_no_token_is_told_how_to_get_one() {
    let house = House::open().await;
    let request = Request::new(Method::Post, house.url("/graphql")).body(JSON, ADD);
    let reply = house.send(request).await;
    reply.is_refused(401, "UNAUTHENTICATED");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    assert!(reply.message().contains("concord token"));
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let house = House::open().await;
    let reply = house.add_as(format!("Bearer {}", made_elsewhere(&[8; 32], START))).await;
    reply.is_refused(401, "UNAUTHENTICATED");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn an_expired_token_is_refused_and_says_so() {
    let house = House::open().await;
    let token = house.token();
    house.clock.advance(Duration::from_secs(611));
    let reply = house.add_as(format!("Bearer {token}")).await;
    reply.is_refused(401, "UNAUTHENTICATED");
    assert!(reply.message().contains("expired"));
    house
        .add_as(format!("Bearer {}", made_elsewhere(&KEY, START - 86_400)))
        .await
        .is_refused(401, "UNAUTHENTICATED");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_token_is_believed_in_its_own_scheme_only() {
    let house = House::open().await;
    let token = house.token();
    for value in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer \"{token}\""),
        "Bearer".to_owned(),
        "Bearer null".to_owned(),
    ] {
        house.add_as(value).await.is_refused(401, "UNAUTHENTICATED");
    }
    assert_eq!(house.writes(), 0);
    assert_eq!(house.add_as(format!("bearer {token}")).await.status, 200);
}

#[tokio::test]
async fn of_two_tokens_none_is_believed() {
    let house = House::open().await;
    let second = format!("authorization: Bearer {}", house.token_of("eve", 8));
    let reply = house.post_raw(&["content-type: application/json", &second], ADD).await;
    reply.is_refused(401, "UNAUTHENTICATED");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_token_in_the_address_is_not_looked_at() {
    let house = House::open().await;
    for name in ["token", "access_token", "authorization"] {
        let url = house.url(&format!("/graphql?{name}={}", house.token()));
        let reply = house.send(Request::new(Method::Post, url).body(JSON, ADD)).await;
        reply.is_refused(401, "UNAUTHENTICATED");
    }
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn the_workspace_is_the_one_of_the_token_and_no_other() {
    let house = House::open().await;
    for (subject, workspace) in [("ana", 7), ("eve", 8)] {
        let value = format!("Bearer {}", house.token_of(subject, workspace));
        let request = Request::new(Method::Post, house.url("/graphql?workspace=9"))
            .authorization(value.into())
            .header("x-workspace", "9")
            .body(JSON, r#"{"query":"{ me }","variables":{"workspace":9}}"#);
        let me = house.send(request).await.data()["me"].clone();
        assert_eq!(me, format!("{subject} in ws_{workspace:032x}"));
    }
}
