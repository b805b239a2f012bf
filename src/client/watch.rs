//! A watch that lives on: it resumes by itself over a broken connection, in order, without loss or repetition.
//!
//! The cursor is the last revision of which everything was handed on. What came of a later revision before a break
//! is dropped and comes again whole, so an event is never told twice and never half.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tonic::Streaming;

use super::connection::bridge;
use super::view::time;
use super::{Client, Value, fault};
use crate::error::{Error, Kind, Result};
use crate::proto::bridge::{VariableUpdate, WatchVariablesRequest};

/// The pause before the first attempt to resume; each further one is twice as long up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// How often the bridge gives a sign of life, and how long a silence means that the connection is gone.
const HEARTBEAT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);

/// How long a resumed watch waits for the bridge's word that something was missed.
const WORD: Duration = Duration::from_millis(500);

/// Updates of one revision that are held until its end: a revision writes at most this many.
const REVISION_LIMIT: usize = 1_000;

/// What to watch.
#[derive(Debug, Clone, Default)]
pub struct WatchOptions {
    /// Names, ids or globs; empty = the whole session.
    pub identifiers: Vec<String>,
    /// Every update after this revision instead of the values there are.
    pub since: Option<u64>,
    /// Not the values there are.
    pub updates_only: bool,
}

/// What a watch tells.
#[derive(Debug, Clone)]
pub enum Event {
    /// A variable has or got a value, changed or went.
    Update(Box<Change>),
    /// The values there were are complete; updates after this revision follow.
    Ready(u64),
    /// The connection broke; it is being opened again.
    Reconnecting,
    /// It goes on after this revision; so many revisions could not be told.
    Resumed {
        /// The revision that it goes on after.
        revision: u64,
        /// Revisions that were not delivered and are no longer kept.
        missed: u64,
        /// The session was made anew meanwhile: nothing of its former revisions is left.
        anew: bool,
    },
    /// The session ended, with the reason; nothing follows.
    Closed(String),
}

/// What happened to a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was there when the watch began.
    Initial,
    /// It was registered.
    Registered,
    /// It was written.
    Value,
    /// It was deleted.
    Deleted,
    /// Its constraints, metadata, dependencies or lease changed.
    Other,
}

/// One update of one variable.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The word for it on the wire.
    pub type_name: String,
    /// The variable's name.
    pub name: String,
    /// Its value now; none once it is deleted.
    pub value: Option<Value>,
    /// Its value before, where it is known.
    pub old_value: Option<Value>,
    /// Its version.
    pub version: u64,
    /// The revision of the commit; of the snapshot for initial values.
    pub revision: u64,
    /// Who wrote it: python, cli and so on.
    pub source: String,
    /// When.
    pub time: Option<Timestamp>,
    /// Its constraints as JSON.
    pub constraints: String,
}

/// A watch of a session's variables.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    options: WatchOptions,
    stream: Option<Streaming<VariableUpdate>>,
    cursor: Option<u64>,
    epoch: u64,
    /// Updates of the revision that has not ended yet.
    open: Vec<Change>,
    ready: VecDeque<Event>,
    /// Versions that were told in a snapshot that is not complete, so that a second one does not repeat them.
    told: HashMap<String, u64>,
    resuming: bool,
    closed: bool,
}

impl Client {
    /// Watches variables on a connection of its own.
    ///
    /// # Errors
    /// [`Kind::VariableNotFound`] for an exact name that is not there.
    pub async fn watch(&self, options: WatchOptions) -> Result<Watch> {
        let mut watch = Watch {
            client: self.clone(),
            cursor: options.since,
            options,
            stream: None,
            epoch: 0,
            open: Vec::new(),
            ready: VecDeque::new(),
            told: HashMap::new(),
            resuming: false,
            closed: false,
        };
        if watch.options.updates_only && watch.cursor.is_none() {
            // Where it begins has to be known, or a break before the first update would hide one.
            let session = self.session_view(self.session()).await?;
            watch.cursor = Some(session.revision);
            watch.epoch = session.incarnation;
        }
        watch.stream = Some(watch.open_stream().await?);
        Ok(watch)
    }
}

impl Watch {
    /// What happens next; none after [`Event::Closed`]. Safe to drop while it waits.
    ///
    /// # Errors
    /// What no resuming can mend: the session is gone, access was taken away.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if self.closed {
                return None;
            }
            if self.stream.is_none() {
                if let Err(error) = self.resume().await {
                    self.closed = true;
                    return Some(Err(error));
                }
                continue;
            }
            match self.receive(SILENCE).await {
                Ok(Some(update)) => {
                    if let Err(error) = self.take(update) {
                        self.closed = true;
                        return Some(Err(error));
                    }
                }
                Ok(None) => self.broken(),
                Err(error) if fault::is_break(&error) => self.broken(),
                Err(error) => {
                    self.closed = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// The next update, or none when the stream ended or was silent for too long.
    async fn receive(&mut self, patience: Duration) -> Result<Option<VariableUpdate>> {
        let Some(stream) = self.stream.as_mut() else {
            return Ok(None);
        };
        match tokio::time::timeout(patience, stream.message()).await {
            Ok(update) => update.map_err(|status| fault::error(&status)),
            Err(_) => Ok(None),
        }
    }

    fn broken(&mut self) {
        self.stream = None;
        self.open.clear();
        self.resuming = true;
        self.ready.push_back(Event::Reconnecting);
    }

    /// Opens the stream again, however long that takes, and learns whether something was missed.
    async fn resume(&mut self) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        self.stream = loop {
            match self.open_stream().await {
                Ok(stream) => break Some(stream),
                Err(error) if fault::is_break(&error) => tokio::time::sleep(pause).await,
                Err(error) => return Err(error),
            }
            pause = (pause * 2).min(LAST_PAUSE);
        };
        let deadline = Instant::now() + WORD;
        let word = tokio::time::timeout_at(deadline, async {
            match self.stream.as_mut() {
                Some(stream) => stream.message().await,
                None => Ok(None),
            }
        });
        match word.await {
            Ok(Ok(Some(update))) => {
                if update.update_type != "resync" {
                    self.resumed(0);
                }
                self.take(update)
            }
            Ok(Ok(None)) => {
                self.stream = None;
                tokio::time::sleep(FIRST_PAUSE).await;
                Ok(())
            }
            Ok(Err(status)) => {
                self.stream = None;
                let error = fault::error(&status);
                if !fault::is_break(&error) {
                    return Err(error);
                }
                tokio::time::sleep(FIRST_PAUSE).await;
                Ok(())
            }
            Err(_) => {
                self.resumed(0);
                Ok(())
            }
        }
    }

    fn resumed(&mut self, missed: u64) {
        self.resuming = false;
        self.ready.push_back(Event::Resumed {
            revision: self.cursor.unwrap_or(0),
            missed,
            anew: false,
        });
    }

    async fn open_stream(&self) -> Result<Streaming<VariableUpdate>> {
        let again = self.resuming;
        let request = WatchVariablesRequest {
            session_id: self.client.session().to_owned(),
            variable_identifiers: self.options.identifiers.clone(),
            include_initial_values: !self.options.updates_only && self.cursor.is_none(),
            after_revision: self.cursor,
            epoch: self.epoch,
            heartbeat_ms: HEARTBEAT.as_millis() as u32,
            extended: true,
            // A name that was there stays armed, also where the bridge came back without it.
            allow_missing: again,
            accept_batch: true,
            ..Default::default()
        };
        let mut stub = bridge(self.client.apart().await?);
        let reply = stub
            .watch_variables(request)
            .await
            .map_err(|status| fault::error(&status))?;
        Ok(reply.into_inner())
    }

    /// Hands on what an update tells. Updates of one revision are held until it has ended.
    fn take(&mut self, update: VariableUpdate) -> Result<()> {
        if !update.batch.is_empty() {
            return update.batch.into_iter().try_for_each(|update| self.take(update));
        }
        let anew = self.epoch != 0 && update.epoch != 0 && update.epoch != self.epoch;
        if anew {
            // The same version of another incarnation is another value.
            self.told.clear();
        }
        if update.epoch != 0 {
            self.epoch = update.epoch;
        }
        match update.update_type.as_str() {
            "heartbeat" => self.moved(update.revision),
            "initial_complete" => {
                self.told.clear();
                self.moved(update.revision);
                self.ready.push_back(Event::Ready(update.revision));
            }
            "resync" => {
                self.open.clear();
                self.cursor = None;
                self.told.clear();
                self.resuming = false;
                // The snapshot that follows is wanted now, whatever was asked for at first.
                self.options.updates_only = false;
                self.ready.push_back(Event::Resumed {
                    revision: update.revision,
                    missed: update.missed,
                    anew,
                });
            }
            "session_closed" => {
                self.closed = true;
                self.ready.push_back(Event::Closed(update.reason));
            }
            "initial_value" => {
                let change = Change::read(update)?;
                if self.told.insert(change.name.clone(), change.version) != Some(change.version) {
                    self.ready.push_back(Event::Update(Box::new(change)));
                }
            }
            _ => self.hold(update)?,
        }
        Ok(())
    }

    fn hold(&mut self, update: VariableUpdate) -> Result<()> {
        let (revision, ends) = (update.revision, update.revision_end);
        if self.cursor.is_some_and(|cursor| revision <= cursor) {
            return Ok(());
        }
        if self.open.first().is_some_and(|first| first.revision != revision) {
            self.end_revision();
        }
        if self.open.len() >= REVISION_LIMIT {
            return Err(Error::new(
                Kind::LimitExceeded,
                format!("revision {revision} has more than {REVISION_LIMIT} updates"),
            ));
        }
        self.open.push(Change::read(update)?);
        if ends {
            self.end_revision();
        }
        Ok(())
    }

    fn end_revision(&mut self) {
        let Some(revision) = self.open.first().map(|change| change.revision) else {
            return;
        };
        let changes = self.open.drain(..).map(|change| Event::Update(Box::new(change)));
        self.ready.extend(changes);
        self.moved(revision);
    }

    fn moved(&mut self, revision: u64) {
        if self.open.is_empty() && self.cursor.is_none_or(|cursor| revision > cursor) {
            self.cursor = Some(revision);
        }
    }
}

impl Change {
    fn read(update: VariableUpdate) -> Result<Self> {
        let kind = match update.update_type.as_str() {
            "initial_value" => ChangeKind::Initial,
            "registered" => ChangeKind::Registered,
            "value_change" => ChangeKind::Value,
            "deleted" => ChangeKind::Deleted,
            _ => ChangeKind::Other,
        };
        let variable = update.variable.unwrap_or_default();
        let source = Some(update.update_source)
            // Of a value that was there before it says only that.
            .filter(|source| !source.is_empty() && kind != ChangeKind::Initial)
            .or_else(|| variable.metadata.get("source").cloned())
            .unwrap_or_default();
        let gone = kind == ChangeKind::Deleted || variable.value.is_none();
        Ok(Self {
            value: if gone {
                None
            } else {
                Some(Value::decode(variable.value.as_ref())?)
            },
            old_value: update
                .old_value
                .as_ref()
                .map(|old| Value::decode(Some(old)))
                .transpose()?,
            version: super::view::exact(variable.version64, variable.version),
            revision: update.revision,
            time: time(update.timestamp.as_ref()).or_else(|| time(variable.last_updated_at.as_ref())),
            name: if variable.name.is_empty() {
                update.variable_id
            } else {
                variable.name
            },
            constraints: variable.constraints_json,
            type_name: update.update_type,
            kind,
            source,
        })
    }
}
