//! snakepit.
pub mod error;
pub mod proto;
