//! The observer manager.
