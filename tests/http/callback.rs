//! The page on which people come back from an app's consent page. That a code connects an account is
//! tried where there are apps, in `tests/api`.

use std::time::Duration;

use concord::accounts::{Begin, By};
use concord::store::WorkspaceId;

use crate::house::{DONE, House, Reply};

const CODE: &str = "def50200canary";

/// Somebody sets out for Kommo; the state that they come back with.
async fn set_out(house: &House) -> String {
    state(house, Begin { app: "kommo", ..Begin::default() }).await
}

async fn state(house: &House, begin: Begin<'_>) -> String {
    let by = By { workspace: WorkspaceId(uuid::Uuid::from_u128(7)), subject: "ana" };
    let begun = house.authorizations.begin(by, &begin).await.unwrap();
    let (_, query) = begun.url.split_once('?').unwrap();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "state").unwrap().1.into_owned()
}

/// That it is a page which loads nothing, is shown in no other, and tells its address to nobody.
#[track_caller]
fn is_quiet(reply: &Reply) {
    let policy = reply.header("content-security-policy");
    assert_eq!(
        policy,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    for told in [CODE, "canary", "script", "evil"] {
        assert!(!reply.body.contains(told), "{}", reply.body);
    }
}

#[tokio::test]
async fn the_page_says_what_to_do_and_repeats_nothing_of_its_address() {
    let house = House::open().await;
    let state = set_out(&house).await;
    let evil = "%3Cscript%3Eevil()%3C%2Fscript%3E";
    for (path, status, says) in [
        ("kommo".to_owned(), 400, "Begin again"),
        (format!("kommo?code={CODE}&state=canary"), 400, "Begin again"),
        (format!("kommo?code={CODE}&state={evil}"), 400, "Begin again"),
        (format!("{evil}?code={CODE}&state={state}"), 404, "no app of this name"),
        (format!("zoho?code={CODE}&state={state}"), 400, "Begin again"),
        (format!("kommo?error={evil}&error_description={evil}"), 403, "No consent was given"),
        // Not a host of the vendor: nothing is sent there.
        (
            format!("kommo?code={CODE}&state={state}&referer=evil.example"),
            400,
            "does not come from Kommo",
        ),
    ] {
        let reply = house.get(&format!("/oauth/callback/{path}")).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(reply.body.contains(says), "{path}: {}", reply.body);
        is_quiet(&reply);
    }
}

#[tokio::test]
async fn a_state_is_taken_once_and_for_ten_minutes() {
    let house = House::open().await;
    let state = set_out(&house).await;
    let refused = format!("/oauth/callback/kommo?error=access_denied&state={state}");
    let first = house.get(&refused).await;
    assert_eq!(first.status, 403, "{}", first.body);
    assert_eq!(house.get(&refused).await.status, 400, "it was used");
    let late = set_out(&house).await;
    house.clock.advance(Duration::from_secs(600));
    let reply = house.get(&format!("/oauth/callback/kommo?error=access_denied&state={late}")).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
}

#[tokio::test]
async fn nothing_can_be_posted_there() {
    let house = House::open().await;
    let reply = house.notify("/oauth/callback/kommo", "text/plain", "code=x").await;
    reply.is_refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_person_is_sent_on_with_what_happened_and_nothing_else() {
    let house = House::open().await;
    for (return_url, sign) in [(DONE.to_owned(), '?'), (format!("{DONE}?step=2"), '&')] {
        let begin = Begin { app: "kommo", return_url: Some(&return_url), ..Begin::default() };
        let state = state(&house, begin).await;
        let path = format!("/oauth/callback/kommo?error=evil&code={CODE}&state={state}");
        let reply = house.get(&path).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
        assert_eq!(reply.header("location"), format!("{return_url}{sign}error=no_consent"));
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.body.is_empty());
        let again = house.get(&path).await;
        assert_eq!(again.status, 400, "whoever is not known is sent nowhere");
    }
}

#[tokio::test]
async fn what_only_looks_for_the_page_uses_nothing_up() {
    let house = House::open().await;
    let state = set_out(&house).await;
    let path = format!("/oauth/callback/kommo?error=access_denied&state={state}");
    let raw = house.raw().await;
    let head = format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    raw.send(head.as_bytes()).await;
    let looked = raw.answer().await;
    assert_eq!((looked.status, looked.header("allow")), (405, "GET"));
    assert_eq!(house.get(&path).await.status, 403, "it is there for the person");
}
