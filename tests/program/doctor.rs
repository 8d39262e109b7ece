//! `concord doctor`: everything that is wrong, at once.

use crate::{Folder, answer, concord_in, refusal};

#[test]
fn nothing_is_wrong_with_a_fresh_folder() {
    let folder = Folder::new("healthy");
    let data = folder.join("data");
    let doctor = || answer(&mut concord_in(&data, &["doctor"]));
    let said = doctor();
    assert!(said.contains("There is no secret key at"), "{said}");
    assert!(said.contains("There is no database yet: the first start makes it"), "{said}");
    assert!(said.ends_with("Everything is in order.\n"), "{said}");
    assert!(!data.exists(), "whoever misspelt the folder gets no second database");
    let made = concord_in(&data, &["migrate"]).output().unwrap();
    let told = String::from_utf8(made.stderr).unwrap();
    assert!(told.contains("a new secret key is in"), "{told}");
    assert_eq!(doctor(), "Everything is in order.\n");
    std::fs::remove_file(data.join("secret.key")).unwrap();
    assert!(doctor().contains("There is no secret key at"));
    assert!(!data.join("secret.key").exists());
}

#[test]
fn tables_that_are_still_to_be_made_are_told_and_left() {
    let folder = Folder::new("no-tables");
    let data = folder.join("data");
    answer(&mut concord_in(&data, &["migrate"]));
    let file = data.join("concord.sqlite");
    std::fs::write(&file, b"").unwrap();
    let said = answer(&mut concord_in(&data, &["doctor"]));
    assert!(said.contains("still to be made or brought up to date"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), b"");
}

#[test]
fn two_settings_that_are_wrong_are_both_told() {
    let folder = Folder::new("two-settings");
    let mut command = concord_in(&folder.unwritable(), &["doctor"]);
    let said = refusal(command.env("CONCORD_PORT", "many"));
    assert!(said.contains("CONCORD_PORT is no port: give a number"), "{said}");
    assert!(said.contains("choose another by --data"), "{said}");
}

#[test]
fn a_database_that_cannot_be_used_is_told_with_a_setting_that_is_wrong() {
    let folder = Folder::new("two-faults");
    let url = format!("sqlite://{}", folder.unwritable().join("x.sqlite").display());
    let data = folder.join("data");
    let doctor = ["doctor", "--database-url", &url];
    let said = refusal(concord_in(&data, &doctor).env("CONCORD_RUNS", "0"));
    assert!(said.contains("CONCORD_RUNS is no number of runs: give 1 to 64"), "{said}");
    assert!(said.contains("the database can't be used"), "{said}");
    assert!(said.contains("name another by --database-url or DATABASE_URL"), "{said}");
    // Each alone is told alone.
    let said = refusal(&mut concord_in(&data, &doctor));
    assert!(said.contains("the database can't be used") && !said.contains("RUNS"), "{said}");
    let said = refusal(concord_in(&data, &["doctor"]).env("CONCORD_RUNS", "0"));
    assert!(!said.contains("the database can't be used") && said.contains("RUNS"), "{said}");
}

#[test]
fn a_database_is_looked_at_though_the_key_is_wrong_and_no_other_key_is_made() {
    let folder = Folder::new("wrong-key");
    let url = format!("sqlite://{}", folder.unwritable().join("x.sqlite").display());
    let data = folder.join("data");
    let mut command = concord_in(&data, &["doctor"]);
    let said = refusal(command.env("CONCORD_SECRET_KEY", "short").env("DATABASE_URL", url));
    assert!(said.contains("CONCORD_SECRET_KEY: "), "{said}");
    assert!(said.contains("the database can't be used"), "{said}");
    assert!(!data.exists());
}

#[test]
fn an_address_that_is_none_is_told_once() {
    let folder = Folder::new("no-address");
    let mut command = concord_in(&folder.join("data"), &["doctor"]);
    let said = refusal(command.env("DATABASE_URL", "mysql://x"));
    assert!(said.contains("neither sqlite://FILE nor postgres://"), "{said}");
    assert!(!said.contains("can't be used"), "{said}");
}

#[test]
fn an_oauth_client_is_told_with_what_it_needs_and_without_its_secret() {
    const SECRET: &str = "canary-of-a-secret";
    let folder = Folder::new("oauth-client");
    let doctor = || {
        let mut command = concord_in(&folder.join("data"), &["doctor"]);
        command.env("CONCORD_APP_KOMMO_CLIENT_ID", "an id");
        command
    };
    let half = refusal(&mut doctor());
    assert!(half.contains("without CONCORD_APP_KOMMO_CLIENT_SECRET: give both"), "{half}");
    let whole = || {
        let mut command = doctor();
        command.env("CONCORD_APP_KOMMO_CLIENT_SECRET", SECRET);
        command
    };
    answer(&mut concord_in(&folder.join("data"), &["migrate"]));
    let said = answer(&mut whole());
    assert!(said.contains("until CONCORD_PUBLIC_URL is set"), "{said}");
    let mut public = whole();
    let said = answer(public.env("CONCORD_PUBLIC_URL", "https://sync.example.com/"));
    let uri = "Kommo: the OAuth client needs the redirect URI https://sync.example.com/oauth/callback/kommo\n";
    assert_eq!(said, format!("{uri}Everything is in order.\n"));
    assert!(!said.contains(SECRET));
    let broken = refusal(whole().env("CONCORD_PORT", "many"));
    assert!(broken.contains("CONCORD_PORT") && !broken.contains(SECRET), "{broken}");
}
