//! Workers on the command line.

mod list;
mod spawn;
pub(super) mod supervision;

use clap::Subcommand;

use super::Context;
use crate::client::WorkerView;
use crate::error::Result;
use crate::ui::{Cell, Column, Record};

/// Verbs of workers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start Python processes that offer the tools of a file or module
    #[command(long_about = spawn::HELP)]
    Spawn(spawn::Args),
    /// List workers by id
    #[command(visible_alias = "ls", long_about = list::HELP)]
    List(list::Args),
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Spawn(args) => context.block_on(spawn::run(args, context)),
            Self::List(args) => context.block_on(list::run(args, context)),
        }
    }
}

impl Record for WorkerView {
    const COLUMNS: &'static [Column] = &[
        Column::left("id"),
        Column::left("state"),
        Column::right("running"),
        Column::right("finished"),
        Column::right("failed"),
        Column::right("restarts"),
        Column::right("pid"),
        Column::left("started"),
        Column::left("source").flexible(),
        Column::left("tools").flexible(),
    ];

    fn name(&self) -> &str {
        &self.id
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::new(&self.id),
            Cell::new(&self.state),
            Cell::both(format_args!("{}/{}", self.running, self.capacity), self.running),
            Cell::new(self.finished),
            Cell::new(self.failed),
            Cell::new(self.restarts),
            Cell::new(self.pid),
            super::when(self.started_at),
            Cell::new(&self.source),
            Cell::new(self.tools.join(" ")),
        ]
    }
}
