//! The book under `docs`: its commands do what the pages say, its links lead somewhere, and nothing that a
//! person may meet is left out of its tables. Its queries are asked by the suite `live`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod commands;
mod features;
mod links;
mod pages;
mod tables;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = commands::trials();
    let tables: [(&str, fn()); 6] = [
        ("each_page_is_in_the_summary", links::try_summary),
        ("each_link_leads_somewhere", links::try_links),
        ("each_setting_is_told", tables::try_settings),
        ("each_code_is_told_with_what_to_do", tables::try_codes),
        ("each_command_is_told", tables::try_commands),
        ("each_feature_is_offered_and_proved_or_open", features::try_features),
    ];
    trials.extend(tables.map(|(name, attempt)| Trial::test(name, move || done(attempt))));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial that fails by panicking.
fn done(attempt: impl FnOnce()) -> Result<(), Failed> {
    attempt();
    Ok(())
}
