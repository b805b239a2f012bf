//! A session as JSON lines: one header, then one line a variable, by name.
//!
//! The header says the format's version and how many lines follow, so that a file that was cut off is recognised. A
//! binary value is its JSON header with its payload in base64. What is read is only taken apart here; whether it is
//! valid is judged by the core like anything else that comes from outside.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue as RawJson;

use super::value::BINARY_THRESHOLD;
use crate::{
    error::{Error, Kind, Result},
    session::{
        Epoch, Metadata, Origin, Principal, RawValue, Revision, Seed, Source, Variable, Version, WallTime,
    },
    value::Type,
};

/// What the first line says that the file is.
const FORMAT: &str = "snakepit-session";

/// The version of the format that is written, and the newest that is read.
const FORMAT_VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone)]
pub struct Header {
    /// The session, its incarnation and its revision.
    pub origin: Origin,
    /// What was said about it.
    pub metadata: Metadata,
    /// Its time to live in seconds, -1 = never.
    pub ttl_seconds: i64,
    /// Versions kept of each variable.
    pub history_limit: u32,
    /// Lines that follow.
    pub variables: usize,
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    format: String,
    version: u32,
    session: String,
    epoch: String,
    revision: u64,
    #[serde(default)]
    exported_at: String,
    ttl_seconds: i64,
    history_limit: u32,
    #[serde(default)]
    metadata: Metadata,
    variables: usize,
}

#[derive(Serialize, Deserialize)]
struct VariableLine {
    #[serde(default)]
    id: String,
    name: String,
    r#type: String,
    #[serde(default)]
    inferred: bool,
    /// The value, or the header of a binary one.
    value: Box<RawJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    constraints: Box<RawJson>,
    #[serde(default)]
    metadata: Metadata,
    source: String,
    version: u64,
    created_at: String,
    updated_at: String,
    #[serde(default)]
    changed_by: String,
}

/// The first line, with its end.
pub fn write_header(header: &Header, now: WallTime) -> Result<Bytes> {
    line(&HeaderLine {
        format: FORMAT.to_owned(),
        version: FORMAT_VERSION,
        session: header.origin.session.clone(),
        epoch: header.origin.epoch.to_string(),
        revision: header.origin.revision.0,
        exported_at: iso(now),
        ttl_seconds: header.ttl_seconds,
        history_limit: header.history_limit,
        metadata: header.metadata.clone(),
        variables: header.variables,
    })
}

/// Reads the first line.
///
/// # Errors
/// [`Kind::BadExport`] where it is none, or of a format that is not read.
pub fn read_header(text: &[u8]) -> Result<Header> {
    let line: HeaderLine = serde_json::from_slice(text)
        .map_err(|cause| bad(1, format!("the first line is no header: {cause}")))?;
    if line.format != FORMAT {
        return Err(bad(
            1,
            format!("its format is `{}`, not `{FORMAT}`", line.format.escape_debug()),
        ));
    }
    if line.version == 0 || line.version > FORMAT_VERSION {
        return Err(bad(
            1,
            format!(
                "its format has version {}, the newest read is {FORMAT_VERSION}",
                line.version
            ),
        ));
    }
    let epoch =
        u64::from_str_radix(&line.epoch, 16).map_err(|_| bad(1, "its epoch is no hexadecimal number"))?;
    Ok(Header {
        origin: Origin {
            session: line.session,
            epoch: Epoch(epoch),
            revision: Revision(line.revision),
        },
        metadata: line.metadata,
        ttl_seconds: line.ttl_seconds,
        history_limit: line.history_limit,
        variables: line.variables,
    })
}

/// The line of a variable, with its end. Takes as long as the value is large.
pub fn write_variable(variable: &Variable) -> Result<Bytes> {
    let binary = (variable.value.payload_len() > BINARY_THRESHOLD)
        .then(|| variable.value.binary())
        .flatten();
    let (value, payload) = match binary {
        Some((header, payload)) => (header, Some(BASE64.encode(&payload))),
        None => (variable.value.json(), None),
    };
    line(&VariableLine {
        id: variable.id.as_str().to_owned(),
        name: variable.name.as_str().to_owned(),
        r#type: variable.ty.as_str().to_owned(),
        inferred: variable.inferred,
        value: json(&value)?,
        payload,
        constraints: json(variable.constraints.json().as_bytes())?,
        metadata: Metadata::clone(&variable.metadata),
        source: match variable.source {
            Source::Host => "host".to_owned(),
            Source::Python => "python".to_owned(),
        },
        version: variable.version.0,
        created_at: iso(variable.created_at),
        updated_at: iso(variable.updated_at),
        changed_by: variable.changed_by.as_str().to_owned(),
    })
}

/// Reads the line of a variable; `number` is that of the line, for errors.
///
/// # Errors
/// [`Kind::BadExport`] where it is none.
pub fn read_variable(text: &[u8], number: usize) -> Result<Seed> {
    let line: VariableLine =
        serde_json::from_slice(text).map_err(|cause| bad(number, format!("it is no variable: {cause}")))?;
    let ty = Type::parse(&line.r#type)
        .ok_or_else(|| bad(number, format!("unknown type `{}`", line.r#type.escape_debug())))?;
    let value = Bytes::copy_from_slice(line.value.get().as_bytes());
    let value = match line.payload {
        Some(text) => {
            let payload = BASE64
                .decode(text)
                .map_err(|cause| bad(number, format!("its payload is no base64: {cause}")))?;
            RawValue::binary(value, payload.into())
        }
        None => RawValue::json(value),
    };
    Ok(Seed {
        ty,
        inferred: line.inferred,
        value,
        constraints: line.constraints.get().to_owned(),
        metadata: line.metadata,
        source: if line.source == "python" {
            Source::Python
        } else {
            Source::Host
        },
        version: Version(line.version),
        created_at: time(&line.created_at, number)?,
        updated_at: time(&line.updated_at, number)?,
        changed_by: Principal::new(&line.changed_by),
        name: line.name,
    })
}

/// The error of a line.
pub fn bad(number: usize, why: impl Into<String>) -> Error {
    Error::new(Kind::BadExport, "not an exported session").detail(format!("line {number}: {}", why.into()))
}

fn line(line: &impl Serialize) -> Result<Bytes> {
    let mut text = serde_json::to_vec(line).map_err(unwritable)?;
    text.push(b'\n');
    Ok(text.into())
}

fn json(text: &[u8]) -> Result<Box<RawJson>> {
    serde_json::from_slice(text).map_err(unwritable)
}

fn unwritable(cause: serde_json::Error) -> Error {
    Error::new(
        Kind::Internal,
        format!("a variable could not be written as JSON: {cause}"),
    )
}

/// ISO-8601 in UTC with nanoseconds.
fn iso(time: WallTime) -> String {
    Timestamp::from_nanosecond(i128::from(time.0)).map_or_else(|_| String::new(), |time| time.to_string())
}

fn time(text: &str, number: usize) -> Result<WallTime> {
    let time: Timestamp = text
        .parse()
        .map_err(|_| bad(number, format!("`{}` is no time", text.escape_debug())))?;
    Ok(WallTime(i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)))
}
