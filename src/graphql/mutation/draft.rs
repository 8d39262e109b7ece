//! Working on the configuration of a connection: everything is edited in its draft.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};

use super::connection::writer_of_connection;
use super::payload::{DonePayload, DraftPayload, answer_about};
use crate::connections;
use crate::graphql::error::{Outcome, UserError, UserErrorCode};
use crate::graphql::input::{BrakeInput, ConsentFieldsInput, CronInput, EntryInput, RuleInput};
use crate::graphql::services;
use crate::graphql::types::{
    Approval, ConnectionDraft, ConsentPolicy, DeletionPolicy, FirstRun, MatchKey, Side, WritePolicy,
};
use crate::planner::{Channel, ConsentChannel, Entry, EntryId, Settings, Sync};
use crate::record::{FieldId, PerSide};

/// A month, in minutes.
const MINUTES_MAX: u32 = 31 * 24 * 60;

/// Mutations of drafts.
#[derive(Default)]
pub struct DraftMutations;

/// What `connectionUpdate` takes. What is left out stays as it is.
#[derive(InputObject)]
pub struct ConnectionUpdateInput {
    /// The connection.
    connection_id: ID,
    /// The edit that the change was made from; whatever is there, without.
    expected_edit: Option<u32>,
    /// Whose value stands at first meetings and in conflicts.
    preferred_side: Option<Side>,
    /// What people are recognised by, strongest first.
    match_keys: Option<Vec<MatchKey>>,
    /// Whether records that carry none of the match keys are left out.
    avoid_duplicates: Option<bool>,
    /// What a person has to agree to first.
    approval: Option<Approval>,
    /// How often it runs by itself, in minutes: 1 to 44,640, which is a month.
    every_minutes: Option<u32>,
    /// When it runs by itself, by the clock on the wall, in place of `everyMinutes`; null takes that back.
    cron: MaybeUndefined<CronInput>,
    /// Where the permission to send e-mail is kept.
    email_consent: Option<ConsentFieldsInput>,
    /// How much may happen in a day before it waits for a person.
    brake: Option<BrakeInput>,
}

/// What `syncUpdate` takes. What is left out stays as it is.
#[derive(InputObject)]
pub struct SyncUpdateInput {
    /// The connection.
    connection_id: ID,
    /// The side that the sync reads.
    source: Side,
    /// The edit that the change was made from; whatever is there, without.
    expected_edit: Option<u32>,
    /// What it sends of what is there at its start.
    first_run: Option<FirstRun>,
    /// Whether it replaces values.
    write_policy: Option<WritePolicy>,
    /// What deletions do.
    deletion: Option<DeletionPolicy>,
    /// How permission travels.
    consent: Option<ConsentPolicy>,
    /// Whether emptying a field empties its target.
    clearing: Option<bool>,
}

/// What `ruleSet` takes.
#[derive(InputObject)]
pub struct RuleSetInput {
    /// The connection.
    connection_id: ID,
    /// The side that the sync reads.
    source: Side,
    /// The edit that the change was made from; whatever is there, without.
    expected_edit: Option<u32>,
    /// The rules, in place of those that were there.
    rules: Vec<RuleInput>,
}

/// What `mappingSet` takes.
#[derive(InputObject)]
pub struct MappingSetInput {
    /// The connection.
    connection_id: ID,
    /// The side that the sync reads.
    source: Side,
    /// The edit that the change was made from; whatever is there, without.
    expected_edit: Option<u32>,
    /// The entries, in place of those that write the same fields; of all, if `replace` is set.
    entries: Vec<EntryInput>,
    /// Whether entries that are not named are taken away.
    #[graphql(default)]
    replace: bool,
}

#[Object]
impl DraftMutations {
    /// Changes what holds for both directions.
    async fn connection_update(
        &self,
        ctx: &Context<'_>,
        input: ConnectionUpdateInput,
    ) -> async_graphql::Result<DraftPayload> {
        answer_about(ctx, "input.connectionId", connection(ctx, input).await)
    }

    /// Changes how one direction behaves.
    async fn sync_update(
        &self,
        ctx: &Context<'_>,
        input: SyncUpdateInput,
    ) -> async_graphql::Result<DraftPayload> {
        answer_about(ctx, "input.connectionId", direction(ctx, input).await)
    }

    /// Says which records a direction sends.
    async fn rule_set(
        &self,
        ctx: &Context<'_>,
        input: RuleSetInput,
    ) -> async_graphql::Result<DraftPayload> {
        answer_about(ctx, "input.connectionId", rules(ctx, input).await)
    }

    /// Says which fields of a direction are made of which.
    async fn mapping_set(
        &self,
        ctx: &Context<'_>,
        input: MappingSetInput,
    ) -> async_graphql::Result<DraftPayload> {
        answer_about(ctx, "input.connectionId", mapping(ctx, input).await)
    }

    /// Throws the draft away.
    async fn draft_discard(
        &self,
        ctx: &Context<'_>,
        connection_id: ID,
    ) -> async_graphql::Result<DonePayload> {
        answer_about(ctx, "connectionId", discard(ctx, &connection_id).await)
    }
}

async fn connection(
    ctx: &Context<'_>,
    mut input: ConnectionUpdateInput,
) -> Outcome<ConnectionDraft> {
    let (id, edit) = (input.connection_id.clone(), input.expected_edit);
    let now = services(ctx)?.clock.now();
    let cron = std::mem::take(&mut input.cron).map_value(|cron| cron.cron(now)).transpose()?;
    let brake = input.brake.take().map(BrakeInput::change).transpose()?;
    check_keys(input.match_keys.as_deref())?;
    check_minutes(input.every_minutes)?;
    change(ctx, &id, edit, |settings| {
        update_connection(settings, input);
        cron.update_to(&mut settings.cron);
        if let Some(brake) = brake {
            brake(&mut settings.brake);
        }
        Ok(())
    })
    .await
}

async fn direction(ctx: &Context<'_>, input: SyncUpdateInput) -> Outcome<ConnectionDraft> {
    change(ctx, &input.connection_id, input.expected_edit, |settings| {
        update_sync(sync(settings, input.source)?, &input);
        Ok(())
    })
    .await
}

async fn rules(ctx: &Context<'_>, input: RuleSetInput) -> Outcome<ConnectionDraft> {
    let rules = numbered(input.rules, "input.rules", RuleInput::rule)?;
    change(ctx, &input.connection_id, input.expected_edit, |settings| {
        sync(settings, input.source)?.rules = rules;
        Ok(())
    })
    .await
}

async fn mapping(ctx: &Context<'_>, input: MappingSetInput) -> Outcome<ConnectionDraft> {
    let (source, replace) = (input.source, input.replace);
    let mut given: BTreeSet<EntryId> = BTreeSet::new();
    for id in input.entries.iter().filter_map(|entry| entry.id.clone()) {
        if !given.insert(EntryId(id)) {
            let message = "Two entries have the same id: give it to the one that was there before.";
            return Err(UserError::new(UserErrorCode::Invalid, message).at("input.entries").into());
        }
    }
    let entries = numbered(input.entries, "input.entries", |entry| entry.entry(source))?;
    change(ctx, &input.connection_id, input.expected_edit, |settings| {
        let sync = sync(settings, source)?;
        let is_new = |old: &Entry| {
            given.contains(&old.id)
                || entries.iter().any(|new| new.target == old.target && new.meets(old))
        };
        sync.entries.retain(|old| !replace && !is_new(old));
        for entry in entries {
            let id = if given.contains(&entry.id) {
                entry.id
            } else {
                unused(entry.id, |id| sync.entries.iter().any(|other| other.id == *id))
            };
            sync.entries.push(Entry { id, ..entry });
        }
        Ok(())
    })
    .await
}

/// What is made of each; what is wrong with one is told by its number, the first being 0.
fn numbered<T, U>(
    given: Vec<T>,
    path: &str,
    make: impl Fn(T) -> Result<U, UserError>,
) -> Result<Vec<U>, UserError> {
    let made = given.into_iter().enumerate();
    made.map(|(at, one)| make(one).map_err(|error| error.under(&format!("{path}.{at}")))).collect()
}

/// This id, or where another entry has it the first like it that is free: several entries may write one set.
fn unused(id: EntryId, is_taken: impl Fn(&EntryId) -> bool) -> EntryId {
    let numbered = (2..).map(|number| EntryId(format!("{}.{number}", id.0)));
    let mut ids = std::iter::once(id.clone()).chain(numbered);
    ids.find(|id| !is_taken(id)).unwrap_or(id)
}

async fn change(
    ctx: &Context<'_>,
    id: &ID,
    seen: Option<u32>,
    change: impl FnOnce(&mut Settings) -> connections::Result<()> + Send,
) -> Outcome<ConnectionDraft> {
    let (by, connection) = writer_of_connection(ctx, id)?;
    let row = by.services.connections.edit(by.workspace, connection, seen, change).await?;
    Ok(ConnectionDraft { row, workspace: by.workspace, connection })
}

async fn discard(ctx: &Context<'_>, id: &ID) -> Outcome<bool> {
    let (by, id) = writer_of_connection(ctx, id)?;
    by.services.connections.discard(by.workspace, id).await?;
    Ok(true)
}

fn sync(settings: &mut Settings, source: Side) -> connections::Result<&mut Sync> {
    settings.syncs.of_mut(source.into()).as_mut().ok_or(connections::Error::NoSync)
}

fn check_keys(keys: Option<&[MatchKey]>) -> Result<(), UserError> {
    let Some(keys) = keys else { return Ok(()) };
    let is_doubled = |(at, key): (usize, &MatchKey)| keys.iter().take(at).any(|other| other == key);
    let message = if keys.is_empty() {
        "Without a match key nobody can be recognised: name one at least, such as EMAIL."
    } else if keys.iter().enumerate().any(is_doubled) {
        "A match key is named twice: name each once, the strongest first."
    } else {
        return Ok(());
    };
    Err(UserError::new(UserErrorCode::Invalid, message).at("input.matchKeys"))
}

fn check_minutes(minutes: Option<u32>) -> Result<(), UserError> {
    if minutes.is_none_or(|minutes| (1..=MINUTES_MAX).contains(&minutes)) {
        return Ok(());
    }
    let message =
        format!("A connection runs every 1 to {MINUTES_MAX} minutes: for more, give a `cron`.");
    Err(UserError::new(UserErrorCode::Invalid, message).at("input.everyMinutes"))
}

fn update_connection(settings: &mut Settings, input: ConnectionUpdateInput) {
    if let Some(side) = input.preferred_side {
        settings.preferred = Some(side.into());
    }
    if let Some(keys) = input.match_keys {
        settings.match_keys = keys.into_iter().map(Into::into).collect();
    }
    if let Some(avoid) = input.avoid_duplicates {
        settings.avoid_duplicates = avoid;
    }
    if let Some(approval) = input.approval {
        settings.approval = approval.into();
    }
    if let Some(minutes) = input.every_minutes {
        settings.every_minutes = minutes;
    }
    if let Some(fields) = input.email_consent {
        settings.consent.retain(|channel| channel.channel != Channel::Email);
        let fields = PerSide { left: FieldId::new(fields.left), right: FieldId::new(fields.right) };
        settings.consent.push(ConsentChannel { channel: Channel::Email, fields });
    }
}

fn update_sync(sync: &mut Sync, input: &SyncUpdateInput) {
    if let Some(first_run) = input.first_run {
        sync.first_run = first_run.into();
    }
    if let Some(policy) = input.write_policy {
        sync.write_policy = policy.into();
    }
    if let Some(deletion) = input.deletion {
        sync.deletion = deletion.into();
    }
    if let Some(consent) = input.consent {
        sync.consent = consent.into();
    }
    if let Some(clearing) = input.clearing {
        sync.clearing = clearing;
    }
}
