//! The connection: one channel for requests, and one more for each watch.
//!
//! A watch that nobody reads must not starve requests of window, so it never shares their connection; the stream
//! window is small and the connection window large for the same reason.

use std::time::Duration;

use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use super::fault;
use crate::config::Address;
use crate::error::{Error, Kind, Result};
use crate::proto::admin::admin_service_client::AdminServiceClient;
use crate::proto::bridge::bridge_service_client::BridgeServiceClient;
use crate::wire::value::BINARY_HEADER;

/// The largest message, both ways.
pub const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;

/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a request may take where the user did not say.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// Bytes in flight of one stream, and of a whole connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 64 * 1024 * 1024;

/// How often a read is tried again over a lost connection, and how long the first pause is; each next one is twice
/// as long.
const READ_RETRIES: u32 = 4;
const READ_PAUSE: Duration = Duration::from_millis(50);

pub(super) type Bridge = BridgeServiceClient<Channel>;
pub(super) type Admin = AdminServiceClient<Channel>;

/// What a client is for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The session of every request.
    pub session: String,
    /// The longest time for one request; none = 30 s. Calls of tools have their own.
    pub timeout: Option<Duration>,
}

/// A client of one session of one bridge. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    address: Address,
    session: String,
    timeout: Duration,
    channel: Channel,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`Kind::NoBridge`] when nobody answers at the address.
    pub async fn connect(address: &Address, options: Options) -> Result<Self> {
        Ok(Self {
            channel: open(address).await?,
            address: address.clone(),
            session: options.session,
            timeout: options.timeout.unwrap_or(REQUEST_LIMIT),
        })
    }

    /// Where the bridge is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The session of every request.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// A second connection to the same bridge.
    pub(super) async fn apart(&self) -> Result<Channel> {
        open(&self.address).await
    }

    pub(super) fn bridge(&self) -> Bridge {
        bridge(self.channel.clone())
    }

    pub(super) fn admin(&self) -> Admin {
        AdminServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }

    /// A request with the client's deadline, which says that large arrays are read as bytes.
    pub(super) fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        let raw = tonic::metadata::MetadataValue::from_static("raw");
        request.metadata_mut().insert(BINARY_HEADER, raw);
        request
    }

    /// Reads, or writes under a request id; tries again over a lost connection.
    pub(super) async fn read<M, T>(
        &self,
        message: M,
        call: impl AsyncFn(&mut Bridge, Request<M>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Result<T>
    where
        M: Clone,
    {
        repeated(async || {
            self.once(message.clone(), async |bridge, request| {
                call(bridge, request).await
            })
            .await
        })
        .await
    }

    /// As [`Client::read`] for the bridge's operations.
    pub(super) async fn ask<M, T>(
        &self,
        message: M,
        call: impl AsyncFn(&mut Admin, Request<M>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Result<T>
    where
        M: Clone,
    {
        repeated(async || {
            let reply = call(&mut self.admin(), self.timed(message.clone())).await;
            reply
                .map(tonic::Response::into_inner)
                .map_err(|status| fault::error(&status))
        })
        .await
    }

    /// Asks the bridge's operations for a change, once.
    pub(super) async fn order<M, T>(
        &self,
        message: M,
        call: impl AsyncFnOnce(&mut Admin, Request<M>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Result<T> {
        let reply = call(&mut self.admin(), self.timed(message)).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|status| fault::error(&status))
    }

    /// Sends one request, once.
    pub(super) async fn once<M, T>(
        &self,
        message: M,
        call: impl AsyncFnOnce(&mut Bridge, Request<M>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Result<T> {
        let reply = call(&mut self.bridge(), self.timed(message)).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|status| fault::error(&status))
    }
}

/// A stub with our limits.
pub(super) fn bridge(channel: Channel) -> Bridge {
    BridgeServiceClient::new(channel)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT)
}

async fn repeated<T>(attempt: impl AsyncFn() -> Result<T>) -> Result<T> {
    let mut pause = READ_PAUSE;
    for _ in 0..READ_RETRIES {
        match attempt().await {
            Err(error) if error.kind() == Kind::ConnectionLost => tokio::time::sleep(pause).await,
            settled => return settled,
        }
        pause *= 2;
    }
    attempt().await
}

async fn open(address: &Address) -> Result<Channel> {
    let target = match address {
        Address::Unix(path) => match path.to_str() {
            Some(path) => format!("unix:{path}"),
            None => return Err(Error::new(Kind::BadAddress, "the socket's path is not UTF-8")),
        },
        Address::Tcp { .. } => format!("http://{address}"),
    };
    let bad = |_| Error::new(Kind::BadAddress, format!("`{address}` is not an address"));
    let mut endpoint = Endpoint::from_shared(target)
        .map_err(bad)?
        .connect_timeout(CONNECT_LIMIT)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .tcp_nodelay(true);
    if matches!(address, Address::Unix(_)) {
        // A socket has no host name, and HTTP/2 wants one.
        endpoint = endpoint.origin(http::Uri::from_static("http://localhost"));
    }
    endpoint.connect().await.map_err(|cause| nobody(address, &cause))
}

fn nobody(address: &Address, cause: &tonic::transport::Error) -> Error {
    let mut root: &dyn std::error::Error = cause;
    while let Some(source) = root.source() {
        root = source;
    }
    let io = root.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let why = match io {
        Some(std::io::ErrorKind::NotFound) => "the socket does not exist".to_owned(),
        Some(std::io::ErrorKind::ConnectionRefused) => "the connection was refused".to_owned(),
        Some(std::io::ErrorKind::PermissionDenied) => "the socket belongs to somebody else".to_owned(),
        _ => root.to_string(),
    };
    Error::new(Kind::NoBridge, format!("no bridge is running at `{address}`"))
        .detail(why)
        .hint("start one with `snakepit serve`, and with the same `--name` or address if you named one")
}
