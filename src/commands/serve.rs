//! `serve`: runs a bridge in this terminal.

use std::path::PathBuf;

use super::Context;
use crate::config::{Listen, Serve, ServeFlags};
use crate::error::{Error, Kind, Result};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
  snakepit serve --worker tools.py

Run a bridge in this terminal until Ctrl-C. It listens on a unix socket that only you can reach; clients on this
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

    /// Keep nothing on disk: everything is gone when it ends
    #[arg(long)]
    ephemeral: bool,

    /// Start a worker with it: FILE or MODULE[:CLASS]
    #[arg(long, value_name = "SPEC")]
    worker: Vec<String>,

    /// The configuration file [default: snakepit.toml here, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Write a line with the addresses to this file descriptor once it serves
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    ready_fd: Option<i32>,
}

pub(super) fn run(args: Args, context: &Context) -> Result<()> {
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
    Err(Error::new(
        Kind::NotServed,
        format!("this build cannot serve bridge `{}`", serve.name),
    ))
}
