//! Configuration -> bound: every listener is open and every address known before anything runs.

use std::{
    fs::{File, OpenOptions},
    io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use nix::fcntl::{Flock, FlockArg};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;

use super::{
    bridge_service::{About, Parts, Router, Service},
    edge::{Edge, Layout},
};
use crate::{
    bridge::{Bridge, DEFAULT_SESSION, Opening, SWEEP_EVERY, wall_now},
    error::{Error, Kind, Result},
    session::{Actor, Metadata, Principal, Ttl},
    tools::Tools,
};

/// The longest path of a unix socket in bytes (`sun_path` less its terminator).
const MAX_SOCKET_PATH: usize = 107;

/// How long open streams and running calls may take after the signal to stop.
pub const GRACE: Duration = Duration::from_secs(5);

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A unix socket: reached by this user only.
    Unix(PathBuf),
    /// A TCP port; port 0 = any, told by [`Bound::addresses`].
    Tcp(SocketAddr),
}

/// Everything that has to be known before binding. Reads no environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bridge's name.
    pub name: String,
    /// Where to listen; at least one.
    pub listen: Vec<Listen>,
    /// The user said that TCP clients need not authenticate.
    pub no_auth: bool,
    /// How connections are spread over threads.
    pub layout: Layout,
}

/// A bridge that listens and does not serve yet.
pub struct Bound {
    pub(super) listeners: Vec<Listener>,
    addresses: Vec<String>,
    bridge: Arc<Bridge>,
    tools: Tools,
    settings: Settings,
    socket: Option<Socket>,
}

pub(super) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// A socket that is ours by lock; gone from the disk when dropped.
struct Socket {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Bound {
    /// Opens every listener. Nothing is left behind when one cannot be opened.
    pub async fn bind(settings: Settings, bridge: Arc<Bridge>, tools: Tools) -> Result<Self> {
        let mut bound = Self {
            listeners: Vec::new(),
            addresses: Vec::new(),
            bridge,
            tools,
            settings,
            socket: None,
        };
        for listen in bound.settings.listen.clone() {
            match listen {
                Listen::Unix(path) => bound.bind_unix(&path).await?,
                Listen::Tcp(address) => bound.bind_tcp(address).await?,
            }
        }
        Ok(bound)
    }

    /// Where it listens, as `--address` takes it.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Serves until `stop` is cancelled, then drains within [`GRACE`].
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        self.open_default_session().await?;
        // Later than `stop`: until the calls have ended, workers stay attached and running tools reach
        // their variables, also over a connection that they open only now.
        let closing = CancellationToken::new();
        let service = Service::new(Parts {
            bridge: Arc::clone(&self.bridge),
            tools: self.tools.clone(),
            stop: stop.clone(),
            closing: closing.clone(),
            about: Arc::new(About {
                name: self.settings.name.clone(),
                addresses: self.addresses.clone(),
                started_at: wall_now(),
            }),
            home: tokio::runtime::Handle::current(),
            imports: Arc::new(tokio::sync::Semaphore::new(super::MAX_IMPORTS)),
        });
        let tools = self.tools.clone();
        self.bridge.when_ended(move |session| {
            tools.end_session(session.as_str());
        });
        let sweeper = tokio::spawn(sweep(Arc::clone(&self.bridge)));
        let (router, health) = Router::new(&service);
        let edge = Edge::start(self.settings.layout, &router, &closing)?;
        self.tools.called_from(edge.runtimes());
        health.set_service_status("", ServingStatus::Serving).await;
        let accepting = edge.accept(self.listeners, closing.clone());
        let draining = async {
            stop.cancelled().await;
            health.set_service_status("", ServingStatus::NotServing).await;
            self.tools.drain(GRACE).await;
            closing.cancel();
        };
        tokio::join!(accepting, draining);
        edge.drain(GRACE).await;
        sweeper.abort();
        drop(self.socket);
        Ok(())
    }

    async fn open_default_session(&self) -> Result<()> {
        let opening = Opening {
            id: DEFAULT_SESSION.to_owned(),
            metadata: Metadata::new(),
            ttl: Some(Ttl::Never),
            history_limit: 0,
            create_only: false,
        };
        let actor = Actor {
            principal: Principal::new("bridge"),
            now: wall_now(),
        };
        self.bridge.open(&opening, &actor).await.map(|_| ())
    }

    async fn bind_unix(&mut self, path: &Path) -> Result<()> {
        let length = path.as_os_str().len();
        if length > MAX_SOCKET_PATH {
            return Err(Error::new(
                Kind::BadAddress,
                format!("the socket's path has {length} bytes: {}", path.display()),
            )
            .detail(format!("the system takes at most {MAX_SOCKET_PATH}"))
            .hint("name a shorter one with `--socket PATH`, or a shorter XDG_RUNTIME_DIR"));
        }
        let lock = lock(path)?;
        // A socket file without a lock holder is what a killed bridge left. Something else that answers there is not
        // ours to remove.
        if UnixStream::connect(path).await.is_ok() {
            return Err(in_use(path, None));
        }
        remove_socket(path)?;
        let listener = UnixListener::bind(path)
            .map_err(|cause| Error::io(format!("listening on {}", path.display()), &cause))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(|cause| Error::io(format!("protecting {}", path.display()), &cause))?;
        self.socket = Some(Socket {
            path: path.to_owned(),
            _lock: lock,
        });
        self.addresses.push(format!("unix:{}", path.display()));
        self.listeners.push(Listener::Unix(listener));
        Ok(())
    }

    async fn bind_tcp(&mut self, address: SocketAddr) -> Result<()> {
        if !address.ip().is_loopback() {
            return Err(Error::new(Kind::InsecureListen, format!("refusing to listen on {address}"))
                .detail("other machines could reach it, and this release cannot authenticate clients or encrypt")
                .hint("listen on 127.0.0.1 with `--no-auth`, and reach it through an SSH tunnel"));
        }
        if !self.settings.no_auth {
            return Err(Error::new(
                Kind::InsecureListen,
                format!("refusing to listen on {address} without authentication"),
            )
            .detail("every user of this machine could connect")
            .hint(
                "say `--no-auth` if that is as it should be; the unix socket is protected by its permissions",
            ));
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::AddrInUse => {
                    Error::new(Kind::AddressInUse, format!("address is in use: {address}"))
                        .hint("use another port; port 0 takes any that is free and prints it")
                }
                _ => Error::io(format!("listening on {address}"), &cause),
            })?;
        let local = listener
            .local_addr()
            .map_err(|cause| Error::io(format!("listening on {address}"), &cause))?;
        self.addresses.push(local.to_string());
        self.listeners.push(Listener::Tcp(listener));
        Ok(())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The lock file stays: removing it would let two bridges hold locks on two files of one name.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn sweep(bridge: Arc<Bridge>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        bridge.sweep().await;
    }
}

/// Takes the lock beside a socket; it is held by the process, so a killed bridge leaves it free.
fn lock(socket: &Path) -> Result<Flock<File>> {
    let path = socket.with_extension("lock");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|cause| Error::io(format!("opening {}", path.display()), &cause))?;
    let holder = holder(&mut file);
    let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => lock,
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => return Err(in_use(socket, holder)),
        Err((_, errno)) => {
            return Err(Error::io(
                format!("locking {}", path.display()),
                &io::Error::from(errno),
            ));
        }
    };
    write_holder(&lock).map_err(|cause| Error::io(format!("writing {}", path.display()), &cause))?;
    Ok(lock)
}

fn holder(file: &mut File) -> Option<u32> {
    use io::Read as _;
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_holder(mut file: &File) -> io::Result<()> {
    use io::{Seek as _, Write as _};
    file.set_len(0)?;
    file.seek(io::SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn remove_socket(path: &Path) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)
            .map_err(|cause| Error::io(format!("removing {}", path.display()), &cause)),
        Ok(_) => Err(Error::new(
            Kind::BadAddress,
            format!("{} is there and is not a socket", path.display()),
        )
        .hint("name another path with `--socket PATH`")),
    }
}

fn in_use(path: &Path, holder: Option<u32>) -> Error {
    let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    Error::new(
        Kind::AddressInUse,
        format!("address is in use: a bridge runs at {}", path.display()),
    )
    .detail(format!("it is held by {who}"))
    .hint("use that one, or give this one a name of its own with `--name NAME`")
}
