//! `WatchVariables`: a subscription of the bridge as a stream of updates in the client's vocabulary.
//!
//! The stream is pulled: HTTP/2 flow control reaches this loop, so that a reader who stalls costs one update in
//! hand and its cursor, and nothing waits for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use prost::Message as _;
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    bridge_service::{Reply, Service},
    origin,
};
use crate::{
    bridge::{Progress, Snapshot, Start, Subscription, compacted, wall_now},
    error::{Error, Kind, Result},
    proto::bridge as pb,
    session::{Commit, Epoch, Event, Glob, Revision, Selector},
    wire::update::{self, Dialect, kind},
};

/// Updates on their way to one client's connection. The reader's own window bounds what follows.
const IN_HAND: usize = 64;

/// An update of more bytes than this waits until it is the only one in hand.
const LARGE_UPDATE: usize = 64 * 1024;

/// Updates, and bytes of updates, that travel in one message.
const BATCH_UPDATES: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;

/// Silence after which a client that does not say gets a bookmark.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The stream of one watch.
pub(super) type Updates = ReceiverStream<Result<pb::VariableUpdate, Status>>;

/// What the client asked for beyond names.
struct Options {
    dialect: Dialect,
    /// It reads many updates from one message.
    batches: bool,
    strict: bool,
    include_unchanged: bool,
    throttle: Duration,
    heartbeat: Duration,
    update_types: Vec<String>,
}

struct Stream {
    subscription: Subscription,
    options: Options,
    send: mpsc::Sender<Result<pb::VariableUpdate, Status>>,
}

/// The client went away; the watch ends and nobody has to be told.
struct Gone;

impl Service {
    pub(super) async fn watch_variables(
        &self,
        request: Request<pb::WatchVariablesRequest>,
    ) -> Reply<Updates> {
        let encoding = origin::encoding(request.metadata());
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let start = match request.after_revision {
            Some(after) => Start::After(
                Revision(after),
                (request.epoch != 0).then_some(Epoch(request.epoch)),
            ),
            None if request.include_initial_values && !request.updates_only => Start::Snapshot,
            None => Start::Updates,
        };
        // A glob may match nothing yet; a name has to exist unless the client says otherwise.
        let selector = Selector::new(&request.variable_identifiers);
        debug_assert!(selector.exact().all(|name| !Glob::is_one(name)));
        let (snapshot, subscription) =
            self.bridge
                .subscribe(&live, selector, start, request.allow_missing)?;
        let options = Options {
            dialect: Dialect {
                extended: request.extended,
                encoding,
            },
            batches: request.accept_batch,
            strict: request.strict,
            include_unchanged: request.include_unchanged,
            throttle: Duration::from_millis(request.throttle_ms.into()),
            heartbeat: match request.heartbeat_ms {
                0 => HEARTBEAT,
                milliseconds => Duration::from_millis(milliseconds.into()),
            },
            update_types: request.update_types,
        };
        let (send, receive) = mpsc::channel(IN_HAND);
        let stream = Stream {
            subscription,
            options,
            send,
        };
        tokio::spawn(stream.run(snapshot, self.stop.clone()));
        Ok(Response::new(ReceiverStream::new(receive)))
    }
}

impl Stream {
    async fn run(mut self, snapshot: Option<Snapshot>, stop: CancellationToken) {
        let send = self.send.clone();
        tokio::select! {
            // Ends also when the client goes away in silence: an idle watch must not hold its session for ever.
            () = send.closed() => {}
            _ = self.follow(snapshot) => {}
            () = stop.cancelled() => {
                let goodbye = Error::new(Kind::ShuttingDown, "the bridge is shutting down")
                    .hint("watch again with the last revision seen; nothing is lost while it is kept");
                // A reader that has stalled is told by the end of the connection.
                let _ = send.try_send(Err(goodbye.into()));
            }
        }
    }

    async fn follow(&mut self, snapshot: Option<Snapshot>) -> Result<(), Gone> {
        if let Some(snapshot) = snapshot {
            self.anchor(&snapshot).await?;
        }
        let heartbeat = self.options.heartbeat;
        // When this client last heard something: commits that are not for it are silence to it.
        let mut heard = Instant::now();
        loop {
            match tokio::time::timeout_at(heard + heartbeat, self.subscription.next()).await {
                Err(_) => {
                    self.control(kind::HEARTBEAT, self.subscription.cursor(), |_| {})
                        .await?;
                    heard = Instant::now();
                }
                Ok(Err(error)) => return self.fail(error.into()).await,
                Ok(Ok(Progress::Commits(mut commits))) => {
                    let began = Instant::now();
                    if !self.options.throttle.is_zero() {
                        self.subscription.drain_into(&mut commits);
                    }
                    if self.commits(&commits).await? {
                        heard = Instant::now();
                    } else if let Some(last) = commits.last()
                        && heard.elapsed() >= heartbeat
                    {
                        self.control(kind::HEARTBEAT, last.revision, |_| {}).await?;
                        heard = Instant::now();
                    }
                    if !self.options.throttle.is_zero() {
                        tokio::time::sleep_until(began + self.options.throttle).await;
                    }
                }
                Ok(Ok(Progress::Resync { first, .. })) if self.options.strict => {
                    return self.fail(compacted(first).into()).await;
                }
                Ok(Ok(Progress::Resync {
                    missed,
                    first,
                    snapshot,
                })) => {
                    self.control(kind::RESYNC, snapshot.revision, |update| {
                        update.missed = missed;
                        update.first_revision = first.0;
                        update.revision_end = false;
                    })
                    .await?;
                    self.anchor(&snapshot).await?;
                    heard = Instant::now();
                }
                Ok(Ok(Progress::Closed(reason))) => {
                    let cursor = self.subscription.cursor();
                    return self
                        .control(kind::SESSION_CLOSED, cursor, |update| update.reason = reason)
                        .await;
                }
            }
        }
    }

    /// Everything that is there at one revision, then the marker that says so.
    async fn anchor(&self, snapshot: &Snapshot) -> Result<(), Gone> {
        let mut updates = Batch::new(self);
        for variable in &snapshot.variables {
            updates
                .add(update::initial(
                    self.options.dialect,
                    snapshot.epoch,
                    snapshot.revision,
                    variable,
                ))
                .await?;
        }
        updates.flush().await?;
        self.control(kind::INITIAL_COMPLETE, snapshot.revision, |_| {})
            .await
    }

    /// Tells what of these commits the client is to know; false when that is nothing.
    async fn commits(&self, commits: &[Arc<Commit>]) -> Result<bool, Gone> {
        let latest = self.latest(commits);
        let mut batch = Batch::new(self);
        let mut any = false;
        for commit in commits {
            let mut updates: Vec<_> = commit
                .events
                .iter()
                .filter(|event| {
                    self.wants(event) && latest.as_ref().is_none_or(|latest| latest.keeps(commit, event))
                })
                .filter_map(|event| update::event(self.options.dialect, commit, event))
                .collect();
            if let Some(last) = updates.last_mut() {
                last.revision_end = true;
            }
            any |= !updates.is_empty();
            for update in updates {
                batch.add(update).await?;
            }
        }
        batch.flush().await?;
        Ok(any)
    }

    /// Under a throttle: the last write of each variable among these commits that this watch is told of.
    fn latest(&self, commits: &[Arc<Commit>]) -> Option<Latest> {
        if self.options.throttle.is_zero() {
            return None;
        }
        let mut latest = HashMap::new();
        for commit in commits {
            for event in &commit.events {
                // Of those that are told: an equal write after it must not swallow a change.
                if let (Event::ValueSet { .. }, Some(variable)) = (event, event.variable())
                    && self.wants(event)
                {
                    latest.insert(variable.id.clone(), commit.revision);
                }
            }
        }
        Some(Latest(latest))
    }

    fn wants(&self, event: &Event) -> bool {
        let Some(variable) = event.variable() else {
            return false;
        };
        if !self.subscription.selector().matches(variable) {
            return false;
        }
        let types = &self.options.update_types;
        if !types.is_empty()
            && !update::word(event).is_some_and(|word| types.iter().any(|wanted| wanted == word))
        {
            return false;
        }
        match event {
            Event::ValueSet { old, new } => self.options.include_unchanged || !old.value.same_as(&new.value),
            _ => true,
        }
    }

    async fn control(
        &self,
        word: &str,
        at: Revision,
        fill: impl FnOnce(&mut pb::VariableUpdate),
    ) -> Result<(), Gone> {
        let mut update = update::control(
            self.options.dialect,
            word,
            self.subscription.epoch(),
            at,
            wall_now(),
        );
        fill(&mut update);
        self.put(update).await
    }

    async fn put(&self, update: pb::VariableUpdate) -> Result<(), Gone> {
        if update.encoded_len() > LARGE_UPDATE {
            // Alone in hand: a reader who stalls pins one large value and not as many as there are places.
            let mut places = self.send.reserve_many(IN_HAND).await.map_err(|_| Gone)?;
            if let Some(place) = places.next() {
                place.send(Ok(update));
            }
            return Ok(());
        }
        self.send.send(Ok(update)).await.map_err(|_| Gone)
    }

    async fn fail(&self, status: Status) -> Result<(), Gone> {
        self.send.send(Err(status)).await.map_err(|_| Gone)
    }
}

/// Updates that travel in one message where the client reads that: what is ready now, never waited for.
struct Batch<'a> {
    stream: &'a Stream,
    updates: Vec<pb::VariableUpdate>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn new(stream: &'a Stream) -> Self {
        Self {
            stream,
            updates: Vec::new(),
            bytes: 0,
        }
    }

    async fn add(&mut self, update: pb::VariableUpdate) -> Result<(), Gone> {
        if !self.stream.options.batches {
            return self.stream.put(update).await;
        }
        self.bytes += update.encoded_len();
        self.updates.push(update);
        if self.updates.len() >= BATCH_UPDATES || self.bytes >= BATCH_BYTES {
            return self.flush().await;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        self.bytes = 0;
        let mut updates = std::mem::take(&mut self.updates);
        match updates.len() {
            0 => Ok(()),
            1 => self.stream.put(updates.swap_remove(0)).await,
            _ => {
                self.stream
                    .put(pb::VariableUpdate {
                        batch: updates,
                        ..Default::default()
                    })
                    .await
            }
        }
    }
}

/// The revision of the last write of each variable.
struct Latest(HashMap<crate::session::VariableId, Revision>);

impl Latest {
    fn keeps(&self, commit: &Commit, event: &Event) -> bool {
        match (event, event.variable()) {
            (Event::ValueSet { .. }, Some(variable)) => self.0.get(&variable.id) == Some(&commit.revision),
            _ => true,
        }
    }
}
