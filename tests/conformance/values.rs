//! Values of every kind survive.

use std::collections::BTreeMap;

use concord::record::{FieldId, Semantic, Value};

use crate::house::{Excused, House, Person};

type Outcome = Result<(), Excused>;

pub async fn every_text_survives(house: House) -> Outcome {
    let texts = [
        "Zoë Ångström",
        "Ольга Петрова",
        "محمد العلي",
        "王小明",
        "👩‍🚀 Ana",
        "e\u{301}clair",
        "O'Brien \"the\" <b>&amp; \\ / % + #",
        "two  blanks",
        "line\nbreak\tand tab",
        "=cmd|' /C calc'!A0",
    ];
    let title = house.field(Semantic::JobTitle);
    let writes: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let mut write = house.create(&Person::number(n));
            write.fields.insert(title.clone(), Value::Text((*text).to_owned()));
            write
        })
        .collect();
    for (write, text) in writes.into_iter().zip(texts) {
        let id = house.apply(write).await;
        assert_eq!(house.texts(&house.read(&id).await, Semantic::JobTitle), text);
    }
    Ok(())
}

pub async fn a_text_of_the_greatest_length_survives(house: House) -> Outcome {
    let title = house.field(Semantic::JobTitle);
    let Some(max) = house.schema.get(&title).unwrap().max_len else {
        return Err(Excused("value_max_len"));
    };
    // Counted in characters, not in bytes.
    let longest = "ä".repeat(max);
    let mut write = house.create(&Person::number(1));
    write.fields.insert(title, Value::Text(longest.clone()));
    let id = house.apply(write).await;
    assert_eq!(house.texts(&house.read(&id).await, Semantic::JobTitle), longest);
    Ok(())
}

pub async fn blank_and_absent_are_told_apart(house: House) -> Outcome {
    let id = house.judge.add(&Person { title: String::new(), ..Person::number(1) });
    let title = house.field(Semantic::JobTitle);
    let record = house.read(&id).await;
    assert!(record.get(&title).is_some_and(Value::is_empty), "read, and empty");
    let mut query = house.query();
    query.fields.remove(&title);
    let ids = [id].into();
    let read = house.connector.fetch(&query, &ids).await.unwrap();
    let concord::connectors::Fetched::Live(record) = &read[0] else { panic!("{read:?}") };
    let absent: BTreeMap<&FieldId, &Value> =
        record.fields.iter().filter(|(field, _)| **field == title).collect();
    assert!(absent.is_empty(), "what was not asked for is absent");
    Ok(())
}

pub async fn a_day_is_the_one_that_people_see(house: House) -> Outcome {
    if house.schema.meaning(Semantic::Birthday).is_none() {
        return Err(Excused("fields: no birthday"));
    }
    let field = house.field(Semantic::Birthday);
    let id = house.judge.add(&Person::number(1));
    for day in ["1938-06-30", "1990-01-15", "2026-04-05", "2026-09-27"] {
        let value = Value::Date(day.parse().unwrap());
        house.apply(house.update(&id, [(field.clone(), value.clone())].into())).await;
        assert_eq!(house.judge.birthday(&id).as_deref(), Some(day));
        assert_eq!(house.read(&id).await.get(&field), Some(&value));
    }
    Ok(())
}
