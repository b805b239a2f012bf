//! One file a verb: its arguments, what it does, how its result looks. Verbs reach a bridge only through `client`;
//! `serve` and `worker spawn` start the real thing.

mod confirm;
mod context;
mod demo;
mod examples;
mod explain;
mod fault;
mod literal;
mod serve;
mod session;
mod signals;
mod suggest;
mod tool;
mod usage;
mod var;
mod worker;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use jiff::Timestamp;

pub use context::Context;
pub use fault::run as main;

use crate::cli::{self, Globals};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::ui::{self, Cell, Printer, Settings};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "snakepit",
    version,
    about = "A shared, live, typed state and a two-way tool registry for Python workers, scripts and people",
    long_about = examples::OVERVIEW,
    styles = cli::STYLES,
    disable_help_subcommand = false,
    infer_subcommands = false,
)]
pub struct Cli {
    /// Flags that every verb takes.
    #[command(flatten)]
    pub globals: Globals,

    /// The verb.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The verbs and nouns.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a bridge in this terminal
    #[command(long_about = serve::HELP)]
    Serve(serve::Args),
    /// Processes that offer tools
    #[command(subcommand, arg_required_else_help = true)]
    Worker(worker::Command),
    /// Variables: shared, typed, live
    #[command(subcommand, arg_required_else_help = true)]
    Var(var::Command),
    /// Tools: functions that can be called
    #[command(subcommand, arg_required_else_help = true)]
    Tool(tool::Command),
    /// Sessions: what variables and calls belong to
    #[command(subcommand, arg_required_else_help = true)]
    Session(session::Command),
    /// See the main job work on one screen
    #[command(long_about = demo::HELP)]
    Demo(demo::Args),
    /// Tell more about an error code
    #[command(long_about = explain::HELP)]
    Explain(explain::Args),
}

/// Parses and runs a command line; returns the exit code. Whatever went wrong has been reported.
pub(crate) fn execute(arguments: Vec<OsString>) -> u8 {
    let arguments = cli::shield(arguments);
    let parsed = Cli::command()
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error, &arguments),
    };
    let read = |name: &str| std::env::var(name).ok();
    let config = match Config::resolve(&cli.globals, &read) {
        Ok(config) => config,
        Err(error) => return fail(&Printer::new(settings(&cli.globals)), &error),
    };
    let printer = Printer::new(Settings {
        output: config.output,
        color: config.color,
        quiet: config.quiet,
    });
    let context = Context::new(config, printer);
    match cli
        .command
        .map_or_else(|| usage::welcome(&context), |command| command.run(&context))
    {
        Ok(()) => 0,
        // The reader has what it wanted.
        Err(_) if context.printer.pipe_closed() => 0,
        Err(error) => fail(&context.printer, &error),
    }
}

impl Command {
    fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Serve(args) => serve::run(args, context),
            Self::Explain(args) => explain::run(&args, context),
            Self::Demo(args) => context.block_on(demo::run(args, context)),
            Self::Worker(command) => command.run(context),
            Self::Var(command) => context.block_on(command.run(context)),
            Self::Tool(command) => context.block_on(command.run(context)),
            Self::Session(command) => context.block_on(command.run(context)),
        }
    }
}

/// A time as a person reads it, and exactly for a pipe.
fn when(at: Option<Timestamp>) -> Cell {
    match at {
        Some(at) => Cell::both(ui::ago(at, Timestamp::now()), ui::iso(at)),
        None => Cell::new(""),
    }
}

fn fail(printer: &Printer, error: &Error) -> u8 {
    match error.kind() {
        // Whoever pressed Ctrl-C knows why it ended.
        Kind::Interrupted => printer.note(error.message()),
        _ => printer.error(error),
    }
    error.kind().exit()
}

fn settings(globals: &Globals) -> Settings {
    Settings {
        output: globals.output,
        color: globals.color,
        quiet: globals.quiet,
    }
}
