//! What people do in both apps in the course of a day, and what befalls the apps meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use concord::connectors::{kommo, zoho};
use concord::lab::people::{Kind, Moved, People};
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use super::wire::Dice;

/// Everybody who works with the two apps.
pub struct Crowd<'a> {
    pub kommo: &'a kommo::emulator::Emulator,
    pub zoho: &'a zoho::emulator::Emulator,
    pub people: &'a People,
    pub moved: &'a Moved,
    pub dice: Dice,
    /// How often anybody did anything.
    pub acts: AtomicU64,
    /// How often keys were taken back before their time.
    pub taken: AtomicU64,
}

/// The longest pause between two acts, in seconds.
const PAUSE_MAX: u64 = 240;

impl Crowd<'_> {
    /// People act until the day is over.
    pub async fn act(&self) {
        loop {
            sleep(Duration::from_secs(1 + self.dice.throw(PAUSE_MAX))).await;
            let number = self.acts.fetch_add(1, Ordering::SeqCst);
            match self.dice.throw(10) {
                0 => self.arrive(number),
                1 => self.opt_out(),
                2..=5 => self.edit_left(number),
                _ => self.edit_right(number),
            }
        }
    }

    /// What befalls the apps: keys that are taken back before their time, and notifications that end.
    pub async fn befall(&self) {
        loop {
            sleep(Duration::from_secs(60 * (30 + self.dice.throw(120)))).await;
            let what = self.dice.throw(4);
            self.taken.fetch_add(u64::from(what < 2), Ordering::SeqCst);
            match what {
                0 => self.kommo.expire_access_tokens(),
                1 => self.zoho.expire_access_tokens(),
                2 => self.kommo.disable_webhooks(),
                _ => self.zoho.close_channels(),
            }
        }
    }

    /// Somebody new comes: to one app, or to both before either was told of it.
    fn arrive(&self, number: u64) {
        let email = format!("newcomer{number}@example.com");
        let where_to = self.dice.throw(3);
        let (left_owner, right_owner) = self.anyone_of_the_team();
        if where_to != 1 {
            let id = self.kommo.person_adds(json!({
                "first_name": "New", "last_name": format!("Comer {number}"),
                "responsible_user_id": left_owner,
                "custom_fields_values": [
                    { "field_code": "EMAIL", "values": [{ "value": email, "enum_code": "WORK" }] },
                ],
            }));
            assert_ne!(id, 0);
        }
        if where_to != 0 {
            let last = format!("Comer {number}");
            self.zoho.person_adds(json!({
                "First_Name": "New", "Last_Name": last, "Email": email,
                "Owner": { "id": right_owner },
            }));
        }
    }

    /// Somebody of those who work in both apps: their ids.
    fn anyone_of_the_team(&self) -> (u64, &str) {
        let Moved { left_users, right_users, .. } = self.moved;
        let one = self.dice.throw(left_users.len() as u64) as usize;
        let (left, email) = left_users.iter().nth(one).unwrap();
        let (right, _) = right_users.iter().find(|(_, known)| *known == email).unwrap();
        (*left, right)
    }

    fn opt_out(&self) {
        if self.dice.throw(2) == 0 {
            let Some(id) = self.anybody_left() else { return };
            let field = self.moved.opt_out_field;
            let values = json!([{ "field_id": field, "values": [{ "value": true }] }]);
            self.kommo.person_edits(id, json!({ "custom_fields_values": values }));
        } else if let Some(id) = self.anybody_right() {
            self.zoho.person_edits(&id, json!({ "Email_Opt_Out": true }));
        }
    }

    fn edit_left(&self, number: u64) {
        let Some(id) = self.anybody_left() else { return };
        let words = format!("Words of the left {number}");
        let patch = match self.dice.throw(3) {
            0 => json!({ "field_code": "POSITION", "values": [{ "value": words }] }),
            1 => {
                json!({ "field_id": self.moved.city_field, "values": [{ "value": words }] })
            }
            _ => {
                self.kommo.person_edits(id, json!({ "last_name": words }));
                return;
            }
        };
        self.kommo.person_edits(id, json!({ "custom_fields_values": [patch] }));
    }

    fn edit_right(&self, number: u64) {
        let Some(id) = self.anybody_right() else { return };
        let words = format!("Words of the right {number}");
        let fields = ["Title", "Mailing_City", "Last_Name"];
        let field = fields[self.dice.throw(3) as usize];
        self.zoho.person_edits(&id, json!({ field: words }));
    }

    fn anybody_left(&self) -> Option<u64> {
        let addresses = self.left_outs();
        let contacts = self.kommo.contacts();
        let mut some = contacts.iter().filter(|contact| !is_any_of(contact, &addresses));
        let count = some.clone().count() as u64;
        some.nth(self.dice.throw(count.max(1)) as usize)?["id"].as_u64()
    }

    fn anybody_right(&self) -> Option<String> {
        let addresses = self.left_outs();
        let contacts = self.zoho.contacts();
        let mut some = contacts.iter().filter(|contact| !is_any_of(contact, &addresses));
        let count = some.clone().count() as u64;
        some.nth(self.dice.throw(count.max(1)) as usize)?["id"].as_str().map(str::to_owned)
    }

    /// Ids of those who have to stay as they are, or the checker could not say what is wrong.
    fn left_outs(&self) -> Vec<String> {
        let those = self.people.people.iter().filter(|person| person.kind != Kind::Plain);
        let ids = those.flat_map(|person| {
            let left = self.moved.left_ids[&person.number].iter().map(ToString::to_string);
            left.chain(self.moved.right_ids[&person.number].iter().cloned())
        });
        ids.collect()
    }
}

fn is_any_of(contact: &Json, ids: &[String]) -> bool {
    let id = contact["id"].to_string();
    ids.iter().any(|known| id.trim_matches('"') == known)
}
