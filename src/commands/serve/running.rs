//! A bridge from bound to gone: say where it is, serve, stop by a signal, leave nothing behind.

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    bridge::Bridge,
    client::translate,
    commands::{
        Context,
        signals::Signals,
        worker::supervision::{Supervision, Work},
    },
    config::Serve,
    error::{Error, Kind, Result},
    journal::MemoryJournal,
    server::{Bound, Layout, Listen, Settings},
    sys,
    tools::{HostTools, Limits, Tools, WorkerAddress},
    workers::{
        options::WorkerSettings,
        supervise::{Announcement, BoxFuture, Lease, Registrar},
    },
};

/// Orders that a supervisor has not read yet.
const ORDERS: usize = 8;

/// The configuration file that is looked for in the working directory.
const PROJECT_FILE: &str = "snakepit.toml";

pub(super) async fn run(
    serve: &Serve,
    layout: Layout,
    workers: &WorkerSettings,
    context: &Context,
) -> Result<()> {
    // The runtime library would swallow the first fault that another process sends us.
    sys::signal::die_of_faults().map_err(|cause| Error::io("signals cannot be set up", &cause))?;
    let mut signals = Signals::listen()?;
    let tools = Tools::new(host_tools(serve)?, Limits::default());
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let bound = Bound::bind(settings(serve, layout)?, bridge, tools.clone()).await?;
    let addresses = bound.addresses().to_vec();
    let stop = CancellationToken::new();

    greet(context, serve, &addresses);
    let served = tokio::spawn(bound.run(stop.clone()));
    tokio::pin!(served);
    let started = tokio::select! {
        started = start_workers(serve, workers, &addresses, tools, context) => Some(started?),
        () = signals.next() => None,
    };
    let stopped_early = started.is_none();
    let supervisions = started.unwrap_or_default();
    let early = if stopped_early {
        None
    } else {
        announce(serve.ready_fd, &addresses)?;
        tokio::select! {
            ended = &mut served => Some(ended),
            () = signals.next() => None,
        }
    };
    context
        .printer
        .note("stopping; Ctrl-C again ends everything at once");
    stop.cancel();
    let killers: Vec<_> = supervisions.iter().map(Supervision::killer).collect();
    let going_down = async {
        let ended = match early {
            Some(ended) => ended,
            None => served.await,
        };
        for supervision in supervisions {
            supervision.stop().await;
        }
        ended
    };
    tokio::pin!(going_down);
    let ended = tokio::select! {
        ended = &mut going_down => ended,
        () = signals.next() => {
            killers.iter().for_each(CancellationToken::cancel);
            return Err(Error::new(Kind::Interrupted, "ended at once; calls that ran may have been cut off"));
        }
    };
    context.printer.note("stopped");
    match ended {
        Ok(result) => result,
        Err(cause) => Err(Error::new(
            Kind::Internal,
            format!("the bridge ended unexpectedly: {cause}"),
        )),
    }
}

/// The workers of `--worker`, registered with this very bridge.
async fn start_workers(
    serve: &Serve,
    settings: &WorkerSettings,
    addresses: &[String],
    tools: Tools,
    context: &Context,
) -> Result<Vec<Supervision>> {
    let Some(bridge) = addresses.first() else {
        return Ok(Vec::new());
    };
    let registrar = Arc::new(LocalRegistrar(tools));
    let mut started = Vec::new();
    for spec in &serve.workers {
        let work = Work {
            spec,
            settings,
            bridge: bridge.clone(),
            session: None,
            extra: &[],
            in_its_folder: true,
        };
        let registrar: Arc<dyn Registrar> = Arc::clone(&registrar) as _;
        match Supervision::start(work, registrar, context).await {
            Ok(supervision) => started.push(supervision),
            Err(error) => {
                for supervision in started {
                    supervision.stop().await;
                }
                return Err(error);
            }
        }
    }
    Ok(started)
}

/// Registers workers with the bridge of this process, without a network in between.
struct LocalRegistrar(Tools);

impl Registrar for LocalRegistrar {
    fn register(&self, who: Announcement) -> BoxFuture<'_, Result<Lease>> {
        Box::pin(async move {
            let mut attached = self.0.attach(address(who)).await?;
            let tools = attached.tools.clone();
            let (send, orders) = mpsc::channel(ORDERS);
            let reader = tokio::spawn(async move {
                while let Some(order) = attached.orders.recv().await {
                    let Some(order) = order.order.and_then(translate) else {
                        continue;
                    };
                    if send.send(order).await.is_err() {
                        return;
                    }
                }
            });
            Ok(Lease {
                tools,
                orders,
                keep: Box::new(Keep(reader)),
            })
        })
    }
}

/// Ends the registration when dropped: the task owns the worker's place at the desk.
struct Keep(tokio::task::JoinHandle<()>);

impl Drop for Keep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn address(who: Announcement) -> WorkerAddress {
    WorkerAddress {
        worker_id: who.worker_id,
        incarnation: who.incarnation,
        address: who.address,
        session: who.session_id,
        pid: who.pid,
        source: who.source,
        restarts: who.restarts,
        host: who.host,
    }
}

fn settings(serve: &Serve, layout: Layout) -> Result<Settings> {
    let mut listen = Vec::new();
    if let Some(socket) = &serve.socket {
        if let Some(folder) = socket.parent() {
            private_folder(folder)?;
        }
        listen.push(Listen::Unix(socket.clone()));
    }
    listen.extend(serve.listen.iter().copied().map(Listen::Tcp));
    // `Serve::resolve` let no TCP address through that was not said to be open.
    Ok(Settings {
        name: serve.name.clone(),
        listen,
        no_auth: !serve.listen.is_empty(),
        layout,
    })
}

/// The folder of the socket: made for this user only, or somebody else's business.
fn private_folder(folder: &Path) -> Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() && !ours_to_check(folder) {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| sys::directory::private(folder))
        .map_err(|cause| Error::io(format!("cannot use the folder `{}`", folder.display()), &cause))
}

/// A folder that a user named with `--socket` is taken as it is; the one that is ours by name is checked.
fn ours_to_check(folder: &Path) -> bool {
    sys::directory::runtime_path() == folder
}

fn host_tools(serve: &Serve) -> Result<HostTools> {
    let file = match &serve.config {
        Some(file) => file.clone(),
        None if Path::new(PROJECT_FILE).is_file() => PathBuf::from(PROJECT_FILE),
        None => return Ok(HostTools::built_in()),
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|cause| Error::io(format!("cannot read `{}`", file.display()), &cause))?;
    HostTools::from_config(&text, &file)
}

fn greet(context: &Context, serve: &Serve, addresses: &[String]) {
    let printer = &context.printer;
    printer.done(format!(
        "snakepit {} serves bridge `{}` at {}",
        env!("CARGO_PKG_VERSION"),
        serve.name,
        addresses.join(" and ")
    ));
    printer.note("state is kept in memory and gone when this ends");
    printer.hint("in another terminal: `snakepit var register x 1`, `snakepit worker spawn FILE.py`, `snakepit tool list`; Ctrl-C stops");
}

/// Tells whoever started us that we serve: one line with every address.
fn announce(ready_fd: Option<i32>, addresses: &[String]) -> Result<()> {
    let Some(fd) = ready_fd else { return Ok(()) };
    let cannot = |cause| {
        Error::io(
            format!("cannot write to the descriptor {fd} of --ready-fd"),
            &cause,
        )
    };
    let mut file = if fd > 2 {
        File::from(sys::descriptor::adopt(fd).map_err(cannot)?)
    } else {
        // Ours for more than this line, so it is opened again and not taken.
        File::options()
            .append(true)
            .open(format!("/proc/self/fd/{fd}"))
            .map_err(cannot)?
    };
    writeln!(file, "{}", addresses.join(" ")).map_err(cannot)
}
