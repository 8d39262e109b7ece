//! Marketing permission: decided for every pair before and apart from everything else. No filter,
//! policy, conflict, quarantine or brake holds an opt-out back.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::finding::FindingCode;
use super::item::{Cause, Decision};
use super::settings::{Channel, ConsentChannel, ConsentPolicy, Settings};
use crate::record::{Consent, FieldType, Record, Side, Value};

/// The stricter permission reaches the other side, wherever a running sync goes there.
pub(super) fn tighten(draft: &mut Draft<'_>) {
    let settings = draft.settings;
    for channel in &settings.consent {
        for source in Side::BOTH {
            tighten_towards(draft, channel, source);
        }
    }
}

fn tighten_towards(draft: &mut Draft<'_>, channel: &ConsentChannel, source: Side) {
    let target = source.other();
    let field = channel.fields.of(target);
    let there = match (state(draft, channel, source), state(draft, channel, target)) {
        (Some(here), _) if !here.forbids() => return,
        (None, _) => return,
        (_, Some(there)) => there,
        // Not read, or not there: nobody can say that it arrived.
        (_, None) => return draft.find(FindingCode::ConsentHeldBack, Some(target), Some(field)),
    };
    if there.forbids() {
        return;
    }
    match draft.settings.sync(source).map(|sync| sync.consent) {
        Some(ConsentPolicy::None) => return,
        Some(ConsentPolicy::Tighten) if draft.settings.running(source).is_some() => {}
        _ => return draft.find(FindingCode::ConsentHeldBack, Some(target), Some(field)),
    }
    let Some(known) = draft.field(target, field).filter(|field| field.writable) else {
        return draft.find(FindingCode::ConsentHeldBack, Some(target), Some(field));
    };
    let value = if known.kind == FieldType::Boolean {
        Value::Boolean(true)
    } else {
        Value::Consent(Consent::OptedOut)
    };
    let before = draft.read(target, field).cloned();
    if draft.pair.link.as_ref().is_some_and(|link| link.unconfirmed.of(target).contains_key(field))
    {
        draft.find(FindingCode::ConsentDidNotStick, Some(target), Some(field));
    }
    let decision = Decision {
        field: field.clone(),
        element: None,
        cause: Cause::Consent { channel: channel.channel },
        inputs: draft.read(source, channel.fields.of(source)).cloned().into_iter().collect(),
        before,
        base: None,
    };
    draft.set(target, field, value, decision);
}

fn state(draft: &Draft<'_>, channel: &ConsentChannel, side: Side) -> Option<Consent> {
    stated(draft.read(side, channel.fields.of(side)))
}

/// The permission that a value states; none where it was not read. A box "opted out" that is not ticked
/// states nothing.
fn stated(value: Option<&Value>) -> Option<Consent> {
    match value? {
        Value::Consent(consent) => Some(*consent),
        Value::Boolean(true) => Some(Consent::OptedOut),
        _ => Some(Consent::Unknown),
    }
}

impl Settings {
    /// The channels by which the person of a record of this side may not be written to, as it says itself.
    #[must_use]
    pub fn forbidden(&self, side: Side, record: &Record) -> BTreeSet<Channel> {
        let forbids = |channel: &&ConsentChannel| {
            stated(record.get(channel.fields.of(side))).is_some_and(Consent::forbids)
        };
        self.consent.iter().filter(forbids).map(|channel| channel.channel).collect()
    }
}
