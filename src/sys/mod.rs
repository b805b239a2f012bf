//! The only room with `unsafe` and operating system calls: descriptors, signals, processes, directories.
//!
//! Everything here is a thin, checked form of one Linux facility. It must never know what a worker, a session or
//! a bridge is, print, or read the configuration.
#![allow(unsafe_code)]

pub mod descriptor;
pub mod directory;
pub mod launch;
pub mod machine;
pub mod memory;
pub mod peer;
pub mod signal;
pub mod tree;
