//! Sessions on the command line.

mod end;
mod list;
mod new;
mod show;

use clap::Subcommand;

use super::Context;
use crate::client::SessionView;
use crate::error::Result;
use crate::ui::{Cell, Column, Record, span};

/// Verbs of sessions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a session that never expires
    #[command(long_about = new::HELP)]
    New(new::Args),
    /// List sessions by id
    #[command(visible_alias = "ls", long_about = list::HELP)]
    List(list::Args),
    /// Describe a session
    #[command(long_about = show::HELP)]
    Show(show::Args),
    /// End a session and all that belongs to it
    #[command(visible_alias = "rm", long_about = end::HELP)]
    End(end::Args),
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::New(args) => new::run(args, context).await,
            Self::List(args) => list::run(args, context).await,
            Self::Show(args) => show::run(args, context).await,
            Self::End(args) => end::run(args, context).await,
        }
    }
}

impl Record for SessionView {
    const COLUMNS: &'static [Column] = &[
        Column::left("id"),
        Column::right("revision"),
        Column::right("variables"),
        Column::right("tools"),
        Column::right("watches"),
        Column::right("calls"),
        Column::left("expires"),
        Column::left("created"),
    ];

    fn name(&self) -> &str {
        &self.id
    }

    fn cells(&self) -> Vec<Cell> {
        let expires = match self.expires_in_ms.and_then(|millis| u64::try_from(millis).ok()) {
            Some(millis) => Cell::both(
                format_args!("in {}", span(std::time::Duration::from_millis(millis))),
                millis,
            ),
            None => Cell::new("never"),
        };
        vec![
            Cell::new(&self.id),
            Cell::new(self.revision),
            Cell::new(self.variables),
            Cell::new(self.tools),
            Cell::new(self.watches),
            Cell::new(self.calls),
            expires,
            super::when(self.created_at),
        ]
    }
}
