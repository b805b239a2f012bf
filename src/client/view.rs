//! Replies as the rest of the program wants them: decoded values, real times, exact versions.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Value;
use crate::error::Result;
use crate::proto::bridge::Variable;
use crate::ui;

/// A variable as it was read.
#[derive(Debug, Clone, Serialize)]
pub struct VariableView {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its value.
    pub value: Value,
    /// Committed writes since it was registered.
    pub version: u64,
    /// The revision that wrote this version.
    pub revision: u64,
    /// Its constraints as a JSON object.
    pub constraints: Box<RawValue>,
    /// Who wrote this version: python, cli, host or what the writer said.
    pub source: String,
    /// When this version was written.
    #[serde(serialize_with = "as_iso")]
    pub updated_at: Option<Timestamp>,
    /// When it was registered.
    #[serde(serialize_with = "as_iso")]
    pub created_at: Option<Timestamp>,
    /// The principal that wrote this version.
    pub changed_by: String,
    /// Its id, unique for ever in the store.
    pub id: String,
    /// What was kept with it.
    pub metadata: std::collections::BTreeMap<String, String>,
}

impl VariableView {
    /// Reads a variable from the wire.
    ///
    /// # Errors
    /// [`BadEncoding`](crate::error::Kind::BadEncoding) when the value is not JSON.
    pub(super) fn read(variable: Variable) -> Result<Self> {
        let source = source(&variable);
        Ok(Self {
            value: Value::decode_with(variable.value.as_ref(), variable.binary_value)?,
            version: exact(variable.version64, variable.version),
            revision: variable.revision,
            constraints: object(&variable.constraints_json),
            source,
            updated_at: time(variable.last_updated_at.as_ref()),
            created_at: time(variable.created_at.as_ref()),
            changed_by: variable.changed_by,
            id: variable.id,
            metadata: variable.metadata.into_iter().collect(),
            name: variable.name,
            type_name: variable.r#type,
        })
    }
}

/// The exact version, where the bridge says it; an old one says only the 32-bit one.
pub(super) fn exact(version64: u64, version: i32) -> u64 {
    version64.max(u64::try_from(version).unwrap_or(0))
}

fn source(variable: &Variable) -> String {
    match variable.metadata.get("source") {
        Some(source) if !source.is_empty() => source.clone(),
        _ if variable.source == crate::proto::bridge::variable::Source::Python as i32 => "python".to_owned(),
        _ => "host".to_owned(),
    }
}

/// A JSON object from the wire; what is no JSON is shown as an empty one.
pub(super) fn object(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned())
        .or_else(|_| RawValue::from_string("{}".to_owned()))
        .unwrap_or_default()
}

/// A time from the wire.
pub fn time(at: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
}

/// ISO-8601, or null.
pub(super) fn as_iso<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(ui::iso).serialize(serializer)
}
