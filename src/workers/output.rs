//! What a worker prints: always drained, cut into lines, handed on, and its end kept for the error report.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A line longer than this many bytes is handed on in pieces.
pub const MAX_LINE: usize = 64 * 1024;
/// How many bytes of the last lines of a worker are kept.
pub const MAX_TAIL: usize = 64 * 1024;
/// How much is read at once.
const READ: usize = 16 * 1024;

/// Which of the two a line was printed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where lines go as they come; called from the runtime, must not block.
pub type Sink = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// The last lines of a worker, both streams as they came in.
#[derive(Debug, Default, Clone)]
pub struct Tail(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Tail {
    fn push(&self, line: &str) {
        let mut kept = self.0.lock();
        kept.bytes += line.len() + 1;
        kept.lines.push_back(line.to_owned());
        while kept.bytes > MAX_TAIL {
            let Some(gone) = kept.lines.pop_front() else { break };
            kept.bytes -= gone.len() + 1;
        }
    }

    /// At most the last `count` lines, oldest first.
    pub fn last(&self, count: usize) -> Vec<String> {
        let kept = self.0.lock();
        kept.lines
            .iter()
            .skip(kept.lines.len().saturating_sub(count))
            .cloned()
            .collect()
    }
}

/// Reads a pipe to its end, line by line. A carriage return ends a line too, so that progress bars are seen.
pub async fn drain(mut pipe: impl AsyncRead + Unpin, stream: Stream, tail: Tail, sink: Sink) {
    let mut splitter = Splitter::default();
    let mut buffer = vec![0; READ];
    let mut emit = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        tail.push(&line);
        sink(stream, &line);
    };
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => splitter.feed(&buffer[..count], &mut emit),
        }
    }
    splitter.finish(&mut emit);
}

/// Cuts bytes into lines of at most [`MAX_LINE`].
#[derive(Debug, Default)]
struct Splitter {
    open: Vec<u8>,
    after_return: bool,
}

impl Splitter {
    fn feed(&mut self, bytes: &[u8], emit: &mut impl FnMut(&[u8])) {
        for &byte in bytes {
            let was_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if was_return => {}
                b'\n' => self.end(emit),
                b'\r' => self.end(emit),
                _ => {
                    self.open.push(byte);
                    if self.open.len() >= MAX_LINE {
                        self.end(emit);
                    }
                }
            }
        }
    }

    fn end(&mut self, emit: &mut impl FnMut(&[u8])) {
        emit(&self.open);
        self.open.clear();
    }

    fn finish(&mut self, emit: &mut impl FnMut(&[u8])) {
        if !self.open.is_empty() {
            self.end(emit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        let mut emit = |line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned());
        for piece in pieces {
            splitter.feed(piece, &mut emit);
        }
        splitter.finish(&mut emit);
        lines
    }

    #[test]
    fn lines_end_at_newlines_and_carriage_returns_across_reads() {
        assert_eq!(
            split(&[b"a\nb", b"c\r", b"\nd\r50%\r\ne"]),
            ["a", "bc", "d", "50%", "e"]
        );
        assert_eq!(split(&[b"\n\n"]), ["", ""]);
    }

    #[test]
    fn a_line_without_end_is_cut_and_nothing_is_lost() {
        let flood = vec![b'x'; MAX_LINE * 2 + 5];
        let lines = split(&[&flood]);
        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            [MAX_LINE, MAX_LINE, 5]
        );
    }

    #[test]
    fn the_tail_keeps_the_last_lines_within_its_bytes() {
        let tail = Tail::default();
        for number in 0..100_000 {
            tail.push(&format!("line {number}"));
        }
        assert_eq!(tail.last(1), ["line 99999"]);
        let kept: usize = tail.last(1_000_000).iter().map(|line| line.len() + 1).sum();
        assert!(kept <= MAX_TAIL && kept > MAX_TAIL - 100);
    }
}
