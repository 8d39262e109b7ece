//! The program as a person starts it: what it prints, what it advises, and with which status it ends.
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

mod database;
mod doctor;
mod listening;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let name = format!("concord-program-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A place below a file, where nobody can make anything.
    pub fn unwritable(&self) -> PathBuf {
        let file = self.join("file");
        std::fs::write(&file, b"").unwrap();
        file.join("below")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program, with no settings but those that are given.
pub fn concord(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(arguments).env_clear();
    command
}

/// The program with this data folder.
pub fn concord_in(data: &Path, arguments: &[&str]) -> Command {
    let mut command = concord(arguments);
    command.arg("--data").arg(data);
    command
}

/// What it tells a person of what went wrong: it ends with status 1, and no status of success.
pub fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// What it prints when all goes well.
pub fn answer(command: &mut Command) -> String {
    let output: Output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_schema_is_printed_exactly_as_it_is_committed() {
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(answer(&mut concord(&["schema"])) == committed, "they differ");
}

#[test]
fn a_data_folder_that_is_missing_is_made() {
    let folder = Folder::new("missing");
    let data = folder.join("not").join("there");
    answer(&mut concord_in(&data, &["migrate"]));
    assert!(data.join("concord.sqlite").is_file());
    assert!(data.join("secret.key").is_file());
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let folder = Folder::new("unwritable");
    let data = folder.unwritable();
    for command in ["serve", "migrate", "token", "doctor", "demo"] {
        let said = refusal(&mut concord_in(&data, &[command]));
        assert!(said.contains(&data.display().to_string()), "{command}: {said}");
        assert!(said.contains("choose another by --data"), "{command}: {said}");
    }
}

#[test]
fn workers_of_an_embedded_database_are_refused_with_what_to_do() {
    let folder = Folder::new("alone");
    let data = folder.join("data");
    for arguments in [&["work"][..], &["serve", "--no-runs"]] {
        let said = refusal(&mut concord_in(&data, arguments));
        assert!(said.contains("a SQLite file belongs to one server"), "{arguments:?}: {said}");
        assert!(said.contains("by --database-url or DATABASE_URL"), "{arguments:?}: {said}");
    }
    assert!(!data.join("concord.sqlite").exists());
}

#[test]
fn a_worker_without_the_key_of_its_server_is_refused_and_makes_none() {
    let folder = Folder::new("no-key");
    let data = folder.join("data");
    let url = "postgres://concord@127.0.0.1:1/concord";
    let said = refusal(&mut concord_in(&data, &["work", "--database-url", url]));
    assert!(said.contains("needs that of its server, as CONCORD_SECRET_KEY"), "{said}");
    assert!(!data.exists());
}
