//! One suite for every store: in memory, SQLite, PostgreSQL. PostgreSQL is started from the machine's
//! binaries by `tests/support/postgres`, or `CONCORD_TEST_POSTGRES_URL` names one; in CI it must be
//! there. What is skipped says so.
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

mod accounts;
mod authorizations;
mod backends;
mod build;
mod checks;
mod copy;
mod endpoints;
mod history;
mod idempotency;
mod previews;
mod processes;
mod seeds;
mod upgrade;
mod usage;
mod webhooks;

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    // The second process of the test of two processes.
    if let Some(code) = processes::play_second() {
        return code;
    }
    let arguments = Arguments::from_args();
    let backends = backends::open();
    let mut trials = Vec::new();
    for backend in &backends.all {
        for (name, check) in checks::ALL {
            let backend = backend.clone();
            trials.push(Trial::test(format!("{}::{name}", backend.name), move || {
                let runtime = backends::runtime();
                runtime.block_on(async { check(backend.store().await).await });
                Ok(())
            }));
        }
    }
    for backend in backends.all.iter().filter(|backend| backend.url.is_some()) {
        let backend = backend.clone();
        let name = format!("{}::a_process_that_lost_its_lease_writes_nothing", backend.name);
        trials.push(Trial::test(name, move || {
            processes::try_two(backend.url.as_ref().unwrap());
            Ok(())
        }));
    }
    for backend in backends.all.iter().filter(|backend| backend.url.is_some()) {
        let backend = backend.clone();
        let name = format!("{}::seeds_with_faults_and_crashes_come_to_rest", backend.name);
        trials.push(Trial::test(name, move || {
            seeds::play(&backend);
            Ok(())
        }));
    }
    for backend in backends.all.iter().filter(|backend| backend.name == "sqlite") {
        for (name, try_it) in upgrade::ALL {
            let backend = backend.clone();
            trials.push(Trial::test(format!("{}::{name}", backend.name), move || {
                try_it(backend.url.as_ref().unwrap());
                Ok(())
            }));
        }
    }
    for backend in backends.all.iter().filter(|backend| backend.url.is_some()) {
        for (name, try_it) in copy::ALL {
            let (backend, folder) = (backend.clone(), backends.folder(backend.name));
            trials.push(Trial::test(format!("{}::{name}", backend.name), move || {
                try_it(&folder, &copy::Targets::of(&backend, &folder));
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
