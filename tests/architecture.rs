//! The rooms of the house and who may know whom. Reads every `use` and every path of every source
//! file: a line that reaches where its room may not is named with what to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// Each room with the rooms that it may use, from the bottom up.
const ROOMS: &[(&str, &[&str])] = &[
    ("record", &[]),
    ("planner", &["record"]),
    ("ports", &[]),
    ("net", &[]),
    ("secrets", &["ports"]),
    ("store", &["record", "planner", "ports"]),
    ("connectors", &["record", "ports", "net"]),
    ("accounts", &["record", "ports", "net", "secrets", "store", "connectors"]),
    ("webhooks", &["record", "ports", "secrets", "store", "connectors", "accounts"]),
    ("runner", &["record", "planner", "ports", "store", "connectors"]),
    ("connections", &["record", "planner", "ports", "store", "connectors"]),
    (
        "jobs",
        &["record", "planner", "ports", "store", "connectors", "accounts", "webhooks", "runner"],
    ),
    ("auth", &["ports", "store"]),
    ("idempotency", &["ports", "secrets", "store"]),
    (
        "graphql",
        &[
            "record",
            "planner",
            "ports",
            "store",
            "connectors",
            "accounts",
            "webhooks",
            "connections",
            "jobs",
            "auth",
            "idempotency",
        ],
    ),
    ("http", &["accounts", "auth", "idempotency", "webhooks"]),
    ("config", &["ports", "secrets", "connectors"]),
    (
        "lab",
        &[
            "record",
            "planner",
            "ports",
            "net",
            "secrets",
            "store",
            "connectors",
            "accounts",
            "runner",
            "auth",
            "config",
            "app",
        ],
    ),
];

/// Outside crates that only some rooms may name: the crate, and the places that may.
const GUARDED: &[(&str, &[&str])] = &[
    ("sea_orm", &["src/store/sql"]),
    ("entity", &["src/store/sql"]),
    ("migration", &["src/store/sql"]),
    (
        "tokio",
        &[
            "src/net",
            "src/store",
            "src/connectors",
            "src/accounts",
            "src/webhooks",
            "src/runner",
            "src/jobs",
            "src/http",
            "src/lab",
        ],
    ),
    ("apalis", &["src/jobs"]),
    ("croner", &["src/jobs"]),
    ("apalis_sqlite", &["src/jobs"]),
    ("apalis_postgres", &["src/jobs"]),
    ("sqlx", &["src/jobs"]),
    ("async_graphql", &["src/graphql", "src/http"]),
    ("jsonwebtoken", &["src/auth"]),
    ("reqwest", &["src/net"]),
    ("rustls", &["src/net"]),
    ("chacha20poly1305", &["src/secrets"]),
    ("getrandom", &["src/ports"]),
    (
        "axum",
        &["src/connectors/kommo/emulator", "src/connectors/zoho/emulator", "src/http", "src/lab"],
    ),
    ("rand_chacha", &["src/lab", "src/ports", "src/connectors/memory"]),
    ("uuid", &["src/ports", "src/store/rows/ids.rs", "src/lab"]),
];

/// What makes code impure. None of it may be said in `record` or `planner`.
const IMPURE: &[&str] = &[
    "tokio",
    "sea_orm",
    "reqwest",
    "rand",
    "rand_chacha",
    "SystemTime",
    "Instant",
    "fs",
    "net",
    "env",
    "io",
];

/// No file does two things; by then it would be longer than this, its tests apart.
const MAX_LINES: usize = 450;
const MAX_MOD_LINES: usize = 160;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

struct Source {
    name: String,
    room: String,
    text: String,
    paths: BTreeSet<Vec<String>>,
    is_async: bool,
}

#[derive(Default)]
struct Paths {
    found: BTreeSet<Vec<String>>,
    is_async: bool,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        flatten(&item.tree, &mut Vec::new(), &mut self.found);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.found.insert(path.segments.iter().map(|part| part.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.is_async |= signature.asyncness.is_some();
        syn::visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.is_async = true;
        syn::visit::visit_expr_async(self, block);
    }
}

fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut BTreeSet<Vec<String>>) {
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, found);
            }
        }
        syn::UseTree::Name(name) => {
            let mut whole = before.clone();
            whole.push(name.ident.to_string());
            found.insert(whole);
        }
        syn::UseTree::Rename(name) => {
            let mut whole = before.clone();
            whole.push(name.ident.to_string());
            found.insert(whole);
        }
        syn::UseTree::Glob(_) => {
            found.insert(before.clone());
        }
    }
}

fn house() -> Vec<Source> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut paths = Paths::default();
            paths.visit_file(&syn::parse_file(&text).unwrap());
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            let room = name.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
            Source { name, room, text, paths: paths.found, is_async: paths.is_async }
        })
        .collect()
}

#[test]
fn every_room_uses_only_the_rooms_it_may() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in
        house().iter().filter(|source| !["lib", "main", "app"].contains(&source.room.as_str()))
    {
        let Some(may) = allowed.get(source.room.as_str()) else {
            wrong.push(format!(
                "{}: room {} is not in the table of rooms",
                source.name, source.room
            ));
            continue;
        };
        for path in source.paths.iter().filter(|path| path.first().is_some_and(|p| p == "crate")) {
            let Some(room) = path.get(1) else { continue };
            if *room != source.room && !may.contains(&room.as_str()) {
                wrong.push(format!("{}: {} may not use {room}", source.name, source.room));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "move the code, or its caller, to the room it belongs to: {wrong:#?}"
    );
}

#[test]
fn outside_crates_stay_behind_their_doors() {
    let mut wrong = Vec::new();
    for source in house() {
        for (name, places) in GUARDED {
            let named = source.paths.iter().any(|path| path.first().is_some_and(|p| p == name));
            let open = ["src/lib.rs", "src/main.rs", "src/app.rs"].contains(&source.name.as_str());
            if named && !open && !places.iter().any(|place| source.name.starts_with(place)) {
                wrong.push(format!("{}: {name} is only for {places:?}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn record_and_planner_are_pure() {
    let mut wrong = Vec::new();
    for source in
        house().iter().filter(|source| ["record", "planner"].contains(&source.room.as_str()))
    {
        if source.is_async {
            wrong.push(format!("{} waits", source.name));
        }
        for path in &source.paths {
            if let Some(word) = path.iter().find(|part| IMPURE.contains(&part.as_str())) {
                wrong.push(format!("{} names {word} in {}", source.name, path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "what the planner needs to know is given to it: {wrong:#?}");
}

#[test]
fn each_file_does_one_thing() {
    let mut long = Vec::new();
    for source in house() {
        let lines = source.text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        let max = if source.name.ends_with("mod.rs") { MAX_MOD_LINES } else { MAX_LINES };
        if lines > max {
            long.push(format!("{}: {lines} lines, more than {max}", source.name));
        }
    }
    assert!(long.is_empty(), "divide them by what they do: {long:#?}");
}

#[test]
fn no_connector_knows_another() {
    let mut wrong = Vec::new();
    for source in house().iter().filter(|source| source.name.starts_with("src/connectors/")) {
        let Some((own, _)) = source.name["src/connectors/".len()..].split_once('/') else {
            continue;
        };
        for path in &source.paths {
            if path.len() > 2 && path[0] == "crate" && path[1] == "connectors" {
                let other = root().join("src/connectors").join(&path[2]);
                if other.is_dir() && path[2] != own {
                    wrong.push(format!("{} uses {}", source.name, path[2]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_emulator_shares_code_with_what_it_judges() {
    let mut wrong = Vec::new();
    for source in house().iter().filter(|source| source.name.contains("/emulator/")) {
        for path in source.paths.iter().filter(|path| path.first().is_some_and(|p| p == "crate")) {
            let is_own = path.iter().any(|part| part == "emulator");
            if path.get(1).is_some_and(|room| room != "ports") && !is_own {
                wrong.push(format!("{} uses {}", source.name, path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "an emulator knows only what the vendor published: {wrong:#?}");
}
