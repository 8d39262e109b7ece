//! What people do in the two apps once they are the same: each edits other fields of the same persons.

use serde_json::{Value as Json, json};

use super::Town;
use crate::lab::people::Kind;

/// How many people are edited on each side.
const EDITED: usize = 5;

/// Edits people on both sides at once: a title on the left, a city on the right; and somebody new.
/// Gives how many edits were made.
pub(super) fn edit(town: &Town) -> usize {
    let linked = town.people.people.iter().filter(|person| {
        person.kind == Kind::Plain && person.left.len() == 1 && person.right.len() == 1
    });
    let mut edits = 0;
    for person in linked.take(EDITED) {
        let left = town.moved.left_ids.get(&person.number).and_then(|ids| ids.first());
        let right = town.moved.right_ids.get(&person.number).and_then(|ids| ids.first());
        if let (Some(left), Some(right)) = (left, right) {
            let title = format!("Edited on the left {}", person.number);
            let values = json!([{ "field_code": "POSITION", "values": [{ "value": title }] }]);
            edits += usize::from(
                town.kommo.person_edits(*left, json!({ "custom_fields_values": values })),
            );
            let city = format!("Edited on the right {}", person.number);
            edits += usize::from(town.zoho.person_edits(right, json!({ "Mailing_City": city })));
        }
    }
    let owner = town.moved.left_users.keys().next();
    let new: Json = json!({
        "responsible_user_id": owner,
        "first_name": "Nora", "last_name": "Newcomer", "name": "Nora Newcomer",
        "custom_fields_values": [{
            "field_code": "EMAIL",
            "values": [{ "value": "nora.newcomer@demo.example", "enum_code": "WORK" }],
        }],
    });
    edits + usize::from(town.kommo.person_adds(new) > 0)
}
