//! The options of a worker on the command line, the same for `worker spawn` and `serve --worker`.
//!
//! Only shapes: what they mean is decided by the rooms that read them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::error::{Error, Kind, Result};
use crate::sys::directory;

use super::environment::Environment;
use super::spawn::Listen;
use super::supervise::WorkerSpec;
use super::target::Target;

/// Most processes of one `worker spawn`.
const MAX_PROCESSES: i64 = 1024;
/// Most calls at once in one process.
const MAX_CONCURRENT: i64 = 4096;

/// What to run and how.
#[derive(Debug, Clone, Args)]
pub struct WorkerOptions {
    /// A Python file (`tools.py`), a module (`package.module`), or either with `:Class`
    #[arg(value_name = "SPEC")]
    pub spec: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub settings: WorkerSettings,
}

/// How to run it, without what to run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Workers")]
pub struct WorkerSettings {
    /// How many processes
    #[arg(short = 'n', long = "processes", value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=MAX_PROCESSES))]
    pub processes: u32,

    /// The Python interpreter; by default the file's own (PEP 723), the active environment's, the project's, or
    /// the system's
    #[arg(long, value_name = "PATH", env = "SNAKEPIT_PYTHON")]
    pub python: Option<PathBuf>,

    /// Pass a variable on (NAME) or set it (NAME=VALUE); `{index}` in VALUE is the number of the process, from 0
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,

    /// Read variables from a file of NAME=VALUE lines
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,

    /// Start from a short list of variables (PATH, HOME, LANG, ...) instead of everything set here
    #[arg(long)]
    pub clean_env: bool,

    /// The working directory
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,

    /// Calls that one process runs at once [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_CONCURRENT))]
    pub max_concurrent: Option<u32>,

    /// The host name or address under which a bridge on another machine reaches the workers
    #[arg(long, value_name = "HOST")]
    pub advertise: Option<String>,

    /// How long a process may take to be ready, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub ready_timeout: Duration,

    /// How long a process may take to end when asked, in seconds, before it is killed
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub stop_grace: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let value: f64 = number
        .parse()
        .map_err(|_| format!("`{text}` is no number of seconds"))?;
    if !(0.0..=86_400.0).contains(&value) {
        return Err("it must be from 0 to 86400 seconds".into());
    }
    Ok(Duration::from_secs_f64(value))
}

/// What a worker needs from its surroundings, besides its options.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The interpreter that was chosen.
    pub python: PathBuf,
    /// The boot file.
    pub boot: PathBuf,
    /// Directories last on the path.
    pub overlay_path: Vec<PathBuf>,
    /// The bridge's address.
    pub bridge: String,
    /// The session that the workers serve; `None` = every session.
    pub session: Option<String>,
    /// The directory when the options name none; `None` = this process's.
    pub default_cwd: Option<PathBuf>,
    /// Keeps trying although no process has ever come up.
    pub persistent: bool,
}

impl WorkerSettings {
    /// The rules for the workers' environment. Fails for a variable or a file of a wrong form.
    pub fn environment(&self) -> Result<Environment> {
        Environment::new(self.clean_env, &self.env, self.env_file.as_deref())
    }

    /// Puts options and surroundings together. Fails for a directory, a file or an address that cannot be used.
    pub fn worker_spec(&self, target: &Target, around: Surroundings) -> Result<WorkerSpec> {
        let cwd = self.cwd.clone().or(around.default_cwd);
        if let Some(dir) = &cwd
            && !dir.is_dir()
        {
            return Err(Error::new(
                Kind::Usage,
                format!("`{}` is not a directory", dir.display()),
            ));
        }
        Ok(WorkerSpec {
            source: target.text.clone(),
            argument: target.argument(cwd.is_some())?,
            name: target.name(),
            processes: self.processes,
            python: around.python,
            boot: around.boot,
            overlay_path: around.overlay_path,
            environment: self.environment()?,
            cwd,
            max_concurrent: self.max_concurrent.unwrap_or(0),
            session: around.session,
            listen: listen(&around.bridge, self.advertise.as_deref())?,
            advertise: self.advertise.clone(),
            bridge: around.bridge,
            ready_timeout: self.ready_timeout,
            stop_grace: self.stop_grace,
            reaper: Path::new("/proc/self/exe").to_owned(),
            persistent: around.persistent,
        })
    }
}

/// Where workers of a bridge at `address` listen: on a socket when it is on this machine.
fn listen(address: &str, advertise: Option<&str>) -> Result<Listen> {
    if let Some(host) = advertise {
        return Ok(Listen::Tcp(host.to_owned()));
    }
    if is_local(address) {
        let dir = directory::runtime().map_err(|cause| {
            Error::io(
                format!(
                    "cannot use the runtime directory `{}`",
                    directory::runtime_path().display()
                ),
                &cause,
            )
        })?;
        return Ok(Listen::Unix(dir));
    }
    Err(Error::new(
        Kind::WorkerUnreachable,
        format!("the bridge at `{address}` is on another machine"),
    )
    .hint("say how it reaches this one: `--advertise HOST`"))
}

fn is_local(address: &str) -> bool {
    if address.starts_with("unix:") {
        return true;
    }
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest
        .rsplit_once(':')
        .map_or(rest, |(host, _)| host)
        .trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: WorkerOptions,
    }

    #[test]
    fn the_options_are_read_and_their_bounds_kept() {
        let line = Line::try_parse_from([
            "x",
            "tools.py",
            "-n",
            "4",
            "--env",
            "A={index}",
            "--env",
            "B",
            "--ready-timeout",
            "1.5",
        ])
        .unwrap();
        assert_eq!(line.options.settings.processes, 4);
        assert_eq!(line.options.settings.env, ["A={index}", "B"]);
        assert_eq!(line.options.settings.ready_timeout, Duration::from_millis(1500));
        assert!(Line::try_parse_from(["x", "tools.py", "-n", "0"]).is_err());
        assert!(Line::try_parse_from(["x", "tools.py", "--stop-grace", "-1"]).is_err());
        assert!(Line::try_parse_from(["x"]).is_err());
    }

    #[test]
    fn a_bridge_elsewhere_wants_to_know_how_to_reach_back() {
        for local in [
            "unix:/run/b.sock",
            "127.0.0.1:7",
            "localhost:7",
            "[::1]:7",
            "https://127.0.0.1:7",
        ] {
            assert!(is_local(local), "{local}");
        }
        assert_eq!(
            listen("gpu9:7000", None).unwrap_err().kind(),
            Kind::WorkerUnreachable
        );
        assert_eq!(listen("gpu9:7000", Some("me")).unwrap(), Listen::Tcp("me".into()));
    }
}
