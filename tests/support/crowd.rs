//! What people do in both apps while a server keeps them the same, and what befalls the apps meanwhile;
//! from a seed. For the suites that play it in virtual time and in real time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use concord::connectors::{kommo, zoho};
use concord::lab::people::{Kind, Moved, People};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value as Json, json};
use tokio::time::sleep;

/// The same numbers for the same seed.
pub struct Dice(Mutex<ChaCha12Rng>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha12Rng::seed_from_u64(seed)))
    }

    /// A number below this one.
    pub fn throw(&self, sides: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64() % sides
    }
}

/// Everybody who works with the two apps.
pub struct Crowd<'a> {
    pub kommo: &'a kommo::emulator::Emulator,
    pub zoho: &'a zoho::emulator::Emulator,
    pub people: &'a People,
    pub moved: &'a Moved,
    pub dice: Dice,
    /// The longest pause between two acts.
    pub pause_max: Duration,
    /// How often anybody did anything.
    pub acts: AtomicU64,
    /// How often keys were taken back before their time.
    pub taken: AtomicU64,
}

impl Crowd<'_> {
    /// People act for as long as it is waited for.
    pub async fn act(&self) {
        loop {
            sleep(self.pause_max * u32::try_from(self.dice.throw(100)).unwrap() / 100).await;
            let number = self.acts.fetch_add(1, Ordering::SeqCst);
            match self.dice.throw(10) {
                0 => self.arrive(number),
                1 => self.opt_out(),
                2..=5 => self.edit_left(number),
                _ => self.edit_right(number),
            }
        }
    }

    /// Something befalls an app: a key is taken back before its time, or it stops telling.
    pub fn befall(&self) {
        let what = self.dice.throw(4);
        self.taken.fetch_add(u64::from(what < 2), Ordering::SeqCst);
        match what {
            0 => self.kommo.expire_access_tokens(),
            1 => self.zoho.expire_access_tokens(),
            2 => self.kommo.disable_webhooks(),
            _ => self.zoho.close_channels(),
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
        self.anybody(self.kommo.contacts())?["id"].as_u64()
    }

    fn anybody_right(&self) -> Option<String> {
        self.anybody(self.zoho.contacts())?["id"].as_str().map(str::to_owned)
    }

    /// Any of these contacts, but for those who have to stay as they are, or the checker could not say
    /// what is wrong: of whom anything is special, and what was made from them.
    fn anybody(&self, mut contacts: Vec<Json>) -> Option<Json> {
        let special = self.people.people.iter().filter(|person| person.kind != Kind::Plain);
        let records = special.flat_map(|person| person.left.iter().chain(&person.right));
        let addresses: Vec<String> = records.filter_map(address).collect();
        contacts.retain(|contact| {
            address(contact).is_some_and(|address| !addresses.contains(&address))
        });
        let one = self.dice.throw(contacts.len().max(1) as u64) as usize;
        contacts.into_iter().nth(one)
    }
}

/// The address of a contact of either app, in small letters.
pub fn address(contact: &Json) -> Option<String> {
    let of_right = contact["Email"].as_str();
    let of_left = || {
        let fields = contact["custom_fields_values"].as_array()?;
        let field = fields.iter().find(|field| field["field_code"] == "EMAIL")?;
        field["values"][0]["value"].as_str()
    };
    of_right.or_else(of_left).map(str::to_lowercase)
}
