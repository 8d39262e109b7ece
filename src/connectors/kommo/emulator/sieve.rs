//! Which contacts a list is asked for, and in which order.

use super::contact::Contact;
use super::query::{Query, Range};
use super::state::State;

pub(super) struct Sieve<'a> {
    filters: Option<Filters<'a>>,
    needle: Option<String>,
    only_deleted: bool,
}

struct Filters<'a> {
    ids: Option<Vec<u64>>,
    names: Option<Vec<&'a str>>,
    owners: Option<Vec<u64>>,
    creators: Option<Vec<u64>>,
    editors: Option<Vec<u64>>,
    created: Range,
    updated: Range,
}

impl<'a> Sieve<'a> {
    pub(super) fn read(query: &'a Query, are_filters_ignored: bool) -> Self {
        let filters = Filters {
            ids: query.numbers(&["filter", "id"]),
            names: query.many(&["filter", "name"]),
            owners: query.numbers(&["filter", "responsible_user_id"]),
            creators: query.numbers(&["filter", "created_by"]),
            editors: query.numbers(&["filter", "updated_by"]),
            created: query.range(&["filter", "created_at"]),
            updated: query.range(&["filter", "updated_at"]),
        };
        Self {
            filters: (!are_filters_ignored).then_some(filters),
            needle: query.one(&["query"]).map(str::to_lowercase),
            only_deleted: query.is_with("only_deleted"),
        }
    }

    pub(super) fn keeps(&self, contact: &Contact, state: &State) -> bool {
        contact.is_deleted == self.only_deleted
            && self.filters.as_ref().is_none_or(|filters| filters.keep(contact))
            && self
                .needle
                .as_ref()
                .is_none_or(|needle| contact.is_found(needle, state.time, state.options.search_lag))
    }
}

impl Filters<'_> {
    fn keep(&self, contact: &Contact) -> bool {
        is_among(self.ids.as_ref(), contact.id)
            && is_among(self.owners.as_ref(), contact.responsible_user_id)
            && is_among(self.creators.as_ref(), contact.created_by)
            && is_among(self.editors.as_ref(), contact.updated_by)
            && self.names.as_ref().is_none_or(|names| names.contains(&contact.name.as_str()))
            && self.created.holds(contact.created_at)
            && self.updated.holds(contact.updated_at)
    }
}

fn is_among(wanted: Option<&Vec<u64>>, id: u64) -> bool {
    wanted.is_none_or(|wanted| wanted.contains(&id))
}

/// Puts the contacts into the order asked for; by id without one.
pub(super) fn sort(contacts: &mut [&Contact], query: &Query) {
    let by = |name| query.one(&["order", name]).map(|direction| direction == "desc");
    let is_descending = if let Some(is_descending) = by("updated_at") {
        contacts.sort_by_key(|contact| (contact.updated_at, contact.id));
        is_descending
    } else if let Some(is_descending) = by("created_at") {
        contacts.sort_by_key(|contact| (contact.created_at, contact.id));
        is_descending
    } else {
        contacts.sort_by_key(|contact| contact.id);
        by("id").unwrap_or_default()
    };
    if is_descending {
        contacts.reverse();
    }
}
