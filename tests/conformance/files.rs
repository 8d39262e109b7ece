//! Large accounts, which are read from files where the app writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use concord::connectors::{Change, ErrorKind, Fetched, Page, Query};
use concord::record::{Record, RemoteId, Semantic, Value};
use tokio::time::Instant;

use crate::house::{Cell, Excused, Files, House, Person, Walk};

type Outcome = Result<(), Excused>;

/// So many that a file pays.
const MANY: usize = 20_050;
/// Longer than any margin of safety.
const LONG: u64 = 3600;
/// Somebody who has what nobody else has, far from the beginning.
const RARE: usize = 17_301;

fn excused() -> Excused {
    Excused("bulk: it writes no files")
}

/// The people of a large account; each tenth has a tag, each hundredth two.
fn crowd(house: &House) -> Vec<RemoteId> {
    let ids = (0..MANY).map(|n| {
        let mut person = Person::number(n);
        person.tags =
            (0..2).filter(|tag| n % [10, 100][*tag] == 0).map(|tag| format!("tag {tag}")).collect();
        if n == RARE {
            person.phones = vec![("mobile", "+34 600 000 000".to_owned())];
        }
        house.judge.add(&person)
    });
    let ids = ids.collect();
    house.pass(LONG);
    ids
}

/// What a sync may want.
fn query(house: &House) -> Query {
    let tags = house.schema.iter().filter(|field| field.many).map(|field| field.id.clone());
    let meant = [
        Semantic::NameFirst,
        Semantic::NameLast,
        Semantic::EmailPrimary,
        Semantic::JobTitle,
        Semantic::PhoneMobile,
        Semantic::ConsentEmail,
        Semantic::Owner,
        Semantic::Notes,
    ];
    let fields = meant.map(|semantic| house.field(semantic)).into_iter().chain(tags).collect();
    Query { fields, moment: 7, ..house.query() }
}

async fn page(house: &House, cursor: Option<&str>) -> Page {
    house.connector.changes(&query(house), cursor).await.unwrap()
}

/// Reads pages up to the one after which a file is asked for, which takes more requests than those before.
async fn to_the_file(house: &House) -> (Vec<Change>, String) {
    let (mut changes, mut cursor, mut usual) = (Vec::new(), None, usize::MAX);
    loop {
        let asked = house.judge.requests().unwrap();
        let next = page(house, cursor.as_deref()).await;
        assert!(!next.is_last && next.moment.is_none(), "no file was asked for");
        changes.extend(next.changes);
        let cost = house.judge.requests().unwrap() - asked;
        if cost > usual {
            return (changes, next.cursor);
        }
        (usual, cursor) = (cost, Some(next.cursor));
    }
}

/// Reads to the end, and tells whether any of it came from a file.
async fn walk(house: &House, cursor: Option<String>) -> (Walk, bool) {
    let (mut walk, mut is_of_file, mut cursor) = (Walk::default(), false, cursor);
    loop {
        let page = page(house, cursor.as_deref()).await;
        is_of_file |= page.moment.is_some() && !page.changes.is_empty();
        walk.take(page.changes);
        walk.pages += 1;
        assert!(walk.pages < 1_000, "a walk without an end");
        if page.is_last {
            walk.cursor = page.cursor;
            return (walk, is_of_file);
        }
        cursor = Some(page.cursor);
    }
}

/// What a walk says last of each, compared with what the records themselves say.
async fn is_right(house: &House, walk: Walk) {
    let found: BTreeMap<RemoteId, Record> =
        walk.seen.into_iter().map(|record| (record.id.clone(), record)).collect();
    let ids: Vec<RemoteId> = found.keys().cloned().collect();
    for ids in ids.chunks(house.connector.capability().read_many_max) {
        let ids: BTreeSet<RemoteId> = ids.iter().cloned().collect();
        for answer in house.connector.fetch(&query(house), &ids).await.unwrap() {
            let Fetched::Live(live) = answer else { panic!("not there: {answer:?}") };
            assert_eq!(found[&live.id], live);
        }
    }
}

async fn with(house: &House, files: Files) -> Result<House, Excused> {
    Ok(house.judge.with_files(files).ok_or_else(excused)?.await)
}

pub async fn a_large_account_is_read_from_a_file_as_by_pages(house: House) -> Outcome {
    let house = with(&house, Files::Right).await?;
    let all = crowd(&house);
    let before = house.judge.credits().unwrap();
    let (found, is_of_file) = walk(&house, None).await;
    let cost = house.judge.credits().unwrap() - before;
    assert!(is_of_file);
    assert_eq!(found.ids(), all.iter().cloned().collect());
    let by_pages = MANY.div_ceil(house.connector.capability().page_max) as u64;
    assert!(cost < by_pages, "{cost} credits, {by_pages} by pages");
    let cursor = found.cursor.clone();
    is_right(&house, found).await;
    house.judge.retitle(&all[5], "changed");
    let (next, is_of_file) = walk(&house, Some(cursor)).await;
    assert_eq!((next.ids(), is_of_file), ([all[5].clone()].into(), false));
    Ok(())
}

pub async fn a_file_that_is_not_written_yet_is_asked_after_now_and_then(house: House) -> Outcome {
    let house = with(&house, Files::Slow).await?;
    let all = crowd(&house);
    let (before, mut cursor) = to_the_file(&house).await;
    let (asked, began) = (house.judge.requests().unwrap(), Instant::now());
    for _ in 0..2 {
        let next = page(&house, Some(&cursor)).await;
        assert!(next.changes.is_empty() && !next.is_last);
        assert_eq!(next.cursor, cursor, "it waits");
        cursor = next.cursor;
    }
    assert_eq!(house.judge.requests().unwrap() - asked, 2);
    assert!(began.elapsed() >= Duration::from_secs(2), "without a pause in between");
    // Two change while it is written: one before it is read, and one that was read before.
    house.judge.retitle(&all[3], "changed");
    house.judge.retitle(&all[RARE], "changed");
    house.pass(60);
    let (mut found, is_of_file) = walk(&house, Some(cursor)).await;
    found.seen.splice(
        0..0,
        before.into_iter().filter_map(|change| match change {
            Change::Seen(record) => Some(record),
            Change::Gone(_) | Change::Left(_) => None,
        }),
    );
    assert!(is_of_file);
    assert_eq!(found.ids(), all.into_iter().collect());
    is_right(&house, found).await;
    Ok(())
}

pub async fn a_file_tells_of_the_moment_at_which_it_was_asked_for(house: House) -> Outcome {
    let house = with(&house, Files::Right).await?;
    crowd(&house);
    let (_, cursor) = to_the_file(&house).await;
    let later = Query { moment: 9, ..query(&house) };
    let next = house.connector.changes(&later, Some(&cursor)).await.unwrap();
    assert_eq!(next.moment, Some(7));
    assert!(!next.changes.is_empty());
    Ok(())
}

pub async fn a_file_that_was_read_in_part_is_read_on(house: House) -> Outcome {
    let house = with(&house, Files::Right).await?;
    let all = crowd(&house);
    let (_, cursor) = to_the_file(&house).await;
    let second = page(&house, Some(&cursor)).await;
    let third = page(&house, Some(&second.cursor)).await;
    // Whoever goes on there has not read what is before.
    let again = page(&house, Some(&second.cursor)).await;
    assert!(again.changes == third.changes && again.cursor == third.cursor, "other rows");
    let (mut rest, _) = walk(&house, Some(third.cursor)).await;
    assert!(rest.seen.len() < all.len(), "it began anew");
    for changes in [second.changes, third.changes] {
        rest.take(changes);
    }
    assert_eq!(rest.ids(), all.into_iter().collect());
    Ok(())
}

pub async fn where_no_file_can_be_had_pages_are_read(house: House) -> Outcome {
    for files in [Files::Forbidden, Files::Failing, Files::Several, Files::Broken] {
        let house = with(&house, files).await?;
        let all = crowd(&house);
        let (found, is_of_file) = walk(&house, None).await;
        assert!(!is_of_file, "{files:?}");
        assert_eq!(found.ids(), all.into_iter().collect(), "{files:?}");
    }
    Ok(())
}

pub async fn a_file_that_is_not_right_is_not_believed(house: House) -> Outcome {
    let wrong: [Cell; 6] = [
        // Nobody has a title.
        |field, cell| if field == "Title" || field == "Designation" { String::new() } else { cell },
        // The only one who has a mobile number has none.
        |field, cell| if field == "Mobile" { String::new() } else { cell },
        // Another number.
        |field, cell| if field == "Mobile" { cell.replace(' ', "") } else { cell },
        // Local times that look like others.
        |_, cell| cell.replace("+02:00", "+00:00"),
        // Everybody has opted out.
        |field, cell| if field == "Email_Opt_Out" { "true".to_owned() } else { cell },
        // No box says for sure whether it is ticked: each record would have to be read.
        |field, cell| if field == "Email_Opt_Out" { "0".to_owned() } else { cell },
    ];
    let wrong = wrong.map(Files::Unlike).into_iter().chain([Files::Torn]);
    for (number, files) in wrong.enumerate() {
        let house = with(&house, files).await?;
        crowd(&house);
        let (found, _) = walk(&house, None).await;
        let requests = house.judge.requests().unwrap();
        assert!(requests > MANY / house.connector.capability().page_max, "{number} was believed");
        is_right(&house, found).await;
    }
    Ok(())
}

pub async fn what_a_file_does_not_say_for_sure_is_read(house: House) -> Outcome {
    // As spreadsheets are kept from calculating, and a list that nobody could take apart.
    let unsure: [Cell; 2] = [
        |field, cell| if field == "Mobile" && !cell.is_empty() { format!("'{cell}") } else { cell },
        |field, cell| if field == "Tag" { cell.replace(';', ", ") } else { cell },
    ];
    for cell in unsure {
        let house = with(&house, Files::Unlike(cell)).await?;
        crowd(&house);
        let (found, is_of_file) = walk(&house, None).await;
        assert!(is_of_file);
        let requests = house.judge.requests().unwrap();
        assert!(requests < MANY / house.connector.capability().page_max, "{requests}");
        is_right(&house, found).await;
    }
    Ok(())
}

pub async fn who_has_left_is_told_beside_a_file(house: House) -> Outcome {
    for files in [Files::Right, Files::WithThoseWhoLeft] {
        let house = with(&house, files).await?;
        let all = crowd(&house);
        let left: BTreeSet<_> = [3, RARE].iter().map(|n| all[*n].clone()).collect();
        for id in &left {
            if house.judge.converts(id).is_none() {
                return Err(Excused("conversion: nothing becomes anything else"));
            }
        }
        house.pass(LONG);
        let (found, is_of_file) = walk(&house, None).await;
        assert!(is_of_file, "{files:?}");
        assert_eq!(found.left.iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>(), left);
        assert!(found.left.iter().all(|one| one.became.is_some()));
        assert_eq!(found.ids(), all.into_iter().filter(|id| !left.contains(id)).collect());
    }
    Ok(())
}

pub async fn a_file_that_is_kept_no_more_is_asked_for_anew(house: House) -> Outcome {
    let house = with(&house, Files::Right).await?;
    let all = crowd(&house);
    let (_, cursor) = to_the_file(&house).await;
    house.pass(25 * LONG);
    house.judge.expire_keys();
    let mut cursor = Some(cursor);
    // Neither the file nor the pages are there any more.
    while let Some(text) = &cursor {
        match house.connector.changes(&query(&house), Some(text)).await {
            Ok(next) => {
                assert!(next.changes.is_empty(), "there is nothing to be read");
                cursor = Some(next.cursor);
            }
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::CursorLost, "{error}");
                cursor = None;
            }
        }
    }
    let (found, is_of_file) = walk(&house, None).await;
    assert!(is_of_file);
    assert_eq!(found.ids(), all.into_iter().collect());
    assert!(
        found
            .seen
            .iter()
            .any(|record| record.fields.values().any(|value| matches!(value, Value::List(_))))
    );
    Ok(())
}
