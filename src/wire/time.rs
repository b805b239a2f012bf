//! Wall-clock times as protobuf timestamps.

use prost_types::Timestamp;

use crate::session::WallTime;

const NANOS: i64 = 1_000_000_000;

/// A time on the wire.
pub fn timestamp(time: WallTime) -> Timestamp {
    Timestamp {
        seconds: time.0.div_euclid(NANOS),
        nanos: i32::try_from(time.0.rem_euclid(NANOS)).unwrap_or(0),
    }
}
