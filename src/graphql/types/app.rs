//! The catalogue: the apps that can be connected.

use async_graphql::{Context, Object, SimpleObject};

use super::AppRegistration;
use crate::connectors;
use crate::graphql::error::internal;
use crate::graphql::{principal, services};

/// An app that can be connected.
pub struct App(pub(in crate::graphql) &'static dyn connectors::App);

/// Something that a person types in to connect an account.
#[derive(SimpleObject)]
pub struct AppCredential {
    /// Its name in `accountConnect`.
    name: &'static str,
    /// Its name for people, with where to find it.
    label: &'static str,
    /// Whether it is secret: it can be written and never read.
    is_secret: bool,
    /// Whether an account can't be connected without it.
    is_required: bool,
}

/// A kind of record that can be kept the same.
#[derive(SimpleObject)]
pub struct AppObject {
    /// Its name in settings.
    name: &'static str,
    /// Its name for people.
    label: &'static str,
    /// The object that its records can be made into, by the app's own way.
    converts_to: Option<&'static str>,
}

/// What an app can do.
#[derive(SimpleObject)]
pub struct AppCapability {
    /// Whether changes since a point in time can be asked for.
    list_incremental: bool,
    /// Whether removed records are reported.
    list_reports_removed: bool,
    /// Whether records can be removed.
    delete: bool,
    /// Whether records have tags.
    tags: bool,
    /// Whether every account has a field for permission to send e-mail.
    consent: bool,
    /// Records per page of a listing.
    page_max: u64,
    /// Records per write.
    write_many_max: u64,
}

#[Object]
impl App {
    /// Its name in settings.
    async fn slug(&self) -> &str {
        self.0.about().slug
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        self.0.about().name
    }

    /// The vendor's documentation of what is used.
    async fn docs(&self) -> &str {
        self.0.about().docs
    }

    /// What a person types in to connect an account.
    async fn credentials(&self) -> Vec<AppCredential> {
        let about = self.0.about().credentials.iter();
        about
            .map(|credential| AppCredential {
                name: credential.name,
                label: credential.label,
                is_secret: credential.is_secret,
                is_required: credential.is_required,
            })
            .collect()
    }

    /// The OAuth clients with which accounts are authorized, in the order in which they are tried.
    async fn registrations(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<AppRegistration>> {
        let (slug, services) = (self.0.about().slug, services(ctx)?);
        let workspace = principal(ctx)?.workspace;
        let known = services.accounts.registrations(workspace, slug).await;
        let known = known.map_err(|error| internal(&error))?;
        Ok(known.into_iter().map(|one| AppRegistration { app: self.0, known: one }).collect())
    }

    /// What can be kept the same.
    async fn objects(&self) -> Vec<AppObject> {
        let ways = self.0.capability().converts;
        let about = self.0.about().objects.iter();
        about
            .map(|object| AppObject {
                name: object.name,
                label: object.label,
                converts_to: ways.iter().find(|(from, _)| *from == object.name).map(|(_, to)| *to),
            })
            .collect()
    }

    /// What it can do.
    async fn capability(&self) -> AppCapability {
        let can = self.0.capability();
        AppCapability {
            list_incremental: can.list_incremental,
            list_reports_removed: can.list_reports_removed,
            delete: can.delete,
            tags: can.tags,
            consent: can.consent,
            page_max: can.page_max as u64,
            write_many_max: can.write_many_max as u64,
        }
    }
}
