//! Our own accept loop: connections are counted, dealt to the front runtimes, served and drained.
//!
//! tonic's own server is not used: it has no connection cap, no dealing to runtimes and no bound on its drain. One
//! current-thread runtime a core keeps a connection's tasks together, which costs about half the CPU a call of
//! the multi-thread runtime.

use std::{convert::Infallible, io, num::NonZeroUsize, sync::Arc, thread, time::Duration};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    net::{TcpStream, UnixStream},
    runtime::{Builder, Handle, Runtime},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    MAX_CONNECTIONS, MAX_HEADER_BYTES, MAX_STREAMS, bind::Listener, bridge_service::Router, origin::Peer,
};
use crate::{
    error::{Error, Result},
    session::Principal,
};

/// Connections on their way from the accept loop to one front.
const DEALT: usize = 64;

/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Silence on a connection after which the peer is asked for a sign of life, and the time it has to give one.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// Bytes that a client may send ahead on one stream and on its connection.
const WINDOWS: (u32, u32) = (1024 * 1024, 4 * 1024 * 1024);

/// How connections are spread over threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// So many threads with a current-thread runtime each.
    PerCore(NonZeroUsize),
    /// One multi-thread runtime.
    Multi,
}

/// The running fronts.
pub(super) struct Edge {
    fronts: Vec<Front>,
    slots: Arc<Semaphore>,
    connections: TaskTracker,
    runtimes: Vec<Handle>,
}

struct Front {
    deal: mpsc::Sender<Accepted>,
    thread: thread::JoinHandle<()>,
}

/// A connection that nobody serves yet.
struct Accepted {
    socket: Socket,
    peer: Peer,
    slot: OwnedSemaphorePermit,
}

enum Socket {
    Unix(std::os::unix::net::UnixStream),
    Tcp(std::net::TcpStream),
}

// === impl Edge ===

impl Edge {
    /// `closing` asks every open connection to end when its last stream has.
    pub(super) fn start(layout: Layout, router: &Router, closing: &CancellationToken) -> Result<Self> {
        let connections = TaskTracker::new();
        let (count, multi) = match layout {
            Layout::PerCore(count) => (count.get(), false),
            Layout::Multi => (1, true),
        };
        let mut fronts = Vec::with_capacity(count);
        let mut runtimes = Vec::with_capacity(count);
        for index in 0..count {
            let (deal, dealt) = mpsc::channel(DEALT);
            let serve = serve(dealt, router.clone(), closing.clone(), connections.clone());
            let runtime = runtime(multi).map_err(|cause| Error::io("starting a runtime", &cause))?;
            runtimes.push(runtime.handle().clone());
            let thread = thread::Builder::new()
                .name(format!("front-{index}"))
                .spawn(move || runtime.block_on(serve))
                .map_err(|cause| Error::io("starting a thread", &cause))?;
            fronts.push(Front { deal, thread });
        }
        Ok(Self {
            fronts,
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            connections,
            runtimes,
        })
    }

    /// The runtimes that requests are answered on. They end with [`Self::drain`].
    pub(super) fn runtimes(&self) -> Vec<Handle> {
        self.runtimes.clone()
    }

    /// Accepts until told to stop.
    pub(super) async fn accept(&self, listeners: Vec<Listener>, stop: CancellationToken) {
        let (hand, mut handed) = mpsc::channel(DEALT);
        for listener in listeners {
            tokio::spawn(listen(
                listener,
                Arc::clone(&self.slots),
                hand.clone(),
                stop.clone(),
            ));
        }
        drop(hand);
        let mut turn = 0;
        while let Some(accepted) = handed.recv().await {
            let front = &self.fronts[turn % self.fronts.len()];
            turn = turn.wrapping_add(1);
            // A front ends only after the accept loops did.
            let _ = front.deal.send(accepted).await;
        }
    }

    /// Waits for the connections to finish, at most `grace`.
    pub(super) async fn drain(self, grace: Duration) {
        self.connections.close();
        if tokio::time::timeout(grace, self.connections.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                open = self.connections.len(),
                "connections were still open at the end of the grace"
            );
        }
        for front in self.fronts {
            drop(front.deal);
            if front.thread.join().is_err() {
                tracing::error!("a front ended by a panic");
            }
        }
    }
}

fn runtime(multi: bool) -> io::Result<Runtime> {
    if multi {
        return Builder::new_multi_thread()
            .enable_all()
            .thread_name("front")
            .build();
    }
    Builder::new_current_thread().enable_all().build()
}

async fn listen(
    listener: Listener,
    slots: Arc<Semaphore>,
    hand: mpsc::Sender<Accepted>,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = accept_one(&listener, &slots) => accepted,
        };
        match accepted {
            Ok(accepted) => {
                if hand.send(accepted).await.is_err() {
                    return;
                }
            }
            Err(cause) => {
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept_one(listener: &Listener, slots: &Arc<Semaphore>) -> io::Result<Accepted> {
    // The slot comes first: a connection above the cap waits in the kernel's queue and costs us nothing.
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    match listener {
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            let uid = stream.peer_cred()?.uid();
            if uid != nix::unistd::Uid::effective().as_raw() {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("uid {uid} is not ours"),
                ));
            }
            let peer = Peer {
                principal: Principal::new(&format!("uid:{uid}")),
            };
            Ok(Accepted {
                socket: Socket::Unix(stream.into_std()?),
                peer,
                slot,
            })
        }
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let peer = Peer {
                principal: Principal::new("anonymous"),
            };
            Ok(Accepted {
                socket: Socket::Tcp(stream.into_std()?),
                peer,
                slot,
            })
        }
    }
}

/// One front: serves what it is dealt, on the runtime of its own thread.
async fn serve(
    mut dealt: mpsc::Receiver<Accepted>,
    router: Router,
    closing: CancellationToken,
    connections: TaskTracker,
) {
    while let Some(Accepted { socket, peer, slot }) = dealt.recv().await {
        // A token of its own: a connection looks at it whenever it is woken, and the parent's lock would be everybody's.
        let (router, closing) = (router.clone(), closing.child_token());
        let connection = async move {
            let _slot = slot;
            let served = match socket {
                Socket::Unix(stream) => match UnixStream::from_std(stream) {
                    Ok(stream) => connection(stream, peer, router, closing).await,
                    Err(cause) => Err(cause.into()),
                },
                Socket::Tcp(stream) => match TcpStream::from_std(stream) {
                    Ok(stream) => connection(stream, peer, router, closing).await,
                    Err(cause) => Err(cause.into()),
                },
            };
            if let Err(cause) = served {
                tracing::debug!(%cause, "a connection ended");
            }
        };
        tokio::spawn(connections.track_future(connection));
    }
}

async fn connection<S>(
    stream: S,
    peer: Peer,
    router: Router,
    closing: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .keep_alive_interval(KEEPALIVE.0)
        .keep_alive_timeout(KEEPALIVE.1);
    let service = Answer { router, peer };
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        served = connection.as_mut() => return Ok(served?),
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

/// The router as hyper calls it, for one connection.
#[derive(Clone)]
struct Answer {
    router: Router,
    peer: Peer,
}

impl hyper::service::Service<Request<Incoming>> for Answer {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = super::bridge_service::Answered;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.router.route(request)
    }
}
