//! Maps and lists: JSON that is checked once and then kept as the bytes it came in, big numbers and spacing included.
//! It must never take one of two equal keys silently.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;

use super::json::{Reader, Token};
use super::quoted::clip;
use super::{Type, integer, wrong_type};
use crate::error::{Error, Kind, Result};

/// A map or list.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) json: Bytes,
    /// How many entries the outermost container has.
    pub(super) length: usize,
    /// How many containers stand in each other, the outermost included.
    pub(super) depth: usize,
}

impl Tree {
    /// Checks a JSON text. Bare `NaN` and `Infinity` tokens become JSON strings, all else stays.
    pub(super) fn read(ty: Type, json: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(json)?;
        match (ty, reader.token()?) {
            (Type::Map, Some(Token::ObjectStart)) | (Type::List, Some(Token::ArrayStart)) => {}
            (Type::Map, other) => return Err(wrong_type("a map", &other.unwrap_or(Token::Null))),
            (_, other) => return Err(wrong_type("a list", &other.unwrap_or(Token::Null))),
        }
        let start = reader.span().start;
        let (mut length, mut depth, mut copied) = (0, 1, start);
        let mut keys: Vec<HashSet<Cow<'_, str>>> = vec![HashSet::new()];
        let mut out = String::new();
        while reader.depth() > 0 {
            let before = reader.depth();
            let token = reader.token()?;
            depth = depth.max(reader.depth());
            match token {
                Some(Token::Key(key)) => unique(&mut keys, key.decode())?,
                Some(Token::ArrayEnd | Token::ObjectEnd) => {
                    keys.pop();
                    continue;
                }
                Some(Token::ArrayStart | Token::ObjectStart) => keys.push(HashSet::new()),
                Some(Token::Special(special)) => {
                    let span = reader.span();
                    out.push_str(&reader.text()[copied..span.start]);
                    out.push('"');
                    out.push_str(special.name());
                    out.push('"');
                    copied = span.end;
                }
                _ => {}
            }
            // In a map the keys count its entries, in a list whatever starts there.
            let counts = if ty == Type::Map {
                matches!(token, Some(Token::Key(_)))
            } else {
                before == 1
            };
            length += usize::from(before == 1 && counts);
        }
        out.push_str(&reader.text()[copied..reader.span().end]);
        reader.end()?;
        Ok(Self {
            json: Bytes::from(out),
            length,
            depth,
        })
    }

    /// Whether two texts mean the same, however they are spaced, escaped and ordered. Numbers are the same where both
    /// are integers of equal digits or both are floats of equal value.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.json == other.json
            || (self.length == other.length
                && self.depth == other.depth
                && matches!((Node::of(&self.json), Node::of(&other.json)), (Ok(left), Ok(right)) if left == right))
    }
}

fn unique<'a>(keys: &mut [HashSet<Cow<'a, str>>], key: Cow<'a, str>) -> Result<()> {
    match keys.last_mut() {
        Some(known) if known.contains(&key) => Err(Error::new(
            Kind::BadEncoding,
            format!("key `{}` is in a map twice", clip(&key)),
        )),
        Some(known) => {
            known.insert(key);
            Ok(())
        }
        None => Ok(()),
    }
}

/// The meaning of a JSON text.
#[derive(PartialEq)]
enum Node<'a> {
    Null,
    Bool(bool),
    Integer(String),
    Float(u64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(BTreeMap<Cow<'a, str>, Node<'a>>),
}

impl<'a> Node<'a> {
    fn of(json: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(json)?;
        let first = reader.token()?.unwrap_or(Token::Null);
        Self::read(&mut reader, first)
    }

    /// Recurses as deep as the text is nested, which the reader bounds.
    fn read(reader: &mut Reader<'a>, token: Token<'a>) -> Result<Self> {
        Ok(match token {
            Token::Bool(value) => Self::Bool(value),
            Token::Number(text) if text.contains(['.', 'e', 'E']) => {
                Self::Float(text.parse::<f64>().unwrap_or_default().to_bits())
            }
            Token::Number(text) => Self::Integer(integer::parse(text).unwrap_or_default()),
            Token::Special(special) => Self::Text(special.name().into()),
            Token::Text(text) => Self::Text(text.decode()),
            Token::ArrayStart => {
                let mut items = Vec::new();
                while let Some(token) = reader.token()? {
                    if matches!(token, Token::ArrayEnd) {
                        break;
                    }
                    items.push(Self::read(reader, token)?);
                }
                Self::List(items)
            }
            Token::ObjectStart => {
                let mut entries = BTreeMap::new();
                while let Some(Token::Key(key)) = reader.token()? {
                    let token = reader.token()?.unwrap_or(Token::Null);
                    entries.insert(key.decode(), Self::read(reader, token)?);
                }
                Self::Map(entries)
            }
            Token::Null | Token::Key(_) | Token::ArrayEnd | Token::ObjectEnd => Self::Null,
        })
    }
}
