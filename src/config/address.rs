//! An address of a bridge, as `--address` takes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{Error, Kind, Result};

/// Bytes that the path of a unix socket may have.
pub const SOCKET_PATH_LIMIT: usize = 107;

/// Where a bridge is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP port, without protection.
    Tcp {
        /// A name or an IP address; IPv6 in brackets.
        host: String,
        /// The port.
        port: u16,
    },
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
            Self::Tcp { host, port } => write!(out, "{host}:{port}"),
        }
    }
}

impl FromStr for Address {
    type Err = Error;

    /// # Errors
    /// [`Kind::BadAddress`] for anything but `unix:PATH`, `HOST:PORT` and `http://HOST:PORT`;
    /// [`Kind::NotServed`] for `https://`.
    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(Kind::BadAddress, format!("`{text}` is not an address"))
                .detail(why)
                .hint("write unix:PATH or HOST:PORT")
        };
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.len() {
                0 => Err(bad("the path is missing")),
                length if length > SOCKET_PATH_LIMIT => Err(bad(&format!(
                    "a socket's path has at most {SOCKET_PATH_LIMIT} bytes"
                ))),
                _ => Ok(Self::Unix(path.into())),
            };
        }
        if text.starts_with("https://") {
            return Err(Error::new(Kind::NotServed, format!("`{text}` asks for TLS"))
                .detail("this release speaks over unix sockets and plain TCP"));
        }
        if text.starts_with('/') || text.starts_with('.') {
            return Err(bad("a path needs `unix:` before it").hint(format!("did you mean `unix:{text}`?")));
        }
        let rest = text.strip_prefix("http://").unwrap_or(text);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = rest.rsplit_once(':').ok_or_else(|| bad("the port is missing"))?;
        let port = port
            .parse()
            .map_err(|_| bad("a port is a number from 0 to 65535"))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let sound = match bare {
            Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
            }
        };
        if !sound {
            return Err(bad(
                "the host is a name or an IP address; IPv6 stands in brackets",
            ));
        }
        Ok(Self::Tcp {
            host: host.to_owned(),
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        for (text, back) in [
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("unix:///run/x.sock", "unix:/run/x.sock"),
            ("localhost:7070", "localhost:7070"),
            ("http://127.0.0.1:80/", "127.0.0.1:80"),
            ("[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), back);
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for text in [
            "",
            "x",
            "unix:",
            "host:99999",
            ":1",
            "a b:1",
            "[zz]:1",
            "/run/x.sock",
        ] {
            assert_eq!(
                text.parse::<Address>().unwrap_err().kind(),
                Kind::BadAddress,
                "{text}"
            );
        }
        let long = format!("unix:/{}", "x".repeat(SOCKET_PATH_LIMIT));
        assert_eq!(long.parse::<Address>().unwrap_err().kind(), Kind::BadAddress);
        assert_eq!(
            "https://h:1".parse::<Address>().unwrap_err().kind(),
            Kind::NotServed
        );
    }
}
