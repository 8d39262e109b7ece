//! The tables of the book have all that there is.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::pages::pages;

fn page(name: &str) -> String {
    pages().into_iter().find(|(known, _)| known == name).unwrap().1
}

fn source(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands between quotation marks in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// What stands between code marks in a page.
fn told(page: &str) -> BTreeSet<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

fn is_constant(word: &str) -> bool {
    word.len() > 3
        && word.chars().all(|one| one.is_ascii_uppercase() || one == '_')
        && !["SCREAMING_SNAKE_CASE", "FIRST"].contains(&word)
}

/// The names of an enum of the schema.
fn names_of<'s>(schema: &'s str, kind: &str) -> Vec<&'s str> {
    let body = schema.split(&format!("enum {kind} {{")).nth(1).unwrap();
    let body = body.split("\n}").next().unwrap();
    body.lines().map(str::trim).filter(|line| is_constant(line)).collect()
}

pub fn try_settings() {
    let settings = page("settings");
    let told: BTreeSet<&str> =
        settings.split(|one: char| !one.is_ascii_uppercase() && one != '_').collect();
    let config = source("src/config.rs");
    let config = config.split("mod tests").next().unwrap();
    let read: BTreeSet<&str> = quoted(config)
        .filter(|word| word.starts_with("CONCORD_") || *word == "DATABASE_URL")
        .flat_map(|word| word.split(|one: char| !one.is_ascii_uppercase() && one != '_'))
        .filter(|word| word.starts_with("CONCORD_") || *word == "DATABASE_URL")
        .collect();
    assert!(read.len() > 8, "{read:?}");
    let missing: Vec<_> = read.iter().filter(|name| !told.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

pub fn try_commands() {
    let program = env!("CARGO_BIN_EXE_concord");
    let help = Command::new(program).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 9, "{commands:?}");
    let settings = page("settings");
    for command in commands {
        assert!(settings.contains(&format!("`concord {command}")), "{command}");
    }
}

pub fn try_codes() {
    let (errors, history, schema) = (page("errors"), page("history"), source("schema.graphql"));
    let told_there = told(&errors);
    let mut codes: BTreeSet<String> = BTreeSet::new();
    codes.extend(names_of(&schema, "UserErrorCode").into_iter().map(str::to_owned));
    // Issues, by what is advised of them and by what a plan finds.
    let classes = ["ACCOUNT", "CONNECTION", "CONSENT", "RECORD", "VALUE"];
    for file in ["src/graphql/types/advice.rs", "src/planner/finding.rs"] {
        let of_issues = source(file);
        let found = quoted(&of_issues).filter(|word| is_constant(word) && !classes.contains(word));
        codes.extend(found.map(str::to_owned));
    }
    // Reasons of records.
    let item = source("src/planner/item.rs");
    let skips = item.split("impl Skip {").nth(1).unwrap().split("\n}").next().unwrap();
    codes.extend(quoted(skips).map(str::to_owned));
    // Faults and warnings of a review.
    let of_review = source("src/planner/fault.rs");
    for kind in ["FaultCode", "WarningCode"] {
        let body = of_review.split(&format!("pub enum {kind} {{")).nth(1).unwrap();
        let body = body.split("\n}").next().unwrap();
        let variants = body.lines().map(str::trim).filter(|line| !line.starts_with("///"));
        codes.extend(variants.filter(|line| !line.is_empty()).map(screaming));
    }
    // Refused requests.
    for folder in ["src/http", "src/graphql", "src/graphql/once"] {
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            codes.extend(quoted(text).filter(|word| is_constant(word)).map(str::to_owned));
        }
    }
    assert!(codes.len() > 70, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !told_there.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let told_there = told(&history);
    let outcomes = names_of(&schema, "OutcomeName");
    let missing: Vec<_> = outcomes.iter().filter(|name| !told_there.contains(*name)).collect();
    assert!(!outcomes.is_empty() && missing.is_empty(), "{missing:?}");
}

/// The name of a variant as the API has it.
fn screaming(variant: &str) -> String {
    let mut name = String::new();
    for letter in variant.trim_end_matches(',').chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
