//! `session restore`: makes a session as it was at a checkpoint.

use crate::commands::{Context, confirm::confirm, suggest::suggest};
use crate::error::Result;
use crate::ui::{Output, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session restore before_tuning

Make every variable of the session as it was when the checkpoint was made, in one revision. What was registered since \
goes, unless another checkpoint keeps it. Values come back under new versions; watches see it and go on.";

/// Make the session as it was at a checkpoint
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The checkpoint
    name: String,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    if !args.yes {
        confirm(
            &format!(
                "replace the variables of session {} by {}?",
                client.session(),
                args.name
            ),
            context,
        )?;
    }
    let (revision, variables) = match client.restore(&args.name).await {
        Ok(restored) => restored,
        Err(error) => return Err(suggest(&client, &[], error).await),
    };
    context.printer.done(format_args!(
        "restored session {} to {}  (rev {revision}, {variables} variables)",
        client.session(),
        args.name
    ));
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => context
            .printer
            .json_line(&serde_json::json!({"revision": revision, "variables": variables})),
        _ => Ok(()),
    }
}
