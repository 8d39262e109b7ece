//! A connector with the judge that knows the truth about its app.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use concord::connectors::{
    App, Change, Connector, Departure, Fetched, Page, Query, Write, Written,
};
use concord::ports::ManualClock;
use concord::record::{
    FieldId, FieldType, ObjectName, Record, RecordName, RemoteId, Schema, Semantic, Value,
};

/// A check does not apply: the capability that says so.
pub struct Excused(pub &'static str);

/// Somebody in the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub first: String,
    pub last: String,
    pub email: String,
    pub title: String,
    pub phones: Vec<(&'static str, String)>,
    pub tags: Vec<String>,
}

impl Person {
    pub fn number(n: usize) -> Self {
        Self {
            first: format!("First{n}"),
            last: format!("Last{n}"),
            email: format!("person{n}@example.com"),
            title: format!("Title {n}"),
            ..Self::default()
        }
    }
}

/// What can be made to happen to the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    TooMany { seconds: u64 },
    Broken,
    LostBefore,
    LostAfter,
    Endless,
}

/// What a file makes of a value: the field, and what it would say.
pub type Cell = fn(&str, String) -> String;

/// How the app writes files of all its records.
#[derive(Clone, Copy, Debug)]
pub enum Files {
    /// At once, and as documented.
    Right,
    /// After some seconds.
    Slow,
    /// Not for us.
    Forbidden,
    /// It begins to, and fails.
    Failing,
    /// Several of them.
    Several,
    /// What comes is none.
    Broken,
    /// Without the last row.
    Torn,
    /// With other values.
    Unlike(Cell),
    /// With those that have left their object.
    WithThoseWhoLeft,
}

/// What the app posts where it was told to.
pub struct Post {
    pub url: String,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// Who knows the truth: the app itself, asked past its API.
pub trait Judge: Send + Sync {
    /// A person adds somebody.
    fn add(&self, person: &Person) -> RemoteId;
    /// A person changes the job title.
    fn retitle(&self, id: &RemoteId, title: &str);
    /// A person adds a tag.
    fn tag(&self, id: &RemoteId, tag: &str);
    fn remove(&self, id: &RemoteId);
    /// Everything that is stored of a record, but for what changes by itself.
    fn raw(&self, id: &RemoteId) -> BTreeMap<String, serde_json::Value>;
    fn count(&self) -> usize;
    /// Makes the next request fail; false if it can't.
    fn order(&self, fault: Fault) -> bool;
    /// Requests so far that were asked of the API, tokens apart; none if there is no wire.
    fn requests(&self) -> Option<usize>;
    /// Credits so far; none if the app counts none.
    fn credits(&self) -> Option<u64> {
        None
    }
    /// Requests for tokens so far.
    fn token_requests(&self) -> usize {
        0
    }
    /// Requests that the app refused for coming too fast.
    fn refused_for_rate(&self) -> usize {
        0
    }
    /// The keys that are in use are worth nothing from here on; false if it can't.
    fn expire_keys(&self) -> bool {
        false
    }
    /// And there will be no others; false if it can't.
    fn revoke(&self) -> bool {
        false
    }
    /// What a person would type in, wrongly; and what comes of it.
    fn connect_wrongly(&self) -> Option<BoxedConnect> {
        None
    }
    /// The same app with its limits in force, in real time; none if it has none.
    fn strict(&self) -> Option<BoxedHouse> {
        None
    }
    /// The same app whose listings are refused beyond so many records; none if they never are.
    fn refusing_beyond(&self, _records: usize) -> Option<BoxedHouse> {
        None
    }
    /// Whoever asks for a file is told this instead, after so many other questions about it.
    fn answer_files(&self, _body: &str, _after: u32) {}
    /// The same app writing files so; none if it writes none.
    fn with_files(&self, _files: Files) -> Option<BoxedHouse> {
        None
    }
    /// Whether the last write of a record sets off what the account has automated; none if no write
    /// ever does.
    fn sets_off_workflows(&self, _id: &RemoteId) -> Option<bool> {
        None
    }
    /// What the app posts by now, each once, answered as it should be; none if there is no wire.
    fn take_posts(&self) -> Option<Vec<Post>> {
        None
    }
    /// Whoever prolongs a subscription next is told that it has ended; false if none ever ends.
    fn forget_at_renewal(&self) -> bool {
        false
    }
    /// Nobody answers what the app posts until it gives up; false if it never does.
    fn give_up_posting(&self) -> bool {
        false
    }
    /// A person makes something else of a record, which leaves its object. Gives what it becomes; none if
    /// there is no such thing.
    fn converts(&self, _id: &RemoteId) -> Option<RecordName> {
        None
    }
    /// A person adds a number to those that somebody has; false if there can't be one.
    fn add_phone(&self, _id: &RemoteId, _number: &str) -> bool {
        false
    }
    /// The birthday that people see; none if the app has none.
    fn birthday(&self, _id: &RemoteId) -> Option<String> {
        None
    }
    /// A person adds a field of plain text; none if nobody could remove it.
    fn add_field(&self) -> Option<FieldId> {
        None
    }
    /// A person removes that field.
    fn remove_field(&self, _field: &FieldId) {}
    /// From here on every request with these words in it is refused as a whole, without a word of
    /// whose fault it was; false if there is no wire.
    fn refuse_requests_with(&self, _words: &str) -> bool {
        false
    }
    /// Requests so far that write records.
    fn writes(&self) -> usize {
        0
    }
    /// Secrets that must never be seen.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

pub type BoxedConnect = std::pin::Pin<Box<dyn Future<Output = concord::connectors::Error> + Send>>;

pub type BoxedHouse = std::pin::Pin<Box<dyn Future<Output = House> + Send>>;

/// How a connector is begun with.
pub struct Subject {
    pub name: &'static str,
    pub start: fn() -> BoxedHouse,
}

/// A connector, and its judge.
pub struct House {
    pub connector: Arc<dyn Connector>,
    /// The app as the catalogue has it; none for the one in this process.
    pub app: Option<&'static dyn App>,
    pub judge: Arc<dyn Judge>,
    pub schema: Schema,
    pub object: ObjectName,
    pub clock: Arc<ManualClock>,
    /// The e-mail address of a user who can be in charge, if the app has users.
    pub user: Option<String>,
}

impl House {
    pub fn field(&self, semantic: Semantic) -> FieldId {
        self.schema.meaning(semantic).unwrap_or_else(|| panic!("no {semantic:?}")).id.clone()
    }

    pub fn query(&self) -> Query {
        Query {
            object: self.object.clone(),
            collection: String::new(),
            fields: self.schema.iter().map(|field| field.id.clone()).collect(),
            removals_every: Duration::ZERO,
            moment: 0,
        }
    }

    /// The fields that make this person.
    pub fn fields(&self, person: &Person) -> BTreeMap<FieldId, Value> {
        let mut fields = BTreeMap::new();
        let text = |text: &str| Value::Text(text.to_owned());
        for (semantic, value) in [
            (Semantic::NameFirst, text(&person.first)),
            (Semantic::NameLast, text(&person.last)),
            (Semantic::EmailPrimary, Value::Email(person.email.clone())),
            (Semantic::JobTitle, text(&person.title)),
        ] {
            if !value.is_empty() {
                fields.insert(self.field(semantic), value);
            }
        }
        fields
    }

    pub fn create(&self, person: &Person) -> Write {
        Write {
            object: self.object.clone(),
            id: None,
            known: None,
            fields: self.fields(person),
            tags_add: person.tags.clone(),
            tags_remove: Vec::new(),
            becomes: None,
        }
    }

    pub fn update(&self, id: &RemoteId, fields: BTreeMap<FieldId, Value>) -> Write {
        Write {
            object: self.object.clone(),
            id: Some(id.clone()),
            known: None,
            fields,
            tags_add: Vec::new(),
            tags_remove: Vec::new(),
            becomes: None,
        }
    }

    /// Writes one record that must be written.
    pub async fn apply(&self, write: Write) -> RemoteId {
        let answers = self.connector.apply(&[write]).await.unwrap();
        match &answers[..] {
            [Written::Applied { id, .. }] => id.clone(),
            other => panic!("not written: {other:?}"),
        }
    }

    /// Reads one record that must be there.
    pub async fn read(&self, id: &RemoteId) -> Record {
        match self.fetch(id).await {
            Fetched::Live(record) => record,
            other => panic!("not there: {other:?}"),
        }
    }

    pub async fn fetch(&self, id: &RemoteId) -> Fetched {
        let ids = BTreeSet::from([id.clone()]);
        self.connector.fetch(&self.query(), &ids).await.unwrap().remove(0)
    }

    pub async fn page(&self, cursor: Option<&str>) -> Page {
        self.connector.changes(&self.query(), cursor).await.unwrap()
    }

    /// Reads to the end. Gives what was seen, each as often as it came, what was gone, and the cursor.
    pub async fn walk(&self, cursor: Option<String>) -> Walk {
        let mut walk = Walk::default();
        let mut cursor = cursor;
        loop {
            let page = self.page(cursor.as_deref()).await;
            walk.take(page.changes);
            walk.pages += 1;
            assert!(walk.pages < 300, "a walk without an end");
            if page.is_last {
                walk.cursor = page.cursor;
                return walk;
            }
            cursor = Some(page.cursor);
        }
    }

    /// Time goes by, so that what was done is no longer within the margin of safety.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn texts(&self, record: &Record, semantic: Semantic) -> String {
        record.get(&self.field(semantic)).map(Value::text).unwrap_or_default()
    }

    pub fn tags(&self, record: &Record) -> BTreeSet<String> {
        let field = self.schema.iter().find(|field| field.kind == FieldType::Tag).unwrap();
        let value = record.get(&field.id).unwrap();
        value.elements().iter().map(Value::text).collect()
    }
}

#[derive(Default)]
pub struct Walk {
    pub seen: Vec<Record>,
    pub gone: BTreeSet<RemoteId>,
    pub left: BTreeSet<Departure>,
    pub cursor: String,
    pub pages: usize,
}

impl Walk {
    pub fn take(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Seen(record) => self.seen.push(record),
                Change::Gone(id) => {
                    self.gone.insert(id);
                }
                Change::Left(departure) => {
                    self.left.insert(departure);
                }
            }
        }
    }

    pub fn ids(&self) -> BTreeSet<RemoteId> {
        self.seen.iter().map(|record| record.id.clone()).collect()
    }
}
