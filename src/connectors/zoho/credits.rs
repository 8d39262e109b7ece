//! What calls cost, how many credits an organisation has, and how many are left
//! (zoho.com/crm/developer/docs/api/v8/api-limits.html). Credits count for 24 hours.

use std::time::Duration;

use serde_json::Value as Json;

use crate::connectors::Prices;
use crate::net::Answer;

/// A page of what was removed.
const REMOVALS: u64 = 2;
/// Making a contact of a lead.
const CONVERSION: u64 = 5;

pub(super) const PRICES: Prices = Prices {
    window: Duration::from_secs(24 * 60 * 60),
    written: 10,
    tagged: 50,
    // With the look before it.
    conversion: 6,
};

/// What a call costs that is about so many records.
pub(super) fn cost(path: &str, records: usize) -> u64 {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let per = |step: u32| (records as u64).div_ceil(u64::from(step)).max(1);
    match path.rsplit('/').next() {
        Some("deleted") => REMOVALS,
        Some("convert") => CONVERSION,
        Some("add_tags" | "remove_tags") => per(PRICES.tagged),
        _ => per(PRICES.written),
    }
}

/// How many records a body is about.
pub(super) fn records(body: &Json) -> usize {
    let lists = ["data", "ids"].into_iter().filter_map(|name| body.get(name)?.as_array());
    lists.map(Vec::len).sum()
}

/// How many credits are left: told only once half of them are used.
pub(super) fn left(answer: &Answer) -> Option<u64> {
    answer.header("x-api-credits-remaining")?.parse().ok()
}

/// How many credits an organisation has in 24 hours, without those that it bought beside its licence.
/// None for editions, or trials, of which it is not published.
pub(super) fn allowance(license: &Json) -> Option<u64> {
    let told = |name: &str| license.get(name).filter(|value| !value.is_null());
    if told("trial_type").is_some() {
        return None;
    }
    let (per_user, most) = match told("paid_type")?.as_str()? {
        "free" => return Some(5_000),
        "standard" => (250, 100_000),
        "professional" => (500, 3_000_000),
        "enterprise" => (1_000, 5_000_000),
        "ultimate" => (2_000, u64::MAX),
        _ => return None,
    };
    let users = told("users_license_purchased")?;
    let users = users.as_u64().or_else(|| users.as_str()?.parse().ok())?;
    Some(users.saturating_mul(per_user).saturating_add(50_000).min(most))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_cost_what_zoho_publishes() {
        let cases = [
            ("/crm/v8/Contacts?fields=Email", 0, 1),
            ("/crm/v8/Contacts", 10, 1),
            ("/crm/v8/Contacts", 11, 2),
            ("/crm/v8/Contacts", 100, 10),
            ("/crm/v8/Contacts/deleted?type=all", 0, 2),
            ("/crm/v8/Leads/1/actions/convert", 1, 5),
            ("/crm/v8/Leads/actions/add_tags", 50, 1),
            ("/crm/v8/Leads/actions/remove_tags", 51, 2),
        ];
        for (path, records, credits) in cases {
            assert_eq!(cost(path, records), credits, "{path} about {records}");
        }
        assert_eq!(records(&json!({"tags": [{}, {}], "ids": ["1", "2", "3"]})), 3);
        assert_eq!(records(&json!({"data": [{}]})), 1);
    }

    #[test]
    fn an_allowance_follows_the_edition_and_its_users_and_is_never_guessed() {
        let license = |edition: &str, users: Option<u64>| json!({"paid_type": edition, "trial_type": null, "users_license_purchased": users});
        let cases = [
            (license("free", Some(3)), Some(5_000)),
            (license("standard", Some(10)), Some(52_500)),
            (license("standard", Some(1_000)), Some(100_000)),
            (license("professional", Some(10)), Some(55_000)),
            (license("enterprise", Some(5)), Some(55_000)),
            (license("ultimate", Some(5_000)), Some(10_050_000)),
            (license("standard", None), None),
            (license("plus", Some(3)), None),
            (json!({"paid_type": "standard", "users_license_purchased": "10"}), Some(52_500)),
            (json!({}), None),
            (Json::Null, None),
        ];
        for (license, allowed) in cases {
            assert_eq!(allowance(&license), allowed, "{license}");
        }
        let trial = json!({"paid_type": "free", "trial_type": "enterprise"});
        assert_eq!(allowance(&trial), None);
    }
}
