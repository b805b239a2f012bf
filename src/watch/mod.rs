//! The observer side of a session: one shared ring of commits, and cursors into it.
//!
//! A writer publishes and goes on; it never waits for a reader and never knows how many there are. A reader that
//! is slow falls off the ring and is told so ([`Step::Behind`]): the bridge then catches it up from the journal.
//! Nothing is encoded here.

mod ring;

pub use ring::{Hub, Step, Watcher};

/// Commits that a session's ring holds.
pub const RING_COMMITS: usize = 4_096;

/// Bytes that a session's ring holds, as [`crate::session::Commit::weight`] counts them.
pub const RING_BYTES: usize = 8 * 1024 * 1024;

/// Commits that a watcher takes at once.
pub const STEP_COMMITS: usize = 256;
