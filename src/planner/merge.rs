//! The nine rows: what one entry wants, as things stand on the copies. It decides nothing for others
//! and writes nothing; [`super::settle`] does, in order of [`Turn`].

use std::collections::BTreeSet;

use super::draft::{Draft, Scope};
use super::item::{Row, Standing};
use super::mapping::{ConstantWhen, Entry, Function, Made, Unresolved};
use super::pair::Base;
use super::settings::{FirstRun, Sync, SyncState, WritePolicy};
use crate::record::{Field, Normal, Side, Value};

/// What an entry wants, and when it may have it.
#[derive(Clone, Debug)]
pub(super) struct Judgement {
    pub(super) row: Option<Row>,
    pub(super) standing: Standing,
    pub(super) wish: Wish,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    /// Nothing, and the base stays as it is.
    Nothing,
    /// Take how things stand as base, once all others have had their turn.
    Accept,
    /// Take how things stand as base, now: the entry agrees.
    Advance,
    /// Write this.
    Write { value: Value, turn: Turn, is_cut: bool, is_stand_in: bool },
    /// Add and remove these elements (added in the form to write, removed in normal form).
    Change { add: Vec<Value>, remove: BTreeSet<Value> },
}

/// Everything that is no conflict first, conflicts last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Nobody else has a claim to the target.
    Free,
    /// Somebody may: it is settled by the preferred side, after everything else.
    Contested,
}

impl Judgement {
    fn of(row: Row, standing: Standing, wish: Wish) -> Self {
        Self { row: Some(row), standing, wish }
    }

    fn idle(standing: Standing) -> Self {
        Self { row: None, standing, wish: Wish::Nothing }
    }

    fn held(row: Row) -> Self {
        Self::of(row, Standing::Held, Wish::Nothing)
    }
}

/// Whether an entry of the other sync carries the target's value back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mirror {
    /// None does: there is none, or it is paused, out of scope, or only fills blanks.
    None,
    /// One will, once its sync is started.
    NotStarted,
    /// Nobody can tell yet: a field that its filter asks about was not read.
    Unknown,
    /// One does.
    Live,
}

/// Judges one entry of the sync that reads `source`.
pub(super) fn judge(draft: &Draft<'_>, source: Side, entry: &Entry) -> Judgement {
    let Some(sync) = draft.settings.running(source) else {
        return Judgement::idle(Standing::Inactive);
    };
    let was_there = sync.first_run == FirstRun::NewOnly && *draft.pair.baseline.of(source);
    if was_there && !draft.link.bases.contains_key(&entry.id) {
        // In or out of scope: what always differed is no edit, also when it comes into scope.
        return Judgement::of(Row::FirstMeeting, Standing::Accepted, Wish::Accept);
    }
    match draft.scope(source) {
        Scope::In => {}
        Scope::Out => return Judgement::idle(Standing::Inactive),
        Scope::Unknown => return Judgement::idle(Standing::Unread),
    }
    let target_side = source.other();
    let known_inputs = entry.inputs.iter().all(|input| draft.field(source, input).is_some());
    let Some(target) = draft.field(target_side, &entry.target).filter(|_| known_inputs) else {
        return Judgement::idle(Standing::Suspended);
    };
    if !target.writable {
        return Judgement::idle(Standing::Suspended);
    }
    let (Some(inputs), Some(current)) =
        (draft.inputs(source, entry), draft.read(target_side, &entry.target))
    else {
        return Judgement::idle(Standing::Unread);
    };
    let case = Case { draft, source, sync, entry, target, base: draft.link.bases.get(&entry.id) };
    if target.many { case.judge_set(&inputs, current) } else { case.judge_single(&inputs, current) }
}

struct Case<'a, 'd> {
    draft: &'d Draft<'a>,
    source: Side,
    sync: &'d Sync,
    entry: &'d Entry,
    target: &'a Field,
    base: Option<&'d Base>,
}

impl Case<'_, '_> {
    fn normal(&self, value: &Value) -> Normal {
        self.draft.normal(self.source.other(), &self.entry.target, value)
    }

    fn made(&self, inputs: &[Value]) -> Made {
        // The target was found before: making something for it cannot fail.
        self.draft
            .make(self.source, self.entry, inputs)
            .unwrap_or(Made::Unresolved(Unresolved::WrongShape))
    }

    /// Whether what the target holds can flow back: only then may an entry leave it alone.
    fn mirror(&self) -> Mirror {
        let opposite = self.source.other();
        let settings = self.draft.settings;
        let overwrites =
            settings.sync(opposite).filter(|sync| sync.write_policy == WritePolicy::Overwrite);
        let (Some(sync), Some(_)) = (overwrites, settings.mirrors(self.source, self.entry).next())
        else {
            return Mirror::None;
        };
        match sync.state {
            SyncState::Paused => Mirror::None,
            // What it will do when it is started hangs on how things stand then.
            SyncState::Draft => match self.draft.scope_now(opposite) {
                Scope::Out => Mirror::None,
                Scope::In | Scope::Unknown => Mirror::NotStarted,
            },
            SyncState::Running => match self.draft.scope(opposite) {
                Scope::Out => Mirror::None,
                Scope::Unknown => Mirror::Unknown,
                Scope::In => Mirror::Live,
            },
        }
    }

    fn fills_only(&self) -> bool {
        self.sync.write_policy == WritePolicy::FillBlanks
    }

    /// Whether this entry takes what it meets for agreed: it is a constant for new records only.
    fn takes_as_seen(&self) -> bool {
        let only_new =
            matches!(self.entry.function, Function::Constant { when: ConstantWhen::OnCreate, .. });
        let is_new = self.draft.made_on == Some(self.source.other());
        only_new && !self.target.many && !is_new
    }

    fn is_preferred(&self) -> bool {
        self.draft.settings.preferred == Some(self.source)
    }

    fn judge_single(&self, inputs: &[Value], current: &Value) -> Judgement {
        let made = self.made(inputs);
        let t = self.normal(current);
        let (value, is_cut) = match &made {
            Made::Value { value, is_cut } => (value.clone(), *is_cut),
            Made::Unresolved(why) => return self.judge_unresolved(*why, inputs, &t),
        };
        let s = self.normal(&value);
        let is_blank = s.is_cleared() && t.is_cleared();
        if is_blank
            && self.base.is_none()
            && !self.takes_as_seen()
            && let Some(value) = self.draft.stand_in(self.source, self.entry)
        {
            return Judgement::of(Row::FirstMeeting, Standing::Carried, stand_in(value));
        }
        if s == t {
            return Judgement::of(Row::Agree, Standing::Agreed, Wish::Advance);
        }
        let write = |turn| Wish::Write { value: value.clone(), turn, is_cut, is_stand_in: false };
        let Some(base) = self.base else { return self.meet(&s, &t, write) };
        let b = self.normal(&base.target);
        let unchanged = match self.made(&base.inputs) {
            Made::Value { value, .. } => self.normal(&value) == s,
            Made::Unresolved(_) => false,
        };
        if unchanged {
            let standing = if t != b && self.mirror() != Mirror::Live {
                Standing::Drifted
            } else {
                Standing::Accepted
            };
            return Judgement::of(Row::Unchanged, standing, Wish::Nothing);
        }
        let emptied = s.is_cleared();
        if emptied && (b.is_cleared() || !self.sync.clearing || self.fills_only()) {
            return Judgement::held(Row::HeldClear);
        }
        if emptied && self.target.required {
            return Judgement::held(Row::HeldClear);
        }
        if self.fills_only() && !t.is_cleared() {
            return Judgement::held(Row::HeldFill);
        }
        if t == b {
            return Judgement::of(Row::Carry, Standing::Carried, write(Turn::Free));
        }
        match self.mirror() {
            Mirror::Live => {}
            Mirror::Unknown => return Judgement::idle(Standing::Unread),
            Mirror::None | Mirror::NotStarted if emptied => {
                return Judgement::held(Row::NoMirror);
            }
            Mirror::None | Mirror::NotStarted => {
                return Judgement::of(Row::NoMirror, Standing::Carried, write(Turn::Free));
            }
        }
        if t.is_cleared() {
            return Judgement::of(Row::NonEmptyWins, Standing::Carried, write(Turn::Free));
        }
        if emptied {
            return Judgement::of(Row::NonEmptyWins, Standing::Yielded, Wish::Accept);
        }
        self.contest(Row::Conflict, write)
    }

    /// Row 2.
    fn meet(&self, s: &Normal, t: &Normal, write: impl Fn(Turn) -> Wish) -> Judgement {
        let row = Row::FirstMeeting;
        if self.takes_as_seen() {
            return Judgement::of(row, Standing::Accepted, Wish::Accept);
        }
        if s.is_cleared() {
            return Judgement::of(row, Standing::Accepted, Wish::Accept);
        }
        if t.is_cleared() {
            return Judgement::of(row, Standing::Carried, write(Turn::Free));
        }
        if self.fills_only() {
            return Judgement::of(row, Standing::Held, Wish::Accept);
        }
        match self.mirror() {
            Mirror::Live => self.contest(row, write),
            Mirror::Unknown => Judgement::idle(Standing::Unread),
            // The preferred side decides, whichever sync was started first: theirs is to come.
            Mirror::NotStarted if !self.is_preferred() => {
                Judgement::of(row, Standing::Held, Wish::Nothing)
            }
            Mirror::None | Mirror::NotStarted => {
                Judgement::of(row, Standing::Carried, write(Turn::Contested))
            }
        }
    }

    /// Both sides have a value, and either could be carried to the other.
    fn contest(&self, row: Row, write: impl Fn(Turn) -> Wish) -> Judgement {
        match self.draft.settings.preferred {
            None => Judgement::of(row, Standing::Conflict, Wish::Nothing),
            Some(_) if self.is_preferred() => {
                Judgement::of(row, Standing::Carried, write(Turn::Contested))
            }
            Some(_) => Judgement::of(row, Standing::Yielded, Wish::Accept),
        }
    }

    /// The source has a value that the target can't take.
    fn judge_unresolved(&self, why: Unresolved, inputs: &[Value], t: &Normal) -> Judgement {
        let standing = Standing::Unresolved(why);
        match self.base {
            None if self.takes_as_seen() => {
                Judgement::of(Row::FirstMeeting, Standing::Accepted, Wish::Accept)
            }
            None => match self.draft.stand_in(self.source, self.entry).filter(|_| t.is_cleared()) {
                Some(value) => Judgement::of(Row::FirstMeeting, Standing::Carried, stand_in(value)),
                None => Judgement::of(Row::FirstMeeting, standing, Wish::Accept),
            },
            Some(base) if self.same_inputs(&base.inputs, inputs) => {
                Judgement::of(Row::Unchanged, standing, Wish::Nothing)
            }
            Some(_) => Judgement { row: None, standing, wish: Wish::Nothing },
        }
    }

    fn same_inputs(&self, one: &[Value], other: &[Value]) -> bool {
        let normal = |values: &[Value]| -> Vec<Normal> {
            let fields = self.entry.inputs.iter();
            fields.zip(values).map(|(f, v)| self.draft.normal(self.source, f, v)).collect()
        };
        normal(one) == normal(other)
    }

    /// Sets merge element by element and never conflict: the target keeps what it has, gains what
    /// the source gained, and loses what the source lost.
    fn judge_set(&self, inputs: &[Value], current: &Value) -> Judgement {
        let Made::Value { value, .. } = self.made(inputs) else {
            return Judgement::idle(Standing::Unresolved(Unresolved::UnknownOption));
        };
        let (side, field) = (self.source.other(), &self.entry.target);
        let source = self.draft.pairs(side, field, &value);
        let target: BTreeSet<Value> = self.normal(current).elements();
        let before = self.base.and_then(|base| match self.made(&base.inputs) {
            Made::Value { value, .. } => Some(self.normal(&value).elements()),
            Made::Unresolved(_) => None,
        });
        let row = if before.is_none() { Row::FirstMeeting } else { Row::Carry };
        if before.is_none() && self.takes_as_seen() {
            return Judgement::of(row, Standing::Accepted, Wish::Accept);
        }
        let before = before.unwrap_or_default();
        let now: BTreeSet<Value> = source.iter().map(|(normal, _)| normal.clone()).collect();
        let add: Vec<Value> = source
            .into_iter()
            .filter(|(normal, _)| !before.contains(normal) && !target.contains(normal))
            .map(|(_, raw)| raw)
            .collect();
        let loses = self.sync.clearing && !self.fills_only();
        let remove: BTreeSet<Value> = before
            .difference(&now)
            .filter(|lost| loses && target.contains(*lost))
            .cloned()
            .collect();
        if !add.is_empty() || !remove.is_empty() {
            return Judgement::of(row, Standing::Carried, Wish::Change { add, remove });
        }
        if self.base.is_some() && before == now {
            return Judgement::of(Row::Unchanged, Standing::Agreed, Wish::Nothing);
        }
        if !loses && before.difference(&now).any(|lost| target.contains(lost)) {
            return Judgement::held(Row::HeldClear);
        }
        Judgement::of(Row::Agree, Standing::Agreed, Wish::Advance)
    }
}

fn stand_in(value: Value) -> Wish {
    Wish::Write { value, turn: Turn::Free, is_cut: false, is_stand_in: true }
}
