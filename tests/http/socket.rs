//! Subscriptions over a WebSocket: who may open one, what may be asked there, and when it is closed.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::house::House;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(20);
const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

struct Socket(WebSocketStream<TcpStream>);

/// What came over a socket last.
#[derive(Debug, PartialEq)]
enum Came {
    Message(Value),
    Closed(u16, String),
}

impl House {
    /// Opens a socket with these headers, or tells the status with which it is refused.
    async fn socket_with(&self, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let mut request =
            self.url("/graphql/ws").replace("http:", "ws:").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_async(request, self.line().await).await {
            Ok((stream, _)) => Ok(Socket(stream)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn socket(&self) -> Socket {
        self.socket_with(&[PROTOCOL]).await.unwrap_or_else(|status| panic!("{status}"))
    }

    /// A socket of somebody who was let in.
    async fn socket_of(&self, token: &str) -> Socket {
        let mut socket = self.socket().await;
        socket.say(json!({ "type": "connection_init", "payload": bearer(token) })).await;
        assert_eq!(socket.next().await, Came::Message(json!({ "type": "connection_ack" })));
        socket
    }
}

impl Socket {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn follow(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    async fn next(&mut self) -> Came {
        loop {
            match timeout(PATIENCE, self.0.next()).await.unwrap().unwrap().unwrap() {
                Message::Text(text) => return Came::Message(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(frame)) => {
                    return Came::Closed(frame.code.into(), frame.reason.to_string());
                }
                _ => {}
            }
        }
    }

    async fn message(&mut self) -> Value {
        match self.next().await {
            Came::Message(message) => message,
            closed @ Came::Closed(..) => panic!("{closed:?}"),
        }
    }

    async fn closes_with(mut self, code: u16) -> String {
        match self.next().await {
            Came::Closed(is, reason) if is == code => reason,
            other => panic!("{other:?}"),
        }
    }
}

fn bearer(token: &str) -> Value {
    json!({ "Authorization": format!("Bearer {token}") })
}

/// The code of the error in an event.
fn code(event: &Value) -> &str {
    event["payload"]["errors"][0]["extensions"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn events_come_as_they_happen_to_whoever_the_token_is_of() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    socket.follow("a", "subscription { count(to: 2) }").await;
    for number in 1..=2 {
        let count = json!({ "data": { "count": format!("{number} for ana") } });
        let event = json!({ "id": "a", "type": "next", "payload": count });
        assert_eq!(socket.message().await, event);
    }
    assert_eq!(socket.message().await, json!({ "id": "a", "type": "complete" }));
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.message().await["type"], "pong");
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token_that_is_good() {
    let house = House::open().await;
    for payload in [json!({}), json!({ "Authorization": "Basic YTpi" }), bearer("eyJ.no.token")] {
        let mut socket = house.socket().await;
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert!(socket.closes_with(4403).await.contains("token"));
    }
    let mut socket = house.socket().await;
    socket.follow("a", "subscription { count(to: 2) }").await;
    socket.closes_with(4401).await;
}

#[tokio::test]
async fn who_does_not_say_who_they_are_is_not_waited_for() {
    let house = House::open().await;
    let socket = house.socket().await;
    assert!(socket.closes_with(4408).await.contains("connection_init"));
}

#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let house = House::open().await;
    let token = house.token_for("ana", 7, Duration::from_secs(2));
    // Two clocks may be ten seconds apart.
    house.clock.advance(Duration::from_secs(10));
    let mut socket = house.socket_of(&token).await;
    socket.follow("a", "subscription { wait }").await;
    assert!(socket.closes_with(4403).await.contains("expired"));
}

#[tokio::test]
async fn only_pages_of_the_same_host_open_a_socket() {
    let house = House::open().await;
    let own = house.url("");
    assert!(house.socket_with(&[PROTOCOL, ("origin", &own)]).await.is_ok());
    for other in ["https://evil.example", "null", "http://127.0.0.1"] {
        assert_eq!(house.socket_with(&[PROTOCOL, ("origin", other)]).await.err(), Some(403));
    }
}

#[tokio::test]
async fn no_other_protocol_is_spoken() {
    let house = House::open().await;
    assert_eq!(house.socket_with(&[]).await.err(), Some(400));
    let older = ("sec-websocket-protocol", "graphql-ws");
    assert_eq!(house.socket_with(&[older]).await.err(), Some(400));
    house.get("/graphql/ws").await.is_refused(400, "BAD_REQUEST");
}

#[tokio::test]
async fn queries_and_mutations_are_not_taken() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    for query in
        ["mutation { add }", "{ me }", "subscription A { count(to: 1) } mutation B { add }"]
    {
        socket.follow("a", query).await;
        assert_eq!(code(&socket.message().await), "SUBSCRIPTIONS_ONLY");
        assert_eq!(socket.message().await["type"], "complete");
    }
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn errors_are_masked_and_limits_hold_as_elsewhere() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    socket.follow("a", "subscription { spoil }").await;
    let event = socket.message().await;
    assert_eq!(code(&event), "INTERNAL");
    assert!(!event.to_string().contains("/var/lib"));
    socket.message().await;
    let long = format!("subscription {{ count(to: 1) }} # {}", "x".repeat(16_000));
    socket.follow("b", &long).await;
    assert_eq!(code(&socket.message().await), "LIMIT_EXCEEDED");
}

#[tokio::test]
async fn a_socket_has_twenty_subscriptions_at_a_time() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    for number in 0..20 {
        socket.follow(&number.to_string(), "subscription { wait }").await;
    }
    socket.follow("more", "subscription { count(to: 1) }").await;
    assert_eq!(code(&socket.message().await), "LIMIT_EXCEEDED");
    assert_eq!(socket.message().await["type"], "complete");
    socket.say(json!({ "id": "7", "type": "complete" })).await;
    socket.follow("more", "subscription { count(to: 1) }").await;
    assert_eq!(socket.message().await["payload"]["data"]["count"], "1 for ana");
}

#[tokio::test]
async fn a_subscription_is_to_one_thing() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    let fragment = "fragment F on Subscription { count(to: 1) }";
    for selected in ["a: wait b: wait", "...F", "... on Subscription { wait }"] {
        let more = if selected == "...F" { fragment } else { "" };
        socket.follow("a", &format!("subscription {{ {selected} }} {more}")).await;
        assert_eq!(code(&socket.message().await), "BAD_QUERY", "{selected}");
        assert_eq!(socket.message().await["type"], "complete");
    }
}

#[tokio::test]
async fn strangers_keep_nobody_out_who_is_in() {
    let house = House::open().await;
    let mut own = house.socket_of(&house.token()).await;
    let mut strangers = Vec::new();
    for _ in 0..256 {
        strangers.push(house.socket().await);
    }
    assert_eq!(house.socket_with(&[PROTOCOL]).await.err(), Some(503), "no more of those at once");
    // Nor are those who are in counted among them.
    own.follow("a", "subscription { count(to: 1) }").await;
    assert_eq!(own.message().await["payload"]["data"]["count"], "1 for ana");
    drop(strangers);
}

#[tokio::test]
async fn a_workspace_leaves_places_to_the_others() {
    let house = House::open().await;
    let token = house.token();
    let mut own = Vec::new();
    for _ in 0..64 {
        own.push(house.socket_of(&token).await);
    }
    let mut more = house.socket().await;
    more.say(json!({ "type": "connection_init", "payload": bearer(&token) })).await;
    let reason = more.closes_with(4403).await;
    assert!(reason.contains("too many sockets are open: close some"), "{reason}");
    house.socket_of(&house.token_of("eva", 8)).await;
    // Whoever closes one can open another.
    drop(own.pop());
    let reopened = async {
        loop {
            let mut again = house.socket().await;
            again.say(json!({ "type": "connection_init", "payload": bearer(&token) })).await;
            if matches!(again.next().await, Came::Message(_)) {
                return;
            }
        }
    };
    timeout(PATIENCE, reopened).await.unwrap();
}

#[tokio::test]
async fn who_closes_a_socket_is_told_that_it_is_closed() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    socket.0.close(None).await.unwrap();
    let last = timeout(PATIENCE, socket.0.next()).await.unwrap();
    assert!(matches!(last, Some(Ok(Message::Close(_)))), "{last:?}");
}

#[tokio::test]
async fn many_messages_at_once_are_taken_one_by_one() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    for number in 0..2_000 {
        let payload = json!({ "query": "{ me }" });
        let message = json!({ "id": number.to_string(), "type": "subscribe", "payload": payload });
        socket.0.feed(Message::text(message.to_string())).await.unwrap();
    }
    socket.say(json!({ "type": "ping" })).await;
    let mut before = 0;
    while socket.message().await["type"] != "pong" {
        before += 1;
    }
    assert!(before > 1_000, "only {before} answers came before what was sent last");
}

#[tokio::test]
async fn what_is_no_message_or_too_large_a_one_ends_the_socket() {
    let house = House::open().await;
    let query = "subscription { wait }";
    for wrong in [
        json!("hello"),
        json!({ "type": "start", "id": "a", "payload": { "query": query } }),
        json!({ "type": "subscribe", "id": "", "payload": { "query": query } }),
        json!({ "type": "subscribe", "id": "a", "payload": {} }),
        json!({ "type": "subscribe", "payload": { "query": query } }),
        json!({ "type": "complete" }),
        json!({ "type": "ping", "payload": "x" }),
        json!({ "type": "connection_terminate" }),
    ] {
        let mut socket = house.socket_of(&house.token()).await;
        socket.say(wrong.clone()).await;
        let reason = socket.closes_with(4400).await;
        assert!(reason.contains("no message of graphql-transport-ws"), "{wrong}: {reason}");
    }
    let mut socket = house.socket_of(&house.token()).await;
    socket.0.send(Message::text("x".repeat(64 * 1024 + 1))).await.unwrap();
    socket.closes_with(1009).await;
    // One that is much too large is not even taken in.
    let mut socket = house.socket_of(&house.token()).await;
    let _ = socket.0.send(Message::text("x".repeat(300 * 1024))).await;
    let ended =
        timeout(PATIENCE, async { while socket.0.next().await.is_some_and(|one| one.is_ok()) {} });
    ended.await.unwrap();
}

#[tokio::test]
async fn an_id_is_of_one_subscription_at_a_time() {
    let house = House::open().await;
    let (wait, count) = ("subscription { wait }", "subscription { count(to: 1) }");
    let mut socket = house.socket_of(&house.token()).await;
    // After its own end, after a refusal, and after the client has completed it, an id is free again.
    for query in [count, "{ me }", count] {
        socket.follow("a", query).await;
        assert_eq!(socket.message().await["type"], "next");
        assert_eq!(socket.message().await["type"], "complete");
    }
    socket.follow("a", wait).await;
    socket.say(json!({ "id": "a", "type": "complete" })).await;
    socket.follow("a", count).await;
    assert_eq!(socket.message().await["type"], "next", "what the client said is not repeated");
    assert_eq!(socket.message().await, json!({ "id": "a", "type": "complete" }));
    // What is not open is not complete, and hides nothing.
    socket.say(json!({ "id": "b", "type": "complete" })).await;
    socket.follow("c", wait).await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.message().await["type"], "pong");
    socket.follow("c", count).await;
    assert_eq!(socket.closes_with(4409).await, "Subscriber for c already exists");
}

#[tokio::test]
async fn who_asks_is_said_once() {
    let house = House::open().await;
    let mut socket = house.socket_of(&house.token()).await;
    let again = json!({ "type": "connection_init", "payload": bearer(&house.token()) });
    socket.say(again).await;
    socket.closes_with(4429).await;
}
