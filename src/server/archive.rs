//! Sessions as a whole: forks, checkpoints, export and import.
//!
//! Export and import hold one line at a time beside the variables themselves; both write and read lines where nobody
//! waits for them.

use std::{mem, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    admin::count,
    bridge_service::{Reply, Service, durability},
    origin,
    sessions::{ttl, ttl_seconds},
};
use crate::{
    bridge::{Beginning, Opening, new_epoch, wall_now},
    error::{Error, Kind, Result},
    proto::admin as pb,
    session::{Checkpoint, Command, MAX_SESSION_BYTES, MAX_VARIABLES, Metadata, Variable},
    wire::{
        lines::{self, Header},
        time::timestamp,
    },
};

/// Bytes of one message of an export.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Messages of an export on their way to one client.
const CHUNKS: usize = 4;

/// Longest line of an import: the largest payload that a message carries, in base64, and what stands around it.
const MAX_LINE_BYTES: usize = 96 * 1024 * 1024;

/// Longest silence of a client that imports: while it has its turn, others wait.
const SILENCE: Duration = Duration::from_secs(30);

/// A file on its way.
pub(super) type Lines = ReceiverStream<Result<pb::ExportChunk, Status>>;

impl Service {
    pub(super) async fn fork_session(
        &self,
        request: Request<pb::ForkSessionRequest>,
    ) -> Reply<pb::ForkSessionResponse> {
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let beginning = Beginning::of(&live, named(&request.checkpoint))?;
        let forked_revision = beginning.origin.revision.0;
        let opening = Opening {
            id: request.new_session_id,
            metadata: request.metadata.into_iter().collect(),
            ttl: ttl(request.ttl_seconds)?,
            history_limit: 0,
            create_only: true,
        };
        let made = self.bridge.begin_with(&opening, beginning).await?.live;
        let state = made.read();
        Ok(Response::new(pb::ForkSessionResponse {
            epoch: state.epoch.0,
            revision: state.revision.0,
            variables: count(state.len()),
            forked_revision,
        }))
    }

    pub(super) async fn create_checkpoint(
        &self,
        request: Request<pb::CreateCheckpointRequest>,
    ) -> Reply<pb::CreateCheckpointResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let command = Command::Checkpoint(request.name.clone());
        let committed = self.commit_one(&live, command, actor).await?;
        let kept = live.read().checkpoint(&request.name).map(|kept| summary(kept));
        Ok(Response::new(pb::CreateCheckpointResponse {
            checkpoint: kept,
            revision: committed.revision.0,
            durability: durability(committed.durability) as i32,
        }))
    }

    pub(super) async fn list_checkpoints(
        &self,
        request: Request<pb::ListCheckpointsRequest>,
    ) -> Reply<pb::ListCheckpointsResponse> {
        let live = self.bridge.session(&request.into_inner().session_id)?;
        let checkpoints = live.read().checkpoints().map(|kept| summary(kept)).collect();
        Ok(Response::new(pb::ListCheckpointsResponse { checkpoints }))
    }

    pub(super) async fn delete_checkpoint(
        &self,
        request: Request<pb::DeleteCheckpointRequest>,
    ) -> Reply<pb::DeleteCheckpointResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let command = Command::DropCheckpoint(request.name);
        let committed = self.commit_one(&live, command, actor).await?;
        Ok(Response::new(pb::DeleteCheckpointResponse {
            revision: committed.revision.0,
        }))
    }

    pub(super) async fn restore_checkpoint(
        &self,
        request: Request<pb::RestoreCheckpointRequest>,
    ) -> Reply<pb::RestoreCheckpointResponse> {
        let actor = origin::actor(&request);
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let epoch = new_epoch()?;
        let command = Command::Restore {
            name: request.name,
            epoch,
        };
        let committed = self.commit_one(&live, command, actor).await?;
        Ok(Response::new(pb::RestoreCheckpointResponse {
            epoch: epoch.0,
            revision: committed.revision.0,
            variables: count(live.read().len()),
            durability: durability(committed.durability) as i32,
        }))
    }

    pub(super) async fn export_session(&self, request: Request<pb::ExportSessionRequest>) -> Reply<Lines> {
        let request = request.into_inner();
        let live = self.bridge.session(&request.session_id)?;
        let taken = Beginning::of(&live, named(&request.checkpoint))?;
        let (send, receive) = mpsc::channel(CHUNKS);
        // The session stays while it is read, as under a watch.
        let hold = live.hold();
        self.home.spawn_blocking(move || {
            let _hold = hold;
            let mut out = Outgoing::new(send, taken.variables.len());
            if let Err(error) = out.write(&taken) {
                out.fail(error);
            }
        });
        Ok(Response::new(ReceiverStream::new(receive)))
    }

    pub(super) async fn import_session(
        &self,
        request: Request<Streaming<pb::ImportChunk>>,
    ) -> Reply<pb::ImportSessionResponse> {
        let shutting_down = || Error::new(Kind::ShuttingDown, "the bridge is shutting down");
        let _turn = self.imports.acquire().await.map_err(|_| shutting_down())?;
        let mut stream = request.into_inner();
        let (mut target, mut incoming) = (None, Incoming::default());
        let silent = |_| {
            Error::new(Kind::TimedOut, "the import was given up")
                .detail(format!("nothing came for {} s", SILENCE.as_secs()))
        };
        while let Some(chunk) = tokio::time::timeout(SILENCE, stream.message())
            .await
            .map_err(silent)??
        {
            target = target.or(chunk.target);
            let number = self.bridge.next_numbers(0);
            let read = self.home.spawn_blocking(move || {
                incoming.read(chunk.data, number)?;
                Ok::<_, Error>(incoming)
            });
            incoming = read.await.map_err(|_| shutting_down())??;
        }
        let target = target.unwrap_or_default();
        let (header, variables) = incoming.finish()?;
        let opening = Opening {
            id: if target.session_id.is_empty() {
                header.origin.session.clone()
            } else {
                target.session_id
            },
            metadata: Metadata::new(),
            ttl: ttl(target.ttl_seconds)?,
            history_limit: 0,
            create_only: true,
        };
        let beginning = Beginning {
            ttl: ttl(header.ttl_seconds)?.unwrap_or(crate::session::Ttl::Never),
            origin: header.origin,
            metadata: header.metadata,
            history_limit: header.history_limit,
            variables,
        };
        let made = self.bridge.begin_with(&opening, beginning).await?.live;
        let state = made.read();
        Ok(Response::new(pb::ImportSessionResponse {
            session_id: made.id().as_str().to_owned(),
            epoch: state.epoch.0,
            revision: state.revision.0,
            variables: count(state.len()),
        }))
    }
}

fn named(checkpoint: &str) -> Option<&str> {
    (!checkpoint.is_empty()).then_some(checkpoint)
}

fn summary(kept: &Checkpoint) -> pb::CheckpointSummary {
    pb::CheckpointSummary {
        name: kept.name.as_str().to_owned(),
        revision: kept.revision.0,
        created_at: Some(timestamp(kept.at)),
        created_by: kept.by.as_str().to_owned(),
        variables: count(kept.variables.len()),
        bytes: u64::try_from(kept.bytes).unwrap_or(u64::MAX),
    }
}

/// A file that is written, in messages of at most [`CHUNK_BYTES`]. Blocks where the client is slow.
struct Outgoing {
    send: mpsc::Sender<Result<pb::ExportChunk, Status>>,
    pending: BytesMut,
    done: usize,
    all: usize,
}

impl Outgoing {
    fn new(send: mpsc::Sender<Result<pb::ExportChunk, Status>>, all: usize) -> Self {
        Self {
            send,
            pending: BytesMut::new(),
            done: 0,
            all,
        }
    }

    fn write(&mut self, taken: &Beginning) -> Result<()> {
        let header = Header {
            origin: taken.origin.clone(),
            metadata: taken.metadata.clone(),
            ttl_seconds: ttl_seconds(taken.ttl),
            history_limit: taken.history_limit,
            variables: self.all,
        };
        if !self.put(&lines::write_header(&header, wall_now())?) {
            return Ok(());
        }
        for variable in &taken.variables {
            let line = lines::write_variable(variable)?;
            self.done += 1;
            if !self.put(&line) {
                return Ok(());
            }
        }
        let rest = self.pending.split().freeze();
        self.send(rest);
        Ok(())
    }

    /// Adds a line; false when the client went away.
    fn put(&mut self, line: &[u8]) -> bool {
        for part in line.chunks(CHUNK_BYTES) {
            if self.pending.len() + part.len() > CHUNK_BYTES {
                let full = self.pending.split().freeze();
                if !self.send(full) {
                    return false;
                }
            }
            self.pending.extend_from_slice(part);
        }
        true
    }

    fn send(&self, data: Bytes) -> bool {
        let chunk = pb::ExportChunk {
            data,
            variables_done: count(self.done),
            variables: count(self.all),
        };
        self.send.blocking_send(Ok(chunk)).is_ok()
    }

    fn fail(&self, error: Error) {
        // Nobody is left to be told when the client went away.
        let _ = self.send.blocking_send(Err(error.into()));
    }
}

/// A file that is read: whole lines are judged as they come, the rest waits for more.
#[derive(Default)]
struct Incoming {
    rest: BytesMut,
    lines: usize,
    header: Option<Header>,
    variables: Vec<Arc<Variable>>,
    bytes: usize,
}

impl Incoming {
    /// Takes a part of the file. `number` stands in the ids until the variables are planted.
    fn read(&mut self, data: Bytes, number: u64) -> Result<()> {
        let mut from = self.rest.len();
        self.rest.extend_from_slice(&data);
        while let Some(end) = self.rest[from..].iter().position(|byte| *byte == b'\n') {
            let line = self.rest.split_to(from + end + 1);
            from = 0;
            self.line(&line, number)?;
        }
        if self.rest.len() > MAX_LINE_BYTES {
            return Err(lines::bad(
                self.lines + 1,
                format!("it is longer than {MAX_LINE_BYTES} bytes"),
            ));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], number: u64) -> Result<()> {
        self.lines += 1;
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let Some(header) = &self.header else {
            self.header = Some(lines::read_header(line)?);
            return Ok(());
        };
        if self.variables.len() >= header.variables {
            return Err(lines::bad(
                self.lines,
                "there are more lines than the first one says",
            ));
        }
        let seed = lines::read_variable(line, self.lines)?;
        let name = seed.name.clone();
        let variable = seed.judge(number).map_err(|error| {
            Error::new(
                error.kind(),
                format!("`{}` cannot be imported", name.escape_debug()),
            )
            .detail(format!("line {}: {error}", self.lines))
        })?;
        self.bytes = self.bytes.saturating_add(variable.weight());
        if self.variables.len() >= MAX_VARIABLES || self.bytes > MAX_SESSION_BYTES {
            return Err(Error::new(
                Kind::LimitExceeded,
                format!("a session holds at most {MAX_VARIABLES} variables and {MAX_SESSION_BYTES} bytes"),
            ));
        }
        self.variables.push(Arc::new(variable));
        Ok(())
    }

    fn finish(mut self) -> Result<(Header, Vec<Arc<Variable>>)> {
        // The last line may lack its end.
        let rest = mem::take(&mut self.rest);
        self.line(&rest, 0)?;
        let Some(header) = self.header else {
            return Err(lines::bad(1, "the file is empty"));
        };
        if self.variables.len() != header.variables {
            return Err(lines::bad(
                self.lines,
                format!(
                    "the file is cut off: it has {} of {} variables",
                    self.variables.len(),
                    header.variables
                ),
            ));
        }
        let mut names: Vec<_> = self
            .variables
            .iter()
            .map(|variable| variable.name.as_str())
            .collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(lines::bad(self.lines, format!("`{}` is there twice", pair[0])));
        }
        Ok((header, self.variables))
    }
}
