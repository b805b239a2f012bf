//! How a value is typed: JSON, a bare word where a string is wanted, `@file` (also a numpy one), `-` for stdin.

use std::io::{IsTerminal as _, Read as _};

use bytes::Bytes;

use crate::cli::unshield;
use crate::client::Value;
use crate::error::{Error, Kind, Result};

/// The largest file or stdin that is read as one value: what a message can carry.
const INPUT_LIMIT: u64 = 64 * 1024 * 1024;

/// A word of the command line, or what it points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// As it was typed.
    Word(String),
    /// The contents of a file or of stdin, and its name.
    Contents(Bytes, String),
}

impl Literal {
    /// Reads `@file` and `-` (stdin); `@@x` is the word `@x`.
    ///
    /// # Errors
    /// [`Kind::Io`] when the file cannot be read, [`Kind::LimitExceeded`] when it is larger than a message,
    /// [`Kind::Usage`] for `-` where nothing is piped in.
    pub(super) fn read(word: &str) -> Result<Self> {
        let word = unshield(word);
        if word == "-" {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                return Err(Error::new(
                    Kind::Usage,
                    "`-` reads the value from a pipe, and stdin is a terminal",
                )
                .hint("pipe something in, or name a file with `@FILE`"));
            }
            return Ok(Self::Contents(
                bounded(stdin.lock(), "stdin")?,
                "stdin".to_owned(),
            ));
        }
        if let Some(word) = word.strip_prefix("@@") {
            return Ok(Self::Word(format!("@{word}")));
        }
        match word.strip_prefix('@') {
            Some(path) => {
                let file = std::fs::File::open(path)
                    .map_err(|cause| Error::io(format_args!("`{path}` could not be read"), &cause))?;
                Ok(Self::Contents(bounded(file, path)?, path.to_owned()))
            }
            None => Ok(Self::Word(word.to_owned())),
        }
    }

    /// As a value of a named type. `of` says of what, for the error.
    ///
    /// # Errors
    /// [`Kind::WrongType`] for a bare word where no string is wanted.
    pub(super) fn value(&self, type_name: &str, of: &str) -> Result<Value> {
        match self {
            Self::Word(word) if is_text(type_name) => from_word(type_name, word),
            Self::Word(word) => Value::from_json(type_name, word).map_err(|_| not_json(word, type_name, of)),
            Self::Contents(bytes, from) if is_npy(bytes) => {
                if !matches!(type_name, "tensor" | "embedding") {
                    return Err(Error::new(Kind::WrongType, format!("wrong type for {of}"))
                        .detail(format!("{from} is a numpy file, and {of} is of type {type_name}")));
                }
                Value::from_npy(type_name, bytes.clone())
                    .map_err(|error| error.detail(format!("read from {from}")))
            }
            Self::Contents(bytes, from) if is_text(type_name) => {
                Value::from_text(type_name, text(bytes, from)?)
            }
            Self::Contents(bytes, from) => Value::from_json(type_name, text(bytes, from)?)
                .map_err(|error| error.detail(format!("read from {from}"))),
        }
    }

    /// As a value whose type nobody named.
    ///
    /// # Errors
    /// [`Kind::BadEncoding`] for a file that is not UTF-8.
    pub(super) fn inferred(&self) -> Result<Value> {
        let word = match self {
            Self::Word(word) => word,
            Self::Contents(bytes, from) if is_npy(bytes) => {
                return Value::from_npy("tensor", bytes.clone())
                    .map_err(|error| error.detail(format!("read from {from}")));
            }
            Self::Contents(bytes, from) => text(bytes, from)?,
        };
        match inferred_type(word) {
            Some(type_name) => Value::from_json(type_name, word),
            None => Value::from_text("string", word),
        }
    }

    /// As bytes: a word's own, a file's contents.
    pub(super) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Word(word) => word.into_bytes(),
            Self::Contents(bytes, _) => bytes.into(),
        }
    }
}

/// Whether a file is a numpy one, by how it begins.
fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x93NUMPY")
}

/// The types whose values are strings.
pub(super) fn is_text(type_name: &str) -> bool {
    matches!(type_name, "string" | "choice" | "module")
}

/// In quotes it is a JSON string; anything else is the string itself, also `5` and `true`.
fn from_word(type_name: &str, word: &str) -> Result<Value> {
    if word.starts_with('"') && serde_json::from_str::<String>(word).is_ok() {
        return Value::from_json(type_name, word);
    }
    Value::from_text(type_name, word)
}

/// The type of a JSON text; none when it is no JSON, or null.
fn inferred_type(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        return Some("float");
    }
    match serde_json::from_str::<serde_json::Value>(text).ok()? {
        serde_json::Value::Bool(_) => Some("boolean"),
        serde_json::Value::Number(_) if text.contains(['.', 'e', 'E']) => Some("float"),
        serde_json::Value::Number(_) => Some("integer"),
        serde_json::Value::String(_) => Some("string"),
        serde_json::Value::Array(_) => Some("list"),
        serde_json::Value::Object(_) => Some("map"),
        serde_json::Value::Null => None,
    }
}

fn not_json(word: &str, type_name: &str, of: &str) -> Error {
    Error::new(Kind::WrongType, format!("wrong type for {of}"))
        .detail(format!("`{word}` is not JSON, and {of} is of type {type_name}"))
        .hint(match type_name {
            "float" | "integer" => "write a number, like 3 or 0.5",
            "boolean" => "write true or false",
            _ => "write JSON in single quotes, or read it from a file with `@FILE`",
        })
}

fn text<'a>(bytes: &'a [u8], from: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| Error::new(Kind::BadEncoding, format!("{from} is not UTF-8 text")))
}

fn bounded(input: impl std::io::Read, from: &str) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let read = input.take(INPUT_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|cause| Error::io(format_args!("`{from}` could not be read"), &cause))?;
    if bytes.len() as u64 > INPUT_LIMIT {
        return Err(Error::new(
            Kind::LimitExceeded,
            format!("`{from}` is larger than {INPUT_LIMIT} bytes"),
        ));
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Literal {
        Literal::read(text).unwrap()
    }

    #[test]
    fn a_bare_word_is_a_string_only_where_one_is_wanted() {
        assert_eq!(word("hello").value("string", "x").unwrap().json(), "\"hello\"");
        assert_eq!(
            word("\"hello\"").value("string", "x").unwrap().json(),
            "\"hello\""
        );
        assert_eq!(word("5").value("choice", "x").unwrap().json(), "\"5\"");
        let error = word("hello").value("float", "`x`").unwrap_err();
        assert_eq!(error.kind(), Kind::WrongType);
        assert_eq!(error.details(), ["`hello` is not JSON, and `x` is of type float"]);
    }

    #[test]
    fn negative_and_special_numbers_are_values() {
        for (typed, json) in [
            (" -1", "-1"),
            (" -1e-3", "-1e-3"),
            (" -Infinity", "\"-Infinity\""),
            ("NaN", "\"NaN\""),
        ] {
            assert_eq!(word(typed).value("float", "x").unwrap().json(), json);
        }
    }

    #[test]
    fn types_are_inferred_as_json_says_them() {
        for (typed, type_name) in [
            ("3", "integer"),
            ("123456789012345678901234567890", "integer"),
            ("0.5", "float"),
            ("1e-3", "float"),
            ("Infinity", "float"),
            ("true", "boolean"),
            ("\"s\"", "string"),
            ("bare", "string"),
            ("[1]", "list"),
            ("{}", "map"),
        ] {
            assert_eq!(word(typed).inferred().unwrap().type_name(), type_name, "{typed}");
        }
        assert_eq!(
            word("123456789012345678901234567890").inferred().unwrap().json(),
            "123456789012345678901234567890"
        );
    }

    #[test]
    fn at_reads_a_file_and_twice_at_is_the_word() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1,\n2]\n").unwrap();
        let literal = word(&format!("@{}", file.path().display()));
        assert_eq!(literal.value("list", "x").unwrap().json(), "[1, 2]");
        assert_eq!(literal.value("string", "x").unwrap().text(), "[1,\n2]\n");
        assert_eq!(word("@@home").value("string", "x").unwrap().text(), "@home");
        assert_eq!(Literal::read("@/no/such/file").unwrap_err().kind(), Kind::Io);
    }
}
