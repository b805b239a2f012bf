//! `worker spawn`: supervises Python processes in this terminal.

use std::path::PathBuf;

use crate::commands::Context;
use crate::error::{Error, Kind, Result};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
  snakepit worker spawn tools.py

Start Python processes that offer the tools of a file or module, and keep them running until Ctrl-C. A process
that dies is started again. Everything runs in this directory and this environment.";

/// Start Python processes that offer the tools of a file or module
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file of functions (tools.py), a module, or MODULE:CLASS
    #[arg(value_name = "FILE|MODULE[:CLASS]")]
    pub spec: String,

    /// How many processes
    #[arg(short = 'n', long = "processes", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub processes: u16,

    /// The interpreter; else the virtual environment in force, a `.venv` near the file, or python3
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,

    /// Calls at once in each process
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_concurrent: Option<u32>,
}

pub(super) fn run(args: Args, _: &Context) -> Result<()> {
    Err(Error::new(
        Kind::NotServed,
        format!("`{}` cannot be spawned by this build", args.spec),
    ))
}
