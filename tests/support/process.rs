//! A program that runs, whose lines are collected as they come and can be waited for.
//!
//! Nothing here sleeps for a fixed time: a line wakes whoever waits for it, an end is polled with a deadline.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{PATIENCE, Run, eventually};

/// Lines of one stream so far.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Collected>, Condvar)>);

#[derive(Default)]
struct Collected {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn read(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let filled = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { break };
                filled.0.0.lock().unwrap().lines.push(line);
                filled.0.1.notify_all();
            }
            filled.0.0.lock().unwrap().ended = true;
            filled.0.1.notify_all();
        });
        lines
    }

    /// Waits until a line from `start` on fulfils the condition; its position and text.
    fn find(&self, start: usize, what: &str, fits: impl Fn(&str) -> bool) -> (usize, String) {
        let deadline = Instant::now() + PATIENCE;
        let mut collected = self.0.0.lock().unwrap();
        let mut looked = start;
        loop {
            while looked < collected.lines.len() {
                if fits(&collected.lines[looked]) {
                    return (looked, collected.lines[looked].clone());
                }
                looked += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !collected.ended && !left.is_zero(),
                "no {what}; there was:\n{}",
                collected.lines.join("\n")
            );
            collected = self.0.1.wait_timeout(collected, left).unwrap().0;
        }
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        let mut text = self.0.0.lock().unwrap().lines.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    fn whole(&self) -> String {
        eventually(PATIENCE, "the end of the stream", || {
            self.0.0.lock().unwrap().ended.then_some(())
        });
        self.text()
    }
}

/// A program that runs; killed when dropped.
pub struct Process {
    child: Child,
    /// Its stdout.
    pub out: Lines,
    /// Its stderr.
    pub err: Lines,
    read: usize,
    told: usize,
}

impl Process {
    /// Starts it in a process group of its own, as a terminal would.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("the program starts");
        let out = Lines::read(child.stdout.take().unwrap());
        let err = Lines::read(child.stderr.take().unwrap());
        Self {
            child,
            out,
            err,
            read: 0,
            told: 0,
        }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line of stdout.
    pub fn line(&mut self) -> String {
        self.line_where("line on stdout", |_| true)
    }

    /// Waits for the next line of stdout that fulfils the condition; those before it are passed over.
    pub fn line_where(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let (at, line) = self.out.find(self.read, what, fits);
        self.read = at + 1;
        line
    }

    /// Waits for the next line of stderr that has these words; those before it are passed over.
    pub fn says(&mut self, words: &str) -> String {
        let what = format!("`{words}` on stderr");
        let (at, line) = self.err.find(self.told, &what, |line| line.contains(words));
        self.told = at + 1;
        line
    }

    /// Sends a signal to it, and to it alone.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).expect("it is there");
    }

    /// Waits for its end.
    pub fn end(mut self) -> Run {
        let status = eventually(PATIENCE, "the end of the program", || {
            self.child.try_wait().expect("it can be waited for")
        });
        Run {
            out: self.out.whole(),
            err: self.err.whole(),
            code: status.code().unwrap_or(-1),
        }
    }

    /// Sends a signal and waits for the end; also how long that took.
    pub fn stop(self, signal: Signal) -> (Run, Duration) {
        self.signal(signal);
        let asked = Instant::now();
        let run = self.end();
        (run, asked.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
