//! Floats as text, to the letter what Python's `json.dumps` prints, so that a value looks the same whoever wrote it.
//! It must never print a bare `NaN`: the special values are JSON strings.

use std::fmt::Write;

use super::quoted::{Text, clip};

/// The floats that are not numbers of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    NaN,
    Infinity,
    NegativeInfinity,
}

impl Special {
    /// The name, as a JSON string without its quotes and as Python's bare token.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NaN => "NaN",
            Self::Infinity => "Infinity",
            Self::NegativeInfinity => "-Infinity",
        }
    }

    /// The float that is meant.
    pub(super) fn value(self) -> f64 {
        match self {
            Self::NaN => f64::NAN,
            Self::Infinity => f64::INFINITY,
            Self::NegativeInfinity => f64::NEG_INFINITY,
        }
    }

    /// Which special value a float is.
    pub(super) fn of(value: f64) -> Option<Self> {
        match value {
            value if value.is_nan() => Some(Self::NaN),
            f64::INFINITY => Some(Self::Infinity),
            f64::NEG_INFINITY => Some(Self::NegativeInfinity),
            _ => None,
        }
    }

    /// Reads a name that stands in a JSON string.
    pub(super) fn from_text(text: &Text<'_>) -> Option<Self> {
        let text = text.decode();
        [Self::NaN, Self::Infinity, Self::NegativeInfinity]
            .into_iter()
            .find(|special| special.name() == text)
    }
}

/// Appends the canonical JSON of a float.
pub(super) fn print(value: f64, out: &mut String) {
    if let Some(special) = Special::of(value) {
        let _ = write!(out, "\"{}\"", special.name());
        return;
    }
    let start = out.len();
    // Rust's `{:?}` has Python's digits and Python's limits for the exponent form (below 1e-4, from 1e16).
    let _ = write!(out, "{value:?}");
    let Some(at) = out[start..].find('e') else { return };
    let exponent = out.split_off(start + at + 1);
    let (sign, digits) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent.as_str()), |digits| ('-', digits));
    let _ = write!(out, "{sign}{digits:0>2}");
}

/// A float for a message: as [`print`], without quotes.
pub(super) fn show(value: f64) -> String {
    let mut out = String::new();
    match Special::of(value) {
        Some(special) => out.push_str(special.name()),
        None => print(value, &mut out),
    }
    out
}

/// The nearest float of a JSON number; the error is the reason, where a 64-bit float cannot hold it.
pub(super) fn parse(number: &str) -> Result<f64, String> {
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!(
            "must be a number in the range of a 64-bit float, got {}",
            clip(number)
        )),
    }
}
