//! The lease of an attached worker, for whoever brought it in.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::desk::Desk;
use super::link::Link;
use super::roster::Enrolled;
use crate::proto::admin::WorkerOrder;

/// A worker that takes calls. Dropping it takes the worker and its tools out; its calls end as those of a worker
/// that died.
pub struct Attached {
    /// The tools that it brought, sorted by name.
    pub tools: Vec<String>,
    /// What its supervisor is to do. Ends when the worker is gone: its connection broke or a newer process of the
    /// same id took its place.
    pub orders: mpsc::Receiver<WorkerOrder>,
    desk: Weak<Desk>,
    link: Arc<Link>,
}

impl Attached {
    pub(super) fn new(desk: &Arc<Desk>, enrolled: Enrolled) -> Self {
        let Enrolled { tools, orders, link } = enrolled;
        Self {
            tools,
            orders,
            desk: Arc::downgrade(desk),
            link,
        }
    }

    /// The worker's id.
    pub fn worker_id(&self) -> &str {
        &self.link.worker_id
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.upgrade() {
            desk.lose(&self.link);
        }
    }
}
