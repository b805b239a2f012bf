//! Sessions on the command line.

mod checkpoint;
mod end;
mod export;
mod fork;
mod import;
mod list;
mod new;
mod restore;
mod show;
mod use_;

use std::time::Duration;

use clap::Subcommand;

use super::Context;
use crate::client::SessionView;
use crate::error::{Error, Kind, Result};
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
    /// Work in that session from now on
    #[command(long_about = use_::HELP)]
    Use(use_::Args),
    /// Make a session that begins with the variables of this one
    #[command(long_about = fork::HELP)]
    Fork(fork::Args),
    /// Keep the session as it is under a name
    #[command(long_about = checkpoint::HELP)]
    Checkpoint(checkpoint::Args),
    /// Make the session as it was at a checkpoint
    #[command(long_about = restore::HELP)]
    Restore(restore::Args),
    /// Write the session as JSON lines
    #[command(long_about = export::HELP)]
    Export(export::Args),
    /// Make a session from an exported file
    #[command(long_about = import::HELP)]
    Import(import::Args),
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
            Self::Use(args) => use_::run(args, context).await,
            Self::Fork(args) => fork::run(args, context).await,
            Self::Checkpoint(args) => checkpoint::run(args, context).await,
            Self::Restore(args) => restore::run(args, context).await,
            Self::Export(args) => export::run(args, context).await,
            Self::Import(args) => import::run(args, context).await,
            Self::End(args) => end::run(args, context).await,
        }
    }
}

/// A time to live on the wire: -1 = it never expires.
fn ttl(asked: Option<Duration>) -> Result<i64> {
    match asked {
        None => Ok(-1),
        Some(ttl) if ttl < Duration::from_secs(1) => {
            Err(Error::new(Kind::Usage, "a session lives at least one second"))
        }
        Some(ttl) => Ok(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)),
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
