//! A supervisor as its user sees it: what runs, what it prints, what happens to it.
//!
//! Shared by `worker spawn`, `serve --worker` and `demo`; it decides nothing about processes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    commands::Context,
    error::{Error, Kind, Result},
    ui::{Ink, Printer, Progress},
    workers::{
        event::{self, Event},
        options::{Surroundings, WorkerSettings},
        output::Stream,
        probe::Need,
        provision::{self, Request, provision},
        supervise::{Registrar, Supervisor},
        target::Target,
    },
};

/// Preparing that took longer than this is worth a line.
const TOLD: Duration = Duration::from_secs(2);

/// What to supervise.
pub(in crate::commands) struct Work<'a> {
    /// The SPEC, as typed.
    pub(in crate::commands) spec: &'a str,
    /// How to run it.
    pub(in crate::commands) settings: &'a WorkerSettings,
    /// The bridge's address, for the workers.
    pub(in crate::commands) bridge: String,
    /// The session that they serve; `None` = every session.
    pub(in crate::commands) session: Option<String>,
    /// Packages that the interpreter must have besides what every worker needs.
    pub(in crate::commands) extra: &'a [Need],
    /// Run in the file's own folder and not in this one.
    pub(in crate::commands) in_its_folder: bool,
}

/// A supervisor and the task that shows its events.
pub(in crate::commands) struct Supervision {
    supervisor: Supervisor,
    shown: JoinHandle<()>,
}

impl Supervision {
    /// Prepares the environment and starts the processes; returns when the first is registered.
    pub(in crate::commands) async fn start(
        work: Work<'_>,
        registrar: Arc<dyn Registrar>,
        context: &Context,
    ) -> Result<Self> {
        let target = Target::parse(work.spec)?;
        let around = surroundings(&work, &target, context).await?;
        let spec = work.settings.worker_spec(&target, around)?;
        let (listener, events) = event::queue();
        let mut supervisor = Supervisor::start(spec, registrar, listener)?;
        let shown = tokio::spawn(show(events, Arc::clone(&context.printer)));
        if let Err(error) = supervisor.started().await {
            supervisor.shutdown().await;
            // The events that led here are shown before the error that sums them up.
            let _ = shown.await;
            return Err(error);
        }
        Ok(Self { supervisor, shown })
    }

    /// Ends every process; nothing that they started is alive when it returns.
    pub(in crate::commands) async fn stop(self) {
        self.supervisor.shutdown().await;
        let _ = self.shown.await;
    }

    /// Kills everything at once when cancelled, also while [`Self::stop`] waits.
    pub(in crate::commands) fn killer(&self) -> tokio_util::sync::CancellationToken {
        self.supervisor.killer()
    }
}

/// Chooses an interpreter and completes it, with a line that moves meanwhile.
async fn surroundings(work: &Work<'_>, target: &Target, context: &Context) -> Result<Surroundings> {
    let variables = work.settings.environment()?.variables(0, work.settings.processes);
    let (python, extra) = (work.settings.python.clone(), work.extra.to_vec());
    let (wanted, printer) = (target.clone(), Arc::clone(&context.printer));
    let made = tokio::task::spawn_blocking(move || {
        let request = Request {
            python: python.as_deref(),
            target: Some(&wanted),
            extra: &extra,
            variables,
        };
        provision(&request, &Drawn::new(&printer))
    });
    let made = made
        .await
        .map_err(|_| Error::new(Kind::Internal, "preparing Python ended unexpectedly"))??;
    context.printer.note(made.line());
    Ok(Surroundings {
        python: made.python,
        boot: made.boot,
        overlay_path: made.overlay_path,
        bridge: work.bridge.clone(),
        session: work.session.clone(),
        default_cwd: work.in_its_folder.then(|| target.folder()),
        persistent: false,
    })
}

/// The progress of provisioning on a terminal; stages also in a pipe, because the first time takes long.
pub(in crate::commands) struct Drawn<'a> {
    printer: &'a Printer,
    line: Mutex<Progress>,
    began: Instant,
}

impl<'a> Drawn<'a> {
    /// Shown on a terminal only, and after a moment.
    pub(in crate::commands) fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            line: Mutex::new(printer.progress("preparing Python")),
            began: Instant::now(),
        }
    }
}

impl provision::Progress for Drawn<'_> {
    fn stage(&self, text: &str) {
        let mut line = self.line.lock();
        line.set(None, Some(text));
        if self.began.elapsed() > line.patience() {
            line.reveal();
        }
    }

    fn tick(&self) {
        let mut line = self.line.lock();
        if self.began.elapsed() > line.patience() {
            line.reveal();
        }
    }

    fn done(&self) {
        self.line.lock().finish();
        if self.began.elapsed() > TOLD {
            self.printer.note(format!(
                "prepared Python in {:.1} s; it is kept for next time",
                self.began.elapsed().as_secs_f64()
            ));
        }
    }
}

/// Shows events as they come. A process that fails before any was up is told by [`Supervision::start`]'s error, once;
/// its event is shown only when another one comes up after all.
async fn show(mut events: mpsc::Receiver<Event>, printer: Arc<Printer>) {
    let (mut up, mut failures) = (false, Vec::new());
    while let Some(event) = events.recv().await {
        if matches!(event, Event::Ready { .. }) && !up {
            up = true;
            failures
                .drain(..)
                .for_each(|failure| show_one(&failure, &printer));
        }
        if !up && matches!(event, Event::Failed { .. }) {
            failures.push(event);
        } else {
            show_one(&event, &printer);
        }
    }
}

fn show_one(event: &Event, printer: &Printer) {
    match event {
        Event::Starting { .. } | Event::Stopped { .. } => {}
        Event::Ready {
            worker_id,
            pid,
            tools,
            took,
        } => printer.done(format!(
            "worker {worker_id} is ready  (pid {pid}, {} ms): {}",
            took.as_millis(),
            tools.join(", ")
        )),
        Event::Output {
            worker_id,
            stream,
            line,
        } => {
            let ink = if *stream == Stream::Stderr {
                Ink::Warn
            } else {
                Ink::Faint
            };
            printer.passed_on(worker_id, ink, line);
        }
        Event::OutputLost { lines } => printer.warn(format!("{lines} lines of output were too fast to show")),
        Event::Exited {
            worker_id,
            exit,
            tail,
        } => {
            printer.warn(format!("worker {worker_id} ended by itself ({exit})"));
            for line in tail.iter().rev().take(5).rev() {
                printer.note(format!("  {line}"));
            }
        }
        Event::Restarting { worker_id, after } => {
            printer.note(format!(
                "worker {worker_id} starts again in {} ms",
                after.as_millis()
            ));
        }
        Event::Failed { error, .. } => printer.error(error),
        Event::LeaseLost { worker_id } => printer.warn(format!(
            "worker {worker_id} lost the bridge; it keeps running and registers again"
        )),
        Event::Waiting { worker_id, error } => {
            printer.note(format!("worker {worker_id} waits for the bridge: {error}"))
        }
        Event::Draining { worker_id, reason } => printer.note(format!("worker {worker_id} drains: {reason}")),
        Event::Stopping { worker_id, reason } => printer.note(format!("worker {worker_id} stops: {reason}")),
    }
}
