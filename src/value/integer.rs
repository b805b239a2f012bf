//! Whole numbers of any size as decimal digits: a sign where negative, no leading zeros, `0` for zero.
//! It must never go through a float: every digit counts.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::Zero;

use super::quoted::clip;

/// How many digits a number in exponent form may unfold to: eight bytes of input must not become gigabytes.
pub(super) const MAX_UNFOLDED_DIGITS: usize = 4_300;

/// The canonical digits of a JSON number; the error is the reason, where it is not whole.
pub(super) fn parse(number: &str) -> Result<String, String> {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if rest.len() == whole.len() {
        return Ok(if whole == "0" {
            whole.to_owned()
        } else {
            number.to_owned()
        });
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok("0".to_owned());
    }
    let exponent = read_exponent(exponent);
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let length = (whole.len() as i64)
        .saturating_add(exponent)
        .saturating_sub(leading as i64);
    if length < significant.len() as i64 {
        return Err(format!("must be a whole number, got {}", clip(number)));
    }
    if length > MAX_UNFOLDED_DIGITS.max(digits.len()) as i64 {
        return Err(format!(
            "must be a whole number of at most {MAX_UNFOLDED_DIGITS} digits where it has an exponent, got {}",
            clip(number)
        ));
    }
    let zeros = "0".repeat(length as usize - significant.len());
    Ok(format!("{sign}{significant}{zeros}"))
}

/// An exponent, or the end of the range where it is further out: both are refused alike.
fn read_exponent(text: &str) -> i64 {
    let far = if text.starts_with('-') {
        i64::MIN / 2
    } else {
        i64::MAX / 2
    };
    text.parse::<i64>()
        .unwrap_or(far)
        .clamp(i64::MIN / 2, i64::MAX / 2)
}

/// Compares canonical digits as numbers.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    match (left.strip_prefix('-'), right.strip_prefix('-')) {
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (None, None) => magnitude(left, right),
        (Some(left), Some(right)) => magnitude(right, left),
    }
}

fn magnitude(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Whether `value` is `base` plus a multiple of `step`, all canonical digits. A step of zero has no multiples.
pub(super) fn is_on_step(value: &str, base: &str, step: &str) -> bool {
    if let (Ok(value), Ok(base), Ok(step)) = (value.parse(), base.parse(), step.parse())
        && let Some(distance) = i128::checked_sub(value, base)
    {
        return i128::checked_rem(distance, step) == Some(0);
    }
    let Ok(step) = step.parse::<BigInt>() else {
        return false;
    };
    !step.is_zero() && ((remainder(value, &step) - remainder(base, &step)) % &step).is_zero()
}

/// `value` modulo `step` in one pass over the digits: parsing millions of digits whole would take quadratic time.
fn remainder(value: &str, step: &BigInt) -> BigInt {
    const CHUNK: usize = 18;
    let (negative, digits) = value
        .strip_prefix('-')
        .map_or((false, value), |digits| (true, digits));
    let mut rest = BigInt::zero();
    for chunk in digits.as_bytes().chunks(CHUNK) {
        let (scale, part) = chunk.iter().fold((1u64, 0u64), |(scale, part), byte| {
            (scale * 10, part * 10 + u64::from(byte - b'0'))
        });
        rest = (rest * scale + part) % step;
    }
    if negative { -rest } else { rest }
}
