//! A status as an error: ours as they were, and what the transport itself reports told apart from a bridge's answer.

use std::error::Error as _;

use tonic::{Code, Status};

use crate::error::{Error, Kind};
use crate::wire::status::from_status;

/// The error of a status that a request ended with.
pub(super) fn error(status: &Status) -> Error {
    // Only a status that was made here, by our own transport, has a source.
    let Some(source) = status.source() else {
        return from_status(status);
    };
    if source.is::<tonic::TimeoutExpired>() {
        return Error::new(Kind::DeadlineExceeded, "the bridge did not answer in time")
            .hint("give it longer with `--timeout`");
    }
    match status.code() {
        Code::ResourceExhausted | Code::OutOfRange => from_status(status),
        _ => Error::new(Kind::ConnectionLost, "the connection to the bridge was lost").detail(root(source)),
    }
}

/// Whether a status says that the connection broke or the bridge goes down, so that resuming makes sense.
pub(super) fn is_break(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::ConnectionLost | Kind::NoBridge | Kind::ShuttingDown
    )
}

fn root(source: &(dyn std::error::Error + 'static)) -> String {
    let mut root = source;
    while let Some(next) = root.source() {
        root = next;
    }
    root.to_string()
}
