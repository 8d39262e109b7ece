//! Routing: what the rule that lets a record in makes of its partner. A record moves only by its app's
//! own way; where there is none, it stays what it is.

use super::draft::{Draft, Scope};
use super::finding::FindingCode;
use super::settings::FirstRun;
use crate::record::{Conversion, Side};

/// Has the partner of a record become what the rule says that lets the record in.
pub(super) fn route(draft: &mut Draft<'_>) {
    for source in Side::BOTH {
        if let Some(conversion) = conversion(draft, source) {
            *draft.conversions.of_mut(source.other()) = Some(conversion);
        }
    }
}

fn conversion(draft: &mut Draft<'_>, source: Side) -> Option<Conversion> {
    let (settings, target) = (draft.settings, source.other());
    let sync = settings.running(source)?;
    let was_there = sync.first_run == FirstRun::NewOnly && *draft.pair.is_old.of(source);
    if was_there || draft.scope(source) != Scope::In {
        return None;
    }
    let is = &draft.pair.live(target)?.object;
    let object = settings.route(target, draft.copies.of(source).as_ref()?)?;
    if object == is || settings.sides.of(target).converts.get(is) != Some(object) {
        return None;
    }
    let mut others = draft.pair.others.of(target).iter().filter(|one| one.name.object == *object);
    let into = match (others.next(), others.next()) {
        (None, _) => None,
        (Some(one), None) if !one.is_linked => Some(one.name.id.clone()),
        _ => {
            draft.find(FindingCode::ConversionHeldBack, Some(target), None);
            return None;
        }
    };
    Some(Conversion { object: object.clone(), into })
}
