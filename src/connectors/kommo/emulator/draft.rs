//! What an item wants of a contact: read and checked as a whole before anything is done.

use serde_json::{Map, Value};

use super::contact::Contact;
use super::flaws::Flaw;
use super::state::State;
use super::tags::{self, Tag};
use super::values;

const NAME_MAX: usize = 255;

pub(super) struct Draft {
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    responsible_user_id: Option<u64>,
    created_by: Option<u64>,
    updated_by: Option<u64>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    values: Vec<(u64, Vec<Value>)>,
    tags: Option<Vec<Tag>>,
    tags_to_add: Vec<Tag>,
    tags_to_delete: Vec<Tag>,
}

impl Draft {
    /// Reads an item. With any flaw the draft is not to be used.
    pub(super) fn read(item: &Map<String, Value>, state: &State) -> (Self, Vec<Flaw>) {
        let mut flaws = Vec::new();
        let mut reader = Reader { item, state, flaws: &mut flaws };
        let draft = Self {
            name: reader.name("name"),
            first_name: reader.name("first_name"),
            last_name: reader.name("last_name"),
            responsible_user_id: reader.user("responsible_user_id"),
            created_by: reader.user("created_by"),
            updated_by: reader.user("updated_by"),
            created_at: reader.time("created_at"),
            updated_at: reader.time("updated_at"),
            values: reader.values(),
            tags: reader.tags(),
            tags_to_add: reader.tag_changes("tags_to_add"),
            tags_to_delete: reader.tag_changes("tags_to_delete"),
        };
        (draft, flaws)
    }

    pub(super) fn apply(self, state: &mut State, contact: &mut Contact, actor: u64) {
        let now = state.now();
        let names = [
            (self.name, &mut contact.name),
            (self.first_name, &mut contact.first_name),
            (self.last_name, &mut contact.last_name),
        ];
        for (given, name) in names {
            if let Some(given) = given {
                *name = given;
            }
        }
        contact.responsible_user_id =
            self.responsible_user_id.unwrap_or(contact.responsible_user_id);
        contact.created_by = self.created_by.unwrap_or(contact.created_by);
        contact.updated_by = self.updated_by.unwrap_or(actor);
        contact.created_at = self.created_at.unwrap_or(contact.created_at);
        contact.updated_at = self.updated_at.unwrap_or(now).max(contact.updated_at);
        for (field, values) in self.values {
            if values.is_empty() {
                contact.values.remove(&field);
            } else {
                contact.values.insert(field, values);
            }
        }
        if let Some(tags) = self.tags {
            contact.tags.clear();
            add_tags(state, contact, tags);
        }
        add_tags(state, contact, self.tags_to_add);
        for tag in &self.tags_to_delete {
            let id = tags::find(state, tag);
            contact.tags.retain(|tag| Some(*tag) != id);
        }
    }

    /// Whether it says what the contact's full name is to be.
    pub(super) fn is_named(&self) -> bool {
        self.name.is_some()
    }
}

fn add_tags(state: &mut State, contact: &mut Contact, tags: Vec<Tag>) {
    for tag in tags {
        let id = tags::ensure(state, tag);
        if !contact.tags.contains(&id) {
            contact.tags.push(id);
        }
    }
}

struct Reader<'a> {
    item: &'a Map<String, Value>,
    state: &'a State,
    flaws: &'a mut Vec<Flaw>,
}

impl Reader<'_> {
    fn name(&mut self, key: &str) -> Option<String> {
        let Some(name) = self.item.get(key)?.as_str() else {
            self.flaws.push(Flaw::wrong_type(key, "string"));
            return None;
        };
        if name.chars().count() > NAME_MAX {
            self.flaws.push(Flaw::too_long(key, NAME_MAX));
        }
        Some(name.to_owned())
    }

    /// A user of the account, or 0 for a robot.
    fn user(&mut self, key: &str) -> Option<u64> {
        let Some(id) = self.item.get(key)?.as_u64() else {
            self.flaws.push(Flaw::wrong_type(key, "int"));
            return None;
        };
        if id != 0 && !self.state.users.iter().any(|user| user.id == id) {
            self.flaws.push(Flaw::not_a_choice(key));
        }
        Some(id)
    }

    fn time(&mut self, key: &str) -> Option<i64> {
        let time = self.item.get(key)?.as_i64();
        if time.is_none() {
            self.flaws.push(Flaw::wrong_type(key, "int"));
        }
        time
    }

    fn values(&mut self) -> Vec<(u64, Vec<Value>)> {
        let values = self.item.get("custom_fields_values");
        values.map(|list| values::read(list, &self.state.fields, self.flaws)).unwrap_or_default()
    }

    fn tags(&mut self) -> Option<Vec<Tag>> {
        let list = self.item.get("_embedded")?.get("tags")?;
        Some(tags::read(list, "_embedded.tags", &self.state.tags, self.flaws))
    }

    fn tag_changes(&mut self, key: &str) -> Vec<Tag> {
        let list = self.item.get(key);
        list.map(|list| tags::read(list, key, &self.state.tags, self.flaws)).unwrap_or_default()
    }
}
