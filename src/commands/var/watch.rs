//! `var watch`: changes as they happen, over breaks of the connection.

use std::future::pending;
use std::time::Duration;

use serde::Serialize;

use crate::client::{Change, ChangeKind, Event, Value, Watch, WatchOptions};
use crate::commands::context::Interrupts;
use crate::commands::{Context, suggest::suggest};
use crate::error::{Error, Kind, Result};
use crate::ui::{self, Ink, Output, Printer, Shape};

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit var watch 'loss*'

Follow changes as they happen: first the values there are, then every change in order. In a pipe each is a line \
of JSON. It goes on by itself when the bridge comes back, and says so; nothing is told twice and no gap is silent. \
It ends with Ctrl-C, after `--count` changes, or after `--timeout`.";

/// Follow changes as they happen
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names or globs (* and ?)
    #[arg(required = true, value_name = "NAME|GLOB")]
    names: Vec<String>,

    /// Every change after this revision, instead of the values there are
    #[arg(long, value_name = "REVISION", value_parser = revision)]
    since: Option<u64>,

    /// Only changes, not the values there are
    #[arg(long)]
    updates_only: bool,

    /// End after this many lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// A line of JSON. The keys are a contract.
#[derive(Debug, Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    type_name: &'a str,
    name: &'a str,
    value: Option<&'a Value>,
    old_value: Option<&'a Value>,
    version: u64,
    revision: u64,
    source: &'a str,
    time: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.patient_client().await?;
    let options = WatchOptions {
        identifiers: args.names.clone(),
        since: args.since,
        updates_only: args.updates_only,
    };
    let mut watch = match client.watch(options).await {
        Ok(watch) => watch,
        Err(error) => return Err(suggest(&client, &args.names, error).await),
    };
    // Until here Ctrl-C simply ends the process.
    let mut interrupts = Interrupts::catch()?;
    tokio::select! {
        ended = follow(&mut watch, args.count, context) => ended,
        error = interrupts.next() => Err(error),
        () = context.printer.reader_gone() => Ok(()),
        () = limit(context.config.timeout) => match args.count {
            // Without a count the time was all that was asked for.
            None => Ok(()),
            Some(count) => Err(Error::new(Kind::TimedOut, format!("fewer than {count} changes in the time given"))),
        },
    }
}

async fn limit(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => pending().await,
    }
}

async fn follow(watch: &mut Watch, count: Option<u64>, context: &Context) -> Result<()> {
    let printer = &context.printer;
    let mut left = count;
    while let Some(event) = watch.next().await {
        match event? {
            Event::Update(change) => {
                show(&change, printer)?;
                left = left.map(|left| left - 1);
                if left == Some(0) {
                    return Ok(());
                }
            }
            Event::Ready(_) => {}
            Event::Reconnecting => printer.note("reconnecting..."),
            Event::Resumed {
                revision,
                missed,
                anew,
            } => resumed(revision, missed, anew, printer)?,
            Event::Closed(reason) => {
                let reason = if reason.is_empty() {
                    "it was ended".to_owned()
                } else {
                    reason
                };
                return Err(Error::new(
                    Kind::SessionNotFound,
                    format!("session `{}` was closed: {reason}", context.config.session),
                ));
            }
        }
    }
    Ok(())
}

/// A gap is told to people, and to programs in the stream itself.
fn resumed(revision: u64, missed: u64, anew: bool, printer: &Printer) -> Result<()> {
    if anew {
        printer.note(format_args!(
            "resumed at rev {revision} of a new session: the former one is gone"
        ));
    } else {
        printer.note(format_args!("resumed at rev {revision} ({missed} missed)"));
    }
    if (missed > 0 || anew) && printer.output(Shape::Stream).is_json() {
        printer.json_line(
            &serde_json::json!({"type": "resync", "revision": revision, "missed": missed, "anew": anew}),
        )?;
    }
    Ok(())
}

fn show(change: &Change, printer: &Printer) -> Result<()> {
    match printer.output(Shape::Stream) {
        Output::Json | Output::Jsonl => printer.json_line(&Line {
            type_name: &change.type_name,
            name: &change.name,
            value: change.value.as_ref(),
            old_value: change.old_value.as_ref(),
            version: change.version,
            revision: change.revision,
            source: &change.source,
            time: change.time.map(ui::iso),
        }),
        Output::Tsv => printer.line(tabbed(change)),
        Output::Raw => printer.line(change.value.as_ref().map(Value::text).unwrap_or_default()),
        Output::Name => printer.line(&change.name),
        Output::None => Ok(()),
        Output::Npy => Err(Error::new(Kind::Usage, "a watch cannot be written as `npy`")),
        Output::Table => printer.line(spoken(change, printer)),
    }
}

/// `12:01:07  rev 1042  learning_rate  0.01 -> 0.003  v8  python`
fn spoken(change: &Change, printer: &Printer) -> String {
    let text = |value: &Option<Value>| value.as_ref().map(|value| value.text().replace('\n', "\\n"));
    let what = match (change.kind, text(&change.old_value), text(&change.value)) {
        (ChangeKind::Value, Some(old), Some(new)) => format!("{old} -> {new}"),
        (ChangeKind::Registered, _, Some(new)) => format!("{new}  registered"),
        (ChangeKind::Deleted, Some(old), _) => format!("{old}  deleted"),
        (ChangeKind::Deleted, None, _) => "deleted".to_owned(),
        (ChangeKind::Other, ..) if change.type_name == "constraint_change" => {
            format!("constraints {}", change.constraints)
        }
        (ChangeKind::Other, ..) => change.type_name.replace('_', " "),
        (_, _, new) => new.unwrap_or_default(),
    };
    let clock = change.time.map(ui::clock).unwrap_or_default();
    let parts = [
        printer.paint(Ink::Faint, &clock),
        format!("rev {}", change.revision),
        printer.paint(Ink::Hint, &change.name),
        what,
        format!("v{}", change.version),
        change.source.clone(),
    ];
    parts.join("  ").trim_end().to_owned()
}

fn tabbed(change: &Change) -> String {
    let text = |value: &Option<Value>| {
        let text = value
            .as_ref()
            .map(|value| value.text().into_owned())
            .unwrap_or_default();
        text.replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\t', "\\t")
    };
    [
        change.time.map(ui::iso).unwrap_or_default(),
        change.type_name.clone(),
        change.revision.to_string(),
        change.name.clone(),
        text(&change.old_value),
        text(&change.value),
        change.version.to_string(),
        change.source.clone(),
    ]
    .join("\t")
}

/// Reads `1042`, `r1042`.
fn revision(text: &str) -> Result<u64, String> {
    text.strip_prefix('r')
        .unwrap_or(text)
        .parse()
        .map_err(|_| "a revision is a number, like 1042 or r1042".to_owned())
}
