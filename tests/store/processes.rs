//! Two real processes over one database: the one that lost its lease writes nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use concord::store::{Error, Held, LeaseKey, LeaseKind, SqlStore, Store, WorkspaceId};

use crate::backends::runtime;
use crate::build::{Bench, live};

const PLAY: &str = "CONCORD_TEST_SECOND";

/// If this process was started as the second one, plays its part: takes the lease for a second, says
/// so, waits to be told, and then tries to write.
pub fn play_second() -> Option<ExitCode> {
    let part = std::env::var(PLAY).ok()?;
    let parts: Vec<&str> = part.split(' ').collect();
    let [url, workspace, connection, feed] = parts.as_slice() else {
        return Some(ExitCode::FAILURE);
    };
    let key = LeaseKey {
        workspace: WorkspaceId(workspace.parse().unwrap()),
        kind: LeaseKind::Connection,
        subject: connection.parse().unwrap(),
    };
    runtime().block_on(async {
        let store = SqlStore::open(url).await.unwrap();
        let held: Held =
            store.acquire(&key, "second", Duration::from_millis(1500)).await.unwrap().unwrap();
        println!("holds {}", held.fence);
        std::io::stdout().flush().unwrap();
        let mut told = String::new();
        std::io::stdin().read_line(&mut told).unwrap();
        let feed = concord::store::FeedId(feed.parse().unwrap());
        let records = vec![live("l1", "from the second", "a@x.es")];
        let step = Some(concord::store::Step { from: None, to: "lost".into() });
        let read = concord::store::Observation::of(feed, records);
        let observation = concord::store::Observation { step, ..read };
        let answer = store.observe(&held, &observation).await;
        let renewed = store.renew(&held, Duration::from_secs(60)).await.unwrap();
        println!("fenced {} renewed {renewed}", matches!(answer, Err(Error::Fenced)));
    });
    Some(ExitCode::SUCCESS)
}

pub fn try_two(url: &str) {
    let runtime = runtime();
    let store = runtime.block_on(async { SqlStore::open(url).await.unwrap() });
    let bench = runtime.block_on(Bench::new(std::sync::Arc::new(store)));
    let part =
        format!("{url} {} {} {}", bench.workspace.0, bench.connection.0, bench.feeds.left.id.0);
    let mut second = Command::new(std::env::current_exe().unwrap())
        .env(PLAY, part)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(second.stdout.take().unwrap()).lines();
    let first_line = said.next().unwrap().unwrap();
    let fence: u64 = first_line.strip_prefix("holds ").unwrap().parse().unwrap();
    runtime.block_on(async {
        let ttl = Duration::from_secs(60);
        let early = bench.store.acquire(&bench.lease(), "first", ttl).await.unwrap();
        assert!(early.is_none(), "the second process holds it");
        tokio::time::sleep(Duration::from_millis(1700)).await;
        let held = bench.store.acquire(&bench.lease(), "first", ttl).await.unwrap().unwrap();
        assert!(held.fence > fence, "the fence grows");
        let page = bench.observation(vec![live("l1", "from the first", "a@x.es")]);
        bench.store.observe(&held, &page).await.unwrap();
    });
    second.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    assert_eq!(said.next().unwrap().unwrap(), "fenced true renewed false");
    assert!(second.wait().unwrap().success());
    runtime.block_on(async {
        let feed = bench.store.feed(bench.workspace, bench.feeds.left.id).await.unwrap();
        assert_eq!((feed.cursor, feed.last_change), (None, 1), "it wrote nothing");
    });
}
