//! What `serve` was asked for, checked before anything is bound.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Address, Config, SOCKET_PATH_LIMIT};
use crate::error::{Error, Kind, Result};

/// A TCP address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl FromStr for Listen {
    type Err = Error;

    /// # Errors
    /// [`Kind::BadAddress`] unless it is `IP:PORT` or `localhost:PORT`; port 0 takes any.
    fn from_str(text: &str) -> Result<Self> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let port = text
            .strip_prefix("localhost:")
            .and_then(|port| port.parse().ok())
            .ok_or_else(|| {
                Error::new(
                    Kind::BadAddress,
                    format!("`{text}` is not an address to listen on"),
                )
                .hint("write IP:PORT or localhost:PORT; port 0 takes any")
            })?;
        Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The flags of `serve`, as they were typed.
#[derive(Debug, Clone, Default)]
pub struct ServeFlags {
    /// `--listen`.
    pub listen: Vec<Listen>,
    /// `--socket`: a path, or `none`.
    pub socket: Option<String>,
    /// `--no-auth`.
    pub no_auth: bool,
    /// `--ephemeral`.
    pub ephemeral: bool,
    /// `--worker`.
    pub workers: Vec<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--ready-fd`.
    pub ready_fd: Option<i32>,
}

/// A bridge to run.
#[derive(Debug, Clone)]
pub struct Serve {
    /// Its name on this machine.
    pub name: String,
    /// Its unix socket; none = it has none.
    pub socket: Option<PathBuf>,
    /// Its TCP addresses; all of them loopback.
    pub listen: Vec<SocketAddr>,
    /// Nothing is kept on disk.
    pub ephemeral: bool,
    /// What to spawn workers from, as typed: `FILE` or `MODULE[:CLASS]`.
    pub workers: Vec<String>,
    /// The `snakepit.toml` with host tools; none = the one in the current directory, if there is one.
    pub config: Option<PathBuf>,
    /// Where a line with the addresses is written once it serves.
    pub ready_fd: Option<i32>,
}

impl Serve {
    /// Checks the flags against each other.
    ///
    /// # Errors
    /// [`Kind::InsecureListen`] for TCP that is not loopback or without `--no-auth`, [`Kind::Usage`] when there is
    /// nothing to listen on, [`Kind::BadAddress`] for a socket's path that is too long.
    pub fn resolve(flags: ServeFlags, config: &Config) -> Result<Self> {
        for Listen(address) in &flags.listen {
            protected(*address, flags.no_auth)?;
        }
        let socket = match (flags.socket.as_deref(), &config.address) {
            (Some("none"), _) => None,
            (Some(path), _) => Some(socket(path)?),
            (None, Address::Unix(path)) => Some(path.clone()),
            (None, Address::Tcp { .. }) => {
                return Err(
                    Error::new(Kind::Usage, "a bridge cannot serve at the `--address` of another")
                        .hint("name a TCP port to listen on with `--listen HOST:PORT --no-auth`"),
                );
            }
        };
        if socket.is_none() && flags.listen.is_empty() {
            return Err(Error::new(Kind::Usage, "there is nothing to listen on")
                .hint("leave out `--socket none`, or add `--listen localhost:0 --no-auth`"));
        }
        Ok(Self {
            name: config.name.clone(),
            socket,
            listen: flags.listen.iter().map(|listen| listen.0).collect(),
            ephemeral: flags.ephemeral,
            workers: flags.workers,
            config: flags.config,
            ready_fd: flags.ready_fd,
        })
    }
}

fn socket(path: &str) -> Result<PathBuf> {
    if path.is_empty() || path.len() > SOCKET_PATH_LIMIT {
        return Err(Error::new(
            Kind::BadAddress,
            format!("a socket's path has 1 to {SOCKET_PATH_LIMIT} bytes"),
        ));
    }
    Ok(Path::new(path).to_owned())
}

fn protected(address: SocketAddr, no_auth: bool) -> Result<()> {
    let refused = |why: &str| {
        Error::new(Kind::InsecureListen, format!("refusing to listen on `{address}`")).detail(why)
    };
    match (address.ip().is_loopback(), no_auth) {
        (true, true) => Ok(()),
        (true, false) => Err(refused(
            "every user of this machine can reach the port, and nobody would be asked who they are",
        )
        .hint(format!(
            "say `--listen {address} --no-auth` if that is meant; the unix socket needs neither"
        ))),
        (false, _) => Err(
            refused("the network can reach it, and this release cannot authenticate clients")
                .hint("listen on localhost with `--no-auth`, and reach it through an ssh tunnel"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Globals;

    fn resolve(flags: ServeFlags) -> Result<Serve> {
        let config = Config::resolve(&Globals::default(), &|_| None)?;
        Serve::resolve(flags, &config)
    }

    #[test]
    fn tcp_is_loopback_and_said_aloud_or_refused() {
        let listen = |text: &str, no_auth| {
            resolve(ServeFlags {
                listen: vec![text.parse().unwrap()],
                no_auth,
                ..ServeFlags::default()
            })
        };
        assert!(listen("127.0.0.1:0", true).is_ok());
        assert!(listen("localhost:0", true).is_ok());
        assert!(listen("[::1]:0", true).is_ok());
        for (text, no_auth) in [
            ("127.0.0.1:0", false),
            ("0.0.0.0:0", true),
            ("192.168.0.1:1", true),
        ] {
            assert_eq!(
                listen(text, no_auth).unwrap_err().kind(),
                Kind::InsecureListen,
                "{text}"
            );
        }
    }

    #[test]
    fn there_has_to_be_something_to_listen_on() {
        let flags = ServeFlags {
            socket: Some("none".into()),
            ..ServeFlags::default()
        };
        assert_eq!(resolve(flags).unwrap_err().kind(), Kind::Usage);
    }
}
