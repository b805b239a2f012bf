//! Variables on the command line.

mod del;
mod describe;
mod get;
mod list;
mod register;
mod set;
mod watch;

use clap::Subcommand;

use super::Context;
use crate::client::VariableView;
use crate::error::Result;
use crate::ui::{self, Cell, Column, Record};

/// Verbs of variables.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Declare a variable with its type, constraints and first value
    #[command(long_about = register::HELP)]
    Register(Box<register::Args>),
    /// Read variables
    #[command(long_about = get::HELP)]
    Get(get::Args),
    /// Change one variable, or several in one revision
    #[command(long_about = set::HELP)]
    Set(set::Args),
    /// List variables by name
    #[command(visible_alias = "ls", long_about = list::HELP)]
    List(list::Args),
    /// Tell all that is known of a variable
    #[command(long_about = describe::HELP)]
    Describe(describe::Args),
    /// Delete variables
    #[command(visible_alias = "rm", long_about = del::HELP)]
    Del(del::Args),
    /// Follow changes as they happen
    #[command(long_about = watch::HELP)]
    Watch(watch::Args),
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Register(args) => register::run(*args, context).await,
            Self::Get(args) => get::run(args, context).await,
            Self::Set(args) => set::run(args, context).await,
            Self::List(args) => list::run(args, context).await,
            Self::Describe(args) => describe::run(args, context).await,
            Self::Del(args) => del::run(args, context).await,
            Self::Watch(args) => watch::run(args, context).await,
        }
    }
}

impl Record for VariableView {
    const COLUMNS: &'static [Column] = &[
        Column::left("name"),
        Column::left("type"),
        Column::right("value").flexible(),
        Column::right("version"),
        Column::left("source"),
        Column::left("updated"),
        Column::left("constraints").flexible(),
    ];

    fn name(&self) -> &str {
        &self.name
    }

    fn cells(&self) -> Vec<Cell> {
        let constraints = Some(self.constraints.get()).filter(|text| !matches!(*text, "{}" | "null" | ""));
        vec![
            Cell::new(&self.name),
            Cell::new(&self.type_name),
            Cell::new(self.value.brief()),
            Cell::both(format_args!("v{}", self.version), self.version),
            Cell::new(&self.source),
            super::when(self.updated_at),
            Cell::new(constraints.unwrap_or_default()),
        ]
    }
}

/// What follows a change in one line: how many listen. Empty when nobody does.
fn listeners(session: &str, watches: u32, calls: u32) -> String {
    let mut parts = Vec::new();
    if watches > 0 {
        parts.push(counted(watches.into(), "watcher"));
    }
    if calls > 0 {
        parts.push(counted(calls.into(), "running call"));
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("; session {session}: {}", parts.join(", "))
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `(v7 -> v8, rev 1042, 1.1 ms)`: what a write made. The first version has none before it.
fn written(version: u64, revision: u64, took: std::time::Duration) -> String {
    let before = version
        .checked_sub(1)
        .map(|before| format!("v{before} -> "))
        .unwrap_or_default();
    format!("{before}v{version}, rev {revision}, {}", ui::millis(took))
}

/// Reads `8` and `v8`.
fn version(text: &str) -> Result<u64, String> {
    text.strip_prefix('v')
        .unwrap_or(text)
        .parse()
        .map_err(|_| "a version is a number, like 8 or v8".to_owned())
}

/// The longest value that the line says in full, in characters.
const SAID: usize = 60;

/// A value on the line that says what was done.
fn shortened(text: &str) -> String {
    let line = text.replace('\n', "\\n");
    if line.chars().count() <= SAID {
        return line;
    }
    let head: String = line.chars().take(SAID - 3).collect();
    format!("{head}...")
}
