//! Who is registered for notifications of this app. Nothing is posted: there is no wire.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::connectors::{Address, Error, ErrorKind, Result, Subscription};
use crate::record::ObjectName;

/// The registrations, by URL.
pub(super) struct Subscriptions {
    object: ObjectName,
    there: Mutex<BTreeMap<String, Subscription>>,
}

impl Subscriptions {
    /// None, to an app with this object.
    pub(super) fn to(object: ObjectName) -> Self {
        Self { object, there: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Subscription>> {
        // A panic elsewhere leaves whole registrations.
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, address: &Address) -> Result<Subscription> {
        if address.objects.iter().ne([&self.object]) {
            return Err(Error::new(ErrorKind::Unsupported, "subscribe", "no_such_object"));
        }
        let remote_id = address.channel.clone();
        let subscription = Subscription { remote_id, expires_at: None, is_disabled: false };
        self.lock().insert(address.url.clone(), subscription.clone());
        Ok(subscription)
    }

    pub(super) fn of(&self, address: &Address) -> Option<Subscription> {
        self.lock().get(&address.url).cloned()
    }

    pub(super) fn remove(&self, address: &Address) {
        self.lock().remove(&address.url);
    }
}
