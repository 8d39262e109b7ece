//! What runs the judges: an interpreter, with their packages in a folder of the build, which is filled if it
//! is not there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::{folder, run};

const PATIENCE: Duration = Duration::from_secs(300);

/// A language that judges are written in.
struct Language {
    interpreter: &'static str,
    /// What the packages are, so that others are put into another folder.
    packages: &'static str,
    /// What to do if there is no interpreter.
    advice: &'static str,
    fill: fn(&Path) -> Result<(), String>,
}

const PYTHON: Language = Language {
    interpreter: "python3",
    packages: include_str!("requirements.txt"),
    advice: "there is no python3; install Debian's packages python3 and python3-venv",
    fill: fill_for_python,
};
const NODE: Language = Language {
    interpreter: "node",
    packages: include_str!("package-lock.json"),
    advice: "there is no node; install Debian's packages nodejs and npm",
    fill: fill_for_node,
};

/// What runs a script; or why nothing does, and what to do about it.
pub fn command(script: &str) -> Result<Command, String> {
    static OF_PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    static OF_NODE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    if script.ends_with(".py") {
        let place = OF_PYTHON.get_or_init(|| PYTHON.install()).clone()?;
        let mut command = Command::new(place.join("bin/python"));
        command.arg(folder().join(script));
        return Ok(command);
    }
    let place = OF_NODE.get_or_init(|| NODE.install()).clone()?;
    // Packages are looked for beside a script.
    let copy = place.join(script);
    fs::copy(folder().join(script), &copy).map_err(|error| error.to_string())?;
    let mut command = Command::new(NODE.interpreter);
    command.arg(copy);
    Ok(command)
}

impl Language {
    /// The folder with the packages.
    fn install(&self) -> Result<PathBuf, String> {
        let version = Command::new(self.interpreter).arg("--version").output();
        let version = version.ok().filter(|output| output.status.success()).ok_or(self.advice)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&version.stdout).update(self.packages.as_bytes());
        let name = format!("clients-{}", &hasher.finalize().to_hex().as_str()[..16]);
        let builds = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let place = builds.join(&name);
        if !place.exists() {
            // It gets its name when it is whole, so that nobody uses half of it.
            let draft = builds.join(format!("{name}.{}", std::process::id()));
            let made = (self.fill)(&draft)
                .and_then(|()| fs::rename(&draft, &place).map_err(|error| error.to_string()));
            if made.is_err() {
                let _ = fs::remove_dir_all(&draft);
            }
            // Another process may have been faster.
            if !place.exists() {
                made?;
            }
        }
        Ok(place)
    }
}

fn fill_for_python(draft: &Path) -> Result<(), String> {
    do_step(
        Command::new("python3").args(["-m", "venv"]).arg(draft),
        "venv",
        "python3 makes no virtual environment; install Debian's package python3-venv",
    )?;
    do_step(
        Command::new(draft.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(folder().join("requirements.txt")),
        "pip",
        "the packages in tests/clients/requirements.txt can't be installed; they need Python 3.10 \
         or newer, and PyPI or a mirror of it",
    )
}

fn fill_for_node(draft: &Path) -> Result<(), String> {
    let copied = fs::create_dir_all(draft).and_then(|()| {
        let copy = |name: &str| fs::copy(folder().join(name), draft.join(name)).map(|_| ());
        copy("package.json").and_then(|()| copy("package-lock.json"))
    });
    copied.map_err(|error| error.to_string())?;
    do_step(
        Command::new("npm")
            .args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(draft),
        "npm",
        "the packages in tests/clients/package-lock.json can't be installed; they need Debian's \
         package npm, and the registry of npm or a mirror of it",
    )
}

fn do_step(command: &mut Command, name: &str, advice: &str) -> Result<(), String> {
    let said = run(command, name, PATIENCE).map_err(|error| format!("{advice}: {error}"))?;
    let last = said.text.trim().lines().last().unwrap_or_default();
    if said.is_good { Ok(()) } else { Err(format!("{advice}: {last}")) }
}
