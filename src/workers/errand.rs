//! A program run for its output while somebody waits: Python asked what it is, pip, uv.
//!
//! Blocking. It dies with this process and at its deadline, and its last lines are kept for the error report.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::sys::descriptor;
use crate::sys::launch::{self, Launch};
use crate::sys::signal::Signal;

/// How many of the last lines are kept.
const KEPT_LINES: usize = 40;
/// Longest line that is looked at, in bytes; the rest of it is dropped from the report.
const MAX_LINE: usize = 64 * 1024;
/// How often the one who waits is told that it still runs.
const TICK: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Debug)]
pub(super) struct Done {
    /// `None` = it was ended at its deadline.
    pub(super) status: Option<ExitStatus>,
    /// The last lines of both streams, oldest first.
    pub(super) tail: Vec<String>,
}

impl Done {
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Runs a command to its end; `heard` gets each line of both streams, and `None` while there is silence.
pub(super) fn run(
    mut command: Command,
    within: Duration,
    mut heard: impl FnMut(Option<&str>),
) -> io::Result<Done> {
    let pipe = descriptor::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(pipe.write.try_clone()?)
        .stderr(pipe.write);
    let dying = Launch {
        on_parent_death: Some(Signal::SIGKILL),
        ..Launch::default()
    };
    // The command, and with it our copies of the pipe's write end, is dropped by the spawn.
    let mut child = launch::spawn(command, dying)?;
    let deadline = Instant::now() + within;
    let mut tail = VecDeque::new();
    let mut open = Vec::new();
    let mut keep = |line: &[u8], heard: &mut dyn FnMut(Option<&str>)| {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        heard(Some(&line));
        if tail.len() == KEPT_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
    };
    let mut buffer = [0; 8192];
    let mut pipe = (std::fs::File::from(pipe.read.try_clone()?), pipe.read);
    let in_time = loop {
        if Instant::now() >= deadline {
            break false;
        }
        if !descriptor::wait_readable(&pipe.1, Some(TICK))? {
            heard(None);
            // A grandchild may hold the pipe open for ever: the end of the program itself counts.
            if child.try_wait()?.is_some() {
                break true;
            }
            continue;
        }
        let count = pipe.0.read(&mut buffer)?;
        if count == 0 {
            break true;
        }
        for &byte in &buffer[..count] {
            if byte == b'\n' {
                keep(&open, &mut heard);
                open.clear();
            } else if open.len() < MAX_LINE {
                open.push(byte);
            }
        }
    };
    if !open.is_empty() {
        keep(&open, &mut heard);
    }
    if !in_time {
        child.kill()?;
        child.wait()?;
        return Ok(Done {
            status: None,
            tail: tail.into(),
        });
    }
    Ok(Done {
        status: Some(child.wait()?),
        tail: tail.into(),
    })
}

/// The first executable file of that name on the PATH.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let executable = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| executable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_heard_and_the_exit_code_is_known() {
        let mut lines = Vec::new();
        let done = run(
            shell("echo a; echo b >&2; printf c; exit 3"),
            Duration::from_secs(20),
            |line| {
                lines.extend(line.map(str::to_owned));
            },
        )
        .unwrap();
        assert_eq!(lines, ["a", "b", "c"]);
        assert_eq!(done.status.unwrap().code(), Some(3));
        assert_eq!(done.tail, lines);
    }

    #[test]
    fn it_is_ended_at_its_deadline() {
        let done = run(
            shell("echo started; exec sleep 60"),
            Duration::from_millis(300),
            |_| {},
        )
        .unwrap();
        assert!(done.status.is_none());
        assert_eq!(done.tail, ["started"]);
    }
}
