//! Runs, plans and issues.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{Change, Forecast, Side, advice, budget};
use crate::graphql::error::read_error;
use crate::graphql::page::{ChangePage, FIRST, PlanItemPage, asked, cost, page};
use crate::graphql::services;
use crate::planner::Report;
use crate::record;
use crate::store::{
    IssueRow, OpFilter, OpId, PlanRow, PlanState, RunKind, RunRow, RunState, Trigger, WorkspaceId,
};

/// One execution of a connection.
pub struct Run(pub(in crate::graphql) RunRow, pub(in crate::graphql) WorkspaceId);

/// Numbers of a run or a plan.
#[derive(SimpleObject)]
pub struct Counts {
    /// Items: pairs, or records without a partner.
    items: u64,
    /// Items per outcome, those with none left out.
    outcomes: Vec<Count>,
    /// Skipped items per reason.
    skipped: Vec<Count>,
    /// Writes to each side, per kind.
    writes: Vec<WriteCount>,
    /// Changes that were found by reading, though webhooks should have told of them.
    missed_by_webhooks: u64,
}

/// A name and how many.
#[derive(SimpleObject)]
pub struct Count {
    /// What.
    name: String,
    /// How many.
    count: u64,
}

/// How many writes of a kind a side got.
#[derive(SimpleObject)]
pub struct WriteCount {
    /// The side that was written.
    side: Side,
    /// `consent`, `create`, `fields`, `tags`, `mark` or `convert`.
    kind: &'static str,
    /// How many.
    count: u64,
}

impl From<&Report> for Counts {
    fn from(report: &Report) -> Self {
        let counts = |counts: &std::collections::BTreeMap<String, u64>| {
            counts.iter().map(|(name, count)| Count { name: name.clone(), count: *count }).collect()
        };
        let writes = record::Side::BOTH.into_iter().flat_map(|side| {
            report.writes.of(side).iter().map(move |(kind, count)| WriteCount {
                side: side.into(),
                kind: kind.name(),
                count: *count,
            })
        });
        Self {
            items: report.items,
            outcomes: counts(&report.outcomes),
            skipped: counts(&report.skipped),
            writes: writes.collect(),
            missed_by_webhooks: report.missed_by_webhooks,
        }
    }
}

#[Object]
impl Run {
    /// Its id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its connection.
    async fn connection_id(&self) -> ID {
        self.0.connection.to_string().into()
    }

    /// `SYNC` writes, `PREVIEW` only plans.
    async fn kind(&self) -> &str {
        match self.0.kind {
            RunKind::Sync => "SYNC",
            RunKind::Preview => "PREVIEW",
        }
    }

    /// Why it began: `SCHEDULE`, `WEBHOOK`, `PERSON` or `AGAIN`.
    async fn trigger(&self) -> &str {
        match self.0.trigger {
            Trigger::Schedule => "SCHEDULE",
            Trigger::Webhook => "WEBHOOK",
            Trigger::Person => "PERSON",
            Trigger::Again => "AGAIN",
        }
    }

    /// `RUNNING`, `FINISHED` or `FAILED`.
    async fn state(&self) -> &str {
        match self.0.state {
            RunState::Running => "RUNNING",
            RunState::Finished => "FINISHED",
            RunState::Failed => "FAILED",
        }
    }

    /// The configuration version that it ran with.
    async fn version(&self) -> u32 {
        self.0.version
    }

    /// When it began.
    async fn started_at(&self) -> String {
        self.0.started_at.to_string()
    }

    /// When it ended.
    async fn ended_at(&self) -> Option<String> {
        self.0.ended_at.map(|at| at.to_string())
    }

    /// How often it was resumed after its process had ended without being told to.
    async fn cut_off(&self) -> u32 {
        self.0.cut_off.times
    }

    /// The code of the error that stopped it.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// What it came to, so far or in the end.
    async fn counts(&self) -> Counts {
        (&self.0.report).into()
    }

    /// What it wrote, by when it was decided, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<ChangePage> {
        let filter = OpFilter { run: Some(self.0.id), ..OpFilter::default() };
        changes(ctx, self.1, self.0.connection, &filter, first, after).await
    }
}

/// A page of what was written.
pub(in crate::graphql) async fn changes(
    ctx: &Context<'_>,
    workspace: WorkspaceId,
    connection: crate::store::ConnectionId,
    filter: &OpFilter,
    first: i32,
    after: Option<String>,
) -> async_graphql::Result<ChangePage> {
    let (count, before) = asked(first, after.as_deref(), |id| id.parse::<OpId>().ok())?;
    let store = &services(ctx)?.store;
    let rows = store.ops_before(workspace, connection, filter, before, count + 1).await;
    Ok(page(rows.map_err(read_error)?, count, |row| row.id.to_string(), Change))
}

/// What a run would do: the first run of a sync waits for somebody to agree; a draft is only looked at.
pub struct Plan(pub(in crate::graphql) PlanRow, pub(in crate::graphql) WorkspaceId);

/// One item of a plan.
#[derive(SimpleObject)]
pub struct PlanItem {
    /// Its place in the plan.
    number: u64,
    /// The record on the left, by its id in the app.
    left: Option<String>,
    /// The record on the right.
    right: Option<String>,
    /// What would become of them.
    outcome: super::OutcomeName,
    /// What would be written.
    writes: Vec<PlannedWrite>,
}

/// One write of a plan.
#[derive(SimpleObject)]
pub struct PlannedWrite {
    /// The side that would be written.
    side: Side,
    /// `consent`, `create`, `fields`, `tags`, `mark` or `convert`.
    kind: &'static str,
    /// The object that would be written, such as `Contacts`.
    object: String,
    /// The object of which it would be a record then, where it would be converted.
    becomes: Option<String>,
    /// The fields.
    fields: Vec<super::change::ChangedField>,
    /// Tags that would be added.
    tags_added: Vec<String>,
    /// Tags that would be removed.
    tags_removed: Vec<String>,
}

impl From<crate::store::PlanItem> for PlanItem {
    fn from(row: crate::store::PlanItem) -> Self {
        let id = |side: record::Side| row.item.records.of(side).as_ref().map(ToString::to_string);
        let writes = row.item.ops.iter().map(|op| PlannedWrite {
            side: op.side.into(),
            kind: op.kind.name(),
            object: op.object.to_string(),
            becomes: op.becomes.as_ref().map(|becomes| becomes.object.to_string()),
            fields: super::change::changed_fields(op),
            tags_added: op.tags.add.clone(),
            tags_removed: op.tags.remove.clone(),
        });
        Self {
            number: row.number,
            left: id(record::Side::Left),
            right: id(record::Side::Right),
            outcome: super::OutcomeName::named(row.item.outcome.name()),
            writes: writes.collect(),
        }
    }
}

#[Object]
impl Plan {
    /// Its id: that of the run that made it.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().replacen("run_", "pln_", 1).into()
    }

    /// Its connection.
    async fn connection_id(&self) -> ID {
        self.0.connection.to_string().into()
    }

    /// A fingerprint of all of it: an approval names it.
    async fn hash(&self) -> &str {
        &self.0.hash
    }

    /// The configuration version that it was made with.
    async fn version(&self) -> u32 {
        self.0.version
    }

    /// `BUILDING`, `WAITING`, `APPROVED`, `REFUSED`, `SUPERSEDED`, or `PREVIEW`: nobody decides.
    async fn state(&self) -> &str {
        match self.0.state {
            PlanState::Building => "BUILDING",
            PlanState::Waiting => "WAITING",
            PlanState::Approved => "APPROVED",
            PlanState::Refused => "REFUSED",
            PlanState::Superseded => "SUPERSEDED",
            PlanState::Preview => "PREVIEW",
        }
    }

    /// When it was made.
    async fn made_at(&self) -> String {
        self.0.made_at.to_string()
    }

    /// Who decided.
    async fn decided_by(&self) -> Option<&str> {
        self.0.decided_by.as_deref()
    }

    /// What it comes to.
    async fn counts(&self) -> Counts {
        (&self.0.report).into()
    }

    /// What writing it would ask of both accounts, and how long that would take; none if one of them is
    /// there no more, or the plan was made before this was counted.
    #[graphql(complexity = "10 + child_complexity")]
    async fn forecast(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Forecast>> {
        budget::of_plan(ctx, &self.0, self.1).await
    }

    /// Its items that write something.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<PlanItemPage> {
        let (count, after) = asked(first, after.as_deref(), |number| number.parse::<u64>().ok())?;
        let store = &services(ctx)?.store;
        let rows = store.plan_items(self.1, self.0.id, after, count + 1).await;
        Ok(page(rows.map_err(read_error)?, count, |row| row.number.to_string(), PlanItem::from))
    }
}

/// Something that a person should look at.
pub struct Issue(pub(in crate::graphql) IssueRow);

#[Object]
impl Issue {
    /// Its id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its connection.
    async fn connection_id(&self) -> ID {
        self.0.connection.to_string().into()
    }

    /// What it is, such as `REFUSED`, `AMBIGUOUS` or `VALUE_CUT`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Of which kind it is: `ACCOUNT`, `CONNECTION`, `BRAKE`, `CONSENT`, `RECORD` or `VALUE`.
    async fn class(&self) -> &str {
        advice::class(&self.0.code)
    }

    /// What to do about it; none where it only is to be known.
    async fn advice(&self) -> Option<&str> {
        advice::advice(&self.0.code)
    }

    /// The record, by its id in the app; none where it is about the whole connection.
    async fn record_id(&self) -> Option<String> {
        self.0.end.as_ref().map(|end| end.id.to_string())
    }

    /// The side, where it is about one.
    async fn side(&self) -> Option<Side> {
        self.0.side.map(Side::from)
    }

    /// The field, where it is about one.
    async fn field(&self) -> Option<String> {
        self.0.field.as_ref().map(ToString::to_string)
    }

    /// When it was met first.
    async fn first_at(&self) -> String {
        self.0.first_at.to_string()
    }

    /// When it was met last.
    async fn last_at(&self) -> String {
        self.0.last_at.to_string()
    }

    /// How often it was met.
    async fn times(&self) -> u32 {
        self.0.times
    }

    /// When it was over.
    async fn resolved_at(&self) -> Option<String> {
        self.0.resolved_at.map(|at| at.to_string())
    }
}
