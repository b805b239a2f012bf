//! The processes that are measured: our binary and the yardstick, each on a socket of its own, gone at drop.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A server process and where it answers.
pub struct Peer {
    child: Child,
    /// As `--address` takes it.
    pub address: String,
}

impl Peer {
    /// Our bridge, ephemeral.
    pub fn bridge(folder: &Path, extra: &[&str]) -> Self {
        let socket = folder.join("bridge.sock");
        let mut command = Command::new(env!("CARGO_BIN_EXE_snakepit"));
        command
            .args(["serve", "--ephemeral", "--ready-fd", "1", "--socket"])
            .arg(&socket)
            .args(extra)
            .env("XDG_RUNTIME_DIR", folder);
        Self::start(command, format!("unix:{}", socket.display()))
    }

    /// The yardstick in one of its layouts.
    pub fn yardstick(folder: &Path, layout: &str) -> Self {
        let socket = folder.join(format!("yardstick-{layout}.sock"));
        let own = std::env::current_exe().expect("a bench knows its own path");
        let mut command = Command::new(own);
        command.args(["yardstick".as_ref(), socket.as_os_str(), layout.as_ref()]);
        Self::start(command, format!("unix:{}", socket.display()))
    }

    fn start(mut command: Command, address: String) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe"))
            .read_line(&mut ready)
            .expect("the server says ready");
        assert!(!ready.is_empty(), "the server ended before it was ready");
        Self { child, address }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A peer that ended by itself is as gone as one that is killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of its own for sockets; short, because a socket's path is.
pub fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("sp")
        .tempdir_in("/tmp")
        .expect("a folder in /tmp")
}
