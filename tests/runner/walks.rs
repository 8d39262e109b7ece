//! People who are made, edited, converted, parted with and removed at random while requests get lost: in
//! the end nobody is there twice, whoever is linked is the same, and permission has reached everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use concord::connectors::memory::{Author, Faults, Vendor};
use concord::planner::{Condition, Filter, Limit, LinkState, Rule, Test};
use concord::record::{Record, RemoteId, Side, Value};
use concord::store::{MemoryStore, Trigger};

use crate::house::{House, fields, text, vendor};

const PEOPLE: u64 = 5;
const STEPS: usize = 60;
const SEEDS: u64 = 150;

/// The same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

struct Walk {
    house: House,
    /// The side that has contacts and leads.
    several: Side,
    /// What is kept the same with nothing.
    deals: Arc<Vendor>,
    dice: Dice,
    edits: u64,
    /// Who was ever made by a person, and where: nobody makes anybody twice.
    made: BTreeSet<(u64, usize)>,
    /// Who was removed, or became something that is not looked at.
    lost: BTreeSet<u64>,
    /// Whose lead became somebody else.
    merged: BTreeSet<u64>,
    /// Whether nobody's lead becomes somebody else: whom a link since the backup told to be somebody
    /// else is not known once that is put back.
    is_restored: bool,
}

fn email(person: u64) -> String {
    format!("person{person}@x.es")
}

impl Walk {
    async fn begin(seed: u64) -> Self {
        let several = if (seed / 2).is_multiple_of(2) { Side::Right } else { Side::Left };
        let house = House::with_leads_on(several, |settings| {
            let plenty = Limit { floor: 1_000, percent: 100, ceiling: None };
            settings.brake.creates = plenty;
            settings.brake.deletions = plenty;
            settings.brake.clears = plenty;
            settings.brake.one_field = plenty;
            if seed % 2 == 1 {
                let side = settings.sides.of_mut(several);
                side.converts.insert("leads".into(), "contacts".into());
                let test = Test::Contains("client".into());
                let filter = Filter::Is(Condition { field: "city".into(), test });
                settings.syncs.of_mut(several.other()).as_mut().unwrap().rules = vec![
                    Rule { filter, object: Some("contacts".into()) },
                    Rule { filter: Filter::default(), object: Some("leads".into()) },
                ];
            }
        })
        .await;
        let deals = vendor("deals", 0, &house.clock);
        let (made, lost, merged) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (dice, is_restored) = (Dice(seed), false);
        Self { house, several, deals, dice, edits: 0, made, lost, merged, is_restored }
    }

    fn vendors(&self) -> [&Vendor; 3] {
        let vendors = &self.house.vendors;
        [vendors.of(self.several.other()), vendors.of(self.several), &self.house.leads]
    }

    fn find(&self, at: usize, person: u64) -> Option<RemoteId> {
        let records = self.vendors()[at].records().into_iter();
        let mut of_person = records.filter(|record| email_of(record) == email(person));
        of_person.next().map(|record| record.id)
    }

    async fn step(&mut self) {
        self.house.clock.advance(Duration::from_secs(7));
        let (person, at) = (self.dice.throw(PEOPLE), self.dice.throw(3) as usize);
        match self.dice.throw(9) {
            0 | 1 => {
                if self.find(at, person).is_none() && self.made.insert((person, at)) {
                    let city = self.city();
                    self.vendors()[at].create(fields(&email(person), &[("city", &city)]));
                }
            }
            2 | 3 => {
                let city = text(&self.city());
                if let Some(id) = self.find(at, person) {
                    self.vendors()[at].edit(&id, [("city".into(), city)].into());
                }
            }
            4 if self.dice.throw(4) == 0 => {
                if let Some(id) = self.find(at, person) {
                    let yes = Value::Boolean(true);
                    self.vendors()[at].edit(&id, [("opt_out".into(), yes)].into());
                }
            }
            5 => {
                let way = self.dice.throw(8);
                if let Some(lead) = self.find(2, person) {
                    self.convert(person, &lead, way).await;
                }
            }
            6 if self.dice.throw(6) == 0 => {
                if let Some(id) = self.find(at, person) {
                    self.vendors()[at].remove(&id);
                    self.lost.insert(person);
                    self.made.extend([(person, 0), (person, 1), (person, 2)]);
                }
            }
            7 => {
                if let Some(lead) = self.find(2, person) {
                    self.house.hint_lead_on(self.several, &lead).await;
                }
                self.run(Trigger::Webhook).await;
            }
            _ => self.run(Trigger::Schedule).await,
        }
    }

    /// A person makes something else of a lead: mostly the contact that it is about.
    async fn convert(&mut self, person: u64, lead: &RemoteId, way: u64) {
        let links = self.house.links().await;
        let several = self.several;
        let is_linked = |contact: &RemoteId| {
            links.iter().any(|(names, _)| *names.of(several) == format!("contacts/{contact}"))
        };
        let [_, contacts, leads] = self.vendors();
        let own = self.find(1, person);
        let next = (person + 1) % PEOPLE;
        match (way, own, self.find(1, next)) {
            (0, ..) => {
                leads.convert(lead, &self.deals);
                self.lost.insert(person);
            }
            (1, None, Some(other)) if is_linked(&other) && !self.is_restored => {
                leads.convert_into(lead, contacts, &other);
                self.merged.insert(person);
                self.made.extend([(person, 1), (person, 2)]);
            }
            (_, Some(contact), _) => {
                leads.convert_into(lead, contacts, &contact);
                self.made.insert((person, 2));
            }
            (_, None, _) => {
                leads.convert(lead, contacts);
                self.made.extend([(person, 1), (person, 2)]);
            }
        }
    }

    fn city(&mut self) -> String {
        self.edits += 1;
        let word = if self.dice.throw(3) == 0 { "client" } else { "city" };
        format!("{word} {}", self.edits)
    }

    /// A run in which requests get lost, so that it may end early.
    async fn run(&mut self, trigger: Trigger) {
        for side in Side::BOTH {
            let faults =
                Faults { lost_before: 40, lost_after: 40, rate_limited: 20, ..Faults::default() };
            self.house.vendors.of(side).order_faults(self.dice.throw(1 << 32), faults);
        }
        let _ = self.house.run_because(trigger).await;
        for side in Side::BOTH {
            self.house.vendors.of(side).stop_faults();
        }
    }

    /// Nothing happens any more, for longer than anything can be late. Whoever is asked agrees.
    async fn rest(&self) {
        for _ in 0..30 {
            self.house.clock.advance(Duration::from_secs(3600));
            self.house.run().await.unwrap();
            if self.house.plan().await.is_some() {
                self.house.approve().await;
            }
        }
    }

    /// The server is lost, and begins again with a backup. Nothing is written before somebody agrees.
    async fn restore(&mut self, backup: Arc<MemoryStore>) {
        self.house.restore(backup).await;
        let written = self.house.writes();
        for _ in 0..self.dice.throw(4) {
            self.run(Trigger::Schedule).await;
        }
        assert_eq!(self.house.writes(), written, "nobody has agreed");
    }

    async fn check(&self, seed: u64) {
        let report = self.house.run().await.unwrap().report;
        assert_eq!(report.total_writes(), 0, "seed {seed} goes on for ever");
        let pending = self.house.pending().await;
        assert_eq!(pending, [], "seed {seed}");
        self.check_creates(seed);
        let links = self.house.links().await;
        let (several, one) = (self.several, self.several.other());
        for person in 0..PEOPLE {
            let records: Vec<Option<Record>> = (0..3).map(|at| self.record(at, person)).collect();
            let is_on_both = records[1].is_some() || records[2].is_some();
            let is_one = is_on_both && !self.merged.contains(&person);
            if let (Some(left), true) = (&records[0], is_one) {
                let tags = left.fields[&"tags".into()].text();
                assert!(!tags.contains("Deleted"), "seed {seed}: {person} is there: {tags}");
                let name = format!("contacts/{}", left.id);
                let mut of_left = links.iter().filter(|(names, _)| *names.of(one) == name);
                let (names, link) = of_left.next().unwrap_or_else(|| {
                    panic!("seed {seed}: {person} is linked to nobody: {records:?}")
                });
                assert!(of_left.next().is_none());
                let told = || format!("seed {seed}: {person}\n{}", self.history(person));
                assert_eq!(link.state, LinkState::Active, "{}", told());
                let partner = records[1..].iter().flatten().find(|record| {
                    *names.of(several) == format!("{}/{}", record.object, record.id)
                });
                let partner = partner.unwrap_or_else(|| {
                    panic!("seed {seed}: {person} is linked to {names:?}: {records:?}")
                });
                let city = |record: &Record| record.fields[&"city".into()].clone();
                assert_eq!(city(left), city(partner), "{}", told());
            }
            if records[0].is_some() && !self.merged.contains(&person) {
                let forbids: BTreeSet<bool> = records
                    .iter()
                    .flatten()
                    .map(|record| record.fields[&"opt_out".into()] == Value::Boolean(true))
                    .collect();
                assert!(forbids.len() == 1, "seed {seed}\n{}", self.history(person));
            }
        }
    }

    /// All that was ever done to somebody.
    fn history(&self, person: u64) -> String {
        let mut told = String::new();
        for vendor in self.vendors() {
            let mut ids = BTreeSet::new();
            for event in vendor.history() {
                let email_of_it = event.fields.get(&"email".into()).map(Value::text);
                if email_of_it == Some(email(person)) {
                    ids.insert(event.id.clone());
                }
                if ids.contains(&event.id) {
                    let (at, by, id) = (event.at, event.by, event.id);
                    writeln!(told, "{at} {by:?} {id} {:?}", event.fields).unwrap();
                }
            }
            let there = vendor.records().into_iter().filter(|one| email_of(one) == email(person));
            writeln!(told, "there: {:?}", there.collect::<Vec<_>>()).unwrap();
        }
        told
    }

    fn record(&self, at: usize, person: u64) -> Option<Record> {
        let records = self.vendors()[at].records().into_iter();
        let of_person: Vec<Record> =
            records.filter(|record| email_of(record) == email(person)).collect();
        assert!(of_person.len() < 2, "{person} is there twice:\n{}", self.history(person));
        of_person.into_iter().next()
    }

    /// We make nobody twice, and nobody whom somebody has made on that side before.
    fn check_creates(&self, seed: u64) {
        let mut sides: [BTreeMap<String, usize>; 2] = Default::default();
        for (at, vendor) in self.vendors().into_iter().enumerate() {
            let ours = vendor.history().into_iter();
            for event in ours.filter(|event| event.is_create && event.by == Author::Engine) {
                let email = event.fields[&"email".into()].text();
                *sides[at.min(1)].entry(email).or_default() += 1;
            }
        }
        for (email, times) in sides.iter().flatten() {
            // Who was lost, or merged into somebody else, before it was known that we had made them is
            // made again.
            let mut unknown = self.lost.union(&self.merged);
            let is_excused = unknown.any(|person| *email == self::email(*person));
            let person = (0..PEOPLE).find(|one| *email == self::email(*one)).unwrap_or_default();
            assert!(*times == 1 || is_excused, "seed {seed}: {email}\n{}", self.history(person));
        }
    }
}

fn email_of(record: &Record) -> String {
    record.fields[&"email".into()].text()
}

#[expect(clippy::disallowed_methods, reason = "which seeds are walked is said on the command line")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test]
async fn people_who_are_converted_meanwhile_are_the_same_in_the_end() {
    let (first, seeds) = (number("FIRST").unwrap_or(0), number("SEEDS").unwrap_or(SEEDS));
    for seed in first..first + seeds {
        let mut walk = Walk::begin(seed).await;
        for _ in 0..STEPS {
            walk.step().await;
        }
        walk.rest().await;
        walk.check(seed).await;
    }
}

#[tokio::test]
async fn people_are_the_same_in_the_end_though_a_backup_was_put_back() {
    let (first, seeds) = (number("FIRST").unwrap_or(0), number("SEEDS").unwrap_or(SEEDS));
    for seed in first..first + seeds {
        let mut walk = Walk { is_restored: true, ..Walk::begin(seed).await };
        let backed_up = walk.dice.throw(STEPS as u64);
        let restored = backed_up + walk.dice.throw(STEPS as u64 - backed_up);
        let mut backup = None;
        for step in 0..STEPS as u64 {
            if step == backed_up {
                backup = Some(walk.house.backup());
            }
            if step == restored {
                walk.restore(backup.take().unwrap()).await;
            }
            walk.step().await;
        }
        walk.rest().await;
        walk.check(seed).await;
    }
}
