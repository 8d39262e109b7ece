//! The points at which the server is killed.

/// One of the two apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    Kommo,
    Zoho,
}

impl App {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kommo => "kommo",
            Self::Zoho => "zoho",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Kommo => Self::Zoho,
            Self::Zoho => Self::Kommo,
        }
    }
}

/// What the server has just asked an app for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// New contacts.
    Create,
    /// Other values in contacts that are there, permission left aside.
    Update,
    /// The permission of contacts that are there.
    Consent,
    /// Further tags of contacts that are there.
    Tags,
    /// The second page of the list of contacts.
    SecondPage,
}

/// How far its request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The server has put it into its journal, and has not sent it.
    Journalled,
    /// The app has it, and does nothing about it.
    Arrived,
    /// The app has done it, and has not answered.
    CarriedOut,
    /// The app has answered, and the server has not written that down.
    Answered,
    /// The app has answered, and the server has written a part of that down.
    HalfWritten,
}

/// A point at which the server is killed.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub name: &'static str,
    pub app: App,
    pub asked: Asked,
    pub reached: Reached,
    /// Whether it is the run that makes the plan of the first run, not the first run itself.
    pub is_planning: bool,
}

const fn running(name: &'static str, app: App, asked: Asked, reached: Reached) -> Point {
    Point { name, app, asked, reached, is_planning: false }
}

const fn planning(name: &'static str, app: App, asked: Asked, reached: Reached) -> Point {
    Point { name, app, asked, reached, is_planning: true }
}

const NOT_SENT: &str = "a_create_was_journalled_and_not_sent";
const NOT_CARRIED_OUT: &str = "a_create_arrived_and_was_not_carried_out";
const NOT_ANSWERED: &str = "a_create_was_carried_out_and_not_answered";
const NOT_SETTLED: &str = "a_create_was_answered_and_not_settled";
const UPDATE: &str = "an_update_was_carried_out_and_not_answered";
const CONSENT: &str = "a_consent_was_carried_out_and_not_answered";
const TAGS: &str = "tags_were_added_and_that_was_not_answered";
const PLAN: &str = "the_plan_was_reading_a_second_page";
const PAGE: &str = "the_plan_was_writing_a_second_page_down";
const RUN: &str = "the_run_was_reading_a_second_page";

pub const ALL: [Point; 15] = [
    running(NOT_CARRIED_OUT, App::Kommo, Asked::Create, Reached::Arrived),
    running(NOT_CARRIED_OUT, App::Zoho, Asked::Create, Reached::Arrived),
    running(NOT_ANSWERED, App::Kommo, Asked::Create, Reached::CarriedOut),
    running(NOT_ANSWERED, App::Zoho, Asked::Create, Reached::CarriedOut),
    running(NOT_SETTLED, App::Kommo, Asked::Create, Reached::Answered),
    running(NOT_SETTLED, App::Zoho, Asked::Create, Reached::Answered),
    running(UPDATE, App::Kommo, Asked::Update, Reached::CarriedOut),
    running(UPDATE, App::Zoho, Asked::Update, Reached::CarriedOut),
    running(CONSENT, App::Kommo, Asked::Consent, Reached::CarriedOut),
    running(TAGS, App::Zoho, Asked::Tags, Reached::CarriedOut),
    planning(PLAN, App::Kommo, Asked::SecondPage, Reached::Arrived),
    running(RUN, App::Zoho, Asked::SecondPage, Reached::Arrived),
    running(NOT_SENT, App::Kommo, Asked::Create, Reached::Journalled),
    planning(PAGE, App::Kommo, Asked::SecondPage, Reached::HalfWritten),
    planning(PAGE, App::Zoho, Asked::SecondPage, Reached::HalfWritten),
];
