//! The data folder, and the key that is kept in it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Part;
use crate::ports::{Entropy, SystemEntropy};
use crate::secrets::MasterKey;

const KEY_FILE: &str = "secret.key";
pub(super) const NO_KEY: &str = "the secret key is missing: a worker needs that of its server, as CONCORD_SECRET_KEY, or in the \
                      data folder that --data names";

/// Makes the folder if it is not there, and finds out whether files can be made in it.
pub(super) fn writable(data: &Path) -> Result<(), String> {
    let made = std::fs::create_dir_all(data).and_then(|()| tempfile::tempfile_in(data));
    made.map(drop).map_err(|error| unwritable(data, &error))
}

/// Finds out whether files can be made in the folder, or where it is to be made.
pub(super) fn could_be_written(data: &Path) -> Result<(), String> {
    let is_there = data.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(is_there).map(drop).map_err(|error| unwritable(data, &error))
}

/// The file of the key in the data folder.
pub(super) fn key_file(data: &Path) -> PathBuf {
    data.join(KEY_FILE)
}

/// The key in the data folder, made if it is not there; only its owner can read it. A worker makes none:
/// with another than the server's it could not open what that has sealed.
pub(super) fn kept_key(data: &Path, part: Part) -> Result<MasterKey, String> {
    let file = key_file(data);
    if !file.exists() {
        if part == Part::Worker {
            return Err(NO_KEY.to_owned());
        }
        writable(data)?;
        make_key(data, &file)?;
        eprintln!("a new secret key is in {}: keep a copy of it with each backup", file.display());
    }
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(&file).map_err(|error| fault(&error))?;
    MasterKey::parse(&text).map_err(|error| fault(&error))
}

/// Makes a key unless another process has made one meanwhile. It gets its name when it is whole, so that
/// nobody reads half of it.
fn make_key(data: &Path, file: &Path) -> Result<(), String> {
    let entropy: &dyn Entropy = &SystemEntropy;
    let key = MasterKey::generate(entropy).map_err(|error| error.to_string())?;
    let whole = || -> io::Result<NamedTempFile> {
        let mut draft = NamedTempFile::new_in(data)?;
        draft.write_all(key.to_text().as_bytes())?;
        draft.as_file().sync_all()?;
        Ok(draft)
    };
    let draft = whole().map_err(|error| unwritable(data, &error))?;
    match draft.persist_noclobber(file) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => {
            Err(unwritable(data, &refused.error))
        }
        _ => Ok(()),
    }
}

fn unwritable(data: &Path, error: &io::Error) -> String {
    format!(
        "the data folder {} can't be written ({error}): choose another by --data",
        data.display()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn those_who_start_at_once_have_one_key_that_only_the_owner_reads() {
        const STARTING: usize = 8;
        for _ in 0..20 {
            let data = tempfile::tempdir().unwrap();
            let folder = data.path().join("below");
            let barrier = Barrier::new(STARTING);
            let start = || {
                barrier.wait();
                kept_key(&folder, Part::Whole).map(|key| key.to_text().to_string())
            };
            let keys: BTreeSet<_> = thread::scope(|scope| {
                let starting: Vec<_> = (0..STARTING).map(|_| scope.spawn(start)).collect();
                starting.into_iter().map(|one| one.join().unwrap().unwrap()).collect()
            });
            assert_eq!(keys.len(), 1, "one key");
            let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
            assert_eq!(files.len(), 1, "{files:?}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
    }

    #[test]
    fn a_key_that_is_broken_is_told_and_left() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join(KEY_FILE);
        std::fs::write(&file, "half").unwrap();
        let fault = kept_key(data.path(), Part::Whole).err().unwrap();
        assert!(fault.contains("secret.key: a secret key is 32 random bytes"), "{fault}");
        assert!(!fault.contains("half"), "no secret is told");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "half");
    }
}
