//! The organisation and its users.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, PAGE_MAX, count, cut};
use super::state::State;

/// The user of the tokens, who is also the one who works at the app's own screen.
pub(super) const ME: &str = "5725767000000411001";

const ZGID: &str = "20081234567";

pub(super) struct User {
    pub(super) id: String,
    first_name: String,
    last_name: String,
    email: String,
    added_at: Timestamp,
}

impl User {
    pub(super) fn me(now: Timestamp) -> Self {
        Self::named(ME.to_owned(), "Eva Marin", "eva@example.com", now)
    }

    pub(super) fn named(id: String, name: &str, email: &str, now: Timestamp) -> Self {
        let (first, last) = name.trim().rsplit_once(' ').unwrap_or(("", name.trim()));
        Self {
            id,
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: email.to_owned(),
            added_at: now,
        }
    }

    fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

impl State {
    pub(super) fn is_user(&self, id: &str) -> bool {
        self.users.iter().any(|user| user.id == id)
    }

    /// A user in the answer to a write.
    pub(super) fn short_user(&self, id: &str) -> Value {
        match self.users.iter().find(|user| user.id == id) {
            Some(user) => json!({"name": user.full_name(), "id": user.id}),
            None => Value::Null,
        }
    }

    /// A user in a record.
    pub(super) fn user(&self, id: &str) -> Value {
        match self.users.iter().find(|user| user.id == id) {
            Some(user) => json!({"name": user.full_name(), "id": user.id, "email": user.email}),
            None => Value::Null,
        }
    }

    fn describe_user(&self, user: &User) -> Value {
        json!({
            "id": user.id,
            "full_name": user.full_name(),
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "status": "active",
            "confirm": true,
            "zuid": user.id.trim_start_matches("5725767"),
            "role": {"name": "CEO", "id": "5725767000000026005"},
            "profile": {"name": "Administrator", "id": "5725767000000026011"},
            "time_zone": self.time_zone(),
            "created_time": self.time(user.added_at),
            "Modified_Time": self.time(user.added_at),
        })
    }

    /// The name of a zone that is always so far from UTC. Its sign is turned round by convention.
    fn time_zone(&self) -> String {
        match self.options.utc_offset_hours {
            0 => "Etc/UTC".to_owned(),
            hours => format!("Etc/GMT{:+}", -i32::from(hours)),
        }
    }
}

/// `GET /users`, which cannot be asked for an e-mail.
pub(super) fn list(state: &State, call: &Call) -> Outcome {
    let page = call.number("page", 1)?;
    let per_page = call.per_page()?;
    let ids = call.ids(100)?;
    let since = call.time("if-modified-since")?;
    let kind = call.param("type").unwrap_or("AllUsers");
    let is_of_kind = |user: &User| match kind {
        "CurrentUser" => Some(user.id == ME),
        "AllUsers" | "ActiveUsers" | "ConfirmedUsers" | "ActiveConfirmedUsers" => Some(true),
        "AdminUsers" | "ActiveConfirmedAdmins" => Some(true),
        "DeactiveUsers" | "NotConfirmedUsers" | "DeletedUsers" => Some(false),
        _ => None,
    };
    let mut users = Vec::new();
    for user in &state.users {
        let is_asked = is_of_kind(user).ok_or_else(|| Refusal::bad_param("type"))?;
        if is_asked && (ids.is_empty() || ids.contains(&user.id)) {
            users.push(user);
        }
    }
    if let Some(since) = since {
        users.retain(|user| user.added_at > since);
        if users.is_empty() {
            return Ok(Answer::empty(304));
        }
    }
    let (users, is_more) = cut(users, page, per_page);
    if users.is_empty() {
        return Ok(Answer::empty(204));
    }
    let info = json!({
        "per_page": per_page,
        "count": count(&users),
        "page": page,
        "more_records": is_more,
    });
    let users: Vec<Value> = users.into_iter().map(|user| state.describe_user(user)).collect();
    Ok(Answer::json(200, json!({"users": users, "info": info})))
}

/// `GET /users/{id}`.
pub(super) fn get(state: &State, id: &str) -> Outcome {
    match state.users.iter().find(|user| user.id == id) {
        Some(user) => Ok(Answer::json(200, json!({"users": [state.describe_user(user)]}))),
        None => Ok(Answer::empty(204)),
    }
}

/// `GET /org`.
pub(super) fn organisation(state: &State) -> Outcome {
    let org = json!({
        "id": "5725767000000000001",
        "zgid": ZGID,
        "company_name": "Example",
        "domain_name": format!("org{ZGID}"),
        "primary_email": "eva@example.com",
        "time_zone": state.time_zone(),
        "currency": "EUR",
        "currency_symbol": "€",
        "iso_code": "EUR",
        "country_code": "ES",
        "max_per_page": PAGE_MAX,
        "license_details": {
            "paid": true,
            "paid_type": "standard",
            "paid_expiry": null,
            "trial_type": null,
            "trial_expiry": null,
            "users_license_purchased": count(&state.users),
        },
    });
    Ok(Answer::json(200, json!({"org": [org]})))
}
