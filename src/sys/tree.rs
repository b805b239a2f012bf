//! Processes by kinship and by mark, read from /proc, and their end.
//!
//! A pid can be used again by another process: what is found here is acted on at once, never kept.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Exit(i32),
    /// By a signal of this number.
    Signal(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(out, "exit code {code}"),
            Self::Signal(number) => match nix::sys::signal::Signal::try_from(*number) {
                Ok(signal) => out.write_str(signal.as_str()),
                Err(_) => write!(out, "signal {number}"),
            },
        }
    }
}

/// What there was to collect among the children of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collected {
    /// This child ended and is gone now.
    Child(u32, Ended),
    /// Children live, and none has ended.
    Nobody,
    /// There is no child.
    NoChildren,
}

/// Collects one ended child, adopted ones too, without waiting.
pub fn collect() -> io::Result<Collected> {
    loop {
        return match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => Ok(Collected::Child(number(pid), Ended::Exit(code))),
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                Ok(Collected::Child(number(pid), Ended::Signal(signal as i32)))
            }
            Ok(WaitStatus::StillAlive) => Ok(Collected::Nobody),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => Ok(Collected::NoChildren),
            Err(cause) => Err(cause.into()),
        };
    }
}

fn number(pid: Pid) -> u32 {
    u32::try_from(pid.as_raw()).unwrap_or(0)
}

/// The parent and the state letter of a process, from its stat line.
fn stat(pid: u32) -> Option<(u32, u8)> {
    let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold any byte, parentheses too.
    let end = line.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(line.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    Some((fields.next()?.parse().ok()?, state))
}

fn processes() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// True when the process is there and not a zombie.
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(_, state)| !matches!(state, b'Z' | b'X'))
}

/// Every live descendant of a process, parents before their children. Zombies are left out.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<(u32, bool)>> = HashMap::new();
    for pid in processes() {
        if let Some((parent, state)) = stat(pid) {
            children
                .entry(parent)
                .or_default()
                .push((pid, !matches!(state, b'Z' | b'X')));
        }
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for (child, alive) in children.remove(&pid).unwrap_or_default() {
            if alive {
                found.push(child);
            }
            open.push(child);
        }
    }
    found
}

/// Every live process of this user that was started with `mark` (`NAME=VALUE`) in its environment.
///
/// It finds what has left its family. Processes that cleared their environment are not found.
pub fn marked(mark: &str) -> Vec<u32> {
    let carries = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .any(|variable| variable == mark.as_bytes())
    };
    let own = std::process::id();
    processes()
        .into_iter()
        .filter(|pid| *pid != own && carries(pid) && is_alive(*pid))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_a_descendant_until_it_is_dead() {
        let mut child = Command::new("sleep")
            .arg("60")
            .env("SNAKEPIT_TEST_MARK", "tree-1")
            .spawn()
            .unwrap();
        assert!(descendants(std::process::id()).contains(&child.id()));
        assert!(is_alive(child.id()));
        // The kernel lets the parent go on before it shows the environment of what was executed.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while marked("SNAKEPIT_TEST_MARK=tree-1").is_empty() && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!(marked("SNAKEPIT_TEST_MARK=tree-1"), vec![child.id()]);
        assert!(super::super::signal::send(
            child.id(),
            nix::sys::signal::Signal::SIGKILL
        ));
        // Not waited for yet: a zombie does not count as alive.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while is_alive(child.id()) && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(!descendants(std::process::id()).contains(&child.id()));
        child.wait().unwrap();
    }
}
