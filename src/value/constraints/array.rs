//! Constraints of embeddings and tensors: each is one pass over the bytes. It must never make the JSON of a payload.

use super::fields::{Fields, items, read_count};
use crate::value::array::Array;
use crate::value::dtype::{Dtype, Element};
use crate::value::float;
use crate::value::quoted::clip;

/// Constraints of an embedding.
pub(super) struct EmbeddingRules {
    dimensions: Option<usize>,
    /// Whether the vector is stored with length 1.
    pub(super) normalize: bool,
}

impl EmbeddingRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let rules = Self {
            dimensions: fields.count("dimensions"),
            normalize: fields.flag("normalize").unwrap_or(false),
        };
        if rules.dimensions == Some(0) {
            fields.problem("`dimensions` must be at least 1");
        }
        rules
    }

    pub(super) fn check(&self, array: &Array, broken: &mut Vec<String>) {
        let got = array.shape().iter().product::<usize>();
        if let Some(dimensions) = self.dimensions
            && got != dimensions
        {
            broken.push(format!("must have exactly {dimensions} dimensions, got {got}"));
        }
    }
}

/// Constraints of a tensor.
pub(super) struct TensorRules {
    shape: Option<Vec<Option<usize>>>,
    pub(super) dtype: Option<Dtype>,
    min: Option<f64>,
    max: Option<f64>,
}

impl TensorRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let rules = Self {
            shape: fields.field("shape", read_shape),
            dtype: fields.field("dtype", read_dtype),
            min: fields.float("min"),
            max: fields.float("max"),
        };
        if let (Some(min), Some(max)) = (rules.min, rules.max)
            && min > max
        {
            fields.problem(format!(
                "`min` {} is above `max` {}",
                float::show(min),
                float::show(max)
            ));
        }
        rules
    }

    pub(super) fn check(&self, array: &Array, broken: &mut Vec<String>) {
        if let Some(shape) = &self.shape {
            let same_rank = shape.len() == array.shape().len();
            let fits = |(axis, got): (&Option<usize>, &usize)| axis.is_none_or(|axis| axis == *got);
            if !same_rank || !shape.iter().zip(array.shape()).all(fits) {
                broken.push(format!(
                    "shape must be {}, got {:?}",
                    show_shape(shape, "any", ", "),
                    array.shape()
                ));
            }
        }
        if let Some(dtype) = self.dtype
            && dtype != array.dtype()
        {
            broken.push(format!(
                "dtype must be `{}`, got `{}`",
                dtype.as_str(),
                array.dtype().as_str()
            ));
        }
        if self.min.is_some() || self.max.is_some() {
            self.check_bounds(array, broken);
        }
    }

    /// Names the first element below, the first above and the first that is no number.
    fn check_bounds(&self, array: &Array, broken: &mut Vec<String>) {
        let (min, max) = (
            self.min.unwrap_or(f64::NEG_INFINITY),
            self.max.unwrap_or(f64::INFINITY),
        );
        // Whole numbers are compared as such: as floats, large ones would pass that are out of bounds.
        let (whole_min, whole_max) = (min.ceil() as i128, max.floor() as i128);
        let (mut below, mut above, mut special) = (None, None, None);
        let mut at = 0usize;
        array.dtype().each(array.payload(), |element| {
            let (low, high) = match element {
                Element::Float(value) => (value < min, value > max),
                Element::Whole(value) => (value < whole_min, value > whole_max),
                Element::Bool(value) => (f64::from(value) < min, f64::from(value) > max),
            };
            if low && below.is_none() {
                below = Some((at, element));
            } else if high && above.is_none() {
                above = Some((at, element));
            } else if let Element::Float(value) = element
                && !value.is_finite()
                && !(low || high)
                && special.is_none()
            {
                special = Some((at, element));
            }
            at += 1;
        });
        let mut report = |found: Option<(usize, Element)>, words: &str| {
            if let Some((at, element)) = found {
                broken.push(format!("item {at}: {} {words}", show(element)));
            }
        };
        report(below, &format!("is below minimum {}", float::show(min)));
        report(above, &format!("is above maximum {}", float::show(max)));
        report(special, "is not allowed where there is a minimum or maximum");
    }
}

fn show(element: Element) -> String {
    match element {
        Element::Float(value) => float::show(value),
        Element::Whole(value) => value.to_string(),
        Element::Bool(value) => value.to_string(),
    }
}

fn read_shape(json: &str) -> Result<(Vec<Option<usize>>, String), String> {
    let axis = |text: &str| {
        if text == "null" {
            Some(None)
        } else {
            read_count(text).map(Some)
        }
    };
    let shape: Option<Vec<Option<usize>>> =
        items(json).and_then(|items| items.into_iter().map(axis).collect());
    let shape = shape.ok_or_else(|| {
        format!(
            "must be a list of whole numbers from 0, or null for any, got {}",
            clip(json)
        )
    })?;
    let canonical = show_shape(&shape, "null", ",");
    Ok((shape, canonical))
}

fn show_shape(shape: &[Option<usize>], any: &str, separator: &str) -> String {
    let axes: Vec<String> = shape
        .iter()
        .map(|axis| axis.map_or(any.to_owned(), |axis| axis.to_string()))
        .collect();
    format!("[{}]", axes.join(separator))
}

fn read_dtype(json: &str) -> Result<(Dtype, String), String> {
    let name =
        super::fields::read_text(json).ok_or_else(|| format!("must be a string, got {}", clip(json)))?;
    let dtype = Dtype::parse(&name)?;
    Ok((dtype, format!("\"{}\"", dtype.as_str())))
}
