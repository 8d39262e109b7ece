//! Connections, their syncs and their drafts.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::history::changes;
use super::rule::Rule;
use super::{
    Account, Approval, Brake, ConnectionDraft, ConsentPolicy, DeletionPolicy, Entry, FirstRun,
    Issue, MatchKey, OutcomeName, Plan, RecordStanding, Run, Side, SyncState, WritePolicy,
};
use crate::graphql::error::read_error;
use crate::graphql::page::{ChangePage, FIRST, IssuePage, RecordPage, RunPage, asked, cost, page};
use crate::graphql::services;
use crate::planner::{self, Settings};
use crate::record;
use crate::store::{self, End, IssueId, OpFilter, OutcomeFilter, RunId};

/// Two accounts kept the same.
pub struct Connection(pub(in crate::graphql) store::Connection);

/// One side of a connection.
#[derive(SimpleObject)]
pub struct ConnectionSide {
    /// Which.
    side: Side,
    /// Its account.
    account: Account,
    /// Its objects, in order of preference.
    objects: Vec<String>,
}

/// A schedule by the clock on the wall.
#[derive(SimpleObject)]
pub struct Cron {
    /// Minute, hour, day, month and weekday, such as `0 6,12,18 * * *`.
    expression: String,
    /// The clock's zone, by its name in the IANA database.
    time_zone: String,
}

/// One direction of a connection.
#[derive(SimpleObject)]
pub struct Sync {
    /// The side that it reads.
    source: Side,
    /// The side that it writes.
    target: Side,
    /// Whether it writes.
    state: SyncState,
    /// What it sends of what is there at its start.
    first_run: FirstRun,
    /// Whether it replaces values.
    write_policy: WritePolicy,
    /// What deletions do.
    deletion: DeletionPolicy,
    /// How permission travels.
    consent: ConsentPolicy,
    /// Whether emptying a field empties its target.
    clearing: bool,
    /// A record is in scope if any of these lets it in.
    rules: Vec<Rule>,
    /// Which field is made of which.
    mapping: Vec<Entry>,
}

/// A field on each side that says whether a person may be written to.
#[derive(SimpleObject)]
pub struct ConsentFields {
    /// The field on the left.
    left: String,
    /// The field on the right.
    right: String,
}

/// A configuration.
pub struct Configuration(pub(super) Settings);

/// What a review found.
#[derive(SimpleObject)]
pub struct ReviewResult {
    /// What must be mended first.
    faults: Vec<ReviewRemark>,
    /// What should be known.
    warnings: Vec<ReviewRemark>,
    /// What a person has still to say.
    unacknowledged: Vec<super::Acknowledgement>,
    /// What a start names; none while anything is missing.
    token: Option<String>,
}

/// One remark of a review.
#[derive(SimpleObject)]
pub struct ReviewRemark {
    /// What, such as `PREFERRED_SIDE_REQUIRED`.
    code: String,
    /// The sync, by the side that it reads.
    source: Option<Side>,
    /// The field.
    field: Option<String>,
    /// What is wrong and what to do, or what follows.
    message: String,
}

/// How many records stand how.
#[derive(SimpleObject)]
pub struct OutcomeCount {
    /// How.
    outcome: OutcomeName,
    /// How many.
    count: u64,
}

impl From<planner::Review> for ReviewResult {
    fn from(review: planner::Review) -> Self {
        fn remark(code: &impl serde::Serialize, at: &planner::At, message: &str) -> ReviewRemark {
            let code = serde_json::to_value(code).ok();
            ReviewRemark {
                code: code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default(),
                source: at.sync.map(Side::from),
                field: at.field.as_ref().map(ToString::to_string),
                message: message.to_owned(),
            }
        }
        let faults = review.faults.iter().map(|f| remark(&f.code, &f.at, &f.message)).collect();
        let warnings = review.warnings.iter().map(|w| remark(&w.code, &w.at, &w.message)).collect();
        let unacknowledged = review.unacknowledged.into_iter().map(Into::into).collect();
        Self { faults, warnings, unacknowledged, token: review.token }
    }
}

#[Object]
impl Configuration {
    /// Its version; of a draft, that which it was begun from.
    async fn version(&self) -> u32 {
        self.0.version
    }

    /// Whose value stands at first meetings and in conflicts.
    async fn preferred_side(&self) -> Option<Side> {
        self.0.preferred.map(Side::from)
    }

    /// What people are recognised by, strongest first.
    async fn match_keys(&self) -> Vec<MatchKey> {
        self.0.match_keys.iter().map(|key| (*key).into()).collect()
    }

    /// Whether records that carry none of the match keys are left out.
    async fn avoid_duplicates(&self) -> bool {
        self.0.avoid_duplicates
    }

    /// What a person has to agree to first.
    async fn approval(&self) -> Approval {
        self.0.approval.into()
    }

    /// How often it runs by itself, in minutes. A `cron` schedule takes its place.
    async fn every_minutes(&self) -> u32 {
        self.0.every_minutes
    }

    /// When it runs by itself, by the clock on the wall.
    async fn cron(&self) -> Option<Cron> {
        let planner::Cron { expression, time_zone } = self.0.cron.clone()?;
        Some(Cron { expression, time_zone })
    }

    /// Where the permission to send e-mail is kept.
    async fn email_consent(&self) -> Option<ConsentFields> {
        let channel = self.0.consent.iter().find(|c| c.channel == planner::Channel::Email)?;
        Some(ConsentFields {
            left: channel.fields.left.to_string(),
            right: channel.fields.right.to_string(),
        })
    }

    /// How much may happen in a day before it waits for a person.
    async fn brake(&self) -> Brake {
        self.0.brake.into()
    }

    /// The syncs, that which reads the left first.
    async fn syncs(&self) -> Vec<Sync> {
        let syncs = record::Side::BOTH.into_iter().filter_map(|source| {
            let sync = self.0.sync(source)?;
            Some(Sync {
                source: source.into(),
                target: source.other().into(),
                state: sync.state.into(),
                first_run: sync.first_run.into(),
                write_policy: sync.write_policy.into(),
                deletion: sync.deletion.into(),
                consent: sync.consent.into(),
                clearing: sync.clearing,
                rules: sync.rules.iter().map(Rule::from).collect(),
                mapping: sync.entries.iter().map(|entry| Entry::of(source, entry)).collect(),
            })
        });
        syncs.collect()
    }
}

#[Object]
impl Connection {
    /// Its id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name for people.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its two sides.
    #[graphql(complexity = "2 * child_complexity")]
    async fn sides(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ConnectionSide>> {
        let store = &services(ctx)?.store;
        let mut sides = Vec::new();
        for side in record::Side::BOTH {
            let Some(feed) = self.0.feeds.iter().find(|feed| feed.side == side) else { continue };
            let feed = store.feed(self.0.workspace, feed.feed).await.map_err(read_error)?;
            let account =
                store.account(self.0.workspace, feed.account).await.map_err(read_error)?;
            let objects = self.0.settings.sides.of(side).objects.iter();
            sides.push(ConnectionSide {
                side: side.into(),
                account: Account(account),
                objects: objects.map(ToString::to_string).collect(),
            });
        }
        Ok(sides)
    }

    /// The live configuration.
    async fn configuration(&self) -> Configuration {
        Configuration(self.0.settings.clone())
    }

    /// What somebody works on; the live configuration, if nobody does.
    async fn draft(&self, ctx: &Context<'_>) -> async_graphql::Result<ConnectionDraft> {
        let (workspace, connection) = (self.0.workspace, self.0.id);
        let row = services(ctx)?.connections.draft(workspace, connection).await;
        let row = row.map_err(|error| crate::graphql::error::internal(&error))?;
        Ok(ConnectionDraft { row, workspace, connection })
    }

    /// Its runs, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<RunPage> {
        let (count, before) = asked(first, after.as_deref(), |id| id.parse::<RunId>().ok())?;
        let (store, workspace) = (&services(ctx)?.store, self.0.workspace);
        let rows = store.runs_before(workspace, self.0.id, before, count + 1).await;
        let rows = rows.map_err(read_error)?;
        Ok(page(rows, count, |row| row.id.to_string(), |row| Run(row, workspace)))
    }

    /// The plan that waits for somebody to agree. For an hour it stays as it is, unless a run is asked for:
    /// what happens in the apps meanwhile is judged by the brake.
    async fn waiting_plan(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Plan>> {
        let workspace = self.0.workspace;
        let plan = services(ctx)?.store.waiting_plan(workspace, self.0.id).await;
        Ok(plan.map_err(read_error)?.map(|plan| Plan(plan, workspace)))
    }

    /// Records of which there is something to tell: left out, waiting, failed, or with findings.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn records(
        &self,
        ctx: &Context<'_>,
        outcome: Option<OutcomeName>,
        side: Option<Side>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<RecordPage> {
        let filter = OutcomeFilter {
            outcome: outcome.map(|outcome| outcome.name().to_owned()),
            side: side.map(record::Side::from),
        };
        let (count, after) = asked(first, after.as_deref(), |cursor| {
            let (feed, id) = cursor.split_once('/')?;
            Some(End { feed: feed.parse().ok()?, id: record::RemoteId::new(id) })
        })?;
        let (workspace, connection) = (self.0.workspace, self.0.id);
        let store = &services(ctx)?.store;
        let rows = store.outcomes(workspace, connection, &filter, after, count + 1).await;
        let rows = rows.map_err(read_error)?;
        let cursor = |row: &store::RecordOutcome| format!("{}/{}", row.end.feed, row.end.id);
        Ok(page(rows, count, cursor, |row| RecordStanding { row, workspace, connection }))
    }

    /// How many records stand how, those in sync left out.
    async fn record_counts(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<OutcomeCount>> {
        let store = &services(ctx)?.store;
        let counts = store.count_outcomes(self.0.workspace, self.0.id).await.map_err(read_error)?;
        let counts = counts.into_iter();
        Ok(counts
            .map(|(name, count)| OutcomeCount { outcome: OutcomeName::named(&name), count })
            .collect())
    }

    /// How many pairs are kept the same.
    async fn link_count(&self, ctx: &Context<'_>) -> async_graphql::Result<u64> {
        let store = &services(ctx)?.store;
        store.count_links(self.0.workspace, self.0.id).await.map_err(read_error)
    }

    /// What was written, by when it was decided, newest first; to one side, or to the record that has this id
    /// in its app, if they are named.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        side: Option<Side>,
        record_id: Option<String>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<ChangePage> {
        let side = side.map(record::Side::from);
        let is_meant = |feed: &&store::ConnectionFeed| side.is_none_or(|side| feed.side == side);
        let feeds = self.0.feeds.iter().filter(is_meant).map(|feed| feed.feed).collect();
        let record = record_id.map(record::RemoteId::new);
        let filter = OpFilter { feeds, record, ..OpFilter::default() };
        changes(ctx, self.0.workspace, self.0.id, &filter, first, after).await
    }

    /// What a person should look at, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn issues(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = true)] open: bool,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<IssuePage> {
        let (count, before) = asked(first, after.as_deref(), |id| id.parse::<IssueId>().ok())?;
        let store = &services(ctx)?.store;
        let rows = store.issues(self.0.workspace, self.0.id, open, before, count + 1).await;
        Ok(page(rows.map_err(read_error)?, count, |row| row.id.to_string(), Issue))
    }
}
