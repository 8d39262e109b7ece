//! Looks into what the apps posted, after their registrations, and forgets what is old.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Jobs;
use super::faults::Faults;
use crate::store::Trigger;
use crate::webhooks::{DEBOUNCE, Expansion, Webhooks};

/// How often it is looked, if nothing arrives: another process may have taken something in.
const EVERY: Duration = Duration::from_secs(1);
/// How often registrations are looked after.
const TEND_EVERY: Duration = Duration::from_secs(60);

/// Looks for as long as the process lives.
pub(super) async fn run(webhooks: Arc<Webhooks>, jobs: Jobs) {
    tokio::join!(expand(&webhooks, &jobs), tend(&webhooks));
}

async fn expand(webhooks: &Webhooks, jobs: &Jobs) {
    let mut faults = Faults::default();
    loop {
        // Whether something arrived or not: it is looked.
        let _ = timeout(EVERY, webhooks.arrived()).await;
        let wrong = match webhooks.expand_due().await {
            Ok(Expansion { woken, failed }) => {
                for (workspace, connection) in woken {
                    jobs.nudge_after(workspace, connection, Trigger::Webhook, DEBOUNCE);
                }
                let failed = failed.into_iter();
                let told = failed.map(|(endpoint, error)| {
                    format!("notifications to {endpoint} are looked into later: {error}")
                });
                told.collect()
            }
            Err(error) => [format!("notifications are looked into later: {error}")].into(),
        };
        faults.tell(wrong);
    }
}

async fn tend(webhooks: &Webhooks) {
    let mut faults = Faults::default();
    let mut next = Instant::now();
    loop {
        tokio::time::sleep_until(next).await;
        next = Instant::now() + TEND_EVERY;
        let mut wrong = BTreeSet::new();
        if let Err(error) = webhooks.tend().await {
            wrong.insert(format!("webhooks are looked after later: {error}"));
        }
        if let Err(error) = webhooks.forget_old().await {
            wrong.insert(format!("old notifications are forgotten later: {error}"));
        }
        faults.tell(wrong);
    }
}
