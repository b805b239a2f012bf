//! `session fork`: a new session that begins with what this one holds.

use std::time::Duration;

use super::ttl;
use crate::cli::duration;
use crate::commands::{Context, suggest::suggest};
use crate::error::Result;
use crate::ui::{Output, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session fork exp2

Make a session that begins with the variables of the session in force, as of now or as of a checkpoint. From then on \
the two have nothing to do with each other. Variables keep their names, values, versions and metadata and get ids of \
their own. The new session never expires unless `--ttl` says so.";

/// Make a session that begins with the variables of this one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The new session's id
    id: String,

    /// Begin with what was kept under this name
    #[arg(long, value_name = "NAME")]
    checkpoint: Option<String>,

    /// Let the new session expire this long after its last use
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ttl: Option<Duration>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    let ttl = ttl(args.ttl)?;
    let made = match client.fork(&args.id, args.checkpoint.as_deref(), ttl).await {
        Ok(made) => made,
        Err(error) => return Err(suggest(&client, &[], error).await),
    };
    context.printer.done(format_args!(
        "forked session {} from {} at rev {}  ({} variables)",
        args.id,
        client.session(),
        made.from_revision,
        made.variables
    ));
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => context.printer.item(&client.session_view(&args.id).await?),
        _ => Ok(()),
    }
}
