//! A value as JSON text, exactly as it travels: no digit of a large integer is lost on the way to the screen.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};
use crate::proto::Any;

/// What stands before a type's name on the wire.
const TYPE_URL: &str = "type.googleapis.com/snakepit.";

/// A value of a variable, a parameter or a result.
#[derive(Debug, Clone)]
pub struct Value {
    type_name: String,
    json: Box<RawValue>,
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
            json: one_line(json)?,
        })
    }

    /// A value of a type from text that is no JSON: a string, choice or module.
    pub fn from_text(type_name: &str, text: &str) -> Result<Self> {
        Self::from_json(type_name, &serde_json::Value::from(text).to_string())
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

    /// Writes it for the wire.
    pub fn encode(&self) -> Any {
        Any {
            type_url: format!("{TYPE_URL}{}", self.type_name),
            value: self.json.get().to_owned().into(),
        }
    }

    /// Its type: float, integer, string and so on.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Its JSON, on one line.
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// For people and for `-o raw`: a string without its quotes, everything else as JSON.
    pub fn text(&self) -> Cow<'_, str> {
        match serde_json::from_str::<String>(self.json()) {
            Ok(text) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(self.json()),
        }
    }

    /// Its JSON as a tree, where numbers are doubles and 64-bit integers.
    pub fn tree(&self) -> serde_json::Value {
        serde_json::from_str(self.json()).unwrap_or_default()
    }

    /// Whether there is none.
    pub fn is_null(&self) -> bool {
        self.json() == "null"
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
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
