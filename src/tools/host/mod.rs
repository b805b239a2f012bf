//! Host tools: what the bridge itself runs and offers to Python, scripts and people. Rust functions of an
//! embedding program, commands declared in `snakepit.toml`, and a few built in.
//!
//! The old contract calls them Elixir tools. A host tool never sees a session's state and never goes through a
//! shell.

mod builtin;
mod command;
mod declared;
mod run;

pub(super) use run::HostCall;

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::registry::{Declaration, GLOBAL};
use crate::error::{Error, Kind};
use crate::proto::bridge::{ToolRegistration, ToolSpec};

/// What a host function gives back.
pub type HostFuture = Pin<Box<dyn Future<Output = Result<serde_json::Value, Error>> + Send>>;

/// A host function: parameters as one JSON object in, a JSON value out. An error of kind `ToolFailed` is the
/// tool's own failure; any other kind is an error of the call. Its future is dropped when the call is cancelled or
/// its deadline passes.
pub type HostFunction = Arc<dyn Fn(serde_json::Value, HostContext) -> HostFuture + Send + Sync>;

/// What a host function knows of its call.
#[derive(Debug, Clone)]
pub struct HostContext {
    /// The call's id.
    pub call_id: String,
    /// The session that it is called in; may be empty.
    pub session_id: String,
    /// When it has to be over; `None` = no limit.
    pub deadline: Option<Instant>,
    /// Cancelled when the call is.
    pub cancelled: CancellationToken,
}

/// One host tool.
#[derive(Clone)]
pub(super) struct HostTool {
    pub(super) declaration: Arc<Declaration>,
    pub(super) run: HostFunction,
}

impl HostTool {
    pub(super) fn spec(&self) -> ToolSpec {
        self.declaration.spec("host", Vec::new())
    }
}

/// The host tools of one bridge, fixed when it starts.
#[derive(Clone, Default)]
pub struct HostTools {
    tools: BTreeMap<String, HostTool>,
}

impl HostTools {
    /// None at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Those that are built in: `host_time` and `host_info`.
    pub fn built_in() -> Self {
        let mut tools = Self::default();
        builtin::add_to(&mut tools);
        tools
    }

    /// The built-in ones and the commands that a `snakepit.toml` declares under `[host_tools.NAME]`. Other tables
    /// are not looked at. `file` is named in errors; commands run in its directory, and a relative path to a
    /// program starts there.
    ///
    /// Fails with `Config`, naming the key: an unknown key, a wrong form, a program that is not there.
    pub fn from_config(text: &str, file: &Path) -> Result<Self, Error> {
        let mut tools = Self::built_in();
        for (registration, run) in declared::read(text, file)? {
            tools.add(registration, run)?;
        }
        Ok(tools)
    }

    /// Adds a Rust function. Fails with `Config` when the name is taken or is no Python identifier, because Python
    /// calls it as `ctx.host.NAME()`.
    pub fn add(&mut self, tool: ToolRegistration, run: HostFunction) -> Result<(), Error> {
        let name = tool.name.clone();
        if !is_identifier(&name) {
            return Err(
                Error::new(Kind::Config, format!("host tool `{name}` has no valid name"))
                    .detail("Python calls it as `ctx.host.NAME()`: letters, digits and `_`, no digit first"),
            );
        }
        if self.tools.contains_key(&name) {
            return Err(Error::new(
                Kind::Config,
                format!("there are two host tools `{name}`"),
            ));
        }
        self.insert(tool, run);
        Ok(())
    }

    fn insert(&mut self, tool: ToolRegistration, run: HostFunction) {
        let name = tool.name.clone();
        self.tools.insert(
            name,
            HostTool {
                declaration: Arc::new(Declaration::new(GLOBAL, tool)),
                run,
            },
        );
    }

    pub(super) fn get(&self, name: &str) -> Option<&HostTool> {
        self.tools.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &HostTool> {
        self.tools.values()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
