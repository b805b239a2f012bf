//! Types, constraints, values: pure.
//!
//! A [`Value`] is decoded once at the edge, is canonical from then on, never changes and is cheap to clone. Text from
//! the wire is checked in linear time and bounded depth. This room must never run code that came over the wire, alter
//! a digit of a number, or know of sessions, gRPC, clocks and files.

mod constraints;
mod float;
mod integer;
mod json;
mod text;
mod types;

#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Bytes;

pub use self::constraints::Constraints;
use self::float::Special;
use self::json::{Reader, Token};
use self::text::{Words, is_module_path};
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
            _ => Err(Error::new(Kind::UnknownType, format!("`{ty}` is not served yet"))),
        }?;
        Ok(Value { ty, body })
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
                    json::clip(words.plain())
                ),
            ));
        }
        Ok(Body::Words(words))
    }

    /// The type.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// The canonical JSON text.
    pub fn json(&self) -> Bytes {
        match &self.body {
            Body::Float { json, .. } | Body::Integer(json) => json.clone(),
            Body::Boolean(true) => Bytes::from_static(b"true"),
            Body::Boolean(false) => Bytes::from_static(b"false"),
            Body::Words(words) => words.json().clone(),
        }
    }

    /// The bytes that the value takes: the raw payload of embeddings and tensors, else its JSON text.
    pub fn payload_len(&self) -> usize {
        self.json().len()
    }

    /// Whether nothing changes when one value replaces the other: the same type and content, NaN equal to NaN.
    /// Zero and minus zero differ, as their texts do.
    pub fn same_as(&self, other: &Value) -> bool {
        self.ty == other.ty && self.json() == other.json()
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
        write!(
            out,
            "{}({})",
            self.ty,
            json::clip(&String::from_utf8_lossy(&self.json()))
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
