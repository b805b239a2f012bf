//! The session that a user chose with `session use`: one line in a file for each bridge of this machine.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{DEFAULT_SESSION, state_dir};
use crate::error::{Error, Result};

/// Where the choice for a bridge is kept: `$XDG_STATE_HOME/snakepit/session/NAME`.
pub fn session_file(name: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    Some(state_dir(read)?.join("session").join(name))
}

/// The session that was chosen, if one was.
///
/// # Errors
/// [`Kind::Io`](crate::error::Kind::Io) when there is a choice that cannot be read.
pub(super) fn chosen_session(name: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>> {
    let Some(path) = session_file(name, read) else {
        return Ok(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim_end_matches('\n').to_owned()).filter(|id| !id.is_empty())),
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(cause) => Err(Error::io(format_args!("reading {}", path.display()), &cause)),
    }
}

/// Keeps a choice; the default session is kept as none.
///
/// # Errors
/// [`Kind::Io`](crate::error::Kind::Io).
pub fn keep_session(path: &Path, id: &str) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    if id == DEFAULT_SESSION {
        return match fs::remove_file(path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(Error::io(doing(), &cause)),
            _ => Ok(()),
        };
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|cause| Error::io(doing(), &cause))?;
    // Written beside and moved, so that no other terminal reads half of it.
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&beside, format!("{id}\n"))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|cause| Error::io(doing(), &cause))
}
