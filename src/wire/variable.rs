//! Variables on the wire.

use super::{
    time::timestamp,
    value::{Encoding, encode},
};
use crate::{
    proto::bridge as pb,
    session::{self, Version},
};

/// A variable as the contract shows it.
pub fn variable(variable: &session::Variable, encoding: Encoding) -> pb::Variable {
    let (value, binary_value) = encode(&variable.value, encoding);
    pb::Variable {
        value: Some(value),
        binary_value,
        ..description(variable)
    }
}

/// A variable without its value.
pub fn description(variable: &session::Variable) -> pb::Variable {
    pb::Variable {
        id: variable.id.as_str().to_owned(),
        name: variable.name.as_str().to_owned(),
        r#type: variable.ty.as_str().to_owned(),
        value: None,
        constraints_json: variable.constraints.json().to_owned(),
        metadata: variable
            .metadata
            .iter()
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect(),
        source: source(variable.source) as i32,
        last_updated_at: Some(timestamp(variable.updated_at)),
        version: version(variable.version),
        access_control_json: String::new(),
        optimization_status: None,
        binary_value: bytes::Bytes::new(),
        version64: variable.version.0,
        revision: variable.revision.0,
        created_at: Some(timestamp(variable.created_at)),
        stale: false,
        stale_reason: String::new(),
        changed_by: variable.changed_by.as_str().to_owned(),
    }
}

/// Whether [`variable`] takes long: a large array has to be printed as JSON.
pub fn is_costly(variable: &session::Variable, encoding: Encoding) -> bool {
    encoding == Encoding::Json
        && variable.ty.has_binary_form()
        && variable.value.payload_len() > session::HEAVY_BYTES
}

/// A version in the contract's int32, which saturates; `version64` beside it is exact.
pub fn version(version: Version) -> i32 {
    i32::try_from(version.0).unwrap_or(i32::MAX)
}

fn source(source: session::Source) -> pb::variable::Source {
    match source {
        session::Source::Host => pb::variable::Source::Elixir,
        session::Source::Python => pb::variable::Source::Python,
    }
}
