//! What calls cost, how many credits an organisation has, and how many are left
//! (zoho.com/crm/developer/docs/api/v8/api-limits.html). Credits count for 24 hours.

use std::time::Duration;

use serde_json::Value as Json;

use crate::net::{Answer, Left};

/// A page of what was removed.
const REMOVALS: u64 = 2;
/// Making a contact of a lead.
const CONVERSION: u64 = 5;
/// Writing all records of a module into a file.
const BULK_READ: u64 = 50;

/// Records that a call writes for one credit.
const WRITTEN: usize = 10;
/// Records that get or lose tags for one credit.
const TAGGED: usize = 50;
/// How long a credit counts that was used.
pub(super) const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// What a call costs that is about so many records.
pub(super) fn cost(path: &str, records: usize) -> u64 {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let per = |step: usize| (records as u64).div_ceil(step as u64).max(1);
    match path.rsplit('/').next() {
        Some("deleted") => REMOVALS,
        Some("convert") => CONVERSION,
        Some("read") => BULK_READ,
        Some("add_tags" | "remove_tags") => per(TAGGED),
        _ => per(WRITTEN),
    }
}

/// How many records a body is about.
pub(super) fn records(body: &Json) -> usize {
    let lists = ["data", "ids"].into_iter().filter_map(|name| body.get(name)?.as_array());
    lists.map(Vec::len).sum()
}

/// What an answer says of the credits that are left: how many only once half of them are used. Nothing,
/// if it is none to what was asked.
pub(super) fn left(answer: &Answer) -> Option<Left> {
    if let Some(told) = answer.header("x-api-credits-remaining") {
        let left = told.parse::<i64>().ok()?;
        return Some(Left::Told(u64::try_from(left).unwrap_or_default()));
    }
    match answer.status {
        200..=399 => Some(Left::Enough),
        400 | 429 if are_used_up(answer) => Some(Left::Told(0)),
        _ => None,
    }
}

/// Whether it is refused because no credits are left. A list that is too long for a call has the same
/// code, and its limit.
fn are_used_up(answer: &Answer) -> bool {
    let Ok(body) = serde_json::from_slice::<Json>(&answer.body) else { return false };
    let limit_of_call = body.pointer("/details/limit").filter(|_| answer.status == 400);
    body.get("code").is_some_and(|code| code == "LIMIT_EXCEEDED") && limit_of_call.is_none()
}

/// More users than these are none.
const USERS_MAX: u64 = 10_000_000;

/// How many credits an organisation has in 24 hours, without those that it bought beside its licence.
/// None for editions, or trials, of which it is not published.
pub(super) fn allowance(license: &Json) -> Option<u64> {
    let told = |name: &str| license.get(name).filter(|value| !value.is_null());
    if told("trial_type").is_some() && license.get("paid") != Some(&Json::Bool(true)) {
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
    if users > USERS_MAX {
        return None;
    }
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
            ("/crm/bulk/v8/read", 0, 50),
            ("/crm/bulk/v8/read/123", 0, 1),
            ("/crm/bulk/v8/read/123/result", 0, 1),
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
        let tried = json!({"paid_type": "free", "trial_type": "enterprise", "paid": true});
        assert_eq!(allowance(&tried), Some(5_000), "that was before it was paid for");
        assert_eq!(allowance(&license("ultimate", Some(u64::MAX))), None, "nobody has so many");
    }

    #[test]
    fn what_is_left_is_told_by_answers_and_by_refusals_for_want_of_it() {
        let answer = |status, told: Option<&'static str>, body: &Json| Answer {
            status,
            headers: told
                .map(|told| ("x-api-credits-remaining".into(), told.into()))
                .into_iter()
                .collect(),
            body: body.to_string().into_bytes(),
        };
        let (nothing, used_up) = (Json::Null, json!({"code": "LIMIT_EXCEEDED"}));
        let too_long = json!({"code": "LIMIT_EXCEEDED", "details": {"limit": 100}});
        let cases = [
            (answer(200, Some("70"), &nothing), Some(Left::Told(70))),
            (answer(200, Some("-3"), &nothing), Some(Left::Told(0))),
            (answer(200, Some("many"), &nothing), None),
            (answer(200, Some("99999999999999999999"), &nothing), None),
            (answer(204, None, &nothing), Some(Left::Enough)),
            (answer(304, None, &nothing), Some(Left::Enough)),
            (answer(401, None, &nothing), None),
            (answer(502, None, &nothing), None),
            (answer(429, None, &json!({"code": "TOO_MANY_REQUESTS"})), None),
            (answer(429, None, &too_long), Some(Left::Told(0))),
            (answer(400, None, &used_up), Some(Left::Told(0))),
            (answer(400, None, &too_long), None),
        ];
        for (answer, says) in cases {
            assert_eq!(
                left(&answer),
                says,
                "{} {:?}",
                answer.status,
                answer.header("x-api-credits-remaining")
            );
        }
    }
}
