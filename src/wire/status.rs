//! [`Error`] <-> gRPC status, both ways, with an `ErrorInfo` detail.
//!
//! The status' message is the whole text, because old clients look for words in it. The detail carries the
//! stable code as `reason` (domain `snakepit`) and the parts of the error, so that our own clients show it as if
//! it had happened here. See <https://google.aip.dev/193>.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::error::{Error, Kind, Outcome};

/// The `ErrorInfo` domain of every error of ours.
pub const DOMAIN: &str = "snakepit";

/// Keys of the `ErrorInfo` metadata.
mod key {
    pub(super) const MESSAGE: &str = "message";
    pub(super) const DETAILS: &str = "details";
    pub(super) const HINTS: &str = "hints";
    pub(super) const OUTCOME: &str = "outcome";
    /// A word for generic clients that switch on text, where one is promised (`TOOL_FAILED`).
    pub(super) const REASON: &str = "reason";
}

/// The status that an error travels as.
pub fn to_status(error: &Error) -> Status {
    let mut metadata = HashMap::from([(key::MESSAGE.to_owned(), error.message().to_owned())]);
    if !error.details().is_empty() {
        metadata.insert(key::DETAILS.to_owned(), error.details().join("\n"));
    }
    if !error.hints().is_empty() {
        metadata.insert(key::HINTS.to_owned(), error.hints().join("\n"));
    }
    if let Some(outcome) = error.known_outcome() {
        metadata.insert(key::OUTCOME.to_owned(), outcome.as_str().to_owned());
    }
    if error.kind() == Kind::ToolFailed {
        metadata.insert(key::REASON.to_owned(), "TOOL_FAILED".to_owned());
    }
    let details = ErrorDetails::with_error_info(error.kind().code(), DOMAIN, metadata);
    Status::with_error_details(code(error.kind()), error.to_string(), details)
}

/// The error that a status stands for. One that is not ours keeps its text under the nearest kind.
pub fn from_status(status: &Status) -> Error {
    if let Some(error) = ours(status) {
        return error;
    }
    let kind = match status.code() {
        Code::Unavailable => Kind::ConnectionLost,
        Code::DeadlineExceeded => Kind::DeadlineExceeded,
        Code::Cancelled => Kind::CallCancelled,
        Code::Unauthenticated => Kind::Unauthenticated,
        Code::PermissionDenied => Kind::PermissionDenied,
        Code::Unimplemented => Kind::NotServed,
        Code::ResourceExhausted => Kind::LimitExceeded,
        Code::OutOfRange => Kind::MessageTooLarge,
        Code::InvalidArgument => Kind::BadRequest,
        Code::FailedPrecondition => Kind::Precondition,
        _ => Kind::Internal,
    };
    Error::new(kind, status.message())
}

fn ours(status: &Status) -> Option<Error> {
    let info = status.get_details_error_info()?;
    if info.domain != DOMAIN {
        return None;
    }
    let kind = Kind::from_code(&info.reason)?;
    let part = |name: &str| info.metadata.get(name).map(String::as_str);
    let mut error = Error::new(kind, part(key::MESSAGE).unwrap_or(status.message()));
    for line in part(key::DETAILS).into_iter().flat_map(str::lines) {
        error = error.detail(line);
    }
    for line in part(key::HINTS).into_iter().flat_map(str::lines) {
        error = error.hint(line);
    }
    if let Some(outcome) = part(key::OUTCOME).and_then(Outcome::parse) {
        error = error.outcome(outcome);
    }
    Some(error)
}

fn code(kind: Kind) -> Code {
    Code::from_i32(kind.status() as i32)
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        to_status(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_whole() {
        for kind in Kind::ALL {
            let error = Error::new(*kind, "what `happened`")
                .detail("why")
                .detail("and why")
                .hint("do this")
                .outcome(Outcome::MayHaveRun);
            let back = from_status(&to_status(&error));
            assert_eq!(back.kind(), *kind);
            assert_eq!(back.message(), error.message());
            assert_eq!(back.details(), error.details());
            assert_eq!(back.hints(), error.hints());
            assert_eq!(back.known_outcome(), error.known_outcome());
            assert_eq!(to_status(&error).code() as i32, kind.status() as i32);
        }
    }
}
