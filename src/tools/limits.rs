//! Every bound of the room, next to what it bounds. Nothing here decides; it only names.

use std::time::Duration;

/// Calls may nest in calls to this depth.
pub const MAX_DEPTH: u32 = 16;
/// Calls at once that a worker may claim in its handshake; a higher claim counts as this.
pub const MAX_CAPACITY: usize = 1024;
/// Bidirectional streams to each worker for small unary calls.
pub const LANES: usize = 4;
/// Calls in one message of a lane.
pub const BATCH_CALLS: usize = 32;
/// Requests of this many bytes and more get an RPC of their own, so that flow control is per call.
pub const SMALL_REQUEST: usize = 256 * 1024;
/// The longest message that a worker may send or get, with room for its envelope.
pub const MESSAGE_LIMIT: usize = 64 * 1024 * 1024 + 64 * 1024;
/// HTTP/2 window of one call's stream: what a worker may send ahead of a slow reader.
pub const STREAM_WINDOW: u32 = 256 * 1024;
/// HTTP/2 window of the whole connection to a worker: large, so that one slow reader stops nobody else.
pub const CONNECTION_WINDOW: u32 = 64 * 1024 * 1024;
/// How long dialling a worker may take.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a worker may take to answer the handshake and the probe, each.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Orders to one supervisor that wait to be read; there are never more than three.
pub const ORDERS: usize = 8;
/// Host tools that run at once, over all sessions.
pub const HOST_CALLS: usize = 256;
/// The longest id that a caller may choose for a call, in bytes.
pub const CALL_ID_BYTES: usize = 128;
/// How much later than the call's deadline the transport gives up on a worker that does not answer.
pub const RPC_MARGIN: Duration = Duration::from_secs(1);
/// Times that a worker is asked to stop a call that it does not know yet.
pub const CANCEL_ATTEMPTS: u32 = 50;
/// The pause between them, times the attempt: over a second in all.
pub const CANCEL_PAUSE: Duration = Duration::from_millis(1);
/// How long a drain waits, after its grace, for cancelled calls to end.
pub const CANCEL_WAIT: Duration = Duration::from_secs(1);

/// The bounds that an operator can set.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Tools that one worker may bring; 1 000.
    pub tools_per_worker: usize,
    /// Calls that may wait for one tool; 1 000.
    pub queue_per_tool: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tools_per_worker: 1000,
            queue_per_tool: 1000,
        }
    }
}
