//! The errors of this room, and what a worker's status means as one. Each says its outcome, and says only what
//! is certain.

use prost::Message as _;
use tonic::{Code, Status};

use crate::error::{Error, Kind, Outcome};
use crate::proto::bridge::ToolFailure;

/// Trailing metadata with the serialised [`ToolFailure`] of a stream that raised.
const FAILURE_KEY: &str = "snakepit-failure-bin";

/// Whose call it was: the words that every error of a call needs.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) tool: &'a str,
    pub(super) worker: &'a str,
    pub(super) idempotent: bool,
}

/// The worker went away under a call that it had.
pub(super) fn died(subject: Subject<'_>) -> Error {
    let Subject {
        tool,
        worker,
        idempotent,
    } = subject;
    let error = Error::new(
        Kind::WorkerDied,
        format!("worker `{worker}` died during `{tool}`"),
    )
    .outcome(Outcome::MayHaveRun);
    if idempotent {
        return error.hint("see what it printed where `snakepit worker spawn` runs; the tool may be called again: it is declared idempotent".to_string());
    }
    error
        .detail("not retried because the tool is not declared idempotent")
        .hint("see what it printed where `snakepit worker spawn` runs; declare it `@tool(idempotent=True)` if it may run twice".to_string())
}

/// The last worker of a tool went away before the call's turn came.
pub(super) fn no_worker(tool: &str) -> Error {
    Error::new(Kind::NoWorker, format!("no worker serves `{tool}` any more"))
        .outcome(Outcome::NeverStarted)
        .hint("see `snakepit worker list`")
}

/// The deadline passed.
pub(super) fn too_late(tool: &str, outcome: Outcome) -> Error {
    let what = match outcome {
        Outcome::NeverStarted => format!("`{tool}` waited for a worker until its deadline"),
        _ => format!("`{tool}` did not end before its deadline"),
    };
    Error::new(Kind::DeadlineExceeded, what).outcome(outcome)
}

/// Somebody asked the call to stop.
pub(super) fn cancelled(call_id: &str, reason: &str, outcome: Outcome) -> Error {
    let error = Error::new(Kind::CallCancelled, format!("call `{call_id}` was cancelled")).outcome(outcome);
    if reason.is_empty() {
        error
    } else {
        error.detail(reason)
    }
}

/// The bridge takes no new work.
pub(super) fn shutting_down() -> Error {
    Error::new(Kind::ShuttingDown, "the bridge is shutting down").outcome(Outcome::NeverStarted)
}

/// What a worker said of a call instead of a result. `code` is a gRPC status code.
pub(super) fn refused(subject: Subject<'_>, code: i32, message: &str) -> Error {
    let Subject { tool, worker, .. } = subject;
    let (kind, text, outcome) = match Code::from_i32(code) {
        Code::Cancelled => (
            Kind::CallCancelled,
            format!("`{tool}` was cancelled"),
            Outcome::MayHaveRun,
        ),
        Code::DeadlineExceeded => return too_late(tool, Outcome::MayHaveRun),
        Code::NotFound => {
            let text = format!("tool not found: worker `{worker}` does not have `{tool}`");
            (Kind::ToolNotFound, text, Outcome::NeverStarted)
        }
        Code::InvalidArgument => (
            Kind::BadParameters,
            format!("invalid parameters for `{tool}`"),
            Outcome::NeverStarted,
        ),
        Code::FailedPrecondition => return streams(tool),
        Code::Unavailable => (
            Kind::NoWorker,
            format!("worker `{worker}` takes no new calls"),
            Outcome::NeverStarted,
        ),
        Code::OutOfRange => {
            let text = format!("a message of `{tool}` is over the limit");
            (Kind::MessageTooLarge, text, Outcome::MayHaveRun)
        }
        Code::ResourceExhausted => {
            let text = format!("worker `{worker}` reached a limit with `{tool}`");
            (Kind::LimitExceeded, text, Outcome::MayHaveRun)
        }
        Code::Unimplemented => {
            let text = format!("worker `{worker}` does not know the request");
            (Kind::VersionSkew, text, Outcome::NeverStarted)
        }
        Code::Unknown => (Kind::ToolFailed, format!("`{tool}` failed"), Outcome::MayHaveRun),
        _ => (
            Kind::Internal,
            format!("worker `{worker}` could not run `{tool}`"),
            Outcome::MayHaveRun,
        ),
    };
    let error = Error::new(kind, text).outcome(outcome);
    if message.is_empty() {
        error
    } else {
        error.detail(message)
    }
}

/// A streaming tool was called unary.
pub(super) fn streams(tool: &str) -> Error {
    Error::new(Kind::StreamingTool, format!("`{tool}` streams its result"))
        .outcome(Outcome::NeverStarted)
        .hint(format!(
            "call it by ExecuteStreamingTool; `snakepit tool call {tool}` does that by itself"
        ))
}

/// What the status of an RPC to a worker means.
pub(super) fn of_status(subject: Subject<'_>, status: &Status) -> Error {
    // A status with a source was made on this side, by a transport that broke.
    if status.code() == Code::Cancelled && status.message().contains("Timeout expired") {
        return too_late(subject.tool, Outcome::MayHaveRun);
    }
    if std::error::Error::source(status).is_some() && !too_large(status) {
        return died(subject);
    }
    match carried_failure(status) {
        Some(failure) => raised(subject, &failure),
        None => refused(subject, status.code() as i32, status.message()),
    }
}

/// The code of a status that the worker sent; 0 for one that was made on this side.
pub(super) fn own_code(status: &Status) -> i32 {
    match std::error::Error::source(status) {
        Some(_) => 0,
        None => status.code() as i32,
    }
}

/// tonic's own limit on decoding, which has a source in some versions.
fn too_large(status: &Status) -> bool {
    matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted)
}

fn carried_failure(status: &Status) -> Option<ToolFailure> {
    let bytes = status.metadata().get_bin(FAILURE_KEY)?.to_bytes().ok()?;
    ToolFailure::decode(bytes).ok()
}

/// A tool raised in the middle of its stream.
fn raised(subject: Subject<'_>, failure: &ToolFailure) -> Error {
    let ToolFailure {
        r#type,
        message,
        traceback,
        ..
    } = failure;
    let text = match (r#type.as_str(), message.as_str()) {
        ("", message) => format!("`{}` failed: {message}", subject.tool),
        (class, "") => format!("`{}` raised {class}", subject.tool),
        (class, message) => format!("`{}` raised {class}: {message}", subject.tool),
    };
    let mut error = Error::new(Kind::ToolFailed, text).outcome(Outcome::MayHaveRun);
    for line in traceback.lines() {
        error = error.detail(line);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use tonic::metadata::{MetadataMap, MetadataValue};

    const SUBJECT: Subject<'_> = Subject {
        tool: "train",
        worker: "w1",
        idempotent: false,
    };

    #[test]
    fn a_raised_exception_comes_back_with_its_traceback() {
        let failure = ToolFailure {
            r#type: "ValueError".into(),
            message: "bad".into(),
            traceback: "  File \"t.py\", line 3\n    raise".into(),
            ..Default::default()
        };
        let mut metadata = MetadataMap::new();
        metadata.insert_bin(FAILURE_KEY, MetadataValue::from_bytes(&failure.encode_to_vec()));
        let status = Status::with_details_and_metadata(Code::Unknown, "x", Bytes::new(), metadata);
        let error = of_status(SUBJECT, &status);
        assert_eq!(error.kind(), Kind::ToolFailed);
        assert_eq!(error.message(), "`train` raised ValueError: bad");
        assert_eq!(error.details(), ["  File \"t.py\", line 3", "    raise"]);
    }

    #[test]
    fn a_broken_transport_is_a_dead_worker_and_a_status_of_the_worker_is_not() {
        let broken = Status::from_error(Box::new(std::io::Error::other("broken pipe")));
        assert_eq!(of_status(SUBJECT, &broken).kind(), Kind::WorkerDied);
        assert_eq!(
            of_status(SUBJECT, &Status::unavailable("draining")).kind(),
            Kind::NoWorker
        );
    }

    #[test]
    fn only_a_call_that_certainly_did_not_start_says_so() {
        for code in 1..=16 {
            let error = refused(SUBJECT, code, "");
            let never = error.known_outcome() == Some(Outcome::NeverStarted);
            assert_eq!(never, [3, 5, 9, 12, 14].contains(&code), "{code}");
        }
    }
}
