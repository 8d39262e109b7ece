//! Renewing keys by refresh tokens: Kommo's are good once.

use std::sync::Arc;
use std::time::Duration;

use concord::accounts::{Error, Names};
use concord::connectors::kommo::emulator as kommo;
use concord::connectors::zoho::emulator as zoho;
use concord::connectors::{Credentials, ErrorKind, Registrations};
use concord::store::{Account, AccountStatus, SqlStore};
use sea_orm::{ConnectionTrait as _, Database};

use crate::oauth::{DAY, HOME, House, Process};

#[tokio::test]
async fn two_processes_with_a_one_time_token_use_it_once() {
    let house = House::new().await;
    let (one, two) = (house.process("one"), house.process("second"));
    let account = house.authorize(&one, "kommo").await;
    let (first, second) = (house.open(&one, &account).await, house.open(&two, &account).await);
    for round in 1..=5 {
        let before = house.token_requests();
        match round % 2 {
            0 => house.kommo.expire_access_tokens(),
            _ => house.clock.advance(DAY),
        }
        // Two keys in quick succession are not asked for.
        house.clock.advance(Duration::from_secs(120));
        // Each asks twice, and once more when its key is refused: Kommo answers seven in a second.
        let (a, b) = tokio::join!(first.check(), second.check());
        for identity in [a, b] {
            identity.unwrap();
        }
        assert_eq!(house.token_requests() - before, 1, "round {round}");
    }
    assert_eq!(house.status(&account).await, AccountStatus::Connected);
}

#[tokio::test]
async fn a_refresh_whose_answer_got_lost_needs_reconnecting_and_one_that_never_arrived_does_not() {
    let house = House::new().await;
    let process = house.process("one");
    let (account, connector) = house.stale(&process).await;
    house.lose(kommo::FaultKind::LostBefore);
    connector.check().await.unwrap();
    assert_eq!(house.status(&account).await, AccountStatus::Connected);

    house.clock.advance(DAY);
    house.lose(kommo::FaultKind::LostAfter);
    let error = connector.check().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Unauthorised, "refresh_answer_lost"));
    assert!(error.advice.is_some());
    let status = house.status(&account).await;
    assert!(
        matches!(&status, AccountStatus::NeedsReconnecting { code, .. } if code == "refresh_answer_lost"),
        "{status:?}"
    );
    // A new consent brings it back, under the same id.
    assert_eq!(house.authorize(&process, "kommo").await.id, account.id);
    house.open(&process, &account).await.check().await.unwrap();
}

#[tokio::test]
async fn an_integration_that_was_taken_away_needs_reconnecting() {
    let house = House::new().await;
    let process = house.process("one");
    let account = house.authorize(&process, "kommo").await;
    let connector = house.open(&process, &account).await;
    house.kommo.uninstall();
    let error = connector.check().await.unwrap_err();
    let told = (error.kind, error.code.as_str());
    assert_eq!(told, (ErrorKind::Unauthorised, "refresh_token_refused"));
    let opened = process.accounts.open(HOME, account.id).await;
    assert!(matches!(opened, Err(Error::NotConnected)));
}

#[tokio::test]
async fn a_client_that_the_operator_took_away_costs_no_consent() {
    let house = House::new().await;
    let process = house.process("one");
    for app in ["kommo", "zoho"] {
        let account = house.authorize(&process, app).await;
        house.clock.advance(DAY);
        let none = house.process_with("none", Registrations::default());
        let error = house.open(&none, &account).await.check().await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Config, "other_client"));
        let id = if app == "kommo" { kommo::CLIENT_ID } else { zoho::CLIENT_ID };
        let wrong = Registrations::default().with(app, id, "wrong");
        let wrong = house.process_with("wrong", wrong);
        let error = house.open(&wrong, &account).await.check().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert_eq!(house.status(&account).await, AccountStatus::Connected);
        house.open(&house.process("mended"), &account).await.check().await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_that_nobody_waits_for_any_more_is_written_down() {
    let house = House::new().await;
    let process = house.process("one");
    let (account, connector) = house.stale(&process).await;
    let before = house.token_requests();
    house.door.shut();
    #[expect(clippy::disallowed_methods, reason = "it is cut off")]
    let call = tokio::spawn(async move { connector.check().await });
    // Kommo has given the new pair, and the old one is dead.
    house.door.arrived.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    house.door.opened.notify_one();
    let other = house.process("second");
    house.open(&other, &account).await.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 1);
    assert_eq!(house.status(&account).await, AccountStatus::Connected);
}

#[tokio::test]
async fn a_pair_that_comes_when_the_lease_is_over_is_written_down() {
    let house = House::new().await;
    let (one, two) = (house.process("one"), house.process("second"));
    let (account, connector) = house.stale(&one).await;
    let before = house.token_requests();
    house.door.shut();
    #[expect(clippy::disallowed_methods, reason = "it is waited for")]
    let call = tokio::spawn(async move { connector.check().await });
    house.door.arrived.notified().await;
    // The lease runs out meanwhile, and somebody else tries the token that is used up.
    house.clock.advance(Duration::from_secs(3600));
    let error = house.open(&two, &account).await.check().await.unwrap_err();
    assert_eq!(error.code, "refresh_token_refused");
    assert!(matches!(house.status(&account).await, AccountStatus::NeedsReconnecting { .. }));
    house.door.opened.notify_one();
    call.await.unwrap().unwrap();
    assert_eq!(house.status(&account).await, AccountStatus::Connected);
    house.open(&two, &account).await.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 2);
}

/// A process whose account was given a pair of tokens while the database could not be written to, and is
/// there again now.
async fn unsaved(name: &str) -> (House, Process, Account, std::path::PathBuf) {
    let file = format!("concord-unsaved-{name}-{}.sqlite", std::process::id());
    let file = std::env::temp_dir().join(file);
    let url = format!("sqlite://{}", file.display());
    let house = House::with(Arc::new(SqlStore::open(&url).await.unwrap())).await;
    let process = house.process("one");
    let (account, connector) = house.stale(&process).await;
    house.door.shut();
    #[expect(clippy::disallowed_methods, reason = "it is waited for")]
    let call = tokio::spawn(async move { connector.check().await });
    house.door.arrived.notified().await;
    // For longer than is waited for.
    let side_door = Database::connect(&url).await.unwrap();
    let rename = async |from: &str, to: &str| {
        side_door.execute_unprepared(&format!("ALTER TABLE {from} RENAME TO {to}")).await.unwrap()
    };
    rename("account_secret", "away").await;
    house.door.opened.notify_one();
    assert_eq!(call.await.unwrap().unwrap_err().kind, ErrorKind::Unavailable);
    rename("away", "account_secret").await;
    (house, process, account, file)
}

#[tokio::test]
async fn a_pair_that_could_not_be_written_down_is_written_down_later() {
    let (house, process, account, file) = unsaved("later").await;
    let before = house.token_requests();
    // Meanwhile another process tries the token that is used up.
    let other = house.process("second");
    let error = house.open(&other, &account).await.check().await.unwrap_err();
    assert_eq!(error.code, "refresh_token_refused");
    assert!(matches!(house.status(&account).await, AccountStatus::NeedsReconnecting { .. }));
    house.open(&process, &account).await.check().await.unwrap();
    assert_eq!(house.status(&account).await, AccountStatus::Connected);
    house.open(&other, &account).await.check().await.unwrap();
    assert_eq!(house.token_requests() - before, 1, "the token is good once");
    let _ = std::fs::remove_file(&file);
}

#[tokio::test]
async fn a_pair_that_could_not_be_written_down_is_written_down_though_nobody_asks() {
    let (house, process, account, file) = unsaved("by-itself").await;
    let before = house.token_requests();
    process.accounts.settled().await;
    assert_eq!(house.store.credentials(HOME, account.id).await.unwrap().generation, 2);
    drop(process);
    house.open(&house.process("second"), &account).await.check().await.unwrap();
    assert_eq!(house.token_requests(), before);
    let _ = std::fs::remove_file(&file);
}

#[tokio::test]
async fn an_account_that_moved_is_found_by_its_refresh_token() {
    for status in [301, 401, 404] {
        let house = House::new().await;
        let process = house.process("one");
        let (account, connector) = house.stale(&process).await;
        house.kommo.rename("renamed");
        house.answer_token_with(status);
        connector.check().await.unwrap();
        let asked: Vec<String> =
            house.kommo.requests().into_iter().map(|request| request.path).collect();
        let lookup = "/oauth2/account/current/subdomain".to_owned();
        assert_eq!(asked.iter().filter(|path| **path == lookup).count(), 1, "{status}");
        // It is remembered.
        house.clock.advance(DAY);
        let checked = house.process("another").accounts.check(HOME, account.id).await.unwrap();
        assert_eq!(checked.host, "renamed");
        let asked = house.kommo.requests().into_iter().filter(|request| request.path == lookup);
        assert_eq!(asked.count(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_the_vendors_is_not_followed() {
    for name in ["x@evil.example/", "developers", "evil.example:8080/x"] {
        let house = House::new().await;
        let process = house.process("one");
        let (account, connector) = house.stale(&process).await;
        house.kommo.rename(name);
        let before = house.token_requests();
        house.answer_token_with(404);
        let error = connector.check().await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Config, "account_not_there"));
        assert_eq!(house.token_requests() - before, 1, "{name}");
        assert_eq!(house.status(&account).await, AccountStatus::Connected);
    }
}

#[tokio::test]
async fn an_account_that_did_not_move_needs_reconnecting_only_if_its_token_is_refused() {
    let house = House::new().await;
    let process = house.process("one");
    let (account, connector) = house.stale(&process).await;
    for (status, kind) in [
        (403, ErrorKind::Unavailable),
        (404, ErrorKind::Config),
        (429, ErrorKind::RateLimited),
        (502, ErrorKind::Unavailable),
        (400, ErrorKind::Config),
    ] {
        house.answer_token_with(status);
        assert_eq!(connector.check().await.unwrap_err().kind, kind, "{status}");
        assert_eq!(house.status(&account).await, AccountStatus::Connected, "{status}");
        house.clock.advance(Duration::from_secs(3600));
    }
    connector.check().await.unwrap();
}

#[tokio::test]
async fn what_one_process_is_given_another_opens_with() {
    let house = House::new().await;
    let (one, two) = (house.process("one"), house.process("second"));
    let typed =
        Credentials::default().with("host", "demo.kommo.com").with("token", &house.kommo.token());
    let account = one.accounts.connect(HOME, "kommo", &typed, Names::default()).await.unwrap();
    house.open(&two, &account).await.check().await.unwrap();
    house.authorize(&one, "kommo").await;
    let before = house.kommo.requests().len();
    house.open(&two, &account).await.check().await.unwrap();
    let refused =
        house.kommo.requests().into_iter().skip(before).filter(|asked| asked.status == 401);
    assert_eq!(refused.count(), 0);
    // The typed token is used no more.
    house.kommo.revoke_token(&house.kommo.token());
    house.open(&two, &account).await.check().await.unwrap();
    let refused =
        house.kommo.requests().into_iter().skip(before).filter(|asked| asked.status == 401);
    assert_eq!(refused.count(), 0);
}
