//! `var list`: the variables of a session, by name.

use crate::commands::{Context, suggest::suggest};
use crate::error::Result;

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit var list 'layers*'

List the variables of the session by name.";

/// List variables by name
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only names that match: * is any text, ? any one character
    #[arg(value_name = "GLOB", default_value = "", hide_default_value = true)]
    pattern: String,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    match client.list_variables(&args.pattern).await {
        Ok(variables) => {
            let empty = if args.pattern.is_empty() {
                "no variables yet: `snakepit var register NAME VALUE` makes one".to_owned()
            } else {
                format!("no variable matches `{}`", args.pattern)
            };
            context.printer.list(&variables, &empty)
        }
        Err(error) => Err(suggest(&client, &[], error).await),
    }
}
