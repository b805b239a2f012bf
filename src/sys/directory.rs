//! Directories that belong to one user: for sockets, and for what is kept between runs.
//!
//! A directory is used only when this user owns it and nobody else can write to it; a symbolic link is refused.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Longest path that a unix socket can be bound to, in bytes (`sun_path` without its final zero).
pub const MAX_SOCKET_PATH: usize = 107;

/// Where sockets live: `$XDG_RUNTIME_DIR/snakepit`, else `/tmp/snakepit-UID`. It need not exist yet.
pub fn runtime_path() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| Path::new(dir).is_absolute()) {
        Some(dir) => PathBuf::from(dir).join("snakepit"),
        None => PathBuf::from(format!("/tmp/snakepit-{}", nix::unistd::getuid())),
    }
}

/// [`runtime_path`], made with mode 0700 where it is missing, and checked.
pub fn runtime() -> io::Result<PathBuf> {
    let path = runtime_path();
    private(&path)?;
    Ok(path)
}

/// Where things are kept that can be made again: `$XDG_CACHE_HOME/snakepit`, else `~/.cache/snakepit`.
///
/// `None` when neither variable is set. It need not exist yet.
pub fn cache_path() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|dir| dir.join("snakepit"))
}

/// Makes a directory with mode 0700, or checks that the one there is a real directory of this user alone.
///
/// Fails with `PermissionDenied` when it is a link, somebody else's, or open to others.
pub fn private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(cause),
    }
    let found = fs::symlink_metadata(path)?;
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
    if !found.is_dir() {
        return refuse("it is not a directory (a link is refused)");
    }
    if found.uid() != nix::unistd::getuid().as_raw() {
        return refuse("it belongs to another user");
    }
    if found.mode() & 0o077 != 0 {
        return refuse("other users can reach it; its mode must be 0700");
    }
    Ok(())
}

/// True when the file's owner is this user or root, whatever it links to.
pub fn is_trusted(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.uid() == 0 || found.uid() == nix::unistd::getuid().as_raw())
}

/// Sets the mask of permissions that new files do not get, for the whole process; returns the former one.
pub fn umask(mask: u32) -> u32 {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(mask)).bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_private_directory_is_made_and_found_again() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("run");
        private(&dir).unwrap();
        private(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_link_and_an_open_directory_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("run");
        private(&dir).unwrap();
        let link = temp.path().join("link");
        symlink(&dir, &link).unwrap();
        assert_eq!(
            private(&link).unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(private(&dir).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
