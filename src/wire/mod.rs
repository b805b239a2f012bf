//! Between the wire and the core: proto <-> core conversion, the value codec, and errors as gRPC statuses.
//!
//! The only room that knows both proto and core types. It must never decide anything.

pub mod lines;
pub mod status;
pub mod time;
pub mod update;
pub mod value;
pub mod variable;
