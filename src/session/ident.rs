//! Names and numbers of the core as types of their own, so that none is taken for another.
//!
//! Constructors hold the rules for names; nothing here looks anything up.

use std::{fmt, sync::Arc};

use crate::error::{Error, Kind};

/// Longest name or id in bytes.
const MAX_NAME_BYTES: usize = 255;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

text! {
    /// A session's id: 1 to 255 bytes without control characters.
    SessionId
}
text! {
    /// A variable's id, `var_<name>_<n>`: unique for ever in the store.
    VariableId
}
text! {
    /// A variable's name: 1 to 255 bytes, no white space, control or glob characters, not shaped like an id.
    VariableName
}
text! {
    /// A checkpoint's name: as a variable's name may be, within one session.
    CheckpointName
}
text! {
    /// Who made a change: a token's name, a certificate's subject, `uid:1000`.
    Principal
}
number! {
    /// The position of a commit in one session's history, from 1, without holes. 0 is before the first.
    Revision
}
number! {
    /// How often a variable was written since it was registered; the first version is 0.
    Version
}

/// One incarnation of a session. A revision means nothing without it: restore, re-creation and an ephemeral
/// restart make a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// Wall-clock time: nanoseconds since 1970-01-01T00:00:00Z. For people; nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct WallTime(pub i64);

impl SessionId {
    /// Checks the rules for session ids.
    pub fn new(text: &str) -> Result<Self, Error> {
        let problem = if text.is_empty() {
            "it is empty"
        } else if text.len() > MAX_NAME_BYTES {
            "it is longer than 255 bytes"
        } else if text.chars().any(char::is_control) {
            "it has a control character"
        } else {
            return Ok(Self(text.into()));
        };
        Err(Error::new(Kind::SessionName, format!("invalid session id {}", quoted(text))).detail(problem))
    }
}

impl VariableName {
    /// Checks the rules for variable names.
    pub fn new(text: &str) -> Result<Self, Error> {
        let problem = if text.is_empty() {
            "it is empty"
        } else if text.len() > MAX_NAME_BYTES {
            "it is longer than 255 bytes"
        } else if text.chars().any(char::is_control) {
            "it has a control character"
        } else if text.chars().any(char::is_whitespace) {
            "it has white space"
        } else if text.contains(['*', '?']) {
            "`*` and `?` are for patterns"
        } else if VariableId::looks_like_one(text) {
            "it has the shape of a variable's id"
        } else {
            return Ok(Self(text.into()));
        };
        Err(Error::new(
            Kind::VariableName,
            format!("invalid variable name {}", quoted(text)),
        )
        .detail(problem))
    }
}

impl CheckpointName {
    /// Checks the rules for names of checkpoints.
    pub fn new(text: &str) -> Result<Self, Error> {
        match VariableName::new(text) {
            Ok(_) => Ok(Self(text.into())),
            Err(error) => {
                let told = Error::new(
                    Kind::CheckpointName,
                    format!("invalid checkpoint name {}", quoted(text)),
                );
                Err(error.details().iter().fold(told, |told, line| told.detail(line)))
            }
        }
    }
}

impl VariableId {
    /// The id of the `number`th variable of the store.
    pub fn new(name: &VariableName, number: u64) -> Self {
        Self(format!("var_{name}_{number}").into())
    }

    /// Whether a text has the shape `var_<something>_<digits>`.
    pub fn looks_like_one(text: &str) -> bool {
        text.strip_prefix("var_")
            .and_then(|rest| rest.rsplit_once('_'))
            .is_some_and(|(name, number)| {
                !name.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
    }
}

impl Principal {
    /// A principal as authentication named it.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }
}

/// A name in an error text: quoted, cut where it is absurdly long, control characters escaped.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    let dots = if text.chars().count() > 60 { "…" } else { "" };
    format!("`{shown}{dots}`")
}
