//! `tool list`: the tools that the session can call, by name.

use crate::commands::{Context, suggest::suggest};
use crate::error::Result;

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit tool list

List the tools that the session can call, by name: those of workers and those of the host.";

/// List tools by name
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only names that match: * is any text, ? any one character
    #[arg(value_name = "GLOB", default_value = "", hide_default_value = true)]
    pattern: String,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    match client.tools(&args.pattern).await {
        Ok(tools) => {
            let empty = if args.pattern.is_empty() {
                "no tools: `snakepit worker spawn FILE` offers those of a file".to_owned()
            } else {
                format!("no tool matches `{}`", args.pattern)
            };
            context.printer.list(&tools, &empty)
        }
        Err(error) => Err(suggest(&client, &[], error).await),
    }
}
