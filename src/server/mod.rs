//! The gRPC edge in: decode, call the bridge, encode. One file a service area.
//!
//! Configuration -> [`Bound`] (listening, addresses known) -> [`Bound::run`] (until the future that stops it is
//! done, then drained). No rule of the product lives here, and no session state is touched.

mod admin;
mod archive;
mod bind;
mod bridge_service;
mod edge;
mod origin;
mod repeat;
mod sessions;
mod tools;
mod variables;
mod watch;
mod writes;

pub use bind::{Bound, GRACE, Listen, Settings};
pub use edge::Layout;

/// Connections at once. One more is not accepted until another ends.
pub const MAX_CONNECTIONS: usize = 512;

/// Sessions that are imported at once. One more waits.
pub const MAX_IMPORTS: usize = 2;

/// Streams at once on one connection; HTTP/2 refuses one more.
pub const MAX_STREAMS: u32 = 1_024;

/// Bytes of request headers; HTTP/2 refuses more.
pub const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// Bytes of one message, both ways.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
