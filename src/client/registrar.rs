//! Registers workers with a bridge over the network: the lease is a stream that lasts as long as both ends do.

use tokio::sync::mpsc;
use tonic::Streaming;

use super::{Client, Options, fault};
use crate::config::Address;
use crate::error::{Error, Kind, Result};
use crate::proto::admin::{RegisterWorkerRequest, WorkerOrder, worker_order};
use crate::workers::supervise::{Announcement, BoxFuture, Lease, Order, Registrar};

/// Orders that the supervisor has not read yet.
const ORDERS: usize = 8;

/// Registers workers with the bridge at an address.
#[derive(Debug, Clone)]
pub struct RemoteRegistrar {
    address: Address,
}

impl RemoteRegistrar {
    /// Opens nothing yet.
    pub fn new(address: Address) -> Self {
        Self { address }
    }

    async fn lease(&self, who: Announcement) -> Result<Lease> {
        // A connection of its own: the lease breaks when the bridge goes, and with nothing else.
        let options = Options {
            session: String::new(),
            timeout: None,
        };
        let client = Client::connect(&self.address, options).await?;
        let mut stream = client.register_worker(request(who)).await?;
        let tools = match next(&mut stream).await? {
            Some(worker_order::Order::Accepted(accepted)) => accepted.tools,
            _ => {
                return Err(Error::new(
                    Kind::ConnectionLost,
                    "the bridge closed the registration",
                ));
            }
        };
        let (send, orders) = mpsc::channel(ORDERS);
        let reader = tokio::spawn(read(stream, send));
        Ok(Lease {
            tools,
            orders,
            keep: Box::new(Keep {
                reader,
                _client: client,
            }),
        })
    }
}

impl Registrar for RemoteRegistrar {
    fn register(&self, who: Announcement) -> BoxFuture<'_, Result<Lease>> {
        Box::pin(self.lease(who))
    }
}

/// Ends the registration when dropped.
struct Keep {
    reader: tokio::task::JoinHandle<()>,
    _client: Client,
}

impl Drop for Keep {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(mut stream: Streaming<WorkerOrder>, send: mpsc::Sender<Order>) {
    while let Ok(Some(order)) = next(&mut stream).await {
        let Some(order) = translate(order) else { continue };
        if send.send(order).await.is_err() {
            return;
        }
    }
}

async fn next(stream: &mut Streaming<WorkerOrder>) -> Result<Option<worker_order::Order>> {
    let message = stream.message().await.map_err(|status| fault::error(&status))?;
    Ok(message.and_then(|message| message.order))
}

/// An order as the supervisor knows it; `None` for the acceptance, which is no order.
pub fn translate(order: worker_order::Order) -> Option<Order> {
    match order {
        worker_order::Order::Accepted(_) => None,
        worker_order::Order::Drain(drain) => Some(Order::Drain { reason: drain.reason }),
        worker_order::Order::Stop(stop) => Some(Order::Stop { reason: stop.reason }),
    }
}

fn request(who: Announcement) -> RegisterWorkerRequest {
    RegisterWorkerRequest {
        worker_id: who.worker_id,
        incarnation: who.incarnation,
        address: who.address,
        session_id: who.session_id.unwrap_or_default(),
        pid: who.pid,
        source: who.source,
        restarts: who.restarts,
        host: who.host,
    }
}

// The stream has no deadline: it is the lease.
impl Client {
    async fn register_worker(&self, request: RegisterWorkerRequest) -> Result<Streaming<WorkerOrder>> {
        let reply = self.admin().register_worker(request).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|status| fault::error(&status))
    }
}
