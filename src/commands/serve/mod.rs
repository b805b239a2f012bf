//! `serve`: runs a bridge in this terminal.

mod running;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::Context;
use crate::config::{Listen, Serve, ServeFlags};
use crate::error::Result;
use crate::server::Layout;
use crate::workers::options::WorkerSettings;

/// How connections are spread over threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RuntimeChoice {
    /// A single-threaded runtime for each core but one: about half the CPU a call
    PerCore,
    /// One runtime over all cores
    Multi,
}

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit serve --worker tools.py

Run a bridge in this terminal until Ctrl-C. It listens on a unix socket that only you can reach; clients on this \
machine find it by themselves.";

/// Run a bridge in this terminal
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Listen on a TCP port too; 0 = any. Loopback only, and only with --no-auth
    #[arg(long, value_name = "HOST:PORT")]
    listen: Vec<Listen>,

    /// The unix socket's path, or `none` [default: by --name]
    #[arg(long, value_name = "PATH|none")]
    socket: Option<String>,

    /// Let everybody who reaches the TCP port in
    #[arg(long)]
    no_auth: bool,

    /// Keep nothing on disk: everything is gone when it ends. This release never keeps more
    #[arg(long)]
    ephemeral: bool,

    /// Start a worker with it: FILE or MODULE[:CLASS]
    #[arg(long, value_name = "SPEC")]
    worker: Vec<String>,

    #[command(flatten)]
    workers: WorkerSettings,

    /// The configuration file [default: snakepit.toml here, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// How connections are spread over threads
    #[arg(long, value_enum, default_value = "per-core")]
    runtime: RuntimeChoice,

    /// Write a line with the addresses to this file descriptor once it serves
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    ready_fd: Option<i32>,
}

pub(super) fn run(args: Args, context: &Context) -> Result<()> {
    crate::sys::memory::grow_in_large_steps();
    let layout = args.layout();
    let flags = ServeFlags {
        listen: args.listen,
        socket: args.socket,
        no_auth: args.no_auth,
        ephemeral: args.ephemeral,
        workers: args.worker,
        config: args.config,
        ready_fd: args.ready_fd,
    };
    let serve = Serve::resolve(flags, &context.config)?;
    context.block_on(running::run(&serve, layout, &args.workers, context))
}

impl Args {
    fn layout(&self) -> Layout {
        // One core is left to the runtime of timers and processes, and to Python: on two cores a second front takes more
        // in waiting for locks and the processor than it gives.
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let fronts = NonZeroUsize::new(cores - 1).unwrap_or(NonZeroUsize::MIN);
        match self.runtime {
            RuntimeChoice::PerCore => Layout::PerCore(fronts),
            RuntimeChoice::Multi => Layout::Multi,
        }
    }
}
