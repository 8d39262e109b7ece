//! OAuth clients that workspaces register for themselves, and where the app has them apart.

use concord::accounts::{Begin, By, Error};
use concord::connectors::kommo::emulator as kommo;
use concord::connectors::zoho::emulator as zoho;
use concord::connectors::{AppRegistration, ErrorKind, Registrations};
use concord::store::AccountStatus;
use secrecy::SecretString;

use crate::oauth::{ANA, DAY, ELSEWHERE, HOME, House, Process};

fn client(id: &str, secret: &str, place: Option<&str>) -> AppRegistration {
    let client_secret = SecretString::from(secret.to_owned());
    AppRegistration { client_id: id.to_owned(), client_secret, place: place.map(str::to_owned) }
}

fn kommos() -> AppRegistration {
    client(kommo::CLIENT_ID, kommo::CLIENT_SECRET, None)
}

/// A process of a server whose operator registered nothing.
fn bare(house: &House) -> Process {
    house.process_with("bare", Registrations::default())
}

#[tokio::test]
async fn a_workspace_authorizes_with_a_client_of_its_own() {
    let house = House::new().await;
    let process = bare(&house);
    let kommo = Begin { app: "kommo", ..Begin::default() };
    let none = process.authorizations.begin(ANA, &kommo).await.err().unwrap();
    assert!(matches!(none, Error::NotRegistered(_)), "{none}");
    let known = process.accounts.register(HOME, "kommo", &kommos()).await.unwrap();
    assert!(known.is_own && known.client_id == kommo::CLIENT_ID);
    let account = house.authorize(&process, "kommo").await;

    let elsewhere = By { workspace: ELSEWHERE, ..ANA };
    let none = process.authorizations.begin(elsewhere, &kommo).await.err().unwrap();
    assert!(matches!(none, Error::NotRegistered(_)), "it is nobody else's: {none}");
    assert!(process.accounts.registrations(ELSEWHERE, "kommo").await.unwrap().is_empty());

    let rows = house.store.registrations(HOME, "kommo").await.unwrap();
    let secret = kommo::CLIENT_SECRET.as_bytes();
    assert!(!rows[0].sealed.windows(secret.len()).any(|part| part == secret), "it is sealed");

    house.clock.advance(DAY);
    house.open(&process, &account).await.check().await.unwrap();
    // Without it keys can't be renewed, which costs no consent.
    assert!(process.accounts.unregister(HOME, "kommo", None).await.unwrap());
    assert!(!process.accounts.unregister(HOME, "kommo", None).await.unwrap());
    house.clock.advance(DAY);
    let error = house.open(&process, &account).await.check().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Config, "other_client"));
    assert_eq!(house.status(&account).await, AccountStatus::Connected);
    let other = bare(&house);
    other.accounts.register(HOME, "kommo", &kommos()).await.unwrap();
    house.open(&other, &account).await.check().await.unwrap();
}

#[tokio::test]
async fn ones_own_client_comes_before_the_servers() {
    let house = House::new().await;
    let wrong = Registrations::default().with("kommo", "the server's", "another");
    let process = house.process_with("wrong", wrong);
    process.accounts.register(HOME, "kommo", &kommos()).await.unwrap();
    house.authorize(&process, "kommo").await;
    let known = process.accounts.registrations(HOME, "kommo").await.unwrap();
    let told: Vec<_> = known.iter().map(|one| (one.client_id.as_str(), one.is_own)).collect();
    assert_eq!(told, [(kommo::CLIENT_ID, true), ("the server's", false)]);
}

#[tokio::test]
async fn a_data_centre_may_have_a_secret_of_its_own() {
    let house = House::new().await;
    let process = bare(&house);
    let register = async |secret: &str, place: Option<&str>| {
        let client = client(zoho::CLIENT_ID, secret, place);
        process.accounts.register(HOME, "zoho", &client).await.unwrap()
    };
    register("of-all-others", None).await;
    let begin = Begin { app: "zoho", ..Begin::default() };
    let query = house.consent(&process, begin).await;
    let refused = process.authorizations.come_back("zoho", &query).await.account.unwrap_err();
    assert_eq!(refused.code(), "invalid_client_secret");
    // The person sets out for the usual place, and comes back from another.
    let eu = register(zoho::CLIENT_SECRET, Some("EU")).await;
    assert_eq!(eu.place.as_deref(), Some("eu"));
    let account = house.authorize(&process, "zoho").await;
    house.clock.advance(DAY);
    house.open(&process, &account).await.check().await.unwrap();
    let known = process.accounts.registrations(HOME, "zoho").await.unwrap();
    let places: Vec<_> = known.iter().map(|one| one.place.as_deref()).collect();
    assert_eq!(places, [Some("eu"), None]);
}

#[tokio::test]
async fn what_can_be_no_client_is_refused() {
    let house = House::new().await;
    let process = bare(&house);
    let register = async |slug: &str, client: AppRegistration| {
        process.accounts.register(HOME, slug, &client).await.err()
    };
    for (id, secret) in [("", "x"), ("x", ""), ("x y", "x"), ("x", "x\n"), (&"x".repeat(513), "x")]
    {
        let error = register("kommo", client(id, secret, None)).await;
        assert!(matches!(error, Some(Error::BadClient)), "{id:?}");
    }
    let nowhere = register("zoho", client("x", "x", Some("mars"))).await;
    assert!(matches!(&nowhere, Some(Error::NoSuchPlace(places)) if places.contains("eu, in")));
    assert!(matches!(register("abacus", kommos()).await, Some(Error::NoSuchApp(_))));
    let nowhere = process.accounts.unregister(HOME, "kommo", Some("mars")).await;
    assert!(matches!(nowhere, Err(Error::NoSuchPlace(_))));
}
