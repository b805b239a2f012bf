//! The generated wire types. Nothing is written by hand here, and nothing but `wire`, `server` and `client`
//! should need it.
#![allow(missing_docs, clippy::all, clippy::pedantic)]

/// `snakepit.bridge`: the frozen contract and its additions.
pub mod bridge {
    tonic::include_proto!("snakepit.bridge");
}

/// `snakepit.admin`: operations.
pub mod admin {
    tonic::include_proto!("snakepit.admin");
}

/// `google.protobuf.Any` with its value as [`bytes::Bytes`]: cloning and passing on copies nothing.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Any {
    /// What the value is: `type.googleapis.com/snakepit.float`.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// JSON text, or the JSON header of a binary payload.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: bytes::Bytes,
}

/// The compiled descriptor set of both files, for reflection and for the contract test.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/snakepit_descriptor.bin"));
