//! A value as JSON text, exactly as it travels: no digit of a large integer is lost on the way to the screen.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};
use crate::proto::Any;
use crate::value::{Type, Value as Core};

/// What stands before a type's name on the wire.
const TYPE_URL: &str = "type.googleapis.com/snakepit.";

/// What follows a type's name where the value is bytes beside it.
const BINARY: &str = ".binary";

/// A value of a variable, a parameter or a result. Cheap to clone where it is binary.
#[derive(Debug, Clone)]
pub struct Value {
    type_name: String,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Json(Box<RawValue>),
    /// An array as bytes; its JSON is made when somebody asks for it.
    Binary(Arc<Binary>),
}

#[derive(Debug)]
struct Binary {
    value: Core,
    json: OnceLock<Box<RawValue>>,
}

impl Value {
    /// A value of a type from JSON text. The bare words NaN, Infinity and -Infinity are floats and travel in quotes.
    ///
    /// # Errors
    /// [`Kind::BadEncoding`] when the text is not JSON.
    pub fn from_json(type_name: &str, text: &str) -> Result<Self> {
        let text = text.trim();
        let quoted;
        let text = if matches!(text, "NaN" | "Infinity" | "-Infinity") {
            quoted = format!("\"{text}\"");
            &quoted
        } else {
            text
        };
        let json: Box<RawValue> = serde_json::from_str(text).map_err(|cause| {
            Error::new(Kind::BadEncoding, format!("`{}` is not JSON", clipped(text)))
                .detail(cause.to_string())
        })?;
        Ok(Self {
            type_name: type_name.to_owned(),
            body: Body::Json(one_line(json)?),
        })
    }

    /// A value of a type from text that is no JSON: a string, choice or module.
    pub fn from_text(type_name: &str, text: &str) -> Result<Self> {
        Self::from_json(type_name, &serde_json::Value::from(text).to_string())
    }

    /// A tensor or embedding from a numpy file. The file's bytes are kept, not copied.
    ///
    /// # Errors
    /// [`Kind::BadEncoding`] for a file that is none, that holds objects, or of which `type_name` cannot be.
    pub fn from_npy(type_name: &str, file: Bytes) -> Result<Self> {
        let header = format!(r#"{{"binary_format":"npy","type":"{type_name}"}}"#);
        Self::from_binary(type_name, header.as_bytes(), file)
    }

    fn from_binary(type_name: &str, header: &[u8], payload: Bytes) -> Result<Self> {
        let ty = array_type(type_name).ok_or_else(|| {
            Error::new(
                Kind::WrongType,
                format!("a value of type {type_name} is no array"),
            )
        })?;
        let value = Core::decode_binary(ty, header, payload)?;
        Ok(Self {
            type_name: type_name.to_owned(),
            body: Body::Binary(Arc::new(Binary {
                value,
                json: OnceLock::new(),
            })),
        })
    }

    /// Reads a value from the wire; none is null.
    ///
    /// # Errors
    /// [`Kind::BadEncoding`] when its bytes are not JSON.
    pub fn decode(any: Option<&Any>) -> Result<Self> {
        let Some(any) = any else {
            return Self::from_json("", "null");
        };
        let text = std::str::from_utf8(&any.value)
            .map_err(|_| Error::new(Kind::BadEncoding, "a value is not UTF-8"))?;
        let text = if text.is_empty() { "null" } else { text };
        Self::from_json(type_name(&any.type_url), text)
    }

    /// Reads a value whose payload may stand beside it.
    ///
    /// # Errors
    /// [`Kind::BadEncoding`] when header and payload do not fit.
    pub(super) fn decode_with(any: Option<&Any>, payload: Bytes) -> Result<Self> {
        match any.and_then(|any| Some((any.type_url.strip_suffix(BINARY)?, &any.value))) {
            Some((url, header)) => Self::from_binary(type_name(url), header, payload),
            None => Self::decode(any),
        }
    }

    /// Writes it for the wire, as JSON.
    pub fn encode(&self) -> Any {
        Any {
            type_url: format!("{TYPE_URL}{}", self.type_name),
            value: self.json().to_owned().into(),
        }
    }

    /// Writes it for the wire: the value, and the payload beside it where it is binary.
    pub(super) fn encode_with(&self) -> (Any, Bytes) {
        let Body::Binary(binary) = &self.body else {
            return (self.encode(), Bytes::new());
        };
        let (header, payload) = binary.value.binary().unwrap_or_default();
        let any = Any {
            type_url: format!("{TYPE_URL}{}{BINARY}", self.type_name),
            value: header,
        };
        (any, payload)
    }

    /// Its type: float, integer, string and so on.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Its JSON, on one line.
    pub fn json(&self) -> &str {
        match &self.body {
            Body::Json(json) => json.get(),
            Body::Binary(binary) => binary
                .json
                .get_or_init(|| {
                    let text = String::from_utf8_lossy(&binary.value.json()).into_owned();
                    RawValue::from_string(text).unwrap_or_default()
                })
                .get(),
        }
    }

    /// For people and for `-o raw`: a string without its quotes, everything else as JSON.
    pub fn text(&self) -> Cow<'_, str> {
        match serde_json::from_str::<String>(self.json()) {
            Ok(text) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(self.json()),
        }
    }

    /// As [`Value::text`], but a large array is only named: `tensor float32 [2048, 6144]`.
    pub fn brief(&self) -> Cow<'_, str> {
        let Body::Binary(binary) = &self.body else {
            return self.text();
        };
        let header = binary
            .value
            .binary()
            .map(|(header, _)| header)
            .unwrap_or_default();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap_or_default();
        let dtype = header["dtype"].as_str().unwrap_or_default();
        Cow::Owned(format!("{} {dtype} {}", self.type_name, header["shape"]))
    }

    /// A tensor or embedding as its numpy file, in two parts; none for other types.
    pub fn npy(&self) -> Option<(Bytes, Bytes)> {
        self.array()?.npy()
    }

    /// The bytes of a tensor's or embedding's elements, little-endian in C order; none for other types.
    pub fn elements(&self) -> Option<Bytes> {
        self.array()?.binary().map(|(_, payload)| payload)
    }

    fn array(&self) -> Option<Core> {
        match &self.body {
            Body::Binary(binary) => Some(binary.value.clone()),
            Body::Json(json) => Core::decode(array_type(&self.type_name)?, json.get().as_bytes()).ok(),
        }
    }

    /// Its JSON as a tree, where numbers are doubles and 64-bit integers.
    pub fn tree(&self) -> serde_json::Value {
        serde_json::from_str(self.json()).unwrap_or_default()
    }

    /// Whether there is none.
    pub fn is_null(&self) -> bool {
        matches!(&self.body, Body::Json(json) if json.get() == "null")
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.body {
            Body::Json(json) => json.serialize(serializer),
            Body::Binary(_) => RawValue::from_string(self.json().to_owned())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
        }
    }
}

/// The type of a name, where its values are arrays.
fn array_type(name: &str) -> Option<Type> {
    Type::parse(name).filter(|ty| ty.has_binary_form())
}

/// The last part of a type's url: `type.googleapis.com/snakepit.float` -> `float`.
fn type_name(url: &str) -> &str {
    let name = url.rsplit(['/', '.']).next().unwrap_or_default();
    if name == "StringValue" { "" } else { name }
}

/// JSON lines must not break: white space between tokens goes where there are line ends in it.
fn one_line(json: Box<RawValue>) -> Result<Box<RawValue>> {
    if !json.get().contains(['\n', '\r']) {
        return Ok(json);
    }
    // A line end inside a string is always escaped in JSON, so each one here is white space.
    let text = json.get().replace(['\n', '\r'], " ");
    RawValue::from_string(text).map_err(|cause| Error::new(Kind::BadEncoding, cause.to_string()))
}

fn clipped(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_is_lost() {
        let digits = "123456789012345678901234567890";
        let value = Value::from_json("integer", digits).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), digits);
        assert_eq!(Value::decode(Some(&value.encode())).unwrap().json(), digits);
    }

    #[test]
    fn special_floats_travel_in_quotes_and_show_bare() {
        let value = Value::from_json("float", "-Infinity").unwrap();
        assert_eq!(value.json(), "\"-Infinity\"");
        assert_eq!(value.text(), "-Infinity");
        let bare = Any {
            type_url: "x/snakepit.float".into(),
            value: "NaN".into(),
        };
        assert_eq!(Value::decode(Some(&bare)).unwrap().text(), "NaN");
    }

    #[test]
    fn json_stays_on_one_line() {
        let value = Value::from_json("map", "{\n \"a\": \"x\\ny\"\n}").unwrap();
        assert!(!value.json().contains('\n'));
        assert_eq!(value.tree()["a"], "x\ny");
    }

    #[test]
    fn old_type_urls_are_read() {
        assert_eq!(type_name("type.googleapis.com/google.protobuf.StringValue"), "");
        assert_eq!(type_name("type.googleapis.com/snakepit.float"), "float");
        assert_eq!(type_name("dspex.variables/float"), "float");
    }
}
