//! Records: how they stand.

use async_graphql::{Context, Object, SimpleObject};

use super::{OutcomeName, Side, Value};
use crate::graphql::error::read_error;
use crate::graphql::page::{ChangePage, FIRST, cost};
use crate::graphql::services;
use crate::planner::{Failure, Outcome, Seen, Wait};
use crate::store::{ConnectionId, OpFilter, RecordOutcome, WorkspaceId};

/// How a record stands, where there is something to tell.
pub struct RecordStanding {
    pub(in crate::graphql) row: RecordOutcome,
    pub(in crate::graphql) workspace: WorkspaceId,
    pub(in crate::graphql) connection: ConnectionId,
}

/// Something to know of a record.
#[derive(SimpleObject)]
pub struct Finding {
    /// What, such as `VALUE_CUT`.
    code: &'static str,
    /// On which side.
    side: Option<Side>,
    /// In which field.
    field: Option<String>,
}

/// A record, as its app names it.
#[derive(SimpleObject)]
pub struct RecordName {
    /// Its object, such as `Contacts`.
    object: String,
    /// Its id in the app.
    remote_id: String,
}

/// A field of a record, as it was last seen.
#[derive(SimpleObject)]
pub struct FieldValue {
    /// The field.
    field: String,
    /// Its value.
    value: Value,
}

#[Object(name = "Record")]
impl RecordStanding {
    /// Its id in the app.
    async fn remote_id(&self) -> String {
        self.row.end.id.to_string()
    }

    /// Its object in the app.
    #[graphql(complexity = "10")]
    async fn object(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        let store = &services(ctx)?.store;
        let feed = store.feed(self.workspace, self.row.end.feed).await.map_err(read_error)?;
        Ok(feed.object.to_string())
    }

    /// What it is now, where it is one of its object no more (reason `left`) and the app tells: the contact
    /// that a lead was converted to. What was linked to it is linked to that, if its side has that object.
    #[graphql(complexity = "10 + child_complexity")]
    async fn became(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<RecordName>> {
        let became = self.seen(ctx).await?.and_then(|seen| seen.became);
        Ok(became.map(|became| RecordName {
            object: became.object.to_string(),
            remote_id: became.id.to_string(),
        }))
    }

    /// Its side.
    async fn side(&self) -> Side {
        self.row.side.into()
    }

    /// What became of it.
    async fn outcome(&self) -> OutcomeName {
        OutcomeName::named(self.row.outcome.name())
    }

    /// Why, where the outcome has reasons: `no_match_key`, `refused`, `brake` and the like.
    async fn reason(&self) -> Option<String> {
        match &self.row.outcome {
            Outcome::Skipped(skip) => Some(skip.name().to_owned()),
            Outcome::Failed(Failure::RequiredField(field)) => {
                Some(format!("required_field {field}"))
            }
            Outcome::Failed(Failure::Unsettled) => Some("unsettled".to_owned()),
            Outcome::Failed(Failure::Refused) => Some("refused".to_owned()),
            Outcome::Waiting(Wait::Unread) => Some("unread".to_owned()),
            Outcome::Waiting(Wait::Brake) => Some("brake".to_owned()),
            Outcome::Waiting(Wait::Retry) => Some("retry".to_owned()),
            Outcome::Waiting(Wait::Answer) => Some("answer".to_owned()),
            _ => None,
        }
    }

    /// The app's own code, where it refused.
    async fn code(&self) -> Option<&str> {
        self.row.code.as_deref()
    }

    /// What else to know of it.
    async fn findings(&self) -> Vec<Finding> {
        let findings = self.row.findings.iter();
        findings
            .map(|finding| Finding {
                code: finding.code.name(),
                side: finding.side.map(Side::from),
                field: finding.field.as_ref().map(ToString::to_string),
            })
            .collect()
    }

    /// Since when it stands so.
    async fn since(&self) -> String {
        self.row.since.to_string()
    }

    /// The fields as they were last seen.
    #[graphql(complexity = "10 * child_complexity")]
    async fn fields(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<FieldValue>> {
        let seen = self.seen(ctx).await?;
        let fields = seen.iter().flat_map(|seen| seen.record.fields.iter());
        Ok(fields
            .map(|(field, value)| FieldValue { field: field.to_string(), value: value.into() })
            .collect())
    }

    /// What was ever written to it, by when it was decided, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "FIRST")] first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<ChangePage> {
        let crate::store::End { feed, id } = self.row.end.clone();
        let filter = OpFilter { feeds: [feed].into(), record: Some(id), ..OpFilter::default() };
        super::history::changes(ctx, self.workspace, self.connection, &filter, first, after).await
    }
}

impl RecordStanding {
    async fn seen(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Seen>> {
        let end = &self.row.end;
        let ids = [end.id.clone()].into();
        let store = &services(ctx)?.store;
        let rows = store.seen_by_id(self.workspace, end.feed, &ids).await.map_err(read_error)?;
        Ok(rows.into_iter().next().map(|row| row.seen))
    }
}
