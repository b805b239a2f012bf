//! Everything that a worker needs before it can start: an interpreter, the package, and what the package needs.
//!
//! Blocking, for minutes the first time: run it off the runtime. What is made here is made once, in the user's cache,
//! and runs that come at the same time wait for each other.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Kind, Result};

use super::environment::Variables;
use super::errand;
use super::interpreter;
use super::overlay;
use super::pip;
use super::probe::{self, Found, Need};
use super::script;
use super::target::Target;

/// How often somebody who waits for another run is told that it still waits.
const LOCK_TICK: Duration = Duration::from_millis(100);

/// Draws what is going on; the caller's.
pub trait Progress {
    /// Something new begins: `installing grpcio, protobuf`.
    fn stage(&self, text: &str);
    /// It still goes on.
    fn tick(&self);
    /// It is over, well or not.
    fn done(&self);
}

/// For nobody who looks.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _text: &str) {}
    fn tick(&self) {}
    fn done(&self) {}
}

/// What is wanted.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The interpreter that the user named.
    pub python: Option<&'a Path>,
    /// What the worker serves: its file and folder say more about the interpreter.
    pub target: Option<&'a Target>,
    /// Packages besides grpcio and protobuf.
    pub extra: &'a [Need],
    /// The workers' environment (see [`super::environment::Environment::variables`]): what they will find counts.
    pub variables: Variables,
}

/// A Python that can run workers.
#[derive(Debug, Clone)]
pub struct Provision {
    /// The interpreter.
    pub python: PathBuf,
    /// Its version: `3.11.7`.
    pub version: String,
    /// Why this one, as a noun: `the active environment /home/me/env`.
    pub why: String,
    /// The boot file of the overlay.
    pub boot: PathBuf,
    /// Directories that go last on the workers' sys.path.
    pub overlay_path: Vec<PathBuf>,
    /// What the interpreter lacked and the overlay brings, by pip's names.
    pub brought: Vec<String>,
}

impl Provision {
    /// What was chosen and why, in one line.
    pub fn line(&self) -> String {
        let brought = match self.brought.as_slice() {
            [] => String::new(),
            some => format!("; it lacks {}, taken from snakepit's cache", some.join(", ")),
        };
        format!(
            "python {} ({}), {}{brought}",
            self.version,
            self.python.display(),
            self.why
        )
    }
}

/// Chooses an interpreter and completes it. Fails with `NoPython` or `ProvisionFailed`, saying what mends it.
pub fn provision(request: &Request<'_>, progress: &dyn Progress) -> Result<Provision> {
    let made = make(request, progress);
    progress.done();
    made
}

fn make(request: &Request<'_>, progress: &dyn Progress) -> Result<Provision> {
    progress.stage("looking for Python");
    let uv = errand::on_path("uv");
    let mut needs = probe::base_needs();
    needs.extend(request.extra.iter().cloned());
    if uv.is_none() || request.python.is_some() {
        // Without uv the file's dependencies come as everything else does: into the private folder, where they lack.
        needs.extend(declared_needs(request.target)?);
    }
    let chosen = interpreter::choose(
        request.python,
        request.target,
        uv.as_deref(),
        &needs,
        &request.variables,
        progress,
    )?;
    let found = chosen.found;
    if let Some((need, version)) = found.unfit.first() {
        let python = found.executable.display();
        return Err(Error::new(
            Kind::ProvisionFailed,
            format!(
                "`{python}` has {} {version}, and `{}` is needed",
                need.name(),
                need.requirement
            ),
        )
        .detail("what an environment has wins over what snakepit brings")
        .hint(format!(
            "`{python} -m pip install '{}'`, or another Python with `--python PATH`",
            need.requirement
        )));
    }
    let cache = overlay::cache()?;
    let boot = overlay::boot_file(&cache)?;
    let mut overlay_path = Vec::new();
    if !found.missing.is_empty() {
        overlay_path.push(dependencies(&found, &cache, progress)?);
    }
    let brought = found
        .missing
        .iter()
        .map(|need| need.requirement.clone())
        .collect();
    Ok(Provision {
        version: found.version_text(),
        python: found.executable,
        why: chosen.why,
        boot,
        overlay_path,
        brought,
    })
}

/// What the file itself says that it needs (PEP 723).
fn declared_needs(target: Option<&Target>) -> Result<Vec<Need>> {
    let Some(file) = target.and_then(Target::file) else {
        return Ok(Vec::new());
    };
    let declared = script::declared(file)?.unwrap_or_default();
    Ok(declared
        .iter()
        .map(|requirement| Need::distribution(requirement))
        .collect())
}

/// The folder with what the interpreter lacks, made where it is not there yet.
fn dependencies(found: &Found, cache: &Path, progress: &dyn Progress) -> Result<PathBuf> {
    let folder = cache.join(format!(
        "deps-{}-{:016x}",
        file_name(&found.tag),
        fingerprint(&found.missing)
    ));
    if folder.is_dir() {
        return Ok(folder);
    }
    let _lock = lock(&folder, progress)?;
    // Another run may have made it while this one waited.
    if folder.is_dir() {
        return Ok(folder);
    }
    let mut refused = None;
    let placed = overlay::replace(&folder, |fresh| {
        pip::install(found, &found.missing, fresh, cache, progress).map_err(|error| {
            let short = std::io::Error::other(error.to_string());
            refused = Some(error);
            short
        })
    });
    match (refused, placed) {
        (Some(error), _) => Err(error),
        (None, Err(cause)) => Err(Error::new(
            Kind::ProvisionFailed,
            format!("cannot write `{}`: {cause}", folder.display()),
        )),
        (None, Ok(())) => Ok(folder),
    }
}

/// Keeps other runs from making the same folder. The lock ends with the file, also when this process is killed.
fn lock(folder: &Path, progress: &dyn Progress) -> Result<File> {
    let path = folder.with_extension("lock");
    let doing = || format!("cannot lock `{}`", path.display());
    let file = File::create(&path).map_err(|cause| Error::io(doing(), &cause))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(cause)) => return Err(Error::io(doing(), &cause)),
        }
        if !std::mem::replace(&mut told, true) {
            progress.stage("waiting for another snakepit that installs the same packages");
        }
        progress.tick();
        std::thread::sleep(LOCK_TICK);
    }
}

/// Stable over runs and builds of this binary; it only names a folder.
fn fingerprint(needs: &[Need]) -> u64 {
    let bytes = needs.iter().flat_map(|need| need.requirement.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn file_name(tag: &str) -> String {
    tag.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}
