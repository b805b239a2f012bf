//! `worker spawn`: supervises Python processes in this terminal.

use std::sync::Arc;

use super::supervision::{Supervision, Work};
use crate::client::RemoteRegistrar;
use crate::commands::Context;
use crate::commands::signals::Signals;
use crate::error::{Error, Result};
use crate::sys;
use crate::workers::options::WorkerOptions;

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit worker spawn tools.py

Start Python processes that offer the tools of a file or module, and keep them running until Ctrl-C. A process \
that dies is started again. Everything runs in this directory and this environment.";

/// Start Python processes that offer the tools of a file or module
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: WorkerOptions,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    // Asked first, so that a bridge that is not there is told before an environment is made.
    context.client().await?;
    // The runtime library would swallow the first fault that another process sends us.
    sys::signal::die_of_faults().map_err(|cause| Error::io("signals cannot be set up", &cause))?;
    let mut signals = Signals::listen()?;
    let work = Work {
        spec: &args.options.spec,
        settings: &args.options.settings,
        bridge: context.config.address.to_string(),
        session: context.config.named_session.clone(),
        extra: &[],
        in_its_folder: false,
    };
    let registrar = Arc::new(RemoteRegistrar::new(context.config.address.clone()));
    let supervision = tokio::select! {
        started = Supervision::start(work, registrar, context) => started?,
        () = signals.next() => return Ok(()),
    };
    signals.next().await;
    context
        .printer
        .note("stopping the workers; Ctrl-C again ends them at once");
    let killer = supervision.killer();
    let stopped = supervision.stop();
    tokio::pin!(stopped);
    tokio::select! {
        () = &mut stopped => return Ok(()),
        () = signals.next() => killer.cancel(),
    }
    stopped.await;
    Ok(())
}
