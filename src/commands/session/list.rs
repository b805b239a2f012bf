//! `session list`: every session, by id.

use crate::commands::Context;
use crate::error::Result;

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session list

List every session by id.";

/// List sessions by id
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(_: Args, context: &Context) -> Result<()> {
    let sessions = context.client().await?.sessions().await?;
    context.printer.list(&sessions, "no sessions")
}
