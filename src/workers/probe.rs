//! Asks an interpreter what it is and what it has: one short run, answered in JSON.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::environment::Variables;
use super::errand;

/// How long an interpreter may take to answer; network file systems are slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// The oldest Python that workers run on.
pub const OLDEST: (u32, u32) = (3, 10);
const SCRIPT: &str = include_str!("probe.py");
const MARKER: &str = "snakepit-probe ";

/// A package that a worker needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What it is imported as: `grpc`; empty = only pip's name is known.
    pub import_name: String,
    /// What pip calls it, with the versions that fit: `grpcio>=1.60`.
    pub requirement: String,
}

impl Need {
    /// From both names.
    pub fn new(import_name: &str, requirement: &str) -> Self {
        Self {
            import_name: import_name.to_owned(),
            requirement: requirement.to_owned(),
        }
    }

    /// The name that a person knows it by.
    pub fn name(&self) -> &str {
        if !self.import_name.is_empty() {
            return &self.import_name;
        }
        let end = self.requirement.find(|letter| "<>=!~ [;".contains(letter));
        &self.requirement[..end.unwrap_or(self.requirement.len())]
    }

    /// From pip's name alone, as a file declares it.
    pub fn distribution(requirement: &str) -> Self {
        Self::new("", requirement)
    }
}

/// What every worker needs, as the package's own `pyproject.toml` has it.
pub fn base_needs() -> Vec<Need> {
    vec![
        Need::new("grpc", "grpcio>=1.60"),
        Need::new("google.protobuf", "protobuf>=4.25,<8"),
    ]
}

/// What an interpreter answered.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) executable: PathBuf,
    pub(super) version: (u32, u32, u32),
    /// Tells builds apart whose compiled packages do not fit each other.
    pub(super) tag: String,
    pub(super) pip: bool,
    pub(super) missing: Vec<Need>,
    /// There in a version that does not fit, with that version.
    pub(super) unfit: Vec<(Need, String)>,
}

impl Found {
    pub(super) fn is_new_enough(&self) -> bool {
        (self.version.0, self.version.1) >= OLDEST
    }

    pub(super) fn version_text(&self) -> String {
        format!("{}.{}.{}", self.version.0, self.version.1, self.version.2)
    }
}

#[derive(Deserialize)]
struct Answer {
    version: (u32, u32, u32),
    executable: PathBuf,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    pip: bool,
    #[serde(default)]
    needs: Vec<Look>,
}

#[derive(Deserialize)]
struct Look {
    have: bool,
    #[serde(default)]
    version: String,
    #[serde(default)]
    fits: bool,
}

/// Runs the probe. The error is what went wrong, line by line.
pub(super) fn ask(python: &Path, needs: &[Need], variables: &Variables) -> Result<Found, Vec<String>> {
    let wanted: Vec<_> = needs
        .iter()
        .map(|need| (&need.import_name, &need.requirement))
        .collect();
    let wanted = serde_json::to_string(&wanted).map_err(|cause| vec![cause.to_string()])?;
    let mut command = Command::new(python);
    command.env_clear().envs(variables).args(["-c", SCRIPT, &wanted]);
    let mut answer = None;
    let done = errand::run(command, PATIENCE, |line| {
        if let Some(json) = line.and_then(|line| line.strip_prefix(MARKER)) {
            answer = serde_json::from_str::<Answer>(json).ok();
        }
    })
    .map_err(|cause| vec![cause.to_string()])?;
    let Some(answer) = answer.filter(|_| done.succeeded()) else {
        let mut why = done.tail;
        match done.status {
            None => why.push(format!("it did not answer within {} s", PATIENCE.as_secs())),
            Some(status) if why.is_empty() => why.push(format!("it printed nothing ({status})")),
            Some(_) => {}
        }
        return Err(why);
    };
    let mut found = Found {
        // Behind a shim or a link is the real one; without an answer, the one that was asked.
        executable: if answer.executable.is_absolute() {
            answer.executable
        } else {
            python.to_owned()
        },
        version: answer.version,
        tag: answer.tag,
        pip: answer.pip,
        missing: Vec::new(),
        unfit: Vec::new(),
    };
    for (need, look) in needs.iter().zip(answer.needs) {
        if !look.have {
            found.missing.push(need.clone());
        } else if !look.fits {
            found.unfit.push((need.clone(), look.version));
        }
    }
    Ok(found)
}
