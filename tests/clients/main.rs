//! The emulators of Kommo and Zoho CRM, and our own API, judged by clients that others wrote: a public one of
//! Kommo, Zoho's own SDKs for Python and Node.js, and a public one of GraphQL. Each judge is a script beside
//! this file; its packages are put once into the build's folder. In CI they must be had; elsewhere what is
//! skipped says so.
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

mod install;

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use concord::connectors::kommo;
use concord::lab::emulate::{self, AppHandle, Emulated};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde_json::json;

/// What is proved, by which script, of which emulator; or of the program itself.
const JUDGES: [(&str, &str, Option<Emulated>); 4] = [
    ("the_client_aioamocrm_takes_the_emulator_for_kommo", "aioamocrm.py", Some(Emulated::Kommo)),
    ("the_sdk_for_node_takes_the_emulator_for_zoho_crm", "zohocrmsdk.mjs", Some(Emulated::Zoho)),
    ("the_sdk_of_zoho_crm_takes_the_emulator_for_zoho_crm", "zohocrmsdk.py", Some(Emulated::Zoho)),
    ("the_client_gql_follows_a_run_that_it_has_started", "gql_follows.py", None),
];

const SCRIPT_PATIENCE: Duration = Duration::from_secs(120);
/// How long Kommo waits for the answer of a webhook.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(2);
const UNIQUE_FIELD: &str = "Customer_Code";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = JUDGES
        .into_iter()
        .map(|(name, script, of)| Trial::ignorable_test(name, move || judge(script, of)));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn judge(script: &str, of: Option<Emulated>) -> Result<Completion, Failed> {
    let mut command = match install::command(script) {
        Ok(command) => command,
        Err(why) if std::env::var_os("CI").is_some() => {
            return Err(format!("{script} was not tried: {why}").into());
        }
        Err(why) => {
            println!("NOT TRIED: {script}: {why}");
            return Ok(Completion::ignored_with(why));
        }
    };
    command.env("CONCORD", env!("CARGO_BIN_EXE_concord"));
    command.envs(of.map(serve).unwrap_or_default());
    let said = run(&mut command, script, SCRIPT_PATIENCE)?;
    if said.is_good { Ok(Completion::Completed) } else { Err(said.text.into()) }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Serves an emulator until the process ends. What a script has to know of it, for its environment.
fn serve(app: Emulated) -> Vec<(String, String)> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listening = emulate::listen(app, 0).await.unwrap();
            let address = listening.address.clone();
            let known = (address, listening.credentials.clone(), listening.app.clone());
            sender.send(known).unwrap();
            listening.serve().await.unwrap();
        });
    });
    let (address, mut known, app) = receiver.recv().unwrap();
    known.push(("address", address));
    match app {
        AppHandle::Kommo(emulator) => {
            known.push(("client_id", kommo::emulator::CLIENT_ID.to_owned()));
            known.push(("client_secret", kommo::emulator::CLIENT_SECRET.to_owned()));
            thread::spawn(move || post_webhooks(&emulator));
        }
        AppHandle::Zoho(emulator) => {
            emulator.person_adds_field(json!({
                "api_name": UNIQUE_FIELD,
                "data_type": "text",
                "unique": {"case_sensitive": false},
            }));
            known.push(("unique_field", UNIQUE_FIELD.to_owned()));
        }
    }
    let name = |name: &str| format!("EMULATOR_{}", name.to_uppercase());
    known.into_iter().map(|(key, value)| (name(key), value)).collect()
}

fn post_webhooks(emulator: &kommo::emulator::Emulator) {
    loop {
        for delivery in emulator.due_deliveries() {
            let status = post(&delivery.url, delivery.content_type, &delivery.body);
            emulator.answered(delivery.id, status);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The status of the answer. Scripts listen on this machine, so it needs no TLS.
fn post(url: &str, content_type: &str, body: &str) -> Option<u16> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut line = TcpStream::connect(host).ok()?;
    line.set_read_timeout(Some(WEBHOOK_PATIENCE)).ok()?;
    let request = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    line.write_all(request.as_bytes()).ok()?;
    let mut first = String::new();
    BufReader::new(line).read_line(&mut first).ok()?;
    first.split(' ').nth(1)?.parse().ok()
}

struct Said {
    is_good: bool,
    text: String,
}

/// Runs a command to its end, or to the end of the patience with it.
fn run(command: &mut Command, name: &str, patience: Duration) -> io::Result<Said> {
    let log = format!("clients-{}-{name}.log", std::process::id());
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(log);
    // A file never fills up, as a pipe does that is read only in the end.
    let file = File::create(&log)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn()?;
    let end = Instant::now() + patience;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break Some(status),
            None if Instant::now() < end => thread::sleep(Duration::from_millis(50)),
            None => break None,
        }
    };
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let mut text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    fs::remove_file(&log)?;
    if status.is_none() {
        text.push_str(&format!("\nno end after {patience:?}"));
    }
    Ok(Said { is_good: status.is_some_and(|status| status.success()), text })
}
