//! Where the files of a bridge are on this machine. Only names paths: it never makes or checks them.

use std::path::{Path, PathBuf};

use super::{SOCKET_PATH_LIMIT, env};
use crate::error::{Error, Kind, Result};

/// The socket of the bridge of that name: `$XDG_RUNTIME_DIR/snakepit/NAME.sock`, or
/// `/tmp/snakepit-UID/NAME.sock` where that variable is not set.
///
/// # Errors
/// [`Kind::BadAddress`] when the path is longer than a socket's path may be.
pub fn default_socket(name: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf> {
    let directory = match read(env::XDG_RUNTIME_DIR) {
        Some(runtime) => Path::new(&runtime).join("snakepit"),
        None => PathBuf::from(format!("/tmp/snakepit-{}", nix::unistd::getuid())),
    };
    let path = directory.join(format!("{name}.sock"));
    if path.as_os_str().len() > SOCKET_PATH_LIMIT {
        return Err(Error::new(
            Kind::BadAddress,
            format!(
                "the socket's path is longer than {SOCKET_PATH_LIMIT} bytes: `{}`",
                path.display()
            ),
        )
        .hint(format!("set {} to a shorter directory", env::XDG_RUNTIME_DIR)));
    }
    Ok(path)
}

/// Where reports of faults are kept: `$XDG_STATE_HOME/snakepit`, or `~/.local/state/snakepit`.
pub fn state_dir(read: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let base = read(env::XDG_STATE_HOME)
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&read(env::HOME)?).join(".local/state")))?;
    Some(base.join("snakepit"))
}
