//! How much a request may ask for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::house::{House, Raw};

/// How many requests are answered at once.
const AT_ONCE: usize = 64;
const SLOW: &str = r#"{"query":"{ slow }"}"#;

impl House {
    async fn begin_slow(&self) -> Raw {
        self.begin(SLOW).await
    }

    async fn begin(&self, body: &str) -> Raw {
        let raw = self.raw().await;
        let head = self.head(&["content-type: application/json"]);
        raw.send(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        raw
    }

    async fn until_begun(&self, count: usize) {
        while self.world.begun.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn is_beyond_limits(&self, query: &str, said: &str) {
        let reply = self.ask(query).await;
        reply.is_refused(200, "LIMIT_EXCEEDED");
        assert!(reply.message().contains(said), "{}", reply.message());
        assert_eq!(self.writes(), 0);
    }
}

fn many(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn five_thousand_aliases_of_a_mutation_do_nothing() {
    let house = House::open().await;
    let query = format!("mutation {{ {} }}", many(5000, |at| format!("a{at}: add")));
    house.is_beyond_limits(&query, "bytes of query text").await;
}

#[tokio::test]
async fn thirty_one_aliases_do_nothing() {
    let house = House::open().await;
    let query = |count| {
        format!("{{ things(first: 1) {{ {} }} }}", many(count, |at| format!("a{at}: name")))
    };
    house.is_beyond_limits(&query(31), "31 aliases").await;
    assert_eq!(house.ask(&query(30)).await.data()["things"][0]["a29"], "thing");
}

#[tokio::test]
async fn twenty_one_mutations_at_once_do_nothing() {
    let house = House::open().await;
    let query = |count| format!("mutation {{ {} }}", many(count, |at| format!("a{at}: add")));
    house.is_beyond_limits(&query(21), "21 root fields").await;
    let fragment = format!("fragment F on Mutation {{ {} }}", many(21, |at| format!("a{at}: add")));
    house.is_beyond_limits(&format!("mutation {{ ...F }} {fragment}"), "21 root fields").await;
    assert_eq!(house.ask(&query(20)).await.data()["a19"], 20);
}

#[tokio::test]
async fn nine_directives_do_nothing() {
    let house = House::open().await;
    let query = |count| format!("mutation {{ add {} }}", "@include(if: true) ".repeat(count));
    house.is_beyond_limits(&query(9), "9 directives").await;
}

#[tokio::test]
async fn a_text_of_sixteen_thousand_bytes_is_the_longest() {
    let house = House::open().await;
    let query = |length: usize| format!("{{ me }}{}", " ".repeat(length - "{ me }".len()));
    house.is_beyond_limits(&query(16_001), "16001 bytes of query text").await;
    assert!(house.ask(&query(16_000)).await.data()["me"].is_string());
}

#[tokio::test]
async fn fragments_that_unfold_without_end_are_refused_at_once() {
    let house = House::open().await;
    let bomb = many(25, |at| {
        format!("fragment F{at} on Thing {{ ...F{next} ...F{next} }}", next = at + 1)
    });
    let query =
        format!("{{ things(first: 1) {{ ...F0 }} }} {bomb} fragment F25 on Thing {{ name }}");
    house.is_beyond_limits(&query, "selected fields").await;
    let circle =
        "{ things(first: 1) { ...A } } fragment A on Thing { things(first: 1) { ...A ...A } }";
    house.is_beyond_limits(circle, "levels of nested selections").await;
}

#[tokio::test]
async fn thirteen_levels_are_too_deep() {
    let house = House::open().await;
    let query = |lists: usize| {
        format!("{{ {}name{} }}", "things(first: 1) { ".repeat(lists), " }".repeat(lists))
    };
    let reply = house.ask(&query(12)).await;
    reply.is_refused(200, "LIMIT_EXCEEDED");
    assert!(reply.message().contains("in more than 15 levels"), "{}", reply.message());
    assert!(house.ask(&query(11)).await.data()["things"].is_array());
    let reply = house.ask(&query(300)).await;
    assert!(["BAD_QUERY", "LIMIT_EXCEEDED"].contains(&reply.code().as_str()));
}

#[tokio::test]
async fn lists_in_lists_cost_what_they_may_hold() {
    let house = House::open().await;
    let reply = house.ask("{ things(first: 50) { things(first: 50) { name } } }").await;
    reply.is_refused(200, "LIMIT_EXCEEDED");
    assert!(reply.message().contains("may cost more than 5000"), "{}", reply.message());
    let reply = house.ask("{ things(first: 50) { things(first: 30) { name } } }").await;
    assert_eq!(reply.data()["things"][49]["things"][29]["name"], "thing");
}

#[tokio::test]
async fn a_misspelt_field_keeps_the_whole_request_from_being_done() {
    let house = House::open().await;
    house.ask("mutation { add ad }").await.is_refused(200, "BAD_QUERY");
    house.ask("mutation { add } query {").await.is_refused(200, "BAD_QUERY");
    house.ask("mutation { add(twice: true) }").await.is_refused(200, "BAD_QUERY");
    house.ask("mutation A { add } mutation B { add }").await.is_refused(200, "BAD_QUERY");
    house.ask("subscription { add }").await.is_refused(200, "BAD_QUERY");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn an_unforeseen_error_tells_nothing_of_the_inside() {
    let house = House::open().await;
    let reply = house.ask("{ broken }").await;
    reply.is_refused(200, "INTERNAL");
    for word in ["table", "contact", "/var"] {
        assert!(!reply.body.contains(word), "{}", reply.body);
    }
}

#[tokio::test]
async fn a_request_is_given_up_after_thirty_seconds() {
    let house = House::open().await;
    let slow = house.begin_slow().await;
    house.until_begun(1).await;
    tokio::time::pause();
    let start = Instant::now();
    slow.answer().await.is_refused(504, "TIMEOUT");
    let waited = start.elapsed();
    assert!(waited > Duration::from_secs(20) && waited <= Duration::from_secs(31), "{waited:?}");
}

#[tokio::test]
async fn what_was_claimed_goes_on_when_nobody_waits_for_it_any_more() {
    let house = House::open().await;
    let body = |claim: bool| format!(r#"{{"query":"mutation {{ addSlowly(claim: {claim}) }}"}}"#);
    let (mut waiting, mut going) = (Vec::new(), Vec::new());
    for claim in [true, false] {
        waiting.push(house.begin(&body(claim)).await);
        going.push(house.begin(&body(claim)).await);
    }
    house.until_begun(4).await;
    drop(going);
    tokio::time::pause();
    for slow in waiting {
        slow.answer().await.is_refused(504, "TIMEOUT");
    }
    tokio::time::resume();
    house.world.gate.add_permits(4);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(house.writes(), 2, "the others were cut off");
}

#[tokio::test]
async fn sixty_four_are_answered_at_once_and_the_next_is_asked_to_come_again() {
    let house = House::open().await;
    let mut all = Vec::new();
    for _ in 0..AT_ONCE {
        all.push(house.begin_slow().await);
    }
    house.until_begun(AT_ONCE).await;
    let reply = house.ask("mutation { add }").await;
    reply.is_refused(503, "BUSY");
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(house.writes(), 0);
    assert_eq!(house.get("/healthz").await.status, 200);
    house.world.gate.add_permits(1);
    for slow in all {
        assert_eq!(slow.answer().await.data()["slow"], true);
    }
    assert_eq!(house.ask("mutation { add }").await.data()["add"], 1);
}

#[tokio::test]
async fn strangers_keep_nobody_out() {
    let house = House::open().await;
    let mut strangers = Vec::new();
    for _ in 0..2 * AT_ONCE {
        let stranger = house.raw().await;
        let head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                    content-length: 100\r\n\r\n{";
        stranger.send(head.as_bytes()).await;
        strangers.push(stranger);
    }
    assert_eq!(house.ask("mutation { add }").await.data()["add"], 1);
}
