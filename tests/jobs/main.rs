//! What runs, and when: one suite for the queue in a SQLite file and in PostgreSQL. What runs is only
//! counted here. PostgreSQL is started as for the suite of the stores; what is skipped says so.
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

#[expect(dead_code, reason = "the suite of the stores uses all of it")]
#[path = "../store/backends.rs"]
mod backends;
#[expect(dead_code, reason = "the suite of the stores uses all of it")]
#[path = "../store/build.rs"]
mod build;
mod checks;
mod house;
mod kills;

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let backends = backends::open();
    let mut trials = Vec::new();
    for backend in &backends.all {
        let Some(url) = backend.url.clone() else { continue };
        for (name, check) in checks::ALL.iter().chain(kills::ALL) {
            let url = url.clone();
            trials.push(Trial::test(format!("{}::{name}", backend.name), move || {
                let runtime = backends::runtime();
                runtime.block_on(async { check(house::House::new(&url, name).await).await });
                Ok(())
            }));
        }
    }
    if let Some(why) = backends.missing.clone() {
        let in_ci = std::env::var_os("CI").is_some();
        let trial =
            Trial::test("postgres", move || Err(format!("PostgreSQL was not tried: {why}").into()));
        trials.push(trial.with_ignored_flag(!in_ci));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    backends.close();
    conclusion.exit_code()
}
