//! The process between a supervisor and a worker: it sees to it that the worker's whole tree ends.
//!
//! A worker may fork, make a session of its own and outlive a process group's end and the parent-death signal. All
//! of it lands here, because the reaper is its subreaper, and here it is killed: when the worker ends, when the
//! supervisor ends (the lifeline closes, or the parent-death signal comes with another parent than before), or when
//! it is told to. It runs before anything else of the binary is set up, in one thread, and must never print.
//!
//! Signals: TERM and INT are passed on to the worker's process group, USR1 kills the tree at once. Lines on the
//! status pipe: `pid:N` once started or `error:TEXT`, then `exit:N` or `signal:N` when the worker has ended.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sys::descriptor;
use crate::sys::launch::{self, Launch};
use crate::sys::signal::{self, Signal, Signals, Woken};
use crate::sys::tree::{self, Collected, Ended};

/// The hidden first argument that makes the binary a reaper.
pub const VERB: &str = "__reap";

/// What a worker has to clean up when its supervisor is gone, before it is killed.
const ORPHAN_GRACE: Duration = Duration::from_millis(500);
/// How long killed processes may take to vanish before the reaper gives up on them (uninterruptible ones).
const KILL_PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks at a tree that is being killed.
const KILL_PAUSE: Duration = Duration::from_millis(5);

/// The exit code of a reaper whose own arguments or descriptors are wrong.
const BAD_START: u8 = 125;
/// The exit code when the worker's program could not be started, as shells have it.
const NOT_STARTED: u8 = 127;

/// What a reaper is started with.
#[derive(Debug, PartialEq, Eq)]
struct Orders {
    /// Read end of a pipe that the supervisor holds open for as long as it lives.
    lifeline: RawFd,
    /// Write end of the status pipe.
    status: RawFd,
    /// Write end of the worker's own lifeline: held here, so that it closes when the reaper dies.
    hold: RawFd,
    /// What the worker inherits.
    pass: Vec<RawFd>,
    /// A socket file to remove at the end.
    unlink: Option<PathBuf>,
    command: Vec<OsString>,
}

/// The command line that [`main`] reads, without the program and without [`VERB`].
pub fn arguments(
    lifeline: &OwnedFd,
    status: &OwnedFd,
    hold: &OwnedFd,
    pass: &[RawFd],
    unlink: Option<&std::path::Path>,
) -> Vec<OsString> {
    let pass: Vec<String> = pass.iter().map(ToString::to_string).collect();
    let mut arguments: Vec<OsString> = ["--lifeline", &descriptor::number(lifeline)]
        .into_iter()
        .chain([
            "--status",
            &descriptor::number(status),
            "--hold",
            &descriptor::number(hold),
        ])
        .chain(["--pass", &pass.join(",")])
        .map(OsString::from)
        .collect();
    if let Some(path) = unlink {
        arguments.extend([OsString::from("--unlink"), path.into()]);
    }
    arguments.push("--".into());
    arguments
}

fn parse(argv: &[OsString]) -> Option<Orders> {
    let mut orders = Orders {
        lifeline: -1,
        status: -1,
        hold: -1,
        pass: Vec::new(),
        unlink: None,
        command: Vec::new(),
    };
    let mut rest = argv.iter();
    while let Some(flag) = rest.next() {
        let fd = |value: Option<&OsString>| value.and_then(|text| text.to_str()?.parse::<RawFd>().ok());
        match flag.to_str()? {
            "--lifeline" => orders.lifeline = fd(rest.next())?,
            "--status" => orders.status = fd(rest.next())?,
            "--hold" => orders.hold = fd(rest.next())?,
            "--pass" => {
                let list = rest.next()?.to_str()?;
                orders.pass = list
                    .split(',')
                    .filter(|text| !text.is_empty())
                    .map(|text| text.parse().ok())
                    .collect::<Option<_>>()?;
            }
            "--unlink" => orders.unlink = Some(rest.next()?.into()),
            "--" => break,
            _ => return None,
        }
    }
    orders.command = rest.cloned().collect();
    (orders.lifeline > 2 && orders.status > 2 && orders.hold > 2 && !orders.command.is_empty())
        .then_some(orders)
}

/// Runs a reaper to its end; `argv` is what follows [`VERB`]. Returns the process's exit code: the worker's own,
/// or 128 + the number of the signal that ended it.
pub fn main(argv: &[OsString]) -> u8 {
    let parent = signal::parent();
    let Some(orders) = parse(argv) else {
        return BAD_START;
    };
    match Reaper::start(orders, parent) {
        Ok(mut reaper) => reaper.run(),
        Err(code) => code,
    }
}

struct Reaper {
    signals: Signals,
    lifeline: Option<OwnedFd>,
    status: File,
    _hold: OwnedFd,
    parent: u32,
    worker: u32,
    unlink: Option<PathBuf>,
}

impl Reaper {
    fn start(orders: Orders, parent: u32) -> Result<Self, u8> {
        let bad = |_: io::Error| BAD_START;
        descriptor::keep_from_children().map_err(bad)?;
        let lifeline = descriptor::adopt(orders.lifeline).map_err(bad)?;
        let hold = descriptor::adopt(orders.hold).map_err(bad)?;
        let mut status = File::from(descriptor::adopt(orders.status).map_err(bad)?);
        let passed: Vec<OwnedFd> = orders
            .pass
            .iter()
            .map(|&fd| descriptor::adopt(fd))
            .collect::<io::Result<_>>()
            .map_err(bad)?;
        let signals = Signals::take(&[
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGUSR1,
            Signal::SIGUSR2,
            Signal::SIGCHLD,
        ])
        .map_err(bad)?;
        signal::become_subreaper().map_err(bad)?;
        signal::on_parent_death(Signal::SIGUSR2).map_err(bad)?;

        let worker = match spawn_worker(&orders.command, &passed) {
            Ok(pid) => pid,
            Err(cause) => {
                let _ = writeln!(status, "error:{cause}");
                return Err(NOT_STARTED);
            }
        };
        let _ = writeln!(status, "pid:{worker}");
        // The worker has its copies; ours would keep the ready pipe from reading end of file.
        drop(passed);
        Ok(Self {
            signals,
            lifeline: Some(lifeline),
            status,
            _hold: hold,
            parent,
            worker,
            unlink: orders.unlink,
        })
    }

    fn run(&mut self) -> u8 {
        let mut kill_at: Option<Instant> = None;
        if signal::parent() != self.parent {
            kill_at = Some(self.orphaned());
        }
        let ended = loop {
            match self.collect() {
                Some(ended) => break Some(ended),
                None if kill_at.is_some_and(|at| at <= Instant::now()) => break None,
                None => {}
            }
            let timeout = kill_at.map(|at| at.saturating_duration_since(Instant::now()));
            match self.signals.wait(self.lifeline.as_ref(), timeout) {
                Ok(Woken::Signal(Signal::SIGUSR1)) => break None,
                Ok(Woken::Signal(Signal::SIGCHLD) | Woken::Timeout) => {}
                Ok(Woken::Signal(Signal::SIGUSR2)) => {
                    // A thread's end is not the parent's: only another parent counts.
                    if signal::parent() != self.parent && kill_at.is_none() {
                        kill_at = Some(self.orphaned());
                    }
                }
                Ok(Woken::Signal(other)) => {
                    signal::send_group(self.worker, other);
                }
                Ok(Woken::Descriptor) => {
                    self.lifeline = None;
                    if kill_at.is_none() {
                        kill_at = Some(self.orphaned());
                    }
                }
                // Without signals it cannot do its work: end everything rather than lose sight of it.
                Err(_) => break None,
            }
        };
        self.finish(ended)
    }

    /// Lets the worker clean up, and says when that is over.
    fn orphaned(&self) -> Instant {
        signal::send_group(self.worker, Signal::SIGTERM);
        Instant::now() + ORPHAN_GRACE
    }

    /// Collects what has ended. The worker's own end is returned.
    fn collect(&self) -> Option<Ended> {
        loop {
            match tree::collect() {
                Ok(Collected::Child(pid, ended)) if pid == self.worker => return Some(ended),
                Ok(Collected::Child(..)) => {}
                Ok(Collected::Nobody) => return None,
                // The worker was collected by nobody else, so this cannot be; treat it as ended.
                Ok(Collected::NoChildren) | Err(_) => return Some(Ended::Exit(i32::from(BAD_START))),
            }
        }
    }

    /// Kills whatever is left, reports how the worker ended, and gives the exit code.
    fn finish(&mut self, mut ended: Option<Ended>) -> u8 {
        if let Some(ended) = ended {
            self.report(ended);
        }
        let reported = ended.is_some();
        let deadline = Instant::now() + KILL_PATIENCE;
        let own = std::process::id();
        loop {
            if ended.is_none() {
                // In one stroke what forks quickly. Once collected, its number may be somebody else's.
                signal::send_group(self.worker, Signal::SIGKILL);
            }
            for pid in tree::descendants(own) {
                signal::send(pid, Signal::SIGKILL);
            }
            let none_left = loop {
                match tree::collect() {
                    Ok(Collected::Child(pid, how)) if pid == self.worker => ended = Some(how),
                    Ok(Collected::Child(..)) => {}
                    Ok(Collected::Nobody) => break false,
                    Ok(Collected::NoChildren) | Err(_) => break true,
                }
            };
            if none_left || Instant::now() >= deadline {
                break;
            }
            std::thread::sleep(KILL_PAUSE);
        }
        if let Some(path) = &self.unlink {
            let _ = std::fs::remove_file(path);
        }
        let ended = ended.unwrap_or(Ended::Signal(Signal::SIGKILL as i32));
        if !reported {
            self.report(ended);
        }
        match ended {
            Ended::Exit(code) => u8::try_from(code).unwrap_or(BAD_START),
            Ended::Signal(number) => u8::try_from(128 + number).unwrap_or(BAD_START),
        }
    }

    fn report(&mut self, ended: Ended) {
        let line = match ended {
            Ended::Exit(code) => format!("exit:{code}\n"),
            Ended::Signal(number) => format!("signal:{number}\n"),
        };
        // Nobody reads it when the supervisor is gone (and SIGPIPE is ignored by Rust's runtime).
        let _ = self.status.write_all(line.as_bytes());
    }
}

fn spawn_worker(command: &[OsString], passed: &[OwnedFd]) -> io::Result<u32> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut command = Command::new(OsStr::new(program));
    command.args(arguments).stdin(Stdio::null());
    launch::prepare(
        &mut command,
        Launch {
            pass: passed.iter().map(AsRawFd::as_raw_fd).collect(),
            own_session: true,
            // This thread is the reaper's only one and lives as long as the reaper.
            on_parent_death: Some(Signal::SIGKILL),
        },
    );
    Ok(command.spawn()?.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_read_back() {
        let orders = parse(&words(
            "--lifeline 3 --status 4 --hold 5 --pass 6,7 --unlink /s -- python -u x",
        ))
        .unwrap();
        assert_eq!((orders.lifeline, orders.status, orders.hold), (3, 4, 5));
        assert_eq!(orders.pass, vec![6, 7]);
        assert_eq!(orders.unlink, Some(PathBuf::from("/s")));
        assert_eq!(orders.command, words("python -u x"));
    }

    #[test]
    fn an_incomplete_command_line_is_refused() {
        for text in [
            "--lifeline 3 -- x",
            "--lifeline 3 --status 4 --hold 5 --",
            "--what 1",
            "--pass a,b -- x",
        ] {
            assert_eq!(parse(&words(text)), None, "{text}");
            assert_eq!(main(&words(text)), BAD_START);
        }
    }
}
