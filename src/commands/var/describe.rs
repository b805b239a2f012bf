//! `var describe`: all that is known of variables.

use serde::Serialize;

use crate::client::VariableView;
use crate::commands::{Context, suggest::suggest, when};
use crate::error::Result;
use crate::ui::{Cell, Column, Record};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit var describe learning_rate

Tell all that is known of a variable: type, value, constraints, version, who wrote it and when, metadata, id.";

/// Tell all that is known of a variable
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name or id
    name: String,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    match client.variable(&args.name).await {
        Ok(variable) => context.printer.item(&Described(variable)),
        Err(error) => Err(suggest(&client, &[args.name], error).await),
    }
}

/// A variable with every field in sight.
#[derive(Serialize)]
#[serde(transparent)]
struct Described(VariableView);

impl Record for Described {
    const COLUMNS: &'static [Column] = &[
        Column::left("name"),
        Column::left("type"),
        Column::left("value").flexible(),
        Column::left("constraints").flexible(),
        Column::left("version"),
        Column::left("revision"),
        Column::left("source"),
        Column::left("changed_by"),
        Column::left("created"),
        Column::left("updated"),
        Column::left("id"),
        Column::left("metadata").flexible(),
    ];

    fn name(&self) -> &str {
        &self.0.name
    }

    fn cells(&self) -> Vec<Cell> {
        let Self(variable) = self;
        let metadata: Vec<String> = variable
            .metadata
            .iter()
            .map(|(key, text)| format!("{key}={text}"))
            .collect();
        vec![
            Cell::new(&variable.name),
            Cell::new(&variable.type_name),
            Cell::new(variable.value.brief()),
            Cell::new(variable.constraints.get()),
            Cell::both(format_args!("v{}", variable.version), variable.version),
            Cell::both(format_args!("r{}", variable.revision), variable.revision),
            Cell::new(&variable.source),
            Cell::new(&variable.changed_by),
            when(variable.created_at),
            when(variable.updated_at),
            Cell::new(&variable.id),
            Cell::new(metadata.join(", ")),
        ]
    }
}
