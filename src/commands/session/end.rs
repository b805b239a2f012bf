//! `session end`: ends a session and all that belongs to it.

use std::collections::BTreeMap;

use crate::commands::{Context, suggest::near_session};
use crate::error::{Kind, Result};
use crate::ui::{Output, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session end exp1

End a session: its variables, its own tools and its watches go. Without `--force` it is refused while a call runs \
there or an optimizer holds a lease.";

/// End a session and all that belongs to it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id
    id: String,

    /// Cancel what runs there
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    // Ending is idempotent on the wire; a person who mistypes a name wants to know.
    if let Err(error) = client.session_view(&args.id).await {
        return Err(match error.kind() {
            Kind::SessionNotFound => near_session(&client, &args.id, error).await,
            _ => error,
        });
    }
    let cleaned = client.end_session(&args.id, args.force).await?;
    context
        .printer
        .done(format_args!("ended session {}  ({})", args.id, counts(&cleaned)));
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => context
            .printer
            .json_line(&serde_json::json!({"id": args.id, "cleaned": cleaned})),
        _ => Ok(()),
    }
}

fn counts(cleaned: &BTreeMap<String, i32>) -> String {
    let parts: Vec<String> = cleaned
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if parts.is_empty() {
        "it was empty".to_owned()
    } else {
        parts.join(", ")
    }
}
