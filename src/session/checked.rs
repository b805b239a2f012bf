//! Values as they came, and values that were judged ahead of their turn.
//!
//! Judging a large value takes milliseconds, and `decide` runs under a lock. So it can be done before: the outcome is
//! kept with the rules it was judged by, and `decide` takes it only where those are still in force. Nothing here
//! changes what is valid.

use std::sync::Arc;

use bytes::Bytes;

use super::{Command, IfExists, MAX_VALUE_BYTES, Set, State, Variable};
use crate::{
    error::{Error, Kind, Result},
    value::{Constraints, Type, Value},
};

/// Bytes above which a value is judged ahead.
pub const HEAVY_BYTES: usize = 64 * 1024;

/// A value as it came over the wire: nothing is known of it until it is judged.
#[derive(Debug, Clone)]
pub struct RawValue {
    /// JSON text; the header when there is a payload.
    pub json: Bytes,
    /// The raw payload of a binary tensor or embedding.
    pub payload: Option<Bytes>,
    judged: Option<Judged>,
}

/// What came out, and by which rules.
#[derive(Debug, Clone)]
struct Judged {
    by: Constraints,
    outcome: Result<Value>,
}

/// What a command's values have to be judged by, read off a state.
#[derive(Debug)]
pub enum Ahead {
    /// The rules of each value, in the command's order; `None` = nothing can be said yet.
    Values(Vec<Option<Constraints>>),
    /// The value that is there, by new rules.
    Present(Arc<Variable>),
}

impl RawValue {
    /// A value in JSON.
    pub fn json(json: Bytes) -> Self {
        Self {
            json,
            payload: None,
            judged: None,
        }
    }

    /// A value in binary form: its JSON header and its payload.
    pub fn binary(header: Bytes, payload: Bytes) -> Self {
        Self {
            json: header,
            payload: Some(payload),
            judged: None,
        }
    }

    /// The bytes that have to be read to judge it.
    pub fn len(&self) -> usize {
        self.json.len() + self.payload.as_ref().map_or(0, Bytes::len)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads it as a value of a type.
    pub(super) fn decode(&self, ty: Type) -> Result<Value> {
        match &self.payload {
            Some(payload) => Value::decode_binary(ty, &self.json, payload.clone()),
            None => Value::decode(ty, &self.json),
        }
    }

    /// The value to store under these rules, or why there is none.
    pub(super) fn judge(&self, by: &Constraints) -> Result<Value> {
        match &self.judged {
            Some(judged) if judged.by == *by => judged.outcome.clone(),
            _ if self.len() > MAX_VALUE_BYTES => Err(Error::new(
                Kind::LimitExceeded,
                format!("a value has at most {MAX_VALUE_BYTES} bytes"),
            )
            .detail(format!("this one has {}", self.len()))),
            _ => by.apply(self.decode(by.ty())?),
        }
    }

    fn judge_ahead(&mut self, by: Constraints) {
        let outcome = self.judge(&by);
        self.judged = Some(Judged { by, outcome });
    }
}

impl Command {
    /// What to judge ahead of `decide`; `None` where everything is small.
    pub fn ahead(&self, state: &State) -> Option<Ahead> {
        let heavy = |value: &RawValue| value.len() > HEAVY_BYTES;
        let rules = |set: &Set| state.find(&set.target).map(|found| found.constraints.clone());
        match self {
            Self::Set(set) if heavy(&set.value) => Some(Ahead::Values(vec![rules(set)])),
            Self::SetAll(sets) if sets.iter().any(|set| heavy(&set.value)) => {
                Some(Ahead::Values(sets.iter().map(rules).collect()))
            }
            Self::Declare(declare) if heavy(&declare.value) && declare.if_exists != IfExists::Update => {
                let ty = declare.ty.or_else(|| Value::infer(&declare.value.json).ok())?;
                let rules = Constraints::parse(ty, &declare.constraints).ok();
                Some(Ahead::Values(vec![rules]))
            }
            Self::Constrain(constrain) => {
                let found = state.find(&constrain.target)?;
                let heavy = found.value.payload_len() > HEAVY_BYTES;
                heavy.then(|| Ahead::Present(Arc::clone(found)))
            }
            _ => None,
        }
    }

    /// Judges ahead. Takes as long as the values are large: never to be run where others wait.
    pub fn judge_ahead(&mut self, ahead: Ahead) {
        match (self, ahead) {
            (Self::Constrain(constrain), Ahead::Present(found)) => {
                let outcome = constrain.judge(&found);
                constrain.judged = Some((found, outcome));
            }
            (command, Ahead::Values(rules)) => {
                for (value, by) in command.values().into_iter().zip(rules) {
                    if let Some(by) = by {
                        value.judge_ahead(by);
                    }
                }
            }
            (_, Ahead::Present(_)) => {}
        }
    }

    fn values(&mut self) -> Vec<&mut RawValue> {
        match self {
            Self::Declare(declare) => vec![&mut declare.value],
            Self::Set(set) => vec![&mut set.value],
            Self::SetAll(sets) => sets.iter_mut().map(|set| &mut set.value).collect(),
            _ => Vec::new(),
        }
    }
}
