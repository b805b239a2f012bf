//! The tasks of a link: one a lane reads results and hands them to the desk; others read to their end streams that
//! nobody reads any more, and pass on cancels. When a lane ends, the worker is lost.

use std::sync::{Arc, Weak};

use tonic::{Request, Status, Streaming};

use super::desk::Desk;
use super::limits::{CANCEL_ATTEMPTS, CANCEL_PAUSE};
use super::link::{Link, in_time};
use super::outbox::LaneStream;
use crate::proto::bridge::{CancelCallRequest, DispatchResults, ToolChunk};

/// Starts the lanes of a link, each on the runtime of its seat.
pub(super) fn start(desk: &Arc<Desk>, link: &Arc<Link>) {
    for lane in 0..link.outbox.count() {
        let (desk, link) = (Arc::downgrade(desk), Arc::clone(link));
        link.seat_of(lane).runtime.clone().spawn(async move {
            let closed = link.closed.clone();
            match closed.run_until_cancelled(run(&desk, &link, lane)).await {
                Some(Ok(())) => tracing::info!(worker = &*link.worker_id, "the worker closed its connection"),
                Some(Err(status)) => {
                    tracing::warn!(worker = &*link.worker_id, %status, "the worker's connection broke");
                }
                None => {}
            }
            if let Some(desk) = desk.upgrade() {
                desk.lose(&link);
            }
        });
    }
}

async fn run(desk: &Weak<Desk>, link: &Link, lane: usize) -> Result<(), Status> {
    let batches = LaneStream {
        outbox: Arc::clone(&link.outbox),
        lane,
    };
    let answer = link
        .seat_of(lane)
        .client
        .clone()
        .dispatch(Request::new(batches))
        .await?;
    let mut results: Streaming<DispatchResults> = answer.into_inner();
    while let Some(batch) = results.message().await? {
        match desk.upgrade() {
            Some(desk) => desk.settle(link, batch.results),
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Reads a stream that nobody reads any more to its end, then ends its call: only then is the permit really free.
/// `well`: it had its final chunk.
pub(super) fn read_to_end(
    desk: Weak<Desk>,
    link: Arc<Link>,
    id: Arc<str>,
    mut source: Streaming<ToolChunk>,
    well: bool,
) {
    link.seat().runtime.clone().spawn(async move {
        let rest = async { while let Ok(Some(_)) = source.message().await {} };
        link.closed.run_until_cancelled(rest).await;
        if let Some(desk) = desk.upgrade() {
            desk.close(&id, well);
        }
    });
}

/// Asks a worker to stop a call that has an RPC of its own. Nobody waits for the answer: the call's end is it.
///
/// The request may arrive before the call itself does. Then the worker does not know the call, and is asked again
/// for as long as the call is here.
pub(super) fn cancel_rpc(desk: Weak<Desk>, link: &Arc<Link>, id: &str, reason: &str) {
    let request = CancelCallRequest {
        call_id: id.to_owned(),
        reason: reason.to_owned(),
    };
    let link = Arc::clone(link);
    link.seat().runtime.clone().spawn(async move {
        let asking = async {
            for attempt in 0..CANCEL_ATTEMPTS {
                let answer = in_time(link.seat().client.clone().cancel_call(request.clone())).await;
                let here = || {
                    desk.upgrade()
                        .is_some_and(|desk| desk.lock().calls.contains_key(&*request.call_id))
                };
                match answer {
                    Ok(answer) if answer.accepted || answer.state != "unknown" || !here() => return,
                    Ok(_) => tokio::time::sleep(CANCEL_PAUSE * attempt).await,
                    Err(why) => {
                        tracing::warn!(worker = &*link.worker_id, why, "a cancel was not taken");
                        return;
                    }
                }
            }
        };
        link.closed.run_until_cancelled(asking).await;
    });
}
