//! The stage of the demo: a folder, the processes in it, and their lines side by side.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
};

use crate::{
    commands::{Context, worker::supervision::Drawn},
    error::{Error, Kind, Result},
    ui::Ink,
    workers::{
        environment::Environment,
        provision::{Request, provision},
        target::Target,
    },
};

/// What the demo brings along, so that it runs from anywhere.
const FILES: &[(&str, &str)] = &[
    ("train.py", include_str!("../../../examples/train.py")),
    ("text.py", include_str!("../../../examples/text.py")),
    ("architecture.md", include_str!("../../../docs/architecture.md")),
];

/// How long the bridge of the demo may take to be up with its workers.
const UP: Duration = Duration::from_secs(60);

/// How long it may take to end.
const DOWN: Duration = Duration::from_secs(15);

/// A folder of its own, gone at the end.
pub(super) struct Stage<'a> {
    context: &'a Context,
    folder: Folder,
    binary: PathBuf,
}

/// A line that a process printed.
pub(super) struct Line {
    pub(super) from: &'static str,
    pub(super) ink: Ink,
    pub(super) text: String,
}

/// A running command and where its lines come from.
pub(super) struct Actor {
    name: &'static str,
    ink: Ink,
    what: String,
    child: Child,
    out: Option<Lines<BufReader<ChildStdout>>>,
    err: Option<Lines<BufReader<ChildStderr>>>,
    last_error: Vec<String>,
}

/// Several that run side by side.
pub(super) trait Cast {
    /// The next line of this one or of its companion; `None` once this one has nothing more to say.
    async fn next_line(&mut self, companion: &mut Actor) -> Result<Option<Line>>;
}

/// A folder under the system's temporary one; removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing of value is in it; what cannot be removed now is removed with the other temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

// === impl Stage ===

impl<'a> Stage<'a> {
    pub(super) fn set(context: &'a Context) -> Result<Self> {
        let random =
            crate::sys::machine::random().map_err(|cause| Error::io("cannot read random bytes", &cause))?;
        let folder = Folder(std::env::temp_dir().join(format!("snakepit-demo-{:08x}", random & 0xffff_ffff)));
        crate::sys::directory::private(&folder.0)
            .map_err(|cause| Error::io(format!("cannot make `{}`", folder.0.display()), &cause))?;
        for (name, text) in FILES {
            let path = folder.0.join(name);
            std::fs::write(&path, text)
                .map_err(|cause| Error::io(format!("cannot write `{}`", path.display()), &cause))?;
        }
        let binary =
            std::env::current_exe().map_err(|cause| Error::io("cannot find this program", &cause))?;
        Ok(Self {
            context,
            folder,
            binary,
        })
    }

    /// Prepares Python here, where a bar can be drawn; the workers of the bridge then find it made.
    pub(super) async fn prepare_python(&self) -> Result<()> {
        let target = Target::parse(&self.folder.0.join("train.py").display().to_string())?;
        let printer = Arc::clone(&self.context.printer);
        let variables = Environment::new(false, &[], None)?.variables(0, 1);
        let made = tokio::task::spawn_blocking(move || {
            let request = Request {
                python: None,
                target: Some(&target),
                extra: &[],
                variables,
            };
            provision(&request, &Drawn::new(&printer))
        });
        let made = made
            .await
            .map_err(|_| Error::new(Kind::Internal, "preparing Python ended unexpectedly"))??;
        self.context.printer.note(made.line());
        Ok(())
    }

    /// Starts the bridge and waits until it serves.
    pub(super) async fn bridge(&self) -> Result<Actor> {
        let arguments = [
            "serve",
            "--ephemeral",
            "--worker",
            "text.py",
            "--worker",
            "train.py",
            "--ready-fd",
            "1",
        ];
        let mut bridge = self.start("serve", Ink::Faint, &arguments)?;
        let until = Instant::now() + UP;
        loop {
            let line = match tokio::time::timeout_at(until.into(), bridge.line()).await {
                Ok(line) => line?,
                Err(_) => {
                    return Err(Error::new(
                        Kind::TimedOut,
                        "the bridge of the demo was not up in time",
                    ));
                }
            };
            match line {
                Some((true, _)) => break,
                Some((false, text)) => {
                    if !text.starts_with("hint:") {
                        self.pass_on(&Line {
                            from: "serve",
                            ink: Ink::Faint,
                            text,
                        })?;
                    }
                }
                None => {
                    bridge.succeeded().await?;
                    return Err(Error::new(Kind::Internal, "the bridge of the demo ended at once"));
                }
            }
        }
        bridge.silence();
        Ok(bridge)
    }

    /// Runs a command to its end and shows what it printed.
    pub(super) async fn show(&self, arguments: &[&str], patience: Duration) -> Result<()> {
        self.pass_on(&Line::typed(&arguments.join(" ")))?;
        let mut with_table = arguments.to_vec();
        with_table.extend(["-o", "table"]);
        let mut actor = self.start("", Ink::Faint, &with_table)?;
        let shown = async {
            while let Some((_, text)) = actor.line().await? {
                self.context.printer.line(format!("  {text}"))?;
            }
            actor.succeeded().await
        };
        tokio::time::timeout(patience, shown).await.unwrap_or_else(|_| {
            Err(Error::new(
                Kind::TimedOut,
                format!("`snakepit {}` took too long", arguments.join(" ")),
            ))
        })
    }

    /// Starts a command of this binary in the folder, against the bridge of the demo.
    pub(super) fn start(&self, name: &'static str, ink: Ink, arguments: &[&str]) -> Result<Actor> {
        let socket = self.folder.0.join("demo.sock");
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(&self.folder.0)
            .env("SNAKEPIT_ADDRESS", format!("unix:{}", socket.display()))
            .env("SNAKEPIT_SESSION", "default")
            .env("COLUMNS", "110")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The demo passes the signal on; a process group of its own keeps Ctrl-C from arriving twice.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|cause| Error::io("cannot start a command of the demo", &cause))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Ok(Actor {
            name,
            ink,
            what: arguments.join(" "),
            child,
            out: out.map(|pipe| BufReader::new(pipe).lines()),
            err: err.map(|pipe| BufReader::new(pipe).lines()),
            last_error: Vec::new(),
        })
    }

    /// Says what comes next.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        let printer = &self.context.printer;
        printer.line("")?;
        printer.line(printer.paint(Ink::Strong, &format!("# {text}")))
    }

    /// Shows a line under the name of its process.
    pub(super) fn pass_on(&self, line: &Line) -> Result<()> {
        let printer = &self.context.printer;
        if line.from == "$" {
            return printer.line(format!("{} {}", printer.paint(Ink::Strong, "$"), line.text));
        }
        printer.line(format!(
            "{} {}",
            printer.paint(line.ink, &format!("{:>5} |", line.from)),
            line.text
        ))
    }
}

impl Line {
    /// A command as a user would type it.
    pub(super) fn typed(command: &str) -> Self {
        Self {
            from: "$",
            ink: Ink::Strong,
            text: format!("snakepit {command}"),
        }
    }
}

// === impl Actor ===

impl Actor {
    /// The next line and whether it was on stdout; `None` when both streams have ended.
    async fn line(&mut self) -> Result<Option<(bool, String)>> {
        loop {
            let (line, on_stdout) = match (&mut self.out, &mut self.err) {
                (None, None) => return Ok(None),
                (Some(out), None) => (out.next_line().await, true),
                (None, Some(err)) => (err.next_line().await, false),
                (Some(out), Some(err)) => tokio::select! {
                    line = out.next_line() => (line, true),
                    line = err.next_line() => (line, false),
                },
            };
            match line.map_err(|cause| Error::io(format!("cannot read from `{}`", self.what), &cause))? {
                Some(text) => {
                    if !on_stdout {
                        self.last_error.push(text.clone());
                    }
                    return Ok(Some((on_stdout, text)));
                }
                None if on_stdout => self.out = None,
                None => self.err = None,
            }
        }
    }

    /// Goes on reading and throws it away, so that the process never waits for a reader.
    fn silence(&mut self) {
        if let (Some(mut out), Some(mut err)) = (self.out.take(), self.err.take()) {
            tokio::spawn(async move { while let Ok(Some(_)) = out.next_line().await {} });
            tokio::spawn(async move { while let Ok(Some(_)) = err.next_line().await {} });
        }
    }

    /// Waits for the end, which has to be a good one.
    pub(super) async fn succeeded(&mut self) -> Result<()> {
        while self.line().await?.is_some() {}
        let status = self
            .child
            .wait()
            .await
            .map_err(|cause| Error::io(format!("cannot wait for `{}`", self.what), &cause))?;
        if status.success() {
            return Ok(());
        }
        let error = Error::new(
            Kind::Precondition,
            format!("`snakepit {}` failed ({status})", self.what),
        );
        Err(self.last_error.iter().cloned().fold(error, Error::detail))
    }

    /// Asks it to stop and waits.
    pub(super) async fn end(mut self) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // One that has ended by itself needs no signal.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if tokio::time::timeout(DOWN, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

impl Cast for Actor {
    async fn next_line(&mut self, companion: &mut Actor) -> Result<Option<Line>> {
        loop {
            let (from, ink, line) = tokio::select! {
                line = self.line() => (self.name, self.ink, line?),
                line = companion.line(), if companion.out.is_some() => (companion.name, companion.ink, line?),
            };
            match line {
                Some((_, text)) => return Ok(Some(Line { from, ink, text })),
                None if from == self.name => return Ok(None),
                // The companion has seen what it waited for.
                None => {}
            }
        }
    }
}
