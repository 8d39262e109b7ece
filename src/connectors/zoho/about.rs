//! What the catalogue says of Zoho CRM, and what it can do.

use std::time::Duration;

use super::credits::WINDOW;
use super::notify::LIFE_SECONDS;
use crate::connectors::{About, Capability, CredentialAbout, NotificationsAbout, ObjectAbout};

/// People who are customers.
pub(super) const CONTACTS: &str = "Contacts";
/// People who may become customers.
pub(super) const LEADS: &str = "Leads";
/// What is kept the same; the first is taken where nothing is said.
pub(super) const OBJECTS: [ObjectAbout; 2] = [
    ObjectAbout { name: CONTACTS, label: "Contacts" },
    ObjectAbout { name: LEADS, label: "Leads" },
];

pub(super) static ABOUT: About = About {
    slug: "zoho",
    name: "Zoho CRM",
    docs: "https://www.zoho.com/crm/developer/docs/api/v8/",
    credentials: &[
        CredentialAbout {
            name: "data_centre",
            label: "Where the organisation is: us, eu, in, au, jp, ca, sa, uk or cn",
            is_secret: false,
            is_required: true,
        },
        CredentialAbout {
            name: "client_id",
            label: "The client id of a self client (api-console.zoho of the same data centre)",
            is_secret: false,
            is_required: true,
        },
        CredentialAbout {
            name: "client_secret",
            label: "The secret of that client",
            is_secret: true,
            is_required: true,
        },
        CredentialAbout {
            name: "code",
            label: "A code generated there with the scopes that the documentation lists; it lives for minutes",
            is_secret: true,
            is_required: false,
        },
        CredentialAbout {
            name: "refresh_token",
            label: "Or a refresh token that such a code was exchanged for",
            is_secret: true,
            is_required: false,
        },
    ],
    objects: &OBJECTS,
    hosts: &["zoho", "zoho_accounts"],
    // Each data centre gives a client a secret of its own; China has other clients.
    client_places: &["us", "eu", "in", "au", "jp", "ca", "sa", "uk", "cn"],
    // No rate is published, only how many at once: five in the smallest edition.
    per_second: 20,
    at_once: 4,
    notifications: NotificationsAbout {
        life: Some(Duration::from_secs(LIFE_SECONDS)),
        how: "There is no place for it: Zoho takes the URL only by its API, and what the webhooks of \
              its workflow rules post has another form",
        events: &[],
    },
};

pub(super) static CAPABILITY: Capability = Capability {
    page_max: 200,
    read_many_max: 100,
    write_many_max: 100,
    list_incremental: true,
    list_reports_removed: true,
    delete: true,
    tags: true,
    consent: true,
    clear_field: true,
    revision_in_answer: true,
    converts: &[(LEADS, CONTACTS)],
    // The look before it, and itself.
    credit_window: Some(WINDOW),
    search_lag_seconds: 60,
};
