//! GraphiQL, the probes, and what every answer says to browsers.

use std::sync::atomic::Ordering;

use concord::net::Method;

use crate::house::{ADD, House, JSON};

const FILES: [&str; 7] = [
    "/graphiql/page.css",
    "/graphiql/start.js",
    "/graphiql/graphiql.min.js",
    "/graphiql/graphiql.min.css",
    "/graphiql/react.production.min.js",
    "/graphiql/react-dom.production.min.js",
    "/graphiql/LICENSES.txt",
];

#[tokio::test]
async fn without_graphiql_there_is_no_page() {
    let house = House::open().await;
    for path in ["/", "/graphiql", "/graphiql/", "/index.html"].iter().chain(&FILES) {
        house.get(path).await.is_refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn graphiql_is_served_with_all_that_it_loads() {
    let house = House::with(true).await;
    let page = house.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in FILES {
        let file = house.get(path).await;
        let kind = match path.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        };
        assert_eq!((file.status, file.header("content-type")), (200, kind), "{path}");
        assert!(!file.body.is_empty());
    }
    let loaded: Vec<&str> =
        page.body.split('"').filter(|text| text.starts_with("/graphiql/")).collect();
    assert_eq!(loaded.len(), FILES.len() - 1);
    assert!(loaded.iter().all(|path| FILES.contains(path)), "{loaded:?}");
}

#[tokio::test]
async fn no_file_of_graphiql_loads_anything_from_elsewhere() {
    let house = House::with(true).await;
    for path in ["/"].iter().chain(&FILES) {
        let text = house.get(path).await.body;
        for host in [
            "unpkg.com",
            "jsdelivr.net",
            "cdnjs",
            "cloudflare",
            "esm.sh",
            "skypack",
            "jspm",
            "googleapis",
            "gstatic",
            "fonts.",
            "sourceMappingURL",
            "url(http",
            "url(//",
            "@import",
            "src=\"http",
            "src=\"//",
            "importScripts",
        ] {
            assert!(!text.contains(host), "{path} names {host}");
        }
    }
}

#[tokio::test]
async fn the_policy_of_graphiql_allows_its_own_scripts_only() {
    let house = House::with(true).await;
    let page = house.get("/").await;
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "connect-src 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("http") && !policy.contains("unsafe-eval") && !policy.contains('*'));
    for script in page.body.split("<script").skip(1) {
        assert!(script.starts_with(" src=\"/graphiql/"), "a script in the page: {script}");
    }
    for word in ["<style", " style=", " onload=", " onclick=", "javascript:"] {
        assert!(!page.body.contains(word), "{word}");
    }
}

#[tokio::test]
async fn the_page_takes_no_other_method_than_get() {
    let house = House::with(true).await;
    let reply = house.send(house.signed(Method::Post, "/").body(JSON, ADD)).await;
    reply.is_refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("allow"), "GET,HEAD");
    assert_eq!(house.writes(), 0);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_browsers_heed() {
    let house = House::with(true).await;
    let replies = [
        house.ask("{ me }").await,
        house.ask("{ nothing }").await,
        house.post("text/plain", ADD).await,
        house.get("/graphql").await,
        house.get("/nowhere").await,
        house.get("/healthz").await,
        house.get("/readyz").await,
        house.get("/").await,
        house.get("/graphiql/start.js").await,
    ];
    for reply in replies {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cache-control"), "no-store");
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn the_api_may_not_be_shown_as_a_page() {
    let house = House::with(true).await;
    let reply = house.ask("{ me }").await;
    let policy = "default-src 'none'; frame-ancestors 'none'";
    assert_eq!(reply.header("content-security-policy"), policy);
}

#[tokio::test]
async fn the_probes_need_no_token() {
    let house = House::open().await;
    let alive = house.get("/healthz").await;
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok"));
    assert_eq!(house.get("/readyz").await.status, 200);
    house.is_ready.store(false, Ordering::SeqCst);
    assert_eq!(house.get("/readyz").await.status, 503);
    assert_eq!(house.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn an_address_that_is_not_there_says_where_the_api_is() {
    let house = House::open().await;
    for path in ["/nowhere", "/graphql/", "/graphql/ws/", "/healthz/..", "/graphiql/../graphql"] {
        let text = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let reply = house.tell(&text).await;
        reply.is_refused(404, "NOT_FOUND");
        assert!(reply.message().contains("/graphql"));
    }
}

#[tokio::test]
async fn a_worker_answers_only_whether_it_is_alive_and_ready() {
    let house = House::of_worker().await;
    assert_eq!(house.get("/healthz").await.body, "ok");
    assert_eq!(house.get("/readyz").await.status, 200);
    house.is_ready.store(false, Ordering::SeqCst);
    assert_eq!(house.get("/readyz").await.status, 503);
    let refused = house.ask("{ me }").await;
    refused.is_refused(404, "NOT_FOUND");
    assert!(refused.message().contains("this is a worker"), "{}", refused.message());
    house.get("/").await.is_refused(404, "NOT_FOUND");
}
