//! What was promised, what offers it, and which test proves it: `docs/features.md`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::pages::folder;

/// How many features there are.
const FEATURES: usize = 221;

/// Everything that a row may name.
struct Known {
    /// Of the schema: `Type.field`, `Enum.VALUE`.
    offers: BTreeSet<String>,
    /// Names of test functions, and titles of the planner's cases.
    tests: BTreeSet<String>,
}

impl Known {
    fn read() -> Self {
        let root = folder().join("../..");
        let schema = std::fs::read_to_string(root.join("schema.graphql")).unwrap();
        let mut tests = BTreeSet::new();
        collect_tests(&root.join("src"), &mut tests);
        collect_tests(&root.join("tests"), &mut tests);
        Self { offers: offers(&schema), tests }
    }
}

fn offers(schema: &str) -> BTreeSet<String> {
    let (mut offers, mut of, mut is_told) = (BTreeSet::new(), String::new(), false);
    for line in schema.lines() {
        let words: Vec<&str> =
            line.split(|one: char| !one.is_alphanumeric() && one != '_').collect();
        if line.trim() == "\"\"\"" {
            is_told = !is_told;
        } else if is_told {
        } else if let ["type" | "input" | "enum" | "interface", name, ..] = words.as_slice() {
            of = (*name).to_owned();
        } else if let (true, Some(name)) = (line.starts_with('\t'), words.get(1)) {
            offers.insert(format!("{of}.{name}"));
        }
    }
    offers
}

fn collect_tests(folder: &Path, tests: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_tests(&path, tests);
            continue;
        }
        if path.extension().is_none_or(|ending| ending != "rs" && ending != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().map(str::trim) {
            if let Some(title) = line.strip_prefix("- case: ") {
                tests.insert(title.to_owned());
            }
            if let Some((_, name)) = line.split_once("fn ") {
                tests.insert(name.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
}

/// What stands between code marks in a cell.
fn marked(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

pub fn try_features() {
    let known = Known::read();
    assert!(known.offers.contains("Mutation.accountConnect"), "{:?}", known.offers);
    let page = std::fs::read_to_string(folder().join("../features.md")).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| number"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), FEATURES);
    let mut counts = [0; 4];
    for (row, number) in rows.iter().zip(1..) {
        let [told, feature, by, proof] = row.as_slice() else { panic!("{row:?}") };
        assert_eq!(*told, number.to_string());
        assert!(!feature.is_empty(), "{number}");
        for name in marked(by) {
            assert!(known.offers.contains(name), "{number}: the schema has no {name}");
        }
        for name in marked(proof) {
            assert!(known.tests.contains(name), "{number}: there is no test {name}");
        }
        let standing = match (proof.contains("not ours: "), *by, proof.contains("later: ")) {
            (true, ..) => 3,
            (_, "later", _) => 2,
            (.., true) => 1,
            _ => 0,
        };
        let is_proved = marked(by).next().is_some() && marked(proof).next().is_some();
        assert!(standing != 0 || is_proved, "{number}: nothing proves it: {row:?}");
        counts[standing] += 1;
    }
    let [offered, in_part, later, others] = counts;
    let told = format!(
        "{offered} are offered and proved, {in_part} in part, {later} are for later, {others} are not ours."
    );
    assert!(page.contains(&told), "the page should say: {told}");
}
