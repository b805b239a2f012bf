//! `worker list`: every worker, by id.

use crate::commands::Context;
use crate::error::Result;

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit worker list

List every worker that the bridge knows, by id: its state, its calls, its tools.";

/// List workers by id
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(_: Args, context: &Context) -> Result<()> {
    let workers = context.client().await?.workers().await?;
    context
        .printer
        .list(&workers, "no workers: `snakepit worker spawn FILE` starts one")
}
