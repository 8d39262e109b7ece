//! What people do: before the first run, so that there is something of every kind to be written, and
//! after the crash.

use concord::lab::demo::Town;
use concord::lab::people::{Kind, Person};
use serde_json::{Value as Json, json};

use crate::crowd;
use crate::door::Doors;
use crate::points::App;

/// How many are edited of those who began on the left, on the right, and on both sides.
const EDITED: usize = 2;

/// Somebody who is on both sides opts out on the right, and gets a tag on the left: so the left is to be
/// told of the permission, and the right of the tag.
pub fn stir(town: &Town) {
    let both = |person: &&Person| beginning(person) == Some((1, 1));
    let person = town.people.people.iter().find(both).expect("somebody plain is on both sides");
    let left = town.moved.left_ids[&person.number][0];
    let right = &town.moved.right_ids[&person.number][0];
    assert!(town.kommo.person_edits(left, json!({ "tags_to_add": [{ "name": "Stirred" }] })));
    assert!(town.zoho.person_edits(right, json!({ "Email_Opt_Out": true })));
}

/// How many records somebody began with on each side; none for those of whom something is special.
fn beginning(person: &Person) -> Option<(usize, usize)> {
    (person.kind == Kind::Plain).then_some((person.left.len(), person.right.len()))
}

/// What a person did, known by words that nobody else has written.
pub struct Edit {
    words: String,
    on: App,
}

impl Edit {
    pub fn has_arrived(&self, town: &Town) -> bool {
        let there = match self.on {
            App::Kommo => town.zoho.contacts(),
            App::Zoho => town.kommo.contacts(),
        };
        there.iter().any(|contact| contact.to_string().contains(&self.words))
    }

    /// It was written once on the other side, and never on the one where it was made.
    pub fn judge(&self, doors: &Doors) {
        let writes = |app: App| doors.of(app).writes_of(&self.words);
        let written = (writes(self.on.other()), writes(self.on));
        assert_eq!(written, (1, 0), "writes there and back of: {}", self.words);
    }
}

/// Edits people on both sides at once, a title on the left and a city on the right: some who were on
/// both sides, and some of each side who were made on the other.
pub fn edit(town: &Town) -> Vec<Edit> {
    let mut edits = Vec::new();
    for wanted in [(1, 0), (0, 1), (1, 1)] {
        let those = town.people.people.iter().filter(|person| beginning(person) == Some(wanted));
        let before = edits.len();
        for person in those.take(EDITED) {
            let address = address(person);
            let left = id_of(&town.kommo.contacts(), &address).as_u64().unwrap();
            let title = format!("Edited on the left, no. {}.", person.number);
            let values = json!([{ "field_code": "POSITION", "values": [{ "value": title }] }]);
            assert!(town.kommo.person_edits(left, json!({ "custom_fields_values": values })));
            edits.push(Edit { words: title, on: App::Kommo });
            let right = id_of(&town.zoho.contacts(), &address);
            let city = format!("Edited on the right, no. {}.", person.number);
            let patch = json!({ "Mailing_City": city });
            assert!(town.zoho.person_edits(right.as_str().unwrap(), patch));
            edits.push(Edit { words: city, on: App::Zoho });
        }
        assert_eq!(edits.len() - before, 2 * EDITED, "too few plain people began as {wanted:?}");
    }
    edits
}

/// The address by which somebody is known.
fn address(person: &Person) -> String {
    let records = person.right.iter().chain(&person.left);
    let mut addresses = records.filter_map(crowd::address);
    addresses.next().expect("somebody plain has an address")
}

/// The id of the one contact with this address.
fn id_of(contacts: &[Json], address: &str) -> Json {
    let quoted = format!("\"{address}\"");
    let is_it = |contact: &&Json| contact.to_string().to_lowercase().contains(&quoted);
    let found: Vec<&Json> = contacts.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{address}");
    found[0]["id"].clone()
}
