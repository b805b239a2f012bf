//! Sessions as a whole: forks, checkpoints, export and import.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming};

use super::view::{as_iso, time};
use super::{Client, fault};
#[cfg(doc)]
use crate::error::Kind;
use crate::error::{Error, Result};
use crate::proto::admin::{
    CheckpointSummary, CreateCheckpointRequest, DeleteCheckpointRequest, ExportChunk, ExportSessionRequest,
    ForkSessionRequest, ImportChunk, ImportTarget, ListCheckpointsRequest, RestoreCheckpointRequest,
};

/// Bytes of one message of an import.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Messages of an import on their way.
const CHUNKS: usize = 4;

/// What was kept of a session.
#[derive(Debug, Clone, Serialize)]
pub struct CheckpointView {
    /// Its name.
    pub name: String,
    /// The revision that it shows.
    pub revision: u64,
    /// When it was made.
    #[serde(serialize_with = "as_iso")]
    pub created_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
    /// What it holds.
    pub variables: u32,
    /// The bytes of that.
    pub bytes: u64,
}

/// What a fork made.
#[derive(Debug, Clone, Copy)]
pub struct Forked {
    /// Variables of the new session.
    pub variables: u32,
    /// The revision of the other session that was taken.
    pub from_revision: u64,
}

/// What an import made.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The session.
    pub session: String,
    /// Its variables.
    pub variables: u32,
}

/// A file that comes part by part.
pub struct Exported(Streaming<ExportChunk>);

impl Client {
    /// Makes the session `to` from this one, or from what it kept as `checkpoint`. `ttl_seconds`: 0 = as this one's,
    /// -1 = never.
    ///
    /// # Errors
    /// [`Kind::SessionExists`], [`Kind::CheckpointNotFound`].
    pub async fn fork(&self, to: &str, checkpoint: Option<&str>, ttl_seconds: i64) -> Result<Forked> {
        let request = ForkSessionRequest {
            session_id: self.session().to_owned(),
            new_session_id: to.to_owned(),
            checkpoint: checkpoint.unwrap_or_default().to_owned(),
            ttl_seconds,
            ..Default::default()
        };
        let reply = self
            .order(request, async |admin, request| admin.fork_session(request).await)
            .await?;
        Ok(Forked {
            variables: reply.variables,
            from_revision: reply.forked_revision,
        })
    }

    /// Keeps everything of the session under a name.
    ///
    /// # Errors
    /// [`Kind::CheckpointExists`].
    pub async fn checkpoint(&self, name: &str) -> Result<CheckpointView> {
        let request = CreateCheckpointRequest {
            session_id: self.session().to_owned(),
            name: name.to_owned(),
        };
        let reply = self
            .order(request, async |admin, request| {
                admin.create_checkpoint(request).await
            })
            .await?;
        reply
            .checkpoint
            .map(view)
            .ok_or_else(|| super::variables::incomplete("CreateCheckpoint"))
    }

    /// What the session keeps, by name.
    pub async fn checkpoints(&self) -> Result<Vec<CheckpointView>> {
        let request = ListCheckpointsRequest {
            session_id: self.session().to_owned(),
        };
        let reply = self
            .ask(request, async |admin, request| {
                admin.list_checkpoints(request).await
            })
            .await?;
        Ok(reply.checkpoints.into_iter().map(view).collect())
    }

    /// Lets a checkpoint go.
    ///
    /// # Errors
    /// [`Kind::CheckpointNotFound`].
    pub async fn drop_checkpoint(&self, name: &str) -> Result<()> {
        let request = DeleteCheckpointRequest {
            session_id: self.session().to_owned(),
            name: name.to_owned(),
        };
        self.order(request, async |admin, request| {
            admin.delete_checkpoint(request).await
        })
        .await
        .map(drop)
    }

    /// Makes the session as it was at a checkpoint; the revision of that, and how many variables there are now.
    ///
    /// # Errors
    /// [`Kind::CheckpointNotFound`].
    pub async fn restore(&self, name: &str) -> Result<(u64, u32)> {
        let request = RestoreCheckpointRequest {
            session_id: self.session().to_owned(),
            name: name.to_owned(),
        };
        let reply = self
            .order(request, async |admin, request| {
                admin.restore_checkpoint(request).await
            })
            .await?;
        Ok((reply.revision, reply.variables))
    }

    /// The session as JSON lines, of one revision. Takes as long as it takes.
    ///
    /// # Errors
    /// [`Kind::SessionNotFound`], [`Kind::CheckpointNotFound`].
    pub async fn export(&self, checkpoint: Option<&str>) -> Result<Exported> {
        let request = ExportSessionRequest {
            session_id: self.session().to_owned(),
            checkpoint: checkpoint.unwrap_or_default().to_owned(),
        };
        let reply = self.admin().export_session(Request::new(request)).await;
        reply
            .map(|reply| Exported(reply.into_inner()))
            .map_err(|status| fault::error(&status))
    }

    /// Makes a session from JSON lines; `to` none = the name in the file, `ttl_seconds` 0 = as the file says. `read`
    /// hears how many bytes were read so far.
    ///
    /// # Errors
    /// [`Kind::SessionExists`], [`Kind::BadExport`]; then nothing was made.
    pub async fn import(
        &self,
        to: Option<&str>,
        ttl_seconds: i64,
        mut from: impl AsyncRead + Unpin,
        mut read: impl FnMut(u64),
    ) -> Result<Imported> {
        let (send, receive) = mpsc::channel(CHUNKS);
        let target = ImportTarget {
            session_id: to.unwrap_or_default().to_owned(),
            ttl_seconds,
        };
        let feed = async move {
            let mut target = Some(target);
            let mut done = 0;
            loop {
                let mut data = Vec::with_capacity(CHUNK_BYTES);
                (&mut from)
                    .take(CHUNK_BYTES as u64)
                    .read_to_end(&mut data)
                    .await?;
                if data.is_empty() && target.is_none() {
                    return Ok(());
                }
                done += data.len() as u64;
                let chunk = ImportChunk {
                    target: target.take(),
                    data: data.into(),
                };
                if send.send(chunk).await.is_err() {
                    // The bridge has refused it already; its answer says why.
                    return Ok::<_, std::io::Error>(());
                }
                read(done);
            }
        };
        let mut admin = self.admin();
        let answer = admin.import_session(ReceiverStream::new(receive));
        tokio::pin!(feed, answer);
        let reply = tokio::select! {
            fed = &mut feed => {
                fed.map_err(|cause| Error::io("the file could not be read", &cause))?;
                answer.await
            }
            reply = &mut answer => reply,
        };
        let reply = reply.map_err(|status| fault::error(&status))?.into_inner();
        Ok(Imported {
            session: reply.session_id,
            variables: reply.variables,
        })
    }
}

impl Exported {
    /// The next part, and how far the file is (0 to 1); none at its end.
    pub async fn next(&mut self) -> Result<Option<(Bytes, f64)>> {
        let chunk = self.0.message().await.map_err(|status| fault::error(&status))?;
        Ok(chunk.map(|chunk| {
            let fraction = f64::from(chunk.variables_done) / f64::from(chunk.variables.max(1));
            (chunk.data, fraction)
        }))
    }
}

fn view(summary: CheckpointSummary) -> CheckpointView {
    CheckpointView {
        name: summary.name,
        revision: summary.revision,
        created_at: time(summary.created_at.as_ref()),
        created_by: summary.created_by,
        variables: summary.variables,
        bytes: summary.bytes,
    }
}
