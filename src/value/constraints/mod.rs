//! What a variable demands of its values: parsed and compiled once, checked whole at every write.
//!
//! Every broken constraint is reported, not the first. This must never let a value through that breaks one, and never
//! change a value except where `normalize` asks for it.

mod array;
mod container;
mod fields;
mod number;
mod words;

use std::fmt;
use std::sync::Arc;

use self::array::{EmbeddingRules, TensorRules};
use self::container::ContainerRules;
use self::fields::Fields;
use self::number::{FloatRange, IntegerRange};
use self::words::{ChoiceRules, ModuleRules, StringRules};
use super::array::Array;
use super::{Body, Type, Value};
use crate::error::{Error, Kind, Result};

/// The constraints of a variable: immutable, cheap to clone, equal where their canonical texts are.
#[derive(Clone)]
pub struct Constraints(Arc<Inner>);

struct Inner {
    ty: Type,
    json: String,
    rules: Rules,
}

enum Rules {
    None,
    Float(FloatRange),
    Integer(IntegerRange),
    String(StringRules),
    Choice(ChoiceRules),
    Module(ModuleRules),
    Embedding(EmbeddingRules),
    Tensor(TensorRules),
    Container(ContainerRules),
}

impl Constraints {
    /// Reads the JSON object of constraints of a type; an empty text and `{}` are none. [`Kind::BadConstraint`] with
    /// every problem as a detail: unknown field, wrong form, a pattern that cannot compile, what no value can meet.
    pub fn parse(ty: Type, json: &str) -> Result<Constraints, Error> {
        let mut fields = Fields::read(ty, json)?;
        let rules = match ty {
            Type::Float => Rules::Float(FloatRange::read(&mut fields)),
            Type::Integer => Rules::Integer(IntegerRange::read(&mut fields)),
            Type::String => Rules::String(StringRules::read(&mut fields)),
            Type::Choice => Rules::Choice(ChoiceRules::read(&mut fields)),
            Type::Module => Rules::Module(ModuleRules::read(&mut fields)),
            Type::Embedding => Rules::Embedding(EmbeddingRules::read(&mut fields)),
            Type::Tensor => Rules::Tensor(TensorRules::read(&mut fields)),
            Type::Map | Type::List => Rules::Container(ContainerRules::read(&mut fields)),
            Type::Boolean => Rules::None,
        };
        let json = fields.finish()?;
        Ok(Self(Arc::new(Inner { ty, json, rules })))
    }

    /// No constraints beyond the type's own.
    pub fn none(ty: Type) -> Constraints {
        Self(Arc::new(Inner {
            ty,
            json: "{}".to_owned(),
            rules: Rules::None,
        }))
    }

    /// The type whose values they constrain.
    pub fn ty(&self) -> Type {
        self.0.ty
    }

    /// The canonical JSON object: compact, fields in a fixed order, `{}` where there are none.
    pub fn json(&self) -> &str {
        &self.0.json
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.0.json == "{}"
    }

    /// Checks a value against all constraints and gives the value to store. [`Kind::ConstraintViolated`] with every
    /// broken constraint as a detail; [`Kind::WrongType`] where the value is of another type.
    pub fn apply(&self, value: Value) -> Result<Value, Error> {
        if value.ty() != self.0.ty {
            return Err(Error::new(
                Kind::WrongType,
                format!("must be of type `{}`, got `{}`", self.0.ty, value.ty()),
            ));
        }
        let mut broken = Vec::new();
        let value = self.adopt_dtype(value, &mut broken);
        self.check(&value, &mut broken);
        let value = self.normalize(value, &mut broken);
        if broken.is_empty() {
            return Ok(value);
        }
        let error = Error::new(Kind::ConstraintViolated, "value breaks its constraints");
        Err(broken.into_iter().fold(error, Error::detail))
    }

    /// A tensor that came without a dtype takes the one that is asked for.
    fn adopt_dtype(&self, value: Value, broken: &mut Vec<String>) -> Value {
        let (
            Rules::Tensor(TensorRules {
                dtype: Some(dtype), ..
            }),
            Body::Array(array),
        ) = (&self.0.rules, &value.body)
        else {
            return value;
        };
        replaced(array.adopt(*dtype), value, broken)
    }

    fn normalize(&self, value: Value, broken: &mut Vec<String>) -> Value {
        let (Rules::Embedding(EmbeddingRules { normalize: true, .. }), Body::Array(array)) =
            (&self.0.rules, &value.body)
        else {
            return value;
        };
        replaced(array.normalized(), value, broken)
    }

    fn check(&self, value: &Value, broken: &mut Vec<String>) {
        let text = value.as_str().unwrap_or_default();
        match (&self.0.rules, &value.body) {
            (Rules::Float(range), Body::Float { value, .. }) => range.check(*value, broken),
            (Rules::Integer(range), Body::Integer(digits)) => {
                range.check(std::str::from_utf8(digits).unwrap_or_default(), broken);
            }
            (Rules::String(rules), _) => rules.check(text, broken),
            (Rules::Choice(rules), _) => rules.check(text, broken),
            (Rules::Module(rules), _) => rules.check(text, broken),
            (Rules::Embedding(rules), Body::Array(array)) => rules.check(array, broken),
            (Rules::Tensor(rules), Body::Array(array)) => rules.check(array, broken),
            (Rules::Container(rules), Body::Tree(tree)) => rules.check(tree, broken),
            _ => {}
        }
    }
}

/// The value, with another array in it where there is one.
fn replaced(array: Result<Option<Array>, String>, value: Value, broken: &mut Vec<String>) -> Value {
    match array {
        Ok(Some(array)) => Value {
            ty: value.ty,
            body: Body::Array(Arc::new(array)),
        },
        Ok(None) => value,
        Err(why) => {
            broken.push(why);
            value
        }
    }
}

impl PartialEq for Constraints {
    fn eq(&self, other: &Self) -> bool {
        self.0.ty == other.0.ty && self.0.json == other.0.json
    }
}

impl Eq for Constraints {}

impl fmt::Debug for Constraints {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.0.ty, self.0.json)
    }
}
