//! `session list`: every session, by id.

use crate::commands::Context;
use crate::error::Result;

/// List sessions by id
#[derive(Debug, clap::Args)]
#[command(long_about = "  snakepit session list\n\nList every session by id.")]
pub struct Args {}

pub(super) async fn run(_: Args, context: &Context) -> Result<()> {
    let sessions = context.client().await?.sessions().await?;
    context.printer.list(&sessions, "no sessions")
}
