//! The reference app in this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use concord::connectors::memory::{Habits, MemoryConnector, Vendor};
use concord::ports::ManualClock;
use concord::record::{
    Field, FieldId, FieldType, ObjectName, RemoteId, Schema, Semantic, Value, change_tags,
};

use crate::house::{Fault, House, Judge, Person, Subject};

struct MemoryJudge(Arc<Vendor>);

pub fn subject() -> Subject {
    Subject { name: "memory", start: || Box::pin(start()) }
}

async fn start() -> House {
    let clock = Arc::new(ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
    let field =
        |id: &str, kind, semantic| Field { semantic: Some(semantic), ..Field::new(id, kind) };
    let schema: Schema = [
        field("first", FieldType::Text, Semantic::NameFirst),
        field("last", FieldType::Text, Semantic::NameLast),
        field("email", FieldType::Email, Semantic::EmailPrimary),
        field("title", FieldType::Text, Semantic::JobTitle),
        field("consent", FieldType::Consent, Semantic::ConsentEmail),
        Field { many: true, ..field("tags", FieldType::Tag, Semantic::Tags) },
    ]
    .into_iter()
    .collect();
    let habits = Habits {
        page_max: 10,
        write_many_max: 5,
        search_lag_seconds: 30,
        list_lag_seconds: 5,
        shouts: false,
    };
    let object = ObjectName::new("contacts");
    let vendor = Arc::new(Vendor::new(object.clone(), schema.clone(), habits, clock.clone()));
    House {
        connector: Arc::new(MemoryConnector::new(vendor.clone())),
        app: None,
        judge: Arc::new(MemoryJudge(vendor)),
        schema,
        object,
        clock,
        user: None,
    }
}

impl MemoryJudge {
    fn edit(&self, id: &RemoteId, field: &str, value: Value) {
        assert!(self.0.edit(id, [(FieldId::new(field), value)].into()));
    }
}

impl Judge for MemoryJudge {
    fn add(&self, person: &Person) -> RemoteId {
        let text = |text: &str| Value::Text(text.to_owned());
        let fields = [
            ("first", text(&person.first)),
            ("last", text(&person.last)),
            ("email", Value::Email(person.email.clone())),
            ("title", text(&person.title)),
            ("tags", Value::List(person.tags.iter().map(|tag| text(tag)).collect())),
        ];
        self.0.create(fields.into_iter().map(|(id, value)| (FieldId::new(id), value)).collect())
    }

    fn retitle(&self, id: &RemoteId, title: &str) {
        self.edit(id, "title", Value::Text(title.to_owned()));
    }

    fn tag(&self, id: &RemoteId, tag: &str) {
        let records = self.0.records();
        let record = records.iter().find(|record| record.id == *id).unwrap();
        let value = change_tags(record.get(&"tags".into()).unwrap(), &[tag.to_owned()], &[]);
        self.edit(id, "tags", value);
    }

    fn remove(&self, id: &RemoteId) {
        self.0.remove(id);
    }

    fn raw(&self, id: &RemoteId) -> BTreeMap<String, serde_json::Value> {
        let records = self.0.records();
        let record = records.iter().find(|record| record.id == *id).unwrap();
        let json = |value: &Value| serde_json::to_value(value).unwrap();
        record.fields.iter().map(|(field, value)| (field.to_string(), json(value))).collect()
    }

    fn count(&self) -> usize {
        self.0.records().len()
    }

    fn order(&self, _fault: Fault) -> bool {
        false
    }

    fn requests(&self) -> Option<usize> {
        None
    }
}
