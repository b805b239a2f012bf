//! Strings, choices and modules: text that is kept as the JSON that serde_json writes for it.
//! It must never accept text that is not whole Unicode.

use std::sync::Arc;

use bytes::Bytes;

use super::quoted::{Text, quote};

/// A string and its canonical JSON.
#[derive(Debug, Clone)]
pub(super) struct Words {
    json: Bytes,
    /// The string, where it is not what stands between the quotes of `json`.
    plain: Option<Arc<str>>,
}

impl Words {
    pub(super) fn new(text: &Text<'_>) -> Self {
        let plain = text.decode();
        let json = quote(&plain);
        let kept = json.get(1..json.len().saturating_sub(1)) == Some(&*plain);
        Self {
            plain: (!kept).then(|| Arc::from(&*plain)),
            json: Bytes::from(json),
        }
    }

    pub(super) fn json(&self) -> &Bytes {
        &self.json
    }

    pub(super) fn plain(&self) -> &str {
        match &self.plain {
            Some(plain) => plain,
            // The JSON was made from a `String`: it is UTF-8 and has two quotes.
            None => std::str::from_utf8(&self.json)
                .ok()
                .and_then(|json| json.get(1..json.len() - 1))
                .unwrap_or(""),
        }
    }
}

/// Whether a text is a dotted path of identifiers, as Python and Elixir write modules.
pub(super) fn is_module_path(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .is_some_and(|first| first == '_' || first.is_alphabetic())
            && letters.all(|letter| letter == '_' || letter.is_alphanumeric())
    })
}
