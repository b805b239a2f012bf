//! The Python package inside the binary, written to the user's cache once for each build of it.
//!
//! It goes last on a worker's path and nowhere else; nothing of the user's is written to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::sys::{directory, machine};

mod embedded {
    //! Written by build.rs.
    #![allow(missing_docs)]
    include!(concat!(env!("OUT_DIR"), "/python.rs"));
}

/// The file that a worker's interpreter runs.
const BOOT: &str = "snakepit_boot.py";

/// The cache folder, made where it is missing. Fails with `ProvisionFailed` when there is no place for it.
pub(super) fn cache() -> Result<PathBuf> {
    let path = directory::cache_path().ok_or_else(|| {
        Error::new(
            Kind::ProvisionFailed,
            "there is no place for a cache: neither HOME nor XDG_CACHE_HOME is set",
        )
        .hint("set XDG_CACHE_HOME to a directory of yours")
    })?;
    match fs::create_dir_all(&path) {
        Ok(()) => Ok(path),
        Err(cause) => Err(unwritable(&path, &cause)),
    }
}

fn unwritable(path: &Path, cause: &io::Error) -> Error {
    Error::new(
        Kind::ProvisionFailed,
        format!("cannot write to the cache `{}`: {cause}", path.display()),
    )
    .hint("set XDG_CACHE_HOME to a directory of yours")
}

/// Puts the package into the cache, where it is not yet, and returns the boot file's path.
pub(super) fn boot_file(cache: &Path) -> Result<PathBuf> {
    if !embedded::FILES.iter().any(|(name, _)| *name == BOOT) {
        return Err(Error::new(
            Kind::Internal,
            "this build of snakepit carries no Python package",
        ));
    }
    let folder = cache.join(format!(
        "overlay-{}-{}",
        env!("CARGO_PKG_VERSION"),
        embedded::HASH
    ));
    if !is_whole(&folder, embedded::FILES) {
        replace(&folder, |fresh| write(fresh, embedded::FILES))
            .map_err(|cause| unwritable(&folder, &cause))?;
    }
    Ok(folder.join(BOOT))
}

/// True when every file is there in its length: somebody may have cleaned the cache half.
fn is_whole(folder: &Path, files: &[(&str, &[u8])]) -> bool {
    files.iter().all(|(name, bytes)| {
        fs::metadata(folder.join(name))
            .is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64)
    })
}

fn write(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// Makes a folder beside the final one and moves it into place in one step; what was there is taken away first.
pub(super) fn replace(folder: &Path, fill: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let beside = |word: &str| -> io::Result<PathBuf> {
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{word}-{:016x}", machine::random()?));
        Ok(folder.with_file_name(name))
    };
    let fresh = beside("new")?;
    fs::create_dir_all(&fresh)?;
    let moved = fill(&fresh).and_then(|()| {
        if fs::rename(&fresh, folder).is_ok() {
            return Ok(());
        }
        // Something stands there: incomplete, or just put there by another process, which is as good as ours.
        let old = beside("old")?;
        fs::rename(folder, &old)?;
        let moved = fs::rename(&fresh, folder);
        let _ = fs::remove_dir_all(old);
        moved
    });
    if moved.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[(&str, &[u8])] = &[("a.py", b"1"), ("pkg/b.py", b"22")];

    #[test]
    fn files_are_put_in_place_and_an_incomplete_folder_is_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("overlay");
        assert!(!is_whole(&folder, FILES));
        replace(&folder, |fresh| write(fresh, FILES)).unwrap();
        assert!(is_whole(&folder, FILES));
        fs::remove_file(folder.join("pkg/b.py")).unwrap();
        assert!(!is_whole(&folder, FILES));
        replace(&folder, |fresh| write(fresh, FILES)).unwrap();
        assert!(is_whole(&folder, FILES));
        assert_eq!(
            fs::read_dir(temp.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("overlay");
        replace(&folder, |_| Err(io::Error::other("full"))).unwrap_err();
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_tests_caches_or_stubs_are_carried() {
        for (name, _) in embedded::FILES {
            let bad = name.contains("__pycache__") || name.contains("tests/") || name.ends_with(".pyi");
            assert!(!bad, "{name}");
        }
    }
}
