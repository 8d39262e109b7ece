//! Matching does not depend on the order in which records come, and never gives one record two
//! partners.

use std::collections::{BTreeMap, BTreeSet};

use concord::planner::{Candidate, Held, Key, Match, MatchKey, match_records};
use concord::record::{RecordName, RemoteId, Side};
use proptest::prelude::*;

fn candidate() -> impl Strategy<Value = (Side, BTreeSet<Key>, u8, Option<u8>)> {
    let side = prop_oneof![Just(Side::Left), Just(Side::Right)];
    let key = (prop::bool::weighted(0.7), 0..5_u8).prop_map(|(email, value)| Key {
        kind: if email { MatchKey::Email } else { MatchKey::Phone },
        value: value.to_string(),
    });
    (side, prop::collection::btree_set(key, 0..3), 0..10_u8, prop::option::of(0..2_u8))
}

fn build(raw: Vec<(Side, BTreeSet<Key>, u8, Option<u8>)>) -> Vec<Candidate> {
    raw.into_iter()
        .enumerate()
        .map(|(n, (side, keys, held, name))| Candidate {
            side,
            rank: n % 2,
            id: RecordName { object: "contacts".into(), id: RemoteId::new(n.to_string()) },
            created_at: None,
            keys,
            name: name.map(|name| name.to_string()),
            held: match held {
                0 => Held::Linked,
                1 => Held::Widowed,
                _ => Held::Free,
            },
        })
        .collect()
}

proptest! {
    #![proptest_config(crate::same_each_time(20_000))]

    #[test]
    fn order_does_not_matter_and_pairs_are_mutual(
        raw in prop::collection::vec(candidate(), 0..7),
        rotate in 0..7_usize,
    ) {
        let candidates = build(raw);
        let kinds = [MatchKey::Email, MatchKey::Phone];
        let verdicts = match_records(&candidates, &kinds, &BTreeSet::new());
        let mut shuffled = candidates.clone();
        shuffled.rotate_left(rotate % candidates.len().max(1));
        shuffled.reverse();
        prop_assert_eq!(&verdicts, &match_records(&shuffled, &kinds, &BTreeSet::new()));
        let free = candidates.iter().filter(|one| one.held == Held::Free);
        prop_assert_eq!(verdicts.len(), free.count(), "every free record has a verdict");
        let mut taken: BTreeMap<(Side, RecordName), RecordName> = BTreeMap::new();
        for ((side, id), (verdict, partner)) in &verdicts {
            prop_assert_eq!(*verdict == Match::Unique, partner.is_some());
            let find = |side: Side, id: &RecordName| {
                candidates.iter().find(|one| one.side == side && one.id == *id).unwrap()
            };
            let own = find(*side, id);
            if let Match::Companion { of } = verdict {
                let of = find(*side, of);
                prop_assert!(of.rank != own.rank && !of.keys.is_disjoint(&own.keys));
            }
            let Some(partner) = partner else { continue };
            if candidates.len() == 2 {
                prop_assert!(!find(side.other(), partner).keys.is_disjoint(&own.keys));
            }
            let clash = taken.insert((side.other(), partner.clone()), id.clone());
            prop_assert!(clash.is_none(), "{partner:?} has two partners");
            if let Some((theirs, back)) = verdicts.get(&(side.other(), partner.clone())) {
                prop_assert_eq!(theirs, &Match::Unique);
                prop_assert_eq!(back.as_ref(), Some(id));
            }
        }
    }

    #[test]
    fn swapping_the_sides_swaps_the_verdicts(raw in prop::collection::vec(candidate(), 0..7)) {
        let candidates = build(raw);
        let swapped: Vec<Candidate> = candidates
            .iter()
            .map(|one| Candidate { side: one.side.other(), ..one.clone() })
            .collect();
        let kinds = [MatchKey::Email, MatchKey::Phone];
        let here = match_records(&candidates, &kinds, &BTreeSet::new());
        let there = match_records(&swapped, &kinds, &BTreeSet::new());
        for ((side, id), (verdict, partner)) in &here {
            let (other, their_partner) = &there[&(side.other(), id.clone())];
            prop_assert_eq!(partner, their_partner);
            prop_assert_eq!(std::mem::discriminant(verdict), std::mem::discriminant(other));
        }
    }
}
