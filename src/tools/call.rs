//! One call: where it came from, how deep it is nested, how long it may take, where it is now.
//!
//! A call is in the desk's table from its admission until its one end; removal from the table is the end.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure::Subject;
use super::link::Link;
use super::registry::{Declaration, ToolId};
use crate::error::{Error, Kind, Outcome};
use crate::proto::bridge::{DispatchCall, ExecuteToolRequest, ExecuteToolResponse};

/// What the edge knows of a caller beside the request itself.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// When the caller stops waiting; `None` = it did not say.
    pub deadline: Option<Instant>,
    /// The worker that calls, from the request header `snakepit-worker-id`.
    pub worker_id: Option<String>,
    /// The W3C trace context; empty = none.
    pub traceparent: String,
}

/// How a unary call ends.
pub(super) type Ended = Result<ExecuteToolResponse, Error>;

/// Who waits for a call.
pub(super) enum Reply {
    /// For its result.
    Result(oneshot::Sender<Ended>),
    /// For a permit of a worker, to make the RPC of a stream under it.
    Permit(oneshot::Sender<Result<Arc<Link>, Error>>),
}

impl Reply {
    /// Ends the wait with an error. Nobody may be waiting any more; that is no fault.
    pub(super) fn fail(self, error: Error) {
        match self {
            Self::Result(sender) => drop(sender.send(Err(error))),
            Self::Permit(sender) => drop(sender.send(Err(error))),
        }
    }
}

/// How the request travels.
pub(super) enum Work {
    /// In a batch of a lane.
    Small(Box<DispatchCall>),
    /// In an RPC of its own.
    Large(Box<ExecuteToolRequest>),
    /// In an RPC that the caller makes, once it has the permit.
    Stream,
}

/// A call that waits for its turn.
pub(super) struct Ticket {
    pub(super) call: Arc<str>,
    pub(super) depth: u32,
    /// The order of arrival at the bridge.
    pub(super) seq: u64,
    pub(super) work: Work,
}

impl Ticket {
    /// Sorts tickets: the lower one goes first.
    pub(super) fn turn(&self) -> (Reverse<u32>, u64) {
        (Reverse(self.depth), self.seq)
    }
}

/// Where a call is.
pub(super) enum Place {
    /// In the queue of its tool.
    Queued,
    /// With a worker; `lane` is set when it travels in batches.
    With { link: Arc<Link>, lane: Option<usize> },
    /// In the bridge itself.
    Host { stop: CancellationToken },
}

/// One live call.
pub(super) struct Call {
    pub(super) session: String,
    /// `None` for a host tool.
    pub(super) tool: Option<ToolId>,
    pub(super) declaration: Arc<Declaration>,
    pub(super) parent: Option<Arc<str>>,
    pub(super) depth: u32,
    pub(super) seq: u64,
    pub(super) deadline: Option<Instant>,
    pub(super) place: Place,
    /// `None` once somebody was told, or when nobody waits any more.
    pub(super) reply: Option<Reply>,
    /// Nested calls that it waits for. While there are any, its permit is lent.
    pub(super) children: usize,
    /// Why it was asked to stop.
    pub(super) cancelled: Option<String>,
    pub(super) arrived: Instant,
    pub(super) handed: Instant,
}

impl Call {
    /// The words for an error of this call, once a worker has it.
    pub(super) fn subject<'a>(&'a self, worker: &'a str) -> Subject<'a> {
        Subject {
            worker,
            ..subject(&self.declaration)
        }
    }
}

/// The words for an error of a call that no worker has.
pub(super) fn subject(declaration: &Declaration) -> Subject<'_> {
    Subject {
        tool: &declaration.name,
        worker: "",
        idempotent: declaration.registration.idempotent,
    }
}

/// When a call has to be over: what its caller says, or else what the tool says; never later than its parent.
pub(super) fn deadline(
    origin: &Origin,
    metadata: &HashMap<String, String>,
    declaration: &Declaration,
    now: Instant,
) -> Result<Option<Instant>, Error> {
    let asked = match metadata.get("timeout_ms") {
        None => None,
        Some(text) => {
            let millis = text.trim().parse::<u64>().map_err(|_| {
                Error::new(
                    Kind::BadRequest,
                    format!("metadata `timeout_ms` is not a number: `{text}`"),
                )
                .outcome(Outcome::NeverStarted)
            })?;
            after(now, millis)
        }
    };
    Ok(earlier(origin.deadline, asked).or_else(|| after(now, declaration.registration.timeout_ms)))
}

fn after(now: Instant, millis: u64) -> Option<Instant> {
    if millis == 0 {
        None
    } else {
        now.checked_add(Duration::from_millis(millis))
    }
}

/// The earlier of two limits, where `None` is no limit.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
