//! The environment of a worker: the user's own, unless asked otherwise, and what makes Python behave under us.
//!
//! What the user has set always wins over the defaults here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Variables of a worker's process, by name.
pub type Variables = BTreeMap<OsString, OsString>;

/// What `--clean-env` keeps, besides `LC_*`: enough for programs, locale and temporary files to work.
const KEPT: [&str; 11] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TMPDIR",
    "TERM",
    "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME",
];
/// Set where the user did not.
const DEFAULTS: [(&str, &str); 3] = [
    ("PYTHONUNBUFFERED", "1"),
    ("GRPC_ENABLE_FORK_SUPPORT", "0"),
    ("GRPC_VERBOSITY", "ERROR"),
];
/// Numeric libraries take every core each, unless told otherwise.
const THREADS: [&str; 4] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
];
/// Largest `--env-file`, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// Where a worker's variables come from.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    clean: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// Passed on from here, when it is set here.
    Pass(String),
    /// Set, with `{index}` standing for the slot's number.
    Set(String, String),
}

impl Environment {
    /// From the options: `clean` starts from a short list instead of everything, a file of `NAME=VALUE` lines is
    /// read next, and each of `env` (`NAME` or `NAME=VALUE`) wins over what came before.
    ///
    /// Fails with `Usage` for a name that is none, with `Io` or `Config` for a file that cannot be read.
    pub fn new(clean: bool, env: &[String], file: Option<&Path>) -> Result<Self> {
        let mut entries = file.map(read_file).transpose()?.unwrap_or_default();
        for text in env {
            let entry = match text.split_once('=') {
                Some((name, value)) => Entry::Set(name.to_owned(), value.to_owned()),
                None => Entry::Pass(text.clone()),
            };
            let (Entry::Set(name, _) | Entry::Pass(name)) = &entry;
            if !is_name(name) {
                return Err(
                    Error::new(Kind::Usage, format!("`--env {text}` names no variable"))
                        .hint("write `--env NAME` to pass one on, or `--env NAME=VALUE`"),
                );
            }
            entries.push(entry);
        }
        Ok(Self { clean, entries })
    }

    /// The variables of slot `index` (from 0) of `processes`, starting from this process's own.
    pub fn variables(&self, index: u32, processes: u32) -> Variables {
        self.over(
            std::env::vars_os().collect(),
            index,
            processes,
            crate::sys::machine::cores(),
        )
    }

    fn over(&self, inherited: Variables, index: u32, processes: u32, cores: usize) -> Variables {
        let keep = |name: &OsStr| {
            let name = name.to_string_lossy();
            !self.clean || KEPT.contains(&name.as_ref()) || name.starts_with("LC_")
        };
        let mut variables: Variables = inherited
            .iter()
            .filter(|(name, _)| keep(name))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        for entry in &self.entries {
            match entry {
                Entry::Pass(name) => {
                    if let Some(value) = inherited.get(OsStr::new(name)) {
                        variables.insert(name.into(), value.clone());
                    }
                }
                Entry::Set(name, value) => {
                    variables.insert(name.into(), value.replace("{index}", &index.to_string()).into());
                }
            }
        }
        for (name, value) in DEFAULTS {
            variables.entry(name.into()).or_insert_with(|| value.into());
        }
        if processes > 1 {
            let share = (cores / processes as usize).max(1).to_string();
            for name in THREADS {
                variables
                    .entry(name.into())
                    .or_insert_with(|| share.clone().into());
            }
        }
        variables
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0']) && !name.contains(char::is_whitespace)
}

fn read_file(path: &Path) -> Result<Vec<Entry>> {
    let doing = || format!("cannot read the environment file `{}`", path.display());
    let size = std::fs::metadata(path)
        .map_err(|cause| Error::io(doing(), &cause))?
        .len();
    if size > MAX_FILE {
        return Err(Error::new(
            Kind::Config,
            format!("{}: it has more than {MAX_FILE} bytes", doing()),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|cause| Error::io(doing(), &cause))?;
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        match line.split_once('=') {
            Some((name, value)) if is_name(name.trim()) => {
                entries.push(Entry::Set(
                    name.trim().to_owned(),
                    unquote(value.trim()).to_owned(),
                ));
            }
            _ => {
                let at = format!("{}: line {} is not NAME=VALUE", doing(), number + 1);
                return Err(Error::new(Kind::Config, at));
            }
        }
    }
    Ok(entries)
}

fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inherited() -> Variables {
        [
            ("PATH", "/bin"),
            ("SECRET", "s"),
            ("LC_ALL", "C"),
            ("GRPC_VERBOSITY", "DEBUG"),
            ("MKL_NUM_THREADS", "7"),
        ]
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
    }

    fn get<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
        variables.get(OsStr::new(name)).and_then(|value| value.to_str())
    }

    #[test]
    fn everything_is_inherited_and_the_users_settings_win_over_defaults() {
        let variables = Environment::default().over(inherited(), 0, 4, 8);
        assert_eq!(get(&variables, "SECRET"), Some("s"));
        assert_eq!(get(&variables, "GRPC_VERBOSITY"), Some("DEBUG"));
        assert_eq!(get(&variables, "GRPC_ENABLE_FORK_SUPPORT"), Some("0"));
        assert_eq!(get(&variables, "OMP_NUM_THREADS"), Some("2"));
        assert_eq!(get(&variables, "MKL_NUM_THREADS"), Some("7"));
        let alone = Environment::default().over(inherited(), 0, 1, 8);
        assert_eq!(get(&alone, "OMP_NUM_THREADS"), None);
    }

    #[test]
    fn a_clean_environment_has_what_is_asked_for_and_the_slots_number() {
        let options = [
            "SECRET".to_owned(),
            "CUDA_VISIBLE_DEVICES={index}".to_owned(),
            "UNSET_HERE".to_owned(),
        ];
        let variables = Environment::new(true, &options[1..], None)
            .unwrap()
            .over(inherited(), 3, 4, 2);
        assert_eq!(get(&variables, "SECRET"), None);
        assert_eq!(get(&variables, "LC_ALL"), Some("C"));
        assert_eq!(get(&variables, "CUDA_VISIBLE_DEVICES"), Some("3"));
        assert_eq!(get(&variables, "OMP_NUM_THREADS"), Some("1"));
        let variables = Environment::new(true, &options, None)
            .unwrap()
            .over(inherited(), 0, 1, 2);
        assert_eq!(get(&variables, "SECRET"), Some("s"));
        assert_eq!(get(&variables, "UNSET_HERE"), None);
    }

    #[test]
    fn a_file_is_read_and_a_bad_line_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("env");
        std::fs::write(&path, "# c\n\nA=1\nexport B=\"two words\"\nC='x'\n").unwrap();
        let variables = Environment::new(true, &["A=2".into()], Some(&path))
            .unwrap()
            .over(inherited(), 0, 1, 1);
        assert_eq!(get(&variables, "A"), Some("2"));
        assert_eq!(get(&variables, "B"), Some("two words"));
        assert_eq!(get(&variables, "C"), Some("x"));
        std::fs::write(&path, "A=1\nnonsense\n").unwrap();
        let error = Environment::new(false, &[], Some(&path)).unwrap_err();
        assert!(error.message().contains("line 2"), "{error}");
        assert_eq!(
            Environment::new(false, &["=x".into()], None).unwrap_err().kind(),
            Kind::Usage
        );
    }
}
