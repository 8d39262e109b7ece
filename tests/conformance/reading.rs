//! Reading: listings, changes, removals, single records, searches.

use std::collections::{BTreeMap, BTreeSet};

use concord::connectors::{Departure, ErrorKind, Fetched, Lookup, Written};
use concord::record::{FieldType, RemoteId, Semantic, Value};

use crate::house::{Excused, House, Person};

type Outcome = Result<(), Excused>;

/// Longer than any margin of safety.
const LONG: u64 = 3600;

/// More than any app lists by number, and many pages of each.
const BEYOND_EVERY_WALL: usize = 2_050;
/// More than any app lists of removals at once.
const REMOVED_AT_ONCE: usize = 250;

fn people(house: &House, count: usize) -> BTreeSet<RemoteId> {
    (0..count).map(|n| house.judge.add(&Person::number(n))).collect()
}

/// Three pages and a bit.
fn several_pages(house: &House) -> usize {
    house.connector.capability().page_max * 3 + 7
}

pub async fn the_account_says_who_it_is(house: House) -> Outcome {
    let identity = house.connector.check().await.unwrap();
    assert!(!identity.remote_id.is_empty());
    assert!(!identity.label.is_empty());
    Ok(())
}

pub async fn the_catalogue_and_the_account_agree(house: House) -> Outcome {
    let schema = house.connector.describe(&house.object).await.unwrap();
    for semantic in [Semantic::NameFirst, Semantic::NameLast, Semantic::EmailPrimary] {
        assert!(schema.meaning(semantic).is_some(), "no {semantic:?}");
    }
    for field in schema.iter() {
        assert!(!field.label.is_empty(), "{} has no name", field.id);
        if let Some(whole) = &field.part_of {
            assert!(schema.get(whole).is_some(), "{} is a part of nothing", field.id);
        }
    }
    assert_eq!(
        schema.iter().any(|field| field.kind == FieldType::Tag),
        house.connector.capability().tags
    );
    if let Some(app) = house.app {
        assert!(!app.about().notifications.how.is_empty(), "nobody knows where to type the URL in");
    }
    Ok(())
}

pub async fn a_full_listing_is_complete_and_has_no_doubles(house: House) -> Outcome {
    let all = people(&house, several_pages(&house));
    let walk = house.walk(None).await;
    assert_eq!(walk.pages, 4);
    assert_eq!(walk.ids(), all);
    assert_eq!(walk.seen.len(), all.len(), "somebody came twice");
    Ok(())
}

pub async fn a_listing_beyond_every_wall_is_complete_and_has_no_doubles(house: House) -> Outcome {
    let page_max = house.connector.capability().page_max;
    let all = people(&house, BEYOND_EVERY_WALL);
    let walk = house.walk(None).await;
    assert_eq!(walk.pages, BEYOND_EVERY_WALL.div_ceil(page_max));
    assert_eq!(walk.ids(), all);
    assert_eq!(walk.seen.len(), all.len(), "somebody came twice");
    Ok(())
}

pub async fn a_listing_that_is_refused_beyond_some_records_goes_on_behind_them(
    house: House,
) -> Outcome {
    let Some(house) = house.judge.refusing_beyond(400) else {
        return Err(Excused("listings: none is refused for its length"));
    };
    let house = house.await;
    // So many at a time that a second begins before what is refused, and ends behind it.
    let mut all = Vec::new();
    for n in 0..1_003 {
        all.push(house.judge.add(&Person::number(n)));
        house.pass(u64::from(n % 30 == 29));
    }
    house.pass(LONG);
    let first = house.page(None).await;
    house.pass(5);
    // Whoever is the last before what is refused changes: no measure of how far the list was read.
    house.judge.retitle(&all[399], "changed");
    let mut walk = house.walk(Some(first.cursor)).await;
    walk.take(first.changes);
    assert!(walk.pages + 1 > all.len().div_ceil(200), "nothing was refused");
    let seen = walk.ids();
    let missed: Vec<_> = all.iter().filter(|id| !seen.contains(id)).collect();
    assert!(missed.is_empty(), "never seen: {missed:?}");
    let doubles = walk.seen.len() - all.len();
    assert!(doubles < 4 * 30, "more than a second of each begun again came twice: {doubles}");
    house.pass(LONG);
    let next = house.walk(Some(walk.cursor)).await;
    assert_eq!(next.ids(), [all[399].clone()].into(), "it goes on from where the walk began");
    Ok(())
}

pub async fn a_second_that_holds_more_than_a_listing_shows_is_an_error(house: House) -> Outcome {
    let Some(house) = house.judge.refusing_beyond(400) else {
        return Err(Excused("listings: none is refused for its length"));
    };
    let house = house.await;
    people(&house, 500);
    house.pass(LONG);
    let mut cursor = None;
    for _ in 0..10 {
        match house.connector.changes(&house.query(), cursor.as_deref()).await {
            Ok(page) => {
                assert!(!page.is_last, "some were left out");
                cursor = Some(page.cursor);
            }
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
                return Ok(());
            }
        }
    }
    panic!("it reads the same again and again");
}

pub async fn a_walk_that_was_cut_off_goes_on_where_it_was(house: House) -> Outcome {
    let all = people(&house, several_pages(&house));
    let first = house.page(None).await;
    assert!(!first.is_last);
    // The cursor is all that is left of the first half.
    let mut walk = house.walk(Some(first.cursor.clone())).await;
    assert!(walk.seen.len() < all.len(), "it began anew");
    walk.take(first.changes);
    assert_eq!(walk.ids(), all);
    // A cursor that was used is good for another time.
    let again = house.walk(Some(first.cursor)).await;
    assert!(again.seen.len() < all.len());
    Ok(())
}

pub async fn an_edit_during_a_walk_is_seen_now_or_next_time(house: House) -> Outcome {
    let all = people(&house, several_pages(&house));
    house.pass(LONG);
    let start = house.walk(None).await.cursor;
    house.pass(LONG);
    // Everybody changes; then, during the walk, some of the first and some of the last again.
    let ids: Vec<RemoteId> = all.iter().cloned().collect();
    for id in &ids {
        house.judge.retitle(id, "changed");
    }
    house.pass(5);
    let first = house.page(Some(&start)).await;
    let touched: Vec<&RemoteId> = ids.iter().take(3).chain(ids.iter().rev().take(3)).collect();
    for id in &touched {
        house.judge.retitle(id, "changed again");
    }
    house.pass(5);
    let mut walk = house.walk(Some(first.cursor)).await;
    walk.take(first.changes);
    house.pass(5);
    let next = house.walk(Some(walk.cursor.clone())).await;
    let latest: BTreeMap<&RemoteId, String> = walk
        .seen
        .iter()
        .chain(&next.seen)
        .map(|record| (&record.id, house.texts(record, Semantic::JobTitle)))
        .collect();
    let missed: Vec<_> = all.iter().filter(|id| !latest.contains_key(id)).collect();
    assert!(missed.is_empty(), "never seen: {missed:?}");
    for id in touched {
        assert_eq!(latest[id], "changed again", "{id}");
    }
    Ok(())
}

pub async fn a_removal_during_a_walk_hides_nobody(house: House) -> Outcome {
    let all = people(&house, several_pages(&house));
    house.pass(LONG);
    let first = house.page(None).await;
    let seen_first: BTreeSet<RemoteId> = first
        .changes
        .iter()
        .filter_map(|change| match change {
            concord::connectors::Change::Seen(record) => Some(record.id.clone()),
            _ => None,
        })
        .collect();
    let removed: BTreeSet<RemoteId> = seen_first.iter().take(5).cloned().collect();
    for id in &removed {
        house.judge.remove(id);
    }
    let mut walk = house.walk(Some(first.cursor)).await;
    walk.take(first.changes);
    let seen = walk.ids();
    let missed: Vec<_> = all.difference(&seen).collect();
    assert!(missed.is_empty(), "never seen: {missed:?}");
    Ok(())
}

pub async fn only_what_changed_is_read_again(house: House) -> Outcome {
    let all = people(&house, 20);
    let start = house.walk(None).await.cursor;
    house.pass(LONG);
    let quiet = house.walk(Some(start)).await;
    house.pass(LONG);
    let id = all.first().unwrap();
    house.judge.retitle(id, "changed");
    house.pass(1);
    let walk = house.walk(Some(quiet.cursor)).await;
    assert_eq!(walk.ids(), [id.clone()].into());
    assert_eq!(house.texts(&walk.seen[0], Semantic::JobTitle), "changed");
    Ok(())
}

pub async fn removed_records_are_reported(house: House) -> Outcome {
    if !house.connector.capability().list_reports_removed {
        return Err(Excused("list_reports_removed"));
    }
    let all = people(&house, 5);
    let start = house.walk(None).await.cursor;
    house.pass(LONG);
    let id = all.first().unwrap();
    house.judge.remove(id);
    house.pass(1);
    let walk = house.walk(Some(start)).await;
    assert_eq!(walk.gone, [id.clone()].into());
    assert_eq!(house.fetch(id).await, Fetched::Gone(id.clone()));
    Ok(())
}

pub async fn more_removed_records_than_a_page_holds_are_all_reported(house: House) -> Outcome {
    if !house.connector.capability().list_reports_removed {
        return Err(Excused("list_reports_removed"));
    }
    let mut all = people(&house, REMOVED_AT_ONCE + 10);
    let start = house.walk(None).await.cursor;
    house.pass(LONG);
    let removed: BTreeSet<RemoteId> = all.iter().take(REMOVED_AT_ONCE).cloned().collect();
    for id in &removed {
        house.judge.remove(id);
        all.remove(id);
    }
    house.pass(1);
    let walk = house.walk(Some(start)).await;
    let missed: Vec<_> = removed.difference(&walk.gone).collect();
    assert!(missed.is_empty(), "never reported: {missed:?}");
    assert_eq!(walk.gone, removed, "somebody is there");
    assert_eq!(house.walk(None).await.ids(), all);
    Ok(())
}

pub async fn who_was_removed_before_all_is_read_again_is_reported(house: House) -> Outcome {
    if !house.connector.capability().list_reports_removed {
        return Err(Excused("list_reports_removed"));
    }
    let mut all = people(&house, 5);
    let start = house.walk(None).await.cursor;
    house.pass(LONG);
    let id = all.pop_first().unwrap();
    house.judge.remove(&id);
    house.pass(LONG);
    let again = house.connector.restart(&start).expect("it knows up to when removals were read");
    let walk = house.walk(Some(again)).await;
    assert_eq!(walk.ids(), all, "everything is read");
    assert_eq!(walk.gone, [id].into());
    for bad in ["", "not a cursor", "[1]"] {
        assert_eq!(house.connector.restart(bad), None, "{bad}");
    }
    Ok(())
}

pub async fn a_cursor_that_is_none_is_lost_and_a_full_read_works(house: House) -> Outcome {
    let all = people(&house, 3);
    for bad in ["", "not a cursor", "{}x", "[1]"] {
        let error = house.connector.changes(&house.query(), Some(bad)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::CursorLost, "{bad}");
    }
    assert_eq!(house.walk(None).await.ids(), all);
    Ok(())
}

pub async fn a_direct_read_answers_for_each_id(house: House) -> Outcome {
    let all = people(&house, 4);
    let removed = all.first().unwrap().clone();
    house.judge.remove(&removed);
    let never = RemoteId::new(
        "4111111111111111119".chars().take(removed.as_str().len()).collect::<String>(),
    );
    let mut ids = all.clone();
    ids.insert(never.clone());
    let answers = house.connector.fetch(&house.query(), &ids).await.unwrap();
    assert_eq!(answers.len(), ids.len());
    for answer in answers {
        match answer {
            Fetched::Live(record) => assert!(all.contains(&record.id) && record.id != removed),
            Fetched::Gone(id) => assert!(id == removed || id == never, "{id}"),
            answer @ (Fetched::Forbidden(_) | Fetched::Left(_)) => panic!("{answer:?}"),
        }
    }
    Ok(())
}

/// What becomes something else is neither there nor gone, however it is read.
pub async fn what_becomes_something_else_has_left(house: House) -> Outcome {
    let all = people(&house, 4);
    house.pass(LONG);
    let walk = house.walk(None).await;
    let left = all.first().unwrap().clone();
    let Some(became) = house.judge.converts(&left) else {
        return Err(Excused("nothing becomes something else"));
    };
    let departure = Departure { id: left.clone(), became: Some(became) };
    house.pass(LONG);
    for cursor in [Some(walk.cursor), None] {
        let walk = house.walk(cursor).await;
        assert_eq!(walk.left, [departure.clone()].into());
        assert!(walk.gone.is_empty() && !walk.ids().contains(&left));
    }
    for ids in [all.clone(), [left.clone()].into()] {
        let answers = house.connector.fetch(&house.query(), &ids).await.unwrap();
        assert_eq!(answers.len(), ids.len());
        let of_it = answers.iter().find(|answer| *answer.id() == left);
        assert_eq!(of_it, Some(&Fetched::Left(departure.clone())));
    }
    let title = [(house.field(Semantic::JobTitle), Value::Text("Head".to_owned()))].into();
    let answers = house.connector.apply(&[house.update(&left, title)]).await.unwrap();
    assert!(matches!(&answers[..], [Written::Later { .. }]), "it is read first: {answers:?}");
    let mail = Lookup { kind: FieldType::Email, value: "person0@example.com".to_owned() };
    let found = house.connector.find(&house.query(), &[mail].into()).await.unwrap();
    assert!(found.iter().all(|record| record.id != left));
    Ok(())
}

pub async fn records_are_found_by_address(house: House) -> Outcome {
    people(&house, 5);
    house.pass(LONG);
    let lookup = |value: &str| Lookup { kind: FieldType::Email, value: value.to_owned() };
    let lookups = [lookup("person3@example.com"), lookup("nobody@example.com")].into();
    let found = house.connector.find(&house.query(), &lookups).await.unwrap();
    let exact: Vec<_> = found
        .iter()
        .filter(|r| house.texts(r, Semantic::EmailPrimary) == "person3@example.com")
        .collect();
    assert_eq!(exact.len(), 1);
    Ok(())
}

pub async fn owners_are_known_by_address(house: House) -> Outcome {
    let Some(user) = house.user.clone() else { return Err(Excused("users")) };
    let users = house.connector.users().await.unwrap();
    let id = users.get(&user).unwrap_or_else(|| panic!("{users:?}")).clone();
    let owner = Value::Reference(concord::record::Reference { id: id.clone(), email: None });
    let mut write = house.create(&Person::number(1));
    write.fields.insert(house.field(Semantic::Owner), owner);
    let made = house.apply(write).await;
    let record = house.read(&made).await;
    match record.get(&house.field(Semantic::Owner)) {
        Some(Value::Reference(owner)) => {
            assert_eq!(
                (owner.id.as_str(), owner.email.as_deref()),
                (id.as_str(), Some(user.as_str()))
            );
        }
        other => panic!("no owner: {other:?}"),
    }
    Ok(())
}

pub async fn a_field_that_the_app_has_no_more_is_absent_and_not_empty(house: House) -> Outcome {
    let Some(field) = house.judge.add_field() else {
        return Err(Excused("fields: nobody can remove one"));
    };
    let id = house.judge.add(&Person::number(1));
    let mut query = house.query();
    query.fields.insert(field.clone());
    for is_there in [true, false] {
        let fetched = house.connector.fetch(&query, &[id.clone()].into()).await.unwrap();
        let Fetched::Live(fetched) = &fetched[0] else { panic!("{fetched:?}") };
        let page = house.connector.changes(&query, None).await.unwrap();
        let concord::connectors::Change::Seen(listed) = &page.changes[0] else { panic!() };
        let expected = is_there.then_some(&Value::Cleared);
        assert_eq!((fetched.get(&field), listed.get(&field)), (expected, expected));
        assert_eq!(house.texts(listed, Semantic::JobTitle), "Title 1");
        if is_there {
            house.judge.remove_field(&field);
        }
    }
    Ok(())
}
