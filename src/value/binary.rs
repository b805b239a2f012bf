//! The binary form: a JSON header and a payload. The payload of `raw` is kept as the bytes it came in. Formats that can
//! run code, or that only one language reads, are refused by name; nothing here may ever interpret one.

use bytes::Bytes;
use serde::Deserialize;

use super::array::{Array, MAX_RANK};
use super::dtype::Dtype;
use super::quoted::clip;
use super::{Type, npy};
use crate::error::{Error, Kind, Result};

/// The largest header, in bytes.
const MAX_HEADER_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
struct Header {
    shape: Option<Vec<usize>>,
    dtype: Option<String>,
    binary_format: Option<String>,
    r#type: Option<String>,
}

/// Reads header and payload of an embedding or tensor.
pub(super) fn read(ty: Type, header: &[u8], payload: Bytes) -> Result<Array> {
    let header = read_header(ty, header)?;
    if let Some(format @ ("pickle" | "erlang_binary")) = header.binary_format.as_deref() {
        return Err(bad(format!("`{format}` payloads are refused"))
            .detail("reading one can run code or make atoms that are never freed")
            .hint("send JSON, or `binary_format` `raw` with little-endian bytes"));
    }
    let shape = header.shape;
    if let Some(shape) = &shape
        && shape.len() > MAX_RANK
    {
        return Err(bad(format!(
            "`shape` has {} axes, the most is {MAX_RANK}",
            shape.len()
        )));
    }
    let dtype = header
        .dtype
        .as_deref()
        .map(Dtype::parse)
        .transpose()
        .map_err(bad)?;
    match header.binary_format.as_deref() {
        Some("raw") => {
            let shape = shape.ok_or_else(|| bad("the header has no `shape`"))?;
            let dtype = dtype.ok_or_else(|| bad("the header has no `dtype`"))?;
            Array::new(ty, dtype, shape, payload)
        }
        Some("npy") => {
            let file = npy::read(payload)?;
            if dtype.is_some_and(|dtype| dtype != file.dtype)
                || shape.is_some_and(|shape| shape != file.shape)
            {
                return Err(bad(format!(
                    "the header does not agree with the npy file: shape {:?} of `{}`",
                    file.shape,
                    file.dtype.as_str()
                )));
            }
            Array::new(ty, file.dtype, file.shape, file.payload)
        }
        Some(other) => Err(bad(format!(
            "unknown `binary_format` `{}`: `raw` and `npy` are read",
            clip(other)
        ))),
        None => Err(bad("the header has no `binary_format`: `raw` and `npy` are read")),
    }
}

fn read_header(ty: Type, header: &[u8]) -> Result<Header> {
    if !ty.has_binary_form() {
        return Err(bad(format!("type `{ty}` has no binary form, send JSON")));
    }
    if header.len() > MAX_HEADER_BYTES {
        return Err(bad(format!(
            "the header has {} bytes, the most is {MAX_HEADER_BYTES}",
            header.len()
        )));
    }
    let header: Header = serde_json::from_slice(header).map_err(|cause| {
        bad(format!(
            "the header is not a JSON object of shape, dtype, binary_format and type: {cause}"
        ))
    })?;
    match header.r#type.as_deref() {
        Some(named) if named != ty.as_str() => Err(bad(format!(
            "the header is of type `{}`, expected `{ty}`",
            clip(named)
        ))),
        _ => Ok(header),
    }
}

fn bad(text: impl Into<String>) -> Error {
    Error::new(Kind::BadEncoding, text)
}
