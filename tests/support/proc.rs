//! What /proc says of processes: the judge of "nothing is left", which shares no code with what it judges.

use std::collections::HashSet;

/// A live process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Its pid.
    pub pid: u32,
    /// Its command line, or its name where that cannot be read.
    pub line: String,
}

/// Every live process that has `mark` (`NAME=VALUE`) in its environment.
pub fn marked(mark: &str) -> Vec<Seen> {
    let carries = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .any(|variable| variable == mark.as_bytes())
    };
    pids().into_iter().filter(carries).filter_map(seen).collect()
}

/// Every live descendant of a process, itself left out.
pub fn tree(root: u32) -> Vec<Seen> {
    let parents: Vec<(u32, u32)> = pids()
        .into_iter()
        .filter_map(|pid| Some((pid, stat(pid)?.1)))
        .collect();
    let mut family = HashSet::from([root]);
    loop {
        let before = family.len();
        for (pid, parent) in &parents {
            if family.contains(parent) {
                family.insert(*pid);
            }
        }
        if family.len() == before {
            break;
        }
    }
    family.remove(&root);
    family.into_iter().filter_map(seen).collect()
}

/// Whether a process that was seen before still lives. A pid that was given to another does not count.
pub fn lives(process: &Seen) -> bool {
    seen(process.pid).as_ref() == Some(process)
}

fn pids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there");
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn seen(pid: u32) -> Option<Seen> {
    let (state, _) = stat(pid)?;
    if matches!(state, 'Z' | 'X') {
        return None;
    }
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line)
        .replace('\0', " ")
        .trim()
        .to_owned();
    Some(Seen { pid, line })
}

/// State letter and parent.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold spaces and parentheses.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
