//! Runs a declared command for one call: a program and arguments, never a shell, in a session of its own that is
//! killed when the call ends early, with its output bounded. The program dies with the bridge.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::error::{Error, Kind, Outcome};
use crate::sys::{launch, signal};

/// How much of what the program says on stderr is shown when it fails, in bytes from its end.
const STDERR_TAIL: usize = 4 * 1024;

/// How the parameters reach the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// As one JSON object on its standard input.
    Stdin,
    /// In place of `{name}` in its arguments.
    Arguments,
}

/// What its standard output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Json,
    Text,
    /// JSON if it is JSON, else text.
    Either,
}

/// A declared command.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) input: Input,
    pub(super) output: Output,
    /// In bytes.
    pub(super) max_output: usize,
}

/// Kills every process of the group when it is dropped, whether the call ended well or not: what a program leaves
/// behind in the background ends with its call.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        signal::send_group(self.0, Signal::SIGKILL);
    }
}

/// A child between its start and the call that takes it: when the call is gone by then, it is killed and
/// collected by the thread that started it.
struct Started(Option<(Group, Child)>);

impl Started {
    fn new(child: Child) -> Self {
        Self(Some((Group(child.id()), child)))
    }

    fn take(&mut self) -> Option<(Group, Child)> {
        self.0.take()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some((group, mut child)) = self.0.take() {
            drop(group);
            if let Err(why) = child.wait() {
                tracing::warn!(%why, "a host tool could not be collected");
            }
        }
    }
}

impl Program {
    /// Runs it once. Dropping the future kills it.
    pub(super) async fn run(self: Arc<Self>, given: Value) -> Result<Value, Error> {
        let failed = |doing: &str, why: &dyn std::fmt::Display| {
            Error::new(
                Kind::Io,
                format!("{doing} host tool `{}` failed: {why}", self.name),
            )
        };
        let command = self.command(&given);
        let how = launch::Launch {
            own_session: true,
            on_parent_death: Some(Signal::SIGKILL),
            ..Default::default()
        };
        let started =
            tokio::task::spawn_blocking(move || launch::spawn(command, how).map(Started::new)).await;
        let mut started = started
            .map_err(|why| failed("starting", &why))?
            .map_err(|why| failed("starting", &why).outcome(Outcome::NeverStarted))?;
        let Some((group, mut child)) = started.take() else {
            return Err(failed("starting", &"it is gone"));
        };
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // It collects the child also when this future is dropped.
        let exit = tokio::task::spawn_blocking(move || child.wait());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(failed("starting", &"it has no pipes"));
        };
        let pipe = |why: io::Error| failed("talking to", &why);
        let feed = feed(ChildStdin::from_std(stdin).map_err(pipe)?, self.stdin(&given));
        let stdout = bounded(ChildStdout::from_std(stdout).map_err(pipe)?, self.max_output);
        let stderr = tail(ChildStderr::from_std(stderr).map_err(pipe)?);
        let exit = async {
            let status = exit
                .await
                .map_err(|why| failed("waiting for", &why))?
                .map_err(pipe)?;
            // Else a process left in the background would hold the pipes, and the call, open.
            drop(group);
            Ok(status)
        };
        let output = async { stdout.await.map_err(pipe)?.ok_or_else(|| self.too_much()) };
        let talk = async { Ok(tokio::join!(feed, stderr)) };
        let (((), stderr), output, status) = tokio::try_join!(talk, output, exit)?;
        if !status.success() {
            return Err(self.failure(status, &stderr));
        }
        self.read(output)
    }

    fn command(&self, given: &Value) -> Command {
        let mut command = Command::new(&self.program);
        match self.input {
            Input::Stdin => command.args(&self.arguments),
            Input::Arguments => command.args(self.arguments.iter().map(|argument| filled(argument, given))),
        };
        command.current_dir(&self.directory);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn stdin(&self, given: &Value) -> Vec<u8> {
        match self.input {
            Input::Stdin => given.to_string().into_bytes(),
            Input::Arguments => Vec::new(),
        }
    }

    fn too_much(&self) -> Error {
        let text = format!(
            "the output of host tool `{}` is over {} bytes",
            self.name, self.max_output
        );
        Error::new(Kind::LimitExceeded, text)
            .outcome(Outcome::MayHaveRun)
            .hint("raise its `max_output` in snakepit.toml")
    }

    fn failure(&self, status: ExitStatus, stderr: &[u8]) -> Error {
        let mut error = Error::new(
            Kind::ToolFailed,
            format!("command of `{}` ended with {status}", self.name),
        );
        for line in String::from_utf8_lossy(stderr).lines() {
            error = error.detail(line);
        }
        error.outcome(Outcome::MayHaveRun)
    }

    fn read(&self, output: Vec<u8>) -> Result<Value, Error> {
        if self.output != Output::Text {
            match serde_json::from_slice(&output) {
                Ok(value) => return Ok(value),
                Err(_) if self.output == Output::Either => {}
                Err(why) => {
                    let text = format!("command of `{}` did not write JSON", self.name);
                    return Err(Error::new(Kind::ToolFailed, text).detail(why.to_string()));
                }
            }
        }
        let text = String::from_utf8(output).map_err(|_| {
            let text = format!("command of `{}` did not write UTF-8 text", self.name);
            Error::new(Kind::ToolFailed, text)
        })?;
        // The newline that ends a program's output belongs to the terminal, not to the value.
        Ok(Value::String(
            text.strip_suffix('\n').map_or(text.clone(), str::to_owned),
        ))
    }
}

/// Writes the input and closes the pipe. A program that does not read its input is no fault.
async fn feed(mut pipe: ChildStdin, input: Vec<u8>) {
    if let Err(why) = pipe.write_all(&input).await {
        tracing::debug!(%why, "a host tool did not read its input");
    }
}

/// Everything up to the limit; `None` = there was more.
async fn bounded(mut pipe: impl AsyncRead + Unpin, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut output = Vec::new();
    let read = (&mut pipe)
        .take(limit as u64 + 1)
        .read_to_end(&mut output)
        .await?;
    Ok((read <= limit).then_some(output))
}

/// The end of what the pipe carries.
async fn tail(mut pipe: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > STDERR_TAIL {
            kept.drain(..kept.len() - STDERR_TAIL);
        }
    }
    kept
}

/// The names in `{}` of an argument. `{{` and `}}` stand for the braces themselves.
pub(super) fn placeholders(argument: &str) -> impl Iterator<Item = &str> {
    pieces(argument).into_iter().filter_map(|piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    })
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(argument: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        found.push(Piece::Text(&rest[..at]));
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        match after.find('}') {
            _ if after.starts_with(brace) => {
                found.push(Piece::Text(brace));
                rest = &after[1..];
            }
            Some(end) if brace == "{" => {
                found.push(Piece::Name(&after[..end]));
                rest = &after[end + 1..];
            }
            _ => {
                found.push(Piece::Text(brace));
                rest = after;
            }
        }
    }
    found.push(Piece::Text(rest));
    found
}

/// An argument with its placeholders filled: texts as they are, anything else as JSON, what was not given as
/// nothing. It stays one argument whatever is in it.
fn filled(argument: &str, given: &Value) -> String {
    let fill = |piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Name(name) => match &given[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    };
    pieces(argument).into_iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders_are_filled_and_never_split() {
        let given = json!({ "text": "a b; rm -rf $HOME", "n": 3, "list": [1, 2] });
        assert_eq!(filled("--in={text}", &given), "--in=a b; rm -rf $HOME");
        assert_eq!(filled("{n}x{list}", &given), "3x[1,2]");
        assert_eq!(filled("{{literal}}", &given), "{literal}");
        assert_eq!(filled("{missing}", &given), "");
        assert_eq!(filled("open {", &given), "open {");
    }
}
