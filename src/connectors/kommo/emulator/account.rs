//! The account itself and its users.

use serde_json::{Value, json};

use super::answer::Answer;
use super::page::{Frame, Page};
use super::query::Query;
use super::state::State;

pub(super) struct User {
    pub(super) id: u64,
    name: String,
    email: String,
}

const LIMIT_MAX: usize = 250;

pub(super) fn add_user(state: &mut State, name: &str, email: &str) -> u64 {
    let id = state.next_id();
    state.users.push(User { id, name: name.to_owned(), email: email.to_owned() });
    id
}

pub(super) fn show(state: &State, query: &Query) -> Answer {
    let mut account = json!({
        "id": state.options.account_id,
        "name": "Demo",
        "subdomain": state.options.subdomain,
        "current_user_id": state.integration,
        "country": "ES",
        "currency": "EUR",
        "currency_symbol": "€",
        "language": "es",
        "_links": state.links("account"),
    });
    if query.is_with("is_api_filter_enabled")
        && let Some(account) = account.as_object_mut()
    {
        let is_enabled = json!(!state.options.filters_ignored);
        account.insert("is_api_filter_enabled".to_owned(), is_enabled);
    }
    if query.is_with("datetime_settings")
        && let Some(time_zone) = &state.options.time_zone
        && let Some(account) = account.as_object_mut()
    {
        let settings = json!({ "datetime_settings": { "timezone": time_zone } });
        account.insert("_embedded".to_owned(), settings);
    }
    Answer::hal(200, &account)
}

pub(super) fn users(state: &State, query: &Query) -> Answer {
    let users: Vec<&User> = state.users.iter().collect();
    let frame =
        Frame { base_url: &state.options.base_url, path: "users", name: "users", is_counted: true };
    Page::cut(users, query, LIMIT_MAX).answer(&frame, query, |user| user.show(state))
}

pub(super) fn user(state: &State, id: u64) -> Answer {
    match state.users.iter().find(|user| user.id == id) {
        Some(user) => Answer::hal(200, &user.show(state)),
        None => Answer::no_content(),
    }
}

impl User {
    fn show(&self, state: &State) -> Value {
        let all = json!({ "view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A" });
        // This account has contacts only.
        let look = json!({ "view": "A", "edit": "D", "add": "D", "delete": "D", "export": "A" });
        json!({
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "lang": "es",
            "rights": {
                "leads": look,
                "contacts": all,
                "companies": look,
                "tasks": { "edit": "A", "delete": "A" },
                "mail_access": true,
                "catalog_access": true,
                "is_admin": true,
                "is_free": false,
                "is_active": true,
                "group_id": null,
                "role_id": null,
                "status_rights": [],
            },
            "_links": state.links(&format!("users/{}", self.id)),
        })
    }
}
