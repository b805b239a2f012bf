//! The kinds of numbers in tensors and embeddings, and their little-endian bytes. It must never round a number into
//! an integer dtype or wrap it around.

use super::quoted::clip;
use super::{float, integer};

/// The largest whole number up to which a float counts without holes.
const EXACT_IN_FLOAT: f64 = 9_007_199_254_740_992.0;

/// What one element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dtype {
    Float32,
    Float64,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Bool,
}

/// One element, read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element {
    Float(f64),
    Whole(i128),
    Bool(bool),
}

/// One element to be written.
pub(super) enum Item<'a> {
    /// A JSON number.
    Number(&'a str),
    Float(f64),
    Bool(bool),
}

impl Dtype {
    const ALL: [Dtype; 11] = [
        Dtype::Float32,
        Dtype::Float64,
        Dtype::Int8,
        Dtype::Int16,
        Dtype::Int32,
        Dtype::Int64,
        Dtype::UInt8,
        Dtype::UInt16,
        Dtype::UInt32,
        Dtype::UInt64,
        Dtype::Bool,
    ];

    /// numpy's name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::UInt8 => "uint8",
            Self::UInt16 => "uint16",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Bool => "bool",
        }
    }

    /// Reads numpy's name; the error is the reason, with the names that are known.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|dtype| dtype.as_str() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::as_str).join(", ");
                format!("`{}` is not a known dtype (known: {known})", clip(text))
            })
    }

    /// Bytes an element.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Int8 | Self::UInt8 | Self::Bool => 1,
            Self::Int16 | Self::UInt16 => 2,
            Self::Float32 | Self::Int32 | Self::UInt32 => 4,
            Self::Float64 | Self::Int64 | Self::UInt64 => 8,
        }
    }

    /// Whether elements are floats.
    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }

    /// Appends one element; the error is the reason, where the dtype cannot hold it.
    pub(super) fn write(self, item: &Item<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        match (self, item) {
            (Self::Bool, Item::Bool(value)) => out.push(u8::from(*value)),
            (Self::Bool, Item::Number("0") | Item::Float(0.0)) => out.push(0),
            (Self::Bool, Item::Number("1") | Item::Float(1.0)) => out.push(1),
            (Self::Bool, _) => return Err("must be `true` or `false`".to_owned()),
            (_, Item::Bool(value)) => return Err(format!("must be a number, got {value}")),
            (Self::Float32 | Self::Float64, Item::Number(text)) => {
                self.write_float(float::parse(text)?, out)?
            }
            (Self::Float32 | Self::Float64, Item::Float(value)) => self.write_float(*value, out)?,
            (_, Item::Number(text)) => match text.parse::<i128>() {
                Ok(whole) => self.write_whole(whole, out)?,
                Err(_) => {
                    let digits = integer::parse(text)?;
                    let whole = digits.parse().map_err(|_| self.too_small_for(&digits))?;
                    self.write_whole(whole, out)?;
                }
            },
            (_, Item::Float(value)) if value.fract() == 0.0 && value.abs() <= EXACT_IN_FLOAT => {
                self.write_whole(*value as i128, out)?;
            }
            (_, Item::Float(value)) => {
                return Err(format!(
                    "must be a whole number that `{}` holds, got {}",
                    self.as_str(),
                    float::show(*value)
                ));
            }
        }
        Ok(())
    }

    fn write_float(self, value: f64, out: &mut Vec<u8>) -> Result<(), String> {
        if self == Self::Float64 {
            out.extend_from_slice(&value.to_le_bytes());
            return Ok(());
        }
        let narrow = value as f32;
        if narrow.is_infinite() && value.is_finite() {
            return Err(self.too_small_for(&float::show(value)));
        }
        out.extend_from_slice(&narrow.to_le_bytes());
        Ok(())
    }

    fn write_whole(self, whole: i128, out: &mut Vec<u8>) -> Result<(), String> {
        macro_rules! narrow {
            ($ty:ty) => {
                out.extend_from_slice(
                    &<$ty>::try_from(whole)
                        .map_err(|_| self.too_small_for(&whole.to_string()))?
                        .to_le_bytes(),
                )
            };
        }
        match self {
            Self::Int8 => narrow!(i8),
            Self::Int16 => narrow!(i16),
            Self::Int32 => narrow!(i32),
            Self::Int64 => narrow!(i64),
            Self::UInt8 => narrow!(u8),
            Self::UInt16 => narrow!(u16),
            Self::UInt32 => narrow!(u32),
            Self::UInt64 => narrow!(u64),
            Self::Float32 | Self::Float64 | Self::Bool => {
                return Err(format!("`{}` is not whole", self.as_str()));
            }
        }
        Ok(())
    }

    fn too_small_for(self, number: &str) -> String {
        format!(
            "must be in the range of `{}`, got {}",
            self.as_str(),
            clip(number)
        )
    }

    /// Hands out the elements of a payload one by one.
    pub(super) fn each(self, payload: &[u8], mut take: impl FnMut(Element)) {
        macro_rules! elements {
            ($ty:ty, $make:expr) => {{
                let (elements, _) = payload.as_chunks::<{ size_of::<$ty>() }>();
                elements
                    .iter()
                    .for_each(|bytes| take($make(<$ty>::from_le_bytes(*bytes))));
            }};
        }
        match self {
            Self::Float32 => elements!(f32, |value| Element::Float(f64::from(value))),
            Self::Float64 => elements!(f64, Element::Float),
            Self::Int8 => elements!(i8, |value| Element::Whole(i128::from(value))),
            Self::Int16 => elements!(i16, |value| Element::Whole(i128::from(value))),
            Self::Int32 => elements!(i32, |value| Element::Whole(i128::from(value))),
            Self::Int64 => elements!(i64, |value| Element::Whole(i128::from(value))),
            Self::UInt8 => elements!(u8, |value| Element::Whole(i128::from(value))),
            Self::UInt16 => elements!(u16, |value| Element::Whole(i128::from(value))),
            Self::UInt32 => elements!(u32, |value| Element::Whole(i128::from(value))),
            Self::UInt64 => elements!(u64, |value| Element::Whole(i128::from(value))),
            Self::Bool => elements!(u8, |value| Element::Bool(value != 0)),
        }
    }
}
