//! `session export`: a session as JSON lines, to a file or stdout.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::client::{Client, Exported};
use crate::commands::context::Interrupts;
use crate::commands::{Context, suggest::suggest};
use crate::error::{Error, Result};
use crate::ui::Progress;

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit session export exp1.jsonl

Write the session in force as JSON lines, all of one revision: a header, then a line for each variable. Without FILE, \
or with `-`, it goes to stdout. A file is there whole or not at all.";

/// Write the session as JSON lines
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to; stdout when left out
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    file: PathBuf,

    /// Write what was kept under this name
    #[arg(long, value_name = "NAME")]
    checkpoint: Option<String>,
}

/// Where the lines go.
enum Sink<'a> {
    Stdout(&'a Context),
    File(File),
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.client().await?;
    let exported = match client.export(args.checkpoint.as_deref()).await {
        Ok(exported) => exported,
        Err(error) => return Err(suggest(&client, &[], error).await),
    };
    if args.file == Path::new("-") {
        return write(exported, &mut Sink::Stdout(context), &client, context)
            .await
            .map(drop);
    }
    let unfinished = beside(&args.file);
    let file = File::create(&unfinished)
        .map_err(|cause| Error::io(format_args!("writing {}", unfinished.display()), &cause))?;
    let mut sink = Sink::File(file);
    let written = write(exported, &mut sink, &client, context).await;
    let bytes = written.and_then(|bytes| {
        sink.finish()?;
        std::fs::rename(&unfinished, &args.file)
            .map_err(|cause| Error::io(format_args!("writing {}", args.file.display()), &cause))?;
        Ok(bytes)
    });
    if bytes.is_err() {
        // The error that is told is the first one.
        let _ = std::fs::remove_file(&unfinished);
    }
    context.printer.done(format_args!(
        "exported session {} to {}  ({} bytes)",
        client.session(),
        args.file.display(),
        bytes?
    ));
    Ok(())
}

async fn write(exported: Exported, sink: &mut Sink<'_>, client: &Client, context: &Context) -> Result<u64> {
    let mut interrupts = Interrupts::catch()?;
    let mut progress = context
        .printer
        .progress(format!("exporting {}", client.session()));
    tokio::select! {
        copied = copy(exported, sink, &mut progress) => copied,
        stopped = interrupts.next() => Err(stopped),
    }
}

async fn copy(mut exported: Exported, sink: &mut Sink<'_>, progress: &mut Progress) -> Result<u64> {
    let (mut bytes, began) = (0, tokio::time::Instant::now());
    while let Some((data, fraction)) = exported.next().await? {
        if began.elapsed() >= progress.patience() {
            progress.reveal();
        }
        progress.set(Some(fraction), None);
        bytes += data.len() as u64;
        sink.put(&data)?;
    }
    Ok(bytes)
}

impl Sink<'_> {
    fn put(&mut self, data: &[u8]) -> Result<()> {
        match self {
            Self::Stdout(context) => context.printer.bytes(data),
            Self::File(file) => file
                .write_all(data)
                .map_err(|cause| Error::io("the file could not be written", &cause)),
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Stdout(_) => Ok(()),
            Self::File(file) => file
                .sync_all()
                .map_err(|cause| Error::io("the file could not be written", &cause)),
        }
    }
}

/// The name of a file until it is whole.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    file.with_file_name(name)
}
