//! Accounts.

use std::time::Duration;

use async_graphql::{Context, ID, Object, SimpleObject};
use jiff::Timestamp;

use super::{App, FieldType, Quota, UsageHour, Webhook};
use crate::connectors;
use crate::graphql::error::{internal, invalid, read_error};
use crate::graphql::services;
use crate::record;
use crate::store::{self, AccountStatus};

/// How many hours of usage are shown at most.
const HOURS_MAX: u32 = 35 * 24;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// An authorised account in an app.
pub struct Account(pub(in crate::graphql) store::Account);

/// A field of an account's object.
#[derive(SimpleObject)]
pub struct Field {
    /// Its stable id in the app.
    id: String,
    /// Its name in the account's language.
    label: String,
    /// Its type, or that of its elements.
    kind: FieldType,
    /// Whether it holds a set of values.
    many: bool,
    /// Whether it can be written.
    writable: bool,
    /// Whether a record can't be made without it.
    required: bool,
    /// The longest text it keeps, in characters.
    max_length: Option<u64>,
    /// The options of a closed list.
    options: Vec<FieldOption>,
    /// What it means, in words that all apps share, such as `email.primary`.
    meaning: Option<String>,
    /// The field of which this is a part.
    part_of: Option<String>,
}

/// An option of a closed list.
#[derive(SimpleObject)]
pub struct FieldOption {
    /// Its stable id.
    id: String,
    /// Its name for people.
    label: String,
}

impl From<&record::Field> for Field {
    fn from(field: &record::Field) -> Self {
        let options = field.options.iter();
        let meaning = field.semantic.and_then(|semantic| serde_json::to_value(semantic).ok());
        Self {
            id: field.id.to_string(),
            label: field.label.clone(),
            kind: field.kind.into(),
            many: field.many,
            writable: field.writable,
            required: field.required,
            max_length: field.max_len.map(|length| length as u64),
            options: options
                .map(|(id, label)| FieldOption { id: id.clone(), label: label.clone() })
                .collect(),
            meaning: meaning.and_then(|meaning| meaning.as_str().map(str::to_owned)),
            part_of: field.part_of.as_ref().map(ToString::to_string),
        }
    }
}

#[Object]
impl Account {
    /// Its id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its app.
    async fn app(&self) -> Option<App> {
        connectors::app(&self.0.app).map(App)
    }

    /// Its name for people.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// Its id in the app.
    async fn remote_id(&self) -> &str {
        &self.0.remote_id
    }

    /// Where it is reached, in the app's words.
    async fn host(&self) -> &str {
        &self.0.host
    }

    /// The e-mail address of the user who authorised it.
    async fn owner_email(&self) -> Option<&str> {
        self.0.owner_email.as_deref()
    }

    /// The e-mail address of the user who is to have authorised it, if a person said so.
    async fn expected_email(&self) -> Option<&str> {
        self.0.expected_email.as_deref()
    }

    /// The country by which numbers without a country code are read, in two letters.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// `CONNECTED`, `NEEDS_RECONNECTING` or `DISCONNECTED`.
    async fn status(&self) -> &str {
        match &self.0.status {
            AccountStatus::Connected => "CONNECTED",
            AccountStatus::NeedsReconnecting { .. } => "NEEDS_RECONNECTING",
            AccountStatus::Disconnected { .. } => "DISCONNECTED",
        }
    }

    /// Why it has to be reconnected, in the app's word.
    async fn status_code(&self) -> Option<&str> {
        match &self.0.status {
            AccountStatus::NeedsReconnecting { code, .. } => Some(code),
            AccountStatus::Connected | AccountStatus::Disconnected { .. } => None,
        }
    }

    /// When it was connected.
    async fn connected_at(&self) -> String {
        self.0.connected_at.to_string()
    }

    /// Where its app posts notifications; none before a connection of it runs, or one was asked for.
    async fn webhook(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Webhook>> {
        let store = &services(ctx)?.store;
        let known = store.endpoint_of(self.0.workspace, self.0.id).await.map_err(read_error)?;
        Ok(known.map(|endpoint| Webhook { endpoint, app: self.0.app.clone() }))
    }

    /// Its credits; none where its app counts none.
    #[graphql(complexity = "2 + child_complexity")]
    async fn quota(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Quota>> {
        let budget = services(ctx)?.accounts.budget(&self.0).await;
        Ok(budget.map_err(|error| internal(&error))?.quota.map(Quota::from))
    }

    /// What it was asked, for each hour of the last so many in which it was asked anything, newest
    /// first: at most 35 days.
    #[graphql(complexity = "1 + hours.min(HOURS_MAX) as usize * child_complexity")]
    async fn usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 24)] hours: u32,
    ) -> async_graphql::Result<Vec<UsageHour>> {
        let services = services(ctx)?;
        let span = HOUR * hours.min(HOURS_MAX);
        let since = services.clock.now().checked_sub(span).unwrap_or(Timestamp::MIN);
        let known = services.store.usage(self.0.workspace, self.0.id, since).await;
        Ok(known.map_err(read_error)?.into_iter().map(UsageHour::from).collect())
    }

    /// The fields of one of its objects, as they were last described.
    #[graphql(complexity = "200 * child_complexity")]
    async fn fields(&self, ctx: &Context<'_>, object: String) -> async_graphql::Result<Vec<Field>> {
        let store = &services(ctx)?.store;
        let known = store.description(self.0.workspace, self.0.id).await.map_err(read_error)?;
        let Some(known) = known else { return Ok(Vec::new()) };
        let Some(schema) = known.schemas.get(&record::ObjectName::new(&object)) else {
            let names: Vec<&str> = known.schemas.keys().map(|name| name.as_str()).collect();
            let names = names.join(", ");
            return Err(invalid(format!("there is no object {object:?}: choose one of {names}")));
        };
        Ok(schema.iter().map(Field::from).collect())
    }
}
