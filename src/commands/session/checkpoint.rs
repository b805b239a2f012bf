//! `session checkpoint`: keeps a session as it is under a name; lists what is kept, lets it go.

use crate::client::CheckpointView;
use crate::commands::{Context, suggest::suggest, when};
use crate::error::Result;
use crate::ui::{Cell, Column, Output, Record, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Examples:
  snakepit session checkpoint before_tuning
  snakepit session checkpoint --list

Keep every variable of the session as it is now under a name, to go back with `session restore`. It costs next to \
nothing: what did not change is shared. A session keeps 16.";

/// Keep the session as it is under a name
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name to keep it under
    #[arg(required_unless_present = "list")]
    name: Option<String>,

    /// List what is kept
    #[arg(long, conflicts_with = "name")]
    list: bool,

    /// Let that one go
    #[arg(long, conflicts_with = "list")]
    delete: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    let Some(name) = args.name else {
        return match client.checkpoints().await {
            Ok(kept) => context.printer.list(&kept, "no checkpoints"),
            Err(error) => Err(suggest(&client, &[], error).await),
        };
    };
    if args.delete {
        return match client.drop_checkpoint(&name).await {
            Ok(()) => {
                context.printer.done(format_args!(
                    "let checkpoint {name} of session {} go",
                    client.session()
                ));
                Ok(())
            }
            Err(error) => Err(suggest(&client, &[], error).await),
        };
    }
    let kept = match client.checkpoint(&name).await {
        Ok(kept) => kept,
        Err(error) => return Err(suggest(&client, &[], error).await),
    };
    context.printer.done(format_args!(
        "kept session {} as {name}  (rev {}, {} variables)",
        client.session(),
        kept.revision,
        kept.variables
    ));
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => context.printer.item(&kept),
        _ => Ok(()),
    }
}

impl Record for CheckpointView {
    const COLUMNS: &'static [Column] = &[
        Column::left("name"),
        Column::right("revision"),
        Column::right("variables"),
        Column::right("bytes"),
        Column::left("created"),
        Column::left("by"),
    ];

    fn name(&self) -> &str {
        &self.name
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(&self.name),
            Cell::new(self.revision),
            Cell::new(self.variables),
            Cell::new(self.bytes),
            when(self.created_at),
            Cell::new(&self.created_by),
        ]
    }
}
