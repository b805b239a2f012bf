//! What a supervisor tells its caller, and a bounded way to carry it.
//!
//! Nothing here prints: the caller draws.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::error::Error;

use super::output::Stream;
use super::spawn::Exit;

/// How many events may wait for their reader.
pub const QUEUE: usize = 4096;
/// How much of the queue is kept free of output lines, for everything else.
const RESERVED: usize = 512;

/// What happened to a worker. `worker_id` is its slot's id; it stays the same over restarts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Its process is being started.
    Starting {
        /// The slot's id.
        worker_id: String,
    },
    /// It is registered and takes calls.
    Ready {
        /// The slot's id.
        worker_id: String,
        /// The Python process.
        pid: u32,
        /// What it brought, as the bridge says.
        tools: Vec<String>,
        /// From the start of the process, or from the loss of its lease.
        took: Duration,
    },
    /// It printed a line (without its end; at most 64 KiB).
    Output {
        /// The slot's id.
        worker_id: String,
        /// Which stream.
        stream: Stream,
        /// The line, invalid UTF-8 replaced.
        line: String,
    },
    /// The reader was slow, and this many lines of output could not be queued.
    OutputLost {
        /// Since the last event of this kind.
        lines: u64,
    },
    /// Its process ended without being asked.
    Exited {
        /// The slot's id.
        worker_id: String,
        /// How.
        exit: Exit,
        /// The last lines that it printed.
        tail: Vec<String>,
    },
    /// It is started again after a pause.
    Restarting {
        /// The slot's id.
        worker_id: String,
        /// The pause.
        after: Duration,
    },
    /// It could not be started, or the bridge refused it for good.
    Failed {
        /// The slot's id.
        worker_id: String,
        /// Why, with the worker's own words.
        error: Error,
    },
    /// The bridge is gone or let go of it: the process is kept and registers again.
    LeaseLost {
        /// The slot's id.
        worker_id: String,
    },
    /// It cannot be registered yet; told once for each time that it waits.
    Waiting {
        /// The slot's id.
        worker_id: String,
        /// What the last try said.
        error: Error,
    },
    /// The bridge sends it no more calls.
    Draining {
        /// The slot's id.
        worker_id: String,
        /// The bridge's words.
        reason: String,
    },
    /// It is being ended.
    Stopping {
        /// The slot's id.
        worker_id: String,
        /// Who asked.
        reason: String,
    },
    /// It and everything that it started is gone, as asked.
    Stopped {
        /// The slot's id.
        worker_id: String,
    },
}

/// Gets every event, in order for each slot. Called from the runtime: it must not block.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// A listener that queues up to [`QUEUE`] events. A reader that is too slow loses lines of output, and is told how
/// many by [`Event::OutputLost`]; other events find room that lines never take.
pub fn queue() -> (Listener, mpsc::Receiver<Event>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let lost = AtomicU64::new(0);
    let listener = move |event: Event| {
        if matches!(event, Event::Output { .. }) && sender.capacity() <= RESERVED {
            lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let lines = lost.swap(0, Ordering::Relaxed);
        if lines > 0 && sender.try_send(Event::OutputLost { lines }).is_err() {
            lost.fetch_add(lines, Ordering::Relaxed);
        }
        // Full of 512 events that are no output, or its reader is gone: nobody looks any more.
        let _ = sender.try_send(event);
    };
    (Arc::new(listener), receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_loses_lines_is_told_and_misses_nothing_else() {
        let (listener, mut events) = queue();
        let line = || Event::Output {
            worker_id: "w".into(),
            stream: Stream::Stdout,
            line: "x".into(),
        };
        for _ in 0..QUEUE * 2 {
            listener(line());
        }
        listener(Event::LeaseLost {
            worker_id: "w".into(),
        });
        let (mut lines, mut told, mut others) = (0, 0, 0);
        while let Ok(event) = events.try_recv() {
            match event {
                Event::Output { .. } => lines += 1,
                Event::OutputLost { lines } => told += lines,
                _ => others += 1,
            }
        }
        assert_eq!((lines + told, others), (2 * QUEUE as u64, 1));
        assert!(told > 0);
    }
}
