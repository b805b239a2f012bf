//! `session import`: makes a session from JSON lines.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::duration;
use crate::client::{Client, Imported};
use crate::commands::Context;
use crate::commands::context::Interrupts;
use crate::error::{Error, Result};
use crate::ui::{Output, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session import exp1.jsonl --as exp1_again

Make a session from a file that `session export` wrote; `-` reads it from stdin. Every variable is checked like any \
other; the session is there whole, in one revision, or not at all. Without `--ttl` it lives as long as the file says.";

/// Make a session from an exported file
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file, or - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The session's id; the one in the file when left out
    #[arg(long = "as", value_name = "ID")]
    id: Option<String>,

    /// Let it expire this long after its last use
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ttl: Option<Duration>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    let mut interrupts = Interrupts::catch()?;
    let imported = tokio::select! {
        imported = import(&args, &client, context) => imported?,
        stopped = interrupts.next() => return Err(stopped),
    };
    context.printer.done(format_args!(
        "imported session {}  ({} variables)",
        imported.session, imported.variables
    ));
    match context.printer.output(Shape::Rows) {
        Output::Json | Output::Jsonl => context
            .printer
            .item(&client.session_view(&imported.session).await?),
        _ => Ok(()),
    }
}

/// Stdin as a file: it is read where nobody waits for it.
fn stdin() -> Result<tokio::fs::File> {
    let owned = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|cause| Error::io("reading stdin", &cause))?;
    Ok(tokio::fs::File::from_std(owned.into()))
}

async fn import(args: &Args, client: &Client, context: &Context) -> Result<Imported> {
    let ttl = match args.ttl {
        None => 0,
        some => super::ttl(some)?,
    };
    let id = args.id.as_deref();
    let (mut progress, began) = (
        context
            .printer
            .progress(format!("importing {}", args.file.display())),
        Instant::now(),
    );
    let mut show = |done: u64, all: u64| {
        if began.elapsed() >= progress.patience() {
            progress.reveal();
        }
        let fraction = (all > 0).then(|| done as f64 / all as f64);
        progress.set(fraction, None);
    };
    if args.file == Path::new("-") {
        return client.import(id, ttl, stdin()?, |done| show(done, 0)).await;
    }
    let doing = || format!("reading {}", args.file.display());
    let file = tokio::fs::File::open(&args.file)
        .await
        .map_err(|cause| Error::io(doing(), &cause))?;
    let all = file
        .metadata()
        .await
        .map_err(|cause| Error::io(doing(), &cause))?
        .len();
    client.import(id, ttl, file, |done| show(done, all)).await
}
