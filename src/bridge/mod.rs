//! The running bridge.
