//! Floats as text, to the letter what Python's `json.dumps` prints, so that a value looks the same whoever wrote it.
//! It must never print a bare `NaN`: the special values are JSON strings.

use std::fmt::Write;

use super::quoted::{Text, clip};

/// From here on Python prints without an exponent.
const PLAIN_FROM: f64 = 1e-4;

/// From here on Python prints with one again.
const PLAIN_BELOW: f64 = 1e16;

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
    let Some(number) = serde_json::Number::from_f64(value) else {
        let name = Special::of(value).map_or("NaN", Special::name);
        let _ = write!(out, "\"{name}\"");
        return;
    };
    let start = out.len();
    // serde_json has Python's digits: the shortest that read back, of those the nearest, of those the even one.
    // Rust's own `{:?}` does not: of 851000872136470.25 it makes `.3`, Python `.2`.
    let _ = write!(out, "{number}");
    let plain = value == 0.0 || (PLAIN_FROM..PLAIN_BELOW).contains(&value.abs());
    if !plain {
        let text = out.split_off(start);
        print_exponent(&text, out);
    }
}

/// Appends a number, given in any form of JSON, as Python writes the very large and the very small: `1.5e-07`.
fn print_exponent(text: &str, out: &mut String) {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    let leading = digits.len() - significant.len();
    let exponent = exponent.parse().unwrap_or(0) + whole.len() as i32 - leading as i32 - 1;
    let (first, rest) = significant.trim_end_matches('0').split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{first}{point}{rest}e{direction}{:02}", exponent.abs());
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
