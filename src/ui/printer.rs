//! The printer: every byte of stdout and stderr goes through it.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tokio::io::Interest;
use tokio::net::unix::pipe;

use super::{Color, Ink, Output, Progress, Record, Shape, record, report};
use crate::error::{Error, Kind, Result};

/// The width of a table where nobody can tell.
const DEFAULT_WIDTH: u16 = 80;

/// What the user asked of the printer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// `-o`; none = by where stdout goes.
    pub output: Option<Output>,
    /// `--color`.
    pub color: Color,
    /// `-q`: no talk but errors.
    pub quiet: bool,
}

/// Writes data to stdout and talk to stderr, each as its stream wants it.
#[derive(Debug)]
pub struct Printer {
    settings: Settings,
    out_terminal: bool,
    err_terminal: bool,
    out_colour: bool,
    err_colour: bool,
    ascii: bool,
    columns: Option<u16>,
    pipe_closed: AtomicBool,
}

impl Printer {
    /// Looks at both streams and the environment, once.
    pub fn new(settings: Settings) -> Self {
        let env = |name: &str| std::env::var(name).ok();
        let out_terminal = io::stdout().is_terminal();
        let err_terminal = io::stderr().is_terminal();
        Self {
            settings,
            out_terminal,
            err_terminal,
            out_colour: settings.color.applies(out_terminal, &env),
            err_colour: settings.color.applies(err_terminal, &env),
            ascii: !utf8(&env),
            columns: env("COLUMNS").and_then(|text| text.parse().ok()),
            pipe_closed: AtomicBool::new(false),
        }
    }

    /// The format for a shape of data.
    pub fn output(&self, shape: Shape) -> Output {
        shape.output(self.settings.output, self.out_terminal)
    }

    /// Whether stdout is read by a person.
    pub fn out_terminal(&self) -> bool {
        self.out_terminal
    }

    /// Whether stdout is coloured.
    pub fn out_colour(&self) -> bool {
        self.out_colour
    }

    /// Whether only ASCII may be drawn with.
    pub fn ascii(&self) -> bool {
        self.ascii
    }

    /// Columns of the terminal, or a guess.
    pub fn width(&self) -> u16 {
        self.columns
            .or_else(|| {
                self.out_terminal
                    .then(|| comfy_table::Table::new().width())
                    .flatten()
            })
            .unwrap_or(DEFAULT_WIDTH)
    }

    /// Whether the reader of stdout went away: not a failure, only the end.
    pub fn pipe_closed(&self) -> bool {
        self.pipe_closed.load(Ordering::Relaxed)
    }

    /// Returns when the reader of stdout goes away; never, where stdout is no pipe.
    pub async fn reader_gone(&self) {
        // Unchecked: the checked form would make the shared stdout non-blocking.
        let pipe = io::stdout().as_fd().try_clone_to_owned();
        if let Ok(pipe) = pipe.and_then(pipe::Sender::from_owned_fd_unchecked)
            && pipe.ready(Interest::ERROR).await.is_ok()
        {
            self.pipe_closed.store(true, Ordering::Relaxed);
            return;
        }
        std::future::pending::<()>().await;
    }

    /// Writes bytes to stdout and flushes them.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        let mut out = io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        written.map_err(|cause| {
            if cause.kind() == io::ErrorKind::BrokenPipe {
                self.pipe_closed.store(true, Ordering::Relaxed);
            }
            Error::io("stdout could not be written", &cause)
        })
    }

    /// Writes a line to stdout and flushes it.
    pub fn line(&self, text: impl Display) -> Result<()> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Writes one line of JSON to stdout and flushes it.
    pub fn json_line(&self, value: &impl Serialize) -> Result<()> {
        self.line(compact(value)?)
    }

    /// Writes a JSON document to stdout: indented for a person, on one line for a pipe.
    pub fn json(&self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        if !self.out_terminal {
            return self.line(compact(value)?);
        }
        self.line(serde_json::to_string_pretty(value).map_err(unprintable)?)
    }

    /// Writes a list in the format in force. On a terminal `empty` is said where there is nothing.
    pub fn list<R: Record>(&self, items: &[R], empty: &str) -> Result<()> {
        match self.output(Shape::Rows) {
            Output::Table if items.is_empty() => {
                self.note(empty);
                Ok(())
            }
            Output::Table => self.bytes(record::table(items, self).as_bytes()),
            Output::Tsv => self.bytes(record::tsv(items).as_bytes()),
            Output::Json => self.json(items),
            Output::Jsonl => items.iter().try_for_each(|item| self.json_line(item)),
            Output::Name => items.iter().try_for_each(|item| self.line(item.name())),
            Output::None => Ok(()),
            other @ (Output::Raw | Output::Npy) => Err(not_for(other, "a list")),
        }
    }

    /// Writes one thing in the format in force: an object in JSON, a sheet of `title value` on a terminal.
    pub fn item<R: Record>(&self, item: &R) -> Result<()> {
        match self.output(Shape::Rows) {
            Output::Table => self.bytes(record::sheet(item, self).as_bytes()),
            Output::Json => self.json(item),
            _ => self.list(std::slice::from_ref(item), ""),
        }
    }

    /// Says in one line that something was done.
    pub fn done(&self, text: impl Display) {
        self.talk(text);
    }

    /// Says something that is no result.
    pub fn note(&self, text: impl Display) {
        self.talk(Ink::Faint.paint(&text.to_string(), self.err_colour));
    }

    /// Asks something; the answer follows on the same line. Not silenced: nobody can answer what was not asked.
    pub fn ask(&self, question: impl Display) {
        self.stderr(&question.to_string());
    }

    /// Says something that may surprise.
    pub fn warn(&self, text: impl Display) {
        self.talk(format!("{}: {text}", Ink::Warn.paint("warning", self.err_colour)));
    }

    /// Says what to do next.
    pub fn hint(&self, text: impl Display) {
        self.talk(format!("{}: {text}", Ink::Hint.paint("hint", self.err_colour)));
    }

    /// Reports a failure on stderr, as JSON under `-o json`. Not silenced by `-q`.
    pub fn error(&self, error: &Error) {
        if self.settings.output.is_some_and(Output::is_json) {
            self.stderr(&format!("{}\n", report::json(error)));
        } else {
            self.stderr(&report::text(error, self.err_colour));
        }
    }

    /// Progress of something that may take long; shown on a terminal's stderr only.
    pub fn progress(&self, message: impl Into<String>) -> Progress {
        Progress::new(
            message.into(),
            self.err_terminal && !self.settings.quiet,
            self.ascii,
        )
    }

    /// `text` in a colour of stdout.
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        ink.paint(text, self.out_colour)
    }

    /// Passes on a line that another process printed, under its name.
    pub fn passed_on(&self, from: &str, ink: Ink, line: &str) {
        self.talk(format!(
            "{} {line}",
            ink.paint(&format!("[{from}]"), self.err_colour)
        ));
    }

    fn talk(&self, text: impl Display) {
        if !self.settings.quiet {
            self.stderr(&format!("{text}\n"));
        }
    }

    /// A stderr that nobody reads is not worth failing for.
    fn stderr(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// The error of a format that a kind of data does not have.
pub(super) fn not_for(output: Output, what: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("{what} cannot be written as `{}`", output.as_str()),
    )
    .hint("choose one of `-o table|tsv|json|jsonl|name|none`")
}

fn compact(value: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(unprintable)
}

fn unprintable(cause: serde_json::Error) -> Error {
    Error::new(
        Kind::Internal,
        format!("a reply could not be written as JSON: {cause}"),
    )
}

/// Whether the locale is UTF-8: the first of LC_ALL, LC_CTYPE, LANG that is set decides.
fn utf8(env: &dyn Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| env(name).filter(|value| !value.is_empty()))
        .is_some_and(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}
