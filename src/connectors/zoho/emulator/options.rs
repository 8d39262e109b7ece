//! What an emulated account is like.

use std::sync::Arc;
use std::time::Duration;

use crate::ports::Clock;

/// What an emulated account is like.
#[derive(Clone)]
pub struct Options {
    /// The time it lives in.
    pub clock: Arc<dyn Clock>,
    /// Credits in any 24 hours; none for as many as the Standard edition has for its users.
    pub credits: Option<u64>,
    /// API calls at the same time; one more is refused with 429.
    pub concurrency: u32,
    /// How long the search misses what was just written.
    pub search_lag: Duration,
    /// The time zone of the user of the tokens, in which all times are given.
    pub utc_offset_hours: i8,
    /// What the tokens may do, separated by commas or spaces.
    pub scopes: String,
    /// The address of the API as token answers and notifications tell it.
    pub base_url: String,
    /// How long a page token can be used.
    pub page_token_life: Duration,
    /// How many records of one listing page tokens reach.
    pub page_token_records: usize,
    /// How many records a bulk job writes at most.
    pub bulk_page: u64,
    /// How long a bulk job takes.
    pub bulk_takes: Duration,
    /// How many rows the file of a bulk job lacks at its end.
    pub bulk_rows_lost: usize,
    /// Whether the file of a bulk job has leads that were converted.
    pub bulk_has_converted: bool,
    /// What the file of a bulk job makes of a value: the name of the field, and how it is documented.
    pub bulk_cell: fn(&str, String) -> String,
}

/// Everything that a sync may want.
const SCOPES: &str = "ZohoCRM.modules.ALL,ZohoCRM.settings.fields.READ,\
    ZohoCRM.settings.modules.READ,ZohoCRM.settings.layouts.READ,ZohoCRM.settings.tags.ALL,\
    ZohoCRM.users.READ,ZohoCRM.org.READ,ZohoCRM.notifications.ALL,ZohoCRM.coql.READ,ZohoCRM.bulk.READ,\
    ZohoSearch.securesearch.READ";

impl Options {
    /// A small account of the Standard edition in Europe, whose search shows everything at once.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            credits: None,
            concurrency: 10,
            search_lag: Duration::ZERO,
            utc_offset_hours: 2,
            scopes: SCOPES.to_owned(),
            base_url: "https://www.zohoapis.eu".to_owned(),
            page_token_life: Duration::from_secs(24 * 60 * 60),
            page_token_records: 100_000,
            bulk_page: 200_000,
            bulk_takes: Duration::from_secs(20),
            bulk_rows_lost: 0,
            bulk_has_converted: false,
            bulk_cell: |_, cell| cell,
        }
    }
}
