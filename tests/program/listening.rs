//! What listens: on a port that is free, on one that is not, and until somebody ends it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{Folder, answer, concord, concord_in, refusal};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A program that goes on, and ends with the test.
struct Started {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Started {
    fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits for it to end.
    fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for a page of a server on this machine. Gives its status and its body.
fn get(address: &str, path: &str, token: Option<&str>) -> Option<(u16, String)> {
    let host = address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).ok()?;
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let token = token.unwrap_or_default();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{token}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Some((head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned()))
}

fn taken_port() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

#[test]
fn a_port_in_use_is_named_with_the_option_that_takes_another() {
    let folder = Folder::new("port");
    let (_listener, port) = taken_port();
    let data = folder.join("data");
    for (mut command, option) in [
        (concord_in(&data, &["serve", "--port", &port]), "another port by --port"),
        (concord_in(&data, &["demo", "--once", "--port", &port]), "another port by --port"),
        (concord_in(&data, &["demo", "--once", "--zoho-port", &port]), "another by --zoho-port"),
        (concord(&["emulate", "kommo", "--port", &port]), "another by --port"),
    ] {
        let said = refusal(&mut command);
        assert!(said.contains(&port) && said.contains("can't be listened on"), "{said}");
        assert!(said.contains(option), "{said}");
    }
}

#[test]
fn an_emulator_tells_where_it_is_and_what_to_type_in_and_answers_there() {
    let (listener, port) = taken_port();
    drop(listener);
    let arguments = ["emulate", "kommo", "--port", &port, "--contacts", "10", "--seed", "3"];
    let mut started = Started::new(&mut concord(&arguments));
    let address = format!("http://127.0.0.1:{port}");
    assert_eq!(started.line(), format!("address: {address}"));
    assert_eq!(started.line(), "host: demo.kommo.com");
    let line = started.line();
    let token = line.strip_prefix("token: ").unwrap_or_else(|| panic!("{line}"));
    let (status, _) = get(&address, "/api/v4/account", Some(token)).unwrap();
    assert_eq!(status, 200);
    let (status, _) = get(&address, "/api/v4/account", Some("another")).unwrap();
    assert_eq!(status, 401);
    let (status, body) = get(&address, "/_emulator/contacts", None).unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("custom_fields_values"), "people have moved in: {body}");
}

#[test]
fn an_embedded_database_has_one_server() {
    let folder = Folder::new("two-servers");
    let data = folder.join("data");
    let start = || {
        let (listener, port) = taken_port();
        drop(listener);
        concord_in(&data, &["serve", "--port", &port])
    };
    let mut first = Started::new(&mut start());
    assert!(first.line().ends_with("/graphql"));
    for mut second in [start(), concord_in(&data, &["demo", "--once"])] {
        let said = refusal(&mut second);
        assert!(said.contains("stop every server and worker of it first"), "{said}");
    }
    answer(&mut concord_in(&data, &["token"]));
    answer(&mut concord_in(&data, &["doctor"]));
    drop(first);
    assert!(Started::new(&mut start()).line().ends_with("/graphql"), "it was killed");
}

#[cfg(unix)]
#[test]
fn a_server_that_is_told_to_end_ends_well() {
    let folder = Folder::new("ended");
    let data = folder.join("data");
    let (listener, port) = taken_port();
    drop(listener);
    let mut started = Started::new(&mut concord_in(&data, &["serve", "--port", &port]));
    let address = format!("http://127.0.0.1:{port}");
    assert_eq!(started.line(), format!("{address}/graphql"));
    let begun = Instant::now();
    while get(&address, "/readyz", None).is_none_or(|(status, _)| status != 200) {
        assert!(begun.elapsed() < PATIENCE, "it does not become ready");
        std::thread::sleep(LOOK_EVERY);
    }
    answer(&mut concord_in(&data, &["probe", "--port", &port]));
    let id = started.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(started.end().code(), Some(0));
    assert!(get(&address, "/readyz", None).is_none());
    let output = concord_in(&data, &["probe", "--port", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
