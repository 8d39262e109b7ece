//! What the review of a configuration finds, and what it has a person say.

use concord::planner::{
    Acknowledgement, Acknowledgements, Approval, Condition, ConsentPolicy, ConstantWhen,
    DeletionPolicy, Entry, FaultCode, Filter, FirstRun, Function, MatchKey, Rule, Settings,
    SideSettings, StandIn, Sync, SyncState, Test, Thresholds, Transform, WarningCode, WritePolicy,
    review,
};
use concord::record::{Field, FieldType, PerSide, PhoneFormat, Schema, Side, Value};

fn side(app: &str) -> SideSettings {
    let mut email = Field::new("email", FieldType::Email);
    email.writable = app != "ReadOnly";
    let last = Field { required: app == "Right", ..Field::new("last", FieldType::Text) };
    let tags = Field { many: true, ..Field::new("tags", FieldType::Tag) };
    let day = Field::new("birthday", FieldType::Date);
    let moment = Field::new("seen", FieldType::DateTime);
    let schema = Schema::from_iter([email, last, tags, day, moment]);
    SideSettings {
        app: app.into(),
        objects: vec!["contacts".into()],
        schemas: [("contacts".into(), schema)].into(),
        region: None,
        users: Default::default(),
        converts: Default::default(),
        tags: Some("tags".into()),
    }
}

fn copy(target: &str, input: &str) -> Entry {
    Entry {
        id: target.into(),
        since: 0,
        objects: PerSide::default(),
        target: target.into(),
        inputs: vec![input.into()],
        function: Function::Copy,
        transforms: vec![],
        fallback: vec![],
    }
}

fn sync(entries: Vec<Entry>) -> Sync {
    Sync {
        state: SyncState::Draft,
        since: 0,
        first_run: FirstRun::All,
        write_policy: WritePolicy::Overwrite,
        deletion: DeletionPolicy::Tag,
        consent: ConsentPolicy::Tighten,
        clearing: true,
        rules: vec![Rule::default()],
        entries,
    }
}

fn settings(left: Option<Sync>, right: Option<Sync>) -> Settings {
    Settings {
        version: 1,
        sides: PerSide { left: side("Left"), right: side("Right") },
        syncs: PerSide { left, right },
        preferred: Some(Side::Left),
        match_keys: vec![MatchKey::Email],
        avoid_duplicates: true,
        consent: vec![],
        brake: Thresholds::default(),
        approval: Approval::Never,
        every_minutes: Settings::EVERY_MINUTES,
        cron: None,
    }
}

fn codes(settings: &Settings) -> Vec<FaultCode> {
    review(settings, &all()).faults.into_iter().map(|fault| fault.code).collect()
}

fn all() -> Acknowledgements {
    [Acknowledgement::NoOtherSync, Acknowledgement::OptOutsStay].into()
}

fn good() -> Vec<Entry> {
    vec![copy("email", "email"), copy("last", "last")]
}

#[test]
fn a_complete_configuration_gets_a_token_and_any_change_another() {
    let settings = settings(Some(sync(good())), Some(sync(good())));
    let token = review(&settings, &all()).token;
    assert!(token.is_some());
    let mut other = settings.clone();
    other.preferred = Some(Side::Right);
    assert_ne!(review(&other, &all()).token, token);
}

#[test]
fn what_no_program_can_know_must_be_said() {
    let settings = settings(Some(sync(good())), Some(sync(good())));
    let review = review(&settings, &Acknowledgements::new());
    assert!(review.faults.is_empty() && review.token.is_none());
    assert!(review.unacknowledged.contains(&Acknowledgement::NoOtherSync));
    assert!(review.unacknowledged.contains(&Acknowledgement::OptOutsStay));
    assert!(review.warnings[0].message.contains("Opt-outs in Left will not reach Right"));
}

#[test]
fn each_fault_is_found() {
    use FaultCode::*;
    let one = |entries| settings(Some(sync(entries)), None);
    let with = |more: Entry| {
        let mut entries = good();
        entries.push(more);
        one(entries)
    };
    assert_eq!(codes(&settings(None, None)), [NoSync]);
    assert_eq!(codes(&one(vec![copy("email", "email")])), [RequiredTargetUnmapped]);
    assert_eq!(codes(&with(copy("nothing", "last"))), [UnknownField]);
    assert_eq!(codes(&with(copy("birthday", "nothing"))), [UnknownField]);
    assert_eq!(codes(&with(copy("birthday", "seen"))), [IncompatibleTypes]);
    assert_eq!(codes(&with(copy("last", "email"))), [TargetWrittenTwice]);
    let mut wide = copy("birthday", "birthday");
    wide.inputs.push("last".into());
    assert!(codes(&with(wide)).contains(&WrongInputs));
    let mut both = settings(Some(sync(good())), Some(sync(good())));
    both.preferred = None;
    assert_eq!(codes(&both), [PreferredSideRequired]);
    let mut read_only = one(good());
    read_only.sides.right = SideSettings { app: "Right".into(), ..side("ReadOnly") };
    assert_eq!(codes(&read_only), [ReadOnlyTarget]);
    let mut empty = sync(good());
    empty.rules = vec![Rule { filter: Filter::Any(vec![]), object: None }];
    assert_eq!(codes(&settings(Some(empty.clone()), None)), [EmptyFilterGroup]);
    empty.rules = vec![];
    assert_eq!(codes(&settings(Some(empty), None)), [NoRule]);
    let mut untagged = one(good());
    untagged.sides.right.tags = None;
    assert_eq!(codes(&untagged), [NoTags]);
    let mut keyless = one(good());
    keyless.match_keys = vec![MatchKey::Phone];
    assert_eq!(codes(&keyless), [NoMatchField, NoMatchField]);
}

#[test]
fn every_fault_says_what_to_do() {
    let mut settings = settings(Some(sync(vec![copy("birthday", "seen")])), None);
    settings.sides.right.tags = None;
    for fault in review(&settings, &all()).faults {
        let does = ["map", "choose", "Choose", "remove", "add", "give"];
        assert!(does.iter().any(|verb| fault.message.contains(verb)), "{}", fault.message);
    }
}

#[test]
fn a_mapping_that_wanders_is_warned_of() {
    let there = sync(vec![copy("email", "email"), copy("last", "last")]);
    let mut back = sync(good());
    back.entries.retain(|entry| entry.target.as_str() != "email");
    back.entries.push(copy("birthday", "email"));
    let review = review(&settings(Some(there), Some(back)), &all());
    assert!(review.warnings.iter().any(|w| w.code == WarningCode::CrossedMapping));
}

#[test]
fn text_that_may_not_be_what_the_target_takes_is_warned_of() {
    let warned = |target: &str, input: &str| {
        let mut entries = good();
        entries.retain(|entry| entry.target.as_str() != target);
        entries.push(copy(target, input));
        let review = review(&settings(Some(sync(entries)), None), &all());
        let found = review.warnings.iter().find(|w| w.code == WarningCode::MayNotFit);
        found.map(|warning| (warning.at.field.clone().unwrap(), warning.message.clone()))
    };
    for target in ["birthday", "seen"] {
        let (field, message) = warned(target, "last").unwrap();
        assert_eq!(field.as_str(), target);
        assert!(message.contains("last is text") && message.contains("WRONG_SHAPE"), "{message}");
    }
    assert_eq!(warned("birthday", "birthday"), None, "a day is a day");
    assert_eq!(warned("last", "birthday"), None, "text takes anything");
}

#[test]
fn a_function_is_told_how_many_fields_it_takes() {
    let told = |function: Function, inputs: &[&str]| {
        let inputs = inputs.iter().map(|input| (*input).into()).collect();
        let entry = Entry { function, inputs, ..copy("birthday", "last") };
        let mut entries = good();
        entries.push(entry);
        let faults = review(&settings(Some(sync(entries)), None), &all()).faults;
        let found = faults.into_iter().find(|fault| fault.code == FaultCode::WrongInputs);
        found.unwrap().message
    };
    let made = "birthday is made from";
    assert_eq!(told(Function::Copy, &[]), format!("{made} 0 fields: give one."));
    assert!(told(Function::JoinName, &["last"]).ends_with("two, the first name and the last."));
    assert!(told(Function::FirstNonEmpty, &[]).ends_with("give one at least."));
    let constant =
        Function::Constant { value: Value::Text("x".into()), when: ConstantWhen::Always };
    assert!(told(constant, &["last"]).ends_with("none, for a constant reads nothing."));
}

/// The right side has leads too, whose only name is called otherwise.
fn with_leads(entries: Vec<Entry>) -> Settings {
    let mut settings = settings(Some(sync(entries)), None);
    let contacts = settings.sides.right.schemas[&"contacts".into()].clone();
    let surname = Field { required: true, ..Field::new("surname", FieldType::Text) };
    let leads = contacts.iter().filter(|field| field.id.as_str() != "last").cloned();
    let leads: Schema = leads.chain([surname]).collect();
    settings.sides.right.schemas.insert("leads".into(), leads);
    settings.sides.right.objects.push("leads".into());
    settings
}

fn only(object: &str, entry: Entry) -> Entry {
    let objects = PerSide { left: None, right: Some(object.into()) };
    Entry { objects, ..entry }
}

#[test]
fn a_mapping_has_to_fit_every_object_that_it_is_for() {
    use FaultCode::*;
    let contact = || only("contacts", copy("last", "last"));
    let lead = || only("leads", copy("surname", "last"));
    assert_eq!(codes(&with_leads(vec![copy("email", "email"), contact(), lead()])), []);
    let unlimited = with_leads(vec![copy("email", "email"), copy("last", "last"), lead()]);
    let faults = review(&unlimited, &all()).faults;
    assert_eq!(faults[0].code, UnknownField);
    assert!(faults[0].message.contains("Right (leads) has no field last"), "{faults:?}");
    // Nobody is made a lead, so that what leads demand is missing to nobody.
    let entries = vec![copy("email", "email"), contact()];
    let mut unmade = with_leads(entries.clone());
    assert_eq!(codes(&unmade), []);
    let rule = |object: &str| Rule { object: Some(object.into()), ..Rule::default() };
    unmade.syncs.left.as_mut().unwrap().rules.push(rule("leads"));
    assert_eq!(codes(&unmade), [RequiredTargetUnmapped]);
    let mut unknown = with_leads(vec![copy("email", "email"), contact(), lead()]);
    unknown.syncs.left.as_mut().unwrap().rules.push(rule("deals"));
    assert_eq!(codes(&unknown), [UnknownObject]);
    let lost = with_leads(vec![
        copy("email", "email"),
        contact(),
        lead(),
        only("deals", copy("x", "last")),
    ]);
    assert_eq!(codes(&lost), [UnknownObject]);
    // Of two objects each has its own; of one it is written twice.
    let twice = [only("leads", copy("surname", "email")), contact(), lead()];
    assert_eq!(codes(&with_leads(twice.into())), [TargetWrittenTwice]);
}

#[test]
fn a_rule_without_a_way_back_is_warned_of() {
    let contact = only("contacts", copy("last", "last"));
    let lead = only("leads", copy("surname", "last"));
    let mut settings = with_leads(vec![copy("email", "email"), contact, lead]);
    let rule = |object: &str| Rule { object: Some(object.into()), ..Rule::default() };
    settings.syncs.left.as_mut().unwrap().rules = vec![rule("contacts")];
    let warned = |settings: &Settings| -> Vec<String> {
        let warnings = review(settings, &all()).warnings.into_iter();
        let of_it = warnings.filter(|warning| warning.code == WarningCode::NoWayBack);
        of_it.map(|warning| warning.message).collect()
    };
    assert_eq!(
        warned(&settings),
        ["Right makes no contacts of leads: who is one of leads stays that."]
    );
    settings.sides.right.converts.insert("leads".into(), "contacts".into());
    let message = "Right makes contacts of leads, not back: who becomes one by a rule stays one.";
    assert_eq!(warned(&settings), [message]);
    settings.sides.right.converts.insert("contacts".into(), "leads".into());
    assert!(warned(&settings).is_empty());
}

#[test]
fn a_filter_that_compares_a_field_with_what_it_can_never_be_is_refused() {
    let with = |field: &str, test: Test| {
        let mut sync = sync(good());
        let filter = Filter::Any(vec![Filter::Is(Condition { field: field.into(), test })]);
        sync.rules = vec![Rule { filter, object: None }];
        let settings = settings(Some(sync), None);
        let faults = review(&settings, &all()).faults;
        faults.into_iter().map(|fault| (fault.code, fault.message)).collect::<Vec<_>>()
    };
    let text = |text: &str| Value::Text(text.to_owned());
    assert_eq!(with("birthday", Test::Equals(text("2026-08-01"))), []);
    let never = with("birthday", Test::NotEquals(text("summer")));
    let message = "birthday can't be compared with that: give a day, as 2026-08-01.";
    assert_eq!(never, [(FaultCode::FilterValue, message.to_owned())]);
    let codes: Vec<FaultCode> =
        with("last", Test::HasTag("vip".into())).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [FaultCode::FilterValue]);
    assert_eq!(with("tags", Test::HasTag("vip".into())), []);
}

#[test]
fn what_an_entry_names_itself_has_to_fit_its_target() {
    use FaultCode::{IncompatibleTypes, UnknownField};
    let codes = |entry: Entry| {
        let mut entries = good();
        entries.push(entry);
        let mut settings = settings(Some(sync(entries)), None);
        let right = &mut settings.sides.right;
        right.users = [("eva@x.es".to_owned(), "7".to_owned())].into();
        let source = Field {
            options: [("41".to_owned(), "Web".to_owned())].into(),
            ..Field::new("source", FieldType::Choice)
        };
        let more =
            [source, Field::new("owner", FieldType::User), Field::new("phone", FieldType::Phone)];
        for side in [&mut settings.sides.left, &mut settings.sides.right] {
            let schema = side.schemas.get_mut(&"contacts".into()).unwrap();
            *schema = Schema::from_iter(schema.iter().cloned().chain(more.clone()));
        }
        codes(&settings)
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let constant = |target: &str, value: Value| Entry {
        function: Function::Constant { value, when: ConstantWhen::Always },
        inputs: vec![],
        ..copy(target, "last")
    };
    for (target, fits, never) in [
        ("owner", "eva@x.es", "ana@x.es"),
        ("source", "web", "fair"),
        ("birthday", "2026-08-01", "x"),
    ] {
        assert_eq!(codes(constant(target, text(fits))), [], "{target}");
        assert_eq!(codes(constant(target, text(never))), [IncompatibleTypes], "{target}");
        let stand_in = |value: &str| Entry {
            fallback: vec![StandIn::Value(text(value))],
            ..copy(target, target)
        };
        assert_eq!(codes(stand_in(fits)), [], "{target}");
        assert_eq!(codes(stand_in(never)), [IncompatibleTypes], "{target}");
    }
    assert_eq!(codes(constant("tags", Value::List(vec![text("a"), text("b")]))), []);
    let other = |stand_in| Entry { fallback: vec![stand_in], ..copy("phone", "phone") };
    assert_eq!(codes(other(StandIn::Field("nothing".into()))), [UnknownField]);
    assert_eq!(codes(other(StandIn::LocalPart("nothing".into()))), [UnknownField]);
    assert_eq!(codes(other(StandIn::Field("tags".into()))), [IncompatibleTypes]);
    let table = |target: &str, input: &str, to: &str| Entry {
        transforms: vec![Transform::Options([("a".to_owned(), to.to_owned())].into())],
        ..copy(target, input)
    };
    // Whatever the source holds, it is the options that are written.
    assert_eq!(codes(table("source", "seen", "Web")), []);
    assert_eq!(codes(table("source", "seen", "Fair")), [IncompatibleTypes]);
    assert_eq!(codes(table("source", "tags", "Web")), [IncompatibleTypes], "a list is none");
    let phone =
        Entry { transforms: vec![Transform::Phone(PhoneFormat::E164)], ..copy("birthday", "seen") };
    assert_eq!(codes(phone), [IncompatibleTypes], "a format makes nothing fit");
}

#[test]
fn who_cannot_be_recognised_where_they_are_made_is_told() {
    let warned = |entries: Vec<Entry>| {
        let warnings = review(&settings(Some(sync(entries)), None), &all()).warnings;
        warnings.iter().any(|warning| warning.code == WarningCode::KeysUnwritten)
    };
    assert!(!warned(good()));
    assert!(warned(vec![copy("last", "last")]));
}
