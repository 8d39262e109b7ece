//! How the tables of Concord came to be, step by step. A step that was released is never changed.

mod m20261121_000001_create_accounts;
mod m20261121_000002_create_feeds;
mod m20261121_000003_create_connections;
mod m20261121_000004_create_links;
mod m20261121_000005_create_runs;
mod m20261121_000006_create_journal;
mod m20261122_000007_extend_accounts;
mod m20261122_000008_create_history;
mod m20261122_000009_create_webhooks;
mod m20261122_000010_count_ops;
mod m20261122_000011_create_idempotency;
mod m20261122_000012_ask_for_previews;
mod m20261122_000013_create_authorization_requests;
mod m20261123_000014_follow_records;
mod m20261123_000015_count_usage;
mod m20261123_000016_date_credits;
mod m20261123_000017_count_cut_offs;
mod table;

use async_trait::async_trait;
use sea_orm_migration::MigrationTrait;
pub use sea_orm_migration::MigratorTrait;

/// All steps, in order.
pub struct Migrator;

#[async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_create_accounts::Migration),
            Box::new(m20261121_000002_create_feeds::Migration),
            Box::new(m20261121_000003_create_connections::Migration),
            Box::new(m20261121_000004_create_links::Migration),
            Box::new(m20261121_000005_create_runs::Migration),
            Box::new(m20261121_000006_create_journal::Migration),
            Box::new(m20261122_000007_extend_accounts::Migration),
            Box::new(m20261122_000008_create_history::Migration),
            Box::new(m20261122_000009_create_webhooks::Migration),
            Box::new(m20261122_000010_count_ops::Migration),
            Box::new(m20261122_000011_create_idempotency::Migration),
            Box::new(m20261122_000012_ask_for_previews::Migration),
            Box::new(m20261122_000013_create_authorization_requests::Migration),
            Box::new(m20261123_000014_follow_records::Migration),
            Box::new(m20261123_000015_count_usage::Migration),
            Box::new(m20261123_000016_date_credits::Migration),
            Box::new(m20261123_000017_count_cut_offs::Migration),
        ]
    }
}
