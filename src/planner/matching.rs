//! Who is the same person: what the records that share keys come to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::settings::MatchKey;
use crate::record::{RecordName, Side};

/// A live record, as matching sees it: in or out of any filter, on its state after this plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its side.
    pub side: Side,
    /// The place of its object in its side's order of preference.
    pub rank: usize,
    /// Its name.
    pub id: RecordName,
    /// When it was made; decides which of several duplicates is the oldest.
    pub created_at: Option<Timestamp>,
    /// What it is recognised by.
    pub keys: BTreeSet<Key>,
    /// Its name, folded.
    pub name: Option<String>,
    /// Whether it is spoken for.
    pub held: Held,
}

/// Whether a record has a link already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It has none.
    Free,
    /// It has one.
    Linked,
    /// It has one, whose other end is gone: a new record with one of its keys takes that end.
    Widowed,
}

/// What matching says of a record that has no link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "match", rename_all = "snake_case")]
pub enum Match {
    /// It has exactly one partner.
    Unique,
    /// Nobody on the other side has any of its keys.
    Alone,
    /// It carries none of the keys.
    NoKey,
    /// Another record of its side is the same person.
    Duplicate {
        /// That record, or the one on the other side that is spoken for.
        of: RecordName,
    },
    /// A record of another object of its side is the same person, and is the one that is kept the same.
    Companion {
        /// That record.
        of: RecordName,
    },
    /// It could be several persons.
    Ambiguous {
        /// All of them, itself included.
        candidates: Vec<(Side, RecordName)>,
    },
    /// A person parted it from the only one it matches.
    Severed,
}

/// The verdicts of [`match_records`]: per unlinked record, what it is, and its partner if it has one.
pub(super) type Verdicts = BTreeMap<(Side, RecordName), (Match, Option<RecordName>)>;

/// Matches records by the keys in order, strongest first. `candidates` must be complete: with a
/// record, all records that share a key with it. The order of `candidates` does not matter.
#[must_use]
pub fn match_records(
    candidates: &[Candidate],
    kinds: &[MatchKey],
    severed: &BTreeSet<(RecordName, RecordName)>,
) -> Verdicts {
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    sorted.sort_by(|a, b| (a.side, &a.id).cmp(&(b.side, &b.id)));
    let mut verdicts = Verdicts::new();
    // Partners that were found by a stronger key.
    let mut taken: BTreeSet<(Side, RecordName)> = BTreeSet::new();
    for kind in kinds {
        // Whoever is decided by a stronger key is spoken for, as if linked already: so a second run
        // says the same as the first.
        let spoken_for = |one: &Candidate| {
            let name = (one.side, one.id.clone());
            verdicts.contains_key(&name) || taken.contains(&name)
        };
        let open: Vec<Candidate> = sorted
            .iter()
            .map(|one| {
                let held = if spoken_for(one) { Held::Linked } else { one.held };
                Candidate { held, ..(*one).clone() }
            })
            .collect();
        let open: Vec<&Candidate> = open.iter().collect();
        for group in groups(&open, *kind) {
            let further = further(&group, *kind);
            let is_further = |one: &&Candidate| further.iter().any(|(other, _)| other == one);
            let rest: Vec<&Candidate> =
                group.iter().copied().filter(|one| !is_further(one)).collect();
            // Who hangs together only by somebody's further records is not told apart by them.
            if further.is_empty() || groups(&rest, *kind).len() != 1 {
                judge(&group, severed, &mut verdicts);
                continue;
            }
            for (one, of) in &further {
                let verdict = Match::Companion { of: of.id.clone() };
                verdicts.insert((one.side, one.id.clone()), (verdict, None));
            }
            judge(&rest, severed, &mut verdicts);
        }
        let partner =
            |((side, _), (_, partner)): (&(Side, RecordName), &(Match, Option<RecordName>))| {
                partner.clone().map(|partner| (side.other(), partner))
            };
        taken.extend(verdicts.iter().filter_map(partner));
    }
    for one in sorted.into_iter().filter(|one| one.held == Held::Free) {
        let has_key = one.keys.iter().any(|key| kinds.contains(&key.kind));
        let alone = if has_key { Match::Alone } else { Match::NoKey };
        verdicts.entry((one.side, one.id.clone())).or_insert((alone, None));
    }
    verdicts
}

/// The records that hang together by keys of one kind. Transitive: who shares a key with somebody who
/// shares a key with a third is in question together with the third.
fn groups<'a>(records: &[&'a Candidate], kind: MatchKey) -> Vec<Vec<&'a Candidate>> {
    let mut holders: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for record in records {
        for key in record.keys.iter().filter(|key| key.kind == kind) {
            holders.entry(&key.value).or_default().push(record);
        }
    }
    let mut seen: BTreeSet<(Side, &RecordName)> = BTreeSet::new();
    let mut groups = Vec::new();
    for first in records {
        if !seen.insert((first.side, &first.id)) {
            continue;
        }
        let mut group = vec![*first];
        let mut at = 0;
        while let Some(member) = group.get(at).copied() {
            let keys = member.keys.iter().filter(|key| key.kind == kind);
            for other in keys.filter_map(|key| holders.get(key.value.as_str())).flatten() {
                if touches(member, other, kind) && seen.insert((other.side, &other.id)) {
                    group.push(*other);
                }
            }
            at += 1;
        }
        groups.push(group);
    }
    groups
}

/// Whether two records that share a key of this kind are in question together.
fn touches(one: &Candidate, other: &Candidate, kind: MatchKey) -> bool {
    kind != MatchKey::Phone || phone_is_enough(one, other)
}

/// A number alone does not make two people one: families and offices share them.
fn phone_is_enough(one: &Candidate, other: &Candidate) -> bool {
    let has_email = |who: &Candidate| who.keys.iter().any(|key| key.kind == MatchKey::Email);
    !has_email(one) || !has_email(other) || one.name.is_some() && one.name == other.name
}

fn judge(
    group: &[&Candidate],
    severed: &BTreeSet<(RecordName, RecordName)>,
    verdicts: &mut Verdicts,
) {
    let of = |side: Side| -> Vec<&Candidate> {
        group.iter().copied().filter(|one| one.held == Held::Free && one.side == side).collect()
    };
    let (left, right) = (of(Side::Left), of(Side::Right));
    let held: Vec<&Candidate> =
        group.iter().copied().filter(|one| one.held != Held::Free).collect();
    let mut say = |one: &Candidate, verdict: Match, partner: Option<&Candidate>| {
        verdicts.insert((one.side, one.id.clone()), (verdict, partner.map(|p| p.id.clone())));
    };
    let free = left.iter().chain(&right).copied();
    if let [widow] = held.as_slice()
        && widow.held == Held::Widowed
        && let [suitor] = free.clone().collect::<Vec<_>>().as_slice()
        && suitor.side != widow.side
    {
        return say(suitor, Match::Unique, Some(widow));
    }
    if !held.is_empty() {
        for one in free {
            let same_side = held.iter().find(|other| other.side == one.side);
            let of = same_side.or(held.first()).map(|other| other.id.clone());
            say(one, Match::Duplicate { of: of.unwrap_or_else(|| one.id.clone()) }, None);
        }
        return;
    }
    match (left.as_slice(), right.as_slice()) {
        ([_], []) | ([], [_]) | ([], []) => {}
        ([l], [r]) if severed.contains(&(l.id.clone(), r.id.clone())) => {
            say(l, Match::Severed, None);
            say(r, Match::Severed, None);
        }
        ([l], [r]) => {
            say(l, Match::Unique, Some(r));
            say(r, Match::Unique, Some(l));
        }
        (several, []) | ([], several) => {
            // Records without a known age come last: any age is older than none.
            let age =
                |one: &&&Candidate| (one.created_at.is_none(), one.created_at, one.id.clone());
            let Some(oldest) = several.iter().min_by_key(age) else { return };
            for one in several.iter().filter(|one| one.id != oldest.id) {
                say(one, Match::Duplicate { of: oldest.id.clone() }, None);
            }
        }
        _ => {
            let all: Vec<(Side, RecordName)> =
                left.iter().chain(&right).map(|one| (one.side, one.id.clone())).collect();
            for one in left.iter().chain(&right) {
                say(one, Match::Ambiguous { candidates: all.clone() }, None);
            }
        }
    }
}

/// The records of a group that are further records of somebody on their own side, each with the one that
/// counts: of another object than that which is spoken for, or than the only one of the most preferred
/// object.
fn further<'a>(group: &[&'a Candidate], kind: MatchKey) -> Vec<(&'a Candidate, &'a Candidate)> {
    let mut further = Vec::new();
    for side in Side::BOTH {
        let of_side = || group.iter().copied().filter(move |one| one.side == side);
        let is_any_held = of_side().any(|one| one.held != Held::Free);
        let best = of_side().map(|one| one.rank).min();
        let mut of_best = of_side().filter(|one| Some(one.rank) == best);
        let only = of_best.next().filter(|_| of_best.next().is_none());
        for one in of_side().filter(|one| one.held == Held::Free) {
            let counts = |of: &&Candidate| {
                let is_held = of.held != Held::Free;
                (is_held || !is_any_held && Some(*of) == only) && share(one, of, kind)
            };
            let of = of_side().filter(counts).min_by_key(|of| (of.rank, &of.id));
            further.extend(of.filter(|of| of.rank != one.rank).map(|of| (one, of)));
        }
    }
    further
}

/// Whether two records share a key of this kind that puts them in question together.
fn share(one: &Candidate, other: &Candidate, kind: MatchKey) -> bool {
    let mut keys = one.keys.iter().filter(|key| key.kind == kind);
    keys.any(|key| other.keys.contains(key)) && touches(one, other, kind)
}

/// Who of `others` is the same person as one of `of`, by the strongest key that anybody of them shares.
#[must_use]
pub fn same_person<'a>(
    of: &[Candidate],
    others: impl IntoIterator<Item = &'a Candidate>,
    kinds: &[MatchKey],
) -> Vec<&'a Candidate> {
    let others: Vec<&Candidate> = others.into_iter().collect();
    let by = |kind: &MatchKey| -> Vec<&'a Candidate> {
        let shares = |one: &Candidate| of.iter().any(|of| share(one, of, *kind));
        others.iter().copied().filter(|one| shares(one)).collect()
    };
    kinds.iter().map(by).find(|found| !found.is_empty()).unwrap_or_default()
}

/// Who of other objects of its side takes the place of a record that is gone, `gone` being as it last was:
/// by the strongest key that anybody shares with it the most preferred, and of these the oldest. None if
/// nobody shares one, or whoever does is linked.
#[must_use]
pub fn heir<'a>(
    gone: &Candidate,
    others: &'a [Candidate],
    kinds: &[MatchKey],
) -> Option<&'a Candidate> {
    let of_side = others.iter().filter(|one| one.side == gone.side && one.rank != gone.rank);
    let found = same_person(std::slice::from_ref(gone), of_side, kinds).into_iter();
    let free = found.filter(|one| one.held == Held::Free);
    free.min_by_key(|one| (one.rank, one.created_at.is_none(), one.created_at, one.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str) -> RecordName {
        RecordName { object: "contacts".into(), id: id.into() }
    }

    fn one(side: Side, id: &str, emails: &[&str]) -> Candidate {
        let key = |value: &&str| Key { kind: MatchKey::Email, value: (*value).to_owned() };
        Candidate {
            side,
            rank: 0,
            id: name(id),
            created_at: None,
            keys: emails.iter().map(key).collect(),
            name: None,
            held: Held::Free,
        }
    }

    fn left(id: &str, emails: &[&str]) -> Candidate {
        one(Side::Left, id, emails)
    }

    fn right(id: &str, emails: &[&str]) -> Candidate {
        one(Side::Right, id, emails)
    }

    fn verdict(candidates: &[Candidate], side: Side, id: &str) -> Match {
        let verdicts =
            match_records(candidates, &[MatchKey::Email, MatchKey::Phone], &BTreeSet::new());
        verdicts[&(side, name(id))].0.clone()
    }

    #[test]
    fn one_on_each_side_is_a_pair() {
        let all = [left("1", &["a"]), right("9", &["b", "a"])];
        let verdicts = match_records(&all, &[MatchKey::Email], &BTreeSet::new());
        assert_eq!(verdicts[&(Side::Left, name("1"))], (Match::Unique, Some(name("9"))));
        assert_eq!(verdicts[&(Side::Right, name("9"))], (Match::Unique, Some(name("1"))));
    }

    #[test]
    fn of_several_on_one_side_the_oldest_is_carried() {
        let mut younger = left("1", &["a"]);
        younger.created_at = Some(Timestamp::from_second(20).unwrap());
        let mut older = left("2", &["a"]);
        older.created_at = Some(Timestamp::from_second(10).unwrap());
        let all = [younger, older, left("3", &["a"])];
        assert_eq!(verdict(&all, Side::Left, "2"), Match::Alone);
        assert_eq!(verdict(&all, Side::Left, "1"), Match::Duplicate { of: name("2") });
        assert_eq!(verdict(&all, Side::Left, "3"), Match::Duplicate { of: name("2") });
    }

    #[test]
    fn two_candidates_make_all_of_them_ambiguous() {
        let all = [left("1", &["a"]), right("8", &["a"]), right("9", &["a"])];
        assert!(matches!(verdict(&all, Side::Left, "1"), Match::Ambiguous { .. }));
        assert!(matches!(verdict(&all, Side::Right, "8"), Match::Ambiguous { .. }));
    }

    #[test]
    fn two_addresses_that_lead_to_two_people_are_ambiguous() {
        let all = [left("1", &["a", "b"]), right("8", &["a"]), right("9", &["b"])];
        assert!(matches!(verdict(&all, Side::Right, "9"), Match::Ambiguous { .. }));
    }

    #[test]
    fn a_key_of_a_linked_record_makes_a_duplicate() {
        let mut linked = right("9", &["a"]);
        linked.held = Held::Linked;
        let all = [left("1", &["a"]), linked.clone()];
        assert_eq!(verdict(&all, Side::Left, "1"), Match::Duplicate { of: name("9") });
        linked.held = Held::Widowed;
        assert_eq!(verdict(&[left("1", &["a"]), linked], Side::Left, "1"), Match::Unique);
    }

    #[test]
    fn a_further_record_of_another_object_is_a_companion() {
        let lead = |id: &str| Candidate { rank: 1, ..right(id, &["a"]) };
        let companion = Match::Companion { of: name("9") };
        let all = [left("1", &["a"]), right("9", &["a"]), lead("5")];
        assert_eq!(verdict(&all, Side::Left, "1"), Match::Unique);
        assert_eq!(verdict(&all, Side::Right, "9"), Match::Unique);
        assert_eq!(verdict(&all, Side::Right, "5"), companion);
        // Whichever is linked counts, preferred or not.
        let linked = |one: Candidate| Candidate { held: Held::Linked, ..one };
        let of_contact = [linked(left("1", &["a"])), linked(right("9", &["a"])), lead("5")];
        assert_eq!(verdict(&of_contact, Side::Right, "5"), companion);
        let of_lead = [linked(left("1", &["a"])), right("9", &["a"]), linked(lead("5"))];
        let beside_a_lead = Match::Companion { of: name("5") };
        assert_eq!(verdict(&of_lead, Side::Right, "9"), beside_a_lead);
        // A lead is somebody where nobody is more.
        assert_eq!(verdict(&[left("1", &["a"]), lead("5")], Side::Left, "1"), Match::Unique);
        // Of two who could be meant nobody is chosen by the object of a third.
        let two = [left("1", &["a"]), right("8", &["a"]), right("9", &["a"]), lead("5")];
        assert!(matches!(verdict(&two, Side::Right, "5"), Match::Ambiguous { .. }));
    }

    #[test]
    fn nobody_is_taken_for_another_because_of_a_further_record() {
        // An office is a lead beside a contact of its number, and Ana has that number too.
        let phone = Key { kind: MatchKey::Phone, value: "+34600".into() };
        let with = |mut who: Candidate| {
            who.keys.insert(phone.clone());
            who
        };
        let office = Candidate { rank: 1, ..right("5", &[]) };
        let all = [with(left("1", &["ana"])), with(right("9", &["bob"])), with(office)];
        for (side, id) in [(Side::Left, "1"), (Side::Right, "9"), (Side::Right, "5")] {
            assert!(matches!(verdict(&all, side, id), Match::Ambiguous { .. }), "{id}");
        }
        let lead = Candidate { rank: 1, ..right("5", &["a", "b"]) };
        let all = [left("1", &["a"]), right("9", &["b"]), lead];
        assert!(matches!(verdict(&all, Side::Left, "1"), Match::Ambiguous { .. }));
    }

    #[test]
    fn the_heir_of_who_is_gone_is_the_same_person() {
        let kinds = [MatchKey::Email, MatchKey::Phone];
        let phone = Key { kind: MatchKey::Phone, value: "+34600".into() };
        let lead = |id: &str, emails: &[&str], at: i64| {
            let created_at = Timestamp::from_second(at).ok();
            let mut lead = Candidate { rank: 1, created_at, ..right(id, emails) };
            lead.keys.insert(phone.clone());
            lead
        };
        let mut gone = right("9", &["a"]);
        gone.keys.insert(phone.clone());
        let of = |others: &[Candidate]| heir(&gone, others, &kinds).map(|one| one.id.clone());
        assert_eq!(of(&[lead("5", &["a"], 20), lead("6", &["a"], 10)]), Some(name("6")));
        assert_eq!(of(&[lead("5", &["b"], 20)]), None, "only an office has that number");
        assert_eq!(of(&[lead("5", &[], 20)]), Some(name("5")));
        let linked = Candidate { held: Held::Linked, ..lead("5", &["a"], 20) };
        assert_eq!(of(std::slice::from_ref(&linked)), None);
        assert_eq!(
            of(&[linked, lead("6", &[], 10)]),
            None,
            "whose address it is, is somebody else"
        );
        assert_eq!(of(&[right("8", &["a"])]), None, "a further contact is somebody else's matter");
    }

    #[test]
    fn severed_people_never_match_again_and_are_not_created() {
        let all = [left("1", &["a"]), right("9", &["a"])];
        let severed = [(name("1"), name("9"))].into();
        let verdicts = match_records(&all, &[MatchKey::Email], &severed);
        assert_eq!(verdicts[&(Side::Left, name("1"))].0, Match::Severed);
        assert_eq!(verdicts[&(Side::Right, name("9"))].0, Match::Severed);
    }

    #[test]
    fn a_phone_needs_a_missing_address_or_the_same_name() {
        let phone = Key { kind: MatchKey::Phone, value: "+34600".into() };
        let with = |mut who: Candidate, name: &str| {
            who.keys.insert(phone.clone());
            who.name = Some(name.into());
            who
        };
        let pair = |a: &[&str], b: &[&str], names: [&str; 2]| {
            let all = [with(left("1", a), names[0]), with(right("9", b), names[1])];
            verdict(&all, Side::Left, "1")
        };
        assert_eq!(pair(&["a"], &["b"], ["ana", "eva"]), Match::Alone);
        assert_eq!(pair(&["a"], &["b"], ["ana", "ana"]), Match::Unique);
        assert_eq!(pair(&["a"], &[], ["ana", "eva"]), Match::Unique);
    }

    #[test]
    fn nothing_to_recognise_it_by_is_no_key() {
        assert_eq!(verdict(&[left("1", &[])], Side::Left, "1"), Match::NoKey);
    }
}
