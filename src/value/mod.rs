//! Types, constraints, values: pure.
//!
//! A [`Value`] is decoded once at the edge, is canonical from then on, never changes and is cheap to clone. Text from
//! the wire is checked in linear time and bounded depth. This room must never run code that came over the wire, alter
//! a digit of a number, or know of sessions, gRPC, clocks and files.

mod array;
mod binary;
mod constraints;
mod dtype;
mod float;
mod integer;
mod json;
mod nested;
mod npy;
mod quoted;
mod text;
mod tree;
mod types;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use self::array::Array;
pub use self::constraints::Constraints;
use self::float::Special;
use self::json::{Reader, Token};
use self::text::{Words, is_module_path};
use self::tree::Tree;
pub use self::types::Type;
use crate::error::{Error, Kind, Result};

/// A value of one of the ten types: immutable, canonical, cheap to clone.
#[derive(Clone)]
pub struct Value {
    ty: Type,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Float {
        json: Bytes,
        value: f64,
    },
    /// The canonical digits, which are the JSON too.
    Integer(Bytes),
    Boolean(bool),
    Words(Words),
    Array(Arc<Array>),
    Tree(Tree),
}

impl Value {
    /// Reads the JSON text of a bare value. [`Kind::BadEncoding`] where it is not JSON, [`Kind::WrongType`] where it
    /// is something else than `ty`.
    pub fn decode(ty: Type, json: &[u8]) -> Result<Value, Error> {
        let body = match ty {
            Type::Float => Self::decode_float(scalar(json)?),
            Type::Integer => Self::decode_integer(scalar(json)?),
            Type::Boolean => match scalar(json)? {
                Token::Bool(value) => Ok(Body::Boolean(value)),
                other => Err(wrong_type("a boolean (true or false)", &other)),
            },
            Type::String | Type::Choice => match scalar(json)? {
                Token::Text(text) => Ok(Body::Words(Words::new(&text))),
                other => Err(wrong_type("a string", &other)),
            },
            Type::Module => Self::decode_module(scalar(json)?),
            Type::Embedding => nested::read_embedding(json).map(Arc::new).map(Body::Array),
            Type::Tensor => nested::read_tensor(json).map(Arc::new).map(Body::Array),
            Type::Map | Type::List => Tree::read(ty, json).map(Body::Tree),
        }?;
        Ok(Value { ty, body })
    }

    /// Reads the binary form of an embedding or tensor: a JSON header of `shape`, `dtype`, `binary_format` and `type`,
    /// and the elements little-endian in C order (`raw`, kept as these bytes) or a numpy file (`npy`).
    /// [`Kind::BadEncoding`] for any other format, type, and where the payload's length does not fit the shape.
    pub fn decode_binary(ty: Type, header: &[u8], payload: Bytes) -> Result<Value, Error> {
        let array = binary::read(ty, header, payload)?;
        Ok(Value {
            ty,
            body: Body::Array(Arc::new(array)),
        })
    }

    fn decode_float(token: Token<'_>) -> Result<Body> {
        let value = match token {
            Token::Number(text) => float::parse(text).map_err(|why| Error::new(Kind::WrongType, why))?,
            Token::Special(special) => special.value(),
            Token::Text(text) => Special::from_text(&text)
                .ok_or_else(|| wrong_type("a number", &token))?
                .value(),
            _ => return Err(wrong_type("a number", &token)),
        };
        Ok(Self::float_body(value))
    }

    fn float_body(value: f64) -> Body {
        let mut json = String::new();
        float::print(value, &mut json);
        Body::Float {
            json: Bytes::from(json),
            value,
        }
    }

    fn decode_integer(token: Token<'_>) -> Result<Body> {
        let Token::Number(text) = token else {
            return Err(wrong_type("an integer", &token));
        };
        let digits = integer::parse(text).map_err(|why| Error::new(Kind::WrongType, why))?;
        Ok(Body::Integer(Bytes::from(digits)))
    }

    fn decode_module(token: Token<'_>) -> Result<Body> {
        let Token::Text(text) = token else {
            return Err(wrong_type("a module name", &token));
        };
        let words = Words::new(&text);
        if !is_module_path(words.plain()) {
            return Err(Error::new(
                Kind::WrongType,
                format!(
                    "must be a module name (identifiers with dots), got `{}`",
                    quoted::clip(words.plain())
                ),
            ));
        }
        Ok(Body::Words(words))
    }

    /// The type.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// The canonical JSON text; for embeddings and tensors it is made at the first call and kept where
    /// it is small.
    pub fn json(&self) -> Bytes {
        match &self.body {
            Body::Float { json, .. } | Body::Integer(json) => json.clone(),
            Body::Boolean(true) => Bytes::from_static(b"true"),
            Body::Boolean(false) => Bytes::from_static(b"false"),
            Body::Words(words) => words.json().clone(),
            Body::Array(array) => array.json(),
            Body::Tree(tree) => tree.json.clone(),
        }
    }

    /// Header and payload of the binary form (`raw`), for embeddings and tensors.
    pub fn binary(&self) -> Option<(Bytes, Bytes)> {
        match &self.body {
            Body::Array(array) => Some((array.header(), array.payload().clone())),
            _ => None,
        }
    }

    /// A numpy file of an embedding or tensor, in two parts: what stands before the data, and the data. Byte for byte
    /// what `numpy.save` writes.
    pub fn npy(&self) -> Option<(Bytes, Bytes)> {
        match &self.body {
            Body::Array(array) => Some((npy::header(array.dtype(), array.shape()), array.payload().clone())),
            _ => None,
        }
    }

    /// The bytes that the value takes: the raw payload of embeddings and tensors, else its JSON text.
    pub fn payload_len(&self) -> usize {
        match &self.body {
            Body::Array(array) => array.payload().len(),
            _ => self.json().len(),
        }
    }

    /// Whether nothing changes when one value replaces the other: the same type and content, NaN equal to NaN.
    /// Zero and minus zero differ, as their texts do; spacing and the order of keys in maps make no difference.
    pub fn same_as(&self, other: &Value) -> bool {
        self.ty == other.ty
            && match (&self.body, &other.body) {
                (Body::Array(left), Body::Array(right)) => left.same_as(right),
                (Body::Tree(left), Body::Tree(right)) => left.same_as(right),
                _ => self.json() == other.json(),
            }
    }

    /// The type of a value that comes without one, from the first token of its JSON text: what follows is only
    /// checked by [`Value::decode`]. `null` has no type ([`Kind::WrongType`]).
    pub fn infer(json: &[u8]) -> Result<Type, Error> {
        match Reader::new(json)?.token()? {
            Some(Token::Bool(_)) => Ok(Type::Boolean),
            Some(Token::Number(text)) if text.contains(['.', 'e', 'E']) => Ok(Type::Float),
            Some(Token::Number(_)) => Ok(Type::Integer),
            Some(Token::Special(_)) => Ok(Type::Float),
            Some(Token::Text(_)) => Ok(Type::String),
            Some(Token::ArrayStart) => Ok(Type::List),
            Some(Token::ObjectStart) => Ok(Type::Map),
            _ => Err(Error::new(
                Kind::WrongType,
                "the type of `null` cannot be inferred",
            )),
        }
    }

    /// The float of an integer, rounded to the nearest; `None` for other types and where no float is large enough.
    pub fn widen_to_float(&self) -> Option<Value> {
        let Body::Integer(_) = &self.body else { return None };
        let value = self.as_f64().filter(|value| value.is_finite())?;
        Some(Value {
            ty: Type::Float,
            body: Self::float_body(value),
        })
    }

    /// The number of a float or an integer (rounded to the nearest).
    pub fn as_f64(&self) -> Option<f64> {
        match &self.body {
            Body::Float { value, .. } => Some(*value),
            Body::Integer(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// The text of a string, choice or module.
    pub fn as_str(&self) -> Option<&str> {
        match &self.body {
            Body::Words(words) => Some(words.plain()),
            _ => None,
        }
    }

    /// The truth of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.body {
            Body::Boolean(value) => Some(value),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.same_as(other)
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The JSON of an array may be long and would be kept: its header says enough.
        let text = match &self.body {
            Body::Array(array) => array.header(),
            _ => self.json(),
        };
        write!(
            out,
            "{}({})",
            self.ty,
            quoted::clip(&String::from_utf8_lossy(&text))
        )
    }
}

/// The first token; where it is not the start of a list or map, it must be the only one.
fn scalar(json: &[u8]) -> Result<Token<'_>> {
    let mut reader = Reader::new(json)?;
    let token = reader.token()?.unwrap_or(Token::Null);
    if reader.depth() == 0 {
        reader.end()?;
    }
    Ok(token)
}

fn wrong_type(wanted: &str, got: &Token<'_>) -> Error {
    Error::new(
        Kind::WrongType,
        format!("must be {wanted}, got {}", got.describe()),
    )
}
