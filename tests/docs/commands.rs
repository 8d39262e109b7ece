//! The commands of each page, one after the other in one shell and an empty folder.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Completion, Failed, Trial};

use crate::pages::{blocks, pages};

/// What the shell of a page prints, beside not failing.
const PAGES: [(&str, &str); 7] = [
    ("api", "eyJ"),
    ("first-steps", "\"text\": \"Head of Gardens\""),
    ("install", "It is ready."),
    ("keep", "no connection of this database was ever started"),
    ("kommo", "https://sync.example.com/oauth/callback/kommo"),
    ("settings", "CONCORD_PORT is no port"),
    ("zoho", "https://sync.example.com/oauth/callback/zoho"),
];
/// What the pages need, by its Debian package too.
const TOOLS: [&str; 4] = ["bash", "curl", "jq", "sqlite3"];
/// The ports that pages name.
const PORTS: [&str; 3] = ["8080", "8091", "8092"];
const PATIENCE: &str = "180";

pub fn trials() -> Vec<Trial> {
    let with_commands = pages().into_iter().filter(|(_, text)| !blocks(text, "sh").is_empty());
    let names: Vec<String> = with_commands.map(|(name, _)| name).collect();
    let known: Vec<&str> = PAGES.iter().map(|(name, _)| *name).collect();
    let name = "each_page_with_commands_is_tried";
    let whole = Trial::test(name, || crate::done(move || assert_eq!(names, known)));
    let each = PAGES.into_iter().map(|(page, said)| {
        let name = format!("the_commands_of_{}_do_what_it_says", page.replace('-', "_"));
        Trial::ignorable_test(name, move || run(page, said))
    });
    each.chain([whole]).collect()
}

fn run(page: &str, said: &str) -> Result<Completion, Failed> {
    let is_there = |tool: &&str| Command::new(tool).arg("--version").output().is_ok();
    if let Some(missing) = TOOLS.iter().find(|tool| !is_there(tool)) {
        let why = format!("there is no {missing}; install Debian's package of that name");
        if std::env::var_os("CI").is_some() {
            return Err(why.into());
        }
        println!("NOT TRIED: {page}: {why}");
        return Ok(Completion::ignored_with(why));
    }
    let (_, text) = pages().into_iter().find(|(name, _)| name == page).unwrap();
    let mut script = blocks(&text, "sh").join("\n");
    let mut own = String::new();
    for (port, listener) in PORTS.into_iter().zip([(); PORTS.len()].map(|()| free())) {
        let free = listener.local_addr().unwrap().port().to_string();
        script = script.replace(port, &free);
        if port == "8080" {
            own = free;
        }
    }
    let program = Path::new(env!("CARGO_BIN_EXE_concord")).parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    // Whatever is still running in the end is ended with it.
    let status = Command::new("timeout")
        .args(["--kill-after=10", PATIENCE, "bash", "-euo", "pipefail", "-c"])
        .arg(format!("trap 'jobs -p | xargs --no-run-if-empty kill; wait' EXIT\n{script}"))
        .current_dir(folder.path())
        .env_clear()
        .envs([("PATH", path.as_str()), ("CONCORD_PORT", own.as_str())])
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .status()
        .unwrap();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    if status.success() && log.contains(said) {
        return Ok(Completion::Completed);
    }
    Err(format!("{status}, and \"{said}\" was looked for:\n{log}").into())
}

/// A port that nobody listens on. They are all held until all are known, so that they differ.
fn free() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}
