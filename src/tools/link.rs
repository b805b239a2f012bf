//! The connections to one worker process: dialled once, never again, because another process may listen at the
//! address later. There is one on each runtime that calls come from, so that a call and its answer stay on one thread;
//! a call from anywhere else takes the first.
//!
//! A link knows nothing of tools and permits: `desk` decides, the link carries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Uri};

use super::address::{Target, WorkerAddress};
use super::limits::{
    CONNECTION_WINDOW, DIAL_TIMEOUT, HANDSHAKE_TIMEOUT, MESSAGE_LIMIT, RPC_MARGIN, STREAM_WINDOW,
};
use super::outbox::Outbox;
use crate::error::{Error, Kind};
use crate::proto::bridge::bridge_service_client::BridgeServiceClient;
use crate::proto::bridge::{ExecuteToolRequest, HandshakeRequest, HandshakeResponse, PingRequest};

/// The client half of the contract, towards a worker.
pub(super) type Client = BridgeServiceClient<Channel>;

/// One live connection.
pub(super) struct Link {
    /// Tells two links of one worker id apart.
    pub(super) uid: u64,
    pub(super) worker_id: Arc<str>,
    /// At least one.
    seats: Vec<Seat>,
    pub(super) outbox: Arc<Outbox>,
    /// Cancelled when the worker is lost.
    pub(super) closed: CancellationToken,
}

/// A connection of the link and the runtime whose thread serves it.
pub(super) struct Seat {
    pub(super) runtime: Handle,
    pub(super) client: Client,
}

impl Link {
    /// The seat of the runtime that asks; the first when it has none.
    pub(super) fn seat(&self) -> &Seat {
        &self.seats[self.seat_index()]
    }

    /// The seat that a lane belongs to.
    pub(super) fn seat_of(&self, lane: usize) -> &Seat {
        &self.seats[lane % self.seats.len()]
    }

    /// The number of [`Self::seat`].
    pub(super) fn seat_index(&self) -> usize {
        let Ok(here) = Handle::try_current() else { return 0 };
        let is_here = |seat: &Seat| seat.runtime.id() == here.id();
        self.seats.iter().position(is_here).unwrap_or(0)
    }

    /// Dials from each of the runtimes, shakes hands, and makes one more real call through the first connection.
    pub(super) async fn dial(
        worker: &WorkerAddress,
        runtimes: &[Handle],
    ) -> Result<(Self, HandshakeResponse), Error> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let unreachable = |doing: &str, why: String| {
            let text = format!(
                "{doing} worker `{}` at {} failed",
                worker.worker_id, worker.address
            );
            Error::new(Kind::WorkerUnreachable, text).detail(why)
        };
        let target = Target::parse(&worker.address)?;
        let mut seats = Vec::with_capacity(runtimes.len());
        for runtime in runtimes {
            let connected = runtime.spawn(connect(target.clone())).await;
            let channel = connected
                .map_err(|_| Error::new(Kind::ShuttingDown, "the bridge is shutting down"))?
                .map_err(|error| unreachable("dialling", root_cause(&error)))?;
            let client = BridgeServiceClient::new(channel)
                .max_decoding_message_size(MESSAGE_LIMIT)
                .max_encoding_message_size(MESSAGE_LIMIT);
            seats.push(Seat {
                runtime: runtime.clone(),
                client,
            });
        }
        let Some(mut client) = seats.first().map(|seat| seat.client.clone()) else {
            return Err(Error::new(Kind::Internal, "a link needs a runtime"));
        };
        let hello = HandshakeRequest {
            worker_id: worker.worker_id.clone(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let answer = in_time(client.handshake(hello))
            .await
            .map_err(|why| unreachable("the handshake with", why))?;
        if !answer.worker_id.is_empty() && answer.worker_id != worker.worker_id {
            return Err(unreachable(
                "the handshake with",
                format!("`{}` answered there", answer.worker_id),
            ));
        }
        let probe = PingRequest {
            message: "ready?".to_owned(),
        };
        in_time(client.ping(probe))
            .await
            .map_err(|why| unreachable("the first call of", why))?;
        let link = Self {
            uid: NEXT.fetch_add(1, Ordering::Relaxed),
            worker_id: worker.worker_id.as_str().into(),
            outbox: Arc::new(Outbox::new(seats.len())),
            seats,
            closed: CancellationToken::new(),
        };
        Ok((link, answer))
    }
}

/// One request with the time limit of the handshake.
pub(super) async fn in_time<T>(
    request: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, String> {
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, request).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(format!("{:?}: {}", status.code(), status.message())),
        Err(_) => Err(format!("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs())),
    }
}

async fn connect(target: Target) -> Result<Channel, tonic::transport::Error> {
    // The authority is not looked at: the connector below knows where to go.
    let endpoint = Endpoint::from_static("http://localhost")
        .connect_timeout(DIAL_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let once = Once::default();
    match target {
        Target::Unix(path) => {
            let dial = move |_: Uri| {
                let (path, once) = (path.clone(), once.clone());
                async move {
                    once.take()?;
                    UnixStream::connect(path).await.map(TokioIo::new)
                }
            };
            endpoint.connect_with_connector(tower::service_fn(dial)).await
        }
        Target::Tcp(address) => {
            let dial = move |_: Uri| {
                let (address, once) = (address.clone(), once.clone());
                async move {
                    once.take()?;
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    Ok::<_, std::io::Error>(TokioIo::new(stream))
                }
            };
            endpoint.connect_with_connector(tower::service_fn(dial)).await
        }
    }
}

/// Lets the transport connect once; it would come back by itself and find another process.
#[derive(Clone, Default)]
struct Once(Arc<AtomicBool>);

impl Once {
    fn take(&self) -> std::io::Result<()> {
        if self.0.swap(true, Ordering::Relaxed) {
            return Err(std::io::Error::other("the worker's connection is gone"));
        }
        Ok(())
    }
}

/// The innermost cause of a transport error: the outer ones say only "transport error".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// What is left until an instant, as the wire counts it: at least a millisecond, 0 = no limit.
pub(super) fn millis_left(deadline: Option<tokio::time::Instant>) -> u64 {
    deadline.map_or(0, |at| {
        let left: Duration = at.saturating_duration_since(tokio::time::Instant::now());
        u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1)
    })
}

/// A request with an RPC of its own and the time that is left for it.
///
/// The desk cancels at the deadline and waits for the worker's word; the transport's own limit is only for a
/// worker that does not answer, so it comes later.
pub(super) fn rpc(
    request: ExecuteToolRequest,
    deadline: Option<tokio::time::Instant>,
) -> tonic::Request<ExecuteToolRequest> {
    let mut rpc = tonic::Request::new(request);
    if let Some(at) = deadline {
        rpc.set_timeout(at.saturating_duration_since(tokio::time::Instant::now()) + RPC_MARGIN);
    }
    rpc
}
