//! Constraints of floats and integers: inclusive bounds and a step. It must never round an integer.

use std::cmp::Ordering;

use super::fields::Fields;
use crate::value::quoted::clip;
use crate::value::{float, integer};

/// How far a float may be from a multiple of its step, relative to how many steps it is away: what decimal fractions
/// lose in binary, and no more.
const STEP_TOLERANCE: f64 = 1e-9;

/// Bounds of a float.
pub(super) struct FloatRange {
    min: Option<f64>,
    max: Option<f64>,
    step: Option<f64>,
}

impl FloatRange {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let range = Self {
            min: fields.float("min"),
            max: fields.float("max"),
            step: fields.float("step"),
        };
        if let (Some(min), Some(max)) = (range.min, range.max)
            && min > max
        {
            fields.problem(format!(
                "`min` {} is above `max` {}",
                float::show(min),
                float::show(max)
            ));
        }
        if let Some(step) = range.step
            && step <= 0.0
        {
            fields.problem(format!("`step` must be above 0, got {}", float::show(step)));
        }
        range
    }

    pub(super) fn check(&self, value: f64, broken: &mut Vec<String>) {
        check_bounds(value, self.min, self.max, broken);
        let base = self.min.unwrap_or(0.0);
        if let Some(step) = self.step
            && !is_on_step(value, base, step)
        {
            broken.push(format!(
                "{} is not {} plus a multiple of step {}",
                float::show(value),
                float::show(base),
                float::show(step)
            ));
        }
    }
}

/// Checks inclusive bounds. NaN and the infinities pass only where there is no bound at all.
pub(super) fn check_bounds(value: f64, min: Option<f64>, max: Option<f64>, broken: &mut Vec<String>) {
    let before = broken.len();
    if let Some(min) = min
        && value < min
    {
        broken.push(format!(
            "{} is below minimum {}",
            float::show(value),
            float::show(min)
        ));
    }
    if let Some(max) = max
        && value > max
    {
        broken.push(format!(
            "{} is above maximum {}",
            float::show(value),
            float::show(max)
        ));
    }
    if !value.is_finite() && broken.len() == before && (min.is_some() || max.is_some()) {
        broken.push(format!(
            "{} is not allowed where there is a minimum or maximum",
            float::show(value)
        ));
    }
}

fn is_on_step(value: f64, base: f64, step: f64) -> bool {
    if !value.is_finite() {
        return false;
    }
    let steps = (value - base) / step;
    // So many steps that neighbouring floats are further apart than one: every value is on one.
    steps.is_infinite() || (steps - steps.round()).abs() <= STEP_TOLERANCE * steps.abs().max(1.0)
}

/// Bounds of an integer, as canonical digits.
pub(super) struct IntegerRange {
    min: Option<String>,
    max: Option<String>,
    step: Option<String>,
}

impl IntegerRange {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let range = Self {
            min: fields.integer("min"),
            max: fields.integer("max"),
            step: fields.integer("step"),
        };
        if let (Some(min), Some(max)) = (&range.min, &range.max)
            && integer::compare(min, max) == Ordering::Greater
        {
            fields.problem(format!("`min` {} is above `max` {}", clip(min), clip(max)));
        }
        if let Some(step) = &range.step
            && integer::compare(step, "0") != Ordering::Greater
        {
            fields.problem(format!("`step` must be above 0, got {}", clip(step)));
        }
        range
    }

    pub(super) fn check(&self, value: &str, broken: &mut Vec<String>) {
        if let Some(min) = &self.min
            && integer::compare(value, min) == Ordering::Less
        {
            broken.push(format!("{} is below minimum {}", clip(value), clip(min)));
        }
        if let Some(max) = &self.max
            && integer::compare(value, max) == Ordering::Greater
        {
            broken.push(format!("{} is above maximum {}", clip(value), clip(max)));
        }
        let base = self.min.as_deref().unwrap_or("0");
        if let Some(step) = &self.step
            && !integer::is_on_step(value, base, step)
        {
            broken.push(format!(
                "{} is not {} plus a multiple of step {}",
                clip(value),
                clip(base),
                clip(step)
            ));
        }
    }
}
