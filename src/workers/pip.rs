//! Installs packages into a private folder: with the interpreter's own pip, with uv, or with a pip fetched for it.
//!
//! Wheels only: nothing is compiled and no package's code runs. The user's environment is never written to.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Kind, Result};

use super::errand::{self, Done};
use super::probe::{Found, Need};
use super::provision::Progress;

/// How long an installation may take.
const PATIENCE: Duration = Duration::from_secs(900);
/// How many of the installer's last lines an error shows.
const SHOWN_LINES: usize = 12;
const FETCH_PIP: &str = include_str!("fetch_pip.py");

/// Installs into `folder`, which is there and empty. `cache` is where a fetched pip is put.
pub(super) fn install(
    python: &Found,
    needs: &[Need],
    folder: &Path,
    cache: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    let command = installer(python, folder, cache, needs, progress)?;
    progress.stage(&format!("installing {}", names(needs)));
    let done = run(command, progress)?;
    if done.succeeded() {
        Ok(())
    } else {
        Err(failure(python, needs, &done))
    }
}

fn installer(
    python: &Found,
    folder: &Path,
    cache: &Path,
    needs: &[Need],
    progress: &dyn Progress,
) -> Result<Command> {
    let mut command = if python.pip {
        let mut command = Command::new(&python.executable);
        command.args(["-m", "pip"]);
        command
    } else if let Some(uv) = errand::on_path("uv") {
        let mut command = Command::new(uv);
        command
            .args([
                "pip",
                "install",
                "--no-progress",
                "--only-binary",
                ":all:",
                "--python",
            ])
            .arg(&python.executable);
        command
            .arg("--target")
            .arg(folder)
            .args(needs.iter().map(|need| &need.requirement));
        return Ok(command);
    } else {
        progress.stage("fetching pip");
        let mut command = Command::new(&python.executable);
        // A wheel is a zip, and Python runs what is inside it.
        command.arg(fetch_pip(python, needs, cache, progress)?.join("pip"));
        command
    };
    command.args([
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ]);
    command
        .args(["--no-warn-script-location", "--only-binary", ":all:", "--target"])
        .arg(folder);
    command.args(needs.iter().map(|need| &need.requirement));
    // Settings of the user's that contradict a private folder.
    command
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .env_remove("PIP_TARGET")
        .env_remove("PIP_PREFIX");
    if std::env::var_os("PIP_RETRIES").is_none() {
        command.env("PIP_RETRIES", "2");
    }
    Ok(command)
}

fn fetch_pip(python: &Found, needs: &[Need], cache: &Path, progress: &dyn Progress) -> Result<PathBuf> {
    let folder = cache.join("pip");
    std::fs::create_dir_all(&folder)
        .map_err(|cause| Error::io(format!("cannot make `{}`", folder.display()), &cause))?;
    let mut command = Command::new(&python.executable);
    command.args(["-c", FETCH_PIP]).arg(&folder);
    let done = run(command, progress)?;
    match done.tail.last().map(PathBuf::from) {
        Some(wheel) if done.succeeded() && wheel.is_file() => Ok(wheel),
        _ => Err(failure(python, needs, &done)
            .detail("the interpreter has no pip, uv is not installed, and pip could not be fetched")
            .hint("install pip (Debian and Ubuntu: `sudo apt install python3-pip`) or uv")),
    }
}

fn run(command: Command, progress: &dyn Progress) -> Result<Done> {
    errand::run(command, PATIENCE, |line| match line {
        Some(line) if is_news(line) => progress.stage(line.trim()),
        _ => progress.tick(),
    })
    .map_err(|cause| Error::io("cannot run the installer", &cause))
}

/// The lines of pip that say what it does now.
fn is_news(line: &str) -> bool {
    ["Collecting ", "Downloading ", "Installing "]
        .iter()
        .any(|word| line.trim_start().starts_with(word))
}

fn names(needs: &[Need]) -> String {
    let name = |need: &Need| {
        need.requirement
            .split(['<', '>', '=', '!', '~', ' ', '['])
            .next()
            .unwrap_or("")
            .to_owned()
    };
    needs.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// What pip's or urllib's words mean.
fn meaning(tail: &[String]) -> Option<(&'static str, &'static str)> {
    let said = |words: &[&str]| {
        tail.iter()
            .any(|line| words.iter().any(|word| line.contains(word)))
    };
    if said(&[
        "name resolution",
        "Name or service not known",
        "Network is unreachable",
        "Failed to establish a new connection",
        "Connection refused",
        "NewConnectionError",
        "urlopen error",
        "timed out",
        "dns error",
        "Could not fetch URL",
    ]) {
        return Some((
            "the package index cannot be reached",
            "check the network or proxy; PIP_INDEX_URL names another index, PIP_NO_INDEX=1 with PIP_FIND_LINKS a folder of wheels",
        ));
    }
    if said(&["No space left"]) {
        return Some((
            "the disk is full",
            "make room, or set XDG_CACHE_HOME to another disk",
        ));
    }
    if said(&[
        "No matching distribution",
        "no matching distribution",
        "has no wheels",
    ]) {
        return Some((
            "no index or folder that was asked has a wheel for this interpreter",
            "name another Python with `--python PATH`",
        ));
    }
    if said(&["No module named pip"]) {
        return Some((
            "its pip is broken",
            "mend it (Debian and Ubuntu: `sudo apt install --reinstall python3-pip`)",
        ));
    }
    None
}

fn failure(python: &Found, needs: &[Need], done: &Done) -> Error {
    let meaning = match done.status {
        None => Some(("it took too long", "try again; what was downloaded is kept")),
        Some(_) => meaning(&done.tail),
    };
    let why = meaning.map(|(why, _)| format!(": {why}")).unwrap_or_default();
    let what = format!(
        "cannot install {} for Python {}{why}",
        names(needs),
        python.version_text()
    );
    let skip = done.tail.len().saturating_sub(SHOWN_LINES);
    let mut error = done
        .tail
        .iter()
        .skip(skip)
        .fold(Error::new(Kind::ProvisionFailed, what), Error::detail);
    if let Some((_, hint)) = meaning {
        error = error.hint(hint);
    }
    let requirements: Vec<_> = needs
        .iter()
        .map(|need| format!("'{}'", need.requirement))
        .collect();
    error.hint(format!(
        "or install them yourself: `{} -m pip install {}`",
        python.executable.display(),
        requirements.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installers_words_are_translated() {
        let line = "  NewConnectionError: Failed to establish a new connection: [Errno -3]".to_owned();
        assert!(meaning(&[line]).unwrap().0.contains("cannot be reached"));
        let line = "ERROR: No matching distribution found for grpcio".to_owned();
        assert!(meaning(&[line]).unwrap().0.contains("has a wheel"));
        assert_eq!(meaning(&["something else".to_owned()]), None);
    }
}
