//! Tools on the command line.

mod arguments;
mod call;
mod describe;
mod list;

use clap::Subcommand;

use super::Context;
use crate::client::ToolView;
use crate::error::Result;
use crate::ui::{Cell, Column, Record};

/// Verbs of tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List tools by name
    #[command(visible_alias = "ls", long_about = list::HELP)]
    List(list::Args),
    /// Describe a tool and its parameters
    #[command(long_about = describe::HELP)]
    Describe(describe::Args),
    /// Run a tool and print what it gives
    #[command(long_about = call::HELP)]
    Call(call::Args),
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List(args) => list::run(args, context).await,
            Self::Describe(args) => describe::run(args, context).await,
            Self::Call(args) => call::run(args, context).await,
        }
    }
}

impl Record for ToolView {
    const COLUMNS: &'static [Column] = &[
        Column::left("name"),
        Column::left("kind"),
        Column::left("streams"),
        Column::left("parameters").flexible(),
        Column::left("description").flexible(),
    ];

    fn name(&self) -> &str {
        &self.name
    }

    fn cells(&self) -> Vec<Cell> {
        let summary = self.description.lines().next().unwrap_or_default();
        vec![
            Cell::new(&self.name),
            Cell::new(&self.kind),
            Cell::both(if self.streams { "yes" } else { "" }, self.streams),
            Cell::new(self.signature()),
            Cell::both(summary, &self.description),
        ]
    }
}

impl ToolView {
    /// `text: str, top: int = 10`
    pub(super) fn signature(&self) -> String {
        let parameters = self.parameters.iter().map(|parameter| {
            let default = if parameter.required {
                String::new()
            } else {
                format!(" = {}", parameter.default.json())
            };
            format!("{}: {}{default}", parameter.name, parameter.type_name)
        });
        let extra = self.accepts_extra.then(|| "...".to_owned());
        parameters.chain(extra).collect::<Vec<_>>().join(", ")
    }
}
