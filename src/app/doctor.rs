//! What is wrong with the settings, all at once, and what a person should know although nothing is.

use std::sync::Arc;

use super::{Error, build_on};
use crate::accounts::callback;
use crate::config::{Config, Faults, Given};
use crate::connectors::{ALL, App};
use crate::ports::SystemEntropy;
use crate::secrets::MasterKey;
use crate::store::{self, Found, SqlStore};

/// Looks at all settings, and at the database wherever its own are right. Gives what a person should
/// know although nothing is wrong.
///
/// # Errors
/// Everything that is wrong; or that the secret key is not the one that the database was begun with.
pub async fn doctor(
    given: &Given,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Vec<String>, Error> {
    let given = Given { looks_only: true, ..given.clone() };
    let key = MasterKey::generate(&SystemEntropy)?.to_text();
    let of_the_database = |name: &str| match name {
        "CONCORD_DATA" | "DATABASE_URL" => environment(name),
        // Nothing is opened, so that any key will do.
        "CONCORD_SECRET_KEY" => Some(key.to_string()),
        _ => None,
    };
    let faults = match Config::read(&given, &environment) {
        Ok(config) => match look(&config).await {
            Ok(notes) => return Ok([clients(&config), notes].concat()),
            Err(Error::Store(error)) => vec![unusable(error)],
            Err(other) => return Err(other),
        },
        Err(Faults(mut faults)) => {
            if let Ok(config) = Config::read(&given, of_the_database)
                && let Err(error) = SqlStore::look(&config.database_url).await
            {
                faults.push(unusable(error));
            }
            faults
        }
    };
    Err(Faults(faults).into())
}

/// The database can't be used, and why.
fn unusable(error: store::Error) -> String {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    let cause = cause.unwrap_or_default();
    format!(
        "the database can't be used ({error}{cause}): name another by --database-url or DATABASE_URL"
    )
}

/// Looks at the database and the secret key as they are, and makes nothing. Gives what a person should know
/// although nothing is wrong.
///
/// # Errors
/// [`Error::Store`] if the database can't be used; [`Error::Accounts`] if the secret key is not the one that
/// it was begun with.
async fn look(config: &Config) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    if let Some(file) = &config.key_to_make {
        notes.push(format!(
            "There is no secret key at {} yet: the first start makes one. If there should be one, name its \
             folder by --data.",
            file.display()
        ));
    }
    match SqlStore::look(&config.database_url).await? {
        Found::Missing => notes.push(
            "There is no database yet: the first start makes it. If there should be one, name it by --data, \
             --database-url or DATABASE_URL."
                .to_owned(),
        ),
        Found::Older => notes.push(
            "The tables of the database are still to be made or brought up to date: the next start does so."
                .to_owned(),
        ),
        Found::Current(store) => build_on(config, Arc::new(store))?.accounts.check_key().await?,
    }
    Ok(notes)
}

/// The OAuth clients, with what has to be registered at the apps; never their secrets.
fn clients(config: &Config) -> Vec<String> {
    let about = |app: &&'static dyn App| {
        let (slug, name) = (app.about().slug, app.about().name);
        config.registrations.of(slug).iter().next()?;
        Some(match config.public_url.as_deref().map(|url| callback(url, slug)) {
            Some(uri) => format!("{name}: the OAuth client needs the redirect URI {uri}"),
            None => format!(
                "{name}: people who give consent can come back to a front-end only, until \
                 CONCORD_PUBLIC_URL is set"
            ),
        })
    };
    ALL.iter().filter_map(about).collect()
}
