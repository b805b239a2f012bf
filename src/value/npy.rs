//! numpy's `.npy` files as payloads. Little-endian files in C order are kept as they are, others are put in order.
//! Object arrays are pickles in disguise and must never be read.

use bytes::Bytes;

use super::array::{MAX_RANK, element_count};
use super::dtype::Dtype;
use super::quoted::clip;
use crate::error::{Error, Kind, Result};

/// How a file begins.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The largest header, in bytes; numpy itself warns above 10 000.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Where the data of a file begins is a multiple of this.
const ALIGN: usize = 64;

/// numpy leaves room for so many digits in the first axis, so that a file can grow.
const GROWTH_DIGITS: usize = 21;

/// What a file holds, its elements little-endian in C order.
pub(super) struct File {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) payload: Bytes,
}

/// Reads a whole file.
pub(super) fn read(file: Bytes) -> Result<File> {
    let (header, start) = find_header(&file)?;
    let header = Header::read(header)?;
    let (big_endian, dtype) = read_descr(&header.descr)?;
    let payload = file.slice(start..);
    let count = element_count(&header.shape);
    if count.and_then(|count| count.checked_mul(dtype.size())) != Some(payload.len()) {
        return Err(bad(format!(
            "npy file has {} bytes of data, which does not fit shape {:?} of `{}`",
            payload.len(),
            header.shape,
            dtype.as_str()
        )));
    }
    let payload = if big_endian && dtype.size() > 1 {
        swap(&payload, dtype.size())
    } else {
        payload
    };
    // Without data there is nothing to turn, and the axes beside a 0 may be of any length.
    let turned = header.fortran_order && header.shape.len() > 1 && !payload.is_empty();
    let payload = if turned {
        to_c_order(&payload, &header.shape, dtype.size())
    } else {
        payload
    };
    Ok(File {
        dtype,
        shape: header.shape,
        payload,
    })
}

/// The header's text and where the data starts.
fn find_header(file: &[u8]) -> Result<(&str, usize)> {
    let rest = file
        .strip_prefix(MAGIC)
        .ok_or_else(|| bad("payload is not an npy file"))?;
    let (length, start) = match rest {
        [1, _, low, high, ..] => (usize::from(u16::from_le_bytes([*low, *high])), MAGIC.len() + 4),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, MAGIC.len() + 6),
        _ => return Err(bad("npy file is cut off or of an unknown version")),
    };
    if length > MAX_HEADER_BYTES {
        return Err(bad(format!(
            "npy header has {length} bytes, the most is {MAX_HEADER_BYTES}"
        )));
    }
    let header = file
        .get(start..start + length)
        .ok_or_else(|| bad("npy header is cut off"))?;
    let header = std::str::from_utf8(header).map_err(|_| bad("npy header is not text"))?;
    Ok((header, start + length))
}

/// The Python dictionary of a file.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn read(text: &str) -> Result<Self> {
        let wrong = || bad(format!("npy header is not understood: `{}`", clip(text.trim())));
        let mut rest = text
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .ok_or_else(wrong)?;
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        while !rest.trim().is_empty() {
            let (key, after) = quoted(rest).ok_or_else(wrong)?;
            let after = after
                .trim_start()
                .strip_prefix(':')
                .ok_or_else(wrong)?
                .trim_start();
            rest = match key {
                "descr" => {
                    let (text, after) = quoted(after).ok_or_else(wrong)?;
                    descr = Some(text.to_owned());
                    after
                }
                "fortran_order" => {
                    let (value, after) = match after.strip_prefix("True") {
                        Some(after) => (true, after),
                        None => (false, after.strip_prefix("False").ok_or_else(wrong)?),
                    };
                    fortran_order = Some(value);
                    after
                }
                "shape" => {
                    let (axes, after) = after
                        .strip_prefix('(')
                        .and_then(|rest| rest.split_once(')'))
                        .ok_or_else(wrong)?;
                    shape = Some(read_shape(axes).ok_or_else(wrong)?);
                    after
                }
                _ => return Err(wrong()),
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Self {
                descr,
                fortran_order,
                shape,
            }),
            _ => Err(wrong()),
        }
    }
}

/// A string in Python's quotes at the start of a text, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn read_shape(axes: &str) -> Option<Vec<usize>> {
    let axes = axes.trim().strip_suffix(',').unwrap_or(axes.trim());
    if axes.is_empty() {
        return Some(Vec::new());
    }
    let shape: Option<Vec<usize>> = axes.split(',').map(|axis| axis.trim().parse().ok()).collect();
    shape.filter(|shape| shape.len() <= MAX_RANK)
}

/// Byte order and dtype of a numpy type string such as `<f8`. Whether the first part is true: big-endian.
fn read_descr(descr: &str) -> Result<(bool, Dtype)> {
    let (big_endian, code) = match descr.split_at_checked(1) {
        Some(("<" | "|" | "=", code)) => (false, code),
        Some((">", code)) => (true, code),
        _ => (false, descr),
    };
    let dtype = match code {
        "f4" => Dtype::Float32,
        "f8" => Dtype::Float64,
        "i1" => Dtype::Int8,
        "i2" => Dtype::Int16,
        "i4" => Dtype::Int32,
        "i8" => Dtype::Int64,
        "u1" => Dtype::UInt8,
        "u2" => Dtype::UInt16,
        "u4" => Dtype::UInt32,
        "u8" => Dtype::UInt64,
        "b1" => Dtype::Bool,
        "O" => return Err(bad("npy file of Python objects is refused: it holds a `pickle`")),
        _ => return Err(bad(format!("npy file of unknown element type `{}`", clip(descr)))),
    };
    Ok((big_endian, dtype))
}

fn swap(data: &[u8], size: usize) -> Bytes {
    let mut out = data.to_vec();
    out.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    Bytes::from(out)
}

/// Puts elements whose first axis runs fastest in the order where the last one does.
fn to_c_order(data: &[u8], shape: &[usize], size: usize) -> Bytes {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = size;
    for axis in shape {
        strides.push(stride);
        stride *= axis;
    }
    let mut index = vec![0; shape.len()];
    let mut from = 0;
    let mut out = Vec::with_capacity(data.len());
    while out.len() < data.len() {
        out.extend_from_slice(&data[from..from + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    Bytes::from(out)
}

fn bad(text: impl Into<String>) -> Error {
    Error::new(Kind::BadEncoding, text)
}

/// Everything of a file before its data, format version 1.0, byte for byte as `numpy.save` writes it.
pub(super) fn header(dtype: Dtype, shape: &[usize]) -> Bytes {
    let descr = match dtype {
        Dtype::Float32 => "<f4",
        Dtype::Float64 => "<f8",
        Dtype::Int8 => "|i1",
        Dtype::Int16 => "<i2",
        Dtype::Int32 => "<i4",
        Dtype::Int64 => "<i8",
        Dtype::UInt8 => "|u1",
        Dtype::UInt16 => "<u2",
        Dtype::UInt32 => "<u4",
        Dtype::UInt64 => "<u8",
        Dtype::Bool => "|b1",
    };
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let axes = match axes.as_slice() {
        [one] => format!("({one},)"),
        axes => format!("({})", axes.join(", ")),
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {axes}, }}");
    if let Some(first) = shape.first() {
        let spare = GROWTH_DIGITS.saturating_sub(first.to_string().len());
        text.extend(std::iter::repeat_n(' ', spare));
    }
    let before = MAGIC.len() + 4;
    let padded = (before + text.len() + 1).next_multiple_of(ALIGN) - before;
    text.extend(std::iter::repeat_n(' ', padded - text.len() - 1));
    text.push('\n');
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&[1, 0]);
    // A rank of at most 64 fits format version 1.0 by far.
    file.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    file.extend_from_slice(text.as_bytes());
    Bytes::from(file)
}
