//! `kill -9` of the real server at fifteen points, over SQLite and PostgreSQL: started again it goes on,
//! there is one record for each person on each side, and what people edit afterwards travels once, to
//! the other side only. Of two workers beside a server, the one that runs is killed, stopped or told to
//! end: the other goes on. And the server is soaked: killed again and again while people act and the apps
//! lose what they can. PostgreSQL is started as for the suite of the stores; what is skipped says so.
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
#[path = "../support/crowd.rs"]
mod crowd;
mod door;
mod edits;
mod place;
mod points;
mod soak;
mod stall;
mod trial;
mod workers;

use libtest_mimic::{Arguments, Trial};

/// How many servers run at once. Most of the time they wait for their turn to ask an app.
const AT_ONCE: usize = 4;

fn main() -> std::process::ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let backends = backends::open();
    let mut trials = Vec::new();
    for point in points::ALL {
        for backend in backends.all.iter().filter(|backend| backend.url.is_some()) {
            let (number, backend) = (trials.len(), backend.clone());
            let name = format!("{}::{}::{}", backend.name, point.app.name(), point.name);
            trials.push(Trial::test(name, move || {
                backends::runtime().block_on(trial::play(point, &backend, number));
                Ok(())
            }));
        }
    }
    for (name, loss) in workers::ALL {
        for backend in backends.all.iter().filter(|backend| backend.name == "postgres") {
            let (number, backend) = (trials.len(), backend.clone());
            trials.push(Trial::test(format!("{}::workers::{name}", backend.name), move || {
                backends::runtime().block_on(workers::play(loss, &backend, number));
                Ok(())
            }));
        }
    }
    for backend in backends.all.iter().filter(|backend| backend.url.is_some()) {
        let (number, backend) = (trials.len(), backend.clone());
        trials.push(Trial::test(format!("{}::soak", backend.name), move || {
            backends::runtime().block_on(soak::play(&backend, number));
            Ok(())
        }));
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
