//! What waits to be written to a worker, and the lanes that carry it.
//!
//! Each lane is the request half of one `Dispatch` stream; each seat of the link has lanes of its own. Whatever waits when the transport asks for the next
//! message goes out in that one message: under load calls travel together, a single call never waits for
//! company. A call that is still here has certainly not left. How much can wait is bounded by the workers'
//! permits: a call is posted only under one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio_stream::Stream;

use super::limits::{BATCH_CALLS, LANES};
use crate::proto::bridge::{DispatchBatch, DispatchCall};

/// The calls to one worker that have not left yet, by lane.
pub(super) struct Outbox {
    lanes: Mutex<Lanes>,
    seats: usize,
}

struct Lanes {
    /// Lane `n` belongs to seat `n % seats`.
    lanes: Vec<Pending>,
    /// The lane that is being filled, for each seat.
    cursors: Vec<usize>,
    closed: bool,
}

#[derive(Default)]
struct Pending {
    calls: VecDeque<DispatchCall>,
    cancel: Vec<String>,
    reader: Option<Waker>,
}

impl Outbox {
    /// An outbox with lanes for so many seats, at least one.
    pub(super) fn new(seats: usize) -> Self {
        let each = LANES.div_ceil(seats.max(1));
        Self {
            lanes: Mutex::new(Lanes {
                lanes: (0..seats * each).map(|_| Pending::default()).collect(),
                cursors: (0..seats).collect(),
                closed: false,
            }),
            seats,
        }
    }

    /// How many lanes there are.
    pub(super) fn count(&self) -> usize {
        self.lanes.lock().lanes.len()
    }

    /// Adds a call to a lane of a seat and says which, or gives it back when the outbox is closed.
    pub(super) fn post(&self, seat: usize, call: DispatchCall) -> Result<usize, Box<DispatchCall>> {
        let mut lanes = self.lanes.lock();
        if lanes.closed {
            return Err(Box::new(call));
        }
        // Company first: a message that is not full yet takes one more. Else the next lane, so that a worker
        // can work on several messages at once.
        let mut lane = lanes.cursors[seat];
        let waiting = lanes.lanes[lane].calls.len();
        if waiting == 0 || waiting >= BATCH_CALLS {
            lane = (lane + self.seats) % lanes.lanes.len();
            lanes.cursors[seat] = lane;
        }
        lanes.lanes[lane].calls.push_back(call);
        let reader = lanes.lanes[lane].reader.take();
        drop(lanes);
        wake(reader);
        Ok(lane)
    }

    /// Takes a call back that has not left yet, and tells the worker to cancel it otherwise.
    pub(super) fn withdraw(&self, lane: usize, call_id: &str) -> Option<DispatchCall> {
        let mut lanes = self.lanes.lock();
        let pending = &mut lanes.lanes[lane];
        let id =
            |call: &DispatchCall| call.request.as_ref().map_or("", |request| &request.call_id) == call_id;
        if let Some(place) = pending.calls.iter().position(id) {
            return pending.calls.remove(place);
        }
        // The same lane: a cancel must not overtake its call.
        pending.cancel.push(call_id.to_owned());
        let reader = pending.reader.take();
        drop(lanes);
        wake(reader);
        None
    }

    /// Ends the lanes and gives back every call that never left.
    pub(super) fn close(&self) -> Vec<DispatchCall> {
        let mut lanes = self.lanes.lock();
        lanes.closed = true;
        let left: Vec<_> = lanes
            .lanes
            .iter_mut()
            .flat_map(|lane| lane.calls.drain(..))
            .collect();
        let readers: Vec<_> = lanes.lanes.iter_mut().map(|lane| lane.reader.take()).collect();
        drop(lanes);
        readers.into_iter().for_each(wake);
        left
    }
}

fn wake(reader: Option<Waker>) {
    if let Some(reader) = reader {
        reader.wake();
    }
}

/// The messages of one lane, as the transport asks for them.
pub(super) struct LaneStream {
    pub(super) outbox: Arc<Outbox>,
    pub(super) lane: usize,
}

impl Stream for LaneStream {
    type Item = DispatchBatch;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<DispatchBatch>> {
        let mut lanes = self.outbox.lanes.lock();
        if lanes.closed {
            return Poll::Ready(None);
        }
        let pending = &mut lanes.lanes[self.lane];
        if pending.calls.is_empty() && pending.cancel.is_empty() {
            pending.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let taken = pending.calls.len().min(BATCH_CALLS);
        Poll::Ready(Some(DispatchBatch {
            calls: pending.calls.drain(..taken).collect(),
            cancel: std::mem::take(&mut pending.cancel),
        }))
    }
}
