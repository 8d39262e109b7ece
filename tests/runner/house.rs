//! Two small apps, a connection and a runner.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use concord::connections::Connections;
use concord::connectors::memory::{Author, Faults, Habits, MemoryConnector, Vendor};
use concord::connectors::{Change, Connector};
use concord::planner::{
    Acknowledgement, Approval, Channel, ConsentChannel, ConsentPolicy, DeletionPolicy, Entry,
    EntryId, FirstRun, Function, Link, MatchKey, Outcome, Rule, Settings, SideSettings, Sync,
    SyncState, Thresholds, WritePolicy,
};
use concord::ports::{Clock, Ids, ManualClock, SeededIds};
use concord::record::{Field, FieldId, FieldType, PerSide, Record, RemoteId, Schema, Side, Value};
use concord::runner::{Ran, RunError, Runner, Timings};
use concord::store::{
    Account, AccountId, Connection, ConnectionFeed, ConnectionId, Delivery, DeliveryId,
    DeliveryState, End, Endpoint, EndpointId, EndpointState, Feed, FeedId, History, MemoryStore,
    OpRow, OutcomeFilter, Pending, PlanItem, PlanRow, RunId, RunRow, Store, SyncProgress, Trigger,
    Webhooks as _, Workspace, WorkspaceId,
};
use jiff::Timestamp;
use tokio::sync::Notify;

const FIELDS: [&str; 5] = ["email", "phone", "city", "tags", "opt_out"];

pub struct House {
    pub clock: Arc<ManualClock>,
    pub vendors: PerSide<Arc<Vendor>>,
    /// The other object of the right app, where that side has it.
    pub leads: Arc<Vendor>,
    pub store: Arc<MemoryStore>,
    runner: Runner,
    connectors: PerSide<Arc<dyn Connector>>,
    pub workspace: WorkspaceId,
    pub connection: ConnectionId,
}

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub fn copy(source: Side, field: &str) -> Entry {
    Entry {
        id: EntryId(format!("{source:?}:{field}")),
        since: 0,
        objects: PerSide::default(),
        target: field.into(),
        inputs: vec![field.into()],
        function: Function::Copy,
        transforms: vec![],
        fallback: vec![],
    }
}

pub fn schema() -> Schema {
    FIELDS
        .iter()
        .map(|id| match *id {
            "email" => Field::new(*id, FieldType::Email),
            "phone" => Field::new(*id, FieldType::Phone),
            "tags" => Field { many: true, ..Field::new(*id, FieldType::Tag) },
            "opt_out" => Field::new(*id, FieldType::Boolean),
            _ => Field::new(*id, FieldType::Text),
        })
        .collect()
}

fn settings() -> Settings {
    let sync = |source: Side| Sync {
        state: SyncState::Running,
        since: 0,
        first_run: FirstRun::All,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Tag,
        consent: ConsentPolicy::Tighten,
        clearing: true,
        rules: vec![Rule::default()],
        entries: ["email", "phone", "city", "tags"].map(|field| copy(source, field)).to_vec(),
    };
    Settings {
        version: 1,
        sides: PerSide::from_fn(|side| SideSettings {
            app: format!("{side:?}"),
            objects: vec!["contacts".into()],
            schemas: [("contacts".into(), schema())].into(),
            region: "ES".parse().ok(),
            users: BTreeMap::new(),
            converts: BTreeMap::new(),
            tags: Some("tags".into()),
        }),
        syncs: PerSide { left: Some(sync(Side::Left)), right: Some(sync(Side::Right)) },
        preferred: Some(Side::Left),
        match_keys: vec![MatchKey::Email],
        avoid_duplicates: true,
        consent: vec![ConsentChannel {
            channel: Channel::Email,
            fields: PerSide { left: "opt_out".into(), right: "opt_out".into() },
        }],
        brake: Thresholds::default(),
        approval: Approval::Never,
        every_minutes: Settings::EVERY_MINUTES,
        cron: None,
    }
}

pub fn vendor(object: &str, list_lag_seconds: u32, clock: &Arc<ManualClock>) -> Arc<Vendor> {
    let habits = Habits {
        page_max: 50,
        write_many_max: 20,
        search_lag_seconds: 0,
        list_lag_seconds,
        shouts: false,
    };
    Arc::new(Vendor::new(object.into(), schema(), habits, clock.clone()))
}

/// What somebody is made of.
pub fn fields(email: &str, fields: &[(&str, &str)]) -> BTreeMap<FieldId, Value> {
    let mut all = BTreeMap::new();
    if !email.is_empty() {
        all.insert("email".into(), Value::Email(email.into()));
    }
    for (field, value) in fields {
        let value = match *field {
            "phone" => Value::Phone((*value).into()),
            "opt_out" => Value::Boolean(*value == "yes"),
            _ => text(value),
        };
        all.insert((*field).into(), value);
    }
    all
}

/// The feed of a new account.
async fn open_feed(
    store: &MemoryStore,
    ids: &SeededIds,
    workspace: WorkspaceId,
    name: &str,
) -> FeedId {
    let id = || ids.next(Timestamp::UNIX_EPOCH);
    let account = Account::new(workspace, AccountId(id()), "memory", name, Timestamp::UNIX_EPOCH);
    store.add_account(&account, b"").await.unwrap();
    let (object, feed) = ("contacts".into(), FeedId(id()));
    store.open_feed(workspace, account.id, &object, "", feed).await.unwrap().id
}

impl House {
    pub async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_lag(0, change).await
    }

    /// A house whose apps show our writes in their listings only so many seconds later.
    pub async fn with_lag(list_lag_seconds: u32, change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let ids = Arc::new(SeededIds::new(1));
        let workspace = WorkspaceId(ids.next(Timestamp::UNIX_EPOCH));
        let mut feeds = Vec::new();
        for side in Side::BOTH {
            feeds.push(open_feed(&store, &ids, workspace, &format!("{side:?}")).await);
        }
        let [left, right] = feeds.try_into().unwrap();
        let vendors = PerSide::from_fn(|_| vendor("contacts", list_lag_seconds, &clock));
        let mut settings = settings();
        change(&mut settings);
        Self::between(clock, store, ids, workspace, vendors, PerSide { left, right }, settings)
            .await
    }

    /// A house whose right side has contacts and leads.
    pub async fn with_leads(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_leads_on(Side::Right, change).await
    }

    pub async fn with_leads_on(side: Side, change: impl FnOnce(&mut Settings)) -> Self {
        Self::new(|settings| {
            let side = settings.sides.of_mut(side);
            side.objects.push("leads".into());
            side.schemas.insert("leads".into(), schema());
            change(settings);
        })
        .await
    }

    /// Another connection, between the left app of this one and a third app.
    pub async fn beside(&self) -> Self {
        let ids = Arc::new(SeededIds::new(9));
        let left = self.feed(Side::Left).await.id;
        let right = open_feed(&self.store, &ids, self.workspace, "third").await;
        let (clock, store) = (self.clock.clone(), self.store.clone());
        let vendors =
            PerSide { left: self.vendors.left.clone(), right: vendor("contacts", 0, &clock) };
        let feeds = PerSide { left, right };
        Self::between(clock, store, ids, self.workspace, vendors, feeds, settings()).await
    }

    async fn between(
        clock: Arc<ManualClock>,
        store: Arc<MemoryStore>,
        ids: Arc<SeededIds>,
        workspace: WorkspaceId,
        vendors: PerSide<Arc<Vendor>>,
        feeds: PerSide<FeedId>,
        settings: Settings,
    ) -> Self {
        let leads = vendor("leads", 0, &clock);
        let connectors = PerSide::from_fn(|side| {
            let connector = MemoryConnector::new(vendors.of(side).clone());
            Arc::new(connector.with(leads.clone())) as Arc<dyn Connector>
        });
        let connection = ConnectionId(ids.next(Timestamp::UNIX_EPOCH));
        let mut of_connection = Vec::new();
        for side in Side::BOTH {
            let first = store.feed(workspace, *feeds.of(side)).await.unwrap();
            for (rank, object) in (0..).zip(&settings.sides.of(side).objects) {
                let id = FeedId(ids.next(Timestamp::UNIX_EPOCH));
                let feed = store.open_feed(workspace, first.account, object, "", id).await.unwrap();
                of_connection.push(ConnectionFeed { side, rank, feed: feed.id, planned_to: 0 });
            }
        }
        store
            .add_connection(&Connection {
                workspace,
                id: connection,
                title: "a connection".into(),
                settings,
                feeds: of_connection,
                progress: PerSide { left: SyncProgress::default(), right: SyncProgress::default() },
                again: false,
            })
            .await
            .unwrap();
        let runner = Runner::new(store.clone(), clock.clone(), ids, "tester", Timings::default());
        Self { clock, vendors, leads, store, runner, connectors, workspace, connection }
    }

    /// A run, some minutes after the one before.
    pub async fn run(&self) -> Result<Ran, RunError> {
        self.clock.advance(Duration::from_secs(120));
        self.run_at_once().await
    }

    pub async fn run_at_once(&self) -> Result<Ran, RunError> {
        self.run_because(Trigger::Schedule).await
    }

    pub async fn run_because(&self, trigger: Trigger) -> Result<Ran, RunError> {
        let (workspace, connection) = (self.workspace, self.connection);
        self.runner.run(workspace, connection, &self.connectors, trigger).await
    }

    async fn feed(&self, side: Side) -> Feed {
        self.feed_at(side, 0).await
    }

    /// The feed of an object of a side, by its place.
    async fn feed_at(&self, side: Side, rank: u32) -> Feed {
        let connection = self.store.connection(self.workspace, self.connection).await.unwrap();
        let mut feeds = connection.feeds.iter();
        let feed = feeds.find(|feed| feed.side == side && feed.rank == rank).unwrap();
        self.store.feed(self.workspace, feed.feed).await.unwrap()
    }

    /// A notification has told of a lead.
    pub async fn hint_lead(&self, id: &RemoteId) {
        self.hint_lead_on(Side::Right, id).await;
    }

    pub async fn hint_lead_on(&self, side: Side, id: &RemoteId) {
        let (feed, ids) = (self.feed_at(side, 1).await, [id.clone()].into());
        self.store.add_hints(self.workspace, feed.id, &ids, self.clock.now()).await.unwrap();
    }

    /// Who is kept the same as whom, as the names of their records.
    pub async fn links(&self) -> Vec<(PerSide<String>, Link)> {
        let rows = self.store.links(self.workspace, self.connection, None, 1000).await.unwrap();
        let mut links = Vec::new();
        for row in rows {
            let mut names = PerSide::<String>::default();
            for (side, end) in row.ends.iter() {
                let feed = self.store.feed(self.workspace, end.feed).await.unwrap();
                *names.of_mut(side) = format!("{}/{}", feed.object, end.id);
            }
            links.push((names, row.link));
        }
        links
    }

    /// What became of a lead.
    pub async fn standing_of_lead(&self, id: &RemoteId) -> Option<Outcome> {
        let feed = self.feed_at(Side::Right, 1).await.id;
        let end = End { feed, id: id.clone() };
        let filter = OutcomeFilter::default();
        let (workspace, connection) = (self.workspace, self.connection);
        let rows = self.store.outcomes(workspace, connection, &filter, None, 1000).await.unwrap();
        rows.into_iter().find(|row| row.end == end).map(|row| row.outcome)
    }

    /// How many records of a side are known.
    pub async fn known(&self, side: Side) -> u64 {
        let feed = self.feed(side).await.id;
        self.store.count_live(self.workspace, feed).await.unwrap()
    }

    /// From now on the app of a side posts its notifications.
    pub async fn register(&self, side: Side) {
        let now = self.clock.now();
        let id = EndpointId(SeededIds::new(3).next(now));
        let account = self.feed(side).await.account;
        let endpoint = Endpoint {
            state: EndpointState::Registered,
            objects: ["contacts".into()].into(),
            registered_at: Some(now),
            ..Endpoint::new(id, self.workspace, account, now)
        };
        self.store.add_endpoint(&endpoint).await.unwrap();
    }

    /// The app of a side, which was registered, posts a notification that tells of this record.
    pub async fn deliver(&self, side: Side, id: &RemoteId) {
        let now = self.clock.now();
        let account = self.feed(side).await.account;
        let endpoint = self.store.endpoint_of(self.workspace, account).await.unwrap().unwrap();
        let delivery = Delivery {
            id: DeliveryId(SeededIds::new(4).next(now)),
            endpoint: endpoint.id,
            account,
            received_at: now,
            fingerprint: *blake3::hash(format!("{id} {now}").as_bytes()).as_bytes(),
            times: 1,
            content_type: "text/plain".into(),
            body: Vec::new(),
            state: DeliveryState::Received,
            attempts: 0,
            next_at: Some(now),
            error: None,
            hints: 0,
        };
        self.store.add_delivery(self.workspace, &delivery).await.unwrap();
        self.hint(side, id).await;
    }

    /// A notification has told of a record.
    pub async fn hint(&self, side: Side, id: &RemoteId) {
        self.hint_after(side, id, Duration::ZERO).await;
    }

    /// The same, to be read only after a while.
    pub async fn hint_after(&self, side: Side, id: &RemoteId, wait: Duration) {
        let (feed, ids) = (self.feed(side).await, [id.clone()].into());
        let due = self.clock.now() + wait;
        self.store.add_hints(self.workspace, feed.id, &ids, due).await.unwrap();
    }

    /// A run in which nothing that is written to a side is ever answered. Its readings are.
    pub async fn run_losing_answers_of(&self, side: Side) {
        self.run_with(side, Faults { lost_after: 1000, ..Faults::default() }, Trigger::Schedule)
            .await;
    }

    /// The same, of a run that a notification wakes.
    pub async fn run_told_losing_answers_of(&self, side: Side) {
        self.run_with(side, Faults { lost_after: 1000, ..Faults::default() }, Trigger::Webhook)
            .await;
    }

    /// A run that a notification wakes, in which nothing that is written to a side ever arrives.
    pub async fn run_told_losing_writes_to(&self, side: Side) {
        self.run_with(side, Faults { lost_before: 1000, ..Faults::default() }, Trigger::Webhook)
            .await;
    }

    /// A run in which nothing that is written to a side ever arrives.
    pub async fn run_losing_writes_to(&self, side: Side) {
        self.run_with(side, Faults { lost_before: 1000, ..Faults::default() }, Trigger::Schedule)
            .await;
    }

    /// A run that ends because an app refuses all that is written to a side.
    pub async fn run_refused_by(&self, side: Side) {
        let faults = Faults { rate_limited: 1000, ..Faults::default() };
        assert!(self.run_meeting(side, faults, Trigger::Schedule).await.is_err());
    }

    /// A run in which this happens to what is written to a side.
    async fn run_with(&self, side: Side, faults: Faults, trigger: Trigger) {
        self.run_meeting(side, faults, trigger).await.unwrap();
    }

    async fn run_meeting(
        &self,
        side: Side,
        faults: Faults,
        trigger: Trigger,
    ) -> Result<Ran, RunError> {
        let deaf = Deaf { faults, ..self.deaf(side) };
        self.run_over(side, deaf, trigger).await
    }

    /// A run in which a side tells nothing but how a record was when so many changes were known of it.
    pub async fn run_told_of_old(&self, side: Side, old: Record, moment: u64) {
        let deaf = Deaf { old: Some((old, moment)), ..self.deaf(side) };
        self.run_over(side, deaf, Trigger::Schedule).await.unwrap();
    }

    fn deaf(&self, side: Side) -> Deaf {
        let (inner, vendor) = (self.connectors.of(side).clone(), self.vendors.of(side).clone());
        Deaf { inner, vendor, faults: Faults::default(), pause: None, old: None }
    }

    async fn run_over(&self, side: Side, deaf: Deaf, trigger: Trigger) -> Result<Ran, RunError> {
        let mut connectors = self.connectors.clone();
        *connectors.of_mut(side) = Arc::new(deaf);
        self.clock.advance(Duration::from_secs(120));
        let (workspace, connection) = (self.workspace, self.connection);
        self.runner.run(workspace, connection, &connectors, trigger).await
    }

    /// A run that a notification wakes. Something happens in it once the first record of a side was
    /// read, and before that is written down.
    pub async fn run_told_while(
        &self,
        side: Side,
        meanwhile: impl Future<Output = ()>,
    ) -> Result<Ran, RunError> {
        let pause = Arc::new(Pause::default());
        let deaf = Deaf { pause: Some(pause.clone()), ..self.deaf(side) };
        let mut connectors = self.connectors.clone();
        *connectors.of_mut(side) = Arc::new(deaf);
        let (workspace, connection) = (self.workspace, self.connection);
        let run = self.runner.run(workspace, connection, &connectors, Trigger::Webhook);
        let act = async {
            pause.was_read.notified().await;
            meanwhile.await;
            pause.go_on.notify_one();
        };
        tokio::join!(run, act).0
    }

    /// Whether a notification would be read alone.
    pub async fn reads_only_what_was_told(&self) -> bool {
        let known = self.store.connection(self.workspace, self.connection).await.unwrap();
        self.runner.reads_only_what_was_told(&known).await.unwrap()
    }

    /// Somebody asks for a run while another goes on.
    pub async fn ask_again(&self) {
        self.store.ask_again(self.workspace, self.connection).await.unwrap();
    }

    /// The process is to end.
    pub fn stop(&self) {
        self.runner.stop();
    }

    /// As the next start of the process finds it.
    pub fn restarted(mut self) -> Self {
        self.restart();
        self
    }

    fn restart(&mut self) {
        let (store, clock, ids) = (self.store.clone(), self.clock.clone(), SeededIds::new(2));
        self.runner = Runner::new(store, clock, Arc::new(ids), "restarted", Timings::default());
    }

    /// What is known now, to be put back later.
    pub fn backup(&self) -> Arc<MemoryStore> {
        Arc::new(self.store.backup())
    }

    /// The server is lost, and begins again with what it knew then; the apps go on. Gives how many
    /// records it is to look at again.
    pub async fn restore(&mut self, backup: Arc<MemoryStore>) -> u64 {
        self.store = backup;
        self.restart();
        self.clock.advance(Duration::from_secs(120));
        let workspace = Workspace { id: self.workspace, name: "home".into() };
        self.store.add_workspace(&workspace).await.unwrap();
        let asking = self.connections().after_restore("doctor").await.unwrap();
        self.clock.advance(Duration::from_secs(120));
        asking.iter().map(|asking| asking.records).sum()
    }

    pub async fn runs(&self) -> Vec<RunRow> {
        self.store.runs(self.workspace, self.connection, 10).await.unwrap()
    }

    pub async fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let live = self.store.connection(self.workspace, self.connection).await.unwrap();
        let mut settings = live.settings;
        let version = settings.version;
        change(&mut settings);
        self.store.publish(self.workspace, self.connection, version, &settings).await.unwrap();
    }

    pub fn connections(&self) -> Connections {
        let ids = Arc::new(SeededIds::new(2));
        Connections::new(self.store.clone(), self.clock.clone(), ids)
    }

    /// A person takes a sync back to where it was before its start.
    pub async fn cancel(&self, source: Side) {
        self.connections().cancel(self.workspace, self.connection, source).await.unwrap();
    }

    /// A person starts a sync.
    pub async fn start(&self, source: Side) {
        let connections = self.connections();
        let (workspace, id) = (self.workspace, self.connection);
        let given = [Acknowledgement::NoOtherSync, Acknowledgement::OptOutsStay].into();
        let review = connections.review(workspace, id, &given).await.unwrap();
        let token = review.token.clone().unwrap_or_else(|| panic!("{review:?}"));
        connections.start(workspace, id, &[source].into(), &token, &given).await.unwrap();
    }

    /// The plan that waits for a person.
    pub async fn plan(&self) -> Option<PlanRow> {
        self.store.waiting_plan(self.workspace, self.connection).await.unwrap()
    }

    /// What a plan would write.
    pub async fn items(&self, plan: RunId) -> Vec<PlanItem> {
        self.store.plan_items(self.workspace, plan, None, 1000).await.unwrap()
    }

    /// A person agrees to the plan that waits.
    pub async fn approve(&self) {
        let plan = self.plan().await.expect("a plan waits");
        let now = self.clock.now();
        let decided = self.store.decide_plan(self.workspace, plan.id, &plan.hash, true, "eva", now);
        decided.await.unwrap();
    }

    /// The newest run.
    pub async fn last_run(&self) -> Option<RunRow> {
        self.store.runs(self.workspace, self.connection, 1).await.unwrap().into_iter().next()
    }

    /// All that was ever sent.
    pub async fn ops(&self) -> Vec<OpRow> {
        self.store.ops(self.workspace, self.connection, None, 1000).await.unwrap()
    }

    /// What a person should look at, oldest first: the code, the side and whether it is about a record.
    pub async fn issues(&self) -> Vec<(String, Option<Side>, bool)> {
        let rows = self.store.issues(self.workspace, self.connection, true, None, 1000).await;
        let rows = rows.unwrap().into_iter().rev();
        rows.map(|row| (row.code, row.side, row.end.is_some())).collect()
    }

    pub async fn pending(&self) -> Vec<Pending> {
        self.store.pending(self.workspace, self.connection).await.unwrap()
    }

    pub fn make(&self, side: Side, email: &str, fields: &[(&str, &str)]) -> RemoteId {
        self.vendors.of(side).create(self::fields(email, fields))
    }

    fn record(&self, side: Side, email: &str) -> Record {
        let has = |record: &Record| record.fields[&"email".into()].text() == email;
        let found = self.vendors.of(side).records().into_iter().find(has);
        found.unwrap_or_else(|| panic!("no {email} on the {side:?} side"))
    }

    pub fn edit(&self, side: Side, email: &str, field: &str, value: Value) {
        let id = self.record(side, email).id;
        assert!(self.vendors.of(side).edit(&id, [(field.into(), value)].into()));
    }

    pub fn remove(&self, side: Side, email: &str) {
        self.vendors.of(side).remove(&self.record(side, email).id);
    }

    pub fn id(&self, side: Side, email: &str) -> RemoteId {
        self.record(side, email).id
    }

    pub fn get(&self, side: Side, email: &str, field: &str) -> Value {
        self.record(side, email).fields[&field.into()].clone()
    }

    pub fn emails(&self, side: Side) -> Vec<String> {
        let records = self.vendors.of(side).records();
        let mut emails: Vec<String> =
            records.iter().map(|record| record.fields[&"email".into()].text()).collect();
        emails.sort();
        emails
    }

    /// How often we wrote, on both sides.
    pub fn writes(&self) -> usize {
        let ours = |side: Side| {
            let history = self.vendors.of(side).history();
            history.iter().filter(|event| event.by == Author::Engine).count()
        };
        ours(Side::Left) + ours(Side::Right)
    }
}

/// An app whose writes meet these faults, and nothing else does.
struct Deaf {
    inner: Arc<dyn Connector>,
    vendor: Arc<Vendor>,
    faults: Faults,
    pause: Option<Arc<Pause>>,
    /// All that its lists tell, and of which moment.
    old: Option<(Record, u64)>,
}

/// Holds the first direct read back, once it has its answer.
#[derive(Default)]
struct Pause {
    is_over: AtomicBool,
    was_read: Notify,
    go_on: Notify,
}

impl Pause {
    async fn hold(&self) {
        if !self.is_over.swap(true, Ordering::SeqCst) {
            self.was_read.notify_one();
            self.go_on.notified().await;
        }
    }
}

#[async_trait::async_trait]
impl Connector for Deaf {
    fn capability(&self) -> &concord::connectors::Capability {
        self.inner.capability()
    }

    async fn check(&self) -> concord::connectors::Result<concord::connectors::Identity> {
        self.inner.check().await
    }

    async fn users(
        &self,
    ) -> concord::connectors::Result<std::collections::BTreeMap<String, String>> {
        self.inner.users().await
    }

    async fn describe(
        &self,
        object: &concord::record::ObjectName,
    ) -> concord::connectors::Result<Schema> {
        self.inner.describe(object).await
    }

    async fn changes(
        &self,
        query: &concord::connectors::Query,
        cursor: Option<&str>,
    ) -> concord::connectors::Result<concord::connectors::Page> {
        let mut page = self.inner.changes(query, cursor).await?;
        if let Some((old, moment)) = &self.old {
            page.changes = vec![Change::Seen(old.clone())];
            page.moment = Some(*moment);
        }
        Ok(page)
    }

    fn restart(&self, cursor: &str) -> Option<String> {
        self.inner.restart(cursor)
    }

    async fn fetch(
        &self,
        query: &concord::connectors::Query,
        ids: &std::collections::BTreeSet<RemoteId>,
    ) -> concord::connectors::Result<Vec<concord::connectors::Fetched>> {
        let answers = self.inner.fetch(query, ids).await;
        if let Some(pause) = &self.pause {
            pause.hold().await;
        }
        answers
    }

    async fn find(
        &self,
        query: &concord::connectors::Query,
        lookups: &std::collections::BTreeSet<concord::connectors::Lookup>,
    ) -> concord::connectors::Result<Vec<Record>> {
        self.inner.find(query, lookups).await
    }

    async fn apply(
        &self,
        writes: &[concord::connectors::Write],
    ) -> concord::connectors::Result<Vec<concord::connectors::Written>> {
        self.vendor.order_faults(1, self.faults);
        let answers = self.inner.apply(writes).await;
        self.vendor.stop_faults();
        answers
    }

    fn toll(&self, writes: &[concord::connectors::Write]) -> concord::record::Toll {
        self.inner.toll(writes)
    }

    fn would_store(&self, field: &concord::record::FieldId, value: &Value) -> Option<Value> {
        self.inner.would_store(field, value)
    }

    async fn subscribe(
        &self,
        address: &concord::connectors::Address,
    ) -> concord::connectors::Result<concord::connectors::Subscription> {
        self.inner.subscribe(address).await
    }

    async fn subscription(
        &self,
        address: &concord::connectors::Address,
    ) -> concord::connectors::Result<Option<concord::connectors::Subscription>> {
        self.inner.subscription(address).await
    }

    async fn unsubscribe(
        &self,
        address: &concord::connectors::Address,
    ) -> concord::connectors::Result<()> {
        self.inner.unsubscribe(address).await
    }
}
