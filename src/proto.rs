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

/// The compiled descriptor set of both files, for reflection and for the contract test.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/snakepit_descriptor.bin"));
