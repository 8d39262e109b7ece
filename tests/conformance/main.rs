//! What every connector must do, tried on each: on the reference app in this process, and on the apps
//! of `connectors::ALL` against their emulators. A connector without a judge fails the build; a check
//! that an app's nature excuses says which capability excuses it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod faults;
mod files;
mod house;
mod judges;
mod notices;
mod reading;
mod values;
mod writing;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use house::{Excused, House};
use libtest_mimic::{Arguments, Failed, Trial};

type Run = std::pin::Pin<Box<dyn Future<Output = Result<(), Excused>> + Send>>;

/// A check: what it shows, and how.
struct Check {
    name: &'static str,
    run: fn(House) -> Run,
}

/// Names checks by their functions.
macro_rules! checks {
    ($($room:ident :: $name:ident),* $(,)?) => {
        &[$(Check {
            name: stringify!($name),
            run: |house| Box::pin($room::$name(house)),
        }),*]
    };
}

const CHECKS: &[Check] = checks![
    reading::the_account_says_who_it_is,
    reading::the_catalogue_and_the_account_agree,
    reading::a_full_listing_is_complete_and_has_no_doubles,
    reading::a_listing_beyond_every_wall_is_complete_and_has_no_doubles,
    reading::a_listing_that_is_refused_beyond_some_records_goes_on_behind_them,
    reading::a_second_that_holds_more_than_a_listing_shows_is_an_error,
    reading::a_walk_that_was_cut_off_goes_on_where_it_was,
    reading::an_edit_during_a_walk_is_seen_now_or_next_time,
    reading::a_removal_during_a_walk_hides_nobody,
    reading::only_what_changed_is_read_again,
    reading::removed_records_are_reported,
    reading::more_removed_records_than_a_page_holds_are_all_reported,
    reading::who_was_removed_before_all_is_read_again_is_reported,
    reading::a_cursor_that_is_none_is_lost_and_a_full_read_works,
    files::a_large_account_is_read_from_a_file_as_by_pages,
    files::a_file_that_is_not_written_yet_is_asked_after_now_and_then,
    files::a_file_tells_of_the_moment_at_which_it_was_asked_for,
    files::a_file_that_was_read_in_part_is_read_on,
    files::where_no_file_can_be_had_pages_are_read,
    files::a_file_that_is_not_right_is_not_believed,
    files::what_a_file_does_not_say_for_sure_is_read,
    files::who_has_left_is_told_beside_a_file,
    files::a_file_that_is_kept_no_more_is_asked_for_anew,
    reading::a_direct_read_answers_for_each_id,
    reading::what_becomes_something_else_has_left,
    writing::what_is_converted_becomes_what_was_asked_for,
    writing::nobody_becomes_a_namesake_who_was_not_named,
    faults::a_conversion_that_breaks_down_stops_nothing,
    reading::records_are_found_by_address,
    reading::owners_are_known_by_address,
    reading::a_field_that_the_app_has_no_more_is_absent_and_not_empty,
    writing::what_was_made_reads_back,
    writing::a_change_leaves_everything_else,
    writing::clearing_clears_and_what_is_absent_stays,
    writing::what_we_write_sets_off_nothing_in_the_app,
    writing::tags_of_others_stay,
    writing::one_phone_is_written_without_losing_the_others,
    writing::a_number_that_was_added_meanwhile_is_not_lost,
    writing::the_numbers_of_many_are_written_in_two_requests,
    writing::writes_cost_what_was_said,
    writing::opting_out_reads_back,
    writing::each_of_a_batch_has_its_own_outcome_in_order,
    writing::a_change_to_a_removed_record_is_refused_as_not_found,
    writing::what_one_record_lacks_does_not_stop_the_others,
    writing::one_for_whom_the_request_is_refused_does_not_stop_the_others,
    writing::one_whose_tags_are_refused_does_not_stop_the_others,
    values::every_text_survives,
    values::a_text_of_the_greatest_length_survives,
    values::blank_and_absent_are_told_apart,
    values::a_day_is_the_one_that_people_see,
    faults::wrong_credentials_are_said_to_be_wrong,
    faults::an_answer_that_is_lost_is_unknown_and_not_an_error,
    faults::a_request_that_is_lost_is_unknown_and_nothing_was_made,
    faults::a_read_that_fails_may_be_tried_again,
    faults::nobody_asks_sooner_than_told,
    faults::a_key_that_runs_out_is_replaced_once_for_all,
    faults::a_refused_key_without_another_needs_reconnecting,
    faults::an_answer_beyond_all_bounds_is_refused,
    faults::the_rate_is_held_before_the_app_complains,
    faults::errors_tell_no_secret_and_no_address,
    faults::a_call_that_is_given_up_leaves_the_connector_whole,
    notices::a_subscription_is_told_as_it_was_given,
    notices::subscribing_twice_leaves_one,
    notices::what_a_person_does_in_the_app_is_noticed,
    notices::what_we_write_may_be_noticed_and_names_the_record,
    notices::a_notification_of_somebody_else_is_refused,
    notices::what_is_no_notification_is_malformed,
    notices::unsubscribing_stops_notifications,
    notices::an_object_that_the_app_has_not_cannot_be_subscribed_to,
    notices::a_subscription_that_ends_can_be_prolonged_and_made_anew,
    notices::a_subscription_that_ends_while_it_is_prolonged_is_made_anew,
    notices::a_subscription_that_the_app_gave_up_is_told_and_put_right,
];

/// Whose turn it is: a check that goes by the real clock has the machine for itself.
static MACHINE: RwLock<()> = RwLock::new(());

enum Turn {
    Alone(#[expect(dead_code, reason = "it is held")] RwLockWriteGuard<'static, ()>),
    Shared(#[expect(dead_code, reason = "it is held")] RwLockReadGuard<'static, ()>),
}

impl Turn {
    /// Waits for it. A check that failed leaves nothing behind that could harm the others.
    fn of(check: &Check) -> Self {
        if check.name == "the_rate_is_held_before_the_app_complains" {
            return Self::Alone(MACHINE.write().unwrap_or_else(PoisonError::into_inner));
        }
        Self::Shared(MACHINE.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for subject in judges::all() {
        let subject = Arc::new(subject);
        for check in CHECKS {
            let subject = subject.clone();
            let name = format!("{}::{}", subject.name, check.name);
            trials.push(Trial::test(name, move || {
                let _turn = Turn::of(check);
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .enable_all()
                    .build()
                    .map_err(Failed::from)?;
                let outcome =
                    runtime.block_on(async { (check.run)((subject.start)().await).await });
                if let Err(Excused(capability)) = outcome {
                    println!("{}: {} is excused: {capability}", subject.name, check.name);
                }
                runtime.shutdown_background();
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
