//! What the container files name exists: settings, commands, paths, the port and the compiler. They
//! are read, not run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    missing_docs,
    reason = "tests fail by panicking"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use concord::config::{Config, Given};
use serde_json::Value as Json;

const COMPOSE: [&str; 2] = ["docker/compose.yaml", "docker/compose.postgres.yaml"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn compose(name: &str) -> Json {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The instructions of the Dockerfile of this name, each on one line.
fn instructions(name: &str) -> Vec<String> {
    let text = read("docker/Dockerfile").replace("\\\n", " ");
    let own = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    own.map(|line| line.trim().to_owned()).collect()
}

/// The words of the one instruction that is a list of them.
fn words(instruction: &str) -> Vec<String> {
    let line = instructions(instruction).pop().unwrap();
    serde_json::from_str(&line[line.find('[').unwrap()..]).unwrap()
}

#[test]
fn every_setting_is_one_that_is_read() {
    let data = std::env::temp_dir().join(format!("concord-container-{}", std::process::id()));
    let asked = RefCell::new(BTreeSet::new());
    let config = Config::read(&Given::default(), |name| {
        asked.borrow_mut().insert(name.to_owned());
        (name == "CONCORD_DATA").then(|| data.display().to_string())
    });
    let port = config.map(|config| config.listen.port());
    let _ = std::fs::remove_dir_all(data);
    let mut set: BTreeSet<String> = instructions("ENV")
        .iter()
        .flat_map(|line| line.split_whitespace())
        .map(|pair| pair.split_once('=').unwrap().0.to_owned())
        .collect();
    assert!(set.contains("CONCORD_DATA"), "{set:?}");
    for name in COMPOSE {
        for (service, about) in compose(name)["services"].as_object().unwrap() {
            // What is given to PostgreSQL is PostgreSQL's.
            if service != "postgres" {
                set.extend(about["environment"].as_object().unwrap().keys().cloned());
            }
        }
    }
    assert!(set.contains("DATABASE_URL"), "{set:?}");
    let asked = asked.into_inner();
    let unread: Vec<&String> = set.difference(&asked).collect();
    assert!(unread.is_empty(), "nobody reads {unread:?}");
    assert_eq!(instructions("EXPOSE"), [port.unwrap().to_string()]);
}

#[test]
fn its_commands_are_commands_of_the_program() {
    let entry = words("ENTRYPOINT");
    assert_eq!(entry, ["concord"]);
    let served = words("CMD");
    let probed = words("HEALTHCHECK");
    assert_eq!(probed[0], "concord");
    let services = COMPOSE.iter().flat_map(|name| compose(name)["services"].as_object().cloned());
    let composed: Vec<Vec<String>> = services
        .flatten()
        .filter_map(|(_, mut service)| Some(service.get_mut("command")?.take()))
        .map(|command| serde_json::from_value(command).unwrap())
        .collect();
    assert_eq!(composed.len(), 2, "the server's and the workers'");
    let composed = composed.iter().map(Vec::as_slice);
    for command in [served.as_slice(), &probed[1..]].into_iter().chain(composed) {
        assert!(!command.is_empty());
        let output = Command::new(env!("CARGO_BIN_EXE_concord"))
            .args(command)
            .arg("--help")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
    let unknown = Command::new(env!("CARGO_BIN_EXE_concord")).args(["no-such", "--help"]).output();
    assert!(!unknown.unwrap().status.success(), "else the test shows nothing");
}

#[test]
fn what_is_copied_exists_and_is_not_ignored() {
    let ignore = read(".dockerignore");
    let kept: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let own = instructions("COPY").into_iter().filter(|line| !line.starts_with("--from"));
    let mut copied = BTreeSet::new();
    for line in own {
        let mut paths: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        paths.pop();
        copied.extend(paths);
    }
    for path in &copied {
        assert!(root().join(path).exists(), "{path}");
        assert!(kept.contains(&path.as_str()), "{path} is ignored");
    }
    // What the build needs: the manifest's own members, and what is compiled.
    for needed in ["Cargo.toml", "Cargo.lock", "src", "entity", "migration"] {
        assert!(copied.contains(needed), "{needed}");
    }
}

#[test]
fn the_compose_files_name_what_is_there() {
    let volumes = instructions("VOLUME");
    for name in COMPOSE {
        let file = compose(name);
        let services = file["services"].as_object().unwrap();
        for service in services.values() {
            if let Some(build) = service["build"].as_object() {
                let context = root().join("docker").join(build["context"].as_str().unwrap());
                assert!(context.join(build["dockerfile"].as_str().unwrap()).is_file(), "{name}");
            }
            let depends = service["depends_on"].as_object();
            for other in depends.into_iter().flat_map(|all| all.keys()) {
                assert!(services.contains_key(other), "{name}: no {other}");
            }
            for mount in service["volumes"].as_array().into_iter().flatten() {
                let (volume, _) = mount.as_str().unwrap().split_once(':').unwrap();
                assert!(file["volumes"].as_object().unwrap().contains_key(volume), "{name}");
            }
        }
    }
    let own = &compose(COMPOSE[0])["services"]["concord"]["volumes"][0];
    assert_eq!(own.as_str().unwrap().split_once(':').unwrap().1, volumes[0]);
}

#[test]
fn the_image_has_the_compiler_that_the_manifest_asks_for() {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    let image = format!("rust:{}-", version.trim_matches('"'));
    assert!(instructions("FROM")[0].starts_with(&image), "{image}");
}
