//! How often the apps are asked, by the emulators' own logs: never more than a little above what they
//! force upon anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use concord::lab::people::Kind;
use serde_json::{Map, Value as Json};

use crate::house::House;

/// What an app takes at once: contacts to a page, and to a write.
struct Batches {
    page: usize,
    write: usize,
}

const KOMMO: Batches = Batches { page: 250, write: 50 };
const ZOHO: Batches = Batches { page: 200, write: 100 };

/// Longer than the connectors look back.
const PAST_THE_OVERLAP: Duration = Duration::from_secs(600);

/// A record, as far as this judges: its permission, its tags, and all else that people see.
#[derive(Debug, PartialEq)]
struct Shown {
    consent: Json,
    tags: BTreeSet<String>,
    rest: Map<String, Json>,
}

type Records = BTreeMap<String, Shown>;

fn tags(list: Option<&Json>) -> BTreeSet<String> {
    let tags = list.and_then(Json::as_array).into_iter().flatten();
    tags.map(|tag| tag["name"].as_str().unwrap().to_owned()).collect()
}

fn kommo_records(house: &House) -> Records {
    let shown = |contact: &Json| {
        let kept = ["first_name", "last_name", "name", "responsible_user_id"];
        let mut rest: Map<String, Json> =
            kept.iter().map(|name| ((*name).to_owned(), contact[*name].clone())).collect();
        let mut consent = Json::Null;
        for field in contact["custom_fields_values"].as_array().into_iter().flatten() {
            if field["field_id"].as_u64() == Some(house.moved.opt_out_field) {
                consent = field["values"].clone();
            } else {
                rest.insert(field["field_id"].to_string(), field["values"].clone());
            }
        }
        let tags = tags(contact.pointer("/_embedded/tags"));
        (contact["id"].to_string(), Shown { consent, tags, rest })
    };
    house.kommo.contacts().iter().map(shown).collect()
}

fn zoho_records(house: &House) -> Records {
    let shown = |record: &Json| {
        let mut rest = record.as_object().unwrap().clone();
        let consent = rest.remove("Email_Opt_Out").unwrap_or_default();
        let tags = tags(rest.remove("Tag").as_ref());
        // What Zoho keeps by itself.
        let own = ["Time", "Modified", "Created", "Full_Name", "$"];
        rest.retain(|name, _| !own.iter().any(|part| name.contains(part)));
        (record["id"].as_str().unwrap().to_owned(), Shown { consent, tags, rest })
    };
    house.zoho.contacts().iter().map(shown).collect()
}

/// The records that are there before and after and differ.
fn changed<'a>(
    before: &'a Records,
    after: &'a Records,
    differs: impl Fn(&Shown, &Shown) -> bool,
) -> Vec<(&'a Shown, &'a Shown)> {
    let both = before.iter().filter_map(|(id, old)| Some((old, after.get(id)?)));
    both.filter(|(old, new)| differs(old, new)).collect()
}

fn created(before: &Records, after: &Records) -> usize {
    after.keys().filter(|id| !before.contains_key(*id)).count()
}

/// The lists of phones and e-mail addresses, which Kommo takes only whole.
fn lists(record: &Shown) -> Vec<&Json> {
    let is_list = |values: &&Json| values.pointer("/0/enum_code").is_some_and(Json::is_string);
    record.rest.values().filter(is_list).collect()
}

/// Kommo takes fields and tags together; permission goes before them and alone. Lists are read again
/// just before they are written, so that nobody's number gets lost.
fn kommo_minimum(before: &Records, after: &Records) -> usize {
    let consents = changed(before, after, |old, new| old.consent != new.consent).len();
    let updates =
        changed(before, after, |old, new| old.rest != new.rest || old.tags != new.tags).len();
    let lists = changed(before, after, |old, new| lists(old) != lists(new)).len();
    let writes = [created(before, after), consents, updates, lists];
    before.len().div_ceil(KOMMO.page).max(1)
        + writes.iter().map(|count| count.div_ceil(KOMMO.write)).sum::<usize>()
}

/// Zoho takes tags by calls of their own, in which all records get the same. The records that it
/// refuses were sent with the others.
fn zoho_minimum(before: &Records, after: &Records, refused: usize) -> usize {
    let consents = changed(before, after, |old, new| old.consent != new.consent).len();
    let updates = changed(before, after, |old, new| old.rest != new.rest).len();
    let mut by_set: BTreeMap<Vec<&String>, usize> = BTreeMap::new();
    let mut by_tag: BTreeMap<&String, usize> = BTreeMap::new();
    for (old, new) in changed(before, after, |old, new| old.tags != new.tags) {
        let added: Vec<&String> = new.tags.difference(&old.tags).collect();
        for tag in &added {
            *by_tag.entry(tag).or_default() += 1;
        }
        *by_set.entry(added).or_default() += 1;
    }
    let calls = |sizes: Vec<usize>| -> usize {
        sizes.into_iter().map(|size| size.div_ceil(ZOHO.write)).sum()
    };
    let sets = calls(by_set.into_values().collect());
    let tagged = sets.min(calls(by_tag.into_values().collect()));
    let writes = [created(before, after) + refused, consents, updates];
    before.len().div_ceil(ZOHO.page).max(1)
        + tagged
        + writes.iter().map(|count| count.div_ceil(ZOHO.write)).sum::<usize>()
}

/// The requests to both apps since they were forgotten, without those for keys.
fn requests(house: &House) -> Vec<(String, String, String)> {
    let kommo = house.kommo.requests().into_iter().map(|r| (r.method, r.path, r.query));
    let zoho = house.zoho.requests().into_iter().map(|r| (r.method, r.path, r.query));
    kommo.chain(zoho).filter(|(_, path, _)| !path.contains("/oauth")).collect()
}

/// The pages that describe an account; each has to be read once.
fn metadata(requests: &[(String, String, String)]) -> usize {
    let words = ["/users", "/account", "/custom_fields", "/settings", "/org"];
    let pages: BTreeSet<_> = requests
        .iter()
        .filter(|(method, path, _)| method == "GET" && words.iter().any(|word| path.contains(word)))
        .collect();
    pages.len()
}

fn told(requests: &[(String, String, String)]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (method, path, _) in requests {
        *counts.entry(format!("{method} {path}")).or_default() += 1;
    }
    counts.into_iter().map(|(what, count)| format!("{count} {what}")).collect()
}

/// Before anybody is made, each app is asked once more what changed and who was removed: somebody may have
/// come to both while they were read.
const CATCHING_UP: usize = 4;

#[tokio::test]
async fn the_first_run_asks_little_more_than_the_apps_force() {
    let house = House::new(1_000, 4).await;
    // Nobody has moved in just now: who changed in the last minutes is read twice.
    house.clock.put_forward(std::time::Duration::from_secs(1800));
    let before = (kommo_records(&house), zoho_records(&house));
    house.forget_requests();
    house.run().await;
    let requests = requests(&house);
    let after = (kommo_records(&house), zoho_records(&house));
    let refused = house.people.people.iter().filter(|person| person.kind == Kind::Refused).count();
    let left = kommo_minimum(&before.0, &after.0);
    let right = zoho_minimum(&before.1, &after.1, refused);
    let minimum = left + right + metadata(&requests) + CATCHING_UP;
    let most = minimum * 105 / 100 + 5;
    assert!(created(&before.0, &after.0) > 100 && created(&before.1, &after.1) > 100);
    assert!(
        requests.len() <= most,
        "{} calls, where {minimum} are forced ({left} by Kommo, {right} by Zoho): {:#?}",
        requests.len(),
        told(&requests)
    );
}

#[tokio::test]
async fn a_run_without_changes_reads_the_changes_once_and_what_was_deleted_once() {
    let house = House::new(300, 5).await;
    house.run().await;
    house.clock.put_forward(PAST_THE_OVERLAP);
    // It reads once more what the first run wrote, and confirms it.
    house.forget_requests();
    house.run().await;
    assert_eq!(house.write_requests(), Vec::<String>::new(), "a second run writes nothing");
    house.clock.put_forward(PAST_THE_OVERLAP);
    house.forget_requests();
    house.run().await;
    let requests = told(&requests(&house));
    let changes = ["1 GET /api/v4/contacts", "1 GET /crm/v8/Contacts"];
    let deletions = ["1 GET /api/v4/events", "1 GET /crm/v8/Contacts/deleted"];
    for read in changes {
        assert!(requests.iter().any(|told| told == read), "no {read}: {requests:#?}");
    }
    let more: Vec<&String> = requests
        .iter()
        .filter(|told| !changes.contains(&told.as_str()) && !deletions.contains(&told.as_str()))
        .collect();
    assert!(more.is_empty(), "more than one read a feed: {requests:#?}");
}

#[tokio::test]
async fn a_first_run_sets_off_no_workflow_in_zoho() {
    let house = House::new(300, 6).await;
    let before = zoho_records(&house);
    house.run().await;
    let after = zoho_records(&house);
    let is_written = |id: &String| {
        let (old, new) = (before.get(id), &after[id]);
        old.is_none_or(|old| old.consent != new.consent || old.rest != new.rest)
    };
    let written: BTreeSet<&String> = after.keys().filter(|id| is_written(id)).collect();
    let made = created(&before, &after);
    assert!(made > 30 && written.len() > made + 30, "{made} were made of {}", written.len());
    for contact in house.zoho.contacts() {
        let id = contact["id"].as_str().unwrap().to_owned();
        if written.contains(&id) {
            // Left out, all of the customer's would be set off.
            assert_eq!(contact["$trigger"], Json::Array(Vec::new()), "{id}");
        }
    }
}
