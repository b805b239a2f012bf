//! `tool call`: runs a tool; its chunks as they come, then its result.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value as Json;
use tokio::time::{Instant, sleep_until};

use super::arguments;
use crate::client::{Call, CallEvent, CallOptions, Timing, Value};
use crate::commands::context::Interrupts;
use crate::commands::{Context, suggest::suggest};
use crate::error::{Error, Kind, Result};
use crate::ui::{self, Output, Printer, Progress, Shape};

/// How long a cancelled call may take to be told so.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);

/// The long help: an example first.
pub(crate) const HELP: &str = "\
Example:
  snakepit tool call train epochs=20

Run a tool and print what it gives: its chunks as they come, where it streams, then its result. Arguments are read \
as the tool declares them: NAME=VALUE, NAME:=JSON, NAME=@FILE, or all of them with `--args`. Progress shows on a \
terminal's stderr. `--timeout` is the call's deadline; Ctrl-C cancels it.";

/// Run a tool and print what it gives
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name
    name: String,

    /// NAME=VALUE, NAME:=JSON or NAME=@FILE
    #[arg(value_name = "ARGUMENT")]
    arguments: Vec<String>,

    /// All arguments as a JSON object, or @FILE, or - for stdin
    #[arg(long, value_name = "JSON|@FILE|-")]
    args: Option<String>,

    /// Say where the time went
    #[arg(long)]
    time: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<()> {
    let client = context.patient_client().await?;
    let name = [args.name.clone()];
    let tool = match client.tool(&args.name).await {
        Ok(tool) => tool,
        Err(error) => return Err(suggest(&client, &name, error).await),
    };
    let arguments = arguments::read(&tool, &args.arguments, args.args.as_deref())?;
    let mut interrupts = Interrupts::catch()?;
    let mut call = client.call(CallOptions {
        tool: args.name.clone(),
        streams: tool.streams,
        parameters: arguments.values,
        binary: arguments.binary,
        timeout: context.config.timeout,
    });
    let mut show = Show::new(&context.printer, &args.name, tool.streams);
    let ended = tokio::select! {
        ended = follow(&mut call, &mut show) => Some(ended),
        _ = interrupts.next() => None,
    };
    show.progress.finish();
    if !matches!(ended, Some(Ok(_))) {
        show.cut_off()?;
    }
    match ended {
        Some(Ok(timing)) => {
            if args.time {
                context.printer.note(spent(timing));
            }
            Ok(())
        }
        Some(Err(error)) if context.printer.pipe_closed() => {
            cancel(&mut call, &mut interrupts, "its reader went away").await;
            Err(error)
        }
        Some(Err(error)) => Err(suggest(&client, &name, error).await),
        None => {
            context
                .printer
                .note(format_args!("cancelling `{}`...", args.name));
            cancel(&mut call, &mut interrupts, "Ctrl-C").await;
            Err(Error::new(
                Kind::Interrupted,
                format!("`{}` was cancelled (call {})", args.name, call.id()),
            ))
        }
    }
}

/// Tells the bridge, but waits for its word no longer than a person would; a second Ctrl-C leaves at once.
async fn cancel(call: &mut Call, interrupts: &mut Interrupts, reason: &str) {
    tokio::select! {
        _ = call.cancel(reason) => {}
        _ = interrupts.next() => {}
        () = tokio::time::sleep(CANCEL_LIMIT) => {}
    }
}

async fn follow(call: &mut Call, show: &mut Show<'_>) -> Result<Timing> {
    let reveal = Instant::now() + show.progress.patience();
    let mut hidden = true;
    loop {
        // One future an event: dropping it would give the call up.
        let next = call.next();
        tokio::pin!(next);
        let event = loop {
            tokio::select! {
                event = &mut next => break event,
                () = sleep_until(reveal), if hidden => {
                    hidden = false;
                    show.progress.reveal();
                }
            }
        };
        match event {
            Some(event) => {
                if let Some(timing) = show.event(event?)? {
                    return Ok(timing);
                }
            }
            None => return Err(Error::new(Kind::Internal, "the call ended without a result")),
        }
    }
}

/// How the events of one call are written.
struct Show<'a> {
    printer: &'a Printer,
    progress: Progress,
    output: Output,
    streams: bool,
    chunks: u64,
}

impl<'a> Show<'a> {
    fn new(printer: &'a Printer, tool: &str, streams: bool) -> Self {
        let shape = if streams { Shape::Stream } else { Shape::Rows };
        Self {
            printer,
            progress: printer.progress(tool),
            output: printer.output(shape),
            streams,
            chunks: 0,
        }
    }

    /// Writes an event; the timing when it was the last one.
    fn event(&mut self, event: CallEvent) -> Result<Option<Timing>> {
        match event {
            CallEvent::Progress(fraction, message) => self.progress.set(fraction, message.as_deref()),
            CallEvent::Chunk(seq, data) => {
                self.progress.aside(|| self.chunk(seq, &data))?;
                self.chunks += 1;
            }
            CallEvent::Finished(result, timing) => {
                self.progress.finish();
                self.result(&result)?;
                return Ok(Some(timing));
            }
        }
        Ok(None)
    }

    /// The call ended without a result: what was written of a JSON object is made whole.
    fn cut_off(&self) -> Result<()> {
        if self.output == Output::Json && self.chunks > 0 && !self.printer.pipe_closed() {
            self.printer.line("]}")?;
        }
        Ok(())
    }

    fn chunk(&self, seq: u64, data: &Bytes) -> Result<()> {
        let printer = self.printer;
        match self.output {
            Output::Jsonl => {
                printer.json_line(&serde_json::json!({"type": "chunk", "seq": seq, "data": decoded(data)}))
            }
            Output::Json => {
                let before = if self.chunks == 0 { "{\"chunks\":[" } else { "," };
                printer.bytes(format!("{before}{}", decoded(data)).as_bytes())
            }
            Output::Raw => printer.bytes(data),
            Output::Name | Output::None => Ok(()),
            Output::Npy => Err(no_array()),
            Output::Table | Output::Tsv => printer.line(spoken(data)),
        }
    }

    fn result(&self, result: &Value) -> Result<()> {
        let printer = self.printer;
        match (self.output, self.streams) {
            (Output::Jsonl, true) => {
                printer.json_line(&serde_json::json!({"type": "result", "value": result}))
            }
            (Output::Json, true) => {
                let before = if self.chunks == 0 { "{\"chunks\":[" } else { "" };
                printer.line(format_args!("{before}],\"result\":{}}}", result.json()))
            }
            (Output::Json, false) => printer.json(result),
            (Output::Jsonl, false) => printer.json_line(result),
            // A generator that returns nothing has said everything already.
            (_, true) if result.is_null() => Ok(()),
            (Output::Raw, _) => printer.bytes(result.text().as_bytes()),
            (Output::Name | Output::None, _) => Ok(()),
            (Output::Npy, _) => Err(no_array()),
            (Output::Table | Output::Tsv, true) => printer.line(compact(&result.tree())),
            (Output::Table, false) if result.is_null() => Ok(()),
            (Output::Table, false) => printer.line(pretty(result)),
            (Output::Tsv, false) => printer.line(result.text()),
        }
    }
}

/// A chunk as JSON: what it is, a text where it is none, and bytes as a list of numbers where it is no text.
fn decoded(data: &Bytes) -> Json {
    match std::str::from_utf8(data) {
        Ok(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)),
        Err(_) => serde_json::json!({"$bytes": data.to_vec()}),
    }
}

/// A chunk for a person, on one line: `epoch=3  loss=0.28`.
fn spoken(data: &Bytes) -> String {
    match std::str::from_utf8(data) {
        Ok(text) => match serde_json::from_str(text) {
            Ok(tree) => compact(&tree),
            Err(_) => text.trim_end_matches('\n').to_owned(),
        },
        Err(_) => format!("({} bytes)", data.len()),
    }
}

fn compact(tree: &Json) -> String {
    match tree {
        Json::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| match value {
                    Json::String(text) if !text.contains([' ', '\n']) => format!("{name}={text}"),
                    other => format!("{name}={other}"),
                })
                .collect();
            fields.join("  ")
        }
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A result for a person: a text as it is, an object or list indented when it is long.
fn pretty(result: &Value) -> String {
    const SHORT: usize = 72;
    let tree = result.tree();
    if result.json().len() > SHORT && (tree.is_object() || tree.is_array()) {
        return serde_json::to_string_pretty(&tree).unwrap_or_else(|_| result.json().to_owned());
    }
    result.text().into_owned()
}

/// `4.1 ms: waited 0.1 ms, worker 3.5 ms (tool 3.2 ms), bridge and wire 0.5 ms`
fn spent(timing: Timing) -> String {
    let rest = timing.total.saturating_sub(timing.queued + timing.worker);
    format!(
        "{}: waited {}, worker {} (tool {}), bridge and wire {}",
        ui::millis(timing.total),
        ui::millis(timing.queued),
        ui::millis(timing.worker),
        ui::millis(timing.tool),
        ui::millis(rest),
    )
}

fn no_array() -> Error {
    Error::new(Kind::Usage, "this release cannot write `npy` here")
}
