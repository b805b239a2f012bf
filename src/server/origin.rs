//! Who asks and how: what the edge reads off a connection and its request headers.

use std::time::Duration;

use tokio::time::Instant;
use tonic::{Request, metadata::MetadataMap};

use crate::{
    bridge::wall_now,
    session::{Actor, Principal},
    wire::value::{BINARY_HEADER, Encoding},
};

/// The request header by which a worker names itself in calls that its tools make.
pub const WORKER_HEADER: &str = "snakepit-worker-id";

/// How much earlier than the client's deadline ours ends, so that the outcome still reaches it.
const DEADLINE_MARGIN: Duration = Duration::from_millis(10);

/// The other end of a connection, known before its first request.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who it is.
    pub principal: Principal,
}

/// The caller of a request, and when it came.
pub fn actor<T>(request: &Request<T>) -> Actor {
    let principal = match request.extensions().get::<Peer>() {
        Some(peer) => peer.principal.clone(),
        None => Principal::new("unknown"),
    };
    Actor {
        principal,
        now: wall_now(),
    }
}

/// How the caller wants its values.
pub fn encoding(headers: &MetadataMap) -> Encoding {
    match headers.get(BINARY_HEADER).map(|value| value.as_bytes()) {
        Some(b"raw") => Encoding::Raw,
        _ => Encoding::Json,
    }
}

/// The worker that a request comes from, where it says so.
pub fn worker(headers: &MetadataMap) -> Option<String> {
    headers.get(WORKER_HEADER)?.to_str().ok().map(str::to_owned)
}

/// When the work has to be over, by the caller's `grpc-timeout`, less a margin.
pub fn deadline(headers: &MetadataMap) -> Option<Instant> {
    let timeout = parse_timeout(headers.get("grpc-timeout")?.to_str().ok()?)?;
    let margin = DEADLINE_MARGIN.min(timeout / 10);
    Instant::now().checked_add(timeout.saturating_sub(margin))
}

/// Reads a gRPC timeout: up to eight digits and a unit (PROTOCOL-HTTP2, "Timeout").
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        assert_eq!(parse_timeout("5S"), Some(Duration::from_secs(5)));
        assert_eq!(parse_timeout("99999999n"), Some(Duration::from_nanos(99_999_999)));
        assert_eq!(parse_timeout("2H"), Some(Duration::from_secs(7_200)));
        for wrong in ["", "S", "5", "5s", "-5S", "999999999S", "5é"] {
            assert_eq!(parse_timeout(wrong), None, "{wrong}");
        }
    }
}
