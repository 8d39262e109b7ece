//! Writing: what is told is done, and nothing else.

use std::collections::BTreeMap;

use concord::connectors::{Fetched, Write, Written};
use concord::record::{Consent, Conversion, ObjectName, Record, RemoteId, Semantic, Value};

use crate::house::{Excused, House, Person};

type Outcome = Result<(), Excused>;

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub async fn what_was_made_reads_back(house: House) -> Outcome {
    let person = Person { tags: vec!["vip".into(), "New York".into()], ..Person::number(1) };
    let id = house.apply(house.create(&person)).await;
    let record = house.read(&id).await;
    for (field, value) in house.fields(&person) {
        assert_eq!(record.get(&field), Some(&value), "{field}");
    }
    assert_eq!(house.tags(&record), ["New York".to_owned(), "vip".to_owned()].into());
    assert!(record.created_at.is_some());
    assert_eq!(house.judge.count(), 1);
    Ok(())
}

pub async fn a_change_leaves_everything_else(house: House) -> Outcome {
    let phones = vec![("work", "+1 555 123 4567".to_owned())];
    let person = Person { phones, tags: vec!["vip".into()], ..Person::number(1) };
    let id = house.judge.add(&person);
    let before = house.judge.raw(&id);
    let record = house.read(&id).await;
    let title = house.field(Semantic::JobTitle);
    let mut write = house.update(&id, [(title, text("Changed"))].into());
    write.known = Some(record);
    house.apply(write).await;
    let after = house.judge.raw(&id);
    let changed: Vec<&String> =
        after.keys().filter(|key| before.get(*key) != after.get(*key)).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(house.texts(&house.read(&id).await, Semantic::JobTitle), "Changed");
    Ok(())
}

pub async fn clearing_clears_and_what_is_absent_stays(house: House) -> Outcome {
    if !house.connector.capability().clear_field {
        return Err(Excused("clear_field"));
    }
    let id = house.judge.add(&Person::number(1));
    let title = house.field(Semantic::JobTitle);
    house.apply(house.update(&id, [(title.clone(), Value::Cleared)].into())).await;
    let record = house.read(&id).await;
    assert!(record.get(&title).unwrap().is_empty());
    assert_eq!(house.texts(&record, Semantic::EmailPrimary), "person1@example.com");
    assert_eq!(house.texts(&record, Semantic::NameFirst), "First1");
    Ok(())
}

pub async fn what_we_write_sets_off_nothing_in_the_app(house: House) -> Outcome {
    let title = house.field(Semantic::JobTitle);
    let made = house.apply(house.create(&Person::number(1))).await;
    let Some(sets_off) = house.judge.sets_off_workflows(&made) else {
        return Err(Excused("workflows: no write sets any off"));
    };
    assert!(!sets_off, "a new record");
    let found = house.judge.add(&Person::number(2));
    assert_eq!(house.judge.sets_off_workflows(&found), Some(true), "what a person does");
    let tagged = |id| Write { tags_add: vec!["vip".into()], ..house.update(id, BTreeMap::new()) };
    for id in [&made, &found] {
        house.apply(house.update(id, [(title.clone(), text("Changed"))].into())).await;
        assert_eq!(house.judge.sets_off_workflows(id), Some(false), "a change");
        house.apply(tagged(id)).await;
        assert_eq!(house.judge.sets_off_workflows(id), Some(false), "a tag");
    }
    // Several kinds at once, as a run sends them.
    let mut changed = tagged(&found);
    changed.fields = [(title, text("Changed again"))].into();
    let tagged = Person { tags: vec!["vip".into()], ..Person::number(3) };
    for answer in house.connector.apply(&[changed, house.create(&tagged)]).await.unwrap() {
        let Written::Applied { id, .. } = answer else { panic!("not written: {answer:?}") };
        assert_eq!(house.judge.sets_off_workflows(&id), Some(false), "{id}");
    }
    Ok(())
}

pub async fn tags_of_others_stay(house: House) -> Outcome {
    if !house.connector.capability().tags {
        return Err(Excused("tags"));
    }
    let person = Person { tags: vec!["theirs".into(), "old".into()], ..Person::number(1) };
    let id = house.judge.add(&person);
    let known = house.read(&id).await;
    // Somebody adds one after we have read.
    house.judge.tag(&id, "late");
    let mut write = house.update(&id, BTreeMap::new());
    write.known = Some(known);
    write.tags_add = vec!["ours".into()];
    write.tags_remove = vec!["old".into()];
    house.apply(write).await;
    let tags = house.tags(&house.read(&id).await);
    assert_eq!(tags, ["late", "ours", "theirs"].map(str::to_owned).into());
    Ok(())
}

/// The numbers of a record, by what they are for.
fn phones(house: &House, record: &Record) -> BTreeMap<&'static str, String> {
    [("work", Semantic::PhoneWork), ("mobile", Semantic::PhoneMobile)]
        .into_iter()
        .filter(|(_, semantic)| house.schema.meaning(*semantic).is_some())
        .map(|(name, semantic)| (name, house.texts(record, semantic)))
        .collect()
}

pub async fn one_phone_is_written_without_losing_the_others(house: House) -> Outcome {
    if house.schema.meaning(Semantic::PhoneWork).is_none() {
        return Err(Excused("fields: no phones by label"));
    }
    let own =
        vec![("work", "+1 555 123 4567".to_owned()), ("mobile", "+1 555 765 4321".to_owned())];
    let id = house.judge.add(&Person { phones: own, ..Person::number(1) });
    let work = house.field(Semantic::PhoneWork);
    let new = Value::Phone("+44 20 7946 0000".to_owned());
    // With what is known of the record, and without.
    for known in [Some(house.read(&id).await), None] {
        let mut write = house.update(&id, [(work.clone(), new.clone())].into());
        write.known = known;
        house.apply(write).await;
        let record = house.read(&id).await;
        assert_eq!(phones(&house, &record)["work"], "+44 20 7946 0000");
        assert_eq!(phones(&house, &record)["mobile"], "+1 555 765 4321");
    }
    let mut write = house.update(&id, [(work, Value::Cleared)].into());
    write.known = Some(house.read(&id).await);
    house.apply(write).await;
    let record = house.read(&id).await;
    assert_eq!(phones(&house, &record)["work"], "");
    assert_eq!(phones(&house, &record)["mobile"], "+1 555 765 4321");
    Ok(())
}

pub async fn a_number_that_was_added_meanwhile_is_not_lost(house: House) -> Outcome {
    let own = vec![("work", "+1 555 123 4567".to_owned())];
    let id = house.judge.add(&Person { phones: own, ..Person::number(1) });
    let known = house.read(&id).await;
    if !house.judge.add_phone(&id, "+1 555 000 1111") {
        return Err(Excused("fields: no phones by label"));
    }
    let new = Value::Phone("+44 20 7946 0000".to_owned());
    let mut write = house.update(&id, [(house.field(Semantic::PhoneMobile), new)].into());
    write.known = Some(known);
    let before = house.judge.raw(&id);
    match &house.connector.apply(std::slice::from_ref(&write)).await.unwrap()[..] {
        [Written::Applied { .. }] => {}
        // It is not as it was planned upon: nothing is sent, and it is read and planned again.
        [Written::Later { code }] => {
            assert_eq!(code, "changed_meanwhile");
            assert_eq!(house.judge.raw(&id), before);
            write.known = Some(house.read(&id).await);
            house.apply(write).await;
        }
        other => panic!("{other:?}"),
    }
    let raw = serde_json::to_string(&house.judge.raw(&id)).unwrap();
    for number in ["+1 555 123 4567", "+1 555 000 1111", "+44 20 7946 0000"] {
        assert!(raw.contains(number), "{number} is lost: {raw}");
    }
    Ok(())
}

pub async fn the_numbers_of_many_are_written_in_two_requests(house: House) -> Outcome {
    if house.schema.meaning(Semantic::PhoneWork).is_none() {
        return Err(Excused("fields: no phones by label"));
    }
    let Some(before) = house.judge.requests() else { return Err(Excused("no wire")) };
    let work = house.field(Semantic::PhoneWork);
    let mut writes = Vec::new();
    for n in 0..10 {
        let phones = vec![("work", format!("+1 555 123 450{n}"))];
        let id = house.judge.add(&Person { phones, ..Person::number(n) });
        let new = Value::Phone(format!("+1 555 765 430{n}"));
        let mut write = house.update(&id, [(work.clone(), new)].into());
        write.known = Some(house.read(&id).await);
        writes.push(write);
    }
    let read = house.judge.requests().unwrap();
    assert!(read > before);
    let answers = house.connector.apply(&writes).await.unwrap();
    assert!(answers.iter().all(|a| matches!(a, Written::Applied { .. })), "{answers:?}");
    assert!(house.judge.requests().unwrap() - read <= 2);
    Ok(())
}

/// What a plan is told to cost is what it costs: requests and credits, whatever writes have in common or not.
pub async fn writes_cost_what_was_said(house: House) -> Outcome {
    let Some(_) = house.judge.requests() else { return Err(Excused("no wire")) };
    let ids: Vec<RemoteId> = (0..30)
        .map(|n| house.judge.add(&Person { tags: vec!["old".into()], ..Person::number(n) }))
        .collect();
    let capability = house.connector.capability();
    assert_eq!(capability.credit_window.is_some(), house.judge.credits().is_some());
    let none = BTreeMap::new;
    let titled =
        |n: usize| BTreeMap::from([(house.field(Semantic::JobTitle), text(&format!("New {n}")))]);
    let change = |n: usize, fields| house.update(&ids[n], fields);
    let tagged = |n: usize, fields, add: &[&str], lose: &[&str]| Write {
        tags_add: add.iter().map(ToString::to_string).collect(),
        tags_remove: lose.iter().map(ToString::to_string).collect(),
        ..change(n, fields)
    };
    let made =
        |n: usize| house.create(&Person { tags: vec!["new".into()], ..Person::number(100 + n) });
    let called = |person: &Person, known: Option<Record>| {
        let field = house.schema.meaning(Semantic::PhoneWork)?.id.clone();
        let number = Value::Phone("+1 555 765 4321".to_owned());
        let id = known.as_ref().map_or_else(|| house.judge.add(person), |known| known.id.clone());
        Some(Write { known, ..house.update(&id, [(field, number)].into()) })
    };
    let own = vec![("work", "+1 555 123 4567".to_owned())];
    let own = house.judge.add(&Person { phones: own, ..Person::number(70) });
    let own = house.read(&own).await;
    let convert = |n: usize, into: Option<RemoteId>| {
        let way = capability.converts.iter().find(|(from, _)| *from == house.object.as_str());
        let becomes = Conversion { object: ObjectName::new(way?.1), into };
        Some(Write { becomes: Some(becomes), ..change(n, none()) })
    };
    let loads: [Vec<Write>; 9] = [
        Vec::new(),
        (0..21).map(made).collect(),
        (0..21).map(|n| change(n, titled(n))).collect(),
        // Some get what others lose.
        (0..21).map(|n| tagged(n, none(), &[["a", "b"][n % 2]], &["old"])).collect(),
        (0..21).map(|n| tagged(n, titled(n + 30), &[], &[["a", "b"][n % 2], "none"])).collect(),
        (0..9)
            .map(|n| if n % 3 == 0 { made(n + 50) } else { tagged(n, titled(n + 60), &["c"], &[]) })
            .collect(),
        (71..79).filter_map(|n| called(&Person::number(n), None)).collect(),
        called(&Person::number(80), None)
            .into_iter()
            .chain(called(&Person::number(70), Some(own)))
            .collect(),
        (25..27).filter_map(|n| convert(n, None)).collect(),
    ];
    for (at, load) in loads.iter().enumerate() {
        let toll = house.connector.toll(load);
        let before = (house.judge.requests().unwrap(), house.judge.credits());
        let answers = house.connector.apply(load).await.unwrap();
        assert!(answers.iter().all(|a| matches!(a, Written::Applied { .. })), "{at}: {answers:?}");
        let calls = house.judge.requests().unwrap() - before.0;
        let credits = house.judge.credits().unwrap_or_default() - before.1.unwrap_or_default();
        assert_eq!((calls as u64, credits), (toll.calls, toll.credits), "{at}");
    }
    // Into somebody who is there, nobody has to be asked for first.
    if let (Some(first), Some(_)) = (convert(27, None), house.judge.credits()) {
        let said = |write: &Write| house.connector.toll(std::slice::from_ref(write));
        let into = convert(28, Some("1".into())).unwrap();
        assert_eq!(said(&first).calls, said(&into).calls + 1);
    }
    Ok(())
}

pub async fn opting_out_reads_back(house: House) -> Outcome {
    if !house.connector.capability().consent {
        return Err(Excused("consent"));
    }
    let id = house.judge.add(&Person::number(1));
    let field = house.field(Semantic::ConsentEmail);
    let value = Value::Consent(Consent::OptedOut);
    house.apply(house.update(&id, [(field.clone(), value.clone())].into())).await;
    assert_eq!(house.read(&id).await.get(&field), Some(&value));
    Ok(())
}

pub async fn each_of_a_batch_has_its_own_outcome_in_order(house: House) -> Outcome {
    let old = house.judge.add(&Person::number(90));
    let gone = house.judge.add(&Person::number(91));
    house.judge.remove(&gone);
    let title = |title: &str| BTreeMap::from([(house.field(Semantic::JobTitle), text(title))]);
    let writes = [
        house.create(&Person::number(1)),
        house.update(&gone, title("x")),
        house.update(&old, title("new title")),
        house.create(&Person::number(2)),
    ];
    let answers = house.connector.apply(&writes).await.unwrap();
    assert_eq!(answers.len(), 4);
    let id = |at: usize| match &answers[at] {
        Written::Applied { id, .. } => id.clone(),
        other => panic!("{at}: {other:?}"),
    };
    assert!(
        matches!(&answers[1], Written::Rejected { code, .. } if code == "not_found"),
        "{answers:?}"
    );
    assert_eq!(id(2), old);
    let email = |record| house.texts(&record, Semantic::EmailPrimary);
    assert_eq!(email(house.read(&id(0)).await), "person1@example.com");
    assert_eq!(email(house.read(&id(3)).await), "person2@example.com");
    assert_eq!(house.judge.count(), 3);
    Ok(())
}

pub async fn a_change_to_a_removed_record_is_refused_as_not_found(house: House) -> Outcome {
    let id = house.judge.add(&Person::number(1));
    house.judge.remove(&id);
    let fields = [(house.field(Semantic::JobTitle), text("x"))].into();
    let answers = house.connector.apply(&[house.update(&id, fields)]).await.unwrap();
    assert!(
        matches!(&answers[..], [Written::Rejected { code, .. }] if code == "not_found"),
        "{answers:?}"
    );
    assert_eq!(house.judge.count(), 0);
    Ok(())
}

pub async fn what_one_record_lacks_does_not_stop_the_others(house: House) -> Outcome {
    let max = house.schema.get(&house.field(Semantic::JobTitle)).unwrap().max_len;
    let Some(max) = max else { return Err(Excused("value_max_len")) };
    let people: Vec<Person> = (0..9).map(Person::number).collect();
    let mut writes: Vec<_> = people.iter().map(|person| house.create(person)).collect();
    writes[4].fields.insert(house.field(Semantic::JobTitle), text(&"x".repeat(max + 1)));
    let answers = house.connector.apply(&writes).await.unwrap();
    for (at, answer) in answers.iter().enumerate() {
        match answer {
            Written::Applied { id, .. } if at != 4 => {
                let read = house.texts(&house.read(id).await, Semantic::EmailPrimary);
                assert_eq!(read, people[at].email);
            }
            Written::Rejected { field, .. } if at == 4 => {
                assert_eq!(field.as_ref(), Some(&house.field(Semantic::JobTitle)));
            }
            other => panic!("{at}: {other:?}"),
        }
    }
    assert_eq!(house.judge.count(), 8, "each once");
    Ok(())
}

pub async fn one_for_whom_the_request_is_refused_does_not_stop_the_others(house: House) -> Outcome {
    if !house.judge.refuse_requests_with("poison") {
        return Err(Excused("no wire: the app is in this process"));
    }
    let count = house.connector.capability().write_many_max;
    let bad = count / 3;
    let mut writes: Vec<_> = (0..count).map(|n| house.create(&Person::number(n))).collect();
    writes[bad].fields.insert(house.field(Semantic::JobTitle), text("poison"));
    let answers = house.connector.apply(&writes).await.unwrap();
    assert_eq!(answers.len(), count);
    for (at, answer) in answers.iter().enumerate() {
        match answer {
            Written::Applied { .. } if at != bad => {}
            Written::Rejected { code, .. } if at == bad => assert!(!code.is_empty()),
            other => panic!("{at}: {other:?}"),
        }
    }
    assert_eq!(house.judge.count(), count - 1, "each once");
    let most = 2.0 * (count as f64).log2() + 2.0;
    assert!(house.judge.writes() as f64 <= most, "{} requests", house.judge.writes());
    Ok(())
}

pub async fn one_whose_tags_are_refused_does_not_stop_the_others(house: House) -> Outcome {
    let ids: Vec<_> = (0..10).map(|n| house.judge.add(&Person::number(n))).collect();
    let bad = &ids[3];
    if !house.judge.refuse_requests_with(bad.as_str()) {
        return Err(Excused("no wire: the app is in this process"));
    }
    let tag = |id| {
        let mut write = house.update(id, BTreeMap::new());
        write.tags_add = vec!["vip".into()];
        write
    };
    let writes: Vec<_> = ids.iter().map(tag).collect();
    for (id, answer) in ids.iter().zip(house.connector.apply(&writes).await.unwrap()) {
        match answer {
            Written::Applied { .. } => assert_ne!(id, bad),
            Written::Rejected { .. } => assert_eq!(id, bad),
            other => panic!("{other:?}"),
        }
        assert_eq!(house.tags(&house.read(id).await).len(), usize::from(id != bad));
    }
    Ok(())
}

/// What we make something else of has left, and is what it was to become.
pub async fn what_is_converted_becomes_what_was_asked_for(house: House) -> Outcome {
    let ways = house.connector.capability().converts;
    let Some((_, object)) = ways.iter().find(|(from, _)| *from == house.object.as_str()) else {
        return Err(Excused("nothing becomes something else"));
    };
    let ids: Vec<RemoteId> = [0, 1].map(|number| house.judge.add(&Person::number(number))).into();
    let convert = |id: &RemoteId, into: Option<RemoteId>| Write {
        becomes: Some(Conversion { object: ObjectName::new(*object), into }),
        ..house.update(id, BTreeMap::new())
    };
    let became = async |id: &RemoteId| {
        let answers = house.connector.fetch(&house.query(), &[id.clone()].into()).await.unwrap();
        match answers.into_iter().next() {
            Some(Fetched::Left(departure)) => departure.became.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let answers = house.connector.apply(&[convert(&ids[0], None)]).await.unwrap();
    assert!(matches!(&answers[..], [Written::Applied { id, .. }] if *id == ids[0]), "{answers:?}");
    let contact = became(&ids[0]).await;
    assert_eq!(contact.object.as_str(), *object);
    let again = convert(&ids[0], None);
    let into = convert(&ids[1], Some(contact.id.clone()));
    let answers = house.connector.apply(&[again, into]).await.unwrap();
    assert!(matches!(&answers[0], Written::Later { .. }), "it is read first: {answers:?}");
    assert!(matches!(&answers[1], Written::Applied { .. }), "{answers:?}");
    assert_eq!(became(&ids[1]).await, contact, "the one that was named");
    let never = convert(&RemoteId::new("411111111111111111"), None);
    let answers = house.connector.apply(&[never]).await.unwrap();
    assert!(matches!(&answers[..], [Written::Rejected { .. }]), "{answers:?}");
    Ok(())
}

/// Where an app merges what is converted into whoever it is like, it is not converted unasked.
pub async fn nobody_becomes_a_namesake_who_was_not_named(house: House) -> Outcome {
    let ways = house.connector.capability().converts;
    let Some((_, object)) = ways.iter().find(|(from, _)| *from == house.object.as_str()) else {
        return Err(Excused("nothing becomes something else"));
    };
    let person = Person::number(0);
    let namesake = house.judge.converts(&house.judge.add(&person)).unwrap();
    let id = house.judge.add(&Person { email: Person::number(1).email, ..person });
    let becomes = Some(Conversion { object: ObjectName::new(*object), into: None });
    let write = Write { becomes, ..house.update(&id, BTreeMap::new()) };
    let answers = house.connector.apply(&[write]).await.unwrap();
    let now = house.connector.fetch(&house.query(), &[id.clone()].into()).await.unwrap();
    match (&answers[..], &now[..]) {
        ([Written::Applied { .. }], [Fetched::Left(departure)]) => {
            assert_ne!(departure.became.as_ref(), Some(&namesake));
        }
        ([Written::Rejected { holder, .. }], [Fetched::Live(_)]) => {
            assert_eq!(holder.as_ref(), Some(&namesake.id), "who has to be looked at");
        }
        other => panic!("{other:?}"),
    }
    Ok(())
}
