//! The stores that there are on this machine.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use concord::ports::SystemClock;
use concord::store::{MemoryStore, SqlStore, Store};

#[derive(Clone)]
pub struct Backend {
    pub name: &'static str,
    /// None for the store in memory.
    pub url: Option<String>,
}

impl Backend {
    pub async fn store(&self) -> Arc<dyn Store> {
        match &self.url {
            None => Arc::new(MemoryStore::new(Arc::new(SystemClock))),
            Some(url) => Arc::new(SqlStore::open(url).await.unwrap()),
        }
    }
}

pub struct Backends {
    pub all: Vec<Backend>,
    /// Why PostgreSQL is not among them.
    pub missing: Option<String>,
    folder: PathBuf,
    cluster: Option<PathBuf>,
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/postgres")
}

pub fn open() -> Backends {
    let folder = std::env::temp_dir().join(format!("concord-store-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let sqlite = format!("sqlite://{}", folder.join("store.sqlite").display());
    let mut all =
        vec![Backend { name: "memory", url: None }, Backend { name: "sqlite", url: Some(sqlite) }];
    let mut backends = Backends { all: Vec::new(), missing: None, folder, cluster: None };
    let named = std::env::var("CONCORD_TEST_POSTGRES_URL").ok();
    match named.map(Ok).unwrap_or_else(|| backends.start()) {
        Ok(url) => all.push(Backend { name: "postgres", url: Some(url) }),
        Err(why) => backends.missing = Some(why),
    }
    backends.all = all;
    backends
}

impl Backends {
    fn start(&mut self) -> Result<String, String> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The server's user must be able to reach its folder.
        let cluster = std::env::temp_dir().join(format!("concord-postgres-{port}"));
        let output = Command::new(script())
            .arg("start")
            .arg(&cluster)
            .arg(port.to_string())
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        self.cluster = Some(cluster);
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A folder for the files of what is tried with one of them.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub fn close(&self) {
        if let Some(cluster) = &self.cluster {
            let _ = Command::new(script()).arg("stop").arg(cluster).output();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
