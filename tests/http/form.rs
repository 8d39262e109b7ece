//! What a request may be, and what its answer looks like.

use std::time::Duration;

use concord::net::{Method, Request};
use serde_json::json;
use tokio::time::Instant;

use crate::house::{ADD, House, JSON};

/// The largest body that is taken.
const LARGEST: usize = 256 * 1024;
const AS_JSON: &str = "content-type: application/json";

#[tokio::test]
async fn nothing_is_asked_by_get() {
    let house = House::open().await;
    for query in ["%7Bme%7D", "mutation%7Badd%7D"] {
        let url = format!("/graphql?query={query}");
        let reply = house.send(house.signed(Method::Get, &url)).await;
        reply.is_refused(405, "METHOD_NOT_ALLOWED");
        assert_eq!(reply.header("allow"), "POST");
    }
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn nothing_is_asked_by_any_other_method() {
    let house = House::open().await;
    for method in [Method::Put, Method::Patch, Method::Delete] {
        let reply = house.send(house.signed(method, "/graphql").body(JSON, ADD)).await;
        reply.is_refused(405, "METHOD_NOT_ALLOWED");
        assert_eq!(reply.header("allow"), "POST");
    }
    for method in ["HEAD", "OPTIONS", "TRACE", "QUERY"] {
        let head = house.head(&[AS_JSON]).replacen("POST", method, 1);
        let reply = house.tell(&format!("{head}\r\n")).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"), "{method}");
    }
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_request_without_a_query_is_told_what_it_has_to_have() {
    let house = House::open().await;
    for body in [
        "{}",
        r#"{"quer":"{me}"}"#,
        r#"{"variables":{}}"#,
        r#"{"query":""}"#,
        r#"{"query":" "}"#,
        r#"{"query":7}"#,
    ] {
        let reply = house.send(house.signed(Method::Post, "/graphql").body(JSON, body)).await;
        reply.is_refused(400, "BAD_REQUEST");
        assert!(reply.message().contains("a JSON object with `query` as text"), "{body}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_is_not_told_that_it_may_ask() {
    let house = House::open().await;
    let head = house.head(&["origin: https://evil.example", "access-control-request-method: POST"]);
    let reply = house.tell(&format!("{}\r\n", head.replacen("POST", "OPTIONS", 1))).await;
    assert!(!reply.headers.keys().any(|name| name.starts_with("access-control-")));
    let request = house.signed(Method::Post, "/graphql").body(JSON, ADD);
    let reply = house.send(request.header("origin", "https://evil.example")).await;
    assert!(!reply.headers.keys().any(|name| name.starts_with("access-control-")));
}

#[tokio::test]
async fn what_is_not_said_to_be_json_is_refused() {
    let house = House::open().await;
    for kind in [
        "text/plain",
        "text/plain; a=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json-patch+json",
        "application/jsonp",
        "application/json, text/plain",
        "application/graphql-response+json",
        "*/*",
        "json",
        "",
    ] {
        let reply = house.post_raw(&[&format!("content-type: {kind}")], ADD).await;
        reply.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
        assert!(reply.message().contains("Content-Type: application/json"));
    }
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_request_without_a_type_or_with_two_is_refused() {
    let house = House::open().await;
    house.post_raw(&[], ADD).await.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    for other in ["content-type: text/plain", AS_JSON] {
        let reply = house.post_raw(&[AS_JSON, other], ADD).await;
        reply.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_form_with_a_mutation_in_it_does_nothing() {
    let house = House::open().await;
    let form = "query=mutation%20%7B%20add%20%7D";
    let reply = house.post("application/x-www-form-urlencoded", form).await;
    reply.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let parts = format!(
        "--x\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{ADD}\r\n\
         --x\r\ncontent-disposition: form-data; name=\"map\"\r\n\r\n{{}}\r\n--x--\r\n"
    );
    let reply = house.post("multipart/form-data; boundary=x", parts).await;
    reply.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_header_gives_the_request_its_key() {
    let house = House::open().await;
    assert_eq!(house.ask("{ key }").await.data(), json!({ "key": null }));
    let longest = "k".repeat(255);
    for key in ["7d9f0e0c-2c5b-4f0e-9d51-0f6d2f3a4b5c", &longest] {
        let header = format!("Idempotency-Key: {key}");
        let reply = house.post_raw(&[AS_JSON, &header], r#"{"query":"{ key }"}"#).await;
        assert_eq!(reply.data(), json!({ "key": key }));
    }
}

#[tokio::test]
async fn a_header_that_is_no_key_is_refused() {
    let house = House::open().await;
    let (long, key) = (format!("idempotency-key: {}", "k".repeat(256)), "idempotency-key: a");
    for headers in [
        vec![AS_JSON, &long],
        vec![AS_JSON, "idempotency-key:"],
        vec![AS_JSON, "idempotency-key: a b"],
        vec![AS_JSON, "idempotency-key: ключ"],
        vec![AS_JSON, key, key],
    ] {
        let reply = house.post_raw(&headers, ADD).await;
        reply.is_refused(400, "IDEMPOTENCY_KEY_INVALID");
        assert!(reply.message().contains("1 to 255 visible ASCII characters"));
    }
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn json_may_be_spelt_as_the_standard_allows() {
    let house = House::open().await;
    for kind in [
        "application/json",
        "Application/JSON",
        "APPLICATION/JSON; CHARSET=UTF-8",
        "application/json;charset=utf-8",
        "application/json ; charset=\"utf-8\"",
    ] {
        let reply = house.post_raw(&[&format!("content-type: {kind}")], ADD).await;
        assert_eq!(reply.status, 200, "{kind}");
    }
    assert_eq!(house.writes(), 5);
}

#[tokio::test]
async fn a_list_of_requests_is_refused() {
    let house = House::open().await;
    let many = format!("[{}]", vec![ADD; 2000].join(","));
    let one = format!("[{ADD}]");
    let spaced = format!(" \n\t[{ADD}]");
    for list in ["[]", "[1]", one.as_str(), spaced.as_str(), many.as_str()] {
        house.post(JSON, list).await.is_refused(400, "BATCH_NOT_ALLOWED");
    }
    // The members of one request in order, as some readers of JSON take them.
    let reply = house.post(JSON, r#"["mutation { add }", null, {}, {}]"#).await;
    reply.is_refused(400, "BATCH_NOT_ALLOWED");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_the_words_of_a_library() {
    let house = House::open().await;
    let deep = format!("{{\"query\":\"mutation {{ add }}\",\"x\":{}", "[".repeat(100_000));
    for body in [
        "",
        " ",
        "null",
        "7",
        "\"mutation { add }\"",
        "mutation { add }",
        "{",
        "{]",
        r#"{"query":"mutation { add }""#,
        r#"{"query":"mutation { add }"} {}"#,
        r#"{"query":"mutation { add }",}"#,
        r#"{'query':'mutation { add }'}"#,
        r#"{"query":"{ me }","query":"mutation { add }"}"#,
        r#"{"query":["mutation { add }"]}"#,
        r#"{"query":null}"#,
        r#"{"query":"mutation { add }","variables":[]}"#,
        r#"{"query":"mutation { add }","variables":"{}"}"#,
        r#"{"query":"mutation { add }","operationName":7}"#,
        r#"{"query":"mutation { add }","extensions":7}"#,
        "\u{feff}{\"query\":\"mutation { add }\"}",
        deep.as_str(),
    ] {
        let reply = house.post(JSON, body).await;
        reply.is_refused(400, "BAD_REQUEST");
        for word in ["line", "column", "expected", "invalid", "serde", "EOF"] {
            assert!(!reply.body.contains(word), "{body}: {}", reply.body);
        }
    }
    let reply = house.post(JSON, b"{\"query\":\"mutation { add } # \xff\"}".as_slice()).await;
    reply.is_refused(400, "BAD_REQUEST");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_body_may_have_256_kib_and_no_byte_more() {
    let house = House::open().await;
    let padded = |length: usize| format!("{ADD}{}", " ".repeat(length - ADD.len()));
    assert_eq!(house.post(JSON, padded(LARGEST)).await.status, 200);
    assert_eq!(house.writes(), 1);
    let reply = house.post_raw(&[AS_JSON], &padded(LARGEST + 1)).await;
    reply.is_refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(house.writes(), 1);
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_not_waited_for() {
    let house = House::open().await;
    let head = house.head(&[AS_JSON, "content-length: 60000000"]);
    let reply = house.tell(&format!("{head}\r\n{ADD}")).await;
    reply.is_refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_body_without_a_length_is_read_no_further_than_the_limit() {
    let house = House::open().await;
    let raw = house.raw().await;
    let head = house.head(&[AS_JSON, "transfer-encoding: chunked"]);
    raw.send(format!("{head}\r\n{:x}\r\n{ADD}\r\n", ADD.len()).as_bytes()).await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
    let flood = async {
        let mut sent = 0;
        while sent < 60_000_000 {
            let count = raw.send(chunk.as_bytes()).await;
            sent += count;
            if count < chunk.len() {
                break;
            }
        }
        sent
    };
    let (sent, reply) = tokio::join!(flood, raw.answer());
    reply.is_refused(413, "PAYLOAD_TOO_LARGE");
    assert!(sent < 30_000_000, "{sent} bytes were taken");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn a_stranger_gets_nothing_read_at_all() {
    let house = House::open().await;
    let head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 60000000\r\n\r\n";
    house.tell(head).await.is_refused(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_after_ten_seconds() {
    let house = House::open().await;
    let raw = house.raw().await;
    let head = house.head(&[AS_JSON]);
    let half = &ADD[..ADD.len() / 2];
    raw.send(format!("{head}content-length: {}\r\n\r\n{half}", ADD.len()).as_bytes()).await;
    tokio::time::pause();
    let start = Instant::now();
    raw.answer().await.is_refused(408, "REQUEST_TIMEOUT");
    let waited = start.elapsed();
    assert!(waited > Duration::from_secs(9) && waited < Duration::from_secs(11), "{waited:?}");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn the_answer_has_the_form_that_the_client_reads() {
    let house = House::open().await;
    let newer = "application/graphql-response+json";
    for (accept, kind) in [
        ("*/*", JSON),
        ("application/json", JSON),
        ("text/html", JSON),
        (newer, newer),
        ("application/json, Application/GraphQL-Response+JSON;q=0.9", newer),
    ] {
        let request = house.signed(Method::Post, "/graphql").header("accept", accept);
        let reply = house.send(request.body(JSON, r#"{"query":"{ me }"}"#)).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, kind), "{accept}");
        let request = Request::new(Method::Post, house.url("/graphql")).header("accept", accept);
        let reply = house.send(request).await;
        assert_eq!((reply.status, reply.header("content-type")), (401, kind), "{accept}");
    }
}

#[tokio::test]
async fn only_clients_of_the_newer_form_see_a_refused_query_in_the_status() {
    let house = House::open().await;
    let body = json!({ "query": "{ nothing }" }).to_string();
    for (accept, status) in [(JSON, 200), ("application/graphql-response+json", 400)] {
        let request = house.signed(Method::Post, "/graphql").header("accept", accept);
        house.send(request.body(JSON, body.clone())).await.is_refused(status, "BAD_QUERY");
    }
}
