//! Samples are worth what is tried with them: none lies there that no test reads.

use std::path::{Path, PathBuf};

fn all_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(all_in(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn each_sample_is_read_by_a_test_of_its_app() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources: Vec<(String, String)> = ["src/connectors", "tests/emulators", "tests/conformance"]
        .iter()
        .flat_map(|folder| all_in(&root.join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    let mut unread = Vec::new();
    for app in ["kommo", "zoho"] {
        let samples = all_in(&root.join(format!("src/connectors/{app}/fixtures")));
        assert!(samples.len() > 10, "{app}");
        for sample in samples {
            let name = sample.file_name().unwrap().to_str().unwrap();
            let (bare, within) = (format!("\"{name}\""), format!("fixtures/{name}\""));
            let reads = |(path, text): &(String, String)| {
                path.contains(app) && (text.contains(&bare) || text.contains(&within))
            };
            if !sources.iter().any(reads) {
                unread.push(format!("{app}/{name}"));
            }
        }
    }
    assert!(unread.is_empty(), "read by no test: {unread:?}");
}
