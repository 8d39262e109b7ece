//! What a connection knows of its two accounts.

use std::collections::{BTreeMap, BTreeSet};

use crate::connectors;
use crate::planner::{At, SideSettings, Warning, WarningCode};
use crate::record::{FieldType, ObjectName, PerSide, Region, Schema};
use crate::store::{Account, AccountStatus, ConnectionId, Description, WorkspaceId};

use super::{Connections, Error, Result};

impl Connections {
    /// An account as one side: its objects in order of preference, with what it says of itself.
    pub(super) async fn side(
        &self,
        account: &Account,
        objects: &[ObjectName],
    ) -> Result<SideSettings> {
        if account.status != AccountStatus::Connected {
            return Err(Error::NotConnected);
        }
        let known = self.store.description(account.workspace, account.id).await?;
        let known = known.ok_or(Error::NotDescribed)?;
        let objects = chosen(account, objects, &known)?;
        let tags = objects.first().and_then(|object| known.schemas.get(object)).and_then(tags);
        let schemas = known.schemas.into_iter().filter(|(name, _)| objects.contains(name));
        Ok(SideSettings {
            app: app_name(account),
            schemas: schemas.collect(),
            objects,
            region: account.region.as_deref().and_then(|region| region.parse::<Region>().ok()),
            users: known.users,
            converts: converts(account),
            tags,
        })
    }

    /// Has the sides of a connection know what was read last of their accounts: the fields of their objects,
    /// with the options, and who the users are. An object that can't be read any more stays as it was known.
    pub(super) async fn learn(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
        sides: &mut PerSide<SideSettings>,
    ) -> Result<()> {
        for connected in self.store.connection(workspace, id).await?.feeds {
            let feed = self.store.feed(workspace, connected.feed).await?;
            let Some(known) = self.store.description(workspace, feed.account).await? else {
                continue;
            };
            let side = sides.of_mut(connected.side);
            for (object, schema) in known.schemas {
                side.schemas.entry(object).and_modify(|stored| *stored = schema);
            }
            // Whoever lost the right to read them loses nobody who was known.
            if !known.users.is_empty() {
                side.users = known.users;
            }
        }
        Ok(())
    }

    /// The accounts of a connection that can't be spoken with: nothing runs before they can.
    pub(super) async fn unconnected(
        &self,
        workspace: WorkspaceId,
        id: ConnectionId,
    ) -> Result<Vec<Warning>> {
        let mut accounts = BTreeSet::new();
        for connected in self.store.connection(workspace, id).await?.feeds {
            accounts.insert(self.store.feed(workspace, connected.feed).await?.account);
        }
        let mut warnings = Vec::new();
        for id in accounts {
            let account = self.store.account(workspace, id).await?;
            if account.status != AccountStatus::Connected {
                let message = format!(
                    "{} does not let us in as {}: nothing runs before somebody reconnects the account {id}, \
                     by accountReconnect or accountAuthorizeStart.",
                    app_name(&account),
                    account.label,
                );
                let (code, at) = (WarningCode::AccountNotConnected, At::default());
                warnings.push(Warning { code, at, message });
            }
        }
        Ok(warnings)
    }
}

fn app_name(account: &Account) -> String {
    connectors::app(&account.app)
        .map_or_else(|| account.app.clone(), |app| app.about().name.to_owned())
}

/// What the app can make of which objects.
fn converts(account: &Account) -> BTreeMap<ObjectName, ObjectName> {
    let ways = connectors::app(&account.app).map_or(&[][..], |app| app.capability().converts);
    ways.iter().map(|(from, to)| (ObjectName::new(*from), ObjectName::new(*to))).collect()
}

fn tags(schema: &Schema) -> Option<crate::record::FieldId> {
    schema.iter().find(|field| field.kind == FieldType::Tag).map(|field| field.id.clone())
}

/// The objects that were asked for; the app's first, if none was.
fn chosen(account: &Account, asked: &[ObjectName], known: &Description) -> Result<Vec<ObjectName>> {
    let names = || {
        let names: Vec<&str> = known.schemas.keys().map(ObjectName::as_str).collect();
        names.join(", ")
    };
    let mut chosen: Vec<ObjectName> = Vec::new();
    for object in asked {
        if !known.schemas.contains_key(object) {
            return Err(Error::UnknownObject {
                app: app_name(account),
                object: object.to_string(),
                known: names(),
            });
        }
        if !chosen.contains(object) {
            chosen.push(object.clone());
        }
    }
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let first = connectors::app(&account.app)
        .and_then(|app| app.about().objects.first())
        .map(|object| ObjectName::new(object.name))
        .filter(|object| known.schemas.contains_key(object))
        .or_else(|| known.schemas.keys().next().cloned());
    Ok(vec![first.ok_or(Error::NotDescribed)?])
}
