//! A bridge from bound to gone: say where it is, serve, stop by a signal, leave nothing behind.

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    bridge::Bridge,
    commands::Context,
    config::Serve,
    error::{Error, Kind, Result},
    journal::MemoryJournal,
    server::{Bound, Layout, Listen, Settings},
    sys,
    tools::{HostTools, Limits, Tools},
};

/// The configuration file that is looked for in the working directory.
const PROJECT_FILE: &str = "snakepit.toml";

pub(super) async fn run(serve: &Serve, layout: Layout, context: &Context) -> Result<()> {
    let tools = Tools::new(host_tools(serve)?, Limits::default());
    let bridge = Bridge::new(Arc::new(MemoryJournal::default()));
    let bound = Bound::bind(settings(serve, layout)?, bridge, tools.clone()).await?;
    let addresses = bound.addresses().to_vec();
    let stop = CancellationToken::new();
    tokio::spawn(stop_by_signal(stop.clone()));

    greet(context, serve, &addresses);
    let served = tokio::spawn(bound.run(stop.clone()));
    announce(serve.ready_fd, &addresses)?;
    let result = served.await;
    context.printer.note("stopped");
    match result {
        Ok(result) => result,
        Err(cause) => Err(Error::new(Kind::Internal, format!("the bridge ended unexpectedly: {cause}"))),
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
    Ok(Settings { name: serve.name.clone(), listen, no_auth: !serve.listen.is_empty(), layout })
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
    printer.hint("in another terminal: `snakepit var set x 1`, `snakepit worker spawn FILE.py`, `snakepit tool list`; Ctrl-C stops");
}

/// Tells whoever started us that we serve: one line with every address.
fn announce(ready_fd: Option<i32>, addresses: &[String]) -> Result<()> {
    let Some(fd) = ready_fd else { return Ok(()) };
    let cannot = |cause| Error::io(format!("cannot write to the descriptor {fd} of --ready-fd"), &cause);
    let mut file = if fd > 2 {
        File::from(sys::descriptor::adopt(fd).map_err(cannot)?)
    } else {
        // Ours for more than this line, so it is opened again and not taken.
        File::options().append(true).open(format!("/proc/self/fd/{fd}")).map_err(cannot)?
    };
    writeln!(file, "{}", addresses.join(" ")).map_err(cannot)
}

/// Once drains, twice ends at once.
async fn stop_by_signal(stop: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_cancelled() {
            // Everything that we started ends by its lifeline when we are gone.
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
        stop.cancel();
    }
}
