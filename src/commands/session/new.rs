//! `session new`: makes a session, or attaches to one.

use std::time::Duration;

use super::ttl;
use crate::cli::duration;
use crate::commands::Context;
use crate::error::Result;
use crate::ui::{Output, Shape, span};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session new exp1

Make a session that never expires, or attach to the one there is. With `--ttl` it ends by itself that long after \
the last request that names it.";

/// Make a session that never expires
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id
    id: String,

    /// Let it expire this long after its last use
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ttl: Option<Duration>,

    /// Fail if it exists
    #[arg(long)]
    create_only: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let ttl = ttl(args.ttl)?;
    let client = context.client().await?;
    let reply = client.new_session(&args.id, ttl, args.create_only).await?;
    let lives = match u64::try_from(reply.ttl_seconds) {
        Ok(seconds) => format!(
            "expires {} after its last use",
            span(Duration::from_secs(seconds))
        ),
        Err(_) => "never expires".to_owned(),
    };
    let what = if reply.created { "made" } else { "attached to" };
    context.printer.done(format_args!(
        "{what} session {}  (rev {}, {lives})",
        args.id, reply.revision
    ));
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => context.printer.item(&client.session_view(&args.id).await?),
        _ => Ok(()),
    }
}
