//! Flags and environment, made into one configuration.
//!
//! A flag wins over a `SNAKEPIT_*` variable, that over what `session use` kept, that over the default. This room
//! reads the environment and that one file, and never opens a socket, prints or starts anything.

mod address;
mod chosen;
pub mod env;
mod paths;
mod serve;

use std::time::Duration;

use clap::ValueEnum as _;

pub use address::{Address, SOCKET_PATH_LIMIT};
pub use chosen::{keep_session, session_file};
pub use paths::{default_socket, state_dir};
pub use serve::{Listen, Serve, ServeFlags};

use crate::cli::Globals;
use crate::error::{Error, Kind, Result};
use crate::ui::{Color, Output};

/// The session of those who name none.
pub const DEFAULT_SESSION: &str = "default";

/// The bridge of those who name none.
pub const DEFAULT_NAME: &str = "default";

/// What every verb knows.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the bridge is.
    pub address: Address,
    /// The bridge's name on this machine: its socket and runtime files.
    pub name: String,
    /// The bridge was found by its name, not by an address.
    pub by_name: bool,
    /// The session that variables and tools are looked up in.
    pub session: String,
    /// The session of `--session`, where that was typed: what is global by default is narrowed only by it.
    pub named_session: Option<String>,
    /// The format of stdout; none = by where it goes.
    pub output: Option<Output>,
    /// When to colour.
    pub color: Color,
    /// No talk but errors.
    pub quiet: bool,
    /// How much more is told: 0, 1 or more.
    pub verbose: u8,
    /// The longest time for what the verb waits for; none = the verb's own.
    pub timeout: Option<Duration>,
    /// Never ask.
    pub no_input: bool,
}

impl Config {
    /// The configuration in force. `read` reads an environment variable.
    ///
    /// # Errors
    /// [`Kind::BadAddress`] for an address that is none, [`Kind::Config`] for a variable of a wrong form.
    pub fn resolve(flags: &Globals, read: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let read = |name: &str| read(name).filter(|value| !value.is_empty());
        let name = flags
            .bridge
            .clone()
            .or_else(|| read(env::NAME))
            .unwrap_or_else(|| DEFAULT_NAME.to_owned());
        check_name(&name)?;
        let written = match (&flags.address, &flags.bridge) {
            (Some(address), _) => Some(address.clone()),
            (None, Some(_)) => None,
            (None, None) => read(env::ADDRESS),
        };
        let by_name = written.is_none();
        let session = match flags.session.clone().or_else(|| read(env::SESSION)) {
            Some(session) => session,
            None => match by_name
                .then(|| chosen::chosen_session(&name, &read))
                .transpose()?
            {
                Some(Some(session)) => session,
                _ => DEFAULT_SESSION.to_owned(),
            },
        };
        let address = match written {
            Some(text) => text.parse()?,
            None => Address::Unix(default_socket(&name, &read)?),
        };
        Ok(Self {
            address,
            name,
            named_session: flags.session.clone(),
            by_name,
            session,
            output: match flags.output {
                Some(output) => Some(output),
                None => read(env::OUTPUT).map(|text| output(&text)).transpose()?,
            },
            color: flags.color,
            quiet: flags.quiet,
            verbose: flags.verbose,
            timeout: flags.timeout,
            no_input: flags.no_input,
        })
    }
}

fn output(text: &str) -> Result<Output> {
    Output::from_str(text, true).map_err(|_| {
        Error::new(
            Kind::Config,
            format!("{} is `{text}`, which is no format", env::OUTPUT),
        )
        .hint("formats are table, tsv, json, jsonl, raw, npy, name and none")
    })
}

/// A name becomes part of a path.
fn check_name(name: &str) -> Result<()> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if fits {
        return Ok(());
    }
    Err(
        Error::new(Kind::Usage, format!("`{name}` cannot be the name of a bridge"))
            .detail("a name is 1 to 64 letters, digits, `-`, `_` or `.`, and does not begin with `.`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn resolve(flags: Globals, vars: &'static [(&str, &str)]) -> Result<Config> {
        Config::resolve(&flags, &|name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_default() {
        let vars: &[(&str, &str)] = &[
            ("XDG_RUNTIME_DIR", "/run/user/7"),
            ("SNAKEPIT_SESSION", "from_env"),
            ("SNAKEPIT_ADDRESS", "127.0.0.1:9"),
        ];
        let config = resolve(Globals::default(), vars).unwrap();
        assert_eq!(config.session, "from_env");
        assert_eq!(config.address.to_string(), "127.0.0.1:9");
        let flags = Globals {
            session: Some("flag".into()),
            bridge: Some("two".into()),
            ..Globals::default()
        };
        let config = resolve(flags, vars).unwrap();
        assert_eq!(config.session, "flag");
        assert_eq!(
            config.address,
            Address::Unix("/run/user/7/snakepit/two.sock".into())
        );
        let config = resolve(Globals::default(), &[("XDG_RUNTIME_DIR", "/r")]).unwrap();
        assert_eq!(config.session, "default");
        assert_eq!(
            config.address,
            Address::Unix(Path::new("/r/snakepit/default.sock").into())
        );
    }

    #[test]
    fn a_wrong_variable_is_an_error_of_configuration() {
        let error = resolve(Globals::default(), &[("SNAKEPIT_OUTPUT", "yaml")]).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
    }

    #[test]
    fn a_name_cannot_leave_its_directory() {
        for name in ["../x", "a/b", ".", ""] {
            let flags = Globals {
                bridge: Some(name.into()),
                ..Globals::default()
            };
            assert_eq!(resolve(flags, &[]).unwrap_err().kind(), Kind::Usage, "{name}");
        }
    }
}
