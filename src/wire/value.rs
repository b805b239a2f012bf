//! Values in `google.protobuf.Any`: bare JSON text under `type.googleapis.com/snakepit.<type>`.
//!
//! A binary value has `.binary` behind the type, a JSON header in the Any and its payload in the bytes field
//! beside it; it is sent only to a client that says in a request header that it reads it.

use bytes::Bytes;

use crate::{
    error::{Error, Kind, Result},
    proto::Any,
    session::RawValue,
    value::{Type, Value},
};

/// What every value's url starts with.
pub const URL_PREFIX: &str = "type.googleapis.com/snakepit.";

/// The url of a tool's value for clients of the old package: raw JSON bytes follow, not a message.
pub const TOOL_URL: &str = "type.googleapis.com/google.protobuf.StringValue";

/// What the url of a binary value ends with.
const BINARY: &str = ".binary";

/// Payloads above this go binary to a client that reads it.
pub const BINARY_THRESHOLD: usize = 10_240;

/// The request header by which a client says that it reads binary values (`raw`).
pub const BINARY_HEADER: &str = "snakepit-binary";

/// How a client wants its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON whatever the size: what every old client reads.
    Json,
    /// Large numeric payloads as raw bytes.
    Raw,
}

/// Takes a value off the wire without looking into it.
pub fn raw(any: Option<Any>, payload: Bytes) -> Result<RawValue> {
    let Some(any) = any else {
        return Err(Error::new(Kind::BadRequest, "the value is missing"));
    };
    if any.type_url.ends_with(BINARY) {
        return Ok(RawValue::binary(any.value, payload));
    }
    if any.value.is_empty() {
        return Err(Error::new(Kind::BadEncoding, "the value is empty")
            .detail("a value is JSON text; an empty string is `\"\"`"));
    }
    Ok(RawValue::json(any.value))
}

/// The type that a url names, if it names one: whatever follows the last `/` and `snakepit.`.
pub fn url_type(url: &str) -> Option<Type> {
    let name = url.rsplit('/').next().unwrap_or(url);
    let name = name.strip_suffix(BINARY).unwrap_or(name);
    Type::parse(name.rsplit('.').next().unwrap_or(name))
}

/// Puts a value on the wire: the Any and the payload beside it (empty unless binary).
pub fn encode(value: &Value, encoding: Encoding) -> (Any, Bytes) {
    if encoding == Encoding::Raw
        && value.payload_len() > BINARY_THRESHOLD
        && let Some((header, payload)) = value.binary()
    {
        let any = Any {
            type_url: format!("{URL_PREFIX}{}{BINARY}", value.ty().as_str()),
            value: header,
        };
        return (any, payload);
    }
    let any = Any {
        type_url: format!("{URL_PREFIX}{}", value.ty().as_str()),
        value: value.json(),
    };
    (any, Bytes::new())
}
