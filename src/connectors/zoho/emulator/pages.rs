//! Page tokens: each holds on to the records that its listing had when it began.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::answer::Refusal;
use super::call::Call;
use super::tokens::opaque;

/// A place in a listing.
#[derive(Clone)]
pub(super) struct Walk {
    /// All its records, in its order.
    pub(super) ids: Arc<Vec<String>>,
    /// How many of them came before.
    pub(super) offset: usize,
    /// The number of the page.
    pub(super) page: u64,
    /// The token of the page before.
    pub(super) previous: Option<String>,
    /// The parameters that it was asked with.
    binding: String,
    pub(super) expires_at: Timestamp,
}

impl Walk {
    /// A listing that begins.
    pub(super) fn new(ids: Vec<String>, page: u64, offset: usize, call: &Call) -> Self {
        let binding = binding(call);
        let expires_at = Timestamp::MAX;
        Self { ids: Arc::new(ids), offset, page, previous: None, binding, expires_at }
    }

    /// The place after so many more records, if any are left.
    pub(super) fn next(&self, size: usize, expires_at: Timestamp) -> Option<Self> {
        let offset = self.offset + size;
        let next = Self { offset, page: self.page + 1, expires_at, ..self.clone() };
        (offset < self.ids.len()).then_some(next)
    }
}

#[derive(Default)]
pub(super) struct Pages {
    walks: BTreeMap<String, Walk>,
    last: u64,
}

impl Pages {
    /// A token for a place.
    pub(super) fn keep(&mut self, walk: Walk, now: Timestamp) -> String {
        // Those long dead need no refusal of their own any more.
        self.walks.retain(|_, walk| walk.expires_at + Duration::from_secs(24 * 60 * 60) > now);
        self.last += 1;
        let token = opaque(self.last);
        self.walks.insert(token.clone(), walk);
        token
    }

    /// The place that a token stands for, in a listing that can be walked through so far.
    pub(super) fn find(
        &self,
        token: &str,
        call: &Call,
        now: Timestamp,
        records_max: usize,
    ) -> Result<Walk, Refusal> {
        let details = json!({"param_name": "page_token"});
        let Some(walk) = self.walks.get(token) else {
            return Err(Refusal::bad_param("page_token"));
        };
        if walk.expires_at <= now {
            let message = "the page token has expired";
            return Err(Refusal::new(400, "EXPIRED_VALUE", message, details));
        }
        if walk.binding != binding(call) {
            let message = "the parameters are not those that the page token was given for";
            return Err(Refusal::new(400, "TOKEN_BOUND_DATA_MISMATCH", message, details));
        }
        if walk.offset >= records_max {
            let (code, limit) = ("PAGINATION_LIMIT_EXCEEDED", json!({"limit": records_max}));
            return Err(Refusal::new(400, code, "the limit of the pagination is reached", limit));
        }
        Ok(walk.clone())
    }
}

/// What must not change from page to page.
fn binding(call: &Call) -> String {
    let is_bound = |(name, value): &&(String, String)| {
        name != "page" && name != "page_token" && !value.is_empty()
    };
    let mut bound: Vec<&(String, String)> = call.params().iter().filter(is_bound).collect();
    bound.sort();
    format!("{} {bound:?}", call.path)
}
