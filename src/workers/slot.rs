//! One place for one process: start, register, watch, start again.
//!
//! A slot ends only when it is told to, or when nothing of its supervisor has ever come up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::sys::machine;

use super::backoff::{Backoff, LONGEST, LONGEST_AFTER_UP, LONGEST_FOR_BRIDGE, SETTLED};
use super::event::{Event, Listener};
use super::output::Sink;
use super::spawn::{self, Start, Worker};
use super::supervise::{Announcement, Lease, Order, Registrar, WorkerSpec, is_lasting};

/// How a slot's first start went; told once.
pub(super) enum First {
    Up,
    Failed(Error),
}

pub(super) struct Slot {
    pub(super) spec: Arc<WorkerSpec>,
    /// From 0.
    pub(super) index: u32,
    pub(super) worker_id: String,
    pub(super) registrar: Arc<dyn Registrar>,
    pub(super) listener: Listener,
    pub(super) stop: CancellationToken,
    pub(super) kill: CancellationToken,
    pub(super) first: Option<mpsc::Sender<First>>,
    /// True once any slot of the supervisor was up.
    pub(super) up: watch::Sender<bool>,
}

/// Why a running process is left.
enum Left {
    /// It was registered, and ended by itself or was ended by the bridge: another one follows.
    Gone,
    /// It ended by itself before it was registered: another one follows.
    NeverUp,
    /// The bridge refused it before it ever took a call.
    Refused(Error),
    /// The supervisor stops, and the process still runs.
    Stopped,
    /// The supervisor stops, and the process was ended.
    Ended,
}

impl Slot {
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut restarts = 0;
        loop {
            let born = Instant::now();
            self.tell(Event::Starting { worker_id: self.id() });
            let mut longest = LONGEST;
            match self.live(born, restarts).await {
                Left::Stopped | Left::Ended => break,
                Left::Gone => longest = LONGEST_AFTER_UP,
                Left::NeverUp => {}
                Left::Refused(error) => {
                    self.tell(Event::Failed {
                        worker_id: self.id(),
                        error: error.clone(),
                    });
                    if let Some(first) = self.first.take() {
                        let _ = first.try_send(First::Failed(error));
                    }
                    if !self.worth_another_try().await {
                        break;
                    }
                }
            }
            restarts += 1;
            if born.elapsed() >= SETTLED {
                backoff.reset();
            }
            let after = backoff.next(machine::random().unwrap_or(1), longest);
            self.tell(Event::Restarting {
                worker_id: self.id(),
                after,
            });
            if self.pause(after).await {
                break;
            }
        }
        self.tell(Event::Stopped { worker_id: self.id() });
    }

    /// After a failure: at once when a process has been up, else when another slot shows that it can work.
    async fn worth_another_try(&self) -> bool {
        let mut up = self.up.subscribe();
        if self.spec.persistent {
            return !self.stop.is_cancelled();
        }
        tokio::select! {
            seen = up.wait_for(|up| *up) => seen.is_ok(),
            () = self.stop.cancelled() => false,
        }
    }

    /// One process from start to end.
    async fn live(&mut self, born: Instant, restarts: u32) -> Left {
        let start = match self.start() {
            Ok(start) => start,
            Err(error) => return Left::Refused(error),
        };
        let started = tokio::select! {
            started = spawn::spawn(&start, self.sink()) => started,
            // What was started dies with the future: its lifeline closes.
            () = self.stop.cancelled() => return Left::Stopped,
        };
        let mut worker = match started {
            Ok(worker) => worker,
            Err(error) => return Left::Refused(error),
        };
        let address = match &self.spec.advertise {
            Some(host) => advertised(host, &worker.address),
            None => worker.address.clone(),
        };
        let who = Announcement {
            worker_id: self.id(),
            incarnation: start.incarnation,
            address,
            session_id: self.spec.session.clone(),
            pid: worker.pid,
            source: self.spec.source.clone(),
            restarts,
            host: machine::hostname(),
        };
        let left = self.serve(&mut worker, &who, born).await;
        match left {
            Left::Gone | Left::NeverUp | Left::Ended => {}
            Left::Refused(_) => {
                worker.stop(Duration::ZERO, std::future::ready(())).await;
            }
            Left::Stopped => self.end(&mut worker).await,
        }
        left
    }

    async fn end(&self, worker: &mut Worker) {
        self.tell(Event::Stopping {
            worker_id: self.id(),
            reason: "shutdown".into(),
        });
        worker.stop(self.spec.stop_grace, self.kill.cancelled()).await;
    }

    /// Keeps a process registered until it is to be left.
    async fn serve(&mut self, worker: &mut Worker, who: &Announcement, born: Instant) -> Left {
        let mut since = born;
        let mut ended = Left::NeverUp;
        loop {
            let lease = tokio::select! {
                lease = self.register(who) => lease,
                exit = worker.wait() => {
                    self.exited(worker, exit).await;
                    return ended;
                }
                () = self.stop.cancelled() => return Left::Stopped,
            };
            let mut lease = match lease {
                Ok(lease) => lease,
                Err(error) => return Left::Refused(error),
            };
            ended = Left::Gone;
            if let Some(first) = self.first.take() {
                let _ = first.try_send(First::Up);
            }
            self.up.send_replace(true);
            let tools = std::mem::take(&mut lease.tools);
            self.tell(Event::Ready {
                worker_id: self.id(),
                pid: worker.pid,
                tools,
                took: since.elapsed(),
            });
            loop {
                tokio::select! {
                    exit = worker.wait() => {
                        self.exited(worker, exit).await;
                        return Left::Gone;
                    }
                    () = self.stop.cancelled() => {
                        // Ended while its registration holds, so that its last calls can give their results.
                        self.end(worker).await;
                        drop(lease);
                        return Left::Ended;
                    }
                    order = lease.orders.recv() => match order {
                        None => break,
                        Some(Order::Drain { reason }) => {
                            self.tell(Event::Draining { worker_id: self.id(), reason });
                        }
                        Some(Order::Stop { reason }) => {
                            self.tell(Event::Stopping { worker_id: self.id(), reason });
                            worker.stop(self.spec.stop_grace, self.kill.cancelled()).await;
                            return Left::Gone;
                        }
                    },
                }
            }
            self.tell(Event::LeaseLost { worker_id: self.id() });
            since = Instant::now();
        }
    }

    async fn exited(&self, worker: &mut Worker, exit: spawn::Exit) {
        worker.settle().await;
        self.tell(Event::Exited {
            worker_id: self.id(),
            exit,
            tail: worker.tail(),
        });
    }

    /// Registers, again and again while the reason can pass. A process that took calls before is never given up.
    async fn register(&self, who: &Announcement) -> Result<Lease> {
        let mut backoff = Backoff::default();
        let mut told = false;
        loop {
            let error = match self.registrar.register(who.clone()).await {
                Ok(lease) => return Ok(lease),
                Err(error) => error,
            };
            let lasting = is_lasting(&error);
            if lasting && self.first.is_some() {
                return Err(error);
            }
            if !told {
                told = true;
                let worker_id = self.id();
                self.tell(if lasting {
                    Event::Failed { worker_id, error }
                } else {
                    Event::Waiting { worker_id, error }
                });
            }
            let after = backoff.next(machine::random().unwrap_or(1), LONGEST_FOR_BRIDGE);
            tokio::time::sleep(after).await;
        }
    }

    fn start(&self) -> Result<Start> {
        let spec = &self.spec;
        let mut variables = spec.environment.variables(self.index, spec.processes);
        if !spec.overlay_path.is_empty() {
            let joined = std::env::join_paths(&spec.overlay_path).map_err(|cause| {
                Error::new(
                    crate::error::Kind::Config,
                    format!("a path of the overlay: {cause}"),
                )
            })?;
            variables.insert("SNAKEPIT_OVERLAY_PATH".into(), joined);
        }
        Ok(Start {
            python: spec.python.clone(),
            boot: spec.boot.clone(),
            target: spec.argument.clone(),
            worker_id: self.id(),
            incarnation: machine::random().map_err(|cause| Error::io("cannot read random bytes", &cause))?,
            max_concurrent: spec.max_concurrent,
            listen: spec.listen.clone(),
            session: spec.session.clone(),
            bridge: spec.bridge.clone(),
            variables,
            cwd: spec.cwd.clone(),
            reaper: spec.reaper.clone(),
            ready_timeout: spec.ready_timeout,
        })
    }

    /// Waits. True = the supervisor stops.
    async fn pause(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.stop.cancelled()).await.is_ok()
    }

    fn sink(&self) -> Sink {
        let (listener, worker_id) = (self.listener.clone(), self.id());
        Arc::new(move |stream, line: &str| {
            listener(Event::Output {
                worker_id: worker_id.clone(),
                stream,
                line: line.to_owned(),
            });
        })
    }

    fn tell(&self, event: Event) {
        (self.listener)(event);
    }

    fn id(&self) -> String {
        self.worker_id.clone()
    }
}

/// The address that the bridge dials: the host it knows, with the port that the worker found.
fn advertised(host: &str, address: &str) -> String {
    match address.rsplit_once(':') {
        Some((_, port)) if !address.starts_with("unix:") => format!("{host}:{port}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertised_host_replaces_the_host_and_keeps_the_port() {
        assert_eq!(advertised("gpu1", "0.0.0.0:4711"), "gpu1:4711");
        assert_eq!(advertised("[fe80::1]", "[::]:4711"), "[fe80::1]:4711");
        assert_eq!(advertised("gpu1", "unix:/run/w.sock"), "unix:/run/w.sock");
    }
}
