//! The ten types and their names on the wire. It must never know what a value of a type looks like.

use std::fmt;

use crate::error::{Error, Kind};

/// The type of a variable or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// A 64-bit float, NaN and the infinities included.
    Float,
    /// A whole number of any size.
    Integer,
    /// UTF-8 text.
    String,
    /// `true` or `false`.
    Boolean,
    /// One string of a set.
    Choice,
    /// A dotted identifier path that names code.
    Module,
    /// A vector of finite floats.
    Embedding,
    /// A shaped block of numbers of one dtype.
    Tensor,
    /// A JSON object.
    Map,
    /// A JSON array.
    List,
}

impl Type {
    /// Every type, in the order in which they are documented.
    pub const ALL: &'static [Type] = &[
        Type::Float,
        Type::Integer,
        Type::String,
        Type::Boolean,
        Type::Choice,
        Type::Module,
        Type::Embedding,
        Type::Tensor,
        Type::Map,
        Type::List,
    ];

    /// The name on the wire, lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
            Self::Module => "module",
            Self::Embedding => "embedding",
            Self::Tensor => "tensor",
            Self::Map => "map",
            Self::List => "list",
        }
    }

    /// Reads [`Type::as_str`] back; `None` for any other text, another case included.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ty| ty.as_str() == text)
    }

    /// As [`Type::parse`], with the error that names what was given ([`Kind::UnknownType`]).
    pub fn from_name(text: &str) -> Result<Self, Error> {
        Self::parse(text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|ty| ty.as_str()).collect();
            Error::new(
                Kind::UnknownType,
                format!("unknown type `{}`", super::quoted::clip(text)),
            )
            .hint(format!("the types are: {}", names.join(", ")))
        })
    }

    /// Whether values of the type have a binary form.
    pub fn has_binary_form(self) -> bool {
        matches!(self, Self::Embedding | Self::Tensor)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}
