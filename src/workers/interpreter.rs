//! Which Python runs a worker, and why that one.
//!
//! The first that applies: the one that was named; the file's own (its PEP 723 block, where uv is installed); the active
//! virtual or conda environment; a `.venv` found upward from the file; the system's. Nothing is installed here except by uv
//! into uv's own cache.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::sys::directory;

use super::environment::Variables;
use super::errand;
use super::probe::{self, Found, Need, OLDEST};
use super::provision::Progress;
use super::script;
use super::target::Target;

/// How long uv may take to make the environment of a file.
const UV_PATIENCE: Duration = Duration::from_secs(600);
/// The system's, in the order in which they are tried.
const SYSTEM: [&str; 8] = [
    "python3",
    "python",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.15",
];

/// A chosen interpreter, with the probe's answer.
pub(super) struct Chosen {
    pub(super) found: Found,
    pub(super) why: String,
}

/// Chooses. Fails with `NoPython` when none can be used, or `ProvisionFailed` when uv cannot make the file's own.
pub(super) fn choose(
    named: Option<&Path>,
    target: Option<&Target>,
    uv: Option<&Path>,
    needs: &[Need],
    variables: &Variables,
    progress: &dyn Progress,
) -> Result<Chosen> {
    let certain = |python: &Path, why: String| {
        usable(python, &why, needs, variables).map(|found| Chosen { found, why })
    };
    if let Some(python) = named {
        return certain(python, "named by --python".into());
    }
    if let (Some(file), Some(uv)) = (target.and_then(Target::file), uv)
        && script::declared(file)?.is_some()
    {
        let python = through_uv(uv, file, progress)?;
        return certain(
            &python,
            format!(
                "the environment that `{}` declares (PEP 723, by uv)",
                file.display()
            ),
        );
    }
    if let Some(prefix) = std::env::var_os("VIRTUAL_ENV").filter(|prefix| !prefix.is_empty()) {
        let python = Path::new(&prefix).join("bin/python");
        return certain(&python, format!("the active environment {}", prefix.display()));
    }
    if let Some(prefix) = std::env::var_os("CONDA_PREFIX").filter(|prefix| !prefix.is_empty()) {
        let python = Path::new(&prefix).join("bin/python");
        if python.exists() {
            return certain(
                &python,
                format!("the active conda environment {}", prefix.display()),
            );
        }
    }
    let folder = target.map_or_else(|| std::env::current_dir().unwrap_or_default(), Target::folder);
    if let Some(prefix) = environment_upward(&folder) {
        return certain(&prefix.join("bin/python"), format!("found {}", prefix.display()));
    }
    system(needs, variables)
}

fn usable(python: &Path, why: &str, needs: &[Need], variables: &Variables) -> Result<Found> {
    let oldest = format!("{}.{}", OLDEST.0, OLDEST.1);
    match probe::ask(python, needs, variables) {
        Ok(found) if found.is_new_enough() => Ok(found),
        Ok(found) => Err(Error::new(
            Kind::NoPython,
            format!(
                "`{}` is Python {}; workers need {oldest} or newer",
                python.display(),
                found.version_text()
            ),
        )
        .detail(format!("it was taken because it is {why}"))
        .hint("name another with `--python PATH`")),
        Err(reasons) => {
            let error = Error::new(
                Kind::NoPython,
                format!("`{}` cannot be used as Python", python.display()),
            )
            .detail(format!("it was taken because it is {why}"));
            Err(reasons
                .into_iter()
                .fold(error, Error::detail)
                .hint("name another with `--python PATH`"))
        }
    }
}

fn system(needs: &[Need], variables: &Variables) -> Result<Chosen> {
    let mut reasons = Vec::new();
    for name in SYSTEM {
        let Some(python) = errand::on_path(name) else {
            continue;
        };
        match probe::ask(&python, needs, variables) {
            Ok(found) if found.is_new_enough() => {
                return Ok(Chosen {
                    found,
                    why: format!("the system's ({name} on PATH)"),
                });
            }
            Ok(found) => reasons.push(format!("{} is Python {}", python.display(), found.version_text())),
            Err(why) => reasons.push(format!(
                "{}: {}",
                python.display(),
                why.last().map_or("", String::as_str)
            )),
        }
    }
    let message = if reasons.is_empty() {
        "there is no python3 on PATH".to_owned()
    } else {
        format!("no Python on PATH is {}.{} or newer", OLDEST.0, OLDEST.1)
    };
    let error = reasons
        .into_iter()
        .fold(Error::new(Kind::NoPython, message), Error::detail);
    Err(error
        .hint("install it (Debian and Ubuntu: `sudo apt install python3`), or name one with `--python PATH`"))
}

/// The nearest `.venv` of this user, in the folder or above it.
fn environment_upward(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|dir| dir.join(".venv"))
        // Somebody else's, in a shared folder above, would run their code as this user.
        .find(|prefix| prefix.join("bin/python").exists() && directory::is_trusted(prefix))
}

fn through_uv(uv: &Path, file: &Path, progress: &dyn Progress) -> Result<PathBuf> {
    progress.stage(&format!("making the environment of {}", file.display()));
    let failed = |what: &str, tail: Vec<String>| {
        let error = Error::new(
            Kind::ProvisionFailed,
            format!("{what} failed for `{}`", file.display()),
        );
        tail.into_iter()
            .fold(error, Error::detail)
            .hint(format!("see `uv sync --script {}`", file.display()))
    };
    let mut sync = Command::new(uv);
    sync.args(["sync", "--no-progress", "--script"]).arg(file);
    let done = errand::run(sync, UV_PATIENCE, |_| progress.tick())
        .map_err(|cause| Error::io("cannot run uv", &cause))?;
    if !done.succeeded() {
        return Err(failed("`uv sync --script`", done.tail));
    }
    let mut find = Command::new(uv);
    find.args(["python", "find", "--script"]).arg(file);
    let mut python = None;
    let done = errand::run(find, UV_PATIENCE, |line| {
        python = line
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or(python.take());
    })
    .map_err(|cause| Error::io("cannot run uv", &cause))?;
    match python {
        Some(python) if done.succeeded() => Ok(python),
        _ => Err(failed("`uv python find --script`", done.tail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_environment_above_is_found() {
        let temp = tempfile::tempdir().unwrap();
        let deep = temp.path().join("a/b/c");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(environment_upward(&deep), None);
        for prefix in [temp.path().join(".venv"), temp.path().join("a/b/.venv")] {
            std::fs::create_dir_all(prefix.join("bin")).unwrap();
            std::fs::write(prefix.join("bin/python"), "").unwrap();
            assert_eq!(environment_upward(&deep), Some(prefix));
        }
    }

    #[test]
    fn a_named_program_that_is_no_python_is_refused_with_its_reason() {
        let error = usable(Path::new("/bin/false"), "named", &[], &Variables::new()).unwrap_err();
        assert_eq!(error.kind(), Kind::NoPython);
        let error = usable(Path::new("/no/such"), "named", &[], &Variables::new()).unwrap_err();
        assert!(
            error.details().iter().any(|line| line.contains("No such file")),
            "{error:?}"
        );
    }
}
