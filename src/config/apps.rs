//! What an operator sets for the apps: other addresses, how fast they may be asked, and OAuth clients.

use super::is_address;
use crate::connectors::{ALL, AppRegistration, Overrides, Registrations};

/// The variable that sets another address for one of an app's hosts.
#[must_use]
pub fn address_variable(host: &str) -> String {
    format!("CONCORD_APP_{}_URL", host.to_uppercase())
}

/// `CONCORD_APP_<APP>_URL`, `CONCORD_APP_ZOHO_ACCOUNTS_URL` and `CONCORD_APP_<APP>_RATE`.
pub(super) fn overrides(
    variable: &impl Fn(&str) -> Option<String>,
    faults: &mut Vec<String>,
) -> Overrides {
    let mut overrides = Overrides::default();
    for app in ALL {
        let about = app.about();
        for host in about.hosts {
            let name = address_variable(host);
            let Some(url) = variable(&name) else { continue };
            if is_address(&url) {
                overrides = overrides.with_address(host, &url);
            } else {
                faults.push(format!("{name} is no address: it begins with https:// or http://"));
            }
        }
        let name = format!("CONCORD_APP_{}_RATE", about.slug.to_uppercase());
        match variable(&name).map(|rate| rate.parse::<u32>()) {
            None => {}
            Some(Ok(rate)) if rate > 0 => overrides = overrides.with_rate(about.slug, rate),
            Some(_) => faults.push(format!("{name} is no rate: give requests a second, such as 5")),
        }
    }
    overrides
}

/// `CONCORD_APP_<APP>_CLIENT_ID` and `CONCORD_APP_<APP>_CLIENT_SECRET`, for all places or, with its name
/// added, for one.
pub(super) fn registrations(
    variable: &impl Fn(&str) -> Option<String>,
    faults: &mut Vec<String>,
) -> Registrations {
    let mut registrations = Registrations::default();
    for about in ALL.iter().map(|app| app.about()) {
        let places = about.client_places.iter().map(|place| Some(*place));
        for place in std::iter::once(None).chain(places) {
            let suffix = place.map(|place| format!("_{}", place.replace('.', "_")));
            let suffix = suffix.unwrap_or_default();
            let [id, secret] = ["ID", "SECRET"].map(|part| {
                let name =
                    format!("CONCORD_APP_{}_CLIENT_{part}{suffix}", about.slug).to_uppercase();
                let value = variable(&name).map(|value| value.trim().to_owned());
                (name, value.filter(|value| !value.is_empty()))
            });
            match (id, secret) {
                ((_, None), (_, None)) => {}
                ((_, Some(client_id)), (_, Some(secret))) => {
                    let (client_secret, place) = (secret.into(), place.map(str::to_owned));
                    let client = AppRegistration { client_id, client_secret, place };
                    registrations = registrations.add(about.slug, client);
                }
                ((there, Some(_)), (missing, None)) | ((missing, None), (there, Some(_))) => {
                    faults.push(format!("{there} is given without {missing}: give both, or none"));
                }
            }
        }
    }
    registrations
}
