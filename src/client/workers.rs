//! Workers: list.

use jiff::Timestamp;
use serde::Serialize;

use super::Client;
use super::view::{as_iso, time};
use crate::error::Result;
use crate::proto::admin::ListWorkersRequest;

/// A worker as it was read.
#[derive(Debug, Clone, Serialize)]
pub struct WorkerView {
    /// Its id.
    pub id: String,
    /// starting, ready, busy, draining, unhealthy or dead.
    pub state: String,
    /// Its process on its host.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// The session it serves; none = every session.
    pub session: Option<String>,
    /// Its tools.
    pub tools: Vec<String>,
    /// Calls that it runs now.
    pub running: u32,
    /// Calls that it can run at once.
    pub capacity: u32,
    /// Calls that ended well.
    pub finished: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Times that its slot was started again.
    pub restarts: u32,
    /// What it was spawned from, as typed.
    pub source: String,
    /// Its Python.
    pub python_version: String,
    /// Its package snakepit.
    pub package_version: String,
    /// Where the bridge dials it.
    pub address: String,
    /// When it started.
    #[serde(serialize_with = "as_iso")]
    pub started_at: Option<Timestamp>,
}

impl Client {
    /// Every worker, by id.
    pub async fn workers(&self) -> Result<Vec<WorkerView>> {
        let reply = self
            .ask(ListWorkersRequest {}, async |admin, request| {
                admin.list_workers(request).await
            })
            .await?;
        let views = reply.workers.into_iter().map(|worker| WorkerView {
            id: worker.worker_id,
            state: worker.state,
            pid: worker.pid,
            host: worker.host,
            session: Some(worker.session_id).filter(|id| !id.is_empty()),
            tools: worker.tools,
            running: worker.running,
            capacity: worker.capacity,
            finished: worker.finished,
            failed: worker.failed,
            restarts: worker.restarts,
            source: worker.source,
            python_version: worker.python_version,
            package_version: worker.package_version,
            address: worker.address,
            started_at: time(worker.started_at.as_ref()),
        });
        Ok(views.collect())
    }
}
