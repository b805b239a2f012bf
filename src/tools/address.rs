//! Where a worker is and who it is, as its supervisor says.

use crate::error::{Error, Kind};
use crate::proto::admin::RegisterWorkerRequest;

/// A worker as its supervisor presents it.
#[derive(Debug, Clone, Default)]
pub struct WorkerAddress {
    /// Unique among live workers.
    pub worker_id: String,
    /// Random, one for each process: another incarnation of the same id supersedes the one that is there.
    pub incarnation: u64,
    /// Where the bridge dials it: `unix:PATH` or `HOST:PORT`.
    pub address: String,
    /// The session that it serves; `None` = every session.
    pub session: Option<String>,
    /// Its process id, as its supervisor sees it; 0 = not known.
    pub pid: u32,
    /// What it was spawned from, as the user typed it.
    pub source: String,
    /// Times that its slot was started again.
    pub restarts: u32,
    /// The machine that it runs on.
    pub host: String,
}

impl From<RegisterWorkerRequest> for WorkerAddress {
    fn from(request: RegisterWorkerRequest) -> Self {
        Self {
            worker_id: request.worker_id,
            incarnation: request.incarnation,
            address: request.address,
            session: Some(request.session_id).filter(|id| !id.is_empty()),
            pid: request.pid,
            source: request.source,
            restarts: request.restarts,
            host: request.host,
        }
    }
}

/// A dialable form of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Unix(String),
    Tcp(String),
}

impl Target {
    pub(super) fn parse(address: &str) -> Result<Self, Error> {
        let bad = || {
            Error::new(
                Kind::BadAddress,
                format!("`{address}` is not an address of a worker"),
            )
        };
        if let Some(path) = address.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(bad())
            } else {
                Ok(Self::Unix(path.to_owned()))
            };
        }
        let plain = address.strip_prefix("http://").unwrap_or(address);
        let (host, port) = plain.rsplit_once(':').ok_or_else(bad)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(bad());
        }
        Ok(Self::Tcp(plain.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_others_refused() {
        assert_eq!(
            Target::parse("unix:/tmp/w.sock").unwrap(),
            Target::Unix("/tmp/w.sock".into())
        );
        assert_eq!(
            Target::parse("127.0.0.1:80").unwrap(),
            Target::Tcp("127.0.0.1:80".into())
        );
        assert_eq!(Target::parse("[::1]:80").unwrap(), Target::Tcp("[::1]:80".into()));
        for bad in ["", "unix:", "host", "host:", ":1", "host:99999"] {
            assert_eq!(Target::parse(bad).unwrap_err().kind(), Kind::BadAddress, "{bad}");
        }
    }
}
