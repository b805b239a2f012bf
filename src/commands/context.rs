//! What every verb is given: the configuration, the printer, and a way to the bridge.

use std::future::Future;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::client::{Client, Options};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::ui::Printer;

/// What every verb is given.
#[derive(Debug)]
pub struct Context {
    /// The configuration in force.
    pub config: Config,
    /// The only way to stdout and stderr.
    pub printer: Arc<Printer>,
}

impl Context {
    /// Opens nothing yet.
    pub fn new(config: Config, printer: Printer) -> Self {
        Self {
            config,
            printer: Arc::new(printer),
        }
    }

    /// A client of the session in force.
    ///
    /// # Errors
    /// [`Kind::NoBridge`].
    pub async fn client(&self) -> Result<Client> {
        let options = Options {
            session: self.config.session.clone(),
            timeout: self.config.timeout,
        };
        Client::connect(&self.config.address, options).await
    }

    /// A client whose single requests have the default limit, whatever `--timeout` says: there it bounds the whole.
    ///
    /// # Errors
    /// [`Kind::NoBridge`].
    pub async fn patient_client(&self) -> Result<Client> {
        let options = Options {
            session: self.config.session.clone(),
            timeout: None,
        };
        Client::connect(&self.config.address, options).await
    }

    /// Runs a verb on a runtime of this thread.
    pub fn block_on<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| Error::io("the runtime could not be started", &cause))?
            .block_on(work)
    }
}

/// Ctrl-C, caught from the moment this is made: before that it ends the process at once.
#[derive(Debug)]
pub(super) struct Interrupts(Signal);

impl Interrupts {
    /// Begins to catch them.
    pub(super) fn catch() -> Result<Self> {
        signal(SignalKind::interrupt())
            .map(Self)
            .map_err(|cause| Error::io("Ctrl-C cannot be caught", &cause))
    }

    /// Returns when Ctrl-C is pressed.
    pub(super) async fn next(&mut self) -> Error {
        self.0.recv().await;
        Error::new(Kind::Interrupted, "interrupted")
    }
}
