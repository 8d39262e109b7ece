//! Lists of labelled values, which Kommo takes only whole: phones, e-mail addresses, the lines of an
//! address. One is offered as a whole (`PHONE`), by its first value (`PHONE.primary`) and by the first
//! value of each label (`PHONE.MOB`). To write a part, the whole is sent with that part changed.

use std::collections::BTreeMap;

use crate::record::{FieldId, Record, Value};

/// The first value, whatever its label.
pub(super) const PRIMARY: &str = "primary";
/// The labels of the whole list, in its order: read with it, so that it can be written again.
const LABELS: &str = "labels";
/// The label of a value that has none.
const DEFAULT: &str = "WORK";

/// The values with their labels, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labelled(pub(super) Vec<(String, String)>);

/// The list and the part of it that a field id names.
pub(super) fn split(field: &FieldId) -> (&str, Option<&str>) {
    match field.as_str().split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (field.as_str(), None),
    }
}

impl Labelled {
    /// The list as a record remembers it; none if the record does not hold it.
    pub(super) fn of(record: &Record, whole: &str) -> Option<Self> {
        let values = record.get(&FieldId::new(whole))?.elements();
        let labels = record.get(&FieldId::new(format!("{whole}.{LABELS}")));
        let labels = labels.map(Value::text).unwrap_or_default();
        let mut labels = labels.split(',').filter(|label| !label.is_empty());
        let entry = |value: &Value| (value.text(), labels.next().unwrap_or(DEFAULT).to_owned());
        Some(Self(values.iter().map(entry).collect()))
    }

    /// Whether a record remembers this list as it is, as far as it remembers it.
    pub(super) fn is_as_in(&self, record: &Record, whole: &str) -> bool {
        let now = self.spread(whole);
        let mut known = record.fields.iter().filter(|(field, _)| split(field).0 == whole);
        known.all(|(field, known)| words(now.get(field)) == words(Some(known)))
    }

    /// Every field that this list gives: the whole, its labels, and the parts that hold something.
    pub(super) fn spread(&self, whole: &str) -> BTreeMap<FieldId, Value> {
        let mut fields = BTreeMap::new();
        let part = |name: &str| FieldId::new(format!("{whole}.{name}"));
        let values = self.0.iter().map(|(value, _)| typed(whole, value)).collect::<Vec<_>>();
        let Some((first, _)) = self.0.first() else {
            return [(FieldId::new(whole), Value::Cleared), (part(LABELS), Value::Cleared)].into();
        };
        fields.insert(part(PRIMARY), typed(whole, first));
        for (value, label) in &self.0 {
            fields.entry(part(label)).or_insert_with(|| typed(whole, value));
        }
        let labels: Vec<&str> = self.0.iter().map(|(_, label)| label.as_str()).collect();
        fields.insert(part(LABELS), Value::Text(labels.join(",")));
        fields.insert(FieldId::new(whole), Value::List(values));
        fields
    }

    /// Sets the first value of a label, or the first of all; an empty one takes it out. The others
    /// stay as they are.
    pub(super) fn set_part(&mut self, part: &str, value: &Value) {
        let at = match part {
            PRIMARY => (!self.0.is_empty()).then_some(0),
            label => self.0.iter().position(|(_, known)| known == label),
        };
        match (at, value.is_empty()) {
            (Some(at), true) => {
                self.0.remove(at);
            }
            (Some(at), false) => {
                if let Some((known, _)) = self.0.get_mut(at) {
                    *known = value.text();
                }
            }
            (None, true) => {}
            (None, false) => {
                let label = if part == PRIMARY { DEFAULT } else { part };
                self.0.push((value.text(), label.to_owned()));
            }
        }
    }

    /// Replaces the whole list. A value that was there keeps its label.
    pub(super) fn set_whole(&mut self, value: &Value) {
        let known: BTreeMap<String, String> =
            self.0.drain(..).map(|(value, label)| (bare(&value), label)).collect();
        let elements = value.elements().iter().filter(|element| !element.is_empty());
        self.0.extend(elements.map(|element| {
            let text = element.text();
            let label = known.get(&bare(&text)).map_or(DEFAULT, String::as_str).to_owned();
            (text, label)
        }));
    }
}

/// The words of a field's values. An empty field has none, as one that is not there.
fn words(value: Option<&Value>) -> Vec<String> {
    let elements = value.map(Value::elements).unwrap_or_default().iter();
    elements.filter(|element| !element.is_empty()).map(Value::text).collect()
}

fn typed(whole: &str, value: &str) -> Value {
    match whole {
        "PHONE" => Value::Phone(value.to_owned()),
        "EMAIL" => Value::Email(value.to_owned()),
        _ => Value::Text(value.to_owned()),
    }
}

/// What two spellings of a value have in common: enough to find its label again.
fn bare(value: &str) -> String {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if value.contains('@') || digits.len() < 5 { value.trim().to_lowercase() } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phones(entries: &[(&str, &str)]) -> Labelled {
        Labelled(entries.iter().map(|(v, l)| ((*v).to_owned(), (*l).to_owned())).collect())
    }

    fn record(list: &Labelled) -> Record {
        let mut record = Record::new("contacts", "1");
        record.fields = list.spread("PHONE");
        record
    }

    #[test]
    fn a_list_survives_being_remembered() {
        for list in [
            phones(&[]),
            phones(&[("1", "WORK")]),
            phones(&[("1", "MOB"), ("2", "WORK"), ("3", "WORK")]),
        ] {
            assert_eq!(Labelled::of(&record(&list), "PHONE"), Some(list));
        }
    }

    #[test]
    fn a_list_is_compared_with_what_is_remembered_of_it() {
        let list = phones(&[("1", "MOB"), ("2", "WORK")]);
        assert!(list.is_as_in(&record(&list), "PHONE"));
        assert!(!list.is_as_in(&record(&phones(&[("1", "MOB")])), "PHONE"));
        assert!(!list.is_as_in(&record(&phones(&[("1", "HOME"), ("2", "WORK")])), "PHONE"));
        // Only a part is remembered: only that is compared.
        let part = |value: Value| {
            let mut record = Record::new("contacts", "1");
            record.fields.insert("PHONE.MOB".into(), value);
            record.fields.insert("PHONE.HOME".into(), Value::Cleared);
            record.fields.insert("EMAIL".into(), Value::Email("x@example.com".into()));
            record
        };
        assert!(list.is_as_in(&part(Value::Phone("1".into())), "PHONE"));
        assert!(!list.is_as_in(&part(Value::Phone("3".into())), "PHONE"));
        assert!(phones(&[]).is_as_in(&part(Value::Cleared), "PHONE"));
    }

    #[test]
    fn writing_one_label_leaves_the_others() {
        let mut list = phones(&[("1", "MOB"), ("2", "WORK"), ("3", "WORK")]);
        list.set_part("WORK", &Value::Phone("9".into()));
        assert_eq!(list, phones(&[("1", "MOB"), ("9", "WORK"), ("3", "WORK")]));
        list.set_part("HOME", &Value::Phone("7".into()));
        list.set_part("MOB", &Value::Cleared);
        assert_eq!(list, phones(&[("9", "WORK"), ("3", "WORK"), ("7", "HOME")]));
        list.set_part(PRIMARY, &Value::Phone("0".into()));
        assert_eq!(list.0[0], ("0".to_owned(), "WORK".to_owned()));
        list.set_part("FAX", &Value::Cleared);
        assert_eq!(list.0.len(), 3);
    }

    #[test]
    fn a_whole_list_keeps_the_labels_of_what_was_there() {
        let mut list = phones(&[("+1 555 123 4567", "MOB"), ("2", "WORK")]);
        let new = ["(1) 555-123-4567", "+44 20 7946 0000"].map(|v| Value::Phone(v.into()));
        list.set_whole(&Value::List(new.to_vec()));
        assert_eq!(list, phones(&[("(1) 555-123-4567", "MOB"), ("+44 20 7946 0000", "WORK")]));
    }

    #[test]
    fn a_part_is_the_first_of_its_label() {
        let fields = phones(&[("1", "MOB"), ("2", "WORK"), ("3", "WORK")]).spread("PHONE");
        assert_eq!(fields[&"PHONE.WORK".into()], Value::Phone("2".into()));
        assert_eq!(fields[&"PHONE.primary".into()], Value::Phone("1".into()));
        assert!(!fields.contains_key(&"PHONE.HOME".into()));
    }
}
