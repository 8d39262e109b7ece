//! The mapping that is offered first: fields that mean the same, where their types fit and the target
//! can be written.

use super::mapping::{Compatibility, Entry, Function, NamePart, StandIn, compatibility};
use super::settings::{Channel, ConsentChannel, EntryId, Settings, SideSettings};
use crate::record::{Field, ObjectName, PerSide, Schema, Semantic, Side, Value};

/// Meanings that are mapped one to one, in the order in which they are listed.
const PLAIN: [Semantic; 20] = [
    Semantic::NameFirst,
    Semantic::NameLast,
    Semantic::EmailPrimary,
    Semantic::PhoneWork,
    Semantic::PhoneMobile,
    Semantic::PhoneHome,
    Semantic::PhoneOther,
    Semantic::Fax,
    Semantic::JobTitle,
    Semantic::Website,
    Semantic::Birthday,
    Semantic::AddressStreet,
    Semantic::AddressCity,
    Semantic::AddressRegion,
    Semantic::AddressPostalCode,
    Semantic::AddressCountry,
    Semantic::LeadSource,
    Semantic::Notes,
    Semantic::Tags,
    Semantic::Owner,
];

/// What stands for a required name that the source does not have.
const NAMELESS: &str = "(unknown)";

/// The entries that a connection between these two accounts is begun with, by the side that is read.
#[must_use]
pub fn suggest_entries(settings: &Settings) -> PerSide<Vec<Entry>> {
    suggest_sides(&settings.sides)
}

fn suggest_sides(sides: &PerSide<SideSettings>) -> PerSide<Vec<Entry>> {
    PerSide::from_fn(|source| {
        let mut of_pairs: Vec<(PerSide<&ObjectName>, Vec<Entry>)> = Vec::new();
        for (left, of_left) in sides.left.described() {
            for (right, of_right) in sides.right.described() {
                let entries = match source {
                    Side::Left => entries(source, of_left, of_right),
                    Side::Right => entries(source, of_right, of_left),
                };
                of_pairs.push((PerSide { left, right }, entries));
            }
        }
        together(sides, source, &of_pairs)
    })
}

/// What is the same between all objects is one entry; the rest are entries for the objects they are of.
fn together(
    sides: &PerSide<SideSettings>,
    source: Side,
    of_pairs: &[(PerSide<&ObjectName>, Vec<Entry>)],
) -> Vec<Entry> {
    let is_everywhere = |entry: &Entry| of_pairs.iter().all(|(_, entries)| entries.contains(entry));
    let mut suggested: Vec<Entry> = Vec::new();
    for (objects, entries) in of_pairs {
        for entry in entries {
            if is_everywhere(entry) {
                if !suggested.contains(entry) {
                    suggested.push(entry.clone());
                }
                continue;
            }
            let objects = PerSide::from_fn(|side| {
                let has_several = sides.of(side).objects.len() > 1;
                has_several.then(|| (*objects.of(side)).clone())
            });
            let id = EntryId::new(source, &objects, entry.target.as_str());
            suggested.push(Entry { id, objects, ..entry.clone() });
        }
    }
    suggested
}

/// Where the permission to send e-mail is kept, if both accounts say so themselves, and of all objects the
/// same.
#[must_use]
pub fn suggest_consent(settings: &Settings) -> Vec<ConsentChannel> {
    let field = |side: Side| {
        let mut fields = settings
            .sides
            .of(side)
            .described()
            .map(|(_, schema)| Some(schema.meaning(Semantic::ConsentEmail)?.id.clone()));
        let first = fields.next()??;
        fields.all(|other| other.as_ref() == Some(&first)).then_some(first)
    };
    match (field(Side::Left), field(Side::Right)) {
        (Some(left), Some(right)) => {
            let fields = PerSide { left, right };
            vec![ConsentChannel { channel: Channel::Email, fields }]
        }
        _ => Vec::new(),
    }
}

fn entries(source: Side, reads: &Schema, writes: &Schema) -> Vec<Entry> {
    let mut entries: Vec<Entry> = PLAIN
        .into_iter()
        .filter_map(|semantic| {
            let (from, to) = (reads.meaning(semantic)?, writes.meaning(semantic)?);
            fits(from, to).then(|| entry(source, &[from], to, Function::Copy))
        })
        .collect();
    entries.extend(names(source, reads, writes));
    // Whole lists only where neither side tells one value from another.
    for (whole, part) in
        [(Semantic::EmailAll, Semantic::EmailPrimary), (Semantic::PhoneAll, Semantic::PhoneWork)]
    {
        if let (Some(from), Some(to)) = (reads.meaning(whole), writes.meaning(whole))
            && fits(from, to)
        {
            let is_part = |entry: &Entry| {
                writes.get(&entry.target).is_some_and(|field| {
                    field.part_of.as_ref() == Some(&to.id) || field.semantic == Some(part)
                })
            };
            entries.retain(|entry| !is_part(entry));
            entries.push(entry(source, &[from], to, Function::Copy));
        }
    }
    for entry in &mut entries {
        let target = writes.get(&entry.target);
        if target.is_some_and(|field| field.required && field.semantic == Some(Semantic::NameLast))
        {
            entry.fallback = vec![StandIn::Value(Value::Text(NAMELESS.to_owned()))];
        }
    }
    entries
}

/// Names where one side has them in parts and the other as a whole.
fn names(source: Side, reads: &Schema, writes: &Schema) -> Vec<Entry> {
    let parts = |schema: &Schema| {
        let first = schema.meaning(Semantic::NameFirst).cloned();
        first.zip(schema.meaning(Semantic::NameLast).cloned())
    };
    let whole = |schema: &Schema| schema.meaning(Semantic::NameFull).cloned();
    match (parts(reads), parts(writes)) {
        (Some(_), Some(_)) => Vec::new(),
        (Some((first, last)), None) => whole(writes)
            .filter(|to| to.writable)
            .map(|to| entry(source, &[&first, &last], &to, Function::JoinName))
            .into_iter()
            .collect(),
        (None, Some((first, last))) => {
            let Some(from) = whole(reads) else { return Vec::new() };
            let part = |to: &Field, part| entry(source, &[&from], to, Function::SplitName(part));
            vec![part(&first, NamePart::First), part(&last, NamePart::Last)]
        }
        (None, None) => match (whole(reads), whole(writes)) {
            (Some(from), Some(to)) if fits(&from, &to) => {
                vec![entry(source, &[&from], &to, Function::Copy)]
            }
            _ => Vec::new(),
        },
    }
}

fn fits(from: &Field, to: &Field) -> bool {
    to.writable && compatibility(from, to) == Compatibility::BothWays
}

fn entry(source: Side, inputs: &[&Field], target: &Field, function: Function) -> Entry {
    Entry {
        id: EntryId::new(source, &PerSide::default(), target.id.as_str()),
        since: 0,
        objects: PerSide::default(),
        target: target.id.clone(),
        inputs: inputs.iter().map(|field| field.id.clone()).collect(),
        function,
        transforms: Vec::new(),
        fallback: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FieldType;

    fn schema(fields: &[(&str, FieldType, Semantic)]) -> Schema {
        let field = |(id, kind, semantic): &(&str, FieldType, Semantic)| Field {
            semantic: Some(*semantic),
            many: matches!(semantic, Semantic::Tags | Semantic::EmailAll | Semantic::PhoneAll),
            ..Field::new(*id, *kind)
        };
        fields.iter().map(field).collect()
    }

    fn targets(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.target.as_str()).collect()
    }

    #[test]
    fn equal_meanings_are_mapped_and_read_only_targets_are_not() {
        let left = schema(&[
            ("first", FieldType::Text, Semantic::NameFirst),
            ("last", FieldType::Text, Semantic::NameLast),
            ("mail", FieldType::Email, Semantic::EmailPrimary),
        ]);
        let right: Schema = schema(&[
            ("First_Name", FieldType::Text, Semantic::NameFirst),
            ("Last_Name", FieldType::Text, Semantic::NameLast),
            ("Email", FieldType::Email, Semantic::EmailPrimary),
        ])
        .iter()
        .cloned()
        .map(|field| Field {
            writable: field.id.as_str() != "Email",
            required: field.id.as_str() == "Last_Name",
            ..field
        })
        .collect();
        let there = entries(Side::Left, &left, &right);
        assert_eq!(targets(&there), ["First_Name", "Last_Name"]);
        assert!(there[1].fallback.len() == 1 && there[0].fallback.is_empty());
        assert_eq!(targets(&entries(Side::Right, &right, &left)), ["first", "last", "mail"]);
    }

    #[test]
    fn a_whole_name_is_split_and_joined() {
        let parts = schema(&[
            ("first", FieldType::Text, Semantic::NameFirst),
            ("last", FieldType::Text, Semantic::NameLast),
        ]);
        let whole = schema(&[("name", FieldType::Text, Semantic::NameFull)]);
        assert_eq!(entries(Side::Left, &parts, &whole)[0].function, Function::JoinName);
        assert_eq!(targets(&entries(Side::Left, &whole, &parts)), ["first", "last"]);
    }

    #[test]
    fn whole_lists_take_the_place_of_their_parts() {
        let lists: Schema = schema(&[
            ("EMAIL", FieldType::Email, Semantic::EmailAll),
            ("EMAIL.primary", FieldType::Email, Semantic::EmailPrimary),
        ])
        .iter()
        .cloned()
        .map(|field| Field {
            part_of: (field.id.as_str() != "EMAIL").then(|| "EMAIL".into()),
            ..field
        })
        .collect();
        assert_eq!(targets(&entries(Side::Left, &lists, &lists)), ["EMAIL"]);
    }

    #[test]
    fn what_two_objects_have_apart_is_mapped_apart() {
        let people = |title: &str| {
            schema(&[
                ("Email", FieldType::Email, Semantic::EmailPrimary),
                (title, FieldType::Text, Semantic::JobTitle),
            ])
        };
        let side = |objects: &[(&str, Schema)]| SideSettings {
            app: "App".into(),
            objects: objects.iter().map(|(name, _)| (*name).into()).collect(),
            schemas: objects.iter().map(|(name, of)| ((*name).into(), of.clone())).collect(),
            region: None,
            users: Default::default(),
            converts: Default::default(),
            tags: None,
        };
        let left = side(&[("contacts", people("position"))]);
        let right = side(&[("Contacts", people("Title")), ("Leads", people("Designation"))]);
        let suggested = suggest_sides(&PerSide { left, right });
        let ids = |entries: &[Entry]| -> Vec<String> {
            entries.iter().map(|entry| entry.id.0.clone()).collect()
        };
        assert_eq!(
            ids(&suggested.left),
            ["right.Email", "right.Contacts.Title", "right.Leads.Designation"]
        );
        let back = ["left.Email", "left.Contacts.position", "left.Leads.position"];
        assert_eq!(ids(&suggested.right), back);
        assert_eq!(suggested.right[2].objects.right, Some("Leads".into()));
        assert_eq!(suggested.right[2].inputs, ["Designation".into()]);
    }
}
