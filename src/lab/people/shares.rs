//! Who is special in which way, and in which app they are to be found.

use super::Kind;
use super::dice::Dice;

/// How many of a hundred people are of each special kind.
pub(super) const SHARES: [(Kind, u32); 9] = [
    (Kind::NoEmail, 4),
    (Kind::SharesAddress, 2),
    (Kind::TwoCandidates, 2),
    (Kind::Refused, 1),
    (Kind::Cut, 1),
    (Kind::OptedOut, 5),
    (Kind::NationalPhone, 10),
    (Kind::NonLatin, 5),
    (Kind::NoLastName, 3),
];

/// In which app somebody is to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Left,
    Right,
    Both,
}

/// Deals kinds and homes. Half of all people are in both apps; the others are in one, and each app
/// has as many of them as the other.
pub(super) fn deal(count: u32, dice: &mut Dice) -> Vec<(Kind, Home)> {
    let kinds = deal_kinds(count, dice);
    let mut homes: Vec<Option<Home>> = kinds.iter().map(|kind| demanded(*kind)).collect();
    let settled = |homes: &[Option<Home>], home: Home| {
        homes.iter().filter(|settled| **settled == Some(home)).count()
    };
    let wanted = (kinds.len() / 2).saturating_sub(settled(&homes, Home::Both));
    let may_be_in_both =
        |kind: &Kind| matches!(kind, Kind::Plain | Kind::NationalPhone | Kind::NonLatin);
    let mut free: Vec<usize> =
        (0..kinds.len()).filter(|at| kinds.get(*at).is_some_and(may_be_in_both)).collect();
    dice.shuffle(&mut free);
    for at in free.into_iter().take(wanted) {
        if let Some(home) = homes.get_mut(at) {
            *home = Some(Home::Both);
        }
    }
    for (kind, home) in kinds.iter().zip(&mut homes) {
        if *kind == Kind::NationalPhone && home.is_none() {
            *home = Some(Home::Left);
        }
    }
    let (mut left, mut right) = (settled(&homes, Home::Left), settled(&homes, Home::Right));
    let mut dealt = Vec::new();
    for (kind, home) in kinds.into_iter().zip(homes) {
        let home = match home {
            Some(home) => home,
            None if left < right || left == right && dice.happens(50) => {
                left += 1;
                Home::Left
            }
            None => {
                right += 1;
                Home::Right
            }
        };
        dealt.push((kind, home));
    }
    dealt
}

fn deal_kinds(count: u32, dice: &mut Dice) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for (kind, share) in SHARES {
        let part = u64::from(count) * u64::from(share) / 100;
        kinds.extend(std::iter::repeat_n(kind, usize::try_from(part).unwrap_or_default()));
    }
    kinds.resize(usize::try_from(count).unwrap_or_default(), Kind::Plain);
    dice.shuffle(&mut kinds);
    kinds
}

/// Where somebody of a kind has to be; none, where it does not matter.
fn demanded(kind: Kind) -> Option<Home> {
    match kind {
        Kind::TwoCandidates | Kind::OptedOut => Some(Home::Both),
        Kind::Refused | Kind::Cut | Kind::NoLastName => Some(Home::Left),
        Kind::Plain
        | Kind::NoEmail
        | Kind::SharesAddress
        | Kind::NationalPhone
        | Kind::NonLatin => None,
    }
}
