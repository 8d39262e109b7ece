//! All settings, read once at the start. Every fault is named at once, with what to do.

mod apps;
mod folder;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::connectors::{Overrides, Registrations, is_redirect_uri};
use crate::ports::SystemEntropy;
use crate::secrets::MasterKey;
use apps::{overrides, registrations};
use folder::{could_be_written, kept_key, key_file, writable};

pub use apps::address_variable;

/// All settings.
#[derive(Clone)]
pub struct Config {
    /// Where the database is: `sqlite://FILE` or `postgres://USER@HOST/NAME`.
    pub database_url: String,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// What seals credentials and signs tokens.
    pub secret_key: MasterKey,
    /// Where this server is reached from outside, without a slash at the end: webhooks and OAuth
    /// redirects are made from it. None registers none.
    pub public_url: Option<String>,
    /// Whether GraphiQL is served.
    pub graphiql: bool,
    /// How many connections may run at once.
    pub runs: usize,
    /// How many times shorter leases, retries and the looking for lost creates are than usual. For
    /// tests: apps that are not emulated answer too late for anything but 1.
    pub times_divided_by: u32,
    /// What the operator has set otherwise than the vendors.
    pub overrides: Overrides,
    /// The OAuth clients that the operator registered with the apps.
    pub registrations: Registrations,
    /// Where people who gave consent may be sent on to.
    pub return_urls: Vec<String>,
    /// What of the work this process takes on.
    pub part: Part,
    /// Where the secret key is to be made, if there is none and nothing is made.
    pub key_to_make: Option<PathBuf>,
}

/// What of the work a process takes on. Several processes need a database that they can share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// The API and the notifications of apps; the runs are left to workers.
    Server,
    /// The runs.
    Worker,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Faults(pub Vec<String>);

/// What is given on the command line, before the environment.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The port.
    pub port: Option<u16>,
    /// The folder of the embedded database and the key.
    pub data: Option<PathBuf>,
    /// The database.
    pub database_url: Option<String>,
    /// Whether GraphiQL is served.
    pub graphiql: bool,
    /// What of the work the process takes on.
    pub part: Part,
    /// Whether the process only looks: then neither a folder nor a key is made.
    pub looks_only: bool,
}

const PORT: u16 = 8080;
const RUNS: usize = 4;
const MAX_RUNS: usize = 64;
const MAX_DIVISOR: u32 = 1000;
const DATA: &str = "concord-data";
const ALONE: &str = "a SQLite file belongs to one server, which has to run everything itself: for workers name a \
                     PostgreSQL database, by --database-url or DATABASE_URL";

impl Config {
    /// Reads the settings: what is given, then the environment, then what is usual. Makes the data
    /// folder and its key if they are not there, unless it only looks.
    ///
    /// # Errors
    /// [`Faults`] names everything that is wrong, each with what to do.
    pub fn read(given: &Given, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let port = given.port.or_else(|| {
            let text = variable("CONCORD_PORT")?;
            let port = text.parse().ok();
            if port.is_none() {
                faults.push("CONCORD_PORT is no port: give a number from 1 to 65535".to_owned());
            }
            port
        });
        let host = variable("CONCORD_HOST").map(|text| text.parse::<IpAddr>());
        let host = match host {
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(Ok(host)) => host,
            Some(Err(_)) => {
                faults.push("CONCORD_HOST is no address: give one such as 0.0.0.0".to_owned());
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            }
        };
        let data = given.data.clone().or_else(|| variable("CONCORD_DATA").map(PathBuf::from));
        let data = data.unwrap_or_else(|| PathBuf::from(DATA));
        let url = given.database_url.clone().or_else(|| variable("DATABASE_URL"));
        if let Some(url) = &url
            && !["sqlite:", "postgres:", "postgresql:"].iter().any(|kind| url.starts_with(kind))
        {
            let fault = "DATABASE_URL is neither sqlite://FILE nor postgres://USER@HOST/NAME";
            faults.push(fault.to_owned());
        }
        if given.part != Part::Whole && !url.as_deref().is_some_and(is_shared) {
            faults.push(ALONE.to_owned());
        }
        let text = variable("CONCORD_SECRET_KEY");
        let is_to_make = given.looks_only && text.is_none() && !key_file(&data).exists();
        let key_to_make = is_to_make.then(|| key_file(&data));
        let key = match text {
            Some(text) => {
                MasterKey::parse(&text).map_err(|error| format!("CONCORD_SECRET_KEY: {error}"))
            }
            None if is_to_make => {
                MasterKey::generate(&SystemEntropy).map_err(|error| error.to_string())
            }
            None => kept_key(&data, given.part),
        };
        let usable = if given.looks_only { could_be_written } else { writable };
        if url.is_none()
            && let Err(fault) = usable(&data)
        {
            faults.push(fault);
        }
        let runs = runs(&variable, &mut faults);
        let times_divided_by = times_divided_by(&variable, &mut faults);
        let overrides = overrides(&variable, &mut faults);
        let registrations = registrations(&variable, &mut faults);
        let return_urls = return_urls(&variable, &mut faults);
        let public_url = variable("CONCORD_PUBLIC_URL");
        if public_url.as_deref().is_some_and(|url| !is_address(url)) {
            let fault =
                "CONCORD_PUBLIC_URL is no address: give one such as https://sync.example.com";
            faults.push(fault.to_owned());
        }
        let graphiql =
            given.graphiql || variable("CONCORD_GRAPHIQL").is_some_and(|on| on == "true");
        let secret_key = key.map_err(|fault| faults.push(fault)).ok();
        match secret_key {
            Some(secret_key) if faults.is_empty() => Ok(Self {
                database_url: url.unwrap_or_else(|| {
                    format!("sqlite://{}", data.join("concord.sqlite").display())
                }),
                listen: SocketAddr::new(host, port.unwrap_or(PORT)),
                secret_key,
                public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
                graphiql,
                runs,
                times_divided_by,
                overrides,
                registrations,
                return_urls,
                part: given.part,
                key_to_make,
            }),
            _ => Err(Faults(faults)),
        }
    }
}

fn is_address(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// Whether several processes can use a database.
fn is_shared(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

/// `CONCORD_RUNS`.
fn runs(variable: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> usize {
    match variable("CONCORD_RUNS").map(|runs| runs.parse::<usize>()) {
        None => RUNS,
        Some(Ok(runs)) if (1..=MAX_RUNS).contains(&runs) => runs,
        Some(_) => {
            faults.push(format!("CONCORD_RUNS is no number of runs: give 1 to {MAX_RUNS}"));
            RUNS
        }
    }
}

/// `CONCORD_TIMES_DIVIDED_BY`.
fn times_divided_by(variable: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> u32 {
    match variable("CONCORD_TIMES_DIVIDED_BY").map(|divisor| divisor.parse::<u32>()) {
        None => 1,
        Some(Ok(divisor)) if (1..=MAX_DIVISOR).contains(&divisor) => divisor,
        Some(_) => {
            faults.push(format!(
                "CONCORD_TIMES_DIVIDED_BY is no divisor: give 1 to {MAX_DIVISOR}, or none"
            ));
            1
        }
    }
}

/// `CONCORD_RETURN_URLS`: addresses with commas between them.
fn return_urls(
    variable: &impl Fn(&str) -> Option<String>,
    faults: &mut Vec<String>,
) -> Vec<String> {
    let given = variable("CONCORD_RETURN_URLS").unwrap_or_default();
    let urls = given.split(',').map(str::trim).filter(|url| !url.is_empty());
    let urls: Vec<String> = urls.map(str::to_owned).collect();
    if !urls.iter().all(|url| is_redirect_uri(url)) {
        let fault = "CONCORD_RETURN_URLS are addresses such as https://app.example.com/connected, with \
                     commas between them";
        faults.push(fault.to_owned());
    }
    urls
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(variables: &[(&str, &str)], data: &Path) -> Result<Config, Faults> {
        read_as(Part::Whole, variables, data)
    }

    fn read_as(part: Part, variables: &[(&str, &str)], data: &Path) -> Result<Config, Faults> {
        let given = Given { data: Some(data.to_owned()), part, ..Given::default() };
        Config::read(&given, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("concord-config-{name}-{}", std::process::id()))
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let wrong = [
            ("CONCORD_PORT", "many"),
            ("CONCORD_HOST", "here"),
            ("DATABASE_URL", "mysql://x"),
            ("CONCORD_SECRET_KEY", "short"),
            ("CONCORD_RUNS", "0"),
            ("CONCORD_TIMES_DIVIDED_BY", "0"),
            ("CONCORD_PUBLIC_URL", "sync.example.com"),
            ("CONCORD_RETURN_URLS", "https://a.example, app.example.com"),
            ("CONCORD_APP_KOMMO_URL", "ftp://x"),
            ("CONCORD_APP_ZOHO_RATE", "0"),
            ("CONCORD_APP_KOMMO_CLIENT_ID", "known to all"),
            ("CONCORD_APP_ZOHO_CLIENT_SECRET", "short"),
            ("CONCORD_APP_ZOHO_CLIENT_ID_EU", "known to all"),
        ];
        let Faults(faults) = read(&wrong, &folder("faults")).err().unwrap();
        assert_eq!(faults.len(), wrong.len(), "{faults:?}");
        assert!(!faults.iter().any(|fault| fault.contains("short")), "no secret is told");
    }

    #[test]
    fn the_key_is_made_once_and_kept() {
        let folder = folder("key");
        let first = read(&[], &folder).unwrap();
        let second = read(&[], &folder).unwrap();
        assert_eq!(*first.secret_key.to_text(), *second.secret_key.to_text());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn only_who_does_everything_may_do_so_on_sqlite() {
        let folder = folder("part");
        let all = read_as(Part::Whole, &[], &folder).unwrap();
        assert_eq!(all.part, Part::Whole);
        for part in [Part::Server, Part::Worker] {
            let named = [("DATABASE_URL", "sqlite://x.sqlite")];
            for variables in [&[][..], &named] {
                let Faults(faults) = read_as(part, variables, &folder).err().unwrap();
                assert_eq!(faults, [ALONE]);
            }
            let shared = [("DATABASE_URL", "postgres://x@y/z")];
            assert_eq!(read_as(part, &shared, &folder).unwrap().part, part);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_worker_makes_no_key_of_its_own() {
        let folder = folder("no-key");
        let shared = [("DATABASE_URL", "postgres://x@y/z")];
        let Faults(faults) = read_as(Part::Worker, &shared, &folder).err().unwrap();
        assert_eq!(faults, [folder::NO_KEY]);
        assert!(!folder.exists());
        let server = read_as(Part::Server, &shared, &folder).unwrap();
        let worker = read_as(Part::Worker, &shared, &folder).unwrap();
        assert_eq!(*server.secret_key.to_text(), *worker.secret_key.to_text());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn times_are_as_usual_unless_they_are_divided() {
        let folder = folder("times");
        let divided = [("CONCORD_TIMES_DIVIDED_BY", "50")];
        assert_eq!(read(&[], &folder).unwrap().times_divided_by, 1);
        assert_eq!(read(&divided, &folder).unwrap().times_divided_by, 50);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_oauth_client_is_an_id_with_a_secret() {
        let folder = folder("clients");
        let both = [
            ("CONCORD_APP_KOMMO_CLIENT_ID", " known to all\n"),
            ("CONCORD_APP_KOMMO_CLIENT_SECRET", "known to us"),
            ("CONCORD_APP_KOMMO_CLIENT_ID_AMOCRM_RU", "another"),
            ("CONCORD_APP_KOMMO_CLIENT_SECRET_AMOCRM_RU", "of its own"),
            ("CONCORD_APP_ZOHO_CLIENT_ID", ""),
            ("CONCORD_RETURN_URLS", "https://app.example.com/done, http://localhost:3000,"),
        ];
        let config = read(&both, &folder).unwrap();
        let known = |slug: &str| {
            let clients = config.registrations.of(slug);
            let all = clients.iter().map(|client| (client.client_id.clone(), client.place.clone()));
            all.collect::<Vec<_>>()
        };
        let ru = ("another".to_owned(), Some("amocrm.ru".to_owned()));
        assert_eq!(known("kommo"), [ru, ("known to all".to_owned(), None)]);
        assert_eq!(known("zoho"), [], "an empty setting is none");
        assert_eq!(config.return_urls, ["https://app.example.com/done", "http://localhost:3000"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let file = folder("file");
        std::fs::write(&file, b"").unwrap();
        let Faults(faults) = read(&[], &file.join("below")).err().unwrap();
        assert!(faults.iter().any(|fault| fault.contains("--data")), "{faults:?}");
        std::fs::remove_file(file).unwrap();
    }
}
