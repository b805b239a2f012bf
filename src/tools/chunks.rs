//! A streaming call as its caller sees it: chunks as they come, under the flow control of the RPC behind them,
//! then one end. Nothing is buffered here: a reader that pauses pauses the tool.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use tokio_stream::Stream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::{Status, Streaming};

use super::desk::Desk;
use super::failure::{self, Subject};
use super::lease::Lease;
use super::link::{Link, rpc};
use super::registry::Declaration;
use super::{call, lane};
use crate::error::{Error, Kind, Outcome};
use crate::proto::bridge::{CallTiming, ExecuteToolRequest, ToolChunk};

/// The chunks of one call. Dropping it cancels the call. After an error or the final chunk it ends.
pub struct ChunkStream(Inner);

enum Inner {
    Relay(Box<Relay>),
    Whole(Option<Box<ToolChunk>>),
}

struct Relay {
    desk: Arc<Desk>,
    link: Arc<Link>,
    id: Arc<str>,
    declaration: Arc<Declaration>,
    /// `None` once the call ended.
    source: Option<Streaming<ToolChunk>>,
    deadline: Option<Pin<Box<Sleep>>>,
    lost: Pin<Box<WaitForCancellationFutureOwned>>,
    arrived: Instant,
    handed: Instant,
    final_seen: bool,
}

impl std::fmt::Debug for ChunkStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Inner::Relay(relay) => write!(out, "ChunkStream({})", relay.id),
            Inner::Whole(_) => out.write_str("ChunkStream(one chunk)"),
        }
    }
}

impl ChunkStream {
    /// The stream of a call that ended with one value.
    pub(super) fn whole(chunk: ToolChunk) -> Self {
        Self(Inner::Whole(Some(Box::new(chunk))))
    }

    /// Makes the RPC of an admitted call that has its permit.
    pub(super) async fn open(
        mut lease: Lease,
        link: Arc<Link>,
        request: ExecuteToolRequest,
        declaration: Arc<Declaration>,
        deadline: Option<Instant>,
        arrived: Instant,
    ) -> Result<Self, Error> {
        let handed = Instant::now();
        lease.begin();
        let opened = start(&lease, &link, request, deadline);
        let subject = Subject {
            worker: &link.worker_id,
            ..call::subject(&declaration)
        };
        let answer = tokio::select! {
            answer = opened => answer.map(Opened::take),
            () = until(deadline) => return Err(failure::too_late(subject.tool, lease.give_up("deadline exceeded"))),
        };
        match answer {
            Ok(Ok(source)) => {
                let (desk, id) = lease.pass_on();
                Ok(Self(Inner::Relay(Box::new(Relay {
                    lost: Box::pin(link.closed.clone().cancelled_owned()),
                    deadline: deadline.map(|at| Box::pin(tokio::time::sleep_until(at))),
                    final_seen: false,
                    source: Some(source),
                    desk,
                    link,
                    id,
                    declaration,
                    arrived,
                    handed,
                }))))
            }
            Ok(Err(status)) => {
                let (desk, id) = lease.pass_on();
                desk.refused(&link, &status);
                Err(ended(&desk, &id, subject, &status))
            }
            // The task was dropped with the link.
            Err(_) => Err(failure::died(subject)),
        }
    }
}

/// Opens the RPC in a task of its own: when the caller leaves meanwhile, the call is still followed to its end.
fn start(
    lease: &Lease,
    link: &Arc<Link>,
    request: ExecuteToolRequest,
    deadline: Option<Instant>,
) -> oneshot::Receiver<Opened> {
    let (sender, receiver) = oneshot::channel();
    let (desk, id, link) = (
        Arc::downgrade(lease.desk()),
        Arc::clone(lease.id()),
        Arc::clone(link),
    );
    link.seat().runtime.clone().spawn(async move {
        let mut client = link.seat().client.clone();
        let opening = client.execute_streaming_tool(rpc(request, deadline));
        let Some(opened) = link.closed.run_until_cancelled(opening).await else {
            return;
        };
        let opened = Opened {
            answer: Some(opened.map(tonic::Response::into_inner)),
            desk,
            link,
            id,
        };
        // A caller that is gone, now or before it looks, drops it: that ends the call.
        drop(sender.send(opened));
    });
    receiver
}

/// The worker's answer on its way to the caller. Dropping it unread follows the call to its end.
struct Opened {
    answer: Option<Result<Streaming<ToolChunk>, Status>>,
    desk: Weak<Desk>,
    link: Arc<Link>,
    id: Arc<str>,
}

impl Opened {
    fn take(mut self) -> Result<Streaming<ToolChunk>, Status> {
        let nothing = || Err(Status::internal("the answer was taken before"));
        self.answer.take().unwrap_or_else(nothing)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        match self.answer.take() {
            Some(Ok(source)) => {
                let (link, id) = (Arc::clone(&self.link), Arc::clone(&self.id));
                lane::read_to_end(Weak::clone(&self.desk), link, id, source, false);
            }
            Some(Err(_)) => {
                if let Some(desk) = self.desk.upgrade() {
                    desk.close(&self.id, false);
                }
            }
            None => {}
        }
    }
}

/// Waits for an instant; for ever when there is none.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Ends a stream's call with a status of its RPC.
fn ended(desk: &Desk, id: &str, subject: Subject<'_>, status: &Status) -> Error {
    match desk.close(id, false) {
        Some(reason) if status.code() == tonic::Code::Cancelled => {
            failure::cancelled(id, &reason, Outcome::MayHaveRun)
        }
        _ => failure::of_status(subject, status),
    }
}

impl Stream for ChunkStream {
    type Item = Result<ToolChunk, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Inner::Whole(chunk) => Poll::Ready(chunk.take().map(|chunk| Ok(*chunk))),
            Inner::Relay(relay) => relay.poll(context),
        }
    }
}

impl Relay {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<ToolChunk, Error>>> {
        let Some(source) = &mut self.source else {
            return Poll::Ready(None);
        };
        // First, so that a tool that never pauses does not outrun its deadline.
        if self
            .deadline
            .as_mut()
            .is_some_and(|sleep| sleep.as_mut().poll(context).is_ready())
        {
            self.leave("deadline exceeded");
            let late = failure::too_late(&self.declaration.name, Outcome::MayHaveRun);
            return Poll::Ready(Some(Err(late)));
        }
        match Pin::new(source).poll_next(context) {
            Poll::Ready(Some(Ok(chunk))) => Poll::Ready(Some(Ok(self.sign(chunk)))),
            Poll::Ready(Some(Err(status))) => {
                self.source = None;
                Poll::Ready(Some(Err(ended(&self.desk, &self.id, self.subject(), &status))))
            }
            Poll::Ready(None) => {
                self.source = None;
                let reason = self.desk.close(&self.id, self.final_seen);
                Poll::Ready((!self.final_seen).then(|| Err(self.unfinished(reason))))
            }
            Poll::Pending if self.lost.as_mut().poll(context).is_ready() => {
                self.source = None;
                Poll::Ready(Some(Err(failure::died(self.subject()))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            worker: &self.link.worker_id,
            ..call::subject(&self.declaration)
        }
    }

    /// A stream that ended without its final chunk.
    fn unfinished(&self, reason: Option<String>) -> Error {
        if let Some(reason) = reason {
            return failure::cancelled(&self.id, &reason, Outcome::MayHaveRun);
        }
        let text = format!(
            "worker `{}` ended `{}` without a final chunk",
            self.link.worker_id, self.declaration.name
        );
        Error::new(Kind::Internal, text).outcome(Outcome::MayHaveRun)
    }

    /// Fills what the bridge knows; everything else stays as the worker sent it.
    fn sign(&mut self, mut chunk: ToolChunk) -> ToolChunk {
        if chunk.call_id.is_empty() {
            chunk.call_id = self.id.to_string();
        }
        if chunk.is_final {
            self.final_seen = true;
            chunk.worker_id = self.link.worker_id.to_string();
            let micros =
                |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            let timing = chunk.timing.get_or_insert_with(CallTiming::default);
            timing.queued_us = micros(self.handed.saturating_duration_since(self.arrived));
            timing.worker_us = micros(self.handed.elapsed());
        }
        chunk
    }

    /// Cancels the call and follows it to its end without its caller.
    fn leave(&mut self, reason: &str) {
        let Some(source) = self.source.take() else {
            return;
        };
        if !self.final_seen {
            self.desk.abandon(&self.id, reason);
        }
        lane::read_to_end(
            Arc::downgrade(&self.desk),
            Arc::clone(&self.link),
            Arc::clone(&self.id),
            source,
            self.final_seen,
        );
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.leave("the caller went away");
    }
}
