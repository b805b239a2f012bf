//! Embeddings and tensors: a shape, a dtype and little-endian bytes. The JSON text is made from the bytes when it is
//! first asked for, so that a tensor that came as bytes and goes out as bytes is never parsed or printed. It must
//! never hold a payload whose length does not fit the shape.

use std::fmt::Write;
use std::sync::OnceLock;

use bytes::Bytes;

use super::dtype::{Dtype, Element, Item};
use super::{Type, float};
use crate::error::{Error, Kind, Result};

/// How many axes a shape may have, as in numpy.
pub(super) const MAX_RANK: usize = 64;

/// The largest payload whose JSON is kept once it was made: a larger one would hold several times what is counted.
const MAX_KEPT: usize = 64 * 1024;

/// A block of numbers.
pub(super) struct Array {
    ty: Type,
    dtype: Dtype,
    /// Whether the dtype was not given: then a constraint may choose it.
    implied: bool,
    shape: Vec<usize>,
    payload: Bytes,
    json: OnceLock<Bytes>,
}

impl Array {
    /// A block whose payload fits; [`Kind::BadEncoding`] where it does not, or where an embedding is not one.
    pub(super) fn new(ty: Type, dtype: Dtype, shape: Vec<usize>, payload: Bytes) -> Result<Self> {
        let wanted = element_count(&shape).and_then(|count| count.checked_mul(dtype.size()));
        if wanted != Some(payload.len()) {
            return Err(Error::new(
                Kind::BadEncoding,
                format!(
                    "payload has {} bytes, shape {shape:?} of `{}` takes {}",
                    payload.len(),
                    dtype.as_str(),
                    wanted.map_or("more than fit in memory".to_owned(), |bytes| bytes.to_string()),
                ),
            ));
        }
        let array = Self {
            ty,
            dtype,
            implied: false,
            shape,
            payload,
            json: OnceLock::new(),
        };
        array.check_elements()?;
        Ok(array)
    }

    /// Says that the dtype was assumed, not given.
    pub(super) fn implied(self) -> Self {
        Self {
            implied: true,
            ..self
        }
    }

    fn check_elements(&self) -> Result<()> {
        if self.dtype == Dtype::Bool && self.payload.iter().any(|byte| *byte > 1) {
            return Err(Error::new(
                Kind::BadEncoding,
                "payload of `bool` has a byte that is neither 0 nor 1",
            ));
        }
        if self.ty != Type::Embedding {
            return Ok(());
        }
        if self.shape.len() != 1 || !self.dtype.is_float() {
            return Err(Error::new(
                Kind::WrongType,
                format!(
                    "must be a list of numbers (one axis of `float32` or `float64`), got shape {:?} of `{}`",
                    self.shape,
                    self.dtype.as_str()
                ),
            ));
        }
        let (mut at, mut special) = (0, None);
        self.dtype.each(&self.payload, |element| {
            if let Element::Float(value) = element
                && !value.is_finite()
            {
                special.get_or_insert((at, value));
            }
            at += 1;
        });
        match special {
            None => Ok(()),
            Some((at, value)) => Err(not_finite(at, value)),
        }
    }

    pub(super) fn dtype(&self) -> Dtype {
        self.dtype
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The header of the binary form.
    pub(super) fn header(&self) -> Bytes {
        let mut out = String::from("{\"shape\":");
        print_shape(&self.shape, &mut out);
        let (dtype, ty) = (self.dtype.as_str(), self.ty);
        let _ = write!(
            out,
            ",\"dtype\":\"{dtype}\",\"binary_format\":\"raw\",\"type\":\"{ty}\"}}"
        );
        Bytes::from(out)
    }

    /// The canonical JSON: elements as they are as 64-bit floats, so that no reader sees another number.
    pub(super) fn json(&self) -> Bytes {
        if self.payload.len() > MAX_KEPT {
            return Bytes::from(self.print());
        }
        self.json.get_or_init(|| Bytes::from(self.print())).clone()
    }

    fn print(&self) -> String {
        let mut out = String::with_capacity(self.payload.len() / self.dtype.size() * 4 + 64);
        if self.ty == Type::Tensor {
            out.push_str("{\"shape\":");
            print_shape(&self.shape, &mut out);
            let _ = write!(out, ",\"dtype\":\"{}\",\"data\":", self.dtype.as_str());
        }
        out.push('[');
        let start = out.len();
        self.dtype.each(&self.payload, |element| {
            if out.len() > start {
                out.push(',');
            }
            match element {
                Element::Float(value) => float::print(value, &mut out),
                Element::Whole(value) => {
                    let _ = write!(out, "{value}");
                }
                Element::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            }
        });
        out.push_str(if self.ty == Type::Tensor { "]}" } else { "]" });
        out
    }

    /// The block in another dtype, where its own was only assumed; the error is the reason.
    pub(super) fn adopt(&self, dtype: Dtype) -> Result<Option<Self>, String> {
        if !self.implied || self.dtype == dtype {
            return Ok(None);
        }
        let mut payload = Vec::with_capacity(self.payload.len() / self.dtype.size() * dtype.size());
        let (mut at, mut wrong) = (0usize, None);
        self.dtype.each(&self.payload, |element| {
            if let Element::Float(value) = element
                && wrong.is_none()
                && let Err(why) = dtype.write(&Item::Float(value), &mut payload)
            {
                wrong = Some(format!("item {at} {why}"));
            }
            at += 1;
        });
        match wrong {
            Some(why) => Err(why),
            None => Ok(Some(self.with_payload(dtype, Bytes::from(payload)))),
        }
    }

    fn with_payload(&self, dtype: Dtype, payload: Bytes) -> Self {
        Self {
            ty: self.ty,
            dtype,
            implied: false,
            shape: self.shape.clone(),
            payload,
            json: OnceLock::new(),
        }
    }

    /// The vector of length 1 in the same direction: `None` where it is one already, up to rounding. The error says
    /// that there is no direction.
    pub(super) fn normalized(&self) -> Result<Option<Self>, String> {
        let near = if self.dtype == Dtype::Float32 { 1e-6 } else { 1e-12 };
        let mut largest = 0f64;
        self.each_float(|value| largest = largest.max(value.abs()));
        if largest == 0.0 {
            return Err("a zero vector cannot be normalized".to_owned());
        }
        // Scaled first: squares of very large and very small numbers leave the range of floats.
        let mut squares = 0f64;
        self.each_float(|value| squares += (value / largest).powi(2));
        let norm = squares.sqrt();
        if (norm * largest - 1.0).abs() <= near {
            return Ok(None);
        }
        let mut payload = Vec::with_capacity(self.payload.len());
        let mut wrong = None;
        self.each_float(|value| {
            if let Err(why) = self
                .dtype
                .write(&Item::Float(value / largest / norm), &mut payload)
            {
                wrong = Some(why);
            }
        });
        wrong.map_or_else(
            || Ok(Some(self.with_payload(self.dtype, Bytes::from(payload)))),
            Err,
        )
    }

    fn each_float(&self, mut take: impl FnMut(f64)) {
        self.dtype.each(&self.payload, |element| {
            if let Element::Float(value) = element {
                take(value);
            }
        });
    }

    /// Whether nothing changes when one replaces the other. All NaNs are the same; embeddings are the same where
    /// their numbers are, in whichever of the two float dtypes.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        if self.shape != other.shape || (self.ty == Type::Tensor && self.dtype != other.dtype) {
            return false;
        }
        if self.dtype == other.dtype && (self.payload == other.payload || !self.dtype.is_float()) {
            return self.payload == other.payload;
        }
        let mut bits = Vec::with_capacity(self.payload.len() / self.dtype.size());
        let canonical = |value: f64| {
            if value.is_nan() {
                f64::NAN.to_bits()
            } else {
                value.to_bits()
            }
        };
        self.each_float(|value| bits.push(canonical(value)));
        let mut left = bits.into_iter();
        let mut same = true;
        other.each_float(|value| same &= left.next() == Some(canonical(value)));
        same
    }
}

/// The error for an embedding that holds NaN or an infinity.
pub(super) fn not_finite(at: usize, value: f64) -> Error {
    Error::new(
        Kind::WrongType,
        format!(
            "must be a list of finite numbers, item {at} is {}",
            float::show(value)
        ),
    )
}

/// How many elements a shape has; `None` where that cannot be counted.
pub(super) fn element_count(shape: &[usize]) -> Option<usize> {
    // An axis of length 0 makes the whole empty, whatever the others say.
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1usize, |count, axis| count.checked_mul(*axis))
}

fn print_shape(shape: &[usize], out: &mut String) {
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let _ = write!(out, "[{}]", axes.join(","));
}
