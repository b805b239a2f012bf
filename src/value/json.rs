//! A JSON reader that gives the text of numbers and strings as it stands, and never recurses.
//!
//! A library would round big numbers, refuse the bare `NaN` that Python writes, or take the last of two equal keys.
//! This one checks the grammar, hands out tokens one at a time and interprets none of them; its only allowance is
//! the three bare tokens of [`Special`]. It must never use more stack for deeper input.

use std::borrow::Cow;
use std::ops::Range;

use super::float::Special;
use super::quoted::{Text, clip, unescape};
use crate::error::{Error, Kind, Result};

/// How many arrays and objects may stand in each other.
pub(super) const MAX_DEPTH: usize = 64;

/// One step through a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    Null,
    Bool(bool),
    /// A number as it was written.
    Number(&'a str),
    /// A bare `NaN`, `Infinity` or `-Infinity`.
    Special(Special),
    Text(Text<'a>),
    Key(Text<'a>),
    ArrayStart,
    ArrayEnd,
    ObjectStart,
    ObjectEnd,
}

impl Token<'_> {
    /// What it is, for "must be X, got ...".
    pub(super) fn describe(&self) -> Cow<'static, str> {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => format!("{value}").into(),
            Self::Number(text) => clip(text).into_owned().into(),
            Self::Special(special) => special.name().into(),
            Self::Text(_) | Self::Key(_) => "a string".into(),
            Self::ArrayStart | Self::ArrayEnd => "a list".into(),
            Self::ObjectStart | Self::ObjectEnd => "a map".into(),
        }
    }
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    FirstItem,
    FirstKey,
    Key,
    Separator,
    End,
}

/// Walks one JSON text.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    start: usize,
    /// Bit n says whether the open container n is an object.
    objects: u64,
    depth: usize,
    expect: Expect,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `json`. Fails where it is not UTF-8 or is empty.
    pub(super) fn new(json: &'a [u8]) -> Result<Self> {
        let text = std::str::from_utf8(json).map_err(|cause| {
            Error::new(
                Kind::BadEncoding,
                format!("value is not UTF-8 at byte {}", cause.valid_up_to()),
            )
        })?;
        let reader = Self::over(text);
        if text.trim_ascii().is_empty() {
            return Err(Error::new(
                Kind::BadEncoding,
                "value is empty, expected JSON text",
            ));
        }
        Ok(reader)
    }

    /// A reader at the start of `text`.
    pub(super) fn over(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            start: 0,
            objects: 0,
            depth: 0,
            expect: Expect::Value,
        }
    }

    /// Where the token given last stands in the text.
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.at
    }

    /// The whole text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// How many containers are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The next token; `None` at the end of a whole text.
    pub(super) fn token(&mut self) -> Result<Option<Token<'a>>> {
        let mut byte = self.skip_space();
        if self.expect == Expect::Separator && byte == Some(b',') {
            self.at += 1;
            self.expect = if self.in_object() {
                Expect::Key
            } else {
                Expect::Value
            };
            byte = self.skip_space();
        }
        self.start = self.at;
        let Some(byte) = byte else {
            return match self.expect {
                Expect::End => Ok(None),
                _ => Err(self.wrong("the text ends too early")),
            };
        };
        match (self.expect, byte) {
            (Expect::End, _) => Err(self.wrong("there is more text after the value")),
            (Expect::FirstItem, b']') => Ok(Some(self.close(Token::ArrayEnd))),
            (Expect::FirstKey, b'}') => Ok(Some(self.close(Token::ObjectEnd))),
            (Expect::Separator, b']') if !self.in_object() => Ok(Some(self.close(Token::ArrayEnd))),
            (Expect::Separator, b'}') if self.in_object() => Ok(Some(self.close(Token::ObjectEnd))),
            (Expect::Separator, _) => Err(self.wrong("expected `,` or the end of the list or map")),
            (Expect::FirstKey | Expect::Key, b'"') => self.key().map(Some),
            (Expect::FirstKey | Expect::Key, _) => Err(self.wrong("expected a key in quotes")),
            (Expect::Value | Expect::FirstItem, _) => self.value(byte).map(Some),
        }
    }

    /// Reads one whole value, whatever it is, and gives its text.
    pub(super) fn whole(&mut self) -> Result<&'a str> {
        let depth = self.depth;
        self.token()?;
        let start = self.start;
        while self.depth > depth {
            self.token()?;
        }
        Ok(&self.text[start..self.at])
    }

    /// Fails where anything but white space is left.
    pub(super) fn end(&mut self) -> Result<()> {
        self.token().map(|_| ())
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1
    }

    fn skip_space(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(
            Kind::BadEncoding,
            format!("value is not JSON: {what} (byte {})", self.at),
        )
    }

    fn after_value(&self) -> Expect {
        if self.depth == 0 {
            Expect::End
        } else {
            Expect::Separator
        }
    }

    fn open(&mut self, object: bool) -> Result<Token<'a>> {
        if self.depth == MAX_DEPTH {
            return Err(Error::new(
                Kind::BadEncoding,
                format!(
                    "value is nested deeper than {MAX_DEPTH} levels (byte {})",
                    self.at
                ),
            ));
        }
        let bit = 1 << self.depth;
        self.objects = if object {
            self.objects | bit
        } else {
            self.objects & !bit
        };
        self.depth += 1;
        self.at += 1;
        self.expect = if object {
            Expect::FirstKey
        } else {
            Expect::FirstItem
        };
        Ok(if object {
            Token::ObjectStart
        } else {
            Token::ArrayStart
        })
    }

    fn close(&mut self, token: Token<'a>) -> Token<'a> {
        self.at += 1;
        self.depth -= 1;
        self.expect = self.after_value();
        token
    }

    fn key(&mut self) -> Result<Token<'a>> {
        let key = self.string()?;
        let end = self.at;
        if self.skip_space() != Some(b':') {
            return Err(self.wrong("expected `:` after a key"));
        }
        self.at = end;
        self.skip_space();
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Token::Key(key))
    }

    fn value(&mut self, first: u8) -> Result<Token<'a>> {
        let token = match first {
            b'[' => return self.open(false),
            b'{' => return self.open(true),
            b'"' => Token::Text(self.string()?),
            b'-' if self.text.as_bytes().get(self.at + 1) == Some(&b'I') => self.word()?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        };
        self.expect = self.after_value();
        Ok(token)
    }

    fn word(&mut self) -> Result<Token<'a>> {
        let words = [
            ("null", Token::Null),
            ("true", Token::Bool(true)),
            ("false", Token::Bool(false)),
            ("NaN", Token::Special(Special::NaN)),
            ("Infinity", Token::Special(Special::Infinity)),
            ("-Infinity", Token::Special(Special::NegativeInfinity)),
        ];
        let rest = &self.text[self.at..];
        for (word, token) in words {
            let follows = rest
                .strip_prefix(word)
                .map(|tail| tail.as_bytes().first().copied());
            if let Some(next) = follows
                && !next.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                self.at += word.len();
                return Ok(token);
            }
        }
        Err(self.wrong("expected a value"))
    }

    fn number(&mut self) -> Result<Token<'a>> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let byte = |at: usize| bytes.get(at).copied();
        let digits = |mut at: usize| {
            while byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
                at += 1;
            }
            at
        };
        if byte(self.at) == Some(b'-') {
            self.at += 1;
        }
        let whole = digits(self.at);
        let padded = whole > self.at + 1 && byte(self.at) == Some(b'0');
        if whole == self.at || padded {
            return Err(self.wrong("expected a number without leading zeros"));
        }
        self.at = whole;
        if byte(self.at) == Some(b'.') {
            let end = digits(self.at + 1);
            if end == self.at + 1 {
                return Err(self.wrong("expected digits after the point"));
            }
            self.at = end;
        }
        if matches!(byte(self.at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(byte(self.at + 1), Some(b'+' | b'-')));
            let first = self.at + 1 + sign;
            let end = digits(first);
            if end == first {
                return Err(self.wrong("expected digits in the exponent"));
            }
            self.at = end;
        }
        Ok(Token::Number(&self.text[start..self.at]))
    }

    fn string(&mut self) -> Result<Text<'a>> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match bytes.get(self.at) {
                None => return Err(self.wrong("a string does not end")),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    let Some((_, used)) = unescape(&self.text[self.at..]) else {
                        return Err(self.wrong("an escape in a string is wrong or half of a pair"));
                    };
                    self.at += used;
                }
                Some(0..0x20) => return Err(self.wrong("a control character in a string is not escaped")),
                Some(_) => self.at += 1,
            }
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        Ok(Text { raw, escaped })
    }
}
