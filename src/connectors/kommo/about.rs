//! What the catalogue says of Kommo, and what it can do.

use crate::connectors::{About, Capability, CredentialAbout, NotificationsAbout, ObjectAbout};

/// The one object so far.
pub(super) const CONTACTS: &str = "contacts";

pub(super) static ABOUT: About = About {
    slug: "kommo",
    name: "Kommo",
    docs: "https://developers.kommo.com/reference",
    credentials: &[
        CredentialAbout {
            name: "host",
            label: "The account's address, such as acme.kommo.com",
            is_secret: false,
            is_required: true,
        },
        CredentialAbout {
            name: "token",
            label: "A long-lived token of a private integration (Settings, Integrations, Keys and scopes)",
            is_secret: true,
            is_required: true,
        },
    ],
    objects: &[ObjectAbout { name: CONTACTS, label: "Contacts" }],
    hosts: &["kommo"],
    // amocrm.ru is a service of its own.
    client_places: &["kommo.com", "amocrm.ru"],
    // The limit is 7 a second for each integration; beyond it the account is blocked.
    per_second: 6,
    at_once: 4,
    // As developers.kommo.com/docs/webhooks-general names them.
    notifications: NotificationsAbout {
        life: None,
        how: "Settings, Integrations, Web hooks (upper right): add the URL and choose the events",
        events: &[
            "Contact added",
            "Contact edited",
            "Contact deleted",
            "Contact restored",
            "Contact resp. user changed",
        ],
    },
};

pub(super) static CAPABILITY: Capability = Capability {
    page_max: 250,
    read_many_max: 150,
    write_many_max: 50,
    list_incremental: true,
    list_reports_removed: true,
    delete: false,
    tags: true,
    consent: false,
    clear_field: true,
    revision_in_answer: false,
    converts: &[],
    credit_window: None,
    search_lag_seconds: 30,
};
