//! Embeddings and tensors as JSON: lists of numbers, flat or nested, into little-endian bytes. It must never accept a
//! ragged list or reserve memory for a shape that the text cannot fill.

use bytes::Bytes;

use super::array::{Array, MAX_RANK, element_count, not_finite};
use super::dtype::{Dtype, Item};
use super::float::Special;
use super::json::{Reader, Token};
use super::quoted::clip;
use super::{Type, integer, wrong_type};
use crate::error::{Error, Kind, Result};

/// What a tensor must look like.
const TENSOR: &str = "a tensor with shape and data";

/// Reads a list of finite numbers.
pub(super) fn read_embedding(json: &[u8]) -> Result<Array> {
    let mut reader = Reader::new(json)?;
    match reader.token()? {
        Some(Token::ArrayStart) => {}
        other => return Err(wrong_type("a list of numbers", &other.unwrap_or(Token::Null))),
    }
    let mut payload = Vec::new();
    let mut count = 0;
    while let Some(token) = reader.token()? {
        if matches!(token, Token::ArrayEnd) {
            break;
        }
        let item = item(&token)
            .filter(|item| !matches!(item, Item::Bool(_)))
            .ok_or_else(|| {
                let got = token.describe();
                Error::new(
                    Kind::WrongType,
                    format!("must be a list of numbers, item {count} is {got}"),
                )
            })?;
        if let Item::Float(special) = item {
            return Err(not_finite(count, special));
        }
        Dtype::Float64
            .write(&item, &mut payload)
            .map_err(|why| wrong_item(count, &why))?;
        count += 1;
    }
    reader.end()?;
    Array::new(Type::Embedding, Dtype::Float64, vec![count], Bytes::from(payload))
}

/// Reads `{shape, data}` with or without `dtype`, in any order.
pub(super) fn read_tensor(json: &[u8]) -> Result<Array> {
    let mut reader = Reader::new(json)?;
    match reader.token()? {
        Some(Token::ObjectStart) => {}
        other => return Err(wrong_type(TENSOR, &other.unwrap_or(Token::Null))),
    }
    let (mut shape, mut dtype, mut data) = (None, None, None);
    while let Some(Token::Key(key)) = reader.token()? {
        let key = key.decode();
        let field = match &*key {
            "shape" => &mut shape,
            "dtype" => &mut dtype,
            "data" => &mut data,
            other => {
                let text = format!("must be {TENSOR} and maybe dtype, got key `{}`", clip(other));
                return Err(Error::new(Kind::WrongType, text));
            }
        };
        if field.replace(reader.whole()?).is_some() {
            return Err(Error::new(
                Kind::BadEncoding,
                format!("key `{key}` is in a map twice"),
            ));
        }
    }
    reader.end()?;
    let (Some(shape), Some(data)) = (shape, data) else {
        return Err(Error::new(Kind::WrongType, format!("must be {TENSOR}")));
    };
    let shape = read_shape(shape)?;
    let named = dtype.map(read_dtype).transpose()?;
    let dtype = named.unwrap_or(Dtype::Float64);
    let payload = Filler::new(&shape, dtype).fill(data)?;
    let array = Array::new(Type::Tensor, dtype, shape, Bytes::from(payload))?;
    Ok(if named.is_some() { array } else { array.implied() })
}

fn read_dtype(json: &str) -> Result<Dtype> {
    match Reader::over(json).token()? {
        Some(Token::Text(text)) => {
            Dtype::parse(&text.decode()).map_err(|why| Error::new(Kind::WrongType, format!("`dtype` {why}")))
        }
        _ => Err(Error::new(
            Kind::WrongType,
            format!("`dtype` must be a string, got {}", clip(json)),
        )),
    }
}

fn read_shape(json: &str) -> Result<Vec<usize>> {
    let wrong = || {
        let text = format!(
            "must be {TENSOR}: `shape` must be a list of whole numbers from 0, got {}",
            clip(json)
        );
        Error::new(Kind::WrongType, text)
    };
    let mut reader = Reader::over(json);
    let Some(Token::ArrayStart) = reader.token()? else {
        return Err(wrong());
    };
    let mut shape = Vec::new();
    loop {
        match reader.token()? {
            Some(Token::Number(text)) => {
                let axis = integer::parse(text).ok().and_then(|digits| digits.parse().ok());
                shape.push(axis.ok_or_else(wrong)?);
            }
            Some(Token::ArrayEnd) => break,
            _ => return Err(wrong()),
        }
    }
    if shape.len() > MAX_RANK {
        let text = format!("`shape` has {} axes, the most is {MAX_RANK}", shape.len());
        return Err(Error::new(Kind::WrongType, text));
    }
    Ok(shape)
}

/// What a token is as an element.
fn item<'a>(token: &Token<'a>) -> Option<Item<'a>> {
    match token {
        Token::Number(text) => Some(Item::Number(text)),
        Token::Special(special) => Some(Item::Float(special.value())),
        Token::Text(text) => Special::from_text(text).map(|special| Item::Float(special.value())),
        Token::Bool(value) => Some(Item::Bool(*value)),
        _ => None,
    }
}

fn wrong_item(at: usize, why: &str) -> Error {
    Error::new(Kind::WrongType, format!("item {at} {why}"))
}

/// Collects the elements of a tensor and checks that the lists around them agree with the shape.
struct Filler<'a> {
    shape: &'a [usize],
    dtype: Dtype,
    payload: Vec<u8>,
    elements: usize,
    /// How many entries each open list has so far.
    entries: Vec<usize>,
    /// Whether there was a list in a list.
    nested: bool,
}

impl<'a> Filler<'a> {
    fn new(shape: &'a [usize], dtype: Dtype) -> Self {
        Self {
            shape,
            dtype,
            payload: Vec::new(),
            elements: 0,
            entries: Vec::new(),
            nested: false,
        }
    }

    fn fill(mut self, json: &str) -> Result<Vec<u8>> {
        let wanted = element_count(self.shape);
        let mut reader = Reader::over(json);
        while let Some(token) = reader.token()? {
            match token {
                Token::ArrayStart => self.open()?,
                Token::ArrayEnd => self.close()?,
                Token::ObjectStart | Token::ObjectEnd | Token::Key(_) => {
                    return Err(Error::new(
                        Kind::WrongType,
                        "`data` must be numbers in lists, got a map",
                    ));
                }
                token => self.element(&token)?,
            }
            if wanted.is_none_or(|wanted| self.elements > wanted) {
                return Err(self.mismatch());
            }
        }
        if wanted == Some(self.elements) {
            Ok(self.payload)
        } else {
            Err(self.mismatch())
        }
    }

    fn open(&mut self) -> Result<()> {
        if let Some(entries) = self.entries.last_mut() {
            *entries += 1;
            if self.elements > 0 && !self.nested {
                return Err(self.mismatch());
            }
            self.nested = true;
        }
        self.entries.push(0);
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let depth = self.entries.len();
        let entries = self.entries.pop();
        // A flat list is checked as a whole by its number of elements.
        if self.nested && self.shape.get(depth - 1).copied() != entries {
            return Err(self.mismatch());
        }
        Ok(())
    }

    fn element(&mut self, token: &Token<'_>) -> Result<()> {
        let depth = self.entries.len();
        let placed = if self.nested || depth == 0 {
            depth == self.shape.len()
        } else {
            depth == 1
        };
        if !placed {
            return Err(self.mismatch());
        }
        if let Some(entries) = self.entries.last_mut() {
            *entries += 1;
        }
        let item = item(token).ok_or_else(|| {
            wrong_item(
                self.elements,
                &format!("must be a number, got {}", token.describe()),
            )
        })?;
        self.dtype
            .write(&item, &mut self.payload)
            .map_err(|why| wrong_item(self.elements, &why))?;
        self.elements += 1;
        Ok(())
    }

    fn mismatch(&self) -> Error {
        let wanted = element_count(self.shape).map_or("too many".to_owned(), |count| count.to_string());
        Error::new(
            Kind::WrongType,
            format!(
                "data size doesn't match shape {:?} ({wanted} numbers)",
                self.shape
            ),
        )
        .hint("`data` is one flat list, or lists nested as the shape says")
    }
}
