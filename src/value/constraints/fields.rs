//! The JSON object of constraints, field by field. Problems are collected, so that one answer names them all; what
//! was read is written back as canonical text. It must never skip a field that nobody asked for.

use std::borrow::Cow;
use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use crate::error::{Error, Kind, Result};
use crate::value::json::{Reader, Token};
use crate::value::quoted::{clip, quote};
use crate::value::{Type, float, integer};

/// The largest text of constraints, in bytes: room for some thousand choices.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// What a compiled pattern and, again, its cache may take, in bytes. `\w{50}` fits, a bomb of nested repeats does not.
const MAX_PATTERN_BYTES: usize = 4 * 1024 * 1024;

/// The fields of one object of constraints.
pub(super) struct Fields<'a> {
    ty: Type,
    left: Vec<(Cow<'a, str>, &'a str)>,
    asked: Vec<&'static str>,
    problems: Vec<String>,
    canonical: String,
}

impl<'a> Fields<'a> {
    /// Reads the object; fails at once only where there is none to read.
    pub(super) fn read(ty: Type, json: &'a str) -> Result<Self> {
        let mut fields = Self {
            ty,
            left: Vec::new(),
            asked: Vec::new(),
            problems: Vec::new(),
            canonical: "{".to_owned(),
        };
        if json.len() > MAX_BYTES {
            return Err(Error::new(
                Kind::BadConstraint,
                format!("constraints take {} bytes, the most is {MAX_BYTES}", json.len()),
            ));
        }
        if json.trim().is_empty() {
            return Ok(fields);
        }
        fields.fill(Reader::over(json)).map_err(|cause| {
            let reason = cause.message().trim_start_matches("value is ").to_owned();
            Error::new(
                Kind::BadConstraint,
                format!("constraints must be a JSON object: {reason}"),
            )
        })?;
        Ok(fields)
    }

    fn fill(&mut self, mut reader: Reader<'a>) -> Result<()> {
        match reader.token()? {
            Some(Token::ObjectStart) => {}
            Some(other) => {
                return Err(Error::new(
                    Kind::BadConstraint,
                    format!("got {}", other.describe()),
                ));
            }
            None => return Ok(()),
        }
        while let Some(token) = reader.token()? {
            let Token::Key(key) = token else { continue };
            let key = key.decode();
            let value = reader.whole()?;
            if self.left.iter().any(|(known, _)| *known == key) {
                self.problems.push(format!("`{}` is given twice", clip(&key)));
            } else {
                self.left.push((key, value));
            }
        }
        Ok(())
    }

    /// Says what is wrong with a field.
    pub(super) fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// Ends the reading: the canonical text, or everything that was wrong, unknown fields included.
    pub(super) fn finish(mut self) -> Result<String> {
        for (key, _) in &self.left {
            let known = self
                .asked
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {known}")
            };
            self.problems.push(format!(
                "`{}` is not a constraint of type `{}`: {known}",
                clip(key),
                self.ty
            ));
        }
        if self.problems.is_empty() {
            self.canonical.push('}');
            return Ok(self.canonical);
        }
        let error = Error::new(
            Kind::BadConstraint,
            format!("invalid constraints for type `{}`", self.ty),
        );
        Err(self.problems.into_iter().fold(error, Error::detail))
    }

    fn take(&mut self, key: &'static str) -> Option<&'a str> {
        self.asked.push(key);
        let at = self.left.iter().position(|(known, _)| known == key)?;
        Some(self.left.remove(at).1)
    }

    fn keep(&mut self, key: &str, json: &str) {
        if self.canonical.len() > 1 {
            self.canonical.push(',');
        }
        let _ = write!(self.canonical, "\"{key}\":{json}");
    }

    /// Takes a field whose form `read` knows: it gives the value and its canonical JSON, or what is wrong.
    pub(super) fn field<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'a str) -> Result<(T, String), String>,
    ) -> Option<T> {
        match read(self.take(key)?) {
            Ok((value, json)) => {
                self.keep(key, &json);
                Some(value)
            }
            Err(why) => {
                self.problems.push(format!("`{key}` {why}"));
                None
            }
        }
    }

    /// A finite number.
    pub(super) fn float(&mut self, key: &'static str) -> Option<f64> {
        self.field(key, |json| match only(json) {
            Some(Token::Number(text)) => {
                let value = float::parse(text)?;
                Ok((value, float::show(value)))
            }
            _ => Err(format!("must be a finite number, got {}", clip(json))),
        })
    }

    /// A whole number of any size, as canonical digits.
    pub(super) fn integer(&mut self, key: &'static str) -> Option<String> {
        self.field(key, |json| match only(json) {
            Some(Token::Number(text)) => integer::parse(text).map(|digits| (digits.clone(), digits)),
            _ => Err(format!("must be a whole number, got {}", clip(json))),
        })
    }

    /// A count of something, 0 or more.
    pub(super) fn count(&mut self, key: &'static str) -> Option<usize> {
        self.field(key, |json| {
            let count = read_count(json)
                .ok_or_else(|| format!("must be a whole number from 0, got {}", clip(json)))?;
            Ok((count, count.to_string()))
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.field(key, |json| match only(json) {
            Some(Token::Bool(value)) => Ok((value, value.to_string())),
            _ => Err(format!("must be `true` or `false`, got {}", clip(json))),
        })
    }

    /// One string.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.field(key, |json| {
            let text = read_text(json).ok_or_else(|| format!("must be a string, got {}", clip(json)))?;
            let json = quote(&text);
            Ok((text, json))
        })
    }

    /// A list of one or more strings.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.field(key, |json| {
            let texts: Option<Vec<String>> =
                items(json).and_then(|items| items.into_iter().map(read_text).collect());
            let texts = texts.ok_or_else(|| format!("must be a list of strings, got {}", clip(json)))?;
            if texts.is_empty() {
                return Err("must not be empty: no value could meet it".to_owned());
            }
            let json = texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(",");
            Ok((texts, format!("[{json}]")))
        })
    }

    /// A regular expression without look-around and back-references: it runs in linear time.
    pub(super) fn pattern(&mut self, key: &'static str) -> Option<Regex> {
        self.field(key, |json| {
            let text = read_text(json).ok_or_else(|| format!("must be a string, got {}", clip(json)))?;
            let pattern = RegexBuilder::new(&text)
                .size_limit(MAX_PATTERN_BYTES)
                .dfa_size_limit(MAX_PATTERN_BYTES)
                .build()
                .map_err(|cause| format!("cannot compile: {}", reason(&cause)))?;
            Ok((pattern, quote(&text)))
        })
    }
}

/// The line of a pattern's error that says what is wrong; the rest draws arrows.
fn reason(cause: &regex::Error) -> String {
    match cause {
        regex::Error::CompiledTooBig(limit) => format!("it takes more than {limit} bytes compiled"),
        other => {
            let text = other.to_string();
            let line = text
                .lines()
                .rev()
                .find_map(|line| line.trim().strip_prefix("error: "));
            line.unwrap_or("it is not a regular expression").to_owned()
        }
    }
}

/// The only token of a text, where there is one and it is no container.
fn only(json: &str) -> Option<Token<'_>> {
    Reader::over(json).token().ok().flatten()
}

/// A string.
pub(super) fn read_text(json: &str) -> Option<String> {
    match only(json) {
        Some(Token::Text(text)) => Some(text.decode().into_owned()),
        _ => None,
    }
}

/// A count from 0.
pub(super) fn read_count(json: &str) -> Option<usize> {
    match only(json) {
        Some(Token::Number(text)) => integer::parse(text).ok()?.parse().ok(),
        _ => None,
    }
}

/// The texts of the items of a list.
pub(super) fn items(json: &str) -> Option<Vec<&str>> {
    let mut reader = Reader::over(json);
    let Ok(Some(Token::ArrayStart)) = reader.token() else {
        return None;
    };
    let mut items = Vec::new();
    loop {
        let item = reader.whole().ok()?;
        if reader.depth() == 0 {
            return Some(items);
        }
        items.push(item);
    }
}
